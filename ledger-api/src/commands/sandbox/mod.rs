//! `bahi sandbox`: a bank to try and to test with, and its switches; and login providers.

pub(super) mod logins;
mod units;

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::{Context, anyhow};
use chrono::{NaiveDate, TimeDelta, Utc};
use clap::{Args, Subcommand};
use ledger_api::shutdown;
use sandbox_bank::{
    BankCode, BankSetup, Hook, Setup, WebhookSecret,
    accounts::Account,
    clock::Clock,
    control::Control,
    faults::{Lumps, Mode},
    http::{self, Config},
    money::Amount,
    wire::{AccountNumber, AdjustmentRequest, CreditRequest, Direction, Narration, PayerReference},
};
use serde_json::Value;
use tokio::net::TcpListener;

pub(super) use self::units::duration;
use self::units::{Latency, latency, percent};
use super::{Verdict, say};

const EXAMPLES: &str = "\
Examples:
  bahi sandbox serve --hooks http://127.0.0.1:8080/hooks/banks
  bahi sandbox logins --service http://127.0.0.1:8080
  bahi sandbox mode hdfc --timeout 30% --latency p50=2s,p99=40s --for 10m
  bahi sandbox mode hdfc                       everything as it should be again
  bahi sandbox clock advance 90s
  bahi sandbox bank-credit --bank hdfc --amount 500 --ref dep_0199
  bahi sandbox bank-line --bank hdfc --debit 118 --narration CHARGES
  bahi sandbox books --bank hdfc

It is no real bank. What it speaks, and which amounts fail in which way, stands in docs/banks.md.";

/// A week of closed statements is there from the start.
const OPENED_BEFORE: TimeDelta = TimeDelta::days(7);
/// Sign webhooks unless told otherwise: known to everybody, and only good for trying. Each bank has
/// its own: a signature does not say whose it is.
pub(super) const HDFC_SECRET: &str = "whsec_ZGV2LXNlY3JldC1kZXYtc2VjcmV0LWRldi0x";
pub(super) const AXIS_SECRET: &str = "whsec_ZGV2LXNlY3JldC1heGlzLXNlY3JldC1kZXYtMQ==";

/// Run a bank to try and to test with, or throw its switches
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Sandbox {
    #[command(subcommand)]
    command: SandboxCommand,
    /// Where it is
    #[arg(
        long,
        env = "BAHI_SANDBOX_URL",
        global = true,
        default_value = "http://127.0.0.1:9191",
        value_name = "URL"
    )]
    url: String,
    /// What a caller must show; anybody may call if there is none
    #[arg(
        long,
        env = "BAHI_SANDBOX_TOKEN",
        global = true,
        value_name = "TOKEN",
        hide_env_values = true
    )]
    token: Option<String>,
}

#[derive(Debug, Subcommand)]
enum SandboxCommand {
    /// Run it: the banks hdfc and axis, on this machine only
    Serve(Serve),
    /// Run login providers, in the place of Google and GitHub, on this machine only
    Logins(logins::Logins),
    /// Set how a bank behaves; what is not said is as it should be
    Mode(ModeArgs),
    /// Move the banks' clock
    Clock {
        #[command(subcommand)]
        command: ClockCommand,
    },
    /// Draw all chance from another seed
    Seed {
        /// Any number
        seed: u64,
    },
    /// Send money to our account at a bank, as somebody's transfer
    BankCredit(BankCredit),
    /// Let a bank book a charge, interest or a riddle: only the statement has it
    BankLine(BankLine),
    /// Show a bank's balances and counters, added up afresh; exit code 1 if they don't balance
    Books {
        /// Which bank
        #[arg(long, value_parser = bank)]
        bank: BankCode,
    },
}

