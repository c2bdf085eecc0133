//! Closed periods through the whole engine: nothing is posted into them by whichever process; what
//! closes a year leaves nothing behind; the reference executor writes the same log and the auditor
//! finds nothing, whatever is asked in whatever order.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, NaiveDate};
use ledger_core::{
    book::{CloseYear, PeriodOperation},
    chart::Direction::{Credit, Debit},
    command::{Operation, Outcome},
    engine::Engine,
    posting::{Posting, PostingLeg},
};
use projections::audit::{self, Options};
use sqlx::PgPool;

use crate::{
    reference::Both,
    support::ledger::{Ledger, accepted, command, leg, opening, posting, rejected, transfer},
};

const TILL: &str = "till:main:INR";
const ASHA: &str = "wallet:asha:INR";
const FEES: &str = "income:fees:INR";
const CHARGES: &str = "expense:bank_charges:INR";
const RETAINED: &str = "equity:retained:INR";

/// What is asked, once the engine is where it is then.
type Ask = Box<dyn Fn(&Engine) -> Operation>;

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn on(mut posting: Posting, day: NaiveDate) -> Operation {
    posting.effective_on = Some(day);
    Operation::Post(vec![posting])
}

fn close(until: &str) -> Operation {
    PeriodOperation::Close { until: date(until) }.into()
}

fn reopen(from: &str) -> Operation {
    PeriodOperation::Reopen { from: date(from), reason: "late".parse().unwrap() }.into()
}

fn year(engine: &Engine, until: NaiveDate, legs: Vec<PostingLeg>) -> Operation {
    let posting = Posting { effective_on: Some(until), ..posting("year_close", legs) };
    let expected_sequence = engine.status().borrow().book.sequence();
    PeriodOperation::CloseYear(CloseYear { until, posting, expected_sequence }).into()
}

async fn assert_in_order(pool: &PgPool) {
    let options = Options { read_models: false, ..Options::default() };
    let report = audit::verify_database(pool, &options, |_| ()).await.unwrap();
    assert!(report.verified, "{report}");
}

