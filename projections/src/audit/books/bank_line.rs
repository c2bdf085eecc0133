//! Lines of banks' statements: each is booked once, first, and every transaction that an event of
//! it names is in the same append, caused by it. What the transactions move is held against the
//! accounts, their items included, like everything that moves.

use std::collections::HashMap;

use serde::Deserialize;

use super::{
    super::{
        finding::{Code, Findings, Place},
        payload::{Leg, id, id_text},
        record::Event,
        text::Text,
    },
    read,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that the fields are there and no others is what is checked")]
struct Part<'a> {
    #[serde(borrow)]
    purpose: Text<'a>,
    #[serde(borrow, default)]
    item: Option<Text<'a>>,
    #[serde(borrow, default)]
    wallet: Option<Text<'a>>,
    #[serde(borrow)]
    amount: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that the fields are there and no others is what is checked")]
struct Booked<'a> {
    #[serde(borrow)]
    bank: Text<'a>,
    #[serde(borrow)]
    account: Text<'a>,
    #[serde(borrow)]
    direction: Text<'a>,
    #[serde(borrow)]
    booking_date: Text<'a>,
    #[serde(borrow)]
    value_date: Text<'a>,
    #[serde(borrow)]
    bank_transaction_id: Text<'a>,
    #[serde(borrow)]
    currency: Text<'a>,
    #[serde(borrow)]
    amount: Text<'a>,
    #[serde(borrow)]
    parts: Vec<Part<'a>>,
    #[serde(borrow)]
    transaction_id: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that the fields are there and no others is what is checked")]
struct Resolved<'a> {
    #[serde(borrow)]
    parts: Vec<Part<'a>>,
    #[serde(borrow)]
    amount: Text<'a>,
    #[serde(borrow)]
    transaction_id: Text<'a>,
}

/// A line's claim that a transaction is its doing.
#[derive(Debug, Clone, Copy)]
struct Claim {
    transaction: u128,
    line: u128,
    position: i64,
}

/// The lines of a log, with the sequence that each has come to.
#[derive(Debug, Default)]
pub(super) struct BankLines {
    sequences: HashMap<u128, i64>,
    claims: Vec<Claim>,
}

impl BankLines {
    pub(super) fn event(&mut self, place: Place<'_>, event: &Event<'_>, findings: &mut Findings) {
        let Some(line) = id(event.aggregate_id, "bl_") else {
            return findings.event(place, Code::IdMalformed, "not a bank line's id");
        };
        let before = self.sequences.entry(line).or_default();
        let expected = before.saturating_add(1);
        *before = event.sequence;
        let named = match event.event_type {
            "booked" => read::<Booked<'_>>(place, event, findings).map(|e| e.transaction_id),
            "resolved" => read::<Resolved<'_>>(place, event, findings).map(|e| e.transaction_id),
            other => {
                let words = format!("no bank line has events of type {other:?}");
                return findings.event(place, Code::EventTypeUnknown, words);
            }
        };
        if event.sequence != expected {
            let words = format!("sequence {} where {expected} should be", event.sequence);
            findings.event(place, Code::SequenceDiffers, words);
        } else if (event.sequence == 1) != (event.event_type == "booked") {
            let words = "a bank line begins with its booking, and has one";
            findings.event(place, Code::BankLineDiffers, words);
        }
        let Some(named) = named else { return };
        if let Some(transaction) = id(&named, "txn_") {
            self.claims.push(Claim { transaction, line, position: place.position });
        } else {
            let words = format!("{:?} is not a transaction's id", &*named);
            findings.event(place, Code::IdMalformed, words);
        }
    }

    /// What names a line as its cause was named by it, and the other way round.
    pub(super) fn leg(&mut self, place: Place<'_>, leg: &Leg<'_>, findings: &mut Findings) {
        if leg.leg != 1 {
            return;
        }
        let Some(transaction) = id(&leg.transaction_id, "txn_") else { return };
        let cause = leg.cause.as_deref().and_then(|cause| id(cause, "bl_"));
        let claim = self.claims.iter().position(|claim| claim.transaction == transaction);
        let named = claim.map(|at| self.claims.swap_remove(at).line);
        if named != cause {
            let words = "the bank line does not name the transaction, or the other way round";
            findings.event(place, Code::BankLineIncomplete, words);
        }
    }

    /// An append is over: what it announced has to be there.
    pub(super) fn batch_ends(&mut self, findings: &mut Findings) {
        for claim in self.claims.drain(..) {
            let words = format!("{} is not in this append", id_text(claim.transaction, "txn_"));
            findings.position(claim.position, Code::BankLineIncomplete, words);
        }
    }
}
