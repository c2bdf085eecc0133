//! Payments to shops over HTTP: asked for, paid, given back, settled, paid out.

mod disputes;
mod examples;
mod kills;
mod payouts;
mod races;
mod settling;

use chrono::TimeDelta;
use ledger_api::{
    identity::Scope,
    shops::{MerchantId, NewMerchant, ShopAccounts, Shops},
};
use ledger_core::clock::{Clock as _, Ids as _, System};
use serde_json::{Value, json};

use crate::{
    support::bahi::{Actor, PATIENCE, Reply},
    user_api::person::{Person, Scene},
};

/// A shop of a test, with a key of its own.
pub(crate) struct Shop {
    pub(crate) id: MerchantId,
    pub(crate) key: Actor,
}

impl Shop {
    /// A shop of somebody's, with its accounts.
    pub(crate) async fn open(scene: &Scene, owner: &Person, handle: &str) -> Self {
        let pool = scene.bahi.database.pool().await;
        let shops = Shops::new(pool, &[42; 32]);
        let id = MerchantId::from_uuid(System.fresh());
        let new = NewMerchant {
            id,
            handle: handle.parse().unwrap(),
            legal_name: "Kamala Foods LLP".parse().unwrap(),
            display_name: "Chai & Co".parse().unwrap(),
            category: "5814".parse().unwrap(),
            owner: owner.id.parse().unwrap(),
            terms_version: 1,
            at: scene.clock.now(),
        };
        shops.create(&new).await.unwrap();
        let accounts = ShopAccounts::new(shops.clone(), scene.bahi.keeper.wallets.clone());
        accounts.settle(&shops.by_id(id).await.unwrap().unwrap()).await.unwrap();
        let key = scene.bahi.actor(&id.to_string(), &Scope::ALL).await;
        Self { id, key }
    }

    fn account(&self, room: &str) -> String {
        format!("merchant:{}:{room}:INR", self.id.segment())
    }

    /// What is on one of its accounts.
    async fn has(&self, scene: &Scene, room: &str) -> String {
        let head = scene.bahi.engine.status().borrow().head.position;
        scene.admin.balance(&self.account(room), head).await
    }

    /// Asks for an amount, once.
    async fn ask(&self, value: &str) -> Value {
        self.key.post("/v1/payment-requests", &json!({"amount": rupees(value)})).await.made()
    }
}

pub(crate) fn rupees(value: &str) -> Value {
    json!({"value": value, "currency": "INR"})
}

fn id(object: &Value) -> &str {
    object["id"].as_str().unwrap()
}

/// Pays a shop without a request.
pub(crate) async fn pay(person: &Person, shop: &Shop, value: &str) -> Reply {
    let body = json!({"merchant": shop.id.to_string(), "amount": rupees(value)});
    person.post("/v1/payments", &body).await
}

/// Pays a shop from somebody's wallet by a service's key: sessions do not outlive a day.
async fn pay_for(scene: &Scene, person: &Person, shop: &Shop, value: &str) -> Reply {
    let body = json!({"account": person.wallet, "merchant": shop.id.to_string(),
        "amount": rupees(value)});
    scene.admin.post("/v1/payments", &body).await
}

