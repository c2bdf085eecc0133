//! Settlement and payout: on its day, once, whoever dies in the middle; and all of it adds up.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use ledger_api::workers::PaymentKeeper;
use ledger_core::clock::System;
use projections::{ReadModel, ReadModels, rebuild};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{Shop, id, pay, pay_for, rupees, until};
use crate::user_api::person::Scene;

fn value(amount: &Value) -> Decimal {
    amount["value"].as_str().unwrap().parse().unwrap()
}

/// Everything that a list has, page by page.
async fn all(shop: &Shop, path: &str) -> Vec<Value> {
    let (mut items, mut next) = (Vec::new(), format!("{path}limit=100"));
    loop {
        let page = shop.key.get(&next).await.made();
        items.extend(page["data"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(cursor) => next = format!("{path}limit=100&cursor={cursor}"),
            None => return items,
        }
    }
}

/// What the payments of a settlement come to is what the settlement says.
async fn check_settlements(shop: &Shop) -> Decimal {
    let mut moved = Decimal::ZERO;
    for settlement in all(shop, "/v1/settlements?").await {
        let payments = all(shop, &format!("/v1/payments?settlement={}&", id(&settlement))).await;
        assert_eq!(json!(payments.len()), settlement["payments"]);
        let sum = |field: &str| payments.iter().map(|p| value(&p[field])).sum::<Decimal>();
        for (of_payment, field) in
            [("amount", "gross"), ("fee", "fee"), ("tax", "tax"), ("settled", "net")]
        {
            assert_eq!(sum(of_payment), value(&settlement[field]), "{field}: {settlement}");
        }
        let parts = ["fee", "tax", "refunds", "net"].map(|field| value(&settlement[field]));
        assert_eq!(parts.iter().sum::<Decimal>(), value(&settlement["gross"]));
        moved += value(&settlement["net"]);
    }
    moved
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_settled_paid_out_and_opens_into_its_payments() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "5000").await;
    let shop = Shop::open(&scene, &asha, "chai").await;
    for amount in ["100", "200.50", "0.01"] {
        pay(&asha, &shop, amount).await.made();
    }
    let paid = pay(&asha, &shop, "50").await.made();
    scene.projected().await;
    let refunds = format!("/v1/payments/{}/refunds", id(&paid));
    shop.key.post(&refunds, &json!({"amount": rupees("20")})).await.made();
    assert_eq!(shop.key.get("/v1/settlements").await.made()["data"], json!([]), "a Sunday");

    // Monday is a business day.
    scene.clock.advance(TimeDelta::days(1));
    until(&shop.key, "/v1/settlements", |page| page["data"] != json!([])).await;
    let moved = check_settlements(&shop).await;
    assert_eq!(moved, "323.50".parse().unwrap(), "98 + 196.49 + 0.01 + 29");
    assert_eq!(shop.has(&scene, "available").await, "323.50");
    assert_eq!(shop.has(&scene, "unsettled").await, "0.00");

    // A refund out of what can be spent, then all the rest to the bank.
    shop.key.post(&refunds, &json!({"amount": rupees("3.5")})).await.made();
    let bank_account = scene.admin.bank_account(&shop.id.to_string()).await;
    let payout = json!({"account": shop.account("available"), "amount": rupees("300"),
        "bank_account": bank_account, "bank": "hdfc", "rail": "imps"});
    let payout = scene.admin.post("/v1/withdrawals", &payout).await.made();
    scene.projected().await;
    let path = format!("/v1/withdrawals/{}/composition", id(&payout));
    let parts = shop.key.get(&path).await.made();
    assert_eq!((value(&parts["opening"]), &parts["whole"]), (Decimal::ZERO, &json!(true)));
    let movements = parts["movements"].as_array().unwrap();
    let kinds: Vec<_> = movements.iter().map(|movement| &movement["kind"]).collect();
    assert_eq!(kinds, ["settlement", "refund", "withdrawal"]);
    let sum: Decimal = movements.iter().map(|movement| value(&movement["amount"])).sum();
    assert_eq!(value(&parts["opening"]) + sum, value(&parts["closing"]));
    assert_eq!(shop.has(&scene, "available").await, parts["closing"]["value"]);
    let books = Shop::open(&scene, &asha, "books").await;
    assert_eq!(books.key.get(&path).await.status.as_u16(), 404, "another shop's");

    short_of_money(&scene, &shop, &asha, &paid).await;
    sums_are_those_of_the_payments(&scene).await;
    rebuilt_is_equal(&scene).await;
    scene.finish().await;
}

