//! Files that banks state our accounts in, handed in by people.

use chrono::NaiveDate;
use ledger_core::{bank_line::LineDirection, ids::BankCode, money::CurrencyCode};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    http::{ApiState, Problem, approval::Approver, codes, writer::Writer},
    statements::{
        self, CsvMapping, Format, HandedIn, ImportError, Imported, OurNumbers, ParsedStatement,
        Reading,
    },
};

/// Which statement a file is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StatementFile {
    /// The bank.
    pub(crate) bank: BankCode,
    /// How it is written.
    pub(crate) format: String,
    /// The numbers of our accounts; if not given, those of the bank's contract.
    pub(crate) accounts: Option<String>,
    /// What the columns of a CSV file mean.
    pub(crate) mapping: Option<String>,
    /// What it states, for whoever decides; read again when it is taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) days: Vec<DayStated>,
}

/// One day of one account, summed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DayStated {
    /// Which of our accounts.
    pub(crate) account: String,
    /// The bank's day.
    pub(crate) date: NaiveDate,
    /// The currency of the amounts.
    pub(crate) currency: CurrencyCode,
    /// The balance before.
    pub(crate) opening: Decimal,
    /// The sum of what came.
    pub(crate) came: Decimal,
    /// The sum of what went.
    pub(crate) went: Decimal,
    /// The balance after.
    pub(crate) closing: Decimal,
    /// How many lines it has.
    pub(crate) lines: usize,
    /// Whether the bank promises that nothing of the day will change.
    pub(crate) closed: bool,
}

impl DayStated {
    /// The sums of a statement; nothing if no amount can hold one.
    pub(crate) fn of(statement: &ParsedStatement) -> Option<Self> {
        let sum = |direction: LineDirection| {
            let of = statement.lines.iter().filter(move |line| line.direction == direction);
            let zero = Decimal::new(0, statement.opening.scale());
            of.map(|line| line.amount).try_fold(zero, Decimal::checked_add)
        };
        Some(Self {
            account: statement.account.as_str().to_owned(),
            date: statement.date,
            currency: statement.currency,
            opening: statement.opening,
            came: sum(LineDirection::Credit)?,
            went: sum(LineDirection::Debit)?,
            closing: statement.closing,
            lines: statement.lines.len(),
            closed: statement.closed,
        })
    }
}

/// Whether it takes two persons: a bank that is called states by itself, and a file in its name
/// could say anything of any deposit.
pub(crate) fn takes_two(state: &ApiState, bank: &BankCode) -> Result<bool, Problem> {
    let is_called = state.banks.get(bank).is_some();
    if !state.banks.is_empty() && !is_called {
        return Err(Problem::new(codes::BANK_UNKNOWN, "This service calls no bank of this name."));
    }
    Ok(is_called)
}

/// Stores a file whole, or refuses it whole; what came of it, and of how many days it is.
pub(crate) async fn import(
    writer: &Writer,
    approver: &Approver,
    file: &StatementFile,
    bytes: &[u8],
) -> Result<(Imported, usize), Problem> {
    let (state, caller) = (&writer.state, &writer.caller);
    let takes_two = takes_two(state, &file.bank)?;
    let approved_by = if takes_two { Some(approver.approve(caller)?) } else { None };
    let (format, read) = read(state, file, bytes).await?;
    let by = HandedIn { by: &caller.principal, approved_by: approved_by.as_ref() };
    let imported = statements::import_all(&state.reads, &file.bank, format, &read, by).await;
    let imported = imported.map_err(refused)?;
    let days = imported.len();
    let imported = imported
        .into_iter()
        .reduce(together)
        .ok_or_else(|| Problem::new(codes::STATEMENT_MALFORMED, "There is no statement."))?;
    Ok((imported, days))
}

/// What a file says, if it can be read; nothing is stored.
pub(crate) async fn read(
    state: &ApiState,
    file: &StatementFile,
    bytes: &[u8],
) -> Result<(Format, Vec<ParsedStatement>), Problem> {
    let format = file.format.parse::<Format>();
    let format = format
        .map_err(|()| Problem::parameter("format", "`json`, `camt053`, `mt940` or `csv`."))?;
    let accounts = our_numbers(state, file, format).await?;
    Ok((format, read_file(state, format, file, &accounts, bytes)?))
}

/// The numbers that the caller gives, else those of the bank's contract, where any are needed.
async fn our_numbers(
    state: &ApiState,
    file: &StatementFile,
    format: Format,
) -> Result<OurNumbers, Problem> {
    if let Some(text) = &file.accounts {
        let numbers = text.parse::<OurNumbers>();
        return numbers.map_err(|error| Problem::parameter("accounts", format!("{error}.")));
    }
    if !matches!(format, Format::Camt053 | Format::Mt940) {
        return Ok(OurNumbers::default());
    }
    let unknown = "The numbers of our accounts: the bank's contract is not at hand.";
    let unknown = || Problem::parameter("accounts", unknown);
    let bank = state.banks.get(&file.bank).ok_or_else(unknown)?;
    let contract = bank.contract().await.map_err(|_| unknown())?;
    let numbers = contract.accounts.iter();
    Ok(numbers.fold(OurNumbers::default(), |numbers, account| {
        numbers.with(&account.name, &account.account_number)
    }))
}

fn read_file(
    state: &ApiState,
    format: Format,
    file: &StatementFile,
    accounts: &OurNumbers,
    bytes: &[u8],
) -> Result<Vec<ParsedStatement>, Problem> {
    let mapping = file.mapping.as_deref().map(str::parse::<CsvMapping>).transpose();
    let mapping = mapping.map_err(|error| Problem::parameter("mapping", format!("{error}.")))?;
    let book = state.ledger.status().borrow().book.clone();
    let currency = |code| book.currency(code);
    let reading = Reading { currency: &currency, accounts, csv: mapping.as_ref() };
    let read = statements::parse(format, bytes, &reading);
    read.map_err(|error| Problem::new(codes::STATEMENT_MALFORMED, format!("{error}.")))
}

/// What came of two days of one file.
fn together(one: Imported, next: Imported) -> Imported {
    Imported {
        file_id: next.file_id,
        duplicate: one.duplicate && next.duplicate,
        supersedes: next.supersedes.or(one.supersedes),
        lines: one.lines.saturating_add(next.lines),
        new_lines: one.new_lines.saturating_add(next.new_lines),
        breaks: one.breaks.saturating_add(next.breaks),
    }
}

pub(super) fn refused(error: ImportError) -> Problem {
    match error {
        ImportError::Rule(rule) => match codes::find(rule.code()) {
            Some(code) => Problem::new(code, format!("{rule}.")),
            None => Problem::internal(&rule),
        },
        ImportError::Database(error) => Problem::from(projections::ReadError::from(error)),
    }
}
