//! Transfers that wait to be claimed: each begins once with its hold in the same append, ends at
//! most once and together with the hold, as the kind of end says, and pays out what it promised.
//!
//! Nothing of it is taken from the engine: the hold is followed by its own two streams, the claim's
//! transaction by its legs.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::DateTime;
use serde::Deserialize;

use super::{
    super::{
        amount,
        finding::{Code, Findings, Place},
        payload::{Nothing, id, id_text},
        record::Event,
        text::Text,
    },
    accounts::Accounts,
    expected::Capture,
    hold::{End, Holds},
    object::Object,
    read,
    transaction::Transactions,
};

/// What can happen to a transfer.
const EVENTS: [&str; 5] = ["held", "claim_in_review", "completed", "cancelled", "expired"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Held<'a> {
    #[serde(borrow)]
    account: Text<'a>,
    #[serde(borrow)]
    amount: Text<'a>,
    #[serde(borrow)]
    fee: Text<'a>,
    #[serde(borrow)]
    tax: Text<'a>,
    /// Held against the versions by `fees`.
    #[serde(default, rename = "fee_version")]
    _fee_version: Option<u32>,
    #[serde(borrow)]
    phone_hash: Text<'a>,
    #[serde(borrow)]
    hold_id: Text<'a>,
    #[serde(borrow)]
    expires_at: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimInReview<'a> {
    #[serde(borrow)]
    account: Text<'a>,
    #[serde(borrow, rename = "reason")]
    _reason: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Completed<'a> {
    #[serde(borrow)]
    account: Text<'a>,
    #[serde(borrow)]
    transaction_id: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cancelled<'a> {
    #[serde(borrow, default, rename = "reason")]
    _reason: Option<Text<'a>>,
}

/// What a transfer promised.
#[derive(Debug, Clone, Copy)]
struct Promise {
    sender: usize,
    amount: i128,
    total: i128,
    hold: u128,
    expires_at: i64,
}

#[derive(Debug, Default)]
struct Transfer {
    sequence: i64,
    promise: Option<Promise>,
    end: Option<End>,
    /// An event of it could not be read or contradicts the rest; that was said.
    distrusted: bool,
}

/// The transfers of a log: what the open ones promised, and which have ended.
#[derive(Debug, Default)]
pub(super) struct Transfers {
    open: HashMap<u128, Transfer>,
    ended: HashSet<u128>,
    /// What this append touched, and where first.
    touched: BTreeMap<u128, i64>,
}

/// What an event is read against.
pub(super) struct Around<'a> {
    pub accounts: &'a mut Accounts,
    pub transactions: &'a mut Transactions,
    pub findings: &'a mut Findings,
}

impl Transfers {
    pub(super) fn event(&mut self, place: Place<'_>, event: &Event<'_>, around: &mut Around<'_>) {
        let Some(transfer) = id(event.aggregate_id, "tr_") else {
            return around.findings.event(place, Code::IdMalformed, "not a transfer's id");
        };
        if self.ended.contains(&transfer) {
            let words = "the transfer has ended before";
            return around.findings.event(place, Code::TransferDiffers, words);
        }
        self.touched.entry(transfer).or_insert(place.position);
        let entry = self.open.entry(transfer).or_default();
        let expected = entry.sequence.saturating_add(1);
        entry.sequence = event.sequence;
        if event.sequence != expected {
            let words = format!("sequence {} where {expected} should be", event.sequence);
            around.findings.event(place, Code::SequenceDiffers, words);
        }
        if !EVENTS.contains(&event.event_type) {
            entry.distrusted = true;
            let words = format!("no transfer has events of type {:?}", event.event_type);
            return around.findings.event(place, Code::EventTypeUnknown, words);
        }
        if (expected == 1) != (event.event_type == "held") || entry.end.is_some() {
            entry.distrusted = true;
            let words = "a transfer begins with its hold, once, and ends once";
            around.findings.event(place, Code::TransferDiffers, words);
        }
        if entry.apply(place, event, transfer, around).is_none() {
            entry.distrusted = true;
        }
    }

    /// A reversal undoes what is no object's. A transfer's transaction has the transfer's own UUID.
    pub(super) fn reversed(&self, place: Place<'_>, original: u128, findings: &mut Findings) {
        if self.open.contains_key(&original) || self.ended.contains(&original) {
            let words = "what a claim has moved is undone by nothing";
            findings.event(place, Code::TransferDiffers, words);
        }
    }

