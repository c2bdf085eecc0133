//! The part of `bahi audit` that accountants use: replay and journals. Reports have a file of their
//! own.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use clap::{Args, ValueEnum};
use ledger_api::config::Settings;
use ledger_core::log::Position;
use projections::{
    AsOf, ReadModels,
    audit::{
        self, Days, Format, JournalSummary, Options, Replay, ReplayedAccount, Until,
        replay_database, replay_export,
    },
    reports::{self, Report, Sheet, Statement},
};
use sqlx::PgPool;

use super::{
    Verdict, say,
    work::{Bar, with_reader},
};

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Shape {
    /// A table for people
    #[default]
    Text,
    /// For spreadsheets
    Csv,
    /// For programs
    Json,
}

/// When something is of.
#[derive(Debug, Args)]
pub(super) struct When {
    /// After the event at this position of the log, and the rest of its transaction
    #[arg(long, value_name = "POSITION")]
    as_of_position: Option<u64>,
    /// By when it was recorded: 2026-10-31 (to the end of that day of the book) or
    /// 2026-10-31T18:30:00Z
    #[arg(long, value_name = "WHEN", value_parser = moment, conflicts_with = "as_of_position")]
    as_of: Option<Moment>,
    /// The date of --as-of is a business date: all that belongs to the days up to it, whenever it
    /// was recorded
    #[arg(long, requires = "as_of")]
    effective: bool,
}

/// A day or a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Day(NaiveDate),
    At(DateTime<Utc>),
}

fn moment(text: &str) -> Result<Moment, String> {
    if let Ok(day) = text.parse() {
        return Ok(Moment::Day(day));
    }
    let at = DateTime::parse_from_rfc3339(text);
    at.map(|at| Moment::At(at.to_utc()))
        .map_err(|_| "a day (2026-10-31) or a moment (2026-10-31T18:30:00Z)".to_owned())
}

impl When {
    pub(super) fn question(&self) -> anyhow::Result<(Until, Option<Days>)> {
        if let Some(position) = self.as_of_position {
            let position = i64::try_from(position).context("no log is as long")?;
            return Ok((Until::Position(position), None));
        }
        Ok(match (self.as_of, self.effective) {
            (None, _) => (Until::End, None),
            (Some(Moment::Day(day)), false) => (Until::Day(day), None),
            (Some(Moment::At(at)), false) => (Until::Moment(at), None),
            (Some(Moment::Day(to)), true) => {
                (Until::End, Some(Days { from: None, to, without_closings: false }))
            }
            (Some(Moment::At(_)), true) => anyhow::bail!("a business date has no time of day"),
        })
    }

    /// The same in words, of figures that reflect a position.
    pub(super) fn words(&self, position: Position) -> String {
        match (self.as_of, self.effective) {
            (Some(Moment::Day(day)), true) => {
                format!("Business dates up to {day}, as of event {position}")
            }
            (Some(Moment::Day(day)), false) => {
                format!("Recorded up to the end of {day}: as of event {position}")
            }
            (Some(Moment::At(at)), _) => {
                format!("Recorded by {}: as of event {position}", at.to_rfc3339())
            }
            (None, _) => format!("As of event {position}"),
        }
    }

    /// The same, as the read models are asked.
    pub(super) async fn as_of(&self, pool: &PgPool) -> anyhow::Result<AsOf> {
        if let Some(position) = self.as_of_position {
            return Ok(AsOf::Position(position));
        }
        Ok(match (self.as_of, self.effective) {
            (None, _) => AsOf::Now,
            (Some(Moment::At(at)), false) => AsOf::Time(at),
            (Some(Moment::Day(day)), true) => AsOf::Day(day),
            (Some(Moment::Day(day)), false) => AsOf::Time(end_of(pool, day).await?),
            (Some(Moment::At(_)), true) => anyhow::bail!("a business date has no time of day"),
        })
    }
}

/// The last moment of a day of the book.
async fn end_of(pool: &PgPool, day: NaiveDate) -> anyhow::Result<DateTime<Utc>> {
    let zone = ReadModels::new(pool.clone()).time_zone().await.context("the book can't be read")?;
    let next = day.succ_opt().context("no day follows this one")?;
    let midnight = next.and_hms_opt(0, 0, 0).context("no such day")?;
    // Where clocks skip midnight the day ends at the first moment that there is.
    let starts = (0..=180).find_map(|minutes| {
        midnight
            .checked_add_signed(TimeDelta::minutes(minutes))?
            .and_local_timezone(zone)
            .earliest()
    });
    let start = starts.context("the next day never starts")?.to_utc();
    Ok(start - TimeDelta::microseconds(1))
}

/// Opens an export, or the standard input for `-`.
fn opened(file: &Path) -> anyhow::Result<BufReader<Box<dyn Read>>> {
    let source: Box<dyn Read> = if file.as_os_str() == "-" {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(file).with_context(|| format!("can't read {}", file.display()))?)
    };
    Ok(BufReader::with_capacity(1 << 20, source))
}

pub(super) fn replayed(file: &Path, question: (Until, Option<Days>)) -> anyhow::Result<Replay> {
    let bar = Bar::new("replaying");
    let options = Options::default();
    let replay =
        replay_export(opened(file)?, &options, question, |done| bar.at(done.events, done.of));
    replay.with_context(|| format!("can't replay {}", file.display()))
}

