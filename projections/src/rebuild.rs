//! Making read models again from the log, beside live traffic.
//!
//! A second set of tables, in the schema `read_next`, is folded from position 1 by the same code
//! that the projector runs, in the same bounded steps, while the projector goes on with the live
//! set. At the end the rebuild takes the projector's checkpoint, folds what is missing up to it,
//! and swaps the tables in that same database transaction: readers see the old set or the new one,
//! at one position. Until then nothing of the live set is touched; a rebuild that dies leaves only
//! tables that the next one drops.

use std::time::{Duration, Instant};

use ledger_core::log::{self, Position};
use sqlx::{Connection, Executor, PgConnection, PgPool, Row, error::DatabaseError};

use crate::{
    error::ProjectionError,
    models::{ReadModel, Schema},
    projector::{
        EVENTS_MAX, Supply,
        chunk::{self, Job, Step},
        connect,
    },
};

/// Names the lock that keeps two rebuilds apart (the letters "rebuild"). It saves work; that no
/// two rebuilds mix rests on the shadow's own checkpoint.
const REBUILD_LOCK: i64 = 0x0072_6562_7569_6c64;
/// How often the swap is tried when readers stand in its way.
const SWAP_ATTEMPTS: u32 = 10;

/// What a rebuild did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RebuildReport {
    /// What was rebuilt.
    pub models: Vec<ReadModel>,
    /// Up to which position; from there the projector goes on.
    pub position: Position,
    /// How long it took.
    pub elapsed: Duration,
}

/// Rebuilds one read model, or all, from the log; `progress` hears how far it is and how far it
/// goes.
///
/// # Errors
/// [`ProjectionError::Poison`] if the log cannot be folded, [`ProjectionError::RebuildBusy`] if
/// another rebuild is at work. The live read models are as they were.
pub async fn rebuild(
    pool: &PgPool,
    only: Option<ReadModel>,
    mut progress: impl FnMut(Position, Position),
) -> Result<RebuildReport, ProjectionError> {
    let start = Instant::now();
    let mut db = connect(pool).await?;
    let models = match only {
        Some(model) => vec![model],
        None => ReadModel::ALL.to_vec(),
    };
    lock(&mut db).await?;
    let outcome = fold_and_swap(&mut db, only, &models, &mut progress).await;
    let closed = db.close().await;
    let position = outcome?;
    closed?;
    progress(position, position);
    Ok(RebuildReport { models, position, elapsed: start.elapsed() })
}

async fn fold_and_swap(
    db: &mut PgConnection,
    only: Option<ReadModel>,
    models: &[ReadModel],
    progress: &mut impl FnMut(Position, Position),
) -> Result<Position, ProjectionError> {
    // The tables belong to the role that the projector runs as, whoever rebuilds.
    db.execute("set role bahi_app").await?;
    prepare(db, only).await?;
    fold_beside(db, only, models, progress).await?;
    for table in models.iter().flat_map(|model| model.tables()) {
        // New tables have no statistics, and would be read by bad plans until they do.
        let sql = format!("analyze read_next.{table}");
        db.execute(sql.as_str()).await?;
    }
    let position = swap(db, models).await?;
    unlock(db).await?;
    Ok(position)
}

/// Keeps other rebuilds away until this connection closes, however that comes.
async fn lock(db: &mut PgConnection) -> Result<(), ProjectionError> {
    let row = sqlx::query("select pg_try_advisory_lock($1) as mine")
        .bind(REBUILD_LOCK)
        .fetch_one(db)
        .await?;
    if row.try_get::<bool, _>("mine")? { Ok(()) } else { Err(ProjectionError::RebuildBusy) }
}

/// Lets the next one in at once: the server sees a closed connection only some time later.
async fn unlock(db: &mut PgConnection) -> Result<(), ProjectionError> {
    sqlx::query("select pg_advisory_unlock($1)").bind(REBUILD_LOCK).execute(db).await?;
    Ok(())
}

