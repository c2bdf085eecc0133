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
        moving::{banks, withdraw},
        respond,
        ui::{Cell, Column, CopyId, DataTable, EmptyState, LiveDot, MoneyView, Status},
    },
    shops::PayoutOutcome,
    workers::PAYOUT_MINIMUM,
};

/// How many stand on a page.
const PAGE: u32 = 25;

#[derive(Template)]
#[template(path = "merchant/payouts.html")]
struct PayoutsView {
    layout: Layout,
    live: LiveDot,
    may_withdraw: bool,
    /// When the next one goes by itself, and where to.
    schedule: Option<String>,
    /// Why the last day came to nothing.
    skipped: Option<String>,
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
        schedule: schedule(&visitor).await?,
        skipped: skipped(&visitor).await?,
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

/// When all that is available goes by itself, and where to.
async fn schedule(visitor: &ShopVisitor<MoneyEyes>) -> Result<Option<String>, Problem> {
    let shop = &visitor.at.shop;
    let (Some(every), Some(next)) = (shop.payouts.days(), shop.payout_next) else {
        return Ok(None);
    };
    let chosen = shop.payout_account.map(|id| id.to_string());
    let known = withdraw::accounts(visitor).await?;
    let to = known.into_iter().find(|account| Some(&account.id) == chosen.as_ref());
    let to = to.map_or_else(|| "no bank account that is verified".to_owned(), |to| to.name);
    let rhythm = match every {
        1 => "every day".to_owned(),
        days => format!("every {days} days"),
    };
    let next = next.format("%-d %b %Y");
    let least = format!("The least is ₹{PAYOUT_MINIMUM}.");
    Ok(Some(format!("All that is available goes to {to} {rhythm}, next on {next}. {least}")))
}

/// Why the last day came to nothing.
async fn skipped(visitor: &ShopVisitor<MoneyEyes>) -> Result<Option<String>, Problem> {
    let days = visitor.state.shops.payout_days(visitor.at.shop.id, 1).await?;
    Ok(days.into_iter().find_map(|day| match day.outcome {
        PayoutOutcome::Requested(_) => None,
        PayoutOutcome::Skipped(why) => Some(format!(
            "Nothing went by itself on {}: {}.",
            day.day.format("%-d %b %Y"),
            why.words()
        )),
    }))
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
