//! Compare-and-append: one autocommitted statement that inserts the next batch only if the batch
//! that this process knows as the last one still is, and the events only if the batch came in.

use sqlx::{
    Arguments, PgConnection, Row,
    postgres::{PgArguments, PgDatabaseError, PgSeverity},
};

use super::{BatchKey, Head, LogError, Rows, read::signed};
use crate::clock::Timestamp;

/// One append: what it follows, what it brings, and the head that it makes.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) after: Head,
    pub(crate) head: Head,
    pub(crate) rows: Rows,
}

/// The lock that processes take turns with: "bahi" in ASCII.
pub(crate) const TURN: i64 = 0x6261_6869;

/// How an append ended, as far as the answer tells.
#[derive(Debug)]
pub(crate) enum Appended {
    /// It is in the log.
    Won {
        /// Whether somebody has the turn, or waits for it.
        turn_wanted: bool,
    },
    /// Another process appended first; nothing of it is in the log.
    Lost,
    /// A key of it is used already; nothing of it is in the log.
    KeyUsed,
    /// The statement was refused for a passing reason; nothing of it is in the log.
    Refused(sqlx::Error),
    /// The statement was refused for what is in it; nothing of it is in the log, and nothing will
    /// be if it is sent again.
    Unstorable(sqlx::Error),
    /// The answer got lost: it may be in the log, or come to be in it yet.
    Unknown(sqlx::Error),
}

const APPEND: &str = "
    with won as (
        insert into batches (number, last_position, head_hash, recorded_at, mac)
        select $1::bigint + 1, $3, $4, $5, $21
        where exists (select from batches where number = $1 and head_hash = $2)
        on conflict do nothing
        returning number
    ), noted as (
        insert into transaction_notes (transaction_id, note)
        select n.transaction_id, n.note
        from won, unnest($17::text[], $18::text[]) as n (transaction_id, note)
    ), recorded as (
        insert into events (position, aggregate_type, aggregate_id, sequence, event_type,
                            event_version, payload, metadata, recorded_at, hash)
        select generate_series($6::bigint + 1, $3), unnest($7::text[]), unnest($8::text[]),
               unnest($9::bigint[]), unnest($10::text[]), '1.0', unnest($11::bytea[]),
               unnest($12::bytea[]), $5, unnest($13::bytea[])
        from won
    ), answered as (
        insert into idempotency (principal, key, fingerprint, outcome)
        select unnest($14::text[]), unnest($15::text[]), unnest($16::bytea[]),
               unnest($19::bytea[])
        from won
    )
    select not pg_try_advisory_xact_lock_shared($20) as turn_wanted from won";

/// Appends a batch, with its MAC if there is a key. Never cancelled by its caller: the engine runs
/// it to its end.
pub(crate) async fn append(
    db: &mut PgConnection,
    batch: &Batch,
    key: Option<&BatchKey>,
) -> Appended {
    match execute(db, batch, key).await {
        Ok(Some(turn_wanted)) => Appended::Won { turn_wanted },
        Ok(None) => Appended::Lost,
        Err(LogError::Database(error)) => classify(error),
        // Said before anything was sent.
        Err(error) => Appended::Refused(sqlx::Error::Protocol(error.to_string())),
    }
}

/// Whether somebody wants the turn, if it came in; nothing if it did not.
async fn execute(
    db: &mut PgConnection,
    batch: &Batch,
    key: Option<&BatchKey>,
) -> Result<Option<bool>, LogError> {
    let rows = &batch.rows;
    let mac = key.map(|key| key.mac(&batch.head));
    // Told in advance, so that a megabyte is not copied again whenever it outgrows its buffer.
    let mut arguments = PgArguments::default();
    arguments.reserve(21, rows.size());
    let row = sqlx::query_with(APPEND, arguments)
        .bind(signed(batch.after.batch)?)
        .bind(&batch.after.hash[..])
        .bind(signed(batch.head.position)?)
        .bind(&batch.head.hash[..])
        .bind(batch.head.recorded_at)
        .bind(signed(batch.after.position)?)
        .bind(&rows.aggregate_types)
        .bind(&rows.aggregate_ids)
        .bind(&rows.sequences)
        .bind(&rows.event_types)
        .bind(&rows.payloads)
        .bind(&rows.metadatas)
        .bind(&rows.hashes)
        .bind(&rows.principals)
        .bind(&rows.keys)
        .bind(&rows.fingerprints)
        .bind(&rows.note_ids)
        .bind(&rows.notes)
        .bind(&rows.outcomes)
        .bind(TURN)
        .bind(mac.as_ref().map(|mac| &mac[..]))
        .fetch_optional(db)
        .await?;
    // Only a courtesy: that the row is there is what counts.
    Ok(row.map(|row| row.try_get("turn_wanted").unwrap_or_default()))
}

/// What an error says about whether the statement took effect. If the server itself reports an
/// error, and goes on serving this session, it has undone the statement: conflict, deadlock, lock
/// or statement time-out, full disk. Anything else, the end of the session above all, tells
/// nothing.
fn classify(error: sqlx::Error) -> Appended {
    let reported = error
        .as_database_error()
        .and_then(|database| database.try_downcast_ref::<PgDatabaseError>())
        .filter(|reported| matches!(reported.severity(), PgSeverity::Error));
    let Some(reported) = reported else { return Appended::Unknown(error) };
    let key_used = reported.constraint() == Some("idempotency_pkey");
    match (reported.code(), reported.code().get(..2).unwrap_or_default()) {
        ("23505", _) if key_used => Appended::KeyUsed,
        // "Statement completion unknown", and what a pooler says when it lost the server.
        ("40003", _) | (_, "08") => Appended::Unknown(error),
        // Data that cannot be, a constraint, a limit of the server.
        (_, "22" | "23" | "54") => Appended::Unstorable(error),
        _ => Appended::Refused(error),
    }
}

/// An outcome that is stored under a key.
#[derive(Debug, Clone)]
pub(crate) struct StoredOutcome {
    pub(crate) principal: String,
    pub(crate) key: String,
    pub(crate) fingerprint: Vec<u8>,
    pub(crate) outcome: Vec<u8>,
}

/// What is stored under these keys.
///
/// # Errors
/// [`LogError`] if the database cannot be read.
pub(crate) async fn outcomes(
    db: &mut PgConnection,
    principals: &[&str],
    keys: &[&str],
) -> Result<Vec<StoredOutcome>, LogError> {
    let rows = sqlx::query(
        "select i.principal, i.key, i.fingerprint, i.outcome
         from unnest($1::text[], $2::text[]) as w (principal, key)
         join idempotency i on i.principal = w.principal and i.key = w.key",
    )
    .bind(principals)
    .bind(keys)
    .fetch_all(db)
    .await?;
    let stored = |row: &sqlx::postgres::PgRow| -> sqlx::Result<StoredOutcome> {
        Ok(StoredOutcome {
            principal: row.try_get("principal")?,
            key: row.try_get("key")?,
            fingerprint: row.try_get("fingerprint")?,
            outcome: row.try_get("outcome")?,
        })
    };
    Ok(rows.iter().map(stored).collect::<sqlx::Result<_>>()?)
}

/// A batch without events that follows `after`: the fence after a lost answer.
pub(crate) fn empty_batch(after: Head, recorded_at: Timestamp) -> Batch {
    let number = after.batch.saturating_add(1);
    let head = Head {
        batch: number,
        position: after.position,
        hash: super::hash::empty_batch_hash(&after.hash, number),
        recorded_at,
    };
    Batch { after, head, rows: Rows::default() }
}
