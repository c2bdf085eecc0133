//! What each command comes to in the model, beside what it is to the engine.

use std::collections::btree_map::Entry;

use chrono::{DateTime, TimeDelta, Utc};
use ledger_core::{
    account::FreezeMode,
    chart::{AccountType, Direction, PostingClass},
    command::{ChangeLimits, FreezeAccount, OpenAccount, Operation, Receipt},
    ids::TransactionId,
    posting::{self, Posting, PostingLeg},
};

use super::{
    Done, Hold, Leg, MEMORY, Model, Posted, Refusal,
    accounts::Terms,
    commands::{Cmd, Condition, What},
};

/// A transaction's legs, and what must hold of one of its accounts.
type Wanted = (Vec<Leg>, Option<(usize, Terms)>);

impl Model {
    pub(super) fn take(&mut self, cmd: &Cmd, now: DateTime<Utc>) -> (Operation, Done) {
        let open_only = cmd.open_only;
        match &cmd.what {
            What::Open { account, scale_too_fine } => self.open(*account, *scale_too_fine),
            What::Transfer { from, to, amount, item, condition } => {
                self.transfer([*from, *to], *amount, *item, *condition, open_only, now)
            }
            What::Split { legs, item } => {
                let legs = legs.iter().map(|(slot, debit, amount)| Leg {
                    slot: *slot,
                    debit: *debit,
                    amount: *amount,
                    item: self.item(*slot, *item),
                });
                let transactions = vec![(legs.collect(), None)];
                self.post(transactions, open_only, now)
            }
            What::Batch(pairs) => {
                let pair = |(from, to, amount): &(usize, usize, i128)| {
                    (self.pair([*from, *to], *amount, 1), None)
                };
                self.post(pairs.iter().map(pair).collect(), open_only, now)
            }
            What::Hold { slot, account, amount, minutes, same_id } => {
                let expires_at = minutes.map(|minutes| now + TimeDelta::minutes(minutes));
                self.hold(*slot, *account, *amount, expires_at, (*same_id, open_only), now)
            }
            What::Increase { slot, by } => self.increase(*slot, *by, open_only, now),
            What::Capture { slot, amount, to, rest, item } => {
                self.capture(*slot, *amount, (*to, *rest, *item), open_only, now)
            }
            What::Release { slot } => {
                let operation = Operation::ReleaseHold { hold_id: self.hold_id(*slot) };
                (operation, self.end(*slot, "released", |_| Ok(())))
            }
            What::Expire { slot } => {
                let operation = Operation::ExpireHold { hold_id: self.hold_id(*slot) };
                let due = |hold: &Hold| match hold.expires_at {
                    Some(at) if now >= at => Ok(()),
                    _ => Err(Refusal::new("hold_not_expired")),
                };
                (operation, self.end(*slot, "expired", due))
            }
            What::Limits { .. }
            | What::Freeze { .. }
            | What::Unfreeze { .. }
            | What::Close { .. } => self.change(&cmd.what),
            What::Reverse { back } => self.reverse(*back, open_only, now),
            What::Wait { .. } => panic!("time is no command"),
        }
    }

    /// The item that a leg names: 0 stands for a mistake.
    pub(super) fn item(&self, slot: usize, item: u8) -> Option<u8> {
        let itemised = self.accounts[slot].itemised;
        (itemised == (item > 0)).then_some(item % 3)
    }

    fn pair(&self, [from, to]: [usize; 2], amount: i128, item: u8) -> Vec<Leg> {
        let leg = |slot, debit| Leg { slot, debit, amount, item: self.item(slot, item) };
        vec![leg(from, true), leg(to, false)]
    }

    fn open(&mut self, slot: usize, scale_too_fine: bool) -> (Operation, Done) {
        let account = &self.accounts[slot];
        let limit = |limit: Option<i128>| limit.map(|limit| account.decimal(limit));
        let mut floor = limit(account.first_floor);
        if scale_too_fine {
            floor = Some(rust_decimal::Decimal::new(1, 9));
        }
        let operation = Operation::OpenAccount(OpenAccount {
            account: self.id(slot),
            currency: account.currency,
            owner: "model".parse().unwrap(),
            account_type: if account.asset { AccountType::Asset } else { AccountType::Liability },
            class: if account.itemised { PostingClass::Clearing } else { PostingClass::Open },
            itemised: account.itemised,
            floor,
            ceiling: limit(account.first_ceiling),
            metadata: std::collections::BTreeMap::new(),
        });
        let done = if scale_too_fine {
            Err(Refusal::of(slot, "amount_scale"))
        } else if account.open {
            Err(Refusal::of(slot, "account_exists"))
        } else {
            self.accounts[slot].open = true;
            Ok(self.changed(slot))
        };
        (operation, done)
    }

