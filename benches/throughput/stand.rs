//! The stand: one durable private PostgreSQL, a fresh database per measurement.

use std::{
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use anyhow::Context;
use ledger_api::postgres::{self, Cluster, Mode, SUPERUSER};
use ledger_core::engine::Engine;
use projections::{Projector, ReadModels};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{
    Connection, PgConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
};

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

    /// Has the server make the segments of its log (WAL) that it may keep, as one has them that has
    /// run for a while: a segment is made and filled with zeros while commits wait. A slot keeps
    /// those that were written from being used again before there are enough.
    pub(crate) async fn make_segments(&self) -> anyhow::Result<()> {
        let mut db = PgConnection::connect(&self.cluster.url("postgres", SUPERUSER)).await?;
        let wanted: i64 = sqlx::query_scalar(
            "select pg_size_bytes(current_setting('min_wal_size'))
                    / pg_size_bytes(current_setting('wal_segment_size'))",
        )
        .fetch_one(&mut db)
        .await?;
        let hold = "select pg_create_physical_replication_slot('bench', true, true)";
        sqlx::query(hold).execute(&mut db).await?;
        for _ in 0..wanted.saturating_mul(2) {
            let there: i64 = sqlx::query_scalar("select count(*) from pg_ls_waldir()")
                .fetch_one(&mut db)
                .await?;
            if there >= wanted {
                break;
            }
            let filled = "select pg_logical_emit_message(false, 'bench', ''), pg_switch_wal()";
            sqlx::query(filled).execute(&mut db).await?;
        }
        sqlx::query("select pg_drop_replication_slot('bench')").execute(&mut db).await?;
        db.close().await?;
        self.checkpoint().await
    }

    /// The processes of the server.
    pub(crate) async fn pids(&self) -> anyhow::Result<Vec<u32>> {
        let mut db = PgConnection::connect(&self.cluster.url("postgres", SUPERUSER)).await?;
        let of_sessions: Vec<i32> =
            sqlx::query_scalar("select pid from pg_stat_activity").fetch_all(&mut db).await?;
        db.close().await?;
        let all = of_sessions.into_iter().chain(self.cluster.postmaster_pid());
        Ok(all.map(u32::try_from).collect::<Result<_, _>>()?)
    }

    /// Kills the server as a crash would.
    pub(crate) fn kill(&self) -> anyhow::Result<()> {
        let pid = self.cluster.postmaster_pid().and_then(Pid::from_raw);
        Ok(kill_process(pid.context("the server runs")?, Signal::KILL)?)
    }

    /// Brings a killed server back, with what it has to recover.
    pub(crate) fn bring_back(&self) -> anyhow::Result<()> {
        let was_gone = tokio::task::block_in_place(|| self.cluster.ensure_running())?;
        anyhow::ensure!(was_gone, "the server was not gone");
        Ok(())
    }

    /// Whether the server takes connections.
    pub(crate) fn is_up(&self) -> bool {
        self.cluster.is_running()
    }

    /// A fresh, migrated database; options for the application's role.
    pub(crate) async fn ledger(&self) -> anyhow::Result<PgConnectOptions> {
        Ok(self.ledger_url().await?.1)
    }

    /// The same, and as an address.
    pub(crate) async fn ledger_url(&self) -> anyhow::Result<(String, PgConnectOptions)> {
        let name = self.fresh().await?;
        let mut db = PgConnection::connect(&self.cluster.url(&name, SUPERUSER)).await?;
        ledger_core::log::MIGRATOR.run(&mut db).await?;
        sqlx::query("alter role bahi_app login").execute(&mut db).await?;
        db.close().await?;
        let url = self.cluster.url(&name, "bahi_app");
        let options = url.parse()?;
        Ok((url, options))
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
        self.checkpoint().await?;
        Ok(name)
    }

    /// Has the server learn what is in the last database, as it does by itself after a while, and
    /// write what is dirty.
    pub(crate) async fn settle(&self) -> anyhow::Result<()> {
        let last = self.count.load(Ordering::Relaxed).saturating_sub(1);
        let last = self.cluster.url(&format!("bench_{last}"), SUPERUSER);
        let mut db = PgConnection::connect(&last).await?;
        sqlx::query("vacuum analyze").execute(&mut db).await?;
        db.close().await?;
        self.checkpoint().await
    }

    /// Has the server write what is dirty now, and not in the measurement to come.
    pub(crate) async fn checkpoint(&self) -> anyhow::Result<()> {
        let mut db = PgConnection::connect(&self.cluster.url("postgres", SUPERUSER)).await?;
        sqlx::query("checkpoint").execute(&mut db).await?;
        Ok(db.close().await?)
    }

    /// What it ran on, in a line or two.
    pub(crate) async fn describe(&self) -> anyhow::Result<String> {
        let mut db = PgConnection::connect(&self.cluster.url("postgres", SUPERUSER)).await?;
        let settings: String = sqlx::query_scalar(
            "select string_agg(name || '=' || current_setting(name), ' ' order by name)
             from pg_settings
             where name in ('server_version', 'fsync', 'synchronous_commit', 'full_page_writes',
                            'shared_buffers', 'max_wal_size', 'min_wal_size',
                            'checkpoint_timeout')",
        )
        .fetch_one(&mut db)
        .await?;
        db.close().await?;
        let cores = std::thread::available_parallelism()?;
        Ok(format!("{cores} cores, shared by the database and the load; {settings}"))
    }
}

/// A projector that follows the log beside the load.
pub(crate) struct Projecting {
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
    models: ReadModels,
}

/// Starts one, as `bahi serve` does: on a pool of its own, nudged by the engine.
pub(crate) async fn project(
    database: PgConnectOptions,
    engine: &Engine,
) -> anyhow::Result<Projecting> {
    let pool = PgPoolOptions::new().max_connections(2).connect_with(database).await?;
    let mut status = engine.status();
    let (nudges, nudge) = watch::channel(0);
    tokio::spawn(async move {
        while status.changed().await.is_ok() {
            let position = status.borrow().head.position;
            nudges.send_replace(position);
        }
    });
    let projector = Projector::new(pool.clone(), nudge).with_tail(Some(engine.tail()));
    let models = ReadModels::new(pool).with_projector(projector.status());
    let (stop, stopped) = oneshot::channel();
    let running = tokio::spawn(projector.run(async move { stopped.await.unwrap_or_default() }));
    Ok(Projecting { stop, running, models })
}

impl Projecting {
    /// Waits until it has seen everything, and stops it. Returns how long that took: its lag.
    pub(crate) async fn stop(self, head: u64) -> anyhow::Result<Duration> {
        let started = Instant::now();
        self.models.wait_for(head, Duration::from_secs(120)).await?;
        let lag = started.elapsed();
        // An error means that it has ended by itself, which the wait would have shown.
        self.stop.send(()).unwrap_or_default();
        self.running.await?;
        Ok(lag)
    }
}
