//! `bahi inbox`: what banks sent by webhook, and what became of it.

use std::io::{self, Write as _};

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use comfy_table::{Table, presets::NOTHING};
use ledger_api::{
    banks::BankRegistry,
    config::Settings,
    service::applier_for,
    setup::{Database, Secret},
    vault::SubjectKeys,
    webhooks::{Conflict, Delivery, Erased, Inbox, Listed},
    workers::inbox::Applier,
};
use ledger_core::{clock::Timestamp, ids::Owner};
use sqlx::PgPool;
use tokio::sync::watch;

use super::{
    Verdict, say,
    work::{with_database, with_engine_on, with_reader},
};

const EXAMPLES: &str = "\
Examples:
  bahi inbox ls --bank hdfc --state parked
  bahi inbox show 42
  bahi inbox show 42 --body | jq .
  bahi inbox conflicts
  bahi inbox reprocess 42
  bahi inbox erase --subject usr_01935c3a

It reads INBOX_DATABASE_URL if that is set, else the ledger's database. Bodies are sealed: to show
one, it needs the installation's secret and the ledger's database. To reprocess, it needs the
banks' addresses (BAHI_BANK_{NAME}_URL) as the service has them.";

/// Look at the webhooks that came in
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct InboxCommand {
    #[command(subcommand)]
    command: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List deliveries, the newest first
    Ls {
        /// Those of one bank
        #[arg(long)]
        bank: Option<String>,
        /// Those in one state
        #[arg(long)]
        state: Option<State>,
        /// How many at most
        #[arg(long, default_value_t = 50, value_name = "NUMBER")]
        limit: u32,
    },
    /// Show one delivery and what became of it
    Show {
        /// Its number, as `bahi inbox ls` shows it
        id: i64,
        /// Print the bytes of its body, and nothing else; they may name people
        #[arg(long)]
        body: bool,
    },
    /// Apply one delivery once more; its effect happens once, however often it is applied
    Reprocess {
        /// Its number, as `bahi inbox ls` shows it
        id: i64,
    },
    /// Forget a person: throw away the key that names, addresses and the bodies of webhooks about
    /// them are sealed under. For ever
    Erase {
        /// Who, by the id that their accounts have as their owner
        #[arg(long, value_name = "ID")]
        subject: Owner,
    },
    /// List events that came again with another body, the newest first
    Conflicts {
        /// How many at most
        #[arg(long, default_value_t = 50, value_name = "NUMBER")]
        limit: u32,
    },
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum State {
    /// Nobody looked at it yet
    Received,
    /// It waits for its reference to appear, or for people
    Parked,
    /// It had its effect
    Applied,
    /// It told us nothing new
    Ignored,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Parked => "parked",
            Self::Applied => "applied",
            Self::Ignored => "ignored",
        }
    }
}

impl InboxCommand {
    pub(super) async fn run(self, settings: Settings) -> anyhow::Result<Verdict> {
        match self.command {
            What::Ls { bank, state, limit } => {
                let state = state.map(State::as_str);
                with_reader(&settings.for_inbox()?, async |pool| {
                    let inbox = Inbox::new(pool.clone(), subject_keys(&settings, pool)?);
                    list(&inbox, bank.as_deref(), state, limit).await
                })
                .await
            }
            What::Show { id, body } => {
                with_bodies(&settings, async |inbox| show(inbox, id, body).await).await
            }
            What::Conflicts { limit } => {
                with_bodies(&settings, async |inbox| conflicts(inbox, limit).await).await
            }
            What::Reprocess { id } => reprocess(&settings, id).await,
            What::Erase { subject } => erase(&settings, &subject).await,
        }
    }
}

/// For a job that looks into bodies: the keys of persons are in the ledger's database, wherever the
/// inbox is.
async fn with_bodies(
    settings: &Settings,
    job: impl AsyncFnOnce(&Inbox) -> anyhow::Result<Verdict>,
) -> anyhow::Result<Verdict> {
    with_reader(settings, async |ledger| {
        let keys = subject_keys(settings, ledger)?;
        if !settings.has_own_inbox()? {
            return job(&Inbox::new(ledger.clone(), keys)).await;
        }
        let inbox = settings.for_inbox()?;
        with_reader(&inbox, async |pool| job(&Inbox::new(pool.clone(), keys)).await).await
    })
    .await
}

/// The keys of persons; without the installation's secret none of them opens anything.
fn subject_keys(settings: &Settings, pool: &PgPool) -> anyhow::Result<SubjectKeys> {
    let secret = Secret::read(&settings.secret_file())?.unwrap_or_else(Secret::generate);
    Ok(SubjectKeys::new(pool.clone(), secret.bytes()))
}

async fn erase(settings: &Settings, subject: &Owner) -> anyhow::Result<Verdict> {
    with_database(settings, async |database| {
        let secret = database.secret(settings).await?;
        let own = settings.has_own_inbox()?;
        let apart = if own { Some(Database::open(&settings.for_inbox()?).await?) } else { None };
        let inbox_of = apart.as_ref().unwrap_or(database);
        let inbox = inbox_of.pool(inbox_of.app().clone());
        let pool = database.pool(database.app().clone());
        let keys = SubjectKeys::new(pool.clone(), secret.bytes());
        let erased = Inbox::new(inbox.clone(), keys).erase_subject(subject).await;
        inbox.close().await;
        pool.close().await;
        let Erased { had_key, bodies } = erased.context("the subject could not be erased")?;
        say::line(format_args!(
            "{} is forgotten: {}, {bodies} bodies of webhooks removed",
            subject.as_str(),
            if had_key { "its key is thrown away" } else { "it had no key" },
        ));
        Ok(Verdict::Yes)
    })
    .await
}

