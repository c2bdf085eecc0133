//! Money: an exact decimal amount in a currency of fixed scale.
//!
//! Amounts are [`rust_decimal::Decimal`], always held at exactly the currency's scale, so that two
//! equal amounts are equal bytes wherever they are written. The parser is our own: the library's
//! accepts `1e3`, `1_000`, `+1.00` and `.5`, and rounds silently past 28 digits. Arithmetic is
//! checked; there is no operator that could overflow or mix currencies.

use std::{fmt, str::FromStr};

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The most digits an amount may have, in minor units. Two such amounts add without overflow.
pub const AMOUNT_DIGITS_MAX: usize = 26;
/// The largest scale a currency may have (ether has 18).
pub const SCALE_MAX: u8 = 18;

const CODE_LEN_MAX: usize = 8;

/// What can be wrong with an amount or a currency, in order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The text is not a plain decimal number.
    #[error("the amount must be a plain decimal number such as \"12.50\"")]
    Malformed,
    /// The amount has more decimals than its currency.
    #[error("the amount has more decimals than its currency allows")]
    Scale,
    /// The amount does not fit, or a sum of amounts does not.
    #[error("the amount is too large")]
    Overflow,
    /// Two amounts of different currencies met.
    #[error("the amounts are of different currencies")]
    CurrencyMismatch,
    /// The currency code is not 3 to 8 upper-case letters or digits.
    #[error("a currency code is 3 to 8 upper-case letters or digits")]
    CurrencyCode,
}

impl MoneyError {
    /// The stable code of this error on the wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "amount_malformed",
            Self::Scale => "amount_scale",
            Self::Overflow => "amount_overflow",
            Self::CurrencyMismatch => "currency_mismatch",
            Self::CurrencyCode => "currency_unknown",
        }
    }
}

/// A currency's code: 3 to 8 upper-case ASCII letters or digits, the first a letter.
///
/// ISO 4217 where it has one (`INR`), the market's usual name where it has none (`USDT`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CurrencyCode {
    bytes: [u8; CODE_LEN_MAX],
    len: u8,
}

impl CurrencyCode {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        let len = usize::from(self.len);
        self.bytes.get(..len).and_then(|b| std::str::from_utf8(b).ok()).unwrap_or_default()
    }
}

impl FromStr for CurrencyCode {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let source = text.as_bytes();
        let len = u8::try_from(source.len()).map_err(|_| MoneyError::CurrencyCode)?;
        let well_formed = (3..=CODE_LEN_MAX).contains(&source.len())
            && source.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
            && source.first().is_some_and(u8::is_ascii_uppercase);
        if !well_formed {
            return Err(MoneyError::CurrencyCode);
        }
        let mut bytes = [0; CODE_LEN_MAX];
        for (to, from) in bytes.iter_mut().zip(source) {
            *to = *from;
        }
        Ok(Self { bytes, len })
    }
}

impl fmt::Display for CurrencyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for CurrencyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for CurrencyCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for CurrencyCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A currency of the book: its code and its scale, the number of decimals of its minor unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Currency {
    /// The code.
    pub code: CurrencyCode,
    /// Decimals: INR 2, JPY 0, KWD 3, USDT 6, BTC 8. Never changes.
    pub scale: u8,
}

/// An amount of money, zero or more, or (as a balance) less than zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    amount: Decimal,
    currency: Currency,
}

impl Money {
    /// Nothing, in `currency`.
    pub fn zero(currency: Currency) -> Self {
        Self { amount: Decimal::new(0, u32::from(currency.scale)), currency }
    }

