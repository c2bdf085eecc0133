//! `/app`: what there is, what is on its way, what moved.

use askama::Template;
use axum::{Router, extract::Query, response::Response, routing::get};
use ledger_core::money::Money;
use projections::{ActivityFilter, ActivityRow};
use serde::Deserialize;

use super::{
    Layout, Nav, Visitor,
    moving::{WaitsForMe, waiting},
    names::Names,
    respond,
    ui::{BalanceSplit, BarChart, DayFlow, EmptyState, LiveDot, MoveRow},
};
use crate::{
    http::{ApiState, Problem},
    wallet,
};

/// How many of the last movements are shown.
const LAST: u32 = 8;
/// How many of those under way are shown.
const UNDERWAY_MAX: u32 = 4;

/// The routes.
pub(super) fn routes() -> Router<ApiState> {
    Router::new().route("/app", get(home))
}

/// Which days the bars show.
#[derive(Debug, Deserialize)]
struct HomeQuery {
    days: Option<u32>,
}

#[derive(Template)]
#[template(path = "app/home.html")]
struct HomeView {
    layout: Layout,
    live: LiveDot,
    first_name: String,
    balance: BalanceSplit,
    balance_text: String,
    /// What has to be repaid, in words; empty if nothing has.
    owed: String,
    chart: BarChart,
    spans: Vec<(u32, bool)>,
    waits: Vec<WaitsForMe>,
    underway: Vec<Underway>,
    rows: Vec<MoveRow>,
    empty: EmptyState,
}

/// Something under way.
struct Underway {
    row: MoveRow,
    next: String,
}

async fn home(visitor: Visitor, Query(query): Query<HomeQuery>) -> Result<Response, Problem> {
    let span = query.days.filter(|days| wallet::SPANS.contains(days)).unwrap_or(30);
    let (state, account) = (&visitor.state, &visitor.wallet);
    let balances = wallet::balances(state, account).await?;
    let history = wallet::history(state, account, span).await?;
    let filter = ActivityFilter::default();
    let page = state.read_models.activity(account, &filter, None, LAST).await?;
    let open = state.read_models.activity_open(account, UNDERWAY_MAX).await?.value;
    let shown: Vec<ActivityRow> = page.rows.iter().chain(&open).cloned().collect();
    let names = Names::of(&visitor, &shown).await?;
    let row = |row: &ActivityRow| names.row(&visitor, row);
    let underway = open.iter().map(|open| {
        let next = wallet::next(&open.kind, &open.object_status).unwrap_or_default();
        Ok(Underway { row: row(open)?, next: next.to_owned() })
    });
    let nothing = visitor.money(rust_decimal::Decimal::ZERO, balances.currency.code)?;
    let view = HomeView {
        layout: visitor.layout("Home", Nav::Home),
        live: LiveDot::new(visitor.path()),
        first_name: first_word(visitor.who.person.name.expose()).to_owned(),
        balance_text: super::ui::money_text(&balances.available),
        owed: owed(&balances),
        balance: BalanceSplit::new(
            balances.available,
            balances.on_its_way_in,
            balances.on_its_way_out,
            balances.held,
        ),
        chart: BarChart::new(
            format!("Money in and out, last {span} days"),
            &flows(&history.days, nothing),
        ),
        spans: wallet::SPANS.iter().map(|days| (*days, *days == span)).collect(),
        waits: waiting(&visitor).await?,
        underway: underway.collect::<Result<_, Problem>>()?,
        rows: page.rows.iter().map(row).collect::<Result<_, _>>()?,
        empty: EmptyState::new(
            "list",
            "Nothing here yet",
            "What you add, send and receive appears here, each with what happens next.",
        )
        .action("Add money", "/app/move?tab=add"),
    };
    Ok(respond::page(&view))
}

fn owed(balances: &wallet::Balances) -> String {
    let owed = balances.owed;
    if !owed.is_positive() {
        return String::new();
    }
    format!("You owe {}", super::ui::money_text(&owed))
}

/// The days as the chart takes them. On days before there was a wallet nothing moved: a new
/// person's bars are empty, not unknown.
fn flows(days: &[wallet::HistoryDay], nothing: Money) -> Vec<DayFlow> {
    let flow = |day: &wallet::HistoryDay| {
        (day.money_in.unwrap_or(nothing), day.money_out.unwrap_or(nothing))
    };
    days.iter().map(|day| DayFlow { date: day.day, flow: Some(flow(day)) }).collect()
}

fn first_word(name: &str) -> &str {
    name.split_whitespace().next().unwrap_or_default()
}
