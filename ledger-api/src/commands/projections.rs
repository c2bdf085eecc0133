//! `bahi projections`: the read models, looked at and made again.

use anyhow::Context;
use clap::{Args, Subcommand};
use ledger_api::config::Settings;
use ledger_core::log::read;
use projections::{ReadModel, ReadModels, rebuild};
use sqlx::PgPool;

use super::{
    Verdict, say,
    work::{Bar, must_exist, with_database},
};

const EXAMPLES: &str = "\
Examples:
  bahi projections status
  bahi projections rebuild
  bahi projections rebuild --only flows

A rebuild folds the log beside live traffic and swaps the tables at the end; until then, readers see
the old ones. Exit code of status: 0 nothing is behind, 1 the read models are behind the log.";

/// Look at the read models, and make them again from the log
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Projections {
    #[command(subcommand)]
    command: ProjectionsCommand,
}

#[derive(Debug, Subcommand)]
enum ProjectionsCommand {
    /// Say how far they are
    Status,
    /// Make them again from the log
    Rebuild {
        /// One of them; else all
        #[arg(long, value_name = "NAME", help = names())]
        only: Option<ReadModel>,
    },
}

fn names() -> String {
    format!("One of {}; else all", ReadModel::ALL.map(ReadModel::name).join(", "))
}

impl Projections {
    pub(super) async fn run(self, settings: Settings) -> anyhow::Result<Verdict> {
        must_exist(&settings)?;
        with_database(&settings, async |database| {
            let pool = database.pool(database.app_patient());
            let done = match self.command {
                ProjectionsCommand::Status => status(&pool).await,
                ProjectionsCommand::Rebuild { only } => remake(&pool, only).await,
            };
            pool.close().await;
            done
        })
        .await
    }
}

async fn status(pool: &PgPool) -> anyhow::Result<Verdict> {
    // In this order, so that a log that grows meanwhile never makes the read models seem ahead.
    let models = ReadModels::new(pool.clone());
    let reached = models.position().await.context("the read models can't be read")?;
    let head = read::head(pool).await.context("the log can't be read")?.position;
    let behind = head.saturating_sub(reached);
    say::line(format_args!(
        "log          at position {head}\nread models  at position {reached}, {behind} behind"
    ));
    Ok(if behind == 0 { Verdict::Yes } else { Verdict::No })
}

async fn remake(pool: &PgPool, only: Option<ReadModel>) -> anyhow::Result<Verdict> {
    let bar = Bar::new("rebuilding");
    let report = rebuild(pool, only, |done, head| bar.at(done, Some(head)));
    let report = report.await.context("the read models are as they were")?;
    drop(bar);
    let names: Vec<&str> = report.models.iter().map(|model| model.name()).collect();
    say::line(format_args!(
        "{} rebuilt up to position {} in {:.1?}",
        names.join(", "),
        report.position,
        report.elapsed
    ));
    Ok(Verdict::Yes)
}
