//! Given these events of the book, when this is asked, then these events or that refusal.

use cqrs_es::{Aggregate, test::TestFramework};

use super::*;
use crate::fee::{Service, ServiceFee};
use crate::money::Money;
use crate::testing::{assert_every_variant, currency, dec, inr, minute};
use crate::tier::TierLimits;

fn opened() -> BookEvent {
    BookEvent::Opened(Opened { time_zone: Tz::Asia__Kolkata })
}

fn open() -> BookCommand {
    BookCommand::Open { time_zone: Tz::Asia__Kolkata }
}

fn add(code: &str, scale: u8) -> BookCommand {
    BookCommand::AddCurrency(Currency { code: code.parse().unwrap(), scale })
}

fn folded(events: impl IntoIterator<Item = BookEvent>) -> Book {
    events.into_iter().fold(Book::default(), |mut book, event| {
        book.apply(event);
        book
    })
}

fn define(tier: &str, code: &str, expected_version: Option<u32>) -> BookCommand {
    BookCommand::DefineTier(Box::new(DefineTier {
        tier: tier.parse().unwrap(),
        currency: currency(code),
        limits: TierLimits::default(),
        expected_version,
    }))
}

fn defined(tier: &str, version: u32) -> BookEvent {
    BookEvent::TierDefined(Box::new(Tier {
        tier: tier.parse().unwrap(),
        currency: currency("INR").code,
        version,
        limits: TierLimits::default(),
    }))
}

fn with_small() -> Vec<BookEvent> {
    let added = ["INR", "JPY"].map(|code| BookEvent::CurrencyAdded(currency(code)));
    [vec![opened()], added.to_vec(), vec![defined("small", 1)]].concat()
}

fn with_many_tiers() -> Vec<BookEvent> {
    let tiers = (0..TIERS_MAX).map(|number| defined(&format!("tier_{number}"), 1));
    [opened(), BookEvent::CurrencyAdded(currency("INR"))].into_iter().chain(tiers).collect()
}

#[test]
fn a_tier_is_a_row_of_versions_and_the_last_one_is_in_force() {
    let expected = |version| {
        let next = define("small", "INR", Some(version));
        let given = (1..=version).map(|version| defined("small", version));
        let book = [opened(), BookEvent::CurrencyAdded(currency("INR"))];
        TestFramework::<Book>::with(())
            .given(book.into_iter().chain(given).collect())
            .when(next)
            .then_expect_events(vec![defined("small", version + 1)]);
    };
    (0..3).for_each(expected);
    let book = folded([with_small(), vec![defined("small", 2)]].concat());
    let versions: Vec<u32> = book.tiers().all().map(|tier| tier.version).collect();
    assert_eq!(versions, [2]);
}

fn rotated(old: u8, new: u8) -> CheckpointKeyRotated {
    CheckpointKeyRotated { old_key: [old; 32], new_key: [new; 32], signature: [7; 64] }
}

fn rotate(old: u8, new: u8) -> BookCommand {
    BookCommand::RotateCheckpointKey(Box::new(rotated(old, new)))
}

