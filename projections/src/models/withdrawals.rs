//! `withdrawals` and `withdrawal_attempts`: where each withdrawal is, for those who send them, and
//! which withdrawal a bank means by a reference.
//!
//! A row is the aggregate itself, folded from its whole stream up to the end of the run: streams
//! are short, and the rules of what follows from what stand in one place. A stream that begins in
//! the run is all there; only the others are read again.

use std::collections::{BTreeMap, BTreeSet};

use ledger_core::{
    clock::Timestamp,
    ids::WithdrawalId,
    log::{self, Position},
    withdrawal::{Withdrawal, WithdrawalEvent, WithdrawalStatus},
};
use rust_decimal::Decimal;
use sqlx::{PgConnection, Row, postgres::PgRow, types::Uuid};

use super::{EventRow, Schema, bigint};
use crate::{
    error::{Poison, PoisonReason, ProjectionError},
    reads::unsigned,
};

/// The withdrawals that a run of events changes: with all that happened to them, if they begin in
/// the run.
#[derive(Default)]
pub(super) struct Changes(BTreeMap<WithdrawalId, Option<Vec<Fact>>>);

impl Changes {
    pub(super) fn apply(
        &mut self,
        row: EventRow<'_>,
        event: WithdrawalEvent,
    ) -> Result<(), PoisonReason> {
        let id = row.aggregate_id.parse().map_err(|_| PoisonReason::MalformedId)?;
        let begins = || (row.sequence == 1).then(Vec::new);
        if let Some(facts) = self.0.entry(id).or_insert_with(begins) {
            facts.push(Fact { position: row.position, recorded_at: row.recorded_at, event });
        }
        Ok(())
    }

    pub(super) async fn write_in_tx(
        &self,
        db: &mut PgConnection,
        schema: Schema,
        upto: Position,
    ) -> Result<(), ProjectionError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut rows = Rows::default();
        let mut attempts = Attempts::default();
        let mut begun_before = Vec::new();
        for (id, facts) in &self.0 {
            match facts {
                Some(facts) => {
                    let lived = Lived::of(facts);
                    rows.push(*id, &lived)?;
                    attempts.push(*id, &lived);
                }
                None => begun_before.push(*id),
            }
        }
        for (id, facts) in streams(db, &begun_before, upto).await? {
            let lived = Lived::of(&facts);
            rows.push(id, &lived)?;
            attempts.push(id, &lived);
        }
        rows.upsert(db, schema).await?;
        attempts.insert(db, schema).await
    }
}

struct Fact {
    position: Position,
    recorded_at: Timestamp,
    event: WithdrawalEvent,
}

/// The withdrawals, from their whole streams up to a position.
pub(super) async fn lives(
    db: &mut PgConnection,
    ids: &BTreeSet<WithdrawalId>,
    upto: Position,
) -> Result<Vec<(WithdrawalId, Lived)>, ProjectionError> {
    let ids: Vec<WithdrawalId> = ids.iter().copied().collect();
    let streams = streams(db, &ids, upto).await?;
    Ok(streams.iter().map(|(id, facts)| (*id, Lived::of(facts))).collect())
}

/// The streams, whole up to a position.
async fn streams(
    db: &mut PgConnection,
    ids: &[WithdrawalId],
    upto: Position,
) -> Result<Vec<(WithdrawalId, Vec<Fact>)>, ProjectionError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let sql = "
        select aggregate_id, position, recorded_at, event_type, event_version, payload
        from events
        where aggregate_type = 'withdrawal' and aggregate_id = any($1) and position <= $2
        order by aggregate_id, sequence";
    let rows = sqlx::query(sql).bind(names).bind(bigint(upto)?).fetch_all(db).await?;
    let mut streams: Vec<(WithdrawalId, Vec<Fact>)> = Vec::with_capacity(ids.len());
    for row in &rows {
        let (id, fact) = fact(row)?;
        match streams.last_mut() {
            Some((last, facts)) if *last == id => facts.push(fact),
            _ => streams.push((id, vec![fact])),
        }
    }
    Ok(streams)
}

fn fact(row: &PgRow) -> Result<(WithdrawalId, Fact), ProjectionError> {
    let position = unsigned(row, "position")?;
    let poison = |reason| ProjectionError::Poison(Poison { position, reason });
    let id: &str = row.try_get("aggregate_id")?;
    let id = id.parse().map_err(|_| poison(PoisonReason::MalformedId))?;
    let (name, version) = (row.try_get("event_type")?, row.try_get("event_version")?);
    let event = log::decode(name, version, row.try_get("payload")?);
    let event = event.map_err(|error| poison(error.into()))?;
    Ok((id, Fact { position, recorded_at: row.try_get("recorded_at")?, event }))
}

/// A withdrawal, and when what happened that others look for.
pub(super) struct Lived {
    pub(super) withdrawal: Withdrawal,
    sequence: usize,
    pub(super) first: Option<(Position, Timestamp)>,
    pub(super) last: Option<(Position, Timestamp)>,
    queued: Option<(Position, Timestamp)>,
    begun: Vec<Timestamp>,
}

impl Lived {
    fn of(facts: &[Fact]) -> Self {
        let mut lived = Self {
            withdrawal: Withdrawal::default(),
            sequence: facts.len(),
            first: None,
            last: None,
            queued: None,
            begun: Vec::new(),
        };
        for fact in facts {
            let place = (fact.position, fact.recorded_at);
            if matches!(fact.event, WithdrawalEvent::Queued(_)) {
                // The place in the queue is kept through refusals: the first in is served first.
                lived.queued = lived.queued.or(Some(place));
            }
            if matches!(fact.event, WithdrawalEvent::AttemptBegun(_)) {
                lived.begun.push(fact.recorded_at);
            }
            lived.first = lived.first.or(Some(place));
            lived.last = Some(place);
            lived.withdrawal = lived.withdrawal.after(fact.event.clone());
        }
        lived
    }
}

