//! The rows of `activity`: what is one, and how they are written.

use ledger_core::{clock::Timestamp, log::Position};
use rust_decimal::Decimal;
use sqlx::PgConnection;

use super::ActivityStatus;
use crate::{
    error::ProjectionError,
    models::{Schema, bigint},
};

/// What one wallet sees of one object.
pub(super) struct Row {
    pub(super) account: String,
    pub(super) object: String,
    pub(super) kind: String,
    pub(super) direction: &'static str,
    pub(super) status: ActivityStatus,
    pub(super) object_status: &'static str,
    pub(super) currency: String,
    pub(super) amount: Decimal,
    pub(super) fee: Decimal,
    pub(super) counterparty: Option<String>,
    pub(super) utr: Option<String>,
    pub(super) began: (Position, Timestamp),
    pub(super) changed: (Position, Timestamp),
}

/// Money towards the wallet.
pub(super) const IN: &str = "in";
/// Money away from it.
pub(super) const OUT: &str = "out";

#[derive(Default)]
struct Columns {
    account: Vec<String>,
    object: Vec<String>,
    kind: Vec<String>,
    direction: Vec<&'static str>,
    status: Vec<&'static str>,
    object_status: Vec<&'static str>,
    currency: Vec<String>,
    amount: Vec<Decimal>,
    fee: Vec<Decimal>,
    counterparty: Vec<Option<String>>,
    utr: Vec<Option<String>>,
    began_at: Vec<Timestamp>,
    began_position: Vec<i64>,
    changed_at: Vec<Timestamp>,
    last_position: Vec<i64>,
}

impl Columns {
    fn push(&mut self, row: Row) -> Result<(), ProjectionError> {
        self.account.push(row.account);
        self.object.push(row.object);
        self.kind.push(row.kind);
        self.direction.push(row.direction);
        self.status.push(row.status.as_str());
        self.object_status.push(row.object_status);
        self.currency.push(row.currency);
        self.amount.push(row.amount);
        self.fee.push(row.fee);
        self.counterparty.push(row.counterparty);
        self.utr.push(row.utr);
        self.began_at.push(row.began.1);
        self.began_position.push(bigint(row.began.0)?);
        self.changed_at.push(row.changed.1);
        self.last_position.push(bigint(row.changed.0)?);
        Ok(())
    }
}

/// Writes rows, over those that are there.
pub(super) async fn upsert_in_tx(
    db: &mut PgConnection,
    schema: Schema,
    rows: Vec<Row>,
) -> Result<(), ProjectionError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut columns = Columns::default();
    for row in rows {
        columns.push(row)?;
    }
    let sql = format!(
        "insert into {}.activity (account_id, object_id, kind, direction, status, object_status,
             currency, amount, fee, counterparty, utr, began_at, began_position, changed_at,
             last_position)
         select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[],
             $6::text[], $7::text[], $8::numeric[], $9::numeric[], $10::text[], $11::text[],
             $12::timestamptz[], $13::bigint[], $14::timestamptz[], $15::bigint[])
         on conflict on constraint activity_pkey do update set
             status = excluded.status, object_status = excluded.object_status,
             amount = excluded.amount, fee = excluded.fee,
             counterparty = excluded.counterparty, utr = excluded.utr,
             changed_at = excluded.changed_at, last_position = excluded.last_position",
        schema.name()
    );
    sqlx::query(&sql)
        .bind(columns.account)
        .bind(columns.object)
        .bind(columns.kind)
        .bind(columns.direction)
        .bind(columns.status)
        .bind(columns.object_status)
        .bind(columns.currency)
        .bind(columns.amount)
        .bind(columns.fee)
        .bind(columns.counterparty)
        .bind(columns.utr)
        .bind(columns.began_at)
        .bind(columns.began_position)
        .bind(columns.changed_at)
        .bind(columns.last_position)
        .execute(db)
        .await?;
    Ok(())
}
