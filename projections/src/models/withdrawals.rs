//! `withdrawals` and `withdrawal_attempts`: where each withdrawal is, for those who send them, and
//! which withdrawal a bank means by a reference.
//!
//! A row is the aggregate itself, folded from its whole stream up to the end of the run.

use ledger_core::{
    clock::Timestamp,
    withdrawal::{Withdrawal, WithdrawalEvent, WithdrawalStatus},
};
use rust_decimal::Decimal;
use sqlx::{PgConnection, types::Uuid};

use super::{
    Schema, bigint,
    streams::{Lived, Place},
};
use crate::error::ProjectionError;

/// Writes the withdrawals and their attempts as they are now.
pub(super) async fn write_in_tx(
    lives: &[Lived<Withdrawal>],
    db: &mut PgConnection,
    schema: Schema,
) -> Result<(), ProjectionError> {
    if lives.is_empty() {
        return Ok(());
    }
    let mut rows = Rows::default();
    let mut attempts = Attempts::default();
    for lived in lives {
        let begun = attempts_begun(lived);
        rows.push(lived, begun.last().copied())?;
        attempts.push(lived, &begun);
    }
    rows.upsert(db, schema).await?;
    attempts.insert(db, schema).await
}

/// The place in the queue, which is kept through refusals: the first in is served first.
fn queued(lived: &Lived<Withdrawal>) -> Option<Place> {
    let mut facts = lived.facts.iter();
    facts.find(|fact| matches!(fact.event, WithdrawalEvent::Queued(_))).map(|fact| fact.place)
}

/// When each attempt began.
fn attempts_begun(lived: &Lived<Withdrawal>) -> Vec<Timestamp> {
    let begun = lived.facts.iter();
    let begun = begun.filter(|fact| matches!(fact.event, WithdrawalEvent::AttemptBegun(_)));
    begun.map(|fact| fact.place.1).collect()
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
    fn push(
        &mut self,
        lived: &Lived<Withdrawal>,
        begun_at: Option<Timestamp>,
    ) -> Result<(), ProjectionError> {
        let withdrawal = &lived.object;
        let known = withdrawal.properties().zip(withdrawal.status());
        let Some((requested, status)) = known else {
            return Err(lived.malformed());
        };
        self.id.push(lived.id.uuid());
        self.sequence.push(lived.sequence());
        self.last_position.push(bigint(lived.last.0)?);
        self.account.push(requested.account.as_str().to_owned());
        self.bank.push(requested.bank.as_str().to_owned());
        self.rail.push(requested.rail.as_str().to_owned());
        self.bank_account.push(requested.bank_account.uuid());
        self.amount.push(requested.amount);
        self.fee.push(requested.fee);
        self.status.push(WithdrawalStatus::as_str(status));
        self.attempts.push(i32::try_from(withdrawal.attempts().len()).unwrap_or(i32::MAX));
        self.begun_at.push(begun_at);
        self.requested_at.push(lived.first.1);
        self.requested_position.push(bigint(lived.first.0)?);
        self.queued_position.push(queued(lived).map(|(at, _)| bigint(at)).transpose()?);
        self.changed_at.push(lived.last.1);
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
    fn push(&mut self, lived: &Lived<Withdrawal>, begun: &[Timestamp]) {
        let begun = lived.object.attempts().iter().zip(begun);
        for (number, (attempt, begun_at)) in (1..).zip(begun) {
            self.bank.push(attempt.bank.as_str().to_owned());
            self.reference.push(attempt.reference.as_str().to_owned());
            self.withdrawal.push(lived.id.uuid());
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