/// Waits until something reads as it should.
async fn until(actor: &Actor, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let seen = async {
        loop {
            let answer = actor.get(path).await.made();
            if is_so(&answer) {
                return answer;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, seen).await.unwrap_or_else(|_| panic!("{path} never was so"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_shown_paid_once_and_given_back_in_part() {
    let scene = Scene::start().await;
    let (asha, ravi) = (scene.person("asha", "500").await, scene.person("ravi", "500").await);
    let shop = Shop::open(&scene, &ravi, "chai").await;
    let body = json!({"amount": rupees("120"), "order_id": "O-1", "description": "2 teas"});
    let asked = shop.key.post_with("ask", "/v1/payment-requests", &body).await;
    assert_eq!(shop.key.post_with("ask", "/v1/payment-requests", &body).await.json(), asked.made());
    let asked = asked.made();
    let link = asked["link"].as_str().unwrap();
    assert!(link.starts_with("upi://pay?pa=chai@bahi&pn=Chai%20%26%20Co&mc=5814&tr=pr_"), "{link}");
    assert!(link.ends_with("&am=120.00&cu=INR&tn=2%20teas"), "{link}");
    let path = format!("/v1/payment-requests/{}", id(&asked));
    let drawn = shop.key.get(&format!("{path}/qr.svg")).await;
    assert_eq!((drawn.status.as_u16(), drawn.header("content-type")), (200, "image/svg+xml"));
    assert!(drawn.text.contains("<svg"));

    // By what the code says; the same again is the same; somebody else is too late.
    let body = json!({"link": link});
    let paid = asha.post_with("pay", "/v1/payments", &body).await;
    assert_eq!(paid.status.as_u16(), 201, "{}", paid.text);
    let again = asha.post_with("pay", "/v1/payments", &body).await;
    assert!(again.is_replay() && again.json() == paid.json());
    let late = ravi.post("/v1/payments", &body).await;
    assert_eq!((late.status.as_u16(), &*late.code()), (409, "payment_request_not_payable"));
    let paid = paid.made();
    scene.projected().await;
    assert_eq!(shop.key.get(&path).await.made()["payment"], paid["id"]);
    assert_eq!(shop.has(&scene, "unsettled").await, "117.60");

    // The shop sees what it costs; the payer does not; others see nothing.
    let path = format!("/v1/payments/{}", id(&paid));
    let seen = shop.key.get(&path).await.made();
    let parts = ["fee", "tax", "net"].map(|part| seen[part]["value"].as_str().unwrap().to_owned());
    assert_eq!(parts, ["2.03", "0.37", "117.60"]);
    assert_eq!((&seen["order_id"], &seen["settles_on"]), (&json!("O-1"), &json!("2026-11-23")));
    let own = asha.get(&path).await.made();
    assert!(own["fee"].is_null() && own["settles_on"].is_null(), "{own}");
    assert_eq!(ravi.get(&path).await.status.as_u16(), 404);
    let books = Shop::open(&scene, &ravi, "books").await;
    assert_eq!(books.key.get(&path).await.status.as_u16(), 404);
    assert_eq!(books.key.get("/v1/payments").await.made()["data"], json!([]));
    assert_eq!(shop.key.get("/v1/payments?order_id=O-1").await.made()["data"][0]["id"], paid["id"]);
    refunds(&scene, &shop, &asha, &path).await;
    scene.finish().await;
}

async fn refunds(scene: &Scene, shop: &Shop, asha: &Person, path: &str) {
    let refunds = format!("{path}/refunds");
    let body = json!({"amount": rupees("20"), "reason": "returned"});
    assert_eq!(asha.post(&refunds, &body).await.status.as_u16(), 403, "payers give nothing back");
    let back = shop.key.post(&refunds, &body).await.made();
    assert_eq!((&back["status"], &back["funds"]), (&json!("completed"), &json!("moved")));
    let more = shop.key.post(&refunds, &json!({"amount": rupees("100.01")})).await;
    assert_eq!(more.refused(), "refund_exceeds_payment");
    let rest = shop.key.post_with("rest", &refunds, &json!({})).await;
    // The fee is not given back: the shop lacks it, and has nothing else yet.
    assert_eq!(rest.made()["status"], "pending");
    scene.projected().await;
    // What was left went back by this very request: it is answered as before.
    let again = shop.key.post_with("rest", &refunds, &json!({})).await;
    assert!(again.is_replay() && again.json() == rest.json(), "{}", again.text);
    let none = shop.key.post(&refunds, &json!({})).await;
    assert_eq!((none.status.as_u16(), &*none.code()), (409, "already_refunded"));
    let seen = shop.key.get(path).await.made();
    assert_eq!(
        (&seen["status"], &seen["refundable"]["value"]),
        (&json!("partially_refunded"), &json!("0.00"))
    );
    assert_eq!(seen["refunds"].as_array().unwrap().len(), 2);
    // The payer sees one payment and two refunds, and nothing else of it.
    let activity = asha.get("/v1/activity").await.made();
    let kinds: Vec<_> = activity["data"].as_array().unwrap().iter().map(|a| &a["kind"]).collect();
    assert_eq!(kinds, ["refund", "refund", "payment", "deposit"]);
    for row in activity["data"].as_array().unwrap().iter().take(3) {
        let detail = asha.get(&format!("/v1/activity/{}", id(row))).await.made();
        assert!(!detail["timeline"].as_array().unwrap().is_empty(), "{detail}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_ends_at_its_time_and_can_be_taken_back() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "500").await;
    let shop = Shop::open(&scene, &asha, "chai").await;
    let ends = scene.clock.now() + TimeDelta::minutes(5);
    let body = json!({"amount": rupees("10"), "expires_at": ends});
    let asked = shop.key.post("/v1/payment-requests", &body).await.made();
    let closed = shop.ask("10").await;
    let close = format!("/v1/payment-requests/{}/close", id(&closed));
    assert_eq!(asha.post(&close, &json!({})).await.status.as_u16(), 404, "not hers to close");
    let answer = shop.key.post_with("c", &close, &json!({})).await;
    assert_eq!(answer.made()["status"], "closed");
    assert_eq!(shop.key.post_with("c", &close, &json!({})).await.json(), answer.json());
    let refused = asha.post("/v1/payments", &json!({"request": id(&closed)})).await;
    assert_eq!(refused.code(), "payment_request_not_payable");
    let other = json!({"request": id(&asked), "amount": rupees("9")});
    assert_eq!(asha.post("/v1/payments", &other).await.refused(), "payment_request_amount");
    scene.clock.advance(TimeDelta::minutes(5));
    let late = asha.post("/v1/payments", &json!({"request": id(&asked)})).await;
    let ended = ["qr_expired", "payment_request_not_payable"];
    assert!(ended.contains(&&*late.code()), "{}", late.text);
    let path = format!("/v1/payment-requests/{}", id(&asked));
    until(&shop.key, &path, |request| request["status"] == "expired").await;

    // What is no code of ours, or mixes two shops.
    let books = Shop::open(&scene, &asha, "books").await;
    let mixed = books.ask("1").await["link"].as_str().unwrap().replace("books@bahi", "chai@bahi");
    for bad in ["upi://pay?pa=chai@hdfc&am=1", "upi://pay?pa=nobody@bahi&am=1", &mixed] {
        let refused = asha.post("/v1/payments", &json!({"link": bad})).await;
        assert_eq!(refused.refused(), "shop_unknown", "{bad}");
    }
    assert_eq!(asha.get("/v1/payments").await.made()["data"], json!([]));
    scene.finish().await;
}
