//! A service that goes by the clock of a sandbox bank, so that a demo's days can be made to pass:
//! what is due there in two hours is due here then, too.
//!
//! For a sandbox only. A ledger whose clock was ahead stays ahead: its log's times never go back.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use ledger_core::clock::{Clock, ShiftedClock, System, Timestamp};
use reqwest::{Client, Url, redirect::Policy};
use serde::Deserialize;
use tokio::{sync::watch, time};

/// The variables that say where the sandbox is, and what it wants to be shown.
const URL: &str = "BAHI_SANDBOX_CLOCK";
const TOKEN: &str = "BAHI_SANDBOX_TOKEN";
/// How often its clock is read.
const READ_EVERY: Duration = Duration::from_millis(250);
const PATIENCE: Duration = Duration::from_secs(2);
/// How far the two may be apart: more than an answer takes, less than anybody notices.
const APART_MAX: TimeDelta = TimeDelta::seconds(1);
const ANSWER_BYTES_MAX: usize = 4_096;

/// A sandbox bank whose clock is gone by.
#[derive(Debug, Clone)]
pub struct SandboxClock {
    client: Client,
    url: Url,
    token: Option<String>,
    /// What it showed last; all clones go by it.
    shown: Arc<ShiftedClock>,
}

/// Why there is no such clock. Shows no token.
#[derive(Debug, thiserror::Error)]
pub enum SandboxClockError {
    /// It is no address.
    #[error("{URL} is no address of a sandbox bank: http://HOST:PORT")]
    Url,
    /// The system gives no client.
    #[error("there is no HTTP client")]
    Client(#[source] reqwest::Error),
    /// It does not say what time it is.
    #[error("the sandbox bank does not say what time it is there")]
    Silent,
}

#[derive(Deserialize)]
struct Shown {
    now: Timestamp,
}

impl SandboxClock {
    /// The one that the environment names, if it names one.
    ///
    /// # Errors
    /// [`SandboxClockError`] if what it names is none.
    pub fn from_environment() -> Result<Option<Self>, SandboxClockError> {
        let set = |name| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        set(URL).map(|address| Self::at(&address, set(TOKEN))).transpose()
    }

    /// The one at an address.
    ///
    /// # Errors
    /// [`SandboxClockError`] if there can't be one.
    pub fn at(address: &str, token: Option<String>) -> Result<Self, SandboxClockError> {
        let address = address.trim().trim_end_matches('/');
        let url = Url::parse(&format!("{address}/control/clock"));
        let url = url.ok().filter(|url| url.scheme() == "http" && url.has_host());
        let client = Client::builder().timeout(PATIENCE).redirect(Policy::none()).no_proxy();
        let client = client.build().map_err(SandboxClockError::Client)?;
        let shown = Arc::default();
        Ok(Self { client, url: url.ok_or(SandboxClockError::Url)?, token, shown })
    }

    /// The same, if it may be behind the machine's clock: it is looked at now, for a ledger's clock
    /// never goes back later.
    ///
    /// # Errors
    /// [`SandboxClockError`] if it does not answer.
    pub async fn from_where_it_stands(mut self) -> Result<Self, SandboxClockError> {
        let ahead = self.ahead().await.ok_or(SandboxClockError::Silent)?;
        self.shown = Arc::new(ShiftedClock::starting(ahead));
        Ok(self)
    }

    /// Looks at it now, and not only when it is time to.
    pub async fn look(&self) {
        if let Some(ahead) = self.ahead().await
            && ahead.checked_sub(&self.shown.ahead()).is_some_and(|apart| apart > APART_MAX)
        {
            tracing::info!(seconds = ahead.num_seconds(), "the sandbox's clock was moved");
            self.shown.be_ahead(ahead);
        }
    }

    /// What it shows, as of the last look.
    pub fn now(&self) -> Timestamp {
        self.shown.now()
    }

    /// How far it is ahead of the machine's, if it answers.
    async fn ahead(&self) -> Option<TimeDelta> {
        let request = self.client.get(self.url.clone());
        let request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let mut answer = request.send().await.ok()?.error_for_status().ok()?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.ok()? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_BYTES_MAX {
                return None;
            }
        }
        let shown: Shown = serde_json::from_slice(&body).ok()?;
        Some(shown.now.signed_duration_since(System.now()))
    }

    /// Throws a switch of the sandbox: what it answers, as far as it is short.
    ///
    /// # Errors
    /// Its words, if it says no; what is wrong, if it does not answer.
    pub async fn throw(&self, path: &str, body: &serde_json::Value) -> Result<(), String> {
        let url = self.url.join(path).map_err(|error| error.to_string())?;
        let request = self.client.post(url).json(body);
        let request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let silent = |_| "the sandbox bank does not answer".to_owned();
        let mut answer = request.send().await.map_err(silent)?;
        if answer.status().is_success() {
            return Ok(());
        }
        let status = answer.status().as_u16();
        let said = answer.chunk().await.ok().flatten().unwrap_or_default();
        let said: Option<serde_json::Value> = serde_json::from_slice(&said).ok();
        let said = said.and_then(|said| Some(said.get("detail")?.as_str()?.to_owned()));
        Err(said.unwrap_or_else(|| format!("the sandbox bank says no ({status})")))
    }

    async fn follow(self, mut stopping: watch::Receiver<bool>) {
        loop {
            self.look().await;
            tokio::select! {
                () = time::sleep(READ_EVERY) => {}
                _ = stopping.wait_for(|stop| *stop) => return,
            }
        }
    }
}

/// The clock of a service: the machine's, unless it goes by a sandbox's.
pub(super) fn of(sandbox: Option<SandboxClock>, stop: &watch::Receiver<bool>) -> Arc<dyn Clock> {
    let Some(sandbox) = sandbox else { return Arc::new(System) };
    tracing::warn!("going by the clock of a sandbox bank: for tests and demos only");
    let clock = Arc::clone(&sandbox.shown);
    tokio::spawn(sandbox.follow(stop.clone()));
    clock
}
