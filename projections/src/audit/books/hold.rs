//! Holds: each has a stream of its own, and events in the stream of the account that it reserves.
//! Both must tell the same, append by append, whatever their order within one.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::DateTime;

use super::{
    super::{
        amount,
        finding::{Code, Findings, Place},
        payload::{HoldCaptured, HoldChange, HoldIncreased, HoldPlaced, id, id_text},
        report::HoldFigures,
        text::Text,
    },
    accounts::Accounts,
    expected::Capture,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Captured,
    Released,
    Expired,
}

/// A hold as one of the two streams tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Side {
    account: usize,
    amount: i128,
    expires_at: Option<i64>,
    end: Option<End>,
}

#[derive(Debug, Default)]
struct Hold {
    sequence: i64,
    own: Option<Side>,
    /// The transfer that it belongs to, if it does.
    transfer: Option<u128>,
    account: Option<Side>,
    /// Where this append first touched it.
    touched: Option<i64>,
    /// An event of it could not be read or contradicts the rest; that was said.
    distrusted: bool,
}

/// An event of a hold in its account's stream.
pub(super) struct Change<'a> {
    pub place: Place<'a>,
    pub event_type: &'a str,
    pub account: usize,
    /// By how much the account's sum of holds changes, without a sign.
    pub amount: i128,
}

#[derive(Debug, Default)]
pub(super) struct Holds {
    open: HashMap<u128, Hold>,
    ended: HashSet<u128>,
    /// What this append touched.
    touched: Vec<u128>,
    counts: HoldFigures,
}

impl Holds {
    /// The hold, if it may still act.
    fn living(
        &mut self,
        place: Place<'_>,
        hold: u128,
        findings: &mut Findings,
    ) -> Option<&mut Hold> {
        if self.ended.contains(&hold) {
            findings.event(place, Code::HoldEnded, "the hold has ended before");
            return None;
        }
        let entry = self.open.entry(hold).or_default();
        if entry.touched.is_none() {
            entry.touched = Some(place.position);
            self.touched.push(hold);
        }
        Some(entry)
    }

    /// Follows the sequence of the hold's own stream.
    pub(super) fn sequence(
        &mut self,
        place: Place<'_>,
        hold: u128,
        sequence: i64,
        findings: &mut Findings,
    ) {
        if self.ended.contains(&hold) {
            return;
        }
        let entry = self.open.entry(hold).or_default();
        let expected = entry.sequence.saturating_add(1);
        entry.sequence = sequence;
        if sequence != expected {
            let words = format!("sequence {sequence} where {expected} should be");
            findings.event(place, Code::SequenceDiffers, words);
        }
    }

    pub(super) fn placed(
        &mut self,
        place: Place<'_>,
        hold: u128,
        placed: &HoldPlaced<'_>,
        accounts: &mut Accounts,
        findings: &mut Findings,
    ) {
        let account = accounts.find(&placed.account);
        if account.is_none() {
            let words = format!("no account {:?} is open", &*placed.account);
            findings.event(place, Code::AccountUnknown, words);
        }
        let amount = account
            .and_then(|account| accounts.at(account).positive(place, &placed.amount, findings));
        let expires_at = moment(place, placed.expires_at.as_ref(), findings);
        let Some(entry) = self.living(place, hold, findings) else {
            return;
        };
        if entry.own.is_some() {
            return findings.event(place, Code::HoldRepeated, "the hold is placed already");
        }
        entry.distrusted |= account.is_none() || amount.is_none();
        entry.own = Some(Side {
            account: account.unwrap_or(usize::MAX),
            amount: amount.unwrap_or(0),
            expires_at,
            end: None,
        });
        if let Some(cause) = &placed.cause {
            entry.transfer = id(cause, "tr_");
            if entry.transfer.is_none() {
                let words = format!("{:?} is not a transfer's id", &**cause);
                findings.event(place, Code::IdMalformed, words);
            }
        }
        self.counts.placed += 1;
    }

