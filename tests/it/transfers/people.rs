//! Transfers of people: who is found by what, who may see and claim what, and what nobody learns.

use std::sync::Arc;

use ledger_api::{
    people::{NewPerson, People, PersonId},
    sessions::{Audience, Sessions, csrf},
};
use ledger_core::clock::{Clock as _, Ids as _, System};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    audit_engine::verified,
    support::{
        bahi::{Actor, Reply, TestBahi, amount, fresh_key, send},
        ledger::parse,
    },
};

/// Somebody who is signed in.
struct Someone {
    id: PersonId,
    wallet: String,
    address: String,
    cookie: String,
    csrf: String,
    client: Client,
}

impl Someone {
    async fn ask(&self, method: Method, path: &str, body: Option<&Value>, key: &str) -> Reply {
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.address))
            .header("cookie", &self.cookie)
            .header("origin", &self.address)
            .header(csrf::HEADER, &self.csrf)
            .header("idempotency-key", key);
        if let Some(body) = body {
            request = request.json(body);
        }
        send(request).await
    }

    async fn get(&self, path: &str) -> Reply {
        self.ask(Method::GET, path, None, "none").await
    }

    async fn post(&self, path: &str, body: &Value) -> Reply {
        self.ask(Method::POST, path, Some(body), &fresh_key()).await
    }

    async fn send(&self, to: Value, value: &str) -> Reply {
        let body = json!({"to": to, "amount": amount(&self.wallet, value)});
        self.post("/v1/transfers", &body).await
    }
}

/// A service with people.
struct Town {
    bahi: TestBahi,
    admin: Actor,
    people: People,
    sessions: Sessions,
}

impl Town {
    async fn start() -> Self {
        let bahi = TestBahi::spawn().await;
        let admin = bahi.admin().await;
        let pool = bahi.database.pool().await;
        let people = People::new(pool.clone(), &[42; 32]);
        let sessions = Sessions::new(pool, Arc::new(System));
        admin.open("till:main:INR").await;
        Self { bahi, admin, people, sessions }
    }

    /// Somebody with a wallet and so much on it.
    async fn person(&self, handle: &str, phone: Option<&str>, value: &str) -> Someone {
        let id = PersonId::from_uuid(System.fresh());
        let new = NewPerson {
            id,
            handle: parse(handle),
            name: parse("Somebody"),
            email: parse(&format!("{handle}@example.com")),
            phone: phone.map(parse),
            password: None,
            email_is_proved: true,
            at: System.now(),
        };
        self.people.create(&new).await.unwrap();
        let wallet = id.wallet().unwrap().to_string();
        let (code, currency) = wallet.rsplit_once(':').unwrap();
        let body = json!({"code": code, "currency": currency, "owner": id.to_string()});
        self.admin.post("/v1/accounts", &body).await.made();
        if value != "0" {
            self.admin.transfer("till:main:INR", &wallet, value).await.made();
        }
        let (token, session) = self.sessions.begin(id, Audience::Wallet, "test").await.unwrap();
        Someone {
            id,
            wallet,
            address: self.bahi.address.clone(),
            cookie: format!("__Host-bahi_session={}", token.reveal()),
            csrf: csrf::token(self.people.key(), session.id),
            client: Client::new(),
        }
    }

    async fn prove(&self, someone: &Someone, phone: &str) {
        let hash = self.people.key().phone(&parse(phone));
        assert!(self.people.note_phone_proved(someone.id, &hash, System.now()).await.unwrap());
    }

    async fn finish(self) {
        let database = self.bahi.database.clone();
        self.bahi.finish().await;
        verified(&database).await;
    }
}

