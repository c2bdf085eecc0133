//! `bahi conformance`: whether an adapter to a bank speaks the protocol of docs/banks.md.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context;
use clap::Args;
use ledger_core::clock::{Ids, System};
use sandbox_bank::conformance::{self, Options, Verdict as Outcome};
use tokio::net::TcpListener;

use super::{Verdict, sandbox::duration, say};

const EXAMPLES: &str = "\
Examples:
  bahi conformance http://127.0.0.1:9191/banks/hdfc
  bahi conformance http://127.0.0.1:9191/banks/hdfc --hooks 127.0.0.1:9292 --secret whsec_...

It moves small amounts of money to a test beneficiary: use it against a test system only.
Exit codes: 0 nothing failed, 1 something did, 2 there is no answer.";

/// Check that an adapter to a bank speaks the protocol of docs/banks.md
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Conformance {
    /// The adapter's base URL, in plain HTTP
    #[arg(value_name = "URL")]
    url: String,
    /// What it wants to be shown
    #[arg(long, env = "BAHI_CONFORMANCE_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Listen here for its webhooks; it must be told to send them to this address
    #[arg(long, requires = "secret", value_name = "ADDRESS")]
    hooks: Option<SocketAddr>,
    /// What its webhooks are signed with
    #[arg(long, env = "BAHI_CONFORMANCE_SECRET", value_name = "WHSEC", hide_env_values = true)]
    secret: Option<String>,
    /// How long an answer may take; what is longer counts as none
    #[arg(long, value_parser = duration, default_value = "10s", value_name = "DURATION")]
    answer_within: Duration,
    /// How long a payment, or a webhook, may take
    #[arg(long, value_parser = duration, default_value = "30s", value_name = "DURATION")]
    outcome_within: Duration,
}

impl Conformance {
    pub(super) async fn run(self) -> anyhow::Result<Verdict> {
        let hooks = match (self.hooks, self.secret) {
            (Some(address), Some(secret)) => {
                let listener = TcpListener::bind(address)
                    .await
                    .with_context(|| format!("can't listen on {address}"))?;
                Some((listener, secret))
            }
            _ => None,
        };
        // References must be new to the bank, whenever this was run before; the last characters of
        // the id are its random ones.
        let id = System.fresh().simple().to_string();
        let run = id.get(20..).unwrap_or(&id).to_owned();
        let options = Options {
            base_url: self.url,
            token: self.token,
            run,
            answer_within: self.answer_within,
            outcome_within: self.outcome_within,
            hooks,
        };
        let checks = conformance::run(options, |check| say::line(check)).await?;
        let failed = checks.iter().filter(|c| matches!(c.verdict, Outcome::Fail(_))).count();
        let skipped = checks.iter().filter(|c| matches!(c.verdict, Outcome::Skip(_))).count();
        let passed = checks.len() - failed - skipped;
        say::line(format_args!("{passed} passed, {failed} failed, {skipped} skipped"));
        Ok(if failed == 0 { Verdict::Yes } else { Verdict::No })
    }
}
