//! People with sessions, and the service that they use.

use std::sync::Arc;

use ledger_api::banks::BankRegistry;
use ledger_core::clock::ManualClock;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::support::{
    bahi::{Actor, PATIENCE, Reply, Set, TestBahi, fresh_key, send},
    database::Database,
    sandbox::Sandbox,
};

const CLEARING: &str = "bank:hdfc:clearing_in:INR";

/// A service with two sandbox banks.
pub(crate) struct Scene {
    pub(crate) bahi: TestBahi,
    pub(crate) admin: Actor,
    pub(crate) clock: Arc<ManualClock>,
    sandbox: Sandbox,
}

/// Somebody who is signed in.
#[derive(Clone)]
pub(crate) struct Person {
    client: Client,
    pub(crate) address: String,
    pub(crate) id: String,
    pub(crate) wallet: String,
    pub(crate) cookie: String,
    pub(crate) csrf: String,
}

impl Scene {
    pub(crate) async fn start() -> Self {
        let sandbox = Sandbox::start().await;
        let clock = Arc::new(ManualClock::at("2026-11-22T06:30:00Z".parse().unwrap()));
        let set = Set { clock: clock.clone(), banks: sandbox.registry(), ..Set::default() };
        let bahi = TestBahi::on(&Database::create().await, set).await;
        let admin = bahi.admin().await;
        admin.open(CLEARING).await.made();
        Self { bahi, admin, clock, sandbox }
    }

    /// Somebody new who has proved everything, with money from a bank.
    pub(crate) async fn person(&self, handle: &str, amount: &str) -> Person {
        let person = Person::sign_up(&self.bahi.address, handle).await;
        sqlx::query(
            "update people set email_verified_at = now(), phone_verified_at = now(),
                 kyc_at = now() where handle = $1",
        )
        .bind(handle)
        .execute(&self.bahi.database.pool().await)
        .await
        .unwrap();
        // As proving it puts the wallet on the tier that is due.
        let keeper = &self.bahi.keeper;
        let known = keeper.people.by_id(person.id.parse().unwrap()).await.unwrap().unwrap();
        keeper.wallets.settle(&known).await.unwrap();
        self.credit(&person, amount).await;
        person
    }

    /// Money from a bank, booked by hand.
    pub(crate) async fn credit(&self, person: &Person, amount: &str) {
        let money = json!({"value": amount, "currency": "INR"});
        let deposit = json!({"kind": "deposit", "legs": [
            {"account": CLEARING, "direction": "debit", "amount": money, "item": fresh_key()},
            {"account": person.wallet, "direction": "credit", "amount": money},
        ]});
        self.admin.post("/v1/transactions", &deposit).await.made();
        self.projected().await;
    }

    /// Waits until the read models have everything.
    pub(crate) async fn projected(&self) {
        let head = self.bahi.engine.status().borrow().head.position;
        assert!(projections::wait_for(&self.bahi.projector, head, PATIENCE).await);
    }

    /// The sandbox's banks, for a worker of the test's own.
    pub(crate) fn registry(&self) -> BankRegistry {
        self.sandbox.registry()
    }

    pub(crate) async fn finish(self) {
        self.bahi.finish().await;
        self.sandbox.stop().await;
    }
}

impl Person {
    async fn sign_up(address: &str, handle: &str) -> Self {
        let client = Client::builder().no_proxy().build().unwrap();
        let body = json!({"name": format!("{handle} Rao"), "handle": handle,
            "email": format!("{handle}@example.com"), "phone": phone_of(handle),
            "password": "a long sentence is best"});
        let request = client.post(format!("{address}/v1/signup")).json(&body);
        let made = send(request.header("origin", address)).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        let cookie = made.header("set-cookie").split(';').next().unwrap().to_owned();
        let said = made.json();
        let mut person = Self {
            client,
            address: address.to_owned(),
            id: String::new(),
            wallet: String::new(),
            cookie,
            csrf: String::new(),
        };
        person.id = find(&said, "usr_").expect("an id");
        let hex = person.id.strip_prefix("usr_").unwrap();
        person.wallet = format!("wallet:{hex}:INR");
        let session = person.get("/v1/sessions/current").await.made();
        person.csrf = find_field(&session, "csrf_token").expect("a token");
        person
    }

    /// A request with the cookie and nothing else.
    pub(crate) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.address))
            .header("cookie", &self.cookie)
    }

    /// A request as our own pages send it.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let reads = method == Method::GET;
        let request = self.bare(method, path);
        if reads {
            return request;
        }
        request.header("origin", &self.address).header("x-csrf-token", &self.csrf)
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.post_with(&fresh_key(), path, body).await
    }

    pub(crate) async fn post_with(&self, key: &str, path: &str, body: &Value) -> Reply {
        let request = self.request(Method::POST, path).header("idempotency-key", key);
        send(request.json(body)).await
    }

    /// A bank account of theirs, as new as it is made.
    pub(crate) async fn bank_account(&self) -> String {
        let body = json!({"account_number": "001234567890", "ifsc": "TEST0000001",
                          "name": "Asha Rao"});
        let made = self.post("/v1/bank-accounts", &body).await.made();
        made["id"].as_str().unwrap().to_owned()
    }
}

fn phone_of(handle: &str) -> String {
    let number = handle.bytes().fold(0_u64, |sum, b| (sum * 31 + u64::from(b)) % 100_000_000);
    format!("+9198{number:08}")
}

/// The first text that starts like this, wherever it stands.
fn find(value: &Value, prefix: &str) -> Option<String> {
    match value {
        Value::String(text) => text.starts_with(prefix).then(|| text.clone()),
        Value::Array(items) => items.iter().find_map(|item| find(item, prefix)),
        Value::Object(fields) => fields.values().find_map(|field| find(field, prefix)),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// The first field of this name, wherever it stands.
fn find_field(value: &Value, name: &str) -> Option<String> {
    match value {
        Value::Array(items) => items.iter().find_map(|item| find_field(item, name)),
        Value::Object(fields) => match fields.get(name) {
            Some(Value::String(text)) => Some(text.clone()),
            _ => fields.values().find_map(|field| find_field(field, name)),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}
