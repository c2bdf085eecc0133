//! Lines of banks' statements: each is booked once, and every transaction that an event of it
//! names is in the same append, caused by it. What deposits and withdrawals cause moves no account
//! that is the bank's own, and a credit is settled by a line. What the transactions move is held
//! against the accounts, their items included, like everything that moves.

use std::collections::HashMap;

use serde::Deserialize;

use super::{
    super::{
        finding::{Code, Findings, Place},
        payload::{Leg, id, id_text},
        record::Event,
        text::Text,
    },
    object::Object,
    read,
    settling::Settling,
    suspense::Leaving,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that the fields are there and no others is what is checked")]
pub(super) struct Part<'a> {
    #[serde(borrow)]
    pub(super) purpose: Text<'a>,
    #[serde(borrow, default)]
    pub(super) item: Option<Text<'a>>,
    #[serde(borrow, default)]
    wallet: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) amount: Text<'a>,
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that the field is there and no others is what is checked")]
struct Expected<'a> {
    #[serde(borrow)]
    item: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that the fields are there and no others is what is checked")]
struct SentBack<'a> {
    #[serde(borrow)]
    withdrawal_id: Text<'a>,
    #[serde(borrow)]
    amount: Text<'a>,
    #[serde(borrow, default)]
    reason: Option<Text<'a>>,
}

/// What is known of a line.
#[derive(Debug, Clone, Copy, Default)]
struct Line {
    sequence: i64,
    expected: bool,
    booked: bool,
}

/// A line's claim that a transaction is its doing.
#[derive(Debug, Clone, Copy)]
struct Claim {
    transaction: u128,
    line: u128,
    position: i64,
}

/// The lines of a log, and what the append that is read says of them.
#[derive(Debug, Default)]
pub(super) struct BankLines {
    lines: HashMap<u128, Line>,
    claims: Vec<Claim>,
    /// The credits of deposits that they settle.
    pub(super) settling: Settling,
    /// Whether the transaction that is read is the doing of an object that is no line.
    of_another_machine: bool,
}

impl BankLines {
    pub(super) fn event(
        &mut self,
        place: Place<'_>,
        event: &Event<'_>,
        leaving: &mut Leaving,
        findings: &mut Findings,
    ) {
        let Some(line) = id(event.aggregate_id, "bl_") else {
            return findings.event(place, Code::IdMalformed, "not a bank line's id");
        };
        let before = self.lines.entry(line).or_default();
        let (expected, was) = (before.sequence.saturating_add(1), *before);
        before.sequence = event.sequence;
        before.expected |= event.event_type == "expected";
        before.booked |= event.event_type == "booked";
        let (named, in_its_place) = match event.event_type {
            "expected" => {
                read::<Expected<'_>>(place, event, findings);
                (None, !was.expected)
            }
            "booked" => {
                let booked = read::<Booked<'_>>(place, event, findings);
                (booked.map(|booked| (booked.transaction_id, booked.parts)), !was.booked)
            }
            "resolved" => {
                let resolved = read::<Resolved<'_>>(place, event, findings);
                (resolved.map(|resolved| (resolved.transaction_id, resolved.parts)), was.booked)
            }
            "sent_back" => {
                if let Some(sent) = read::<SentBack<'_>>(place, event, findings) {
                    leaving.gives(place, event.aggregate_id.to_owned(), &sent.withdrawal_id);
                }
                (None, was.booked)
            }
            other => {
                let words = format!("no bank line has events of type {other:?}");
                return findings.event(place, Code::EventTypeUnknown, words);
            }
        };
        if event.sequence != expected {
            let words = format!("sequence {} where {expected} should be", event.sequence);
            findings.event(place, Code::SequenceDiffers, words);
        } else if !in_its_place {
            let words = "a bank line is expected once, booked once, and resolved after that";
            findings.event(place, Code::BankLineDiffers, words);
        }
        let Some((named, parts)) = named else { return };
        if let Some(transaction) = id(&named, "txn_") {
            let incomplete = (place.position, Code::BankLineIncomplete);
            self.settling.names(transaction, &parts, incomplete);
            self.claims.push(Claim { transaction, line, position: place.position });
        } else {
            let words = format!("{:?} is not a transaction's id", &*named);
            findings.event(place, Code::IdMalformed, words);
        }
    }

    /// What names a line as its cause was named by it, and the other way round; and nothing that
    /// another object causes moves the bank's own accounts.
    pub(super) fn leg(&mut self, place: Place<'_>, leg: &Leg<'_>, findings: &mut Findings) {
        if leg.leg == 1 {
            self.first_leg(place, leg, findings);
        }
        if self.of_another_machine && is_of_bank(place.aggregate_id) {
            let words = "no line of a statement moves the bank's own account here";
            findings.event(place, Code::BankLineIncomplete, words);
        }
    }

    fn first_leg(&mut self, place: Place<'_>, leg: &Leg<'_>, findings: &mut Findings) {
        self.of_another_machine = Object::caused(leg).is_some();
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
        self.settling.batch_ends(findings);
    }
}

/// Whether this is an account that only a bank's statement moves.
fn is_of_bank(account: &str) -> bool {
    let mut segments = account.split(':');
    segments.next() == Some("bank") && matches!(segments.nth(1), Some("escrow" | "own"))
}
