//! The log for programs of accountants: entries as CSV; a journal of beancount, hledger, ledger.
//!
//! Every transaction of the log is one of the journal, with its business date, its kind, its id and
//! position as metadata; nothing is summed, left out or rounded, so that those programs come to the
//! balances of the log by themselves. Holds, which move nothing, are not in it, and nothing that
//! somebody wrote. It judges nothing that `verify` judges: a journal of a log that is not in order
//! is refused only where it could not be written. The last line of a journal says that it is whole.

mod account;
mod csv;
mod plain;

use std::{
    collections::{HashMap, HashSet},
    io::{BufRead, Write},
};

use sqlx::PgPool;

use super::{
    AuditError, Progress,
    database::LogReader,
    lines::Lines,
    payload::{self, AccountOpened, AccountType, Leg},
    record::{Event, Item},
    time,
};

/// For which program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One row per entry, for spreadsheets.
    Csv,
    /// beancount.
    Beancount,
    /// hledger.
    Hledger,
    /// ledger.
    Ledger,
}

/// What a journal holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JournalSummary {
    /// How many accounts.
    pub accounts: u64,
    /// How many transactions.
    pub transactions: u64,
    /// How many entries.
    pub entries: u64,
    /// The position of the log's last event.
    pub position: i64,
}

/// An account as it was opened.
#[derive(Debug)]
struct Opened {
    code: Box<str>,
    currency: Box<str>,
    account_type: AccountType,
    class: Box<str>,
}

/// A leg, of which the rest of the transaction may still be to come.
#[derive(Debug)]
struct Entry {
    position: i64,
    recorded_at: i64,
    account: Box<str>,
    debit: bool,
    leg: u32,
    legs: u32,
    transaction: String,
    kind: String,
    amount: String,
    balance_after: String,
    effective_on: String,
    value_date: Option<String>,
    item: Option<String>,
    cause: Option<String>,
}

/// Writes the journal of a database's log to `out`.
///
/// # Errors
/// As [`super::export`]; [`AuditError::Journal`] for an event that no journal can have.
pub async fn export_journal(
    pool: &PgPool,
    format: Format,
    out: impl Write,
    mut progress: impl FnMut(Progress),
) -> Result<JournalSummary, AuditError> {
    let mut log = LogReader::open(pool).await?;
    let mut journal = Journal::start(format, out)?;
    let mut events = 0_u64;
    while let Some(chunk) = log.next_chunk().await? {
        for item in chunk.items() {
            journal.item(&item)?;
        }
        events = events.saturating_add(chunk.events());
        progress(Progress { events, of: Some(log.last_position) });
    }
    log.close().await?;
    journal.finish()
}

/// Writes the journal of an export to `out`; no database is needed.
///
/// # Errors
/// As [`export_journal`]; [`AuditError::Cut`] for an export without its last line.
pub fn convert_journal(
    reader: impl BufRead,
    format: Format,
    out: impl Write,
    mut progress: impl FnMut(Progress),
) -> Result<JournalSummary, AuditError> {
    let mut lines = Lines::new(reader);
    let mut journal = Journal::start(format, out)?;
    let mut events = 0_u64;
    while let Some(chunk) = lines.next_chunk()? {
        for item in chunk.items() {
            journal.item(&item)?;
        }
        events = events.saturating_add(chunk.events());
        progress(Progress { events, of: None });
    }
    if !journal.ended {
        return Err(AuditError::Cut);
    }
    journal.finish()
}

struct Journal<W> {
    format: Format,
    out: W,
    accounts: HashMap<Box<str>, Opened>,
    /// What the format calls the accounts that it was told of.
    named: HashSet<String>,
    transaction: Vec<Entry>,
    summary: JournalSummary,
    ended: bool,
}

impl<W: Write> Journal<W> {
    fn start(format: Format, mut out: W) -> Result<Self, AuditError> {
        match format {
            Format::Csv => csv::header(&mut out)?,
            Format::Beancount | Format::Hledger | Format::Ledger => {
                plain::header(format, &mut out)?;
            }
        }
        Ok(Self {
            format,
            out,
            accounts: HashMap::new(),
            named: HashSet::new(),
            transaction: Vec::new(),
            summary: JournalSummary::default(),
            ended: false,
        })
    }

    fn item(&mut self, item: &Item<'_>) -> Result<(), AuditError> {
        match item {
            Item::Event(event) => self.event(event),
            Item::Batch(_) => Ok(()),
            Item::End(_) => {
                self.ended = true;
                Ok(())
            }
            Item::Unreadable { line, reason } => {
                let reason = format!("line {line} of the export is none: {reason}");
                Err(AuditError::Journal { position: self.summary.position, reason })
            }
        }
    }

