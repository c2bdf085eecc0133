//! Holds and reversals in the model.

use chrono::{DateTime, Utc};
use ledger_core::{
    command::{CaptureHold, CaptureLeg, IncreaseHold, Operation, PlaceHold, Receipt, Reverse},
    posting::Kind,
};

use super::{Done, Hold, Leg, Model, Posted, Refusal};

impl Model {
    pub(super) fn hold(
        &mut self,
        slot: usize,
        account: usize,
        amount: i128,
        expires_at: Option<DateTime<Utc>>,
        (same_id, open_only): (bool, bool),
        now: DateTime<Utc>,
    ) -> (Operation, Done) {
        let open = self.holds[slot].account.is_some() && self.holds[slot].end.is_none();
        if !same_id && !open {
            let generation = self.holds[slot].generation + 1;
            self.holds[slot] = Hold { generation, ..Hold::default() };
        }
        let operation = Operation::PlaceHold(PlaceHold {
            hold_id: self.hold_id(slot),
            account: self.id(account),
            amount: self.accounts[account].money(amount),
            expires_at,
        });
        let known = self.holds[slot].account.is_some();
        let done = if amount <= 0 {
            Err(Refusal::new("amount_not_positive"))
        } else if known {
            Err(Refusal::new("hold_exists"))
        } else if expires_at.is_some_and(|at| at <= now) {
            Err(Refusal::new("hold_expiry_past"))
        } else {
            self.accounts[account].hold(amount, open_only)
        };
        let done = done.map(|()| {
            self.accounts[account].holds += 1;
            let generation = self.holds[slot].generation;
            self.holds[slot] =
                Hold { generation, account: Some(account), amount, expires_at, end: None };
            self.held(slot, amount)
        });
        (operation, done)
    }

    /// The answer of a hold.
    fn held(&self, slot: usize, reserves: i128) -> (u64, Receipt) {
        let account = self.holds[slot].account.unwrap();
        let amount = self.accounts[account].decimal(reserves);
        (2, Receipt::Hold { hold_id: self.hold_id(slot), account: self.id(account), amount })
    }

    fn placed(&self, slot: usize) -> Result<usize, Refusal> {
        self.holds[slot].account.ok_or(Refusal::new("hold_not_found"))
    }

    /// It was placed, has not ended, and its time has not come.
    fn live(&self, slot: usize, now: DateTime<Utc>) -> Result<(), Refusal> {
        let hold = &self.holds[slot];
        if hold.end.is_some() {
            return Err(Refusal::new("hold_not_open"));
        }
        if hold.expires_at.is_some_and(|at| now >= at) {
            return Err(Refusal::new("hold_expired"));
        }
        Ok(())
    }

    pub(super) fn increase(
        &mut self,
        slot: usize,
        by: i128,
        open_only: bool,
        now: DateTime<Utc>,
    ) -> (Operation, Done) {
        let money = self.accounts[self.holds[slot].account.unwrap_or(0)].money(by);
        let operation =
            Operation::IncreaseHold(IncreaseHold { hold_id: self.hold_id(slot), by: money });
        let done = self.placed(slot).and_then(|account| {
            if by <= 0 {
                return Err(Refusal::new("amount_not_positive"));
            }
            self.live(slot, now)?;
            self.accounts[account].hold(by, open_only)?;
            self.holds[slot].amount += by;
            Ok(self.held(slot, self.holds[slot].amount))
        });
        (operation, done)
    }

    /// Ends a hold without posting, if `may` agrees.
    pub(super) fn end(
        &mut self,
        slot: usize,
        end: &'static str,
        may: impl Fn(&Hold) -> Result<(), Refusal>,
    ) -> Done {
        let account = self.placed(slot)?;
        if self.holds[slot].end.is_some() {
            return Err(Refusal::new("hold_not_open"));
        }
        may(&self.holds[slot])?;
        self.accounts[account].free(self.holds[slot].amount);
        self.holds[slot].end = Some(end);
        Ok(self.held(slot, 0))
    }

