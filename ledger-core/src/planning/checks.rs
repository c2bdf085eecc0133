//! What is checked of a command's parts before any aggregate is asked.

use rust_decimal::Decimal;

use crate::{
    command::Rejection,
    hold::HoldError,
    ids::{AccountId, Reference, TransactionId},
    money::{AMOUNT_DIGITS_MAX, Currency, MoneyError},
    posting::PostingError,
};

/// The most characters of a note.
const NOTE_CHARS_MAX: usize = 200;

/// An amount in another currency than the account it is meant for.
pub(super) fn other_currency(account: &AccountId) -> Rejection {
    let text = "the amount is in another currency than the account";
    Rejection::new(MoneyError::CurrencyMismatch.code(), text).of(account)
}

/// Limits stand in events, so they must be at exactly the currency's scale, as all amounts are.
pub(super) fn limits(currency: Currency, limits: &[Option<Decimal>]) -> Result<(), Rejection> {
    let digits = |limit: &Decimal| limit.mantissa().unsigned_abs().to_string().len();
    for limit in limits.iter().flatten() {
        let error = if limit.scale() != u32::from(currency.scale) {
            MoneyError::Scale
        } else if digits(limit) > AMOUNT_DIGITS_MAX {
            MoneyError::Overflow
        } else {
            continue;
        };
        return Err(Rejection::new(error.code(), "a limit is not an amount of the currency"));
    }
    Ok(())
}

/// Words to keep beside the log. A control character is refused: PostgreSQL's text cannot hold a
/// NUL, and a batch that brought one would be refused with everybody else's commands in it.
pub(super) fn note(
    transaction: TransactionId,
    note: Option<&str>,
) -> Result<Option<(TransactionId, String)>, Rejection> {
    let Some(note) = note else { return Ok(None) };
    if note.chars().count() > NOTE_CHARS_MAX || note.chars().any(char::is_control) {
        let text = format!("a note is at most {NOTE_CHARS_MAX} characters, none a control one");
        return Err(Rejection::new("note_invalid", &text));
    }
    Ok(Some((transaction, note.to_owned())))
}

/// An id as a reference.
pub(super) fn reference(id: &impl ToString) -> Result<Reference, Rejection> {
    id.to_string().parse().map_err(|_| Rejection::new("malformed", "the id is no reference"))
}

impl From<PostingError> for Rejection {
    fn from(error: PostingError) -> Self {
        Self::new(error.code(), &error.to_string())
    }
}

impl From<HoldError> for Rejection {
    fn from(error: HoldError) -> Self {
        Self::new(error.code(), &error.to_string())
    }
}
