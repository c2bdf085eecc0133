//! `/merchant/payments`, `/merchant/counter`: what was paid, one payment with its refunds, and the
//! list for a tablet at the counter.

use askama::Template;
use axum::{
    extract::{Path, Query},
    http::StatusCode,
    response::Response,
};
use ledger_core::{
    ids::{PaymentId, Reference},
    payment::{PaymentStatus, RefundStatus},
};
use projections::{PaymentFilter, PaymentRow, RefundRow};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::json;

use super::{Anybody, Owners, ShopSent, ShopVisitor};
use crate::{
    http::{
        Problem, codes,
        json::Payload,
        reach::nothing,
        reader::{caught_up, find},
        session::see_other,
    },
    pages::{
        FormErrors, Layout, Nav, Visitor, act,
        people::errors_of,
        respond,
        ui::{
            Cell, Column, CopyId, DataTable, EmptyState, LiveDot, MoneyView, Pair, Pairs, Status,
            When,
        },
        visitor::AtShop,
    },
    payments::{self, RefundIn},
};

/// How many stand on a page.
const PAGE: u32 = 25;
/// How many the counter shows.
const COUNTER: u32 = 20;

/// Which payments.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ListQuery {
    status: String,
    order: String,
    before: Option<u64>,
}

#[derive(Template)]
#[template(path = "merchant/payments.html")]
struct ListView {
    layout: Layout,
    live: LiveDot,
    query: ListQuery,
    tabs: Vec<(&'static str, &'static str)>,
    table: DataTable,
    is_empty: bool,
    empty: EmptyState,
    older: Option<u64>,
}

/// The payments, the last one first.
pub(super) async fn list(
    visitor: ShopVisitor<Anybody>,
    Query(query): Query<ListQuery>,
) -> Result<Response, Problem> {
    caught_up(&visitor.state).await.ok();
    let order = query.order.trim();
    let filter = PaymentFilter {
        merchant: Some(payments::code_of(visitor.at.shop.id)?),
        status: PaymentStatus::ALL.into_iter().find(|status| status.as_str() == query.status),
        order_id: (!order.is_empty()).then(|| order.to_owned()),
        before: query.before,
        ..PaymentFilter::default()
    };
    let page = visitor.state.read_models.payments(&filter, PAGE).await?;
    let is_filtered = filter.status.is_some() || filter.order_id.is_some();
    let empty = if is_filtered {
        EmptyState::new("search", "Nothing matches", "No payment is like that.")
            .action("Clear filters", "/merchant/payments")
    } else {
        EmptyState::new("list", "No payments yet", "What is paid to the shop stands here.")
    };
    let view = ListView {
        layout: visitor.layout("Payments", Nav::Shop("payments")),
        live: LiveDot::new(visitor.path()),
        tabs: vec![
            ("", "All"),
            ("completed", "Done"),
            ("partially_refunded", "Partly refunded"),
            ("refunded", "Refunded"),
        ],
        table: table(&visitor, &visitor.at, &page.items)?,
        is_empty: page.items.is_empty(),
        empty,
        older: page.next,
        query,
    };
    Ok(respond::page(&view))
}

/// Payments as a table; what they cost is for eyes that see money.
pub(super) fn table(
    visitor: &Visitor,
    at: &AtShop,
    rows: &[PaymentRow],
) -> Result<DataTable, Problem> {
    let mut columns = vec![
        Column::words("When"),
        Column::words("Order"),
        Column::words("Status"),
        Column::words("Settles"),
        Column::numbers("Paid"),
    ];
    let sees_money = at.role.sees_money();
    if sees_money {
        columns.extend([Column::numbers("Fee and tax"), Column::numbers("Yours")]);
    }
    let cells = rows.iter().map(|row| {
        let money = |amount: Decimal| -> Result<Cell, Problem> {
            Ok(MoneyView::plain(visitor.money(amount, row.currency)?).into())
        };
        let name = row.order_id.clone().unwrap_or_else(|| "Payment".to_owned());
        let settles = match row.settled_at {
            Some(_) => "settled".to_owned(),
            None => row.settles_on.format("%-d %b").to_string(),
        };
        let mut cells = vec![
            visitor.when(row.paid_at).into(),
            Cell::Link(name, format!("/merchant/payments/{}", row.id)),
            Cell::from(word(row)),
            Cell::from(settles),
            money(row.gross)?,
        ];
        if sees_money {
            cells.extend([money(row.fee.saturating_add(row.tax))?, money(row.net)?]);
        }
        Ok(cells)
    });
    Ok(DataTable::new("Payments", &columns, cells.collect::<Result<_, Problem>>()?))
}

