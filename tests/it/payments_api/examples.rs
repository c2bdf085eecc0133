//! The examples of payments: asked, and held against what the OpenAPI document says.
//!
//! With `BAHI_UPDATE_SNAPSHOTS` set, the answers are written down as the examples instead.

use std::{collections::BTreeMap, fs, path::Path};

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Shop, id, pay_for, rupees, until};
use crate::user_api::{
    examples::normal,
    person::{Person, Scene},
};

const FILE: &str = "ledger-api/src/routes/payments/examples.json";

type Answers = BTreeMap<String, Value>;

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_payments_are_what_happens() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "1000.00").await;
    let shop = Shop::open(&scene, &asha, "chai").await;
    let mut answers = Answers::new();
    let paid = begin(&shop, &asha, &mut answers).await;
    disputes(&scene, (&shop, &asha), &mut answers).await;
    scene.projected().await;
    let waits = reads(&scene, (&shop, &asha), &paid, &mut answers).await;
    let path = format!("/v1/refunds/{waits}/cancel");
    let cancelled = shop.key.post(&path, &json!({})).await.made();
    answers.insert("post_v1_refunds_id_cancel 200".to_owned(), normal("", &cancelled));
    scene.finish().await;

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let made = format!("{}\n", serde_json::to_string_pretty(&answers).unwrap());
    if std::env::var_os("BAHI_UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap();
    assert_eq!(
        committed, made,
        "the answers are others; if that is meant, run the test with BAHI_UPDATE_SNAPSHOTS=1, \
         then the one of docs/openapi.json, and commit both"
    );
}

/// Asks, takes back, is paid, gives back.
async fn begin(shop: &Shop, asha: &Person, answers: &mut Answers) -> String {
    let body = json!({"amount": rupees("120.00"), "order_id": "ORDER-17",
        "description": "2 teas"});
    let asked = shop.key.post("/v1/payment-requests", &body).await.made();
    let body = json!({"request": id(&asked)});
    let paid = asha.post("/v1/payments", &body).await.made();
    let body = json!({"amount": rupees("20.00"), "reason": "returned"});
    let path = format!("/v1/payments/{}/refunds", id(&paid));
    let back = shop.key.post(&path, &body).await.made();
    let path = format!("/v1/payment-requests/{}/close", id(&shop.ask("1.00").await));
    let closed = shop.key.post(&path, &json!({})).await.made();
    for (name, answer) in [
        ("post_v1_payment_requests 201", &asked),
        ("post_v1_payments 201", &paid),
        ("post_v1_payments_id_refunds 201", &back),
        ("post_v1_payment_requests_id_close 200", &closed),
    ] {
        answers.insert(name.to_owned(), normal("", answer));
    }
    let path = format!("/v1/payment-requests/{}", id(&asked));
    let request = shop.key.get(&path).await.made();
    answers.insert("get_v1_payment_requests_id 200".to_owned(), normal("", &request));
    id(&paid).to_owned()
}

/// Disputes a payment, says what is known of it, and decides it.
async fn disputes(scene: &Scene, (shop, asha): (&Shop, &Person), answers: &mut Answers) {
    let body = json!({"merchant": shop.id.to_string(), "amount": rupees("30.00")});
    let paid = asha.post("/v1/payments", &body).await.made();
    scene.projected().await;
    let path = format!("/v1/payments/{}/dispute", id(&paid));
    let body = json!({"reason": "not_delivered", "words": "The tea never came."});
    let opened = asha.post(&path, &body).await.made();
    scene.projected().await;
    let body = json!({"words": "Handed over at 14:02, see receipt 17."});
    let said = shop.key.post(&format!("{path}/evidence"), &body).await.made();
    let shown = shop.key.get(&path).await.made();
    let body = json!({"won_by": "merchant", "reason": "proof_of_delivery"});
    let decided = scene.admin.post(&format!("{path}/decision"), &body).await.made();
    for (name, answer) in [
        ("post_v1_payments_id_dispute 201", &opened),
        ("post_v1_payments_id_dispute_evidence 201", &said),
        ("get_v1_payments_id_dispute 200", &shown),
        ("post_v1_payments_id_dispute_decision 200", &decided),
    ] {
        answers.insert(name.to_owned(), normal("", answer));
    }
}

/// Settles, pays out, and reads all of it; a refund waits then.
async fn reads(
    scene: &Scene,
    (shop, asha): (&Shop, &Person),
    paid: &str,
    answers: &mut Answers,
) -> String {
    scene.clock.advance(TimeDelta::days(1));
    let page = until(&shop.key, "/v1/settlements", |page| page["data"] != json!([])).await;
    let settlement = id(&page["data"][0]).to_owned();
    let payout = json!({"account": shop.account("available"), "amount": rupees("80"),
        "bank_account": scene.admin.bank_account(&shop.id.to_string()).await,
        "bank": "hdfc", "rail": "imps"});
    let payout = scene.admin.post("/v1/withdrawals", &payout).await.made();
    pay_for(scene, asha, shop, "1.00").await.made();
    scene.projected().await;
    let refunds = format!("/v1/payments/{paid}/refunds");
    let waits = shop.key.post(&refunds, &json!({"amount": rupees("100.00")})).await.made();
    assert_eq!(waits["status"], "pending");
    scene.projected().await;
    for (name, path) in [
        ("get_v1_payment_requests", "/v1/payment-requests?limit=1".to_owned()),
        ("get_v1_payments", "/v1/payments?limit=1".to_owned()),
        ("get_v1_payments_id", format!("/v1/payments/{paid}")),
        ("get_v1_payments_id_refunds", refunds),
        ("get_v1_refunds_id", format!("/v1/refunds/{}", id(&waits))),
        ("get_v1_settlements", "/v1/settlements?limit=1".to_owned()),
        ("get_v1_settlements_id", format!("/v1/settlements/{settlement}")),
        (
            "get_v1_withdrawals_id_composition",
            format!("/v1/withdrawals/{}/composition", id(&payout)),
        ),
    ] {
        let answer = shop.key.get(&path).await.made();
        answers.insert(format!("{name} 200"), normal("", &answer));
    }
    id(&waits).to_owned()
}
