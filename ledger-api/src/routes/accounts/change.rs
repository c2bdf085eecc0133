//! Changing an account: limits, freezes and liens, the close.

use ledger_core::{
    chart::{self, Authority, PostingClass},
    command::{ChangeLimits, FreezeAccount, Operation, Receipt},
    ids::{AccountId, Reference},
    money::CurrencyCode,
};
use serde::Serialize;

use super::{
    body::{ChangeOut, Empty, FreezeIn, LimitsIn},
    open::limit,
};
use crate::{
    http::{
        Problem,
        auth::Require as _,
        authority::to_manage,
        codes,
        idempotency::Key,
        json::Payload,
        path::{Id, Ids},
        reply::Reply,
        wire::{Amount, with_book},
        writer::{Done, Identity, Writer, wrong_receipt},
    },
    routes::transactions::body::check_currency,
};

/// Whether the caller may change the account, and by which authority. The class follows from the
/// code, since the chart of accounts is a part of the program.
fn authority(writer: &Writer, account: &AccountId) -> Result<Authority, Problem> {
    let class = chart::lookup(&account.code()).map_or(PostingClass::Open, |entry| entry.class);
    writer.caller.require(&[to_manage(class)])?;
    Ok(Authority::of(&[class]))
}

fn currency(account: &AccountId) -> Result<CurrencyCode, Problem> {
    account.currency().map_err(|error| Problem::internal(&error))
}

/// Set an account's limits
///
/// Both limits are stated; `null` means no limit. A floor below zero is a credit line. A limit
/// that the balance violates already is accepted: it only stops what would make it worse.
#[utoipa::path(
    post,
    path = "/v1/accounts/{id}/limits",
    tag = "Accounts",
    params(("id" = String, Path, description = "Code and currency", example = "wallet:asha:INR")),
    request_body(content = LimitsIn, example = json!(
        {"floor": {"value": "-100.00", "currency": "INR"}, "ceiling": null})),
    responses((status = 200, description = "They hold from now on.", body = ChangeOut)),
)]
pub(super) async fn limits(
    writer: Writer,
    Id(account): Id<AccountId>,
    key: Key,
    payload: Payload,
) -> Result<Reply<ChangeOut>, Problem> {
    let authority = authority(&writer, &account)?;
    let body: LimitsIn = payload.parse()?;
    let floor_zero = chart::lookup(&account.code()).is_some_and(|entry| entry.floor_zero);
    if floor_zero && body.floor.is_none() {
        let detail = "Wallets and merchants have a floor; a credit line is a floor below zero.";
        return Err(Problem::field(codes::CHART_MISMATCH, "/floor", detail));
    }
    let change = with_book(&writer.state, |book| {
        Ok(ChangeLimits {
            account: account.clone(),
            floor: limit(body.floor.as_ref(), book, &account, "/floor")?,
            ceiling: limit(body.ceiling.as_ref(), book, &account, "/ceiling")?,
        })
    })
    .await?;
    let code = currency(&account)?;
    let amount = |limit: Option<_>| limit.map(|limit| Amount::new(limit, code));
    let (floor, ceiling) = (amount(change.floor), amount(change.ceiling));
    let operation = Operation::ChangeLimits(change);
    let path = [account.as_str()];
    let identity = Identity { key, operation: "change_limits", path: &path, body: &body };
    let done = writer.submit(identity, authority.into(), operation).await?;
    let changed = ChangeOut { floor, ceiling, ..changed(&account, "limits", &done)? };
    Ok(reply(changed, &done))
}