    /// An append is over: each transfer and its hold stand together. Comes before the holds forget
    /// what has ended.
    pub(super) fn batch_ends(&mut self, holds: &Holds, findings: &mut Findings) {
        let mut touched = std::mem::take(&mut self.touched);
        for (hold, transfer, position) in holds.touched_of_transfers() {
            let is_its = |t: &Transfer| t.promise.is_none_or(|promise| promise.hold == hold);
            if self.open.get(&transfer).is_some_and(is_its) {
                touched.entry(transfer).or_insert(position);
            } else {
                let words = "the hold names a transfer that does not name it";
                findings.position(position, Code::TransferIncomplete, words.to_owned());
            }
        }
        for (transfer, position) in touched {
            let Some(entry) = self.open.get(&transfer) else { continue };
            let promise = entry.promise.filter(|_| !entry.distrusted);
            let together = promise.is_none_or(|promise| {
                let stands = holds.stands(promise.hold);
                stands == Some((transfer, promise.sender, promise.total, entry.end))
            });
            if !together {
                let words =
                    format!("{}: its hold does not stand as it does", id_text(transfer, "tr_"));
                findings.position(position, Code::TransferIncomplete, words);
            }
            if entry.end.is_some() {
                self.open.remove(&transfer);
                self.ended.insert(transfer);
            }
        }
    }
}

impl Transfer {
    /// Nothing if the event cannot be followed, which was said.
    fn apply(
        &mut self,
        place: Place<'_>,
        event: &Event<'_>,
        transfer: u128,
        around: &mut Around<'_>,
    ) -> Option<()> {
        let now = event.recorded_at;
        match event.event_type {
            "held" => {
                let held = read::<Held<'_>>(place, event, around.findings)?;
                self.promise = Some(promise(place, &held, now, around)?);
            }
            "claim_in_review" => {
                let claim = read::<ClaimInReview<'_>>(place, event, around.findings)?;
                self.receiver(place, &claim.account, now, around)?;
            }
            "completed" => {
                self.end = Some(End::Captured);
                let completed = read::<Completed<'_>>(place, event, around.findings)?;
                let receiver = self.receiver(place, &completed.account, now, around)?;
                if id(&completed.transaction_id, "txn_") != Some(transfer) {
                    let words = "its transaction has another number than it has";
                    around.findings.event(place, Code::TransferDiffers, words);
                    return None;
                }
                let (amount, position) = (self.promise?.amount.saturating_neg(), place.position);
                let of = Object::Transfer(transfer);
                around.transactions.expect_of(transfer, of, position);
                around.transactions.expect_capture(Some(Capture {
                    transaction: transfer,
                    account: receiver,
                    amount,
                    position,
                    code: Code::TransferIncomplete,
                }));
            }
            "cancelled" => {
                self.end = Some(End::Released);
                read::<Cancelled<'_>>(place, event, around.findings)?;
            }
            "expired" => {
                self.end = Some(End::Released);
                read::<Nothing>(place, event, around.findings)?;
                if self.promise?.expires_at > now {
                    let words = "the transfer's time had not come";
                    around.findings.event(place, Code::TransferDiffers, words);
                }
            }
            _ => return None,
        }
        Some(())
    }

    /// The account that it is claimed for: another one, in time.
    fn receiver(
        &self,
        place: Place<'_>,
        account: &str,
        now: i64,
        around: &mut Around<'_>,
    ) -> Option<usize> {
        let promise = self.promise?;
        let Some(receiver) = around.accounts.find(account) else {
            let words = format!("no account {account:?} is open");
            around.findings.event(place, Code::AccountUnknown, words);
            return None;
        };
        if receiver == promise.sender || now >= promise.expires_at {
            let words = "claimed by its sender, or after its time";
            around.findings.event(place, Code::TransferDiffers, words);
        }
        Some(receiver)
    }
}

fn promise(
    place: Place<'_>,
    held: &Held<'_>,
    now: i64,
    around: &mut Around<'_>,
) -> Option<Promise> {
    let Some(sender) = around.accounts.find(&held.account) else {
        let words = format!("no account {:?} is open", &*held.account);
        around.findings.event(place, Code::AccountUnknown, words);
        return None;
    };
    let account = around.accounts.at(sender);
    let amount = account.positive(place, &held.amount, around.findings)?;
    let part = |text: &str| amount::parse(text, account.scale).filter(|part| *part >= 0);
    let fee = part(&held.fee).zip(part(&held.tax)).filter(|(fee, tax)| tax <= fee);
    let total = fee.and_then(|(fee, _)| amount.checked_add(fee));
    let is_hash = |text: &str| {
        text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let expires_at = DateTime::parse_from_rfc3339(&held.expires_at).ok();
    let expires_at = expires_at.map(|end| end.timestamp_micros()).filter(|end| *end > now);
    let known = total.zip(expires_at).zip(id(&held.hold_id, "hold_"));
    let Some(((total, expires_at), kept)) = known.filter(|_| is_hash(&held.phone_hash)) else {
        let words = "its fee, its time, its hold or its hash is none";
        around.findings.event(place, Code::TransferDiffers, words);
        return None;
    };
    Some(Promise { sender, amount, total, hold: kept, expires_at })
}
