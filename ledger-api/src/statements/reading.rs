//! What files of statements are read by, besides their bytes: the book's currencies, and the
//! numbers of our accounts. Every parser ends here, so that amounts and days are read in one way.

use std::{collections::BTreeMap, ffi::OsString};

use chrono::NaiveDate;
use ledger_core::{
    bank_line::{HouseAccount, LineDirection},
    ids::{BankCode, Reference},
    money::{Currency, CurrencyCode, Money},
};
use rust_decimal::Decimal;

use super::{CsvMapping, LINES_MAX, NARRATION_CHARS_MAX, ParseError};

/// Finds a currency of the book.
pub type Currencies<'a> = &'a dyn Fn(CurrencyCode) -> Option<Currency>;

/// What a file is read by.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    /// The book's currencies.
    pub currency: Currencies<'a>,
    /// Our accounts at the bank.
    pub accounts: &'a OurNumbers,
    /// What the columns of a CSV file mean.
    pub csv: Option<&'a CsvMapping>,
}

/// The numbers of our accounts at one bank.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OurNumbers(Vec<(String, HouseAccount)>);

/// Why words name no accounts of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no account: escrow=NUMBER or own=NUMBER, with ';' between accounts")]
pub struct NumbersError(String);

impl OurNumbers {
    /// Adds an account by its name in contracts; a name that is none of ours is passed over.
    #[must_use]
    pub fn with(mut self, name: &str, number: &str) -> Self {
        let account = match name {
            "escrow" => HouseAccount::Escrow,
            "own" => HouseAccount::Own,
            _ => return self,
        };
        self.0.push((plain(number), account));
        self
    }

    /// Which of our accounts has this number, however it is spaced.
    pub(super) fn account(&self, number: &str) -> Option<HouseAccount> {
        let number = plain(number);
        self.0.iter().find(|(known, _)| *known == number).map(|(_, account)| *account)
    }
}

impl std::str::FromStr for OurNumbers {
    type Err = NumbersError;

    fn from_str(text: &str) -> Result<Self, NumbersError> {
        let mut numbers = Self::default();
        for one in text.split(';').map(str::trim).filter(|one| !one.is_empty()) {
            let wrong = || NumbersError(one.to_owned());
            let (name, number) = one.split_once('=').ok_or_else(wrong)?;
            let (name, before) = (name.trim(), numbers.0.len());
            numbers = numbers.with(name, number);
            if numbers.0.len() == before || plain(number).is_empty() {
                return Err(wrong());
            }
        }
        Ok(numbers)
    }
}

/// The numbers that some variables name (`BAHI_BANK_HDFC_ACCOUNTS`), by bank.
///
/// # Errors
/// [`NumbersError`] with the first that names none.
pub fn numbers_of(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<BTreeMap<BankCode, OurNumbers>, NumbersError> {
    let mut numbers = BTreeMap::new();
    for (variable, value) in variables {
        let name = variable.to_str().and_then(|name| name.strip_prefix("BAHI_BANK_"));
        let Some(name) = name.and_then(|name| name.strip_suffix("_ACCOUNTS")) else { continue };
        let wrong = || NumbersError(name.to_owned());
        let bank: BankCode = name.to_lowercase().parse().map_err(|_| wrong())?;
        numbers.insert(bank, value.to_str().ok_or_else(wrong)?.parse()?);
    }
    Ok(numbers)
}

fn plain(number: &str) -> String {
    number.chars().filter(|c| !c.is_whitespace() && *c != '-').collect()
}

impl Reading<'_> {
    pub(super) fn currency(&self, code: &str, line: usize) -> Result<Currency, ParseError> {
        let parsed: CurrencyCode =
            code.parse().map_err(|_| wrong(line, format!("{code:?} is no currency")))?;
        (self.currency)(parsed)
            .ok_or_else(|| wrong(line, format!("the book does not have {parsed}")))
    }

    pub(super) fn account(&self, number: &str, line: usize) -> Result<HouseAccount, ParseError> {
        self.accounts.account(number).ok_or_else(|| {
            // The end of a number is enough to find it by, and is in every receipt.
            let skip = number.chars().count().saturating_sub(4);
            let end: String = number.chars().skip(skip).collect();
            wrong(line, format!("the account ending in {end:?} is none of ours at this bank"))
        })
    }
}

