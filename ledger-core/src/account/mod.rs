//! The account: the unit of double-spend protection.
//!
//! It knows what was posted on each side, what is held, its limits and its freezes; nothing of
//! other accounts, of the clock or of the database. Whether money can leave is decided here and
//! nowhere else.
//!
//! The rule: a *decrease* (a leg against the normal side) needs
//! `balance - held - liens - amount >= floor`, an *increase* needs `balance + amount <= ceiling`.
//! An account on a tier is held against that tier's limits as well, which the book has (`usage`).
//! A limit that is set below the present balance is accepted and blocks only further decrease.

mod command;
mod error;
mod event;
mod standing;
mod usage;

use std::{collections::BTreeMap, sync::Arc};

use cqrs_es::{Aggregate, event_sink::EventSink};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

pub use command::{AccountCommand, HoldEnd, PostLeg};
pub use error::AccountError;
pub use event::{
    AccountEvent, Freeze, FreezeMode, HoldChange, Leg, LimitsChanged, Opened, TierSet, Unfrozen,
};
pub use usage::Usage;

use crate::{
    chart::{AccountType, Authority, Direction},
    command::OpenAccount,
    ids::{HoldId, Reference},
    money,
};

/// The most freezes and liens that an account has at a time.
pub const FREEZES_MAX: usize = 100;

/// An account as its events made it. Cheap to clone: a decision is made on a clone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Account {
    sequence: u64,
    opened: Option<Arc<Opened>>,
    debits_posted: Decimal,
    credits_posted: Decimal,
    held: Decimal,
    open_holds: u32,
    floor: Option<Decimal>,
    ceiling: Option<Decimal>,
    #[serde(default)]
    freezes: BTreeMap<Reference, Freeze>,
    #[serde(default)]
    closed: bool,
    /// Boxed, for most accounts are on no tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    usage: Option<Box<Usage>>,
}

impl Account {
    /// How many events it has.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Its fixed properties, once it was opened.
    pub fn properties(&self) -> Option<&Opened> {
        self.opened.as_deref()
    }

    /// The sum of its debits.
    pub const fn debits_posted(&self) -> Decimal {
        self.debits_posted
    }

    /// The sum of its credits.
    pub const fn credits_posted(&self) -> Decimal {
        self.credits_posted
    }

    /// The sum of its holds.
    pub const fn held(&self) -> Decimal {
        self.held
    }

    /// The side on which its balance grows.
    pub fn normal_side(&self) -> Direction {
        self.opened.as_ref().map_or(AccountType::Liability, |o| o.account_type).normal_side()
    }

    /// The posted balance on the normal side.
    pub fn balance(&self) -> Decimal {
        let (plus, minus) = match self.normal_side() {
            Direction::Debit => (self.debits_posted, self.credits_posted),
            Direction::Credit => (self.credits_posted, self.debits_posted),
        };
        self.at_scale(plus.saturating_sub(minus))
    }

    /// What a decrease could take: balance less holds, liens and floor. Nothing = no limit.
    pub fn available(&self) -> Option<Decimal> {
        let reserved = self.held.saturating_add(self.liens());
        let free = self.balance().saturating_sub(reserved);
        self.floor.map(|floor| self.at_scale(free.saturating_sub(floor)))
    }

    /// A decimal at the account's scale; sums of one scale keep it, zero has none yet.
    fn at_scale(&self, amount: Decimal) -> Decimal {
        at_scale(amount, self.opened.as_ref().map_or(0, |opened| opened.scale))
    }

    fn liens(&self) -> Decimal {
        let amounts = self.freezes.values().filter_map(|freeze| freeze.amount);
        amounts.fold(Decimal::ZERO, Decimal::saturating_add)
    }

    fn open(&self) -> Result<&Arc<Opened>, AccountError> {
        let opened = self.opened.as_ref().ok_or(AccountError::NotFound)?;
        if self.closed { Err(AccountError::Closed) } else { Ok(opened) }
    }

    fn permitted(&self, authority: Authority) -> Result<&Arc<Opened>, AccountError> {
        let opened = self.open()?;
        if authority.covers(opened.class) {
            Ok(opened)
        } else {
            Err(AccountError::NotPermitted { class: opened.class })
        }
    }

    fn frozen(&self, direction: Direction) -> Result<(), AccountError> {
        let stops = |mode: FreezeMode| match mode {
            FreezeMode::Debit => direction == Direction::Debit,
            FreezeMode::Credit => direction == Direction::Credit,
            FreezeMode::Both => true,
            FreezeMode::Lien => false,
        };
        match self.freezes.values().find(|freeze| stops(freeze.mode)) {
            Some(freeze) => Err(AccountError::Frozen { reference: freeze.reference.clone() }),
            None => Ok(()),
        }
    }

