//! `bahi clients`: the frontends of others that people may let in.

use anyhow::Context;
use chrono::{SubsecRound as _, Utc};
use clap::{Args, Subcommand};
use comfy_table::{Table, presets::NOTHING};
use ledger_api::{
    config::Settings,
    logins::server::{Client, Clients, NewClient},
};
use ledger_core::clock::Timestamp;

use super::{Verdict, say, work::with_database};

const EXAMPLES: &str = "\
Examples:
  bahi clients add --name 'Asha pays' --redirect-uri https://pays.example/back \\
    --origin https://pays.example
  bahi clients list
  bahi clients revoke app_0123456789abcdefghij

A client has an id and no secret: what runs in a browser or on a phone can keep none. How a frontend
gets tokens with it stands in docs/logins.md.";

/// Register, list and revoke frontends of others
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ClientsCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Register one and print its id
    Add(Add),
    /// List all, revoked ones too
    List,
    /// End one, and every token that it got
    Revoke {
        /// Its id, as `bahi clients list` shows it
        id: String,
    },
}

#[derive(Debug, Args)]
struct Add {
    /// What people are shown when it asks to be let in
    #[arg(long)]
    name: String,
    /// Where browsers may be sent back to, to the letter; may be repeated
    #[arg(long, required = true, value_name = "URL")]
    redirect_uri: Vec<String>,
    /// An origin whose pages may call the API; may be repeated
    #[arg(long, value_name = "ORIGIN")]
    origin: Vec<String>,
}

impl ClientsCommand {
    pub(super) async fn run(self, settings: Settings) -> anyhow::Result<Verdict> {
        with_database(&settings, async |database| {
            let pool = database.pool(database.app().clone());
            let clients = Clients::new(pool.clone());
            let done = match self.command {
                Command::Add(add) => add.run(&clients).await,
                Command::List => list(&clients).await,
                Command::Revoke { id } => revoke(&clients, &id).await,
            };
            pool.close().await;
            done
        })
        .await
    }
}

impl Add {
    async fn run(self, clients: &Clients) -> anyhow::Result<Verdict> {
        let new =
            NewClient { name: self.name, redirect_uris: self.redirect_uri, origins: self.origin };
        let id = clients.add(&new, now()).await.context("no client was registered")?;
        say::line(id);
        Ok(Verdict::Yes)
    }
}

async fn list(clients: &Clients) -> anyhow::Result<Verdict> {
    let clients = clients.list().await.context("the clients can't be listed")?;
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["ID", "NAME", "REDIRECT URIS", "ORIGINS", "CREATED", "REVOKED"]);
    for client in &clients {
        table.add_row(row(client));
    }
    say::line(table.trim_fmt());
    Ok(Verdict::Yes)
}

fn row(client: &Client) -> [String; 6] {
    let when = |moment: Option<Timestamp>| {
        moment.map_or_else(|| "-".to_owned(), |m| m.format("%Y-%m-%d %H:%M:%SZ").to_string())
    };
    [
        client.id.clone(),
        client.name.clone(),
        client.redirect_uris.join(" "),
        client.origins.join(" "),
        when(Some(client.created_at)),
        when(client.revoked_at),
    ]
}

async fn revoke(clients: &Clients, id: &str) -> anyhow::Result<Verdict> {
    clients.revoke(id, now()).await.context("no client was revoked")?;
    say::line(format_args!("{id} is revoked"));
    Ok(Verdict::Yes)
}

/// As exact as the database keeps it.
fn now() -> Timestamp {
    Utc::now().trunc_subsecs(6)
}
