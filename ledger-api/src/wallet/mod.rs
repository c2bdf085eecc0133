//! The wallet as people see it: one place for what the API and the pages both do, so that a page
//! and a program of the same person can never be told different things.
//!
//! Knows whose wallet it is about and nothing of how its owner proved who they are. Reads from the
//! read models and writes by the same commands as everybody; no rule about money stands here.

mod balances;
mod detail;
mod history;
mod steps;
mod ways;
mod words;

use ledger_core::money::{Currency, Money, MoneyError};
use rust_decimal::Decimal;

pub use balances::Balances;
pub(crate) use balances::balances;
pub(crate) use detail::detail;
pub use detail::{Detail, Entry, EntryLeg, Step};
pub use history::{History, HistoryDay};
pub(crate) use history::{SPANS, history};
pub(crate) use ways::{Way, bank_or_usual};

/// An amount of the read models: the database keeps a zero, and sums of nothing, without decimals.
fn money(mut amount: Decimal, currency: Currency) -> Result<Money, MoneyError> {
    let scale = u32::from(currency.scale);
    if amount.scale() < scale {
        amount.rescale(scale);
    }
    Money::from_decimal(amount, currency)
}
