//! The statements that put deliveries into the inbox: any number at once, each autocommitted.
//!
//! Several intakes may store the same deliveries at the same moment. Who comes second waits for
//! the first one's row and then finds it. So that two batches never wait for each other, rows go
//! in in the order of their keys.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::DateTime;
use ledger_core::clock::Timestamp;
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;

use super::{
    bodies::{self, Of},
    head::Head,
};
use crate::vault::WrappingKey;

/// A delivery that was verified and is to be stored.
#[derive(Debug, Clone)]
pub struct Incoming {
    bank: String,
    event_id: String,
    sent_at: Timestamp,
    body: Bytes,
    /// The wrapped key of the body; nothing before it is sealed.
    key: Option<Vec<u8>>,
    body_sha256: [u8; 32],
    head: Head,
}

impl Incoming {
    /// Takes the bytes as they came.
    pub fn new(bank: &str, event_id: &str, sent_at_s: i64, body: Bytes) -> Self {
        Self {
            bank: bank.to_owned(),
            event_id: event_id.to_owned(),
            sent_at: DateTime::from_timestamp(sent_at_s, 0).unwrap_or_default(),
            body_sha256: Sha256::digest(&body).into(),
            head: Head::read(&body),
            key: None,
            body,
        }
    }

    /// The same with its body sealed; nothing if it is too large.
    pub(super) fn sealed(mut self, wrapping: &WrappingKey) -> Option<Self> {
        let Self { bank, event_id, body_sha256, .. } = &self;
        let (body, key) = bodies::seal(wrapping, Of { bank, event_id, body_sha256 }, &self.body)?;
        self.body = body.into();
        self.key = Some(key);
        Some(self)
    }

    fn key(&self) -> (&str, &str) {
        (&self.bank, &self.event_id)
    }
}

/// What became of a delivery. It is in the inbox in all cases, with its id there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// The first one of its event.
    New(i64),
    /// The same as one before.
    Duplicate(i64),
    /// Its event came before, with another body. It was put on the exceptions list.
    Conflict(i64),
}

/// A body that can't be read waits for people from the start: nobody else can do anything with it.
const INSERT: &str = "
    with incoming as (
        select * from unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[],
                             $5::text[], $6::bytea[], $7::bytea[], $8::bytea[])
            as t(bank, event_id, sent_at, event_at, event_type, body_sha256, body, key)
    ), stored as (
        insert into inbox_deliveries (bank, event_id, sent_at, event_at, event_type, body_sha256)
        select bank, event_id, sent_at, event_at, event_type, body_sha256 from incoming
        on conflict (bank, event_id) do nothing
        returning id, bank, event_id, event_type
    ), bodies as (
        insert into inbox_bodies (delivery_id, body_sha256, body, key)
        select id, body_sha256, body, key from stored join incoming using (bank, event_id)
    ), unreadable as (
        insert into inbox_applied (delivery_id, attempt, outcome, detail)
        select id, 1, 'parked', 'the body is no JSON object with a type'
        from stored where event_type is null
    )
    select id, bank, event_id from stored";

const FIND: &str = "
    select d.id, d.bank, d.event_id, d.body_sha256
    from unnest($1::text[], $2::text[]) as t(bank, event_id)
    join inbox_deliveries d on d.bank = t.bank and d.event_id = t.event_id";

const NOTE_CONFLICT: &str = "
    with given as (
        select * from unnest($1::bigint[], $2::timestamptz[], $3::bytea[], $4::bytea[],
                             $5::bytea[])
            as t(delivery_id, sent_at, body_sha256, body, key)
    ), noted as (
        insert into inbox_conflicts (delivery_id, sent_at, body_sha256)
        select delivery_id, sent_at, body_sha256 from given
        on conflict (delivery_id, body_sha256) do nothing
        returning delivery_id, body_sha256
    )
    insert into inbox_bodies (delivery_id, body_sha256, body, key)
    select delivery_id, body_sha256, body, key
    from noted join given using (delivery_id, body_sha256)
    on conflict (delivery_id, body_sha256) do nothing";

