//! The command line: one file per command.
//!
//! A command says what it was asked for on the standard output and all else on the standard error.
//! It ends with 0 if all is well, 1 if the answer is no (a broken log, a service that is not
//! ready), 2 if there is no answer.

mod audit;
mod clients;
mod conformance;
mod currencies;
mod demo;
mod healthcheck;
mod inbox;
mod keys;
mod migrate;
mod projections;
mod sandbox;
mod say;
mod serve;
mod staff;
mod statements;
mod withdrawals;
mod work;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use ledger_api::{
    config::Settings,
    telemetry::{self, LogSettings},
};

const EXAMPLES: &str = "\
Examples:
  bahi demo                        a ledger with demo accounts, at http://127.0.0.1:8080
  bahi serve --listen 0.0.0.0:80   a service; DATABASE_URL names your own PostgreSQL
  bahi keys create --name till --scope ledger:read --scope ledger:write
  bahi audit verify                check the whole log

Exit codes: 0 all is well, 1 the answer is no, 2 there is no answer.";

/// An event-sourced double-entry ledger on PostgreSQL
#[derive(Debug, Parser)]
#[command(name = "bahi", version, after_help = EXAMPLES, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    log: LogSettings,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Demo),
    Serve(serve::Serve),
    Migrate(migrate::Migrate),
    Keys(keys::Keys),
    Clients(clients::ClientsCommand),
    Currencies(currencies::Currencies),
    Projections(projections::Projections),
    Audit(audit::Audit),
    Inbox(inbox::InboxCommand),
    Staff(staff::StaffCommand),
    Statements(statements::StatementsCommand),
    Withdrawals(withdrawals::WithdrawalsCommand),
    Healthcheck(healthcheck::Healthcheck),
    Sandbox(sandbox::Sandbox),
    Conformance(conformance::Conformance),
}

/// How a command ended that could do what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// All is well.
    Yes,
    /// The answer is no.
    No,
}

impl Command {
    /// What it says of itself unless told otherwise.
    const fn log_default(&self) -> &'static str {
        match self {
            Self::Serve(_) => "info,sqlx=warn",
            Self::Sandbox(_) => "info",
            // Its terminal belongs to the one who tries it.
            Self::Demo(_)
            | Self::Migrate(_)
            | Self::Keys(_)
            | Self::Clients(_)
            | Self::Currencies(_)
            | Self::Projections(_)
            | Self::Audit(_)
            | Self::Inbox(_)
            | Self::Staff(_)
            | Self::Statements(_)
            | Self::Withdrawals(_)
            | Self::Healthcheck(_)
            | Self::Conformance(_) => "warn",
        }
    }

    async fn run(self, settings: Settings) -> anyhow::Result<Verdict> {
        match self {
            Self::Demo(command) => command.run(settings).await,
            Self::Serve(command) => command.run(settings).await,
            Self::Migrate(command) => command.run(settings).await,
            Self::Keys(command) => command.run(settings).await,
            Self::Clients(command) => command.run(settings).await,
            Self::Currencies(command) => command.run(settings).await,
            Self::Projections(command) => command.run(settings).await,
            Self::Audit(command) => command.run(settings).await,
            Self::Inbox(command) => command.run(settings).await,
            Self::Staff(command) => command.run(settings).await,
            Self::Statements(command) => command.run(settings).await,
            Self::Withdrawals(command) => command.run(settings).await,
            Self::Healthcheck(command) => command.run().await,
            Self::Sandbox(command) => command.run().await,
            Self::Conformance(command) => command.run().await,
        }
    }
}

/// Reads the command line, does what it says, and reports what went wrong.
pub(crate) fn run() -> ExitCode {
    let cli = Cli::parse();
    match start(cli) {
        Ok(Verdict::Yes) => ExitCode::SUCCESS,
        Ok(Verdict::No) => ExitCode::from(1),
        Err(error) => {
            say::failure(&error);
            ExitCode::from(2)
        }
    }
}

fn start(cli: Cli) -> anyhow::Result<Verdict> {
    telemetry::start(&cli.log, cli.command.log_default())?;
    let runtime = tokio::runtime::Runtime::new()?;
    let verdict = runtime.block_on(cli.command.run(cli.settings));
    // What blocks (a server that stops) has been awaited; nothing else is worth waiting for.
    runtime.shutdown_background();
    verdict
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent_and_every_command_has_examples() {
        let cli = Cli::command();
        cli.clone().debug_assert();
        for command in cli.get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string);
            assert!(
                help.unwrap_or_default().contains("Example"),
                "{} has no examples",
                command.get_name()
            );
        }
    }
}
