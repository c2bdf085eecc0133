//! `/audit/accounts`: the chart of accounts as a tree, and an account's entries with the balance
//! after each; now or as of an event.

use askama::Template;
use axum::{extract::Query, response::Response};
use ledger_core::{
    chart::{AccountType, Direction},
    ids::AccountId,
    log::Position,
};
use projections::{Account, AccountFilter, AccountGroup, AsOf, Order, Statement, StatementQuery};
use serde::Deserialize;

use super::{
    as_of,
    visitor::{Auditor, exact},
};
use crate::{
    auditing::Whose,
    http::{Problem, path::Id, reach::nothing},
    pages::{
        Layout, respond,
        ui::{Cell, Column, DataTable, MoneyView, Pair, Pairs},
    },
};

const ACCOUNTS_MAX: u32 = 50;
const ENTRIES_MAX: u32 = 50;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct TreeQuery {
    as_of: String,
    branch: String,
    after: String,
}

#[derive(Template)]
#[template(path = "audit/accounts.html")]
struct TreeView {
    layout: Layout,
    as_of: String,
    branch: String,
    position: Position,
    types: Vec<TypeRow>,
    accounts: Option<DataTable>,
    older: String,
}

/// One of the five types, with its branches.
struct TypeRow {
    name: &'static str,
    branches: DataTable,
}

/// The tree, and the accounts of the branch that is open.
pub(super) async fn tree(
    auditor: Auditor,
    Query(query): Query<TreeQuery>,
) -> Result<Response, Problem> {
    let mut at = as_of::position(&auditor, &query.as_of).await?;
    if let Some(place) = &mut at {
        *place = auditor.reads.read_models.whole_at(*place).await?;
    }
    let when = at.map_or(AsOf::Now, AsOf::Position);
    let tree = auditor.reads.read_models.account_tree(when).await?;
    let (mut accounts, mut older) = (None, String::new());
    if !query.branch.is_empty() {
        let (table, next) = branch(&auditor, &query, at).await?;
        accounts = Some(table);
        older = next.map_or_else(String::new, |next| {
            let pairs = [("as_of", query.as_of.as_str()), ("branch", &query.branch)];
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(pairs).append_pair("after", next.as_str());
            format!("/audit/accounts?{}#accounts", query.finish())
        });
    }
    Ok(respond::page(&TreeView {
        layout: auditor.layout("Accounts", "accounts"),
        position: tree.position,
        types: types(&auditor, &tree.value, &query.as_of)?,
        accounts,
        older,
        as_of: query.as_of,
        branch: query.branch,
    }))
}

fn types(auditor: &Auditor, groups: &[AccountGroup], as_of: &str) -> Result<Vec<TypeRow>, Problem> {
    let all = [
        (AccountType::Asset, "Assets: what we have"),
        (AccountType::Liability, "Liabilities: what we owe"),
        (AccountType::Equity, "Equity"),
        (AccountType::Income, "Income"),
        (AccountType::Expense, "Expenses"),
    ];
    let columns =
        [Column::words("Branch"), Column::numbers("Accounts"), Column::numbers("Balance")];
    let mut rows = Vec::new();
    for (kind, name) in all {
        let mut lines = Vec::new();
        for group in groups.iter().filter(|group| group.account_type == kind) {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair("branch", &group.branch).append_pair("as_of", as_of);
            let href = format!("/audit/accounts?{}#accounts", query.finish());
            lines.push(vec![
                Cell::Link(group.branch.clone(), href),
                group.accounts.to_string().into(),
                auditor.shown(group.balance, group.currency)?.into(),
            ]);
        }
        if !lines.is_empty() {
            rows.push(TypeRow { name, branches: DataTable::new(name, &columns, lines) });
        }
    }
    Ok(rows)
}

async fn branch(
    auditor: &Auditor,
    query: &TreeQuery,
    at: Option<Position>,
) -> Result<(DataTable, Option<AccountId>), Problem> {
    let models = &auditor.reads.read_models;
    let filter = AccountFilter {
        branch: Some(query.branch.clone()),
        after: query.after.parse().ok(),
        ..AccountFilter::default()
    };
    let page = models.accounts(&filter, ACCOUNTS_MAX).await?;
    let columns = [
        Column::words("Account"),
        Column::words("Whose"),
        Column::words("Class"),
        Column::numbers("Balance"),
    ];
    let mut rows = Vec::new();
    for account in &page.items {
        let balance = match at {
            None => Some(account.balance.posted),
            Some(at) => {
                let past = models.balance_at_position(&account.id, at).await?.value;
                past.map(|past| past.posted)
            }
        };
        let balance = match balance {
            Some(balance) => MoneyView::plain(exact(balance, account.currency)?).into(),
            None => Cell::from("not open yet"),
        };
        let mut href = form_urlencoded::Serializer::new(String::new());
        href.append_pair("as_of", &query.as_of);
        let href = format!("/audit/accounts/{}?{}", account.id, href.finish());
        rows.push(vec![
            Cell::Link(account.id.to_string(), href),
            whose(account).into(),
            account.class.as_str().into(),
            balance,
        ]);
    }
    Ok((DataTable::new("Accounts of this branch", &columns, rows), page.next))
}

