//! Transactions: legs that lie side by side, complete and balanced. And their reversals.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, RandomState},
};

use super::{
    super::{
        amount,
        finding::{Code, Findings, Place},
        payload::{Leg, Reversed, id, id_text},
        time,
    },
    accounts::Accounts,
    currency::Currencies,
    expected::{Capture, Expected, Movement, Movements},
    object::Object,
};

/// What a leg moves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Move {
    pub account: usize,
    pub currency: usize,
    pub debit: bool,
    pub amount: i128,
}

/// An object's claim that a transaction is its doing.
#[derive(Debug)]
struct OfObject {
    transaction: u128,
    object: Object,
    position: i64,
}

#[derive(Debug)]
struct Reversal {
    by: u128,
    original: u128,
    position: i64,
}

/// The transaction under way.
#[derive(Debug, Default)]
struct Open {
    active: bool,
    id: u128,
    first: i64,
    last: i64,
    legs: u32,
    next: u32,
    kind: String,
    effective_on: String,
    reverses: Option<u128>,
    /// What it has to move, where an object says so.
    expected: Option<Movement>,
    /// Debits less credits, per currency.
    sums: Vec<(usize, i128)>,
    digest: u64,
    opposite: u64,
    /// A finding or an unreadable leg took away what completeness could be judged by.
    distrusted: bool,
}

#[derive(Debug, Default)]
pub(super) struct Transactions {
    open: Open,
    /// Digests of the legs by transaction; nothing if they could not all be read.
    done: HashMap<u128, Option<u64>>,
    reversed: HashSet<u128>,
    awaited_reversals: Vec<Reversal>,
    awaited_captures: Vec<Capture>,
    awaited_of_objects: Vec<OfObject>,
    awaited_movements: Movements,
    /// The key of the digests.
    key: RandomState,
    pub entries: u64,
    pub completed: u64,
    pub reversals: u64,
}

impl Transactions {
    /// The transaction under way has a leg that cannot be read: nothing more is said about it.
    pub(super) fn distrust(&mut self) {
        self.open.distrusted = true;
    }

    /// Whether legs of the transaction under way are still to come.
    pub(super) const fn is_amid(&self) -> bool {
        self.open.active
    }

    /// What comes now is no leg of the transaction under way.
    pub(super) fn interrupt(&mut self, findings: &mut Findings) {
        if !self.open.active {
            self.open.distrusted = false;
            return;
        }
        if !self.open.distrusted {
            let words = format!(
                "leg {} of {} of {} should be here",
                self.open.next,
                self.open.legs,
                id_text(self.open.id, "txn_")
            );
            let position = self.open.last.saturating_add(1);
            findings.position(position, Code::TransactionIncomplete, words);
        }
        self.done.insert(self.open.id, None);
        self.forget_claims(self.open.id);
        self.open.active = false;
        self.open.distrusted = false;
    }

    /// Takes a leg in; gives the position of its transaction's first leg.
    pub(super) fn leg(
        &mut self,
        place: Place<'_>,
        leg: &Leg<'_>,
        movement: Option<&Move>,
        currencies: &Currencies,
        findings: &mut Findings,
    ) -> i64 {
        self.entries += 1;
        let transaction = id(&leg.transaction_id, "txn_").unwrap_or_else(|| {
            let words = format!("{:?} is not a transaction's id", &*leg.transaction_id);
            findings.event(place, Code::IdMalformed, words);
            0
        });
        if self.open.active && self.open.id != transaction {
            self.interrupt(findings);
        }
        if self.open.active {
            self.next_leg(place, leg, findings);
        } else {
            self.first_leg(place, leg, transaction, findings);
        }
        for day in [Some(&leg.effective_on), leg.value_date.as_ref()].into_iter().flatten() {
            if time::date(day).is_none() {
                let words = format!("{:?} is not a date", &**day);
                findings.event(place, Code::PayloadUnreadable, words);
            }
        }
        self.open.last = place.position;
        self.open.next = leg.leg.saturating_add(1);
        if let Some(original) = self.open.reverses
            && leg.cause.as_deref().and_then(|c| id(c, "txn_")) != Some(original)
        {
            let words = format!("its cause is not {}", id_text(original, "txn_"));
            findings.event(place, Code::ReversalDiffers, words);
        }
        match movement {
            Some(movement) if currencies.get(movement.currency).is_some() => {
                self.add(movement, leg.item.as_deref());
            }
            _ => self.distrust(),
        }
        self.open.first
    }