    fn event(&mut self, event: &Event<'_>) -> Result<(), AuditError> {
        self.summary.position = event.position;
        let refuse = |reason| AuditError::Journal { position: event.position, reason };
        match (event.aggregate_type, event.event_type) {
            ("account", "opened") => {
                let opened = payload::read(event.payload).map_err(refuse)?;
                self.opened(event, &opened)
            }
            ("account", "debited" | "credited") => {
                let leg = payload::read(event.payload).map_err(refuse)?;
                self.leg(event, &leg)
            }
            _ => Ok(()),
        }
    }

    fn opened(&mut self, event: &Event<'_>, opened: &AccountOpened<'_>) -> Result<(), AuditError> {
        let Some((code, currency)) = event.aggregate_id.rsplit_once(':') else {
            let reason = "an account's id is a code, ':' and a currency".to_owned();
            return Err(AuditError::Journal { position: event.position, reason });
        };
        let account = Opened {
            code: Box::from(code),
            currency: Box::from(currency),
            account_type: opened.account_type,
            class: Box::from(&*opened.class),
        };
        let name = match self.format {
            Format::Csv => None,
            Format::Beancount => Some(account::beancount(&account)),
            Format::Hledger | Format::Ledger => Some(account::plain(&account)),
        };
        if let Some(name) = name.filter(|name| !self.named.contains(name)) {
            plain::account(self.format, &mut self.out, &name, account.account_type)?;
            self.named.insert(name);
        }
        self.summary.accounts = self.summary.accounts.saturating_add(1);
        self.accounts.insert(Box::from(event.aggregate_id), account);
        Ok(())
    }

    fn leg(&mut self, event: &Event<'_>, leg: &Leg<'_>) -> Result<(), AuditError> {
        let text = |text: &super::text::Text<'_>| (**text).to_owned();
        let entry = Entry {
            position: event.position,
            recorded_at: event.recorded_at,
            account: Box::from(event.aggregate_id),
            debit: event.event_type == "debited",
            leg: leg.leg,
            legs: leg.legs,
            transaction: text(&leg.transaction_id),
            kind: text(&leg.kind),
            amount: text(&leg.amount),
            balance_after: text(&leg.balance_after),
            effective_on: text(&leg.effective_on),
            value_date: leg.value_date.as_ref().map(text),
            item: leg.item.as_ref().map(text),
            cause: leg.cause.as_ref().map(text),
        };
        let refuse = |reason: &str| {
            Err(AuditError::Journal { position: event.position, reason: reason.to_owned() })
        };
        let begun = self.transaction.first().map(|first| first.transaction.as_str());
        if begun.is_some_and(|begun| begun != entry.transaction) {
            return refuse("the transaction before it lacks a leg");
        }
        if !self.accounts.contains_key(&entry.account) {
            return refuse("its account was never opened");
        }
        if time::date(&entry.effective_on).is_none() {
            return refuse("its business date is none");
        }
        let complete = entry.leg >= entry.legs;
        self.transaction.push(entry);
        if complete { self.transaction_ends() } else { Ok(()) }
    }

    fn transaction_ends(&mut self) -> Result<(), AuditError> {
        let legs = std::mem::take(&mut self.transaction);
        let count = u64::try_from(legs.len()).unwrap_or(u64::MAX);
        self.summary.entries = self.summary.entries.saturating_add(count);
        self.summary.transactions = self.summary.transactions.saturating_add(1);
        let legs: Vec<(&Entry, &Opened)> = legs
            .iter()
            .filter_map(|leg| self.accounts.get(&leg.account).map(|account| (leg, account)))
            .collect();
        match self.format {
            Format::Csv => csv::transaction(&mut self.out, &legs),
            Format::Beancount => plain::beancount(&mut self.out, &legs),
            Format::Hledger | Format::Ledger => plain::transaction(&mut self.out, &legs),
        }
    }

    fn finish(mut self) -> Result<JournalSummary, AuditError> {
        if let Some(leg) = self.transaction.last() {
            let reason = "its transaction lacks a leg".to_owned();
            return Err(AuditError::Journal { position: leg.position, reason });
        }
        match self.format {
            // A line that is no row would be one for a spreadsheet.
            Format::Csv => {}
            Format::Beancount | Format::Hledger | Format::Ledger => {
                plain::end(&mut self.out, &self.summary)?;
            }
        }
        self.out.flush()?;
        Ok(self.summary)
    }
}
