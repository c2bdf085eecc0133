//! One step of a projection: the next whole batches of the log, folded and written, and the
//! checkpoint moved, in one database transaction.
//!
//! Steps end where batches end, because an append is the unit that is there or not there: a
//! transaction never reaches over a batch's end. The checkpoint's row lock lets one projector work
//! at a time; that the row still holds the step's start makes a repeat impossible.

use ledger_core::log::{self, Position};
use sqlx::{Connection, PgConnection, Row, error::DatabaseError};

use super::supply::Supply;
use crate::{
    error::{Poison, PoisonReason, ProjectionError},
    models::{Changes, ReadModel, Schema},
    reads::unsigned,
};

/// What is folded, and how far in one step.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) schema: Schema,
    pub(crate) models: &'a [ReadModel],
    /// The most events of one step; a single batch may be longer.
    pub(crate) events_max: u64,
    /// Fold no further than this, a batch's end; nothing = to the log's head.
    pub(crate) upto: Option<Position>,
}

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The checkpoint moved.
    Moved(Reach),
    /// Nothing to do.
    Idle(Reach),
    /// Somebody else holds the checkpoint.
    Busy(Reach),
}

/// How far the read models are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reach {
    /// The checkpoint.
    pub(crate) position: Position,
    /// The log's head.
    pub(crate) head: Position,
    /// For how long the oldest event that is not folded has been in the log.
    pub(crate) lag_ms: u64,
}

/// The next whole batches.
struct Range {
    after: Position,
    upto: Position,
    first_end: Position,
    /// Where the step after this one would end, if a whole one waits.
    next: Option<Position>,
    reach: Reach,
}

/// Makes one step; a step that meets a poison event is made again up to the batch before it.
pub(crate) async fn step(
    db: &mut PgConnection,
    supply: &mut Supply,
    job: Job<'_>,
) -> Result<Step, ProjectionError> {
    let mut job = job;
    loop {
        let (poison, range) = match attempt(db, supply, job).await? {
            Ok(step) => return Ok(step),
            Err(stopped) => stopped,
        };
        if range.upto == range.first_end {
            return Err(poison.into());
        }
        // Up to the batch that ends before the poison; or, where the database did not say which
        // event it refused, half of the way: down to the one batch that it is in.
        let before_poison = poison.position.saturating_sub(range.after + 1);
        let half = (range.upto - range.after) / 2;
        job.events_max = if before_poison == 0 { half } else { before_poison.min(half.max(1)) };
    }
}

/// A step that either was made, or met a poison event and left nothing behind.
async fn attempt(
    db: &mut PgConnection,
    supply: &mut Supply,
    job: Job<'_>,
) -> Result<Result<Step, (Poison, Range)>, ProjectionError> {
    if let Some(reach) = nothing_to_do(db, job).await? {
        return Ok(Ok(Step::Idle(reach)));
    }
    let mut db_tx = db.begin().await?;
    let Some(after) = lock_checkpoint(&mut db_tx, job.schema).await? else {
        db_tx.rollback().await?;
        let after = checkpoint(db, job.schema).await?;
        let range = next_range(db, after, job).await?;
        return Ok(Ok(Step::Busy(range.reach)));
    };
    let range = next_range(&mut db_tx, after, job).await?;
    if range.upto == after {
        db_tx.rollback().await?;
        return Ok(Ok(Step::Idle(range.reach)));
    }
    match fold_in_tx(&mut db_tx, &range, supply, job).await {
        Ok(()) => {}
        Err(ProjectionError::Poison(poison)) => {
            db_tx.rollback().await?;
            return Ok(Err((poison, range)));
        }
        Err(error) => return Err(error),
    }
    db_tx.commit().await?;
    supply.folded(range.upto, range.next.is_some());
    let reach = Reach {
        position: range.upto,
        lag_ms: if range.upto == range.reach.head { 0 } else { range.reach.lag_ms },
        ..range.reach
    };
    Ok(Ok(Step::Moved(reach)))
}

/// Where everything is, if the checkpoint is there already. Most looks find nothing new; taking
/// the lock for each would write to the table all day long.
async fn nothing_to_do(
    db: &mut PgConnection,
    job: Job<'_>,
) -> Result<Option<Reach>, ProjectionError> {
    let sql = format!(
        "select c.position,
                (select last_position from batches order by number desc limit 1) as head
         from {}.checkpoint c",
        job.schema.name()
    );
    let row = sqlx::query(&sql).fetch_optional(db).await;
    let row = row.map_err(missing)?.ok_or(ProjectionError::Missing)?;
    let (position, head) = (unsigned(&row, "position")?, unsigned(&row, "head")?);
    let reach = Reach { position, head, lag_ms: 0 };
    let done = position == job.upto.unwrap_or(head) && position <= head;
    Ok(done.then_some(reach))
}

/// Folds from `after` to the job's end in the caller's database transaction; returns where it is
/// then, which is `after` if that is not before the end.
pub(crate) async fn catch_up_in_tx(
    db: &mut PgConnection,
    job: Job<'_>,
    after: Position,
) -> Result<Position, ProjectionError> {
    let mut after = after;
    loop {
        let range = next_range(db, after, job).await?;
        if range.upto == after {
            return Ok(after);
        }
        fold_in_tx(db, &range, &mut Supply::default(), job).await?;
        after = range.upto;
    }
}

