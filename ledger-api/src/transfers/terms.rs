//! What a transfer costs. One flat fee per currency, its tax in it; currencies that are not in the
//! table cost nothing. Money between people is free, so none is; the accounts of a fee must be open
//! before one is.

use ledger_core::{
    money::{Money, MoneyError},
    withdrawal::quote::{BasisPoints, Quote, quote},
};

/// The fees, tax included.
const FEES: [(&str, &str); 0] = [];
/// GST, 18 %.
const TAX: BasisPoints = BasisPoints(1_800);

/// The price of sending `amount`.
pub(crate) fn price(amount: Money) -> Result<Quote, MoneyError> {
    let currency = amount.currency();
    let fee = FEES.iter().find(|(code, _)| *code == currency.code.as_str());
    let fee = match fee {
        Some((_, fee)) => Money::parse(fee, currency)?,
        None => Money::zero(currency),
    };
    quote(amount, fee, TAX)
}
