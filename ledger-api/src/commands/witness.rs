//! `bahi witness`: remembers what a ledger showed, and countersigns what goes on from it.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, sync::Arc};

use anyhow::{Context, anyhow};
use clap::Args;
use ledger_api::{
    proofs::read_key,
    shutdown,
    witness::{self, WitnessBook},
};
use projections::audit::proof::LogKey;
use tokio::net::TcpListener;

use super::{Verdict, say};

const EXAMPLES: &str = "\
Examples:
  bahi witness --name auditor.example/bahi --watch bahi/2f6c1f0f2d5b8a11=4f0c…
  BAHI_WITNESSES=\"http://auditor.example:9494 auditor.example/bahi+1b2c3d4e+BAAA…\" bahi serve

Run it where nobody who runs the ledger can reach. It keeps its key and what it has seen in its
folder; a witness that lost them gets a new name and key. It prints its key, which the ledger and
whoever checks a proof are given.";

/// Countersign a ledger's checkpoints, on a machine of an auditor
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Witness {
    /// What this witness is called: a name without spaces, as auditor.example/bahi
    #[arg(long)]
    name: String,
    /// A log to watch: its name as it stands in its checkpoints, and its key; several are allowed,
    /// also of one log whose key changed
    #[arg(long = "watch", value_name = "NAME=KEY", required = true, value_parser = log)]
    logs: Vec<(String, LogKey)>,
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:9494", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// The folder of its key and of what it has seen
    #[arg(long, default_value = ".bahi-witness", value_name = "DIR")]
    folder: PathBuf,
}

impl Witness {
    pub(super) async fn run(self) -> anyhow::Result<Verdict> {
        let mut told = shutdown::on_signal()?;
        let signer = read_key(&self.folder.join("key")).context("the witness's key")?;
        let key = signer.witness(&self.name).context("--name")?;
        let mut logs: BTreeMap<String, Vec<LogKey>> = BTreeMap::new();
        for (origin, key) in self.logs {
            logs.entry(origin).or_default().push(key);
        }
        let file = self.folder.join("seen.json");
        let book = WitnessBook::open((self.name, signer), logs, file)?;
        let listener = TcpListener::bind(self.listen)
            .await
            .with_context(|| format!("can't listen on {}", self.listen))?;
        say::remark(format_args!("listening on http://{}", listener.local_addr()?));
        say::line(key);
        let router = witness::routes(Arc::new(book));
        axum::serve(listener, router)
            .with_graceful_shutdown(async move { shutdown::wait(&mut told).await })
            .await?;
        Ok(Verdict::Yes)
    }
}

fn log(text: &str) -> anyhow::Result<(String, LogKey)> {
    let (origin, key) = text.split_once('=').ok_or_else(|| anyhow!("not NAME=KEY"))?;
    Ok((origin.to_owned(), key.parse()?))
}