/// Whose an account is, by kind: names are masked.
fn whose(account: &Account) -> &'static str {
    match Whose::of(&account.id) {
        Whose::Person(_) => "a person ••••",
        Whose::Shop(_) => "a shop ••••",
        Whose::Company => "the company",
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct OneQuery {
    as_of: String,
    before: String,
}

#[derive(Template)]
#[template(path = "audit/account.html")]
struct OneView {
    layout: Layout,
    id: String,
    as_of: String,
    facts: Pairs,
    entries: DataTable,
    older: String,
    /// What is opened with a reason; empty where nobody is behind the account.
    subject: String,
}

/// An account, its balance and its entries.
pub(super) async fn one(
    auditor: Auditor,
    Id(id): Id<AccountId>,
    Query(query): Query<OneQuery>,
) -> Result<Response, Problem> {
    let models = &auditor.reads.read_models;
    let at = as_of::position(&auditor, &query.as_of).await?;
    let account = models.account(&id).await?.value.ok_or_else(nothing)?;
    let statement = models
        .statement(&StatementQuery {
            account: id.clone(),
            from: None,
            to: None,
            order: Order::NewestFirst,
            cursor: cursor(&auditor, &id, &query, at).await?,
            limit: ENTRIES_MAX,
        })
        .await?
        .value
        .ok_or_else(nothing)?;
    let past = match at {
        Some(at) => models.balance_at_position(&id, at).await?.value.map(|past| past.posted),
        None => Some(account.balance.posted),
    };
    let facts = facts(&auditor, &account, (past, at))?;
    let older = statement.next.map_or_else(String::new, |next| {
        let mut address = form_urlencoded::Serializer::new(String::new());
        address.append_pair("as_of", &query.as_of).append_pair("before", &next.to_string());
        format!("/audit/accounts/{id}?{}", address.finish())
    });
    Ok(respond::page(&OneView {
        layout: auditor.layout(id.to_string(), "accounts"),
        id: id.to_string(),
        facts,
        entries: entries(&auditor, &statement)?,
        older,
        subject: Whose::of(&id).subject().unwrap_or_default(),
        as_of: query.as_of,
    }))
}

/// From where the entries go back: the place that was left, or the account's last event by then.
async fn cursor(
    auditor: &Auditor,
    account: &AccountId,
    query: &OneQuery,
    at: Option<Position>,
) -> Result<Option<u64>, Problem> {
    if let Ok(before) = query.before.parse() {
        return Ok(Some(before));
    }
    match at {
        Some(at) => Ok(Some(auditor.reads.entries_before(account, at).await?)),
        None => Ok(None),
    }
}

fn facts(
    auditor: &Auditor,
    account: &Account,
    (balance, at): (Option<rust_decimal::Decimal>, Option<Position>),
) -> Result<Pairs, Problem> {
    let balance = match balance {
        Some(balance) => MoneyView::plain(exact(balance, account.currency)?).into(),
        None => Cell::from("not open yet"),
    };
    let at = at.map_or_else(|| "now".to_owned(), |at| format!("event #{at}"));
    let opened = Cell::Link(
        format!("#{}", account.opened_position),
        format!("/audit/events?show={}", account.opened_position),
    );
    let held = exact(account.balance.held, account.currency)?;
    let mut pairs = vec![
        Pair::new("Type", account.account_type.as_str()),
        Pair::new("Class", account.class.as_str()),
        Pair::new("Whose", whose(account)),
        Pair::new("Opened by event", opened),
        Pair::new("Held now", MoneyView::plain(held)),
    ];
    if let Some(closed) = account.closed_at {
        pairs.push(Pair::new("Closed", auditor.when(closed)));
    }
    for freeze in &account.freezes {
        pairs.push(Pair::new("Frozen", freeze.reference.to_string()));
    }
    let events = super::events::stream_href("account", account.id.as_str());
    pairs.push(Pair::new("Its events", Cell::Link("in the log".to_owned(), events)));
    pairs.push(Pair::new("As of", at));
    pairs.push(Pair::new("Balance", balance).total());
    Ok(Pairs::new(pairs))
}

fn entries(auditor: &Auditor, statement: &Statement) -> Result<DataTable, Problem> {
    let columns = [
        Column::words("Event"),
        Column::words("Recorded"),
        Column::words("Business day"),
        Column::words("Transaction"),
        Column::numbers("Debit"),
        Column::numbers("Credit"),
        Column::numbers("Balance"),
    ];
    let mut rows = Vec::new();
    for line in &statement.lines {
        let amount: Cell = MoneyView::plain(exact(line.amount, statement.currency)?).into();
        let (debit, credit) = match line.direction {
            Direction::Debit => (amount, Cell::from("")),
            Direction::Credit => (Cell::from(""), amount),
        };
        let balance = exact(line.balance_after, statement.currency)?;
        let id = line.transaction_id;
        rows.push(vec![
            Cell::Link(
                format!("#{}", line.position),
                format!("/audit/events?show={}", line.position),
            ),
            auditor.when(line.recorded_at).into(),
            line.effective_on.to_string().into(),
            Cell::Link(line.kind.to_string(), format!("/audit/transactions/{id}")),
            debit,
            credit,
            MoneyView::plain(balance).into(),
        ]);
    }
    Ok(DataTable::new("Entries, newest first", &columns, rows))
}
