//! Why a check could not be made. What a check *found* is a finding in its report.

use std::io;

/// The log, the export or the checkpoint could not be read, so that nothing is said about it.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The export could not be read, or the copy not be written.
    #[error("the export could not be read or written")]
    Io(#[from] io::Error),
    /// The database did not give the whole log.
    #[error("the database did not give the whole log")]
    Database(#[from] sqlx::Error),
    /// There is no log in this database: not even the batch that every log starts with.
    #[error("this database has no log")]
    NoLog,
    /// Not one line of the input is a line of an export.
    #[error("this is not an export of a log")]
    NotAnExport,
    /// The checkpoint's file is not one.
    #[error("this is not a checkpoint")]
    Checkpoint(#[source] serde_json::Error),
    /// The checkpoint has its fields, but they make no sense.
    #[error("the checkpoint's fields make no sense")]
    CheckpointUnsound,
    /// A line could not be made of a row.
    #[error("a row could not be written as JSON")]
    Json(#[source] serde_json::Error),
    /// The export lacks its last line.
    #[error("the export is cut: its last line is missing")]
    Cut,
    /// An event that no journal can have.
    #[error("the event at position {position} cannot stand in a journal: {reason}")]
    Journal {
        /// Where it is.
        position: i64,
        /// Why not.
        reason: String,
    },
    /// A sum that no report can hold.
    #[error("a sum is too large for a report")]
    AmountTooLarge,
    /// A part of the check stopped by itself: a defect of this program.
    #[error("the check stopped before its end; this is a defect of this program")]
    Stopped,
}

impl AuditError {
    /// What a program that could not make the check exits with.
    pub const EXIT_CODE: u8 = 2;
}