    /// Whether `amount` can leave.
    fn can_give(&self, amount: Decimal) -> Result<(), AccountError> {
        match self.available() {
            Some(available) if available < amount => {
                let available = self.at_scale(available.max(Decimal::ZERO));
                Err(AccountError::InsufficientFunds { available })
            }
            _ => Ok(()),
        }
    }

    fn decide_open(&self, open: OpenAccount) -> Result<AccountEvent, AccountError> {
        if self.opened.is_some() {
            return Err(AccountError::Exists);
        }
        limits_in_order(open.floor, open.ceiling)?;
        Ok(AccountEvent::Opened(Opened {
            account: open.account,
            scale: open.currency.scale,
            owner: open.owner,
            account_type: open.account_type,
            class: open.class,
            itemised: open.itemised,
            floor: open.floor,
            ceiling: open.ceiling,
            metadata: open.metadata,
        }))
    }

    fn decide_leg(&self, post: PostLeg) -> Result<AccountEvent, AccountError> {
        let opened = self.permitted(post.authority)?;
        match (opened.itemised, &post.item) {
            (true, None) => return Err(AccountError::ItemRequired),
            (false, Some(_)) => return Err(AccountError::ItemNotAllowed),
            (true, Some(_)) | (false, None) => {}
        }
        self.frozen(post.direction)?;
        if let Some(expected) = post.expected_sequence.filter(|e| *e != self.sequence) {
            return Err(AccountError::UnexpectedSequence { expected, actual: self.sequence });
        }
        let posted = match post.direction {
            Direction::Debit => self.debits_posted,
            Direction::Credit => self.credits_posted,
        };
        exact(money::add(self.at_scale(posted), post.amount))?;
        let balance = self.balance();
        let balance_after = if post.direction == self.normal_side() {
            exact(money::add(balance, post.amount))?
        } else {
            self.can_give(post.amount)?;
            exact(money::sub(balance, post.amount))?
        };
        let increases = post.direction == self.normal_side();
        if let Some(ceiling) = self.ceiling.filter(|c| increases && balance_after > *c) {
            return Err(AccountError::CeilingExceeded { ceiling });
        }
        let counted_on = self.counted_on(&post)?;
        if let Some(minimum) = post.minimum_balance.filter(|m| balance_after < *m) {
            return Err(AccountError::BelowMinimum { balance: balance_after, minimum });
        }
        // After this point the command succeeds.
        let leg = Leg {
            transaction_id: post.transaction_id,
            leg: post.leg,
            legs: post.legs,
            kind: post.kind,
            amount: post.amount,
            balance_after,
            held_after: self.held,
            effective_on: post.effective_on,
            value_date: post.value_date,
            item: post.item,
            cause: post.cause,
            counted_on,
            fee_version: post.fee_version,
        };
        Ok(match post.direction {
            Direction::Debit => AccountEvent::Debited(leg),
            Direction::Credit => AccountEvent::Credited(leg),
        })
    }

    fn decide_hold(
        &self,
        hold_id: HoldId,
        amount: Decimal,
        authority: Authority,
    ) -> Result<HoldChange, AccountError> {
        let opened = self.permitted(authority)?;
        if opened.itemised {
            // A hold names no item, so its capture could not either.
            return Err(AccountError::ItemRequired);
        }
        self.frozen(self.normal_side().opposite())?;
        let held_after = exact(money::add(self.at_scale(self.held), amount))?;
        self.can_give(amount)?;
        let balance_after = self.balance();
        Ok(HoldChange { hold_id, amount, balance_after, held_after, expires_at: None })
    }

    fn decide_end(
        &self,
        hold_id: HoldId,
        amount: Decimal,
        end: HoldEnd,
    ) -> Result<AccountEvent, AccountError> {
        self.open()?;
        let held_after = exact(money::sub(self.at_scale(self.held), amount))?;
        let balance_after = self.balance();
        let change = HoldChange { hold_id, amount, balance_after, held_after, expires_at: None };
        Ok(match end {
            HoldEnd::Captured => AccountEvent::HoldCaptured(change),
            HoldEnd::Released => AccountEvent::HoldReleased(change),
            HoldEnd::Expired => AccountEvent::HoldExpired(change),
        })
    }

    fn decide_freeze(&self, freeze: Freeze) -> Result<AccountEvent, AccountError> {
        self.open()?;
        if self.freezes.contains_key(&freeze.reference) {
            return Err(AccountError::FreezeExists { reference: freeze.reference });
        }
        if self.freezes.len() >= FREEZES_MAX {
            return Err(AccountError::TooManyFreezes);
        }
        Ok(AccountEvent::Frozen(freeze))
    }