const UNREADABLE: &str = "the inbox can't be read";

async fn list(
    inbox: &Inbox,
    bank: Option<&str>,
    state: Option<&str>,
    limit: u32,
) -> anyhow::Result<Verdict> {
    let listed = inbox.list(bank, state, limit).await.context(UNREADABLE)?;
    let head = ["ID", "RECEIVED", "BANK", "STATE", "TYPE", "CONFLICTS", "EVENT"];
    let rows = listed.iter().map(|row: &Listed| {
        [
            row.id.to_string(),
            when(row.received_at),
            row.bank.clone(),
            row.state.clone(),
            row.event_type.clone().unwrap_or_else(|| "-".to_owned()),
            row.conflicts.to_string(),
            row.event_id.clone(),
        ]
    });
    say::line(table(head, rows));
    Ok(Verdict::Yes)
}

async fn reprocess(settings: &Settings, id: i64) -> anyhow::Result<Verdict> {
    let banks = BankRegistry::from_environment()?;
    anyhow::ensure!(
        !banks.is_empty(),
        "no bank is known: set BAHI_BANK_{{NAME}}_URL as the service has it (docs/operating.md)"
    );
    let own = settings.has_own_inbox()?;
    with_engine_on(settings, async |database, engine| {
        let secret = database.secret(settings).await?;
        let pool = database.pool(database.app().clone());
        let apart = if own { Some(Database::open(&settings.for_inbox()?).await?) } else { None };
        let inbox_of = apart.as_ref().unwrap_or(database);
        let inbox = inbox_of.pool(inbox_of.app().clone());
        let applier = applier_for(engine, (pool.clone(), inbox.clone()), banks, &secret);
        let done = match applier {
            Some(applier) => settle(&applier.inbox, &applier, id).await,
            None => anyhow::bail!("no bank is known"),
        };
        inbox.close().await;
        pool.close().await;
        done
    })
    .await
}

async fn settle(inbox: &Inbox, applier: &Applier, id: i64) -> anyhow::Result<Verdict> {
    if let Some(delivery) = inbox.find(id).await.context(UNREADABLE)? {
        let (_tell, stopping) = watch::channel(false);
        applier.settle(delivery, &stopping).await.context("it could not be applied now")?;
    }
    show(inbox, id, false).await
}

async fn show(inbox: &Inbox, id: i64, body: bool) -> anyhow::Result<Verdict> {
    let Some(delivery) = inbox.find(id).await.context(UNREADABLE)? else {
        say::remark(format_args!("there is no delivery {id}"));
        return Ok(Verdict::No);
    };
    if body {
        let Some(bytes) = &delivery.body else {
            let why = if delivery.is_unreadable { "does not open" } else { "was erased" };
            say::remark(format_args!("the body of delivery {id} {why}"));
            return Ok(Verdict::No);
        };
        // If nobody reads it any more (`| head`), that is no error.
        io::stdout().write_all(bytes).ok();
        return Ok(Verdict::Yes);
    }
    say::line(facts(&delivery));
    for attempt in inbox.attempts(id).await.context(UNREADABLE)? {
        let reference = attempt.reference.map(|reference| format!(" [{reference}]"));
        say::line(format_args!(
            "{:<12} {} {}{}: {}",
            format!("attempt {}", attempt.attempt),
            when(attempt.at),
            attempt.outcome,
            reference.unwrap_or_default(),
            attempt.detail
        ));
    }
    Ok(Verdict::Yes)
}

fn facts(delivery: &Delivery) -> String {
    let none = || "-".to_owned();
    let body = match &delivery.body {
        Some(body) => format!("{} bytes", body.len()),
        None if delivery.is_unreadable => "does not open with this secret".to_owned(),
        None => "erased".to_owned(),
    };
    [
        ("delivery", delivery.id.to_string()),
        ("bank", delivery.bank.clone()),
        ("event", delivery.event_id.clone()),
        ("type", delivery.event_type.clone().unwrap_or_else(none)),
        ("happened", delivery.event_at.map_or_else(none, when)),
        ("sent", when(delivery.sent_at)),
        ("received", when(delivery.received_at)),
        ("body", body),
        ("sha256", hex::encode(&delivery.body_sha256)),
    ]
    .map(|(name, value)| format!("{name:<12} {value}"))
    .join("\n")
}

async fn conflicts(inbox: &Inbox, limit: u32) -> anyhow::Result<Verdict> {
    let conflicts = inbox.conflicts(limit).await.context(UNREADABLE)?;
    let head = ["DELIVERY", "RECEIVED", "BANK", "STANDS", "OTHER", "OTHER BODY", "EVENT"];
    let rows = conflicts.iter().map(|row: &Conflict| {
        let size = row.other_body.as_ref().map(|body| format!("{} bytes", body.len()));
        [
            row.delivery_id.to_string(),
            when(row.received_at),
            row.bank.clone(),
            short(&row.body_sha256),
            short(&row.other_sha256),
            size.unwrap_or_else(|| "erased".to_owned()),
            row.event_id.clone(),
        ]
    });
    say::line(table(head, rows));
    Ok(Verdict::Yes)
}

fn short(hash: &[u8]) -> String {
    hex::encode(hash.get(..6).unwrap_or(hash))
}

fn when(moment: Timestamp) -> String {
    moment.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(head);
    table.add_rows(rows);
    table.trim_fmt()
}
