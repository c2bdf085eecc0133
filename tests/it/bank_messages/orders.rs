//! All orders of what a bank says, and a crash between any two: the end is the same.
//!
//! Four messages have 24 orders, and each world 24 withdrawals, one for each order. They go through
//! their orders in step, so that all of them are there when the worker is killed.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{Days, NaiveDate};
use ledger_api::{
    statements::{Booker, Format, OurNumbers, Reading, import, parse},
    workers::withdrawals::reference,
};
use ledger_core::{
    clock::{Clock as _, System},
    ids::{Reference, WithdrawalId},
    withdrawal::WithdrawalStatus as Status,
};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{until, worker};
use crate::{
    audit_engine::verified,
    support::{
        database::Database,
        ledger::{currency, parse as word},
        puppet::{Puppet, Word, conclusion, deliver},
        queue::{Desk, WALLET},
        sandbox::Sandbox,
    },
};

/// What came of a transfer, however one hears of it.
struct World {
    bank: &'static str,
    amount: &'static str,
    /// What the submission is answered with.
    answer: Word,
    /// What webhooks and enquiries say.
    truth: Word,
    end: Status,
    /// By which events.
    ends: &'static [&'static str],
}

const WORLDS: [World; 4] = [
    World {
        bank: "hdfc",
        amount: "500.00",
        answer: Word::Paid,
        truth: Word::Paid,
        end: Status::Completed,
        ends: &["completed"],
    },
    World {
        bank: "hdfc",
        amount: "70.00",
        answer: Word::Silent,
        truth: Word::Paid,
        end: Status::Completed,
        ends: &["completed"],
    },
    World {
        bank: "axis",
        amount: "30.00",
        answer: Word::Accepted,
        truth: Word::Refused,
        end: Status::Failed,
        ends: &["failed"],
    },
    World {
        bank: "axis",
        amount: "9.00",
        answer: Word::Accepted,
        truth: Word::Returned,
        end: Status::Returned,
        ends: &["completed", "returned"],
    },
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Message {
    Answer,
    Webhook,
    Enquiry,
    Statement,
}

fn orders() -> Vec<[Message; 4]> {
    const ALL: [Message; 4] =
        [Message::Answer, Message::Webhook, Message::Enquiry, Message::Statement];
    let mut orders = Vec::new();
    for a in ALL {
        for b in ALL.into_iter().filter(|b| *b != a) {
            for c in ALL.into_iter().filter(|c| ![a, b].contains(c)) {
                let d = ALL.into_iter().find(|d| ![a, b, c].contains(d)).expect("the last");
                orders.push([a, b, c, d]);
            }
        }
    }
    orders
}

/// A withdrawal and what happens to it.
struct One {
    id: WithdrawalId,
    reference: Reference,
    world: &'static World,
    order: [Message; 4],
}

struct Play {
    desk: Desk,
    banks: BTreeMap<&'static str, Arc<Puppet>>,
    booker: Booker,
    day: NaiveDate,
    /// The lines that each bank has stated so far, and what its escrow had before them.
    lines: BTreeMap<&'static str, Vec<Value>>,
}

impl Play {
    async fn start() -> Self {
        let desk = Desk::idle(&Database::create().await, Sandbox::start().await).await;
        let banks = ["hdfc", "axis"].map(|code| (code, Puppet::new(code))).into();
        let booker = Booker {
            pool: desk.pool.clone(),
            read_models: desk.read_models.clone(),
            ledger: Arc::new(desk.ledger.engine.clone()),
            ids: Arc::new(System),
            principal: word("ledger:statements"),
            credits: None,
            rules: BTreeMap::new(),
            again_after: Arc::default(),
        };
        let day = desk.clock.now().with_timezone(&chrono_tz::Asia::Kolkata).date_naive();
        Self { desk, banks, booker, day, lines: BTreeMap::new() }
    }

    fn work(&mut self) -> Vec<tokio::task::AbortHandle> {
        let banks: Vec<_> = self.banks.values().cloned().collect();
        worker(&mut self.desk, &banks.iter().collect::<Vec<_>>())
    }

    async fn request_all(&self) -> Vec<One> {
        let mut all = Vec::new();
        for world in &WORLDS {
            for order in orders() {
                let id = self.desk.request(world.bank, world.amount).await;
                all.push(One { id, reference: reference(id, 1).unwrap(), world, order });
            }
        }
        for one in &all {
            let bank = &self.banks[one.world.bank];
            until("it is handed in", async || bank.submissions(&one.reference) == 1).await;
        }
        all
    }

    /// The n-th message of each.
    async fn step(&mut self, all: &[One], number: usize) {
        let of = |message| all.iter().filter(move |one| one.order[number] == message);
        for one in of(Message::Answer) {
            self.banks[one.world.bank].answer(&one.reference, one.world.answer);
        }
        let mut delivered = Vec::new();
        for one in of(Message::Webhook) {
            let body = self.banks[one.world.bank].webhook(&one.reference, one.world.truth);
            let pool = &self.desk.pool;
            delivered.push(deliver(pool, one.world.bank, one.reference.as_str(), &body).await);
        }
        for one in of(Message::Enquiry) {
            self.banks[one.world.bank].find(&one.reference, one.world.truth);
        }
        for one in of(Message::Statement) {
            let lines = self.lines.entry(one.world.bank).or_default();
            lines.extend(lines_of(one, self.day));
        }
        self.desk.advance(100).await;
        for bank in ["hdfc", "axis"] {
            self.state(bank, self.day, false).await;
        }
        self.booker.book().await.unwrap();
        for delivery in delivered {
            let pool = &self.desk.pool;
            until("a webhook is looked at", async || conclusion(pool, delivery).await.is_some())
                .await;
        }
    }

    /// Imports the statement of a day as it is now.
    async fn state(&self, bank: &str, day: NaiveDate, closed: bool) {
        let first = day == self.day;
        let all = self.lines.get(bank).cloned().unwrap_or_default();
        let moved: Decimal = all.iter().map(amount).sum();
        let start = Decimal::new(500_000_000, 2);
        let (opening, lines) = if first { (start, all) } else { (start + moved, Vec::new()) };
        let statement = json!({"account": "escrow", "date": day, "closed": closed,
            "opening": inr(&opening.to_string()), "closing": inr(&(start + moved).to_string()),
            "lines": lines});
        let bytes = serde_json::to_vec(&statement).unwrap();
        let of = |code: ledger_core::money::CurrencyCode| Some(currency(code.as_str()));
        let accounts = OurNumbers::default();
        let reading = Reading { currency: &of, accounts: &accounts, csv: None };
        let parsed = parse(Format::Json, &bytes, &reading).unwrap();
        let by = word("asha");
        import(&self.desk.pool, &word(bank), Format::Json, &parsed[0], &by).await.unwrap();
    }

    /// The days end, and the next ones too: nothing else is stated.
    async fn close(&self) {
        for days in 0..=2 {
            for bank in ["hdfc", "axis"] {
                self.state(bank, self.day + Days::new(days), true).await;
            }
        }
        self.booker.book().await.unwrap();
    }

    async fn check(&self, all: &[One]) {
        let mut spent = Decimal::ZERO;
        for one in all {
            let events = self.desk.wait_for(one.id, one.world.end).await;
            let begun = events.iter().filter(|name| *name == "attempt_begun").count();
            let handed_in = self.banks[one.world.bank].submissions(&one.reference);
            assert_eq!((begun, handed_in), (1, 1), "{:?}: {events:?}", one.order);
            let ends = ["completed", "failed", "returned"];
            let ends: Vec<_> = events.iter().filter(|name| ends.contains(&name.as_str())).collect();
            assert_eq!(ends, one.world.ends, "{:?}", one.order);
            if one.world.end == Status::Completed {
                spent += one.world.amount.parse::<Decimal>().unwrap() + Decimal::TEN;
            }
        }
        let left = (Decimal::new(100_000_000, 2) - spent).to_string();
        assert_eq!(self.desk.ledger.balance(WALLET).await, left);
        for account in [
            "bank:hdfc:clearing_out:INR",
            "bank:axis:clearing_out:INR",
            "bank:axis:clearing_in:INR",
            "withdrawals:reserved:INR",
            "withdrawals:in_flight:INR",
            "fees:held:INR",
            "returns:unapplied:INR",
        ] {
            assert_eq!(self.desk.ledger.balance(account).await, "0.00", "{account}");
        }
    }
}

fn inr(value: &str) -> Value {
    json!({"value": value, "currency": "INR"})
}

/// What a line moves, as the bank's customer sees it.
fn amount(line: &Value) -> Decimal {
    let amount: Decimal = line["amount"]["value"].as_str().unwrap().parse().unwrap();
    if line["direction"] == "debit" { -amount } else { amount }
}

/// What the bank states of a withdrawal.
fn lines_of(one: &One, day: NaiveDate) -> Vec<Value> {
    let line = |number: &str, direction: &str, utr: &str| {
        json!({"bank_transaction_id": format!("{number}-{}", one.reference), "booking_date": day,
               "value_date": day, "direction": direction, "amount": inr(one.world.amount),
               "utr": format!("{utr}-{}", one.reference), "reference": one.reference,
               "narration": ""})
    };
    let (paid, back) = (line("S", "debit", "U"), line("T", "credit", "R"));
    if one.world.end == Status::Failed {
        return Vec::new();
    }
    if one.world.end == Status::Returned { vec![paid, back] } else { vec![paid] }
}

/// `crash_before`: the message before which the worker is killed, and another one takes over.
async fn play(crash_before: Option<usize>) {
    let mut play = Play::start().await;
    let mut working = play.work();
    let all = play.request_all().await;
    for number in 0..4 {
        if crash_before == Some(number) {
            play.desk.kill(working).await;
            working = play.work();
        }
        play.step(&all, number).await;
    }
    play.close().await;
    play.check(&all).await;
    let database = play.desk.ledger.database.clone();
    play.desk.stop().await;
    verified(&database).await;
}

macro_rules! orders {
    ($($name:ident: $crash:expr;)+) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                play($crash).await;
            }
        )+
    };
}

orders! {
    case_102_all_orders_end_the_same: None;
    case_102_all_orders_end_the_same_with_a_crash_before_any_of_them: Some(0);
    case_102_all_orders_end_the_same_with_a_crash_after_the_first: Some(1);
    case_102_all_orders_end_the_same_with_a_crash_after_the_second: Some(2);
    case_102_all_orders_end_the_same_with_a_crash_after_the_third: Some(3);
}