#[derive(Default)]
struct Rows {
    id: Vec<Uuid>,
    sequence: Vec<i64>,
    last_position: Vec<i64>,
    account: Vec<String>,
    bank: Vec<String>,
    rail: Vec<String>,
    bank_account: Vec<Uuid>,
    amount: Vec<Decimal>,
    fee: Vec<Decimal>,
    status: Vec<&'static str>,
    attempts: Vec<i32>,
    begun_at: Vec<Option<Timestamp>>,
    requested_at: Vec<Timestamp>,
    requested_position: Vec<i64>,
    queued_position: Vec<Option<i64>>,
    changed_at: Vec<Timestamp>,
    unapplied: Vec<Decimal>,
    late: Vec<bool>,
}

impl Rows {
    fn push(&mut self, id: WithdrawalId, lived: &Lived) -> Result<(), ProjectionError> {
        let withdrawal = &lived.withdrawal;
        let known = withdrawal.properties().zip(withdrawal.status());
        let known = known.zip(lived.first.zip(lived.last));
        let Some(((requested, status), (first, last))) = known else {
            let position = lived.first.map_or(0, |(position, _)| position);
            let reason = PoisonReason::Sequence;
            return Err(ProjectionError::Poison(Poison { position, reason }));
        };
        self.id.push(id.uuid());
        self.sequence.push(i64::try_from(lived.sequence).unwrap_or(i64::MAX));
        self.last_position.push(bigint(last.0)?);
        self.account.push(requested.account.as_str().to_owned());
        self.bank.push(requested.bank.as_str().to_owned());
        self.rail.push(requested.rail.as_str().to_owned());
        self.bank_account.push(requested.bank_account.uuid());
        self.amount.push(requested.amount);
        self.fee.push(requested.fee);
        self.status.push(WithdrawalStatus::as_str(status));
        self.attempts.push(i32::try_from(withdrawal.attempts().len()).unwrap_or(i32::MAX));
        self.begun_at.push(lived.begun.last().copied());
        self.requested_at.push(first.1);
        self.requested_position.push(bigint(first.0)?);
        self.queued_position.push(lived.queued.map(|(at, _)| bigint(at)).transpose()?);
        self.changed_at.push(last.1);
        self.unapplied.push(withdrawal.unapplied());
        self.late.push(withdrawal.is_late());
        Ok(())
    }

    async fn upsert(self, db: &mut PgConnection, schema: Schema) -> Result<(), ProjectionError> {
        let sql = format!(
            "insert into {}.withdrawals (id, sequence, last_position, account_id, bank, rail,
                 bank_account, amount, fee, status, attempts, begun_at, requested_at,
                 requested_position, queued_position, changed_at, unapplied, late)
             select * from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[],
                 $6::text[], $7::uuid[], $8::numeric[], $9::numeric[], $10::text[], $11::int[],
                 $12::timestamptz[], $13::timestamptz[], $14::bigint[], $15::bigint[],
                 $16::timestamptz[], $17::numeric[], $18::bool[])
             on conflict (id) do update set
                 sequence = excluded.sequence, last_position = excluded.last_position,
                 status = excluded.status, attempts = excluded.attempts,
                 begun_at = excluded.begun_at, queued_position = excluded.queued_position,
                 changed_at = excluded.changed_at, unapplied = excluded.unapplied,
                 late = excluded.late",
            schema.name()
        );
        sqlx::query(&sql)
            .bind(self.id)
            .bind(self.sequence)
            .bind(self.last_position)
            .bind(self.account)
            .bind(self.bank)
            .bind(self.rail)
            .bind(self.bank_account)
            .bind(self.amount)
            .bind(self.fee)
            .bind(self.status)
            .bind(self.attempts)
            .bind(self.begun_at)
            .bind(self.requested_at)
            .bind(self.requested_position)
            .bind(self.queued_position)
            .bind(self.changed_at)
            .bind(self.unapplied)
            .bind(self.late)
            .execute(db)
            .await?;
        Ok(())
    }
}

#[derive(Default)]
struct Attempts {
    bank: Vec<String>,
    reference: Vec<String>,
    withdrawal: Vec<Uuid>,
    attempt: Vec<i32>,
    begun_at: Vec<Timestamp>,
}

impl Attempts {
    fn push(&mut self, id: WithdrawalId, lived: &Lived) {
        let begun = lived.withdrawal.attempts().iter().zip(&lived.begun);
        for (number, (attempt, begun_at)) in (1..).zip(begun) {
            self.bank.push(attempt.bank.as_str().to_owned());
            self.reference.push(attempt.reference.as_str().to_owned());
            self.withdrawal.push(id.uuid());
            self.attempt.push(number);
            self.begun_at.push(*begun_at);
        }
    }

    async fn insert(self, db: &mut PgConnection, schema: Schema) -> Result<(), ProjectionError> {
        if self.bank.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "insert into {}.withdrawal_attempts (bank, reference, withdrawal_id, attempt, begun_at)
             select * from unnest($1::text[], $2::text[], $3::uuid[], $4::int[], $5::timestamptz[])
             on conflict do nothing",
            schema.name()
        );
        sqlx::query(&sql)
            .bind(self.bank)
            .bind(self.reference)
            .bind(self.withdrawal)
            .bind(self.attempt)
            .bind(self.begun_at)
            .execute(db)
            .await?;
        Ok(())
    }
}
