//! Reading holds: one, and those of an account.

use ledger_core::{
    ids::{AccountId, HoldId},
    log::Position,
};
use projections::{Hold, HoldState};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::HoldOut;
use crate::{
    http::{
        Problem,
        path::Id,
        query::Params,
        reader::{Listed, Reader, limit},
        reply::Reply,
        wire::Amount,
    },
    identity::Scope,
    routes::accounts::MinPosition,
};

const SCOPES: &[Scope] = &[Scope::LedgerRead];

/// Which holds to list.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct HoldsQuery {
    /// Of this account.
    #[param(value_type = String, example = "wallet:asha:INR")]
    account: AccountId,
    /// In this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline, value_type = Option<HoldStatus>)]
    status: Option<HoldState>,
    /// How many at most; 1 to 100, 25 if left out.
    #[serde(skip_serializing_if = "crate::http::query::not_a_filter")]
    limit: Option<u32>,
    /// Where to go on: `next_cursor` of the page before.
    #[serde(skip_serializing_if = "crate::http::query::not_a_filter")]
    cursor: Option<String>,
    /// Wait until the answer reflects this position.
    #[serde(skip_serializing_if = "crate::http::query::not_a_filter")]
    min_position: Option<u64>,
}

/// What became of a hold.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum HoldStatus {
    /// It reserves.
    Open,
    /// It was posted.
    Captured,
    /// It was given up.
    Released,
    /// Its time came.
    Expired,
}

/// List an account's holds
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/v1/holds",
    tag = "Holds",
    params(HoldsQuery),
    responses((status = 200, description = "A page of them.", body = Listed<HoldOut>)),
)]
pub(super) async fn list(
    reader: Reader,
    Params(query): Params<HoldsQuery>,
) -> Result<Reply<Listed<HoldOut>>, Problem> {
    let models = reader.admit(SCOPES, query.min_position).await?;
    let limit = limit(query.limit)?;
    let list = reader.list("holds", &query);
    let before = list.resume(query.cursor.as_deref())?;
    let page = models.holds(&query.account, query.status, before, limit).await?;
    let holds = page.items.into_iter().map(|hold| hold_out(hold, page.position));
    reader.page(&list, holds.collect::<Result<_, _>>()?, page.next, page.position)
}

/// Get a hold
#[utoipa::path(
    get,
    path = "/v1/holds/{id}",
    tag = "Holds",
    params(("id" = String, Path, description = "The hold"), MinPosition),
    responses((status = 200, description = "The hold.", body = HoldOut)),
)]
pub(super) async fn get(
    reader: Reader,
    Id(id): Id<HoldId>,
    Params(query): Params<MinPosition>,
) -> Result<Reply<HoldOut>, Problem> {
    let models = reader.admit(SCOPES, query.min_position).await?;
    let (position, hold) = reader.find(|| models.hold(id)).await?;
    Ok(Reply::ok(hold_out(hold, position)?).at(position))
}

fn hold_out(hold: Hold, position: Position) -> Result<HoldOut, Problem> {
    let code = hold.account.currency().map_err(|error| Problem::internal(&error))?;
    let amount = |value| Amount::new(value, code);
    let status = match hold.state {
        HoldState::Open => "open",
        HoldState::Captured => "captured",
        HoldState::Released => "released",
        HoldState::Expired => "expired",
    };
    let released = hold.captured.and_then(|captured| hold.amount.checked_sub(captured));
    Ok(HoldOut {
        id: hold.id,
        object: "hold".to_owned(),
        account: hold.account,
        status: status.to_owned(),
        is_final: hold.state != HoldState::Open,
        amount: Some(amount(hold.amount)),
        expires_at: hold.expires_at,
        captured: hold.captured.map(amount),
        released: released.map(amount),
        transaction: hold.transaction_id,
        effective_on: None,
        recorded_at: hold.ended_at.unwrap_or(hold.placed_at),
        position,
    })
}
