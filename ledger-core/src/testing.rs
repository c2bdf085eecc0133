//! What the unit tests of the aggregates share: short names for values, and a check that a table
//! of refusals leaves no variant of an error out.

use chrono::{DateTime, NaiveDate, TimeDelta};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{
    clock::Timestamp,
    ids::{
        AccountId, DepositId, HoldId, PaymentId, PaymentRequestId, RefundId, SettlementId,
        TransactionId, TransferId, WithdrawalId,
    },
    money::{Currency, Money},
    payment::Terms,
};

/// Fails if a value of `$seen` is missing for one of the patterns; does not compile if a variant
/// of the error is missing from the patterns.
macro_rules! assert_every_variant {
    ($error:ty, $seen:expr, $($pattern:pat_param),+ $(,)?) => {{
        fn listed(error: &$error) -> bool {
            match error { $($pattern)|+ => true }
        }
        let seen = &$seen;
        assert!(seen.iter().all(listed));
        let mut missing = Vec::new();
        $(if !seen.iter().any(|error| matches!(error, $pattern)) {
            missing.push(stringify!($pattern));
        })+
        assert!(missing.is_empty(), "no test refuses with {missing:?}");
    }};
}
pub(crate) use assert_every_variant;

/// A decimal, at the scale it is written with.
pub(crate) fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// A currency of two decimals, or of as many as its usual name has.
pub(crate) fn currency(code: &str) -> Currency {
    let scale = match code {
        "JPY" => 0,
        "KWD" => 3,
        "BTC" => 8,
        _ => 2,
    };
    Currency { code: code.parse().unwrap(), scale }
}

/// Rupees.
pub(crate) fn inr(text: &str) -> Money {
    Money::parse(text, currency("INR")).unwrap()
}

/// An account's id.
pub(crate) fn account(text: &str) -> AccountId {
    text.parse().unwrap()
}

/// The transaction of a number.
pub(crate) fn txn(number: u128) -> TransactionId {
    TransactionId::from_uuid(Uuid::from_u128(number))
}

/// The hold of a number.
pub(crate) fn hold(number: u128) -> HoldId {
    HoldId::from_uuid(Uuid::from_u128(number))
}

/// A moment, so many minutes after the tests' noon.
pub(crate) fn minute(minute: i64) -> Timestamp {
    let noon = DateTime::from_timestamp(1_795_348_800, 0).unwrap();
    noon.checked_add_signed(TimeDelta::minutes(minute)).unwrap()
}

/// The tests' day.
pub(crate) fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 22).unwrap()
}

/// The withdrawal of a number.
pub(crate) fn withdrawal(number: u128) -> WithdrawalId {
    WithdrawalId::from_uuid(Uuid::from_u128(number))
}

/// The deposit of a number, made at random as far as anybody can see.
pub(crate) fn deposit(number: u128) -> DepositId {
    DepositId::from_uuid(Uuid::from_u128(number))
}

/// The transfer of a number.
pub(crate) fn transfer(number: u128) -> TransferId {
    TransferId::from_uuid(Uuid::from_u128(number))
}

/// The payment of a number.
pub(crate) fn payment(number: u128) -> PaymentId {
    PaymentId::from_uuid(Uuid::from_u128(number))
}

/// The payment request of a number.
pub(crate) fn request(number: u128) -> PaymentRequestId {
    PaymentRequestId::from_uuid(Uuid::from_u128(number))
}

/// The refund of a number.
pub(crate) fn refund(number: u128) -> RefundId {
    RefundId::from_uuid(Uuid::from_u128(number))
}

/// The settlement of a number.
pub(crate) fn settlement(number: u128) -> SettlementId {
    SettlementId::from_uuid(Uuid::from_u128(number))
}

/// Two percent with a tax of eighteen in it.
pub(crate) fn terms() -> Terms {
    Terms { version: 1, fee_bps: 200, tax_bps: 1800 }
}
