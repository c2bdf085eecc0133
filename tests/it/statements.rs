//! Banks' statements on the real database and engine: what is refused whole, what each line moves,
//! and that nothing moves twice.

mod breaks;
mod credits;
mod days;
mod fetched;
mod lump_desk;
mod lumps;
mod moves;
mod orders;
mod over_http;
mod proofs;
mod safeguarding;
mod stories;
mod suspense;

use std::{collections::BTreeMap, sync::Arc};

use chrono::NaiveDate;
use ledger_api::statements::{
    Absence, Booker, Format, ImportError, Imported, OurNumbers, Reading, absent_from_statements,
    import, parse,
};
use ledger_core::{
    clock::{Ids, System},
    command::{Operation, Outcome},
    fee::Pricing,
    ids::{TransactionId, WithdrawalId},
    withdrawal::{
        AttemptOutcome, BeginAttempt, RecordOutcome, RequestWithdrawal, Source, Withdrawal,
        WithdrawalOperation as Ask, WithdrawalStatus,
    },
};
use projections::{Projector, ReadModels};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    audit_engine::verified,
    support::{
        database::APP,
        ledger::{Ledger, currency, money, parse as word},
    },
};

const WALLET: &str = "wallet:a:INR";
const ESCROW: &str = "bank:hdfc:escrow:INR";
const OUT: &str = "bank:hdfc:clearing_out:INR";
const IN: &str = "bank:hdfc:clearing_in:INR";
const DEBITS: &str = "suspense:bank_debits:INR";
const CREDITS: &str = "suspense:credits:INR";

/// A ledger with its read models kept, and what books statements on it.
struct Stand {
    ledger: Ledger,
    pool: PgPool,
    projector: JoinHandle<()>,
    booker: Booker,
}

impl Stand {
    async fn start() -> Self {
        let ledger = Ledger::start().await;
        ledger.wallet(WALLET, "1000.00").await;
        let pool = PgPool::connect_with(ledger.database.options(APP)).await.unwrap();
        let (_, nudge) = watch::channel(0);
        let projector = Projector::new(pool.clone(), nudge);
        let projector = tokio::spawn(async move { projector.run(std::future::pending()).await });
        let booker = Booker {
            pool: pool.clone(),
            read_models: ReadModels::new(pool.clone()),
            ledger: Arc::new(ledger.engine.clone()),
            ids: Arc::new(System),
            principal: word("ledger:statements"),
            credits: None,
            rules: BTreeMap::from([(word("hdfc"), word("charges=CHG;tax=GST;interest=INT"))]),
            again_after: Arc::default(),
        };
        Self { ledger, pool, projector, booker }
    }

    async fn ask(&self, ask: impl Into<Operation>) {
        let outcome = self.ledger.submit(ask.into()).await.unwrap().outcome;
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    }

    /// A withdrawal of 100 rupees that is on its way under a reference.
    async fn sent(&self, reference: &str) -> WithdrawalId {
        let withdrawal_id = WithdrawalId::from_uuid(System.fresh());
        self.ask(Ask::Request(RequestWithdrawal {
            withdrawal_id,
            transaction_id: fresh(),
            account: word(WALLET),
            amount: money(WALLET, "100.00"),
            fee: money(WALLET, "0.00"),
            tax: money(WALLET, "0.00"),
            pricing: Pricing::AsGiven,
            bank_account: word("ba_019a0000000070008000000000000021"),
            bank: word("hdfc"),
            rail: word("imps"),
            payee_hash: None,
            payee: ledger_core::withdrawal::PayeeStanding::Unchecked,
            review: None,
            note: None,
        }))
        .await;
        self.ask(Ask::BeginAttempt(BeginAttempt {
            withdrawal_id,
            attempt: 1,
            reference: word(reference),
            bank: word("hdfc"),
            rail: word("imps"),
            payee_hash: None,
            transaction_id: fresh(),
        }))
        .await;
        withdrawal_id
    }

    async fn told(&self, withdrawal_id: WithdrawalId, outcome: AttemptOutcome) {
        self.ask(Ask::RecordOutcome(RecordOutcome {
            withdrawal_id,
            attempt: 1,
            outcome,
            source: Source::Webhook,
            code: None,
            transaction_id: fresh(),
        }))
        .await;
    }

    async fn paid(&self, withdrawal_id: WithdrawalId, utr: &str) {
        let (amount, bank_reference) = (money(WALLET, "100.00"), word(utr));
        self.told(withdrawal_id, AttemptOutcome::Paid { amount, bank_reference }).await;
    }

    async fn import(&self, statement: &Value) -> Result<Imported, ImportError> {
        let bytes = serde_json::to_vec(statement).unwrap();
        let of = |code: ledger_core::money::CurrencyCode| Some(currency(code.as_str()));
        let accounts = OurNumbers::default();
        let reading = Reading { currency: &of, accounts: &accounts, csv: None };
        let parsed = parse(Format::Json, &bytes, &reading).unwrap();
        import(&self.pool, &word("hdfc"), Format::Json, &parsed[0], &word("asha")).await
    }

