//! `deposits`: where each deposit is, for lists and for those who ask banks about them.
//!
//! A row is the aggregate itself, folded from its whole stream up to the end of the run.

use ledger_core::{clock::Timestamp, deposit::Deposit, ids::AccountId};
use rust_decimal::Decimal;
use sqlx::{PgConnection, types::Uuid};

use super::{Schema, bigint, streams::Lived};
use crate::error::ProjectionError;

/// Writes the deposits as they are now.
pub(super) async fn write_in_tx(
    lives: &[Lived<Deposit>],
    db: &mut PgConnection,
    schema: Schema,
) -> Result<(), ProjectionError> {
    if lives.is_empty() {
        return Ok(());
    }
    let mut rows = Rows::default();
    for lived in lives {
        rows.push(lived)?;
    }
    rows.upsert(db, schema).await
}

#[derive(Default)]
struct Rows {
    id: Vec<Uuid>,
    account: Vec<Option<String>>,
    currency: Vec<String>,
    bank: Vec<String>,
    amount: Vec<Option<Decimal>>,
    credited: Vec<Decimal>,
    aside: Vec<Decimal>,
    status: Vec<&'static str>,
    late: Vec<bool>,
    expires_at: Vec<Option<Timestamp>>,
    begun_at: Vec<Timestamp>,
    begun_position: Vec<i64>,
    changed_at: Vec<Timestamp>,
    sequence: Vec<i64>,
    last_position: Vec<i64>,
}

impl Rows {
    fn push(&mut self, lived: &Lived<Deposit>) -> Result<(), ProjectionError> {
        let deposit = &lived.object;
        let known = deposit.status().zip(deposit.bank()).zip(deposit.currency());
        let Some(((status, bank), currency)) = known else {
            return Err(lived.malformed());
        };
        let intent = deposit.intent();
        self.id.push(lived.id.uuid());
        self.account.push(deposit.account().map(AccountId::as_str).map(str::to_owned));
        self.currency.push(currency.as_str().to_owned());
        self.bank.push(bank.as_str().to_owned());
        self.amount.push(intent.map(|begun| begun.amount));
        self.credited.push(deposit.credited());
        self.aside.push(deposit.aside());
        self.status.push(status.as_str());
        self.late.push(deposit.is_late());
        self.expires_at.push(intent.map(|begun| begun.expires_at));
        self.begun_at.push(lived.first.1);
        self.begun_position.push(bigint(lived.first.0)?);
        self.changed_at.push(lived.last.1);
        self.sequence.push(lived.sequence());
        self.last_position.push(bigint(lived.last.0)?);
        Ok(())
    }

    async fn upsert(self, db: &mut PgConnection, schema: Schema) -> Result<(), ProjectionError> {
        let sql = format!(
            "insert into {}.deposits (id, account_id, currency, bank, amount, credited, aside,
                 status, late, expires_at, begun_at, begun_position, changed_at, sequence,
                 last_position)
             select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::numeric[],
                 $6::numeric[], $7::numeric[], $8::text[], $9::bool[], $10::timestamptz[],
                 $11::timestamptz[], $12::bigint[], $13::timestamptz[], $14::bigint[],
                 $15::bigint[])
             on conflict (id) do update set
                 credited = excluded.credited, aside = excluded.aside, status = excluded.status,
                 late = excluded.late, changed_at = excluded.changed_at,
                 sequence = excluded.sequence, last_position = excluded.last_position",
            schema.name()
        );
        sqlx::query(&sql)
            .bind(self.id)
            .bind(self.account)
            .bind(self.currency)
            .bind(self.bank)
            .bind(self.amount)
            .bind(self.credited)
            .bind(self.aside)
            .bind(self.status)
            .bind(self.late)
            .bind(self.expires_at)
            .bind(self.begun_at)
            .bind(self.begun_position)
            .bind(self.changed_at)
            .bind(self.sequence)
            .bind(self.last_position)
            .execute(db)
            .await?;
        Ok(())
    }
}
