//! `bahi keys`: who may call the API.

use anyhow::Context;
use clap::{Args, Subcommand};
use comfy_table::{Table, presets::NOTHING};
use ledger_api::{
    config::Settings,
    identity::{
        KeyEnvironment, KeyInfo, NewKey, Scope, ScopeSet, create_key, list_keys, revoke_key,
    },
};
use ledger_core::{clock::Timestamp, ids::Principal};
use sqlx::PgPool;

use super::{Verdict, say, work::with_database};

const EXAMPLES: &str = "\
Examples:
  bahi keys create --name till --scope ledger:read --scope ledger:write
  bahi keys list
  bahi keys revoke key_0123456789ab

A key is rotated by making a second one for the same name and revoking the first when nobody uses it
any more: idempotency keys belong to the name.";

/// Create, list and revoke API keys
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Keys {
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Make a key and print it; it is shown this once
    Create(Create),
    /// List all keys, without their secrets
    List,
    /// End a key; no process accepts it five seconds later
    Revoke {
        /// The key's id, as `bahi keys list` shows it
        id: String,
    },
}

#[derive(Debug, Args)]
struct Create {
    /// Whose key it is: a service or a person
    #[arg(long)]
    name: Principal,
    /// What it may do; may be repeated
    #[arg(long, required = true, value_delimiter = ',', value_name = "SCOPE", help = scopes())]
    scope: Vec<Scope>,
    /// What it is for, in your words
    #[arg(long, default_value = "made at the command line")]
    label: String,
    /// Make a `bahi_test_` key, which says of itself that it is not for real money
    #[arg(long)]
    test: bool,
}

fn scopes() -> String {
    let scopes = Scope::ALL.map(Scope::as_str).join(" ");
    format!("What it may do; may be repeated: {scopes}")
}

impl Keys {
    pub(super) async fn run(self, settings: Settings) -> anyhow::Result<Verdict> {
        with_database(&settings, async |database| {
            let pool = database.pool(database.app().clone());
            let done = match self.command {
                KeysCommand::Create(create) => create.run(&pool).await,
                KeysCommand::List => list(&pool).await,
                KeysCommand::Revoke { id } => revoke(&pool, &id).await,
            };
            pool.close().await;
            done
        })
        .await
    }
}

impl Create {
    async fn run(self, pool: &PgPool) -> anyhow::Result<Verdict> {
        let environment = if self.test { KeyEnvironment::Test } else { KeyEnvironment::Live };
        let new = NewKey {
            principal: self.name,
            label: self.label,
            scopes: ScopeSet::of(&self.scope),
            environment,
        };
        let (id, token) = create_key(pool, &new).await.context("no key was made")?;
        say::remark(format_args!("{id}, for {}; the key is shown this once:", new.principal));
        say::line(token.reveal());
        Ok(Verdict::Yes)
    }
}

async fn list(pool: &PgPool) -> anyhow::Result<Verdict> {
    let keys = list_keys(pool).await.context("the keys can't be listed")?;
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["ID", "NAME", "SCOPES", "CREATED", "LAST USED", "REVOKED", "LABEL"]);
    for key in &keys {
        table.add_row(row(key));
    }
    say::line(table.trim_fmt());
    Ok(Verdict::Yes)
}

fn row(key: &KeyInfo) -> [String; 7] {
    let when = |moment: Option<Timestamp>| {
        moment.map_or_else(|| "-".to_owned(), |m| m.format("%Y-%m-%d %H:%M:%SZ").to_string())
    };
    [
        key.id.clone(),
        key.principal.clone(),
        key.scopes.join(" "),
        when(Some(key.created_at)),
        when(key.last_used_at),
        when(key.revoked_at),
        key.label.clone(),
    ]
}

async fn revoke(pool: &PgPool, id: &str) -> anyhow::Result<Verdict> {
    revoke_key(pool, id).await.context("no key was revoked")?;
    say::line(format_args!("{id} is revoked"));
    Ok(Verdict::Yes)
}
