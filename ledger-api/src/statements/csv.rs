//! CSV by a mapping: which column is what, said in words, for every bank writes its own.
//!
//! Each row must have the balance after it: a running balance is what shows that no row is missing,
//! and where the file begins. Rows stand in the order in which they were booked. Days without rows
//! between two others are days without lines.

mod mapping;
mod rows;

use chrono::{Days, NaiveDate};
use ledger_core::{bank_line::LineDirection, money::Currency};
pub use mapping::{CsvMapping, MappingError};
use rows::Row;
use rust_decimal::Decimal;

use super::{
    ParseError, ParsedLine, ParsedStatement,
    reading::{self, Reading, amount, check_count, line_id, reference, wrong},
    sha256,
};

/// The most days of a file.
const DAYS_MAX: usize = 400;

pub(super) fn parse(
    bytes: &[u8],
    reading: &Reading<'_>,
) -> Result<Vec<ParsedStatement>, ParseError> {
    let missing = || wrong(1, "a CSV file needs a mapping of its columns".to_owned());
    let mapping = reading.csv.ok_or_else(missing)?;
    let mut rows = rows::rows(reading::text(bytes)?, mapping.separator)?.into_iter();
    let header = rows.next().ok_or_else(|| wrong(1, "the file is empty".to_owned()))?;
    let currency = reading.currency(mapping.currency.as_str(), 1)?;
    let columns = Columns { mapping, header: &header, currency };
    columns.check()?;
    let mut days = Filling { mapping, currency, sha256: sha256(bytes), days: Vec::new() };
    let mut count = 0_usize;
    for row in rows {
        let (line, balance) = columns.line(&row)?;
        count = count.saturating_add(1);
        check_count(count)?;
        days.push(line, balance, row.line)?;
    }
    if days.days.is_empty() {
        return Err(wrong(1, "a file without rows says no balance".to_owned()));
    }
    Ok(days.ended())
}

/// The columns of a file.
struct Columns<'a> {
    mapping: &'a CsvMapping,
    header: &'a Row,
    currency: Currency,
}

impl Columns<'_> {
    /// Every column that is named is there, once.
    fn check(&self) -> Result<(), ParseError> {
        for name in self.mapping.columns() {
            let found = self.header.cells.iter().filter(|cell| cell.trim() == name).count();
            if found != 1 {
                let what = format!("there are {found} columns {name:?}, and not one");
                return Err(wrong(self.header.line, what));
            }
        }
        Ok(())
    }

    fn cell<'r>(&self, row: &'r Row, name: Option<&String>) -> Option<&'r str> {
        let at = self
            .header
            .cells
            .iter()
            .position(|cell| Some(cell.trim()) == name.map(String::as_str))?;
        row.cells.get(at).map(|cell| cell.trim())
    }

    fn needed<'r>(&self, row: &'r Row, name: &String) -> &'r str {
        self.cell(row, Some(name)).unwrap_or_default()
    }

    fn line(&self, row: &Row) -> Result<(ParsedLine, Decimal), ParseError> {
        if row.cells.len() != self.header.cells.len() {
            let (has, expected) = (row.cells.len(), self.header.cells.len());
            return Err(wrong(row.line, format!("the row has {has} cells, and not {expected}")));
        }
        let mapping = self.mapping;
        let day = |text: &str| reading::day(text, &mapping.date_format, row.line);
        let booking_date = day(self.needed(row, &mapping.date))?;
        let value_date = match self.cell(row, mapping.value_date.as_ref()) {
            Some(text) => day(text)?,
            None => booking_date,
        };
        let moved = self.moved(row)?;
        if moved.is_zero() {
            return Err(wrong(row.line, "the amount is zero".to_owned()));
        }
        let came = moved.is_sign_positive();
        let line = ParsedLine {
            bank_transaction_id: line_id(self.needed(row, &mapping.id), row.line)?,
            booking_date,
            value_date,
            direction: if came { LineDirection::Credit } else { LineDirection::Debit },
            amount: moved.abs(),
            utr: reference(self.cell(row, mapping.utr.as_ref())),
            reference: reference(self.cell(row, mapping.reference.as_ref())),
            narration: reading::narration(
                self.cell(row, mapping.narration.as_ref()).unwrap_or_default(),
            ),
            lump: None,
        };
        Ok((line, self.signed(self.needed(row, &mapping.balance), row.line)?))
    }

    /// What the row did to the account: below zero for money that went.
    fn moved(&self, row: &Row) -> Result<Decimal, ParseError> {
        let mapping = self.mapping;
        if let Some(column) = &mapping.amount {
            return self.signed(self.needed(row, column), row.line);
        }
        let cell = |column: &Option<String>| {
            let text = self.cell(row, column.as_ref()).unwrap_or_default();
            if text.is_empty() { Ok(None) } else { self.unsigned(text, row.line).map(Some) }
        };
        match (cell(&mapping.debit)?, cell(&mapping.credit)?) {
            (Some(debit), None) => Ok(Decimal::ZERO.saturating_sub(debit)),
            (None, Some(credit)) => Ok(credit),
            (Some(debit), Some(credit)) if debit.is_zero() => Ok(credit),
            (Some(debit), Some(credit)) if credit.is_zero() => {
                Ok(Decimal::ZERO.saturating_sub(debit))
            }
            (Some(_), Some(_)) => Err(wrong(row.line, "the row is debit and credit".to_owned())),
            (None, None) => Err(wrong(row.line, "the row has no amount".to_owned())),
        }
    }

    fn signed(&self, text: &str, line: usize) -> Result<Decimal, ParseError> {
        match text.strip_prefix('-') {
            Some(rest) => Ok(Decimal::ZERO.saturating_sub(self.unsigned(rest, line)?)),
            None => self.unsigned(text.strip_prefix('+').unwrap_or(text), line),
        }
    }

    fn unsigned(&self, text: &str, line: usize) -> Result<Decimal, ParseError> {
        let mapping = self.mapping;
        let point = |c: char| if c == mapping.decimal { '.' } else { c };
        if mapping.decimal != '.' && text.contains('.') && mapping.thousands != Some('.') {
            return Err(wrong(line, format!("{text:?} has a point")));
        }
        let digits = text.chars().filter(|c| Some(*c) != mapping.thousands).map(point);
        amount(&digits.collect::<String>(), self.currency, line, "the amount")
    }
}

