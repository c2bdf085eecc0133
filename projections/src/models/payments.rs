//! `payments`: what shops were paid, and what became of it.
//!
//! A row is the aggregate itself, folded from its whole stream up to the end of the run.

use chrono::NaiveDate;
use ledger_core::{
    clock::Timestamp,
    ids::PaymentRequestId,
    payment::{Completed, Dispute, DisputeWinner, Payment, PaymentEvent, RefundStatus, Settled},
};
use rust_decimal::Decimal;
use sqlx::{PgConnection, types::Uuid};

use super::{
    Schema, bigint,
    payment_requests::text,
    streams::{Lived, Place},
};
use crate::error::ProjectionError;

/// Writes the payments as they are now.
pub(super) async fn write_in_tx(
    lives: &[Lived<Payment>],
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

/// When a payment was settled, and by what.
pub(super) fn settled(lived: &Lived<Payment>) -> Option<(Place, &Settled)> {
    lived.facts.iter().find_map(|fact| match &fact.event {
        PaymentEvent::Settled(settled) => Some((fact.place, settled)),
        PaymentEvent::Completed(_)
        | PaymentEvent::RefundRequested(_)
        | PaymentEvent::RefundCompleted(_)
        | PaymentEvent::RefundFailed(_)
        | PaymentEvent::RefundCancelled(_)
        | PaymentEvent::DisputeOpened(_)
        | PaymentEvent::DisputeDecided(_) => None,
    })
}

/// Where a dispute is: open, or who has won it.
fn dispute_word(dispute: &Dispute) -> &'static str {
    dispute.won_by.map_or("open", DisputeWinner::as_str)
}

#[derive(Default)]
struct Rows {
    id: Vec<Uuid>,
    merchant: Vec<String>,
    payer: Vec<String>,
    currency: Vec<String>,
    gross: Vec<Decimal>,
    fee: Vec<Decimal>,
    tax: Vec<Decimal>,
    net: Vec<Decimal>,
    refunded: Vec<Decimal>,
    pending: Vec<Decimal>,
    disputed: Vec<Decimal>,
    dispute: Vec<Option<&'static str>>,
    status: Vec<&'static str>,
    request: Vec<Option<Uuid>>,
    order: Vec<Option<String>>,
    store: Vec<Option<String>>,
    terminal: Vec<Option<String>>,
    settles_on: Vec<NaiveDate>,
    settlement: Vec<Option<Uuid>>,
    settled: Vec<Option<Decimal>>,
    settled_at: Vec<Option<Timestamp>>,
    paid_at: Vec<Timestamp>,
    paid_position: Vec<i64>,
    changed_at: Vec<Timestamp>,
    sequence: Vec<i64>,
    last_position: Vec<i64>,
}

impl Rows {
    fn push(&mut self, lived: &Lived<Payment>) -> Result<(), ProjectionError> {
        let payment = &lived.object;
        let known = payment.properties().zip(payment.status());
        let known = known.and_then(|(completed, status)| {
            Some((completed, status, completed.payer.currency().ok()?))
        });
        let Some((completed, status, currency)) = known else {
            return Err(lived.malformed());
        };
        self.id.push(lived.id.uuid());
        self.merchant.push(completed.merchant.as_str().to_owned());
        self.payer.push(completed.payer.as_str().to_owned());
        self.currency.push(currency.as_str().to_owned());
        self.push_money(payment, completed);
        self.status.push(status.as_str());
        self.request.push(completed.request.map(PaymentRequestId::uuid));
        self.order.push(text(completed.order.as_ref()));
        self.store.push(text(completed.store.as_ref()));
        self.terminal.push(text(completed.terminal.as_ref()));
        self.settles_on.push(completed.settles_on);
        let settled = settled(lived);
        self.settlement.push(settled.map(|(_, settled)| settled.settlement_id.uuid()));
        self.settled.push(settled.map(|(_, settled)| settled.amount));
        self.settled_at.push(settled.map(|(place, _)| place.1));
        self.paid_at.push(lived.first.1);
        self.paid_position.push(bigint(lived.first.0)?);
        self.changed_at.push(lived.last.1);
        self.sequence.push(lived.sequence());
        self.last_position.push(bigint(lived.last.0)?);
        Ok(())
    }

    fn push_money(&mut self, payment: &Payment, completed: &Completed) {
        let waits = |status| status == RefundStatus::Pending;
        let pending = payment.refunds().iter().filter(|refund| waits(refund.status));
        let pending = pending.map(|refund| refund.amount);
        let disputed = payment.dispute().map(Dispute::counts).unwrap_or_default();
        self.gross.push(completed.amount);
        self.fee.push(completed.fee.saturating_sub(completed.tax));
        self.tax.push(completed.tax);
        self.net.push(completed.net());
        self.refunded.push(payment.refunded());
        self.pending.push(pending.fold(Decimal::ZERO, Decimal::saturating_add));
        self.disputed.push(disputed);
        self.dispute.push(payment.dispute().map(dispute_word));
    }

    async fn upsert(self, db: &mut PgConnection, schema: Schema) -> Result<(), ProjectionError> {
        let sql = format!(
            "insert into {}.payments (id, merchant, payer_id, currency, gross, fee, tax, net,
                 refunded, pending, disputed, dispute, status, request_id, order_id, store,
                 terminal, settles_on, settlement_id, settled, settled_at, paid_at,
                 paid_position, changed_at, sequence, last_position)
             select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::numeric[],
                 $6::numeric[], $7::numeric[], $8::numeric[], $9::numeric[], $10::numeric[],
                 $11::numeric[], $12::text[], $13::text[], $14::uuid[], $15::text[], $16::text[],
                 $17::text[], $18::date[], $19::uuid[], $20::numeric[], $21::timestamptz[],
                 $22::timestamptz[], $23::bigint[], $24::timestamptz[], $25::bigint[],
                 $26::bigint[])
             on conflict (id) do update set
                 refunded = excluded.refunded, pending = excluded.pending,
                 disputed = excluded.disputed, dispute = excluded.dispute,
                 status = excluded.status, settlement_id = excluded.settlement_id,
                 settled = excluded.settled, settled_at = excluded.settled_at,
                 changed_at = excluded.changed_at, sequence = excluded.sequence,
                 last_position = excluded.last_position",
            schema.name()
        );
        sqlx::query(&sql)
            .bind(self.id)
            .bind(self.merchant)
            .bind(self.payer)
            .bind(self.currency)
            .bind(self.gross)
            .bind(self.fee)
            .bind(self.tax)
            .bind(self.net)
            .bind(self.refunded)
            .bind(self.pending)
            .bind(self.disputed)
            .bind(self.dispute)
            .bind(self.status)
            .bind(self.request)
            .bind(self.order)
            .bind(self.store)
            .bind(self.terminal)
            .bind(self.settles_on)
            .bind(self.settlement)
            .bind(self.settled)
            .bind(self.settled_at)
            .bind(self.paid_at)
            .bind(self.paid_position)
            .bind(self.changed_at)
            .bind(self.sequence)
            .bind(self.last_position)
            .execute(db)
            .await?;
        Ok(())
    }
}
