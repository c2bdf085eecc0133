//! `bahi periods`: which months are closed, closing them, opening them again, and the year's end.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, ensure};
use chrono::NaiveDate;
use clap::{Args, Subcommand};
use ledger_api::{
    config::Settings,
    identity::{KeyRing, Scope},
    periods,
};
use ledger_core::{
    book::{BookEvent, PeriodOperation},
    chart::{Authority, PostingClass},
    clock::{Ids, System},
    command::{Approval, Command, Operation, Outcome},
    engine::Engine,
    ids::{Principal, Reference, RequestId, TransactionId},
};
use projections::{PeriodChange, ReadModels};
use sha2::{Digest, Sha256};
use sqlx::PgPool;

use super::{
    Verdict, say,
    work::{status_now, with_engine_on},
};

const EXAMPLES: &str = "\
Examples:
  bahi periods list
  bahi periods close 2026-10-31 --key-file asha.key --approver-key-file ravi.key \
      --reason month_end --evidence tb.csv
  bahi periods reopen 2026-10-01 --key-file asha.key --approver-key-file ravi.key \
      --reason inv-2207 --evidence note.pdf
  bahi periods close-year --key-file asha.key --approver-key-file ravi.key \
      --reason year_end --evidence audit.pdf

Two persons, each by a key of their own with the scope ops:approve, as POST /v1/ops/periods takes
them: a file has one key and nothing else. Whose they are stands in the log, with the SHA-256 of the
evidence. Exit code 1: the book refused.";

/// How long the read models may take to come to the end of the log.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// Close months and years, and open them again
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Periods {
    #[command(subcommand)]
    command: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show up to when all is closed, and what happened to periods
    List,
    /// Close all months up to a day that is over
    Close {
        /// The last day of a month
        until: NaiveDate,
        #[command(flatten)]
        persons: Persons,
    },
    /// Open the months from a day on again
    Reopen {
        /// The first day of a month
        from: NaiveDate,
        #[command(flatten)]
        persons: Persons,
    },
    /// Move a year's income and expense to equity:retained
    CloseYear {
        /// The year's last day, which must be closed; else the last closed end of a year
        until: Option<NaiveDate>,
        /// The month and day that years end with
        #[arg(long, value_name = "MONTH-DAY", default_value = "03-31", value_parser = month_day)]
        ends: (u32, u32),
        #[command(flatten)]
        persons: Persons,
    },
}

/// Who decides, and on what grounds.
#[derive(Debug, Args)]
struct Persons {
    /// The API key of who does it
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
    /// The API key of who approves it: another person's
    #[arg(long, value_name = "FILE")]
    approver_key_file: PathBuf,
    /// Why: a code or a reference, without personal data
    #[arg(long)]
    reason: Reference,
    /// What both have seen; its SHA-256 stands in the log
    #[arg(long, value_name = "FILE")]
    evidence: PathBuf,
}

fn month_day(text: &str) -> Result<(u32, u32), String> {
    let wrong = || "a month and a day, such as 03-31".to_owned();
    let (month, day) = text.split_once('-').ok_or_else(wrong)?;
    let (month, day) = (month.parse().map_err(|_| wrong())?, day.parse().map_err(|_| wrong())?);
    // A year that has all days.
    NaiveDate::from_ymd_opt(2028, month, day).map(|_| (month, day)).ok_or_else(wrong)
}

impl Persons {
    /// Who does it, and with whose word: as their keys say, and not as somebody types it.
    async fn known(&self, pool: &PgPool) -> anyhow::Result<(Principal, Approval)> {
        let ring = KeyRing::new(pool.clone());
        let principal = whose(&ring, &self.key_file).await?;
        let approver = whose(&ring, &self.approver_key_file).await?;
        ensure!(principal != approver, "both keys are {principal}’s: another person has to agree");
        let (reason, evidence_sha256) = (self.reason.to_string(), sha256(&self.evidence)?);
        Ok((principal, Approval { approver, reason, evidence_sha256 }))
    }
}

/// Whose key a file has; it must be in force and allow what two persons do here.
async fn whose(ring: &Arc<KeyRing>, file: &Path) -> anyhow::Result<Principal> {
    let name = file.display();
    let text = std::fs::read_to_string(file).with_context(|| format!("can't read {name}"))?;
    let caller = ring.verify(text.trim()).await;
    let caller = caller.with_context(|| format!("{name} was not accepted"))?;
    ensure!(caller.has(Scope::OpsApprove), "the key in {name} lacks the scope ops:approve");
    Ok(caller.principal)
}

fn sha256(file: &Path) -> anyhow::Result<String> {
    let bytes = std::fs::read(file).with_context(|| format!("can't read {}", file.display()))?;
    Ok(hex::encode(Sha256::digest(bytes)))
}

