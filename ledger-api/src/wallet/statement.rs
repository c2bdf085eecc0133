//! A wallet's statement over some days: what stood before, every line, what stood after, and the
//! place in the log by which anybody can check it.

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use ledger_core::{
    chart::Direction,
    ids::{AccountId, TransactionId},
    log::{self, Position},
    money::{Currency, Money},
};
use projections::{Order, Statement as Page, StatementLine, StatementQuery};
use tokio::sync::watch;

use super::{money, others, words};
use crate::http::{ApiState, Problem, codes, reach::nothing};

/// The most lines of a statement that a program is given at once: some hundred pages.
const LINES_MAX: u64 = 10_000;
/// The most lines of a file that pages hand out at once; longer ones are prepared first.
pub(crate) const AT_ONCE_LINES_MAX: u64 = 2_000;
/// The most lines of a file that is prepared.
pub(crate) const PREPARED_LINES_MAX: u64 = 50_000;
/// The most days of one statement.
const DAYS_MAX: i64 = 366;
/// Lines that are read at once.
const LINES_AT_ONCE: u32 = 1_000;

/// The days of a statement, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The first.
    pub from: NaiveDate,
    /// The last.
    pub to: NaiveDate,
}

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The wallet.
    pub account: AccountId,
    /// Whose, by name; of people only.
    pub owner: Option<String>,
    /// Its currency.
    pub currency: Currency,
    /// The days.
    pub period: Period,
    /// What stood before them.
    pub opening: Money,
    /// What stood after them.
    pub closing: Money,
    /// What came in.
    pub total_in: Money,
    /// What went out.
    pub total_out: Money,
    /// The lines, in the order in which they happened; perhaps only the first.
    pub lines: Vec<Line>,
    /// How many lines there are.
    pub line_count: u64,
    /// The place in the log that it reflects.
    pub position: Position,
    /// The hash of the event there, in hexadecimal digits.
    pub hash: String,
    /// When it was made.
    pub made_at: DateTime<Utc>,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The book's day.
    pub day: NaiveDate,
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// The kind of transaction.
    pub kind: String,
    /// The same in words.
    pub words: String,
    /// The object, or else the transaction.
    pub object: String,
    /// The transaction.
    pub transaction: TransactionId,
    /// Whether it is money in.
    pub is_in: bool,
    /// How much.
    pub amount: Money,
    /// What is on the wallet after it.
    pub balance: Money,
    /// The words that were put on it.
    pub note: Option<String>,
    /// Its place in the log.
    pub position: Position,
}

impl Period {
    /// A month, as `2026-11`.
    pub fn month(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        let digits =
            |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(year, 4) || !digits(month, 2) {
            return None;
        }
        let from = NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, 1)?;
        let next = match from.month() {
            12 => NaiveDate::from_ymd_opt(from.year().checked_add(1)?, 1, 1)?,
            month => NaiveDate::from_ymd_opt(from.year(), month.checked_add(1)?, 1)?,
        };
        Some(Self { from, to: next.pred_opt()? })
    }

    /// Whether it is one that a statement is made of: some days, a year at most.
    pub fn is_allowed(self) -> bool {
        let days = self.to.signed_duration_since(self.from).num_days();
        (0..DAYS_MAX).contains(&days)
    }
}

/// The statement of a wallet. 422 `statement_too_long` if it has too many lines for one.
pub(crate) async fn statement(
    state: &ApiState,
    account: &AccountId,
    period: Period,
) -> Result<Statement, Problem> {
    of_lines(state, account, period, Wanted::all(LINES_MAX)).await
}

/// The same with as many lines as a file that is prepared may have; `tell` hears how many were
/// read.
pub(crate) async fn long_statement(
    state: &ApiState,
    account: &AccountId,
    period: Period,
    tell: &watch::Sender<u64>,
) -> Result<Statement, Problem> {
    let wanted = Wanted { tell: Some(tell), ..Wanted::all(PREPARED_LINES_MAX) };
    of_lines(state, account, period, wanted).await
}

/// The same with the first lines only, however many there are: for a page.
pub(crate) async fn statement_start(
    state: &ApiState,
    account: &AccountId,
    period: Period,
    lines: u32,
) -> Result<Statement, Problem> {
    let wanted = Wanted { first: Some(lines), ..Wanted::all(u64::MAX) };
    of_lines(state, account, period, wanted).await
}

/// Which lines.
struct Wanted<'a> {
    /// The first so many only.
    first: Option<u32>,
    /// How many there may be altogether.
    at_most: u64,
    /// Who hears how many were read.
    tell: Option<&'a watch::Sender<u64>>,
}

impl Wanted<'_> {
    const fn all(at_most: u64) -> Self {
        Self { first: None, at_most, tell: None }
    }
}

