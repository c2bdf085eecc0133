//! `/audit/trial-balance`: all accounts by type and class, as of one place in the log or two; on
//! the page and as a file.

use std::borrow::Cow;

use askama::Template;
use axum::{extract::Query, response::Response};
use ledger_core::{
    chart::{AccountType, PostingClass},
    log::Position,
    money::CurrencyCode,
};
use projections::{At, TrialBalance};
use rust_decimal::Decimal;
use serde::Deserialize;

use super::{as_of, visitor::Auditor};
use crate::{
    http::Problem,
    pages::{
        Layout, respond, spreadsheet,
        ui::{Cell, Column, DataTable},
    },
};

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct BalanceQuery {
    as_of: String,
    compare: String,
    format: String,
}

#[derive(Template)]
#[template(path = "audit/balance.html")]
struct BalanceView {
    layout: Layout,
    as_of: String,
    compare: String,
    position: Position,
    earlier: Option<Position>,
    currencies: Vec<CurrencyRow>,
    file: String,
}

struct CurrencyRow {
    code: String,
    balanced: bool,
    table: DataTable,
}

/// A line: the accounts of one type and class, now and then.
struct Line {
    currency: CurrencyCode,
    account_type: AccountType,
    class: PostingClass,
    accounts: u64,
    debits: Decimal,
    credits: Decimal,
    balance: Decimal,
    before: Option<Decimal>,
}

/// The page, or the file.
pub(super) async fn page(
    auditor: Auditor,
    Query(query): Query<BalanceQuery>,
) -> Result<Response, Problem> {
    let models = &auditor.reads.read_models;
    let now = match as_of::position(&auditor, &query.as_of).await? {
        Some(position) => models.trial_balance_at(position).await?,
        None => models.trial_balance().await?,
    };
    let before = match as_of::position(&auditor, &query.compare).await? {
        Some(position) => Some(models.trial_balance_at(position).await?),
        None => None,
    };
    let lines = lines(&now, before.as_ref());
    if query.format == "csv" {
        return file(&auditor, now.position, &lines);
    }
    let mut currencies = Vec::new();
    for sum in &now.value.currencies {
        let of = lines.iter().filter(|line| line.currency == sum.currency);
        currencies.push(CurrencyRow {
            code: sum.currency.to_string(),
            balanced: sum.balanced,
            table: table(&auditor, of, before.is_some(), (sum.debits, sum.credits))?,
        });
    }
    let mut address = form_urlencoded::Serializer::new(String::new());
    address.append_pair("as_of", &now.position.to_string());
    address.append_pair("compare", &query.compare).append_pair("format", "csv");
    Ok(respond::page(&BalanceView {
        layout: auditor.layout("Trial balance", "balance"),
        position: now.position,
        earlier: before.map(|before| before.position),
        currencies,
        file: format!("/audit/trial-balance?{}", address.finish()),
        as_of: query.as_of,
        compare: query.compare,
    }))
}

fn lines(now: &At<TrialBalance>, before: Option<&At<TrialBalance>>) -> Vec<Line> {
    let mut lines = Vec::new();
    for sum in &now.value.currencies {
        let then = before.map(|before| {
            let found = before.value.currencies.iter().find(|one| one.currency == sum.currency);
            found.map(|one| one.lines.as_slice()).unwrap_or_default()
        });
        for line in &sum.lines {
            let (of, class) = (line.account_type, line.class);
            let balance_then = then.map(|then| {
                let same = then.iter().find(|one| one.account_type == of && one.class == class);
                same.map_or(Decimal::ZERO, |one| one.balance)
            });
            lines.push(Line {
                currency: sum.currency,
                account_type: of,
                class,
                accounts: line.accounts,
                debits: line.debits,
                credits: line.credits,
                balance: line.balance,
                before: balance_then,
            });
        }
    }
    lines
}

fn table<'l>(
    auditor: &Auditor,
    lines: impl Iterator<Item = &'l Line>,
    compared: bool,
    (debits, credits): (Decimal, Decimal),
) -> Result<DataTable, Problem> {
    let mut columns = vec![
        Column::words("Type"),
        Column::words("Class"),
        Column::numbers("Accounts"),
        Column::numbers("Debits"),
        Column::numbers("Credits"),
        Column::numbers("Balance"),
    ];
    if compared {
        columns.extend([Column::numbers("Before"), Column::numbers("Change")]);
    }
    let (mut rows, mut currency) = (Vec::new(), None);
    for line in lines {
        currency = Some(line.currency);
        let shown = |amount| auditor.shown(amount, line.currency).map(Cell::from);
        let mut cells = vec![
            line.account_type.as_str().into(),
            line.class.as_str().into(),
            line.accounts.to_string().into(),
            shown(line.debits)?,
            shown(line.credits)?,
            shown(line.balance)?,
        ];
        if let Some(before) = line.before {
            cells.push(shown(before)?);
            cells.push(shown(line.balance.saturating_sub(before))?);
        }
        rows.push(cells);
    }
    if let Some(currency) = currency {
        let all = [debits, credits].map(|amount| auditor.shown(amount, currency));
        let [debits, credits] = all;
        let mut cells: Vec<Cell> = vec!["All".into(), "".into(), "".into()];
        cells.extend([debits?.into(), credits?.into()]);
        rows.push(cells);
    }
    Ok(DataTable::new("Trial balance", &columns, rows))
}

fn file(auditor: &Auditor, position: Position, lines: &[Line]) -> Result<Response, Problem> {
    let mut text = String::new();
    for line in lines {
        let amount = |amount| auditor.money(amount, line.currency).map(|m| m.amount().to_string());
        let before = line.before.map(&amount).transpose()?.unwrap_or_default();
        let cells = [
            line.currency.to_string(),
            line.account_type.as_str().to_owned(),
            line.class.as_str().to_owned(),
            line.accounts.to_string(),
            amount(line.debits)?,
            amount(line.credits)?,
            amount(line.balance)?,
            before,
            position.to_string(),
        ];
        text.push_str(&spreadsheet::line(cells.into_iter().map(Cow::Owned)));
    }
    let head = "currency,type,class,accounts,debits,credits,balance,before,as_of_position";
    let name = format!("trial-balance-{position}.csv");
    let parts = futures::stream::once(async move { Ok(text) });
    Ok(spreadsheet::file(&name, head, parts))
}
