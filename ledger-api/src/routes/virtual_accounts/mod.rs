//! `/v1/virtual-accounts`: the standing number of a wallet at a bank. What is sent there is the
//! wallet's, asked for or not. Kept beside the log: it says where money goes that has not come yet.

mod body;

use ledger_core::{
    deposit::movement::is_wallet,
    ids::{AccountId, VirtualAccountId},
};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use self::body::{VirtualAccountIn, VirtualAccountOut};
use crate::{
    http::{
        ApiState, Problem,
        auth::Require as _,
        codes,
        json::Payload,
        path::Id,
        query::{NoParams, Params},
        reader::{Listed, Reader, known_account},
        reply::Reply,
        writer::Writer,
    },
    identity::Scope,
};

const SCOPES: &[Scope] = &[Scope::LedgerRead, Scope::DepositsWrite];
/// How many numbers are tried: one that is taken is met once in many millions.
const TRIES: usize = 3;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(make, list)).routes(routes!(get))
}

/// Create a virtual account
///
/// A wallet has one at each bank, for ever: asking again answers with the same one (200), so no
/// idempotency key is needed. Give its number to whoever wants to pay in at any time.
#[utoipa::path(
    post,
    path = "/v1/virtual-accounts",
    tag = "Deposits",
    request_body(content = VirtualAccountIn, example = json!({
        "account": "wallet:asha:INR", "bank": "hdfc"})),
    responses(
        (status = 201, description = "It was made.", body = VirtualAccountOut),
        (status = 200, description = "It was there.", body = VirtualAccountOut),
    ),
)]
async fn make(writer: Writer, payload: Payload) -> Result<Reply<VirtualAccountOut>, Problem> {
    writer.caller.require(&[Scope::DepositsWrite])?;
    let body: VirtualAccountIn = payload.parse()?;
    let state = &writer.state;
    check(state, &body).await?;
    for _ in 0..TRIES {
        let id = VirtualAccountId::from_uuid(state.ids.fresh());
        let (wallet, now) = ((&body.account, &body.bank), state.clock.now());
        let by = &writer.caller.principal;
        if let Some((found, made)) = state.virtual_accounts.make(id, wallet, by, now).await? {
            let location = format!("/v1/virtual-accounts/{}", found.id);
            let out = VirtualAccountOut::from(found);
            return Ok(if made { Reply::created(out, &location) } else { Reply::ok(out) });
        }
    }
    Err(Problem::internal(&"no number for a virtual account is free"))
}

async fn check(state: &ApiState, body: &VirtualAccountIn) -> Result<(), Problem> {
    if state.banks.get(&body.bank).is_none() {
        let detail = "This service calls no such bank.";
        return Err(Problem::field(codes::BANK_UNKNOWN, "/bank", detail));
    }
    if !is_wallet(&body.account) {
        let detail = "Money is paid in to a wallet.";
        return Err(Problem::field(codes::NOT_DEPOSITABLE, "/account", detail));
    }
    if known_account(state, &body.account).await?.is_none() {
        let detail = "The account was never opened.";
        return Err(Problem::field(codes::ACCOUNT_NOT_FOUND, "/account", detail));
    }
    Ok(())
}

/// Whose virtual accounts to list.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct VirtualAccountsQuery {
    /// Of this wallet.
    #[param(value_type = String, example = "wallet:asha:INR")]
    account: AccountId,
}

/// List a wallet's virtual accounts
///
/// All of them: one at each bank at most.
#[utoipa::path(
    get,
    path = "/v1/virtual-accounts",
    tag = "Deposits",
    params(VirtualAccountsQuery),
    responses((status = 200, description = "All of them.", body = Listed<VirtualAccountOut>)),
)]
async fn list(
    reader: Reader,
    Params(query): Params<VirtualAccountsQuery>,
) -> Result<Reply<Listed<VirtualAccountOut>>, Problem> {
    reader.admit(SCOPES, None).await?;
    let found = reader.state.virtual_accounts.of_wallet(&query.account).await?;
    let list = reader.list("virtual_accounts", &query);
    let position = reader.state.ledger.status().borrow().head.position;
    let found = found.into_iter().map(VirtualAccountOut::from).collect();
    reader.page(&list, found, None::<VirtualAccountId>, position)
}

/// Get a virtual account
#[utoipa::path(
    get,
    path = "/v1/virtual-accounts/{id}",
    tag = "Deposits",
    params(("id" = String, Path, description = "The virtual account")),
    responses((status = 200, description = "The virtual account.", body = VirtualAccountOut)),
)]
async fn get(
    reader: Reader,
    Id(id): Id<VirtualAccountId>,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Reply<VirtualAccountOut>, Problem> {
    reader.admit(SCOPES, None).await?;
    let found = reader.state.virtual_accounts.get(id).await?;
    let found = found.ok_or_else(|| Problem::not_found("There is nothing of this id."))?;
    Ok(Reply::ok(found.into()))
}
