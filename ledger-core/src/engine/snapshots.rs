//! Snapshots of long streams, written by a task of their own, off the commit path. They are a
//! cache: losing one costs time, never truth.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use sqlx::postgres::PgConnectOptions;
use tokio::sync::mpsc;
use tracing::{debug, warn};

use super::{
    link::{Link, answered},
    subject::{FOLD_VERSION, Subject, address},
};
use crate::{
    log::{LogError, read::signed},
    planning::StreamId,
};

/// A stream gets a snapshot whenever it has grown by so many events.
const SNAPSHOT_EVERY: u64 = 500;
const WAITING_MAX: usize = 1_000;

struct Snapshot {
    sequence: u64,
    payload: Vec<u8>,
}

type Address = (&'static str, Arc<str>);

pub(super) struct Snapshots(mpsc::Sender<(Address, Snapshot)>);

impl Snapshots {
    /// Starts the task. It ends with the engine.
    pub(super) fn start(database: &PgConnectOptions) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        tokio::spawn(write_all(Link::new(database), receiver));
        Self(sender)
    }

    /// The sequence before, if a stream has grown enough for a snapshot.
    pub(super) fn wants(before: Option<&Subject>, after: &Subject) -> Option<u64> {
        let before = before.map_or(0, Subject::sequence);
        grown(before, after.sequence()).then_some(before)
    }

    /// Has a stream written that is in the log as it is here, if it has grown enough since
    /// `before`. If the writer is behind, it is left for the next time.
    pub(super) fn offer(&self, stream: &StreamId, before: u64, subject: &Subject) {
        if !grown(before, subject.sequence()) {
            return;
        }
        let sequence = subject.sequence();
        match subject.snapshot() {
            Ok(payload) => {
                let offered = self.0.try_send((address(stream), Snapshot { sequence, payload }));
                if offered.is_err() {
                    debug!("the writer of snapshots is behind");
                }
            }
            Err(error) => warn!(%error, "an aggregate does not serialise"),
        }
    }
}

fn grown(before: u64, after: u64) -> bool {
    before.checked_div(SNAPSHOT_EVERY) != after.checked_div(SNAPSHOT_EVERY)
}

async fn write_all(mut link: Link, mut waiting: mpsc::Receiver<(Address, Snapshot)>) {
    let mut taken = Vec::new();
    while waiting.recv_many(&mut taken, 100).await > 0 {
        // One row per stream, the last one: a statement can't change a row twice.
        let latest: BTreeMap<Address, Snapshot> = taken.drain(..).collect();
        if let Err(error) = write(&mut link, &latest).await {
            warn!(%error, "snapshots could not be written");
            link.broken();
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

async fn write(link: &mut Link, latest: &BTreeMap<Address, Snapshot>) -> Result<(), LogError> {
    let types: Vec<&str> = latest.keys().map(|(aggregate_type, _)| *aggregate_type).collect();
    let ids: Vec<&str> = latest.keys().map(|(_, aggregate_id)| &**aggregate_id).collect();
    let sequences =
        latest.values().map(|snapshot| signed(snapshot.sequence)).collect::<Result<Vec<_>, _>>()?;
    let payloads: Vec<&[u8]> = latest.values().map(|snapshot| &*snapshot.payload).collect();
    let statement = sqlx::query(
        "insert into snapshots (aggregate_type, aggregate_id, fold_version, sequence, payload)
         select s.aggregate_type, s.aggregate_id, $5, s.sequence, s.payload
         from unnest($1::text[], $2::text[], $3::bigint[], $4::bytea[])
              as s (aggregate_type, aggregate_id, sequence, payload)
         on conflict (aggregate_type, aggregate_id) do update
         set fold_version = excluded.fold_version, sequence = excluded.sequence,
             payload = excluded.payload
         where snapshots.fold_version <> excluded.fold_version
            or snapshots.sequence < excluded.sequence",
    )
    .bind(types)
    .bind(ids)
    .bind(sequences)
    .bind(payloads)
    .bind(FOLD_VERSION);
    answered(statement.execute(link.get().await?)).await?;
    Ok(())
}
