//! Where banks' statements and our books differ, oldest first.

use chrono::NaiveDate;
use ledger_core::clock::Timestamp;
use rust_decimal::Decimal;
use sqlx::{PgPool, Row, postgres::PgRow};

/// The most breaks that are listed.
const BREAKS_MAX: i64 = 1_000;
/// The most lines that are listed with what they were matched to.
const LINES_MAX: i64 = 50;

/// Something that one side has and the other has not, or has otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// `only_ours`, `only_theirs`, `amount_differs`, `vanished` or `changed`.
    pub kind: String,
    /// The account of ours that it is open on; of lines, the bank's.
    pub account: String,
    /// The business object or the line.
    pub item: String,
    /// How much; below zero if more was settled than was there.
    pub amount: Decimal,
    /// The currency.
    pub currency: String,
    /// Since when.
    pub since: Timestamp,
    /// The bank's number, of a line.
    pub bank_transaction_id: Option<String>,
    /// The reference that the line has, if it can be one of ours.
    pub reference: Option<String>,
    /// What is otherwise, in a few words.
    pub detail: Option<String>,
}

/// An account at a bank, as the bank states it and as we have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    /// The account.
    pub account: String,
    /// The last day that the bank stated.
    pub day: NaiveDate,
    /// Whether that day is closed.
    pub closed: bool,
    /// The bank's closing balance.
    pub stated: Decimal,
    /// The balance in our books.
    pub booked: Decimal,
    /// The currency.
    pub currency: String,
}

/// A line of a statement, and what it was matched to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    /// The line.
    pub line: String,
    /// The bank's day.
    pub day: NaiveDate,
    /// The account of ours.
    pub account: String,
    /// How much; below zero if it went.
    pub amount: Decimal,
    /// The currency.
    pub currency: String,
    /// The bank's number.
    pub bank_transaction_id: String,
    /// What it was booked as; nothing while it waits.
    pub purpose: Option<String>,
    /// The business object that it belongs to.
    pub item: Option<String>,
}

/// The last lines that banks stated, with what they were matched to, the newest first.
///
/// # Errors
/// What the database says.
pub async fn matched(pool: &PgPool) -> sqlx::Result<Vec<Matched>> {
    let sql = "
        select l.line_id, l.day, format('bank:%s:%s:%s', l.bank, l.account, l.currency) as account,
               case l.direction when 'credit' then l.amount else -l.amount end as amount,
               l.currency, scale(l.amount) as scale, l.bank_transaction_id, b.purpose, b.item
        from statement_lines l left join statement_bookings b using (line_id)
        order by l.id desc limit $1";
    let rows = sqlx::query(sql).bind(LINES_MAX).fetch_all(pool).await?;
    let one = |row: &PgRow| -> sqlx::Result<Matched> {
        Ok(Matched {
            line: row.try_get("line_id")?,
            day: row.try_get("day")?,
            account: row.try_get("account")?,
            amount: at_scale(row, row.try_get("amount")?)?,
            currency: row.try_get("currency")?,
            bank_transaction_id: row.try_get("bank_transaction_id")?,
            purpose: row.try_get("purpose")?,
            item: row.try_get("item")?,
        })
    };
    rows.iter().map(one).collect()
}

/// The breaks that stand: only ours if they are older than a day, for a statement comes later.
///
/// # Errors
/// What the database says.
pub async fn breaks(pool: &PgPool, now: Timestamp) -> sqlx::Result<Vec<Break>> {
    let sql = "
        with open as (
            select o.account_id, o.item, o.opened_at, a.currency, a.scale, a.code,
                   case when a.account_type in ('asset', 'expense') then o.net_debits
                        else -o.net_debits end as amount
            from read.open_items o join read.accounts a on a.id = o.account_id
            where a.code in ('suspense:credits', 'suspense:bank_debits')
               or a.code ~ '^bank:[^:]+:clearing_(in|out)$'
        ), standing as (
            select b.line_id, b.kind, b.detail, f.imported_at
            from statement_breaks b join statement_files f on f.id = b.file_id
            where not exists (select from statement_files later
                              where later.bank = f.bank and later.account = f.account
                                and later.day = f.day and later.id > f.id)
        )
        select 'only_ours' as kind, account_id as account, item, amount, currency, scale,
               opened_at as since, null as bank_transaction_id, null as reference, null as detail
        from open where code like 'bank:%' and opened_at < $2 - interval '1 day'
        union all
        select case when t.reference is null then 'only_theirs' else 'amount_differs' end,
               account_id, item, open.amount, open.currency, scale, opened_at,
               l.bank_transaction_id, l.reference, null
        from open left join statement_lines l on l.line_id = open.item
        left join read.withdrawal_attempts t on t.bank = l.bank and t.reference = l.reference
        where code like 'suspense:%'
        union all
        select s.kind, format('bank:%s:%s:%s', l.bank, l.account, l.currency), s.line_id,
               l.amount, l.currency, scale(l.amount), s.imported_at, l.bank_transaction_id,
               l.reference, s.detail
        from standing s join statement_lines l using (line_id)
        order by since, item limit $1";
    let rows = sqlx::query(sql).bind(BREAKS_MAX).bind(now).fetch_all(pool).await?;
    rows.iter().map(one_break).collect()
}

fn one_break(row: &PgRow) -> sqlx::Result<Break> {
    Ok(Break {
        kind: row.try_get("kind")?,
        account: row.try_get("account")?,
        item: row.try_get("item")?,
        amount: at_scale(row, row.try_get("amount")?)?,
        currency: row.try_get("currency")?,
        since: row.try_get("since")?,
        bank_transaction_id: row.try_get("bank_transaction_id")?,
        reference: row.try_get("reference")?,
        detail: row.try_get("detail")?,
    })
}

/// What the banks state last, beside our books.
///
/// # Errors
/// What the database says.
pub async fn stated(pool: &PgPool) -> sqlx::Result<Vec<Stated>> {
    let sql = "
        select distinct on (f.bank, f.account)
               format('bank:%s:%s:%s', f.bank, f.account, f.currency) as account, f.day, f.closed,
               f.closing, f.currency, coalesce(a.balance, 0) as booked,
               coalesce(a.scale, scale(f.closing)) as scale
        from statement_files f
        left join read.accounts a
               on a.id = format('bank:%s:%s:%s', f.bank, f.account, f.currency)
        order by f.bank, f.account, f.day desc, f.id desc";
    let rows = sqlx::query(sql).fetch_all(pool).await?;
    let one = |row: &PgRow| -> sqlx::Result<Stated> {
        Ok(Stated {
            account: row.try_get("account")?,
            day: row.try_get("day")?,
            closed: row.try_get("closed")?,
            stated: at_scale(row, row.try_get("closing")?)?,
            booked: at_scale(row, row.try_get("booked")?)?,
            currency: row.try_get("currency")?,
        })
    };
    rows.iter().map(one).collect()
}

fn at_scale(row: &PgRow, mut amount: Decimal) -> sqlx::Result<Decimal> {
    let scale: i32 = row.try_get("scale")?;
    amount.rescale(u32::try_from(scale).unwrap_or_default());
    Ok(amount)
}