/// Make every balance again from the events alone
#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// An export, or - for the standard input; else the database
    file: Option<PathBuf>,
    #[command(flatten)]
    when: When,
    /// Compare every balance with the live read models of the database
    #[arg(long, conflicts_with_all = ["file", "as_of_position", "as_of"])]
    compare: bool,
    /// Print every account, not only the trial balance
    #[arg(long)]
    accounts: bool,
    /// How it is written
    #[arg(long, value_enum, default_value_t)]
    format: Shape,
}

impl ReplayArgs {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<Verdict> {
        let replay = match &self.file {
            Some(file) => replayed(file, self.when.question()?)?,
            None => self.of_database(settings).await?,
        };
        self.print(&replay)?;
        Ok(if replay.report.verified { Verdict::Yes } else { Verdict::No })
    }

    async fn of_database(&self, settings: &Settings) -> anyhow::Result<Replay> {
        let question = if self.compare { None } else { Some(self.when.question()?) };
        with_reader(settings, async |pool| {
            let bar = Bar::new("replaying");
            let options = Options { read_models: self.compare, ..Options::default() };
            let replay =
                replay_database(pool, &options, question, |done| bar.at(done.events, done.of));
            replay.await.context("can't replay the database")
        })
        .await
    }

    fn print(&self, replay: &Replay) -> anyhow::Result<()> {
        let statements = statements(Report::TrialBalance, &replay.sheet, None)?;
        match self.format {
            Shape::Json => say::line(serde_json::to_string_pretty(&serde_json::json!({
                "position": replay.position,
                "trial_balance": statements,
                "accounts": self.accounts.then_some(&replay.accounts),
                "report": replay.report,
            }))?),
            Shape::Csv if self.accounts => say::line(accounts_csv(&replay.accounts).trim_end()),
            Shape::Csv => say::line(reports::csv(&statements).trim_end()),
            Shape::Text => self.print_text(replay, &statements)?,
        }
        Ok(())
    }

    fn print_text(&self, replay: &Replay, statements: &[Statement]) -> anyhow::Result<()> {
        say::line(reports::text(statements).trim_end());
        if self.accounts {
            say::line("");
            for account in &replay.accounts {
                say::line(format_args!("{:<60}{:>20}", account.account, account.balance));
            }
        }
        let report = &replay.report;
        say::line(format_args!(
            "\nreplayed to position {} of {}, {} events/s",
            replay.position, report.head.position, report.events_per_second
        ));
        if replay.unreadable > 0 {
            say::line(format_args!("{} accounts can't be understood", replay.unreadable));
        }
        if let Some(models) = &report.read_models {
            say::line(format_args!(
                "{} of {} balances differ, at position {}",
                models.differing, models.compared, models.position
            ));
        } else if self.compare {
            anyhow::bail!("this database has no read models to compare with");
        }
        if !report.verified {
            let mut text = String::new();
            report.render(&mut text)?;
            say::line(text.trim_end());
        }
        Ok(())
    }
}

fn accounts_csv(accounts: &[ReplayedAccount]) -> String {
    let mut text = "account,type,debits,credits,balance\n".to_owned();
    for one in accounts {
        let name = one.account_type.as_str();
        let amounts = [one.debits, one.credits, one.balance].map(|amount| amount.to_string());
        text.extend([&*one.account, ",", name, ",", &amounts.join(","), "\n"]);
    }
    text
}

pub(super) fn statements(
    report: Report,
    sheet: &Sheet,
    before: Option<&Sheet>,
) -> anyhow::Result<Vec<Statement>> {
    reports::statements(report, sheet, before).context("a sum is too large for a report")
}

/// For which program a log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Program {
    /// The log itself, which can be verified
    #[default]
    Ndjson,
    /// Its entries, for spreadsheets
    Csv,
    /// A journal of beancount
    Beancount,
    /// A journal of hledger
    Hledger,
    /// A journal of ledger
    Ledger,
}

impl Program {
    /// As what a journal is written; nothing for the log itself.
    pub(super) const fn journal(self) -> Option<Format> {
        match self {
            Self::Ndjson => None,
            Self::Csv => Some(Format::Csv),
            Self::Beancount => Some(Format::Beancount),
            Self::Hledger => Some(Format::Hledger),
            Self::Ledger => Some(Format::Ledger),
        }
    }
}

/// Writes a journal of the database, or of an export.
pub(super) async fn journal(
    settings: &Settings,
    from: Option<&Path>,
    format: Format,
    writer: Box<dyn Write>,
) -> anyhow::Result<JournalSummary> {
    let writer = BufWriter::with_capacity(1 << 20, writer);
    let bar = Bar::new("exporting");
    if let Some(file) = from {
        let summary = audit::convert_journal(opened(file)?, format, writer, |done| {
            bar.at(done.events, done.of);
        });
        return summary.with_context(|| format!("{} can't be a journal", file.display()));
    }
    with_reader(settings, async |pool| {
        let summary =
            audit::export_journal(pool, format, writer, |done| bar.at(done.events, done.of));
        summary.await.context("the journal is not complete")
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_and_a_moment_are_told_apart() {
        assert_eq!(moment("2026-10-31"), Ok(Moment::Day("2026-10-31".parse().unwrap())));
        let at = Moment::At("2026-10-31T13:00:00Z".parse().unwrap());
        assert_eq!(moment("2026-10-31T18:30:00+05:30"), Ok(at));
        for bad in ["", "today", "2026-02-30", "2026-10-31T18:30"] {
            assert!(moment(bad).is_err(), "{bad}");
        }
    }
}
