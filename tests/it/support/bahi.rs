//! A whole service of one test: engine, projector, sweeper and HTTP on a free port, over a database
//! of its own; and actors, who use it as clients do.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::TimeDelta;
use ledger_api::{
    banks::BankRegistry,
    db,
    http::{self, ApiParts, ApiState, FingerprintKey, Ledger, Operators, ServerConfig},
    identity::{self, KeyEnvironment, KeyRing, NewKey, Scope, ScopeSet},
    logins::LoginSettings,
    people::{PeopleKeeper, PeopleSettings},
    post::Outbox,
    workers::{self, PaymentKeeper, Sweeper},
};
use ledger_core::{
    clock::{Clock, System},
    engine::{Engine, EngineConfig},
};
use projections::{Projector, ProjectorStatus};
use reqwest::{Client, Method, RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use sqlx::{PgPool, postgres::PgConnectOptions};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use super::{
    database::{APP, Database},
    intake,
};

/// How long a test waits for something that should happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

static FRESH: AtomicU64 = AtomicU64::new(1);

/// A running service.
pub(crate) struct TestBahi {
    pub(crate) database: Database,
    pub(crate) engine: Engine,
    pub(crate) projector: watch::Receiver<ProjectorStatus>,
    /// Where it listens: `http://127.0.0.1:…`.
    pub(crate) address: String,
    /// What would have been sent to people.
    pub(crate) outbox: Outbox,
    /// What looks after people, when it is told to.
    pub(crate) keeper: PeopleKeeper,
    pool: PgPool,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    finished: bool,
}

/// How a service differs from the usual one.
#[derive(Clone)]
pub(crate) struct Set {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) handler_timeout: Duration,
    pub(crate) read_connections_max: u32,
    pub(crate) banks: BankRegistry,
    /// How long a person's new bank account waits for its first withdrawal.
    pub(crate) payee_cooling: TimeDelta,
    /// Whether people send before they have proved who they are.
    pub(crate) small_sends: bool,
    /// How long what is known of somebody is kept after they left.
    pub(crate) retention: TimeDelta,
    /// Who else may vouch for people; with any, the service knows where browsers reach it.
    pub(crate) logins: LoginSettings,
    pub(crate) knows_its_address: bool,
}

impl Set {
    /// How people are let in at `address`.
    fn people(&self, address: &str) -> PeopleSettings {
        PeopleSettings {
            sign_up: true,
            clock: Arc::clone(&self.clock),
            retention: self.retention,
            small_sends: self.small_sends,
            logins: self.logins.clone(),
            public_url: self.knows_its_address.then(|| address.parse().unwrap()),
            ..PeopleSettings::default().for_demo(None).with_cooling(self.payee_cooling)
        }
    }
}

fn keeper(state: &ApiState, retention: TimeDelta) -> PeopleKeeper {
    PeopleKeeper {
        people: state.people.clone(),
        wallets: state.wallets.clone(),
        shops: state.shop_accounts.clone(),
        sessions: state.sessions.clone(),
        throttles: state.throttles.clone(),
        retention,
    }
}

impl Default for Set {
    fn default() -> Self {
        Self {
            clock: Arc::new(System),
            handler_timeout: Duration::from_secs(10),
            read_connections_max: 4,
            banks: BankRegistry::default(),
            payee_cooling: TimeDelta::zero(),
            small_sends: false,
            retention: TimeDelta::days(3650),
            logins: LoginSettings::default(),
            knows_its_address: false,
        }
    }
}

async fn engine_on(options: PgConnectOptions, clock: &Arc<dyn Clock>) -> Engine {
    let config = EngineConfig { clock: Arc::clone(clock), ..EngineConfig::new(options) };
    Engine::start(config).await.unwrap()
}

/// A projector of the engine's own process.
fn follower(engine: &Engine, pool: PgPool, head: watch::Receiver<u64>) -> Projector {
    Projector::new(pool, head).with_tail(Some(engine.tail()))
}

/// Until somebody says stop.
async fn until(mut stopping: watch::Receiver<bool>) {
    stopping.wait_for(|stop| *stop).await.ok();
}

impl TestBahi {
    /// On a fresh database.
    pub(crate) async fn spawn() -> Self {
        Self::on(&Database::create().await, Set::default()).await
    }

