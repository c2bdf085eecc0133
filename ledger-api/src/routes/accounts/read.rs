//! Reading accounts: one, many, the balance now and then.

use chrono::{DateTime, NaiveDate, Utc};
use ledger_core::{
    chart::AccountType,
    ids::{AccountCode, AccountId, Owner},
    log::Position,
    money::CurrencyCode,
};
use projections::{Account, AccountFilter, Balance, PastBalance, ReadModels};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{AccountOut, AccountTypeWord, BalanceOut, FreezeState};
use crate::{
    http::{
        Problem,
        path::Id,
        query::{self, Params},
        reader::{Listed, Reader, limit},
        reply::Reply,
        wire::Amount,
    },
    identity::Scope,
};

const SCOPES: &[Scope] = &[Scope::LedgerRead, Scope::BalancesRead];

/// Which accounts to list.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AccountsQuery {
    /// Of this owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    owner: Option<Owner>,
    /// Of exactly this code, in whichever currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    code: Option<AccountCode>,
    /// With a code that starts like this.
    #[serde(skip_serializing_if = "Option::is_none")]
    code_prefix: Option<String>,
    /// Of this type.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<AccountTypeWord>)]
    account_type: Option<AccountType>,
    /// In this currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    currency: Option<CurrencyCode>,
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

/// From which position on to answer.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MinPosition {
    /// Wait until the answer reflects this position.
    pub(crate) min_position: Option<u64>,
}

/// List accounts
///
/// In the order of their ids; by owner, code, type or currency.
#[utoipa::path(
    get,
    path = "/v1/accounts",
    tag = "Accounts",
    params(AccountsQuery),
    responses((status = 200, description = "A page of accounts.", body = Listed<AccountOut>)),
)]
pub(super) async fn list(
    reader: Reader,
    Params(query): Params<AccountsQuery>,
) -> Result<Reply<Listed<AccountOut>>, Problem> {
    let models = reader.admit(SCOPES, query.min_position).await?;
    let limit = limit(query.limit)?;
    if query.code_prefix.as_ref().is_some_and(|prefix| !prefix.is_ascii()) {
        return Err(Problem::parameter("code_prefix", "Codes are ASCII."));
    }
    let list = reader.list("accounts", &query);
    let filter = AccountFilter {
        owner: query.owner.clone(),
        code: query.code.clone(),
        code_prefix: query.code_prefix.clone(),
        branch: None,
        account_type: query.account_type,
        currency: query.currency,
        after: list.resume(query.cursor.as_deref())?,
    };
    let page = models.accounts(&filter, limit).await?;
    let data = page.items.into_iter().map(AccountOut::from).collect();
    reader.page(&list, data, page.next, page.position)
}

/// Get an account
#[utoipa::path(
    get,
    path = "/v1/accounts/{id}",
    tag = "Accounts",
    params(("id" = String, Path, description = "Code and currency", example = "wallet:asha:INR"),
           MinPosition),
    responses((status = 200, description = "The account.", body = AccountOut)),
)]
pub(super) async fn get(
    reader: Reader,
    Id(id): Id<AccountId>,
    Params(query): Params<MinPosition>,
) -> Result<Reply<AccountOut>, Problem> {
    let models = reader.admit(SCOPES, query.min_position).await?;
    let (position, account) = reader.find(|| models.account(&id)).await?;
    Ok(Reply::ok(AccountOut::from(account)).at(position))
}

/// As of when to state a balance.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct BalanceQuery {
    /// After the event at this position of the log.
    as_of_position: Option<u64>,
    /// After everything that was recorded by this moment.
    #[serde(default, deserialize_with = "query::moment")]
    as_of_time: Option<DateTime<Utc>>,
    /// Of all legs with a business date up to this one, whenever they were recorded.
    #[serde(default, deserialize_with = "query::date")]
    as_of_date: Option<NaiveDate>,
    /// Wait until the answer reflects this position.
    min_position: Option<u64>,
}

