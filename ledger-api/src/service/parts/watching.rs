//! What only watches: the alarms, and the checks that auditors ask for.

use std::sync::Arc;

use ledger_core::clock::Clock;
use projections::audit::MacKey;

use super::{Parts, tasks};
use crate::{
    auditing::{AuditRunner, AuditRuns},
    setup::{Database, Secret},
    vault::SubjectKeys,
    webhooks::Inbox,
    workers::{alarms::Alarms, withdrawals::notes::Notes},
};

impl Parts {
    /// Starts to count what people should know of.
    pub(super) fn start_alarms(
        &mut self,
        (database, inbox): (&Database, &Database),
        secret: &Secret,
        clock: &Arc<dyn Clock>,
    ) {
        let pool = self.kept(database.pool(database.app().clone()));
        let inbox = self.kept(inbox.pool(inbox.app().clone()));
        let alarms = Alarms {
            read_models: self.read_models(pool.clone()),
            notes: Notes::new(pool.clone()),
            inbox: Inbox::new(inbox, SubjectKeys::new(pool, secret.bytes())),
            clock: Arc::clone(clock),
        };
        let task = tasks::raise_alarms(&alarms, &self.stop.subscribe());
        self.tasks.push(("the alarms", task));
    }

    /// Starts to make the checks that auditors ask for.
    pub(in crate::service) fn start_checks(
        &mut self,
        database: &Database,
        mac_key: MacKey,
        clock: &Arc<dyn Clock>,
    ) {
        let pool = self.kept(database.pool(database.app().clone()));
        let runner = AuditRunner {
            runs: AuditRuns::new(pool),
            reader: database.reader().clone(),
            maker: database.app_patient(),
            mac_key: Some(mac_key),
            clock: Arc::clone(clock),
        };
        let task = tasks::make_checks(&runner, &self.stop.subscribe());
        self.tasks.push(("the checks", task));
    }
}