impl Periods {
    pub(super) async fn run(self, settings: Settings) -> anyhow::Result<Verdict> {
        with_engine_on(&settings, async |database, engine| {
            let pool = database.pool(database.app().clone());
            let done = self.on(engine, &pool).await;
            pool.close().await;
            done
        })
        .await
    }

    async fn on(&self, engine: &Engine, pool: &PgPool) -> anyhow::Result<Verdict> {
        match &self.command {
            What::List => list(engine, pool).await,
            What::Close { until, persons } => {
                let close = PeriodOperation::Close { until: *until };
                submit(engine, pool, persons, close).await
            }
            What::Reopen { from, persons } => {
                let reason = persons.reason.clone();
                let reopen = PeriodOperation::Reopen { from: *from, reason };
                submit(engine, pool, persons, reopen).await
            }
            What::CloseYear { until, ends, persons } => {
                close_year(engine, pool, (*until, *ends), persons).await
            }
        }
    }
}

async fn list(engine: &Engine, pool: &PgPool) -> anyhow::Result<Verdict> {
    let status = status_now(engine).await?;
    match status.book.closed_until() {
        Some(until) => say::line(format_args!("closed until {until}")),
        None => say::line("nothing is closed"),
    }
    let models = ReadModels::new(pool.clone());
    for change in models.period_changes().await.context("the log can't be read")? {
        say::line(line(&change));
    }
    Ok(Verdict::Yes)
}

fn line(change: &PeriodChange) -> String {
    let what = match &change.event {
        BookEvent::PeriodClosed(closed) => format!("closed until {}", closed.until),
        BookEvent::PeriodReopened(reopened) => format!("opened from  {}", reopened.from),
        BookEvent::YearClosed(year) => format!("year to      {}", year.until),
        // Only those three are read.
        BookEvent::Opened(_)
        | BookEvent::CurrencyAdded(_)
        | BookEvent::TierDefined(_)
        | BookEvent::TermsDefined(_)
        | BookEvent::FeeDefined(_)
        | BookEvent::CheckpointKeyRotated(_) => String::new(),
    };
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    format!(
        "{:>10}  {}  {what}  by {} with {}: {}",
        change.position,
        change.recorded_at.date_naive(),
        text(&change.actor),
        text(&change.approver),
        text(&change.reason)
    )
}

async fn close_year(
    engine: &Engine,
    pool: &PgPool,
    (until, ends): (Option<NaiveDate>, (u32, u32)),
    persons: &Persons,
) -> anyhow::Result<Verdict> {
    let status = status_now(engine).await?;
    let until = until.or_else(|| periods::last_closed_year(&status.book, ends));
    let until = until.context("no end of a year is closed yet: close its last month first")?;
    let models = ReadModels::new(pool.clone());
    let reached = models.wait_for(status.head.position, PATIENCE).await;
    reached.context("the read models are behind: is a service running on this database?")?;
    let id = TransactionId::from_uuid(System.fresh());
    let close = periods::close_year(&models, status.book.sequence(), until, id).await?;
    submit(engine, pool, persons, PeriodOperation::CloseYear(close)).await
}

async fn submit(
    engine: &Engine,
    pool: &PgPool,
    persons: &Persons,
    operation: PeriodOperation,
) -> anyhow::Result<Verdict> {
    let (principal, approval) = persons.known(pool).await?;
    let classes = [PostingClass::Income, PostingClass::Expense, PostingClass::Equity];
    let command = Command {
        principal,
        idempotency: None,
        request: RequestId::from_uuid(System.fresh()),
        authority: Authority::of(&classes),
        approval: Some(approval),
        operation: Operation::from(operation),
    };
    let answer = engine.submit(command).await.context("the ledger did not answer")?;
    match answer.outcome {
        Outcome::Accepted(accepted) => {
            let status = status_now(engine).await?;
            let until = status.book.closed_until();
            let until =
                until.map_or_else(|| "nothing".to_owned(), |until| format!("until {until}"));
            say::line(format_args!("done at position {}; closed: {until}", accepted.position));
            Ok(Verdict::Yes)
        }
        Outcome::Rejected(rejection) => {
            say::remark(format_args!("{} [{}]", rejection.detail, rejection.code));
            Ok(Verdict::No)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_ends_on_a_day_that_there_is() {
        assert_eq!(month_day("03-31"), Ok((3, 31)));
        assert_eq!(month_day("12-31"), Ok((12, 31)));
        for bad in ["", "3", "13-01", "02-30", "03-31-01", "x-y"] {
            assert!(month_day(bad).is_err(), "{bad}");
        }
    }
}
