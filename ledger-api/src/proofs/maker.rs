//! Makes signed checkpoints of the log, beside it: one process at a time, after so many events or
//! so much time.
//!
//! It signs only what goes on from what it signed before. The last note in the folder, which nobody
//! who has the database can reach, and the last one in the database must both be of a log that the
//! present one begins with; else nothing is signed, and that is said loudly until a person looks.
//! So a log that was cut short or rewritten gets no signature, however well its hashes fit.

use std::{io, path::PathBuf, time::Duration};

use ledger_core::{
    clock::{Clock as _, System},
    log::{self, LogError},
};
use projections::audit::proof::{
    NoteError, SignedCheckpoint, Signer, root_at, root_nodes, verify_consistency,
};
use sqlx::PgPool;
use tokio::sync::watch;
use uuid::Uuid;

use super::{
    ProofSettings, ProofStore, StoredTree, TreeError, Witnesses, consistency_of,
    kept::{KeptNotes, read_key},
    rotation::key_in_force,
    tree::grow,
};
use crate::{setup::SecretError, workers::lanes::Lane};

/// How often it looks whether a checkpoint is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Why no checkpoint was made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// The key's file can't be used.
    #[error("the key of checkpoints")]
    Key(#[from] SecretError),
    /// A kept note can't be read or written.
    #[error("the checkpoint's file {} can't be read or written", .file.display())]
    Kept {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A kept note is none.
    #[error("{} holds no checkpoint", .file.display())]
    KeptNote {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        source: NoteError,
    },
    /// The log could not be read.
    #[error("the log could not be read")]
    Log(#[from] LogError),
    /// The tree could not be read or written.
    #[error("the tree of the log")]
    Tree(#[from] TreeError),
    /// The database did not answer.
    #[error("the checkpoints could not be read or written")]
    Database(#[from] sqlx::Error),
    /// The log can't be called so.
    #[error("the log's name can't stand in a note")]
    Note(#[from] NoteError),
    /// The log lacks what was signed.
    #[error(
        "the log ends at position {head}, and a checkpoint of {seen} was signed: its tail was cut \
         off, or an older copy was restored. Nothing is signed until a person has looked"
    )]
    Shorter {
        /// The size that was signed.
        seen: u64,
        /// Where the log ends.
        head: u64,
    },
    /// The log is another one than was signed.
    #[error(
        "the log does not go on from the checkpoint of {seen} that was signed: it was rewritten \
         at or before that position. Nothing is signed until a person has looked"
    )]
    Rewritten {
        /// The size that was signed.
        seen: u64,
    },
    /// Another key is in force.
    #[error(
        "the key in the file is {ours}, and {theirs} signs this log: give all processes the same \
         file, or change the key with bahi audit rotate-key"
    )]
    OtherKey {
        /// Of the file.
        ours: String,
        /// In force.
        theirs: String,
    },
    /// The log has another name in what was signed.
    #[error("the log is called {ours} here, and {theirs} in what was signed")]
    OtherOrigin {
        /// By the settings.
        ours: String,
        /// By the last note.
        theirs: String,
    },
}

/// What makes checkpoints.
#[derive(Debug, Clone)]
pub struct CheckpointMaker {
    store: ProofStore,
    settings: ProofSettings,
    kept: KeptNotes,
    witnesses: Witnesses,
}

impl CheckpointMaker {
    /// One that works on a database.
    pub fn new(pool: PgPool, settings: ProofSettings) -> Self {
        let kept = KeptNotes::new(settings.folder.clone());
        let witnesses = Witnesses::new(settings.witnesses.clone());
        Self { store: ProofStore::new(pool), settings, kept, witnesses }
    }

