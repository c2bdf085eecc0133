//! `bahi statements`: what banks state, from files.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use ledger_api::{
    config::Settings,
    statements::{self, CsvMapping, Format, HandedIn, OurNumbers, Reading},
};
use ledger_core::ids::{BankCode, Principal};

use super::{
    Verdict, say,
    work::{status_now, with_database, with_engine},
};

const EXAMPLES: &str = "\
Examples:
  bahi statements import 2026-11-22.json --bank hdfc --format json
  bahi statements import day.xml --bank hdfc --format camt053 --accounts 'escrow=501000123456'
  bahi statements import day.csv --bank hdfc --format csv --mapping 'account=escrow;currency=INR;\
id=Txn Id;date=Date;format=%d/%m/%Y;debit=Withdrawal;credit=Deposit;balance=Balance'

A statement is taken whole or refused whole; the same file again changes nothing. The worker of a
running service books its lines. It takes no second person, as over HTTP: whoever may run this may
change the machine's configuration as well.";

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
        /// The numbers of our accounts, as camt053 and mt940 name them; else the variable
        /// `BAHI_BANK_{BANK}_ACCOUNTS`
        #[arg(long)]
        accounts: Option<OurNumbers>,
        /// What the columns of a CSV file mean
        #[arg(long)]
        mapping: Option<CsvMapping>,
        /// In whose name
        #[arg(long, default_value = "operator:cli")]
        by: Principal,
    },
}

impl StatementsCommand {
    pub(super) async fn run(self, settings: Settings) -> anyhow::Result<Verdict> {
        let What::Import { file, bank, format, accounts, mapping, by } = self.command;
        let bytes =
            std::fs::read(&file).with_context(|| format!("can't read {}", file.display()))?;
        let status = with_engine(&settings, async |engine| status_now(engine).await).await?;
        let book = status.book;
        let accounts = match accounts {
            Some(accounts) => accounts,
            None => statements::numbers_of(std::env::vars_os())?.remove(&bank).unwrap_or_default(),
        };
        let reading = Reading {
            currency: &|code| book.currency(code),
            accounts: &accounts,
            csv: mapping.as_ref(),
        };
        let read = statements::parse(format, &bytes, &reading)
            .with_context(|| format!("{} is no statement", file.display()))?;
        let imported = with_database(&settings, async |database| {
            let pool = database.pool(database.app().clone());
            let by = HandedIn { by: &by, approved_by: None };
            let imported = statements::import_all(&pool, &bank, format, &read, by).await;
            pool.close().await;
            Ok(imported?)
        })
        .await?;
        for imported in imported {
            let known = if imported.duplicate { ", known already" } else { "" };
            say::line(format_args!(
                "statement {}: {} of {} lines are new, {} breaks{known}",
                imported.file_id, imported.new_lines, imported.lines, imported.breaks
            ));
        }
        Ok(Verdict::Yes)
    }
}
