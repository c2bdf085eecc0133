//! Payouts that go by themselves: once for a day, whoever dies in the middle, and else with a
//! reason.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chrono::{NaiveDate, TimeDelta};
use ledger_api::{
    review::ReviewRules,
    shops::{PayoutDay, PayoutOutcome, PayoutSchedule, PayoutSkip, Shops},
    workers::{PayoutKeeper, PayoutParts, lanes::Lane},
};
use ledger_core::{
    clock::{Clock, Ids as _, System, Timestamp},
    ids::BankAccountId,
};
use projections::ReadModels;
use serde_json::json;
use tokio::{sync::watch, task::JoinHandle};
use uuid::Uuid;

use super::{Shop, id, pay, pay_for, until};
use crate::{support::bahi::PATIENCE, user_api::person::Scene};

async fn keeper(scene: &Scene, clock: Arc<dyn Clock>) -> PayoutKeeper {
    let pool = scene.bahi.database.pool().await;
    PayoutKeeper::new(PayoutParts {
        ledger: Arc::new(scene.bahi.engine.clone()),
        read_models: ReadModels::new(pool.clone()),
        pool,
        secret: &[42; 32],
        banks: Arc::new(scene.registry()),
        review: ReviewRules::default(),
        clock,
        ids: Arc::new(System),
    })
    .unwrap()
    .looking_every(Duration::from_millis(50))
}

/// The lane that keepers work in, for somebody who takes it.
async fn lane(scene: &Scene, holder: Uuid) -> Lane {
    Lane::new(scene.bahi.database.pool().await, PayoutKeeper::LANE.to_owned(), holder)
}

/// One that works as another process does: the lane is anybody's.
async fn working(scene: &Scene, stopping: &watch::Receiver<bool>) -> JoinHandle<()> {
    let lane = lane(scene, System.fresh()).await;
    tokio::spawn(keeper(scene, scene.clock.clone()).await.run(lane, stopping.clone()))
}

/// A clock that counts how often it is asked: each look asks it first.
struct Asked<C> {
    clock: Arc<C>,
    times: AtomicUsize,
}

impl<C: Clock> Clock for Asked<C> {
    fn now(&self) -> Timestamp {
        self.times.fetch_add(1, Ordering::SeqCst);
        self.clock.now()
    }
}

async fn shops(scene: &Scene) -> Shops {
    Shops::new(scene.bahi.database.pool().await, &[42; 32])
}

/// Waits until the day was looked at.
async fn noted(scene: &Scene, shop: &Shop, day: NaiveDate) -> PayoutDay {
    let shops = shops(scene).await;
    let seen = async {
        loop {
            let days = shops.payout_days(shop.id, 10).await.unwrap();
            if let Some(found) = days.into_iter().find(|one| one.day == day) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, seen).await.expect("the day is looked at")
}

fn skipped(day: NaiveDate, why: PayoutSkip) -> PayoutDay {
    PayoutDay { day, outcome: PayoutOutcome::Skipped(why) }
}

async fn daily(scene: &Scene, shop: &Shop, to: BankAccountId, today: NaiveDate) {
    let daily = (PayoutSchedule::every(1).unwrap(), Some(to));
    shops(scene).await.set_payouts(shop.id, daily, today).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_paid_out_once_however_often_it_is_cut_off() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "5000").await;
    let shop = Shop::open(&scene, &asha, "chai").await;
    for amount in ["1000", "500.50", "0.01"] {
        pay(&asha, &shop, amount).await.made();
    }
    let to = scene.admin.bank_account(&shop.id.to_string()).await;
    // A Sunday; Monday is a business day, Tuesday a holiday.
    let sunday: NaiveDate = "2026-11-22".parse().unwrap();
    let monday = sunday.succ_opt().unwrap();
    daily(&scene, &shop, to.parse().unwrap(), sunday).await;
    scene.projected().await;
    scene.clock.advance(TimeDelta::days(1));
    let (_tell, stopping) = watch::channel(false);
    // The same holder each time, so that none waits until the lane of the dead one ends.
    let holder = System.fresh();
    for cut_us in [500, 2_000, 5_000, 10_000, 20_000, 40_000, 80_000, 160_000] {
        let lane = lane(&scene, holder).await;
        let cut_off = keeper(&scene, scene.clock.clone()).await.run(lane, stopping.clone());
        drop(tokio::time::timeout(Duration::from_micros(cut_us), cut_off).await);
    }
    lane(&scene, holder).await.leave().await.unwrap();
    let running = [working(&scene, &stopping).await, working(&scene, &stopping).await];
    let first = noted(&scene, &shop, monday).await;
    let PayoutOutcome::Requested(withdrawal) = first.outcome else { panic!("{first:?}") };
    scene.projected().await;
    let list = format!("/v1/withdrawals?account={}", shop.account("available"));
    let list = scene.admin.get(&list).await.made();
    let all = list["data"].as_array().unwrap();
    assert_eq!(all.len(), 1, "{list}");
    assert_eq!(id(&all[0]), withdrawal.to_string());
    // 980 + 490.49 + 0.01 are settled; the bank's fee is ten.
    assert_eq!(all[0]["amount"]["value"], "1460.50", "{list}");
    assert_eq!(shop.has(&scene, "available").await, "0.00");

    reasons(&scene, &shop, (&asha, &to), monday).await;
    for one in running {
        one.abort();
    }
    scene.finish().await;
}