/// A balance, now or then, on the account's normal side.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct BalanceAnswer {
    /// Always `balance`.
    #[schema(example = "balance")]
    object: String,
    /// The account.
    #[schema(value_type = String, example = "wallet:asha:INR")]
    account: AccountId,
    /// The sum of its legs.
    posted: Amount,
    /// The sum of its open holds; not as of a business date, which holds do not have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    held: Option<Amount>,
    /// The sum of its liens; now only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    liens: Option<Amount>,
    /// What can be taken from it; now only, and only where the account has a floor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    available: Option<Amount>,
    /// The account's sequence that this is the balance of; not as of a business date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sequence: Option<u64>,
    /// The position that the answer reflects.
    position: u64,
}

/// Get an account's balance
///
/// Now, or as of a position of the log, a moment of recording, or a business date.
#[utoipa::path(
    get,
    path = "/v1/accounts/{id}/balance",
    tag = "Accounts",
    params(("id" = String, Path, description = "Code and currency", example = "wallet:asha:INR"),
           BalanceQuery),
    responses((status = 200, description = "The balance.", body = BalanceAnswer)),
)]
pub(super) async fn balance(
    reader: Reader,
    Id(id): Id<AccountId>,
    Params(query): Params<BalanceQuery>,
) -> Result<Reply<BalanceAnswer>, Problem> {
    let models = reader.admit(SCOPES, query.min_position).await?;
    let answer = match (query.as_of_position, query.as_of_time, query.as_of_date) {
        (None, None, None) => now(&reader, models, id).await?,
        (Some(at), None, None) => {
            let ask = || models.balance_at_position(&id, at);
            past(&id, reader.find(ask).await?)?
        }
        (None, Some(at), None) => {
            let ask = || models.balance_at_time(&id, at);
            past(&id, reader.find(ask).await?)?
        }
        (None, None, Some(on)) => {
            let ask = || models.balance_on_date(&id, on);
            past(&id, reader.find(ask).await?)?
        }
        _ => {
            let detail = "At most one of as_of_position, as_of_time and as_of_date.";
            return Err(Problem::parameter("as_of_position", detail));
        }
    };
    let position = answer.position;
    Ok(Reply::ok(answer).at(position))
}

async fn now(
    reader: &Reader,
    models: &ReadModels,
    account: AccountId,
) -> Result<BalanceAnswer, Problem> {
    let (position, balance) = reader.find(|| models.balance(&account)).await?;
    let sequence = Some(balance.sequence);
    let balance = BalanceOut::from(balance);
    Ok(BalanceAnswer {
        object: "balance".to_owned(),
        account,
        posted: balance.posted,
        held: Some(balance.held),
        liens: Some(balance.liens),
        available: balance.available,
        sequence,
        position,
    })
}

fn past(
    account: &AccountId,
    (position, balance): (Position, PastBalance),
) -> Result<BalanceAnswer, Problem> {
    let code = account.currency().map_err(|error| Problem::internal(&error))?;
    let amount = |value| Amount::new(value, code);
    Ok(BalanceAnswer {
        object: "balance".to_owned(),
        account: account.clone(),
        posted: amount(balance.posted),
        held: balance.held.map(amount),
        liens: None,
        available: None,
        sequence: balance.sequence,
        position,
    })
}

impl From<Balance> for BalanceOut {
    fn from(balance: Balance) -> Self {
        let amount = |value| Amount::new(value, balance.currency.code);
        Self {
            posted: amount(balance.posted),
            held: amount(balance.held),
            liens: amount(balance.liens),
            available: balance.available.map(amount),
        }
    }
}

impl From<Account> for AccountOut {
    fn from(account: Account) -> Self {
        let code = account.currency.code;
        let amount = |value| Amount::new(value, code);
        let freezes = account.freezes.into_iter().map(|freeze| FreezeState {
            reference: freeze.reference,
            mode: freeze.mode,
            amount: freeze.amount.map(amount),
        });
        Self {
            id: account.id,
            object: "account".to_owned(),
            code: account.code,
            currency: code,
            owner: account.owner,
            account_type: account.account_type,
            class: account.class,
            itemised: account.itemised,
            status: if account.closed_at.is_some() { "closed" } else { "open" }.to_owned(),
            floor: account.balance.floor.map(amount),
            ceiling: account.balance.ceiling.map(amount),
            sequence: account.balance.sequence,
            balance: Some(BalanceOut::from(account.balance)),
            freezes: freezes.collect(),
            metadata: account.metadata,
            opened_at: account.opened_at,
            closed_at: account.closed_at,
        }
    }
}
