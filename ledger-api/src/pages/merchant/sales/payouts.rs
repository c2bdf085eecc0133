//! What a payout is made of: all that came and went since the payout before, with the balance
//! before and after, so that it adds up to the paisa; and the same as a file, down to the payments.

use askama::Template;
use axum::{extract::Path, response::Response};
use futures::stream;
use ledger_core::{
    ids::{SettlementId, WithdrawalId},
    money::CurrencyCode,
};
use projections::{Composition, Movement};
use rust_decimal::Decimal;

use super::{
    parts::{HEAD, Line, of_settlement},
    settlements::payments_of,
    shop, short,
};
use crate::{
    http::{
        Problem,
        reach::{Reach, nothing},
        reader::find,
    },
    pages::{
        Layout, Nav, Visitor,
        merchant::{MoneyEyes, ShopVisitor},
        respond, spreadsheet,
        ui::{Cell, Column, DataTable, MoneyView, Pair, Pairs},
    },
    payments::composition,
};

#[derive(Template)]
#[template(path = "merchant/sales/payout.html")]
struct PartsView {
    layout: Layout,
    id: String,
    is_whole: bool,
    sums: Pairs,
    table: DataTable,
}

/// A payout of the visitor's shop, and what it is made of.
async fn own(
    visitor: &ShopVisitor<MoneyEyes>,
    id: &str,
) -> Result<(WithdrawalId, Composition), Problem> {
    let id: WithdrawalId = id.parse().map_err(|_| nothing())?;
    let reach = Reach::OfMerchant(visitor.at.shop.id, visitor.at.role);
    let (_, parts) = composition(&visitor.state, reach, id).await?;
    Ok((id, parts))
}

fn currency(visitor: &Visitor) -> Result<CurrencyCode, Problem> {
    visitor.wallet.currency().map_err(|error| Problem::internal(&error))
}

/// The page.
pub(super) async fn page(
    visitor: ShopVisitor<MoneyEyes>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (id, parts) = own(&visitor, &id).await?;
    let code = currency(&visitor)?;
    let money = |amount| visitor.money(amount, code).map(MoneyView::plain);
    let columns = [
        Column::words("When"),
        Column::words("What"),
        Column::words("Id"),
        Column::numbers("Amount"),
    ];
    let rows = parts.movements.iter().map(|movement| -> Result<Vec<Cell>, Problem> {
        Ok(vec![
            visitor.when(movement.at).into(),
            words(movement).into(),
            link(movement),
            signed(&visitor, movement.amount, code)?.into(),
        ])
    });
    let rows: Result<Vec<_>, Problem> = rows.collect();
    let view = PartsView {
        layout: visitor.layout("What this payout is made of", Nav::Shop("payouts")),
        id: id.to_string(),
        is_whole: parts.is_whole,
        sums: Pairs::new(vec![
            Pair::new("Available before", money(parts.opening)?),
            Pair::new("Came and went", money(parts.closing.saturating_sub(parts.opening))?),
            Pair::new("Available after", money(parts.closing)?).total(),
        ]),
        table: DataTable::new("What came and went", &columns, rows?),
    };
    Ok(respond::page(&view))
}

fn signed(visitor: &Visitor, amount: Decimal, code: CurrencyCode) -> Result<MoneyView, Problem> {
    let money = visitor.money(amount.abs(), code)?;
    let goes = amount.is_sign_negative();
    Ok(if goes { MoneyView::outgoing(money) } else { MoneyView::incoming(money) })
}

fn words(movement: &Movement) -> String {
    match movement.kind.as_str() {
        "settlement" => "Settlement".to_owned(),
        "refund" => "Refund".to_owned(),
        "withdrawal" => "Payout".to_owned(),
        "dispute" => "Dispute".to_owned(),
        other => other.replace('_', " "),
    }
}

/// Where a movement leads, by its cause.
fn link(movement: &Movement) -> Cell {
    let Some(cause) = &movement.cause else {
        return short(&movement.transaction.to_string()).into();
    };
    let prefix = cause.split_once('_').map_or("", |(prefix, _)| prefix);
    match prefix {
        "set" => Cell::Link(short(cause), format!("/merchant/settlements/{cause}")),
        "pay" => Cell::Link(short(cause), format!("/merchant/payments/{cause}")),
        "wd" => Cell::Link(short(cause), format!("/merchant/payouts/{cause}")),
        _ => short(cause).into(),
    }
}

/// The same as lines: those of settlements down to their payments.
pub(super) async fn csv(
    visitor: ShopVisitor<MoneyEyes>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (id, parts) = own(&visitor, &id).await?;
    let models = &visitor.state.read_models;
    let object = id.to_string();
    let (_, row) = find(&visitor.state, || models.activity_one(&visitor.wallet, &object)).await?;
    let utr = row.utr.unwrap_or_default();
    let name = format!("{id}.csv");
    let opening = Line { kind: "OPENING", amount: parts.opening, ..Line::default() }.text();
    let merchant = shop(&visitor)?;
    let start = (models.clone(), parts.movements.into_iter());
    let lines = stream::try_unfold(start, move |(models, mut movements)| {
        let (merchant, utr) = (merchant.clone(), utr.clone());
        async move {
            let Some(movement) = movements.next() else { return Ok(None) };
            let text = match settlement(&movement) {
                Some(id) => {
                    let payments = payments_of(&models, merchant, id).await?;
                    let settled = payments.iter().filter_map(|payment| payment.settled);
                    let settled = settled.fold(Decimal::ZERO, Decimal::saturating_add);
                    let repaid = settled.saturating_sub(movement.amount);
                    of_settlement(&payments, repaid, &utr).concat()
                }
                None => of_movement(&movement, &utr),
            };
            Ok::<_, Problem>(Some((text, (models, movements))))
        }
    });
    let opening = stream::iter([Ok(opening)]);
    Ok(spreadsheet::file(&name, HEAD, futures::StreamExt::chain(opening, lines)))
}

fn settlement(movement: &Movement) -> Option<SettlementId> {
    movement.cause.as_deref()?.parse().ok()
}

fn of_movement(movement: &Movement, utr: &str) -> String {
    let kind = match movement.kind.as_str() {
        "refund" => "REFUND",
        "withdrawal" => "PAYOUT",
        "dispute" => "DISPUTE",
        _ => "OTHER",
    };
    let id = movement.cause.clone().unwrap_or_else(|| movement.transaction.to_string());
    let line = Line {
        kind,
        id,
        instrument: if kind == "PAYOUT" { "BANK" } else { "WALLET" },
        created: Some(movement.at),
        amount: movement.amount,
        utr: utr.to_owned(),
        ..Line::default()
    };
    line.text()
}