/// Days as their rows come.
struct Filling<'a> {
    mapping: &'a CsvMapping,
    currency: Currency,
    sha256: [u8; 32],
    days: Vec<ParsedStatement>,
}

impl Filling<'_> {
    fn push(&mut self, line: ParsedLine, balance: Decimal, row: usize) -> Result<(), ParseError> {
        let moved = reading::signed(line.amount, line.direction);
        let before = balance.saturating_sub(moved);
        let day = line.booking_date;
        if let Some(last) = self.days.last() {
            if day < last.date {
                let what = "the row is of an earlier day than the one above it";
                return Err(wrong(row, what.to_owned()));
            }
            if last.closing != before {
                let (closing, what) = (last.closing, "does not follow from the row above it");
                return Err(wrong(row, format!("the balance {what}, which has {closing}")));
            }
            self.fill_until(day, row)?;
        }
        if let Some(last) = self.days.last_mut().filter(|last| last.date == day) {
            last.closing = balance;
            last.lines.push(line);
        } else {
            let fresh = self.empty(day, before);
            self.days.push(ParsedStatement { closing: balance, lines: vec![line], ..fresh });
        }
        Ok(())
    }

    /// Days without rows between the last one and `day`.
    fn fill_until(&mut self, day: NaiveDate, row: usize) -> Result<(), ParseError> {
        while let Some(last) = self.days.last() {
            let next = last.date.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX);
            if next >= day {
                break;
            }
            if self.days.len() >= DAYS_MAX {
                return Err(wrong(row, format!("a file has at most {DAYS_MAX} days")));
            }
            let quiet = self.empty(next, last.closing);
            self.days.push(quiet);
        }
        Ok(())
    }

    fn empty(&self, date: NaiveDate, balance: Decimal) -> ParsedStatement {
        ParsedStatement {
            account: self.mapping.account,
            date,
            currency: self.currency.code,
            opening: balance,
            closing: balance,
            lines: Vec::new(),
            closed: true,
            file_sha256: self.sha256,
        }
    }

    /// The days; the last one may go on in the next file, unless the mapping says otherwise.
    fn ended(mut self) -> Vec<ParsedStatement> {
        if let Some(last) = self.days.last_mut() {
            last.closed = self.mapping.last_day_closed;
        }
        self.days
    }
}

#[cfg(test)]
mod tests;
