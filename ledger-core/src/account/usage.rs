//! What an account on a tier has moved in the running day, month and year.
//!
//! It knows the sums and the day they are of; the limits come in with each command, out of the
//! book. Only accounts on a tier have one. It is a function of the account's own events: a counted
//! leg carries the book's day on which it was recorded, so neither clock nor time zone is needed to
//! fold it. The business date plays no part: a back-dated leg counts on the day it is recorded.
//!
//! What is counted is never taken back, not even when the money comes back: a counter only grows
//! until its period ends. Money that comes back is exempt instead (`Kind::is_exempt_from_limits`).

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Account, AccountError, AccountEvent, Leg, PostLeg, TierSet};
use crate::{
    chart::{Direction, PostingClass},
    ids::{TierName, TransactionId},
    tier::{Flow, Limit, LimitExceeded, TierLimits, Tiers},
};

/// The sums of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Sums {
    day: Decimal,
    month: Decimal,
    year: Decimal,
}

/// The tier of an account, and what counts against its limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    tier: TierName,
    /// The day of the last counted leg.
    day: Option<NaiveDate>,
    /// Its transaction, and that one's sum: an account stands on one side of a transaction only.
    transaction: Option<(TransactionId, Decimal)>,
    incoming: Sums,
    outgoing: Sums,
}

impl Usage {
    /// Nothing was moved yet.
    pub(super) fn new(tier: TierName) -> Self {
        let (incoming, outgoing) = (Sums::default(), Sums::default());
        Self { tier, day: None, transaction: None, incoming, outgoing }
    }

    /// The same counters under another tier.
    pub(super) fn move_to(&mut self, tier: TierName) {
        self.tier = tier;
    }

    /// The tier.
    pub const fn tier(&self) -> &TierName {
        &self.tier
    }

    const fn sums(&self, flow: Flow) -> &Sums {
        match flow {
            Flow::In => &self.incoming,
            Flow::Out => &self.outgoing,
        }
    }

    /// What was moved on `today` and in its month and year.
    pub fn used(&self, flow: Flow, limit: Limit, today: NaiveDate) -> Decimal {
        let sums = self.sums(flow);
        let (sum, same) = match limit {
            Limit::Transaction | Limit::Balance => (Decimal::ZERO, false),
            Limit::Day => (sums.day, self.day == Some(today)),
            Limit::Month => (sums.month, self.day.is_some_and(|day| same_month(day, today))),
            Limit::Year => (sums.year, self.day.is_some_and(|day| day.year() == today.year())),
        };
        if same { sum } else { Decimal::ZERO }
    }

    fn of_transaction(&self, id: TransactionId) -> Decimal {
        let last = self.transaction.filter(|(transaction, _)| *transaction == id);
        last.map_or(Decimal::ZERO, |(_, sum)| sum)
    }

    /// Counts a leg.
    pub(super) fn count(&mut self, flow: Flow, id: TransactionId, amount: Decimal, on: NaiveDate) {
        let rolled = |flow| Sums {
            day: self.used(flow, Limit::Day, on),
            month: self.used(flow, Limit::Month, on),
            year: self.used(flow, Limit::Year, on),
        };
        (self.incoming, self.outgoing) = (rolled(Flow::In), rolled(Flow::Out));
        self.day = Some(on);
        self.transaction = Some((id, self.of_transaction(id).saturating_add(amount)));
        let sums = match flow {
            Flow::In => &mut self.incoming,
            Flow::Out => &mut self.outgoing,
        };
        for sum in [&mut sums.day, &mut sums.month, &mut sums.year] {
            *sum = sum.saturating_add(amount);
        }
    }

    /// The limit of `limits` that leaves least, with how much that is.
    fn least(&self, limits: &TierLimits, move_: &Move) -> Option<(Limit, Decimal, Decimal)> {
        let periods = Limit::PERIODS.into_iter().filter_map(|limit| {
            let maximum = limits.flow(move_.flow).of(limit)?;
            let used = match limit {
                Limit::Transaction => {
                    move_.transaction_id.map_or(Decimal::ZERO, |id| self.of_transaction(id))
                }
                Limit::Day | Limit::Month | Limit::Year | Limit::Balance => {
                    self.used(move_.flow, limit, move_.today)
                }
            };
            Some((limit, maximum, maximum.saturating_sub(used)))
        });
        let held = limits.balance.filter(|_| move_.flow == Flow::In);
        let held = held.map(|cap| (Limit::Balance, cap, cap.saturating_sub(move_.balance)));
        // Among equals the one that lasts longest: waiting for the others would not help.
        periods.chain(held).min_by(|(a, _, left), (b, _, other)| left.cmp(other).then(b.cmp(a)))
    }

