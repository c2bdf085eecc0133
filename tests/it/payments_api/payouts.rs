//! Payouts that go by themselves: once for a day, whoever dies in the middle, and else with a
//! reason.

use std::{sync::Arc, time::Duration};

use chrono::{NaiveDate, TimeDelta};
use ledger_api::{
    review::ReviewRules,
    shops::{PayoutDay, PayoutOutcome, PayoutSchedule, PayoutSkip, Shops},
    workers::{PayoutKeeper, PayoutParts},
};
use ledger_core::{clock::System, ids::BankAccountId};
use projections::ReadModels;
use serde_json::json;
use tokio::sync::watch;

use super::{Shop, id, pay, pay_for, until};
use crate::{support::bahi::PATIENCE, user_api::person::Scene};

async fn keeper(scene: &Scene) -> PayoutKeeper {
    let pool = scene.bahi.database.pool().await;
    PayoutKeeper::new(PayoutParts {
        ledger: Arc::new(scene.bahi.engine.clone()),
        read_models: ReadModels::new(pool.clone()),
        pool,
        secret: &[42; 32],
        banks: Arc::new(scene.registry()),
        review: ReviewRules::default(),
        clock: scene.clock.clone(),
        ids: Arc::new(System),
    })
    .unwrap()
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
    for cut_us in [500, 2_000, 5_000, 10_000, 20_000, 40_000, 80_000, 160_000] {
        let cut_off = keeper(&scene).await.run(stopping.clone());
        drop(tokio::time::timeout(Duration::from_micros(cut_us), cut_off).await);
    }
    let mut running = Vec::new();
    for _ in 0..2 {
        running.push(tokio::spawn(keeper(&scene).await.run(stopping.clone())));
    }
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

    // From here on one: of two, one may ask for what the other has just noted to be refused, when
    // the reason goes away between the two.
    if let Some(other) = running.pop() {
        other.abort();
    }
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
