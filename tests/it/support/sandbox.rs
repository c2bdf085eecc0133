//! A sandbox bank of one test, and the service's own adapter to it.

use std::{collections::BTreeMap, ffi::OsString, time::Duration};

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use ledger_api::banks::{Bank, BankRegistry};
use sandbox_bank::{
    BankCode, Hook, Setup,
    clock::Clock,
    control::Control,
    http::{Config, ServeError, serve},
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use super::bahi::PATIENCE;

pub(crate) const TOKEN: &str = "a-token-for-tests";
/// What its webhooks are signed with.
const SECRET: &str = "whsec_ZGV2LXNlY3JldC1kZXYtc2VjcmV0LWRldi0x";

/// A running sandbox.
pub(crate) struct Sandbox {
    pub(crate) address: String,
    pub(crate) control: Control,
    stop: watch::Sender<bool>,
    server: JoinHandle<Result<(), ServeError>>,
}

/// Noon in India of the day that the machine's clock shows in UTC.
pub(crate) fn noon() -> DateTime<Utc> {
    Utc::now().date_naive().and_time(NaiveTime::from_hms_opt(6, 30, 0).unwrap()).and_utc()
}

impl Sandbox {
    /// One whose clock stands at noon until it is moved.
    pub(crate) async fn start() -> Self {
        Self::with(Clock::standing(noon()), BTreeMap::new()).await
    }

    /// One whose clock runs, and that tells a service at some address.
    pub(crate) async fn telling(address: &str) -> Self {
        let hook = |bank: BankCode| {
            let url = format!("{address}/hooks/banks/{}", bank.as_str());
            (bank, Hook { url, secret: SECRET.parse().unwrap() })
        };
        Self::with(Clock::running(), BankCode::ALL.map(hook).into()).await
    }

    async fn with(clock: Clock, hooks: BTreeMap<BankCode, Hook>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let mut setup = Setup::usual(1, noon() - TimeDelta::days(2));
        for bank in &mut setup.banks {
            bank.rate_per_second = 1_000;
        }
        let token = Some(TOKEN.to_owned());
        let config = Config { setup, clock, journal: None, token, hooks };
        let (stop, told) = watch::channel(false);
        let server = tokio::spawn(serve(config, listener, told));
        let control = Control::new(&address, Some(TOKEN.to_owned())).unwrap();
        Self { address, control, stop, server }
    }

    /// Its two banks, called as the service calls them.
    pub(crate) fn registry(&self) -> BankRegistry {
        self.registry_within(PATIENCE)
    }

    /// The same, with less patience.
    pub(crate) fn registry_within(&self, timeout: Duration) -> BankRegistry {
        registry(
            &[("HDFC", "/banks/hdfc"), ("AXIS", "/banks/axis")]
                .map(|(name, path)| (name, format!("{}{path}", self.address))),
            TOKEN,
            timeout,
        )
    }

    pub(crate) async fn advance(&self, seconds: u64) {
        self.control.advance(Duration::from_secs(seconds)).await.unwrap();
    }

    /// Stops it; it must end by itself.
    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        let ended = tokio::time::timeout(PATIENCE, self.server).await;
        ended.expect("it stops in time").expect("no panic").expect("no error");
    }
}

/// Banks at some addresses.
pub(crate) fn registry(banks: &[(&str, String)], token: &str, timeout: Duration) -> BankRegistry {
    let mut variables: Vec<(OsString, OsString)> = Vec::new();
    for (name, url) in banks {
        let timeout = timeout.as_millis().to_string();
        for (kind, value) in [("URL", url.as_str()), ("TOKEN", token), ("TIMEOUT_MS", &timeout)] {
            variables.push((format!("BAHI_BANK_{name}_{kind}").into(), value.into()));
        }
    }
    BankRegistry::from_variables(variables).unwrap()
}

/// One bank of a registry.
pub(crate) fn bank<'a>(registry: &'a BankRegistry, code: &str) -> &'a dyn Bank {
    registry.get(&code.parse().unwrap()).unwrap().as_ref()
}
