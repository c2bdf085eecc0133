//! The table of exchanges (`migrations/42_bank_exchanges.sql`): written in batches, read by what a
//! transfer is, and forgotten after some days.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use ledger_core::{
    clock::{Ids as _, System, Timestamp},
    ids::{Owner, WithdrawalId},
};
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use super::{
    recorder::Exchange,
    sealed::{self, Body, Sealed},
};
use crate::{
    vault::{SubjectKeys, VaultError},
    workers::withdrawals::attempt_of,
};

/// Rows that are forgotten by one statement.
const FORGOTTEN_AT_ONCE: i64 = 5_000;

/// The exchanges of a database; cheap to clone.
#[derive(Debug, Clone)]
pub struct Exchanges {
    pool: PgPool,
    keys: SubjectKeys,
}

/// An exchange as it was kept, opened as far as it can be.
#[derive(Clone)]
pub struct KeptExchange {
    /// Its id.
    pub id: Uuid,
    /// The bank.
    pub bank: String,
    /// What the bank knows the transfer by.
    pub reference: String,
    /// The attempt of a withdrawal, from 1.
    pub attempt: Option<i32>,
    /// `submit` or `enquiry`.
    pub kind: String,
    /// When it began.
    pub started_at: Timestamp,
    /// How many milliseconds it took.
    pub took_ms: i32,
    /// The status of the answer.
    pub http_status: Option<i32>,
    /// Why there is no whole answer: a code.
    pub failure: Option<String>,
    /// The request's body.
    pub request: Body,
    /// How many bytes it had.
    pub request_bytes: i32,
    /// The answer's body.
    pub answer: Body,
    /// How many bytes it had.
    pub answer_bytes: i32,
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    bank: String,
    reference: String,
    attempt: Option<i32>,
    kind: String,
    started_at: Timestamp,
    took_ms: i32,
    http_status: Option<i32>,
    failure: Option<String>,
    subject: Option<String>,
    key: Option<Vec<u8>>,
    request: Option<Vec<u8>>,
    answer: Option<Vec<u8>>,
    request_bytes: i32,
    answer_bytes: i32,
}

const COLUMNS: &str = "id, bank, reference, attempt, kind, started_at, took_ms, http_status, \
                       failure, subject, key, request, answer, request_bytes, answer_bytes";

/// What of an exchange is written beside what it says itself.
#[derive(Default)]
struct Written {
    subject: Option<String>,
    key: Option<Vec<u8>>,
    request: Option<Vec<u8>>,
    answer: Option<Vec<u8>>,
}

impl Exchanges {
    /// Those in the ledger's database, sealed with these keys.
    pub const fn new(pool: PgPool, keys: SubjectKeys) -> Self {
        Self { pool, keys }
    }