    /// How a hold stands that has not ended before this append: its transfer, account, amount and
    /// end.
    pub(super) fn stands(&self, hold: u128) -> Option<(u128, usize, i128, Option<End>)> {
        let entry = self.open.get(&hold)?;
        let side = entry.own?;
        Some((entry.transfer?, side.account, side.amount, side.end))
    }

    /// The holds of transfers that this append has touched: hold, transfer, and where.
    pub(super) fn touched_of_transfers(&self) -> impl Iterator<Item = (u128, u128, i64)> {
        let of = |hold: &u128| {
            let entry = self.open.get(hold)?;
            Some((*hold, entry.transfer?, entry.touched.unwrap_or_default()))
        };
        self.touched.iter().filter_map(of)
    }

    /// The hold's own side, if it is there and has not ended.
    fn own(&mut self, place: Place<'_>, hold: u128, findings: &mut Findings) -> Option<&mut Side> {
        let entry = self.living(place, hold, findings)?;
        let code = match entry.own {
            None => Code::HoldUnknown,
            Some(Side { end: Some(_), .. }) => Code::HoldEnded,
            Some(_) => return entry.own.as_mut(),
        };
        entry.distrusted = true;
        findings.event(place, code, "the hold is not open");
        None
    }

    pub(super) fn increased(
        &mut self,
        place: Place<'_>,
        hold: u128,
        increased: &HoldIncreased<'_>,
        accounts: &mut Accounts,
        findings: &mut Findings,
    ) {
        let Some(side) = self.own(place, hold, findings) else {
            return;
        };
        if side.account == usize::MAX {
            return;
        }
        let account = accounts.at(side.account);
        let by = account.positive(place, &increased.by, findings);
        let stated = account.positive(place, &increased.amount, findings);
        let (Some(by), Some(stated)) = (by, stated) else {
            return self.distrust(hold);
        };
        let amount = side.amount.saturating_add(by);
        if amount != stated {
            let words = format!("states {}, comes to {}", &*increased.amount, account.text(amount));
            findings.event(place, Code::HoldAmountDiffers, words);
        }
        side.amount = stated;
    }

    /// Gives what the captured transaction has to take from the account.
    pub(super) fn captured(
        &mut self,
        place: Place<'_>,
        hold: u128,
        captured: &HoldCaptured<'_>,
        accounts: &mut Accounts,
        findings: &mut Findings,
    ) -> Option<Capture> {
        let side = self.own(place, hold, findings)?;
        side.end = Some(End::Captured);
        let side = *side;
        self.counts.captured += 1;
        if side.account == usize::MAX {
            return None;
        }
        let account = accounts.at(side.account);
        let amount = account.positive(place, &captured.amount, findings)?;
        let released = amount::parse(&captured.released, account.scale).filter(|r| *r >= 0);
        if released.and_then(|released| amount.checked_add(released)) != Some(side.amount) {
            let words = format!(
                "{} captured and {} released are not the {} held",
                &*captured.amount,
                &*captured.released,
                account.text(side.amount)
            );
            findings.event(place, Code::HoldAmountDiffers, words);
        }
        let Some(transaction) = id(&captured.transaction_id, "txn_") else {
            let words = format!("{:?} is not a transaction's id", &*captured.transaction_id);
            findings.event(place, Code::IdMalformed, words);
            return None;
        };
        Some(Capture {
            transaction,
            account: side.account,
            amount,
            position: place.position,
            code: Code::CaptureDiffers,
        })
    }

    pub(super) fn released(&mut self, place: Place<'_>, hold: u128, findings: &mut Findings) {
        if let Some(side) = self.own(place, hold, findings) {
            side.end = Some(End::Released);
            self.counts.released += 1;
        }
    }

    pub(super) fn expired(
        &mut self,
        place: Place<'_>,
        hold: u128,
        recorded_at: i64,
        findings: &mut Findings,
    ) {
        if let Some(side) = self.own(place, hold, findings) {
            side.end = Some(End::Expired);
            if side.expires_at.is_none_or(|time| recorded_at < time) {
                let words = "the hold's time had not come";
                findings.event(place, Code::HoldExpiredEarly, words);
            }
            self.counts.expired += 1;
        }
    }

