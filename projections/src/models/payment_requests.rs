//! `payment_requests`: what shops ask to be paid, for lists, for who pays and for the sweeper.
//!
//! A row is the aggregate itself, folded from its whole stream up to the end of the run. One for
//! many payments has a stream of one event or two, however often it is paid.

use ledger_core::{
    clock::Timestamp,
    ids::{PaymentId, Reference},
    payment_request::PaymentRequest,
};
use rust_decimal::Decimal;
use sqlx::{PgConnection, types::Uuid};

use super::{Schema, bigint, streams::Lived};
use crate::error::ProjectionError;

/// Writes the payment requests as they are now.
pub(super) async fn write_in_tx(
    lives: &[Lived<PaymentRequest>],
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
    merchant: Vec<String>,
    currency: Vec<String>,
    amount: Vec<Option<Decimal>>,
    order: Vec<Option<String>>,
    store: Vec<Option<String>>,
    terminal: Vec<Option<String>>,
    single_use: Vec<bool>,
    status: Vec<&'static str>,
    payment: Vec<Option<Uuid>>,
    expires_at: Vec<Option<Timestamp>>,
    created_at: Vec<Timestamp>,
    created_position: Vec<i64>,
    changed_at: Vec<Timestamp>,
    sequence: Vec<i64>,
    last_position: Vec<i64>,
}

/// A reference as a column.
pub(super) fn text(reference: Option<&Reference>) -> Option<String> {
    reference.map(|reference| reference.as_str().to_owned())
}

impl Rows {
    fn push(&mut self, lived: &Lived<PaymentRequest>) -> Result<(), ProjectionError> {
        let request = &lived.object;
        let Some((created, status)) = request.properties().zip(request.status()) else {
            return Err(lived.malformed());
        };
        self.id.push(lived.id.uuid());
        self.merchant.push(created.merchant.as_str().to_owned());
        self.currency.push(created.currency.as_str().to_owned());
        self.amount.push(created.amount);
        self.order.push(text(created.order.as_ref()));
        self.store.push(text(created.store.as_ref()));
        self.terminal.push(text(created.terminal.as_ref()));
        self.single_use.push(created.single_use);
        self.status.push(status.as_str());
        self.payment.push(request.payment().map(PaymentId::uuid));
        self.expires_at.push(created.expires_at);
        self.created_at.push(lived.first.1);
        self.created_position.push(bigint(lived.first.0)?);
        self.changed_at.push(lived.last.1);
        self.sequence.push(lived.sequence());
        self.last_position.push(bigint(lived.last.0)?);
        Ok(())
    }

    async fn upsert(self, db: &mut PgConnection, schema: Schema) -> Result<(), ProjectionError> {
        let sql = format!(
            "insert into {}.payment_requests (id, merchant, currency, amount, order_id, store,
                 terminal, single_use, status, payment_id, expires_at, created_at,
                 created_position, changed_at, sequence, last_position)
             select * from unnest($1::uuid[], $2::text[], $3::text[], $4::numeric[], $5::text[],
                 $6::text[], $7::text[], $8::bool[], $9::text[], $10::uuid[], $11::timestamptz[],
                 $12::timestamptz[], $13::bigint[], $14::timestamptz[], $15::bigint[],
                 $16::bigint[])
             on conflict (id) do update set
                 status = excluded.status, payment_id = excluded.payment_id,
                 changed_at = excluded.changed_at, sequence = excluded.sequence,
                 last_position = excluded.last_position",
            schema.name()
        );
        sqlx::query(&sql)
            .bind(self.id)
            .bind(self.merchant)
            .bind(self.currency)
            .bind(self.amount)
            .bind(self.order)
            .bind(self.store)
            .bind(self.terminal)
            .bind(self.single_use)
            .bind(self.status)
            .bind(self.payment)
            .bind(self.expires_at)
            .bind(self.created_at)
            .bind(self.created_position)
            .bind(self.changed_at)
            .bind(self.sequence)
            .bind(self.last_position)
            .execute(db)
            .await?;
        Ok(())
    }
}
