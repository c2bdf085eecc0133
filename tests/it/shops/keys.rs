//! The shop's own programs: keys with the scopes that were chosen, endpoints with the messages that
//! were chosen, and what becomes of what a key made.

use chrono::TimeDelta;
use ledger_api::shops::{ApiLog, MerchantId};
use ledger_core::clock::Clock as _;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::json;
use tokio::{sync::watch, task::JoinHandle};

use super::clerk::{Clerk, found, hidden};
use crate::{
    hooks_out::{
        receiver::{Answer, Receiver},
        scene::make_and_send,
    },
    support::bahi::{PATIENCE, fresh_key, send},
    user_api::person::{Person, Scene},
};

const PAGE: &str = "/merchant/developers";

/// A service that tells of what happens.
struct Telling {
    scene: Scene,
    tell: watch::Sender<bool>,
    tasks: [JoinHandle<()>; 2],
}

impl Telling {
    async fn start() -> Self {
        let scene = Scene::start().await;
        for account in ["income:mdr:INR", "tax:gst_output:INR"] {
            scene.admin.open(account).await.made();
        }
        let (tell, told) = watch::channel(false);
        let tasks = make_and_send(&scene.bahi.database, scene.clock.clone(), &told);
        Self { scene, tell, tasks }
    }

    async fn pay(&self, payer: &Person, shop: &str) {
        let body = json!({"merchant": shop, "amount": {"value": "10", "currency": "INR"}});
        payer.post("/v1/payments", &body).await.made();
    }