    /// Writes exchanges, sealed for whom they are about. Their order is kept.
    ///
    /// # Errors
    /// What the database says; then none of them is written.
    pub async fn write(&self, exchanges: &[Exchange]) -> sqlx::Result<()> {
        let ids: Vec<Uuid> = exchanges.iter().map(|_| System.fresh()).collect();
        let of: Vec<_> = exchanges.iter().map(|one| attempt_of(&one.reference)).collect();
        let owners = self.owners(of.iter().flatten().map(|(id, _)| *id)).await?;
        let about: Vec<Option<&Owner>> =
            of.iter().map(|of| of.and_then(|(id, _)| owners.get(&id.uuid()))).collect();
        let written = self.sealed(&ids, exchanges, &about).await?;
        // What is lost with a crash of the database is the last moment of it, and nobody waits for
        // the disk.
        let mut db_tx = self.pool.begin().await?;
        sqlx::query("set local synchronous_commit = off").execute(&mut *db_tx).await?;
        let sql = "
            insert into bank_exchanges (id, bank, reference, withdrawal_id, attempt, kind,
                started_at, took_ms, http_status, failure, subject, key, request, answer,
                request_bytes, answer_bytes)
            select * from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::int[],
                $6::text[], $7::timestamptz[], $8::int[], $9::int[], $10::text[], $11::text[],
                $12::bytea[], $13::bytea[], $14::bytea[], $15::int[], $16::int[])";
        let column = |length: fn(&Exchange) -> usize| -> Vec<i32> {
            exchanges.iter().map(|one| i32::try_from(length(one)).unwrap_or(i32::MAX)).collect()
        };
        let query = sqlx::query(sql)
            .bind(&ids)
            .bind(each(exchanges, |one| one.bank.as_str().to_owned()))
            .bind(each(exchanges, |one| one.reference.as_str().to_owned()))
            .bind(of.iter().map(|of| of.map(|(id, _)| id.uuid())).collect::<Vec<_>>())
            .bind(of.iter().map(|of| of.map(|(_, attempt)| attempt)).collect::<Vec<_>>())
            .bind(each(exchanges, |one| one.kind.as_str().to_owned()))
            .bind(each(exchanges, |one| one.started_at))
            .bind(each(exchanges, |one| one.took_ms))
            .bind(each(exchanges, |one| one.http_status.map(i32::from)))
            .bind(each(exchanges, |one| one.failure.map(|why| why.as_str().to_owned())))
            .bind(each(&written, |one| one.subject.clone()))
            .bind(each(&written, |one| one.key.clone()))
            .bind(each(&written, |one| one.request.clone()))
            .bind(each(&written, |one| one.answer.clone()))
            .bind(column(|one| one.request_bytes))
            .bind(column(|one| one.answer_bytes));
        query.execute(&mut *db_tx).await?;
        db_tx.commit().await
    }

    /// Whose the accounts are that these withdrawals take their money from.
    async fn owners(
        &self,
        ids: impl Iterator<Item = WithdrawalId>,
    ) -> sqlx::Result<BTreeMap<Uuid, Owner>> {
        let ids: Vec<Uuid> = ids.map(WithdrawalId::uuid).collect();
        let sql = "select w.id, o.owner from read.withdrawals w
                   join read.accounts o on o.id = w.account_id where w.id = any($1)";
        let rows: Vec<(Uuid, String)> = sqlx::query_as(sql).bind(ids).fetch_all(&self.pool).await?;
        let owner = |(id, owner): (Uuid, String)| Some((id, owner.parse().ok()?));
        Ok(rows.into_iter().filter_map(owner).collect())
    }

    async fn sealed(
        &self,
        ids: &[Uuid],
        exchanges: &[Exchange],
        about: &[Option<&Owner>],
    ) -> sqlx::Result<Vec<Written>> {
        let bodies: Vec<Option<Sealed>> = ids
            .iter()
            .zip(exchanges)
            .map(|(id, one)| sealed::seal(*id, &one.request, &one.answer))
            .collect();
        let fields: Vec<String> = ids.iter().map(|id| sealed::field(*id)).collect();
        let owned = about.iter().zip(&fields).zip(&bodies);
        let owned: Vec<(&Owner, &str, &[u8])> = owned
            .filter_map(|((owner, field), body)| {
                Some(((*owner)?, field.as_str(), body.as_ref()?.key.bytes().as_slice()))
            })
            .collect();
        let mut wrapped = match self.keys.seal_all(&owned).await {
            Ok(wrapped) => wrapped.into_iter(),
            Err(VaultError::Database(error)) => return Err(error),
            Err(VaultError::Erased | VaultError::Tampered | VaultError::TooLarge) => {
                Vec::new().into_iter()
            }
        };
        let one = |((id, about), body): ((&Uuid, Option<&Owner>), Option<Sealed>)| {
            let subject = about.map(|owner| owner.as_str().to_owned());
            let Some(body) = body else { return Written { subject, ..Written::default() } };
            let key = match about {
                // In the order in which they were asked for. Of whom is forgotten, no byte is kept.
                Some(_) => wrapped.next().and_then(Result::ok),
                None => sealed::of_nobody(&self.keys, *id, &body.key),
            };
            if key.is_none() {
                return Written { subject, ..Written::default() };
            }
            Written { subject, key, request: Some(body.request), answer: Some(body.answer) }
        };
        Ok(ids.iter().zip(about.iter().copied()).zip(bodies).map(one).collect())
    }

    /// What was said about a withdrawal, the first first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn of_withdrawal(
        &self,
        id: WithdrawalId,
        most: u32,
    ) -> sqlx::Result<Vec<KeptExchange>> {
        let sql = format!(
            "select {COLUMNS} from bank_exchanges where withdrawal_id = $1
             order by started_at, id limit $2"
        );
        let query = sqlx::query_as(&sql).bind(id.uuid()).bind(i64::from(most));
        let rows: Vec<Row> = query.fetch_all(&self.pool).await?;
        let mut kept = Vec::with_capacity(rows.len());
        for row in rows {
            kept.push(self.opened(row).await?);
        }
        Ok(kept)
    }

    /// One of them.
    ///
    /// # Errors
    /// What the database says.
    pub async fn find(&self, id: Uuid) -> sqlx::Result<Option<KeptExchange>> {
        let sql = format!("select {COLUMNS} from bank_exchanges where id = $1");
        let row: Option<Row> = sqlx::query_as(&sql).bind(id).fetch_optional(&self.pool).await?;
        match row {
            Some(row) => self.opened(row).await.map(Some),
            None => Ok(None),
        }
    }

    /// Forgets what began before a moment; how many there were.
    ///
    /// # Errors
    /// What the database says; it may be repeated.
    pub async fn forget(&self, now: Timestamp, kept_for: TimeDelta) -> sqlx::Result<u64> {
        let Some(before) = now.checked_sub_signed(kept_for) else { return Ok(0) };
        let sql = "delete from bank_exchanges where id in (
                       select id from bank_exchanges where started_at < $1
                       order by started_at limit $2)";
        let mut forgotten: u64 = 0;
        loop {
            let query = sqlx::query(sql).bind(before).bind(FORGOTTEN_AT_ONCE);
            let done = query.execute(&self.pool).await?.rows_affected();
            forgotten = forgotten.saturating_add(done);
            if i64::try_from(done).unwrap_or_default() < FORGOTTEN_AT_ONCE {
                return Ok(forgotten);
            }
        }
    }

    async fn opened(&self, row: Row) -> sqlx::Result<KeptExchange> {
        let with = (row.subject.as_deref(), row.key.as_deref());
        let key = sealed::key(&self.keys, row.id, with).await?;
        let (request, answer) =
            sealed::open(row.id, &key, (row.request.as_deref(), row.answer.as_deref()));
        Ok(KeptExchange {
            id: row.id,
            bank: row.bank,
            reference: row.reference,
            attempt: row.attempt,
            kind: row.kind,
            started_at: row.started_at,
            took_ms: row.took_ms,
            http_status: row.http_status,
            failure: row.failure,
            request,
            request_bytes: row.request_bytes,
            answer,
            answer_bytes: row.answer_bytes,
        })
    }
}

fn each<T, U>(of: &[T], one: impl FnMut(&T) -> U) -> Vec<U> {
    of.iter().map(one).collect()
}
