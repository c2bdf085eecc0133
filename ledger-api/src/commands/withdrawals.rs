//! `bahi withdrawals`: money on its way out, and why it waits.

use std::collections::BTreeMap;

use anyhow::Context;
use chrono::TimeDelta;
use clap::{Args, Subcommand};
use comfy_table::{Table, presets::NOTHING};
use ledger_api::{
    banks::BankRegistry,
    config::Settings,
    workers::withdrawals::{
        notes::{Noted, Notes},
        waits::{self, Place, Wait},
    },
};
use ledger_core::{
    clock::{Clock, System, Timestamp},
    ids::{BankCode, Reference},
    withdrawal::WithdrawalStatus,
};
use projections::{ReadModels, WithdrawalFilter, WithdrawalRow};
use sqlx::PgPool;

use super::{Verdict, say, work::with_reader};

const EXAMPLES: &str = "\
Examples:
  bahi withdrawals ls --status outcome_unknown
  bahi withdrawals ls --status queued --bank hdfc

With the banks' addresses in the environment (BAHI_BANK_{NAME}_URL), as the service has them, it
also knows how many checks a bank allows and until when an answer is due.";

/// Look at money on its way out
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct WithdrawalsCommand {
    #[command(subcommand)]
    command: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List withdrawals, the last one first
    Ls {
        /// Those in one status
        #[arg(long, value_parser = status)]
        status: Option<WithdrawalStatus>,
        /// Those of one bank
        #[arg(long)]
        bank: Option<BankCode>,
        /// How many at most
        #[arg(long, default_value_t = 50, value_name = "NUMBER")]
        limit: u32,
    },
}

fn status(text: &str) -> Result<WithdrawalStatus, String> {
    let all = WithdrawalStatus::ALL;
    let found = all.into_iter().find(|status| status.as_str() == text);
    found.ok_or_else(|| format!("one of: {}", all.map(WithdrawalStatus::as_str).join(", ")))
}

impl WithdrawalsCommand {
    pub(super) async fn run(self, settings: Settings) -> anyhow::Result<Verdict> {
        let What::Ls { status, bank, limit } = self.command;
        let banks = BankRegistry::from_environment()?;
        let filter = WithdrawalFilter { status, bank, ..WithdrawalFilter::default() };
        with_reader(&settings, async |pool| list(pool, &banks, &filter, limit).await).await
    }
}

async fn list(
    pool: &PgPool,
    banks: &BankRegistry,
    filter: &WithdrawalFilter,
    limit: u32,
) -> anyhow::Result<Verdict> {
    const UNREADABLE: &str = "the withdrawals can't be read";
    let models = ReadModels::new(pool.clone());
    let page = models.withdrawals(filter, limit).await.context(UNREADABLE)?;
    let rows: Vec<&WithdrawalRow> = page.items.iter().collect();
    let reasons = models.withdrawal_reasons(&rows).await.context(UNREADABLE)?;
    let of: Vec<_> = rows.iter().map(|row| (row.id, row.bank.clone(), row.attempts)).collect();
    let noted = Notes::new(pool.clone()).noted(&of).await.context(UNREADABLE)?;
    let mut contracts = BTreeMap::new();
    for bank in banks.iter() {
        // One that is down takes times away, and nothing else.
        if let Ok(contract) = bank.contract().await {
            contracts.insert(bank.code().clone(), contract);
        }
    }
    let now = System.now();
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["ID", "AMOUNT", "BANK", "STATUS", "AGE", "CHECKS", "DUE", "REASON"]);
    for row in rows {
        let place = Place::of(row, reasons.get(&row.id).map(Reference::as_str));
        let contract = contracts.get(&row.bank).map(AsRef::as_ref);
        let none = Noted::default();
        let wait = waits::wait(&place, noted.get(&row.id).unwrap_or(&none), contract, now);
        table.add_row(line(row, wait.as_ref(), now));
    }
    say::line(table.trim_fmt());
    Ok(Verdict::Yes)
}

fn line(row: &WithdrawalRow, wait: Option<&Wait>, now: Timestamp) -> [String; 8] {
    let none = || "-".to_owned();
    let currency = row.account.currency().map_or_else(|_| none(), |code| code.to_string());
    let checks = |wait: &Wait| {
        let allowed = wait.checks_allowed.map_or_else(none, |allowed| allowed.to_string());
        Some(format!("{}/{allowed}", wait.checks_used?))
    };
    let due = |wait: &Wait| Some(wait.answer_due_by?.format("%Y-%m-%d %H:%MZ").to_string());
    [
        row.id.to_string(),
        format!("{} {currency}", row.amount),
        row.bank.to_string(),
        row.status.as_str().to_owned(),
        age(now.signed_duration_since(row.requested_at)),
        wait.and_then(checks).unwrap_or_else(none),
        wait.and_then(due).unwrap_or_else(none),
        wait.map_or_else(none, |wait| wait.reason.clone()),
    ]
}

/// How long ago, in its largest unit.
fn age(passed: TimeDelta) -> String {
    let passed = passed.max(TimeDelta::zero());
    match (passed.num_days(), passed.num_hours(), passed.num_minutes()) {
        (0, 0, 0) => format!("{}s", passed.num_seconds()),
        (0, 0, minutes) => format!("{minutes}m"),
        (0, hours, _) => format!("{hours}h"),
        (days, _, _) => format!("{days}d"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_in_their_largest_unit() {
        let told = |seconds| age(TimeDelta::seconds(seconds));
        assert_eq!(
            [-5, 59, 60, 3_599, 3_600, 86_400].map(told),
            ["0s", "59s", "1m", "59m", "1h", "1d"]
        );
    }

    #[test]
    fn only_statuses_are_statuses() {
        assert_eq!(status("needs_attention"), Ok(WithdrawalStatus::NeedsAttention));
        assert!(status("Queued").unwrap_err().contains("queued"));
    }
}
