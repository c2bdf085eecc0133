//! What a transfer leaves behind, in bytes.

use std::fmt;

use sqlx::{Connection, PgConnection, Row, postgres::PgConnectOptions};

/// The tables of the log, and their indexes.
const RELATIONS: [&str; 5] =
    ["events", "events_pkey", "events_position_key", "idempotency", "idempotency_pkey"];

/// Sizes at one moment.
pub(crate) struct Sizes {
    /// Of `RELATIONS`, in bytes.
    relations: [i64; 5],
    /// Of the read models, with their indexes.
    read_models: i64,
    /// How much WAL the server has written.
    wal: i64,
}

/// Bytes per transfer.
pub(crate) struct Storage {
    relations: [i64; 5],
    read_models: i64,
    wal: i64,
}

/// The sizes now.
pub(crate) async fn sizes(database: &PgConnectOptions) -> anyhow::Result<Sizes> {
    let mut db = PgConnection::connect_with(database).await?;
    let mut relations = [0; 5];
    for (name, size) in RELATIONS.iter().zip(&mut relations) {
        *size = sqlx::query("select pg_relation_size($1::regclass)")
            .bind(name)
            .fetch_one(&mut db)
            .await?
            .try_get(0)?;
    }
    let read_models = sqlx::query(
        "select sum(pg_total_relation_size(c.oid))::bigint
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = 'read' and c.relkind = 'r'",
    )
    .fetch_one(&mut db)
    .await?
    .try_get(0)?;
    let wal = sqlx::query("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint")
        .fetch_one(&mut db)
        .await?
        .try_get(0)?;
    db.close().await?;
    Ok(Sizes { relations, read_models, wal })
}

impl Storage {
    /// What so many transfers left between two looks.
    pub(crate) fn between(before: &Sizes, after: &Sizes, transfers: u64) -> anyhow::Result<Self> {
        let transfers = i64::try_from(transfers)?.max(1);
        let mut relations = [0; 5];
        for (per, (a, b)) in relations.iter_mut().zip(after.relations.iter().zip(&before.relations))
        {
            *per = (a - b) / transfers;
        }
        let read_models = (after.read_models - before.read_models) / transfers;
        Ok(Self { relations, read_models, wal: (after.wal - before.wal) / transfers })
    }
}

impl fmt::Display for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: i64 = self.relations.iter().sum();
        write!(f, "Bytes per transfer in tables and indexes of the log: {all} (")?;
        for (index, (name, bytes)) in RELATIONS.iter().zip(self.relations).enumerate() {
            write!(f, "{}{name} {bytes}", if index > 0 { ", " } else { "" })?;
        }
        write!(f, "); of the read models: {}; of WAL: {}", self.read_models, self.wal)
    }
}
