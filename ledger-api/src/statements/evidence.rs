//! What booking reads: lines that wait, and what was booked already.

use chrono::NaiveDate;
use ledger_core::{
    bank_line::{HouseAccount, LineDirection, LineKey, Purpose},
    ids::{BankCode, BankLineId, DepositId, Item, Reference, WithdrawalId},
    money::CurrencyCode,
};
use rust_decimal::Decimal;
use sqlx::{PgPool, Row, postgres::PgRow};

/// A line as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredLine {
    /// Its place among all lines.
    pub(super) number: i64,
    pub(crate) key: LineKey,
    pub(super) booking_date: NaiveDate,
    pub(crate) currency: CurrencyCode,
    pub(crate) amount: Decimal,
    pub(super) utr: Option<Reference>,
    pub(super) reference: Option<Reference>,
    pub(super) narration: String,
}

/// What a line was booked as.
pub(super) struct Booking<'a> {
    pub(super) purpose: Purpose,
    pub(super) item: Option<&'a str>,
    pub(super) attempt: Option<u32>,
    pub(super) amount: Decimal,
}

const COLUMNS: &str = "l.id, l.bank, l.account, l.direction, l.value_date, l.bank_transaction_id,
    l.booking_date, l.currency, l.amount, l.utr, l.reference,
    coalesce(n.narration, '') as narration";

/// A line by its id.
pub(crate) async fn stored_line(pool: &PgPool, id: BankLineId) -> sqlx::Result<Option<StoredLine>> {
    let sql = format!(
        "select {COLUMNS} from statement_lines l left join statement_narrations n using (line_id)
         where l.line_id = $1"
    );
    let row = sqlx::query(&sql).bind(id.to_string()).fetch_optional(pool).await?;
    row.as_ref().map(stored).transpose()
}

/// Lines that wait to be booked, in the order in which the bank stated them; those after `after`.
pub(super) async fn unbooked(pool: &PgPool, after: i64, max: i64) -> sqlx::Result<Vec<StoredLine>> {
    let condition = "not exists (select from statement_bookings b where b.line_id = l.line_id)";
    lines(pool, condition, after, max).await
}

/// Lines that nobody could explain, and that name something, or credits that they are the lump of,
/// so that they may be explained now; those after `after`.
pub(super) async fn unexplained(
    pool: &PgPool,
    after: i64,
    max: i64,
) -> sqlx::Result<Vec<StoredLine>> {
    let condition = "(l.reference is not null or l.utr is not null
             or exists (select from statement_line_parts p where p.line_id = l.line_id))
        and l.line_id in
        (select b.line_id from statement_bookings b where b.purpose = 'unknown')";
    lines(pool, condition, after, max).await
}

async fn lines(
    pool: &PgPool,
    condition: &str,
    after: i64,
    max: i64,
) -> sqlx::Result<Vec<StoredLine>> {
    let sql = format!(
        "select {COLUMNS} from statement_lines l left join statement_narrations n using (line_id)
         where {condition} and l.id > $1 order by l.id limit $2"
    );
    let rows = sqlx::query(&sql).bind(after).bind(max).fetch_all(pool).await?;
    rows.iter().map(stored).collect()
}

fn stored(row: &PgRow) -> sqlx::Result<StoredLine> {
    let account = match row.try_get::<&str, _>("account")? {
        "own" => HouseAccount::Own,
        _ => HouseAccount::Escrow,
    };
    let direction = match row.try_get::<&str, _>("direction")? {
        "credit" => LineDirection::Credit,
        _ => LineDirection::Debit,
    };
    let optional = |column| -> sqlx::Result<Option<Reference>> {
        let text: Option<&str> = row.try_get(column)?;
        Ok(text.and_then(|text| text.parse().ok()))
    };
    Ok(StoredLine {
        number: row.try_get("id")?,
        key: LineKey {
            bank: parsed(row, "bank")?,
            account,
            direction,
            value_date: row.try_get("value_date")?,
            bank_transaction_id: parsed(row, "bank_transaction_id")?,
        },
        booking_date: row.try_get("booking_date")?,
        currency: parsed(row, "currency")?,
        amount: row.try_get("amount")?,
        utr: optional("utr")?,
        reference: optional("reference")?,
        narration: row.try_get("narration")?,
    })
}

fn parsed<T: std::str::FromStr>(row: &PgRow, column: &str) -> sqlx::Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text: &str = row.try_get(column)?;
    text.parse().map_err(|error: T::Err| sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: Box::new(error),
    })
}

/// What lines other than `but` paid of an attempt, and what they brought back of it.
pub(super) async fn booked_of(
    pool: &PgPool,
    withdrawal: WithdrawalId,
    attempt: u32,
    but: BankLineId,
) -> sqlx::Result<(Decimal, Decimal)> {
    sqlx::query_as(
        "select coalesce(sum(amount) filter (where purpose = 'payment'), 0),
                coalesce(sum(amount) filter (where purpose = 'arrival'), 0)
         from statement_bookings where item = $1 and attempt = $2 and line_id <> $3",
    )
    .bind(withdrawal.to_string())
    .bind(i32::try_from(attempt).unwrap_or(i32::MAX))
    .bind(but.to_string())
    .fetch_one(pool)
    .await
}

