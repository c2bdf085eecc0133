//! The whole log folded once more, into empty tables of its own, and each of them held against the
//! live one at the same position.
//!
//! The tables are in the schema `read_replay`, which is empty but for while somebody does this:
//! they are dropped at the end, and what a process left behind that died is dropped before the next
//! one begins ([`clear_replay`]). One at a time, by a lock. The fold is the projector's, so this
//! finds what was changed in the live tables or went wrong in them since; whether the fold is right
//! is the auditor's own reading of the log to say ([`crate::audit`]), which shares no code with it.
//!
//! Nothing live is written or waited for. The comparison sees one moment of the database: it folds
//! what is missing up to the live checkpoint of that moment, and a rebuild cannot put other tables
//! in the place of those that it looks at.

mod compare;

use std::time::{Duration, Instant};

use ledger_core::log::Position;
use serde::{Deserialize, Serialize};
use sqlx::{Connection, Executor, PgConnection, PgPool, Row};

use crate::{
    error::ProjectionError,
    models::{ReadModel, Schema},
    projector::{
        EVENTS_MAX, Supply,
        chunk::{self, Job, Step},
        connect,
    },
};

/// Names the lock that keeps two of them apart (the letters "replay").
const REPLAY_LOCK: i64 = 0x7265_706c_6179;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// Up to which position both sets of tables are.
    pub position: Position,
    /// Table by table.
    pub tables: Vec<TableComparison>,
    /// How long it took.
    pub elapsed: Duration,
}

/// A live table against the one that was made anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableComparison {
    /// Its name.
    pub table: String,
    /// How many rows there are, in either.
    pub compared: u64,
    /// How many of them are not the same, or in one only.
    pub differing: u64,
    /// Some that differ, and how.
    pub examples: Vec<String>,
}

impl Comparison {
    /// How many rows were compared, and how many of them differ.
    pub fn sums(&self) -> (u64, u64) {
        self.tables.iter().fold((0, 0), |(compared, differing), table| {
            (compared.saturating_add(table.compared), differing.saturating_add(table.differing))
        })
    }
}

/// Folds the whole log into tables of its own and compares; `progress` hears how far it is and how
/// far it goes. The pool's role is one that may be the application's.
///
/// # Errors
/// [`ProjectionError::RebuildBusy`] if another one is at work, [`ProjectionError::Poison`] if the
/// log cannot be folded.
pub async fn replay_beside(
    pool: &PgPool,
    mut progress: impl FnMut(Position, Position),
) -> Result<Comparison, ProjectionError> {
    let start = Instant::now();
    let mut db = connect(pool).await?;
    db.execute("set role bahi_app").await?;
    if !lock(&mut db).await? {
        return Err(ProjectionError::RebuildBusy);
    }
    let made = fold_and_compare(&mut db, &mut progress).await;
    // Whatever came of it, nothing of it stays; and the next one is let in at once.
    let dropped = drop_tables(&mut db).await;
    let unlocked = unlock(&mut db).await;
    let closed = db.close().await;
    let (position, tables) = made?;
    dropped?;
    unlocked?;
    closed?;
    Ok(Comparison { position, tables, elapsed: start.elapsed() })
}

/// Drops what somebody left behind who did not come to the end; nothing if somebody is at work.
///
/// # Errors
/// What the database says.
pub async fn clear_replay(pool: &PgPool) -> Result<(), ProjectionError> {
    let mut db = connect(pool).await?;
    db.execute("set role bahi_app").await?;
    if lock(&mut db).await? {
        drop_tables(&mut db).await?;
        unlock(&mut db).await?;
    }
    Ok(db.close().await?)
}

async fn fold_and_compare(
    db: &mut PgConnection,
    progress: &mut impl FnMut(Position, Position),
) -> Result<(Position, Vec<TableComparison>), ProjectionError> {
    drop_tables(db).await?;
    db.execute("select make_read_models('read_replay')").await?;
    fold(db, progress).await?;
    for table in tables() {
        // New tables have no statistics, and would be joined by bad plans.
        db.execute(format!("analyze read_replay.{table}").as_str()).await?;
    }
    compare_at_one_moment(db, progress).await
}

/// The tables of all read models.
fn tables() -> impl Iterator<Item = &'static str> {
    ReadModel::ALL.into_iter().flat_map(|model| model.tables().iter().copied())
}

/// Keeps others away until this connection closes, however that comes. Whether it could.
async fn lock(db: &mut PgConnection) -> Result<bool, ProjectionError> {
    let query = sqlx::query("select pg_try_advisory_lock($1) as mine").bind(REPLAY_LOCK);
    Ok(query.fetch_one(db).await?.try_get("mine")?)
}

async fn unlock(db: &mut PgConnection) -> Result<(), ProjectionError> {
    sqlx::query("select pg_advisory_unlock($1)").bind(REPLAY_LOCK).execute(db).await?;
    Ok(())
}

async fn drop_tables(db: &mut PgConnection) -> Result<(), ProjectionError> {
    for table in tables().chain(["checkpoint"]) {
        db.execute(format!("drop table if exists read_replay.{table}").as_str()).await?;
    }
    Ok(())
}

/// Folds until little is missing of what the live tables have.
async fn fold(
    db: &mut PgConnection,
    progress: &mut impl FnMut(Position, Position),
) -> Result<(), ProjectionError> {
    loop {
        let live = chunk::checkpoint(db, Schema::Live).await?;
        match chunk::step(db, &mut Supply::default(), job(live)).await? {
            Step::Moved(reach) => {
                progress(reach.position, live);
                if live.saturating_sub(reach.position) < EVENTS_MAX {
                    return Ok(());
                }
            }
            Step::Idle(_) => return Ok(()),
            Step::Busy(_) => return Err(ProjectionError::RebuildBusy),
        }
    }
}

fn job(upto: Position) -> Job<'static> {
    let upto = Some(upto);
    Job { schema: Schema::Replay, models: &ReadModel::ALL, events_max: EVENTS_MAX, upto }
}

/// Folds the rest up to the live checkpoint, and compares, both as of one moment of the database.
async fn compare_at_one_moment(
    db: &mut PgConnection,
    progress: &mut impl FnMut(Position, Position),
) -> Result<(Position, Vec<TableComparison>), ProjectionError> {
    let mut db_tx = db.begin_with("begin isolation level repeatable read").await?;
    // Before anything is read, and so before the moment is fixed: from here on these tables stay
    // where they are. The joins are large, unlike the projector's statements.
    let live: Vec<String> = tables().map(|table| format!("read.{table}")).collect();
    let sql =
        format!("lock table {} in access share mode; set local enable_sort = on", live.join(", "));
    db_tx.execute(sql.as_str()).await?;
    let live = chunk::checkpoint(&mut db_tx, Schema::Live).await?;
    let mine = chunk::checkpoint(&mut db_tx, Schema::Replay).await?;
    let position = chunk::catch_up_in_tx(&mut db_tx, job(live), mine).await?;
    if position != live {
        // The live tables went back: somebody makes them anew.
        return Err(ProjectionError::RebuildBusy);
    }
    progress(position, live);
    let mut compared = Vec::new();
    for table in tables() {
        compared.push(compare::table(&mut db_tx, table).await?);
    }
    db_tx.rollback().await?;
    Ok((position, compared))
}
