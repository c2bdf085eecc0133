//! What waits for somebody who proves a number.

use ledger_core::{clock::Timestamp, ids::TransferId};

use super::recipient::phone_hash;
use crate::{
    http::{ApiState, Problem, wire::Amount},
    people::Phone,
};

/// How many are told of at a time.
const WAITING_MAX: u32 = 100;

/// Money that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// The transfer, to be claimed by `transfers::claim`.
    pub(crate) id: TransferId,
    /// How much.
    pub(crate) amount: Amount,
    /// Until when.
    pub(crate) expires_at: Timestamp,
}

/// What waits for whoever proves this number and has not run out, the oldest first. For the page
/// that comes after the proof; nothing about money rests on it.
pub(crate) async fn waiting_for(state: &ApiState, phone: &Phone) -> Result<Vec<Waiting>, Problem> {
    let hash = phone_hash(state, phone)?;
    let rows = state.read_models.transfers_waiting_for(&hash, WAITING_MAX).await?.value;
    let now = state.clock.now();
    let waits = rows.into_iter().filter_map(|row| {
        let expires_at = row.expires_at.filter(|end| *end > now)?;
        let amount = Amount::new(row.amount, row.currency);
        Some(Waiting { id: row.id, amount, expires_at })
    });
    Ok(waits.collect())
}
