//! Payments, their refunds, settlement and dispute: each begins once, its terms are a version that
//! the book had by then and its fee is what they say, refunds and dispute are never more than it,
//! what is left is settled once; and every transaction that an event names moves exactly what
//! follows from the event, account by account, and nothing else.
//!
//! Nothing of it is taken from the engine: the fee is computed anew, and the legs are derived from
//! the events by docs/events.md. Memory: some 200 bytes per payment and 40 per refund.

mod promise;
mod requests;
mod shape;

use std::collections::{HashMap, HashSet};

use promise::{Promise, fee_of, parsed};
use requests::{Pays, Requests};
use shape::{
    Completed, DisputeDecided, DisputeOpened, RefundCompleted, RefundEnded, RefundRequested,
    Settled, Terms,
};

use super::{
    super::{
        finding::{Code, Findings, Place},
        payload::id,
        record::Event,
        time,
    },
    currency::KnownTerms,
    expected::Expected,
    object::Object,
    read,
    transfer::Around,
};

/// What can happen to a payment.
const EVENTS: [&str; 8] = [
    "completed",
    "settled",
    "refund_requested",
    "refund_completed",
    "refund_failed",
    "refund_cancelled",
    "dispute_opened",
    "dispute_decided",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Pending,
    Completed,
    Ended,
}

#[derive(Debug)]
struct Refund {
    id: u128,
    amount: i128,
    stage: Stage,
}

#[derive(Debug, Clone, Copy)]
struct Dispute {
    amount: i128,
    decided: bool,
    won_by_payer: bool,
}

#[derive(Debug, Default)]
struct Payment {
    sequence: i64,
    promise: Option<Promise>,
    settled: bool,
    refunds: Vec<Refund>,
    dispute: Option<Dispute>,
}

/// The payments and payment requests of a log.
#[derive(Debug, Default)]
pub(super) struct Payments {
    all: HashMap<u128, Payment>,
    requests: Requests,
    /// What their transactions are: nothing undoes one.
    transactions: HashSet<u128>,
}

/// A transaction that an event names, with what it moves.
struct Named {
    transaction: u128,
    object: Object,
    legs: Vec<Expected>,
}

/// Something is wrong with an event, in these words.
pub(super) type Judged<T> = Result<T, &'static str>;

impl Payments {
    /// `known`: the terms that shops could have agreed to by then.
    pub(super) fn event(
        &mut self,
        place: Place<'_>,
        event: &Event<'_>,
        known: &KnownTerms,
        around: &mut Around<'_>,
    ) {
        let Some(payment) = id(event.aggregate_id, "pay_") else {
            return around.findings.event(place, Code::IdMalformed, "not a payment's id");
        };
        let entry = self.all.entry(payment).or_default();
        let expected = entry.sequence.saturating_add(1);
        entry.sequence = event.sequence;
        if event.sequence != expected {
            let words = format!("sequence {} where {expected} should be", event.sequence);
            around.findings.event(place, Code::SequenceDiffers, words);
        }
        if !EVENTS.contains(&event.event_type) {
            let words = format!("no payment has events of type {:?}", event.event_type);
            return around.findings.event(place, Code::EventTypeUnknown, words);
        }
        if (expected == 1) != (event.event_type == "completed") {
            let words = "a payment begins with being completed, once";
            return around.findings.event(place, Code::PaymentDiffers, words);
        }
        let judged = match event.event_type {
            "completed" => {
                let beside = (&mut self.requests, known);
                entry.completed((place, payment), event, beside, around)
            }
            _ => entry.went_on((place, payment), event, around.findings),
        };
        match judged {
            Ok(Some(named)) => {
                self.transactions.insert(named.transaction);
                let Named { transaction, object, legs } = named;
                around.transactions.expect_of(transaction, object, place.position);
                around.transactions.expect_legs(transaction, place.position, legs);
            }
            Ok(None) => {}
            Err(words) => around.findings.event(place, Code::PaymentDiffers, words),
        }
    }

    pub(super) fn request_event(
        &mut self,
        place: Place<'_>,
        event: &Event<'_>,
        findings: &mut Findings,
    ) {
        self.requests.event(place, event, findings);
    }

    /// A reversal undoes what is no object's.
    pub(super) fn reversed(&self, place: Place<'_>, original: u128, findings: &mut Findings) {
        if self.transactions.contains(&original) {
            let words = "what a payment has moved is undone by that payment only";
            findings.event(place, Code::PaymentDiffers, words);
        }
    }

    pub(super) fn batch_ends(&mut self, findings: &mut Findings) {
        self.requests.batch_ends(findings);
    }
}