/// The withdrawal that a bank said it paid under this reference of its own, and that no statement
/// has shown yet.
pub(super) async fn paid_under(
    pool: &PgPool,
    bank: &BankCode,
    currency: CurrencyCode,
    utr: &Reference,
) -> sqlx::Result<Option<WithdrawalId>> {
    let item: Option<String> = sqlx::query_scalar(
        "select o.item from read.open_items o
         join events e on e.aggregate_type = 'withdrawal' and e.aggregate_id = o.item
         where o.account_id = $1 and e.event_type in ('completed', 'completed_late')
           and convert_from(e.payload, 'UTF8')::json ->> 'bank_reference' = $2
         limit 1",
    )
    .bind(format!("bank:{bank}:clearing_out:{currency}"))
    .bind(utr.as_str())
    .fetch_optional(pool)
    .await?;
    Ok(item.and_then(|item| item.parse().ok()))
}

/// The credit of a deposit that a debit takes back: a recall of it was granted, no line has shown
/// that yet, and the line names it by the reference between banks, by the bank's id of the credit,
/// or by the deposit's token. If the line was booked so before, the same again.
pub(super) async fn recalled_by(pool: &PgPool, line: &StoredLine) -> sqlx::Result<Option<Item>> {
    let sql = "
        select convert_from(payload, 'UTF8')::json -> 'parts' -> 0 ->> 'item' as item,
               0::bigint as at
        from events where aggregate_type = 'bank_line' and aggregate_id = $5
          and event_type in ('booked', 'resolved')
          and left(convert_from(payload, 'UTF8')::json -> 'parts' -> 0 ->> 'item', 4) = 'dep_'
        union all
        select o.item, o.opened_position
        from read.open_items o
        join events e on e.aggregate_type = 'deposit' and e.event_type in ('credited', 'put_aside')
             and e.aggregate_id = split_part(o.item, '.', 1)
        cross join lateral (select convert_from(e.payload, 'UTF8')::json as told) p
        where o.account_id = $1 and left(o.item, 4) = 'dep_' and o.net_debits = -$2::numeric
          and told ->> 'number' = split_part(o.item, '.', 2)
          and (told -> 'credit' ->> 'utr' = $3 or told -> 'credit' ->> 'credit_id' = $4
               or replace(split_part(o.item, '.', 1), '_', '') = $4)
        order by at limit 1";
    let item: Option<String> = sqlx::query_scalar(sql)
        .bind(format!("bank:{}:clearing_out:{}", line.key.bank, line.currency))
        .bind(line.amount)
        .bind(line.utr.as_ref().map(Reference::as_str))
        .bind(line.reference.as_ref().map(Reference::as_str))
        .bind(line.key.id().to_string())
        .fetch_optional(pool)
        .await?;
    Ok(item.and_then(|item| item.parse().ok()))
}

/// The item of the move of our own, approved by people, that a line is one end of: by its reference
/// in the bank's words, its amount, and the account and side where it must be; once for each end.
pub(super) async fn treasury_move(pool: &PgPool, line: &StoredLine) -> sqlx::Result<Option<Item>> {
    let sql = "
        select m.reference from treasury_moves m
        where m.status = 'approved' and m.currency = $1 and m.bank = $2 and m.amount = $3
          and (upper($4) = m.reference or strpos(upper($5), m.reference) > 0)
          and case m.direction when 'top_up' then ($6 = 'own') = ($7 = 'debit')
                               else ($6 = 'escrow') = ($7 = 'debit') end
          and not exists (
              select from statement_bookings b join statement_lines l using (line_id)
              where b.item = m.reference and l.account = $6 and l.line_id <> $8)
        limit 1";
    let (account, direction) = (line.key.account.as_str(), line.key.direction.as_str());
    let item: Option<String> = sqlx::query_scalar(sql)
        .bind(line.currency.as_str())
        .bind(line.key.bank.as_str())
        .bind(line.amount)
        .bind(line.reference.as_ref().map(Reference::as_str))
        .bind(&line.narration)
        .bind(account)
        .bind(direction)
        .bind(line.key.id().to_string())
        .fetch_optional(pool)
        .await?;
    Ok(item.and_then(|item| item.parse().ok()))
}

/// The deposit that the line of a credit is expected for: an enquiry told of it.
pub(super) async fn expected_by(
    pool: &PgPool,
    line: BankLineId,
) -> sqlx::Result<Option<DepositId>> {
    let item: Option<String> = sqlx::query_scalar(
        "select convert_from(payload, 'UTF8')::json ->> 'item' from events
         where aggregate_type = 'bank_line' and aggregate_id = $1 and event_type = 'expected'",
    )
    .bind(line.to_string())
    .fetch_optional(pool)
    .await?;
    let item = item.and_then(|item| item.parse().ok());
    Ok(item.and_then(|item| ledger_core::deposit::credit::of_item(&item)).map(|(id, _)| id))
}

/// Notes what a line was booked as. What it was noted as before stands, unless that was `unknown`.
pub(super) async fn note(pool: &PgPool, id: BankLineId, booking: &Booking<'_>) -> sqlx::Result<()> {
    let purpose = serde_json::to_value(booking.purpose).ok();
    let purpose = purpose.as_ref().and_then(serde_json::Value::as_str).unwrap_or("unknown");
    sqlx::query(
        "insert into statement_bookings as b (line_id, purpose, item, attempt, amount)
         values ($1, $2, $3, $4, $5)
         on conflict (line_id) do update
             set purpose = excluded.purpose, item = excluded.item, attempt = excluded.attempt
             where b.purpose = 'unknown'",
    )
    .bind(id.to_string())
    .bind(purpose)
    .bind(booking.item)
    .bind(booking.attempt.map(|attempt| i32::try_from(attempt).unwrap_or(i32::MAX)))
    .bind(booking.amount)
    .execute(pool)
    .await?;
    Ok(())
}
