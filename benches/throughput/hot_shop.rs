//! A shop that 10,000 wallets pay at once, beside uniform transfers of the same run; and how long
//! its pages wait meanwhile for what they ask of the read models: the sums of the day, the latest
//! twenty payments, and what is not settled.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use hdrhistogram::Histogram;
use ledger_core::{
    clock::{Clock as _, System},
    ids::{AccountId, MerchantCode},
};
use projections::{PaymentFilter, ReadModels};

use crate::{
    ACCOUNTS, Plan, Spread,
    callers::{Driven, Load},
    report::{Table, Yardstick},
    stand::Stand,
};

/// How many payments are under way at once.
const CALLERS: u64 = 1_024;
/// How many payments the counter shows.
const LATEST: u32 = 20;
/// How long pages pause between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Takes the two rows and says what share of the one the other is.
pub(crate) async fn rows(stand: &Stand, plan: &Plan, table: &mut Table) -> anyhow::Result<()> {
    if !plan.has("hot shop") {
        return Ok(());
    }
    let uniform = transfers(stand, plan.time).await?;
    let (paid, looks) = payments(stand, plan.time).await?;
    let against = [Yardstick::Naive(Spread::Uniform), Yardstick::Ceiling];
    let name = format!("engine, uniform transfers beside the hot shop, {CALLERS} callers");
    table.row(&name, uniform.rate, &against, Some(uniform.latencies));
    let name = format!("engine, {ACCOUNTS} wallets pay one shop, {CALLERS} callers");
    table.row(&name, paid.rate, &against, Some(paid.latencies));
    let percent = paid.rate * 100 / uniform.rate.max(1);
    table.note(format!(
        "A hot shop: {percent} % of uniform transfers; its home and counter were asked {} times \
         meanwhile, p99 {} ms",
        looks.len(),
        looks.value_at_quantile(0.99) / 1_000,
    ));
    Ok(())
}

async fn transfers(stand: &Stand, time: Duration) -> anyhow::Result<Driven> {
    let database = stand.ledger().await?;
    let load = Load::start(database.clone(), ACCOUNTS, true).await?;
    load.open().await?;
    let projecting = crate::stand::project(database, &load.engine).await?;
    let driven = load.drive(Spread::Uniform, CALLERS, time).await?;
    load.engine.shutdown().await;
    let head = load.engine.status().borrow().head.position;
    projecting.stop(head).await?;
    Ok(driven)
}

/// Payments, and in microseconds how long the pages waited for each look.
async fn payments(stand: &Stand, time: Duration) -> anyhow::Result<(Driven, Histogram<u64>)> {
    let database = stand.ledger().await?;
    let shop: MerchantCode = "hot".parse()?;
    let load = Load::start(database.clone(), ACCOUNTS, true).await?;
    load.open().await?;
    load.open_shop(&shop).await?;
    let models = ReadModels::new(ledger_api::db::read_pool(database.clone(), 4));
    let projecting = crate::stand::project(database, &load.engine).await?;
    let over = Arc::new(AtomicBool::new(false));
    let looking = tokio::spawn(look(models, shop.clone(), Arc::clone(&over)));
    let driven = load.drive_payments(&shop, (CALLERS, ACCOUNTS), time).await?;
    over.store(true, Ordering::Relaxed);
    let looks = looking.await??;
    load.engine.shutdown().await;
    let head = load.engine.status().borrow().head.position;
    projecting.stop(head).await?;
    Ok((driven, looks))
}

async fn look(
    models: ReadModels,
    shop: MerchantCode,
    over: Arc<AtomicBool>,
) -> anyhow::Result<Histogram<u64>> {
    let mut looks = Histogram::<u64>::new(3)?;
    let unsettled: AccountId = format!("merchant:{shop}:unsettled:INR").parse()?;
    let filter = PaymentFilter { merchant: Some(shop.clone()), ..PaymentFilter::default() };
    while !over.load(Ordering::Relaxed) {
        let (asked, now) = (Instant::now(), System.now());
        models.payment_sums(&shop, now - TimeDelta::days(1), now).await?;
        models.payments(&filter, LATEST).await?;
        models.balance(&unsettled).await?;
        looks.record(u64::try_from(asked.elapsed().as_micros())?)?;
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(looks)
}
