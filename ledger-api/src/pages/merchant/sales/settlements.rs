//! Settlements: what became spendable of the shop's payments, and the payments that it was.

use std::{borrow::Cow, collections::HashMap};

use askama::Template;
use axum::{
    extract::{Path, Query as Asked},
    response::Response,
};
use futures::stream;
use ledger_core::{
    ids::{MerchantCode, SettlementId},
    payment::SETTLED_MAX,
};
use projections::{Page, PaymentFilter, PaymentRow, ReadModels, SettlementFilter, SettlementRow};

use super::{
    parts,
    settlements_query::{Query, STATUSES},
    shop, short,
    table::table as payments_table,
};
use crate::{
    http::{
        Problem,
        reach::nothing,
        reader::{caught_up, find},
    },
    pages::{
        FormErrors, Layout, Nav, Visitor,
        merchant::{MoneyEyes, ShopVisitor},
        respond, spreadsheet,
        ui::{Cell, Column, CopyId, DataTable, EmptyState, MoneyView, Pair, Pairs},
    },
};

const PATH: &str = "/merchant/settlements";
const FILE: &str = "/merchant/settlements.csv";
const PAGE: u32 = 25;
const FILE_PAGE: u32 = 500;

/// The bank's references of the payouts that took settlements.
pub(super) type References = HashMap<SettlementId, String>;