    /// Works until `stopping` turns true. What fails is told and tried again.
    pub async fn run(self, mut stopping: watch::Receiver<bool>) {
        let name = "checkpoints".to_owned();
        let mut lane = Lane::new(self.store.pool().clone(), name, Uuid::now_v7());
        let mut tick = tokio::time::interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut said = String::new();
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                _ = stopping.wait_for(|stop| *stop) => break,
            }
            let round = tokio::select! {
                round = self.round(&mut lane) => round,
                _ = stopping.wait_for(|stop| *stop) => break,
            };
            let reason = round.err().map(|error| projections::describe(&error)).unwrap_or_default();
            metrics::gauge!("bahi_checkpoint_failing").set(u32::from(!reason.is_empty()));
            if !reason.is_empty() && reason != said {
                tracing::error!(reason, "no checkpoint was signed");
            }
            said = reason;
        }
        // It ends by itself otherwise.
        lane.leave().await.ok();
    }

    async fn round(&self, lane: &mut Lane) -> Result<(), MakeError> {
        if !lane.hold().await? {
            return Ok(());
        }
        if self.is_due().await? && lane.is_held() {
            self.make().await?;
        }
        self.cosign().await
    }

    /// Whether the log has grown enough, or at all and long enough ago.
    async fn is_due(&self) -> Result<bool, MakeError> {
        let head = log::read::head(self.store.pool()).await?.position;
        let Some(last) = self.store.last().await? else { return Ok(head > 0) };
        let size = last.note.size();
        if head < size {
            return Err(MakeError::Shorter { seen: size, head });
        }
        let age = System.now().signed_duration_since(last.made_at).to_std().unwrap_or_default();
        let grown = head.saturating_sub(size);
        Ok(grown >= self.settings.every_events || (grown > 0 && age >= self.settings.every))
    }

    /// Makes a checkpoint of the log as it is now; nothing if it is empty, or there is one already.
    ///
    /// # Errors
    /// [`MakeError`] if it can't be made, or must not be.
    pub async fn make(&self) -> Result<Option<SignedCheckpoint>, MakeError> {
        let pool = self.store.pool();
        let size = log::read::head(pool).await?.position;
        let stored = self.store.last().await?.map(|last| last.note);
        let seen = [self.kept.latest()?, stored];
        if let Some(seen) = seen.iter().flatten().find(|seen| seen.size() > size) {
            return Err(MakeError::Shorter { seen: seen.size(), head: size });
        }
        if size == 0 {
            return Ok(None);
        }
        let (signer, origin) = (self.signer(&seen, size).await?, self.origin(&seen).await?);
        let root = self.root(size).await?;
        for seen in seen.iter().flatten() {
            let proof = consistency_of(&self.store, seen.size(), size).await?;
            if !verify_consistency((seen.size(), seen.root()), (size, &root), &proof) {
                return Err(MakeError::Rewritten { seen: seen.size() });
            }
        }
        if seen.iter().all(|seen| seen.as_ref().is_some_and(|seen| seen.size() == size)) {
            return Ok(None);
        }
        let note = SignedCheckpoint::sign(&origin, size, &root, &signer)?;
        // Outside first: what is signed is remembered where the database does not reach.
        self.kept.keep(&note, &today())?;
        self.store.insert(&note, signer.public().to_bytes()).await?;
        metrics::gauge!("bahi_checkpoint_position").set(u32::try_from(size).unwrap_or(u32::MAX));
        tracing::debug!(size, "a checkpoint was signed");
        Ok(Some(note))
    }

    async fn root(&self, size: u64) -> Result<[u8; 32], MakeError> {
        let tiler = grow(&self.store, size).await?;
        if tiler.size() == size {
            return Ok(tiler.root());
        }
        // Another process was further.
        let tree = StoredTree::read(&self.store, size, root_nodes(size)).await?;
        Ok(root_at(size, &tree).ok_or(TreeError::Hole)?)
    }

    /// The key of the file, if it is the one in force.
    async fn signer(
        &self,
        seen: &[Option<SignedCheckpoint>],
        size: u64,
    ) -> Result<Signer, MakeError> {
        let signer = read_key(&self.settings.key_file)?;
        let ours = signer.public();
        let other = |theirs| MakeError::OtherKey { ours: ours.hex(), theirs };
        match key_in_force(self.store.pool(), size).await? {
            Some(force) if force.key == ours => Ok(signer),
            Some(force) => Err(other(force.key.hex())),
            None if seen.iter().flatten().all(|seen| seen.is_signed_by(ours)) => Ok(signer),
            None => Err(other("another one".to_owned())),
        }
    }

    async fn origin(&self, seen: &[Option<SignedCheckpoint>]) -> Result<String, MakeError> {
        let ours = match &self.settings.origin {
            Some(origin) => origin.clone(),
            None => default_origin(self.store.pool()).await?,
        };
        match seen.iter().flatten().find(|seen| seen.origin() != ours) {
            Some(seen) => Err(MakeError::OtherOrigin { ours, theirs: seen.origin().to_owned() }),
            None => Ok(ours),
        }
    }

    /// Has the last checkpoint cosigned by who has not done so yet.
    async fn cosign(&self) -> Result<(), MakeError> {
        if self.witnesses.is_empty() {
            return Ok(());
        }
        let Some(last) = self.store.last().await? else { return Ok(()) };
        let mut note = last.note;
        if self.witnesses.cosign(&self.store, &mut note).await? {
            self.kept.keep(&note, &today())?;
        }
        Ok(())
    }
}

/// What the log is called unless told otherwise: a name that follows from its first event, so that
/// no two logs have the same.
///
/// # Errors
/// [`MakeError::Log`] if that can't be read.
pub async fn default_origin(pool: &PgPool) -> Result<String, MakeError> {
    let first = log::read::events(pool, 0, 1, 1).await?;
    let hash = first.first().map(|event| hex::encode(event.hash)).unwrap_or_default();
    Ok(format!("bahi/{}", hash.get(..16).unwrap_or_default()))
}

fn today() -> String {
    System.now().format("%Y-%m-%d").to_string()
}
