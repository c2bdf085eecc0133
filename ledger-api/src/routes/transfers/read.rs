//! Reading transfers: one, and many.

use ledger_core::{
    ids::{AccountId, TransferId},
    transfer::TransferStatus,
};
use projections::{TransferFilter, TransferRow};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::body::{TransferOut, TransferStatusWord};
use crate::{
    http::{
        ApiState, Problem,
        path::Id,
        query::Params,
        reach::{Reach, nothing},
        reader::{Listed, Reader, limit},
        reply::Reply,
    },
    routes::accounts::MinPosition,
    transfers::{self, READ},
};

/// Which transfers to list.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TransfersQuery {
    /// Sent from or to this account; of people, their own if it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    account: Option<AccountId>,
    /// In this status.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<TransferStatusWord>)]
    status: Option<TransferStatus>,
    /// Of people: only what waits for the number that they have verified, the oldest first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[param(default = false)]
    waiting: bool,
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

/// List transfers
///
/// The last one first; of an account, or in a status, or all.
#[utoipa::path(
    get,
    path = "/v1/transfers",
    tag = "Transfers",
    params(TransfersQuery),
    responses((status = 200, description = "A page of transfers.", body = Listed<TransferOut>)),
)]
pub(super) async fn list(
    reader: Reader,
    Params(query): Params<TransfersQuery>,
) -> Result<Reply<Listed<TransferOut>>, Problem> {
    let (reach, models) = reader.admit_reach(READ, query.min_position).await?;
    let limit = limit(query.limit)?;
    let list = reader.list("transfers", &query);
    if query.waiting {
        let Some(person) = reach.person() else {
            return Err(Problem::parameter("waiting", "Only people have a number here."));
        };
        let (position, rows) = transfers::waiting_for(&reader.state, person, limit).await?;
        let data = rows.into_iter().map(|row| TransferOut::of(row, reach, position));
        return reader.page(&list, data.collect(), None::<u64>, position);
    }
    let filter = TransferFilter {
        account: reach.listed(query.account.as_ref())?,
        status: query.status,
        before: list.resume(query.cursor.as_deref())?,
    };
    let page = models.transfers(&filter, limit).await?;
    let (next, position) = (page.next, page.position);
    let data = page.items.into_iter().map(|row| TransferOut::of(row, reach, position));
    reader.page(&list, data.collect(), next, position)
}

/// Get a transfer
///
/// For its sender, for who has it or claims it, and for who has verified the number that it waits
/// for; for everybody else it is not there.
#[utoipa::path(
    get,
    path = "/v1/transfers/{id}",
    tag = "Transfers",
    params(("id" = String, Path, description = "The transfer"), MinPosition),
    responses((status = 200, description = "The transfer.", body = TransferOut)),
)]
pub(super) async fn get(
    reader: Reader,
    Id(id): Id<TransferId>,
    Params(query): Params<MinPosition>,
) -> Result<Reply<TransferOut>, Problem> {
    let (reach, models) = reader.admit_reach(READ, query.min_position).await?;
    let (position, row) = reader.find(|| models.transfer(id)).await?;
    check(&reader.state, reach, &row).await?;
    Ok(Reply::ok(TransferOut::of(row, reach, position)).at(position))
}

/// Goes on only for who may see it.
async fn check(state: &ApiState, reach: Reach, row: &TransferRow) -> Result<(), Problem> {
    let Reach::Of(person) = reach else { return Ok(()) };
    let is_party = person.has(&row.account) || row.receiver.as_ref().is_some_and(|a| person.has(a));
    if is_party {
        return Ok(());
    }
    if !row.status.is_final() && row.phone_hash.is_some() {
        let own = transfers::own_phone_hash(state, person).await?;
        if own.is_some() && own == row.phone_hash {
            return Ok(());
        }
    }
    Err(nothing())
}
