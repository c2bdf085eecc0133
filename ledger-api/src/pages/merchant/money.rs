//! `/merchant/payouts`, `/merchant/banks`: what went to the bank, and to which accounts it may go.

use askama::Template;
use axum::{
    extract::{Path, Query},
    response::Response,
};
use projections::{ActivityFilter, ActivityRow, Turn};
use serde::Deserialize;

use super::{MoneyEyes, Owners, ShopSent, ShopVisitor};
use crate::{
    http::{Problem, reader::caught_up},
    pages::{
        Layout, Nav, Visitor,
        activity::one,
        moving::banks,
        respond,
        ui::{Cell, Column, CopyId, DataTable, EmptyState, LiveDot, MoneyView, Status},
    },
};

/// How many stand on a page.
const PAGE: u32 = 25;

#[derive(Template)]
#[template(path = "merchant/payouts.html")]
struct PayoutsView {
    layout: Layout,
    live: LiveDot,
    may_withdraw: bool,
    table: DataTable,
    is_empty: bool,
    empty: EmptyState,
    older: Option<u64>,
    newer: Option<u64>,
}

/// Which page.
#[derive(Debug, Deserialize)]
pub(super) struct Place {
    older: Option<u64>,
    newer: Option<u64>,
}

/// All that went to the bank, or is on its way there.
pub(super) async fn payouts(
    visitor: ShopVisitor<MoneyEyes>,
    Query(place): Query<Place>,
) -> Result<Response, Problem> {
    caught_up(&visitor.state).await.ok();
    let turn = place.older.map(Turn::Older).or_else(|| place.newer.map(Turn::Newer));
    let filter = ActivityFilter::default();
    let models = &visitor.state.read_models;
    let page = models.activity(&visitor.wallet, &filter, turn, PAGE).await?;
    let decides = visitor.at.role.decides();
    let empty = EmptyState::new(
        "bank",
        "No payouts yet",
        "What goes from here to your bank stands here, with the bank’s reference.",
    );
    let view = PayoutsView {
        layout: visitor.layout("Payouts", Nav::Shop("payouts")),
        live: LiveDot::new(visitor.path()),
        may_withdraw: decides,
        is_empty: page.rows.is_empty(),
        table: table(&visitor, &page.rows)?,
        empty: if decides {
            empty.action("Withdraw to your bank", "/merchant/withdraw")
        } else {
            empty
        },
        older: page.older,
        newer: page.newer,
    };
    Ok(respond::page(&view))
}

/// Payouts as a table.
pub(super) fn table(visitor: &Visitor, rows: &[ActivityRow]) -> Result<DataTable, Problem> {
    let columns = [
        Column::words("When"),
        Column::words("Payout"),
        Column::words("Status"),
        Column::words("Bank reference (UTR)"),
        Column::numbers("Fee"),
        Column::numbers("Amount"),
    ];
    let cells = rows.iter().map(|row| {
        let utr = row.utr.clone().map_or_else(|| Cell::from("–"), |utr| CopyId::new(utr).into());
        Ok(vec![
            visitor.when(row.began_at).into(),
            Cell::Link(short(&row.object), format!("/merchant/payouts/{}", row.object)),
            Status::from(row.status).into(),
            utr,
            MoneyView::plain(visitor.money(row.fee, row.currency)?).into(),
            MoneyView::plain(visitor.money(row.amount, row.currency)?).into(),
        ])
    });
    let rows: Result<Vec<_>, Problem> = cells.collect();
    Ok(DataTable::new("Payouts", &columns, rows?))
}

/// The end of an id, by which people tell two apart.
fn short(id: &str) -> String {
    let from = id.len().saturating_sub(8);
    format!("…{}", id.get(from..).unwrap_or(id))
}

/// One of them, with its steps.
pub(super) async fn payout(
    visitor: ShopVisitor<MoneyEyes>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    one::show(&visitor, &id).await
}

/// Gives one up that was not sent yet.
pub(super) async fn cancel(
    Path(id): Path<String>,
    ShopSent { visitor, form }: ShopSent<Owners, one::CancelForm>,
) -> Result<Response, Problem> {
    one::give_up(&visitor, &id, &form).await
}

/// The bank accounts.
pub(super) async fn banks(visitor: ShopVisitor<MoneyEyes>) -> Result<Response, Problem> {
    banks::page_for(&visitor).await
}

/// Adds one, in the shop's legal name, and asks its bank.
pub(super) async fn add_bank(
    ShopSent { visitor, form }: ShopSent<Owners, banks::AddForm>,
) -> Result<Response, Problem> {
    banks::add_for(&visitor, form).await
}

/// Asks its bank again.
pub(super) async fn check_bank(
    Path(id): Path<String>,
    ShopSent { visitor, form: banks::NoFields {} }: ShopSent<Owners, banks::NoFields>,
) -> Result<Response, Problem> {
    banks::check_for(&visitor, &id).await
}

/// Forgets one.
pub(super) async fn remove_bank(
    Path(id): Path<String>,
    ShopSent { visitor, form: banks::NoFields {} }: ShopSent<Owners, banks::NoFields>,
) -> Result<Response, Problem> {
    banks::remove_for(&visitor, &id).await
}
