//! `bahi audit`: is the log whole, does it add up, and is it the one we saw before?

mod database;
mod proofs;
mod prove;

use std::{
    collections::BTreeMap,
    fs::File,
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
use projections::{
    audit::{
        self, Checkpoint, Options, Report,
        proof::{LogKey, SignedCheckpoint, WitnessKey},
    },
    reports,
};

use super::{
    Verdict,
    audit_books::{Program, ReplayArgs, journal},
    audit_reports::{EarningsArgs, SheetArgs, controls},
    say,
    work::{Bar, must_exist, with_database, with_reader},
};

const EXAMPLES: &str = "\
Examples:
  bahi audit verify                                        the database
  bahi audit verify --record                               the same, noted for the auditors' pages
  bahi audit safeguarding 2026-11-22                       was customers' money there?
  bahi audit checkpoint --out monday.json                  its head, to be kept elsewhere
  bahi audit signed --out monday.note                      the last head that was signed
  bahi audit export -o log.ndjson                          all of it, as NDJSON
  bahi audit verify log.ndjson --checkpoint monday.json    without any database
  bahi audit export | gzip > log.ndjson.gz; zcat log.ndjson.gz | bahi audit verify -
  bahi audit verify log.ndjson --checkpoint monday.note --checkpoint tuesday.note --key 4f0c…
  bahi audit prove 48213 -o receipt.json                   that an event is in the signed log
  bahi audit prove 48213 --export log.ndjson --checkpoint monday.note   the same, of an export
  bahi audit prove --export log.ndjson --checkpoint monday.note --checkpoint tuesday.note
  bahi audit check receipt.json --key 4f0c…                without any database
  bahi audit replay log.ndjson --as-of 2026-10-31          every balance, made again
  bahi audit replay --compare                              … against the live read models
  bahi audit balance-sheet --as-of 2026-10-31 --effective --compare-with 2026-09-30
  bahi audit profit-and-loss --from 2026-04-01 --to 2027-03-31
  bahi audit export --format beancount -o books.beancount; bean-check books.beancount

Without a checkpoint, a log whose tail was cut off looks like one that is shorter. Keep checkpoints
where nobody who can write to the database can write.

Exit codes of verify and replay: 0 verified, 1 broken, 2 can't be read.";

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
    /// Make every balance again from the events alone
    Replay(ReplayArgs),
    /// All debits and all credits, by headings of the chart
    TrialBalance(SheetArgs),
    /// What there is and whose it is
    BalanceSheet(SheetArgs),
    /// What was earned and what it cost, over days
    ProfitAndLoss(EarningsArgs),
    /// Each class of accounts against what it must be the sum of
    Controls {
        /// Also those that hold
        #[arg(long)]
        all: bool,
    },
    /// Write the whole log: as NDJSON, as entries, or as a journal of an accounting program
    Export {
        /// For a journal: an export to make it of, or - for the standard input; else the database
        file: Option<PathBuf>,
        /// For which program
        #[arg(long, value_enum, default_value_t)]
        format: Program,
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
    /// Write a signed checkpoint as a note
    Signed(proofs::Signed),
    /// Prove that an event is in the signed log, or that the log goes on from what was signed, in a
    /// file that needs nothing else
    Prove(prove::Prove),
    /// Check such a file; no database is needed
    Check(prove::Check),
    /// Sign checkpoints with a new key from now on
    RotateKey(proofs::RotateKey),
}

#[derive(Debug, Args)]
struct Verify {
    /// An export, or - for the standard input; else the database
    file: Option<PathBuf>,
    /// A checkpoint that the log must contain, signed or not; several are allowed
    #[arg(long = "checkpoint", value_name = "FILE")]
    checkpoints: Vec<PathBuf>,
    /// The key that signs the log's checkpoints, in hexadecimal or as NAME+ID+BASE64; several are
    /// trusted each
    #[arg(long = "key", value_name = "KEY")]
    keys: Vec<LogKey>,
    /// The key of a witness that must have cosigned each signed checkpoint
    #[arg(long = "witness", value_name = "KEY")]
    witnesses: Vec<WitnessKey>,
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
            AuditCommand::Replay(replay) => replay.run(&settings).await,
            AuditCommand::TrialBalance(sheet) => {
                sheet.run(&settings, reports::Report::TrialBalance).await
            }
            AuditCommand::BalanceSheet(sheet) => {
                sheet.run(&settings, reports::Report::BalanceSheet).await
            }
            AuditCommand::ProfitAndLoss(earnings) => earnings.run(&settings).await,
            AuditCommand::Controls { all } => controls(&settings, all).await,
            AuditCommand::Export { file, format, out } => {
                export(&settings, (file.as_deref(), format), out.as_deref()).await
            }
            AuditCommand::Safeguarding { day, key } => {
                safeguarding(&settings, day, key.as_deref()).await
            }
            AuditCommand::Checkpoint { out } => checkpoint(&settings, out.as_deref()).await,
            AuditCommand::Signed(signed) => signed.run(&settings).await,
            AuditCommand::Prove(prove) => prove.run(&settings).await,
            AuditCommand::Check(check) => check.run(),
            AuditCommand::RotateKey(rotate) => rotate.run(&settings).await,
        }
    }
}

