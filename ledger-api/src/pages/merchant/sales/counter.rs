//! The counter: what was just paid, large, and the latest payments, for a tablet beside the till.
//! It shows what payers paid and nothing that the shop has of it: cashiers see no balance.

use askama::Template;
use axum::{extract::Query as Asked, response::Response};
use projections::{PaymentFilter, PaymentRow};
use serde::Deserialize;

use super::{
    names::{Choice, Payers, Places},
    shop,
    table::status,
};
use crate::{
    http::Problem,
    pages::{
        Layout, Nav,
        merchant::{Anybody, ShopVisitor},
        respond,
        ui::{EmptyState, LiveDot, MoneyView, Status, When, money_text},
    },
};

/// How many payments are shown.
const LATEST: u32 = 20;

/// Of which place.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CounterQuery {
    store: String,
    terminal: String,
}

#[derive(Template)]
#[template(path = "merchant/sales/counter.html")]
struct CounterView {
    layout: Layout,
    live: LiveDot,
    stores: Vec<Choice>,
    terminals: Vec<Choice>,
    latest: Option<Received>,
    rest: Vec<Received>,
    empty: EmptyState,
}

/// A payment, as the counter shows it.
struct Received {
    id: String,
    amount: MoneyView,
    /// "Received ₹120.00 from Asha": what is read out.
    words: String,
    who: String,
    when: When,
    status: Status,
    order: String,
}

/// The latest payments of the shop, a store or a terminal.
pub(super) async fn page(
    visitor: ShopVisitor<Anybody>,
    Asked(query): Asked<CounterQuery>,
) -> Result<Response, Problem> {
    let chosen = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let filter = PaymentFilter {
        merchant: Some(shop(&visitor)?),
        store: chosen(&query.store),
        terminal: chosen(&query.terminal),
        ..PaymentFilter::default()
    };
    let rows = visitor.state.read_models.payments(&filter, LATEST).await?.items;
    let payers = Payers::of(&visitor, &rows).await?;
    let shown = rows.iter().map(|row| received(&visitor, &payers, row));
    let mut shown = shown.collect::<Result<Vec<_>, Problem>>()?.into_iter();
    let places = Places::of(&visitor, visitor.at.shop.id).await?;
    let empty = EmptyState::new(
        "qr",
        "No payments yet",
        "Let payers scan your code. What they pay stands here at once.",
    );
    let view = CounterView {
        layout: visitor.layout("Counter", Nav::Shop("counter")),
        live: LiveDot::new(visitor.path()),
        stores: places.stores(&query.store),
        terminals: places.terminals(&query.terminal),
        latest: shown.next(),
        rest: shown.collect(),
        empty: empty.action("Show your QR", "/merchant"),
    };
    Ok(respond::page(&view))
}

fn received(
    visitor: &ShopVisitor<Anybody>,
    payers: &Payers,
    row: &PaymentRow,
) -> Result<Received, Problem> {
    let money = visitor.money(row.gross, row.currency)?;
    let who = payers.name(&row.payer);
    Ok(Received {
        id: row.id.to_string(),
        amount: MoneyView::incoming(money),
        words: format!("Received {} from {who}", money_text(&money)),
        who,
        when: visitor.when(row.paid_at),
        status: status(row),
        order: row.order_id.clone().unwrap_or_default(),
    })
}
