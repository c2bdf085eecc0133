//! The service's side of statements: what fetches and books them.

use std::sync::Arc;

use ledger_core::{clock::System, engine::Engine};

use super::{
    ServiceError,
    parts::{Parts, Wanted},
    tasks,
};
use crate::{
    deposits::CreditDesk,
    setup::{Database, Secret},
    statements::{Booker, CertificateKey, DeskCredits, rules_of},
    workers,
};

impl Parts {
    /// Starts to fetch and book banks' statements; lines of files are booked also without a bank.
    pub(super) fn start_statements(
        &mut self,
        (database, secret): (&Database, &Secret),
        (engine, desk): (&Engine, CreditDesk),
        wanted: &Wanted,
    ) -> Result<(), ServiceError> {
        let pool = self.kept(database.pool(database.app().clone()));
        let read_models = self.read_models(pool.clone());
        let booker = Booker {
            credits: Some(Arc::new(DeskCredits { pool: pool.clone(), desk })),
            pool,
            read_models,
            ledger: Arc::new(engine.clone()),
            ids: Arc::new(System),
            principal: workers::statements_principal().map_err(ServiceError::Principal)?,
            rules: rules_of(std::env::vars_os())?,
            again_after: Arc::default(),
        };
        let stop = self.stop.subscribe();
        let with = (&booker, &CertificateKey::of(secret.bytes()), wanted.house.treasury_buffer);
        let task = tasks::fetch_statements(&wanted.bank_registry, with, &wanted.clock, &stop);
        self.tasks.push(("the statements", task));
        Ok(())
    }
}