    pub(super) fn capture(
        &mut self,
        slot: usize,
        amount: Option<i128>,
        (to, rest, item): (usize, Option<(usize, i128)>, u8),
        open_only: bool,
        now: DateTime<Utc>,
    ) -> (Operation, Done) {
        let account = self.holds[slot].account.unwrap_or(0);
        let captured = amount.unwrap_or(self.holds[slot].amount);
        let side = self.accounts[account].asset;
        let leg = |slot, amount| Leg { slot, debit: side, amount, item: self.item(slot, item) };
        let mut legs = vec![Leg { slot: account, debit: !side, amount: captured, item: None }];
        match rest {
            Some((other, part)) => legs.extend([leg(to, captured - part), leg(other, part)]),
            None => legs.push(leg(to, captured)),
        }
        let transaction_id = self.fresh_transaction();
        let stated = rest.is_some();
        let capture_leg = |leg: &Leg| {
            let posted = self.posting_leg(leg);
            let amount = stated.then_some(posted.amount);
            CaptureLeg { account: posted.account, amount, item: posted.item }
        };
        let operation = Operation::CaptureHold(CaptureHold {
            hold_id: self.hold_id(slot),
            transaction_id,
            kind: "payment".parse().unwrap(),
            amount: amount.map(|amount| self.accounts[account].money(amount)),
            to: legs[1..].iter().map(capture_leg).collect(),
            effective_on: None,
            value_date: None,
            note: None,
        });
        let done = self.captured(slot, captured, &legs, stated, open_only, now);
        let done = done.map(|()| {
            self.remember(Posted {
                id: transaction_id,
                legs: legs.clone(),
                of_reversal: false,
                by_hold: Some(self.hold_id(slot)),
                undone: false,
            });
            let decimal = |amount| self.accounts[account].decimal(amount);
            let receipt = Receipt::Captured {
                hold_id: self.hold_id(slot),
                account: self.id(account),
                transaction_id,
                amount: decimal(captured),
                released: decimal(self.holds[slot].amount - captured),
                effective_on: Self::day(now),
            };
            (2 + u64::try_from(legs.len()).unwrap(), receipt)
        });
        (operation, done)
    }

    fn captured(
        &mut self,
        slot: usize,
        captured: i128,
        legs: &[Leg],
        stated: bool,
        open_only: bool,
        now: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        let account = self.placed(slot)?;
        if captured <= 0 {
            return Err(Refusal::new("amount_not_positive"));
        }
        let foreign = self.accounts[legs[1].slot].currency != self.accounts[account].currency;
        if !stated && foreign {
            return Err(Refusal::new("currency_mismatch"));
        }
        self.well_formed(legs)?;
        self.live(slot, now)?;
        if captured > self.holds[slot].amount {
            return Err(Refusal::new("capture_exceeds_hold"));
        }
        self.accounts[account].free(self.holds[slot].amount);
        self.legs(legs, None, open_only)?;
        self.holds[slot].end = Some("captured");
        Ok(())
    }

    pub(super) fn reverse(
        &mut self,
        back: usize,
        open_only: bool,
        now: DateTime<Utc>,
    ) -> (Operation, Done) {
        let unknown = self.fresh_transaction();
        let original = self.posted.get(back).cloned().unwrap_or(Posted {
            id: unknown,
            legs: Vec::new(),
            of_reversal: false,
            by_hold: None,
            undone: false,
        });
        let id = self.fresh_transaction();
        let cause = match original.by_hold {
            Some(hold) => Some(hold.to_string()),
            None => original.of_reversal.then(|| unknown.to_string()),
        };
        let kind = if original.of_reversal { Kind::REVERSAL } else { Kind::TRANSFER };
        let operation = Operation::Reverse(Reverse {
            original: original.id,
            original_kind: kind.parse().unwrap(),
            original_cause: cause.map(|cause| cause.parse().unwrap()),
            original_legs: original.legs.iter().map(|leg| self.posting_leg(leg)).collect(),
            transaction_id: id,
            effective_on: None,
            note: None,
        });
        let opposite = |leg: &Leg| Leg { debit: !leg.debit, ..*leg };
        let legs: Vec<Leg> = original.legs.iter().map(opposite).collect();
        let done = if original.of_reversal {
            Err(Refusal::new("not_reversible"))
        } else if let Err(refusal) = self.well_formed(&legs) {
            Err(refusal)
        } else if original.undone {
            Err(Refusal::new("already_reversed"))
        } else {
            self.legs(&legs, None, open_only)
        };
        let done = done.map(|()| {
            self.posted[back].undone = true;
            let events = 1 + u64::try_from(legs.len()).unwrap();
            let of_reversal = true;
            self.remember(Posted { id, legs, of_reversal, by_hold: None, undone: false });
            let effective_on = vec![Self::day(now)];
            (events, Receipt::Posted { transactions: vec![id], effective_on })
        });
        (operation, done)
    }
}
