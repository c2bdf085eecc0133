//! The engine's snapshots of accounts against the events that they stand for.
//!
//! A snapshot is a cache and never the truth, but an engine that starts decides on it. Looked at
//! only when the log itself is in order, so that the amounts in the payloads can be taken at their
//! word and the database can add them up.

use serde::Deserialize;
use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{
    AuditError,
    amount::same_number,
    finding::{Code, Findings},
    report::SnapshotFigures,
};

const CURSOR: &str = "declare audit_snapshots no scroll cursor for
    select s.aggregate_id, s.sequence, s.payload, fold.events, fold.debits::text,
           fold.credits::text, fold.held
    from snapshots s
    cross join lateral (
        select count(*) as events,
               coalesce(sum((e.body ->> 'amount')::numeric)
                        filter (where e.event_type = 'debited'), 0) as debits,
               coalesce(sum((e.body ->> 'amount')::numeric)
                        filter (where e.event_type = 'credited'), 0) as credits,
               coalesce((array_agg(coalesce(e.body ->> 'held_after', '0') order by e.sequence desc)
                         filter (where e.body ->> 'balance_after' is not null))[1], '0') as held
        from (
            select sequence, event_type, convert_from(payload, 'UTF8')::json as body
            from events
            where aggregate_type = 'account' and aggregate_id = s.aggregate_id
              and sequence <= s.sequence
        ) e
    ) fold
    where s.aggregate_type = 'account'
    order by s.aggregate_id collate \"C\"";

/// What is compared of a snapshot.
#[derive(Deserialize)]
struct Snapshot {
    sequence: i64,
    debits_posted: String,
    credits_posted: String,
    held: String,
}

/// Compares every snapshot of an account with its events.
pub(super) async fn compare(
    connection: &mut PgConnection,
    findings: &mut Findings,
) -> Result<Option<SnapshotFigures>, AuditError> {
    let there: bool = sqlx::query_scalar("select to_regclass('snapshots') is not null")
        .fetch_one(&mut *connection)
        .await?;
    if !there {
        return Ok(None);
    }
    sqlx::query(CURSOR).execute(&mut *connection).await?;
    let mut figures = SnapshotFigures { compared: 0, differing: 0 };
    loop {
        let rows = sqlx::query("fetch forward 256 from audit_snapshots")
            .fetch_all(&mut *connection)
            .await?;
        if rows.is_empty() {
            return Ok(Some(figures));
        }
        for row in &rows {
            figures.compared += 1;
            if let Some(words) = difference(row)? {
                figures.differing += 1;
                let account: &str = row.try_get(0)?;
                findings.stream(format!("account {account}"), Code::SnapshotDiffers, &words);
            }
        }
    }
}

/// How a snapshot differs from its events, in words; nothing if it does not.
fn difference(row: &PgRow) -> Result<Option<String>, sqlx::Error> {
    let sequence: i64 = row.try_get(1)?;
    let payload: &[u8] = row.try_get(2)?;
    let events: i64 = row.try_get(3)?;
    let (debits, credits): (&str, &str) = (row.try_get(4)?, row.try_get(5)?);
    let held: &str = row.try_get(6)?;
    let Ok(snapshot) = serde_json::from_slice::<Snapshot>(payload) else {
        return Ok(Some("the snapshot does not decode".to_owned()));
    };
    let same = snapshot.sequence == sequence
        && events == sequence
        && same_number(&snapshot.debits_posted, debits)
        && same_number(&snapshot.credits_posted, credits)
        && same_number(&snapshot.held, held);
    Ok((!same).then(|| {
        format!(
            "snapshot: sequence {}, debits {}, credits {}, held {}; \
             log: {events}, {debits}, {credits}, {held}",
            snapshot.sequence, snapshot.debits_posted, snapshot.credits_posted, snapshot.held
        )
    }))
}