    async fn refused(&self, statement: &Value) -> &'static str {
        let before = self.count("statement_files").await + self.count("statement_lines").await;
        let Err(ImportError::Rule(rule)) = self.import(statement).await else {
            panic!("not refused: {statement}")
        };
        let after = self.count("statement_files").await + self.count("statement_lines").await;
        assert_eq!(after, before, "something was stored of {statement}");
        rule.code()
    }

    async fn book(&self) {
        while self.booker.book().await.unwrap() > 0 {}
    }

    async fn count(&self, table: &str) -> i64 {
        let sql = format!("select count(*) from {table}");
        sqlx::query_scalar(&sql).fetch_one(&self.pool).await.unwrap()
    }

    async fn balances(&self, accounts: &[&str]) -> Vec<String> {
        let mut balances = Vec::new();
        for account in accounts {
            balances.push(self.ledger.balance(account).await);
        }
        balances
    }

    async fn withdrawal(&self, id: WithdrawalId) -> Withdrawal {
        self.booker.book().await.unwrap();
        self.booker.read_models.withdrawal(id).await.unwrap().value.unwrap().withdrawal
    }

    async fn end(self) {
        self.projector.abort();
        verified(&self.ledger.database).await;
    }
}

fn fresh() -> TransactionId {
    TransactionId::from_uuid(System.fresh())
}

fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, day).unwrap()
}

fn inr(value: &str) -> Value {
    json!({"value": value, "currency": "INR"})
}

fn statement(date: u32, opening: &str, closing: &str, lines: &[Value]) -> Value {
    json!({"account": "escrow", "date": day(date), "closed": true, "opening": inr(opening),
           "closing": inr(closing), "lines": lines})
}

