//! Money as this bank counts it: whole paise.
//!
//! On the wire an amount is `{"value": "5000.13", "currency": "INR"}`. The parser is strict and its
//! own: it must not share a mistake with the ledger's.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The only currency of this bank.
pub const CURRENCY: &str = "INR";
/// The most rupees of one amount, in digits. Sums of millions of such amounts fit into an `i64`.
const RUPEE_DIGITS_MAX: usize = 10;

/// What can be wrong with an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a plain decimal number.
    #[error("an amount is a plain decimal string such as \"5000.13\"")]
    Malformed,
    /// More decimals than paise.
    #[error("an amount in INR has at most two decimals")]
    Scale,
    /// Too large for any rail.
    #[error("the amount is too large")]
    TooLarge,
    /// Nothing to pay.
    #[error("the amount must be above zero")]
    Zero,
    /// Another currency.
    #[error("the currency must be INR")]
    Currency,
}

/// An amount above zero, in paise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i64);

impl Amount {
    /// One rupee.
    pub const RUPEE: Self = Self(100);

    /// So many paise, if that is an amount.
    pub const fn from_paise(paise: i64) -> Option<Self> {
        if paise > 0 { Some(Self(paise)) } else { None }
    }

    /// Reads `5000`, `5000.1` or `5000.13`.
    ///
    /// # Errors
    /// [`MoneyError`] for everything else.
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        let (rupees, decimals) = text.split_once('.').unwrap_or((text, "00"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(rupees) || !digits(decimals) || (rupees.len() > 1 && rupees.starts_with('0')) {
            return Err(MoneyError::Malformed);
        }
        if decimals.len() > 2 {
            return Err(MoneyError::Scale);
        }
        if rupees.len() > RUPEE_DIGITS_MAX {
            return Err(MoneyError::TooLarge);
        }
        let paise = format!("{rupees}{decimals:0<2}");
        let paise = paise.parse().map_err(|_| MoneyError::TooLarge)?;
        Self::from_paise(paise).ok_or(MoneyError::Zero)
    }

    /// In paise.
    pub const fn paise(self) -> i64 {
        self.0
    }

    /// The part behind the point.
    pub const fn hundredths(self) -> i64 {
        self.0 % 100
    }

    /// One rupee more: what a wrong message says.
    pub const fn and_a_rupee(self) -> Self {
        Self(self.0.saturating_add(100))
    }
}

/// Signed paise as text: `-12.05`.
pub fn text(paise: i64) -> String {
    let sign = if paise < 0 { "-" } else { "" };
    let size = paise.unsigned_abs();
    format!("{sign}{}.{:02}", size / 100, size % 100)
}

/// Signed paise as they stand on the wire.
pub fn wire(paise: i64) -> serde_json::Value {
    serde_json::json!({ "value": text(paise), "currency": CURRENCY })
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text(self.0))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    value: String,
    currency: String,
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Wire { value: self.to_string(), currency: CURRENCY.to_owned() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        if wire.currency != CURRENCY {
            return Err(serde::de::Error::custom(MoneyError::Currency));
        }
        Self::parse(&wire.value).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_strictly_and_written_in_full() {
        for (text, paise) in [("5000", 500_000), ("5000.1", 500_010), ("0.01", 1), ("7.13", 713)] {
            assert_eq!(Amount::parse(text).map(Amount::paise), Ok(paise), "{text}");
        }
        assert_eq!(Amount::parse("5000.1").map(|a| a.to_string()), Ok("5000.10".to_owned()));
        assert_eq!(text(-5), "-0.05");
        assert_eq!(text(i64::MIN), "-92233720368547758.08");
    }

    #[test]
    fn what_is_no_amount_is_refused_for_its_reason() {
        let malformed =
            ["", "-1", "+1", "1.", ".1", "1e3", "1_000", "1,000", "00", "01", "0x1", " 1", "NaN"];
        for text in malformed {
            assert_eq!(Amount::parse(text), Err(MoneyError::Malformed), "{text}");
        }
        assert_eq!(Amount::parse("1.234"), Err(MoneyError::Scale));
        assert_eq!(Amount::parse("0.00"), Err(MoneyError::Zero));
        assert_eq!(Amount::parse("12345678901"), Err(MoneyError::TooLarge));
        for wire in [r#"{"value":1,"currency":"INR"}"#, r#"{"value":"1","currency":"USD"}"#] {
            assert!(serde_json::from_str::<Amount>(wire).is_err(), "{wire}");
        }
    }
}
