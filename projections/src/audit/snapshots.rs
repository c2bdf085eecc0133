//! The engine's snapshots of accounts against the books.
//!
//! A snapshot is a cache and never the truth, but an engine that starts decides on it. They are
//! read before the log, at the same moment of the database, and each is compared when the books
//! come to the event that it was taken after: nothing is read twice. What differs is told only if
//! the log itself is in order.
//!
//! Memory: a record per account that has a snapshot, until the books have come there.

use std::collections::HashMap;

use serde::Deserialize;
use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{
    AuditError,
    amount::same_number,
    finding::{Code, Findings},
    report::SnapshotFigures,
};

const CURSOR: &str = "declare audit_snapshots no scroll cursor for
    select aggregate_id, sequence, payload from snapshots where aggregate_type = 'account'";

/// What the engine stored of an account.
#[derive(Debug)]
pub(super) struct Snapshot {
    account: Box<str>,
    /// After which of the account's events.
    pub sequence: i64,
    /// Nothing if it does not decode.
    content: Option<Content>,
}

/// What is compared of a snapshot.
#[derive(Debug, Deserialize)]
struct Content {
    sequence: i64,
    debits_posted: String,
    credits_posted: String,
    held: String,
}

/// What the books have of the account after that event.
pub(super) struct Made {
    pub sequence: i64,
    pub debits: String,
    pub credits: String,
    pub held: String,
}

/// The snapshots of a database, and what they came to.
#[derive(Debug)]
pub(super) struct Snapshots {
    waiting: HashMap<Box<str>, Box<Snapshot>>,
    pub figures: SnapshotFigures,
    pub findings: Findings,
}

impl Snapshots {
    /// Reads those of a database; nothing if it keeps none.
    pub(super) async fn read(
        connection: &mut PgConnection,
        findings_max: usize,
    ) -> Result<Option<Self>, AuditError> {
        let there: bool = sqlx::query_scalar("select to_regclass('snapshots') is not null")
            .fetch_one(&mut *connection)
            .await?;
        if !there {
            return Ok(None);
        }
        let mut waiting = HashMap::new();
        sqlx::query(CURSOR).execute(&mut *connection).await?;
        loop {
            let rows = sqlx::query("fetch forward 4096 from audit_snapshots")
                .fetch_all(&mut *connection)
                .await?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                let snapshot = snapshot(row)?;
                waiting.insert(snapshot.account.clone(), Box::new(snapshot));
            }
        }
        Ok(Some(Self {
            waiting,
            figures: SnapshotFigures { compared: 0, differing: 0 },
            findings: Findings::new(findings_max),
        }))
    }

    /// That of an account which the books have come to.
    pub(super) fn take(&mut self, account: &str) -> Option<Box<Snapshot>> {
        self.waiting.remove(account)
    }

    /// The books have come to the event that a snapshot was taken after, or to the account's end.
    pub(super) fn compare(&mut self, snapshot: &Snapshot, made: &Made) {
        self.figures.compared += 1;
        if let Some(words) = snapshot.difference(made) {
            self.differs(&snapshot.account, &words);
        }
    }

    /// The log has no more: what waits is of accounts that it does not have.
    pub(super) fn finish(&mut self) {
        let mut unknown: Vec<_> = std::mem::take(&mut self.waiting).into_keys().collect();
        unknown.sort_unstable();
        for account in unknown {
            self.figures.compared += 1;
            self.differs(&account, "there is a snapshot, and the log does not have the account");
        }
    }

    fn differs(&mut self, account: &str, words: &str) {
        self.figures.differing += 1;
        self.findings.stream(format!("account {account}"), Code::SnapshotDiffers, words);
    }
}

impl Snapshot {
    /// How it differs from the books, in words; nothing if it does not.
    fn difference(&self, made: &Made) -> Option<String> {
        let Some(stated) = &self.content else {
            return Some("the snapshot does not decode".to_owned());
        };
        let same = stated.sequence == self.sequence
            && made.sequence == self.sequence
            && same_number(&stated.debits_posted, &made.debits)
            && same_number(&stated.credits_posted, &made.credits)
            && same_number(&stated.held, &made.held);
        (!same).then(|| {
            format!(
                "snapshot: sequence {}, debits {}, credits {}, held {}; log: {}, {}, {}, {}",
                stated.sequence,
                stated.debits_posted,
                stated.credits_posted,
                stated.held,
                made.sequence,
                made.debits,
                made.credits,
                made.held
            )
        })
    }
}

fn snapshot(row: &PgRow) -> Result<Snapshot, sqlx::Error> {
    let (account, payload): (&str, &[u8]) = (row.try_get(0)?, row.try_get(2)?);
    Ok(Snapshot {
        account: Box::from(account),
        sequence: row.try_get(1)?,
        content: serde_json::from_slice(payload).ok(),
    })
}
