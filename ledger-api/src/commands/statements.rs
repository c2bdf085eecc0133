//! `bahi statements`: what banks state, from files.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use ledger_api::{
    config::Settings,
    statements::{self, Format},
};
use ledger_core::ids::{BankCode, Principal};

use super::{
    Verdict, say,
    work::{status_now, with_database, with_engine},
};

const EXAMPLES: &str = "\
Examples:
  bahi statements import 2026-11-22.json --bank hdfc --format json

A statement is taken whole or refused whole; the same file again changes nothing. The worker of a
running service books its lines.";

/// Take in what banks state
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct StatementsCommand {
    #[command(subcommand)]
    command: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Check a bank's statement and store it
    Import {
        /// The file
        file: PathBuf,
        /// The bank
        #[arg(long)]
        bank: BankCode,
        /// How it is written
        #[arg(long, value_enum)]
        format: Format,
        /// In whose name
        #[arg(long, default_value = "operator:cli")]
        by: Principal,
    },
}

impl StatementsCommand {
    pub(super) async fn run(self, settings: Settings) -> anyhow::Result<Verdict> {
        let What::Import { file, bank, format, by } = self.command;
        let bytes =
            std::fs::read(&file).with_context(|| format!("can't read {}", file.display()))?;
        let status = with_engine(&settings, async |engine| status_now(engine).await).await?;
        let book = status.book;
        let statement = statements::parse(format, &bytes, &|code| book.currency(code))
            .with_context(|| format!("{} is no statement", file.display()))?;
        let imported = with_database(&settings, async |database| {
            let pool = database.pool(database.app().clone());
            let imported = statements::import(&pool, &bank, format, &statement, &by).await;
            pool.close().await;
            Ok(imported?)
        })
        .await?;
        let known = if imported.duplicate { ", known already" } else { "" };
        say::line(format_args!(
            "statement {}: {} of {} lines are new, {} breaks{known}",
            imported.file_id, imported.new_lines, imported.lines, imported.breaks
        ));
        Ok(Verdict::Yes)
    }
}
