//! The demo's banks: the sandbox, as a process of its own, and what the ledger has there.
//!
//! It ends with the demo, however that ends: its standard input is a pipe of ours.

use std::{
    ffi::OsString,
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, bail};
use ledger_api::{
    banks::{BankRegistry, Health},
    service::SandboxClock,
    webhooks::Banks,
};
use tokio::{
    process::{Child, Command},
    time::{self, Instant},
};

use super::super::sandbox::{AXIS_SECRET, HDFC_SECRET};

/// The first port that is tried.
const PORT: u16 = 9191;
const PORTS_TRIED: u16 = 20;
/// The file of the sandbox's journal.
const JOURNAL: &str = "sandbox-bank.journal";
/// How long the sandbox may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// What each starts with, in rupees: in escrow what lets money go out at one bank that came in at
/// another, and the company's own. The demo books both before anything else happens.
pub(super) const ESCROW: &str = "500000.00";
pub(super) const OWN: &str = "10000000.00";
/// The banks of the sandbox.
pub(super) const CODES: [&str; 2] = ["hdfc", "axis"];

/// The sandbox of a demo, and how the service gets to it.
pub(super) struct DemoBanks {
    /// Where it is: `http://127.0.0.1:9191`.
    pub(super) url: String,
    pub(super) registry: BankRegistry,
    pub(super) webhooks: Banks,
    pub(super) clock: SandboxClock,
    child: Child,
}

impl DemoBanks {
    /// Whether there have been banks in `data` before.
    pub(super) fn were_in(data: &Path) -> bool {
        data.join(JOURNAL).exists()
    }

    /// Starts it. It tells the service at `address`, and keeps its journal in `data`; a new one's
    /// clock starts so far behind.
    pub(super) async fn start(
        address: SocketAddr,
        data: &Path,
        behind: Duration,
    ) -> anyhow::Result<Self> {
        let listen = free_port(PORT, "the sandbox bank")?;
        let url = format!("http://{listen}");
        let program = std::env::current_exe().context("the program's own file is not known")?;
        let child = Command::new(program)
            .args(["sandbox", "serve", "--until-stdin-ends", "--listen", &listen.to_string()])
            .args(["--hooks", &format!("http://{address}/hooks/banks"), "--journal"])
            .arg(data.join(JOURNAL))
            .args(["--behind", &format!("{}s", behind.as_secs())])
            .args(["--escrow", ESCROW, "--own", OWN])
            .envs(secrets())
            .env_remove("BAHI_SANDBOX_TOKEN")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C is ours to hear: the banks stay until their last answers are in.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .context("the sandbox bank can't be started")?;
        let variables = CODES.map(|code| {
            let name = format!("BAHI_BANK_{}_URL", code.to_ascii_uppercase());
            (OsString::from(name), OsString::from(format!("{url}/banks/{code}")))
        });
        let registry = BankRegistry::from_variables(variables)?;
        let secrets = secrets().map(|(name, value)| (name.into(), value.into()));
        let webhooks = Banks::from_variables(secrets)?;
        let clock = SandboxClock::at(&url, None)?;
        let mut banks = Self { url, registry, webhooks, clock, child };
        banks.wait().await?;
        banks.clock = banks.clock.from_where_it_stands().await?;
        Ok(banks)
    }

    async fn wait(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        for bank in self.registry.iter() {
            while bank.health().await == Health::Down {
                if let Some(status) = self.child.try_wait()? {
                    bail!("the sandbox bank ended ({status}); try it: bahi sandbox serve");
                }
                if Instant::now() >= deadline {
                    bail!("the sandbox bank does not answer at {}", self.url);
                }
                time::sleep(LOOK_EVERY).await;
            }
        }
        Ok(())
    }

    /// Ends it.
    pub(super) async fn stop(mut self) {
        drop(self.child.stdin.take());
        if time::timeout(PATIENCE, self.child.wait()).await.is_err() {
            tracing::warn!("the sandbox bank does not end by itself");
        }
    }
}

fn secrets() -> [(&'static str, &'static str); 2] {
    [
        ("BAHI_BANK_HDFC_WEBHOOK_SECRETS", HDFC_SECRET),
        ("BAHI_BANK_AXIS_WEBHOOK_SECRETS", AXIS_SECRET),
    ]
}

/// An address that nobody listens on. Somebody may take it before the child does; then that says
/// so and the demo ends.
pub(super) fn free_port(first: u16, what: &str) -> anyhow::Result<SocketAddr> {
    for port in first..first.saturating_add(PORTS_TRIED) {
        let address = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port);
        match TcpListener::bind(address) {
            Ok(_) => return Ok(address),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(error).context(format!("can't listen on {address}")),
        }
    }
    bail!("{PORTS_TRIED} ports from {first} on are taken; {what} needs one")
}
