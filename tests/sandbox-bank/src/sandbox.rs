//! All banks of the sandbox behind one lock, one clock and one journal.
//!
//! A command is given its time, written to the journal, and carried out, all under the lock: so the
//! journal's order is the order in which things happened. A question is not written down.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{NaiveDate, TimeDelta};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Notify;

use crate::{
    accounts::{Account, BooksError},
    bank::{Bank, BankSetup, name_check},
    clock::{ADVANCE_MAX, Clock, Timestamp, text},
    contract::BankCode,
    credits::Link,
    faults::Mode,
    journal::{Entry, Journal, JournalError, Opened},
    receipts::Decision,
    webhooks::Attempt,
    wire::{AdjustmentRequest, CreditRequest, LinkRequest, NameCheck, Reply, TransferRequest},
};

/// How a sandbox starts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Setup {
    /// What all chance is drawn from.
    pub seed: u64,
    /// When it starts: the first statement is of this day.
    pub opened_at: Timestamp,
    /// The banks.
    pub banks: Vec<BankSetup>,
    /// How far behind the machine's a running clock starts, in milliseconds: a history is told by
    /// moving it up to today. A journal keeps it, so that it is told once.
    #[serde(default)]
    pub behind_ms: u64,
}

impl Setup {
    /// All banks, as they usually are.
    pub fn usual(seed: u64, opened_at: Timestamp) -> Self {
        let banks = BankCode::ALL.map(BankSetup::usual).to_vec();
        Self { seed, opened_at: crate::clock::whole(opened_at), banks, behind_ms: 0 }
    }
}

/// Everything that changes a sandbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// A transfer is submitted.
    Submit(BankCode, TransferRequest),
    /// A page is asked for.
    OpenLink(BankCode, LinkRequest),
    /// Somebody decides on a page.
    Decide(BankCode, String, Decision),
    /// Somebody sends money.
    Credit(BankCode, CreditRequest),
    /// A bank books something of its own accord.
    Adjust(BankCode, AdjustmentRequest),
    /// A bank is to behave like this.
    SetMode(BankCode, Mode),
    /// The clock is moved, by milliseconds.
    Advance(i64),
    /// Chance is drawn from another seed.
    Reseed(u64),
    /// An attempt to deliver a message ended: its number, and whether it was heard.
    Heard(BankCode, u64, bool),
}

