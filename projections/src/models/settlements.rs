//! `settlements`: what became spendable of shops' payments.
//!
//! A settlement has no stream: its row is the sum of the payments' facts that name it. They are
//! counted once each, in the run in which they happened.

use std::collections::BTreeMap;

use ledger_core::{
    clock::Timestamp,
    ids::SettlementId,
    log::Position,
    payment::{Completed, Payment, Settled},
};
use rust_decimal::Decimal;
use sqlx::{PgConnection, types::Uuid};

use super::{
    Schema, add_to, bigint,
    payments::settled,
    streams::{Lived, Place},
};
use crate::error::{Poison, PoisonReason, ProjectionError};

/// Adds what these payments say of settlements after the position `after`.
pub(super) async fn write_in_tx(
    lives: &[Lived<Payment>],
    after: Position,
    db: &mut PgConnection,
    schema: Schema,
) -> Result<(), ProjectionError> {
    let mut sums: BTreeMap<SettlementId, Sums> = BTreeMap::new();
    for lived in lives {
        let Some((place, settled)) = settled(lived).filter(|(place, _)| place.0 > after) else {
            continue;
        };
        let completed = lived.object.properties().ok_or_else(|| lived.malformed())?;
        let currency = completed.payer.currency().map_err(|_| lived.malformed())?;
        let sum = sums.entry(settled.settlement_id).or_insert_with(|| Sums {
            merchant: completed.merchant.to_string(),
            currency: currency.as_str().to_owned(),
            last: place,
            ..Sums::default()
        });
        let position = place.0;
        sum.add(place, completed, settled)
            .map_err(|reason| ProjectionError::Poison(Poison { position, reason }))?;
    }
    if sums.is_empty() { Ok(()) } else { upsert(sums, db, schema).await }
}

#[derive(Default)]
struct Sums {
    merchant: String,
    currency: String,
    payments: i64,
    gross: Decimal,
    fee: Decimal,
    tax: Decimal,
    net: Decimal,
    repaid: Decimal,
    last: Place,
}

impl Sums {
    fn add(
        &mut self,
        place: Place,
        completed: &Completed,
        settled: &Settled,
    ) -> Result<(), PoisonReason> {
        self.payments = self.payments.saturating_add(1);
        add_to(&mut self.gross, completed.amount)?;
        add_to(&mut self.fee, completed.fee.saturating_sub(completed.tax))?;
        add_to(&mut self.tax, completed.tax)?;
        add_to(&mut self.net, settled.amount)?;
        add_to(&mut self.repaid, settled.repaid)?;
        self.last = self.last.max(place);
        Ok(())
    }

    /// What was taken out of the payments before they were settled.
    fn taken(&self) -> Decimal {
        let parts = [self.fee, self.tax, self.net].into_iter();
        parts.fold(self.gross, Decimal::saturating_sub)
    }
}

#[derive(Default)]
struct Rows {
    id: Vec<Uuid>,
    merchant: Vec<String>,
    currency: Vec<String>,
    payments: Vec<i64>,
    gross: Vec<Decimal>,
    fee: Vec<Decimal>,
    tax: Vec<Decimal>,
    refunds: Vec<Decimal>,
    net: Vec<Decimal>,
    repaid: Vec<Decimal>,
    settled_at: Vec<Timestamp>,
    position: Vec<i64>,
}

async fn upsert(
    sums: BTreeMap<SettlementId, Sums>,
    db: &mut PgConnection,
    schema: Schema,
) -> Result<(), ProjectionError> {
    let mut rows = Rows::default();
    for (id, sum) in sums {
        rows.id.push(id.uuid());
        rows.refunds.push(sum.taken());
        rows.merchant.push(sum.merchant);
        rows.currency.push(sum.currency);
        rows.payments.push(sum.payments);
        rows.gross.push(sum.gross);
        rows.fee.push(sum.fee);
        rows.tax.push(sum.tax);
        rows.net.push(sum.net);
        rows.repaid.push(sum.repaid);
        rows.settled_at.push(sum.last.1);
        rows.position.push(bigint(sum.last.0)?);
    }
    let sql = format!(
        "insert into {}.settlements as s (id, merchant, currency, payments, gross, fee, tax,
             refunds, net, repaid, settled_at, position)
         select * from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::numeric[],
             $6::numeric[], $7::numeric[], $8::numeric[], $9::numeric[], $10::numeric[],
             $11::timestamptz[], $12::bigint[])
         on conflict (id) do update set
             payments = s.payments + excluded.payments, gross = s.gross + excluded.gross,
             fee = s.fee + excluded.fee, tax = s.tax + excluded.tax,
             refunds = s.refunds + excluded.refunds, net = s.net + excluded.net,
             repaid = s.repaid + excluded.repaid, settled_at = excluded.settled_at,
             position = excluded.position",
        schema.name()
    );
    sqlx::query(&sql)
        .bind(rows.id)
        .bind(rows.merchant)
        .bind(rows.currency)
        .bind(rows.payments)
        .bind(rows.gross)
        .bind(rows.fee)
        .bind(rows.tax)
        .bind(rows.refunds)
        .bind(rows.net)
        .bind(rows.repaid)
        .bind(rows.settled_at)
        .bind(rows.position)
        .execute(db)
        .await?;
    Ok(())
}
