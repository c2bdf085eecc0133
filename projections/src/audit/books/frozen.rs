//! The balances at one place of the log, taken while the fold goes on: what is checked is the whole
//! log, whatever part of it somebody asks about.

use chrono::{DateTime, NaiveDate, Utc};

use super::{
    super::{payload::Leg, record::Event, time},
    Accounts, Balance,
    tier::Tiers,
};

/// Up to where events count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// To the end of the log.
    End,
    /// Up to this position, and the end of the transaction that its event is a leg of.
    Position(i64),
    /// Up to this position and no further, even amid a transaction: where read models say that
    /// they are, which is never amid one.
    Exactly(i64),
    /// What was recorded at or before this moment.
    Moment(DateTime<Utc>),
    /// What was recorded up to the end of this day of the book.
    Day(NaiveDate),
}

/// Which legs count, by their business dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    /// From this one; nothing = from the first.
    pub from: Option<NaiveDate>,
    /// Up to this one.
    pub to: NaiveDate,
    /// Whether the transactions that close a year are left out, which move its result away.
    pub without_closings: bool,
}

/// The kind of a transaction that closes a year.
const CLOSING: &str = "year_close";

#[derive(Debug)]
pub(super) struct Frozen {
    until: Option<Until>,
    days: Option<Days>,
    /// Debits and credits of those days, by the account's index.
    sums: Vec<(i128, i128)>,
    seen: i64,
    taken: Option<(i64, Vec<Balance>)>,
}

impl Frozen {
    pub(super) fn new(until: Option<(Until, Option<Days>)>) -> Self {
        let (until, days) = until.unzip();
        Self { until, days: days.flatten(), sums: Vec::new(), seen: 0, taken: None }
    }

    /// An event is about to be folded: if it lies behind the place, the balances are taken; `amid`
    /// a transaction not by its position, since debits are not credits there.
    pub(super) fn before(
        &mut self,
        event: &Event<'_>,
        amid: bool,
        accounts: &Accounts,
        book: &Tiers,
    ) {
        let behind = match self.until {
            None | Some(Until::End) => false,
            Some(Until::Position(position)) => event.position > position && !amid,
            Some(Until::Exactly(position)) => event.position > position,
            Some(Until::Moment(moment)) => event.recorded_at > moment.timestamp_micros(),
            Some(Until::Day(day)) => book.day(event.recorded_at).is_none_or(|at| at > day),
        };
        if behind && self.taken.is_none() {
            self.taken = Some((self.seen, self.balances(accounts)));
        }
        self.seen = event.position;
    }

    /// A leg was folded.
    pub(super) fn leg(&mut self, account: usize, debit: bool, amount: i128, leg: &Leg<'_>) {
        let Some(days) = self.days.filter(|_| self.taken.is_none()) else {
            return;
        };
        let counts = time::date(&leg.effective_on)
            .is_some_and(|day| day <= days.to && days.from.is_none_or(|from| day >= from));
        if !counts || (days.without_closings && &*leg.kind == CLOSING) {
            return;
        }
        if self.sums.len() <= account {
            self.sums.resize(account.saturating_add(1), (0, 0));
        }
        if let Some((debits, credits)) = self.sums.get_mut(account) {
            let sum = if debit { debits } else { credits };
            *sum = sum.saturating_add(amount);
        }
    }

    fn balances(&self, accounts: &Accounts) -> Vec<Balance> {
        if self.days.is_none() {
            return accounts.balances();
        }
        accounts.balances_of(|index, _| self.sums.get(index).copied().unwrap_or((0, 0)))
    }

    /// The balances, if somebody asked for them, and the last position that is in them.
    pub(super) fn taken(self, accounts: &Accounts) -> (i64, Option<Vec<Balance>>) {
        let end = (self.until.is_some()).then(|| self.balances(accounts));
        match self.taken {
            Some((position, balances)) => (position, Some(balances)),
            None => (self.seen, end),
        }
    }
}
