//! `bahi currencies`: which currencies the book has.

use clap::{Args, Subcommand};
use ledger_api::config::Settings;
use ledger_core::{
    chart::Authority,
    command::Operation,
    engine::Engine,
    ids::Principal,
    money::{Currency, CurrencyCode},
};

use super::{
    Verdict, say,
    work::{status_now, submit, with_engine},
};

const EXAMPLES: &str = "\
Examples:
  bahi currencies list
  bahi currencies add EUR 2

Exit code 1: the book refused, for it has the currency already. A scale never changes.";

/// List and add currencies
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Currencies {
    #[command(subcommand)]
    command: CurrenciesCommand,
}

#[derive(Debug, Subcommand)]
enum CurrenciesCommand {
    /// List them with their scales
    List,
    /// Make a currency usable, for ever
    Add {
        /// 3 to 8 upper-case letters or digits
        code: CurrencyCode,
        /// Decimals of its minor unit, 0 to 18
        scale: u8,
        /// Who adds it; stands in the log
        #[arg(long = "as", default_value = "operator", value_name = "NAME")]
        principal: Principal,
    },
}

impl Currencies {
    pub(super) async fn run(self, settings: Settings) -> anyhow::Result<Verdict> {
        with_engine(&settings, async |engine| match self.command {
            CurrenciesCommand::List => list(engine).await,
            CurrenciesCommand::Add { code, scale, principal } => {
                add(engine, Currency { code, scale }, &principal).await
            }
        })
        .await
    }
}

async fn list(engine: &Engine) -> anyhow::Result<Verdict> {
    let status = status_now(engine).await?;
    for Currency { code, scale } in status.book.currencies() {
        say::line(format_args!("{code:<8} {scale}"));
    }
    Ok(Verdict::Yes)
}

async fn add(
    engine: &Engine,
    currency: Currency,
    principal: &Principal,
) -> anyhow::Result<Verdict> {
    let operation = Operation::AddCurrency(currency);
    match submit(engine, principal, None, Authority::NONE, operation).await? {
        Ok(accepted) => {
            let (code, position) = (currency.code, accepted.position);
            say::line(format_args!("{code} can be used from position {position} on"));
            Ok(Verdict::Yes)
        }
        Err(rejection) => {
            say::remark(format_args!("{} [{}]", rejection.detail, rejection.code));
            Ok(Verdict::No)
        }
    }
}
