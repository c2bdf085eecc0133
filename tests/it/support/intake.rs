//! An intake of webhooks over a database, and a bank that sends to it.

use std::{
    ffi::OsString,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use ledger_api::{
    banks::BankRegistry,
    config::{DatabaseUrl, Settings},
    service::{Role, Roles, Service, ServiceConfig},
    webhooks::{Banks, Inbox, signature::Keys},
};
use reqwest::{Client, RequestBuilder, StatusCode};
use sqlx::PgPool;
use tokio::{net::TcpListener, sync::watch};

use super::bahi::{Reply, send};

/// What the bank hdfc signs with.
pub(crate) const SECRET: &str = "whsec_ZGV2LXNlY3JldC1kZXYtc2VjcmV0LWRldi0x";
/// What the bank axis signs with.
pub(crate) const AXIS_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// A body as a bank sends it.
pub(crate) const BODY: &str = "{\"type\":\"bank.credit.received\",\
                               \"timestamp\":\"2026-11-22T14:02:15Z\",\
                               \"data\":{\"utr\":\"HDFC0000000001\"}}";

static FRESH: AtomicU64 = AtomicU64::new(1);

/// An event's id that was never used.
pub(crate) fn fresh_event() -> String {
    format!("fresh_{}", FRESH.fetch_add(1, Ordering::Relaxed))
}

/// The banks hdfc and axis.
pub(crate) fn banks() -> Banks {
    let variables = [
        ("BAHI_BANK_HDFC_WEBHOOK_SECRETS", SECRET),
        ("BAHI_BANK_AXIS_WEBHOOK_SECRETS", AXIS_SECRET),
    ];
    let variables = variables.map(|(name, value)| (OsString::from(name), OsString::from(value)));
    Banks::from_variables(variables).unwrap()
}

/// Seconds since 1970.
pub(crate) fn now_s() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
}

/// Settings over a database that may be unsafe.
pub(crate) fn settings(folder: &tempfile::TempDir, ledger: &str, inbox: &str) -> Settings {
    let url = |text: &str| -> DatabaseUrl { text.parse().unwrap() };
    Settings {
        data: folder.path().join("data"),
        database_url: url(ledger),
        inbox_database_url: url(inbox),
        secret_file: None,
        allow_unsafe_database: true,
        demo: false,
    }
}

/// A service that takes webhooks.
pub(crate) struct TestIntake {
    pub(crate) service: Service,
    /// Where it listens: `http://127.0.0.1:…`.
    pub(crate) address: String,
    _told: watch::Sender<bool>,
    _folder: tempfile::TempDir,
}

impl TestIntake {
    /// One that does nothing else, on a database.
    pub(crate) async fn start(url: &str) -> Self {
        Self::with(&[Role::Webhooks], url, "").await
    }

    /// One of some roles.
    pub(crate) async fn with(roles: &[Role], ledger: &str, inbox: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let config = ServiceConfig {
            settings: settings(&folder, ledger, inbox),
            roles: Roles::of(roles),
            cache_accounts: None,
            banks: banks(),
            bank_registry: BankRegistry::default(),
            sandbox_clock: None,
            logins: ledger_api::logins::LoginSettings::default(),
            listener: Some(listener),
            metrics: None,
        };
        let (tell, told) = watch::channel(false);
        let service = Service::start(config, told).await.unwrap().unwrap();
        Self { service, address, _told: tell, _folder: folder }
    }

    /// A bank that sends to it.
    pub(crate) fn bank(&self) -> Bank {
        Bank::new(&self.address)
    }

    /// Stops it in order.
    pub(crate) async fn stop(self) {
        self.service.stop().await.unwrap();
    }
}

/// The bank hdfc.
#[derive(Clone)]
pub(crate) struct Bank {
    client: Client,
    address: String,
}

impl Bank {
    pub(crate) fn new(address: &str) -> Self {
        let client = Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
        Self { client, address: address.to_owned() }
    }

    /// The same bank, sending elsewhere.
    pub(crate) fn at(&self, address: &str) -> Self {
        Self { client: self.client.clone(), address: address.to_owned() }
    }

    /// Whatever it sends.
    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.address))
    }

    /// A delivery with these headers.
    pub(crate) fn delivery(&self, id: &str, at: &str, signature: &str) -> RequestBuilder {
        let request = self.post("/hooks/banks/hdfc").header("webhook-id", id);
        request.header("webhook-timestamp", at).header("webhook-signature", signature)
    }

    /// A delivery signed as it should be, sent at some time.
    pub(crate) fn signed(&self, id: &str, at: i64, body: &str) -> RequestBuilder {
        let keys: Keys = SECRET.parse().unwrap();
        let signature = keys.sign(id, at, body.as_bytes());
        self.delivery(id, &at.to_string(), &signature).body(body.to_owned())
    }

    /// Sends an event, signed, now.
    pub(crate) async fn send(&self, id: &str, body: &str) -> Reply {
        send(self.signed(id, now_s(), body)).await
    }

    /// Sends an event; whether there was an answer, and which.
    pub(crate) async fn try_send(&self, id: &str, body: &str) -> Option<StatusCode> {
        let response = self.signed(id, now_s(), body).send().await.ok()?;
        Some(response.status())
    }
}

impl Reply {
    /// Whether the delivery was the second of its event, if it was acknowledged.
    #[track_caller]
    pub(crate) fn is_duplicate(&self) -> bool {
        let body = self.made();
        assert_eq!(body["received"], true, "{body}");
        body["duplicate"].as_bool().unwrap()
    }
}

/// The events in an inbox with the number of their rows.
pub(crate) async fn events(pool: &PgPool) -> Vec<(String, i64)> {
    let sql = "select event_id, count(*) from inbox_deliveries group by event_id order by 1";
    sqlx::query_as(sql).fetch_all(pool).await.unwrap()
}

/// The inbox behind a pool.
pub(crate) fn inbox(pool: &PgPool) -> Inbox {
    Inbox::new(pool.clone())
}