impl Verify {
    async fn run(self, settings: &Settings) -> anyhow::Result<Verdict> {
        let options = self.options()?;
        let began_at = Utc::now().trunc_subsecs(6);
        let report = match &self.file {
            Some(file) => verify_export(file, &options)?,
            None => database::verify(settings, &options).await?,
        };
        if self.record {
            record(settings, &report, began_at).await?;
        }
        self.print(&report)?;
        Ok(if report.verified { Verdict::Yes } else { Verdict::No })
    }

    fn options(&self) -> anyhow::Result<Options> {
        let (keys, witnesses) = (self.keys.clone(), self.witnesses.clone());
        let mut options = Options { keys, witnesses, ..Options::default() };
        for file in &self.checkpoints {
            match read_checkpoint(file)? {
                Given::Signed(note) => options.notes.push(note),
                Given::Plain(checkpoint) => {
                    let more = options.checkpoint.replace(checkpoint).is_some();
                    anyhow::ensure!(!more, "only one of the checkpoints may be unsigned");
                }
            }
        }
        let keyless = !options.notes.is_empty() && options.keys.is_empty();
        anyhow::ensure!(!keyless, "a signed checkpoint is worth what its key is: say --key");
        Ok(options)
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

/// A checkpoint of either kind.
enum Given {
    Plain(Checkpoint),
    Signed(SignedCheckpoint),
}

fn read_checkpoint(file: &Path) -> anyhow::Result<Given> {
    let read = || {
        let bytes = std::fs::read(file)?;
        if bytes.trim_ascii_start().starts_with(b"{") {
            return anyhow::Ok(Given::Plain(Checkpoint::from_json(&bytes)?));
        }
        Ok(Given::Signed(SignedCheckpoint::parse(std::str::from_utf8(&bytes)?)?))
    };
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
             lines of later    {:>20}\n  less clearing_out {:>20}\n  owed to customers {:>20}\n  \
             headroom          {:>20}  {verdict}\n  signed by {signer}",
            c.day,
            c.currency,
            c.position,
            c.escrow_stated,
            c.later,
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

async fn export(
    settings: &Settings,
    (file, format): (Option<&Path>, Program),
    out: Option<&Path>,
) -> anyhow::Result<Verdict> {
    let journal_format = format.journal();
    anyhow::ensure!(
        file.is_none() || journal_format.is_some(),
        "only a journal can be made of an export: give --format"
    );
    if file.is_none() {
        must_exist(settings)?;
    }
    // Under its name the file is there when it is whole: half an export looks like a shorter log.
    // A device or a pipe is written to as it is.
    let whole = out.filter(|file| file.metadata().map_or(true, |meta| meta.is_file()));
    let unfinished = whole.map(unfinished);
    let writer: Box<dyn Write> = match unfinished.as_deref().or(out) {
        Some(file) => {
            Box::new(File::create(file).with_context(|| format!("can't write {}", file.display()))?)
        }
        None => Box::new(io::stdout()),
    };
    let told = match journal_format {
        Some(format) => {
            let summary = journal(settings, file, format, writer).await?;
            let (transactions, entries) = (summary.transactions, summary.entries);
            format!("{transactions} transactions, {entries} entries, to {}", summary.position)
        }
        None => export_log(settings, writer).await?,
    };
    if let (Some(file), Some(unfinished)) = (whole, &unfinished) {
        File::open(unfinished)?.sync_all()?;
        std::fs::rename(unfinished, file)
            .with_context(|| format!("can't write {}", file.display()))?;
    }
    say::remark(told);
    Ok(Verdict::Yes)
}

async fn export_log(settings: &Settings, writer: Box<dyn Write>) -> anyhow::Result<String> {
    let summary = with_reader(settings, async |pool| {
        let bar = Bar::new("exporting");
        let writer = BufWriter::with_capacity(1 << 20, writer);
        let summary = audit::export(pool, writer, |done| bar.at(done.events, done.of));
        summary.await.context("the export is not complete")
    })
    .await?;
    let (events, batches, head) = (summary.events, summary.batches, &summary.head_hash);
    Ok(format!("{events} events in {batches} batches, head {head}"))
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
    proofs::write_new(file, &json)?;
    Ok(Verdict::Yes)
}
