//! One payment: who paid, what came of it, its steps, and giving it back.

use askama::Template;
use axum::{extract::Path, http::StatusCode, response::Response};
use ledger_core::{
    log::Position,
    money::Money,
    payment::{Payment, RefundStatus, movement::ShopAccounts},
};
use projections::{PaymentHistory, PaymentRow, ReadError, RefundRow};
use rust_decimal::Decimal;

use super::{
    coming,
    names::{Payers, Places},
    own_payment, proof,
    query::STATUSES,
    refund::{REASONS, RefundForm, TYPED_ABOVE},
    shop, steps, table,
};
use crate::{
    deposits::is_outside,
    http::{Problem, reader::caught_up},
    pages::{
        FormErrors, Layout, Nav,
        disputes::DisputeView,
        merchant::{Anybody, ShopVisitor},
        respond,
        ui::{
            Cell, CopyId, Face, LiveDot, MoneyView, Pair, Pairs, Status, Timeline, When, money_text,
        },
    },
    payments::{RefundAt, RefundState, debt_limit},
    wallet,
};

#[derive(Template)]
#[template(path = "merchant/sales/one.html")]
struct OneView {
    layout: Layout,
    live: LiveDot,
    errors: FormErrors,
    id: String,
    face: Face,
    who: String,
    handle: String,
    amount: MoneyView,
    status: Status,
    word: &'static str,
    receipt: Pairs,
    timeline: Timeline,
    refunds: Vec<RefundLine>,
    dispute: Option<DisputeView>,
    form: Option<FormView>,
    may_refund: bool,
    /// Where the shop's credit stands in the log; nothing for who does not see money.
    proof: Option<Position>,
}

/// A refund of it.
struct RefundLine {
    id: String,
    amount: MoneyView,
    when: When,
    status: Status,
    words: String,
    /// The nonce of the button that gives it up, where there is one.
    cancel: Option<String>,
}

/// The form that gives back.
struct FormView {
    nonce: String,
    left: MoneyView,
    whole: String,
    typed: RefundForm,
    reasons: [(&'static str, &'static str); 4],
    /// From when on the amount has to be typed again; nothing where less is left.
    typed_above: Option<String>,
}

/// The page.
pub(super) async fn page(
    visitor: ShopVisitor<Anybody>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    caught_up(&visitor.state).await.ok();
    if let Some(page) = coming::page(&visitor, &id).await? {
        return Ok(page);
    }
    show(&visitor, &id, RefundForm::default(), FormErrors::none()).await
}

/// The page, with the form as it was typed and what is wrong with it.
pub(super) async fn show<N>(
    visitor: &ShopVisitor<N>,
    id: &str,
    typed: RefundForm,
    errors: FormErrors,
) -> Result<Response, Problem> {
    let (row, history) = own_payment(visitor, id).await?;
    let payers = Payers::of(visitor, std::slice::from_ref(&row)).await?;
    let who = payers.name(&row.payer);
    let may_refund = visitor.at.role.decides();
    let left = visitor.money(history.payment.left(), row.currency)?;
    let shown = may_refund && left.is_positive();
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let sees_money = visitor.at.role.sees_money();
    let proof = if sees_money { proof::position(visitor, &row).await? } else { None };
    let view = OneView {
        layout: visitor.layout("Payment", Nav::Shop("payments")),
        live: LiveDot::new(format!("/merchant/payments/{id}")),
        errors,
        face: Face::of(&who),
        handle: payers.face(&row.payer).map(|face| face.handle.to_string()).unwrap_or_default(),
        who,
        amount: MoneyView::incoming(visitor.money(row.gross, row.currency)?).hero(),
        status: table::status(&row),
        word: word(&row),
        receipt: receipt(visitor, &row, left).await?,
        timeline: steps::timeline(visitor, &row, &history)?,
        refunds: refunds(visitor, &row, &history).await?,
        dispute: dispute(visitor, &row, &history).await?,
        form: shown.then(|| form(visitor, left, typed)),
        may_refund,
        proof,
        id: id.to_owned(),
    };
    Ok(respond::page_with(status, &view))
}

/// The dispute about it, if there is one.
async fn dispute<N>(
    visitor: &ShopVisitor<N>,
    row: &PaymentRow,
    history: &PaymentHistory,
) -> Result<Option<DisputeView>, Problem> {
    let path = format!("/merchant/payments/{}/dispute", row.id);
    DisputeView::of(visitor, (row.id, &history.payment), &path).await
}

fn form<N>(visitor: &ShopVisitor<N>, left: Money, typed: RefundForm) -> FormView {
    let limit = Decimal::from(TYPED_ABOVE);
    let nonce = if typed.nonce.is_empty() { visitor.nonce() } else { typed.nonce.clone() };
    FormView {
        nonce,
        left: MoneyView::plain(left),
        whole: left.amount().to_string(),
        typed,
        reasons: REASONS,
        typed_above: (left.amount() > limit)
            .then(|| format!("₹{}", crate::pages::ui::grouped("10000"))),
    }
}

/// Its status in the words of the list's tabs.
fn word(row: &PaymentRow) -> &'static str {
    let known = STATUSES.iter().find(|(status, _)| *status == row.status.as_str());
    known.map_or("", |(_, word)| word)
}

