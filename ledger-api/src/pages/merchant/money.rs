//! `/merchant/payouts`, `/merchant/banks`: what went to the bank, and to which accounts it may go.

use std::borrow::Cow;

use askama::Template;
use axum::{
    extract::{Path, Query},
    response::Response,
};
use chrono::SecondsFormat;
use futures::stream;
use projections::{ActivityRow, Turn};

use super::{
    MoneyEyes, Owners, ShopSent, ShopVisitor,
    payouts_query::{PATH, PayoutsQuery, Tab},
    sales::paise,
};
use crate::{
    http::{Problem, reader::caught_up},
    pages::{
        FormErrors, Layout, Nav, Visitor,
        activity::one,
        moving::{banks, withdraw},
        respond, spreadsheet,
        ui::{Cell, Column, CopyId, DataTable, EmptyState, LiveDot, MoneyView, Status},
    },
    shops::PayoutOutcome,
    workers::PAYOUT_MINIMUM,
};

/// How many stand on a page, and how many are read at a time for a file.
const PAGE: u32 = 25;
const FILE_PAGE: u32 = 500;
const FILE: &str = "/merchant/payouts.csv";

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
    errors: FormErrors,
    query: PayoutsQuery,
    tabs: Vec<Tab>,
    table: DataTable,
    is_empty: bool,
    empty: EmptyState,
    older: String,
    newer: String,
    file: String,
}

/// All that went to the bank, or is on its way there.
pub(super) async fn payouts(
    visitor: ShopVisitor<MoneyEyes>,
    Query(query): Query<PayoutsQuery>,
) -> Result<Response, Problem> {
    caught_up(&visitor.state).await.ok();
    let (filter, errors) = query.filter(visitor.zone);
    let models = &visitor.state.read_models;
    let page = models.activity(&visitor.wallet, &filter, query.turn(), PAGE).await?;
    let counts = models.activity_counts(&visitor.wallet, &filter).await?.value;
    let decides = visitor.at.role.decides();
    let view = PayoutsView {
        layout: visitor.layout("Payouts", Nav::Shop("payouts")),
        live: LiveDot::new(visitor.path()),
        may_withdraw: decides,
        schedule: schedule(&visitor).await?,
        skipped: skipped(&visitor).await?,
        errors,
        tabs: query.tabs(&counts),
        is_empty: page.rows.is_empty(),
        table: table(&visitor, &page.rows)?,
        empty: empty(&query, decides),
        older: query.page("older", page.older),
        newer: query.page("newer", page.newer),
        file: query.with(FILE, "", ""),
        query,
    };
    Ok(respond::page(&view))
}

/// Nothing at all is another thing than nothing that matches.
fn empty(query: &PayoutsQuery, decides: bool) -> EmptyState {
    if query.restricts() {
        let text = "Look for a payout’s whole id, or the bank’s whole reference.";
        return EmptyState::new("search", "Nothing matches", text).action("Clear filters", PATH);
    }
    let text = "What goes from here to your bank stands here, with the bank’s reference.";
    let empty = EmptyState::new("bank", "No payouts yet", text);
    if decides { empty.action("Withdraw to your bank", "/merchant/withdraw") } else { empty }
}

const HEAD: &str = "type,our id,created,status,amount,fee,currency,bank reference";

/// Exactly the filtered rows, the newest first, however many.
pub(super) async fn payouts_csv(
    visitor: ShopVisitor<MoneyEyes>,
    Query(query): Query<PayoutsQuery>,
) -> Result<Response, Problem> {
    caught_up(&visitor.state).await.ok();
    let (filter, errors) = query.filter(visitor.zone);
    // A file that has not quite what was asked for looks like one that has.
    if let Some(error) = errors.iter().next() {
        return Err(Problem::parameter(error.field, error.text.clone()));
    }
    let (models, account) = (visitor.state.read_models.clone(), visitor.wallet.clone());
    let start = (models, account, filter, Some(None));
    let parts = stream::try_unfold(start, async |(models, account, filter, place)| {
        let Some(turn) = place else { return Ok(None) };
        let page = models.activity(&account, &filter, turn, FILE_PAGE).await?;
        let part: String = page.rows.iter().map(line).collect();
        let rest = page.older.map(|at| Some(Turn::Older(at)));
        Ok::<_, Problem>(Some((part, (models, account, filter, rest))))
    });
    Ok(spreadsheet::file("payouts.csv", HEAD, parts))
}

fn line(row: &ActivityRow) -> String {
    let cells = [
        "PAYOUT".to_owned(),
        row.object.clone(),
        row.began_at.to_rfc3339_opts(SecondsFormat::Millis, true),
        row.status.as_str().to_owned(),
        paise(row.amount),
        paise(row.fee),
        row.currency.to_string(),
        row.utr.clone().unwrap_or_default(),
    ];
    spreadsheet::line(cells.into_iter().map(Cow::Owned))
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

/// The same in a narrow place: without fee and bank reference.
pub(super) fn brief_table(visitor: &Visitor, rows: &[ActivityRow]) -> Result<DataTable, Problem> {
    let columns = [
        Column::words("When"),
        Column::words("Payout"),
        Column::words("Status"),
        Column::numbers("Amount"),
    ];
    let cells = rows.iter().map(|row| {
        Ok(vec![
            visitor.when(row.began_at).into(),
            Cell::Link(short(&row.object), format!("/merchant/payouts/{}", row.object)),
            Status::from(row.status).into(),
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
