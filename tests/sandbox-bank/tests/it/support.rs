//! A sandbox bank of one's own, on a port of its own.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use reqwest::{Client, Method, RequestBuilder};
use sandbox_bank::{
    BankCode, Hook, Setup,
    clock::Clock,
    conformance::{Delivery, Receiver},
    control::Control,
    http::{Config, ServeError, serve},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

/// Longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
pub(crate) const TOKEN: &str = "a-token-for-tests";
pub(crate) const SECRET: &str = "whsec_ZGV2LXNlY3JldC1kZXYtc2VjcmV0LWRldi0x";

/// Noon in India of the day that the machine's clock shows in UTC.
pub(crate) fn noon() -> DateTime<Utc> {
    let noon = NaiveTime::from_hms_opt(6, 30, 0).expect("a time");
    Utc::now().date_naive().and_time(noon).and_utc()
}

pub(crate) async fn free_port() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a port")
}

/// What a test wants of its bank.
pub(crate) struct Wanted {
    pub(crate) clock: Clock,
    pub(crate) journal: Option<PathBuf>,
    /// Where webhooks go.
    pub(crate) hooks: Option<String>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { clock: Clock::standing(noon()), journal: None, hooks: None }
    }
}

impl Wanted {
    fn config(self) -> Config {
        let hooks = self.hooks.map(|url| {
            let hook = Hook { url, secret: SECRET.parse().expect("a secret") };
            BankCode::ALL.map(|bank| (bank, hook.clone()))
        });
        Config {
            setup: Setup::usual(1, noon() - TimeDelta::days(2)),
            clock: self.clock,
            journal: self.journal,
            token: Some(TOKEN.to_owned()),
            hooks: hooks.map(BTreeMap::from).unwrap_or_default(),
        }
    }
}

/// A running sandbox.
pub(crate) struct Bank {
    pub(crate) url: String,
    pub(crate) http: Client,
    pub(crate) control: Control,
    stop: watch::Sender<bool>,
    server: JoinHandle<Result<(), ServeError>>,
}

impl Bank {
    pub(crate) async fn start(wanted: Wanted) -> Self {
        let listener = free_port().await;
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (stop, told) = watch::channel(false);
        let server = tokio::spawn(serve(wanted.config(), listener, told));
        let control = Control::new(&url, Some(TOKEN.to_owned())).expect("a client");
        let http = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        Self { url, http, control, stop, server }
    }

    /// With a receiver that hears everything as `script` says.
    pub(crate) async fn told_to(
        clock: Clock,
        script: impl Fn(&Delivery, usize) -> u16 + Send + Sync + 'static,
    ) -> (Self, Receiver) {
        let listener = free_port().await;
        let hooks = format!("http://{}/hooks", listener.local_addr().expect("an address"));
        let receiver = Receiver::start(listener, SECRET, script).expect("a receiver");
        (Self::start(Wanted { clock, hooks: Some(hooks), ..Wanted::default() }).await, receiver)
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/{path}", self.url)).bearer_auth(TOKEN)
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        answer(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        answer(self.request(Method::POST, path).json(body)).await
    }

    pub(crate) async fn submit(&self, reference: &str, amount: &str) -> (u16, Value) {
        self.post("banks/axis/v1/transfers", &order(reference, amount)).await
    }

    pub(crate) async fn advance(&self, seconds: u64) {
        self.control.advance(Duration::from_secs(seconds)).await.expect("advanced");
    }

    /// Stops it; it must end by itself.
    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        let ended = tokio::time::timeout(PATIENCE, self.server).await;
        ended.expect("it stops in time").expect("no panic").expect("no error");
    }
}

pub(crate) async fn answer(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    (status, answer.json().await.expect("JSON"))
}

pub(crate) fn order(reference: &str, amount: &str) -> Value {
    json!({
        "reference": reference,
        "amount": { "value": amount, "currency": "INR" },
        "rail": "imps",
        "beneficiary": {
            "account_number": "001234567890", "ifsc": "TEST0000001", "name": "ASHA RAO",
        },
    })
}
