//! Making a bank account, having its name checked, erasing it.

use ledger_core::ids::{BankAccountId, BankCode};

use super::body::{BankAccountIn, BankAccountOut, CheckIn};
use crate::{
    banks::{
        Bank, NameCheck, NameMatch,
        accounts::{BankAccount, BankAccountStatus, Checked, CreateError, NewBankAccount, Why},
    },
    http::{
        ApiState, Problem, codes,
        idempotency::{self, Key},
        json::Payload,
        path::Id,
        reach::{Reach, Reaching as _, nothing},
        reply::Reply,
        writer::Writer,
    },
    identity::Scope,
};

const SCOPES: &[Scope] = &[Scope::WithdrawalsWrite];

/// Create a bank account
///
/// Nothing is sent to it before its name was checked. Number and name are kept where they can be
/// erased, and the number is never shown whole again.
#[utoipa::path(
    post,
    path = "/v1/bank-accounts",
    tag = "Bank accounts",
    request_body(content = BankAccountIn, example = json!({
        "owner": "asha", "account_number": "001234567890", "ifsc": "TEST0000001",
        "name": "Asha Rao"})),
    responses((status = 201, description = "It is kept, unverified.", body = BankAccountOut)),
)]
pub(crate) async fn create(
    writer: Writer,
    Key(key): Key,
    payload: Payload,
) -> Result<Reply<BankAccountOut>, Problem> {
    let reach = writer.caller.reach_shop(SCOPES)?;
    let body: BankAccountIn = payload.parse()?;
    let owner = reach.owner_or_self(body.owner.as_ref())?;
    check_legal_name(&writer.state, reach, body.name()).await?;
    let payee = body.payee()?;
    let secret = &writer.state.fingerprint_key;
    let new = NewBankAccount {
        id: BankAccountId::from_uuid(writer.state.ids.fresh()),
        owner,
        payee,
        at: writer.state.clock.now(),
        principal: writer.caller.principal.clone(),
        idempotency: idempotency::bind(secret, key, "create_bank_account", &[], &body)?,
    };
    let created = writer.state.bank_accounts.create(&new).await.map_err(|error| match error {
        CreateError::KeyReused => {
            Problem::new(codes::IDEMPOTENCY_KEY_REUSED, "The key came with another request.")
        }
        CreateError::Database(error) => error.into(),
    })?;
    let location = format!("/v1/bank-accounts/{}", created.account.id);
    let replayed = created.replayed;
    Ok(Reply::created(created.account.into(), &location).replayed(replayed))
}

/// A shop's money goes to accounts in the name that is on its papers: whoever gets hold of its key
/// cannot have it sent to themselves.
async fn check_legal_name(state: &ApiState, reach: Reach, name: &str) -> Result<(), Problem> {
    let Some(id) = reach.merchant() else { return Ok(()) };
    let shop = state.shops.by_id(id).await?.ok_or_else(nothing)?;
    let lower = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    if lower(name) == lower(shop.legal_name.expose()) {
        return Ok(());
    }
    let detail = "A shop's bank account is in its legal name.";
    Err(Problem::field(codes::INVALID, "/name", detail))
}

/// Verify a bank account
///
/// A bank is asked whose account it is; no money moves. The same or nearly the same name makes it
/// `verified`, all else `refused`. If the bank does not answer it stays as it is (503
/// `bank_unavailable`): ask again later, or another bank.
#[utoipa::path(
    post,
    path = "/v1/bank-accounts/{id}/verify",
    tag = "Bank accounts",
    params(("id" = String, Path, description = "The bank account")),
    request_body(content = CheckIn, example = json!({"bank": "hdfc"})),
    responses((status = 200, description = "What came of it.", body = BankAccountOut)),
)]
pub(crate) async fn verify(
    writer: Writer,
    Id(id): Id<BankAccountId>,
    payload: Payload,
) -> Result<Reply<BankAccountOut>, Problem> {
    let reach = writer.caller.reach_shop(SCOPES)?;
    let body: CheckIn = payload.parse_or_empty()?;
    let account = there(&writer.state, id).await?;
    reach.owner(&account.owner)?;
    let accounts = &writer.state.bank_accounts;
    match (account.status, accounts.to_check(id).await?) {
        (BankAccountStatus::Unverified | BankAccountStatus::Refused(_), Some(payee)) => {
            let bank = bank(&writer.state, body.bank.as_ref())?;
            let checked = match bank.check_name(&payee).await {
                Ok(said) => checked(said),
                Err(error) => {
                    tracing::warn!(bank = %bank.code(), %error, "a name was not checked");
                    return Err(Problem::new(
                        codes::BANK_UNAVAILABLE,
                        "The bank did not say whose account it is. Nothing was changed.",
                    )
                    .retry_after(5));
                }
            };
            accounts.note_check(id, bank.code(), &checked, writer.state.clock.now()).await?;
            Ok(Reply::ok(there(&writer.state, id).await?.into()))
        }
        (BankAccountStatus::Verified | BankAccountStatus::Deleted, _) | (_, None) => {
            Ok(Reply::ok(account.into()))
        }
    }
}

/// Erase a bank account
///
/// Number and names are gone for good; the id stays, as that of a `deleted` one. What waits to be
/// sent to it is not sent. Erasing it again changes nothing.
#[utoipa::path(
    delete,
    path = "/v1/bank-accounts/{id}",
    tag = "Bank accounts",
    params(("id" = String, Path, description = "The bank account")),
    responses((status = 200, description = "It is erased.", body = BankAccountOut)),
)]
pub(crate) async fn erase(
    writer: Writer,
    Id(id): Id<BankAccountId>,
) -> Result<Reply<BankAccountOut>, Problem> {
    let reach = writer.caller.reach_shop(SCOPES)?;
    reach.owner(&there(&writer.state, id).await?.owner)?;
    writer.state.bank_accounts.erase(id, writer.state.clock.now()).await?;
    Ok(Reply::ok(there(&writer.state, id).await?.into()))
}

async fn there(state: &ApiState, id: BankAccountId) -> Result<BankAccount, Problem> {
    let found = state.bank_accounts.get(id).await?;
    found.ok_or_else(nothing)
}

/// The bank that was asked for, or the first of those that are called.
fn bank<'a>(state: &'a ApiState, asked: Option<&BankCode>) -> Result<&'a dyn Bank, Problem> {
    let found = match asked {
        Some(code) => state.banks.get(code),
        None => state.banks.iter().next(),
    };
    found.map(AsRef::as_ref).ok_or_else(|| {
        Problem::field(codes::BANK_UNKNOWN, "/bank", "This service calls no such bank.")
    })
}

fn checked(said: NameCheck) -> Checked {
    match said {
        NameCheck::Found { matched: NameMatch::Exact, .. } => {
            Checked::Right { registered_name: None }
        }
        NameCheck::Found { matched: NameMatch::Close, registered_name } => {
            Checked::Right { registered_name: Some(registered_name) }
        }
        // Whose it is instead is nobody's business.
        NameCheck::Found { matched: NameMatch::None, .. } => Checked::Wrong(Why::NameDiffers),
        NameCheck::Closed => Checked::Wrong(Why::AccountClosed),
        NameCheck::NotFound => Checked::Wrong(Why::AccountUnknown),
    }
}
