//! Equipment of the unit tests: a ledger whose answers are made up, and a state over it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::future::BoxFuture;
use ledger_core::{
    book::{Book, BookEvent, Opened},
    clock::System,
    command::{Accepted, Command, Outcome, Receipt},
    engine::{Answer, EngineState, EngineStatus, SubmitError},
    log::{Head, hash},
    money::Currency,
};
use sqlx::postgres::PgConnectOptions;
use tokio::sync::watch;

use super::{ApiParts, ApiState, FingerprintKey, Ledger};
use crate::{
    db,
    identity::{Caller, KeyRing, Scope, ScopeSet},
};

/// A book with INR and JPY.
pub(crate) fn book() -> Book {
    let mut book = Book::default();
    cqrs_es::Aggregate::apply(
        &mut book,
        BookEvent::Opened(Opened { time_zone: chrono_tz::Tz::Asia__Kolkata }),
    );
    for (code, scale) in [("INR", 2), ("JPY", 0)] {
        let currency = Currency { code: code.parse().unwrap(), scale };
        cqrs_es::Aggregate::apply(&mut book, BookEvent::CurrencyAdded(currency));
    }
    book
}

/// What a [`FakeLedger`] answers.
type Script = dyn Fn(&Command) -> Result<Answer, SubmitError> + Send + Sync;

/// A ledger that answers as it was told and remembers what it was asked.
pub(crate) struct FakeLedger {
    script: Box<Script>,
    status: watch::Sender<EngineStatus>,
    pub(crate) asked: Mutex<Vec<Command>>,
    /// How long every answer takes.
    delay: Duration,
}

impl FakeLedger {
    pub(crate) fn new(
        script: impl Fn(&Command) -> Result<Answer, SubmitError> + Send + Sync + 'static,
    ) -> Self {
        let head = Head {
            batch: 3,
            position: 7,
            hash: hash::GENESIS,
            recorded_at: chrono::DateTime::UNIX_EPOCH,
        };
        let status = EngineStatus { head, book: Arc::new(book()), state: EngineState::Running };
        Self {
            script: Box::new(script),
            status: watch::Sender::new(status),
            asked: Mutex::default(),
            delay: Duration::ZERO,
        }
    }

    /// The same, every answer of which takes a while.
    pub(crate) fn slow(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    fn answer(&self, command: &Command) -> Result<Answer, SubmitError> {
        self.asked.lock().unwrap().push(command.clone());
        (self.script)(command)
    }
}

impl Ledger for FakeLedger {
    fn submit(&self, command: Command) -> BoxFuture<'_, Result<Answer, SubmitError>> {
        Box::pin(async move {
            tokio::time::sleep(self.delay).await;
            self.answer(&command)
        })
    }

    fn submit_all(
        &self,
        commands: Vec<Command>,
    ) -> BoxFuture<'_, Result<Vec<Result<Answer, SubmitError>>, SubmitError>> {
        let answers = commands.iter().map(|command| self.answer(command)).collect();
        Box::pin(async move { Ok(answers) })
    }

    fn dry_run(&self, command: Command) -> BoxFuture<'_, Result<Answer, SubmitError>> {
        self.submit(command)
    }

    fn refresh(&self) -> BoxFuture<'_, Result<(), SubmitError>> {
        Box::pin(async { Ok(()) })
    }

    fn status(&self) -> watch::Receiver<EngineStatus> {
        self.status.subscribe()
    }
}

/// An accepted answer at position 7.
pub(crate) fn accepted(receipt: Receipt, replayed: bool) -> Answer {
    Answer {
        outcome: Outcome::Accepted(Accepted {
            first_position: 6,
            position: 7,
            recorded_at: chrono::DateTime::UNIX_EPOCH,
            receipt,
        }),
        replayed,
        position: 7,
    }
}

/// A key that may do everything.
pub(crate) const ALL_KEY: &str = "bahi_test_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/// A key that may only read balances.
pub(crate) const WEAK_KEY: &str = "bahi_test_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";

/// A state over `ledger` and over a database that is not there.
pub(crate) fn state(ledger: Arc<dyn Ledger>, handler_timeout: Duration) -> ApiState {
    let nowhere = PgConnectOptions::new().host("/nonexistent");
    let reads = db::read_pool(nowhere.clone(), 1);
    let caller = |principal: &str, scopes: &[Scope]| Caller {
        key_id: "key_test".into(),
        principal: principal.parse().unwrap(),
        scopes: ScopeSet::of(scopes),
        person: None,
        shop: None,
    };
    let tokens = [
        (ALL_KEY, caller("asha", &Scope::ALL)),
        (WEAK_KEY, caller("ravi", &[Scope::BalancesRead])),
    ];
    ApiState::new(ApiParts {
        keys: KeyRing::fixed(reads.clone(), &tokens),
        health: db::health_pool(nowhere),
        reads,
        ledger,
        banks: Arc::default(),
        operators: super::Operators::default(),
        fingerprint_key: FingerprintKey::new([1; 32]),
        metrics: None,
        clock: Arc::new(System),
        calendar: Arc::default(),
        ids: Arc::new(System),
        demo: true,
        people_settings: crate::people::PeopleSettings::default(),
        head: watch::channel(7).1,
        stopping: watch::channel(false).1,
        handler_timeout,
    })
}
