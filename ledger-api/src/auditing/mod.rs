//! What auditors read, and by whose hand: everything here goes through the database's role
//!
//! So that a page of `/audit` cannot change the ledger by mistake: it is given these readings and
//! nothing else, no engine and no store of the application's. Names and messages are opened here
//! too, with the installation's keys, and only together with a line in the access log.
//!
//! What pages and programs (`/v1/audit`) ask alike is here once: the log by pages
//! ([`EventsWanted`]), why a transaction is there ([`Why`]), what is masked and opened with a
//! reason, reports and the log as files.
//!
//! Checks of the whole log are asked for here ([`AuditRuns`]) and made by a worker.

mod accounts;
mod books;
mod decisions;
mod events;
mod export;
mod opening;
mod runner;
mod runs;
mod why;

pub(crate) use accounts::Whose;
pub(crate) use books::{Books, FileForm};
pub use decisions::{Decision, decisions};
pub use events::{EventsPage, EventsWanted, event_at};
pub(crate) use opening::{Because, Masked, Opened, bytes, reason, said};
pub use runner::AuditRunner;
pub use runs::{AuditRuns, Run, RunKind, RunOutcome, RunState};
pub use why::Why;

use std::sync::Arc;

use ledger_core::clock::Clock;
use projections::ReadModels;
use sqlx::PgPool;
use tokio::sync::Semaphore;

use crate::{
    access_log::AccessLog, db, exchanges::Exchanges, people::People, proofs::ProofStore,
    shops::Shops, vault::SubjectKeys, webhooks::Inbox,
};

/// Pages that follow the checks at a time, in one process.
const FOLLOWERS_MAX: usize = 50;

/// Everything that auditors read; cheap to clone.
#[derive(Clone)]
pub struct AuditReads {
    /// The database, by the auditors' role.
    pub pool: PgPool,
    /// What the log comes to.
    pub read_models: ReadModels,
    /// Who looked at what.
    pub access_log: AccessLog,
    /// Checks of the whole log.
    pub runs: AuditRuns,
    /// Signed heads of the log.
    pub proofs: ProofStore,
    /// Names, to be opened with a reason.
    pub people: People,
    /// Names of shops.
    pub shops: Shops,
    /// What banks told; nothing in a process that does not know the inbox.
    pub inbox: Option<Inbox>,
    /// What was said to banks about transfers.
    pub exchanges: Exchanges,
    /// Permits for exports of the whole log.
    exports: Arc<Semaphore>,
    /// Permits for pages that follow the checks.
    pub(crate) followers: Arc<Semaphore>,
}

impl AuditReads {
    /// Those of the databases that a service reads.
    pub fn new(
        reads: &PgPool,
        inbox: Option<&Inbox>,
        secret: &[u8; 32],
        clock: Arc<dyn Clock>,
    ) -> Self {
        let pool = db::audit_pool(reads);
        let keys = SubjectKeys::new(pool.clone(), secret);
        Self {
            read_models: ReadModels::new(pool.clone()),
            access_log: AccessLog::new(pool.clone(), clock),
            runs: AuditRuns::new(pool.clone()),
            proofs: ProofStore::new(pool.clone()),
            people: People::new(pool.clone(), secret),
            shops: Shops::new(pool.clone(), secret),
            exchanges: Exchanges::new(pool.clone(), keys.clone()),
            inbox: inbox.map(|inbox| inbox.for_auditors(keys)),
            exports: Arc::new(Semaphore::new(export::EXPORTS_MAX)),
            followers: Arc::new(Semaphore::new(FOLLOWERS_MAX)),
            pool,
        }
    }

    /// The connections that it reads with, to be closed with the service.
    pub(crate) fn pools(&self) -> Vec<PgPool> {
        let inbox = self.inbox.as_ref().map(Inbox::connections);
        [Some(self.pool.clone()), inbox].into_iter().flatten().collect()
    }
}
