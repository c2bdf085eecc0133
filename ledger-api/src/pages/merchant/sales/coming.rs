//! One payment from another bank that the shop does not have: on its way, or going back.

use askama::Template;
use axum::response::Response;
use ledger_core::{ids::PaymentId, withdrawal::WithdrawalStatus};
use projections::ReadError;

use super::{
    names::Places,
    table::{status_of_coming, words_of_coming},
};
use crate::{
    deposits::{Incoming, IncomingState, Outside},
    http::Problem,
    pages::{
        Layout, Nav,
        merchant::{Anybody, ShopVisitor},
        respond,
        ui::{CopyId, LiveDot, MoneyView, Pair, Pairs, Status, Step, StepState, Timeline},
    },
};

#[derive(Template)]
#[template(path = "merchant/sales/coming.html")]
struct ComingView {
    layout: Layout,
    live: LiveDot,
    amount: Option<MoneyView>,
    status: Status,
    words: &'static str,
    receipt: Pairs,
    timeline: Timeline,
}

/// The page of such a payment of the visitor's shop; nothing if it is none, or the shop has it.
pub(super) async fn page(
    visitor: &ShopVisitor<Anybody>,
    id: &str,
) -> Result<Option<Response>, Problem> {
    let Ok(id) = id.parse::<PaymentId>() else { return Ok(None) };
    if !Outside::may_have_made(id) || visitor.state.read_models.payment(id).await?.value.is_some() {
        return Ok(None);
    }
    let found = Outside::new(visitor.state.reads.clone()).incoming_payment(id).await;
    let found = found.map_err(ReadError::from)?;
    let own = |one: &Incoming| {
        one.credit.merchant == visitor.at.shop.id && one.state != IncomingState::Paid
    };
    let Some(one) = found.filter(own) else { return Ok(None) };
    let currency = one.credit.account.currency().map_err(|error| Problem::internal(&error))?;
    let amount = one.amount.map(|amount| visitor.money(amount, currency)).transpose()?;
    let view = ComingView {
        layout: visitor.layout("Payment", Nav::Shop("payments")),
        live: LiveDot::new(format!("/merchant/payments/{id}")),
        amount: amount.map(|amount| MoneyView::plain(amount).hero()),
        status: status_of_coming(one.state),
        words: words_of_coming(one.state),
        receipt: receipt(visitor, &one).await?,
        timeline: timeline(visitor, &one),
    };
    Ok(Some(respond::page(&view)))
}

async fn receipt(visitor: &ShopVisitor<Anybody>, one: &Incoming) -> Result<Pairs, Problem> {
    let places = Places::of(visitor, visitor.at.shop.id).await?;
    let mut pairs = vec![Pair::new("Told by the bank", visitor.when(one.told_at))];
    let texts = [("Order", &one.order_id), ("Store", &one.store), ("Terminal", &one.terminal)];
    for (label, text) in texts {
        if let Some(text) = text {
            let text = if label == "Order" { text.clone() } else { places.name(text) };
            pairs.push(Pair::new(label, text));
        }
    }
    if let Some(request) = one.credit.request {
        pairs.push(Pair::new("Payment request", CopyId::new(request.to_string())));
    }
    if let Some((withdrawal, _)) = one.back {
        pairs.push(Pair::new("Sent back by", CopyId::new(withdrawal.to_string())));
    }
    pairs.push(Pair::new("Id", CopyId::new(one.payment.to_string())));
    Ok(Pairs::new(pairs))
}

fn timeline(visitor: &ShopVisitor<Anybody>, one: &Incoming) -> Timeline {
    let told = Step::new(StepState::Done, "The payer’s bank told of it");
    let mut steps = vec![told.at(visitor.when(one.told_at))];
    if one.state != IncomingState::Failed {
        let asks = "We ask the bank itself. The payment is yours once the bank confirms it.";
        steps.push(Step::new(StepState::Now, words_of_coming(one.state)).text(asks));
        return Timeline::new(steps);
    }
    let reason = why(one.reason.as_deref());
    steps.push(Step::new(StepState::Failed, "It could not become yours").text(reason));
    steps.push(back(one));
    Timeline::new(steps)
}

/// Why the shop cannot have it, in words.
fn why(reason: Option<&str>) -> &'static str {
    match reason.unwrap_or_default() {
        "payment_request_not_payable" => {
            "What it pays was paid already, had expired or was closed."
        }
        "payment_request_amount" => "It is another amount than was asked for.",
        "shop_blocked" => "The shop could not be paid then.",
        _ => "The ledger refused it.",
    }
}

/// Where it is on its way back.
fn back(one: &Incoming) -> Step {
    use WithdrawalStatus as At;
    match one.back.and_then(|(_, status)| status) {
        Some(At::Completed) => Step::new(StepState::Done, "The payer’s bank has it back"),
        Some(At::Failed | At::Rejected | At::Cancelled | At::Returned) => {
            let step = Step::new(StepState::Unknown, "The payer’s bank did not take it");
            step.text("We look after it. There is nothing for you to do.")
        }
        None
        | Some(
            At::PendingReview
            | At::Queued
            | At::Processing
            | At::OutcomeUnknown
            | At::NeedsAttention,
        ) => {
            let step = Step::new(StepState::Now, "It goes back to the payer’s bank");
            step.text("All of it, without a fee. There is nothing for you to do.")
        }
    }
}
