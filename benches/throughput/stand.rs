//! The stand: one durable private PostgreSQL, a fresh database per measurement.

use std::{
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

use ledger_api::postgres::{self, Cluster, Mode, SUPERUSER};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};

pub(crate) struct Stand {
    cluster: Cluster,
    count: AtomicU32,
}

impl Stand {
    pub(crate) fn open() -> anyhow::Result<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target").join("bench-postgres");
        let cluster = postgres::open(&folder, Mode::Durable)?;
        Ok(Self { cluster, count: AtomicU32::new(0) })
    }

    /// A fresh, migrated database; options for the application's role.
    pub(crate) async fn ledger(&self) -> anyhow::Result<PgConnectOptions> {
        let name = self.fresh().await?;
        let mut db = PgConnection::connect(&self.cluster.url(&name, SUPERUSER)).await?;
        ledger_core::log::MIGRATOR.run(&mut db).await?;
        sqlx::query("alter role bahi_app login").execute(&mut db).await?;
        db.close().await?;
        Ok(self.cluster.url(&name, "bahi_app").parse()?)
    }

    /// A fresh, empty database; options for the superuser.
    pub(crate) async fn empty(&self) -> anyhow::Result<PgConnectOptions> {
        let name = self.fresh().await?;
        Ok(self.cluster.url(&name, SUPERUSER).parse()?)
    }

    async fn fresh(&self) -> anyhow::Result<String> {
        // The measurement before is done with its database; its dirty pages are not ours to write.
        if let Some(before) = self.count.load(Ordering::Relaxed).checked_sub(1) {
            postgres::drop_database(&self.cluster, &format!("bench_{before}")).await?;
        }
        let name = format!("bench_{}", self.count.fetch_add(1, Ordering::Relaxed));
        postgres::drop_database(&self.cluster, &name).await?;
        postgres::create_database(&self.cluster, &name, None).await?;
        let mut db = PgConnection::connect(&self.cluster.url("postgres", SUPERUSER)).await?;
        sqlx::query("checkpoint").execute(&mut db).await?;
        db.close().await?;
        Ok(name)
    }

    /// What it ran on, in a line or two.
    pub(crate) async fn describe(&self) -> anyhow::Result<String> {
        let mut db = PgConnection::connect(&self.cluster.url("postgres", SUPERUSER)).await?;
        let settings: String = sqlx::query_scalar(
            "select string_agg(name || '=' || current_setting(name), ' ' order by name)
             from pg_settings
             where name in ('server_version', 'fsync', 'synchronous_commit', 'full_page_writes',
                            'shared_buffers', 'max_wal_size', 'checkpoint_timeout')",
        )
        .fetch_one(&mut db)
        .await?;
        db.close().await?;
        let cores = std::thread::available_parallelism()?;
        Ok(format!("{cores} cores, shared by the database and the load; {settings}"))
    }
}

/// A projector that follows the log beside the load.
pub(crate) struct Projecting;

impl Projecting {
    pub(crate) async fn stop(self) {}
}

pub(crate) fn project(
    _database: PgConnectOptions,
    _engine: &ledger_core::engine::Engine,
) -> Projecting {
    Projecting
}
