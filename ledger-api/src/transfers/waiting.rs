//! What waits for somebody who has proved a number.

use ledger_core::log::Position;
use projections::{At, TransferRow};

use super::take::own_phone_hash;
use crate::{
    http::{ApiState, Problem},
    people::PersonId,
};

/// What waits for the number that a person has verified and has not run out, the oldest first, to
/// be claimed by `transfers::claim`; and the position that this reflects. For the list of it, and
/// for the page that comes after the proof; nothing about money rests on it.
pub(crate) async fn waiting_for(
    state: &ApiState,
    person: PersonId,
    limit: u32,
) -> Result<(Position, Vec<TransferRow>), Problem> {
    let Some(hash) = own_phone_hash(state, person).await? else {
        return Ok((state.read_models.position().await?, Vec::new()));
    };
    let At { position, value } = state.read_models.transfers_waiting_for(&hash, limit).await?;
    let now = state.clock.now();
    let open = value.into_iter().filter(|row| row.expires_at.is_some_and(|end| end > now));
    Ok((position, open.collect()))
}
