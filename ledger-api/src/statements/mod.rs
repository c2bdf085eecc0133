//! What banks state about our accounts: read, checked, stored, matched, booked.
//!
//! [`parse`] and the formats are pure: bytes in, a [`ParsedStatement`] or a clear refusal out.
//! [`import`] holds a statement against the days around it and stores it whole or not at all.
//! [`Booker`] says what each line is, by our reference first and never by an amount alone, and has
//! the ledger book it. Only a line moves the bank's own accounts (`ledger_core::bank_line`).

mod absence;
mod backing;
mod booking;
mod camt;
mod checks;
mod credits;
mod csv;
mod days;
mod evidence;
mod fetched;
mod import;
mod json;
mod lump;
mod lumping;
mod matching;
mod mt940;
mod reading;
mod reconciliation;
mod recording;
mod rules;
mod safeguarding;
#[cfg(test)]
mod testing;

pub use absence::{Absence, absent_from_statements};
pub use backing::{Backing, backing};
pub use booking::{BookError, Booker};
pub use checks::RuleError;
pub use credits::{CreditError, Credits, DeskCredits};
pub use csv::{CsvMapping, MappingError};
pub use days::{
    DayChange, DayError, FetchLock, Said as DaySaid, close_days, day_changes, open_days,
};
pub(crate) use evidence::stored_line;
pub use import::{HandedIn, ImportError, Imported, import, import_all};
pub use lump::{LUMP_CREDITS_MAX, Lump, LumpCredit};
pub use reading::{Currencies, NumbersError, OurNumbers, Reading, numbers_of};
pub use reconciliation::{Break, Matched, Stated, breaks, matched, stated};
pub use rules::{Rules, RulesError, rules_of};
pub use safeguarding::{CertificateKey, certify};

use chrono::NaiveDate;
use ledger_core::{
    bank_line::{HouseAccount, LineDirection, LineKey},
    ids::{BankCode, Reference},
    money::CurrencyCode,
};
use rust_decimal::Decimal;
use sha2::{Digest as _, Sha256};

/// The most bytes of a statement.
pub const FILE_BYTES_MAX: usize = 16 << 20;
/// The most lines of a statement.
pub const LINES_MAX: usize = 100_000;
/// The most characters of a narration that are kept.
const NARRATION_CHARS_MAX: usize = 500;

/// A day of one of our accounts, as a bank states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedStatement {
    /// Which of our accounts.
    pub account: HouseAccount,
    /// The bank's day.
    pub date: NaiveDate,
    /// Its currency.
    pub currency: CurrencyCode,
    /// The balance before; may be below zero.
    pub opening: Decimal,
    /// The balance after; may be below zero.
    pub closing: Decimal,
    /// What happened in between.
    pub lines: Vec<ParsedLine>,
    /// The bank's promise that nothing of the day will change.
    pub closed: bool,
    /// SHA-256 of what it was read from.
    pub file_sha256: [u8; 32],
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedLine {
    /// The bank's number for it.
    pub bank_transaction_id: Reference,
    /// The day on which it was booked.
    pub booking_date: NaiveDate,
    /// The day from which it counts.
    pub value_date: NaiveDate,
    /// Whether money came or went.
    pub direction: LineDirection,
    /// How much; above zero.
    pub amount: Decimal,
    /// The reference between banks, if it is one that could be stored.
    pub utr: Option<Reference>,
    /// Ours, if the bank knows it and it can be one of ours.
    pub reference: Option<Reference>,
    /// The bank's words; may name people.
    pub narration: String,
    /// What it is the lump of, where the bank says so.
    pub lump: Option<Lump>,
}

impl ParsedLine {
    /// What it is once by.
    pub fn key(&self, bank: &BankCode, account: HouseAccount) -> LineKey {
        LineKey {
            bank: bank.clone(),
            account,
            direction: self.direction,
            value_date: self.value_date,
            bank_transaction_id: self.bank_transaction_id.clone(),
        }
    }
}

/// How a statement is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// The JSON of docs/banks.md.
    Json,
    /// ISO 20022, versions 02 and 08.
    Camt053,
    /// SWIFT.
    Mt940,
    /// Columns by a mapping.
    Csv,
    /// Answered by an adapter, not read from a file.
    #[value(skip)]
    Adapter,
}

impl Format {
    /// Whether a line of it can say what it is the lump of.
    const fn names_parts(self) -> bool {
        match self {
            Self::Json | Self::Camt053 | Self::Adapter => true,
            Self::Mt940 | Self::Csv => false,
        }
    }

    /// As it is named.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Camt053 => "camt053",
            Self::Mt940 => "mt940",
            Self::Csv => "csv",
            Self::Adapter => "adapter",
        }
    }
}

impl std::str::FromStr for Format {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "json" => Ok(Self::Json),
            "camt053" => Ok(Self::Camt053),
            "mt940" => Ok(Self::Mt940),
            "csv" => Ok(Self::Csv),
            _ => Err(()),
        }
    }
}

/// Why bytes are no statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct ParseError {
    /// Where, from 1; of the file, or (JSON) of the statement's lines as `lines[…]` in the words.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

/// The statements that the bytes are: at least one, each of one day of one account.
///
/// # Errors
/// [`ParseError`] with the place and the reason.
pub fn parse(
    format: Format,
    bytes: &[u8],
    reading: &Reading<'_>,
) -> Result<Vec<ParsedStatement>, ParseError> {
    if bytes.len() > FILE_BYTES_MAX {
        let what = format!("a statement has at most {FILE_BYTES_MAX} bytes");
        return Err(ParseError { line: 1, what });
    }
    match format {
        Format::Json => json::parse(bytes, reading.currency).map(|one| vec![one]),
        Format::Camt053 => camt::parse(bytes, reading),
        Format::Mt940 => mt940::parse(bytes, reading),
        Format::Csv => csv::parse(bytes, reading),
        Format::Adapter => {
            Err(ParseError { line: 1, what: "an adapter's answer is no file".to_owned() })
        }
    }
}

/// SHA-256 of what a statement was read from.
fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
