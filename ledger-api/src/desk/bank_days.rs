//! A bank's day from its statement to its close: fetching the statement now, closing the day once
//! somebody has looked at it, and opening it again, which takes two ([`super::carrying_out`]).

use chrono::NaiveDate;
use ledger_core::ids::BankCode;
use serde::{Deserialize, Serialize};

use super::{acts::Act, check_reason, statements::refused};
use crate::{
    banks::{Bank, CallError},
    http::{Problem, approval::Approver, codes, writer::Writer},
    statements::{
        DayError, DaySaid, FetchLock, Format, Imported, ParsedStatement, close_days, import,
        open_days,
    },
};

/// Days that are to be opened again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Reopening {
    /// From which day on.
    pub(crate) from: NaiveDate,
}

/// Asks a bank for the statement of a day and stores it; a worker books its lines. It is the bank's
/// own word, so one person may ask.
pub(crate) async fn fetch(
    writer: &Writer,
    code: &BankCode,
    (account, day): (&str, NaiveDate),
) -> Result<Imported, Problem> {
    let state = &writer.state;
    let bank = state.banks.get(code).ok_or_else(|| Problem::not_found("There is no such bank."))?;
    let contract = bank.contract().await.map_err(|error| silent(&error))?;
    let wrong = |field: &str, detail: &'static str| {
        Problem::field(codes::INVALID, field.to_owned(), detail)
    };
    if !contract.accounts.iter().any(|known| known.name == account) {
        return Err(wrong("/account", "The bank has no account of ours of this name."));
    }
    if day > state.clock.now().with_timezone(&contract.time_zone).date_naive() {
        return Err(wrong("/day", "That day is still to come at the bank."));
    }
    let lock = FetchLock::take(&state.reads, code, account).await?;
    let lock = lock.ok_or_else(|| {
        let detail = "The statements of this account are being fetched. Try again in a moment.";
        Problem::new(codes::STATEMENT_BEING_FETCHED, detail)
    })?;
    let done = take(writer, bank.as_ref(), (account, day)).await;
    lock.give_back().await?;
    let imported = done?;
    let subject = format!("{code} {account} {day}");
    Act::without_reason("statement_fetched", &subject).keep(writer).await?;
    Ok(imported)
}

async fn take(
    writer: &Writer,
    bank: &dyn Bank,
    (account, day): (&str, NaiveDate),
) -> Result<Imported, Problem> {
    let state = &writer.state;
    let statement = bank.statement(account, day).await.map_err(|error| silent(&error))?;
    let statement = statement
        .ok_or_else(|| Problem::not_found("The bank has no statement of this day yet."))?;
    let code = bank.contract().await.map_err(|error| silent(&error))?.currency;
    let currency = state.ledger.status().borrow().book.currency(code);
    let currency = currency.ok_or_else(|| Problem::internal(&"no currency"))?;
    let parsed = ParsedStatement::fetched(&statement, currency);
    let parsed =
        parsed.map_err(|error| Problem::new(codes::STATEMENT_MALFORMED, format!("{error}.")))?;
    let by = &writer.caller.principal;
    import(&state.reads, bank.code(), Format::Adapter, &parsed, by).await.map_err(refused)
}

fn silent(error: &CallError) -> Problem {
    Problem::new(codes::BANK_UNAVAILABLE, format!("The bank gave no statement: {error}."))
        .retry_after(5)
}

/// Closes a bank's days up to this one: no statement changes them any more.
pub(crate) async fn close(
    writer: &Writer,
    bank: &BankCode,
    until: NaiveDate,
    reason: &str,
) -> Result<(), Problem> {
    check_reason(reason)?;
    let (by, at) = (&writer.caller.principal, writer.state.clock.now());
    let said = DaySaid { by, approved_by: None, reason, at };
    close_days(&writer.state.reads, bank, until, said).await.map_err(stays)?;
    tracing::info!(%bank, %until, principal = %by, "a bank's days were closed");
    Act::new("bank_day_closed", &format!("{bank} {until}"), reason).keep(writer).await
}

/// Opens a bank's days again, from this one on.
pub(crate) async fn reopen(
    writer: &Writer,
    approver: &Approver,
    bank: &BankCode,
    (from, reason): (NaiveDate, &str),
) -> Result<(), Problem> {
    let second = approver.approve(&writer.caller)?;
    let (by, at) = (&writer.caller.principal, writer.state.clock.now());
    let said = DaySaid { by, approved_by: Some(&second), reason, at };
    open_days(&writer.state.reads, bank, from, said).await.map_err(stays)?;
    tracing::warn!(%bank, %from, principal = %by, %second, "a bank's days were opened again");
    Act::new("bank_day_opened", &format!("{bank} {from}"), reason).keep(writer).await
}

fn stays(error: DayError) -> Problem {
    match error {
        DayError::Database(error) => Problem::from(projections::ReadError::from(error)),
        DayError::ClosedLater { .. } => Problem::new(codes::BANK_DAY_CLOSED, sentence(&error)),
        DayError::NotStated { .. } | DayError::NotBooked { .. } => {
            Problem::new(codes::BANK_DAY_OPEN, sentence(&error))
        }
    }
}

fn sentence(error: &DayError) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first: String = letters.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
