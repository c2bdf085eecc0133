//! Credits that lie in suspense: money that is there, and that nobody knows the owner of.
//!
//! Each is an item of `suspense:credits`: a deposit's credit (`dep_….1`) that its wallet could not
//! or must not take, or that nobody asked for; a line of a statement (`bl_…`) that nobody could
//! explain; or what was to be sent back (`wd_…`) and did not get through. This reads them, with
//! what the bank says of each, and guesses whose they may be ([`suggest`]). It decides nothing:
//! people do, and the ledger moves the money.

mod suggest;

use chrono::NaiveDate;
use ledger_core::{
    clock::Timestamp,
    ids::{BankCode, Item, Reference},
    money::CurrencyCode,
};
use rust_decimal::Decimal;
use sqlx::{PgPool, Row, postgres::PgRow};

pub use suggest::{Suggestion, Why, suggest};

/// The most credits in an answer.
pub const CREDITS_MAX: i64 = 500;

/// A credit in suspense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCredit {
    /// The item of `suspense:credits`.
    pub item: Item,
    /// How much is there.
    pub amount: Decimal,
    /// In which currency.
    pub currency: CurrencyCode,
    /// Since when.
    pub since: Timestamp,
    /// Why it is not on a wallet: a deposit's reason, `unexplained`, or `sending_back_failed`.
    pub reason: String,
    /// Whether people decided already that it goes back.
    pub to_return: bool,
    /// What the bank says of it.
    pub said: Option<Said>,
}

/// What a bank says of a credit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The bank.
    pub bank: BankCode,
    /// Its number for it.
    pub bank_transaction_id: Reference,
    /// Its day.
    pub value_date: NaiveDate,
    /// The reference between banks.
    pub utr: Option<Reference>,
    /// What the payer wrote as reference, if the line is there and has one.
    pub reference: Option<Reference>,
    /// The bank's words, if the line is there; may name people.
    pub narration: Option<String>,
}

/// The credits that lie in suspense, the oldest first; one of them, if an item is given.
///
/// # Errors
/// What the database says.
pub async fn open_credits(pool: &PgPool, item: Option<&Item>) -> sqlx::Result<Vec<OpenCredit>> {
    // A deposit's credit is told of by its events, a line by the statement; a deposit's credit may
    // have a line as well, which has the payer's words.
    let sql = "
        with open as (
            select o.item, -o.net_debits as amount, o.opened_at, a.currency, a.scale
            from read.open_items o join read.accounts a on a.id = o.account_id
            where a.code = 'suspense:credits' and o.item = coalesce($1, o.item)
            order by o.opened_at, o.item limit $2
        ), told as (
            select open.*, p.reason, p.credit, exists (
                select from events e where e.aggregate_type = 'deposit'
                and e.aggregate_id = split_part(open.item, '.', 1)
                and e.event_type = 'left_to_return'
                and convert_from(e.payload, 'UTF8')::json ->> 'number' = p.number) as to_return
            from open left join lateral (
                select told ->> 'reason' as reason, told -> 'credit' as credit,
                       told ->> 'number' as number
                from events e
                cross join lateral (select convert_from(e.payload, 'UTF8')::json as told) t
                where e.aggregate_type = 'deposit' and e.event_type = 'put_aside'
                  and e.aggregate_id = split_part(open.item, '.', 1)
                  and told ->> 'number' = split_part(open.item, '.', 2) limit 1) p on true
        )
        select t.item, t.amount, t.opened_at, t.currency, t.scale, t.to_return,
               coalesce(t.reason, case when starts_with(t.item, 'wd_')
                   then 'sending_back_failed' else 'unexplained' end) as reason,
               coalesce(l.bank, t.credit ->> 'bank') as bank,
               coalesce(l.bank_transaction_id, t.credit ->> 'bank_transaction_id') as number,
               coalesce(l.value_date, (t.credit ->> 'value_date')::date) as value_date,
               coalesce(l.utr, t.credit ->> 'utr') as utr, l.reference, n.narration
        from told t
        left join lateral (
            select * from statement_lines s where s.line_id = t.item
            union all
            select * from statement_lines s
            where s.bank = t.credit ->> 'bank' and s.account = 'escrow' and s.direction = 'credit'
              and s.value_date = (t.credit ->> 'value_date')::date
              and s.bank_transaction_id = t.credit ->> 'bank_transaction_id') l on true
        left join statement_narrations n on n.line_id = l.line_id
        order by t.opened_at, t.item";
    let item = item.map(Item::as_str);
    let rows = sqlx::query(sql).bind(item).bind(CREDITS_MAX).fetch_all(pool).await?;
    rows.iter().map(one).collect()
}

fn one(row: &PgRow) -> sqlx::Result<OpenCredit> {
    let scale: i32 = row.try_get("scale")?;
    let mut amount: Decimal = row.try_get("amount")?;
    amount.rescale(u32::try_from(scale).unwrap_or_default());
    Ok(OpenCredit {
        item: required(row, "item")?,
        amount,
        currency: required(row, "currency")?,
        since: row.try_get("opened_at")?,
        reason: row.try_get("reason")?,
        to_return: row.try_get("to_return")?,
        said: said(row)?,
    })
}

fn said(row: &PgRow) -> sqlx::Result<Option<Said>> {
    let value_date: Option<NaiveDate> = row.try_get("value_date")?;
    let known = optional(row, "bank")?.zip(optional(row, "number")?).zip(value_date);
    let Some(((bank, bank_transaction_id), value_date)) = known else { return Ok(None) };
    Ok(Some(Said {
        bank,
        bank_transaction_id,
        value_date,
        utr: optional(row, "utr")?,
        reference: optional(row, "reference")?,
        narration: row.try_get("narration")?,
    }))
}

fn required<T: std::str::FromStr>(row: &PgRow, column: &'static str) -> sqlx::Result<T> {
    optional(row, column)?.ok_or_else(|| sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: "a credit in suspense is malformed".into(),
    })
}

fn optional<T: std::str::FromStr>(row: &PgRow, column: &str) -> sqlx::Result<Option<T>> {
    let text: Option<&str> = row.try_get(column)?;
    Ok(text.and_then(|text| text.parse().ok()))
}
