//! The ceiling: rows of the same tables and sizes that the engine writes, inserted bare on one
//! connection, with nothing decided and no hash computed. Batches of 1,000 transfers show the most
//! that can be had; batches of one, the least that a caller can wait.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use sqlx::{Connection, PgConnection};

use crate::{
    ACCOUNTS, Spread,
    naive::{pair, per_second},
    stand::Stand,
};

/// Transfers in a batch of the yardstick.
pub(crate) const BATCH: u64 = 1_000;

const INSERT: &str = "
    with b as (
        insert into batches (number, last_position, head_hash, recorded_at)
        values ($1, $2, $3, now()) on conflict do nothing returning number
    ), e as (
        insert into events (position, aggregate_type, aggregate_id, sequence, event_type,
                            event_version, payload, metadata, recorded_at, hash)
        select generate_series($2::bigint - cardinality($4::text[]) + 1, $2::bigint), 'account',
               unnest($4::text[]), unnest($5::bigint[]), 'credited', '1.0', unnest($6::bytea[]),
               unnest($7::bytea[]), now(), $3
        from b
    )
    insert into idempotency (principal, key, fingerprint, outcome)
    select 'bench', unnest($8::text[]), $3, unnest($9::bytea[]) from b";

/// What the inserts came to.
pub(crate) struct Inserted {
    /// Transfers a second.
    pub(crate) rate: u64,
    /// Of each insert, in microseconds.
    pub(crate) latencies: Histogram<u64>,
}

/// Inserts so many transfers at a time.
pub(crate) async fn measure(stand: &Stand, batch: u64, time: Duration) -> anyhow::Result<Inserted> {
    let mut db = PgConnection::connect_with(&stand.ledger().await?).await?;
    let accounts = usize::try_from(ACCOUNTS)?;
    let mut sequences = vec![0_i64; accounts];
    let (mut state, mut position, mut number, mut done) = (1, 0_i64, 0_i64, 0_u64);
    let mut latencies = Histogram::new(3)?;
    let started = Instant::now();
    // Making the rows is not what is measured.
    let mut inserting = Duration::ZERO;
    while started.elapsed() < time {
        let rows = Rows::make(batch, &mut sequences, &mut state)?;
        number += 1;
        position += i64::try_from(rows.ids.len())?;
        let before = Instant::now();
        sqlx::query(INSERT)
            .bind(number)
            .bind(position)
            .bind(&[7_u8; 32][..])
            .bind(&rows.ids)
            .bind(&rows.sequences)
            .bind(&rows.payloads)
            .bind(&rows.metadatas)
            .bind(&rows.keys)
            .bind(&rows.outcomes)
            .execute(&mut db)
            .await?;
        let took = before.elapsed();
        latencies.record(u64::try_from(took.as_micros())?)?;
        inserting += took;
        done += batch;
    }
    db.close().await?;
    Ok(Inserted { rate: per_second(done, inserting), latencies })
}

#[derive(Default)]
struct Rows {
    ids: Vec<String>,
    sequences: Vec<i64>,
    payloads: Vec<Vec<u8>>,
    metadatas: Vec<Vec<u8>>,
    keys: Vec<String>,
    outcomes: Vec<Vec<u8>>,
}

impl Rows {
    fn make(batch: u64, sequences: &mut [i64], state: &mut u64) -> anyhow::Result<Self> {
        let mut rows = Self::default();
        for _ in 0..batch {
            let (from, to) = pair(Spread::Uniform, state);
            let id = uuid::Uuid::now_v7().simple();
            for (leg, account) in [(1, from), (2, to)] {
                let sequence = &mut sequences[usize::try_from(account)?];
                *sequence += 1;
                rows.ids.push(format!("wallet:w{account}:INR"));
                rows.sequences.push(*sequence);
                let payload = format!(
                    "{{\"transaction_id\":\"txn_{id}\",\"leg\":{leg},\"legs\":2,\
                     \"kind\":\"transfer\",\"amount\":\"1.00\",\"balance_after\":\"100000.00\",\
                     \"effective_on\":\"2026-11-22\"}}"
                );
                rows.payloads.push(payload.into_bytes());
                let metadata =
                    format!("{{\"actor\":\"bench\",\"request\":\"req_{id}\",\"book\":\"7\"}}");
                let first = leg == 1;
                rows.metadatas.push(if first { metadata.into_bytes() } else { b"{}".to_vec() });
            }
            rows.keys.push(format!("{id}"));
            let outcome = format!(
                "{{\"accepted\":{{\"first_position\":1000000,\"position\":1000001,\
                 \"recorded_at\":\"2026-11-22T08:38:00.000001Z\",\"receipt\":{{\"posted\":\
                 {{\"transactions\":[\"txn_{id}\"],\"effective_on\":[\"2026-11-22\"]}}}}}}}}"
            );
            rows.outcomes.push(outcome.into_bytes());
        }
        Ok(rows)
    }
}
