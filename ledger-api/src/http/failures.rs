//! What a failed read is to the client. What is wrong with the database is said in the log alone.

use ledger_core::log::LogError;
use projections::ReadError;
use sqlx::error::DatabaseError;

use super::{Problem, codes};

/// PostgreSQL's code for a statement that ran into its time limit.
const QUERY_CANCELLED: &str = "57014";

/// A failed read. What is wrong with the database is said in the log, not to the client.
impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        tracing::warn!(error = %projections::describe(&error), "a read failed");
        let cancelled = |e: &dyn DatabaseError| e.code().as_deref() == Some(QUERY_CANCELLED);
        let (code, detail) = if matches!(error, sqlx::Error::PoolTimedOut) {
            (codes::OVERLOADED, "Too many reads wait already.")
        } else if matches!(error, sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)) {
            (codes::INTERNAL, "Something went wrong on our side.")
        } else if error.as_database_error().is_some_and(cancelled) {
            (codes::READ_TIMEOUT, "The answer took too long.")
        } else {
            (codes::LEDGER_UNAVAILABLE, "The ledger's database is not available.")
        };
        Self::new(code, detail).retry_after(1)
    }
}

impl From<LogError> for Problem {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Database(error) => error.into(),
            LogError::OutOfRange => {
                Self::new(codes::POSITION_AHEAD, "No log reaches that position.")
            }
            other @ LogError::Corrupt { .. } => {
                tracing::error!(error = %projections::describe(&other), "the log cannot be read");
                Self::new(codes::LEDGER_CORRUPT, "The log cannot be read.")
            }
        }
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Database(error) => error.into(),
            ReadError::Log(error) => error.into(),
            ReadError::Behind { wanted, reached } => {
                let detail = format!("The read models are at position {reached}, not at {wanted}.");
                Self::new(codes::PROJECTION_BEHIND, detail).retry_after(1)
            }
            ReadError::NotRecorded { wanted, head } => {
                let detail = format!("The log ends at position {head}, before {wanted}.");
                Self::new(codes::POSITION_AHEAD, detail)
            }
            ReadError::NotALeg(_) | ReadError::Amount => Self::internal(&error),
        }
    }
}
