//! The anchor: the end of the log as this process saw it last, in a file outside the database.
//!
//! A database that comes back shorter (a failover to a server that lagged, a restore, another
//! database under the same name) looks sound by itself, and whoever appends to it makes the loss
//! final. A running engine notices. One that starts has no memory, so it keeps this one. The file
//! is a checkpoint as the auditor writes it, so `bahi audit verify --checkpoint` takes it too.
//!
//! It is moved every few seconds and at the end, and never past a log that lacks what it names.
//! What was acknowledged since it was moved last is not covered; for that there is synchronous
//! replication.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use ledger_core::{
    clock::{Clock, System},
    log::{Head, LogError, read},
};
use projections::audit::{AuditError, Checkpoint};
use sqlx::PgPool;
use tokio::{sync::watch, task::JoinHandle};

use super::chain;
use crate::{setup::write_private, shutdown};

const CAST_EVERY: Duration = Duration::from_secs(5);

/// Why the log must not be appended to.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    /// The log does not have what was seen.
    #[error(
        "its log {} batch {batch} (position {position}) that was there at {seen_at}: it was \
         restored, or failed over to a server that lacked the rest, or is another database. \
         Appending to it would make the loss final. If it shall go on from here, see what is \
         missing first, and then remove {}",
        if *.differs { "has another" } else { "ends before" },
        .file.display()
    )]
    NotContained {
        /// Whether there is a batch of that number, but another.
        differs: bool,
        /// The last batch that was seen.
        batch: i64,
        /// Its position.
        position: i64,
        /// When it was recorded.
        seen_at: String,
        /// The anchor's file.
        file: PathBuf,
    },
    /// The file can't be read or written.
    #[error("the anchor {} can't be read or written", .file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is no anchor.
    #[error("{} holds no anchor", .file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        source: AuditError,
    },
    /// The database did not answer.
    #[error("the log could not be compared with the anchor")]
    Unavailable(#[source] sqlx::Error),
    /// The head of the log could not be read.
    #[error("the head of the log could not be read")]
    Log(#[source] LogError),
}

/// Whether the log has what the file says was there. Without a file, it has.
pub(super) async fn check(pool: &PgPool, file: &Path) -> Result<(), AnchorError> {
    let text = match std::fs::read(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        text => text.map_err(|source| AnchorError::File { file: file.to_owned(), source })?,
    };
    let anchor = Checkpoint::from_json(&text)
        .map_err(|source| AnchorError::Malformed { file: file.to_owned(), source })?;
    let hash: Option<String> =
        sqlx::query_scalar("select encode(head_hash, 'hex') from batches where number = $1")
            .bind(anchor.batch)
            .fetch_optional(pool)
            .await
            .map_err(AnchorError::Unavailable)?;
    if hash.as_ref() == Some(&anchor.head_hash) {
        return Ok(());
    }
    Err(AnchorError::NotContained {
        differs: hash.is_some(),
        batch: anchor.batch,
        position: anchor.position,
        seen_at: anchor.recorded_at,
        file: file.to_owned(),
    })
}

/// Moves the anchor to the head of the log, if that still has what was seen before.
pub(super) async fn cast(pool: &PgPool, file: &Path) -> Result<(), AnchorError> {
    check(pool, file).await?;
    let head = read::head(pool).await.map_err(AnchorError::Log)?;
    write(&head, file).map_err(|source| AnchorError::File { file: file.to_owned(), source })
}

/// Keeps the anchor up to the log, whoever appends, until told to stop, and then once more.
pub(super) fn keep(pool: PgPool, file: PathBuf, mut stop: watch::Receiver<bool>) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            let stopped = shutdown::within_quietly(CAST_EVERY, shutdown::wait(&mut stop)).await;
            if let Err(error) = cast(&pool, &file).await {
                tracing::warn!(error = %chain(&error), "the anchor was not moved");
            }
            if stopped {
                return;
            }
        }
    })
}

fn write(head: &Head, file: &Path) -> io::Result<()> {
    let number = |value: u64| i64::try_from(value).map_err(io::Error::other);
    let micros = |moment: ledger_core::clock::Timestamp| {
        moment.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
    };
    let anchor = Checkpoint {
        batch: number(head.batch)?,
        position: number(head.position)?,
        events: number(head.position)?,
        head_hash: hex::encode(head.hash),
        recorded_at: micros(head.recorded_at),
        made_at: micros(System.now()),
    };
    let json = anchor.to_json().map_err(io::Error::other)?;
    write_private(file, &json, true)
}

#[cfg(test)]
mod tests {
    use ledger_core::engine::{Engine, EngineConfig};

    use super::*;
    use crate::{
        postgres::{Mode, Options, open_with},
        setup::Database,
    };

    /// Which opens the book.
    async fn start_and_stop_engine(database: &Database) {
        let config = EngineConfig::new(database.app().clone());
        Engine::start(config).await.unwrap().shutdown().await;
    }

    #[tokio::test]
    async fn case_61_a_log_that_lacks_what_was_seen_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("anchor.json");
        let open = || {
            let options = Options::from_env(Mode::Throwaway);
            open_with(&folder.path().join("postgres"), &options).unwrap()
        };
        let database = Database::of_cluster(open(), "first").await.unwrap();
        let pool = database.pool(database.app().clone());
        check(&pool, &file).await.unwrap();

        // At the end, even if it was told to end at once.
        let (_, stop) = watch::channel(true);
        start_and_stop_engine(&database).await;
        keep(pool.clone(), file.clone(), stop).await.unwrap();
        check(&pool, &file).await.unwrap();

        let other = Database::of_cluster(open(), "second").await.unwrap();
        let pool = other.pool(other.app().clone());
        let error = check(&pool, &file).await.unwrap_err();
        assert!(matches!(error, AnchorError::NotContained { differs: false, .. }), "{error:?}");
        start_and_stop_engine(&other).await;
        let error = check(&pool, &file).await.unwrap_err();
        assert!(matches!(error, AnchorError::NotContained { differs: true, .. }), "{error:?}");
        assert!(error.to_string().contains("anchor.json"));
        let before = std::fs::read(&file).unwrap();
        assert!(cast(&pool, &file).await.is_err());
        assert_eq!(std::fs::read(&file).unwrap(), before);
    }
}
