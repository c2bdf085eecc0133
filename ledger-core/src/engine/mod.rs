//! The engine: takes commands, decides them on aggregates in memory, appends what they come to.

use std::sync::Arc;

use sqlx::postgres::PgConnectOptions;
use tokio::sync::watch;

use crate::{
    book::Book,
    clock::{Clock, Ids},
    command::{Command, Outcome},
    log::{Head, Position},
};

/// How an engine is set up. Every bound is here.
#[derive(Clone)]
pub struct EngineConfig {
    /// Where its database is: the application's role.
    pub database: PgConnectOptions,
    /// The most commands that wait; one more is refused at once.
    pub queue_max: usize,
    /// The most commands in one append.
    pub batch_commands_max: usize,
    /// The most aggregates kept in memory.
    pub cache_entries_max: usize,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where fresh ids come from.
    pub ids: Arc<dyn Ids>,
}

/// A handle to a running engine; cheap to clone.
#[derive(Clone)]
pub struct Engine {
    status: watch::Receiver<EngineStatus>,
}

/// What an engine is doing.
#[derive(Debug, Clone)]
pub struct EngineStatus {
    /// The end of the log as it knows it.
    pub head: Head,
    /// The book as of that head.
    pub book: Arc<Book>,
    /// Whether it takes commands.
    pub state: EngineState,
}

/// Whether an engine takes commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineState {
    /// It does.
    Running,
    /// The database is away, or the outcome of an append is being found out.
    Recovering,
    /// The log is not the one it knew: it refuses everything until an operator decides.
    Halted,
    /// It was shut down.
    Stopped,
}

/// The answer to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What became of it.
    pub outcome: Outcome,
    /// Whether it was decided by an earlier request with the same key.
    pub replayed: bool,
    /// The position of the log that the answer reflects.
    pub position: Position,
}

/// Why a command has no outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The queue is full. Nothing happened; try again later with the same key.
    #[error("the ledger is busy")]
    Overloaded,
    /// The database is away. Nothing happened; try again later with the same key.
    #[error("the ledger's database is not available")]
    Unavailable,
    /// The key was used with another request before.
    #[error("the idempotency key was used with another request")]
    KeyReused,
    /// The engine refuses everything until an operator decides.
    #[error("the ledger has stopped writing")]
    Halted,
}

impl Engine {
    /// Connects, reads the head and the book, and starts to take commands. Opens the book with the
    /// usual currencies if the log is empty.
    ///
    /// # Errors
    /// [`crate::log::LogError`] if the log cannot be read.
    pub async fn start(config: EngineConfig) -> Result<Self, crate::log::LogError> {
        let _ = config;
        Err(crate::log::LogError::OutOfRange)
    }

    /// Decides a command and appends what it comes to. Dropping the future does not cancel it.
    ///
    /// # Errors
    /// [`SubmitError`] if there is no outcome.
    #[expect(clippy::unused_async, reason = "signature first")]
    pub async fn submit(&self, command: Command) -> Result<Answer, SubmitError> {
        let _ = command;
        Err(SubmitError::Unavailable)
    }

    /// Hands in several commands at once, in order; each has its own outcome. Refused as a whole
    /// if the queue has no room for all.
    ///
    /// # Errors
    /// [`SubmitError::Overloaded`] or [`SubmitError::Halted`] for all of them.
    #[expect(clippy::unused_async, reason = "signature first")]
    pub async fn submit_all(
        &self,
        commands: Vec<Command>,
    ) -> Result<Vec<Result<Answer, SubmitError>>, SubmitError> {
        let _ = commands;
        Err(SubmitError::Unavailable)
    }

    /// What would become of a command, without appending anything.
    ///
    /// # Errors
    /// [`SubmitError`] if it cannot be decided now.
    #[expect(clippy::unused_async, reason = "signature first")]
    pub async fn dry_run(&self, command: Command) -> Result<Answer, SubmitError> {
        let _ = command;
        Err(SubmitError::Unavailable)
    }

    /// Reads what other processes appended, so that `status` is no older than this call.
    ///
    /// # Errors
    /// [`SubmitError`] if the log cannot be read now.
    #[expect(clippy::unused_async, reason = "signature first")]
    pub async fn refresh(&self) -> Result<(), SubmitError> {
        Err(SubmitError::Unavailable)
    }

    /// What the engine is doing; changes can be awaited.
    pub fn status(&self) -> watch::Receiver<EngineStatus> {
        self.status.clone()
    }

    /// Takes no more commands, finishes those it has, and ends.
    #[expect(clippy::unused_async, reason = "signature first")]
    pub async fn shutdown(&self) {}
}
