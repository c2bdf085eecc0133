//! What all handlers share.

use std::{
    ops::Deref,
    sync::Arc,
    time::{Duration, Instant},
};

use ledger_core::{
    clock::{Clock, Ids},
    log::Position,
};
use metrics_exporter_prometheus::PrometheusHandle;
use projections::{ProjectorStatus, ReadModels};
use sqlx::PgPool;
use tokio::sync::{Semaphore, watch};

use super::{Ledger, Operators};
use crate::{
    access_log::{AccessLog, Refusals},
    auditing::AuditReads,
    banks::{
        BankRegistry,
        accounts::{BankAccounts, PayeeKey},
    },
    deposits::VirtualAccounts,
    hooks_out::{Deliveries, Endpoints},
    identity::KeyRing,
    logins::{Logins, server::Frontends},
    payments::{BankCalendar, Calendars, DisputeWords},
    people::{Passwords, People, PeopleSettings, PublicUrl, Throttles, Wallets},
    qr::QrReader,
    sessions::Sessions,
    shops::{ApiLog, ShopAccounts, Shops},
    staff::StaffStore,
    statement_files::StatementFiles,
    wallet::Pauses,
};

/// How many live tails of the log one process serves.
const TAILS_MAX: usize = 64;
/// How many streams of people's own wallets one process serves.
const OWN_TAILS_MAX: usize = 1024;

/// The secret behind the fingerprints of requests. It must stay the same for the life of the log
/// and be the same in all processes: with another one, every replay looks like another request.
#[derive(Clone)]
pub struct FingerprintKey(Arc<[u8; 32]>);

impl FingerprintKey {
    /// Takes the secret bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Arc::new(bytes))
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FingerprintKey(hidden)")
    }
}

/// What the API is made of.
pub struct ApiParts {
    /// The engine.
    pub ledger: Arc<dyn Ledger>,
    /// The pool that requests read from (`db::read_pool`).
    pub reads: PgPool,
    /// The pool of the health checks (`db::health_pool`).
    pub health: PgPool,
    /// The API keys.
    pub keys: Arc<KeyRing>,
    /// The banks that can be called.
    pub banks: Arc<BankRegistry>,
    /// What operators work with.
    pub operators: Operators,
    /// The secret behind the fingerprints of requests.
    pub fingerprint_key: FingerprintKey,
    /// What `/metrics` shows; without it the route answers 404.
    pub metrics: Option<PrometheusHandle>,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// How people are let in.
    pub people_settings: PeopleSettings,
    /// Where fresh ids come from.
    pub ids: Arc<dyn Ids>,
    /// On which days banks work.
    pub calendar: Arc<BankCalendar>,
    /// Whether this is the demonstration: its own banks, people and outbox are let in.
    pub demo: bool,
    /// The end of the log as far as this process knows (`workers::follow_head`).
    pub head: watch::Receiver<Position>,
    /// Turns true when the service is to stop: live tails end then.
    pub stopping: watch::Receiver<bool>,
    /// How long a handler may take.
    pub handler_timeout: Duration,
}

/// What all handlers share; cheap to clone.
#[derive(Clone)]
pub struct ApiState(Arc<Shared>);

/// The parts and what is made of them.
pub struct Shared {
    parts: ApiParts,
    /// Whom money may be sent to.
    pub bank_accounts: BankAccounts,
    /// Which wallet a virtual account stands for.
    pub virtual_accounts: VirtualAccounts,
    /// Who the people are.
    pub people: People,
    /// Who is signed in.
    pub sessions: Sessions,
    /// What checks passwords.
    pub passwords: Passwords,
    /// What opens wallets.
    pub wallets: Wallets,
    /// Who the shops are.
    pub shops: Shops,
    /// What opens their accounts.
    pub shop_accounts: ShopAccounts,
    /// What their programs asked for.
    pub api_log: ApiLog,
    /// Who works at the desks.
    pub staff: StaffStore,
    /// Who looked at what, and decided what.
    pub access_log: AccessLog,
    /// Who was turned away.
    pub(crate) refusals: Refusals,
    /// What auditors read, by the role of the database that can write nothing.
    pub audit: AuditReads,
    /// How fast things may be tried.
    pub throttles: Throttles,
    /// Who may vouch for people.
    pub logins: Logins,
    /// What frontends of others may do for people.
    pub frontends: Frontends,
    /// When payments are settled.
    pub calendars: Calendars,
    /// What is said in disputes.
    pub dispute_words: DisputeWords,
    /// Where webhooks go.
    pub webhook_endpoints: Endpoints,
    /// What became of them.
    pub webhook_deliveries: Deliveries,
    /// Which banks are paused or drained.
    pub(crate) pauses: Pauses,
    /// Statements that are prepared.
    pub(crate) statement_files: StatementFiles,
    /// What reads pictures of QR codes.
    pub(crate) qr: QrReader,
    /// The read models.
    pub read_models: ReadModels,
    /// The projector of this process, if it has one.
    pub projector: Option<watch::Receiver<ProjectorStatus>>,
    /// Permits for live tails.
    pub tails: Arc<Semaphore>,
    /// Permits for streams of people's own wallets.
    pub own_tails: Arc<Semaphore>,
    /// When the state was made.
    pub started: Instant,
}