    async fn finish(self) {
        self.tell.send_replace(true);
        for task in self.tasks {
            tokio::time::timeout(PATIENCE, task).await.expect("it stops").unwrap();
        }
        self.scene.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_revoked_does_nothing_and_what_it_made_stays_the_shops() {
    let telling = Telling::start().await;
    let scene = &telling.scene;
    let asha = scene.person("asha", "500").await;
    let (mut owner, shop) = Clerk::with_shop(scene, "kamala").await;
    let unchosen = owner.form(&format!("{PAGE}/keys"), &[("label", "stocktaking")]).await;
    assert_eq!(unchosen.status, 422, "{}", unchosen.text);
    assert!(unchosen.text.contains("Choose what the key may do."), "{}", unchosen.text);
    let chosen = [("label", "stocktaking"), ("balances_read", "on"), ("webhooks_write", "on")];
    let page = owner.form(&format!("{PAGE}/keys"), &chosen).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let token = found(&page.text, "bahi_");
    let by_key = |method: Method, path: &str| -> RequestBuilder {
        let url = format!("{}{path}", scene.bahi.address);
        let request = Client::new().request(method, url).bearer_auth(&token);
        request.header("idempotency-key", fresh_key())
    };
    let ask = json!({"amount": {"value": "10", "currency": "INR"}});
    let refused = send(by_key(Method::POST, "/v1/payment-requests").json(&ask)).await;
    assert_eq!(refused.status, 403, "a scope that was not chosen: {}", refused.text);

    let receiver = Receiver::start().await;
    let body = json!({"url": receiver.url, "event_types": []});
    let made = send(by_key(Method::POST, "/v1/webhook-endpoints").json(&body)).await.made();
    telling.pay(&asha, &shop).await;
    receiver.until(1).await;

    let page = owner.get(PAGE).await;
    assert!(
        page.text.contains("stocktaking") && page.text.contains(&receiver.url),
        "{}",
        page.text
    );
    let (_, rest) = page.text.split_once(&format!("{PAGE}/keys/")).expect("a key to revoke");
    let key = rest.split('/').next().unwrap();
    assert_eq!(owner.form(&format!("{PAGE}/keys/{key}/revoke"), &[]).await.status, 303);
    // Every process knows it within five seconds.
    let refused = async {
        while send(by_key(Method::GET, "/v1/webhook-endpoints")).await.status != 401 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, refused).await.expect("the key is refused");
    telling.pay(&asha, &shop).await;
    receiver.until(2).await;

    // Its owner sees it, and ends it; another is told of what was chosen, from then on.
    let page = owner.get(PAGE).await;
    assert!(
        !page.text.contains("stocktaking") && page.text.contains(&receiver.url),
        "{}",
        page.text
    );
    let other = Receiver::start().await;
    let nonce = hidden(&page.text, "nonce");
    let fields = [("url", other.url.as_str()), ("description", ""), ("nonce", nonce.as_str())];
    let fields = [fields.as_slice(), &[("payments", "on")]].concat();
    let added = owner.form(&format!("{PAGE}/endpoints"), &fields).await;
    assert!(added.text.contains("whsec_"), "{}", added.text);
    let id = made["id"].as_str().unwrap();
    assert_eq!(owner.form(&format!("{PAGE}/endpoints/{id}/delete"), &[]).await.status, 303);
    telling.pay(&asha, &shop).await;
    let told = other.until(1).await;
    assert_eq!(told[0].json()["type"], "payment.completed");
    assert_eq!(receiver.distinct().len(), 2, "what was deleted is told nothing");
    telling.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn owners_see_where_they_look_first_that_their_server_is_told_nothing() {
    let telling = Telling::start().await;
    let scene = &telling.scene;
    let asha = scene.person("asha", "500").await;
    let (mut owner, shop) = Clerk::with_shop(scene, "kamala").await;
    let accountant = owner.hire(scene, "deepa", "accountant").await;
    let receiver = Receiver::start().await;
    receiver.answer(|_, _| Answer::Status(410));
    let nonce = hidden(&owner.get(PAGE).await.text, "nonce");
    let fields = [
        ("url", receiver.url.as_str()),
        ("description", "the books"),
        ("nonce", nonce.as_str()),
        ("refunds", "on"),
        ("payments", "on"),
    ];
    let added = owner.form(&format!("{PAGE}/endpoints"), &fields).await;
    assert!(added.text.contains("whsec_"), "{}", added.text);
    scene.projected().await;
    let words = "Your server is told nothing any more";
    assert!(!owner.get("/merchant").await.text.contains(words));
    telling.pay(&asha, &shop).await;
    let seen = async {
        while !owner.get("/merchant").await.text.contains(words) {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, seen).await.expect("a banner");
    assert!(!accountant.get("/merchant").await.text.contains(words));
    let place = format!("{PAGE}/endpoints/{}", found(&owner.get(PAGE).await.text, "we_"));
    let page = owner.get(&place).await;
    for words in ["It is disabled", "answered 410", "payment.completed", "refund.failed"] {
        assert!(page.text.contains(words), "{words}: {}", page.text);
    }
    assert!(!page.text.contains("settlement.paid"), "it was not chosen: {}", page.text);
    // Before the only delivery there is none; what names none shows the newest.
    let delivery = found(&page.text, "whd_");
    let older = owner.get(&format!("{place}?older={delivery}")).await;
    assert!(older.text.contains("Nothing older is kept."), "{}", older.text);
    assert!(owner.get(&format!("{place}?older=x")).await.text.contains("answered 410"));
    telling.finish().await;
}

/// What a shop's own programs asked for is its owner's to look up, by the id that an answer named;
/// no other shop's, and none of what was sent. It is bounded.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_key_asked_for_is_found_by_the_id_of_its_request() {
    let scene = Scene::start().await;
    let (mut owner, shop) = Clerk::with_shop(&scene, "kamala").await;
    let cashier = owner.hire(&scene, "suresh", "cashier").await;
    let (other, _) = Clerk::with_shop(&scene, "harish").await;
    let log = format!("{PAGE}/requests");
    assert!(owner.get(&log).await.text.contains("No requests yet"));
    let chosen = [("label", "stocktaking"), ("balances_read", "on")];
    let page = owner.form(&format!("{PAGE}/keys"), &chosen).await;
    let token = found(&page.text, "bahi_");
    let by_key = |method: Method, path: &str| -> RequestBuilder {
        let url = format!("{}{path}", scene.bahi.address);
        Client::new().request(method, url).bearer_auth(&token).header("idempotency-key", "k-1")
    };
    let read = send(by_key(Method::GET, "/v1/payments?order_id=SECRET-ORDER")).await;
    let body = json!({"amount": {"value": "10", "currency": "INR"}, "description": "SECRET-WORDS"});
    let refused = send(by_key(Method::POST, "/v1/payment-requests").json(&body)).await;
    assert_eq!((read.status.as_u16(), refused.status.as_u16()), (200, 403));
    let (read, refused) = (read.header("request-id"), refused.header("request-id"));

    let by_id = format!("{log}?request={refused}");
    let seen = async {
        while !owner.get(&by_id).await.text.contains("<td") {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, seen).await.expect("it is written");
    let one = owner.get(&by_id).await;
    for said in ["POST", "/v1/payment-requests", ">403<", "/problems/forbidden", "stocktaking"] {
        assert!(one.text.contains(said), "{said}: {}", one.text);
    }
    assert!(!one.text.contains(read), "{}", one.text);
    let all = owner.get(&log).await;
    assert!(all.text.contains(read) && all.text.contains(refused), "{}", all.text);
    let failed = owner.get(&format!("{log}?status=failed")).await;
    assert!(failed.text.contains(refused) && !failed.text.contains(read), "{}", failed.text);
    for secret in ["SECRET", &token] {
        assert!(!all.text.contains(secret), "{secret}: {}", all.text);
    }
    let wrong = owner.get(&format!("{log}?request=%3Cb%3E")).await;
    assert!(wrong.text.contains("is written as req_") && !wrong.text.contains("<b>"));
    assert_eq!(cashier.get(&log).await.status, 403);
    assert!(other.get(&by_id).await.text.contains("Nothing matches"), "another shop's");
    bounded(&scene, shop.parse().unwrap()).await;
    scene.finish().await;
}

/// Of many requests the newest stay, and none that is old.
async fn bounded(scene: &Scene, shop: MerchantId) {
    let pool = scene.bahi.database.pool().await;
    let sql = "insert into api_requests
                   (merchant, request_id, at, method, route, status, key_id, micros)
               select $1, gen_random_uuid(), $2::timestamptz + make_interval(secs => n), 'GET',
                      '/v1/payments', 200, 'k', n
               from generate_series(1, $3) n";
    let now = scene.clock.now();
    for (at, count) in [(now - TimeDelta::days(31), 5), (now, 10_020)] {
        sqlx::query(sql).bind(shop.uuid()).bind(at).bind(count).execute(&pool).await.unwrap();
    }
    let (_tell, stopping) = watch::channel(false);
    let log = ApiLog::new(pool.clone(), scene.clock.clone(), stopping);
    log.trim([shop].into()).await.unwrap();
    let left = "select count(*), min(micros), bool_or(at < $1) from api_requests";
    let (count, least, has_old): (i64, i64, bool) =
        sqlx::query_as(left).bind(now - TimeDelta::days(1)).fetch_one(&pool).await.unwrap();
    assert_eq!((count, least, has_old), (10_000, 21, false));
}
