//! The auditor's check: is the log whole, does it add up, and is it the one we saw before?
//!
//! It is a second, independent implementation of docs/events.md. It shares no code with the engine
//! that wrote the log: its own payload shapes, its own amounts, its own hashes, its own rules of
//! accounts, holds and transactions. Two programs that agree prove more than one that agrees with
//! itself. It reads a database or an export; it writes nothing and decides nothing.
//!
//! A check has three parts: [`chain`] (nothing missing, moved, changed), [`books`] (every balance
//! made again, every rule kept at every event), and a checkpoint, without which a log whose tail
//! was cut off, or that was rewritten with sound hashes, cannot be told from a good one: the head
//! that somebody noted down, or a [`proof::SignedCheckpoint`], which proves who said it. What is
//! wrong is a [`Finding`] with a stable code and a place; that it could not be read is an
//! [`AuditError`].
//!
//! What idempotency outcomes and notes say is not checked here.

mod amount;
mod books;
mod chain;
mod checkpoint;
mod copy;
mod database;
mod error;
mod export;
mod finding;
mod hash;
mod journal;
mod lines;
mod macs;
mod payload;
pub mod proof;
mod proving;
mod read_models;
mod record;
mod render;
mod report;
mod safeguarding;
mod snapshots;
mod stored_proofs;
mod text;
mod time;
mod tree;
mod verify;

#[cfg(test)]
mod tests;

pub use books::{Days, Until};
pub use checkpoint::{Checkpoint, checkpoint};
pub use error::AuditError;
pub use export::{Export, ExportSummary, export};
pub use finding::{Code, Finding};
pub use journal::{Format, JournalSummary, convert_journal, export_journal};
pub use macs::MacKey;
pub use proving::{ProveError, prove_export, prove_export_consistent};
pub use report::{
    CheckpointFigures, ControlFigures, CurrencyFigures, Head, HoldFigures, MacFigures, NoteFigures,
    ReadModelFigures, Report, SnapshotFigures, Source,
};
pub use safeguarding::{Certificate, Signed, safeguarding};
pub use verify::{verify_database, verify_export};

pub(crate) use books::Balance;
pub(crate) use payload::AccountType as AccountTypeWord;
pub(crate) use verify::{Asked, check_database, check_export};

pub use crate::reports::{Replay, ReplayedAccount, replay_database, replay_export};

/// What a check is asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// The head that the log must contain.
    pub checkpoint: Option<Checkpoint>,
    /// Signed checkpoints that the log must contain.
    pub notes: Vec<proof::SignedCheckpoint>,
    /// The keys that are trusted to have signed them, at the log's beginning or later.
    pub keys: Vec<proof::LogKey>,
    /// Who must have cosigned each of them.
    pub witnesses: Vec<proof::WitnessKey>,
    /// What the batches of a database are authenticated with; nothing: that is not looked at.
    pub mac_key: Option<MacKey>,
    /// How many findings are kept; all are counted.
    pub findings_max: usize,
    /// Whether read models are compared, where the database has them.
    pub read_models: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            checkpoint: None,
            notes: Vec::new(),
            keys: Vec::new(),
            witnesses: Vec::new(),
            mac_key: None,
            findings_max: 100,
            read_models: true,
        }
    }
}

/// How far a check or an export is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Events so far.
    pub events: u64,
    /// Out of how many, if that is known.
    pub of: Option<u64>,
}
