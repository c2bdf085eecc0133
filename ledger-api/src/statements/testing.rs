//! What the tests of the parsers have in common.

use ledger_core::{
    ids::Reference,
    money::{Currency, CurrencyCode},
};

use super::ParsedLine;

pub(super) const NUMBERS: &str = "escrow=501000123456;own=501000999";

pub(super) fn inr(code: CurrencyCode) -> Option<Currency> {
    (code.as_str() == "INR").then_some(Currency { code, scale: 2 })
}

/// A line in one.
pub(super) fn shown(line: &ParsedLine) -> String {
    let or_none = |reference: &Option<Reference>| {
        reference.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string)
    };
    let (utr, reference) = (or_none(&line.utr), or_none(&line.reference));
    format!(
        "{} {} {} {} {} {utr} {reference} {}",
        line.bank_transaction_id,
        line.booking_date,
        line.value_date,
        line.direction.as_str(),
        line.amount,
        line.narration
    )
}
