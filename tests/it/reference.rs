//! The engine against the reference executor: the same random commands through both, on a database
//! each, must leave the same log to the byte.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use chrono::{DateTime, TimeDelta};
use ledger_core::{
    account::AccountEvent,
    book::{BookEvent, CheckpointKeyRotated},
    clock::{Clock, Ids, ManualClock},
    command::{Approval, Command, Operation, Outcome},
    engine::{Engine, EngineConfig, SubmitError},
    hold::HoldEvent,
    log::{RecordedEvent, read},
    money::Currency,
    reversal::ReversalEvent,
};
use projections::audit::proof::{Signer, rotation_message};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use sqlx::{PgPool, Row};
use uuid::Uuid;

use crate::support::{
    database::Database,
    ledger,
    model::{self, Case, Cmd, Model, What},
    reference::Reference,
};

/// The same ids in the same order for everybody.
struct Counted(AtomicU64);

impl Ids for Counted {
    fn fresh(&self) -> Uuid {
        Uuid::from_u64_pair(1, self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// The engine and the reference, side by side.
pub(crate) struct Both {
    _databases: [Database; 2],
    pub(crate) engine: Engine,
    pub(crate) reference: Reference,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) pools: [PgPool; 2],
}

impl Both {
    pub(crate) async fn start() -> Self {
        let noon = DateTime::from_timestamp(1_795_348_800, 0).unwrap();
        let clock = Arc::new(ManualClock::at(noon));
        let databases = [Database::create().await, Database::create().await];
        let config = |database: &Database| EngineConfig {
            clock: clock.clone(),
            ids: Arc::new(Counted(AtomicU64::new(1))),
            ..ledger::config(database)
        };
        // Both logs begin with a book that an engine opened.
        let engine = Engine::start(config(&databases[0])).await.unwrap();
        Engine::start(config(&databases[1])).await.unwrap().shutdown().await;
        let pools = [databases[0].pool().await, databases[1].pool().await];
        let reference = Reference::new(pools[1].clone());
        Self { _databases: databases, engine, reference, clock, pools }
    }

    /// Random commands, with some on the book and some keys again among them.
    fn commands(&self, seed: u8, count: usize) -> Vec<Sent> {
        let rng = TestRng::from_seed(RngAlgorithm::XorShift, &[seed; 16]);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let case: Case = model::case(count).new_tree(&mut runner).unwrap().current();
        let mut now = self.clock.now();
        let mut sent = Vec::new();
        let mut model = Model::new(u64::from(seed), 0);
        let opened = case.opened.iter().map(|account| open(*account));
        let random: Vec<Cmd> = opened.chain(case.commands).collect();
        let count = random.len();
        for (number, cmd) in random.into_iter().chain(to_the_end()).enumerate() {
            if let What::Wait { minutes } = cmd.what {
                now += TimeDelta::minutes(minutes);
                sent.push(Sent::Wait(minutes));
                continue;
            }
            if number == count {
                // What is rare comes last, on accounts that nothing has happened to.
                model = Model::new(u64::from(seed) + 1_000, 0);
            }
            let (mut command, _) = model.step(&cmd, now);
            if number % 9 == 0 {
                command.approval = Some(Approval {
                    approver: "ravi".parse().unwrap(),
                    reason: "a \"reason\" \u{926}".to_owned(),
                    evidence_sha256: "ab".repeat(32),
                });
            }
            sent.push(Sent::Command(Box::new(command)));
        }
        for (place, operation) in (1..).zip(on_the_book()) {
            sent.insert(place * 20, Sent::Command(Box::new(ledger::command(operation))));
        }
        // A key again, and a key with another request.
        for place in [50, 120, 190] {
            if let Sent::Command(earlier) = &sent[place - 30] {
                let mut other = earlier.clone();
                let again = Sent::Command(earlier.clone());
                other.idempotency.as_mut().unwrap().fingerprint = [9; 32];
                sent.insert(place, Sent::Command(other));
                sent.insert(place, again);
            }
        }
        sent
    }

    /// Gives a command to both, and returns what both answered.
    pub(crate) async fn agree(&mut self, command: &Command) -> Option<Outcome> {
        let own = told(self.engine.submit(command.clone()).await);
        let other = self.reference.submit(command, self.clock.now()).await;
        assert_eq!(own, other, "{command:?}");
        own
    }

    /// Both logs are the same to the last hash, with events of every kind that a stream can have.
    pub(crate) async fn assert_same_with_all_of(&self, stream: &str, names: &[&str]) {
        let kinds = self.assert_same_logs(true).await;
        let seen = kinds.iter().filter(|(of, _)| of == stream).count();
        assert_eq!(seen, names.len(), "kinds of events: {kinds:?}");
    }

    /// Returns the kinds of events that are in both.
    pub(crate) async fn assert_same_logs(&self, to_the_hash: bool) -> BTreeSet<(String, String)> {
        let [engine, reference] = &self.pools;
        let head = read::head(engine).await.unwrap().position;
        let of_engine = read::events(engine, 0, head + 1, u32::MAX).await.unwrap();
        let of_reference = read::events(reference, 0, head + 1, u32::MAX).await.unwrap();
        assert_eq!(of_engine.len(), of_reference.len());
        for (own, other) in of_engine.iter().zip(&of_reference) {
            let other = if to_the_hash {
                other.clone()
            } else {
                RecordedEvent { hash: own.hash, ..other.clone() }
            };
            assert_eq!(*own, other);
        }
        let outcomes = "select principal, key, fingerprint, outcome from idempotency order by 1, 2";
        assert_eq!(rows(engine, outcomes).await, rows(reference, outcomes).await);
        if to_the_hash {
            let batches = "select number::text, last_position::text, head_hash, recorded_at::text
                           from batches order by number";
            assert_eq!(rows(engine, batches).await, rows(reference, batches).await);
        }
        of_engine.into_iter().map(|event| (event.aggregate_type, event.event_type)).collect()
    }
}

enum Sent {
    Command(Box<Command>),
    Wait(i64),
}

fn cmd(what: What) -> Cmd {
    Cmd { what, open_only: false }
}

fn open(account: usize) -> Cmd {
    cmd(What::Open { account, scale_too_fine: false })
}

/// A hold that grows and expires, and an account that closes.
fn to_the_end() -> Vec<Cmd> {
    let (from, to, amount) = (0, 1, 50_00);
    let transfer = What::Transfer { from, to, amount, item: 1, condition: None };
    let hold = What::Hold { slot: 0, account: 1, amount: 20_00, minutes: Some(5), same_id: false };
    let mut commands = vec![open(0), open(1), open(7), cmd(transfer), cmd(hold)];
    commands.push(cmd(What::Increase { slot: 0, by: 5_00 }));
    commands.push(cmd(What::Wait { minutes: 5 }));
    commands.push(cmd(What::Expire { slot: 0 }));
    commands.push(cmd(What::Close { account: 7 }));
    commands
}

fn on_the_book() -> Vec<Operation> {
    let currency =
        |code: &str, scale| Operation::AddCurrency(Currency { code: code.parse().unwrap(), scale });
    vec![
        currency("EUR", 2),
        currency("EUR", 3),
        currency("ETH", 18),
        currency("XTS", 19),
        Operation::OpenBook { time_zone: chrono_tz::Tz::UTC },
        rotation(1, 2),
        rotation(1, 3),
    ]
}

/// A key of checkpoints gives way to the next one.
fn rotation(old: u8, new: u8) -> Operation {
    let (old, new) = (Signer::of(&[old; 32]), Signer::of(&[new; 32]).public());
    let signature = old.sign_bytes(&rotation_message(old.public(), new));
    Operation::RotateCheckpointKey(Box::new(CheckpointKeyRotated {
        old_key: old.public().to_bytes(),
        new_key: new.to_bytes(),
        signature: signature.try_into().unwrap(),
    }))
}

/// Rows as bytes, whatever they hold.
async fn rows(pool: &PgPool, sql: &str) -> Vec<Vec<Vec<u8>>> {
    let rows = sqlx::query(sql).fetch_all(pool).await.unwrap();
    let bytes = |row: &sqlx::postgres::PgRow| {
        let column = |index| row.try_get_raw(index).unwrap().as_bytes().unwrap().to_vec();
        (0..row.len()).map(column).collect()
    };
    rows.iter().map(bytes).collect()
}

fn told(answer: Result<ledger_core::engine::Answer, SubmitError>) -> Option<Outcome> {
    match answer {
        Ok(answer) => Some(answer.outcome),
        Err(SubmitError::KeyReused) => None,
        Err(error) => panic!("no outcome: {error}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_by_one_the_engine_writes_what_the_reference_writes_to_the_last_hash() {
    let mut both = Both::start().await;
    let commands = both.commands(8, 500);
    for sent in commands {
        match sent {
            Sent::Wait(minutes) => both.clock.advance(TimeDelta::minutes(minutes)),
            Sent::Command(command) => {
                both.agree(&command).await;
            }
        }
    }
    let kinds = both.assert_same_logs(true).await;
    let known = [AccountEvent::NAMES, HoldEvent::NAMES, ReversalEvent::NAMES, BookEvent::NAMES];
    // Tiers, fees, terms of shops and periods have tests of their own.
    assert_eq!(kinds.len(), known.concat().len() - 7, "kinds of events: {kinds:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_batches_the_engine_writes_what_the_reference_writes_one_by_one() {
    let mut both = Both::start().await;
    let mut waiting: Vec<Command> = Vec::new();
    for sent in both.commands(5, 500).into_iter().chain([Sent::Wait(1)]) {
        match sent {
            Sent::Command(command) => waiting.push(*command),
            Sent::Wait(minutes) => {
                let own = both.engine.submit_all(waiting.clone()).await.unwrap();
                for (command, own) in waiting.drain(..).zip(own) {
                    let other = both.reference.submit(&command, both.clock.now()).await;
                    assert_eq!(told(own), other, "{command:?}");
                }
                both.clock.advance(TimeDelta::minutes(minutes));
            }
        }
    }
    let kinds = both.assert_same_logs(false).await;
    assert!(kinds.len() > 12, "kinds of events: {kinds:?}");
}
