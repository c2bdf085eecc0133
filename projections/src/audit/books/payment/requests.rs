//! Payment requests: each begins once, ends at most once, and is paid by a payment of the same
//! append that names it; one that was for a single payment ends with it.

use std::collections::HashMap;

use chrono::DateTime;

use super::{
    super::{
        super::{
            finding::{Code, Findings, Place},
            payload::{Nothing, id, id_text},
            record::Event,
        },
        read,
    },
    shape::{Created, Paid},
};

#[derive(Debug, Default)]
struct Request {
    sequence: i64,
    merchant: Box<str>,
    currency: Box<str>,
    amount: Option<Box<str>>,
    single_use: bool,
    expires_at: Option<i64>,
    ended: bool,
}

/// The payment requests of a log.
#[derive(Debug, Default)]
pub(super) struct Requests {
    all: HashMap<u128, Request>,
    /// What payments of this append pay: the request, with the payment and its position.
    awaited: HashMap<u128, (u128, i64)>,
}

/// What a payment says of the request that it pays.
pub(super) struct Pays<'a> {
    pub payment: u128,
    pub merchant: &'a str,
    pub currency: &'a str,
    pub amount: &'a str,
}

impl Requests {
    pub(super) fn event(&mut self, place: Place<'_>, event: &Event<'_>, findings: &mut Findings) {
        let Some(request) = id(event.aggregate_id, "pr_") else {
            return findings.event(place, Code::IdMalformed, "not a payment request's id");
        };
        let entry = self.all.entry(request).or_default();
        let expected = entry.sequence.saturating_add(1);
        entry.sequence = event.sequence;
        if event.sequence != expected {
            let words = format!("sequence {} where {expected} should be", event.sequence);
            findings.event(place, Code::SequenceDiffers, words);
        }
        if (expected == 1) != (event.event_type == "created") || entry.ended {
            let words = "a payment request begins once and ends once";
            findings.event(place, Code::PaymentDiffers, words);
        }
        match event.event_type {
            "created" => {
                if let Some(created) = read::<Created<'_>>(place, event, findings) {
                    entry.create(&created);
                }
            }
            "paid" => {
                entry.ended = true;
                let Some(paid) = read::<Paid<'_>>(place, event, findings) else { return };
                let payment = self.awaited.remove(&request).map(|(payment, _)| payment);
                if payment.is_none() || payment != id(&paid.payment_id, "pay_") {
                    let words = "no payment of this append pays it";
                    findings.event(place, Code::PaymentIncomplete, words);
                }
            }
            "expired" => {
                entry.ended = true;
                read::<Nothing>(place, event, findings);
                if entry.expires_at.is_none_or(|end| end > event.recorded_at) {
                    findings.event(place, Code::PaymentDiffers, "its time had not come");
                }
            }
            "closed" => {
                entry.ended = true;
                read::<Nothing>(place, event, findings);
            }
            other => {
                let words = format!("no payment request has events of type {other:?}");
                findings.event(place, Code::EventTypeUnknown, words);
            }
        }
    }

    /// A payment says that it pays a request.
    pub(super) fn pay(
        &mut self,
        (place, now): (Place<'_>, i64),
        request: u128,
        pays: &Pays<'_>,
        findings: &mut Findings,
    ) {
        let Some(known) = self.all.get(&request) else {
            return findings.event(place, Code::PaymentDiffers, "it pays a request that is none");
        };
        let fits = *known.merchant == *pays.merchant
            && *known.currency == *pays.currency
            && known.amount.as_deref().is_none_or(|amount| amount == pays.amount);
        let open = !known.ended && known.expires_at.is_none_or(|end| now < end);
        if !fits || !open {
            let words = "it pays a request that is another's, has ended, or asks for another sum";
            findings.event(place, Code::PaymentDiffers, words);
        }
        if known.single_use {
            self.awaited.insert(request, (pays.payment, place.position));
        }
    }

    /// An append is over: what was paid says so.
    pub(super) fn batch_ends(&mut self, findings: &mut Findings) {
        for (request, (_, position)) in self.awaited.drain() {
            let words = format!("{} does not end with its payment", id_text(request, "pr_"));
            findings.position(position, Code::PaymentIncomplete, words);
        }
    }
}

impl Request {
    fn create(&mut self, created: &Created<'_>) {
        self.merchant = Box::from(&*created.merchant);
        self.currency = Box::from(&*created.currency);
        self.amount = created.amount.as_ref().map(|amount| Box::from(&**amount));
        self.single_use = created.single_use;
        let end =
            created.expires_at.as_ref().and_then(|end| DateTime::parse_from_rfc3339(end).ok());
        self.expires_at = end.map(|end| end.timestamp_micros());
    }
}
