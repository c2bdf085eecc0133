//! The tasks beside the API, each started again if a defect ends it by a panic.
//!
//! All can be: the projector keeps nothing between its steps but the checkpoint in the database,
//! the sweeper nothing at all, the intake what waits in its queue. A panic is said loudly and
//! counted; it never ends quietly.

use std::{future::Future, sync::Arc, time::Duration};

use ledger_core::{
    clock::{Clock, Ids as _, System},
    engine::Engine,
    ids::IdError,
    log::{Position, Tail},
};
use projections::{Projector, ProjectorStatus, ReadModels};
use rust_decimal::Decimal;
use sqlx::PgPool;
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
    time,
};

use crate::{
    auditing::AuditRunner,
    banks::BankRegistry,
    exchanges::ExchangeKeeper,
    hooks_out::{Maker, Sender},
    http::Ledger,
    people::PeopleKeeper,
    proofs::CheckpointMaker,
    shutdown,
    statements::{Booker, CertificateKey},
    webhooks::Keeper,
    workers::{
        DepositKeeper, OutsideKeeper, PaymentKeeper, PayoutKeeper, StatementFetcher, Sweeper,
        alarms::Alarms, lanes::Lane,
    },
};

/// The pause before a task is started again: a defect that is met at once is met every second.
pub(super) const PAUSE: Duration = Duration::from_secs(1);

/// Runs what `job` makes until it ends by itself, again and again if it panics.
pub(super) async fn again_after_panics<F>(
    what: &'static str,
    pause: Duration,
    mut stop: watch::Receiver<bool>,
    mut job: impl FnMut() -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let panics = metrics::counter!("bahi_task_panics_total", "task" => what);
    loop {
        // A set, so that the job ends with us.
        let mut tasks = JoinSet::new();
        tasks.spawn(job());
        let Some(Err(error)) = tasks.join_next().await else {
            return;
        };
        panics.increment(1);
        tracing::error!(what, %error, "ended by a panic; starting again");
        tokio::select! {
            () = time::sleep(pause) => {}
            () = shutdown::wait(&mut stop) => return,
        }
    }
}

/// Starts the projector; what it says about itself goes on through its restarts.
pub(super) fn project(
    pool: &PgPool,
    nudge: &watch::Receiver<Position>,
    tail: Option<Tail>,
    stop: &watch::Receiver<bool>,
) -> (JoinHandle<()>, watch::Receiver<ProjectorStatus>) {
    let (pool, nudge) = (pool.clone(), nudge.clone());
    let first = Projector::new(pool.clone(), nudge.clone()).status().borrow().clone();
    let (says, status) = watch::channel(first);
    let says = Arc::new(says);
    let told = stop.clone();
    let job = move || {
        let projector = Projector::new(pool.clone(), nudge.clone()).with_tail(tail.clone());
        let (mut status, says, mut stop) = (projector.status(), Arc::clone(&says), told.clone());
        async move {
            let running = projector.run(async move { shutdown::wait(&mut stop).await });
            let relay = async move {
                while status.changed().await.is_ok() {
                    says.send_replace(status.borrow_and_update().clone());
                }
            };
            tokio::join!(running, relay);
        }
    };
    let task = tokio::spawn(again_after_panics("the projector", PAUSE, stop.clone(), job));
    (task, status)
}

/// Starts the sweeper.
pub(super) fn sweep(
    engine: &Engine,
    read_models: &ReadModels,
    clock: &Arc<dyn Clock>,
    stop: &watch::Receiver<bool>,
) -> JoinHandle<()> {
    let (engine, read_models, told) = (engine.clone(), read_models.clone(), stop.clone());
    let clock = Arc::clone(clock);
    let job = move || {
        let ledger: Arc<dyn Ledger> = Arc::new(engine.clone());
        let sweeper = Sweeper {
            ledger,
            read_models: read_models.clone(),
            clock: Arc::clone(&clock),
            ids: Arc::new(System),
        };
        sweeper.run(told.clone())
    };
    tokio::spawn(again_after_panics("the sweeper", PAUSE, stop.clone(), job))
}

/// Starts to end deposits whose time has come, and to ask banks about them.
pub(super) fn keep_deposits(
    keeper: &DepositKeeper,
    stop: &watch::Receiver<bool>,
) -> JoinHandle<()> {
    let (keeper, told) = (keeper.clone(), stop.clone());
    let job = move || keeper.clone().run(told.clone());
    tokio::spawn(again_after_panics("the deposits", PAUSE, stop.clone(), job))
}

/// Starts to write down what is said to banks.
pub(super) fn keep_exchanges(
    keeper: &ExchangeKeeper,
    stop: &watch::Receiver<bool>,
) -> JoinHandle<()> {
    let (keeper, told) = (keeper.clone(), stop.clone());
    let job = move || keeper.clone().run(told.clone());
    tokio::spawn(again_after_panics("the exchanges", PAUSE, stop.clone(), job))
}

/// Starts to make payments of money from outside.
pub(super) fn keep_outside(keeper: &OutsideKeeper, stop: &watch::Receiver<bool>) -> JoinHandle<()> {
    let (keeper, told) = (keeper.clone(), stop.clone());
    let job = move || keeper.clone().run(told.clone());
    tokio::spawn(again_after_panics("the payments from outside", PAUSE, stop.clone(), job))
}

/// Starts to make the checks that auditors ask for.
pub(super) fn make_checks(runner: &AuditRunner, stop: &watch::Receiver<bool>) -> JoinHandle<()> {
    let (runner, told) = (runner.clone(), stop.clone());
    let job = move || runner.clone().run(told.clone());
    tokio::spawn(again_after_panics("the checks", PAUSE, stop.clone(), job))
}