    /// Parses an amount as it stands on the wire: digits, and for a fraction a point and digits.
    ///
    /// No sign, no exponent, no leading zero before another digit, no more decimals than the
    /// currency has (`5`, `5.0` and `5.00` are the same INR; `5.001` is refused, never rounded).
    ///
    /// # Errors
    /// [`MoneyError::Malformed`], [`MoneyError::Scale`], [`MoneyError::Overflow`].
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let (whole, fraction) = match text.split_once('.') {
            Some((_, "")) => return Err(MoneyError::Malformed),
            Some((whole, fraction)) => (whole, fraction),
            None => (text, ""),
        };
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || leading_zero || !digits(whole) || !digits(fraction) {
            return Err(MoneyError::Malformed);
        }
        let scale = usize::from(currency.scale);
        if fraction.len() > scale {
            return Err(MoneyError::Scale);
        }
        if whole.len().saturating_add(scale) > AMOUNT_DIGITS_MAX {
            return Err(MoneyError::Overflow);
        }
        let minor = format!("{whole}{fraction:0<scale$}");
        let minor: i128 = minor.parse().map_err(|_| MoneyError::Overflow)?;
        Decimal::try_from_i128_with_scale(minor, u32::from(currency.scale))
            .map(|amount| Self { amount, currency })
            .map_err(|_| MoneyError::Overflow)
    }

    /// Parses a signed amount (a balance, a limit): [`Money::parse`] with an optional leading `-`.
    ///
    /// # Errors
    /// As [`Money::parse`]; `-0` is malformed.
    pub fn parse_signed(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let Some(rest) = text.strip_prefix('-') else {
            return Self::parse(text, currency);
        };
        let positive = Self::parse(rest, currency)?;
        if positive.is_zero() {
            return Err(MoneyError::Malformed);
        }
        Self::zero(currency).checked_sub(positive)
    }

    /// Takes a decimal that is already at the currency's scale.
    ///
    /// # Errors
    /// [`MoneyError::Scale`] if it is at another one.
    pub fn from_decimal(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        if amount.scale() != u32::from(currency.scale) {
            return Err(MoneyError::Scale);
        }
        Ok(Self { amount, currency })
    }

    /// The amount, at the currency's scale.
    pub fn amount(&self) -> Decimal {
        self.amount
    }

    /// The currency.
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// Whether the amount is exactly zero.
    pub fn is_zero(&self) -> bool {
        self.amount.is_zero()
    }

    /// Whether the amount is above zero.
    pub fn is_positive(&self) -> bool {
        !self.amount.is_zero() && self.amount.is_sign_positive()
    }

    /// The sum.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::Overflow`].
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch);
        }
        add(self.amount, other.amount).map(|amount| Self { amount, ..self })
    }

    /// The difference.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::Overflow`].
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch);
        }
        sub(self.amount, other.amount).map(|amount| Self { amount, ..self })
    }

    /// Splits into `parts` that differ by at most one minor unit and sum to the whole exactly.
    ///
    /// The remainder goes, one minor unit each, to the first parts: 10.00 into 3 is 3.34, 3.33,
    /// 3.33. Returns nothing for zero parts.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] if the amount does not fit an integer of minor units.
    pub fn split(self, parts: u32) -> Result<Vec<Self>, MoneyError> {
        if parts == 0 {
            return Ok(Vec::new());
        }
        let minor = self.amount.mantissa();
        let count = i128::from(parts);
        let base = minor.checked_div_euclid(count).ok_or(MoneyError::Overflow)?;
        let remainder = minor.checked_rem_euclid(count).ok_or(MoneyError::Overflow)?;
        (0..count)
            .map(|part| {
                let extra = i128::from(part < remainder);
                let minor = base.checked_add(extra).ok_or(MoneyError::Overflow)?;
                Decimal::try_from_i128_with_scale(minor, self.amount.scale())
                    .map(|amount| Self { amount, ..self })
                    .map_err(|_| MoneyError::Overflow)
            })
            .collect()
    }
}

/// Adds two decimals of one scale, exactly: a sum that would lose a digit is an overflow.
pub(crate) fn add(a: Decimal, b: Decimal) -> Result<Decimal, MoneyError> {
    a.checked_add(b).filter(|sum| sum.scale() == a.scale()).ok_or(MoneyError::Overflow)
}