#[derive(Debug, Args)]
struct Serve {
    /// Where to listen, on a loopback address
    #[arg(long, default_value = "127.0.0.1:9191", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Where webhooks go: /hdfc and /axis are put behind it [default: nowhere]
    #[arg(long, env = "BAHI_SANDBOX_HOOKS", value_name = "URL")]
    hooks: Option<String>,
    /// What the webhooks of hdfc are signed with; several, with spaces between, sign each
    #[arg(
        long,
        env = "BAHI_BANK_HDFC_WEBHOOK_SECRETS",
        default_value = HDFC_SECRET,
        value_name = "WHSEC",
        hide_env_values = true
    )]
    hdfc_secrets: String,
    /// What the webhooks of axis are signed with
    #[arg(
        long,
        env = "BAHI_BANK_AXIS_WEBHOOK_SECRETS",
        default_value = AXIS_SECRET,
        value_name = "WHSEC",
        hide_env_values = true
    )]
    axis_secrets: String,
    /// What all chance is drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// End when the standard input does: with whoever started it
    #[arg(long)]
    until_stdin_ends: bool,
    /// Submissions that each bank takes in a second
    #[arg(long, default_value_t = 200, value_name = "NUMBER")]
    rate: u32,
    /// What each bank's escrow account starts with, in rupees [default: 90000000.00]
    #[arg(long, value_parser = Amount::parse, value_name = "AMOUNT")]
    escrow: Option<Amount>,
    /// What our own account at each bank starts with, in rupees [default: 10000000.00]
    #[arg(long, value_parser = Amount::parse, value_name = "AMOUNT")]
    own: Option<Amount>,
    /// Start so far behind the machine's clock, to be moved up to it [default: not at all]
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    behind: Option<Duration>,
    /// Write all inputs to this file, and go on from it after a kill
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct ModeArgs {
    /// Which bank
    #[arg(value_parser = bank)]
    bank: BankCode,
    /// Calls that are not answered
    #[arg(long, value_parser = percent, default_value = "0%", value_name = "PERCENT")]
    timeout: u8,
    /// Calls that are answered with 500 or 503
    #[arg(long, value_parser = percent, default_value = "0%", value_name = "PERCENT")]
    error: u8,
    /// How long answers take, such as p50=2s,p99=40s
    #[arg(long, value_parser = latency, default_value = "p50=0s,p99=0s", value_name = "LATENCY")]
    latency: Latency,
    /// Webhooks that come twice
    #[arg(long, value_parser = percent, default_value = "0%", value_name = "PERCENT")]
    duplicate: u8,
    /// Webhooks that never come
    #[arg(long, value_parser = percent, default_value = "0%", value_name = "PERCENT")]
    lost: u8,
    /// Webhooks that come late, behind others
    #[arg(long, value_parser = percent, default_value = "0%", value_name = "PERCENT")]
    out_of_order: u8,
    /// What came in a day is one line less charges: named (with its parts) or unnamed
    #[arg(long, value_parser = lumps, default_value = "none", value_name = "HOW")]
    lumps: Lumps,
    /// How long it lasts [default: until the next mode]
    #[arg(long = "for", value_parser = duration, value_name = "DURATION")]
    lasts: Option<Duration>,
}

#[derive(Debug, Subcommand)]
enum ClockCommand {
    /// Move it forwards
    Advance {
        /// How far: 90s, 10m, 2h, 1d
        #[arg(value_parser = duration)]
        by: Duration,
    },
}

#[derive(Debug, Args)]
struct BankCredit {
    /// Which bank
    #[arg(long, value_parser = bank)]
    bank: BankCode,
    /// How much, in rupees; its paise may choose a failure
    #[arg(long, value_parser = Amount::parse)]
    amount: Amount,
    /// What the payer writes as the reference: a deposit's token
    #[arg(long = "ref", value_parser = reference, value_name = "TOKEN")]
    reference: Option<PayerReference>,
    /// The virtual account that it is sent to
    #[arg(long, value_parser = account_number, value_name = "NUMBER")]
    virtual_account: Option<AccountNumber>,
}

#[derive(Debug, Args)]
struct BankLine {
    /// Which bank
    #[arg(long, value_parser = bank)]
    bank: BankCode,
    /// Take so much from our account
    #[arg(long, value_parser = Amount::parse, value_name = "AMOUNT", conflicts_with = "credit")]
    debit: Option<Amount>,
    /// Give so much to it
    #[arg(
        long,
        value_parser = Amount::parse,
        value_name = "AMOUNT",
        required_unless_present = "debit"
    )]
    credit: Option<Amount>,
    /// What the statement says of it
    #[arg(long, value_parser = narration)]
    narration: Narration,
    /// From which day it counts [default: today]
    #[arg(long, value_name = "DATE")]
    value_date: Option<NaiveDate>,
}