    fn first_leg(&mut self, place: Place<'_>, leg: &Leg<'_>, id: u128, findings: &mut Findings) {
        // A leg that could not be read before this one may have been this transaction's first.
        let lost_first = std::mem::take(&mut self.open.distrusted);
        let misplaced = leg.leg != 1 || leg.legs == 0;
        if misplaced && !lost_first {
            let words = format!("leg {} of {} where leg 1 should be", leg.leg, leg.legs);
            findings.event(place, Code::LegOutOfPlace, words);
        }
        if !misplaced && self.done.contains_key(&id) {
            let words = format!("{} is an earlier transaction", id_text(id, "txn_"));
            findings.event(place, Code::TransactionRepeated, words);
        }
        let awaited = self.awaited_reversals.iter().position(|r| r.by == id);
        let reverses = awaited.map(|at| self.awaited_reversals.swap_remove(at).original);
        if &*leg.kind == "reversal" && reverses.is_none() && !lost_first {
            let words = "legs of a reversal that no reversal stream announces";
            findings.event(place, Code::ReversalIncomplete, words);
        }
        self.of_object(place, leg, id, findings);
        let expected = self.awaited_movements.take(id);
        let open = &mut self.open;
        open.active = true;
        open.id = id;
        open.first = place.position;
        open.legs = leg.legs;
        open.kind.clear();
        open.kind.push_str(&leg.kind);
        open.effective_on.clear();
        open.effective_on.push_str(&leg.effective_on);
        open.reverses = reverses;
        open.expected = expected;
        open.sums.clear();
        open.digest = 0;
        open.opposite = 0;
        open.distrusted = misplaced;
    }

    fn next_leg(&mut self, place: Place<'_>, leg: &Leg<'_>, findings: &mut Findings) {
        let open = &mut self.open;
        if leg.leg != open.next {
            if !open.distrusted {
                let words = format!("leg {} where leg {} should be", leg.leg, open.next);
                findings.event(place, Code::LegOutOfPlace, words);
            }
            open.distrusted = true;
        }
        let same = leg.legs == open.legs
            && *leg.kind == *open.kind
            && *leg.effective_on == *open.effective_on;
        if !same {
            let words = "number of legs, kind or date is not that of the first leg";
            findings.event(place, Code::LegDiffers, words);
        }
    }

    fn add(&mut self, movement: &Move, item: Option<&str>) {
        let signed = if movement.debit { movement.amount } else { -movement.amount };
        let open = &mut self.open;
        match open.sums.iter_mut().find(|(c, _)| *c == movement.currency) {
            Some((_, sum)) => *sum = sum.saturating_add(signed),
            None => open.sums.push((movement.currency, signed)),
        }
        if let Some(expected) = &mut open.expected {
            expected.moved(movement.account, signed);
        }
        let digest =
            |debit: bool| self.key.hash_one((movement.account, debit, movement.amount, item));
        // A sum, so that the order of the legs does not matter.
        open.digest = open.digest.wrapping_add(digest(movement.debit));
        if open.reverses.is_some() {
            open.opposite = open.opposite.wrapping_add(digest(!movement.debit));
        }
    }

    /// If that was the last leg: the transaction as a whole.
    pub(super) fn complete(
        &mut self,
        leg: &Leg<'_>,
        accounts: &mut Accounts,
        currencies: &Currencies,
        findings: &mut Findings,
    ) {
        if !self.open.active || leg.leg < self.open.legs {
            return;
        }
        self.open.active = false;
        let trusted = !std::mem::take(&mut self.open.distrusted);
        self.completed += 1;
        if trusted {
            self.balanced(currencies, findings);
            self.reverses(findings);
            self.captures(accounts, findings);
            if let Some(expected) = self.open.expected.take() {
                expected.compare(self.open.id, accounts, findings);
            }
        }
        self.reversals += u64::from(self.open.reverses.is_some());
        self.forget_claims(self.open.id);
        self.done.insert(self.open.id, trusted.then_some(self.open.digest));
    }

    fn balanced(&self, currencies: &Currencies, findings: &mut Findings) {
        for (index, sum) in self.open.sums.iter().filter(|(_, sum)| *sum != 0) {
            let (code, scale) =
                currencies.get(*index).map_or(("?", 0), |c| (c.code.as_str(), c.scale));
            let words = format!(
                "{}: debits less credits are {} {code}",
                id_text(self.open.id, "txn_"),
                amount::text(*sum, scale)
            );
            findings.position(self.open.first, Code::TransactionUnbalanced, words);
        }
    }

