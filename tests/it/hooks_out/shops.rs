//! What happens to a shop's payments arrives at the shop's own server, and at no other's.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{
    happy::in_order,
    receiver::{Got, Receiver},
    scene::make_and_send,
};
use crate::{
    payments_api::{Shop, pay, rupees},
    support::bahi::PATIENCE,
    user_api::person::Scene,
};

/// What has arrived, by type: the newest of each.
fn by_type(receiver: &Receiver) -> BTreeMap<String, Value> {
    let named = |got: &Got| {
        let mut message = got.json();
        (message["type"].as_str().unwrap().to_owned(), message["data"].take())
    };
    receiver.distinct().iter().map(named).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shops_server_hears_of_its_payments_refunds_and_settlements() {
    let scene = Scene::start().await;
    let (asha, ravi) = (scene.person("asha", "500").await, scene.person("ravi", "500").await);
    let shops = [Shop::open(&scene, &ravi, "chai").await, Shop::open(&scene, &ravi, "books").await];
    let receivers = [Receiver::start().await, Receiver::start().await];
    let (tell, told) = watch::channel(false);
    let tasks = make_and_send(&scene.bahi.database, scene.clock.clone(), &told);
    for (shop, receiver) in shops.iter().zip(&receivers) {
        let body = json!({"url": receiver.url, "event_types": []});
        shop.key.post("/v1/webhook-endpoints", &body).await.made();
    }
    let [shop, _] = &shops;
    let paid = pay(&asha, shop, "120").await.made();
    let path = format!("/v1/payments/{}", paid["id"].as_str().unwrap());
    let body = json!({"amount": rupees("20"), "reason": "returned"});
    let back = shop.key.post(&format!("{path}/refunds"), &body).await.made();
    scene.clock.advance(TimeDelta::days(1));
    let wanted = ["payment.completed", "refund.completed", "settlement.paid"];
    let deadline = tokio::time::Instant::now() + PATIENCE * 2;
    let heard = loop {
        let heard = by_type(&receivers[0]);
        if wanted.iter().all(|name| heard.contains_key(*name)) {
            break heard;
        }
        assert!(tokio::time::Instant::now() < deadline, "{heard:#?}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    in_order(&receivers[0].distinct());
    let [payment, refund, settlement] = wanted.map(|name| &heard[name]);
    assert_eq!((&payment["id"], &payment["amount"]), (&paid["id"], &rupees("120.00")));
    assert_eq!((&payment["net"], &payment["settlement"]), (&rupees("117.60"), &Value::Null));
    assert_eq!((&refund["id"], &refund["amount"]["value"]), (&back["id"], &json!("20.00")));
    assert_eq!((&refund["status"], &refund["payment"]), (&json!("completed"), &paid["id"]));
    let shown = format!("/v1/settlements/{}", settlement["id"].as_str().unwrap());
    let shown = shop.key.get(&shown).await.made();
    assert_eq!((&settlement["net"], &shown["net"]), (&rupees("97.60"), &rupees("97.60")));
    assert!(receivers[1].distinct().is_empty(), "another shop's server heard of it");
    tell.send_replace(true);
    for task in tasks {
        tokio::time::timeout(PATIENCE, task).await.expect("it stops").unwrap();
    }
    scene.finish().await;
}
