//! What was said to banks about a withdrawal, for people at the desk.

use ledger_core::ids::WithdrawalId;

use super::known;
use crate::{
    exchanges::{Exchanges, KeptExchange},
    http::{ApiState, Problem},
    vault::SubjectKeys,
};

/// The most that are shown of one withdrawal.
const SHOWN_MAX: u32 = 100;

/// All of it, the first first.
///
/// # Errors
/// Problem `not_found` if there is no such withdrawal.
pub(crate) async fn of(state: &ApiState, id: WithdrawalId) -> Result<Vec<KeptExchange>, Problem> {
    known(state, id).await?;
    kept(state, id).await
}

/// The same of a withdrawal that is known.
pub(crate) async fn kept(state: &ApiState, id: WithdrawalId) -> Result<Vec<KeptExchange>, Problem> {
    let keys = SubjectKeys::new(state.reads.clone(), state.fingerprint_key.bytes());
    let exchanges = Exchanges::new(state.reads.clone(), keys);
    Ok(exchanges.of_withdrawal(id, SHOWN_MAX).await?)
}