#[test]
fn a_key_of_checkpoints_gives_way_to_the_next_one() {
    let gave_way = |old, new| BookEvent::CheckpointKeyRotated(Box::new(rotated(old, new)));
    TestFramework::<Book>::with(())
        .given(vec![opened()])
        .when(rotate(1, 2))
        .then_expect_events(vec![gave_way(1, 2)]);
    TestFramework::<Book>::with(())
        .given(vec![opened(), gave_way(1, 2)])
        .when(rotate(2, 3))
        .then_expect_events(vec![gave_way(2, 3)]);
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn close(until: &str) -> BookCommand {
    BookCommand::ClosePeriod { until: date(until), today: date("2026-11-03") }
}

fn reopen(from: &str) -> BookCommand {
    BookCommand::ReopenPeriod { from: date(from), reason: "late_invoice".parse().unwrap() }
}

fn year(until: &str, expected_sequence: u64) -> BookCommand {
    let transaction_id = TransactionId::from_uuid(uuid::Uuid::from_u128(7));
    BookCommand::CloseYear { until: date(until), transaction_id, expected_sequence }
}

fn closed(until: &str) -> BookEvent {
    BookEvent::PeriodClosed(PeriodClosed { until: date(until) })
}

#[test]
fn a_period_is_closed_opened_again_and_closed_again() {
    let book = folded([opened(), closed("2026-09-30")]);
    for (day, is) in [("2026-09-30", true), ("2020-01-01", true), ("2026-10-01", false)] {
        assert_eq!(book.is_closed(date(day)), is, "{day}");
    }
    TestFramework::<Book>::with(())
        .given(vec![opened(), closed("2026-09-30")])
        .when(close("2026-10-31"))
        .then_expect_events(vec![closed("2026-10-31")]);
    let reopened = BookEvent::PeriodReopened(PeriodReopened {
        from: date("2026-09-01"),
        reason: "late_invoice".parse().unwrap(),
    });
    TestFramework::<Book>::with(())
        .given(vec![opened(), closed("2026-10-31")])
        .when(reopen("2026-09-01"))
        .then_expect_events(vec![reopened.clone()]);
    let again = folded([opened(), closed("2026-10-31"), reopened, closed("2026-09-30")]);
    assert_eq!(again.closed_until(), Some(date("2026-09-30")));
    let bytes = serde_json::to_vec(&again).unwrap();
    assert_eq!(serde_json::from_slice::<Book>(&bytes).unwrap(), again);
}

#[test]
fn a_year_is_closed_where_it_is_closed_and_as_it_was_summed() {
    let BookCommand::CloseYear { until, transaction_id, .. } = year("2026-03-31", 2) else {
        panic!("another command");
    };
    TestFramework::<Book>::with(())
        .given(vec![opened(), closed("2026-10-31")])
        .when(year("2026-03-31", 2))
        .then_expect_events(vec![BookEvent::YearClosed(YearClosed { until, transaction_id })]);
}

type Refusal = (Vec<BookEvent>, BookCommand, BookError);

fn refusals() -> Vec<Refusal> {
    let with_inr = vec![opened(), BookEvent::CurrencyAdded(currency("INR"))];
    vec![
        (vec![], add("INR", 2), BookError::NotOpen),
        (vec![opened()], open(), BookError::AlreadyOpen),
        (vec![opened()], add("XTS", SCALE_MAX + 1), BookError::Scale),
        (with_inr.clone(), add("INR", 2), BookError::CurrencyExists),
        (vec![], define("small", "INR", None), BookError::NotOpen),
        (vec![opened()], define("small", "INR", None), BookError::CurrencyUnknown),
        (with_small(), define("small", "JPY", None), BookError::TierCurrency),
        (
            with_small(),
            define("small", "INR", Some(0)),
            BookError::TierVersion { expected: 0, actual: 1 },
        ),
        (with_many_tiers(), define("small", "INR", None), BookError::TooManyTiers),
        (vec![], rotate(1, 2), BookError::NotOpen),
        (vec![opened()], rotate(1, 1), BookError::CheckpointKey),
        (
            vec![opened(), BookEvent::CheckpointKeyRotated(Box::new(rotated(1, 2)))],
            rotate(1, 3),
            BookError::CheckpointKey,
        ),
        // A scale never changes.
        (with_inr, add("INR", 3), BookError::CurrencyExists),
    ]
}

fn refusals_of_periods() -> Vec<Refusal> {
    let with_closed = vec![opened(), closed("2026-09-30")];
    let with_year = vec![
        opened(),
        closed("2026-09-30"),
        BookEvent::YearClosed(YearClosed {
            until: date("2026-03-31"),
            transaction_id: TransactionId::from_uuid(uuid::Uuid::from_u128(7)),
        }),
    ];
    vec![
        (vec![], close("2026-10-31"), BookError::NotOpen),
        (vec![], reopen("2026-10-01"), BookError::NotOpen),
        (vec![], year("2026-03-31", 0), BookError::NotOpen),
        (vec![opened()], close("2026-10-30"), BookError::PeriodNotMonths),
        (vec![opened()], reopen("2026-10-02"), BookError::PeriodNotMonths),
        (vec![opened()], year("2026-03-30", 1), BookError::PeriodNotMonths),
        (vec![opened()], close("2026-11-30"), BookError::PeriodNotOver),
        (with_closed.clone(), close("2026-09-30"), BookError::PeriodClosedAlready),
        (with_closed.clone(), close("2026-08-31"), BookError::PeriodClosedAlready),
        (with_closed.clone(), reopen("2026-10-01"), BookError::PeriodNotClosed),
        (with_closed.clone(), year("2026-10-31", 2), BookError::PeriodNotClosed),
        (with_year, year("2026-02-28", 3), BookError::YearClosedLater),
        (with_closed, year("2026-03-31", 1), BookError::BookChanged { expected: 1, actual: 2 }),
    ]
}

fn refusals_of_terms() -> Vec<Refusal> {
    let define = |fee_bps, expected_version| {
        let (tax_bps, debt_limit) = (1_800, 0);
        BookCommand::DefineTerms(DefineTerms { fee_bps, tax_bps, debt_limit, expected_version })
    };
    let last = ShopTerms { version: terms::VERSIONS_MAX, ..ShopTerms::FIRST };
    let differs = BookError::TermsVersion { expected: 7, actual: 1 };
    vec![
        (vec![], define(20_000, Some(7)), BookError::NotOpen),
        (vec![opened()], define(20_000, Some(7)), differs),
        (vec![opened()], define(10_001, Some(1)), BookError::TermsUnsound),
        (vec![opened(), BookEvent::TermsDefined(last)], define(1, None), BookError::TooManyTerms),
    ]
}

fn refusals_of_fees() -> Vec<Refusal> {
    let define = |fee: Money, tax_bps, from: i64, expected_version| {
        let (service, effective_from) = (Service::Transfer, Some(minute(from)));
        let define = DefineFee { service, fee, tax_bps, effective_from, expected_version };
        BookCommand::DefineFee(Box::new(define), minute(5))
    };
    let minus = Money::from_decimal(dec("-1.00"), currency("INR")).unwrap();
    let last = BookEvent::FeeDefined(ServiceFee {
        version: terms::VERSIONS_MAX,
        ..ServiceFee::first(Service::Transfer, currency("INR")).unwrap()
    });
    let with = || vec![opened(), BookEvent::CurrencyAdded(currency("INR"))];
    let differs = BookError::FeeVersion { expected: 7, actual: 1 };
    vec![
        (vec![], define(minus, 1_800, 4, Some(7)), BookError::NotOpen),
        (vec![opened()], define(minus, 1_800, 4, Some(7)), BookError::CurrencyUnknown),
        (with(), define(minus, 1_800, 4, Some(7)), differs),
        (with(), define(minus, 1_800, 4, Some(1)), BookError::FeeUnsound),
        (with(), define(inr("1"), 10_001, 4, None), BookError::FeeUnsound),
        (with(), define(inr("1"), 1_800, 4, None), BookError::FeeInThePast),
        ([with(), vec![last]].concat(), define(inr("1"), 0, 5, None), BookError::TooManyFees),
    ]
}

#[test]
fn every_refusal_happens() {
    let rows = refusals().into_iter().chain(refusals_of_periods()).chain(refusals_of_terms());
    let rows = rows.chain(refusals_of_fees());
    let rows: Vec<Refusal> = rows.collect();
    for (given, when, then) in rows.clone() {
        TestFramework::<Book>::with(()).given(given).when(when).then_expect_error(then);
    }
    let seen: Vec<BookError> = rows.into_iter().map(|(_, _, error)| error).collect();
    assert_every_variant!(
        BookError,
        seen,
        BookError::NotOpen,
        BookError::AlreadyOpen,
        BookError::Scale,
        BookError::CurrencyExists,
        BookError::CurrencyUnknown,
        BookError::TierCurrency,
        BookError::TierVersion { .. },
        BookError::TooManyTiers,
        BookError::CheckpointKey,
        BookError::PeriodNotMonths,
        BookError::PeriodNotOver,
        BookError::PeriodClosedAlready,
        BookError::PeriodNotClosed,
        BookError::YearClosedLater,
        BookError::BookChanged { .. },
        BookError::TermsVersion { .. },
        BookError::TermsUnsound,
        BookError::TooManyTerms,
        BookError::FeeVersion { .. },
        BookError::FeeUnsound,
        BookError::FeeInThePast,
        BookError::TooManyFees,
    );
    let codes: std::collections::BTreeSet<&str> = seen.iter().map(|error| error.code()).collect();
    let expected = [
        "book_already_open",
        "book_changed",
        "book_not_open",
        "checkpoint_key_differs",
        "currency_exists",
        "currency_scale",
        "currency_unknown",
        "fee_in_the_past",
        "fee_unsound",
        "fee_version",
        "period_closed_already",
        "period_not_closed",
        "period_not_months",
        "period_not_over",
        "terms_unsound",
        "terms_version",
        "tier_currency",
        "tier_version",
        "too_many_fees",
        "too_many_terms",
        "too_many_tiers",
        "year_closed_later",
    ];
    assert_eq!(codes.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn the_book_opens_once_and_takes_currencies_up_to_the_largest_scale() {
    TestFramework::<Book>::with(())
        .given_no_previous_events()
        .when(open())
        .then_expect_events(vec![opened()]);
    let ether = Currency { code: "ETH".parse().unwrap(), scale: SCALE_MAX };
    TestFramework::<Book>::with(())
        .given(vec![opened()])
        .when(BookCommand::AddCurrency(ether))
        .then_expect_events(vec![BookEvent::CurrencyAdded(ether)]);
}

#[test]
fn a_day_is_a_day_of_the_books_time_zone() {
    let book = folded([opened()]);
    // 18:29 UTC is 23:59 in Kolkata; two minutes later it is the next day there.
    let (before, after) = (minute(6 * 60 + 29), minute(6 * 60 + 31));
    assert_eq!(book.day(before).to_string(), "2026-11-22");
    assert_eq!(book.day(after).to_string(), "2026-11-23");
    assert_eq!(Book::default().day(after).to_string(), "2026-11-22");
}

#[test]
fn a_snapshot_is_the_book() {
    let events = [opened(), BookEvent::CurrencyAdded(currency("INR"))];
    let mut book = folded(events);
    let bytes = serde_json::to_vec(&book).unwrap();
    let mut restored: Book = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(restored, book);
    let more = BookEvent::CurrencyAdded(currency("KWD"));
    book.apply(more.clone());
    restored.apply(more);
    assert_eq!((&restored, restored.sequence()), (&book, 3));
    let codes: Vec<String> = book.currencies().map(|c| c.code.to_string()).collect();
    assert_eq!(codes, ["INR", "KWD"]);
    assert_eq!(book.currency("KWD".parse().unwrap()), Some(currency("KWD")));
    assert_eq!(book.currency("USD".parse().unwrap()), None);
}