/// A line: its number, `+` or `-` and an amount, and our reference.
fn line(id: &str, amount: &str, reference: Option<&str>, narration: &str) -> Value {
    let (sign, amount) = amount.split_at(1);
    let direction = if sign == "+" { "credit" } else { "debit" };
    json!({"bank_transaction_id": id, "booking_date": day(22), "value_date": day(22),
           "direction": direction, "amount": inr(amount), "utr": format!("UTR-{id}"),
           "reference": reference, "narration": narration})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_moves_what_it_is_and_the_bank_account_only_once() {
    let stand = Stand::start().await;
    let (told, silent, back) =
        (stand.sent("BH-1").await, stand.sent("BH-2").await, stand.sent("BH-3").await);
    stand.paid(told, "UTR-S1").await;
    stand.paid(back, "UTR-S3").await;
    stand.told(silent, AttemptOutcome::Unknown).await;
    let lines = [
        line("S1", "-100.00", Some("BH-1"), "IMPS OUT"),
        // Case 103: nobody told us but the statement.
        line("S2", "-100.00", Some("BH-2"), "IMPS OUT"),
        // By the bank's own reference and the amount.
        line("S3", "-100.00", None, "IMPS OUT"),
        line("S4", "+100.00", Some("BH-3"), "RETURN"),
        // Case 112: the same amount on the same day, and nobody knows it.
        line("S5", "-100.00", None, "CASH"),
        line("S6", "+7.00", None, "IN SOMEBODY"),
        line("S7", "-5.00", None, "CHG MONTHLY"),
        line("S8", "-0.90", None, "GST ON CHG"),
        line("S9", "+1.50", None, "INT PAID"),
    ];
    let file = statement(22, "1000.00", "702.60", &lines);
    let imported = stand.import(&file).await.unwrap();
    assert_eq!((imported.new_lines, imported.breaks, imported.duplicate), (9, 0, false));

    // Several processes at once, and again.
    let (one, other) = tokio::join!(stand.booker.book(), stand.booker.book());
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    stand.book().await;
    let moved = [ESCROW, OUT, IN, DEBITS, CREDITS, WALLET];
    let expected = ["-297.40", "0.00", "0.00", "100.00", "7.00", "800.00"];
    assert_eq!(stand.balances(&moved).await, expected);
    let others = ["expense:bank_charges:INR", "tax:gst_input:INR", "income:interest:INR"];
    assert_eq!(stand.balances(&others).await, ["5.00", "0.90", "1.50"]);
    for (id, status) in [
        (told, WithdrawalStatus::Completed),
        (silent, WithdrawalStatus::Completed),
        (back, WithdrawalStatus::Returned),
    ] {
        assert_eq!(stand.withdrawal(id).await.status(), Some(status));
    }

    // The same file again, and all that was noted of what was booked lost: nothing moves.
    assert!(stand.import(&file).await.unwrap().duplicate);
    let mut superuser = stand.ledger.database.superuser().await;
    sqlx::query("delete from statement_bookings").execute(&mut superuser).await.unwrap();
    stand.book().await;
    assert_eq!(stand.balances(&moved).await, expected);
    stand.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_a_reference_that_appears_later_is_explained_then() {
    let stand = Stand::start().await;
    let lines = [line("S1", "-100.00", Some("BH-9"), "IMPS OUT")];
    stand.import(&statement(22, "0.00", "-100.00", &lines)).await.unwrap();
    stand.book().await;
    assert_eq!(stand.balances(&[ESCROW, DEBITS]).await, ["-100.00", "100.00"]);
    let late = stand.sent("BH-9").await;
    stand.book().await;
    assert_eq!(stand.withdrawal(late).await.status(), Some(WithdrawalStatus::Completed));
    assert_eq!(stand.balances(&[ESCROW, DEBITS, OUT]).await, ["-100.00", "0.00", "0.00"]);
    stand.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_118_a_statement_that_breaks_a_rule_is_refused_whole() {
    let stand = Stand::start().await;
    let one = || vec![line("S1", "+10.00", None, "IN")];
    let sum = statement(22, "0.00", "11.00", &one());
    assert_eq!(stand.refused(&sum).await, "statement_sum_differs");
    let twice = statement(22, "0.00", "20.00", &[one(), one()].concat());
    assert_eq!(stand.refused(&twice).await, "statement_line_repeated");
    let mut open = statement(22, "0.00", "10.00", &one());
    open["closed"] = json!(false);
    stand.import(&open).await.unwrap();
    let next = |opening, closing, lines: &[Value]| statement(23, opening, closing, lines);
    assert_eq!(stand.refused(&next("10.00", "10.00", &[])).await, "statement_day_before_open");
    stand.import(&statement(22, "0.00", "10.00", &one())).await.unwrap();
    open["lines"] = json!([]);
    open["closing"] = inr("0.00");
    assert_eq!(stand.refused(&open).await, "statement_reopened");
    assert_eq!(stand.refused(&next("9.00", "9.00", &[])).await, "statement_opening_differs");
    let again = next("10.00", "20.00", &one());
    assert_eq!(stand.refused(&again).await, "statement_line_of_another_day");
    let far = statement(24, "10.00", "10.00", &[]);
    assert_eq!(stand.refused(&far).await, "statement_day_missing");
    let early = statement(21, "0.00", "0.00", &[]);
    assert_eq!(stand.refused(&early).await, "statement_before_first");
    stand.import(&next("10.00", "10.00", &[])).await.unwrap();

    // A correction: what vanished is a break and stays booked; the day must still lead on.
    let vanished = statement(22, "0.00", "0.00", &[]);
    assert_eq!(stand.refused(&vanished).await, "statement_closing_differs");
    let other = statement(22, "0.00", "10.00", &[line("S2", "+10.00", None, "IN")]);
    let corrected = stand.import(&other).await.unwrap();
    assert_eq!((corrected.new_lines, corrected.breaks), (1, 1));
    assert!(corrected.supersedes.is_some());
    assert_eq!(stand.count("statement_lines").await, 2);
    assert_eq!(stand.count("statement_breaks").await, 1);
    stand.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn absence_is_proved_by_two_closed_days_without_a_riddle_in_them() {
    let stand = Stand::start().await;
    let absent = async |reference: &str| {
        let (bank, reference) = (word("hdfc"), word(reference));
        absent_from_statements(&stand.pool, &bank, &reference, day(22)).await.unwrap()
    };
    assert_eq!(absent("BH-1").await, Absence::NotYet);
    stand.sent("BH-2").await;
    let lines = [line("S1", "-100.00", Some("BH-2"), "IMPS OUT")];
    stand.import(&statement(22, "0.00", "-100.00", &lines)).await.unwrap();
    stand.book().await;
    assert_eq!(absent("BH-1").await, Absence::NotYet, "the next day is not known");
    assert_eq!(absent("BH-2").await, Absence::Present);
    let mut next = statement(23, "-100.00", "-100.00", &[]);
    next["closed"] = json!(false);
    stand.import(&next).await.unwrap();
    assert_eq!(absent("BH-1").await, Absence::NotYet, "the next day is open");
    // A debit that nobody knows may be it.
    let riddle = [line("S2", "-100.00", None, "???")];
    stand.import(&statement(23, "-100.00", "-200.00", &riddle)).await.unwrap();
    stand.book().await;
    assert_eq!(absent("BH-1").await, Absence::NotYet, "a riddle");
    stand.import(&statement(24, "-200.00", "-200.00", &[])).await.unwrap();
    let corrected = [line("S2", "-100.00", None, "???")];
    assert!(stand.import(&statement(23, "-100.00", "-200.00", &corrected)).await.is_ok());
    let mut superuser = stand.ledger.database.superuser().await;
    let explained = "update statement_bookings set purpose = 'charges' where purpose = 'unknown'";
    sqlx::query(explained).execute(&mut superuser).await.unwrap();
    assert_eq!(absent("BH-1").await, Absence::Proved);
    stand.end().await;
}