    /// One more service on a database, as another process would have it.
    pub(crate) async fn on(database: &Database, set: Set) -> Self {
        let options = database.options(APP);
        let engine = engine_on(options.clone(), &set.clock).await;
        let ledger: Arc<dyn Ledger> = Arc::new(engine.clone());
        let reads = db::read_pool(options.clone(), set.read_connections_max);
        let health = db::health_pool(options);
        let head = workers::follow_head(&ledger, health.clone());
        let (stop, stopping) = watch::channel(false);
        let mut tasks = Vec::new();

        let projector = follower(&engine, database.pool().await, head.clone());
        let status = projector.status();
        tasks.push(tokio::spawn(projector.run(until(stopping.clone()))));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let people_settings = set.people(&address);
        let state = ApiState::with_projector(
            ApiParts {
                ledger: Arc::clone(&ledger),
                keys: KeyRing::new(reads.clone()),
                reads: reads.clone(),
                health,
                banks: Arc::new(set.banks),
                operators: Operators { inbox: Some(intake::inbox(&reads)), ..Operators::default() },
                fingerprint_key: FingerprintKey::new([42; 32]),
                metrics: None,
                clock: Arc::clone(&set.clock),
                ids: Arc::new(System),
                calendar: Arc::default(),
                demo: true,
                people_settings: people_settings.clone(),
                head,
                stopping: stopping.clone(),
                handler_timeout: set.handler_timeout,
            },
            status.clone(),
        );
        let keeper = keeper(&state, people_settings.retention);
        let outbox = people_settings.post.outbox().expect("the demonstration's").clone();
        let payments = PaymentKeeper::new(
            Arc::clone(&ledger),
            (state.read_models.clone(), reads.clone()),
            Arc::clone(&set.clock),
            Arc::new(System),
        );
        let payments = payments.unwrap();
        let sweeper = Sweeper {
            ledger,
            read_models: state.read_models.clone(),
            clock: set.clock,
            ids: Arc::new(System),
        };
        tasks.push(tokio::spawn(sweeper.run(stopping.clone())));
        tasks.push(tokio::spawn(payments.run(stopping.clone())));

        tasks.push(tokio::spawn(async move {
            let (router, stop) = (http::router(state), until(stopping));
            http::serve(listener, router, ServerConfig::default(), stop).await.unwrap();
        }));
        Self {
            database: database.clone(),
            engine,
            projector: status,
            address,
            outbox,
            keeper,
            pool: database.pool().await,
            stop,
            tasks,
            finished: false,
        }
    }

    /// Somebody with a key of these scopes.
    pub(crate) async fn actor(&self, principal: &str, scopes: &[Scope]) -> Actor {
        Actor::new(&self.pool, &self.address, principal, scopes).await
    }

    /// Somebody who may do everything.
    pub(crate) async fn admin(&self) -> Actor {
        self.actor("admin", &Scope::ALL).await
    }

    /// Revokes a key.
    pub(crate) async fn revoke(&self, actor: &Actor) {
        identity::revoke_key(&self.pool, &actor.key_id).await.unwrap();
    }

    /// Tells the service to stop, as SIGTERM does, and does not wait.
    pub(crate) fn tell_to_stop(&self) {
        self.stop.send_replace(true);
    }

    /// Stops it. The books balance, and the read models have everything.
    pub(crate) async fn finish(mut self) {
        self.finished = true;
        let head = self.engine.status().borrow().head.position;
        let reached = projections::wait_for(&self.projector, head, PATIENCE).await;
        assert!(reached, "the read models did not reach {head}: {:?}", self.projector.borrow());
        let models = projections::ReadModels::new(self.pool.clone());
        let balance = models.trial_balance().await.unwrap().value;
        for currency in balance.currencies {
            assert!(currency.balanced, "{currency:?}");
        }
        self.engine.shutdown().await;
        self.stop.send_replace(true);
        for task in self.tasks.drain(..) {
            tokio::time::timeout(PATIENCE, task).await.expect("it stops").unwrap();
        }
    }
}

impl Drop for TestBahi {
    fn drop(&mut self) {
        assert!(
            self.finished || std::thread::panicking(),
            "the test did not finish() its service, so nothing was checked at its end"
        );
    }
}

/// A client with a key.
#[derive(Clone)]
pub(crate) struct Actor {
    address: String,
    pub(crate) key: String,
    key_id: String,
    pub(crate) client: Client,
}