/// Days that come to nothing say why, and the shop's own page says it too.
async fn reasons(
    scene: &Scene,
    shop: &Shop,
    (asha, to): (&crate::user_api::person::Person, &str),
    monday: NaiveDate,
) {
    // What goes by itself is a hundred at least.
    let (tuesday, unsettled) = (monday.succ_opt().unwrap(), shop.account("unsettled"));
    pay_for(scene, asha, shop, "100").await.made();
    scene.projected().await;
    scene.clock.advance(TimeDelta::days(1));
    let none = noted(scene, shop, tuesday).await;
    assert_eq!(none, skipped(tuesday, PayoutSkip::BelowMinimum), "a holiday: nothing settles");

    // Frozen money goes nowhere.
    pay_for(scene, asha, shop, "100").await.made();
    let freeze = json!({"reference": "order-7", "mode": "debit"});
    let freeze_path = format!("/v1/accounts/{}/freezes", shop.account("available"));
    let frozen = scene.admin.post(&freeze_path, &freeze).await;
    assert!(frozen.status.is_success(), "{}", frozen.text);
    scene.projected().await;
    scene.clock.advance(TimeDelta::days(1));
    let balance = format!("/v1/accounts/{unsettled}/balance");
    let wednesday = tuesday.succ_opt().unwrap();
    let refused = noted(scene, shop, wednesday).await;
    let frozen = PayoutSkip::Refused("account_frozen".to_owned());
    assert_eq!(refused, skipped(wednesday, frozen));
    let thawed = scene.admin.delete(&format!("{freeze_path}/order-7")).await;
    assert!(thawed.status.is_success(), "{}", thawed.text);

    // An account that was erased is no account.
    let erased = scene.admin.delete(&format!("/v1/bank-accounts/{to}")).await;
    assert!(erased.status.is_success(), "{}", erased.text);
    scene.clock.advance(TimeDelta::days(1));
    until(&scene.admin, &balance, |balance| balance["posted"]["value"] == "0.00").await;
    let thursday = wednesday.succ_opt().unwrap();
    let gone = noted(scene, shop, thursday).await;
    assert_eq!(gone, skipped(thursday, PayoutSkip::NoAccount));
    let known = shops(scene).await.by_id(shop.id).await.unwrap().unwrap();
    assert_eq!(known.payout_next, thursday.succ_opt());
    assert_eq!(shop.has(scene, "available").await, "196.00", "it is still there");
}

/// Of two, one would note that a day came to nothing while the other pays it out.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_looks_at_a_day_while_the_lane_is_another_s() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "10").await;
    let shop = Shop::open(&scene, &asha, "chai").await;
    let to = scene.admin.bank_account(&shop.id.to_string()).await;
    let sunday: NaiveDate = "2026-11-22".parse().unwrap();
    daily(&scene, &shop, to.parse().unwrap(), sunday).await;
    let mut other = lane(&scene, System.fresh()).await;
    assert!(other.hold().await.unwrap());

    let clock = Arc::new(Asked { clock: scene.clock.clone(), times: AtomicUsize::new(0) });
    let (tell, stopping) = watch::channel(false);
    let own = lane(&scene, System.fresh()).await;
    let keeping = keeper(&scene, clock.clone()).await;
    let running = tokio::spawn(keeping.run(own, stopping));
    scene.clock.advance(TimeDelta::days(1));
    let before = clock.times.load(Ordering::SeqCst);
    // More than one look asks for, so that a whole one was over by then.
    while clock.times.load(Ordering::SeqCst) < before + 8 {
        assert!(other.hold().await.unwrap());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let days = shops(&scene).await.payout_days(shop.id, 10).await.unwrap();
    assert!(days.is_empty(), "{days:?}");
    other.leave().await.unwrap();
    let monday = sunday.succ_opt().unwrap();
    assert_eq!(noted(&scene, &shop, monday).await, skipped(monday, PayoutSkip::BelowMinimum));

    // It leaves the lane when it ends: the next one need not wait.
    tell.send_replace(true);
    tokio::time::timeout(PATIENCE, running).await.expect("it stops").unwrap();
    assert!(other.hold().await.unwrap());
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_owner_of_a_shop_does_not_close_their_account() {
    let scene = Scene::start().await;
    let kamala = scene.person("kamala", "0.01").await;
    Shop::open(&scene, &kamala, "chai").await;
    let refused = kamala.post("/v1/me/close", &json!({})).await;
    assert_eq!(refused.code(), "account_in_use", "{}", refused.text);
    assert!(refused.text.contains("only owner of a shop"), "{}", refused.text);
    scene.finish().await;
}
