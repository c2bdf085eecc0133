//! Money out and webhooks in: what is asked of us, and how much of what a bank takes is ours.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::BoxFuture;
use ledger_api::{
    http::Ledger,
    workers::{
        clerk::Clerk,
        lanes::Lane,
        withdrawals::{Queue, Sender, Statements, Teller, UNDER_WAY_MAX, notes::Notes},
    },
};
use ledger_core::{
    chart::Authority,
    clock::{Ids, System},
    ids::{BankCode, Reference},
};
use projections::ReadModels;
use sqlx::PgPool;
use tokio::sync::watch;

use crate::{
    Plan, Spread, books,
    callers::Load,
    instant_bank::{InstantBank, OnePayee},
    load::{self, Ask, Loop},
    naive::per_second,
    report::{Table, Yardstick, percentiles},
    service::Service,
    stand::Stand,
};

/// Withdrawals that wait when the draining begins.
const QUEUED: u64 = 10_000;
/// What the bank takes for each, in the row where it takes something.
const BANK_TAKES: Duration = Duration::from_millis(50);

/// Takes the rows.
pub(crate) async fn rows(stand: &Stand, plan: &Plan, table: &mut Table) -> anyhow::Result<()> {
    let naive = Yardstick::Naive(Spread::Uniform);
    if plan.has("withdrawals over http") {
        let (service, database) = Service::whole(stand).await?;
        let to = service.payee()?;
        let ask = Ask::Withdrawal(to);
        let asked = load::measure(&service, ask, Loop::Closed, 64, plan.time).await?;
        let latencies = Some(percentiles(&asked.latencies));
        table.row(
            "withdrawals requested over HTTP, 64 connections",
            asked.rate,
            &[naive],
            latencies,
        );
        drop(service);
        books::verified(database).await?;
    }
    if plan.has("webhooks over http") {
        let (service, _) = Service::whole(stand).await?;
        let most = load::measure(&service, Ask::Webhook, Loop::Closed, 64, plan.time).await?;
        let latencies = Some(percentiles(&most.latencies));
        table.row("webhooks taken in, 64 connections", most.rate, &[naive], latencies);
        let half = most.rate / 2;
        let pace = Loop::Open(half);
        let load = load::measure(&service, Ask::Webhook, pace, 64, plan.time).await?;
        let what = format!("webhooks taken in, open loop at {half} a second");
        table.row(&what, load.rate, &[naive], Some(percentiles(&load.latencies)));
    }
    if plan.has("withdrawals drained") {
        for takes in [Duration::ZERO, BANK_TAKES] {
            let (rate, bound) = drain(stand, takes).await?;
            let what = match bound {
                None => "queued withdrawals sent, a bank that answers at once".to_owned(),
                Some(bound) => format!(
                    "queued withdrawals sent, a bank that takes {} ms ({} of the {bound} a second \
                     that {UNDER_WAY_MAX} at a time allow)",
                    takes.as_millis(),
                    crate::report::ratio(rate, bound),
                ),
            };
            table.row(&what, rate, &[naive], None);
        }
    }
    Ok(())
}

/// Sends all that waits; how many a second, and what the bank allows at most.
async fn drain(stand: &Stand, takes: Duration) -> anyhow::Result<(u64, Option<u64>)> {
    let (_, database) = stand.ledger_url().await?;
    let load = Load::start(database.clone(), 1_000, true).await?;
    load.open().await?;
    load.fund_escrow().await?;
    for _ in 0..QUEUED / 1_000 {
        load.withdraw_from_all().await?;
    }
    let projecting = crate::stand::project(database.clone(), &load.engine).await?;
    let pool = PgPool::connect_with(database.clone()).await?;
    let models = ReadModels::new(pool.clone());
    models.wait_for(load.engine.status().borrow().head.position, Duration::from_secs(60)).await?;

    let (stop, stopping) = watch::channel(false);
    let ledger: Arc<dyn Ledger> = Arc::new(load.engine.clone());
    let queue = queue(ledger, &models, &pool, takes)?;
    let started = Instant::now();
    let running = tokio::spawn(queue.run(stopping));
    while waiting(&pool).await? > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let elapsed = started.elapsed();
    stop.send_replace(true);
    running.await?;
    load.engine.shutdown().await;
    projecting.stop(load.engine.status().borrow().head.position).await?;
    pool.close().await;
    books::verified(database).await?;
    let bound = u64::try_from(takes.as_millis()).ok().filter(|takes| *takes > 0);
    let under_way = u64::try_from(UNDER_WAY_MAX)?;
    Ok((per_second(QUEUED, elapsed), bound.map(|takes| under_way * 1_000 / takes)))
}

async fn waiting(pool: &PgPool) -> anyhow::Result<i64> {
    let sql = "select count(*) from read.withdrawals where status <> 'completed'";
    Ok(sqlx::query_scalar(sql).fetch_one(pool).await?)
}

fn queue(
    ledger: Arc<dyn Ledger>,
    models: &ReadModels,
    pool: &PgPool,
    takes: Duration,
) -> anyhow::Result<Queue> {
    let clerk = Clerk {
        ledger,
        clock: Arc::new(System),
        ids: Arc::new(System),
        principal: "ledger:queue".parse()?,
        authority: Authority::of_withdrawals(),
    };
    let sender = Sender {
        bank: Arc::new(InstantBank::new(takes)?),
        payees: Arc::new(OnePayee),
        teller: Teller { clerk },
        notes: Notes::new(pool.clone()),
    };
    let lane = |name| Lane::new(pool.clone(), name, System.fresh());
    Ok(Queue::new(sender, Arc::new(NoStatements), models.clone(), lane))
}

struct NoStatements;

impl Statements for NoStatements {
    fn absence<'a>(
        &'a self,
        _bank: &'a BankCode,
        _reference: &'a Reference,
        _sent_on: chrono::NaiveDate,
    ) -> BoxFuture<'a, sqlx::Result<ledger_api::statements::Absence>> {
        Box::pin(async { Ok(ledger_api::statements::Absence::NotYet) })
    }
}
