//! The model's accounts, and the one rule of money.

use std::collections::BTreeMap;

use ledger_core::{
    account::FreezeMode,
    money::{Currency, Money},
};
use rust_decimal::Decimal;

use super::{Leg, Refusal};
use crate::support::ledger::currency;

/// How many accounts a model has.
pub(crate) const SLOTS: usize = 8;

/// An account in minor units.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each says one thing, as a table would")]
pub(crate) struct Account {
    slot: usize,
    pub(crate) currency: Currency,
    /// A till or clearing account; else a wallet.
    pub(crate) asset: bool,
    pub(crate) itemised: bool,
    pub(crate) first_floor: Option<i128>,
    pub(crate) first_ceiling: Option<i128>,
    pub(crate) open: bool,
    pub(crate) closed: bool,
    pub(crate) floor: Option<i128>,
    pub(crate) ceiling: Option<i128>,
    pub(crate) freezes: BTreeMap<u8, (FreezeMode, i128)>,
    pub(crate) balance: i128,
    pub(crate) held: i128,
    pub(crate) holds: u32,
    pub(crate) sequence: u64,
}

/// What is asked of an account besides a leg.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Terms {
    pub(super) open_only: bool,
    pub(super) sequence: Option<u64>,
    pub(super) minimum: Option<i128>,
}

impl Account {
    /// Two tills, two plain wallets, one with a ceiling, one with a credit line, a clearing account
    /// by item, and a wallet of yen.
    pub(super) fn new(slot: usize) -> Self {
        let (code, asset, floor, ceiling) = match slot {
            0 | 5 => ("INR", true, None, None),
            1 | 2 => ("INR", false, Some(0), None),
            3 => ("INR", false, Some(0), Some(30_000)),
            4 => ("INR", false, Some(-50_00), None),
            6 => ("JPY", true, None, None),
            _ => ("JPY", false, Some(0), None),
        };
        Self {
            slot,
            currency: currency(code),
            asset,
            itemised: slot == 5,
            first_floor: floor,
            first_ceiling: ceiling,
            open: false,
            closed: false,
            floor,
            ceiling,
            freezes: BTreeMap::new(),
            balance: 0,
            held: 0,
            holds: 0,
            sequence: 0,
        }
    }

    /// Minor units as a decimal of the account's currency.
    pub(crate) fn decimal(&self, minor: i128) -> Decimal {
        Decimal::from_i128_with_scale(minor, u32::from(self.currency.scale))
    }

    pub(super) fn money(&self, minor: i128) -> Money {
        Money::from_decimal(self.decimal(minor), self.currency).unwrap()
    }

    fn refusal(&self, code: &'static str) -> Refusal {
        Refusal::of(self.slot, code)
    }

    /// It was opened and not closed.
    pub(super) fn alive(&self) -> Result<(), Refusal> {
        match (self.open, self.closed) {
            (false, _) => Err(self.refusal("account_not_found")),
            (true, true) => Err(self.refusal("account_closed")),
            (true, false) => Ok(()),
        }
    }

    fn permitted(&self, open_only: bool) -> Result<(), Refusal> {
        self.alive()?;
        // The clearing account is the only one that is not of class open.
        if open_only && self.itemised {
            return Err(self.refusal("posting_not_permitted"));
        }
        Ok(())
    }

    fn moves(&self, debit: bool) -> Result<(), Refusal> {
        let stops = |(mode, _): &(FreezeMode, i128)| match mode {
            FreezeMode::Debit => debit,
            FreezeMode::Credit => !debit,
            FreezeMode::Both => true,
            FreezeMode::Lien => false,
        };
        if self.freezes.values().any(stops) {
            return Err(self.refusal("account_frozen"));
        }
        Ok(())
    }

    /// What it can give; nothing = anything.
    pub(crate) fn available(&self) -> Option<i128> {
        let liens = self.freezes.values().filter(|(mode, _)| *mode == FreezeMode::Lien);
        let liens: i128 = liens.map(|(_, amount)| amount).sum();
        self.floor.map(|floor| self.balance - self.held - liens - floor)
    }

    fn gives(&self, amount: i128) -> Result<(), Refusal> {
        match self.available() {
            Some(available) if available < amount => Err(Refusal {
                available: Some(available.max(0)),
                ..self.refusal("insufficient_funds")
            }),
            _ => Ok(()),
        }
    }

    pub(super) fn post(&mut self, leg: &Leg, terms: Terms) -> Result<(), Refusal> {
        self.permitted(terms.open_only)?;
        match (self.itemised, leg.item) {
            (true, None) => return Err(self.refusal("item_required")),
            (false, Some(_)) => return Err(self.refusal("item_not_allowed")),
            (true, Some(_)) | (false, None) => {}
        }
        self.moves(leg.debit)?;
        if terms.sequence.is_some_and(|expected| expected != self.sequence) {
            return Err(self.refusal("unexpected_sequence"));
        }
        if leg.debit == self.asset {
            self.balance += leg.amount;
            if self.ceiling.is_some_and(|ceiling| self.balance > ceiling) {
                return Err(self.refusal("balance_limit_exceeded"));
            }
        } else {
            self.gives(leg.amount)?;
            self.balance -= leg.amount;
        }
        if terms.minimum.is_some_and(|minimum| self.balance < minimum) {
            return Err(self.refusal("minimum_balance_not_met"));
        }
        self.sequence += 1;
        Ok(())
    }

    pub(super) fn hold(&mut self, amount: i128, open_only: bool) -> Result<(), Refusal> {
        self.permitted(open_only)?;
        if self.itemised {
            return Err(self.refusal("item_required"));
        }
        self.moves(!self.asset)?;
        self.gives(amount)?;
        self.held += amount;
        self.sequence += 1;
        Ok(())
    }

    /// A hold of `amount` has ended.
    pub(super) fn free(&mut self, amount: i128) {
        self.held -= amount;
        self.holds -= 1;
        self.sequence += 1;
    }
}