/// An amount above zero.
pub(super) fn positive(
    text: &str,
    currency: Currency,
    line: usize,
    what: &str,
) -> Result<Decimal, ParseError> {
    let amount = amount(text, currency, line, what)?;
    if amount.is_zero() {
        return Err(wrong(line, format!("{what} is not above zero")));
    }
    Ok(amount)
}

/// An amount without a sign.
pub(super) fn amount(
    text: &str,
    currency: Currency,
    line: usize,
    what: &str,
) -> Result<Decimal, ParseError> {
    let money = Money::parse(text, currency);
    Ok(money.map_err(|error| wrong(line, format!("{what}: {error}")))?.amount())
}

/// What a balance is: below zero, where the bank has to get it.
pub(super) fn signed(amount: Decimal, direction: LineDirection) -> Decimal {
    match direction {
        LineDirection::Credit => amount,
        LineDirection::Debit => Decimal::ZERO.saturating_sub(amount),
    }
}

/// The bank's number for a line, without which it can't be told from others.
pub(super) fn line_id(text: &str, line: usize) -> Result<Reference, ParseError> {
    if text.is_empty() {
        return Err(wrong(line, "the line has no number of the bank's".to_owned()));
    }
    text.parse().map_err(|error| wrong(line, format!("the bank's number: {error}")))
}

/// A reference, if there is one that can be ours, or a bank's that we could have stored.
pub(super) fn reference(text: Option<&str>) -> Option<Reference> {
    let text = text.map(str::trim)?;
    let is_none = matches!(text, "NOTPROVIDED" | "NONREF" | "NONE" | "-");
    text.parse().ok().filter(|_| !is_none)
}

pub(super) fn day(text: &str, format: &str, line: usize) -> Result<NaiveDate, ParseError> {
    let day = NaiveDate::parse_from_str(text, format);
    day.map_err(|_| wrong(line, format!("{text:?} is no day of the form {format}")))
}

pub(super) const fn wrong(line: usize, what: String) -> ParseError {
    ParseError { line, what }
}

pub(super) fn check_count(lines: usize) -> Result<(), ParseError> {
    if lines > LINES_MAX {
        return Err(wrong(1, format!("a statement has at most {LINES_MAX} lines")));
    }
    Ok(())
}

/// The text of a file, if it is one.
pub(super) fn text(bytes: &[u8]) -> Result<&str, ParseError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = before.split(|byte| *byte == b'\n').count();
        wrong(line, "the file is not UTF-8".to_owned())
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// A bank's words as they are kept: on one line, and not without end.
pub(super) fn narration(words: &str) -> String {
    let plain = words.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(NARRATION_CHARS_MAX).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_find_accounts_however_they_are_spaced() {
        let numbers: OurNumbers = "escrow=5010 0012-3456; own=501000999".parse().unwrap();
        assert_eq!(numbers.account("501000123456"), Some(HouseAccount::Escrow));
        assert_eq!(numbers.account("5010 00999"), Some(HouseAccount::Own));
        assert_eq!(numbers.account("1"), None);
        for bad in ["till=1", "escrow", "escrow="] {
            assert!(bad.parse::<OurNumbers>().is_err(), "{bad}");
        }
        let variable = (OsString::from("BAHI_BANK_HDFC_ACCOUNTS"), OsString::from("own=7"));
        let found = numbers_of([variable]).unwrap();
        assert_eq!(found[&"hdfc".parse().unwrap()].account("7"), Some(HouseAccount::Own));
    }
}