    /// Whether `amount` can move under the limits in force.
    pub(super) fn permits(
        &self,
        tiers: &Tiers,
        move_: &Move,
        amount: Decimal,
    ) -> Result<(), Box<LimitExceeded>> {
        let Some(tier) = tiers.get(&self.tier) else { return Ok(()) };
        match self.least(&tier.limits, move_) {
            Some((limit, maximum, left)) if left < amount => {
                let mut zero = Decimal::ZERO;
                zero.rescale(maximum.scale());
                Err(Box::new(LimitExceeded {
                    tier: self.tier.clone(),
                    flow: move_.flow,
                    limit,
                    maximum,
                    left: left.max(zero),
                    resets_on: limit.resets_on(move_.today),
                }))
            }
            _ => Ok(()),
        }
    }
}

/// A movement that is to be held against the limits.
pub(super) struct Move {
    pub(super) flow: Flow,
    pub(super) today: NaiveDate,
    /// The balance before it.
    pub(super) balance: Decimal,
    /// Nothing for a transaction of its own.
    pub(super) transaction_id: Option<TransactionId>,
}

fn same_month(one: NaiveDate, other: NaiveDate) -> bool {
    (one.year(), one.month()) == (other.year(), other.month())
}

impl Account {
    /// Its tier with what counts against the limits; nothing if it is on none.
    pub fn usage(&self) -> Option<&Usage> {
        self.usage.as_deref()
    }

    /// The most that a transaction of its own could move on `today` under the tier's limits in
    /// force; nothing = no limit. Floor, ceiling and freezes are not in here.
    pub fn tier_room(&self, tiers: &Tiers, flow: Flow, today: NaiveDate) -> Option<Decimal> {
        let usage = self.usage()?;
        let tier = tiers.get(usage.tier())?;
        let move_ = Move { flow, today, balance: self.balance(), transaction_id: None };
        let (_, _, left) = usage.least(&tier.limits, &move_)?;
        Some(left.max(Decimal::ZERO))
    }

    /// Whether the tier's limits in force would let `amount` leave on `today`, in a transaction of
    /// its own.
    ///
    /// # Errors
    /// [`AccountError::LimitExceeded`], as the leg itself would say it.
    pub fn permits_out(
        &self,
        tiers: &Tiers,
        amount: Decimal,
        today: NaiveDate,
    ) -> Result<(), AccountError> {
        let Some(usage) = self.usage() else { return Ok(()) };
        let (flow, balance) = (Flow::Out, self.balance());
        let move_ = Move { flow, today, balance, transaction_id: None };
        usage.permits(tiers, &move_, amount).map_err(AccountError::LimitExceeded)
    }

    /// The day on which a leg counts against the limits of the tier, if it does.
    pub(super) fn counted_on(&self, post: &PostLeg) -> Result<Option<NaiveDate>, AccountError> {
        let Some(usage) = self.usage() else { return Ok(None) };
        if post.kind.is_exempt_from_limits() {
            return Ok(None);
        }
        let transaction_id = Some(post.transaction_id);
        let (flow, today) = (self.flow(post.direction), post.today);
        let move_ = Move { flow, today, balance: self.balance(), transaction_id };
        usage.permits(&post.tiers, &move_, post.amount).map_err(AccountError::LimitExceeded)?;
        Ok(Some(post.today))
    }

    /// Which way money moves with a leg on this side.
    fn flow(&self, direction: Direction) -> Flow {
        if direction == self.normal_side() { Flow::In } else { Flow::Out }
    }

    pub(super) fn posted(&mut self, direction: Direction, leg: &Leg) {
        let sum = match direction {
            Direction::Debit => &mut self.debits_posted,
            Direction::Credit => &mut self.credits_posted,
        };
        *sum = sum.saturating_add(leg.amount);
        let flow = self.flow(direction);
        if let (Some(usage), Some(on)) = (&mut self.usage, leg.counted_on) {
            usage.count(flow, leg.transaction_id, leg.amount, on);
        }
    }

    pub(super) fn decide_tier(
        &self,
        tier: Option<(TierName, u32)>,
    ) -> Result<AccountEvent, AccountError> {
        if self.open()?.class != PostingClass::Open {
            return Err(AccountError::TierNotAllowed);
        }
        let (tier, version) = tier.unzip();
        Ok(AccountEvent::TierSet(TierSet { tier, version }))
    }

    pub(super) fn put_on(&mut self, tier: Option<TierName>) {
        match (&mut self.usage, tier) {
            (Some(usage), Some(tier)) => usage.move_to(tier),
            (usage, tier) => *usage = tier.map(|tier| Box::new(Usage::new(tier))),
        }
    }
}