    fn reverses(&self, findings: &mut Findings) {
        let Some(original) = self.open.reverses else {
            return;
        };
        let Some(Some(digest)) = self.done.get(&original) else {
            return;
        };
        if *digest != self.open.opposite {
            let words =
                format!("the legs are not the opposite of those of {}", id_text(original, "txn_"));
            findings.position(self.open.first, Code::ReversalDiffers, words);
        }
    }

    fn captures(&self, accounts: &mut Accounts, findings: &mut Findings) {
        for capture in &self.awaited_captures {
            if capture.transaction != self.open.id {
                continue;
            }
            let of_account =
                |c: &&Capture| c.transaction == capture.transaction && c.account == capture.account;
            let claimed: i128 = self
                .awaited_captures
                .iter()
                .filter(of_account)
                .fold(0, |sum, c| sum.saturating_add(c.amount));
            if accounts.at(capture.account).taken_by(self.open.first) != claimed {
                let words = format!(
                    "{} does not move what was announced for an account",
                    id_text(self.open.id, "txn_")
                );
                findings.position(capture.position, capture.code, words);
            }
        }
    }

    fn forget_claims(&mut self, id: u128) {
        self.awaited_captures.retain(|c| c.transaction != id);
        self.awaited_of_objects.retain(|w| w.transaction != id);
    }

    /// An object says that a transaction is about to move what is its own.
    pub(super) fn expect_of(&mut self, transaction: u128, object: Object, position: i64) {
        self.awaited_of_objects.push(OfObject { transaction, object, position });
    }

    /// An object says what a transaction moves; several may say what they add to one.
    pub(super) fn expect_legs(&mut self, transaction: u128, position: i64, legs: Vec<Expected>) {
        self.awaited_movements.add(transaction, position, legs);
    }

    /// What names an object as its cause was named by it, and the other way round.
    fn of_object(
        &self,
        place: Place<'_>,
        leg: &Leg<'_>,
        transaction: u128,
        findings: &mut Findings,
    ) {
        let cause = Object::caused(leg);
        let mut awaited = self.awaited_of_objects.iter();
        let named = awaited.find(|o| o.transaction == transaction).map(|named| named.object);
        if let Some(object) = named.or(cause).filter(|_| named != cause) {
            let words = "the object does not name the transaction, or the other way round";
            findings.event(place, object.incomplete(), words);
        }
    }

    /// A hold says that a transaction is about to take from it.
    pub(super) fn expect_capture(&mut self, capture: Option<Capture>) {
        self.awaited_captures.extend(capture);
    }

    /// A reversal's stream says that a transaction is about to undo another.
    pub(super) fn reversed(
        &mut self,
        place: Place<'_>,
        sequence: i64,
        original: u128,
        reversed: &Reversed<'_>,
        findings: &mut Findings,
    ) {
        if !self.done.contains_key(&original) {
            let words = "no such transaction stands before its reversal";
            findings.event(place, Code::ReversalUnknown, words);
        }
        let repeated = !self.reversed.insert(original);
        if repeated {
            let words = "the transaction was reversed before";
            findings.event(place, Code::ReversalRepeated, words);
        } else if sequence != 1 {
            let words = format!("sequence {sequence} where 1 should be");
            findings.event(place, Code::SequenceDiffers, words);
        }
        let Some(by) = id(&reversed.by, "txn_") else {
            let words = format!("{:?} is not a transaction's id", &*reversed.by);
            return findings.event(place, Code::IdMalformed, words);
        };
        self.awaited_reversals.push(Reversal { by, original, position: place.position });
    }

    /// An append is over: what it announced has to be there.
    pub(super) fn batch_ends(&mut self, findings: &mut Findings) {
        self.interrupt(findings);
        for reversal in self.awaited_reversals.drain(..) {
            let words = format!("{} is not in this append", id_text(reversal.by, "txn_"));
            findings.position(reversal.position, Code::ReversalIncomplete, words);
        }
        for awaited in self.awaited_of_objects.drain(..) {
            let words = format!("{} is not in this append", id_text(awaited.transaction, "txn_"));
            findings.position(awaited.position, awaited.object.incomplete(), words);
        }
        self.awaited_movements.clear();
        // What an object announced was said with the object.
        self.awaited_captures.retain(|capture| capture.code == Code::CaptureDiffers);
        for capture in self.awaited_captures.drain(..) {
            let words = format!("{} is not in this append", id_text(capture.transaction, "txn_"));
            findings.position(capture.position, capture.code, words);
        }
    }
}
