//! Withdrawals: each begins with its request, and every transaction that an event of it names is in
//! the same append, caused by it. What the transactions move is held against the accounts, their
//! items included, like everything that moves.

use std::collections::HashMap;

use serde::Deserialize;

use super::{
    super::{
        finding::{Code, Findings, Place},
        payload::{Nothing, id},
        record::Event,
        text::Text,
    },
    object::Object,
    read,
    transaction::Transactions,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that the fields are there and no others is what is checked")]
struct Requested<'a> {
    #[serde(borrow)]
    account: Text<'a>,
    #[serde(borrow)]
    amount: Text<'a>,
    #[serde(borrow)]
    fee: Text<'a>,
    #[serde(borrow)]
    tax: Text<'a>,
    #[serde(borrow)]
    bank_account: Text<'a>,
    #[serde(borrow)]
    bank: Text<'a>,
    #[serde(borrow)]
    rail: Text<'a>,
    #[serde(borrow, default)]
    payee_hash: Option<Text<'a>>,
    #[serde(borrow)]
    transaction_id: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReviewRequired<'a> {
    #[serde(borrow, rename = "reason")]
    _reason: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Queued<'a> {
    #[serde(borrow, default)]
    transaction_id: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that the fields are there and no others is what is checked")]
struct GivenBack<'a> {
    #[serde(borrow)]
    total: Text<'a>,
    #[serde(default)]
    unapplied: bool,
    #[serde(borrow, default)]
    reason: Option<Text<'a>>,
    #[serde(borrow)]
    transaction_id: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that the fields are there and no others is what is checked")]
struct AttemptBegun<'a> {
    attempt: u32,
    #[serde(borrow)]
    reference: Text<'a>,
    #[serde(borrow)]
    bank: Text<'a>,
    #[serde(borrow)]
    rail: Text<'a>,
    #[serde(borrow)]
    transaction_id: Text<'a>,
}

/// Of `attempt_refused`, `outcome_unknown` and `attention_needed`: nothing moves by what was told.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that the fields are there and no others is what is checked")]
struct Told<'a> {
    attempt: u32,
    #[serde(default)]
    retryable: Option<bool>,
    #[serde(borrow)]
    source: Text<'a>,
    #[serde(borrow, default)]
    code: Option<Text<'a>>,
}

/// Of `completed` and `completed_late`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that the fields are there and no others is what is checked")]
struct Completed<'a> {
    attempt: u32,
    #[serde(borrow)]
    bank_reference: Text<'a>,
    #[serde(borrow)]
    source: Text<'a>,
    #[serde(default)]
    late: bool,
    #[serde(borrow, default)]
    from_unapplied: Option<Text<'a>>,
    #[serde(borrow, default)]
    from_wallet: Option<Text<'a>>,
    #[serde(borrow, default)]
    owed: Option<Text<'a>>,
    #[serde(borrow)]
    transaction_id: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that the fields are there and no others is what is checked")]
struct Returned<'a> {
    attempt: u32,
    #[serde(borrow)]
    bank_reference: Text<'a>,
    #[serde(borrow)]
    amount: Text<'a>,
    #[serde(borrow)]
    source: Text<'a>,
    #[serde(borrow)]
    transaction_id: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that the fields are there and no others is what is checked")]
struct Applied<'a> {
    #[serde(borrow)]
    amount: Text<'a>,
    #[serde(borrow, default)]
    fee: Option<Text<'a>>,
    #[serde(borrow, default)]
    repaid: Option<Text<'a>>,
    #[serde(borrow)]
    transaction_id: Text<'a>,
}

/// The withdrawals of a log, with the sequence that each has come to.
#[derive(Debug, Default)]
pub(super) struct Withdrawals(HashMap<u128, i64>);

impl Withdrawals {
    pub(super) fn event(
        &mut self,
        place: Place<'_>,
        event: &Event<'_>,
        transactions: &mut Transactions,
        findings: &mut Findings,
    ) {
        let Some(withdrawal) = id(event.aggregate_id, "wd_") else {
            return findings.event(place, Code::IdMalformed, "not a withdrawal's id");
        };
        let before = self.0.entry(withdrawal).or_default();
        let expected = before.saturating_add(1);
        *before = event.sequence;
        let Ok(named) = named(place, event, findings) else { return };
        if event.sequence != expected {
            let words = format!("sequence {} where {expected} should be", event.sequence);
            findings.event(place, Code::SequenceDiffers, words);
        } else if (event.sequence == 1) != (event.event_type == "requested") {
            let words = "a withdrawal begins with its request, and has one";
            findings.event(place, Code::WithdrawalDiffers, words);
        }
        let Some(named) = named else { return };
        if let Some(transaction) = id(&named, "txn_") {
            let object = Object::Withdrawal(withdrawal);
            transactions.expect_of(transaction, object, place.position);
        } else {
            let words = format!("{:?} is not a transaction's id", &*named);
            findings.event(place, Code::IdMalformed, words);
        }
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
    let named = match event.event_type {
        "requested" => read::<Requested<'a>>(place, event, findings)
            .map(|requested| Some(requested.transaction_id)),
        "review_required" => read::<ReviewRequired<'a>>(place, event, findings).map(|_| None),
        "approved" => read::<Nothing>(place, event, findings).map(|_| None),
        "queued" => read::<Queued<'a>>(place, event, findings).map(|queued| queued.transaction_id),
        "rejected" | "cancelled" | "failed" => {
            read::<GivenBack<'a>>(place, event, findings).map(|back| Some(back.transaction_id))
        }
        "attempt_begun" => {
            read::<AttemptBegun<'a>>(place, event, findings).map(|begun| Some(begun.transaction_id))
        }
        "attempt_refused" | "outcome_unknown" | "attention_needed" => {
            read::<Told<'a>>(place, event, findings).map(|_| None)
        }
        "completed" | "completed_late" => read::<Completed<'a>>(place, event, findings)
            .map(|completed| Some(completed.transaction_id)),
        "returned" => {
            read::<Returned<'a>>(place, event, findings).map(|back| Some(back.transaction_id))
        }
        "applied" => {
            read::<Applied<'a>>(place, event, findings).map(|applied| Some(applied.transaction_id))
        }
        other => {
            let words = format!("no withdrawal has events of type {other:?}");
            findings.event(place, Code::EventTypeUnknown, words);
            None
        }
    };
    named.ok_or(Unreadable)
}