impl ApiState {
    /// The state of a service made of these parts.
    pub fn new(parts: ApiParts) -> Self {
        let read_models = ReadModels::new(parts.reads.clone());
        Self::of(parts, read_models, None)
    }

    /// The state of a service whose process also runs the projector: waiting for a position then
    /// costs the database nothing.
    pub fn with_projector(parts: ApiParts, projector: watch::Receiver<ProjectorStatus>) -> Self {
        let read_models = ReadModels::new(parts.reads.clone()).with_projector(projector.clone());
        Self::of(parts, read_models, Some(projector))
    }

    fn of(
        parts: ApiParts,
        read_models: ReadModels,
        projector: Option<watch::Receiver<ProjectorStatus>>,
    ) -> Self {
        let tails = Arc::new(Semaphore::new(TAILS_MAX));
        let key = PayeeKey::derive(parts.fingerprint_key.bytes());
        let bank_accounts = BankAccounts::new(parts.reads.clone(), key);
        let virtual_accounts = VirtualAccounts::new(parts.reads.clone());
        let people = People::new(parts.reads.clone(), parts.fingerprint_key.bytes());
        let sessions = Sessions::new(parts.reads.clone(), Arc::clone(&parts.people_settings.clock));
        let throttles = Throttles::new(parts.reads.clone(), people.key().clone());
        let wallets = Wallets::new(
            people.clone(),
            Arc::clone(&parts.ledger),
            Arc::clone(&parts.ids),
            Arc::clone(&parts.clock),
        );
        let shops = Shops::new(parts.reads.clone(), parts.fingerprint_key.bytes());
        let shop_accounts = ShopAccounts::new(shops.clone(), wallets.clone());
        let (clock, stopping) = (Arc::clone(&parts.clock), parts.stopping.clone());
        let api_log = ApiLog::new(parts.reads.clone(), clock, stopping);
        let staff = StaffStore::new(parts.reads.clone());
        let clock = Arc::clone(&parts.people_settings.clock);
        let access_log = AccessLog::new(parts.reads.clone(), Arc::clone(&clock));
        let refusals = Refusals::new(access_log.clone());
        let (secret, inbox) = (parts.fingerprint_key.bytes(), parts.operators.inbox.as_ref());
        let audit = AuditReads::new(&parts.reads, inbox, secret, clock);
        let public_url = parts.people_settings.base().map(PublicUrl::as_str);
        let logins = Logins::new(&parts.people_settings.logins, &parts.reads, public_url);
        let clock = Arc::clone(&parts.people_settings.clock);
        let frontends = Frontends::new(&parts.reads, clock);
        let calendars = Calendars::new(Arc::clone(&parts.calendar), parts.reads.clone());
        let secret = parts.fingerprint_key.bytes();
        let dispute_words = DisputeWords::new(parts.reads.clone(), secret);
        let webhook_endpoints = Endpoints::new(parts.reads.clone(), parts.fingerprint_key.bytes());
        let webhook_deliveries = Deliveries::new(parts.reads.clone());
        let secret = parts.fingerprint_key.bytes();
        let statement_files = StatementFiles::new(parts.reads.clone(), secret);
        let pauses = Pauses::new(parts.reads.clone());
        let started = Instant::now();
        Self(Arc::new(Shared {
            parts,
            bank_accounts,
            virtual_accounts,
            people,
            sessions,
            passwords: Passwords::default(),
            wallets,
            shops,
            shop_accounts,
            api_log,
            staff,
            access_log,
            refusals,
            audit,
            throttles,
            logins,
            frontends,
            calendars,
            dispute_words,
            webhook_endpoints,
            webhook_deliveries,
            pauses,
            statement_files,
            qr: QrReader::default(),
            read_models,
            projector,
            tails,
            own_tails: Arc::new(Semaphore::new(OWN_TAILS_MAX)),
            started,
        }))
    }
}

impl Deref for ApiState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Deref for Shared {
    type Target = ApiParts;

    fn deref(&self) -> &ApiParts {
        &self.parts
    }
}