/// Where a payment is, in a word.
fn word(row: &PaymentRow) -> &'static str {
    match (row.dispute.as_deref(), row.status) {
        (Some("open"), _) => "Disputed",
        (_, PaymentStatus::Completed) => "Done",
        (_, PaymentStatus::PartiallyRefunded) => "Partly refunded",
        (_, PaymentStatus::Refunded) => "Refunded",
    }
}

#[derive(Template)]
#[template(path = "merchant/counter.html")]
struct CounterView {
    layout: Layout,
    live: LiveDot,
    rows: Vec<CounterRow>,
}

/// One payment, large enough to be read across a counter.
struct CounterRow {
    amount: MoneyView,
    order: String,
    when: When,
    href: String,
}

/// The last payments, for a tablet.
pub(super) async fn counter(visitor: ShopVisitor<Anybody>) -> Result<Response, Problem> {
    caught_up(&visitor.state).await.ok();
    let filter = PaymentFilter {
        merchant: Some(payments::code_of(visitor.at.shop.id)?),
        ..PaymentFilter::default()
    };
    let page = visitor.state.read_models.payments(&filter, COUNTER).await?;
    let rows = page.items.iter().map(|row| {
        Ok(CounterRow {
            amount: MoneyView::plain(visitor.money(row.gross, row.currency)?).big(),
            order: row.order_id.clone().unwrap_or_default(),
            when: visitor.when(row.paid_at),
            href: format!("/merchant/payments/{}", row.id),
        })
    });
    let view = CounterView {
        layout: visitor.layout("Live counter", Nav::Shop("counter")),
        live: LiveDot::new(visitor.path()),
        rows: rows.collect::<Result<_, Problem>>()?,
    };
    Ok(respond::page(&view))
}

#[derive(Template)]
#[template(path = "merchant/payment.html")]
struct OneView {
    layout: Layout,
    live: LiveDot,
    errors: FormErrors,
    id: String,
    amount: MoneyView,
    word: &'static str,
    pairs: Pairs,
    refunds: DataTable,
    has_refunds: bool,
    may_refund: bool,
    left: String,
    typed: String,
    reason: String,
    nonce: String,
}

/// One payment.
pub(super) async fn one(
    visitor: ShopVisitor<Anybody>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    caught_up(&visitor.state).await.ok();
    let row = own(&visitor, &visitor.at, &id).await?;
    show(&visitor, &visitor.at, &row, (FormErrors::none(), RefundForm::default())).await
}

/// A payment, if it is this shop's.
async fn own(visitor: &Visitor, at: &AtShop, id: &str) -> Result<PaymentRow, Problem> {
    let id: PaymentId = id.parse().map_err(|_| nothing())?;
    let models = &visitor.state.read_models;
    let (_, row) = find(&visitor.state, || models.payment(id)).await?;
    let is_own = payments::shop_of(&row.merchant) == Some(at.shop.id);
    is_own.then_some(row).ok_or_else(nothing)
}

async fn show(
    visitor: &Visitor,
    at: &AtShop,
    row: &PaymentRow,
    (errors, form): (FormErrors, RefundForm),
) -> Result<Response, Problem> {
    let refunds = visitor.state.read_models.refunds_of(row.id).await?.value;
    let gone = [row.refunded, row.pending, row.disputed].into_iter();
    let left = gone.fold(row.gross, Decimal::saturating_sub);
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let view = OneView {
        layout: visitor.layout("Payment", Nav::Shop("payments")),
        live: LiveDot::new(visitor.path()),
        errors,
        id: row.id.to_string(),
        amount: MoneyView::plain(visitor.money(row.gross, row.currency)?).hero(),
        word: word(row),
        pairs: pairs(visitor, at, row)?,
        has_refunds: !refunds.is_empty(),
        refunds: refund_table(visitor, &refunds)?,
        may_refund: at.role.decides() && left > Decimal::ZERO,
        left: visitor.money(left, row.currency)?.amount().to_string(),
        typed: form.amount,
        reason: form.reason,
        nonce: visitor.nonce(),
    };
    Ok(respond::page_with(status, &view))
}