    fn decide_close(&self) -> Result<AccountEvent, AccountError> {
        self.open()?;
        if !self.balance().is_zero() {
            return Err(AccountError::BalanceNotZero);
        }
        if self.open_holds > 0 {
            return Err(AccountError::HoldsOpen);
        }
        if !self.freezes.is_empty() {
            return Err(AccountError::FreezesOpen);
        }
        Ok(AccountEvent::Closed {})
    }

    fn decide(&self, command: AccountCommand) -> Result<AccountEvent, AccountError> {
        match command {
            AccountCommand::Open(open) => self.decide_open(open),
            AccountCommand::Post(post) => self.decide_leg(post),
            AccountCommand::PlaceHold { hold_id, amount, expires_at, authority } => {
                let change = self.decide_hold(hold_id, amount, authority)?;
                Ok(AccountEvent::HoldPlaced(HoldChange { expires_at, ..change }))
            }
            AccountCommand::IncreaseHold { hold_id, amount, authority } => {
                self.decide_hold(hold_id, amount, authority).map(AccountEvent::HoldIncreased)
            }
            AccountCommand::EndHold { hold_id, amount, end } => {
                self.decide_end(hold_id, amount, end)
            }
            AccountCommand::ChangeLimits { floor, ceiling } => {
                self.open()?;
                limits_in_order(floor, ceiling)?;
                Ok(AccountEvent::LimitsChanged(LimitsChanged { floor, ceiling }))
            }
            AccountCommand::SetTier { tier } => self.decide_tier(tier),
            AccountCommand::Freeze(freeze) => self.decide_freeze(freeze),
            AccountCommand::Unfreeze { reference } => {
                self.open()?;
                if self.freezes.contains_key(&reference) {
                    Ok(AccountEvent::Unfrozen(Unfrozen { reference }))
                } else {
                    Err(AccountError::FreezeNotFound { reference })
                }
            }
            AccountCommand::Close => self.decide_close(),
        }
    }
}

fn at_scale(mut amount: Decimal, scale: u8) -> Decimal {
    if amount.is_zero() {
        amount = Decimal::ZERO;
        amount.rescale(u32::from(scale));
    }
    amount
}

fn exact(result: Result<Decimal, money::MoneyError>) -> Result<Decimal, AccountError> {
    result.map_err(|_| AccountError::Overflow)
}

fn limits_in_order(floor: Option<Decimal>, ceiling: Option<Decimal>) -> Result<(), AccountError> {
    match (floor, ceiling) {
        (Some(floor), Some(ceiling)) if floor > ceiling => Err(AccountError::FloorAboveCeiling),
        _ => Ok(()),
    }
}

impl Aggregate for Account {
    const TYPE: &'static str = "account";
    type Command = AccountCommand;
    type Event = AccountEvent;
    type Error = AccountError;
    type Services = ();

    async fn handle(
        &mut self,
        command: AccountCommand,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), AccountError> {
        let event = self.decide(command)?;
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: AccountEvent) {
        self.sequence = self.sequence.saturating_add(1);
        match event {
            AccountEvent::Opened(opened) => {
                self.floor = opened.floor;
                self.ceiling = opened.ceiling;
                self.opened = Some(Arc::new(opened));
            }
            AccountEvent::Debited(leg) => self.posted(Direction::Debit, &leg),
            AccountEvent::Credited(leg) => self.posted(Direction::Credit, &leg),
            AccountEvent::HoldPlaced(change) => {
                self.held = change.held_after;
                self.open_holds = self.open_holds.saturating_add(1);
            }
            AccountEvent::HoldIncreased(change) => self.held = change.held_after,
            AccountEvent::HoldCaptured(change)
            | AccountEvent::HoldReleased(change)
            | AccountEvent::HoldExpired(change) => {
                self.held = change.held_after;
                self.open_holds = self.open_holds.saturating_sub(1);
            }
            AccountEvent::LimitsChanged(limits) => {
                self.floor = limits.floor;
                self.ceiling = limits.ceiling;
            }
            AccountEvent::TierSet(set) => self.put_on(set.tier),
            AccountEvent::Frozen(freeze) => {
                self.freezes.insert(freeze.reference.clone(), freeze);
            }
            AccountEvent::Unfrozen(unfrozen) => {
                self.freezes.remove(&unfrozen.reference);
            }
            AccountEvent::Closed {} => self.closed = true,
        }
    }
}

#[cfg(test)]
mod tests;
