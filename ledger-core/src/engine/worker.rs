//! The engine's task: the loop, what it holds, and how it keeps up with the log.

use std::sync::Arc;

use futures::FutureExt;
use tokio::sync::{mpsc, oneshot, watch};
use tracing::{error, info, warn};

use super::{
    Answer, Counts, EngineConfig, EngineState, EngineStatus, SubmitError,
    cache::Cache,
    idempotency::Recent,
    link::{Link, answered},
    snapshots::Snapshots,
    turn::Turn,
};
use crate::{
    command::Command,
    log::{Head, LogError, Tail, read},
    planning::StreamId,
};

/// How many events are read at a time when catching up.
const CHUNK: u32 = 5_000;

/// A command that waits for its answer.
pub(super) struct Job {
    pub(super) command: Command,
    pub(super) dry_run: bool,
    pub(super) reply: oneshot::Sender<Result<Answer, SubmitError>>,
}

impl Job {
    /// Answers. Whoever asked may be gone; that is no concern of the ledger's.
    pub(super) fn answer(self, answer: Result<Answer, SubmitError>) {
        self.reply.send(answer).ok();
    }
}

/// What the engine's task is handed.
pub(super) enum Work {
    Job(Box<Job>),
    Refresh(oneshot::Sender<Result<(), SubmitError>>),
}

/// Why the worker cannot go on as it is.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The database is away.
    Down,
    /// The log is not the one it knew.
    Halted,
    /// It is asked to end while the outcome of an append is not known.
    Unknown,
}

pub(super) struct Worker {
    pub(super) config: EngineConfig,
    /// Appends.
    pub(super) link: Link,
    /// Loads, also while an append is under way.
    pub(super) reader: Link,
    pub(super) turn: Turn,
    pub(super) head: Head,
    pub(super) cache: Cache,
    pub(super) recent: Recent,
    pub(super) snapshots: Snapshots,
    pub(super) counts: Arc<Counts>,
    pub(super) tail: Tail,
    status: watch::Sender<EngineStatus>,
    pub(super) queue: mpsc::Receiver<Work>,
    pub(super) closing: watch::Receiver<bool>,
}

impl Worker {
    /// Connects, and reads the head and the book.
    pub(super) async fn connect(
        config: EngineConfig,
        queue: mpsc::Receiver<Work>,
        closing: watch::Receiver<bool>,
    ) -> Result<Self, LogError> {
        let mut link = Link::new(&config.database);
        let head = answered(read::head(link.get().await?)).await?;
        let cache = Cache::new(config.cache_entries_max);
        let book = Arc::new(cache.book().clone());
        let (status, _) = watch::channel(EngineStatus { head, book, state: EngineState::Running });
        let mut worker = Self {
            reader: Link::new(&config.database),
            turn: Turn::new(&config.database),
            recent: Recent::default(),
            snapshots: Snapshots::start(&config.database),
            counts: Arc::default(),
            tail: Tail::default(),
            config,
            link,
            head,
            cache,
            status,
            queue,
            closing,
        };
        worker.load(vec![StreamId::Book]).await?;
        worker.publish(EngineState::Running);
        Ok(worker)
    }

    pub(super) fn status(&self) -> watch::Receiver<EngineStatus> {
        self.status.subscribe()
    }

    /// Runs until it is told to close or the last handle is gone. A panic is a bug that was caught
    /// by an assertion: nothing is written after it.
    pub(super) async fn run(mut self) {
        let ran = std::panic::AssertUnwindSafe(self.turns()).catch_unwind().await;
        if ran.is_ok() {
            info!(position = self.head.position, "the engine has ended");
            self.publish(EngineState::Stopped);
        } else {
            error!(position = self.head.position, "the engine has met a bug and halts");
            self.publish(EngineState::Halted);
            self.refuse_all().await;
        }
    }

