//! `transfers`: where each transfer that waits or has waited is, for lists, for the sweeper and for
//! those who prove a number.
//!
//! A row is the aggregate itself, folded from its whole stream up to the end of the run.

use ledger_core::{
    clock::Timestamp,
    ids::{AccountId, Reference},
    transfer::Transfer,
};
use rust_decimal::Decimal;
use sqlx::{PgConnection, types::Uuid};

use super::{Schema, bigint, streams::Lived};
use crate::error::ProjectionError;

/// Writes the transfers as they are now.
pub(super) async fn write_in_tx(
    lives: &[Lived<Transfer>],
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
    account: Vec<String>,
    currency: Vec<String>,
    amount: Vec<Decimal>,
    fee: Vec<Decimal>,
    phone_hash: Vec<String>,
    status: Vec<&'static str>,
    receiver: Vec<Option<String>>,
    reason: Vec<Option<String>>,
    expires_at: Vec<Timestamp>,
    held_at: Vec<Timestamp>,
    held_position: Vec<i64>,
    changed_at: Vec<Timestamp>,
    sequence: Vec<i64>,
    last_position: Vec<i64>,
}

impl Rows {
    fn push(&mut self, lived: &Lived<Transfer>) -> Result<(), ProjectionError> {
        let transfer = &lived.object;
        let known = transfer.properties().zip(transfer.status());
        let known = known.and_then(|(held, status)| {
            let currency = held.account.currency().ok()?;
            Some((held, status, currency))
        });
        let Some((held, status, currency)) = known else {
            return Err(lived.malformed());
        };
        self.id.push(lived.id.uuid());
        self.account.push(held.account.as_str().to_owned());
        self.currency.push(currency.as_str().to_owned());
        self.amount.push(held.amount);
        self.fee.push(held.fee);
        self.phone_hash.push(held.phone_hash.as_str().to_owned());
        self.status.push(status.as_str());
        self.receiver.push(transfer.receiver().map(AccountId::as_str).map(str::to_owned));
        self.reason.push(transfer.reason().map(Reference::as_str).map(str::to_owned));
        self.expires_at.push(held.expires_at);
        self.held_at.push(lived.first.1);
        self.held_position.push(bigint(lived.first.0)?);
        self.changed_at.push(lived.last.1);
        self.sequence.push(lived.sequence());
        self.last_position.push(bigint(lived.last.0)?);
        Ok(())
    }

    async fn upsert(self, db: &mut PgConnection, schema: Schema) -> Result<(), ProjectionError> {
        let sql = format!(
            "insert into {}.transfers (id, account_id, currency, amount, fee, phone_hash, status,
                 receiver_id, reason, expires_at, held_at, held_position, changed_at, sequence,
                 last_position)
             select * from unnest($1::uuid[], $2::text[], $3::text[], $4::numeric[],
                 $5::numeric[], $6::text[], $7::text[], $8::text[], $9::text[],
                 $10::timestamptz[], $11::timestamptz[], $12::bigint[], $13::timestamptz[],
                 $14::bigint[], $15::bigint[])
             on conflict (id) do update set
                 status = excluded.status, receiver_id = excluded.receiver_id,
                 reason = excluded.reason, changed_at = excluded.changed_at,
                 sequence = excluded.sequence, last_position = excluded.last_position",
            schema.name()
        );
        sqlx::query(&sql)
            .bind(self.id)
            .bind(self.account)
            .bind(self.currency)
            .bind(self.amount)
            .bind(self.fee)
            .bind(self.phone_hash)
            .bind(self.status)
            .bind(self.receiver)
            .bind(self.reason)
            .bind(self.expires_at)
            .bind(self.held_at)
            .bind(self.held_position)
            .bind(self.changed_at)
            .bind(self.sequence)
            .bind(self.last_position)
            .execute(db)
            .await?;
        Ok(())
    }
}
