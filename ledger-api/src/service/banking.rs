//! The workers of the banks that are called: one queue each, and one that applies what they told.

use std::{collections::BTreeMap, sync::Arc};

use chrono::NaiveDate;
use futures::future::BoxFuture;
use ledger_core::{
    chart::{Authority, PostingClass},
    clock::{Clock, Ids, System},
    engine::Engine,
    ids::{BankCode, Principal, Reference},
};
use projections::ReadModels;
use sqlx::PgPool;
use tokio::{sync::watch, task::JoinHandle};

use super::{
    parts::{Parts, Wanted},
    tasks::{self, PAUSE, again_after_panics},
};
use crate::{
    banks::{
        BankRegistry,
        accounts::{BankAccounts, PayeeKey},
    },
    db,
    deposits::CreditDesk,
    exchanges::{ExchangeKeeper, Exchanges, Recorder},
    house::House,
    http::Ledger,
    setup::{Database, Secret},
    statements::{Absence, absent_from_statements},
    vault::SubjectKeys,
    webhooks::Inbox,
    workers::{
        TreasuryKeeper,
        clerk::Clerk,
        dues::Dues,
        inbox::Applier,
        lanes::Lane,
        returns::Returns,
        withdrawals::{Payees, Queue, Sender, Statements, Teller, notes::Notes},
    },
};

/// Connections that exchanges with banks are written with.
const EXCHANGE_CONNECTIONS_MAX: u32 = 1;
/// In whose name they act.
const PRINCIPAL: &str = "ledger:banking";

/// What they work with.
pub(super) struct With {
    pub(super) ledger: Arc<dyn Ledger>,
    pub(super) read_models: ReadModels,
    pub(super) pool: PgPool,
    pub(super) inbox: PgPool,
    pub(super) banks: Arc<BankRegistry>,
    pub(super) secret: [u8; 32],
    pub(super) clock: Arc<dyn Clock>,
    pub(super) house: House,
}

impl With {
    fn clerk(&self, principal: &Principal) -> Clerk {
        Clerk {
            ledger: Arc::clone(&self.ledger),
            clock: Arc::clone(&self.clock),
            ids: Arc::new(System),
            principal: principal.clone(),
            authority: Authority::of_withdrawals(),
        }
    }

    /// What collects what customers owe, and pays them for late banks.
    fn dues(&self, principal: &Principal, stopping: &watch::Receiver<bool>) -> JoinHandle<()> {
        use PostingClass::{Expense, Open, Receivable};
        let authority = Authority::of(&[Open, Receivable, Expense]);
        let clerk = Clerk { authority, ..self.clerk(principal) };
        let (pool, read_models, told) =
            (self.pool.clone(), self.read_models.clone(), stopping.clone());
        let (banks, house) = (Arc::clone(&self.banks), self.house);
        let job = move || {
            let lane = Lane::new(pool.clone(), "dues".to_owned(), System.fresh());
            let dues = Dues {
                clerk: clerk.clone(),
                read_models: read_models.clone(),
                pool: pool.clone(),
                banks: Arc::clone(&banks),
                per_day: house.compensation_per_day,
            };
            dues.run(lane, told.clone())
        };
        tokio::spawn(again_after_panics("what is due", PAUSE, stopping.clone(), job))
    }

    /// What has banks make moves of our own.
    fn treasury(&self, stopping: &watch::Receiver<bool>) -> JoinHandle<()> {
        let (pool, told) = (self.pool.clone(), stopping.clone());
        let (banks, ledger, clock) =
            (Arc::clone(&self.banks), Arc::clone(&self.ledger), Arc::clone(&self.clock));
        let job = move || {
            let lane = Lane::new(pool.clone(), "treasury".to_owned(), System.fresh());
            let keeper = TreasuryKeeper {
                pool: pool.clone(),
                banks: Arc::clone(&banks),
                ledger: Arc::clone(&ledger),
                clock: Arc::clone(&clock),
            };
            keeper.run(lane, told.clone())
        };
        tokio::spawn(again_after_panics("the treasury", PAUSE, stopping.clone(), job))
    }

    fn senders(&self, principal: &Principal) -> BTreeMap<BankCode, Sender> {
        let payees = BankAccounts::new(self.pool.clone(), PayeeKey::derive(&self.secret));
        let payees: Arc<dyn Payees> = Arc::new(payees);
        let clerk = self.clerk(principal);
        let sender = |bank: &Arc<dyn crate::banks::Bank>| Sender {
            bank: Arc::clone(bank),
            payees: Arc::clone(&payees),
            teller: Teller { clerk: clerk.clone() },
            notes: Notes::new(self.pool.clone()),
        };
        self.banks.iter().map(|bank| (bank.code().clone(), sender(bank))).collect()
    }

    /// What hands in what banks say of money that came.
    fn desk(&self) -> CreditDesk {
        let (ledger, banks) = (Arc::clone(&self.ledger), Arc::clone(&self.banks));
        CreditDesk::new(ledger, banks, Arc::new(System), self.pool.clone(), &self.secret)
    }

