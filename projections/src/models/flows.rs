//! `flows`: money in and out, per account and business date.
//!
//! It is what the bars of a dashboard show, what a balance as of a date sums up, and where a
//! statement between dates learns which part of the account's stream to read.

use std::collections::HashMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use sqlx::PgConnection;

use super::{PlacedLeg, Schema, add_to, bigint};
use crate::error::{PoisonReason, ProjectionError};

/// What a run of events adds.
#[derive(Default)]
pub(super) struct Changes<'e>(HashMap<(&'e str, NaiveDate), Flow>);

#[derive(Default)]
struct Flow {
    debits: Decimal,
    credits: Decimal,
    legs: i64,
    first_sequence: u64,
    last_sequence: u64,
}

impl<'e> Changes<'e> {
    pub(super) fn leg(&mut self, placed: PlacedLeg<'e, '_>) -> Result<(), PoisonReason> {
        let key = (placed.event.aggregate_id, placed.leg.effective_on);
        let flow = self
            .0
            .entry(key)
            .or_insert_with(|| Flow { first_sequence: placed.event.sequence, ..Flow::default() });
        let (debit, credit) = placed.sides();
        add_to(&mut flow.debits, debit)?;
        add_to(&mut flow.credits, credit)?;
        flow.legs += 1;
        flow.last_sequence = placed.event.sequence;
        Ok(())
    }

    pub(super) async fn write_in_tx(
        &self,
        db: &mut PgConnection,
        schema: Schema,
    ) -> Result<(), ProjectionError> {
        if self.0.is_empty() {
            return Ok(());
        }
        // In the order of the index, so that neighbours share its pages.
        let mut flows: Vec<_> = self.0.iter().collect();
        flows.sort_unstable_by_key(|(key, _)| **key);
        let mut rows = Rows::default();
        for ((account, day), flow) in flows {
            rows.push(account, *day, flow)?;
        }
        let sql = format!(
            "insert into {}.flows as f
                 (account_id, day, debits, credits, legs, first_sequence, last_sequence)
             select unnest($1::text[]), unnest($2::date[]), unnest($3::numeric[]),
                    unnest($4::numeric[]), unnest($5::bigint[]), unnest($6::bigint[]),
                    unnest($7::bigint[])
             on conflict on constraint flows_pkey do update
             set debits = f.debits + excluded.debits,
                 credits = f.credits + excluded.credits,
                 legs = f.legs + excluded.legs,
                 last_sequence = excluded.last_sequence",
            schema.name()
        );
        sqlx::query(&sql)
            .bind(rows.account)
            .bind(rows.day)
            .bind(rows.debits)
            .bind(rows.credits)
            .bind(rows.legs)
            .bind(rows.first_sequence)
            .bind(rows.last_sequence)
            .execute(db)
            .await?;
        Ok(())
    }
}

#[derive(Default)]
struct Rows<'a> {
    account: Vec<&'a str>,
    day: Vec<NaiveDate>,
    debits: Vec<Decimal>,
    credits: Vec<Decimal>,
    legs: Vec<i64>,
    first_sequence: Vec<i64>,
    last_sequence: Vec<i64>,
}

impl<'a> Rows<'a> {
    fn push(
        &mut self,
        account: &'a str,
        day: NaiveDate,
        flow: &Flow,
    ) -> Result<(), ProjectionError> {
        self.account.push(account);
        self.day.push(day);
        self.debits.push(flow.debits);
        self.credits.push(flow.credits);
        self.legs.push(flow.legs);
        self.first_sequence.push(bigint(flow.first_sequence)?);
        self.last_sequence.push(bigint(flow.last_sequence)?);
        Ok(())
    }
}
