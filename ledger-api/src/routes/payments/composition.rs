//! What a payout is made of.

use chrono::{DateTime, Utc};
use ledger_core::{
    ids::{TransactionId, WithdrawalId},
    money::CurrencyCode,
};
use projections::Movement;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    http::{Problem, path::Id, query::Params, reader::Reader, reply::Reply, wire::Amount},
    identity::Scope,
    payments,
    routes::accounts::MinPosition,
};

const READ: &[Scope] = &[Scope::LedgerRead, Scope::WithdrawalsWrite, Scope::BalancesRead];

/// What a payout is made of: the opening balance and all movements add up to the closing one.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = PayoutComposition)]
pub(super) struct CompositionOut {
    /// Always `payout_composition`.
    #[schema(example = "payout_composition")]
    object: String,
    /// The payout.
    #[schema(value_type = String, example = "wd_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    withdrawal: WithdrawalId,
    /// What the shop could spend before the first movement: right after the payout before.
    opening: Amount,
    /// What came and went since, in its order; the payout itself is the last.
    movements: Vec<MovementOut>,
    /// What was left after the payout.
    closing: Amount,
    /// Whether it goes back to the payout before; if not, what is older is in `opening`.
    whole: bool,
    /// The position that the answer reflects.
    position: u64,
}

/// What came or went for one reason.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = PayoutMovement)]
pub(super) struct MovementOut {
    /// Of what kind: `settlement`, `refund`, `withdrawal`, `dispute`.
    #[schema(example = "settlement")]
    kind: String,
    /// The object behind it: `set_…`, `rf_…`, `wd_…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "set_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    cause: Option<String>,
    /// The first transaction of it.
    #[schema(value_type = String, example = "txn_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    transaction: TransactionId,
    /// What came is above zero, what went below.
    amount: Amount,
    /// When.
    at: DateTime<Utc>,
}

impl MovementOut {
    fn of(movement: Movement, currency: CurrencyCode) -> Self {
        Self {
            kind: movement.kind.as_str().to_owned(),
            cause: movement.cause,
            transaction: movement.transaction,
            amount: Amount::new(movement.amount, currency),
            at: movement.at,
        }
    }
}

/// What a payout is made of
///
/// Of a withdrawal from what a shop can spend: settlements, refunds and what else came and went
/// since the payout before. Each settlement opens into its payments by
/// `GET /v1/payments?settlement=`. All of it adds up to the last digit.
#[utoipa::path(
    get,
    path = "/v1/withdrawals/{id}/composition",
    tag = "Payments",
    params(("id" = String, Path, description = "The withdrawal"), MinPosition),
    responses((status = 200, description = "Its parts.", body = CompositionOut)),
)]
pub(super) async fn get(
    reader: Reader,
    Id(id): Id<WithdrawalId>,
    Params(query): Params<MinPosition>,
) -> Result<Reply<CompositionOut>, Problem> {
    let (reach, _) = reader.admit_shop(READ, query.min_position).await?;
    let (position, found) = payments::composition(&reader.state, reach, id).await?;
    let currency = payments::currency()?;
    let scale = found.movements.first().map_or(0, |movement| movement.amount.scale());
    let amount = |mut value: Decimal| {
        value.rescale(scale);
        Amount::new(value, currency)
    };
    let movements = found.movements.into_iter();
    let out = CompositionOut {
        object: "payout_composition".to_owned(),
        withdrawal: id,
        opening: amount(found.opening),
        closing: amount(found.closing),
        whole: found.is_whole,
        movements: movements.map(|movement| MovementOut::of(movement, currency)).collect(),
        position,
    };
    Ok(Reply::ok(out).at(position))
}
