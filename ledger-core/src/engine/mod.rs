//! The engine: takes commands, decides them on aggregates in memory, appends what they come to.
//!
//! One task per engine runs a loop: take what has queued, load what is not in memory, decide,
//! append everything in one statement, answer. What arrives while an append is under way is the
//! next batch; there is no timer. Any number of engines, in any number of processes, may append
//! to one log: compare-and-append (`crate::log`) lets one of them win each batch, and the others
//! read what it wrote and decide afresh. Nothing is answered before it is in the log.
//!
//! It knows no HTTP and no read model. Dropping the future of a request cancels neither the
//! decision nor the append: both belong to the engine's task.

mod batch;
mod cache;
mod counts;
mod draft;
mod idempotency;
mod link;
mod loading;
mod opening;
mod pipeline;
mod reading;
mod recovery;
mod snapshots;
mod subject;
mod turn;
mod unit;
mod worker;

use std::sync::Arc;

use chrono_tz::Tz;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    book::Book,
    clock::{Clock, Ids, System},
    command::{Command, Outcome},
    log::{BatchKey, Head, LogError, Position, Tail},
};
pub use counts::Counts;
pub use reading::read_account;
use worker::{Job, Work, Worker};

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
    /// What batches are authenticated with; nothing: they carry no MAC.
    pub batch_key: Option<BatchKey>,
    /// The time zone of a book that is opened by this engine.
    pub time_zone: Tz,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where fresh ids come from.
    pub ids: Arc<dyn Ids>,
}

impl EngineConfig {
    /// The usual bounds, the machine's clock, days of Asia/Kolkata; no key.
    pub fn new(database: PgConnectOptions) -> Self {
        Self {
            database,
            queue_max: 8_192,
            batch_commands_max: 1_000,
            cache_entries_max: 200_000,
            batch_key: None,
            time_zone: Tz::Asia__Kolkata,
            clock: Arc::new(System),
            ids: Arc::new(System),
        }
    }
}

/// A handle to a running engine; cheap to clone. The engine ends when the last one is dropped.
#[derive(Clone)]
pub struct Engine {
    queue: mpsc::Sender<Work>,
    closing: Arc<watch::Sender<bool>>,
    status: watch::Receiver<EngineStatus>,
    counts: Arc<Counts>,
    tail: Tail,
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
    /// The engine ended before the answer was known. Ask again with the same key.
    #[error("the outcome is not known")]
    OutcomeUnknown,
    /// The key was used with another request before.
    #[error("the idempotency key was used with another request")]
    KeyReused,
    /// A stream that the command needs cannot be read, or the database cannot store what the
    /// command comes to. Nothing happened.
    #[error("a stream of the log cannot be read or continued")]
    Corrupt,
    /// The engine refuses everything until an operator decides.
    #[error("the ledger has stopped writing")]
    Halted,
}

impl Engine {
    /// Connects, reads the head and the book, and starts to take commands. Opens the book with the
    /// usual currencies if the log is empty.
    ///
    /// # Errors
    /// [`LogError`] if the log cannot be read, or an empty one cannot be begun.
    pub async fn start(config: EngineConfig) -> Result<Self, LogError> {
        let (queue, waiting) = mpsc::channel(config.queue_max.max(1));
        let (closing, closed) = watch::channel(false);
        let worker = Worker::connect(config.clone(), waiting, closed).await?;
        let (status, counts) = (worker.status(), Arc::clone(&worker.counts));
        let tail = worker.tail.clone();
        let engine = Self { queue, closing: Arc::new(closing), status, counts, tail };
        tokio::spawn(worker.run());
        engine
            .open_book(&config)
            .await
            .map_err(|error| LogError::Database(sqlx::Error::Io(std::io::Error::other(error))))?;
        Ok(engine)
    }

    /// Decides a command and appends what it comes to. Dropping the future does not cancel it.
    ///
    /// # Errors
    /// [`SubmitError`] if there is no outcome.
    pub async fn submit(&self, command: Command) -> Result<Answer, SubmitError> {
        self.hand_in(command, false).await
    }

    /// What would become of a command, without appending anything.
    ///
    /// # Errors
    /// [`SubmitError`] if it cannot be decided now.
    pub async fn dry_run(&self, command: Command) -> Result<Answer, SubmitError> {
        self.hand_in(command, true).await
    }

    /// Hands in several commands at once, in order; each has its own outcome. Refused as a whole
    /// if the queue has no room for all.
    ///
    /// # Errors
    /// [`SubmitError::Overloaded`], [`SubmitError::Unavailable`] or [`SubmitError::Halted`], for
    /// all of them.
    pub async fn submit_all(
        &self,
        commands: Vec<Command>,
    ) -> Result<Vec<Result<Answer, SubmitError>>, SubmitError> {
        self.open()?;
        let places = self.queue.try_reserve_many(commands.len()).map_err(full)?;
        let mut answers = Vec::with_capacity(commands.len());
        for (place, command) in places.zip(commands) {
            let (reply, answer) = oneshot::channel();
            place.send(Work::Job(Box::new(Job { command, dry_run: false, reply })));
            answers.push(answer);
        }
        let mut outcomes = Vec::with_capacity(answers.len());
        for answer in answers {
            outcomes.push(answer.await.unwrap_or(Err(SubmitError::OutcomeUnknown)));
        }
        Ok(outcomes)
    }

    /// Reads what other processes appended, so that `status` is no older than this call.
    ///
    /// # Errors
    /// [`SubmitError`] if the log cannot be read now.
    pub async fn refresh(&self) -> Result<(), SubmitError> {
        self.open()?;
        let (reply, done) = oneshot::channel();
        self.queue.try_send(Work::Refresh(reply)).map_err(full)?;
        done.await.unwrap_or(Err(SubmitError::Unavailable))
    }

    /// What the engine is doing; changes can be awaited.
    pub fn status(&self) -> watch::Receiver<EngineStatus> {
        self.status.clone()
    }

    /// What it appends from now on, for who follows the log in this process. It has the batches of
    /// a position before `status` tells the position.
    pub fn tail(&self) -> Tail {
        self.tail.follow();
        self.tail.clone()
    }

    /// What the engine has met since it started.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Takes no more commands, finishes those it has, and ends.
    pub async fn shutdown(&self) {
        self.closing.send_replace(true);
        let mut status = self.status.clone();
        // An error means that the task is gone already.
        let ended = status.wait_for(|s| s.state == EngineState::Stopped).await;
        drop(ended);
    }

    async fn hand_in(&self, command: Command, dry_run: bool) -> Result<Answer, SubmitError> {
        self.open()?;
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Job { command, dry_run, reply });
        self.queue.try_send(Work::Job(job)).map_err(full)?;
        answer.await.unwrap_or(Err(SubmitError::OutcomeUnknown))
    }

    fn open(&self) -> Result<(), SubmitError> {
        match self.status.borrow().state {
            EngineState::Running => Ok(()),
            EngineState::Recovering | EngineState::Stopped => Err(SubmitError::Unavailable),
            EngineState::Halted => Err(SubmitError::Halted),
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
fn full<T>(error: mpsc::error::TrySendError<T>) -> SubmitError {
    match error {
        mpsc::error::TrySendError::Full(_) => SubmitError::Overloaded,
        mpsc::error::TrySendError::Closed(_) => SubmitError::Unavailable,
    }
}
