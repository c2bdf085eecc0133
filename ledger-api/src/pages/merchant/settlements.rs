//! `/merchant/settlements`: what became spendable, and which payments it was made of.

use askama::Template;
use axum::{
    extract::{Path, Query},
    response::Response,
};
use ledger_core::ids::SettlementId;
use projections::{PaymentFilter, SettlementRow};
use rust_decimal::Decimal;
use serde::Deserialize;

use super::{MoneyEyes, ShopVisitor, payments::table};
use crate::{
    http::{
        Problem,
        reach::nothing,
        reader::{caught_up, find},
    },
    pages::{
        Layout, Nav, Visitor, respond,
        ui::{Cell, Column, CopyId, DataTable, EmptyState, MoneyView, Pair, Pairs},
    },
    payments,
};

/// How many stand on a page.
const PAGE: u32 = 25;
/// More payments than a settlement has.
const PAYMENTS_MAX: u32 = 100;

#[derive(Template)]
#[template(path = "merchant/settlements.html")]
struct ListView {
    layout: Layout,
    table: DataTable,
    is_empty: bool,
    empty: EmptyState,
    older: Option<u64>,
}

/// Which page.
#[derive(Debug, Deserialize)]
pub(super) struct Place {
    before: Option<u64>,
}

/// The settlements, the last one first.
pub(super) async fn list(
    visitor: ShopVisitor<MoneyEyes>,
    Query(place): Query<Place>,
) -> Result<Response, Problem> {
    caught_up(&visitor.state).await.ok();
    let code = payments::code_of(visitor.at.shop.id)?;
    let models = &visitor.state.read_models;
    let page = models.settlements(Some(&code), place.before, PAGE).await?;
    let view = ListView {
        layout: visitor.layout("Settlements", Nav::Shop("settlements")),
        is_empty: page.items.is_empty(),
        table: sums(&visitor, &page.items)?,
        empty: EmptyState::new(
            "swap",
            "No settlements yet",
            "What was paid becomes yours to spend on its day, and stands here with its payments.",
        ),
        older: page.next,
    };
    Ok(respond::page(&view))
}

fn sums(visitor: &Visitor, rows: &[SettlementRow]) -> Result<DataTable, Problem> {
    let columns = [
        Column::words("When"),
        Column::words("Settlement"),
        Column::numbers("Payments"),
        Column::numbers("Paid"),
        Column::numbers("Fee and tax"),
        Column::numbers("Refunds"),
        Column::numbers("Settled"),
    ];
    let cells = rows.iter().map(|row| {
        let money = |amount: Decimal| -> Result<Cell, Problem> {
            Ok(MoneyView::plain(visitor.money(amount, row.currency)?).into())
        };
        let id = row.id.to_string();
        let short = format!("…{}", id.get(id.len().saturating_sub(8)..).unwrap_or(&id));
        Ok(vec![
            visitor.when(row.settled_at).into(),
            Cell::Link(short, format!("/merchant/settlements/{id}")),
            Cell::from(row.payments.to_string()),
            money(row.gross)?,
            money(row.fee.saturating_add(row.tax))?,
            money(row.refunds)?,
            money(row.net)?,
        ])
    });
    Ok(DataTable::new("Settlements", &columns, cells.collect::<Result<_, Problem>>()?))
}

#[derive(Template)]
#[template(path = "merchant/settlement.html")]
struct OneView {
    layout: Layout,
    pairs: Pairs,
    payments: DataTable,
}

/// One, with the payments that it was made of.
pub(super) async fn one(
    visitor: ShopVisitor<MoneyEyes>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id: SettlementId = id.parse().map_err(|_| nothing())?;
    let models = &visitor.state.read_models;
    let (_, row) = find(&visitor.state, || models.settlement(id)).await?;
    if payments::shop_of(&row.merchant) != Some(visitor.at.shop.id) {
        return Err(nothing());
    }
    let filter = PaymentFilter {
        merchant: Some(row.merchant.clone()),
        settlement: Some(id),
        ..PaymentFilter::default()
    };
    let page = models.payments(&filter, PAYMENTS_MAX).await?;
    let money = |amount: Decimal| -> Result<MoneyView, Problem> {
        Ok(MoneyView::plain(visitor.money(amount, row.currency)?))
    };
    let pairs = vec![
        Pair::new("When", visitor.when(row.settled_at).exact()),
        Pair::new("Paid", money(row.gross)?),
        Pair::new("Fee and tax", money(row.fee.saturating_add(row.tax))?),
        Pair::new("Refunds and disputes before it", money(row.refunds)?),
        Pair::new("Settled", money(row.net)?).total(),
        Pair::new("Of that, repaid what was owed", money(row.repaid)?),
        Pair::new("Id", CopyId::new(row.id.to_string())),
    ];
    let view = OneView {
        layout: visitor.layout("Settlement", Nav::Shop("settlements")),
        pairs: Pairs::new(pairs),
        payments: table(&visitor, &visitor.at, &page.items)?,
    };
    Ok(respond::page(&view))
}
