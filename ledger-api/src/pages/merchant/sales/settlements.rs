//! Settlements: what became spendable of the shop's payments, and the payments that it was.

use std::borrow::Cow;

use askama::Template;
use axum::{
    extract::{Path, Query as Asked},
    response::Response,
};
use futures::stream;
use ledger_core::{
    ids::{MerchantCode, SettlementId},
    log::Position,
    payment::SETTLED_MAX,
};
use projections::{ActivityFilter, PaymentFilter, PaymentRow, ReadModels, SettlementRow, Turn};
use serde::Deserialize;

use super::{list, parts, shop, short};
use crate::{
    http::{
        Problem,
        reach::nothing,
        reader::{caught_up, find},
    },
    pages::{
        Layout, Nav, Visitor,
        merchant::{MoneyEyes, ShopVisitor},
        respond, spreadsheet,
        ui::{Cell, Column, CopyId, DataTable, EmptyState, MoneyView, Pair, Pairs},
    },
};

const PATH: &str = "/merchant/settlements";
const PAGE: u32 = 25;
const FILE_PAGE: u32 = 500;

/// Which page.
#[derive(Debug, Deserialize)]
pub(super) struct Place {
    older: Option<Position>,
}

#[derive(Template)]
#[template(path = "merchant/sales/settlements.html")]
struct ListView {
    layout: Layout,
    table: DataTable,
    is_empty: bool,
    empty: EmptyState,
    older: Option<Position>,
    is_first: bool,
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
    Asked(place): Asked<Place>,
) -> Result<Response, Problem> {
    caught_up(&visitor.state).await.ok();
    let merchant = shop(&visitor)?;
    let models = &visitor.state.read_models;
    let found = models.settlements(Some(&merchant), place.older, PAGE).await?;
    let text = "What is paid settles on its day: fees go off, and the rest is available.";
    let view = ListView {
        layout: visitor.layout("Settlements", Nav::Shop("settlements")),
        is_empty: found.items.is_empty(),
        table: table(&visitor, &found.items)?,
        empty: EmptyState::new("layers", "No settlements yet", text)
            .action("See your payments", "/merchant/payments"),
        older: found.next,
        is_first: place.older.is_none(),
    };
    Ok(respond::page(&view))
}

fn table(visitor: &Visitor, rows: &[SettlementRow]) -> Result<DataTable, Problem> {
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
    ];
    let cells = rows.iter().map(|row| -> Result<Vec<Cell>, Problem> {
        let money = |amount| visitor.money(amount, row.currency).map(MoneyView::plain);
        let id = row.id.to_string();
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
    if let Some(utr) = utr(&visitor, row.position).await? {
        pairs.push(Pair::new("Went to the bank (UTR)", CopyId::new(utr)));
    }
    pairs.push(Pair::new("Id", CopyId::new(row.id.to_string())));
    let view = OneView {
        layout: visitor.layout("Settlement", Nav::Shop("settlements")),
        amount: plain(row.net)?.hero(),
        sums: Pairs::new(pairs),
        table: list::table(&visitor, &payments).await?,
        id: row.id.to_string(),
    };
    Ok(respond::page(&view))
}

/// The bank's reference of the payout that took what became available at a position: the first one
/// after it that its bank paid.
async fn utr(visitor: &Visitor, settled: Position) -> Result<Option<String>, Problem> {
    let (filter, after) = (ActivityFilter::default(), Some(Turn::Newer(settled)));
    let models = &visitor.state.read_models;
    let page = models.activity(&visitor.wallet, &filter, after, PAGE).await?;
    // The newest stands first.
    Ok(page.rows.into_iter().rev().find_map(|payout| payout.utr))
}

/// Its payments as a file whose lines add up to it.
pub(super) async fn one_csv(
    visitor: ShopVisitor<MoneyEyes>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (row, payments) = own(&visitor, &id).await?;
    let utr = utr(&visitor, row.position).await?.unwrap_or_default();
    let text: String = parts::of_settlement(&payments, row.repaid, &utr).concat();
    let name = format!("{}.csv", row.id);
    Ok(spreadsheet::file(&name, parts::HEAD, stream::iter([Ok(text)])))
}

const HEAD: &str = "our id,settled at,payments,gross,fee,tax,gone back before,net,repaid,currency";

/// All settlements as a file, the last one first.
pub(super) async fn list_csv(visitor: ShopVisitor<MoneyEyes>) -> Result<Response, Problem> {
    let merchant = shop(&visitor)?;
    let models = visitor.state.read_models.clone();
    let start = (models, merchant, Some(None));
    let pages = stream::try_unfold(start, async |(models, merchant, place)| {
        let Some(before) = place else { return Ok(None) };
        let page = models.settlements(Some(&merchant), before, FILE_PAGE).await?;
        let part: String = page.items.iter().map(line).collect();
        Ok::<_, Problem>(Some((part, (models, merchant, page.next.map(Some)))))
    });
    Ok(spreadsheet::file("settlements.csv", HEAD, pages))
}

fn line(row: &SettlementRow) -> String {
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
    ];
    spreadsheet::line(cells.into_iter().map(Cow::Owned))
}
