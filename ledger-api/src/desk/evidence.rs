//! The one evidence that the desk finds by itself: both closed statements are without a withdrawal.

use chrono::{Days, NaiveDate};
use ledger_core::{
    ids::{BankCode, WithdrawalId},
    withdrawal::WithdrawalEvent,
};
use sha2::{Digest as _, Sha256};
use sqlx::PgPool;

use super::{known, resolutions::open_attempt};
use crate::{
    http::{ApiState, Problem},
    statements::{Absence, absent_from_statements},
};

/// That a withdrawal is in neither statement.
#[derive(Debug)]
pub(crate) struct Absent {
    /// In words, for the log.
    pub(crate) reason: String,
    /// SHA-256 over those of the statements, in the order of their days.
    pub(crate) sha256: String,
}

/// The proof that the last attempt of a withdrawal is in neither of the closed statements of its
/// day of sending and of the next; nothing if there is none.
pub(crate) async fn absent(state: &ApiState, id: WithdrawalId) -> Result<Option<Absent>, Problem> {
    let history = known(state, id).await?;
    if open_attempt(&history.withdrawal).is_none() {
        return Ok(None);
    }
    let begun = history.facts.iter().rev().find_map(|fact| {
        matches!(fact.event, WithdrawalEvent::AttemptBegun(_)).then_some(fact.recorded_at)
    });
    let Some((attempt, begun)) = history.withdrawal.attempts().last().zip(begun) else {
        return Ok(None);
    };
    let Some(bank) = state.banks.get(&attempt.bank) else { return Ok(None) };
    // A bank's day is by its own clock; one that does not tell it proves nothing.
    let Ok(contract) = bank.contract().await else { return Ok(None) };
    let day = begun.with_timezone(&contract.time_zone).date_naive();
    let pool = &state.reads;
    if absent_from_statements(pool, &attempt.bank, &attempt.reference, day).await?
        != Absence::Proved
    {
        return Ok(None);
    }
    let next = day.checked_add_days(Days::new(1)).unwrap_or(day);
    let reason =
        format!("{} is in neither closed statement of {day} and {next}", attempt.reference);
    Ok(Some(Absent { reason, sha256: hash(pool, &attempt.bank, [day, next]).await? }))
}

async fn hash(pool: &PgPool, bank: &BankCode, days: [NaiveDate; 2]) -> sqlx::Result<String> {
    let sql = "select distinct on (day) sha256 from statement_files
               where bank = $1 and account = 'escrow' and day = any($2)
               order by day, id desc";
    let query = sqlx::query_scalar(sql).bind(bank.as_str()).bind(days.to_vec());
    let files: Vec<Vec<u8>> = query.fetch_all(pool).await?;
    let hasher = files.iter().fold(Sha256::new(), Sha256::chain_update);
    Ok(hex::encode(hasher.finalize()))
}
