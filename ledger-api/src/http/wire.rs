//! Types of the wire that several resources share: money in and out, words, and the lookup of
//! currencies.

use std::borrow::Cow;

use ledger_core::{
    book::Book,
    money::{CurrencyCode, Money, MoneyError},
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct as _};
use utoipa::ToSchema;

use super::{ApiState, Problem, codes};

/// The most characters a note may have.
pub(crate) const NOTE_CHARS_MAX: usize = 200;

/// Money in an answer: `{"value": "5000.00", "currency": "INR"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Money, example = json!({"value": "5000.00", "currency": "INR"}))]
pub struct Amount {
    /// The amount at the currency's scale, as a decimal string.
    #[schema(value_type = String, example = "5000.00")]
    value: Decimal,
    /// The currency's code.
    #[schema(value_type = String, example = "INR")]
    currency: CurrencyCode,
}

impl Amount {
    /// An amount that is at its currency's scale already.
    pub fn new(value: Decimal, currency: CurrencyCode) -> Self {
        Self { value, currency }
    }

    /// The amount.
    pub(crate) const fn value(&self) -> Decimal {
        self.value
    }
}

impl From<Money> for Amount {
    fn from(money: Money) -> Self {
        Self::new(money.amount(), money.currency().code)
    }
}

/// Money in a request. A number where the string belongs is refused.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MoneyInput, example = json!({"value": "5000.00", "currency": "INR"}))]
pub(crate) struct MoneyIn {
    /// A plain decimal number in a string, at most as many decimals as the currency has.
    #[schema(example = "5000.00")]
    value: String,
    /// The currency's code.
    #[schema(example = "INR")]
    currency: String,
}

impl MoneyIn {
    /// The amount in the book's currency; zero or more.
    pub(crate) fn resolve(&self, book: &Book, pointer: &str) -> Result<Money, Problem> {
        self.parse(book, pointer, Money::parse)
    }

    /// The amount in the book's currency; below zero too.
    pub(crate) fn resolve_signed(&self, book: &Book, pointer: &str) -> Result<Money, Problem> {
        self.parse(book, pointer, Money::parse_signed)
    }

    /// The amount, which must be above zero.
    pub(crate) fn resolve_positive(&self, book: &Book, pointer: &str) -> Result<Money, Problem> {
        let money = self.resolve(book, pointer)?;
        if money.is_positive() {
            return Ok(money);
        }
        Err(Problem::field(
            codes::AMOUNT_NOT_POSITIVE,
            format!("{pointer}/value"),
            "The amount must be above zero.",
        ))
    }

    fn parse(
        &self,
        book: &Book,
        pointer: &str,
        parser: fn(&str, ledger_core::money::Currency) -> Result<Money, MoneyError>,
    ) -> Result<Money, Problem> {
        let unknown = || {
            Problem::field(
                codes::CURRENCY_UNKNOWN,
                format!("{pointer}/currency"),
                "The book does not have this currency.",
            )
        };
        let code: CurrencyCode = self.currency.parse().map_err(|_| unknown())?;
        let currency = book.currency(code).ok_or_else(unknown)?;
        parser(&self.value, currency).map_err(|error| money_problem(error, pointer))
    }
}

/// Canonical: `5`, `5.0` and `5.00` are one amount, so they make one fingerprint.
impl Serialize for MoneyIn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = match self.value.split_once('.') {
            Some((whole, fraction)) => match fraction.trim_end_matches('0') {
                "" => Cow::Borrowed(whole),
                rest => Cow::Owned(format!("{whole}.{rest}")),
            },
            None => Cow::Borrowed(self.value.as_str()),
        };
        let mut wire = serializer.serialize_struct("Money", 2)?;
        wire.serialize_field("value", &value)?;
        wire.serialize_field("currency", &self.currency)?;
        wire.end()
    }
}

fn money_problem(error: MoneyError, pointer: &str) -> Problem {
    let code = match error {
        MoneyError::Malformed => codes::AMOUNT_MALFORMED,
        MoneyError::Scale => codes::AMOUNT_SCALE,
        MoneyError::Overflow => codes::AMOUNT_OVERFLOW,
        MoneyError::CurrencyMismatch => codes::CURRENCY_MISMATCH,
        MoneyError::CurrencyCode => codes::CURRENCY_UNKNOWN,
    };
    Problem::field(code, format!("{pointer}/value"), format!("{error}."))
}

/// Runs a parser against the book; if it misses a currency, once more with the book as it is now,
/// since another process may have added it.
pub(crate) async fn with_book<T>(
    state: &ApiState,
    parse: impl Fn(&Book) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let book = state.ledger.status().borrow().book.clone();
    match parse(&book) {
        Err(problem) if problem.code() == codes::CURRENCY_UNKNOWN.name => {
            state.ledger.refresh().await?;
            let book = state.ledger.status().borrow().book.clone();
            parse(&book)
        }
        done => done,
    }
}

/// Checks words that people wrote: a bounded number of characters, none of them a control
/// character (so no NUL, which PostgreSQL's text cannot hold, and no line of its own in a log).
pub(crate) fn check_words(text: &str, chars_max: usize, pointer: &str) -> Result<(), Problem> {
    if text.chars().count() > chars_max {
        let detail = format!("At most {chars_max} characters.");
        return Err(Problem::field(codes::INVALID, pointer, detail));
    }
    if text.chars().any(char::is_control) {
        let detail = "No control characters.";
        return Err(Problem::field(codes::INVALID, pointer, detail));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(value: &str) -> MoneyIn {
        MoneyIn { value: value.to_owned(), currency: "INR".to_owned() }
    }

    #[test]
    fn case_24_one_amount_has_one_canonical_form() {
        let canonical = |value: &str| serde_json::to_string(&money(value)).unwrap();
        assert_eq!(canonical("5"), r#"{"value":"5","currency":"INR"}"#);
        assert_eq!(canonical("5.00"), canonical("5"));
        assert_eq!(canonical("5.10"), canonical("5.1"));
        assert_ne!(canonical("50"), canonical("5"));
        assert_ne!(canonical("5.01"), canonical("5.1"));
    }

    #[test]
    fn case_70_control_characters_and_long_words_are_refused() {
        assert!(check_words("Rent for November 🏠", 200, "/note").is_ok());
        for bad in ["a\0b", "a\nb", "a\u{1b}[31m", "\u{85}"] {
            assert!(check_words(bad, 200, "/note").is_err(), "{bad:?}");
        }
        assert!(check_words(&"é".repeat(200), 200, "/note").is_ok());
        assert!(check_words(&"é".repeat(201), 200, "/note").is_err());
    }
}