    /// The account has one event more, and says so.
    fn changed(&mut self, slot: usize) -> (u64, Receipt) {
        let account = &mut self.accounts[slot];
        account.sequence += 1;
        (1, Receipt::Account { sequence: account.sequence })
    }

    fn change(&mut self, what: &What) -> (Operation, Done) {
        match what {
            What::Limits { account: slot, floor, ceiling } => {
                let account = &mut self.accounts[*slot];
                let limit = |limit: &Option<i128>| limit.map(|limit| account.decimal(limit));
                let (low, high) = (limit(floor), limit(ceiling));
                let done = account.alive().and_then(|()| match (floor, ceiling) {
                    (Some(f), Some(c)) if f > c => Err(Refusal::of(*slot, "floor_above_ceiling")),
                    _ => Ok(()),
                });
                if done.is_ok() {
                    (account.floor, account.ceiling) = (*floor, *ceiling);
                }
                let change = ChangeLimits { account: self.id(*slot), floor: low, ceiling: high };
                (Operation::ChangeLimits(change), done.map(|()| self.changed(*slot)))
            }
            What::Freeze { account, reference, mode, amount } => {
                self.freeze(*account, *reference, *mode, *amount)
            }
            What::Unfreeze { account: slot, reference } => {
                let reference_text = format!("r{reference}").parse().unwrap();
                let account = self.id(*slot);
                let operation = Operation::Unfreeze { account, reference: reference_text };
                let account = &mut self.accounts[*slot];
                let done = account.alive().and_then(|()| match account.freezes.remove(reference) {
                    Some(_) => Ok(()),
                    None => Err(Refusal::of(*slot, "freeze_not_found")),
                });
                (operation, done.map(|()| self.changed(*slot)))
            }
            What::Close { account: slot } => {
                let operation = Operation::CloseAccount { account: self.id(*slot) };
                let account = &mut self.accounts[*slot];
                let done = account.alive().and_then(|()| {
                    let reasons = [
                        (account.balance != 0, "balance_not_zero"),
                        (account.holds > 0, "holds_open"),
                        (!account.freezes.is_empty(), "freezes_open"),
                    ];
                    let reason = reasons.iter().find(|(holds, _)| *holds);
                    reason.map_or(Ok(()), |(_, code)| Err(Refusal::of(*slot, code)))
                });
                account.closed |= done.is_ok();
                (operation, done.map(|()| self.changed(*slot)))
            }
            What::Open { .. }
            | What::Transfer { .. }
            | What::Split { .. }
            | What::Batch(_)
            | What::Hold { .. }
            | What::Increase { .. }
            | What::Capture { .. }
            | What::Release { .. }
            | What::Expire { .. }
            | What::Reverse { .. }
            | What::Wait { .. } => panic!("not a change of an account: {what:?}"),
        }
    }

    fn freeze(&mut self, slot: usize, reference: u8, mode: u8, amount: i128) -> (Operation, Done) {
        // Mode 4 is a freeze that carries an amount, which only a lien may.
        let (mode, with_amount) = match mode {
            0 => (FreezeMode::Debit, false),
            1 => (FreezeMode::Credit, false),
            2 => (FreezeMode::Both, false),
            3 => (FreezeMode::Lien, true),
            _ => (FreezeMode::Both, true),
        };
        let id = self.id(slot);
        let account = &mut self.accounts[slot];
        let operation = Operation::Freeze(FreezeAccount {
            account: id,
            reference: format!("r{reference}").parse().unwrap(),
            mode,
            amount: with_amount.then(|| account.money(amount)),
        });
        let done = if with_amount && mode != FreezeMode::Lien {
            Err(Refusal::new("lien_amount"))
        } else if with_amount && amount <= 0 {
            Err(Refusal::new("amount_not_positive"))
        } else if let Err(refusal) = account.alive() {
            Err(refusal)
        } else if let Entry::Vacant(free) = account.freezes.entry(reference) {
            free.insert((mode, amount));
            Ok(self.changed(slot))
        } else {
            Err(Refusal::of(slot, "freeze_exists"))
        };
        (operation, done)
    }

    fn transfer(
        &mut self,
        slots: [usize; 2],
        amount: i128,
        item: u8,
        condition: Option<Condition>,
        open_only: bool,
        now: DateTime<Utc>,
    ) -> (Operation, Done) {
        let legs = self.pair(slots, amount, item);
        let terms = condition.map(|condition| {
            let slot = if condition.of_sender { slots[0] } else { slots[1] };
            let sequence = condition.off.map(|off| self.accounts[slot].sequence + off);
            (slot, Terms { open_only, sequence, minimum: condition.minimum })
        });
        self.post(vec![(legs, terms)], open_only, now)
    }

