//! A ledger whose withdrawals are sent: the engine, its read models and the queues of both sandbox
//! banks, on a clock that can be moved.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::TimeDelta;
use futures::future::BoxFuture;
use ledger_api::{
    banks::{Bank, BankRegistry, Payee},
    statements::{Absence, absent_from_statements},
    workers::{
        clerk::Clerk,
        inbox::{Applier, ApplyError, Conclusion, Credits},
        lanes::Lane,
        withdrawals::{Payees, Queue, Sender, Statements, Teller, notes::Notes, reference},
    },
};
use ledger_core::{
    chart::Authority,
    clock::{Ids, ShiftedClock, System},
    engine::{Engine, EngineConfig},
    fee::Pricing,
    ids::{BankAccountId, BankCode, PayeeHash, Reference, TransactionId, WithdrawalId},
    withdrawal::{
        PayeeStanding, RequestWithdrawal, WithdrawalEvent, WithdrawalOperation, WithdrawalStatus,
    },
};
use projections::{Projector, ReadModels};
use sqlx::PgPool;
use tokio::{
    sync::watch,
    task::{AbortHandle, JoinError, JoinHandle},
};

use super::{
    bahi::PATIENCE,
    database::Database,
    intake::inbox,
    ledger::{self, Ledger, accepted, money, parse},
    sandbox::Sandbox,
};

pub(crate) const WALLET: &str = "wallet:a:INR";

/// A payee that stands, one that was swapped after the request, and one that was removed.
pub(crate) const PAYEE: &str = "ba_019a0000000070008000000000000021";
pub(crate) const SWAPPED: &str = "ba_019a0000000070008000000000000022";
pub(crate) const REMOVED: &str = "ba_019a0000000070008000000000000023";

struct Book;

impl Payees for Book {
    fn payee(&self, id: BankAccountId) -> BoxFuture<'_, sqlx::Result<Option<(Payee, PayeeHash)>>> {
        let payee = Payee::parse("001234567890", "TEST0000001", "ASHA RAO").unwrap();
        let hash = |byte: &str| parse::<PayeeHash>(&byte.repeat(32));
        let found = match id.to_string().as_str() {
            PAYEE => Some((payee, hash("0a"))),
            SWAPPED => Some((payee, hash("0b"))),
            _ => None,
        };
        Box::pin(async move { Ok(found) })
    }
}

/// What statements say in a test: nothing, until a test says otherwise.
#[derive(Clone)]
pub(crate) struct Said(pub(crate) watch::Sender<Absence>);

impl Statements for Said {
    fn absence<'a>(
        &'a self,
        _bank: &'a BankCode,
        _reference: &'a Reference,
        _sent_on: chrono::NaiveDate,
    ) -> BoxFuture<'a, sqlx::Result<Absence>> {
        let said = *self.0.borrow();
        Box::pin(async move { Ok(said) })
    }
}

/// What the statements say that were imported and booked.
pub(crate) struct Imported(pub(crate) PgPool);

impl Statements for Imported {
    fn absence<'a>(
        &'a self,
        bank: &'a BankCode,
        reference: &'a Reference,
        sent_on: chrono::NaiveDate,
    ) -> BoxFuture<'a, sqlx::Result<Absence>> {
        Box::pin(absent_from_statements(&self.0, bank, reference, sent_on))
    }
}

struct NoCredits;

impl Credits for NoCredits {
    fn apply<'a>(
        &'a self,
        _bank: &'a BankCode,
        _message: &'a ledger_api::banks::BankMessage,
    ) -> BoxFuture<'a, Result<Conclusion, ApplyError>> {
        Box::pin(async { Ok(Conclusion::Ignored("not in this test".to_owned())) })
    }
}

