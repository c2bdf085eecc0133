//! Limits of a tier: each period's edge, what counts, what is exempt, and the counters against a
//! scan of all that was ever counted.

use std::sync::Arc;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta};
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{
    book::{Book, BookEvent},
    clock::Timestamp,
    tier::{Flow, FlowLimits, Limit, LimitExceeded, Tier, TierLimits, Tiers},
};

/// A tier `small`; each limit as text, `-` for none.
fn tiers(balance: &str, incoming: [&str; 4], outgoing: [&str; 4]) -> Arc<Tiers> {
    let limit = |text: &str| (text != "-").then(|| dec(text));
    let flow = |[transaction, day, month, year]: [&str; 4]| FlowLimits {
        per_transaction: limit(transaction),
        per_day: limit(day),
        per_month: limit(month),
        per_year: limit(year),
    };
    let mut tiers = Tiers::default();
    tiers.define(Tier {
        tier: "small".parse().unwrap(),
        currency: currency("INR").code,
        version: 1,
        limits: TierLimits {
            balance: limit(balance),
            incoming: flow(incoming),
            outgoing: flow(outgoing),
        },
    });
    Arc::new(tiers)
}

const NONE: [&str; 4] = ["-", "-", "-", "-"];

pub(super) fn on_small() -> AccountEvent {
    AccountEvent::TierSet(TierSet { tier: Some("small".parse().unwrap()), version: Some(1) })
}

/// A credit of a paisa to an account that may hold `cap` at most.
pub(super) fn capped(cap: &str) -> PostLeg {
    PostLeg { tiers: tiers(cap, NONE, NONE), ..post(Direction::Credit, "0.01") }
}

/// The refusal of it.
pub(super) fn nothing_left(cap: &str) -> LimitExceeded {
    refused(Flow::In, Limit::Balance, cap, "0.00", None)
}