    /// Catches up for those who asked for it. Nothing else may be under way.
    pub(super) async fn refresh(&mut self, replies: Vec<oneshot::Sender<Result<(), SubmitError>>>) {
        let caught_up = match self.catch_up().await {
            Ok(_) => Ok(()),
            Err(Trouble::Down | Trouble::Unknown) => Err(SubmitError::Unavailable),
            Err(Trouble::Halted) => Err(SubmitError::Halted),
        };
        for reply in replies {
            // Whoever asked may be gone.
            reply.send(caught_up).ok();
        }
    }

    /// Reads what was appended since the head that is known, and applies it to what is cached.
    /// Says whether there was anything.
    pub(super) async fn catch_up(&mut self) -> Result<bool, Trouble> {
        match self.read_tail().await {
            Ok(Some(moved)) => Ok(moved),
            Ok(None) => {
                error!(batch = self.head.batch, "the log lacks a batch that it had: halting");
                Err(self.halt())
            }
            Err(LogError::Database(cause)) => {
                warn!(error = %cause, "the log cannot be read");
                self.link.broken();
                Err(Trouble::Down)
            }
            Err(cause @ (LogError::Corrupt { .. } | LogError::OutOfRange)) => {
                error!(error = %cause, "the log cannot be followed: halting");
                Err(self.halt())
            }
        }
    }

    /// Nothing if the batch that is known is not there any more, with its hash.
    async fn read_tail(&mut self) -> Result<Option<bool>, LogError> {
        let db = self.link.get().await?;
        let known = answered(read::batch(&mut *db, self.head.batch)).await?;
        if known.is_none_or(|batch| batch.hash != self.head.hash) {
            return Ok(None);
        }
        let head = answered(read::head(&mut *db)).await?;
        let mut position = self.head.position;
        while position < head.position {
            let events = read::events(&mut *db, position, head.position, CHUNK);
            let events = answered(events).await?;
            let Some(last) = events.last() else {
                return Ok(None);
            };
            position = last.position;
            for event in &events {
                self.cache.follow(event)?;
            }
        }
        let moved = head.batch != self.head.batch;
        self.head = head;
        if moved {
            self.publish(EngineState::Running);
        }
        Ok(Some(moved))
    }

    /// Empties every cache and stops writing.
    pub(super) fn halt(&mut self) -> Trouble {
        self.cache = Cache::new(self.config.cache_entries_max);
        self.recent = Recent::default();
        self.publish(EngineState::Halted);
        Trouble::Halted
    }

    pub(super) fn halted(&self) -> bool {
        self.status.borrow().state == EngineState::Halted
    }

    /// Whether it is to end: it was told so, or nobody is left who could ask it anything.
    pub(super) fn closing(&self) -> bool {
        *self.closing.borrow() || self.closing.has_changed().is_err()
    }

    /// Says what the engine knows and does. A halt is for good.
    pub(super) fn publish(&self, state: EngineState) {
        let (head, book) = (self.head, self.cache.book());
        self.status.send_modify(|status| {
            status.head = head;
            if status.book.sequence() != book.sequence() && book.sequence() > 0 {
                status.book = Arc::new(book.clone());
            }
            if status.state != EngineState::Halted || state == EngineState::Stopped {
                status.state = state;
            }
        });
    }

    /// Answers what waits while nothing can be done: it was not begun, so nothing happened.
    pub(super) fn refuse_waiting(&mut self, error: SubmitError) {
        while let Ok(work) = self.queue.try_recv() {
            match work {
                Work::Job(job) => job.answer(Err(error)),
                Work::Refresh(reply) => drop(reply.send(Err(error)).ok()),
            }
        }
    }

    async fn refuse_all(&mut self) {
        self.queue.close();
        while let Some(work) = self.queue.recv().await {
            match work {
                Work::Job(job) => job.answer(Err(SubmitError::Halted)),
                Work::Refresh(reply) => drop(reply.send(Err(SubmitError::Halted)).ok()),
            }
        }
    }
}
