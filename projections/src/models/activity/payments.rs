//! What payers see of payments to shops: the payment, each refund, and what a dispute lends them
//! and takes back. When the shop can spend its money is none of theirs.

use ledger_core::{
    ids::{AccountCode, AccountId},
    payment::{Completed, DisputeWinner, Payment, PaymentEvent, RefundStatus},
};
use rust_decimal::Decimal;

use super::{
    ActivityStatus,
    rows::{IN, OUT, Row},
};
use crate::models::{
    refunds,
    streams::{Fact, Lived, Place},
};

/// The rows of the payer's wallet.
pub(super) fn of_payment(lived: &Lived<Payment>) -> Vec<Row> {
    let payment = &lived.object;
    let Some((completed, status)) = payment.properties().zip(payment.status()) else {
        return Vec::new();
    };
    let Some(row) = row(completed) else { return Vec::new() };
    let mut rows = vec![Row {
        object: lived.id.to_string(),
        object_status: status.as_str(),
        began: lived.first,
        changed: last_seen(lived),
        ..row(OUT, "payment", completed.amount)
    }];
    for refund in payment.refunds() {
        let Some((first, last)) = refunds::span(lived, refund.refund_id) else { continue };
        rows.push(Row {
            object: refund.refund_id.to_string(),
            object_status: refund.status.as_str(),
            status: status_of(refund.status),
            began: first,
            changed: last,
            ..row(IN, "refund", refund.amount)
        });
    }
    for Fact { place, event } in &lived.facts {
        let lent = match event {
            PaymentEvent::DisputeOpened(opened) => Some((IN, opened.amount, opened.transaction_id)),
            PaymentEvent::DisputeDecided(decided)
                if decided.won_by == DisputeWinner::Merchant && !decided.from_payer.is_zero() =>
            {
                Some((OUT, decided.from_payer, decided.transaction_id))
            }
            PaymentEvent::DisputeDecided(_)
            | PaymentEvent::Completed(_)
            | PaymentEvent::Settled(_)
            | PaymentEvent::RefundRequested(_)
            | PaymentEvent::RefundCompleted(_)
            | PaymentEvent::RefundFailed(_)
            | PaymentEvent::RefundCancelled(_) => None,
        };
        if let Some((direction, amount, transaction)) = lent {
            rows.push(Row {
                object: transaction.to_string(),
                began: *place,
                changed: *place,
                ..row(direction, "dispute", amount)
            });
        }
    }
    rows
}

/// A row of the payer's with what all have; nothing if the payer's wallet names no currency.
fn row(completed: &Completed) -> Option<impl Fn(&'static str, &str, Decimal) -> Row + '_> {
    let currency = completed.payer.currency().ok()?;
    let shop = format!("merchant:{}:unsettled", completed.merchant).parse::<AccountCode>().ok()?;
    let shop = AccountId::new(&shop, currency);
    Some(move |direction, kind: &str, amount| Row {
        account: completed.payer.as_str().to_owned(),
        object: String::new(),
        kind: kind.to_owned(),
        direction,
        status: ActivityStatus::Done,
        object_status: "completed",
        currency: currency.as_str().to_owned(),
        amount,
        fee: Decimal::ZERO,
        counterparty: Some(shop.as_str().to_owned()),
        utr: None,
        began: Place::default(),
        changed: Place::default(),
    })
}

const fn status_of(status: RefundStatus) -> ActivityStatus {
    match status {
        RefundStatus::Pending => ActivityStatus::Processing,
        RefundStatus::Completed => ActivityStatus::Done,
        RefundStatus::Failed => ActivityStatus::Failed,
        RefundStatus::Cancelled => ActivityStatus::Cancelled,
    }
}

/// When something last happened that the payer sees.
fn last_seen(lived: &Lived<Payment>) -> Place {
    let seen = |fact: &&Fact<PaymentEvent>| !matches!(fact.event, PaymentEvent::Settled(_));
    lived.facts.iter().rev().find(seen).map_or(lived.last, |fact| fact.place)
}