fn pairs(visitor: &Visitor, at: &AtShop, row: &PaymentRow) -> Result<Pairs, Problem> {
    let money = |amount: Decimal| -> Result<MoneyView, Problem> {
        Ok(MoneyView::plain(visitor.money(amount, row.currency)?))
    };
    let mut pairs = vec![Pair::new("Paid", visitor.when(row.paid_at).exact())];
    if let Some(order) = &row.order_id {
        pairs.push(Pair::new("Order", order.clone()));
    }
    pairs.push(Pair::new("Amount", money(row.gross)?));
    if at.role.sees_money() {
        pairs.push(Pair::new("Fee", money(row.fee)?));
        pairs.push(Pair::new("Tax on the fee", money(row.tax)?));
        pairs.push(Pair::new("Yours", money(row.net)?).total());
    }
    match (row.settlement, row.settled_at) {
        (Some(id), Some(at_time)) if at.role.sees_money() => {
            let path = format!("/merchant/settlements/{id}");
            pairs.push(Pair::new("Settled", Cell::Link(visitor.when(at_time).day(), path)));
        }
        (Some(_), Some(at_time)) => pairs.push(Pair::new("Settled", visitor.when(at_time))),
        _ => pairs.push(Pair::new("Settles on", row.settles_on.format("%-d %B %Y").to_string())),
    }
    if !row.refunded.is_zero() {
        pairs.push(Pair::new("Given back", money(row.refunded)?));
    }
    if !row.pending.is_zero() {
        pairs.push(Pair::new("Waits to go back", money(row.pending)?));
    }
    if !row.disputed.is_zero() {
        pairs.push(Pair::new("Disputed", money(row.disputed)?));
    }
    pairs.push(Pair::new("Id", CopyId::new(row.id.to_string())));
    Ok(Pairs::new(pairs))
}

fn refund_table(visitor: &Visitor, rows: &[RefundRow]) -> Result<DataTable, Problem> {
    let columns = [
        Column::words("When"),
        Column::words("Status"),
        Column::words("Why"),
        Column::numbers("Amount"),
    ];
    let cells = rows.iter().map(|row| {
        let status = match row.status {
            RefundStatus::Pending => Status::Waiting,
            RefundStatus::Completed => Status::Done,
            RefundStatus::Failed => Status::Rejected,
            RefundStatus::Cancelled => Status::Cancelled,
        };
        Ok(vec![
            visitor.when(row.requested_at).into(),
            status.into(),
            Cell::from(row.reason.clone().unwrap_or_else(|| "–".to_owned())),
            MoneyView::plain(visitor.money(row.amount, row.currency)?).into(),
        ])
    });
    Ok(DataTable::new("Refunds", &columns, cells.collect::<Result<_, Problem>>()?))
}

/// What is to go back.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RefundForm {
    amount: String,
    #[serde(default)]
    reason: String,
    nonce: String,
}

/// Gives back, once for the form.
pub(super) async fn refund(
    Path(id): Path<String>,
    ShopSent { visitor, form }: ShopSent<Owners, RefundForm>,
) -> Result<Response, Problem> {
    let row = own(&visitor, &visitor.at, &id).await?;
    match give_back(&visitor, &row, &form).await {
        Ok(()) => Ok(see_other(&format!("/merchant/payments/{}", row.id))),
        Err(problem) => {
            let errors = errors_of(problem, &["amount", "reason"])?;
            show(&visitor, &visitor.at, &row, (errors, form)).await
        }
    }
}

async fn give_back(
    visitor: &ShopVisitor<Owners>,
    row: &PaymentRow,
    form: &RefundForm,
) -> Result<(), Problem> {
    let value = act::amount_typed(&form.amount);
    let reason = form.reason.trim();
    let reason: Option<Reference> = match reason {
        "" => None,
        text => Some(text.parse().map_err(|_| {
            let detail = "A reason is a short code without spaces, such as returned.";
            Problem::field(codes::INVALID, "/reason", detail)
        })?),
    };
    let id = row.id.to_string();
    let key = act::key("refund", &form.nonce, &[&id, &value, &form.reason])?;
    let body = json!({"amount": {"value": value, "currency": row.currency.to_string()},
        "reason": reason});
    let payload: Payload = Payload::of(&body)?;
    let body: RefundIn = payload.parse()?;
    payments::refund(&visitor.writer()?, row.id, key, &body).await.map(drop)
}
