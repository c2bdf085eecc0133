//! Accounts as auditors read them: the tree, the accounts of a branch, one of them, its entries
//! with the balance after each; now or as of any place in the log. Whose they are is an opaque id.

use chrono::{DateTime, NaiveDate, Utc};
use ledger_core::{ids::AccountId, log::Position};
use projections::{Account, AccountFilter, AsOf, Order, StatementQuery};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::{
    account_body::{AccountOut, AccountTreeOut, BranchOut, EntryOut, Standing},
    key::{AuditKey, as_of},
};
use crate::http::{
    Problem,
    path::Id,
    query::{Params, date, moment, not_a_filter},
    reach::nothing,
    reader::{Listed, limit},
    reply::Reply,
};

/// As of when.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WhenQuery {
    /// After the event at this position of the log, and the rest of its transaction; now if left
    /// out.
    as_of_position: Option<u64>,
    /// After everything that was recorded at or before this moment.
    #[serde(default, deserialize_with = "moment")]
    #[param(value_type = Option<String>, format = DateTime)]
    as_of_time: Option<DateTime<Utc>>,
    /// All that belongs to the days up to this business date, whenever it was recorded.
    #[serde(default, deserialize_with = "date")]
    #[param(value_type = Option<String>, format = Date)]
    as_of_date: Option<NaiveDate>,
    /// Wait until the answer reflects this position.
    min_position: Option<u64>,
}

impl WhenQuery {
    fn as_of(&self) -> Result<AsOf, Problem> {
        as_of(self.as_of_position, self.as_of_time, self.as_of_date)
    }
}

/// Get the chart of accounts as a tree
///
/// What the accounts of each branch sum to: of each type the first part of their codes, of banks
/// the first two.
#[utoipa::path(
    get,
    path = "/v1/audit/account-tree",
    tag = "Audit",
    params(WhenQuery),
    responses((status = 200, description = "All branches.", body = AccountTreeOut)),
)]
pub(super) async fn tree(
    key: AuditKey,
    Params(query): Params<WhenQuery>,
) -> Result<Reply<AccountTreeOut>, Problem> {
    key.wait(query.min_position).await?;
    let found = key.reads.read_models.account_tree(query.as_of()?).await?;
    let data = found.value.into_iter().map(BranchOut::from).collect();
    let out = AccountTreeOut { object: "account_tree", data, position: found.position };
    Ok(Reply::ok(out).at(found.position))
}

/// Which accounts.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AccountsQuery {
    /// With this code or one below it: `wallet`, `bank:hdfc`.
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<String>,
    /// After the event at this position of the log, and the rest of its transaction; now if left
    /// out.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of_position: Option<u64>,
    /// After everything that was recorded at or before this moment.
    #[serde(default, deserialize_with = "moment", skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    as_of_time: Option<DateTime<Utc>>,
    /// How many at most; 1 to 100, 25 if left out.
    #[serde(skip_serializing_if = "not_a_filter")]
    limit: Option<u32>,
    /// Where to go on: `next_cursor` of the page before.
    #[serde(skip_serializing_if = "not_a_filter")]
    cursor: Option<String>,
    /// Wait until the answer reflects this position.
    #[serde(skip_serializing_if = "not_a_filter")]
    min_position: Option<u64>,
}

/// List the accounts
///
/// In the order of their ids, with their balances now or as of a place in the log; one that was not
/// open by then has none.
#[utoipa::path(
    get,
    path = "/v1/audit/accounts",
    tag = "Audit",
    params(AccountsQuery),
    responses((status = 200, description = "A page of them.", body = Listed<AccountOut>)),
)]
pub(super) async fn list(
    key: AuditKey,
    Params(query): Params<AccountsQuery>,
) -> Result<Reply<Listed<AccountOut>>, Problem> {
    key.wait(query.min_position).await?;
    let place = key.whole_place(query.as_of_position, query.as_of_time).await?;
    let limit = limit(query.limit)?;
    let list = key.list("audit_accounts", &query);
    let filter = AccountFilter {
        branch: query.branch.clone(),
        after: list.resume(query.cursor.as_deref())?,
        ..AccountFilter::default()
    };
    let page = key.reads.read_models.accounts(&filter, limit).await?;
    let mut data = Vec::with_capacity(page.items.len());
    for account in page.items {
        let standing = match place {
            Some(place) => past(&key, &account, place).await?,
            None => Standing::now(&account),
        };
        data.push(AccountOut::of(account, standing));
    }
    key.page(&list, data, page.next, place.unwrap_or(page.position))
}

