//! `bahi import`: the accounts and balances of an older system.

use std::path::{Path, PathBuf};

use anyhow::Context;
use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use ledger_api::{
    config::Settings,
    import::{self, Checked, Format, OPENING, Refused},
};
use ledger_core::{
    engine::Engine,
    ids::{AccountCode, AccountId, Principal},
    log,
    money::CurrencyCode,
};
use projections::ReadModels;
use sqlx::PgPool;

use super::{
    Verdict, say,
    work::{Bar, status_now, with_engine_on},
};

const EXAMPLES: &str = "\
Examples:
  bahi import old-system.csv --dry-run
  bahi import old-system.csv --on 2026-03-31
  bahi import old-system.ndjson

A CSV file has the columns account, currency, balance, and, where needed, owner, type and item; an
NDJSON file has objects with the same fields. Balances stand on the normal side of the account's
type and come against migration:opening, which must end at zero. docs/books.md has more.

Exit code 1: the file has faults, and nothing of it was posted; or the ledger refused a row.";

/// Bring in the accounts and balances of an older system
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Import {
    /// The file; its name ends in .csv or .ndjson, or --format says what it is
    file: PathBuf,
    /// How it is written
    #[arg(long, value_enum)]
    format: Option<Written>,
    /// Check it, and post nothing
    #[arg(long)]
    dry_run: bool,
    /// The business date of the balances; else today
    #[arg(long, value_name = "DAY")]
    on: Option<NaiveDate>,
    /// Who imports it; stands in the log. An account is imported once by each.
    #[arg(long = "as", default_value = "import", value_name = "NAME")]
    principal: Principal,
}

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Written {
    /// Cells with commas between them, and a header
    Csv,
    /// An object of JSON on each line
    Ndjson,
}

impl Import {
    pub(super) async fn run(self, settings: Settings) -> anyhow::Result<Verdict> {
        let format = self.format()?;
        let text = std::fs::read_to_string(&self.file)
            .with_context(|| format!("can't read {}", self.file.display()))?;
        with_engine_on(&settings, async |database, engine| {
            let book = status_now(engine).await?.book;
            let checked = import::read(&text, format).and_then(|rows| import::check(&rows, &book));
            let checked = match checked {
                Ok(checked) => checked,
                Err(faults) => {
                    for fault in faults {
                        say::remark(fault);
                    }
                    say::remark("nothing was imported");
                    return Ok(Verdict::No);
                }
            };
            for (currency, sum) in &checked.sums {
                say::line(format_args!("{currency:<8} {sum:>24} on either side"));
            }
            if self.dry_run {
                say::line(format_args!("{} rows are in order", checked.rows.len()));
                return Ok(Verdict::Yes);
            }
            if !self.post(engine, &checked).await? {
                return Ok(Verdict::No);
            }
            let pool = database.pool(database.app().clone());
            let ends = ends_at_zero(&pool, &checked).await;
            pool.close().await;
            ends
        })
        .await
    }

    fn format(&self) -> anyhow::Result<Format> {
        let ends = |ending| Path::new(&self.file).extension().is_some_and(|e| e == ending);
        Ok(match self.format {
            Some(Written::Csv) => Format::Csv,
            Some(Written::Ndjson) => Format::Ndjson,
            None if ends("csv") => Format::Csv,
            None if ends("ndjson") => Format::Ndjson,
            None => anyhow::bail!("say how the file is written: --format csv or ndjson"),
        })
    }

    async fn post(&self, engine: &Engine, checked: &Checked) -> anyhow::Result<bool> {
        let bar = Bar::new("importing");
        let of = u64::try_from(checked.rows.len()).ok();
        let done = import::post(engine, &self.principal, (checked, self.on), |done| {
            bar.at(u64::try_from(done).unwrap_or(0), of);
        })
        .await;
        drop(bar);
        match done {
            Ok(done) => {
                say::line(format_args!(
                    "{} accounts opened, {} there before; {} balances posted, {} before",
                    done.accounts, done.accounts_before, done.balances, done.balances_before
                ));
                Ok(true)
            }
            Err(refused @ (Refused::Row { .. } | Refused::Otherwise { .. })) => {
                say::remark(refused);
                say::remark("the import stopped there; the same file goes on from there");
                Ok(false)
            }
            Err(error @ (Refused::Ledger(_) | Refused::Id(_))) => Err(error.into()),
        }
    }
}

/// Whether nothing is left on what the balances came against.
async fn ends_at_zero(pool: &PgPool, checked: &Checked) -> anyhow::Result<Verdict> {
    const UNREADABLE: &str = "the log can't be read";
    let models = ReadModels::new(pool.clone());
    let head = log::read::head(pool).await.context(UNREADABLE)?.position;
    let code: AccountCode = OPENING.parse()?;
    let mut verdict = Verdict::Yes;
    for currency in checked.sums.keys() {
        let currency: CurrencyCode = currency.parse()?;
        let account = AccountId::new(&code, currency);
        let balance = models.balance_at_position(&account, head).await.context(UNREADABLE)?;
        let left = balance.value.map(|balance| balance.posted).unwrap_or_default();
        if !left.is_zero() {
            say::remark(format_args!("{account} is left with {left}"));
            verdict = Verdict::No;
        }
    }
    Ok(verdict)
}
