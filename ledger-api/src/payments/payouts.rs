//! What a shop's payout is made of: settlements, refunds and what else came and went since the
//! payout before, so that all of it adds up.

use ledger_core::{ids::WithdrawalId, log::Position};
use projections::Composition;

use crate::http::{
    ApiState, Problem,
    reach::{Reach, nothing},
    reader::find,
};

/// What a withdrawal from what a shop can spend is made of; 404 for all others.
pub(crate) async fn composition(
    state: &ApiState,
    reach: Reach,
    id: WithdrawalId,
) -> Result<(Position, Composition), Problem> {
    let models = &state.read_models;
    let (position, history) = find(state, || models.withdrawal(id)).await?;
    let requested = history.withdrawal.properties().ok_or_else(nothing)?;
    reach.account(&requested.account)?;
    let code = requested.account.as_str();
    if !code.starts_with("merchant:") || !code.contains(":available:") {
        return Err(nothing());
    }
    let (account, payout) = (&requested.account, requested.transaction_id);
    let found = models.composition(account, payout, position).await?;
    Ok((position, found.ok_or_else(nothing)?))
}