/// Empty shadow tables.
async fn prepare(db: &mut PgConnection, only: Option<ReadModel>) -> Result<(), ProjectionError> {
    let mut db_tx = db.begin().await?;
    let row = sqlx::query("select to_regclass('read.checkpoint') is null as missing")
        .fetch_one(&mut *db_tx)
        .await?;
    if row.try_get("missing")? {
        // One of several cannot be made to fit a checkpoint that is not there.
        if only.is_some() {
            return Err(ProjectionError::Missing);
        }
        db_tx.execute("select make_read_models('read')").await?;
    }
    drop_shadow(&mut db_tx).await?;
    db_tx.execute("select make_read_models('read_next')").await?;
    db_tx.commit().await?;
    Ok(())
}

async fn drop_shadow(db: &mut PgConnection) -> Result<(), ProjectionError> {
    let tables = ReadModel::ALL.iter().flat_map(|model| model.tables());
    for table in tables.chain(&["checkpoint"]) {
        let sql = format!("drop table if exists read_next.{table}");
        db.execute(sql.as_str()).await?;
    }
    Ok(())
}

/// Folds into the shadow tables until so little is missing that it can wait for the swap.
async fn fold_beside(
    db: &mut PgConnection,
    only: Option<ReadModel>,
    models: &[ReadModel],
    progress: &mut impl FnMut(Position, Position),
) -> Result<(), ProjectionError> {
    loop {
        // One of several must come out at the others' position, so it never gets ahead of them.
        let upto = match only {
            Some(_) => Some(chunk::checkpoint(db, Schema::Live).await?),
            None => None,
        };
        let job = Job { schema: Schema::Shadow, models, events_max: EVENTS_MAX, upto };
        let reach = match chunk::step(db, &mut Supply::default(), job).await? {
            Step::Moved(reach) => reach,
            Step::Idle(_) => return Ok(()),
            Step::Busy(_) => return Err(ProjectionError::RebuildBusy),
        };
        let end = upto.unwrap_or(reach.head);
        progress(reach.position, end);
        if end.saturating_sub(reach.position) < EVENTS_MAX {
            return Ok(());
        }
    }
}

/// Swaps the shadow tables in; readers that stand in the way are given time to leave.
async fn swap(db: &mut PgConnection, models: &[ReadModel]) -> Result<Position, ProjectionError> {
    let mut attempt = 1;
    loop {
        match try_swap(db, models).await {
            Err(ProjectionError::Database(error))
                if is_in_the_way(&error) && attempt < SWAP_ATTEMPTS =>
            {
                attempt += 1;
            }
            outcome => return outcome,
        }
    }
}

async fn try_swap(
    db: &mut PgConnection,
    models: &[ReadModel],
) -> Result<Position, ProjectionError> {
    let mut db_tx = db.begin().await?;
    // Whoever waits for a table also waits for us: rather give way and come again.
    db_tx.execute("set local lock_timeout = '3s'; set local synchronous_commit = on").await?;
    let live = lock_checkpoint(&mut db_tx, Schema::Live).await?;
    let shadow = lock_checkpoint(&mut db_tx, Schema::Shadow).await?;
    let job = Job { schema: Schema::Shadow, models, events_max: EVENTS_MAX, upto: Some(live) };
    let position = chunk::catch_up_in_tx(&mut db_tx, job, shadow).await?;
    for table in models.iter().flat_map(|model| model.tables()) {
        let sql = format!(
            "drop table if exists read.{table}; alter table read_next.{table} set schema read"
        );
        db_tx.execute(sql.as_str()).await?;
    }
    sqlx::query("update read.checkpoint set position = $1")
        .bind(log::read::signed(position)?)
        .execute(&mut *db_tx)
        .await?;
    drop_shadow(&mut db_tx).await?;
    db_tx.commit().await?;
    Ok(position)
}

/// The checkpoint; waits for whoever holds it.
async fn lock_checkpoint(
    db: &mut PgConnection,
    schema: Schema,
) -> Result<Position, ProjectionError> {
    let sql = format!("select position from {}.checkpoint for update", schema.name());
    let row = sqlx::query(&sql).fetch_optional(db).await?;
    let row = row.ok_or(ProjectionError::Missing)?;
    Ok(crate::reads::unsigned(&row, "position")?)
}

/// Whether a reader held a table for too long, or met us crosswise.
fn is_in_the_way(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.is_some_and(|code| matches!(&*code, "55P03" | "40P01"))
}
