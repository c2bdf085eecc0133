//! The queue of a bank: sends what waits, in order, and finds out what became of what was sent.
//!
//! One process at a time works for a bank ([`Lane`]), so that its rate, its concurrency, the order
//! and what its escrow can cover are decided in one place; another bank's queue knows nothing of
//! it. The queue itself is the read model of withdrawals: there is no list of jobs that could
//! disagree with the log.
//!
//! The law: the intent is in the log before the call; one reference per attempt; a next attempt
//! only after proof that the one before paid nothing; after silence only questions, few, and then
//! the bank's statements, and then people.

mod asking;
mod breaker;
mod candidates;
pub mod notes;
mod pace;
mod passed;
mod sending;
mod slots;
mod telling;
mod verdict;
pub mod waits;

use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    sync::Arc,
    time::Duration,
};

use ledger_core::{clock::Timestamp, ids::WithdrawalId, log::Position, money::Money};
use projections::{ReadError, ReadModels, WithdrawalRow};
use rust_decimal::Decimal;
use tokio::{
    sync::watch,
    task::{Id, JoinError, JoinSet},
    time::{self, Instant},
};

pub use asking::{Answer, Statements};
pub use candidates::money;
pub(super) use pace::{delta, enquiry_at};
pub use sending::{Payees, SendError, Sender, Sent, attempt_of, reference};
pub(crate) use telling::AMOUNT_DIFFERS;
pub use telling::{Known, Teller, Told};
pub use verdict::{Verdict, verdict};

use super::lanes::Lane;
use crate::banks::{Contract, Health};
use breaker::{Breaker, Permit};
use pace::Rate;
use passed::Passed;
use slots::Slots;

/// How often it looks when nobody nudges it.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long it waits after a nudge for more to come.
const GATHER: Duration = Duration::from_millis(20);
/// How many submissions to a bank are under way at once.
pub const UNDER_WAY_MAX: usize = 64;
/// How many more are begun, so that the bank is not kept idle while the ledger takes the intent: as
/// many as are called, for a ledger under load can take as long for it as a bank for its answer.
const AHEAD: usize = UNDER_WAY_MAX;
/// How many there are in all, with those whose outcome the ledger has not taken yet.
const TASKS_MAX: usize = 256;
/// How many more there may be to find out about others: a long queue must not keep from asking.
const KEPT_TO_ASK: usize = 16;
/// How often the statements are looked at for one withdrawal.
const LOOK_AT_STATEMENTS_EVERY: Duration = Duration::from_secs(10);
/// Attempts without an outcome that are looked at in one round.
const UNANSWERED_MAX: u32 = 500;

/// A bank's queue.
pub struct Queue {
    sender: Sender,
    statements: Arc<dyn Statements>,
    read_models: ReadModels,
    lane: Lane,
    lane_name: String,
    /// What must stay in escrow.
    buffer: Decimal,
    breaker: Breaker,
    rate: Option<Rate>,
    slots: Slots,
    /// What the breaker tries the bank with.
    trial: Option<WithdrawalId>,
    tasks: JoinSet<Sent>,
    of_task: HashMap<Id, Task>,
    /// How many of them ask.
    asking: usize,
    /// What stands at the head of the queue and cannot be sent now.
    passed: Passed,
    /// What may be sent as soon as there is room for it, in order.
    ready: VecDeque<Ready>,
    /// Whether more than that waits.
    more: bool,
    in_hand: HashMap<WithdrawalId, InHand>,
    looked: HashMap<WithdrawalId, Instant>,
    /// Up to where the last round looked at what has no outcome; nothing if it saw the last one.
    looked_until: Option<(Timestamp, WithdrawalId)>,
    said: Option<&'static str>,
    /// What the read models had seen when it looked.
    seen: Position,
}

/// A withdrawal that this process is at work on, or was until the read models know.
#[derive(Debug, Clone, Copy)]
struct InHand {
    amount: Decimal,
    /// From where the read models know what came of it; nothing while it is under way.
    known_at: Option<Position>,
}

/// What a task is at work on.
#[derive(Debug, Clone, Copy)]
struct Task {
    id: WithdrawalId,
    begun: Instant,
    /// Whether it asks; it sends, else.
    asks: bool,
}

/// A withdrawal whose turn it is.
struct Ready {
    row: WithdrawalRow,
    amount: Money,
    contract: Arc<Contract>,
}