/// What was on an account after the event at `place`, which is the end of a transaction.
async fn past(key: &AuditKey, account: &Account, place: Position) -> Result<Standing, Problem> {
    let found = key.reads.read_models.balance_at_position(&account.id, place).await?;
    Ok(found.value.into())
}

/// Get an account, for auditors
///
/// With its balance now, as of a place in the log, or of a business date. Whose it is stands as an
/// opaque id, `subject`; `POST /v1/audit/openings` opens the name behind it, with a reason.
#[utoipa::path(
    get,
    path = "/v1/audit/accounts/{id}",
    tag = "Audit",
    params(("id" = String, Path, description = "Code and currency", example = "wallet:asha:INR"),
           WhenQuery),
    responses((status = 200, description = "The account.", body = AccountOut)),
)]
pub(super) async fn one(
    key: AuditKey,
    Id(id): Id<AccountId>,
    Params(query): Params<WhenQuery>,
) -> Result<Reply<AccountOut>, Problem> {
    key.wait(query.min_position).await?;
    let models = &key.reads.read_models;
    let found = models.account(&id).await?;
    let account = found.value.ok_or_else(nothing)?;
    let (position, standing) = match query.as_of()? {
        AsOf::Now => (found.position, Standing::now(&account)),
        AsOf::Position(position) => {
            let place = models.whole_at(position).await?;
            (place, past(&key, &account, place).await?)
        }
        AsOf::Time(moment) => {
            let place = models.recorded_by(moment).await?;
            (place, past(&key, &account, place).await?)
        }
        AsOf::Day(day) => {
            let found = models.balance_on_date(&id, day).await?;
            (found.position, found.value.into())
        }
    };
    Ok(Reply::ok(AccountOut::of(account, standing)).at(position))
}

/// Which entries.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct EntriesQuery {
    /// Those up to this position of the log; to the last one if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of_position: Option<u64>,
    /// Those that were recorded at or before this moment.
    #[serde(default, deserialize_with = "moment", skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    as_of_time: Option<DateTime<Utc>>,
    /// From this business date on.
    #[serde(default, deserialize_with = "date", skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = Date)]
    from: Option<NaiveDate>,
    /// Up to this business date.
    #[serde(default, deserialize_with = "date", skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = Date)]
    to: Option<NaiveDate>,
    /// How many at most; 1 to 100, 25 if left out.
    #[serde(skip_serializing_if = "not_a_filter")]
    limit: Option<u32>,
    /// Where to go on: `next_cursor` of the page before.
    #[serde(skip_serializing_if = "not_a_filter")]
    cursor: Option<String>,
    /// Wait until the answer reflects this position.
    #[serde(skip_serializing_if = "not_a_filter")]
    min_position: Option<u64>,
}

/// List an account's entries
///
/// The last first, each with the balance after it, its event and its transaction. That there are
/// words on a transaction is said; `POST /v1/audit/openings` opens them.
#[utoipa::path(
    get,
    path = "/v1/audit/accounts/{id}/entries",
    tag = "Audit",
    params(("id" = String, Path, description = "Code and currency", example = "wallet:asha:INR"),
           EntriesQuery),
    responses((status = 200, description = "A page of them.", body = Listed<EntryOut>)),
)]
pub(super) async fn entries(
    key: AuditKey,
    Id(id): Id<AccountId>,
    Params(query): Params<EntriesQuery>,
) -> Result<Reply<Listed<EntryOut>>, Problem> {
    if query.from.zip(query.to).is_some_and(|(from, to)| from > to) {
        return Err(Problem::parameter("from", "`from` is after `to`."));
    }
    key.wait(query.min_position).await?;
    let place = key.place(query.as_of_position, query.as_of_time).await?;
    let limit = limit(query.limit)?;
    let filters = (id.as_str(), &query);
    let list = key.list("audit_entries", &filters);
    let resumed: Option<u64> = list.resume(query.cursor.as_deref())?;
    let cursor = match (resumed, place) {
        (Some(resumed), _) => Some(resumed),
        (None, Some(place)) => Some(key.reads.entries_before(&id, place).await?),
        (None, None) => None,
    };
    let asked = StatementQuery {
        account: id.clone(),
        from: query.from,
        to: query.to,
        order: Order::NewestFirst,
        cursor,
        limit,
    };
    let found = key.reads.read_models.statement(&asked).await?;
    let statement = found.value.ok_or_else(nothing)?;
    let code = statement.currency.code;
    let data = statement.lines.into_iter().map(|line| EntryOut::of(line, code)).collect();
    key.page(&list, data, statement.next, place.unwrap_or(found.position))
}
