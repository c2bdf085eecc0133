//! Reading bank accounts: masked, by owner or by id.

use ledger_core::ids::{BankAccountId, Owner};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::body::BankAccountOut;
use crate::{
    http::{
        Problem,
        path::Id,
        query::{NoParams, Params},
        reach::{Reach, nothing},
        reader::{Listed, Reader, limit},
        reply::Reply,
    },
    identity::Scope,
};

const SCOPES: &[Scope] = &[Scope::LedgerRead, Scope::WithdrawalsWrite];

/// Which bank accounts to list.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct BankAccountsQuery {
    /// Whose. People may leave it out: their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, example = "asha")]
    owner: Option<Owner>,
    /// How many, 1 to 100 [default: 25].
    #[serde(skip_serializing_if = "crate::http::query::not_a_filter")]
    limit: Option<u32>,
    /// Where to go on: `next_cursor` of the page before.
    #[serde(skip_serializing_if = "crate::http::query::not_a_filter")]
    cursor: Option<String>,
}

/// List bank accounts
///
/// An owner's, the newest first. Those that were erased are left out.
#[utoipa::path(
    get,
    path = "/v1/bank-accounts",
    tag = "Bank accounts",
    params(BankAccountsQuery),
    responses((status = 200, description = "A page of them.", body = Listed<BankAccountOut>)),
)]
pub(super) async fn list(
    reader: Reader,
    Params(mut query): Params<BankAccountsQuery>,
) -> Result<Reply<Listed<BankAccountOut>>, Problem> {
    let (reach, _) = reader.admit_shop(SCOPES, None).await?;
    let limit = limit(query.limit)?;
    let owner = match (&query.owner, reach) {
        (None, Reach::Everything) => {
            return Err(Problem::parameter("owner", "Only people may leave it out."));
        }
        (named, reach) => reach.owner_or_self(named.as_ref())?,
    };
    query.owner = Some(owner.clone());
    let list = reader.list("bank_accounts", &query);
    let before = list.resume(query.cursor.as_deref())?;
    let one_more = limit.saturating_add(1);
    let mut found = reader.state.bank_accounts.list(&owner, before, one_more).await?;
    let more = found.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    if more {
        found.pop();
    }
    let next = found.last().map(|account| account.id).filter(|_| more);
    let position = reader.state.ledger.status().borrow().head.position;
    reader.page(&list, found.into_iter().map(BankAccountOut::from).collect(), next, position)
}

/// Get a bank account
///
/// The number is masked. One that was erased is still there, as `deleted`.
#[utoipa::path(
    get,
    path = "/v1/bank-accounts/{id}",
    tag = "Bank accounts",
    params(("id" = String, Path, description = "The bank account")),
    responses((status = 200, description = "The bank account.", body = BankAccountOut)),
)]
pub(super) async fn get(
    reader: Reader,
    Id(id): Id<BankAccountId>,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Reply<BankAccountOut>, Problem> {
    let (reach, _) = reader.admit_shop(SCOPES, None).await?;
    let found = reader.state.bank_accounts.get(id).await?;
    let found = found.ok_or_else(nothing)?;
    reach.owner(&found.owner)?;
    Ok(Reply::ok(found.into()))
}
