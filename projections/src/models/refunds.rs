//! `refunds`: what shops give back, and what waits until they can. A row is what the payment's
//! aggregate knows of the refund.

use ledger_core::{
    clock::Timestamp,
    ids::RefundId,
    payment::{Payment, PaymentEvent},
};
use rust_decimal::Decimal;
use sqlx::{PgConnection, types::Uuid};

use super::{
    Schema, bigint,
    payment_requests::text,
    streams::{Lived, Place},
};
use crate::error::ProjectionError;

/// Writes the refunds of these payments as they are now.
pub(super) async fn write_in_tx(
    lives: &[Lived<Payment>],
    db: &mut PgConnection,
    schema: Schema,
) -> Result<(), ProjectionError> {
    let mut rows = Rows::default();
    for lived in lives {
        rows.push(lived)?;
    }
    if rows.id.is_empty() { Ok(()) } else { rows.upsert(db, schema).await }
}

/// The refund that an event is about.
pub(super) const fn refund_of(event: &PaymentEvent) -> Option<RefundId> {
    match event {
        PaymentEvent::RefundRequested(asked) => Some(asked.refund_id),
        PaymentEvent::RefundCompleted(done) => Some(done.refund_id),
        PaymentEvent::RefundFailed(failed) => Some(failed.refund_id),
        PaymentEvent::RefundCancelled(cancelled) => Some(cancelled.refund_id),
        PaymentEvent::Completed(_)
        | PaymentEvent::Settled(_)
        | PaymentEvent::DisputeOpened(_)
        | PaymentEvent::DisputeDecided(_) => None,
    }
}

/// When a refund was asked for, and when something last happened to it.
pub(super) fn span(lived: &Lived<Payment>, refund: RefundId) -> Option<(Place, Place)> {
    let own = |fact: &&super::streams::Fact<PaymentEvent>| refund_of(&fact.event) == Some(refund);
    let mut facts = lived.facts.iter().filter(own);
    let first = facts.next()?.place;
    Some((first, facts.next_back().map_or(first, |fact| fact.place)))
}

#[derive(Default)]
struct Rows {
    id: Vec<Uuid>,
    payment: Vec<Uuid>,
    merchant: Vec<String>,
    payer: Vec<String>,
    currency: Vec<String>,
    amount: Vec<Decimal>,
    status: Vec<&'static str>,
    reason: Vec<Option<String>>,
    requested_at: Vec<Timestamp>,
    requested_position: Vec<i64>,
    changed_at: Vec<Timestamp>,
    last_position: Vec<i64>,
}

impl Rows {
    fn push(&mut self, lived: &Lived<Payment>) -> Result<(), ProjectionError> {
        let Some(completed) = lived.object.properties() else {
            return Err(lived.malformed());
        };
        let currency = completed.payer.currency().map_err(|_| lived.malformed())?;
        for refund in lived.object.refunds() {
            let span = span(lived, refund.refund_id);
            let (first, last) = span.ok_or_else(|| lived.malformed())?;
            self.id.push(refund.refund_id.uuid());
            self.payment.push(lived.id.uuid());
            self.merchant.push(completed.merchant.as_str().to_owned());
            self.payer.push(completed.payer.as_str().to_owned());
            self.currency.push(currency.as_str().to_owned());
            self.amount.push(refund.amount);
            self.status.push(refund.status.as_str());
            self.reason.push(text(refund.reason.as_ref()));
            self.requested_at.push(first.1);
            self.requested_position.push(bigint(first.0)?);
            self.changed_at.push(last.1);
            self.last_position.push(bigint(last.0)?);
        }
        Ok(())
    }

    async fn upsert(self, db: &mut PgConnection, schema: Schema) -> Result<(), ProjectionError> {
        let sql = format!(
            "insert into {}.refunds (id, payment_id, merchant, payer_id, currency, amount, status,
                 reason, requested_at, requested_position, changed_at, last_position)
             select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[],
                 $6::numeric[], $7::text[], $8::text[], $9::timestamptz[], $10::bigint[],
                 $11::timestamptz[], $12::bigint[])
             on conflict (id) do update set
                 status = excluded.status, reason = excluded.reason,
                 changed_at = excluded.changed_at, last_position = excluded.last_position",
            schema.name()
        );
        sqlx::query(&sql)
            .bind(self.id)
            .bind(self.payment)
            .bind(self.merchant)
            .bind(self.payer)
            .bind(self.currency)
            .bind(self.amount)
            .bind(self.status)
            .bind(self.reason)
            .bind(self.requested_at)
            .bind(self.requested_position)
            .bind(self.changed_at)
            .bind(self.last_position)
            .execute(db)
            .await?;
        Ok(())
    }
}