impl Payment {
    fn completed(
        &mut self,
        (place, payment): (Place<'_>, u128),
        event: &Event<'_>,
        (requests, known): (&mut Requests, &KnownTerms),
        around: &mut Around<'_>,
    ) -> Judged<Option<Named>> {
        let Some(paid) = read::<Completed<'_>>(place, event, around.findings) else {
            return Ok(None);
        };
        let payer = around.accounts.find(&paid.payer).ok_or("its payer has no account")?;
        let scale = around.accounts.at(payer).scale;
        let amount = parsed(&paid.amount, scale).filter(|amount| *amount > 0);
        let amount = amount.ok_or("its amount is none")?;
        let (fee, tax) = fee_of(paid.terms, amount).ok_or("its terms are none")?;
        if parsed(&paid.fee, scale) != Some(fee) || parsed(&paid.tax, scale) != Some(tax) {
            return Err("its fee is not what its terms say");
        }
        let Terms { version, fee_bps, tax_bps } = paid.terms;
        if !known.has(version, (fee_bps, tax_bps)) {
            let words = "its terms are none that the book had by then";
            around.findings.event(place, Code::PaymentDiffers, words);
        }
        let transaction = id(&paid.transaction_id, "txn_").filter(|id| *id == payment);
        let transaction = transaction.ok_or("its transaction has another number than it has")?;
        time::date(&paid.settles_on).ok_or("it settles on no day")?;
        let currency = paid.payer.rsplit_once(':').map_or("", |(_, currency)| currency);
        if let Some(request) = &paid.request {
            let request = id(request, "pr_").ok_or("it pays a request that is none")?;
            let (merchant, sum) = (&*paid.merchant, &*paid.amount);
            let pays = Pays { payment, merchant, currency, amount: sum };
            requests.pay((place, event.recorded_at), request, &pays, around.findings);
        }
        let promise = Promise {
            payer: Box::from(&*paid.payer),
            merchant: Box::from(&*paid.merchant),
            currency: Box::from(currency),
            scale,
            amount,
            unsettled: amount - fee,
        };
        let legs = vec![
            Expected::debit(&promise.payer, amount),
            Expected::credit(&promise.shop("unsettled"), amount - fee),
            Expected::credit(&promise.house("income:mdr"), fee - tax),
            Expected::credit(&promise.house("tax:gst_output"), tax),
        ];
        self.promise = Some(promise);
        Ok(Some(Named { transaction, object: Object::Payment(payment), legs }))
    }