impl Sandbox {
    pub(super) async fn run(self) -> anyhow::Result<Verdict> {
        let control = || Control::new(&self.url, self.token.clone());
        let answer = match self.command {
            SandboxCommand::Serve(serve) => return serve.run(self.token).await,
            SandboxCommand::Logins(logins) => return logins.run().await,
            SandboxCommand::Books { bank } => return books(&control()?, bank).await,
            SandboxCommand::Mode(args) => control()?.mode(args.bank, &args.mode()?).await?,
            SandboxCommand::Clock { command: ClockCommand::Advance { by } } => {
                control()?.advance(by).await?
            }
            SandboxCommand::Seed { seed } => control()?.seed(seed).await?,
            SandboxCommand::BankCredit(credit) => {
                control()?.credit(credit.bank, &credit.request()).await?
            }
            SandboxCommand::BankLine(line) => {
                let request = line.request().context("neither --debit nor --credit")?;
                control()?.adjust(line.bank, &request).await?
            }
        };
        say::line(answer);
        Ok(Verdict::Yes)
    }
}

async fn books(control: &Control, bank: BankCode) -> anyhow::Result<Verdict> {
    let books = control.books(bank).await?;
    say::line(serde_json::to_string_pretty(&books)?);
    let balanced = books.get("balanced").and_then(Value::as_bool);
    Ok(if balanced == Some(true) { Verdict::Yes } else { Verdict::No })
}

impl Serve {
    async fn run(self, token: Option<String>) -> anyhow::Result<Verdict> {
        let stop = if self.until_stdin_ends {
            shutdown::on_end_of_stdin()
        } else {
            shutdown::on_signal().context("signals can't be received")?
        };
        let listener = TcpListener::bind(self.listen)
            .await
            .with_context(|| format!("can't listen on {}", self.listen))?;
        let address = listener.local_addr()?;
        let mut hooks = BTreeMap::new();
        for bank in BankCode::ALL {
            let secrets = match bank {
                BankCode::Hdfc => &self.hdfc_secrets,
                BankCode::Axis => &self.axis_secrets,
            };
            let secret: WebhookSecret = secrets.parse()?;
            say::remark(format_args!("{0}: http://{address}/banks/{0}", bank.as_str()));
            if let Some(url) = &self.hooks {
                let url = format!("{}/{}", url.trim_end_matches('/'), bank.as_str());
                hooks.insert(bank, Hook { url, secret });
            }
        }
        if hooks.is_empty() {
            say::remark("no webhooks are sent (--hooks)");
        }
        let behind = self.behind.unwrap_or_default();
        let opened_at = Utc::now()
            .checked_sub_signed(TimeDelta::from_std(behind)?)
            .and_then(|start| start.checked_sub_signed(OPENED_BEFORE));
        let mut setup = Setup::usual(self.seed, opened_at.context("--behind is too long")?);
        setup.behind_ms = milliseconds(behind)?;
        setup.banks = BankCode::ALL.map(|bank| self.bank(bank)).to_vec();
        let clock = Clock::running();
        let config = Config { setup, clock, journal: self.journal, token, hooks };
        http::serve(config, listener, stop).await?;
        Ok(Verdict::Yes)
    }
}

impl Serve {
    /// How one of them starts.
    fn bank(&self, bank: BankCode) -> BankSetup {
        let usual = BankSetup::usual(bank);
        BankSetup {
            escrow_paise: self.escrow.map_or(usual.escrow_paise, Amount::paise),
            own_paise: self.own.map_or(usual.own_paise, Amount::paise),
            rate_per_second: self.rate,
            ..usual
        }
    }
}

