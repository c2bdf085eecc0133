//! A fleet: the bank, three workers and two intakes in processes of their own, to be killed, beside
//! the API and the projector in this one.
//!
//! Between the bank and the intakes stands a relay that hands each webhook to both of them, and
//! tells the bank that it was heard only if both took it. The processes are this test program again
//! (`bank_kills`), so that what they are told stands in their environment.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{Path as UrlPath, State},
    http::{HeaderMap, StatusCode},
    routing::post,
};
use chrono::TimeDelta;
use ledger_api::{
    banks::BankRegistry,
    config::Settings,
    identity::Scope,
    service::{Role, Roles, SandboxClock, Service, ServiceConfig},
    webhooks::Banks,
};
use sandbox_bank::{
    BankCode, Hook, Setup,
    clock::Clock,
    control::Control,
    http::{Config, serve},
};
use serde_json::json;
use sqlx::PgPool;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use super::{
    bahi::Actor,
    database::{APP, Database},
    intake::settings,
    ledger::{Ledger, accepted},
    process::{DATABASE, again, given_database},
    sandbox::{TOKEN, noon, registry},
    service_process::{ServiceProcess, put},
    town::SECRETS,
};

const ROLE: &str = "BAHI_TEST_ROLE";
const SECRET_FILE: &str = "BAHI_TEST_SECRET_FILE";
const PORT: &str = "BAHI_TEST_PORT";
const HOOKS: &str = "BAHI_TEST_HOOKS";
/// How long a bank may take.
const TIMEOUT: Duration = Duration::from_millis(700);

/// The relay's and the intakes' addresses.
type Addresses = Arc<Mutex<Vec<String>>>;

/// It all.
pub(crate) struct Fleet {
    pub(crate) database: Database,
    pub(crate) pool: PgPool,
    pub(crate) admin: Actor,
    pub(crate) control: Control,
    pub(crate) bank: ServiceProcess,
    pub(crate) workers: Vec<ServiceProcess>,
    pub(crate) intakes: Vec<ServiceProcess>,
    addresses: Addresses,
    service: Service,
    relay: JoinHandle<()>,
    _told: watch::Sender<bool>,
    _folder: tempfile::TempDir,
}

