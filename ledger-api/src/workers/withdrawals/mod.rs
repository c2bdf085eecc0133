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
mod sending;
mod telling;
mod verdict;

use std::{collections::HashMap, sync::Arc, time::Duration};

use ledger_core::{clock::Timestamp, ids::WithdrawalId, log::Position};
use projections::{ReadError, ReadModels};
use rust_decimal::Decimal;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{self, Instant},
};

pub use asking::{Answer, Statements};
pub use candidates::money;
pub use sending::{Payees, SendError, Sender, Sent, reference};
pub(crate) use telling::AMOUNT_DIFFERS;
pub use telling::{Known, Teller, Told};
pub use verdict::{Verdict, verdict};

use super::lanes::Lane;
use crate::banks::{Contract, Health};
use breaker::{Breaker, Permit};
use pace::Rate;

/// How often it looks when nobody nudges it.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long it waits after a nudge for more to come.
const GATHER: Duration = Duration::from_millis(20);
/// How many withdrawals of a bank are under way at once.
pub const UNDER_WAY_MAX: usize = 64;
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
    tasks: JoinSet<Sent>,
    in_hand: HashMap<WithdrawalId, InHand>,
    looked: HashMap<WithdrawalId, Instant>,
    /// Up to where the last round looked at what has no outcome; nothing if it saw the last one.
    looked_until: Option<(Timestamp, WithdrawalId)>,
    said: Option<&'static str>,
}

/// A withdrawal that this process is at work on, or was until the read models know.
#[derive(Debug, Clone, Copy)]
struct InHand {
    amount: Decimal,
    /// From where the read models know what came of it; nothing while it is under way.
    known_at: Option<Position>,
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
            tasks: JoinSet::new(),
            in_hand: HashMap::new(),
            looked: HashMap::new(),
            looked_until: None,
            said: None,
        }
    }

    /// Works until `stopping` turns true; what is under way then gets to its end.
    pub async fn run(mut self, mut stopping: watch::Receiver<bool>) {
        let mut status = self.sender.teller.clerk.ledger.status();
        let mut said = String::new();
        loop {
            match self.round(&stopping).await {
                Ok(()) => said.clear(),
                Err(error) => {
                    let error = projections::describe(&error);
                    if error != said {
                        let bank = self.sender.bank.code().as_str();
                        tracing::warn!(bank, error, "the queue makes no progress; trying again");
                        said = error;
                    }
                }
            }
            tokio::select! {
                () = time::sleep(LOOK_EVERY) => {}
                Some(done) = self.tasks.join_next() => self.take(done),
                Ok(()) = status.changed() => {}
                _ = stopping.wait_for(|stop| *stop) => break,
            }
            time::sleep(GATHER).await;
            while let Some(done) = self.tasks.try_join_next() {
                self.take(done);
            }
            status.borrow_and_update();
        }
        while let Some(done) = self.tasks.join_next().await {
            self.take(done);
        }
        if let Err(error) = self.lane.leave().await {
            tracing::debug!(%error, "the lane ends by itself");
        }
    }

    fn take(&mut self, done: Result<Sent, tokio::task::JoinError>) {
        let sent = match done {
            Ok(sent) => sent,
            Err(error) => {
                // Whose it was is not known. All of it is asked for again, in time.
                tracing::error!(%error, "the sending of a withdrawal ended by a panic");
                metrics::counter!("bahi_task_panics_total", "task" => "a sending").increment(1);
                return;
            }
        };
        if let Some(in_hand) = self.in_hand.get_mut(&sent.id) {
            in_hand.known_at = Some(sent.position);
        }
        match sent.answered {
            Some(true) => self.breaker.answered(),
            Some(false) if self.breaker.failed(Instant::now()) => {
                tracing::warn!(bank = %self.sender.bank.code(), "left alone for a while: no answers");
            }
            Some(false) | None => {}
        }
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
        let note = self.send_due(&contract, stopping).await?;
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
            // A look at its health puts no money in doubt.
            Permit::Trial => match self.sender.bank.health().await {
                Health::Up | Health::Degraded => {
                    self.breaker.answered();
                    None
                }
                Health::Down => {
                    self.breaker.failed(Instant::now());
                    Some("bank_unreachable")
                }
            },
        })
    }

    /// Forgets what the read models know as well.
    fn catch_up(&mut self, reflects: Position) {
        self.in_hand.retain(|_, in_hand| in_hand.known_at.is_none_or(|at| at > reflects));
    }

    fn room(&self) -> usize {
        UNDER_WAY_MAX.saturating_sub(self.tasks.len())
    }

    async fn follow_up_due(
        &mut self,
        contract: &Arc<Contract>,
        stopping: &watch::Receiver<bool>,
    ) -> Result<(), RoundError> {
        let bank = self.sender.bank.code();
        let behind = self.looked_until.take();
        let rows = self.read_models.unanswered_withdrawals(bank, behind, UNANSWERED_MAX).await?;
        self.catch_up(rows.position);
        let rows = rows.value;
        // The next round goes on behind them: thousands that wait for their statements must not
        // stand in the way of those that can be asked for.
        let full = u32::try_from(rows.len()) == Ok(UNANSWERED_MAX);
        let last = rows.last().filter(|_| full);
        let next = last.and_then(|row| row.begun_at.map(|begun_at| (begun_at, row.id)));
        self.looked.retain(|_, at| at.elapsed() < LOOK_AT_STATEMENTS_EVERY);
        let attempts: Vec<_> = rows.iter().map(|row| (row.id, row.attempts)).collect();
        if attempts.is_empty() {
            return Ok(());
        }
        let asked = self.sender.notes.asked(&attempts).await?;
        let now = self.sender.teller.clerk.clock.now();
        for row in rows {
            if self.room() == 0 || !self.lane.is_held() {
                // What was not looked at comes first again.
                return Ok(());
            }
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
            self.in_hand.insert(row.id, InHand { amount: Decimal::ZERO, known_at: None });
            let with = (Arc::clone(contract), Arc::clone(&self.statements));
            let asking =
                self.sender.clone().follow_up(row, amount, (step, asked), with, stopping.clone());
            self.tasks.spawn(asking);
        }
        self.looked_until = next;
        Ok(())
    }
}

/// The name of a bank's lane.
pub fn lane_of(bank: &str) -> String {
    format!("withdrawals:{bank}")
}
