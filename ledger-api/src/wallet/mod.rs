//! The wallet as people see it: one place for what the API and the pages both do, so that a page
//! and a program of the same person can never be told different things.
//!
//! Knows whose wallet it is about and nothing of how its owner proved who they are. Reads from the
//! read models and writes by the same commands as everybody; no rule about money stands here.

mod activity;
mod balances;
mod commands;
mod csv;
mod detail;
mod history;
mod limits;
mod others;
mod pauses;
mod pdf;
mod search;
mod sending;
mod statement;
mod steps;
mod ways;
mod words;

use ledger_core::{
    ids::AccountId,
    money::{Currency, Money, MoneyError},
};
use rust_decimal::Decimal;

use crate::people::PersonId;

pub use activity::{Activity, ActivityItem};
pub(crate) use activity::{activity, changes};
pub use balances::Balances;
pub(crate) use balances::balances;
pub(crate) use commands::{
    Quoted, Typed, Withdraw, add_bank_account, add_money, cancel_deposit, cancel_withdrawal,
    erase_bank_account, quote, verify_bank_account, withdraw,
};
pub(crate) use csv::csv;
pub(crate) use detail::detail;
pub use detail::{Detail, Entry, EntryLeg, Step};
pub use history::{History, HistoryDay};
pub(crate) use history::{SPANS, history};
pub(crate) use limits::{LimitLeft, limit_left, limits_left};
pub use pauses::Pauses;
pub(crate) use pdf::{Sheet, paper, pdf, shortened};
pub(crate) use search::search;
pub(crate) use sending::{Sending, Sends, about_seconds, sending};
pub(crate) use statement::{
    AT_ONCE_LINES_MAX, PREPARED_LINES_MAX, long_statement, statement, statement_start,
};
pub use statement::{Line, Period, Statement};
pub(crate) use ways::{Way, bank_or_usual};
pub(crate) use words::next;

/// Whose wallet an account is, if it is a person's.
pub(crate) fn person_of(account: &AccountId) -> Option<PersonId> {
    let (code, _) = account.as_str().rsplit_once(':')?;
    let person: PersonId = format!("usr_{}", code.strip_prefix("wallet:")?).parse().ok()?;
    person.has(account).then_some(person)
}

/// An amount of the read models: the database keeps a zero, and sums of nothing, without decimals.
pub(crate) fn money(mut amount: Decimal, currency: Currency) -> Result<Money, MoneyError> {
    let scale = u32::from(currency.scale);
    if amount.scale() < scale {
        amount.rescale(scale);
    }
    Money::from_decimal(amount, currency)
}