/// Subtracts two decimals of one scale, exactly.
pub(crate) fn sub(a: Decimal, b: Decimal) -> Result<Decimal, MoneyError> {
    a.checked_sub(b).filter(|rest| rest.scale() == a.scale()).ok_or(MoneyError::Overflow)
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency.code)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `{"value": "5000.00", "currency": "INR"}`, the shape of money on the wire.
impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut wire = serializer.serialize_struct("Money", 2)?;
        wire.serialize_field("value", &self.amount)?;
        wire.serialize_field("currency", &self.currency.code)?;
        wire.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn currency(code: &str, scale: u8) -> Currency {
        Currency { code: code.parse().unwrap(), scale }
    }

    fn inr(text: &str) -> Money {
        Money::parse(text, currency("INR", 2)).unwrap()
    }

    #[test]
    fn case_150_amounts_that_are_not_plain_decimals_are_refused() {
        let bad = [
            "", "-1", "-0", "+1", "00", "01", "1.", ".1", ".", "1e3", "1_000", "1,000", "0x10",
            "NaN", "Infinity", "null", " 1", "1 ", "1.0.0", "١", "1\0", "--1",
        ];
        for text in bad {
            let parsed = Money::parse(text, currency("INR", 2));
            assert_eq!(parsed, Err(MoneyError::Malformed), "{text:?}");
        }
    }

    #[test]
    fn case_152_more_decimals_than_the_currency_are_refused_and_never_rounded() {
        let bad = [("JPY", 0, "1.5"), ("USD", 2, "0.001"), ("KWD", 3, "0.0001")];
        for (code, scale, text) in bad {
            let parsed = Money::parse(text, currency(code, scale));
            assert_eq!(parsed, Err(MoneyError::Scale), "{code} {text}");
        }
        let btc = Money::parse("0.123456789", currency("BTC", 8));
        assert_eq!(btc, Err(MoneyError::Scale));
    }

    #[test]
    fn fewer_decimals_are_the_same_amount_at_the_same_scale() {
        assert_eq!(inr("5"), inr("5.00"));
        assert_eq!(inr("5").amount().to_string(), "5.00");
        assert_eq!(Money::parse("7", currency("JPY", 0)).unwrap().amount().to_string(), "7");
    }

    #[test]
    fn case_153_sums_that_do_not_fit_are_refused() {
        let text = "9".repeat(AMOUNT_DIGITS_MAX - 2);
        let mut sum = inr(&text);
        let most = inr(&text);
        let mut refused = false;
        for _ in 0..2_000 {
            match sum.checked_add(most) {
                Ok(next) => sum = next,
                Err(error) => {
                    assert_eq!(error, MoneyError::Overflow);
                    refused = true;
                    break;
                }
            }
        }
        assert!(refused, "the sum never overflowed");
        let long = "9".repeat(AMOUNT_DIGITS_MAX);
        assert_eq!(Money::parse(&long, currency("INR", 2)), Err(MoneyError::Overflow));
    }

    #[test]
    fn case_157_currency_codes_are_strict() {
        for bad in ["inr", "IN", "", "I\u{200b}NR", "INRINRINR", "1NR", "IN R", "İNR"] {
            assert_eq!(bad.parse::<CurrencyCode>(), Err(MoneyError::CurrencyCode), "{bad:?}");
        }
        assert_eq!("USDT".parse::<CurrencyCode>().unwrap().as_str(), "USDT");
    }

    #[test]
    fn case_158_a_split_sums_exactly_and_the_remainder_goes_first() {
        let parts = inr("10").split(3).unwrap();
        assert_eq!(parts, [inr("3.34"), inr("3.33"), inr("3.33")]);
    }

    #[test]
    fn different_currencies_never_add() {
        let usd = Money::parse("1", currency("USD", 2)).unwrap();
        assert_eq!(inr("1").checked_add(usd), Err(MoneyError::CurrencyMismatch));
        assert_eq!(inr("1").checked_sub(usd), Err(MoneyError::CurrencyMismatch));
    }

    proptest! {
        #[test]
        fn what_is_printed_parses_back(minor in 0_u64.., scale in 0_u8..=8) {
            let currency = currency("XTS", scale);
            let amount = Decimal::from_i128_with_scale(i128::from(minor), u32::from(scale));
            let money = Money::from_decimal(amount, currency).unwrap();
            prop_assert_eq!(Money::parse(&money.amount().to_string(), currency), Ok(money));
        }

        #[test]
        fn case_150_the_parser_never_panics(text in "\\PC{0,40}") {
            let parsed = Money::parse(&text, currency("INR", 2));
            let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            prop_assert!(parsed.is_err() || plain);
        }

        #[test]
        fn splits_always_sum_to_the_whole(minor in 0_u64..=u64::MAX, parts in 1_u32..200) {
            let currency = currency("XTS", 2);
            let amount = Decimal::from_i128_with_scale(i128::from(minor), 2);
            let whole = Money::from_decimal(amount, currency).unwrap();
            let sum = whole.split(parts).unwrap().into_iter()
                .try_fold(Money::zero(currency), Money::checked_add);
            prop_assert_eq!(sum, Ok(whole));
        }
    }
}
