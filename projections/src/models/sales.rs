//! `sales` and `settling_days`: what each shop sold by the quarter of an hour, and what of it
//! settles on which day.
//!
//! A shop's home page shows sums of a day. Added up here as payments happen, a day is 96 rows,
//! however many payments it had. A quarter of an hour, since every zone's day begins at one.

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta};
use ledger_core::{
    clock::Timestamp,
    log::Position,
    payment::{Completed, Payment, PaymentEvent},
};
use rust_decimal::Decimal;
use sqlx::PgConnection;

use super::{
    Schema, add_to,
    streams::{Fact, Lived, Place},
};
use crate::error::{Poison, PoisonReason, ProjectionError};

/// Seconds of a quarter of an hour.
const QUARTER: i64 = 15 * 60;

/// Adds what happened to these payments after the position `after`.
pub(super) async fn write_in_tx(
    lives: &[Lived<Payment>],
    after: Position,
    db: &mut PgConnection,
    schema: Schema,
) -> Result<(), ProjectionError> {
    let mut changes = Changes::default();
    for lived in lives {
        let completed = lived.object.properties().ok_or_else(|| lived.malformed())?;
        let currency = completed.payer.currency().map_err(|_| lived.malformed())?.to_string();
        let shop = (completed.merchant.to_string(), currency);
        changes
            .add(lived, (completed, shop), after)
            .map_err(|reason| ProjectionError::Poison(Poison { position: lived.last.0, reason }))?;
    }
    changes.write(db, schema).await
}

/// A shop with a currency.
type Shop = (String, String);

#[derive(Default)]
struct Changes {
    sales: BTreeMap<(Shop, Timestamp), Sales>,
    settling: BTreeMap<(Shop, NaiveDate), Settling>,
}

#[derive(Default)]
struct Sales {
    payments: i64,
    gross: Decimal,
    fee: Decimal,
    tax: Decimal,
    refunds: Decimal,
}

/// What waits for a day: more of it, or less.
#[derive(Default)]
struct Settling {
    payments: i64,
    amount: Decimal,
}

impl Changes {
    fn add(
        &mut self,
        lived: &Lived<Payment>,
        (completed, shop): (&Completed, Shop),
        after: Position,
    ) -> Result<(), PoisonReason> {
        for fact in lived.facts.iter().filter(|fact| fact.place.0 > after) {
            let key = (shop.clone(), quarter(fact.place));
            match &fact.event {
                PaymentEvent::Completed(_) => {
                    let sum = self.sales.entry(key).or_default();
                    sum.payments = sum.payments.saturating_add(1);
                    add_to(&mut sum.gross, completed.amount)?;
                    add_to(&mut sum.fee, completed.fee.saturating_sub(completed.tax))?;
                    add_to(&mut sum.tax, completed.tax)?;
                }
                PaymentEvent::RefundCompleted(done) => {
                    let refund = lived.object.refund(done.refund_id);
                    let amount = refund.map_or(Decimal::ZERO, |refund| refund.amount);
                    add_to(&mut self.sales.entry(key).or_default().refunds, amount)?;
                }
                PaymentEvent::Settled(_)
                | PaymentEvent::RefundRequested(_)
                | PaymentEvent::RefundFailed(_)
                | PaymentEvent::RefundCancelled(_)
                | PaymentEvent::DisputeOpened(_)
                | PaymentEvent::DisputeDecided(_) => {}
            }
        }
        let (now, before) = (waits(&lived.object), before(&lived.facts, after));
        let day = self.settling.entry((shop, completed.settles_on)).or_default();
        day.payments = day.payments.saturating_add(now.0.saturating_sub(before.0));
        add_to(&mut day.amount, now.1.saturating_sub(before.1))
    }

    async fn write(self, db: &mut PgConnection, schema: Schema) -> Result<(), ProjectionError> {
        if !self.sales.is_empty() {
            write_sales(self.sales, db, schema).await?;
        }
        if !self.settling.is_empty() {
            write_settling(self.settling, db, schema).await?;
        }
        Ok(())
    }
}