/// An answer, read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_else(|| panic!("no code: {self:?}")).to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn position(&self) -> u64 {
        self.header("ledger-position").parse().unwrap()
    }

    pub(crate) fn is_replay(&self) -> bool {
        self.header("idempotent-replayed") == "true"
    }

    /// The body, if it was accepted.
    #[track_caller]
    pub(crate) fn made(&self) -> Value {
        assert!(self.status.is_success(), "{} {}", self.status, self.text);
        self.json()
    }

    /// The code, if it was refused with 422.
    #[track_caller]
    pub(crate) fn refused(&self) -> String {
        assert_eq!(self.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", self.text);
        self.code()
    }
}

/// A key that was never used.
pub(crate) fn fresh_key() -> String {
    format!("key-{}", FRESH.fetch_add(1, Ordering::Relaxed))
}

impl Actor {
    /// Somebody with a key of these scopes, who calls the service at an address.
    pub(crate) async fn new(
        pool: &PgPool,
        address: &str,
        principal: &str,
        scopes: &[Scope],
    ) -> Self {
        let new = NewKey {
            principal: principal.parse().unwrap(),
            label: "a test's".to_owned(),
            scopes: ScopeSet::of(scopes),
            environment: KeyEnvironment::Test,
        };
        let (key_id, token) = identity::create_key(pool, &new).await.unwrap();
        let (address, key) = (address.to_owned(), token.reveal().to_owned());
        Self { address, key, key_id, client: Client::new() }
    }

    /// The same actor, at another service.
    pub(crate) fn at(&self, bahi: &TestBahi) -> Self {
        Self { address: bahi.address.clone(), ..self.clone() }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.address);
        self.client.request(method, url).bearer_auth(&self.key)
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        send(self.request(Method::GET, path)).await
    }

    /// Posts with a fresh key.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.post_with(&fresh_key(), path, body).await
    }

    pub(crate) async fn post_with(&self, key: &str, path: &str, body: &Value) -> Reply {
        send(self.request(Method::POST, path).header("idempotency-key", key).json(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        let request = self.request(Method::DELETE, path);
        send(request.header("idempotency-key", fresh_key())).await
    }

    /// Opens an account; codes outside the chart are assets.
    pub(crate) async fn open(&self, account: &str) -> Reply {
        let (code, currency) = account.rsplit_once(':').unwrap();
        let mut body = json!({"code": code, "currency": currency, "owner": "test"});
        if code.starts_with("till") {
            body["type"] = json!("asset");
        }
        self.post("/v1/accounts", &body).await
    }

    /// Opens a wallet and gives it money out of a till, as a transfer.
    pub(crate) async fn wallet(&self, account: &str, amount: &str) {
        let till = format!("till:main:{}", account.rsplit(':').next().unwrap());
        self.open(&till).await;
        self.open(account).await.made();
        if amount != "0" {
            self.transfer(&till, account, amount).await.made();
        }
    }

    /// A bank account of somebody, verified by whatever bank the service calls.
    pub(crate) async fn bank_account(&self, owner: &str) -> String {
        let body = json!({"owner": owner, "account_number": "001234567890",
            "ifsc": "TEST0000001", "name": "Asha Rao"});
        let made = self.post("/v1/bank-accounts", &body).await.made();
        let id = made["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/bank-accounts/{id}/verify");
        assert_eq!(self.post(&path, &json!({})).await.made()["status"], "verified");
        id
    }

    pub(crate) async fn transfer(&self, from: &str, to: &str, amount: &str) -> Reply {
        self.post("/v1/transactions", &transfer(from, to, amount)).await
    }

    /// The posted balance, as of everything that this actor may have seen.
    pub(crate) async fn balance(&self, account: &str, min_position: u64) -> String {
        let path = format!("/v1/accounts/{account}/balance?min_position={min_position}");
        self.get(&path).await.made()["posted"]["value"].as_str().unwrap().to_owned()
    }
}

pub(crate) async fn send(request: RequestBuilder) -> Reply {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    Reply { status, headers, text: response.text().await.expect("a body") }
}

/// An amount on the wire, in the currency of an account.
pub(crate) fn amount(account: &str, value: &str) -> Value {
    json!({"value": value, "currency": account.rsplit(':').next().unwrap()})
}

/// A transaction of two legs on the wire.
pub(crate) fn transfer(from: &str, to: &str, value: &str) -> Value {
    json!({"kind": "transfer", "debit": from, "credit": to, "amount": amount(from, value)})
}