/// Why a sandbox can't start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// Its journal can't be used.
    #[error("the sandbox can't start from its journal")]
    Journal(#[from] JournalError),
    /// Its opening balances are impossible.
    #[error("the opening balances can't be booked")]
    Opening(#[from] BooksError),
}

#[derive(Debug)]
struct State {
    banks: BTreeMap<BankCode, Bank>,
    journal: Option<Journal>,
    /// Nothing happens before this: what has happened is not overtaken by a clock set back.
    last: Timestamp,
}

/// The sandbox.
#[derive(Debug)]
pub struct Sandbox {
    state: Mutex<State>,
    clock: Clock,
    /// Something may be due earlier than it was.
    changed: Notify,
}

impl Sandbox {
    /// Starts one that forgets everything when it ends.
    ///
    /// # Errors
    /// [`SandboxError`] if the opening balances are impossible.
    pub fn start(setup: &Setup, clock: Clock, base_url: &str) -> Result<Self, SandboxError> {
        let mut banks = BTreeMap::new();
        for bank in &setup.banks {
            let opened = Bank::open(*bank, setup.seed, setup.opened_at, base_url)?;
            banks.insert(bank.bank, opened);
        }
        clock.fall_behind(crate::faults::milliseconds(setup.behind_ms));
        let state = State { banks, journal: None, last: setup.opened_at };
        Ok(Self { state: Mutex::new(state), clock, changed: Notify::new() })
    }

    /// Starts one from the journal at `path`, which is made if it is not there. A journal knows
    /// how it started; `setup` is for a new one.
    ///
    /// # Errors
    /// [`SandboxError`] if the journal can't be used.
    pub fn restore(
        path: &Path,
        setup: Setup,
        clock: Clock,
        base_url: &str,
    ) -> Result<Self, SandboxError> {
        let Opened { journal, setup, entries } = Journal::open(path, setup)?;
        let sandbox = Self::start(&setup, clock, base_url)?;
        {
            let mut state = sandbox.lock();
            for entry in entries {
                state.last = entry.at;
                sandbox.carry_out(&mut state, entry.at, entry.command);
            }
            state.journal = Some(journal);
            sandbox.clock.not_before(state.last);
        }
        Ok(sandbox)
    }

    /// A panic under the lock leaves books that `check` judges; refusing all calls helps nobody.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What time it is at the banks.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Carries out a command, and says what to answer to who gave it.
    pub fn execute(&self, command: Command) -> Reply {
        let mut state = self.lock();
        let at = self.now(&mut state);
        if let Command::Advance(milliseconds) = &command
            && !(0..=ADVANCE_MAX.num_milliseconds()).contains(milliseconds)
        {
            return Reply::problem(422, "invalid", "the clock moves forwards, a year at most");
        }
        if let Some(journal) = &mut state.journal {
            let entry = Entry { at, command: command.clone() };
            if let Err(error) = journal.append(&entry) {
                tracing::error!(%error, "the journal can't be written");
                return Reply::problem(503, "journal_unavailable", "nothing was done");
            }
        }
        let reply = self.carry_out(&mut state, at, command);
        drop(state);
        self.changed.notify_one();
        reply
    }

    /// The time of what happens now.
    fn now(&self, state: &mut State) -> Timestamp {
        state.last = self.clock.now().max(state.last);
        state.last
    }

    fn carry_out(&self, state: &mut State, at: Timestamp, command: Command) -> Reply {
        let code = match &command {
            Command::Advance(milliseconds) => {
                self.clock.advance(TimeDelta::milliseconds(*milliseconds));
                return Reply::ok(json!({ "now": text(self.clock.now().max(at)) }));
            }
            Command::Reseed(seed) => {
                for bank in state.banks.values_mut() {
                    bank.run_until(at);
                    bank.dice.reseed(*seed);
                }
                return Reply::ok(json!({ "seed": seed }));
            }
            Command::Submit(bank, _)
            | Command::OpenLink(bank, _)
            | Command::Decide(bank, _, _)
            | Command::Credit(bank, _)
            | Command::Adjust(bank, _)
            | Command::SetMode(bank, _)
            | Command::Heard(bank, _, _) => *bank,
        };
        let Some(bank) = state.banks.get_mut(&code) else {
            return Reply::problem(404, "no_such_bank", "this sandbox has no such bank");
        };
        match command {
            Command::Submit(_, request) => bank.submit(at, &request),
            Command::OpenLink(_, request) => bank.open_link(at, request),
            Command::Decide(_, token, decision) => bank.decide(at, &token, decision),
            Command::Credit(_, request) => bank.receive(at, request),
            Command::Adjust(_, request) => bank.adjust(at, &request),
            Command::SetMode(_, mode) => bank.set_mode(at, &mode),
            Command::Heard(_, number, delivered) => {
                bank.run_until(at);
                bank.outbox.record(number, delivered, at);
                Reply::ok(json!({}))
            }
            Command::Advance(_) | Command::Reseed(_) => Reply::ok(json!({})),
        }
    }

    fn with<T>(
        &self,
        bank: BankCode,
        f: impl FnOnce(&mut Bank, Timestamp) -> T,
    ) -> Result<T, Reply> {
        let mut state = self.lock();
        let now = self.now(&mut state);
        match state.banks.get_mut(&bank) {
            Some(bank) => {
                bank.run_until(now);
                Ok(f(bank, now))
            }
            None => Err(Reply::problem(404, "no_such_bank", "this sandbox has no such bank")),
        }
    }

    fn asked(&self, bank: BankCode, f: impl FnOnce(&mut Bank, Timestamp) -> Reply) -> Reply {
        self.with(bank, f).unwrap_or_else(|none| none)
    }

    /// What a bank can do.
    pub fn contract(&self, bank: BankCode) -> Reply {
        self.asked(bank, |bank, _| Reply::ok(bank.contract.view()))
    }

    /// Whether a bank does well.
    pub fn health(&self, bank: BankCode) -> Reply {
        self.asked(bank, |bank, now| bank.health(now))
    }

    /// What became of a transfer.
    pub fn transfer(&self, bank: BankCode, reference: &str) -> Reply {
        self.asked(bank, |bank, now| bank.ask(now, |bank| bank.transfer(reference)))
    }

    /// What arrived.
    pub fn credit(&self, bank: BankCode, id: &str) -> Reply {
        self.asked(bank, |bank, now| bank.ask(now, |bank| bank.credit(id)))
    }

    /// What became of a link.
    pub fn link(&self, bank: BankCode, token: &str) -> Reply {
        self.asked(bank, |bank, now| bank.ask(now, |bank| bank.link(token)))
    }

    /// One day of one account.
    pub fn statement(&self, bank: BankCode, account: Account, date: NaiveDate) -> Reply {
        self.asked(bank, |bank, now| bank.ask(now, |bank| bank.statement(account, date, now)))
    }

    /// Whose account something is.
    pub fn name_check(&self, bank: BankCode, asked: &NameCheck) -> Reply {
        self.asked(bank, |bank, now| bank.ask(now, |_| name_check(asked)))
    }

    /// The books and counters of a bank, added up afresh.
    pub fn overview(&self, bank: BankCode) -> Reply {
        self.asked(bank, |bank, _| Reply::ok(bank.overview()))
    }

    /// A link as the page shows it.
    pub(crate) fn page(&self, bank: BankCode, token: &str) -> Option<Link> {
        self.with(bank, |bank, _| bank.credits.link(token).cloned()).ok().flatten()
    }

    /// The next messages to send.
    pub(crate) fn take_messages(&self, bank: BankCode, most: usize) -> Vec<Attempt> {
        self.with(bank, |bank, now| bank.outbox.take(now, most)).unwrap_or_default()
    }

    /// When the next thing happens, or the next message of one of `telling` is due.
    pub(crate) fn next_due(&self, telling: &[BankCode]) -> Option<Timestamp> {
        let state = self.lock();
        let dues = state.banks.iter().flat_map(|(code, bank)| {
            let message = bank.outbox.next_due().filter(|_| telling.contains(code));
            [bank.next_due(), message]
        });
        dues.flatten().min()
    }

    /// Does what is due.
    pub(crate) fn run(&self) {
        let mut state = self.lock();
        let now = self.now(&mut state);
        for bank in state.banks.values_mut() {
            bank.run_until(now);
        }
    }

    /// Comes true when something may be due earlier than it was.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }
}
