//! `transactions`: one row per transaction, without its legs.
//!
//! Here the promise that the engine kept before it appended is checked again after reading: the
//! legs of a transaction lie side by side, complete, and per currency debits equal credits.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use ledger_core::{clock::Timestamp, ids::TransactionId, log::Position};
use rust_decimal::Decimal;
use sqlx::{PgConnection, types::Uuid};

use super::{EventRow, PlacedLeg, Schema, add_to, bigint};
use crate::error::{Poison, PoisonReason, ProjectionError};

/// What a run of events adds.
#[derive(Default)]
pub(super) struct Changes<'e> {
    complete: Vec<Transaction<'e>>,
    /// The transaction whose legs are being read.
    open: Option<Transaction<'e>>,
    /// Transactions that were reversed, and by which.
    reversed: Vec<Reversed>,
}

struct Transaction<'e> {
    id: TransactionId,
    kind: String,
    first_position: Position,
    last_position: Position,
    leg: u16,
    legs: u16,
    effective_on: NaiveDate,
    recorded_at: Timestamp,
    cause: Option<String>,
    totals: Vec<Total<'e>>,
}

struct Total<'e> {
    currency: &'e str,
    debits: Decimal,
    credits: Decimal,
}

struct Reversed {
    position: Position,
    original: TransactionId,
    by: TransactionId,
}

impl<'e> Changes<'e> {
    pub(super) fn leg(&mut self, placed: PlacedLeg<'e, '_>) -> Result<(), PoisonReason> {
        let leg = placed.leg;
        let transaction = match &mut self.open {
            Some(open) if open.id == leg.transaction_id && open.legs == leg.legs => open,
            Some(_) => return Err(PoisonReason::Incomplete),
            None => self.open.insert(Transaction::of(placed)),
        };
        if leg.leg != transaction.leg + 1 {
            return Err(PoisonReason::Incomplete);
        }
        transaction.leg = leg.leg;
        transaction.last_position = placed.event.position;
        transaction.add(placed)?;
        if leg.leg == leg.legs
            && let Some(complete) = self.open.take()
        {
            complete.check_balanced()?;
            self.complete.push(complete);
        }
        Ok(())
    }

    pub(super) fn reversed(
        &mut self,
        event: EventRow<'e>,
        by: TransactionId,
    ) -> Result<(), PoisonReason> {
        let original = event.aggregate_id.parse();
        self.reversed.push(Reversed {
            position: event.position,
            original: original.map_err(|_| PoisonReason::MalformedId)?,
            by,
        });
        Ok(())
    }

    /// Fails if the legs of a transaction are not complete.
    pub(super) fn expect_none_open(&self) -> Result<(), PoisonReason> {
        match self.open {
            Some(_) => Err(PoisonReason::Incomplete),
            None => Ok(()),
        }
    }

    /// The run of events ends here, at the end of a batch: no transaction goes further.
    pub(super) fn finish(&mut self) -> Result<(), PoisonReason> {
        self.expect_none_open()
    }

    pub(super) async fn write_in_tx(
        &self,
        db: &mut PgConnection,
        schema: Schema,
    ) -> Result<(), ProjectionError> {
        if !self.complete.is_empty() {
            self.insert(db, schema).await?;
            self.upsert_days(db, schema).await?;
        }
        self.link_reversed(db, schema).await
    }

    async fn insert(&self, db: &mut PgConnection, schema: Schema) -> Result<(), ProjectionError> {
        let mut rows = Rows::default();
        for transaction in &self.complete {
            rows.push(transaction)?;
        }
        let sql = format!(
            "insert into {}.transactions (id, kind, first_position, last_position, legs,
                 effective_on, recorded_at, currency, amount, further_totals, cause)
             select unnest($1::uuid[]), unnest($2::text[]), unnest($3::bigint[]),
                    unnest($4::bigint[]), unnest($5::int[]), unnest($6::date[]),
                    unnest($7::timestamptz[]), unnest($8::text[]), unnest($9::numeric[]),
                    unnest($10::text[])::json, unnest($11::text[])",
            schema.name()
        );
        sqlx::query(&sql)
            .bind(rows.id)
            .bind(rows.kind)
            .bind(rows.first_position)
            .bind(rows.last_position)
            .bind(rows.legs)
            .bind(rows.effective_on)
            .bind(rows.recorded_at)
            .bind(rows.currency)
            .bind(rows.amount)
            .bind(rows.further)
            .bind(rows.cause)
            .execute(db)
            .await?;
        Ok(())
    }

    async fn upsert_days(
        &self,
        db: &mut PgConnection,
        schema: Schema,
    ) -> Result<(), ProjectionError> {
        let mut days: BTreeMap<NaiveDate, (Position, Position)> = BTreeMap::new();
        for transaction in &self.complete {
            let first = transaction.first_position;
            // They come in the order of the log.
            let day = days.entry(transaction.effective_on);
            day.or_insert((first, first)).1 = first;
        }
        let (mut firsts, mut lasts) = (Vec::new(), Vec::new());
        for (first, last) in days.values() {
            firsts.push(bigint(*first)?);
            lasts.push(bigint(*last)?);
        }
        let sql = format!(
            "insert into {}.transaction_days as d (day, first_position, last_position)
             select * from unnest($1::date[], $2::bigint[], $3::bigint[])
             on conflict on constraint transaction_days_pkey do update
             set last_position = excluded.last_position",
            schema.name()
        );
        let days: Vec<NaiveDate> = days.into_keys().collect();
        sqlx::query(&sql).bind(days).bind(firsts).bind(lasts).execute(db).await?;
        Ok(())
    }

    async fn link_reversed(
        &self,
        db: &mut PgConnection,
        schema: Schema,
    ) -> Result<(), ProjectionError> {
        let Some(first) = self.reversed.first() else {
            return Ok(());
        };
        let (originals, bys): (Vec<Uuid>, Vec<Uuid>) = self
            .reversed
            .iter()
            .map(|reversed| (reversed.original.uuid(), reversed.by.uuid()))
            .unzip();
        // Both rows are there by now: the reversal's legs follow in the same append.
        for (column, ids, others) in
            [("reversed_by", &originals, &bys), ("reverses", &bys, &originals)]
        {
            let sql = format!(
                "update {}.transactions t set {column} = r.other
                 from unnest($1::uuid[], $2::uuid[]) as r(id, other)
                 where t.id = r.id and t.{column} is null",
                schema.name()
            );
            let done = sqlx::query(&sql).bind(ids).bind(others).execute(&mut *db).await?;
            if usize::try_from(done.rows_affected()) != Ok(ids.len()) {
                return Err(ProjectionError::Poison(Poison {
                    position: first.position,
                    reason: PoisonReason::Contradiction { constraint: column.to_owned() },
                }));
            }
        }
        Ok(())
    }
}