impl Fleet {
    /// With a wallet of a million rupees, and banks whose escrow covers it.
    pub(crate) async fn start(workers: usize) -> Self {
        let (database, folder) = (Database::create().await, tempfile::tempdir().unwrap());
        let secret = folder.path().join("secret");
        write_secret(&secret);
        let addresses = Addresses::default();
        let (hooks, relay) = start_relay(Arc::clone(&addresses)).await;
        let port = free_port();
        let bank_address = format!("http://127.0.0.1:{port}");
        let bank = bank_process(port, &hooks).await;
        let process = |role: &'static str| {
            let (url, secret) = (database.url(APP), secret.clone());
            let bank = bank_address.clone();
            async move { role_process(role, &url, &secret, &bank).await }
        };
        let intakes = futures::future::join_all((0..2).map(|_| process("webhooks"))).await;
        let (tell, told) = watch::channel(false);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let config = ServiceConfig {
            settings: Settings {
                secret_file: Some(secret.clone()),
                ..settings(&folder, &database.url(APP), "")
            },
            roles: Roles::of(&[Role::Api, Role::Projector]),
            cache_accounts: None,
            banks: Banks::from_variables([]).unwrap(),
            bank_registry: registry_at(&bank_address),
            sandbox_clock: Some(SandboxClock::at(&bank_address, Some(TOKEN.to_owned())).unwrap()),
            logins: ledger_api::logins::LoginSettings::default(),
            listener: Some(listener),
            metrics: None,
        };
        let service = Service::start(config, told).await.unwrap().unwrap();
        let pool = database.pool().await;
        let admin = Actor::new(&pool, &address, "admin", &Scope::ALL).await;
        let workers = futures::future::join_all((0..workers).map(|_| process("worker"))).await;
        let control = Control::new(&bank_address, Some(TOKEN.to_owned())).unwrap();
        let fleet = Self {
            database,
            pool,
            admin,
            control,
            bank,
            workers,
            intakes,
            addresses,
            service,
            relay,
            _told: tell,
            _folder: folder,
        };
        fleet.intakes_are_told();
        fleet.fund().await;
        fleet
    }

    async fn fund(&self) {
        self.admin.wallet("wallet:a:INR", "1000000.00").await;
        let engine = self.service.engine().unwrap().clone();
        let ledger = Ledger { database: self.database.clone(), engine };
        for bank in ["hdfc", "axis"] {
            let escrow = format!("bank:{bank}:escrow:INR");
            self.admin.open(&escrow).await;
            accepted(ledger.transfer(&escrow, "till:main:INR", "5000000.00").await);
        }
    }

    /// What the API's handlers share.
    pub(crate) fn state(&self) -> &ledger_api::http::ApiState {
        self.service.state().unwrap()
    }

    /// Tells the relay where the intakes are now.
    pub(crate) fn intakes_are_told(&self) {
        let now = self.intakes.iter().map(ServiceProcess::address).collect();
        *self.addresses.lock().unwrap() = now;
    }

    /// A bank account of the wallet's owner, checked by its bank.
    pub(crate) async fn bank_account(&self) -> String {
        let body = json!({"owner": "test", "account_number": "001234567890",
                          "ifsc": "TEST0000001", "name": "ASHA RAO"});
        let made = self.admin.post("/v1/bank-accounts", &body).await.made();
        let id = made["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/bank-accounts/{id}/verify");
        self.admin.post(&path, &json!({"bank": "hdfc"})).await.made();
        id
    }

    /// Stops it all.
    pub(crate) async fn stop(self) -> Database {
        for process in self.workers.into_iter().chain(self.intakes) {
            process.stop().await;
        }
        self.service.stop().await.unwrap();
        self.bank.stop().await;
        self.relay.abort();
        self.database
    }
}

fn registry_at(address: &str) -> BankRegistry {
    let banks = [("HDFC", "hdfc"), ("AXIS", "axis")]
        .map(|(name, code)| (name, format!("{address}/banks/{code}")));
    registry(&banks, TOKEN, TIMEOUT)
}

fn write_secret(file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(file, "0123456789abcdef".repeat(4)).unwrap();
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// A port that stays free while nobody listens on it: below those that are given out by themselves.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + u16::try_from(std::process::id() % 10_000).unwrap();
    let free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    // A port once only: a bank that is dead for a moment must find its own again.
    let mut ports = std::iter::repeat_with(|| first + NEXT.fetch_add(1, Ordering::Relaxed));
    ports.by_ref().take(1_000).find(free).expect("a free port")
}

async fn bank_process(port: u16, hooks: &str) -> ServiceProcess {
    let folder = tempfile::tempdir().unwrap();
    let mut command = again("bank_kills::a_bank_in_a_process_of_its_own", folder.path());
    command.env(PORT, port.to_string()).env(HOOKS, hooks);
    ServiceProcess::run(folder, command).await
}

async fn role_process(role: &str, url: &str, secret: &Path, bank: &str) -> ServiceProcess {
    let folder = tempfile::tempdir().unwrap();
    let mut command = again("bank_kills::a_role_in_a_process_of_its_own", folder.path());
    command.env(DATABASE, url).env(ROLE, role).env(SECRET_FILE, secret);
    command.env("BAHI_SANDBOX_CLOCK", bank).env("BAHI_SANDBOX_TOKEN", TOKEN);
    for (name, code) in [("HDFC", "hdfc"), ("AXIS", "axis")] {
        command.env(format!("BAHI_BANK_{name}_URL"), format!("{bank}/banks/{code}"));
        command.env(format!("BAHI_BANK_{name}_TOKEN"), TOKEN);
        command.env(format!("BAHI_BANK_{name}_TIMEOUT_MS"), TIMEOUT.as_millis().to_string());
    }
    command.envs(SECRETS);
    ServiceProcess::run(folder, command).await
}