/// Stores all, and says what became of each, in their order. When it returns, it is committed.
pub(super) async fn store(db: &mut PgConnection, batch: &[Incoming]) -> sqlx::Result<Vec<Stored>> {
    // The first of each event; in the order of the keys, which all processes share.
    let mut firsts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (index, incoming) in batch.iter().enumerate() {
        firsts.entry(incoming.key()).or_insert(index);
    }
    let one_each: Vec<&Incoming> = firsts.values().filter_map(|index| batch.get(*index)).collect();
    let inserted = insert(db, &one_each).await?;
    let inserted: BTreeMap<(&str, &str), i64> =
        inserted.iter().map(|(id, bank, event)| ((&**bank, &**event), *id)).collect();
    let new = |index: usize, incoming: &Incoming| {
        let id = inserted.get(&incoming.key()).copied();
        id.filter(|_| firsts.get(&incoming.key()) == Some(&index))
    };
    if inserted.len() == batch.len() {
        let ids = batch.iter().enumerate().filter_map(|(index, incoming)| new(index, incoming));
        return Ok(ids.map(Stored::New).collect());
    }
    let known = find(db, &one_each).await?;
    let known: BTreeMap<(&str, &str), (i64, &[u8])> =
        known.iter().map(|(id, bank, event, hash)| ((&**bank, &**event), (*id, &**hash))).collect();
    let mut stored = Vec::with_capacity(batch.len());
    let mut conflicts = Vec::new();
    for (index, incoming) in batch.iter().enumerate() {
        let (id, hash) = *known.get(&incoming.key()).ok_or(sqlx::Error::RowNotFound)?;
        stored.push(if new(index, incoming).is_some() {
            Stored::New(id)
        } else if hash == incoming.body_sha256 {
            Stored::Duplicate(id)
        } else {
            conflicts.push((id, incoming));
            Stored::Conflict(id)
        });
    }
    if !conflicts.is_empty() {
        note_conflicts(db, &mut conflicts).await?;
    }
    Ok(stored)
}

async fn insert(
    db: &mut PgConnection,
    batch: &[&Incoming],
) -> sqlx::Result<Vec<(i64, String, String)>> {
    sqlx::query_as(INSERT)
        .bind(batch.iter().map(|i| &*i.bank).collect::<Vec<&str>>())
        .bind(batch.iter().map(|i| &*i.event_id).collect::<Vec<&str>>())
        .bind(batch.iter().map(|i| i.sent_at).collect::<Vec<Timestamp>>())
        .bind(batch.iter().map(|i| i.head.event_at).collect::<Vec<Option<Timestamp>>>())
        .bind(batch.iter().map(|i| i.head.event_type.as_deref()).collect::<Vec<Option<&str>>>())
        .bind(batch.iter().map(|i| &i.body_sha256[..]).collect::<Vec<&[u8]>>())
        .bind(batch.iter().map(|i| &i.body[..]).collect::<Vec<&[u8]>>())
        .bind(batch.iter().map(|i| i.key.as_deref()).collect::<Vec<Option<&[u8]>>>())
        .fetch_all(db)
        .await
}

async fn find(
    db: &mut PgConnection,
    batch: &[&Incoming],
) -> sqlx::Result<Vec<(i64, String, String, Vec<u8>)>> {
    sqlx::query_as(FIND)
        .bind(batch.iter().map(|i| &*i.bank).collect::<Vec<&str>>())
        .bind(batch.iter().map(|i| &*i.event_id).collect::<Vec<&str>>())
        .fetch_all(db)
        .await
}

async fn note_conflicts(
    db: &mut PgConnection,
    conflicts: &mut [(i64, &Incoming)],
) -> sqlx::Result<()> {
    conflicts.sort_by_key(|(id, incoming)| (*id, incoming.body_sha256));
    sqlx::query(NOTE_CONFLICT)
        .bind(conflicts.iter().map(|(id, _)| *id).collect::<Vec<i64>>())
        .bind(conflicts.iter().map(|(_, i)| i.sent_at).collect::<Vec<Timestamp>>())
        .bind(conflicts.iter().map(|(_, i)| &i.body_sha256[..]).collect::<Vec<&[u8]>>())
        .bind(conflicts.iter().map(|(_, i)| &i.body[..]).collect::<Vec<&[u8]>>())
        .bind(conflicts.iter().map(|(_, i)| i.key.as_deref()).collect::<Vec<Option<&[u8]>>>())
        .execute(db)
        .await
        .map(drop)
}
