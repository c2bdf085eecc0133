//! What happened on an account: its statement, its open items, its flows by day.

use chrono::{DateTime, Days, NaiveDate, Utc};
use ledger_core::{
    chart::Direction,
    ids::{AccountId, Item, Reference, TransactionId},
    money::CurrencyCode,
    posting::Kind,
};
use projections::{DayFlow, Order, StatementLine, StatementQuery};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

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
    routes::transactions::body::DirectionWord,
};

const SCOPES: &[Scope] = &[Scope::LedgerRead, Scope::BalancesRead];
/// The most days of one answer about flows.
const FLOW_DAYS_MAX: u64 = 366;
const FLOW_DAYS_DEFAULT: u64 = 30;

/// Which part of the statement.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct StatementParams {
    /// From this business date on.
    #[serde(default, deserialize_with = "query::date", skip_serializing_if = "Option::is_none")]
    from: Option<NaiveDate>,
    /// Up to this business date.
    #[serde(default, deserialize_with = "query::date", skip_serializing_if = "Option::is_none")]
    to: Option<NaiveDate>,
    /// `oldest_first` (the default) or `newest_first`.
    #[serde(default)]
    #[param(inline)]
    order: OrderWord,
    /// How many lines at most; 1 to 100, 25 if left out.
    #[serde(skip_serializing_if = "crate::http::query::not_a_filter")]
    limit: Option<u32>,
    /// Where to go on: `next_cursor` of the page before.
    #[serde(skip_serializing_if = "crate::http::query::not_a_filter")]
    cursor: Option<String>,
    /// Wait until the answer reflects this position.
    #[serde(skip_serializing_if = "crate::http::query::not_a_filter")]
    min_position: Option<u64>,
}

/// In which order the lines stand.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum OrderWord {
    /// As they were posted.
    #[default]
    OldestFirst,
    /// The last first.
    NewestFirst,
}

/// A page of an account's statement.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StatementOut {
    /// Always `statement`.
    #[schema(example = "statement")]
    object: &'static str,
    /// The account.
    #[schema(value_type = String, example = "wallet:asha:INR")]
    account: AccountId,
    /// From which business date.
    from: Option<NaiveDate>,
    /// To which business date.
    to: Option<NaiveDate>,
    /// The balance of all legs dated before `from`.
    opening: Amount,
    /// The balance of all legs dated up to `to`.
    closing: Amount,
    /// The sum of the statement's debits.
    debits: Amount,
    /// The sum of the statement's credits.
    credits: Amount,
    /// How many lines the whole statement has.
    lines: u64,
    /// The lines of this page.
    data: Vec<LineOut>,
    /// Whether there are more.
    has_more: bool,
    /// What to send as `cursor` for the next page.
    next_cursor: Option<String>,
}

/// A line of a statement: a leg of a transaction.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatementLine)]
struct LineOut {
    /// Its place in the account's stream.
    sequence: u64,
    /// Its place in the log.
    position: u64,
    /// When it was recorded.
    recorded_at: DateTime<Utc>,
    /// The business date.
    effective_on: NaiveDate,
    /// The bank's date.
    #[serde(skip_serializing_if = "Option::is_none")]
    value_date: Option<NaiveDate>,
    /// The transaction that it is a leg of.
    #[schema(value_type = String)]
    transaction: TransactionId,
    /// What kind of transaction that is.
    #[schema(value_type = String)]
    kind: Kind,
    /// On which side.
    #[schema(value_type = DirectionWord)]
    direction: Direction,
    /// How much.
    amount: Amount,
    /// The posted balance after it.
    balance_after: Amount,
    /// The item that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    item: Option<Item>,
    /// What caused the transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    cause: Option<Reference>,
    /// Words that were put on the transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// Get an account's statement
///
/// Its legs with the balance after each, in the order in which they were posted, and what stood
/// before and after them.
#[utoipa::path(
    get,
    path = "/v1/accounts/{id}/statement",
    tag = "Accounts",
    params(("id" = String, Path, description = "Code and currency", example = "wallet:asha:INR"),
           StatementParams),
    responses((status = 200, description = "A page of it.", body = StatementOut)),
)]
pub(super) async fn statement(
    reader: Reader,
    Id(account): Id<AccountId>,
    Params(params): Params<StatementParams>,
) -> Result<Reply<StatementOut>, Problem> {
    let models = reader.admit(SCOPES, params.min_position).await?;
    if params.from.zip(params.to).is_some_and(|(from, to)| from > to) {
        return Err(Problem::parameter("from", "`from` is after `to`."));
    }
    let filters = (account.as_str(), &params);
    let list = reader.list("statement", &filters);
    let query = StatementQuery {
        account: account.clone(),
        from: params.from,
        to: params.to,
        order: match params.order {
            OrderWord::OldestFirst => Order::OldestFirst,
            OrderWord::NewestFirst => Order::NewestFirst,
        },
        cursor: list.resume(params.cursor.as_deref())?,
        limit: limit(params.limit)?,
    };
    let ask = || models.statement(&query);
    let (position, statement) = reader.find(ask).await?;
    let code = statement.currency.code;
    let amount = |value| Amount::new(value, code);
    let next_cursor = statement.next.map(|sequence| list.seal(sequence)).transpose()?;
    let link = next_cursor.as_deref().map(|cursor| reader.next_address(cursor));
    let answer = StatementOut {
        object: "statement",
        account,
        from: statement.from,
        to: statement.to,
        opening: amount(statement.opening),
        closing: amount(statement.closing),
        debits: amount(statement.debits),
        credits: amount(statement.credits),
        lines: statement.legs,
        data: statement.lines.into_iter().map(|line_of| line(line_of, code)).collect(),
        has_more: next_cursor.is_some(),
        next_cursor,
    };
    Ok(Reply::ok(answer).at(position).next_link(link.as_deref()))
}