    fn went_on(
        &mut self,
        (place, payment): (Place<'_>, u128),
        event: &Event<'_>,
        findings: &mut Findings,
    ) -> Judged<Option<Named>> {
        // What it was could not be read, which was said.
        let Some(promise) = self.promise.take() else { return Ok(None) };
        let mut promise = promise;
        let judged = match event.event_type {
            "settled" => match read::<Settled<'_>>(place, event, findings) {
                Some(settled) => self.settled(&mut promise, &settled),
                None => Ok(None),
            },
            "refund_requested" => match read::<RefundRequested<'_>>(place, event, findings) {
                Some(asked) => self.asked(&promise, &asked),
                None => Ok(None),
            },
            "refund_completed" => match read::<RefundCompleted<'_>>(place, event, findings) {
                Some(done) => self.given_back(&mut promise, &done),
                None => Ok(None),
            },
            "refund_failed" | "refund_cancelled" => {
                match read::<RefundEnded<'_>>(place, event, findings) {
                    Some(ended) => self.refund(&ended.refund_id, Stage::Ended).map(|_| None),
                    None => Ok(None),
                }
            }
            "dispute_opened" => match read::<DisputeOpened<'_>>(place, event, findings) {
                Some(opened) => self.disputed(payment, &mut promise, &opened),
                None => Ok(None),
            },
            _ => match read::<DisputeDecided<'_>>(place, event, findings) {
                Some(decided) => self.decided(payment, &promise, &decided),
                None => Ok(None),
            },
        };
        self.promise = Some(promise);
        judged
    }

    /// What no refund and no dispute has a claim on.
    fn left(&self, promise: &Promise) -> i128 {
        let refunds = self.refunds.iter().filter(|refund| refund.stage != Stage::Ended);
        let refunds: i128 = refunds.map(|refund| refund.amount).sum();
        let dispute = self.dispute.filter(|dispute| !dispute.decided || dispute.won_by_payer);
        promise.amount - refunds - dispute.map_or(0, |dispute| dispute.amount)
    }

    fn settled(&mut self, promise: &mut Promise, settled: &Settled<'_>) -> Judged<Option<Named>> {
        if self.settled {
            return Err("it was settled before");
        }
        self.settled = true;
        let amount = parsed(&settled.amount, promise.scale);
        let left = std::mem::take(&mut promise.unsettled);
        let amount = amount.filter(|amount| *amount == left);
        let amount = amount.ok_or("it settles another amount than what is left")?;
        let repaid = parsed(&settled.repaid, promise.scale);
        let repaid = repaid.filter(|repaid| (0..=amount).contains(repaid));
        let repaid = repaid.ok_or("it repays more than it settles")?;
        let settlement = id(&settled.settlement_id, "set_").ok_or("its settlement has no id")?;
        let named = settled.transaction_id.as_ref().map(|named| id(named, "txn_"));
        if named != (amount > 0).then_some(Some(settlement)) {
            return Err("its settlement's transaction is another");
        }
        let legs = vec![
            Expected::debit(&promise.shop("unsettled"), amount),
            Expected::credit(&promise.receivable(), repaid),
            Expected::credit(&promise.shop("available"), amount - repaid),
        ];
        let object = Object::Settlement(settlement);
        Ok(named.flatten().map(|transaction| Named { transaction, object, legs }))
    }

    fn asked(&mut self, promise: &Promise, asked: &RefundRequested<'_>) -> Judged<Option<Named>> {
        let id = id(&asked.refund_id, "rf_").ok_or("a refund has no id")?;
        if self.refunds.iter().any(|refund| refund.id == id) {
            return Err("a refund is asked for twice");
        }
        let amount = parsed(&asked.amount, promise.scale).filter(|amount| *amount > 0);
        let amount = amount.ok_or("a refund of no amount")?;
        let left = self.left(promise);
        self.refunds.push(Refund { id, amount, stage: Stage::Pending });
        if amount > left { Err("more is given back than was paid") } else { Ok(None) }
    }

    /// Moves a refund that waits to its end.
    fn refund(&mut self, refund: &str, end: Stage) -> Judged<(u128, i128)> {
        let id = id(refund, "rf_").ok_or("a refund has no id")?;
        let pending = |refund: &&mut Refund| refund.id == id && refund.stage == Stage::Pending;
        let known = self.refunds.iter_mut().find(pending).ok_or("no such refund waits")?;
        known.stage = end;
        Ok((known.id, known.amount))
    }

    fn given_back(
        &mut self,
        promise: &mut Promise,
        done: &RefundCompleted<'_>,
    ) -> Judged<Option<Named>> {
        let (refund, amount) = self.refund(&done.refund_id, Stage::Completed)?;
        let mut legs = promise.given(amount, &done.from)?;
        legs.push(Expected::credit(&promise.payer, amount));
        let transaction = id(&done.transaction_id, "txn_").filter(|id| *id == refund);
        let transaction = transaction.ok_or("a refund's transaction has another number")?;
        Ok(Some(Named { transaction, object: Object::Refund(refund), legs }))
    }

    fn disputed(
        &mut self,
        payment: u128,
        promise: &mut Promise,
        opened: &DisputeOpened<'_>,
    ) -> Judged<Option<Named>> {
        if self.dispute.is_some() {
            return Err("it was disputed before");
        }
        let amount = parsed(&opened.amount, promise.scale).filter(|amount| *amount > 0);
        let amount = amount.ok_or("a dispute about nothing")?;
        let left = self.left(promise);
        self.dispute = Some(Dispute { amount, decided: false, won_by_payer: false });
        if amount > left {
            return Err("more is disputed than is left");
        }
        let mut legs = promise.given(amount, &opened.from)?;
        legs.push(Expected::credit(&promise.house("disputes:held"), amount));
        legs.push(Expected::debit(&promise.house("disputes:provisional"), amount));
        legs.push(Expected::credit(&promise.payer, amount));
        named_by(&opened.transaction_id, payment, legs)
    }

    fn decided(
        &mut self,
        payment: u128,
        promise: &Promise,
        decided: &DisputeDecided<'_>,
    ) -> Judged<Option<Named>> {
        let dispute = self.dispute.as_mut().filter(|dispute| !dispute.decided);
        let dispute = dispute.ok_or("no dispute about it is open")?;
        dispute.decided = true;
        dispute.won_by_payer = match &*decided.won_by {
            "payer" => true,
            "merchant" => false,
            _ => return Err("nobody wins the dispute"),
        };
        let amount = dispute.amount;
        let most = if dispute.won_by_payer { 0 } else { amount };
        let part = |text: &str| {
            let part = parsed(text, promise.scale).filter(|part| (0..=most).contains(part));
            part.ok_or("a part of the dispute is more than it")
        };
        let (from_payer, repaid) = (part(&decided.from_payer)?, part(&decided.repaid)?);
        let mut legs = vec![
            Expected::debit(&promise.house("disputes:held"), amount),
            Expected::credit(&promise.house("disputes:provisional"), amount),
        ];
        if !dispute.won_by_payer {
            legs.push(Expected::credit(&promise.receivable(), repaid));
            legs.push(Expected::credit(&promise.shop("available"), amount - repaid));
            legs.push(Expected::debit(&promise.payer, from_payer));
            legs.push(Expected::debit(&promise.recall(), amount - from_payer));
        }
        named_by(&decided.transaction_id, payment, legs)
    }
}

fn named_by(transaction: &str, payment: u128, legs: Vec<Expected>) -> Judged<Option<Named>> {
    let transaction = id(transaction, "txn_").ok_or("its transaction has no id")?;
    Ok(Some(Named { transaction, object: Object::Payment(payment), legs }))
}