/// When the quarter of an hour began.
fn quarter((_, at): Place) -> Timestamp {
    let into = at.timestamp().rem_euclid(QUARTER);
    let nanos = i64::from(at.timestamp_subsec_nanos());
    at - TimeDelta::seconds(into) - TimeDelta::nanoseconds(nanos)
}

/// Whether a payment waits for its day, as a number, and with how much.
fn waits(payment: &Payment) -> (i64, Decimal) {
    let is_waiting = payment.properties().is_some() && payment.settled().is_none();
    (i64::from(is_waiting), payment.unsettled())
}

/// The same of what the payment was at a position.
fn before(facts: &[Fact<PaymentEvent>], after: Position) -> (i64, Decimal) {
    let known = facts.iter().take_while(|fact| fact.place.0 <= after);
    waits(&Payment::of(known.map(|fact| fact.event.clone())))
}

async fn write_sales(
    sums: BTreeMap<(Shop, Timestamp), Sales>,
    db: &mut PgConnection,
    schema: Schema,
) -> Result<(), ProjectionError> {
    let (mut merchant, mut currency, mut begins) = (Vec::new(), Vec::new(), Vec::new());
    let (mut payments, mut gross, mut fee) = (Vec::new(), Vec::new(), Vec::new());
    let (mut tax, mut refunds) = (Vec::new(), Vec::new());
    for (((shop, of), at), sum) in sums {
        merchant.push(shop);
        currency.push(of);
        begins.push(at);
        payments.push(sum.payments);
        gross.push(sum.gross);
        fee.push(sum.fee);
        tax.push(sum.tax);
        refunds.push(sum.refunds);
    }
    let sql = format!(
        "insert into {}.sales as s
             (merchant, currency, begins_at, payments, gross, fee, tax, refunds)
         select * from unnest($1::text[], $2::text[], $3::timestamptz[], $4::bigint[],
             $5::numeric[], $6::numeric[], $7::numeric[], $8::numeric[])
         on conflict on constraint sales_pkey do update set
             payments = s.payments + excluded.payments, gross = s.gross + excluded.gross,
             fee = s.fee + excluded.fee, tax = s.tax + excluded.tax,
             refunds = s.refunds + excluded.refunds",
        schema.name()
    );
    let query = sqlx::query(&sql).bind(merchant).bind(currency).bind(begins).bind(payments);
    query.bind(gross).bind(fee).bind(tax).bind(refunds).execute(db).await?;
    Ok(())
}

async fn write_settling(
    days: BTreeMap<(Shop, NaiveDate), Settling>,
    db: &mut PgConnection,
    schema: Schema,
) -> Result<(), ProjectionError> {
    let (mut merchant, mut currency, mut day) = (Vec::new(), Vec::new(), Vec::new());
    let (mut payments, mut amount) = (Vec::new(), Vec::new());
    for (((shop, of), on), waiting) in days {
        merchant.push(shop);
        currency.push(of);
        day.push(on);
        payments.push(waiting.payments);
        amount.push(waiting.amount);
    }
    // A day that is over keeps its row of nothing: a rebuild makes the same one.
    let sql = format!(
        "insert into {}.settling_days as s (merchant, currency, day, payments, amount)
         select * from unnest($1::text[], $2::text[], $3::date[], $4::bigint[], $5::numeric[])
         on conflict on constraint settling_days_pkey do update set
             payments = s.payments + excluded.payments, amount = s.amount + excluded.amount",
        schema.name()
    );
    let query = sqlx::query(&sql).bind(merchant).bind(currency).bind(day);
    query.bind(payments).bind(amount).execute(db).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_begins_on_the_quarter_in_every_zone() {
        let begins = |text: &str| quarter((1, text.parse().unwrap())).to_rfc3339();
        assert_eq!(begins("2026-11-23T18:29:59.999999Z"), "2026-11-23T18:15:00+00:00");
        // Midnight in India.
        assert_eq!(begins("2026-11-23T18:30:00Z"), "2026-11-23T18:30:00+00:00");
        assert_eq!(begins("1969-12-31T23:59:59.5Z"), "1969-12-31T23:45:00+00:00");
    }
}