fn line(line: StatementLine, code: CurrencyCode) -> LineOut {
    LineOut {
        sequence: line.sequence,
        position: line.position,
        recorded_at: line.recorded_at,
        effective_on: line.effective_on,
        value_date: line.value_date,
        transaction: line.transaction_id,
        kind: line.kind,
        direction: line.direction,
        amount: Amount::new(line.amount, code),
        balance_after: Amount::new(line.balance_after, code),
        item: line.item,
        cause: line.cause,
        note: line.note,
    }
}

/// Which part of the open items.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ItemsQuery {
    /// How many at most; 1 to 100, 25 if left out.
    limit: Option<u32>,
    /// Where to go on: `next_cursor` of the page before.
    cursor: Option<String>,
    /// Wait until the answer reflects this position.
    min_position: Option<u64>,
}

/// An item of an itemised account that is not at zero.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OpenItem)]
pub(super) struct ItemOut {
    /// The business object.
    #[schema(value_type = String)]
    item: Item,
    /// What is open, on the account's normal side.
    balance: Amount,
    /// The leg that took it away from zero.
    opened_position: u64,
    /// When that was.
    opened_at: DateTime<Utc>,
}

/// List an account's open items
///
/// The items of an itemised account that are not at zero, the oldest first.
#[utoipa::path(
    get,
    path = "/v1/accounts/{id}/open-items",
    tag = "Accounts",
    params(("id" = String, Path, description = "Code and currency",
            example = "bank:hdfc:clearing_in:INR"),
           ItemsQuery),
    responses((status = 200, description = "A page of them.", body = Listed<ItemOut>)),
)]
pub(super) async fn open_items(
    reader: Reader,
    Id(account): Id<AccountId>,
    Params(query): Params<ItemsQuery>,
) -> Result<Reply<Listed<ItemOut>>, Problem> {
    let models = reader.admit(SCOPES, query.min_position).await?;
    let limit = limit(query.limit)?;
    let (_, balance) = reader.find(|| models.balance(&account)).await?;
    let list = reader.list("open_items", &account);
    let after = list.resume(query.cursor.as_deref())?;
    let page = models.open_items(&account, after, limit).await?;
    let items = page.items.into_iter().map(|open| ItemOut {
        item: open.item,
        balance: Amount::new(open.balance, balance.currency.code),
        opened_position: open.opened_position,
        opened_at: open.opened_at,
    });
    reader.page(&list, items.collect(), page.next, page.position)
}

/// Which days.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct FlowsQuery {
    /// From this business date on; 30 days up to `to` if left out.
    #[serde(default, deserialize_with = "query::date")]
    from: Option<NaiveDate>,
    /// Up to this business date; today in the book's time zone if left out.
    #[serde(default, deserialize_with = "query::date")]
    to: Option<NaiveDate>,
    /// Wait until the answer reflects this position.
    min_position: Option<u64>,
}

/// Money in and out of an account, day by day.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FlowsOut {
    /// Always `flows`.
    #[schema(example = "flows")]
    object: &'static str,
    /// The account.
    #[schema(value_type = String, example = "wallet:asha:INR")]
    account: AccountId,
    /// From which business date.
    from: NaiveDate,
    /// To which business date.
    to: NaiveDate,
    /// The days on which money moved, oldest first.
    data: Vec<DayOut>,
}

/// What moved on one business date.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DayFlow)]
struct DayOut {
    /// The business date.
    day: NaiveDate,
    /// What raised the balance.
    money_in: Amount,
    /// What lowered it.
    money_out: Amount,
    /// How many legs there were.
    legs: u64,
}

/// Get an account's flows
///
/// Money in and out by business date; a day without legs is left out. At most 366 days.
#[utoipa::path(
    get,
    path = "/v1/accounts/{id}/flows",
    tag = "Accounts",
    params(("id" = String, Path, description = "Code and currency", example = "wallet:asha:INR"),
           FlowsQuery),
    responses((status = 200, description = "The days.", body = FlowsOut)),
)]
pub(super) async fn flows(
    reader: Reader,
    Id(account): Id<AccountId>,
    Params(query): Params<FlowsQuery>,
) -> Result<Reply<FlowsOut>, Problem> {
    let models = reader.admit(SCOPES, query.min_position).await?;
    let book = reader.state.ledger.status().borrow().book.clone();
    let to = query.to.unwrap_or_else(|| book.day(reader.state.clock.now()));
    let default = to.checked_sub_days(Days::new(FLOW_DAYS_DEFAULT - 1)).unwrap_or(to);
    let from = query.from.unwrap_or(default);
    let last = from.checked_add_days(Days::new(FLOW_DAYS_MAX - 1));
    if from > to || last.is_none_or(|last| last < to) {
        let detail = format!("From `from` to `to` there are 1 to {FLOW_DAYS_MAX} days.");
        return Err(Problem::parameter("from", detail));
    }
    let ask = || models.flows(&account, from, to);
    let (position, flows) = reader.find(ask).await?;
    let code = flows.currency.code;
    let day = |flow: DayFlow| DayOut {
        day: flow.day,
        money_in: Amount::new(flow.money_in, code),
        money_out: Amount::new(flow.money_out, code),
        legs: flow.legs,
    };
    let data = flows.days.into_iter().map(day).collect();
    Ok(Reply::ok(FlowsOut { object: "flows", account, from, to, data }).at(position))
}
