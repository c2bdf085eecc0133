//! The reports of `bahi audit`: trial balance, balance sheet, profit and loss, control totals.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use chrono::NaiveDate;
use clap::Args;
use ledger_api::config::Settings;
use ledger_core::log::Position;
use projections::{
    AsOf, At, ReadModels,
    audit::{Days, Replay, Until},
    reports::{self, Report, Sheet},
};
use sqlx::PgPool;

use super::{
    Verdict,
    audit_books::{Shape, When, replayed, statements},
    say,
    work::with_reader,
};

/// Trial balance or balance sheet, at any moment.
#[derive(Debug, Args)]
pub(super) struct SheetArgs {
    /// An export, or - for the standard input; else the database's read models
    file: Option<PathBuf>,
    #[command(flatten)]
    when: When,
    /// Beside it what it was on this business date
    #[arg(long, value_name = "DAY")]
    compare_with: Option<NaiveDate>,
    /// How it is written
    #[arg(long, value_enum, default_value_t)]
    format: Shape,
}

impl SheetArgs {
    pub(super) async fn run(self, settings: &Settings, report: Report) -> anyhow::Result<Verdict> {
        let Some(file) = &self.file else {
            let (now, before) = with_reader(settings, async |pool| self.read(pool).await).await?;
            let of = self.heading(now.position);
            return print(report, &of, (&now.value, before.as_ref()), self.format);
        };
        ensure!(
            self.compare_with.is_none() || file.as_os_str() != "-",
            "two dates of a file need it twice: the standard input can't be compared"
        );
        let now = replayed(file, self.when.question()?)?;
        let before = match self.compare_with {
            Some(to) => {
                let days = Days { from: None, to, without_closings: false };
                Some(replayed(file, (Until::End, Some(days)))?.sheet)
            }
            None => None,
        };
        let of = self.heading(u64::try_from(now.position)?);
        let verdict = print(report, &of, (&now.sheet, before.as_ref()), self.format)?;
        Ok(if is_in_order(&now) { verdict } else { Verdict::No })
    }

    /// What the figures are of: the days or the place in the log, and beside what.
    fn heading(&self, position: Position) -> String {
        let beside = |day| format!(", beside the business dates up to {day}");
        let beside = self.compare_with.map(beside).unwrap_or_default();
        format!("{}{beside}", self.when.words(position))
    }

    async fn read(&self, pool: &PgPool) -> anyhow::Result<(At<Sheet>, Option<Sheet>)> {
        const UNREADABLE: &str = "the read models can't be read";
        let models = ReadModels::new(pool.clone());
        let as_of = self.when.as_of(pool).await?;
        let now = models.sheet(as_of).await.context(UNREADABLE)?;
        let before = match self.compare_with {
            Some(day) => Some(models.sheet(AsOf::Day(day)).await.context(UNREADABLE)?.value),
            None => None,
        };
        Ok((now, before))
    }
}

/// Says so if figures come from a log that is not in order.
fn is_in_order(replay: &Replay) -> bool {
    if !replay.report.verified {
        let findings = replay.report.findings_total;
        say::remark(format_args!("the log is BROKEN ({findings} findings): `bahi audit verify`"));
    }
    replay.report.verified
}

fn print(
    report: Report,
    of: &str,
    (sheet, before): (&Sheet, Option<&Sheet>),
    shape: Shape,
) -> anyhow::Result<Verdict> {
    let statements = statements(report, sheet, before)?;
    match shape {
        Shape::Text => {
            say::line(format_args!("{of}\n\n{}", reports::text(&statements).trim_end()));
        }
        Shape::Csv => say::line(reports::csv(&statements).trim_end()),
        Shape::Json => say::line(serde_json::to_string_pretty(&statements)?),
    }
    let balanced = statements.iter().all(|statement| statement.balanced);
    Ok(if balanced { Verdict::Yes } else { Verdict::No })
}

/// Profit and loss over days.
#[derive(Debug, Args)]
pub(super) struct EarningsArgs {
    /// An export; else the database's read models
    file: Option<PathBuf>,
    /// The first business date
    #[arg(long, value_name = "DAY")]
    from: NaiveDate,
    /// The last business date
    #[arg(long, value_name = "DAY")]
    to: NaiveDate,
    /// Beside it the days from this one …
    #[arg(long, value_name = "DAY", requires = "before_to")]
    before_from: Option<NaiveDate>,
    /// … to this one
    #[arg(long, value_name = "DAY", requires = "before_from")]
    before_to: Option<NaiveDate>,
    /// How it is written
    #[arg(long, value_enum, default_value_t)]
    format: Shape,
}

impl EarningsArgs {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<Verdict> {
        ensure!(self.from <= self.to, "--from lies after --to");
        let before = self.before_from.zip(self.before_to);
        ensure!(before.is_none_or(|(from, to)| from <= to), "--before-from lies after --before-to");
        let of_file = |file: &Path, (from, to)| {
            let days = Days { from: Some(from), to, without_closings: true };
            replayed(file, (Until::End, Some(days)))
        };
        let (sheet, compared) = match &self.file {
            Some(file) => {
                ensure!(file.as_os_str() != "-" || before.is_none(), "a file is needed to compare");
                let now = of_file(file, (self.from, self.to))?;
                ensure!(is_in_order(&now), "figures of a broken log are no figures");
                (now.sheet, before.map(|days| of_file(file, days)).transpose()?.map(|r| r.sheet))
            }
            None => {
                with_reader(settings, async |pool| {
                    let models = ReadModels::new(pool.clone());
                    let earnings = async |(from, to)| -> anyhow::Result<Sheet> {
                        let At { value, .. } = models.earnings(from, to).await?;
                        Ok(value)
                    };
                    let now = earnings((self.from, self.to)).await?;
                    Ok(match before {
                        Some(days) => (now, Some(earnings(days).await?)),
                        None => (now, None),
                    })
                })
                .await?
            }
        };
        let days = |(from, to)| format!("{from} to {to}");
        let beside = before.map(|before| format!(", beside those from {}", days(before)));
        let of = days((self.from, self.to));
        let of = format!("Business dates from {of}{}", beside.unwrap_or_default());
        print(Report::ProfitAndLoss, &of, (&sheet, compared.as_ref()), self.format)
    }
}

/// Prints the control totals. The answer is no if one does not hold.
pub(super) async fn controls(settings: &Settings, all: bool) -> anyhow::Result<Verdict> {
    let At { position, value } = with_reader(settings, async |pool| {
        let models = ReadModels::new(pool.clone());
        models.controls().await.context("the control totals can't be read")
    })
    .await?;
    let differing = value.iter().filter(|control| !control.holds()).count();
    for control in value.iter().filter(|control| all || !control.holds()) {
        say::line(format_args!(
            "{:<22} {:<34} {:>20} {:>20} {}",
            control.control,
            control.subject,
            control.ledger.to_string(),
            control.counted.to_string(),
            if control.holds() { "✓" } else { "✗" }
        ));
    }
    say::line(format_args!("{differing} of {} differ, at position {position}", value.len()));
    Ok(if differing == 0 { Verdict::Yes } else { Verdict::No })
}
