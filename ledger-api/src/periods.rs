//! Closing a year: the transaction that moves what was earned into equity.
//!
//! Its amounts are sums over days that are closed, so nobody can add to them; it is for the book as
//! it was when they were taken, so that a period which was opened since makes it void.

use chrono::{Datelike, NaiveDate};
use ledger_core::{
    book::{Book, CloseYear},
    chart::Direction,
    ids::{AccountCode, AccountId, IdError, TransactionId},
    money::{Currency, Money, MoneyError},
    posting::{Kind, Posting, PostingLeg},
};
use projections::{Earned, ReadError, ReadModels};
use rust_decimal::Decimal;

/// Where the results of years lie.
const RETAINED: &str = "equity:retained";
/// The month and day that a year ends with, unless somebody says otherwise: India's.
pub const YEAR_ENDS: (u32, u32) = (3, 31);

/// Why a year's close cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum YearError {
    /// What was earned could not be read.
    #[error("what was earned cannot be read")]
    Read(#[from] ReadError),
    /// A sum does not fit.
    #[error("the sum of what was earned does not fit")]
    Amount(#[from] MoneyError),
    /// Never: the account's code is a constant.
    #[error("the account of results has no code")]
    Code(#[from] IdError),
}

/// The last end of a year, by month and day, that is closed.
pub fn last_closed_year(book: &Book, (month, day): (u32, u32)) -> Option<NaiveDate> {
    let until = book.closed_until()?;
    let ends = |year| NaiveDate::from_ymd_opt(year, month, day).filter(|end| *end <= until);
    ends(until.year()).or_else(|| ends(until.year() - 1))
}

/// What closes the year that ends with `until`, for a book at `sequence`. The read models must have
/// come to where the book was.
///
/// # Errors
/// [`YearError`] if what was earned cannot be read or summed.
pub async fn close_year(
    models: &ReadModels,
    sequence: u64,
    until: NaiveDate,
    transaction_id: TransactionId,
) -> Result<CloseYear, YearError> {
    let earned = models.earned_until(until).await?.value;
    let posting = Posting {
        transaction_id,
        kind: Kind::YEAR_CLOSE.parse()?,
        legs: legs(&earned)?,
        effective_on: Some(until),
        value_date: None,
        conditions: Vec::new(),
        note: None,
    };
    Ok(CloseYear { until, posting, expected_sequence: sequence })
}

/// The opposite of what each account has, and what that comes to, by currency.
fn legs(earned: &[Earned]) -> Result<Vec<PostingLeg>, YearError> {
    let code: AccountCode = RETAINED.parse()?;
    let mut legs = Vec::new();
    let mut currencies: Vec<Currency> = earned.iter().map(|one| one.currency).collect();
    currencies.sort_unstable_by_key(|currency| currency.code);
    currencies.dedup();
    for currency in currencies {
        let mut sum = Decimal::ZERO;
        for one in earned.iter().filter(|one| one.currency == currency) {
            sum = sum.checked_add(one.net_debits).ok_or(MoneyError::Overflow)?;
            legs.extend(leg(one.account.clone(), -one.net_debits, currency)?);
        }
        legs.extend(leg(AccountId::new(&code, currency.code), sum, currency)?);
    }
    Ok(legs)
}

/// So much on the debit side, or on the other one if it is below zero.
fn leg(
    account: AccountId,
    debits: Decimal,
    currency: Currency,
) -> Result<Option<PostingLeg>, MoneyError> {
    if debits.is_zero() {
        return Ok(None);
    }
    let direction = if debits.is_sign_negative() { Direction::Credit } else { Direction::Debit };
    let amount = Money::from_decimal(debits.abs(), currency)?;
    Ok(Some(PostingLeg { account, direction, amount, item: None }))
}

#[cfg(test)]
mod tests {
    use ledger_core::chart::AccountType;

    use super::*;

    fn earned(account: &str, account_type: AccountType, net_debits: &str, scale: u8) -> Earned {
        let account: AccountId = account.parse().unwrap();
        let currency = Currency { code: account.currency().unwrap(), scale };
        Earned { account, account_type, currency, net_debits: net_debits.parse().unwrap() }
    }

    #[test]
    fn a_close_moves_every_account_to_zero_and_balances_in_each_currency() {
        let legs = legs(&[
            earned("expense:bank_charges:INR", AccountType::Expense, "20.00", 2),
            earned("income:fees:INR", AccountType::Income, "-120.50", 2),
            earned("income:fees:JPY", AccountType::Income, "-7", 0),
        ]);
        let told: Vec<_> = legs
            .unwrap()
            .iter()
            .map(|leg| format!("{:?} {} {}", leg.direction, leg.account, leg.amount.amount()))
            .collect();
        let expected = [
            "Credit expense:bank_charges:INR 20.00",
            "Debit income:fees:INR 120.50",
            "Credit equity:retained:INR 100.50",
            "Debit income:fees:JPY 7",
            "Credit equity:retained:JPY 7",
        ];
        assert_eq!(told, expected);
    }
}