fn moment(text: &str) -> Timestamp {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

/// The book's day at a moment, as the planner takes it.
fn day_at(text: &str) -> NaiveDate {
    let mut book = Book::default();
    let time_zone = chrono_tz::Tz::Asia__Kolkata;
    book.apply(BookEvent::Opened(crate::book::Opened { time_zone }));
    book.day(moment(text))
}

/// A wallet on the tier `small` that has 100,000.00.
fn wallet() -> Account {
    folded([opened(), credited("100000.00", "100000.00"), on_small()])
}

struct Teller {
    wallet: Account,
    tiers: Arc<Tiers>,
    number: u128,
}

impl Teller {
    fn new(tiers: Arc<Tiers>) -> Self {
        Self { wallet: wallet(), tiers, number: 10 }
    }

    fn leg(&mut self, direction: Direction, amount: &str, today: NaiveDate) -> PostLeg {
        self.number = self.number.saturating_add(1);
        let transaction_id = txn(self.number);
        let tiers = Arc::clone(&self.tiers);
        PostLeg { transaction_id, today, tiers, ..post(direction, amount) }
    }

    fn post(&mut self, leg: PostLeg) -> Result<(), LimitExceeded> {
        match self.wallet.decide(AccountCommand::Post(leg)) {
            Ok(event) => {
                self.wallet.apply(event);
                Ok(())
            }
            Err(AccountError::LimitExceeded(limit)) => Err(*limit),
            Err(other) => panic!("{other}"),
        }
    }

    fn out(&mut self, amount: &str, today: NaiveDate) -> Result<(), LimitExceeded> {
        let leg = self.leg(Direction::Debit, amount, today);
        self.post(leg)
    }

    fn bring(&mut self, amount: &str, today: NaiveDate) -> Result<(), LimitExceeded> {
        let leg = self.leg(Direction::Credit, amount, today);
        self.post(leg)
    }
}

fn refused(flow: Flow, limit: Limit, of: &str, left: &str, on: Option<&str>) -> LimitExceeded {
    LimitExceeded {
        tier: "small".parse().unwrap(),
        flow,
        limit,
        maximum: dec(of),
        left: dec(left),
        resets_on: on.map(|on| on.parse().unwrap()),
    }
}

#[test]
fn a_day_of_the_limits_ends_at_half_past_six_in_the_evening_utc() {
    let mut teller = Teller::new(tiers("-", NONE, ["-", "100.00", "-", "-"]));
    let (before, after) = ("2026-11-22T18:29:59.999999Z", "2026-11-22T18:30:00Z");
    assert_eq!(teller.out("60.00", day_at("2026-11-21T18:30:00Z")), Ok(()));
    let full = refused(Flow::Out, Limit::Day, "100.00", "40.00", Some("2026-11-23"));
    assert_eq!(teller.out("40.01", day_at(before)), Err(full));
    assert_eq!(teller.out("40.00", day_at(before)), Ok(()));
    let empty = refused(Flow::Out, Limit::Day, "100.00", "0.00", Some("2026-11-23"));
    assert_eq!(teller.out("0.01", day_at(before)), Err(empty));
    assert_eq!(teller.out("100.00", day_at(after)), Ok(()));
}

#[test]
fn months_and_years_end_in_india_and_a_leap_day_is_a_day() {
    let limits = ["-", "50.00", "80.00", "100.00"];
    let cases = [
        // The last day of a month, the first of the next, and what is left of each.
        ("2028-02-28T18:30:00Z", "2028-02-29", "50.00"),
        ("2028-02-29T18:30:00Z", "2028-03-01", "50.00"),
        ("2028-03-01T18:30:00Z", "2028-03-02", "0.00"),
        ("2028-12-31T18:29:59Z", "2028-12-31", "0.00"),
        ("2028-12-31T18:30:00Z", "2029-01-01", "50.00"),
        ("2029-01-01T18:30:00Z", "2029-01-02", "30.00"),
        ("2029-01-31T18:30:00Z", "2029-02-01", "20.00"),
    ];
    let mut teller = Teller::new(tiers("-", NONE, limits));
    for (at, day, left) in cases {
        let today = day_at(at);
        assert_eq!(today.to_string(), day);
        assert_eq!(teller.wallet.tier_room(&teller.tiers, Flow::Out, today), Some(dec(left)));
        let more = dec(left).checked_add(dec("0.01")).unwrap().to_string();
        assert!(teller.out(&more, today).is_err(), "{day}");
        if left != "0.00" {
            assert_eq!(teller.out(left, today), Ok(()), "{day}");
        }
    }
}

#[test]
fn the_business_date_does_not_move_what_is_counted() {
    let mut teller = Teller::new(tiers("-", NONE, ["-", "100.00", "-", "-"]));
    let today = day_at("2026-11-22T12:00:00Z");
    let back_dated = PostLeg {
        effective_on: "2026-10-31".parse().unwrap(),
        ..teller.leg(Direction::Debit, "100.00", today)
    };
    assert_eq!(teller.post(back_dated), Ok(()));
    assert!(teller.out("0.01", today).is_err());
}

#[test]
fn case_160_legs_of_one_transaction_are_one_amount() {
    let mut teller = Teller::new(tiers("-", NONE, ["100.00", "-", "-", "-"]));
    let today = day();
    let first = teller.leg(Direction::Debit, "60.00", today);
    let second = PostLeg { leg: 2, amount: dec("40.01"), ..first.clone() };
    assert_eq!(teller.post(first.clone()), Ok(()));
    let over = refused(Flow::Out, Limit::Transaction, "100.00", "40.00", None);
    assert_eq!(teller.post(second), Err(over));
    assert_eq!(teller.post(PostLeg { leg: 2, amount: dec("40.00"), ..first }), Ok(()));
    // The next one starts from nothing.
    assert_eq!(teller.out("100.00", today), Ok(()));
}

#[test]
fn what_comes_back_is_exempt_and_restores_nothing() {
    let exempt = ["withdrawal_returned", "withdrawal_late", "refund", "reversal", "adjustment"];
    let mut teller = Teller::new(tiers("100000.00", ["1.00"; 4], ["1.00"; 4]));
    assert_eq!(teller.out("1.00", day()), Ok(()));
    for kind in exempt {
        for direction in [Direction::Credit, Direction::Debit] {
            let kind = kind.parse().unwrap();
            let leg = PostLeg { kind, ..teller.leg(direction, "5.00", day()) };
            assert_eq!(teller.post(leg), Ok(()));
        }
    }
    assert!(teller.out("0.01", day()).is_err(), "nothing was restored");
    // Of limits that leave the same, the one is told that waiting would not lift.
    let full = refused(Flow::In, Limit::Balance, "100000.00", "1.00", None);
    assert_eq!(teller.bring("1.01", day()), Err(full));
    assert_eq!(teller.bring("1.00", day()), Ok(()));
    let full = refused(Flow::In, Limit::Balance, "100000.00", "0.00", None);
    assert_eq!(teller.bring("0.01", day()), Err(full));
}

#[test]
fn accounts_on_no_tier_count_nothing_and_their_events_say_nothing() {
    let mut wallet = folded([opened(), credited("10.00", "10.00")]);
    let tiers = tiers("0.00", ["0.00"; 4], ["0.00"; 4]);
    let leg = PostLeg { tiers, ..post(Direction::Debit, "1.00") };
    let event = wallet.decide(AccountCommand::Post(leg)).unwrap();
    assert_eq!(event.leg().unwrap().1.counted_on, None);
    assert!(!String::from_utf8(crate::log::encode(&event).unwrap()).unwrap().contains("counted"));
    wallet.apply(event);
    assert_eq!(wallet.usage(), None);
}

#[test]
fn another_tier_keeps_the_counters_and_none_forgets_them() {
    let mut teller = Teller::new(tiers("-", NONE, ["-", "10.00", "-", "-"]));
    assert_eq!(teller.out("10.00", day()), Ok(()));
    teller.wallet.apply(on_small());
    assert!(teller.out("0.01", day()).is_err());
    teller.wallet.apply(AccountEvent::TierSet(TierSet { tier: None, version: None }));
    assert_eq!(teller.wallet.usage(), None);
    teller.wallet.apply(on_small());
    assert_eq!(teller.out("10.00", day()), Ok(()));
}

/// What was counted: how many days after the first one, which way, how many paise.
type Counted = (i64, Flow, i64);

/// The least that the limits leave, by a scan of everything.
fn left(all: &[Counted], flow: Flow, today: NaiveDate, first: NaiveDate, limits: &[i64; 4]) -> i64 {
    let day = |offset: i64| first.checked_add_signed(TimeDelta::days(offset)).unwrap();
    let sum = |same: &dyn Fn(NaiveDate) -> bool| -> i64 {
        let counted = all.iter().filter(|(offset, way, _)| *way == flow && same(day(*offset)));
        counted.map(|(_, _, paise)| paise).sum()
    };
    let month = |d: NaiveDate| (d.year(), d.month()) == (today.year(), today.month());
    [
        limits[0],
        limits[1].saturating_sub(sum(&|d| d == today)),
        limits[2].saturating_sub(sum(&month)),
        limits[3].saturating_sub(sum(&|d| d.year() == today.year())),
    ]
    .into_iter()
    .min()
    .unwrap()
}

fn paise(amount: i64) -> String {
    Decimal::new(amount, 2).to_string()
}

proptest! {
    /// Whatever is asked, in whatever rhythm: what is accepted is exactly what a scan of all
    /// movements of that day, month and year in India leaves room for.
    #[test]
    fn counters_are_the_sums_of_a_scan(
        start in 0_i64..1_500,
        limits in [1_000_i64..3_000, 1_000..5_000, 2_000..9_000, 3_000..20_000],
        asked in vec((prop_oneof![4 => Just(0_i64), 2 => 1_i64..3, 1 => 20_i64..200],
                      any::<bool>(), 1_i64..2_500, any::<bool>()), 1..60),
    ) {
        let first = day_at("2026-11-22T00:00:00Z")
            .checked_add_signed(TimeDelta::days(start)).unwrap();
        let texts = limits.map(paise);
        let flows = [&*texts[0], &*texts[1], &*texts[2], &*texts[3]];
        let mut teller = Teller::new(tiers("-", flows, flows));
        let (mut counted, mut offset): (Vec<Counted>, i64) = (Vec::new(), 0);
        for (days, incoming, amount, exempt) in asked {
            offset = offset.saturating_add(days);
            let today = first.checked_add_signed(TimeDelta::days(offset)).unwrap();
            let (flow, direction) = if incoming {
                (Flow::In, Direction::Credit)
            } else {
                (Flow::Out, Direction::Debit)
            };
            let room = left(&counted, flow, today, first, &limits);
            let told = teller.wallet.tier_room(&teller.tiers, flow, today);
            prop_assert_eq!(told, Some(dec(&paise(room))));
            let mut leg = teller.leg(direction, &paise(amount), today);
            if exempt {
                leg.kind = "reversal".parse().unwrap();
            }
            let done = teller.post(leg);
            prop_assert_eq!(done.is_ok(), exempt || amount <= room);
            if let Err(refused) = done {
                prop_assert_eq!(refused.left, dec(&paise(room)));
            } else if !exempt {
                counted.push((offset, flow, amount));
            }
            // A snapshot carries the counters along.
            let bytes = serde_json::to_vec(&teller.wallet).unwrap();
            prop_assert_eq!(&serde_json::from_slice::<Account>(&bytes).unwrap(), &teller.wallet);
        }
    }
}
