//! What makes and sends webhooks, in a process that works.

use std::sync::Arc;

use ledger_core::{
    clock::{Ids, System},
    log::Position,
};
use projections::ReadModels;
use sqlx::PgPool;
use tokio::{sync::watch, task::JoinHandle};

use super::{parts::Wanted, tasks};
use crate::{
    hooks_out::{Client, Maker, Sender, guard::Outreach},
    setup::Secret,
};

/// Starts both. They reach this machine in the demonstration only.
pub(super) fn start(
    (pool, read_models): (PgPool, ReadModels),
    secret: &Secret,
    wanted: &Wanted,
    (nudge, stop): &(watch::Receiver<Position>, watch::Receiver<bool>),
) -> Vec<(&'static str, JoinHandle<()>)> {
    let (clock, ids): (_, Arc<dyn Ids>) = (Arc::clone(&wanted.clock), Arc::new(System));
    let with = (pool.clone(), read_models);
    let maker = Maker::new(with, secret.bytes(), Arc::clone(&clock), Arc::clone(&ids));
    let mut tasks = vec![("the making of webhooks", tasks::make_hooks_out(&maker, nudge, stop))];
    let outreach = if wanted.demo { Outreach::PublicAndLoopback } else { Outreach::Public };
    match Client::new(outreach) {
        Ok(client) => {
            let sender = Sender::new(pool, secret.bytes(), client, clock, ids);
            tasks.push(("the sending of webhooks", tasks::send_hooks_out(&sender, stop)));
        }
        // No reason not to keep the ledger: what is to be sent waits.
        Err(error) => tracing::error!(%error, "no webhooks are sent: no certificates"),
    }
    tasks
}
