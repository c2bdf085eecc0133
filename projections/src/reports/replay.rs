//! Every balance of the log made again, at any place of it and for any days: what an independent
//! auditor re-computes on a laptop, from a database or from a file.
//!
//! The check of [`crate::audit::verify_export`] goes over the whole log beside it, so that figures
//! of a log that is not in order never look like good ones.

use std::io::BufRead;

use ledger_core::{chart::AccountType, money::CurrencyCode};
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::PgPool;

use super::{Line, Sheet, heading};
use crate::audit::{
    AccountTypeWord, Asked, AuditError, Balance, Days, Options, Progress, Report, Until,
    check_database, check_export,
};

/// An account as the events made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReplayedAccount {
    /// Code and currency.
    pub account: Box<str>,
    /// Its type.
    #[serde(rename = "type")]
    pub account_type: AccountType,
    /// The sum of its debits.
    pub debits: Decimal,
    /// The sum of its credits.
    pub credits: Decimal,
    /// What it has, on the type's normal side.
    pub balance: Decimal,
}

/// What a replay came to.
#[derive(Debug)]
pub struct Replay {
    /// The check of the whole log.
    pub report: Report,
    /// The last position that is in the balances.
    pub position: i64,
    /// The balances, summed by headings of the chart.
    pub sheet: Sheet,
    /// Every account, in order of the id.
    pub accounts: Vec<ReplayedAccount>,
    /// How many accounts could not be understood and are in no sum; the report says what of them.
    pub unreadable: u64,
}

/// Replays an export; no database is needed.
///
/// # Errors
/// As [`crate::audit::verify_export`]; and a sum that no report can hold.
pub fn replay_export(
    reader: impl BufRead,
    options: &Options,
    (until, days): (Until, Option<Days>),
    progress: impl FnMut(Progress),
) -> Result<Replay, AuditError> {
    let (report, asked) = check_export(reader, options, Some((until, days)), progress)?;
    replay(report, asked)
}

/// Replays the log of a database. Without a question it is replayed to where the read models are,
/// and compared with them.
///
/// # Errors
/// As [`crate::audit::verify_database`]; and a sum that no report can hold.
pub async fn replay_database(
    pool: &PgPool,
    options: &Options,
    question: Option<(Until, Option<Days>)>,
    progress: impl FnMut(Progress),
) -> Result<Replay, AuditError> {
    let (report, asked) = check_database(pool, options, question, progress).await?;
    replay(report, asked)
}

fn replay(report: Report, (position, balances): Asked) -> Result<Replay, AuditError> {
    let mut sheet = Sheet::default();
    let mut accounts = Vec::new();
    let mut unreadable = 0_u64;
    for balance in balances.unwrap_or_default() {
        let Some((code, currency, account_type)) = understood(&balance) else {
            unreadable = unreadable.saturating_add(1);
            continue;
        };
        let decimal = |value| {
            Decimal::try_from_i128_with_scale(value, u32::from(balance.scale))
                .map_err(|_| AuditError::AmountTooLarge)
        };
        let line = Line {
            currency,
            account_type,
            class: balance.class.to_string(),
            heading: heading(code),
            accounts: 1,
            debits: decimal(balance.debits)?,
            credits: decimal(balance.credits)?,
        };
        accounts.push(ReplayedAccount {
            account_type,
            debits: line.debits,
            credits: line.credits,
            balance: line.balance().ok_or(AuditError::AmountTooLarge)?,
            account: balance.account,
        });
        sheet.add(line).ok_or(AuditError::AmountTooLarge)?;
    }
    Ok(Replay { report, position, sheet, accounts, unreadable })
}

/// Its code, its currency and its type, if all of them can be read.
fn understood(balance: &Balance) -> Option<(&str, CurrencyCode, AccountType)> {
    let (code, currency) = balance.account.rsplit_once(':')?;
    let account_type = match balance.account_type? {
        AccountTypeWord::Asset => AccountType::Asset,
        AccountTypeWord::Liability => AccountType::Liability,
        AccountTypeWord::Income => AccountType::Income,
        AccountTypeWord::Expense => AccountType::Expense,
        AccountTypeWord::Equity => AccountType::Equity,
    };
    Some((code, currency.parse().ok()?, account_type))
}