fn until_the_parent_is_gone() -> watch::Receiver<bool> {
    let (tell, told) = watch::channel(false);
    std::thread::spawn(move || {
        std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).ok();
        tell.send_replace(true);
    });
    told
}

/// What a child does: serves in one role until it is killed or its parent is gone.
pub(crate) async fn be_a_role(folder: &Path) {
    let mut told = until_the_parent_is_gone();
    let role = match std::env::var(ROLE).unwrap().as_str() {
        "worker" => Role::Worker,
        _ => Role::Webhooks,
    };
    let data = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let config = ServiceConfig {
        settings: Settings {
            secret_file: std::env::var_os(SECRET_FILE).map(PathBuf::from),
            ..settings(&data, &given_database().unwrap(), "")
        },
        roles: Roles::of(&[role]),
        cache_accounts: None,
        banks: Banks::from_environment().unwrap(),
        bank_registry: BankRegistry::from_environment().unwrap(),
        sandbox_clock: SandboxClock::from_environment().unwrap(),
        logins: ledger_api::logins::LoginSettings::default(),
        listener: Some(listener),
        metrics: None,
    };
    let Some(service) = Service::start(config, told.clone()).await.expect("a service") else {
        return;
    };
    put(folder, "address", &format!("http://{address}"));
    ledger_api::shutdown::wait(&mut told).await;
    service.stop().await.expect("it stops in order");
}

/// What a child does: both sandbox banks, with a journal, until it is killed.
pub(crate) async fn be_a_bank(folder: &Path) {
    let told = until_the_parent_is_gone();
    let port: u16 = std::env::var(PORT).unwrap().parse().unwrap();
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let hooks = std::env::var(HOOKS).unwrap();
    let secrets = BTreeMap::from(SECRETS);
    let hook = |bank: BankCode| {
        let variable = format!("BAHI_BANK_{}_WEBHOOK_SECRETS", bank.as_str().to_uppercase());
        let secret = secrets[variable.as_str()].parse().unwrap();
        (bank, Hook { url: format!("{hooks}/hooks/banks/{}", bank.as_str()), secret })
    };
    let mut setup = Setup::usual(1, noon() - TimeDelta::days(2));
    for bank in &mut setup.banks {
        bank.rate_per_second = 1_000;
    }
    let config = Config {
        setup,
        clock: Clock::running(),
        journal: Some(folder.join("journal")),
        token: Some(TOKEN.to_owned()),
        hooks: BankCode::ALL.map(hook).into(),
    };
    // It listens: who calls now waits until it has read its journal.
    put(folder, "address", &format!("http://127.0.0.1:{port}"));
    serve(config, listener, told).await.expect("a bank");
}

/// What hands each webhook to every intake.
#[derive(Clone)]
struct Relay {
    addresses: Addresses,
    client: reqwest::Client,
}

async fn start_relay(addresses: Addresses) -> (String, JoinHandle<()>) {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(4)).build().unwrap();
    let relay = Relay { addresses, client };
    let router = Router::new().route("/hooks/banks/{bank}", post(hand_on)).with_state(relay);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    (address, tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }))
}

async fn hand_on(
    State(relay): State<Relay>,
    UrlPath(bank): UrlPath<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let addresses = relay.addresses.lock().unwrap().clone();
    let both = addresses.iter().map(|address| {
        let mut request = relay.client.post(format!("{address}/hooks/banks/{bank}"));
        for name in ["content-type", "webhook-id", "webhook-timestamp", "webhook-signature"] {
            if let Some(value) = headers.get(name) {
                request = request.header(name, value);
            }
        }
        let sent = request.body(body.clone()).send();
        async move { sent.await.is_ok_and(|answer| answer.status().is_success()) }
    });
    let heard = futures::future::join_all(both).await;
    let all = !heard.is_empty() && heard.into_iter().all(|heard| heard);
    if all { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}
