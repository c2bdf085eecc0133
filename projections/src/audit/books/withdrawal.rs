//! Withdrawals: each begins with its request, and every transaction that an event of it names is in
//! the same append, caused by it. What is paid in parts never comes to the whole, and what is given
//! back is the rest and the fee. What the transactions move is held against the accounts, their
//! items included, like everything that moves.

use std::collections::HashMap;

use serde::Deserialize;

use super::{
    super::{
        amount,
        finding::{Code, Findings, Place},
        payload::{self as shape, Nothing, id},
        record::Event,
        text::Text,
    },
    object::Object,
    read,
    suspense::Leaving,
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
    #[serde(default)]
    fee_version: Option<u32>,
    #[serde(borrow)]
    bank_account: Text<'a>,
    #[serde(borrow)]
    bank: Text<'a>,
    #[serde(borrow)]
    rail: Text<'a>,
    #[serde(borrow, default)]
    payee_hash: Option<Text<'a>>,
    #[serde(borrow, default)]
    item: Option<Text<'a>>,
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
    from_in_flight: Option<Text<'a>>,
    #[serde(borrow, default)]
    from_unapplied: Option<Text<'a>>,
    #[serde(borrow, default)]
    from_wallet: Option<Text<'a>>,
    #[serde(borrow, default)]
    owed: Option<Text<'a>>,
    #[serde(borrow)]
    transaction_id: Text<'a>,
}

/// Of `paid_in_part` and `returned`.
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that the fields are there and no others is what is checked")]
struct Assigned<'a> {
    #[serde(borrow)]
    account: Text<'a>,
    #[serde(borrow)]
    amount: Text<'a>,
    #[serde(borrow, default)]
    reason: Option<Text<'a>>,
    #[serde(borrow)]
    transaction_id: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that the fields are there and no others is what is checked")]
struct SentAgain<'a> {
    #[serde(borrow)]
    withdrawal_id: Text<'a>,
    #[serde(borrow)]
    amount: Text<'a>,
    #[serde(borrow, default)]
    reason: Option<Text<'a>>,
}

/// What is known of a withdrawal.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    sequence: i64,
    /// Amount, fee, and the decimals of both.
    requested: Option<(i128, i128, u8)>,
    in_parts: i128,
}

/// The withdrawals of a log.
#[derive(Debug, Default)]
pub(super) struct Withdrawals(HashMap<u128, Known>);

impl Withdrawals {
    pub(super) fn event(
        &mut self,
        place: Place<'_>,
        event: &Event<'_>,
        (transactions, leaving): (&mut Transactions, &mut Leaving),
        findings: &mut Findings,
    ) {
        let Some(withdrawal) = id(event.aggregate_id, "wd_") else {
            return findings.event(place, Code::IdMalformed, "not a withdrawal's id");
        };
        let before = self.0.entry(withdrawal).or_default();
        let expected = before.sequence.saturating_add(1);
        before.sequence = event.sequence;
        if let Some(words) = before.amounts(event) {
            findings.event(place, Code::WithdrawalDiffers, words);
        }
        suspended(place, event, leaving, findings);
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

impl Known {
    /// Takes the amounts of an event in; what is wrong with them. What cannot be read is said
    /// elsewhere.
    fn amounts(&mut self, event: &Event<'_>) -> Option<String> {
        match event.event_type {
            "requested" => {
                let requested = shape::read::<Requested<'_>>(event.payload).ok()?;
                let decimals = requested.amount.split_once('.').map_or(0, |(_, after)| after.len());
                let scale = u8::try_from(decimals).ok()?;
                let amount = amount::parse(&requested.amount, scale)?;
                self.requested = Some((amount, amount::parse(&requested.fee, scale)?, scale));
                None
            }
            "paid_in_part" => {
                let part = shape::read::<Returned<'_>>(event.payload).ok()?;
                let (amount, _, scale) = self.requested?;
                let part = amount::parse(&part.amount, scale).filter(|part| *part > 0);
                self.in_parts = self.in_parts.saturating_add(part.unwrap_or_default());
                let wrong = part.is_none() || self.in_parts >= amount;
                wrong.then(|| "a part is above zero, and all parts less than the whole".to_owned())
            }
            "rejected" | "cancelled" | "failed" => {
                let back = shape::read::<GivenBack<'_>>(event.payload).ok()?;
                let (amount, fee, scale) = self.requested?;
                let rest = amount.saturating_add(fee).saturating_sub(self.in_parts);
                let same = amount::parse(&back.total, scale) == Some(rest);
                let words = || {
                    let (said, rest) = (&*back.total, amount::text(rest, scale));
                    format!("gives {said} back, and {rest} is left with the fee")
                };
                (!same).then(words)
            }
            _ => None,
        }
    }
}

/// What an event says of items that leave suspense. What cannot be read is said elsewhere.
fn suspended(place: Place<'_>, event: &Event<'_>, leaving: &mut Leaving, findings: &mut Findings) {
    match event.event_type {
        "requested" => {
            let Ok(requested) = shape::read::<Requested<'_>>(event.payload) else { return };
            let is_there = requested.account.starts_with("suspense:");
            if is_there != requested.item.is_some() {
                let words = "what leaves suspense is an item, and nothing else is one";
                findings.event(place, Code::WithdrawalDiffers, words);
            }
            if let Some(item) = &requested.item {
                leaving.takes(place, item);
            }
        }
        "sent_again" => {
            let Ok(again) = shape::read::<SentAgain<'_>>(event.payload) else { return };
            leaving.gives(place, event.aggregate_id.to_owned(), &again.withdrawal_id);
        }
        _ => {}
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
        "returned" | "paid_in_part" => {
            read::<Returned<'a>>(place, event, findings).map(|back| Some(back.transaction_id))
        }
        "assigned" => read::<Assigned<'a>>(place, event, findings)
            .map(|assigned| Some(assigned.transaction_id)),
        "sent_again" => read::<SentAgain<'a>>(place, event, findings).map(|_| None),
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
