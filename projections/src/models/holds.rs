//! `holds`: every hold and what became of it.

use std::collections::{BTreeMap, btree_map::Entry};

use ledger_core::{
    clock::Timestamp,
    hold::{HoldEvent, Placed},
    ids::{HoldId, TransactionId},
    log::Position,
};
use rust_decimal::Decimal;
use sqlx::{PgConnection, types::Uuid};

use super::{EventRow, Schema, bigint};
use crate::error::{Poison, PoisonReason, ProjectionError};

/// What a run of events changes on holds.
#[derive(Default)]
pub(super) struct Changes<'e>(BTreeMap<HoldId, Change<'e>>);

struct Change<'e> {
    placed: Option<(EventRow<'e>, Placed)>,
    first_position: Position,
    last_position: Position,
    /// The sequence before the first event of the run.
    before: u64,
    sequence: u64,
    amount: Option<Decimal>,
    end: Option<End>,
}

/// How a hold ended.
struct End {
    state: &'static str,
    at: Timestamp,
    captured: Option<(Decimal, TransactionId)>,
}

impl<'e> Changes<'e> {
    pub(super) fn apply(
        &mut self,
        event: EventRow<'e>,
        fact: HoldEvent,
    ) -> Result<(), PoisonReason> {
        let change = self.touch(event)?;
        let end = |state, captured| End { state, at: event.recorded_at, captured };
        match fact {
            HoldEvent::Placed(placed) => {
                if change.before != 0 {
                    return Err(PoisonReason::Sequence);
                }
                change.amount = Some(placed.amount);
                change.placed = Some((event, placed));
            }
            HoldEvent::Increased(increased) => change.amount = Some(increased.amount),
            HoldEvent::Captured(captured) => {
                let posted = (captured.amount, captured.transaction_id);
                change.end = Some(end("captured", Some(posted)));
            }
            HoldEvent::Released {} => change.end = Some(end("released", None)),
            HoldEvent::Expired {} => change.end = Some(end("expired", None)),
        }
        Ok(())
    }

    fn touch(&mut self, event: EventRow<'e>) -> Result<&mut Change<'e>, PoisonReason> {
        let id = event.aggregate_id.parse();
        let before = event.sequence.saturating_sub(1);
        let change = match self.0.entry(id.map_err(|_| PoisonReason::MalformedId)?) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(Change {
                placed: None,
                first_position: event.position,
                last_position: event.position,
                before,
                sequence: before,
                amount: None,
                end: None,
            }),
        };
        if change.sequence != before {
            return Err(PoisonReason::Sequence);
        }
        change.sequence = event.sequence;
        change.last_position = event.position;
        Ok(change)
    }

    pub(super) async fn write_in_tx(
        &self,
        db: &mut PgConnection,
        schema: Schema,
    ) -> Result<(), ProjectionError> {
        self.insert(db, schema).await?;
        self.update(db, schema).await
    }

    async fn insert(&self, db: &mut PgConnection, schema: Schema) -> Result<(), ProjectionError> {
        let mut rows = Rows::default();
        let (mut account, mut expires_at) = (Vec::new(), Vec::new());
        let (mut placed_at, mut placed_position) = (Vec::new(), Vec::new());
        for (id, change) in &self.0 {
            let Some((event, placed)) = &change.placed else {
                continue;
            };
            rows.push(*id, change)?;
            account.push(placed.account.as_str());
            expires_at.push(placed.expires_at);
            placed_at.push(event.recorded_at);
            placed_position.push(bigint(event.position)?);
        }
        if account.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "insert into {}.holds (id, sequence, last_position, amount, state, captured,
                 transaction_id, ended_at, account_id, expires_at, placed_at, placed_position)
             select id, sequence, last_position, amount, coalesce(state, 'open'), captured,
                    transaction_id, ended_at, account_id, expires_at, placed_at, placed_position
             from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::numeric[], $5::text[],
                         $6::numeric[], $7::uuid[], $8::timestamptz[], $9::text[],
                         $10::timestamptz[], $11::timestamptz[], $12::bigint[])
                  as h(id, sequence, last_position, amount, state, captured, transaction_id,
                       ended_at, account_id, expires_at, placed_at, placed_position)",
            schema.name()
        );
        sqlx::query(&sql)
            .bind(rows.id)
            .bind(rows.sequence)
            .bind(rows.last_position)
            .bind(rows.amount)
            .bind(rows.state)
            .bind(rows.captured)
            .bind(rows.transaction)
            .bind(rows.ended_at)
            .bind(account)
            .bind(expires_at)
            .bind(placed_at)
            .bind(placed_position)
            .execute(db)
            .await?;
        Ok(())
    }

    async fn update(&self, db: &mut PgConnection, schema: Schema) -> Result<(), ProjectionError> {
        let older = || self.0.iter().filter(|(_, change)| change.placed.is_none());
        let Some((_, first)) = older().min_by_key(|(_, change)| change.first_position) else {
            return Ok(());
        };
        let mut rows = Rows::default();
        let mut before = Vec::new();
        for (id, change) in older() {
            rows.push(*id, change)?;
            before.push(bigint(change.before)?);
        }
        let sql = format!(
            "update {}.holds h
             set sequence = c.sequence,
                 last_position = c.last_position,
                 amount = coalesce(c.amount, h.amount),
                 state = coalesce(c.state, h.state),
                 captured = coalesce(c.captured, h.captured),
                 transaction_id = coalesce(c.transaction_id, h.transaction_id),
                 ended_at = coalesce(c.ended_at, h.ended_at)
             from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::numeric[], $5::text[],
                         $6::numeric[], $7::uuid[], $8::timestamptz[], $9::bigint[])
                  as c(id, sequence, last_position, amount, state, captured, transaction_id,
                       ended_at, before)
             where h.id = c.id and h.sequence = c.before",
            schema.name()
        );
        let done = sqlx::query(&sql)
            .bind(rows.id)
            .bind(rows.sequence)
            .bind(rows.last_position)
            .bind(rows.amount)
            .bind(rows.state)
            .bind(rows.captured)
            .bind(rows.transaction)
            .bind(rows.ended_at)
            .bind(&before)
            .execute(db)
            .await?;
        if usize::try_from(done.rows_affected()) == Ok(before.len()) {
            return Ok(());
        }
        Err(ProjectionError::Poison(Poison {
            position: first.first_position,
            reason: PoisonReason::Sequence,
        }))
    }
}

#[derive(Default)]
struct Rows {
    id: Vec<Uuid>,
    sequence: Vec<i64>,
    last_position: Vec<i64>,
    amount: Vec<Option<Decimal>>,
    state: Vec<Option<&'static str>>,
    captured: Vec<Option<Decimal>>,
    transaction: Vec<Option<Uuid>>,
    ended_at: Vec<Option<Timestamp>>,
}

impl Rows {
    fn push(&mut self, id: HoldId, change: &Change<'_>) -> Result<(), ProjectionError> {
        let end = change.end.as_ref();
        let captured = end.and_then(|end| end.captured);
        self.id.push(id.uuid());
        self.sequence.push(bigint(change.sequence)?);
        self.last_position.push(bigint(change.last_position)?);
        self.amount.push(change.amount);
        self.state.push(end.map(|end| end.state));
        self.captured.push(captured.map(|(amount, _)| amount));
        self.transaction.push(captured.map(|(_, transaction)| transaction.uuid()));
        self.ended_at.push(end.map(|end| end.at));
        Ok(())
    }
}
