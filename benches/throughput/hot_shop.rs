//! A shop that 10,000 wallets pay at once, beside uniform transfers of the same run; and how long
//! its pages take meanwhile, asked over HTTP as its owner of a service in a process of its own,
//! which folds the read models too: its home, the counter and the payments.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use hdrhistogram::Histogram;
use ledger_api::{
    http::Ledger,
    people::{NewPerson, People, PersonId, Wallets},
    sessions::{Audience, Sessions},
    shops::{MerchantId, NewMerchant, ShopAccounts, Shops},
};
use ledger_core::{
    clock::{Clock as _, Ids as _, System},
    ids::MerchantCode,
};
use projections::ReadModels;
use reqwest::{Client, header::COOKIE};
use sqlx::PgPool;

use crate::{
    ACCOUNTS, Plan, Spread,
    callers::{Driven, Load},
    pages,
    report::{Table, Yardstick},
    service::Service,
    stand::Stand,
};

/// How many payments are under way at once.
const CALLERS: u64 = 1_024;
/// What the owner looks at, again and again.
const PAGES: [&str; 3] = ["/merchant", "/merchant/counter", "/merchant/payments"];
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
    table.note(format!("A hot shop: {percent} % of uniform transfers"));
    for (path, looks) in looks {
        table.note(format!(
            "A hot shop's {path}, asked {} times over HTTP meanwhile: p50 {} ms, p99 {} ms, at \
             most {} ms",
            looks.len(),
            looks.value_at_quantile(0.5) / 1_000,
            looks.value_at_quantile(0.99) / 1_000,
            looks.max() / 1_000,
        ));
    }
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

/// How long each page took, in microseconds.
type Looks = BTreeMap<&'static str, Histogram<u64>>;

/// Payments, and how long the pages took meanwhile.
async fn payments(stand: &Stand, time: Duration) -> anyhow::Result<(Driven, Looks)> {
    let (url, database) = stand.ledger_url().await?;
    let load = Load::start(database.clone(), ACCOUNTS, true).await?;
    load.open().await?;
    let pool = ledger_api::db::read_pool(database, 4);
    let (shop, cookie) = open_shop(&load, pool.clone()).await?;
    let service = Service::start(&url).await?;
    // A page of a shop that the read models do not have yet waits for them.
    let opened = load.engine.status().borrow().head.position;
    pages::until_folded(&ReadModels::new(pool.clone()), opened).await?;
    let over = Arc::new(AtomicBool::new(false));
    let looking = tokio::spawn(look((service.address.clone(), cookie), Arc::clone(&over)));
    let driven = load.drive_payments(&shop, (CALLERS, ACCOUNTS), time).await?;
    over.store(true, Ordering::Relaxed);
    let looks = looking.await??;
    load.engine.shutdown().await;
    let head = load.engine.status().borrow().head.position;
    pages::until_folded(&ReadModels::new(pool), head).await?;
    Ok((driven, looks))
}

/// A shop with its owner, who is signed in: its code in the ledger, and the owner's cookie.
async fn open_shop(load: &Load, pool: PgPool) -> anyhow::Result<(MerchantCode, String)> {
    let people = People::new(pool.clone(), &pages::SECRET);
    let ledger: Arc<dyn Ledger> = Arc::new(load.engine.clone());
    let wallets = Wallets::new(people.clone(), ledger, Arc::new(System), Arc::new(System));
    let owner = PersonId::from_uuid(System.fresh());
    let person = NewPerson {
        id: owner,
        handle: "owner".parse()?,
        name: "Owner of the Shop".parse()?,
        email: "owner@example.com".parse()?,
        phone: None,
        password: None,
        email_is_proved: true,
        at: System.now(),
    };
    people.create(&person).await?;
    let id = MerchantId::from_uuid(System.fresh());
    let shops = Shops::new(pool.clone(), &pages::SECRET);
    let new = NewMerchant {
        id,
        handle: "hot".parse()?,
        legal_name: "Hot Shop LLP".parse()?,
        display_name: "Hot Shop".parse()?,
        category: "5814".parse()?,
        owner,
        terms_version: 1,
        at: System.now(),
    };
    shops.create(&new).await?;
    let shop = shops.by_id(id).await?.context("the shop")?;
    ShopAccounts::new(shops, wallets).settle(&shop).await?;
    let sessions = Sessions::new(pool, Arc::new(System));
    let (token, _) = sessions.begin(owner, Audience::Shop, "bench").await?;
    Ok((id.segment().parse()?, format!("__Host-bahi_merchant={}", token.reveal())))
}

async fn look((address, cookie): (String, String), over: Arc<AtomicBool>) -> anyhow::Result<Looks> {
    let mut looks = Looks::new();
    for page in PAGES {
        looks.insert(page, Histogram::new(3)?);
    }
    let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    let mut pages = PAGES.iter().cycle();
    while !over.load(Ordering::Relaxed) {
        let path = pages.next().context("a page")?;
        let request = client.get(format!("http://{address}{path}")).header(COOKIE, &cookie);
        let asked = Instant::now();
        let answer = request.header("accept", "text/html").send().await?;
        let status = answer.status();
        let text = answer.bytes().await?;
        let took = u64::try_from(asked.elapsed().as_micros())?;
        looks.get_mut(path).context("a page of these")?.record(took)?;
        anyhow::ensure!(status.is_success() && !text.is_empty(), "{status} of {path}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(looks)
}