impl ModeArgs {
    fn mode(&self) -> anyhow::Result<Mode> {
        let for_seconds = match self.lasts {
            Some(lasts) => Some(u32::try_from(lasts.as_secs()).context("--for is too long")?),
            None => None,
        };
        let mode = Mode {
            timeout_percent: self.timeout,
            error_percent: self.error,
            latency_p50_ms: milliseconds(self.latency.p50)?,
            latency_p99_ms: milliseconds(self.latency.p99)?,
            webhook_duplicate_percent: self.duplicate,
            webhook_lost_percent: self.lost,
            webhook_out_of_order_percent: self.out_of_order,
            lumps: self.lumps,
            for_seconds,
        };
        match mode.objection() {
            Some(objection) => Err(anyhow!("{objection}")),
            None => Ok(mode),
        }
    }
}

impl BankCredit {
    fn request(&self) -> CreditRequest {
        CreditRequest {
            amount: self.amount,
            account: Account::Escrow,
            token: self.reference.clone(),
            virtual_account: self.virtual_account.clone(),
            payer: None,
        }
    }
}

impl BankLine {
    fn request(&self) -> Option<AdjustmentRequest> {
        let debit = self.debit.map(|amount| (Direction::Debit, amount));
        let credit = self.credit.map(|amount| (Direction::Credit, amount));
        let (direction, amount) = debit.or(credit)?;
        Some(AdjustmentRequest {
            amount,
            direction,
            account: Account::Escrow,
            narration: self.narration.clone(),
            value_date: self.value_date,
        })
    }
}

fn milliseconds(duration: Duration) -> anyhow::Result<u64> {
    u64::try_from(duration.as_millis()).context("a duration is too long")
}

fn bank(text: &str) -> Result<BankCode, &'static str> {
    BankCode::parse(text).ok_or("the banks are hdfc and axis")
}

fn lumps(text: &str) -> Result<Lumps, &'static str> {
    match text {
        "none" => Ok(Lumps::None),
        "named" => Ok(Lumps::Named),
        "unnamed" => Ok(Lumps::Unnamed),
        _ => Err("lumps are none, named or unnamed"),
    }
}

fn reference(text: &str) -> Result<PayerReference, &'static str> {
    text.to_owned().try_into()
}

fn account_number(text: &str) -> Result<AccountNumber, &'static str> {
    text.to_owned().try_into()
}

fn narration(text: &str) -> Result<Narration, &'static str> {
    text.to_owned().try_into()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        sandbox: Sandbox,
    }

    #[test]
    fn every_example_is_understood() {
        let examples: Vec<&str> =
            EXAMPLES.lines().filter_map(|line| line.strip_prefix("  bahi ")).collect();
        assert!(examples.len() > 5);
        for example in examples {
            // What stands behind many spaces explains it.
            let command = example.split("   ").next().unwrap_or_default();
            let parsed = Cli::try_parse_from(command.split_whitespace());
            assert!(parsed.is_ok(), "{command}: {parsed:?}");
        }
        let mode = "sandbox mode hdfc --timeout 30% --latency p50=2s,p99=40s --for 10m";
        let cli = Cli::try_parse_from(mode.split(' ')).expect("a mode");
        let SandboxCommand::Mode(mode) = cli.sandbox.command else {
            panic!("not a mode");
        };
        let expected = Mode {
            timeout_percent: 30,
            latency_p50_ms: 2_000,
            latency_p99_ms: 40_000,
            for_seconds: Some(600),
            ..Mode::default()
        };
        assert_eq!(mode.mode().expect("a mode"), expected);
    }

    #[test]
    fn what_people_write_is_read_or_refused() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("1d"), Ok(Duration::from_secs(86_400)));
        for bad in ["", "90", "s", "-1s", "1.5s", "1w", "1é", "99999999999999999999s"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
        assert_eq!((percent("30%"), percent("30")), (Ok(30), Ok(30)));
        for bad in ["", "101%", "-1", "1.5%", "%"] {
            assert!(percent(bad).is_err(), "{bad}");
        }
        let expected = Latency { p50: Duration::from_secs(2), p99: Duration::from_secs(40) };
        assert_eq!(latency("p50=2s,p99=40s"), Ok(expected));
        assert!(latency("2s").is_err() && latency("p99=2s,p50=1s").is_err());
        let secrets = [HDFC_SECRET, AXIS_SECRET].map(str::parse::<WebhookSecret>);
        assert!(secrets.iter().all(Result::is_ok));
    }
}