async fn receipt<N>(
    visitor: &ShopVisitor<N>,
    row: &PaymentRow,
    left: Money,
) -> Result<Pairs, Problem> {
    let money = |amount| visitor.money(amount, row.currency).map(MoneyView::plain);
    let places = Places::of(visitor, visitor.at.shop.id).await?;
    let mut pairs =
        vec![Pair::new("Paid", visitor.when(row.paid_at)), Pair::new("Gross", money(row.gross)?)];
    let sees_money = visitor.at.role.sees_money();
    if sees_money {
        pairs.push(Pair::new("Fee", money(row.fee)?));
        pairs.push(Pair::new("Tax on the fee", money(row.tax)?));
        pairs.push(Pair::new("Net", money(row.net)?).total());
    }
    pairs.push(Pair::new("Refunded", money(row.refunded)?));
    if !row.pending.is_zero() {
        pairs.push(Pair::new("Waits to go back", money(row.pending)?));
    }
    pairs.push(Pair::new("Can still be refunded", MoneyView::plain(left)));
    pairs.push(match row.settlement {
        Some(settlement) if sees_money => {
            let id = settlement.to_string();
            let href = format!("/merchant/settlements/{id}");
            Pair::new("Settlement", Cell::Link(id, href))
        }
        Some(_) | None => Pair::new("Settles on", row.settles_on.format("%-d %b %Y").to_string()),
    });
    let texts = [("Order", &row.order_id), ("Store", &row.store), ("Terminal", &row.terminal)];
    for (label, text) in texts {
        if let Some(text) = text {
            let text = if label == "Order" { text.clone() } else { places.name(text) };
            pairs.push(Pair::new(label, text));
        }
    }
    if let Some(request) = row.request {
        pairs.push(Pair::new("Payment request", CopyId::new(request.to_string())));
    }
    pairs.push(Pair::new("Id", CopyId::new(row.id.to_string())));
    Ok(Pairs::new(pairs))
}

/// The refunds; each that waits says what it waits for.
async fn refunds<N>(
    visitor: &ShopVisitor<N>,
    row: &PaymentRow,
    history: &PaymentHistory,
) -> Result<Vec<RefundLine>, Problem> {
    let models = &visitor.state.read_models;
    let rows = models.refunds_of(row.id).await?.value;
    let any_waits = rows.iter().any(|refund| refund.status == RefundStatus::Pending);
    let mut has = if any_waits { in_hand(visitor, &history.payment).await? } else { Decimal::ZERO };
    let mut lines = Vec::new();
    for refund in rows {
        let waits = refund.status == RefundStatus::Pending;
        let at = RefundAt::of(&visitor.state, &refund).await?;
        let words = if waits {
            let short = refund.amount.saturating_sub(has);
            has = has.saturating_sub(refund.amount).max(Decimal::ZERO);
            waiting(visitor, row, short)?
        } else {
            after(&refund, at.state)
        };
        lines.push(RefundLine {
            id: refund.id.to_string(),
            amount: MoneyView::outgoing(visitor.money(refund.amount, refund.currency)?),
            when: visitor.when(refund.requested_at),
            status: chip(at.state),
            words,
            cancel: (waits && visitor.at.role.decides()).then(|| visitor.nonce()),
        });
    }
    Ok(lines)
}

/// What a refund of this payment could be paid with now: what is not settled of it, what the shop
/// can dispose of, and what it would be lent.
async fn in_hand<N>(visitor: &ShopVisitor<N>, payment: &Payment) -> Result<Decimal, Problem> {
    let (state, merchant) = (&visitor.state, shop(visitor)?);
    let available = wallet::balances(state, &visitor.wallet).await?.available;
    let internal = |error| Problem::internal(&error);
    let currency = visitor.wallet.currency().map_err(internal)?;
    let receivable = ShopAccounts::of(&merchant, currency).map_err(internal)?.receivable;
    let owed = state.read_models.balance(&receivable).await?.value;
    let owed = owed.map(|balance| balance.posted).unwrap_or_default();
    let book = state.ledger.status().borrow().book.clone();
    let limit = debt_limit(&state.reads, &book, &merchant).await.map_err(ReadError::from)?;
    let lent = limit.saturating_sub(owed).max(Decimal::ZERO);
    Ok(payment.unsettled().saturating_add(available.amount()).saturating_add(lent))
}

fn waiting<N>(
    visitor: &ShopVisitor<N>,
    row: &PaymentRow,
    short: Decimal,
) -> Result<String, Problem> {
    if !visitor.at.role.sees_money() {
        return Ok("Refund waiting. It goes out by itself.".to_owned());
    }
    if short <= Decimal::ZERO {
        return Ok("Refund waiting. It goes out as soon as the payer’s wallet takes it.".to_owned());
    }
    let short = money_text(&visitor.money(short, row.currency)?);
    Ok(format!("Refund waiting: {short} short. It goes out as soon as sales cover it."))
}

/// What is said of a refund that does not wait: where it is on its way to the payer's bank, or why
/// it was asked for.
fn after(refund: &RefundRow, state: RefundState) -> String {
    if !is_outside(&refund.payer) {
        return refund.reason.clone().unwrap_or_default();
    }
    let words = match state {
        RefundState::Completed => "The payer’s bank has it.",
        RefundState::Processing => "On its way to the payer’s bank.",
        RefundState::Failed | RefundState::Returned => {
            "The payer’s bank did not take it. We look after it."
        }
        RefundState::Pending | RefundState::Cancelled => "",
    };
    words.to_owned()
}

const fn chip(state: RefundState) -> Status {
    match state {
        RefundState::Pending => Status::Waiting,
        RefundState::Processing => Status::Processing,
        RefundState::Completed => Status::Done,
        RefundState::Failed => Status::Failed,
        RefundState::Returned => Status::Returned,
        RefundState::Cancelled => Status::Cancelled,
    }
}