/// Freeze an account, or put a lien on it
///
/// Under the reference of the order behind it. A freeze stops debits, credits or both; a lien
/// keeps an amount on the account.
#[utoipa::path(
    post,
    path = "/v1/accounts/{id}/freezes",
    tag = "Accounts",
    params(("id" = String, Path, description = "Code and currency", example = "wallet:asha:INR")),
    request_body(content = FreezeIn, example = json!(
        {"reference": "order-2026-17", "mode": "lien",
         "amount": {"value": "1.00", "currency": "INR"}})),
    responses((status = 201, description = "It holds from now on.", body = ChangeOut)),
)]
pub(super) async fn freeze(
    writer: Writer,
    Id(account): Id<AccountId>,
    key: Key,
    payload: Payload,
) -> Result<Reply<ChangeOut>, Problem> {
    let authority = authority(&writer, &account)?;
    let body: FreezeIn = payload.parse()?;
    let amount = match &body.amount {
        None => None,
        Some(amount) => {
            let parse = |book: &_| amount.resolve_positive(book, "/amount");
            let money = with_book(&writer.state, parse).await?;
            check_currency(&account, money.currency().code, "/amount")?;
            Some(money)
        }
    };
    let operation = Operation::Freeze(FreezeAccount {
        account: account.clone(),
        reference: body.reference.clone(),
        mode: body.mode,
        amount,
    });
    let path = [account.as_str()];
    let identity = Identity { key, operation: "freeze_account", path: &path, body: &body };
    let done = writer.submit(identity, authority.into(), operation).await?;
    let changed = ChangeOut {
        mode: Some(body.mode),
        amount: amount.map(Amount::from),
        reference: Some(body.reference),
        ..changed(&account, "freeze", &done)?
    };
    let location = format!("/v1/accounts/{account}");
    Ok(Reply::created(changed, &location).at(done.position).replayed(done.replayed))
}

/// Lift a freeze or lien
#[utoipa::path(
    delete,
    path = "/v1/accounts/{id}/freezes/{reference}",
    tag = "Accounts",
    params(("id" = String, Path, description = "Code and currency", example = "wallet:asha:INR"),
           ("reference" = String, Path, description = "The reference it was put under",
            example = "order-2026-17")),
    responses((status = 200, description = "It is lifted.", body = ChangeOut)),
)]
pub(super) async fn unfreeze(
    writer: Writer,
    Ids(account, reference): Ids<AccountId, Reference>,
    key: Key,
) -> Result<Reply<ChangeOut>, Problem> {
    let authority = authority(&writer, &account)?;
    let operation = Operation::Unfreeze { account: account.clone(), reference: reference.clone() };
    let path = [account.as_str(), reference.as_str()];
    let identity = Identity { key, operation: "unfreeze_account", path: &path, body: &Empty {} };
    let done = writer.submit(identity, authority.into(), operation).await?;
    let changed = ChangeOut { reference: Some(reference), ..changed(&account, "unfreeze", &done)? };
    Ok(reply(changed, &done))
}

/// Close an account, for good
///
/// Only at a balance of zero, without open holds, freezes and liens.
#[utoipa::path(
    post,
    path = "/v1/accounts/{id}/close",
    tag = "Accounts",
    params(("id" = String, Path, description = "Code and currency", example = "till:7:INR")),
    request_body(content = Empty, example = json!({})),
    responses((status = 200, description = "It is closed.", body = ChangeOut)),
)]
pub(super) async fn close(
    writer: Writer,
    Id(account): Id<AccountId>,
    key: Key,
    payload: Payload,
) -> Result<Reply<ChangeOut>, Problem> {
    let authority = authority(&writer, &account)?;
    let body: Empty = payload.parse_or_empty()?;
    let operation = Operation::CloseAccount { account: account.clone() };
    let path = [account.as_str()];
    let identity = Identity { key, operation: "close_account", path: &path, body: &body };
    let done = writer.submit(identity, authority.into(), operation).await?;
    Ok(reply(changed(&account, "close", &done)?, &done))
}

/// What every change answers: from the request and the stored outcome alone.
fn changed(account: &AccountId, change: &str, done: &Done) -> Result<ChangeOut, Problem> {
    let Receipt::Account { sequence } = done.accepted.receipt else {
        return Err(wrong_receipt(&done.accepted.receipt));
    };
    Ok(ChangeOut {
        object: "account_change".to_owned(),
        account: account.clone(),
        change: change.to_owned(),
        reference: None,
        mode: None,
        amount: None,
        floor: None,
        ceiling: None,
        sequence,
        recorded_at: done.accepted.recorded_at,
        position: done.accepted.position,
    })
}

fn reply<T: Serialize>(body: T, done: &Done) -> Reply<T> {
    Reply::ok(body).at(done.position).replayed(done.replayed)
}