/// Folds the range and moves the checkpoint, in the caller's database transaction.
async fn fold_in_tx(
    db: &mut PgConnection,
    range: &Range,
    supply: &mut Supply,
    job: Job<'_>,
) -> Result<(), ProjectionError> {
    let events = supply.events(db, range.after, range.upto).await?;
    let changes = Changes::fold(events.iter(), range.after, range.upto).await?;
    let write = async {
        changes.write_in_tx(db, job.schema, job.models).await?;
        move_checkpoint(db, job.schema, range.after, range.upto).await
    };
    let ahead = async {
        if let Some(next) = range.next {
            supply.read_ahead(range.upto, next).await;
        }
    };
    let (written, ()) = futures::join!(write, ahead);
    written.map_err(|error| refused(error, range.after + 1))
}

/// A constraint or a value that the database refused is the data's fault, not the machinery's.
fn refused(error: ProjectionError, position: Position) -> ProjectionError {
    let ProjectionError::Database(sqlx::Error::Database(cause)) = &error else {
        return error;
    };
    let code = cause.code().unwrap_or_default();
    if !code.starts_with("22") && !code.starts_with("23") {
        return error;
    }
    let constraint = cause.constraint().unwrap_or(cause.message()).to_owned();
    ProjectionError::Poison(Poison { position, reason: PoisonReason::Contradiction { constraint } })
}

async fn next_range(
    db: &mut PgConnection,
    after: Position,
    job: Job<'_>,
) -> Result<Range, ProjectionError> {
    let bound = job.upto.unwrap_or(Position::MAX >> 1);
    let reach = after.saturating_add(job.events_max).min(bound);
    let row = sqlx::query(
        "select head.last_position as head, step.upto,
                coalesce(first.last_position, $1) as first_end,
                coalesce(greatest(0,
                    (extract(epoch from clock_timestamp() - first.recorded_at) * 1000)::bigint
                ), 0) as lag_ms,
                case when head.last_position >= step.upto + $3 then
                    (select max(last_position) from batches
                     where last_position > step.upto
                       and last_position <= least(step.upto + $3, $4))
                end as next
         from (select last_position from batches order by number desc limit 1) as head
         left join (select last_position, recorded_at from batches where last_position > $1
                    order by last_position limit 1) as first on true
         cross join lateral
              (select coalesce((select max(last_position) from batches
                                where last_position > $1 and last_position <= $2),
                               first.last_position, $1) as upto) as step",
    )
    .bind(log::read::signed(after)?)
    .bind(log::read::signed(reach)?)
    .bind(log::read::signed(job.events_max)?)
    .bind(log::read::signed(bound)?)
    .fetch_one(db)
    .await?;
    let head = unsigned(&row, "head")?;
    if head < after {
        return Err(ProjectionError::Poison(Poison {
            position: after,
            reason: PoisonReason::LogEnds { head },
        }));
    }
    let upto = if after >= bound { after } else { unsigned(&row, "upto")? };
    Ok(Range {
        after,
        upto,
        first_end: unsigned(&row, "first_end")?,
        next: row.try_get::<Option<i64>, _>("next")?.map(i64::unsigned_abs),
        reach: Reach { position: after, head, lag_ms: unsigned(&row, "lag_ms")? },
    })
}

/// The checkpoint, and with it the right to move it; nothing if somebody else has that right.
async fn lock_checkpoint(
    db: &mut PgConnection,
    schema: Schema,
) -> Result<Option<Position>, ProjectionError> {
    let sql = format!("select position from {}.checkpoint for update skip locked", schema.name());
    let row = sqlx::query(&sql).fetch_optional(db).await;
    match row.map_err(missing)? {
        Some(row) => Ok(Some(unsigned(&row, "position")?)),
        None => Ok(None),
    }
}

/// The checkpoint.
pub(crate) async fn checkpoint(
    db: &mut PgConnection,
    schema: Schema,
) -> Result<Position, ProjectionError> {
    let sql = format!("select position from {}.checkpoint", schema.name());
    let row = sqlx::query(&sql).fetch_optional(db).await;
    match row.map_err(missing)? {
        Some(row) => Ok(unsigned(&row, "position")?),
        None => Err(ProjectionError::Missing),
    }
}

async fn move_checkpoint(
    db: &mut PgConnection,
    schema: Schema,
    from: Position,
    to: Position,
) -> Result<(), ProjectionError> {
    let sql = format!("update {}.checkpoint set position = $2 where position = $1", schema.name());
    let done = sqlx::query(&sql)
        .bind(log::read::signed(from)?)
        .bind(log::read::signed(to)?)
        .execute(db)
        .await?;
    // The row is locked and was just read; it can only be missing if the tables were swapped.
    match done.rows_affected() {
        1 => Ok(()),
        _ => Err(ProjectionError::Missing),
    }
}

/// A table or schema that is not there.
fn missing(error: sqlx::Error) -> ProjectionError {
    match error.as_database_error().and_then(DatabaseError::code) {
        Some(code) if matches!(&*code, "42P01" | "3F000") => ProjectionError::Missing,
        _ => ProjectionError::Database(error),
    }
}