/// A refund that the shop is short of waits, and goes out when sales cover it.
async fn short_of_money(
    scene: &Scene,
    shop: &Shop,
    asha: &crate::user_api::person::Person,
    paid: &Value,
) {
    let refunds = format!("/v1/payments/{}/refunds", id(paid));
    let waits = shop.key.post(&refunds, &json!({"amount": rupees("26.5")})).await.made();
    assert_eq!((&waits["status"], &waits["funds"]), (&json!("pending"), &json!("not_moved")));
    scene.projected().await;
    let more = shop.key.post(&refunds, &json!({"amount": rupees("0.01")})).await;
    assert_eq!(more.refused(), "refund_exceeds_payment", "what waits counts");
    pay_for(scene, asha, shop, "100").await.made();
    // Tuesday is a holiday.
    scene.clock.advance(TimeDelta::days(2));
    let path = format!("/v1/refunds/{}", id(&waits));
    until(&shop.key, &path, |refund| refund["status"] == "completed").await;
    check_settlements(shop).await;
}

/// The read models come out of the log as they are.
async fn rebuilt_is_equal(scene: &Scene) {
    let pool = scene.bahi.database.pool().await;
    scene.projected().await;
    let rows = async |table: &str| -> Vec<String> {
        let sql = format!("select t::text from read.{table} t order by 1");
        sqlx::query_scalar(&sql).fetch_all(&pool).await.unwrap()
    };
    let of_sales = |table: &str| ["sales", "settling_days"].contains(&table);
    for table in [
        "payments",
        "refunds",
        "payment_requests",
        "sales",
        "settling_days",
        "settlements",
        "activity",
    ] {
        let model: ReadModel = if of_sales(table) { "sales" } else { table }.parse().unwrap();
        let before = rows(table).await;
        assert!(!before.is_empty() || table == "payment_requests", "{table} is empty");
        rebuild(&pool, Some(model), |_, _| ()).await.unwrap();
        assert_eq!(rows(table).await, before, "{table}");
    }
}

/// What is added up as it happens is what the payments come to: by the statements that filled the
/// tables when they were made.
async fn sums_are_those_of_the_payments(scene: &Scene) {
    let pool = scene.bahi.database.pool().await;
    scene.projected().await;
    let migration = include_str!("../../../migrations/40_sales.sql");
    for table in ["sales", "settling_days"] {
        let (_, after) = migration.split_once(&format!("insert into read.{table} ")).unwrap();
        let (columns, select) = after.split_once(")\n").unwrap();
        let (select, _) = select.split_once(";\n").unwrap();
        let columns = columns.trim_start_matches('(');
        let sql = format!(
            "with made as ({select}), kept as (select {columns} from read.{table})
             select (select count(*) from kept),
                    (select count(*) from ((table made except table kept) union all
                                           (table kept except table made)) d)"
        );
        let (rows, differ): (i64, i64) = sqlx::query_as(&sql).fetch_one(&pool).await.unwrap();
        assert!(rows > 0, "{table} is empty");
        assert_eq!(differ, 0, "{table}");
    }
}

/// Two services and more keepers, each of which dies at a moment of its own: every payment is
/// settled once, and what can be spent is what was paid without the fees.
#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_that_is_cut_off_anywhere_is_made_once() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "5000").await;
    let shop = Shop::open(&scene, &asha, "chai").await;
    for chunk in 0..13 {
        let some = (0..20).map(|_| pay(&asha, &shop, "1.50"));
        for paid in futures::future::join_all(some).await {
            assert_eq!(paid.status.as_u16(), 201, "{chunk}: {}", paid.text);
        }
    }
    scene.projected().await;
    let pool = scene.bahi.database.pool().await;
    let keeper = || {
        let (engine, clock) = (Arc::new(scene.bahi.engine.clone()), scene.clock.clone());
        let models = (ReadModels::new(pool.clone()), pool.clone());
        PaymentKeeper::new(engine, models, clock, Arc::new(System)).unwrap()
    };
    let (_tell, stopping) = watch::channel(false);
    scene.clock.advance(TimeDelta::days(1));
    for cut_us in [200, 1_000, 3_000, 8_000, 20_000, 50_000] {
        let cut_off = keeper().run(stopping.clone());
        drop(tokio::time::timeout(Duration::from_micros(cut_us), cut_off).await);
    }
    let others =
        [tokio::spawn(keeper().run(stopping.clone())), tokio::spawn(keeper().run(stopping))];
    let unsettled = shop.account("unsettled");
    let path = format!("/v1/accounts/{unsettled}/balance");
    until(&scene.admin, &path, |balance| balance["posted"]["value"] == "0.00").await;
    for other in others {
        other.abort();
    }
    scene.projected().await;
    assert_eq!(check_settlements(&shop).await, "382.20".parse().unwrap(), "260 of 1.47 each");
    assert_eq!(shop.has(&scene, "available").await, "382.20");
    let settlements = all(&shop, "/v1/settlements?").await;
    assert!(settlements.len() >= 3, "a hundred at most: {settlements:?}");
    scene.finish().await;
}