    /// The inbox, with the keys of whom it is about in the ledger's database.
    pub(super) fn inbox(&self) -> Inbox {
        Inbox::new(self.inbox.clone(), SubjectKeys::new(self.pool.clone(), &self.secret))
    }

    fn applier(&self, senders: BTreeMap<BankCode, Sender>) -> Applier {
        Applier {
            inbox: self.inbox(),
            read_models: self.read_models.clone(),
            senders: Arc::new(senders),
            credits: Arc::new(self.desk()),
            clock: Arc::clone(&self.clock),
        }
    }
}

/// What applies a delivery once more when somebody asks for it; nothing where no bank is called.
pub(super) fn applier(with: &With) -> Option<Applier> {
    if with.banks.is_empty() {
        return None;
    }
    let principal = PRINCIPAL.parse::<Principal>().ok()?;
    Some(with.applier(with.senders(&principal)))
}

/// What applies a delivery once more, for a command: as a running service would, on the same
/// ledger. Nothing where no bank is called.
pub fn applier_for(
    engine: &Engine,
    (pool, inbox): (PgPool, PgPool),
    banks: BankRegistry,
    secret: &Secret,
) -> Option<Applier> {
    applier(&With {
        ledger: Arc::new(engine.clone()),
        read_models: ReadModels::new(pool.clone()),
        pool,
        inbox,
        banks: Arc::new(banks),
        secret: *secret.bytes(),
        clock: Arc::new(System),
        house: House::default(),
    })
}

/// Starts them all. They end by themselves when it is time to stop, with what is under way.
pub(super) fn start(
    with: &With,
    stopping: &watch::Receiver<bool>,
) -> Vec<(&'static str, JoinHandle<()>)> {
    let Ok(principal) = PRINCIPAL.parse::<Principal>() else { return Vec::new() };
    let senders = with.senders(&principal);
    let mut tasks = Vec::new();
    for sender in senders.values() {
        let (sender, read_models, pool, told) =
            (sender.clone(), with.read_models.clone(), with.pool.clone(), stopping.clone());
        let statements: Arc<dyn Statements> = Arc::new(Booked(pool.clone()));
        let job = move || {
            let lane = |name| Lane::new(pool.clone(), name, System.fresh());
            let statements = Arc::clone(&statements);
            Queue::new(sender.clone(), statements, read_models.clone(), lane).run(told.clone())
        };
        let running = again_after_panics("a bank's queue", PAUSE, stopping.clone(), job);
        tasks.push(("a bank's queue", tokio::spawn(running)));
    }
    let applier = with.applier(senders);
    let (pool, told) = (with.pool.clone(), stopping.clone());
    let job = move || {
        let lane = Lane::new(pool.clone(), "inbox".to_owned(), System.fresh());
        applier.clone().run(lane, told.clone())
    };
    let running = again_after_panics("the inbox", PAUSE, stopping.clone(), job);
    tasks.push(("the inbox", tokio::spawn(running)));
    let returns = with.clerk(&principal);
    let (pool, read_models, told) = (with.pool.clone(), with.read_models.clone(), stopping.clone());
    let job = move || {
        let lane = Lane::new(pool.clone(), "returns".to_owned(), System.fresh());
        Returns::new(returns.clone(), read_models.clone()).run(lane, told.clone())
    };
    let running = again_after_panics("the returns", PAUSE, stopping.clone(), job);
    tasks.push(("the returns", tokio::spawn(running)));
    tasks.push(("what is due", with.dues(&principal, stopping)));
    if with.house.treasury_orders {
        tasks.push(("the treasury", with.treasury(stopping)));
    }
    tasks
}

impl Parts {
    /// Starts to write down what is said to the banks that are called, by whatever part of this
    /// process.
    pub(super) fn start_exchanges(
        &mut self,
        database: &Database,
        secret: &Secret,
        wanted: &Wanted,
    ) {
        if wanted.bank_registry.is_empty() {
            return;
        }
        let pool = self.kept(db::read_pool(database.app().clone(), EXCHANGE_CONNECTIONS_MAX));
        let recorder = Recorder::new(Arc::clone(&wanted.clock));
        for bank in wanted.bank_registry.iter() {
            bank.record_to(recorder.clone());
        }
        let keeper = ExchangeKeeper {
            recorder,
            exchanges: Exchanges::new(pool.clone(), SubjectKeys::new(pool, secret.bytes())),
            kept_for: wanted.exchanges_kept_for,
        };
        let keeping = tasks::keep_exchanges(&keeper, &self.stop.subscribe());
        self.tasks.push(("the exchanges", keeping));
    }
}

/// The statements that were booked.
struct Booked(PgPool);

impl Statements for Booked {
    fn absence<'a>(
        &'a self,
        bank: &'a BankCode,
        reference: &'a Reference,
        sent_on: NaiveDate,
    ) -> BoxFuture<'a, sqlx::Result<Absence>> {
        Box::pin(absent_from_statements(&self.0, bank, reference, sent_on))
    }
}
