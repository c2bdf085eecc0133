//! Deposits: each begins with being asked for or with coming unasked, and every transaction that an
//! event of it names is in the same append, caused by it; what settles a credit is caused by the
//! line of the bank's statement, or by the lump that is divided. What the transactions move is held
//! against the accounts, their items included, like everything that moves.

use std::collections::HashMap;

use serde::Deserialize;

use super::{
    super::{
        finding::{Code, Findings, Place},
        payload::{self as shape, Nothing, id},
        record::Event,
        text::Text,
    },
    bank_line::{BankLines, Part},
    object::Object,
    read,
    suspense::Leaving,
    transaction::Transactions,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that the fields are there and no others is what is checked")]
struct Begun<'a> {
    #[serde(borrow)]
    account: Text<'a>,
    #[serde(borrow)]
    amount: Text<'a>,
    #[serde(borrow)]
    bank: Text<'a>,
    #[serde(borrow)]
    expires_at: Text<'a>,
    #[serde(borrow, default)]
    payer_hash: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that the fields are there and no others is what is checked")]
struct Unsolicited<'a> {
    #[serde(borrow, default)]
    account: Option<Text<'a>>,
    #[serde(borrow)]
    currency: Text<'a>,
    #[serde(borrow)]
    bank: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that the fields are there and no others is what is checked")]
struct Declined<'a> {
    #[serde(borrow)]
    source: Text<'a>,
    #[serde(borrow, default)]
    code: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that the fields are there and no others is what is checked")]
#[expect(clippy::struct_field_names, reason = "the names of the event")]
struct Credit<'a> {
    #[serde(borrow)]
    bank: Text<'a>,
    #[serde(borrow)]
    bank_transaction_id: Text<'a>,
    #[serde(borrow, default)]
    credit_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    utr: Option<Text<'a>>,
    #[serde(borrow)]
    value_date: Text<'a>,
    #[serde(borrow)]
    amount: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that the fields are there and no others is what is checked")]
struct Received<'a> {
    number: u32,
    #[serde(borrow)]
    credit: Credit<'a>,
    #[serde(borrow)]
    source: Text<'a>,
}

/// Of `credited` and `put_aside`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that the fields are there and no others is what is checked")]
struct Booked<'a> {
    number: u32,
    #[serde(borrow)]
    credit: Credit<'a>,
    #[serde(borrow)]
    source: Text<'a>,
    #[serde(borrow, default)]
    reason: Option<Text<'a>>,
    #[serde(default)]
    late: bool,
    #[serde(borrow)]
    transaction_id: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that the fields are there and no others is what is checked")]
struct Settled<'a> {
    number: u32,
    #[serde(borrow, default)]
    charges: Option<Text<'a>>,
    #[serde(borrow, default)]
    tax: Option<Text<'a>>,
    #[serde(borrow)]
    transaction_id: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that the fields are there and no others is what is checked")]
struct Assigned<'a> {
    number: u32,
    #[serde(borrow)]
    account: Text<'a>,
    #[serde(borrow, default)]
    reason: Option<Text<'a>>,
    #[serde(borrow)]
    transaction_id: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that the fields are there and no others is what is checked")]
struct LeftToReturn<'a> {
    number: u32,
    #[serde(borrow, default)]
    reason: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that the fields are there and no others is what is checked")]
struct RecallRequested<'a> {
    number: u32,
    #[serde(borrow)]
    source: Text<'a>,
    #[serde(borrow, default)]
    hold_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    held: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that the fields are there and no others is what is checked")]
struct RecallGranted<'a> {
    number: u32,
    #[serde(borrow, default)]
    from_wallet: Option<Text<'a>>,
    #[serde(borrow, default)]
    reason: Option<Text<'a>>,
    #[serde(borrow)]
    transaction_id: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that the fields are there and no others is what is checked")]
struct SentBack<'a> {
    number: u32,
    #[serde(borrow)]
    withdrawal_id: Text<'a>,
    #[serde(borrow, default)]
    reason: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that the fields are there and no others is what is checked")]
struct Divided<'a> {
    number: u32,
    #[serde(borrow)]
    parts: Vec<Part<'a>>,
    #[serde(borrow, default)]
    reason: Option<Text<'a>>,
    #[serde(borrow)]
    transaction_id: Text<'a>,
}

/// The deposits of a log, with the sequence that each has come to.
#[derive(Debug, Default)]
pub(super) struct Deposits(HashMap<u128, i64>);