fn id(reply: &Reply) -> String {
    reply.made()["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_found_by_handle_id_and_verified_number() {
    let town = Town::start().await;
    let asha = town.person("asha", None, "100").await;
    let ravi = town.person("ravi", Some("98123 45678"), "0").await;
    let by_id = json!({"id": ravi.id.to_string()});
    for (to, value) in [(json!({"handle": "@Ravi"}), "1"), (by_id, "2")] {
        let sent = asha.send(to, value).await.made();
        assert_eq!((&sent["status"], &sent["to"]), (&json!("completed"), &json!(ravi.wallet)));
        assert_eq!(sent["account"], json!(asha.wallet), "their own, unasked");
    }
    // A number that they only say is theirs finds nobody; a verified one does.
    let held = asha.send(json!({"phone": "+919812345678"}), "3").await.made();
    assert_eq!(held["status"], "pending_claim");
    town.prove(&ravi, "+919812345678").await;
    let sent = asha.send(json!({"phone": "+919812345678"}), "4").await.made();
    assert_eq!((&sent["status"], &sent["to"]), (&json!("completed"), &json!(ravi.wallet)));
    assert_eq!(asha.send(json!({"handle": "asha"}), "1").await.refused(), "same_account");
    assert_eq!(asha.send(json!({"handle": "zora"}), "1").await.refused(), "recipient_unknown");
    // From somebody else's wallet: it is not there.
    let body = json!({"account": ravi.wallet, "to": {"handle": "asha"},
        "amount": amount(&ravi.wallet, "1")});
    assert_eq!(asha.post("/v1/transfers", &body).await.status, StatusCode::NOT_FOUND);
    town.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_25_only_whose_number_it_is_sees_and_claims_it() {
    let town = Town::start().await;
    let asha = town.person("asha", Some("9812345670"), "500").await;
    let ravi = town.person("ravi", Some("9812345678"), "0").await;
    let zora = town.person("zora", Some("9812345679"), "0").await;
    town.prove(&asha, "9812345670").await;
    town.prove(&zora, "9812345679").await;
    let sent = asha.send(json!({"phone": "9812345678"}), "250").await;
    let path = format!("/v1/transfers/{}", id(&sent));
    let head = sent.position();
    assert!(asha.get(&format!("{path}?min_position={head}")).await.made()["fee"].is_object());
    // Ravi has not proved it yet; Zora proved another one; nobody of them learns that it is there.
    let claim = format!("{path}/claim");
    let none = "/v1/transfers/tr_019a0000000070008000000000000061";
    for someone in [&ravi, &zora] {
        for (path, claim) in [(path.as_str(), claim.clone()), (none, format!("{none}/claim"))] {
            let (seen, claimed) = (someone.get(path).await, someone.post(&claim, &json!({})).await);
            assert_eq!((seen.status, seen.code()), (StatusCode::NOT_FOUND, "not_found".to_owned()));
            assert_eq!(claimed.status, StatusCode::NOT_FOUND);
            assert_eq!(claimed.code(), "not_found");
            let cancelled = someone.post(&format!("{path}/cancel"), &json!({})).await;
            assert_eq!(cancelled.status, StatusCode::NOT_FOUND);
        }
        let waiting = someone.get("/v1/transfers?waiting=true").await.made();
        assert_eq!(waiting["data"], json!([]));
    }
    town.prove(&ravi, "9812345678").await;
    let waiting = ravi.get("/v1/transfers?waiting=true").await.made();
    assert_eq!(waiting["data"][0]["amount"]["value"], "250.00");
    assert!(waiting["data"][0].get("fee").is_none(), "the sender's to see");
    assert_eq!(waiting["data"][0]["cancellable"], false);
    // Their own number only, and to their own wallet only.
    let named = json!({"phone": "9812345678"});
    assert_eq!(ravi.post(&claim, &named).await.refused(), "invalid");
    let elsewhere = json!({"account": zora.wallet});
    assert_eq!(ravi.post(&claim, &elsewhere).await.status, StatusCode::NOT_FOUND);
    let claimed = ravi.post(&claim, &json!({})).await.made();
    assert_eq!((&claimed["status"], &claimed["to"]), (&json!("completed"), &json!(ravi.wallet)));
    assert!(claimed.get("fee").is_none());
    let late = asha.post(&format!("{path}/cancel"), &json!({})).await;
    assert_eq!((late.status.as_u16(), late.code().as_str()), (409, "not_cancellable"));
    // Both see it now, Zora does not.
    let count = async |someone: &Someone| {
        let head = town.bahi.engine.status().borrow().head.position;
        let page = someone.get(&format!("/v1/transfers?min_position={head}")).await.made();
        page["data"].as_array().unwrap().iter().filter(|t| t["id"] == claimed["id"]).count()
    };
    assert_eq!((count(&asha).await, count(&ravi).await, count(&zora).await), (1, 1, 0));
    assert_eq!(ravi.get(&path).await.made()["status"], "completed");
    town.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_does_not_learn_what_stops_the_receiver() {
    let town = Town::start().await;
    let asha = town.person("asha", None, "500").await;
    let ravi = town.person("ravi", None, "0").await;
    let freeze = json!({"reference": "court-7", "mode": "credit"});
    town.admin.post(&format!("/v1/accounts/{}/freezes", ravi.wallet), &freeze).await.made();
    let refused = asha.send(json!({"handle": "ravi"}), "250").await;
    assert_eq!(refused.refused(), "receiver_blocked");
    assert!(!refused.text.contains("court-7") && !refused.text.contains(&ravi.wallet));
    // What stops themselves they are told.
    assert_eq!(asha.send(json!({"handle": "ravi"}), "501").await.refused(), "insufficient_funds");
    town.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn i18_no_number_is_in_the_log() {
    let town = Town::start().await;
    let asha = town.person("asha", None, "500").await;
    asha.send(json!({"phone": "+91 98123 45678"}), "250").await.made();
    let pool = town.bahi.database.pool().await;
    let found: i64 = sqlx::query_scalar(
        "select count(*) from events where convert_from(payload, 'UTF8') like '%9812345678%'
            or convert_from(metadata, 'UTF8') like '%9812345678%'",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(found, 0);
    let hash: String = sqlx::query_scalar(
        "select convert_from(payload, 'UTF8')::json ->> 'phone_hash' from events
         where aggregate_type = 'transfer'",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    // Nor the hash that people are found by: the log and their table do not find each other.
    assert_ne!(hash, hex::encode(town.people.key().phone(&parse("9812345678"))));
    town.finish().await;
}