    /// The same as the account's stream tells it.
    pub(super) fn account_side(
        &mut self,
        change: &Change<'_>,
        payload: &HoldChange<'_>,
        findings: &mut Findings,
    ) {
        let place = change.place;
        let Some(hold) = id(&payload.hold_id, "hold_") else {
            let words = format!("{:?} is not a hold's id", &*payload.hold_id);
            return findings.event(place, Code::IdMalformed, words);
        };
        let expires_at = moment(place, payload.expires_at.as_ref(), findings);
        let Some(entry) = self.living(place, hold, findings) else {
            return;
        };
        if change.event_type == "hold_placed" {
            if entry.account.is_some() {
                return findings.event(place, Code::HoldRepeated, "the hold is placed already");
            }
            entry.account = Some(Side {
                account: change.account,
                amount: change.amount,
                expires_at,
                end: None,
            });
            return;
        }
        let Some(side) = entry.account.as_mut().filter(|side| side.end.is_none()) else {
            entry.distrusted = true;
            return findings.event(place, Code::HoldUnknown, "no such hold is open here");
        };
        if side.account != change.account {
            findings.event(place, Code::HoldSidesDiffer, "the hold is another account's");
        }
        match change.event_type {
            "hold_increased" => side.amount = side.amount.saturating_add(change.amount),
            "hold_captured" => side.end = Some(End::Captured),
            "hold_released" => side.end = Some(End::Released),
            _ => side.end = Some(End::Expired),
        }
        if side.end.is_some() && side.amount != change.amount {
            let words = "what ends is not the whole hold";
            findings.event(place, Code::HoldAmountDiffers, words);
        }
    }

    fn distrust(&mut self, hold: u128) {
        if let Some(entry) = self.open.get_mut(&hold) {
            entry.distrusted = true;
        }
    }

    /// An append is over: both sides of every hold that it touched are equal now.
    pub(super) fn batch_ends(&mut self, findings: &mut Findings) {
        for hold in self.touched.drain(..) {
            let Some(entry) = self.open.get_mut(&hold) else {
                continue;
            };
            let position = entry.touched.take().unwrap_or_default();
            let differs = entry.own != entry.account;
            if differs && !entry.distrusted {
                let words = format!(
                    "{}: its own stream and its account's differ after this append",
                    id_text(hold, "hold_")
                );
                findings.position(position, Code::HoldSidesDiffer, words);
                entry.distrusted = true;
            }
            let ended = |side: &Option<Side>| side.is_some_and(|side| side.end.is_some());
            if ended(&entry.own) && (ended(&entry.account) || entry.distrusted) {
                self.open.remove(&hold);
                self.ended.insert(hold);
            }
        }
    }

    /// Open holds against the accounts' sums.
    pub(super) fn compare_with(&self, accounts: &Accounts, findings: &mut Findings) {
        let mut sums: BTreeMap<usize, i128> = BTreeMap::new();
        for side in self.open.values().filter_map(|hold| hold.own) {
            let sum = sums.entry(side.account).or_default();
            *sum = sum.saturating_add(side.amount);
        }
        for (id, index, account) in accounts.judged() {
            let sum = sums.get(&index).copied().unwrap_or(0);
            if sum != account.held {
                let (held, sum) = (account.text(account.held), account.text(sum));
                let words = format!("{held} held, open holds {sum}");
                findings.stream(format!("account {id}"), Code::HeldDiffers, words);
            }
        }
    }

    pub(super) fn figures(&self) -> HoldFigures {
        HoldFigures { open: u64::try_from(self.open.len()).unwrap_or(u64::MAX), ..self.counts }
    }
}

fn moment(place: Place<'_>, text: Option<&Text<'_>>, findings: &mut Findings) -> Option<i64> {
    let text = text?;
    let Ok(moment) = DateTime::parse_from_rfc3339(text) else {
        let words = format!("{:?} is not a moment", &**text);
        findings.event(place, Code::PayloadUnreadable, words);
        return None;
    };
    Some(moment.timestamp_micros())
}
