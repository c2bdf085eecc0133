//! `bahi migrate`: the tables, made or brought up to date by their owner.

use clap::Args;
use ledger_api::{
    config::{DatabaseUrl, Settings},
    setup::{Database, migrate},
};

use super::{Verdict, say};

const EXAMPLES: &str = "\
Example:
  BAHI_MIGRATE_URL=postgres://owner@db/bahi bahi migrate

The role must own the database, or be allowed to create in it. The first run also makes the role
bahi_app, for which it needs CREATEROLE; or make it yourself before: create role bahi_app nologin.
Without any URL, the private PostgreSQL is migrated; `bahi serve` does that by itself.";

/// Create or update the tables
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Migrate {
    /// The database as its owner; else the one of --database-url
    #[arg(
        long,
        env = "BAHI_MIGRATE_URL",
        hide_env_values = true,
        default_value = "",
        hide_default_value = true,
        value_name = "URL"
    )]
    migrate_url: DatabaseUrl,
}

impl Migrate {
    pub(super) async fn run(self, settings: Settings) -> anyhow::Result<Verdict> {
        let url = match self.migrate_url.options()? {
            Some(owner) => Some(owner),
            None => settings.database_url.options()?,
        };
        match url {
            Some(owner) => migrate(owner).await?,
            None => drop(Database::open(&settings).await?.close().await?),
        }
        say::line("the database is up to date");
        Ok(Verdict::Yes)
    }
}
