//! `deposits`: where each deposit is, for lists and for those who ask banks about them.
//!
//! A row is the aggregate itself, folded from its whole stream up to the end of the run: streams
//! are short, and the rules of what follows from what stand in one place.

use std::collections::BTreeSet;

use ledger_core::{
    clock::Timestamp,
    deposit::{Deposit, DepositEvent},
    ids::{AccountId, DepositId},
    log::{self, Position},
};
use rust_decimal::Decimal;
use sqlx::{PgConnection, Row, postgres::PgRow, types::Uuid};

use super::{EventRow, Schema, bigint};
use crate::{
    error::{Poison, PoisonReason, ProjectionError},
    reads::unsigned,
};

/// Which deposits a run of events changes.
#[derive(Default)]
pub(super) struct Changes(BTreeSet<DepositId>);

impl Changes {
    pub(super) fn apply(&mut self, event: EventRow<'_>) -> Result<(), PoisonReason> {
        let id = event.aggregate_id.parse().map_err(|_| PoisonReason::MalformedId)?;
        self.0.insert(id);
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
        for lived in lives(db, &self.0, upto).await? {
            rows.push(&lived)?;
        }
        rows.upsert(db, schema).await
    }
}

/// A deposit, and when it began and last changed.
pub(super) struct Lived {
    pub(super) id: DepositId,
    pub(super) deposit: Deposit,
    sequence: i64,
    pub(super) first: (Position, Timestamp),
    pub(super) last: (Position, Timestamp),
}

/// The deposits, from their whole streams up to a position.
pub(super) async fn lives(
    db: &mut PgConnection,
    ids: &BTreeSet<DepositId>,
    upto: Position,
) -> Result<Vec<Lived>, ProjectionError> {
    let names: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let sql = "
        select aggregate_id, sequence, position, recorded_at, event_type, event_version, payload
        from events
        where aggregate_type = 'deposit' and aggregate_id = any($1) and position <= $2
        order by aggregate_id, sequence";
    let rows = sqlx::query(sql).bind(names).bind(bigint(upto)?).fetch_all(db).await?;
    let mut found: Vec<Lived> = Vec::with_capacity(ids.len());
    for row in &rows {
        let (id, place, event) = fact(row)?;
        match found.last_mut() {
            Some(lived) if lived.id == id => lived.deposit = lived.deposit.clone().after(event),
            _ => found.push(Lived {
                id,
                deposit: Deposit::default().after(event),
                sequence: 0,
                first: place,
                last: place,
            }),
        }
        if let Some(lived) = found.last_mut() {
            lived.sequence = row.try_get("sequence")?;
            lived.last = place;
        }
    }
    Ok(found)
}

type Fact = (DepositId, (Position, Timestamp), DepositEvent);

fn fact(row: &PgRow) -> Result<Fact, ProjectionError> {
    let position = unsigned(row, "position")?;
    let poison = |reason| ProjectionError::Poison(Poison { position, reason });
    let id: &str = row.try_get("aggregate_id")?;
    let id = id.parse().map_err(|_| poison(PoisonReason::MalformedId))?;
    let (name, version) = (row.try_get("event_type")?, row.try_get("event_version")?);
    let event = log::decode(name, version, row.try_get("payload")?);
    let event = event.map_err(|error| poison(error.into()))?;
    Ok((id, (position, row.try_get("recorded_at")?), event))
}

#[derive(Default)]
struct Rows {
    id: Vec<Uuid>,
    account: Vec<Option<String>>,
    currency: Vec<String>,
    bank: Vec<String>,
    amount: Vec<Option<Decimal>>,
    credited: Vec<Decimal>,
    aside: Vec<Decimal>,
    status: Vec<&'static str>,
    late: Vec<bool>,
    expires_at: Vec<Option<Timestamp>>,
    begun_at: Vec<Timestamp>,
    begun_position: Vec<i64>,
    changed_at: Vec<Timestamp>,
    sequence: Vec<i64>,
    last_position: Vec<i64>,
}

impl Rows {
    fn push(&mut self, lived: &Lived) -> Result<(), ProjectionError> {
        let deposit = &lived.deposit;
        let known = deposit.status().zip(deposit.bank()).zip(deposit.currency());
        let Some(((status, bank), currency)) = known else {
            let (position, reason) = (lived.first.0, PoisonReason::Sequence);
            return Err(ProjectionError::Poison(Poison { position, reason }));
        };
        let intent = deposit.intent();
        self.id.push(lived.id.uuid());
        self.account.push(deposit.account().map(AccountId::as_str).map(str::to_owned));
        self.currency.push(currency.as_str().to_owned());
        self.bank.push(bank.as_str().to_owned());
        self.amount.push(intent.map(|begun| begun.amount));
        self.credited.push(deposit.credited());
        self.aside.push(deposit.aside());
        self.status.push(status.as_str());
        self.late.push(deposit.is_late());
        self.expires_at.push(intent.map(|begun| begun.expires_at));
        self.begun_at.push(lived.first.1);
        self.begun_position.push(bigint(lived.first.0)?);
        self.changed_at.push(lived.last.1);
        self.sequence.push(lived.sequence);
        self.last_position.push(bigint(lived.last.0)?);
        Ok(())
    }

    async fn upsert(self, db: &mut PgConnection, schema: Schema) -> Result<(), ProjectionError> {
        let sql = format!(
            "insert into {}.deposits (id, account_id, currency, bank, amount, credited, aside,
                 status, late, expires_at, begun_at, begun_position, changed_at, sequence,
                 last_position)
             select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::numeric[],
                 $6::numeric[], $7::numeric[], $8::text[], $9::bool[], $10::timestamptz[],
                 $11::timestamptz[], $12::bigint[], $13::timestamptz[], $14::bigint[],
                 $15::bigint[])
             on conflict (id) do update set
                 credited = excluded.credited, aside = excluded.aside, status = excluded.status,
                 late = excluded.late, changed_at = excluded.changed_at,
                 sequence = excluded.sequence, last_position = excluded.last_position",
            schema.name()
        );
        sqlx::query(&sql)
            .bind(self.id)
            .bind(self.account)
            .bind(self.currency)
            .bind(self.bank)
            .bind(self.amount)
            .bind(self.credited)
            .bind(self.aside)
            .bind(self.status)
            .bind(self.late)
            .bind(self.expires_at)
            .bind(self.begun_at)
            .bind(self.begun_position)
            .bind(self.changed_at)
            .bind(self.sequence)
            .bind(self.last_position)
            .execute(db)
            .await?;
        Ok(())
    }
}
