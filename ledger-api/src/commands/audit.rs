//! `bahi audit`: is the log whole, does it add up, and is it the one we saw before?

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{self, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;
use chrono::{DateTime, NaiveDate, SubsecRound as _, Utc};
use clap::{Args, Subcommand};
use ledger_api::{
    auditing::{AuditRuns, RunOutcome},
    config::Settings,
};
use ledger_core::clock::{Ids as _, System};
use projections::audit::{self, Checkpoint, Options, Report};

use super::{
    Verdict, say,
    work::{Bar, with_database, with_reader},
};

const EXAMPLES: &str = "\
Examples:
  bahi audit verify                                        the database
  bahi audit verify --record                               the same, noted for the auditors' pages
  bahi audit safeguarding 2026-11-22                       was customers' money there?
  bahi audit checkpoint --out monday.json                  its head, to be kept elsewhere
  bahi audit export -o log.ndjson                          all of it, as NDJSON
  bahi audit verify log.ndjson --checkpoint monday.json    without any database
  bahi audit export | gzip > log.ndjson.gz; zcat log.ndjson.gz | bahi audit verify -

Without a checkpoint, a log whose tail was cut off looks like one that is shorter. Keep checkpoints
where nobody who can write to the database can write.

Exit codes of verify: 0 verified, 1 broken, 2 can't be read.";

/// Who is noted to have made a check here.
const RECORDED_BY: &str = "command line";

/// Check, export and remember the log
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Audit {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Check every event, sum, limit and balance; trusts nothing of the program that wrote them
    Verify(Verify),
    /// Write the whole log as NDJSON
    Export {
        /// Where to; else to the standard output
        #[arg(short, long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Show what was certified at the close of a bank day, and whether it still holds
    Safeguarding {
        /// The day; else all days
        day: Option<NaiveDate>,
        /// The key that must have signed it, in hexadecimal
        #[arg(long, value_name = "HEX")]
        key: Option<String>,
    },
    /// Write down the head of the log, for later checks to compare with
    Checkpoint {
        /// A new file; else to the standard output
        #[arg(short, long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
struct Verify {
    /// An export, or - for the standard input; else the database
    file: Option<PathBuf>,
    /// A checkpoint that the log must contain
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// Note in the database that it was checked, for the auditors' pages
    #[arg(long, conflicts_with = "file")]
    record: bool,
}

impl Audit {
    pub(super) async fn run(self, settings: Settings) -> anyhow::Result<Verdict> {
        match self.command {
            AuditCommand::Verify(verify) => verify.run(&settings).await,
            AuditCommand::Export { out } => export(&settings, out.as_deref()).await,
            AuditCommand::Safeguarding { day, key } => {
                safeguarding(&settings, day, key.as_deref()).await
            }
            AuditCommand::Checkpoint { out } => checkpoint(&settings, out.as_deref()).await,
        }
    }
}

impl Verify {
    async fn run(self, settings: &Settings) -> anyhow::Result<Verdict> {
        let checkpoint = self.checkpoint.as_deref().map(read_checkpoint).transpose()?;
        let options = Options { checkpoint, ..Options::default() };
        let began_at = Utc::now().trunc_subsecs(6);
        let report = match &self.file {
            Some(file) => verify_export(file, &options)?,
            None => verify_database(settings, &options).await?,
        };
        if self.record {
            record(settings, &report, began_at).await?;
        }
        self.print(&report)?;
        Ok(if report.verified { Verdict::Yes } else { Verdict::No })
    }

    fn print(&self, report: &Report) -> anyhow::Result<()> {
        if self.json {
            say::line(serde_json::to_string_pretty(report)?);
            return Ok(());
        }
        let mut text = String::new();
        report.render(&mut text)?;
        say::line(text.trim_end());
        Ok(())
    }
}

/// Notes what came of a check, where auditors see it.
async fn record(
    settings: &Settings,
    report: &Report,
    began_at: DateTime<Utc>,
) -> anyhow::Result<()> {
    with_database(settings, async |database| {
        let pool = database.pool(database.app().clone());
        let (runs, outcome) = (AuditRuns::new(pool.clone()), RunOutcome::of(report));
        let over = (began_at, Utc::now().trunc_subsecs(6));
        let noted = runs.record(System.fresh(), (RECORDED_BY, &outcome), over).await;
        pool.close().await;
        noted.context("the check was not noted")
    })
    .await
}

fn read_checkpoint(file: &Path) -> anyhow::Result<Checkpoint> {
    let read = || anyhow::Ok(Checkpoint::from_json(&std::fs::read(file)?)?);
    read().with_context(|| format!("no checkpoint in {}", file.display()))
}

fn verify_export(file: &Path, options: &Options) -> anyhow::Result<Report> {
    let source: Box<dyn Read> = if file.as_os_str() == "-" {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(file).with_context(|| format!("can't read {}", file.display()))?)
    };
    let bar = Bar::new("verifying");
    let reader = BufReader::with_capacity(1 << 20, source);
    let report = audit::verify_export(reader, options, |done| bar.at(done.events, done.of));
    report.with_context(|| format!("can't verify {}", file.display()))
}

/// Prints the certificates of a day. The answer is no if there is none, if one does not hold, or if
/// the last one of a currency says that money was missing.
async fn safeguarding(
    settings: &Settings,
    day: Option<NaiveDate>,
    key: Option<&str>,
) -> anyhow::Result<Verdict> {
    let found = with_reader(settings, async |pool| {
        audit::safeguarding(pool, day).await.context("can't check the certificates")
    })
    .await?;
    let mut holds = !found.is_empty();
    let mut short = BTreeMap::new();
    for (signed, faults) in &found {
        let signer = hex::encode(&signed.public_key);
        let Some(certificate) = &signed.certificate else {
            holds = false;
            say::line(format_args!("certificate {}  BROKEN: {}", signed.number, faults.join("; ")));
            continue;
        };
        let (number, c) = (signed.number, certificate);
        let verdict = if c.is_short() { "SHORT" } else { "backed" };
        say::line(format_args!(
            "{}  {}  certificate {number} at position {}\n  escrow as stated  {:>20}\n  \
             less clearing_out {:>20}\n  owed to customers {:>20}\n  headroom          {:>20}  \
             {verdict}\n  signed by {signer}",
            c.day,
            c.currency,
            c.position,
            c.escrow_stated,
            c.clearing_out,
            c.liabilities,
            c.headroom()
        ));
        short.insert((c.currency.clone(), c.day), c.is_short());
        let of_another = key.is_some_and(|key| !key.eq_ignore_ascii_case(&signer));
        let of_another = of_another.then(|| "another key has signed it".to_owned());
        for fault in faults.iter().chain(&of_another) {
            holds = false;
            say::line(format_args!("  BROKEN: {fault}"));
        }
    }
    if found.is_empty() {
        say::line(format_args!("no certificate: no bank day was closed"));
    }
    let backed = !short.values().any(|short| *short);
    Ok(if holds && backed { Verdict::Yes } else { Verdict::No })
}

async fn verify_database(settings: &Settings, options: &Options) -> anyhow::Result<Report> {
    with_reader(settings, async |pool| {
        let bar = Bar::new("verifying");
        let report = audit::verify_database(pool, options, |done| bar.at(done.events, done.of));
        report.await.context("can't verify the database")
    })
    .await
}

async fn export(settings: &Settings, out: Option<&Path>) -> anyhow::Result<Verdict> {
    // Under its name the file is there when it is whole: half an export looks like a shorter log.
    // A device or a pipe is written to as it is.
    let whole = out.filter(|file| file.metadata().map_or(true, |meta| meta.is_file()));
    let unfinished = whole.map(unfinished);
    let summary = with_reader(settings, async |pool| {
        let writer: Box<dyn Write> = match unfinished.as_deref().or(out) {
            Some(file) => Box::new(
                File::create(file).with_context(|| format!("can't write {}", file.display()))?,
            ),
            None => Box::new(io::stdout()),
        };
        let bar = Bar::new("exporting");
        let writer = BufWriter::with_capacity(1 << 20, writer);
        let summary = audit::export(pool, writer, |done| bar.at(done.events, done.of));
        summary.await.context("the export is not complete")
    })
    .await?;
    if let (Some(file), Some(unfinished)) = (whole, &unfinished) {
        File::open(unfinished)?.sync_all()?;
        std::fs::rename(unfinished, file)
            .with_context(|| format!("can't write {}", file.display()))?;
    }
    say::remark(format_args!(
        "{} events in {} batches, head {}",
        summary.events, summary.batches, summary.head_hash
    ));
    Ok(Verdict::Yes)
}

/// The name of a file while it is written.
fn unfinished(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".unfinished");
    name.into()
}

async fn checkpoint(settings: &Settings, out: Option<&Path>) -> anyhow::Result<Verdict> {
    let json = with_reader(settings, async |pool| {
        let checkpoint = audit::checkpoint(pool).await.context("no checkpoint")?;
        Ok(checkpoint.to_json()?)
    })
    .await?;
    let Some(file) = out else {
        say::line(json.trim_end());
        return Ok(Verdict::Yes);
    };
    // Replacing one would lose what the log was like then, which is what it is kept for.
    let mut opened = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(file)
        .with_context(|| format!("can't make the new file {}", file.display()))?;
    opened.write_all(json.as_bytes())?;
    opened.sync_all()?;
    Ok(Verdict::Yes)
}