impl<'e> Transaction<'e> {
    /// Before its first leg.
    fn of(placed: PlacedLeg<'e, '_>) -> Self {
        Self {
            id: placed.leg.transaction_id,
            kind: placed.leg.kind.as_str().to_owned(),
            first_position: placed.event.position,
            last_position: placed.event.position,
            leg: 0,
            legs: placed.leg.legs,
            effective_on: placed.leg.effective_on,
            recorded_at: placed.event.recorded_at,
            cause: placed.leg.cause.as_ref().map(|cause| cause.as_str().to_owned()),
            totals: Vec::with_capacity(1),
        }
    }

    fn add(&mut self, placed: PlacedLeg<'e, '_>) -> Result<(), PoisonReason> {
        let (_, currency) =
            placed.event.aggregate_id.rsplit_once(':').ok_or(PoisonReason::MalformedId)?;
        let (debit, credit) = placed.sides();
        let known = self.totals.iter().position(|t| t.currency == currency);
        let index = known.unwrap_or(self.totals.len());
        if known.is_none() {
            self.totals.push(Total { currency, debits: Decimal::ZERO, credits: Decimal::ZERO });
        }
        let Some(total) = self.totals.get_mut(index) else {
            return Ok(());
        };
        add_to(&mut total.debits, debit)?;
        add_to(&mut total.credits, credit)
    }

    fn check_balanced(&self) -> Result<(), PoisonReason> {
        match self.totals.iter().find(|t| t.debits != t.credits) {
            None => Ok(()),
            Some(total) => Err(PoisonReason::Unbalanced { currency: total.currency.to_owned() }),
        }
    }
}

#[derive(Default)]
struct Rows<'a> {
    id: Vec<Uuid>,
    kind: Vec<&'a str>,
    first_position: Vec<i64>,
    last_position: Vec<i64>,
    legs: Vec<i32>,
    effective_on: Vec<NaiveDate>,
    recorded_at: Vec<Timestamp>,
    currency: Vec<&'a str>,
    amount: Vec<Decimal>,
    further: Vec<Option<String>>,
    cause: Vec<Option<&'a str>>,
}

impl<'a> Rows<'a> {
    fn push(&mut self, transaction: &'a Transaction<'_>) -> Result<(), ProjectionError> {
        let mut totals: Vec<_> = transaction.totals.iter().collect();
        totals.sort_unstable_by_key(|total| total.currency);
        let Some((first, further)) = totals.split_first() else {
            return Ok(());
        };
        let further = match further {
            [] => None,
            _ => Some(further_totals(further)),
        };
        self.id.push(transaction.id.uuid());
        self.kind.push(&transaction.kind);
        self.first_position.push(bigint(transaction.first_position)?);
        self.last_position.push(bigint(transaction.last_position)?);
        self.legs.push(i32::from(transaction.legs));
        self.effective_on.push(transaction.effective_on);
        self.recorded_at.push(transaction.recorded_at);
        self.currency.push(first.currency);
        self.amount.push(first.debits);
        self.further.push(further);
        self.cause.push(transaction.cause.as_deref());
        Ok(())
    }
}

/// The totals of the second and further currencies, as the table has them.
fn further_totals(totals: &[&Total<'_>]) -> String {
    let totals = totals.iter().map(|total| {
        let amount = total.debits.to_string();
        serde_json::json!({ "currency": total.currency, "amount": amount })
    });
    totals.collect::<serde_json::Value>().to_string()
}