#[derive(Template)]
#[template(path = "merchant/sales/settlements.html")]
struct ListView {
    layout: Layout,
    errors: FormErrors,
    query: Query,
    /// The words of each status, its address, and whether it is chosen.
    tabs: [(&'static str, String, bool); 3],
    table: DataTable,
    is_empty: bool,
    empty: EmptyState,
    older: String,
    newest: String,
    file: String,
}

#[derive(Template)]
#[template(path = "merchant/sales/settlement.html")]
struct OneView {
    layout: Layout,
    id: String,
    amount: MoneyView,
    sums: Pairs,
    table: DataTable,
}

/// The settlements, the last one first.
pub(super) async fn list(
    visitor: ShopVisitor<MoneyEyes>,
    Asked(query): Asked<Query>,
) -> Result<Response, Problem> {
    caught_up(&visitor.state).await.ok();
    let (filter, errors) = query.filter(&visitor).await?;
    let found = match &filter {
        Some(filter) => visitor.state.read_models.settlements(filter, PAGE).await?,
        None => Page { items: Vec::new(), next: None, position: 0 },
    };
    let older = found.next.map(|at| query.with(PATH, "older", &at.to_string()));
    let tab = |(status, word)| (word, query.with(PATH, "status", status), query.status == status);
    let view = ListView {
        layout: visitor.layout("Settlements", Nav::Shop("settlements")),
        errors,
        tabs: STATUSES.map(tab),
        is_empty: found.items.is_empty(),
        table: table(&visitor, &found.items).await?,
        empty: empty(&query),
        older: older.unwrap_or_default(),
        newest: if query.older.is_empty() { String::new() } else { query.with(PATH, "", "") },
        file: query.with(FILE, "", ""),
        query,
    };
    Ok(respond::page(&view))
}

/// Nothing at all is another thing than nothing that matches.
fn empty(query: &Query) -> EmptyState {
    if query.restricts() {
        let text = "Look for a settlement’s whole id, or the bank’s whole reference.";
        return EmptyState::new("search", "Nothing matches", text).action("Clear filters", PATH);
    }
    let text = "What is paid settles on its day: fees go off, and the rest is available.";
    EmptyState::new("layers", "No settlements yet", text)
        .action("See your payments", "/merchant/payments")
}

/// The bank's references for these settlements.
async fn references(visitor: &Visitor, rows: &[SettlementRow]) -> Result<References, Problem> {
    let ids: Vec<SettlementId> = rows.iter().map(|row| row.id).collect();
    Ok(visitor.state.read_models.payout_references(&visitor.wallet, &ids).await?)
}

async fn table(visitor: &Visitor, rows: &[SettlementRow]) -> Result<DataTable, Problem> {
    let references = references(visitor, rows).await?;
    let columns = [
        Column::words("Settled"),
        Column::words("Settlement"),
        Column::numbers("Payments"),
        Column::numbers("Gross"),
        Column::numbers("Fee"),
        Column::numbers("Tax"),
        Column::numbers("Gone back before"),
        Column::numbers("Settled amount"),
        Column::numbers("Repaid"),
        Column::words("Bank reference (UTR)"),
    ];
    let cells = rows.iter().map(|row| -> Result<Vec<Cell>, Problem> {
        let money = |amount| visitor.money(amount, row.currency).map(MoneyView::plain);
        let id = row.id.to_string();
        let utr = references.get(&row.id).cloned();
        Ok(vec![
            visitor.when(row.settled_at).into(),
            Cell::Link(short(&id), format!("{PATH}/{id}")),
            row.payments.to_string().into(),
            money(row.gross)?.into(),
            money(row.fee)?.into(),
            money(row.tax)?.into(),
            money(row.refunds)?.into(),
            money(row.net)?.into(),
            money(row.repaid)?.into(),
            utr.map_or_else(|| Cell::from("–"), |utr| CopyId::new(utr).into()),
        ])
    });
    let cells: Result<Vec<_>, Problem> = cells.collect();
    Ok(DataTable::new("Settlements", &columns, cells?))
}

/// A settlement of the visitor's shop with its payments; another shop's is not there.
async fn own(
    visitor: &ShopVisitor<MoneyEyes>,
    id: &str,
) -> Result<(SettlementRow, Vec<PaymentRow>), Problem> {
    let id: SettlementId = id.parse().map_err(|_| nothing())?;
    let models = &visitor.state.read_models;
    let (_, row) = find(&visitor.state, || models.settlement(id)).await?;
    let merchant = shop(visitor)?;
    if row.merchant != merchant {
        return Err(nothing());
    }
    Ok((row, payments_of(models, merchant, id).await?))
}

/// The payments of a settlement: a hundred at most.
pub(super) async fn payments_of(
    models: &ReadModels,
    merchant: MerchantCode,
    settlement: SettlementId,
) -> Result<Vec<PaymentRow>, Problem> {
    let filter = PaymentFilter {
        merchant: Some(merchant),
        settlement: Some(settlement),
        ..PaymentFilter::default()
    };
    let limit = u32::try_from(SETTLED_MAX).map_err(|error| Problem::internal(&error))?;
    Ok(models.payments(&filter, limit).await?.items)
}

/// One of them, with its payments.
pub(super) async fn one(
    visitor: ShopVisitor<MoneyEyes>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (row, payments) = own(&visitor, &id).await?;
    let money = |amount| visitor.money(amount, row.currency);
    let plain = |amount| money(amount).map(MoneyView::plain);
    let mut pairs = vec![
        Pair::new("Settled", visitor.when(row.settled_at)),
        Pair::new("Payments", row.payments.to_string()),
        Pair::new("Gross", plain(row.gross)?),
        Pair::new("Fee", MoneyView::outgoing(money(row.fee)?)),
        Pair::new("Tax on the fee", MoneyView::outgoing(money(row.tax)?)),
        Pair::new("Gone back before", MoneyView::outgoing(money(row.refunds)?)),
        Pair::new("Settled amount", plain(row.net)?).total(),
    ];
    if !row.repaid.is_zero() {
        pairs.push(Pair::new("Of it repaid what you owed", plain(row.repaid)?));
        pairs.push(Pair::new("Became available", plain(row.net.saturating_sub(row.repaid))?));
    }
    if let Some(utr) = utr(&visitor, row.id).await? {
        pairs.push(Pair::new("Went to the bank (UTR)", CopyId::new(utr)));
    }
    pairs.push(Pair::new("Id", CopyId::new(row.id.to_string())));
    let view = OneView {
        layout: visitor.layout("Settlement", Nav::Shop("settlements")),
        amount: plain(row.net)?.hero(),
        sums: Pairs::new(pairs),
        table: payments_table(&visitor, &payments).await?,
        id: row.id.to_string(),
    };
    Ok(respond::page(&view))
}

/// The bank's reference of the payout that took what a settlement made available.
async fn utr(visitor: &Visitor, id: SettlementId) -> Result<Option<String>, Problem> {
    let models = &visitor.state.read_models;
    Ok(models.payout_references(&visitor.wallet, &[id]).await?.remove(&id))
}

/// Its payments as a file whose lines add up to it.
pub(super) async fn one_csv(
    visitor: ShopVisitor<MoneyEyes>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (row, payments) = own(&visitor, &id).await?;
    let utr = utr(&visitor, row.id).await?.unwrap_or_default();
    let text: String = parts::of_settlement(&payments, row.repaid, &utr).concat();
    let name = format!("{}.csv", row.id);
    Ok(spreadsheet::file(&name, parts::HEAD, stream::iter([Ok(text)])))
}

const HEAD: &str = "our id,settled at,payments,gross,fee,tax,gone back before,net,repaid,currency,\
    utr";

/// Exactly the filtered settlements as a file, the last one first, however many.
pub(super) async fn list_csv(
    visitor: ShopVisitor<MoneyEyes>,
    Asked(query): Asked<Query>,
) -> Result<Response, Problem> {
    caught_up(&visitor.state).await.ok();
    let (filter, errors) = Query { older: String::new(), ..query }.filter(&visitor).await?;
    // A file that has not quite what was asked for looks like one that has.
    if let Some(error) = errors.iter().next() {
        return Err(Problem::parameter(error.field, error.text.clone()));
    }
    let (models, account) = (visitor.state.read_models.clone(), visitor.wallet.clone());
    let start = (models, account, filter);
    let pages = stream::try_unfold(start, async |(models, account, filter)| {
        let Some(filter) = filter else { return Ok(None) };
        let page = models.settlements(&filter, FILE_PAGE).await?;
        let ids: Vec<SettlementId> = page.items.iter().map(|row| row.id).collect();
        let references = models.payout_references(&account, &ids).await?;
        let part: String = page.items.iter().map(|row| line(row, &references)).collect();
        let rest = page.next.map(|at| SettlementFilter { before: Some(at), ..filter });
        Ok::<_, Problem>(Some((part, (models, account, rest))))
    });
    Ok(spreadsheet::file("settlements.csv", HEAD, pages))
}

fn line(row: &SettlementRow, references: &References) -> String {
    let cells = [
        row.id.to_string(),
        row.settled_at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        row.payments.to_string(),
        parts::paise(row.gross),
        parts::paise(row.fee),
        parts::paise(row.tax),
        parts::paise(row.refunds),
        parts::paise(row.net),
        parts::paise(row.repaid),
        row.currency.to_string(),
        references.get(&row.id).cloned().unwrap_or_default(),
    ];
    spreadsheet::line(cells.into_iter().map(Cow::Owned))
}