fn code(outcome: Option<Outcome>) -> String {
    match outcome.expect("an outcome") {
        Outcome::Accepted(_) => "accepted".to_owned(),
        Outcome::Rejected(rejection) => rejection.code.clone(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_month_takes_nothing_and_its_year_moves_to_equity() {
    let mut both = Both::start().await;
    let mut told = Vec::new();
    for account in [TILL, ASHA, FEES] {
        both.agree(&command(Operation::OpenAccount(opening(account)))).await;
    }
    let fee = || posting("fee", vec![leg(Debit, ASHA, "5.00"), leg(Credit, FEES, "5.00")]);
    let moved = |amount| vec![leg(Debit, FEES, amount), leg(Credit, RETAINED, amount)];
    let october = date("2026-10-31");
    let asked: [(&str, Ask); 15] = [
        ("accepted", Box::new(move |_| on(transfer(TILL, ASHA, "100.00"), date("2026-10-15")))),
        ("accepted", Box::new(move |_| on(fee(), date("2026-10-15")))),
        ("period_not_over", Box::new(|_| close("2026-11-30"))),
        ("period_not_months", Box::new(|_| close("2026-10-30"))),
        ("period_not_closed", Box::new(move |engine| year(engine, october, moved("5.00")))),
        ("accepted", Box::new(|_| close("2026-10-31"))),
        ("period_closed_already", Box::new(|_| close("2026-09-30"))),
        ("period_closed", Box::new(move |_| on(fee(), october))),
        ("accepted", Box::new(move |_| on(fee(), date("2026-11-01")))),
        (
            "malformed",
            Box::new(move |engine| {
                year(engine, october, vec![leg(Debit, FEES, "5.00"), leg(Credit, ASHA, "5.00")])
            }),
        ),
        ("accepted", Box::new(move |engine| year(engine, october, moved("5.00")))),
        ("nothing_to_close", Box::new(move |engine| year(engine, october, Vec::new()))),
        ("period_not_closed", Box::new(|_| reopen("2026-11-01"))),
        ("accepted", Box::new(|_| reopen("2026-10-01"))),
        ("accepted", Box::new(move |_| on(fee(), october))),
    ];
    for (expected, operation) in asked {
        both.engine.refresh().await.unwrap();
        let operation = command(operation(&both.engine));
        told.push(code(both.agree(&operation).await));
        assert_eq!(told.last().unwrap(), expected, "{operation:?}");
    }
    both.assert_same_logs(true).await;
    assert_in_order(&both.pools[0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sums_of_a_book_that_has_changed_close_no_year() {
    let ledger = Ledger::start().await;
    for account in [TILL, ASHA, FEES] {
        ledger.open(account).await;
    }
    let day = date("2026-01-15");
    accepted(ledger.submit(on(transfer(TILL, ASHA, "100.00"), day)).await);
    let fee = posting("fee", vec![leg(Debit, ASHA, "5.00"), leg(Credit, FEES, "5.00")]);
    accepted(ledger.submit(on(fee, day)).await);
    accepted(ledger.submit(close("2026-01-31")).await);
    ledger.engine.refresh().await.unwrap();
    let legs = || vec![leg(Debit, FEES, "5.00"), leg(Credit, RETAINED, "5.00")];
    let (one, two) = (
        year(&ledger.engine, date("2026-01-31"), legs()),
        year(&ledger.engine, date("2026-01-31"), legs()),
    );
    // Two who took the same sums: one of them moves them.
    let other = Ledger::on(&ledger.database).await;
    let (one, two) = tokio::join!(ledger.submit(one), other.submit(two));
    let refused: Vec<_> = [one, two]
        .into_iter()
        .filter_map(|answer| match answer.unwrap().outcome {
            Outcome::Accepted(_) => None,
            Outcome::Rejected(rejection) => Some(rejection.code.clone()),
        })
        .collect();
    assert_eq!(refused, ["book_changed"]);
    assert_eq!(ledger.balance(RETAINED).await, "5.00");
    assert_in_order(&ledger.database.pool().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_process_closes_is_closed_for_the_other_at_once() {
    let one = Ledger::start().await;
    one.wallet(ASHA, "1000.00").await;
    let other = Ledger::on(&one.database).await;
    let day = date("2026-10-31");
    let posts = (0..40).map(|_| other.submit(on(transfer(ASHA, TILL, "1.00"), day)));
    let (closed, posts) =
        tokio::join!(one.submit(close("2026-10-31")), futures::future::join_all(posts));
    let Outcome::Accepted(closed) = closed.unwrap().outcome else { panic!("it is closed") };
    for post in posts {
        match post.unwrap().outcome {
            Outcome::Accepted(accepted) => assert!(accepted.position < closed.position),
            Outcome::Rejected(rejection) => assert_eq!(rejection.code, "period_closed"),
        }
    }
    let late = rejected(other.submit(on(transfer(ASHA, TILL, "1.00"), day)).await);
    assert_eq!(late.code, "period_closed");
    accepted(other.transfer(ASHA, TILL, "1.00").await);
    assert_in_order(&one.database.pool().await).await;
}

/// What the book should be like: up to when it is closed, and what was earned by account and day.
struct Model {
    random: u64,
    closed: Option<NaiveDate>,
    year: Option<NaiveDate>,
    earned: BTreeMap<(&'static str, NaiveDate), i64>,
}

impl Model {
    fn below(&mut self, bound: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) % bound
    }

    fn is_closed(&self, day: NaiveDate) -> bool {
        self.closed.is_some_and(|until| day <= until)
    }

    /// A day from June to November, at times the end of a month.
    fn day(&mut self) -> NaiveDate {
        let day = date("2026-06-01") + Days::new(self.below(174));
        if self.below(4) == 0 { month_end(day) } else { day }
    }

    /// An operation, and what is to become of it.
    fn next(&mut self, engine: &Engine) -> (Operation, &'static str) {
        let day = self.day();
        match self.below(12) {
            0 | 1 => self.close(day),
            2 => self.reopen(day.with_day(1).unwrap()),
            3 => self.year(engine, month_end(day)),
            4 | 5 => self.earn((CHARGES, TILL), day, 1),
            _ => self.earn((TILL, FEES), day, -1),
        }
    }

    fn close(&mut self, day: NaiveDate) -> (Operation, &'static str) {
        let until = if self.below(8) == 0 { day } else { month_end(day) };
        let operation = PeriodOperation::Close { until }.into();
        if until != month_end(until) {
            return (operation, "period_not_months");
        }
        if until >= date("2026-11-22") {
            return (operation, "period_not_over");
        }
        if self.is_closed(until) {
            return (operation, "period_closed_already");
        }
        self.closed = Some(until);
        (operation, "accepted")
    }

    fn reopen(&mut self, from: NaiveDate) -> (Operation, &'static str) {
        let operation = PeriodOperation::Reopen { from, reason: "late".parse().unwrap() }.into();
        if !self.is_closed(from) {
            return (operation, "period_not_closed");
        }
        self.closed = from.pred_opt();
        (operation, "accepted")
    }

    fn earn(
        &mut self,
        (debit, credit): (&'static str, &'static str),
        day: NaiveDate,
        sign: i64,
    ) -> (Operation, &'static str) {
        let paise = i64::try_from(self.below(900)).unwrap() + 1;
        let amount = amount(paise);
        let posting =
            posting("fee", vec![leg(Debit, debit, &amount), leg(Credit, credit, &amount)]);
        let operation = on(posting, day);
        if self.is_closed(day) {
            return (operation, "period_closed");
        }
        let account = if sign > 0 { debit } else { credit };
        *self.earned.entry((account, day)).or_default() += sign * paise;
        (operation, "accepted")
    }

    fn year(&mut self, engine: &Engine, until: NaiveDate) -> (Operation, &'static str) {
        let mut legs = Vec::new();
        let mut rest = 0;
        for account in [FEES, CHARGES] {
            let days = self.earned.iter().filter(|((of, day), _)| *of == account && *day <= until);
            let sum: i64 = days.map(|(_, paise)| paise).sum();
            rest += sum;
            legs.extend(side(account, -sum));
        }
        legs.extend(side(RETAINED, rest));
        let nothing = legs.is_empty();
        let operation = year(engine, until, legs);
        if !self.is_closed(until) {
            return (operation, "period_not_closed");
        }
        if self.year.is_some_and(|last| until < last) {
            return (operation, "year_closed_later");
        }
        if nothing {
            return (operation, "nothing_to_close");
        }
        self.year = Some(until);
        for ((_, day), paise) in &mut self.earned {
            *paise = if *day <= until { 0 } else { *paise };
        }
        (operation, "accepted")
    }
}

fn amount(paise: i64) -> String {
    format!("{}.{:02}", paise / 100, paise % 100)
}

/// So many paise of debits; of credits, if it is below zero.
fn side(account: &str, paise: i64) -> Option<PostingLeg> {
    let direction = if paise > 0 { Debit } else { Credit };
    (paise != 0).then(|| leg(direction, account, &amount(paise.abs())))
}

fn month_end(day: NaiveDate) -> NaiveDate {
    let next = day.with_day(1).unwrap() + chrono::Months::new(1);
    next.pred_opt().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_asked_engine_reference_model_and_auditor_agree() {
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for seed in 1..=4 {
        let mut both = Both::start().await;
        let mut model =
            Model { random: seed * 7919, closed: None, year: None, earned: BTreeMap::new() };
        for account in [TILL, FEES, CHARGES] {
            both.agree(&command(Operation::OpenAccount(opening(account)))).await;
        }
        for _ in 0..120 {
            both.engine.refresh().await.unwrap();
            let (operation, expected) = model.next(&both.engine);
            let operation = command(operation);
            assert_eq!(code(both.agree(&operation).await), expected, "{operation:?}");
            *seen.entry(expected).or_default() += 1;
        }
        both.assert_same_logs(true).await;
        assert_in_order(&both.pools[0]).await;
    }
    let known = [
        "accepted",
        "nothing_to_close",
        "period_closed",
        "period_closed_already",
        "period_not_closed",
        "period_not_months",
        "period_not_over",
        "year_closed_later",
    ];
    assert_eq!(seen.keys().copied().collect::<Vec<_>>(), known);
}
