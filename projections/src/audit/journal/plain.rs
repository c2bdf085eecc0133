//! Journals of plain-text accounting: beancount, hledger, ledger. Debits are above zero, credits
//! below. Their order is the log's; those programs sort by date themselves.

use std::io::Write;

use super::{
    super::payload::AccountType,
    AuditError, Entry, Format, JournalSummary, Opened,
    account::{beancount as beancount_name, plain as plain_name},
    time,
};

/// Where beancount's accounts begin: the first day that it can read, since an entry may belong to a
/// day before its account was recorded.
const BEANCOUNT_FIRST_DAY: &str = "1700-01-01";
/// The first day that beancount cannot read.
const BEANCOUNT_END: &str = "2100-01-01";

pub(super) fn header(format: Format, out: &mut impl Write) -> Result<(), AuditError> {
    writeln!(out, "; The entries of a log of Bahi: debits above zero, credits below.")?;
    if format == Format::Hledger {
        writeln!(out, "decimal-mark .")?;
    }
    Ok(())
}

pub(super) fn account(
    format: Format,
    out: &mut impl Write,
    name: &str,
    account_type: AccountType,
) -> Result<(), AuditError> {
    let letter = match account_type {
        AccountType::Asset => 'A',
        AccountType::Liability => 'L',
        AccountType::Income => 'R',
        AccountType::Expense => 'X',
        AccountType::Equity => 'E',
    };
    match format {
        Format::Beancount => writeln!(out, "{BEANCOUNT_FIRST_DAY} open {name}")?,
        Format::Hledger => writeln!(out, "account {name}  ; type:{letter}")?,
        Format::Ledger | Format::Csv => writeln!(out, "account {name}")?,
    }
    Ok(())
}

/// A transaction as beancount has it.
pub(super) fn beancount(
    out: &mut impl Write,
    legs: &[(&Entry, &Opened)],
) -> Result<(), AuditError> {
    let Some((first, _)) = legs.first() else { return Ok(()) };
    let day = first.effective_on.as_str();
    if !(BEANCOUNT_FIRST_DAY..BEANCOUNT_END).contains(&day) {
        let reason = format!("beancount reads no dates like {day}");
        return Err(AuditError::Journal { position: first.position, reason });
    }
    writeln!(out, "\n{day} * {}", quoted(&first.kind))?;
    writeln!(out, "  transaction: {}", quoted(&first.transaction))?;
    writeln!(out, "  position: {}", first.position)?;
    writeln!(out, "  recorded-at: {}", quoted(&time::text(first.recorded_at)))?;
    if let Some(cause) = &first.cause {
        writeln!(out, "  cause: {}", quoted(cause))?;
    }
    if let Some(date) = first.value_date.as_deref().filter(|date| time::date(date).is_some()) {
        writeln!(out, "  value-date: {}", quoted(date))?;
    }
    for (entry, account) in legs {
        let (name, sign) = (beancount_name(account), sign(entry));
        writeln!(out, "  {name}  {sign}{} {}", entry.amount, account.currency)?;
        if let Some(item) = &entry.item {
            writeln!(out, "    item: {}", quoted(item))?;
        }
    }
    Ok(())
}

/// A transaction as hledger and ledger have it: what follows `name:` in a comment is its tag.
pub(super) fn transaction(
    out: &mut impl Write,
    legs: &[(&Entry, &Opened)],
) -> Result<(), AuditError> {
    let Some((first, _)) = legs.first() else { return Ok(()) };
    writeln!(out, "\n{} * {}", first.effective_on, first.kind)?;
    writeln!(out, "    ; transaction: {}", first.transaction)?;
    writeln!(out, "    ; position: {}", first.position)?;
    writeln!(out, "    ; recorded: {}", time::text(first.recorded_at))?;
    if let Some(cause) = &first.cause {
        writeln!(out, "    ; cause: {cause}")?;
    }
    if let Some(date) = &first.value_date {
        writeln!(out, "    ; valued: {date}")?;
    }
    for (entry, account) in legs {
        let (name, sign) = (plain_name(account), sign(entry));
        // In quotes a commodity may have digits.
        writeln!(out, "    {name}  {sign}{} \"{}\"", entry.amount, account.currency)?;
        if let Some(item) = &entry.item {
            writeln!(out, "    ; item: {item}")?;
        }
    }
    Ok(())
}

/// The last line: without it the journal is cut.
pub(super) fn end(out: &mut impl Write, summary: &JournalSummary) -> Result<(), AuditError> {
    let JournalSummary { accounts, transactions, entries, position } = summary;
    Ok(writeln!(
        out,
        "\n; end: {transactions} transactions, {entries} entries, {accounts} accounts, up to \
         position {position}"
    )?)
}

const fn sign(entry: &Entry) -> &'static str {
    if entry.debit { "" } else { "-" }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
