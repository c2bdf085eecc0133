//! What can go wrong between the log and its database.

use super::{CodecError, Position};

/// A failure of the log: of the machinery, never of a command.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The database did not answer, or answered with an error.
    #[error("the database did not do what it was asked")]
    Database(#[from] sqlx::Error),
    /// Stored bytes are not what this program wrote, or a newer program wrote them.
    #[error("the event at position {position} cannot be read")]
    Corrupt {
        /// Where.
        position: Position,
        /// Why.
        source: CodecError,
    },
    /// A number does not fit PostgreSQL's bigint.
    #[error("a position is out of range")]
    OutOfRange,
}