async fn of_lines(
    state: &ApiState,
    account: &AccountId,
    period: Period,
    Wanted { first: most, at_most, tell }: Wanted<'_>,
) -> Result<Statement, Problem> {
    let head = state.ledger.status().borrow().head.position;
    state.read_models.wait_for(head, std::time::Duration::from_secs(2)).await?;
    let mut query = StatementQuery {
        account: account.clone(),
        from: Some(period.from),
        to: Some(period.to),
        order: Order::OldestFirst,
        cursor: None,
        limit: most.unwrap_or(LINES_AT_ONCE),
    };
    let first = state.read_models.statement(&query).await?;
    let position = first.position;
    let mut page = first.value.ok_or_else(nothing)?;
    if page.legs > at_most {
        let detail = format!("It would have {} lines; at most {at_most}.", page.legs);
        return Err(Problem::new(codes::STATEMENT_TOO_LONG, detail));
    }
    // What is posted meanwhile comes after all lines of the first look, and is not in its sums.
    let count = page.legs.min(most.map_or(u64::MAX, u64::from));
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let mut found = std::mem::take(&mut page.lines);
    let mut next = page.next;
    while let (Some(cursor), true) = (next, found.len() < count) {
        query.cursor = Some(cursor);
        let more = state.read_models.statement(&query).await?.value.ok_or_else(nothing)?;
        found.extend(more.lines);
        next = more.next;
        if let Some(tell) = tell {
            tell.send_replace(u64::try_from(found.len()).unwrap_or(u64::MAX));
        }
    }
    found.truncate(count);
    let hash = hash_at(state, position).await?;
    let made_at = state.clock.now();
    let mut made = made(account, &page, found, period, (position, hash, made_at))
        .map_err(|error| Problem::internal(&error))?;
    others::name(state, account, &mut made.lines).await?;
    Ok(made)
}

/// The hash of the event at a position.
async fn hash_at(state: &ApiState, position: Position) -> Result<String, Problem> {
    let before = position.saturating_sub(1);
    let events = log::read::events(&state.reads, before, position, 1).await;
    let events = events.map_err(|error| Problem::internal(&projections::describe(&error)))?;
    let event = events.first().ok_or_else(|| Problem::internal(&"a log without its end"))?;
    Ok(hex::encode(event.hash))
}

fn made(
    account: &AccountId,
    page: &Page,
    found: Vec<StatementLine>,
    period: Period,
    (position, hash, made_at): (Position, String, DateTime<Utc>),
) -> Result<Statement, ledger_core::money::MoneyError> {
    let currency = page.currency;
    let lines = found.into_iter().map(|line| made_line(line, currency));
    Ok(Statement {
        account: account.clone(),
        owner: None,
        currency,
        period,
        opening: money(page.opening, currency)?,
        closing: money(page.closing, currency)?,
        // A wallet is a liability of ours: what is credited to it comes in.
        total_in: money(page.credits, currency)?,
        total_out: money(page.debits, currency)?,
        lines: lines.collect::<Result<_, _>>()?,
        line_count: page.legs,
        position,
        hash,
        made_at,
    })
}

fn made_line(
    line: StatementLine,
    currency: Currency,
) -> Result<Line, ledger_core::money::MoneyError> {
    let is_in = line.direction == Direction::Credit;
    let object = line.cause.map_or_else(|| line.transaction_id.to_string(), |c| c.to_string());
    Ok(Line {
        day: line.effective_on,
        at: line.recorded_at,
        words: words::line(line.kind.as_str(), is_in).to_owned(),
        kind: line.kind.as_str().to_owned(),
        object,
        transaction: line.transaction_id,
        is_in,
        amount: money(line.amount, currency)?,
        balance: money(line.balance_after, currency)?,
        note: line.note,
        position: line.position,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn rupees(text: &str) -> Money {
        Money::parse(text, Currency { code: "INR".parse().unwrap(), scale: 2 }).unwrap()
    }

    pub(crate) fn line() -> Line {
        Line {
            day: NaiveDate::from_ymd_opt(2026, 11, 22).unwrap(),
            at: DateTime::UNIX_EPOCH,
            kind: "transfer".to_owned(),
            words: "Sent".to_owned(),
            object: "txn_01935c3a5e7c7d3e8f00a1b2c3d4e5f6".to_owned(),
            transaction: "txn_01935c3a5e7c7d3e8f00a1b2c3d4e5f6".parse().unwrap(),
            is_in: false,
            amount: rupees("1234567.80"),
            balance: rupees("0.20"),
            note: Some("=1+1, ₹ and more words than fit on one line".to_owned()),
            position: 9,
        }
    }

    pub(crate) fn statement(lines: usize) -> Statement {
        Statement {
            account: "wallet:asha:INR".parse().unwrap(),
            owner: Some("Asha Rao".to_owned()),
            currency: rupees("0").currency(),
            period: Period::month("2026-11").unwrap(),
            opening: rupees("0.00"),
            closing: rupees("0.20"),
            total_in: rupees("5.00"),
            total_out: rupees("4.80"),
            lines: vec![line(); lines],
            line_count: u64::try_from(lines).unwrap(),
            position: 48_213,
            hash: "ab".repeat(32),
            made_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_month_is_all_of_its_days() {
        let days = |text: &str| Period::month(text).map(|p| format!("{} {}", p.from, p.to));
        assert_eq!(days("2026-11").as_deref(), Some("2026-11-01 2026-11-30"));
        assert_eq!(days("2026-12").as_deref(), Some("2026-12-01 2026-12-31"));
        assert_eq!(days("2028-02").as_deref(), Some("2028-02-01 2028-02-29"));
        for bad in ["", "2026", "2026-13", "2026-00", "26-11", "2026-1", "+026-11", "2026-11-01"] {
            assert_eq!(days(bad), None, "{bad}");
        }
    }
}
