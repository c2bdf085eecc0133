//! Books with something of everything that a report can show.

use chrono::NaiveDate;
use ledger_core::{
    account::FreezeMode,
    book::{CloseYear, PeriodOperation},
    chart::Direction::{self, Credit, Debit},
    command::{FreezeAccount, Operation, PlaceHold},
    ids::HoldId,
    posting::{Posting, PostingLeg},
};
use projections::{Projector, ReadModels};
use sqlx::PgPool;
use tokio::{sync::watch, task::JoinHandle};

use crate::support::{
    bahi::PATIENCE,
    ledger::{Ledger, accepted, leg, money, posting, transfer},
};

const ACCOUNTS: [&str; 22] = [
    "till:main:INR",
    "till:7.a_b-c:INR",
    "float:KWD",
    "float:BTC",
    "wallet:asha:INR",
    "wallet:ravi:INR",
    "wallet:asha:JPY",
    "till:main:JPY",
    "wallet:x.y_z-1:KWD",
    "wallet:whale:BTC",
    "merchant:chai:unsettled:INR",
    "merchant:chai:available:INR",
    "receivable:recall:asha:INR",
    "receivable:merchant:chai:INR",
    "bank:hdfc:escrow:INR",
    "bank:hdfc:clearing_in:INR",
    "suspense:credits:INR",
    "tax:gst_output:INR",
    "income:fees:INR",
    "expense:bank_charges:INR",
    "income:fees:JPY",
    "till:main:USDT",
];

pub(super) fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn item(direction: Direction, account: &str, amount: &str, item: &str) -> PostingLeg {
    PostingLeg { item: Some(item.parse().unwrap()), ..leg(direction, account, amount) }
}

/// A ledger with a projector at work.
pub(super) struct Scene {
    pub(super) ledger: Ledger,
    pub(super) pool: PgPool,
    pub(super) models: ReadModels,
    task: JoinHandle<()>,
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Scene {
    pub(super) async fn empty() -> Self {
        let ledger = Ledger::start().await;
        let pool = ledger.database.pool().await;
        let projector = Projector::new(pool.clone(), watch::channel(0).1);
        let task = tokio::spawn(projector.run(std::future::pending()));
        Self { models: ReadModels::new(pool.clone()), ledger, pool, task }
    }

    /// Several currencies and scales, items, back-dated and future days, fees, a hold, and a year
    /// that was closed.
    pub(super) async fn full() -> Self {
        let scene = Self::empty().await;
        for account in ACCOUNTS {
            scene.ledger.open(account).await;
        }
        scene.early().await;
        scene.late().await;
        scene.caught_up().await;
        scene
    }

    async fn early(&self) {
        let january =
            |posting: Posting| Posting { effective_on: Some(date("2026-01-15")), ..posting };
        self.post(january(transfer("till:main:INR", "wallet:asha:INR", "12345.67"))).await;
        let legs = vec![
            leg(Debit, "wallet:asha:INR", "120.00"),
            leg(Credit, "merchant:chai:unsettled:INR", "117.64"),
            leg(Credit, "income:fees:INR", "2.00"),
            leg(Credit, "tax:gst_output:INR", "0.36"),
        ];
        self.post(january(posting("payment", legs))).await;
        self.post(january(transfer("expense:bank_charges:INR", "till:main:INR", "0.50"))).await;
        self.post(january(transfer("till:main:JPY", "income:fees:JPY", "9"))).await;
        self.submit(PeriodOperation::Close { until: date("2026-03-31") }.into()).await;
        self.ledger.engine.refresh().await.unwrap();
        let legs = vec![
            leg(Debit, "income:fees:INR", "2.00"),
            leg(Credit, "expense:bank_charges:INR", "0.50"),
            leg(Credit, "equity:retained:INR", "1.50"),
            leg(Debit, "income:fees:JPY", "9"),
            leg(Credit, "equity:retained:JPY", "9"),
        ];
        let until = date("2026-03-31");
        let posting = Posting { effective_on: Some(until), ..posting("year_close", legs) };
        let expected_sequence = self.ledger.engine.status().borrow().book.sequence();
        let close = CloseYear { until, posting, expected_sequence };
        self.submit(PeriodOperation::CloseYear(close).into()).await;
    }

    async fn late(&self) {
        let arrived = |amount: &str, name: &str| {
            let clearing = item(Debit, "bank:hdfc:clearing_in:INR", amount, name);
            posting("deposit", vec![clearing, leg(Credit, "wallet:ravi:INR", amount)])
        };
        self.post(arrived("500.00", "dep_\"quoted\"\\7")).await;
        self.post(arrived("70.10", "dep,8")).await;
        let settled = vec![
            leg(Debit, "bank:hdfc:escrow:INR", "500.00"),
            item(Credit, "bank:hdfc:clearing_in:INR", "500.00", "dep_\"quoted\"\\7"),
        ];
        self.post(Posting {
            value_date: Some(date("2026-11-19")),
            effective_on: Some(date("2026-11-20")),
            ..posting("bank_line", settled)
        })
        .await;
        let aside = item(Credit, "suspense:credits:INR", "3.33", "old");
        self.post(posting("deposit", vec![leg(Debit, "till:7.a_b-c:INR", "3.33"), aside])).await;
        let future = transfer("till:main:INR", "wallet:asha:INR", "1.00");
        self.post(Posting { effective_on: Some(date("2027-01-01")), ..future }).await;
        self.post(transfer("float:KWD", "wallet:x.y_z-1:KWD", "100.001")).await;
        self.post(transfer("float:BTC", "wallet:whale:BTC", "21.00000001")).await;
        self.post(transfer("receivable:recall:asha:INR", "wallet:asha:INR", "5.00")).await;
        self.post(transfer("wallet:ravi:INR", "income:fees:INR", "1.18")).await;
        let both = vec![
            leg(Debit, "wallet:asha:INR", "60.00"),
            leg(Credit, "till:main:INR", "60.00"),
            leg(Debit, "till:main:JPY", "100"),
            leg(Credit, "wallet:asha:JPY", "100"),
        ];
        self.post(posting("exchange", both)).await;
        let hold = Operation::PlaceHold(PlaceHold {
            hold_id: HoldId::from_uuid(uuid::Uuid::from_u128(7)),
            account: "wallet:asha:INR".parse().unwrap(),
            amount: money("wallet:asha:INR", "10.00"),
            expires_at: None,
        });
        self.submit(hold).await;
        self.submit(Operation::Freeze(FreezeAccount {
            account: "wallet:ravi:INR".parse().unwrap(),
            reference: "order".parse().unwrap(),
            mode: FreezeMode::Both,
            amount: None,
        }))
        .await;
    }

    pub(super) async fn post(&self, posting: Posting) {
        self.submit(Operation::Post(vec![posting])).await;
    }

    pub(super) async fn submit(&self, operation: Operation) {
        accepted(self.ledger.submit(operation).await);
    }

    /// Waits until the read models have all that is in the log; gives where that is.
    pub(super) async fn caught_up(&self) -> u64 {
        let head = ledger_core::log::read::head(&self.pool).await.unwrap().position;
        self.models.wait_for(head, PATIENCE).await.unwrap();
        head
    }
}
