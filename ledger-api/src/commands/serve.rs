//! `bahi serve`: the service.

use std::net::SocketAddr;

use anyhow::{Context, anyhow};
use clap::Args;
use ledger_api::{
    banks::BankRegistry,
    config::Settings,
    logins::LoginSettings,
    service::{Role, Roles, SandboxClock, Service, ServiceConfig},
    shutdown, telemetry,
    webhooks::Banks,
};
use tokio::net::TcpListener;

use super::{Verdict, say};

const EXAMPLES: &str = "\
Examples:
  bahi serve
  bahi serve --listen 127.0.0.1:9000
  DATABASE_URL=postgres://app@db/bahi bahi serve --role api --role worker
  BAHI_BANK_HDFC_WEBHOOK_SECRETS=whsec_… bahi serve --role webhooks
  BAHI_BANK_HDFC_URL=http://127.0.0.1:9191/banks/hdfc bahi serve

It listens at once and answers 503 until its database is there. Ctrl-C or SIGTERM stops it in order;
twice, at once. For each bank, BAHI_BANK_{NAME}_URL says where its adapter is, _TOKEN what it
wants to be shown, _TIMEOUT_MS how long a call may take [default: 10000], _WEBHOOK_SECRETS what its
webhooks are signed with (docs/banks.md).";

/// Where it listens unless told otherwise.
pub(super) const LISTEN_DEFAULT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

/// Run the service
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Serve {
    /// Where to listen, in plain HTTP; for the network, put a proxy with TLS in front
    #[arg(long, env = "BAHI_LISTEN", default_value_t = LISTEN_DEFAULT, value_name = "ADDRESS")]
    listen: SocketAddr,
    /// What this process does; may be repeated [default: all]
    #[arg(long, env = "BAHI_ROLE", value_delimiter = ',', value_name = "ROLE")]
    role: Vec<Role>,
    /// How many accounts and holds are kept in memory, some 700 bytes each; others are read when
    /// needed [default: as many as fit into a sixteenth of the memory]
    #[arg(long, env = "BAHI_CACHE_ACCOUNTS", value_name = "NUMBER")]
    cache_accounts: Option<usize>,
}

impl Serve {
    pub(super) async fn run(self, settings: Settings) -> anyhow::Result<Verdict> {
        let told = shutdown::on_signal().context("signals can't be received")?;
        let roles = Roles::of(&self.role);
        let banks = Banks::from_environment()?;
        let bank_registry = BankRegistry::from_environment()?;
        anyhow::ensure!(
            roles.ledger() || !banks.is_empty(),
            "no bank may send webhooks: set BAHI_BANK_{{NAME}}_WEBHOOK_SECRETS (docs/banks.md)"
        );
        let listener =
            if roles.api || roles.webhooks { Some(listen(self.listen).await?) } else { None };
        let metrics = Some(telemetry::metrics()?);
        let cache_accounts = self.cache_accounts;
        let demo = settings.demo;
        let config = ServiceConfig {
            settings,
            roles,
            cache_accounts,
            banks,
            bank_registry,
            sandbox_clock: SandboxClock::from_environment()?,
            logins: LoginSettings::from_environment(demo)?,
            listener,
            metrics,
        };
        let Some(service) = Service::start(config, told.clone()).await? else {
            return Ok(Verdict::Yes);
        };
        shutdown::wait(&mut told.clone()).await;
        service.stop().await?;
        Ok(Verdict::Yes)
    }
}

/// Takes the port.
pub(super) async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    if !address.ip().is_loopback() {
        say::remark(format_args!(
            "{address} is reachable from other machines, in plain HTTP: let only a proxy with \
             TLS reach it"
        ));
    }
    TcpListener::bind(address).await.map_err(|error| {
        let other = SocketAddr::new(address.ip(), address.port().wrapping_add(1).max(1024));
        anyhow!("can't listen on {address} ({error}); try another: --listen {other}")
    })
}