impl Deposits {
    pub(super) fn event(
        &mut self,
        place: Place<'_>,
        event: &Event<'_>,
        (transactions, lines, leaving): (&mut Transactions, &mut BankLines, &mut Leaving),
        findings: &mut Findings,
    ) {
        let Some(deposit) = id(event.aggregate_id, "dep_") else {
            return findings.event(place, Code::IdMalformed, "not a deposit's id");
        };
        let before = self.0.entry(deposit).or_default();
        let expected = before.saturating_add(1);
        *before = event.sequence;
        if event.event_type == "sent_back"
            && let Ok(sent) = shape::read::<SentBack<'_>>(event.payload)
        {
            let item = format!("{}.{}", event.aggregate_id, sent.number);
            leaving.gives(place, item, &sent.withdrawal_id);
        }
        let Ok(named) = named(place, event, findings) else { return };
        let begins = matches!(event.event_type, "begun" | "unsolicited");
        if event.sequence != expected {
            let words = format!("sequence {} where {expected} should be", event.sequence);
            findings.event(place, Code::SequenceDiffers, words);
        } else if (event.sequence == 1) != begins {
            let words = "a deposit begins with being asked for or with coming unasked, once";
            findings.event(place, Code::DepositDiffers, words);
        }
        let Some(named) = named else { return };
        if let Some(transaction) = id(&named, "txn_") {
            if event.event_type == "settled" {
                settles(place, event, transaction, lines);
            } else {
                divides(place, event, transaction, lines);
                let object = Object::Deposit(deposit);
                transactions.expect_of(transaction, object, place.position);
            }
        } else {
            let words = format!("{:?} is not a transaction's id", &*named);
            findings.event(place, Code::IdMalformed, words);
        }
    }
}

/// A credit is settled by a transaction of somebody else.
fn settles(place: Place<'_>, event: &Event<'_>, transaction: u128, lines: &mut BankLines) {
    if let Ok(settled) = shape::read::<Settled<'_>>(event.payload) {
        let item = format!("{}.{}", event.aggregate_id, settled.number);
        lines.settling.says(transaction, item, place.position);
    }
}

/// A credit was a lump: its transaction settles others.
fn divides(place: Place<'_>, event: &Event<'_>, transaction: u128, lines: &mut BankLines) {
    if event.event_type == "divided"
        && let Ok(divided) = shape::read::<Divided<'_>>(event.payload)
    {
        let incomplete = (place.position, Code::DepositIncomplete);
        lines.settling.names(transaction, &divided.parts, incomplete);
        lines.settling.divides(transaction);
    }
}

/// An event that cannot be read, which was said.
struct Unreadable;

/// The transaction that an event names, if it names one.
fn named<'a>(
    place: Place<'_>,
    event: &Event<'a>,
    findings: &mut Findings,
) -> Result<Option<Text<'a>>, Unreadable> {
    let named =
        match event.event_type {
            "begun" => read::<Begun<'a>>(place, event, findings).map(|_| None),
            "unsolicited" => read::<Unsolicited<'a>>(place, event, findings).map(|_| None),
            "cancelled" | "expired" => read::<Nothing>(place, event, findings).map(|_| None),
            "declined" => read::<Declined<'a>>(place, event, findings).map(|_| None),
            "received" => read::<Received<'a>>(place, event, findings).map(|_| None),
            "credited" | "put_aside" => {
                read::<Booked<'a>>(place, event, findings).map(|booked| Some(booked.transaction_id))
            }
            "settled" => read::<Settled<'a>>(place, event, findings)
                .map(|settled| Some(settled.transaction_id)),
            "assigned" => read::<Assigned<'a>>(place, event, findings)
                .map(|assigned| Some(assigned.transaction_id)),
            "left_to_return" | "recall_refused" => {
                read::<LeftToReturn<'a>>(place, event, findings).map(|_| None)
            }
            "sent_back" => read::<SentBack<'a>>(place, event, findings).map(|_| None),
            "divided" => read::<Divided<'a>>(place, event, findings)
                .map(|divided| Some(divided.transaction_id)),
            "recall_requested" => read::<RecallRequested<'a>>(place, event, findings).map(|_| None),
            "recall_granted" => read::<RecallGranted<'a>>(place, event, findings)
                .map(|granted| Some(granted.transaction_id)),
            other => {
                let words = format!("no deposit has events of type {other:?}");
                findings.event(place, Code::EventTypeUnknown, words);
                None
            }
        };
    named.ok_or(Unreadable)
}