/// Starts to look after payments.
pub(super) fn keep_payments(
    engine: &Engine,
    (read_models, pool): (&ReadModels, PgPool),
    (clock, look_every): (&Arc<dyn Clock>, Option<Duration>),
    stop: &watch::Receiver<bool>,
) -> Result<JoinHandle<()>, IdError> {
    let (ledger, models) = (Arc::new(engine.clone()), (read_models.clone(), pool));
    let mut keeper = PaymentKeeper::new(ledger, models, Arc::clone(clock), Arc::new(System))?;
    if let Some(look_every) = look_every {
        keeper = keeper.looking_every(look_every);
    }
    let told = stop.clone();
    let job = move || keeper.clone().run(told.clone());
    Ok(tokio::spawn(again_after_panics("the payments", PAUSE, stop.clone(), job)))
}

/// Starts to pay out what goes by itself.
pub(super) fn keep_payouts(
    keeper: &PayoutKeeper,
    pool: &PgPool,
    stop: &watch::Receiver<bool>,
) -> JoinHandle<()> {
    let (keeper, pool, told) = (keeper.clone(), pool.clone(), stop.clone());
    let job = move || {
        let lane = Lane::new(pool.clone(), PayoutKeeper::LANE.to_owned(), System.fresh());
        keeper.clone().run(lane, told.clone())
    };
    tokio::spawn(again_after_panics("the payouts", PAUSE, stop.clone(), job))
}

/// Starts to fetch and book banks' statements.
pub(super) fn fetch_statements(
    banks: &Arc<BankRegistry>,
    (booker, key, treasury_buffer): (&Booker, &CertificateKey, Decimal),
    clock: &Arc<dyn Clock>,
    stop: &watch::Receiver<bool>,
) -> JoinHandle<()> {
    let certificate_key = key.clone();
    let (banks, booker, told) = (Arc::clone(banks), booker.clone(), stop.clone());
    let clock = Arc::clone(clock);
    let job = move || {
        let (banks, booker) = (Arc::clone(&banks), booker.clone());
        let (clock, certificate_key) = (Arc::clone(&clock), certificate_key.clone());
        StatementFetcher { banks, booker, clock, certificate_key, treasury_buffer }
            .run(told.clone())
    };
    tokio::spawn(again_after_panics("the statements", PAUSE, stop.clone(), job))
}

/// Starts to look after people.
pub(super) fn keep_people(keeper: &PeopleKeeper, stop: &watch::Receiver<bool>) -> JoinHandle<()> {
    let (keeper, told) = (keeper.clone(), stop.clone());
    let job = move || keeper.clone().run(told.clone());
    tokio::spawn(again_after_panics("the people", PAUSE, stop.clone(), job))
}

/// Starts to make what happens into webhooks.
pub(super) fn make_hooks_out(
    maker: &Maker,
    nudge: &watch::Receiver<Position>,
    stop: &watch::Receiver<bool>,
) -> JoinHandle<()> {
    let (maker, nudge, told) = (maker.clone(), nudge.clone(), stop.clone());
    let job = move || maker.clone().run(nudge.clone(), told.clone());
    tokio::spawn(again_after_panics("the making of webhooks", PAUSE, stop.clone(), job))
}

/// Starts to send webhooks.
pub(super) fn send_hooks_out(sender: &Sender, stop: &watch::Receiver<bool>) -> JoinHandle<()> {
    let (sender, told) = (sender.clone(), stop.clone());
    let job = move || sender.clone().run(told.clone());
    tokio::spawn(again_after_panics("the sending of webhooks", PAUSE, stop.clone(), job))
}

/// Starts to count what people should know of.
pub(super) fn raise_alarms(alarms: &Alarms, stop: &watch::Receiver<bool>) -> JoinHandle<()> {
    let (alarms, told) = (alarms.clone(), stop.clone());
    let job = move || alarms.clone().run(told.clone());
    tokio::spawn(again_after_panics("the alarms", PAUSE, stop.clone(), job))
}

/// Starts to sign checkpoints of the log.
pub(super) fn make_checkpoints(
    maker: &CheckpointMaker,
    stop: &watch::Receiver<bool>,
) -> JoinHandle<()> {
    let (maker, told) = (maker.clone(), stop.clone());
    let job = move || maker.clone().run(told.clone());
    tokio::spawn(again_after_panics("the checkpoints", PAUSE, stop.clone(), job))
}

/// Starts to store what the intake is handed.
pub(super) fn keep_inbox(keeper: &Keeper, stop: &watch::Receiver<bool>) -> JoinHandle<()> {
    let keeper = keeper.clone();
    let job = move || keeper.clone().run();
    tokio::spawn(again_after_panics("the intake", PAUSE, stop.clone(), job))
}

/// The head of the log as the engine knows it, for whoever wants to be nudged.
pub(super) fn nudge(engine: Option<&Engine>) -> watch::Receiver<Position> {
    let (tell, told) = watch::channel(0);
    if let Some(engine) = engine {
        let mut status = engine.status();
        tokio::spawn(async move {
            while status.changed().await.is_ok() {
                let position = status.borrow_and_update().head.position;
                if tell.send(position).is_err() {
                    return;
                }
            }
        });
    }
    told
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn case_42_a_task_that_panics_is_started_again() {
        let (_tell, stop) = watch::channel(false);
        let runs = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&runs);
        let job = move || {
            let run = counted.fetch_add(1, Ordering::SeqCst);
            async move { assert!(run >= 2, "a defect, twice") }
        };
        again_after_panics("a test", Duration::ZERO, stop, job).await;
        assert_eq!(runs.load(Ordering::SeqCst), 3);
    }
}