    /// Posts transactions that stand or fall together, each with a condition or none.
    fn post(
        &mut self,
        transactions: Vec<Wanted>,
        open_only: bool,
        now: DateTime<Utc>,
    ) -> (Operation, Done) {
        let several = transactions.len() > 1;
        let mut postings = Vec::new();
        for (legs, terms) in &transactions {
            let conditions = terms.iter().map(|(slot, terms)| posting::Condition {
                account: self.id(*slot),
                sequence: terms.sequence,
                minimum_balance: terms.minimum.map(|m| self.accounts[*slot].decimal(m)),
            });
            let conditions = conditions.collect();
            let transaction_id = self.fresh_transaction();
            postings.push(Posting { conditions, ..self.posting(transaction_id, legs) });
        }
        let ids: Vec<TransactionId> = postings.iter().map(|p| p.transaction_id).collect();
        let located = |index: usize, refusal: Refusal| Refusal {
            transaction: several.then(|| u16::try_from(index).unwrap()),
            ..refusal
        };
        let mut done = Ok(());
        if transactions.is_empty() {
            done = Err(Refusal::new("transaction_count"));
        }
        // First all of them are looked at, then they are done.
        for (index, (legs, _)) in transactions.iter().enumerate() {
            done = done.and_then(|()| self.well_formed(legs).map_err(|r| located(index, r)));
        }
        let mut events = 0;
        for (index, (legs, terms)) in transactions.iter().enumerate() {
            events += u64::try_from(legs.len()).unwrap();
            let posted = |()| self.legs(legs, *terms, open_only).map_err(|r| located(index, r));
            done = done.and_then(posted);
        }
        if done.is_ok() {
            for (id, (legs, _)) in ids.iter().zip(transactions) {
                self.remember(Posted {
                    id: *id,
                    legs,
                    of_reversal: false,
                    by_hold: None,
                    undone: false,
                });
            }
        }
        let effective_on = vec![Self::day(now); ids.len()];
        let receipt = Receipt::Posted { transactions: ids, effective_on };
        (Operation::Post(postings), done.map(|()| (events, receipt)))
    }

    fn posting(&self, transaction_id: TransactionId, legs: &[Leg]) -> Posting {
        Posting {
            transaction_id,
            kind: "transfer".parse().unwrap(),
            legs: legs.iter().map(|leg| self.posting_leg(leg)).collect(),
            effective_on: None,
            value_date: None,
            conditions: Vec::new(),
            note: None,
        }
    }

    pub(super) fn posting_leg(&self, leg: &Leg) -> PostingLeg {
        PostingLeg {
            account: self.id(leg.slot),
            direction: if leg.debit { Direction::Debit } else { Direction::Credit },
            amount: self.accounts[leg.slot].money(leg.amount),
            item: leg.item.map(|item| format!("i{item}").parse().unwrap()),
        }
    }

    /// What is wrong with a transaction whatever its accounts are.
    pub(super) fn well_formed(&self, legs: &[Leg]) -> Result<(), Refusal> {
        if legs.len() < 2 {
            return Err(Refusal::new("too_few_legs"));
        }
        if legs.iter().any(|leg| leg.amount <= 0) {
            return Err(Refusal::new("amount_not_positive"));
        }
        let both = |leg: &Leg| legs.iter().any(|o| o.slot == leg.slot && o.debit != leg.debit);
        if legs.iter().any(both) {
            return Err(Refusal::new("same_account"));
        }
        for code in ["INR", "JPY"] {
            let of = |leg: &&Leg| self.accounts[leg.slot].currency.code.as_str() == code;
            let signed = |leg: &Leg| if leg.debit { leg.amount } else { -leg.amount };
            if legs.iter().filter(of).map(signed).sum::<i128>() != 0 {
                return Err(Refusal::new("unbalanced"));
            }
        }
        Ok(())
    }

    pub(super) fn legs(
        &mut self,
        legs: &[Leg],
        terms: Option<(usize, Terms)>,
        open_only: bool,
    ) -> Result<(), Refusal> {
        for (index, leg) in legs.iter().enumerate() {
            let others = |range: &[Leg]| range.iter().any(|other| other.slot == leg.slot);
            let (first, last) = (!others(&legs[..index]), !others(&legs[index + 1..]));
            let of_account = terms.filter(|(slot, _)| *slot == leg.slot).map(|(_, terms)| terms);
            let asked = Terms {
                open_only,
                sequence: of_account.filter(|_| first).and_then(|terms| terms.sequence),
                minimum: of_account.filter(|_| last).and_then(|terms| terms.minimum),
            };
            self.accounts[leg.slot].post(leg, asked)?;
        }
        Ok(())
    }

    pub(super) fn remember(&mut self, posted: Posted) {
        self.posted.push_front(posted);
        self.posted.truncate(MEMORY);
    }
}