/// Why a round did not get through. The next one tries again.
#[derive(Debug, thiserror::Error)]
enum RoundError {
    #[error("the read models could not be asked")]
    Read(#[from] ReadError),
    #[error("the database could not be asked")]
    Database(#[from] sqlx::Error),
}

impl Queue {
    /// The queue of the bank that `sender` sends through.
    pub fn new(
        sender: Sender,
        statements: Arc<dyn Statements>,
        read_models: ReadModels,
        lane: impl FnOnce(String) -> Lane,
    ) -> Self {
        let lane_name = lane_of(sender.bank.code().as_str());
        Self {
            sender,
            statements,
            read_models,
            lane: lane(lane_name.clone()),
            lane_name,
            buffer: Decimal::ZERO,
            breaker: Breaker::default(),
            rate: None,
            slots: Slots::new(UNDER_WAY_MAX, AHEAD),
            trial: None,
            tasks: JoinSet::new(),
            of_task: HashMap::new(),
            asking: 0,
            passed: Passed::default(),
            ready: VecDeque::new(),
            more: false,
            in_hand: HashMap::new(),
            looked: HashMap::new(),
            looked_until: None,
            said: None,
            seen: 0,
        }
    }

    /// Works until `stopping` turns true; what is under way then gets to its end.
    pub async fn run(mut self, mut stopping: watch::Receiver<bool>) {
        let mut said = String::new();
        let mut looked_at: Option<Instant> = None;
        let mut nudged = false;
        let free = self.slots.free();
        loop {
            let age = looked_at.map_or(LOOK_EVERY, |at| at.elapsed());
            // What it appends itself is news as well: while much is ready it does not look at the
            // database for that, for whoever is looked up waits meanwhile.
            let soon = (nudged && self.ready.len() < UNDER_WAY_MAX) || self.runs_dry();
            let soon = soon && age >= GATHER;
            if soon || age >= LOOK_EVERY {
                looked_at = Some(Instant::now());
                nudged = false;
                self.look(&stopping, &mut said).await;
            }
            let paced = self.send_ready(&stopping);
            let pause = if paced || nudged { GATHER } else { LOOK_EVERY };
            let read_models = self.read_models.clone();
            let news = read_models.wait_for(self.seen.saturating_add(1), LOOK_EVERY);
            tokio::select! {
                () = time::sleep(pause) => {}
                () = free.notified(), if !self.ready.is_empty() => {}
                Some(done) = self.tasks.join_next_with_id() => self.take(done),
                Ok(_) = news, if !nudged && self.lane.is_held() => nudged = true,
                _ = stopping.wait_for(|stop| *stop) => break,
            }
            while let Some(done) = self.tasks.try_join_next_with_id() {
                self.take(done);
            }
        }
        while let Some(done) = self.tasks.join_next_with_id().await {
            self.take(done);
        }
        if let Err(error) = self.lane.leave().await {
            tracing::debug!(%error, "the lane ends by itself");
        }
    }

    /// A round; each new reason for making no progress is told once.
    async fn look(&mut self, stopping: &watch::Receiver<bool>, said: &mut String) {
        match self.round(stopping).await {
            Ok(()) => said.clear(),
            Err(error) => {
                let error = projections::describe(&error);
                if error != *said {
                    let bank = self.sender.bank.code().as_str();
                    tracing::warn!(bank, error, "the queue makes no progress; trying again");
                    *said = error;
                }
            }
        }
    }

    fn take(&mut self, done: Result<(Id, Sent), JoinError>) {
        let (task, sent) = match done {
            Ok((task, sent)) => (task, Some(sent)),
            Err(error) => {
                // Nobody knows how far it came: it is asked for, in time.
                tracing::error!(%error, "the sending of a withdrawal ended by a panic");
                metrics::counter!("bahi_task_panics_total", "task" => "a sending").increment(1);
                (error.id(), None)
            }
        };
        let Some(Task { id, begun, asks }) = self.of_task.remove(&task) else { return };
        if let Some(in_hand) = self.in_hand.get_mut(&id) {
            in_hand.known_at = Some(sent.map_or(0, |sent| sent.position));
        }
        if asks {
            self.asking = self.asking.saturating_sub(1);
            return;
        }
        let trial = self.trial.take_if(|trial| *trial == id).is_some();
        match sent.and_then(|sent| sent.answered) {
            Some(true) => self.breaker.answered(begun),
            Some(false) if self.breaker.failed(Instant::now(), begun, trial) => {
                let bank = self.sender.bank.code();
                tracing::warn!(%bank, "left alone for a while: no answers");
                self.ready.clear();
            }
            None if trial => self.breaker.not_tried(),
            Some(false) | None => {}
        }
    }

    /// Has a task work on a withdrawal.
    fn spawn(
        &mut self,
        id: WithdrawalId,
        amount: Decimal,
        asks: bool,
        job: impl Future<Output = Sent> + Send + 'static,
    ) {
        self.in_hand.insert(id, InHand { amount, known_at: None });
        self.asking = self.asking.saturating_add(usize::from(asks));
        let task = self.tasks.spawn(job).id();
        self.of_task.insert(task, Task { id, begun: Instant::now(), asks });
    }

    async fn round(&mut self, stopping: &watch::Receiver<bool>) -> Result<(), RoundError> {
        if !self.lane.hold().await? {
            return Ok(());
        }
        // Without its contract nothing can be sent, and nothing said about codes and questions.
        let contract = match self.sender.bank.contract().await {
            Ok(contract) => Arc::new(contract),
            Err(error) => {
                tracing::debug!(%error, "no contract");
                return self.say(Some("bank_unreachable")).await;
            }
        };
        let note = self.fill(&contract).await?;
        self.send_ready(stopping);
        self.say(note).await?;
        self.follow_up_due(&contract, stopping).await
    }

    async fn say(&mut self, note: Option<&'static str>) -> Result<(), RoundError> {
        if self.said != note {
            self.sender.notes.say(&self.lane_name, note).await?;
            if let Some(note) = note {
                tracing::info!(bank = %self.sender.bank.code(), note, "the queue waits");
            }
            self.said = note;
        }
        Ok(())
    }

    /// Whether the bank may be called; why not, else.
    async fn gate(&mut self) -> Result<Option<&'static str>, RoundError> {
        if self.sender.notes.is_paused(self.sender.bank.code()).await? {
            return Ok(Some("paused"));
        }
        Ok(match self.breaker.permit(Instant::now()) {
            Permit::Free => None,
            Permit::Refused => Some("bank_unreachable"),
            // A look at its health puts no money in doubt; if that is good, one submission does.
            Permit::Trial => match self.sender.bank.health().await {
                Health::Up | Health::Degraded => None,
                Health::Down => {
                    let now = Instant::now();
                    self.breaker.failed(now, now, true);
                    Some("bank_unreachable")
                }
            },
        })
    }

    /// Forgets what the read models know as well.
    fn catch_up(&mut self, reflects: Position) {
        self.seen = reflects;
        self.in_hand.retain(|_, in_hand| in_hand.known_at.is_none_or(|at| at > reflects));
    }

    fn room_to_ask(&self) -> usize {
        self.slots.idle().saturating_add(KEPT_TO_ASK).saturating_sub(self.asking)
    }

    fn room(&self) -> usize {
        self.slots.room().min(TASKS_MAX.saturating_sub(self.tasks.len()))
    }

    async fn follow_up_due(
        &mut self,
        contract: &Arc<Contract>,
        stopping: &watch::Receiver<bool>,
    ) -> Result<(), RoundError> {
        let bank = self.sender.bank.code();
        let behind = self.looked_until;
        let rows = self.read_models.unanswered_withdrawals(bank, behind, UNANSWERED_MAX).await?;
        self.catch_up(rows.position);
        let rows = rows.value;
        let full = u32::try_from(rows.len()) == Ok(UNANSWERED_MAX);
        self.looked.retain(|_, at| at.elapsed() < LOOK_AT_STATEMENTS_EVERY);
        let attempts: Vec<_> = rows.iter().map(|row| (row.id, row.attempts)).collect();
        if attempts.is_empty() {
            self.looked_until = None;
            return Ok(());
        }
        let asked = self.sender.notes.asked(&attempts).await?;
        let now = self.sender.teller.clerk.clock.now();
        for row in rows {
            if self.room_to_ask() == 0 || !self.lane.is_held() {
                // The next round goes on here. To begin with the oldest again would let those that
                // wait for their statements stand in the way of those that can be asked for.
                return Ok(());
            }
            self.looked_until = row.begun_at.map(|begun_at| (begun_at, row.id));
            let asked = asked.get(&row.id).copied().unwrap_or_default();
            let step = asking::step(&row, asked, contract, now);
            let looked = step == asking::Step::Statements && self.looked.contains_key(&row.id);
            let refused =
                step == asking::Step::Ask && self.breaker.permit(Instant::now()) == Permit::Refused;
            if step == asking::Step::Wait || looked || refused || self.in_hand.contains_key(&row.id)
            {
                continue;
            }
            let Some(amount) = candidates::money(&self.sender.teller.clerk, &row) else { continue };
            if step == asking::Step::Statements {
                self.looked.insert(row.id, Instant::now());
            }
            let with = (Arc::clone(contract), Arc::clone(&self.statements));
            let (id, sender) = (row.id, self.sender.clone());
            let job = sender.follow_up(row, amount, (step, asked), with, stopping.clone());
            self.spawn(id, Decimal::ZERO, true, job);
        }
        // That was the last of them: from the oldest again.
        self.looked_until = self.looked_until.filter(|_| full);
        Ok(())
    }
}

/// The name of a bank's lane.
pub fn lane_of(bank: &str) -> String {
    format!("withdrawals:{bank}")
}