/// It all.
pub(crate) struct Desk {
    pub(crate) ledger: Ledger,
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: Arc<ShiftedClock>,
    pub(crate) read_models: ReadModels,
    pub(crate) pool: PgPool,
    pub(crate) statements: Said,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Desk {
    /// With a wallet that has money, and banks whose escrow covers it.
    pub(crate) async fn start() -> Self {
        let sandbox = Sandbox::start().await;
        let registry = sandbox.registry_within(Duration::from_millis(500));
        Self::on(&Database::create().await, sandbox, registry).await
    }

    pub(crate) async fn on(database: &Database, sandbox: Sandbox, banks: BankRegistry) -> Self {
        let mut desk = Self::idle(database, sandbox).await;
        desk.add_worker(&banks);
        desk
    }

    /// Without anybody who works.
    pub(crate) async fn idle(database: &Database, sandbox: Sandbox) -> Self {
        let clock = Arc::new(ShiftedClock::default());
        let config = EngineConfig { clock: clock.clone(), ..ledger::config(database) };
        let engine = Engine::start(config).await.unwrap();
        let ledger = Ledger { database: database.clone(), engine };
        ledger.wallet(WALLET, "1000000.00").await;
        for bank in ["hdfc", "axis"] {
            let escrow = format!("bank:{bank}:escrow:INR");
            ledger.open(&escrow).await;
            ledger.open(&format!("bank:{bank}:clearing_in:INR")).await;
            accepted(ledger.transfer(&escrow, "till:main:INR", "5000000.00").await);
        }
        let (stop, stopping) = watch::channel(false);
        let pool = database.pool().await;
        let read_models = ReadModels::new(pool.clone());
        let mut desk = Self {
            ledger,
            sandbox,
            clock,
            read_models,
            pool,
            statements: Said(watch::Sender::new(Absence::NotYet)),
            stop,
            tasks: Vec::new(),
        };
        let projector = Projector::new(desk.pool.clone(), watch::channel(0).1);
        let mut told = stopping.clone();
        desk.tasks.push(tokio::spawn(async move {
            projector.run(async move { drop(told.wait_for(|stop| *stop).await) }).await;
        }));
        desk
    }

    /// One more worker for all banks and the inbox, as another process would have it.
    pub(crate) fn add_worker(&mut self, banks: &BankRegistry) {
        let statements: Arc<dyn Statements> = Arc::new(self.statements.clone());
        self.add_worker_of(banks.iter().cloned(), &statements);
    }

    /// The same, for any banks and statements; what kills it.
    pub(crate) fn add_worker_of(
        &mut self,
        banks: impl IntoIterator<Item = Arc<dyn Bank>>,
        statements: &Arc<dyn Statements>,
    ) -> Vec<AbortHandle> {
        let before = self.tasks.len();
        let senders = self.senders_of(banks);
        for sender in senders.values() {
            let statements = Arc::clone(statements);
            let pool = self.pool.clone();
            let lane = |name| Lane::new(pool, name, System.fresh());
            let queue = Queue::new(sender.clone(), statements, self.read_models.clone(), lane);
            self.tasks.push(tokio::spawn(queue.run(self.stop.subscribe())));
        }
        let applier = self.applier(senders);
        let lane = Lane::new(self.pool.clone(), "inbox".to_owned(), System.fresh());
        self.tasks.push(tokio::spawn(applier.run(lane, self.stop.subscribe())));
        self.tasks[before..].iter().map(JoinHandle::abort_handle).collect()
    }

    /// Kills a worker, and lets the time pass for which its lanes are kept for it.
    pub(crate) async fn kill(&self, worker: Vec<AbortHandle>) {
        for task in &worker {
            task.abort();
        }
        while !worker.iter().all(AbortHandle::is_finished) {
            tokio::task::yield_now().await;
        }
        let sql = "update worker_lanes set expires_at = now() - interval '1 second'";
        sqlx::query(sql).execute(&self.pool).await.unwrap();
    }

    pub(crate) fn applier(&self, senders: BTreeMap<BankCode, Sender>) -> Applier {
        Applier {
            inbox: inbox(&self.pool),
            read_models: self.read_models.clone(),
            senders: Arc::new(senders),
            credits: Arc::new(NoCredits),
            clock: self.clock.clone(),
        }
    }

    pub(crate) fn senders_of(
        &self,
        banks: impl IntoIterator<Item = Arc<dyn Bank>>,
    ) -> BTreeMap<BankCode, Sender> {
        let clerk = Clerk {
            ledger: Arc::new(self.ledger.engine.clone()),
            clock: self.clock.clone(),
            ids: Arc::new(System),
            principal: "ledger:queue".parse().unwrap(),
            authority: Authority::of_withdrawals(),
        };
        let sender = |bank: Arc<dyn Bank>| Sender {
            bank,
            payees: Arc::new(Book),
            teller: Teller { clerk: clerk.clone() },
            notes: Notes::new(self.pool.clone()),
        };
        banks.into_iter().map(|bank| (bank.code().clone(), sender(bank))).collect()
    }

    /// Moves both clocks.
    pub(crate) async fn advance(&self, seconds: u64) {
        self.clock.be_ahead(self.clock.ahead() + TimeDelta::seconds(seconds.try_into().unwrap()));
        self.sandbox.advance(seconds).await;
    }

    pub(crate) async fn request(&self, bank: &str, amount: &str) -> WithdrawalId {
        self.request_to(PAYEE, bank, amount).await
    }

    pub(crate) async fn request_to(&self, payee: &str, bank: &str, amount: &str) -> WithdrawalId {
        let id = WithdrawalId::from_uuid(System.fresh());
        self.request_with(id, payee, bank, amount).await;
        id
    }

    /// One under an id that is known before it is requested, at hdfc.
    pub(crate) async fn request_as(&self, id: WithdrawalId, amount: &str) {
        self.request_with(id, PAYEE, "hdfc", amount).await;
    }

    async fn request_with(
        &self,
        withdrawal_id: WithdrawalId,
        payee: &str,
        bank: &str,
        amount: &str,
    ) {
        let request = RequestWithdrawal {
            withdrawal_id,
            transaction_id: TransactionId::from_uuid(System.fresh()),
            account: parse(WALLET),
            amount: money(WALLET, amount),
            fee: money(WALLET, "10.00"),
            tax: money(WALLET, "1.53"),
            pricing: Pricing::AsGiven,
            bank_account: parse(payee),
            bank: parse(bank),
            rail: parse("imps"),
            payee_hash: Some(parse(&"0a".repeat(32))),
            payee: PayeeStanding::Unchecked,
            review: None,
            note: None,
        };
        let operation = WithdrawalOperation::Request(request).into();
        accepted(self.ledger.submit(operation).await);
    }

    /// Waits until a withdrawal is in a state; its events' names then.
    pub(crate) async fn wait_for(&self, id: WithdrawalId, status: WithdrawalStatus) -> Vec<String> {
        let mut last = None;
        let reached = tokio::time::timeout(PATIENCE, async {
            loop {
                let history = self.read_models.withdrawal(id).await.unwrap().value;
                last = history.as_ref().and_then(|history| history.withdrawal.status());
                if let Some(history) = history.filter(|_| last == Some(status)) {
                    return history.facts;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let Ok(facts) = reached.await else {
            panic!("{id} is {last:?}, not {status:?}: {:#?}", story(self, id).await)
        };
        facts.iter().map(|fact| WithdrawalEvent::name(&fact.event).to_owned()).collect()
    }

    /// How many transfers a bank has for an attempt's reference.
    pub(crate) async fn transfers(&self, bank: &str, id: WithdrawalId) -> Vec<String> {
        let banks = self.sandbox.registry();
        let bank = super::sandbox::bank(&banks, bank);
        let mut known = Vec::new();
        for attempt in 1..=5 {
            let transfer = bank.enquire(&reference(id, attempt).unwrap()).await.unwrap();
            known.extend(transfer.map(|transfer| format!("{:?}", transfer.status)));
        }
        known
    }

    /// Stops it all.
    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            let ended = tokio::time::timeout(PATIENCE, task).await.expect("it stops in time");
            assert!(ended.as_ref().err().is_none_or(JoinError::is_cancelled), "{ended:?}");
        }
        self.ledger.engine.shutdown().await;
        self.sandbox.stop().await;
    }
}

/// A line for each thing that happened to a withdrawal, for when a test fails.
pub(crate) async fn story(desk: &Desk, id: WithdrawalId) -> Vec<String> {
    let history = desk.read_models.withdrawal(id).await.unwrap().value;
    let facts = history.map(|history| history.facts).unwrap_or_default();
    facts.iter().map(|fact| format!("{:?}", fact.event)).collect()
}
