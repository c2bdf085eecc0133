//! One account: its balance made again, and the rules that every single event has to keep.

mod freezes;

use std::collections::{BTreeMap, HashMap};

use super::{
    super::{
        amount,
        finding::{Code, Findings, Place},
        payload::{AccountOpened, AccountType, HoldChange, Leg, LimitsChanged},
        snapshots::Snapshot,
        text::Text,
    },
    tier::Usage,
    transaction::Move,
};

use freezes::Freeze;

#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent properties of an account, none of them a state of a machine"
)]
pub(super) struct Account {
    pub currency: usize,
    pub scale: u8,
    pub debit_normal: bool,
    /// As it was opened; nothing if that could not be read.
    pub of_type: Option<AccountType>,
    /// Which of the log's classes, by the order of their first mention.
    pub class: u16,
    floor: Option<i128>,
    ceiling: Option<i128>,
    pub debits: i128,
    pub credits: i128,
    pub held: i128,
    liens: i128,
    freezes: BTreeMap<Box<str>, Freeze>,
    frozen_debit: u32,
    frozen_credit: u32,
    /// Open items of an itemised account, on the normal side; an item that is even is none.
    items: Option<HashMap<Box<str>, i128>>,
    /// On a tier only, which few accounts may be.
    pub usage: Option<Box<Usage>>,
    pub sequence: i64,
    /// The engine's of it, until the books have come there.
    pub snapshot: Option<Box<Snapshot>>,
    pub closed: bool,
    /// The last transaction that moved it: the position of the first leg, the side, how much less
    /// the balance became.
    touched: (i64, bool, i128),
    /// Its opening could not be read: nothing can be said about it.
    pub unknown: bool,
    /// An event could not be read: the next stated balance is taken over.
    distrusted: bool,
    /// A stated balance was taken over: the items no longer need to add up to it.
    pub taken_over: bool,
}

impl Account {
    /// An account whose opening could not be read.
    pub(super) fn unknown(currency: usize, scale: u8, sequence: i64) -> Self {
        Self { currency, scale, sequence, unknown: true, ..Self::default() }
    }

    pub(super) fn opened(
        place: Place<'_>,
        currency: usize,
        opened: &AccountOpened<'_>,
        findings: &mut Findings,
    ) -> Self {
        let debit_normal = matches!(opened.account_type, AccountType::Asset | AccountType::Expense);
        let mut account = Self {
            currency,
            scale: opened.scale,
            debit_normal,
            of_type: Some(opened.account_type),
            items: opened.itemised.then(HashMap::new),
            ..Self::default()
        };
        account.floor = account.limit(place, opened.floor.as_ref(), findings);
        account.ceiling = account.limit(place, opened.ceiling.as_ref(), findings);
        account
    }

    pub(super) fn sequence(&mut self, place: Place<'_>, sequence: i64, findings: &mut Findings) {
        let expected = self.sequence.saturating_add(1);
        if sequence != expected {
            let words = format!("sequence {sequence} where {expected} should be");
            findings.event(place, Code::SequenceDiffers, words);
            self.distrusted = true;
        }
        self.sequence = sequence;
    }

    pub(super) fn still_open(&self, place: Place<'_>, findings: &mut Findings) {
        if self.closed {
            findings.event(place, Code::AccountClosed, "the account is closed");
        }
    }

    /// An event of the account could not be read.
    pub(super) fn distrust(&mut self) {
        self.distrusted = true;
    }

    /// How much less the account became by the transaction whose first leg is at `first`.
    pub(super) fn taken_by(&self, first: i64) -> i128 {
        let (position, _, decrease) = self.touched;
        if position == first { decrease } else { 0 }
    }

    /// An amount that has to be above zero.
    pub(super) fn positive(
        &self,
        place: Place<'_>,
        text: &str,
        findings: &mut Findings,
    ) -> Option<i128> {
        let amount = amount::parse(text, self.scale).filter(|amount| *amount > 0);
        if amount.is_none() {
            let words = format!("{text:?} is no amount above zero at scale {}", self.scale);
            findings.event(place, Code::AmountMalformed, words);
        }
        amount
    }

    fn limit(
        &self,
        place: Place<'_>,
        text: Option<&Text<'_>>,
        findings: &mut Findings,
    ) -> Option<i128> {
        let text = text?;
        let limit = amount::parse(text, self.scale);
        if limit.is_none() {
            let words = format!("{:?} is no amount at scale {}", &**text, self.scale);
            findings.event(place, Code::AmountMalformed, words);
        }
        limit
    }

    /// Whether it is one of income or expense.
    pub(super) const fn is_of_result(&self) -> bool {
        matches!(self.of_type, Some(AccountType::Income | AccountType::Expense))
    }

    /// The posted balance, on the normal side.
    pub(super) fn balance(&self) -> i128 {
        let balance = self.debits.saturating_sub(self.credits);
        if self.debit_normal { balance } else { -balance }
    }

    pub(super) fn text(&self, value: i128) -> String {
        amount::text(value, self.scale)
    }

    /// One leg. `first` names its transaction by the position of the first leg.
    pub(super) fn post(
        &mut self,
        place: Place<'_>,
        leg: &Leg<'_>,
        movement: &Move,
        first: i64,
        findings: &mut Findings,
    ) {
        if self.unknown {
            return;
        }
        let Move { debit, amount, .. } = *movement;
        self.one_side(place, debit, first, findings);
        if (debit && self.frozen_debit > 0) || (!debit && self.frozen_credit > 0) {
            findings.event(place, Code::FrozenMoved, "this side of the account is frozen");
        }
        let increases = debit == self.debit_normal;
        if increases {
            self.may_increase(place, amount, findings);
            self.touched.2 = self.touched.2.saturating_sub(amount);
        } else {
            self.may_decrease(place, amount, findings);
            self.touched.2 = self.touched.2.saturating_add(amount);
        }
        let sum = if debit { &mut self.debits } else { &mut self.credits };
        *sum = sum.saturating_add(amount);
        self.item(place, leg, if increases { amount } else { -amount }, findings);
        self.stated(place, &leg.balance_after, leg.held_after.as_ref(), findings);
    }

    fn one_side(&mut self, place: Place<'_>, debit: bool, first: i64, findings: &mut Findings) {
        let (position, side, _) = self.touched;
        if position != first {
            self.touched = (first, debit, 0);
        } else if side != debit {
            let words = "the account stands on both sides of its transaction";
            findings.event(place, Code::AccountOnBothSides, words);
        }
    }

    fn may_increase(&self, place: Place<'_>, amount: i128, findings: &mut Findings) {
        let after = self.balance().saturating_add(amount);
        if let Some(ceiling) = self.ceiling
            && after > ceiling
        {
            let (after, ceiling) = (self.text(after), self.text(ceiling));
            let words = format!("leaves {after}, the ceiling is {ceiling}");
            findings.event(place, Code::AboveCeiling, words);
        }
    }

    fn may_decrease(&self, place: Place<'_>, amount: i128, findings: &mut Findings) {
        let reserved = self.held.saturating_add(self.liens).saturating_add(amount);
        let after = self.balance().saturating_sub(reserved);
        if let Some(floor) = self.floor
            && after < floor
        {
            let (after, floor) = (self.text(after), self.text(floor));
            let words = format!("leaves {after} beside holds and liens, the floor is {floor}");
            findings.event(place, Code::BelowFloor, words);
        }
    }

    fn item(&mut self, place: Place<'_>, leg: &Leg<'_>, signed: i128, findings: &mut Findings) {
        match (&mut self.items, leg.item.as_deref()) {
            (None, None) => {}
            (None, Some(_)) => {
                findings.event(place, Code::ItemDiffers, "the account is not itemised");
            }
            (Some(_), None) => {
                findings.event(place, Code::ItemDiffers, "an itemised account's leg has no item");
            }
            (Some(items), Some(item)) => match items.get_mut(item) {
                Some(open) if *open == -signed => {
                    items.remove(item);
                }
                Some(open) => *open = open.saturating_add(signed),
                None => {
                    items.insert(Box::from(item), signed);
                }
            },
        }
    }

    /// What is open of an item, as far as that can be judged.
    pub(super) fn open_of(&self, item: &str) -> Option<&i128> {
        self.items.as_ref().filter(|_| !self.distrusted)?.get(item)
    }

    fn open_items(&self) -> usize {
        self.items.as_ref().map_or(0, HashMap::len)
    }

    /// The balance against the open items; gives how many are open.
    pub(super) fn compare_items(&self, id: &str, findings: &mut Findings) -> u64 {
        let Some(items) = &self.items else {
            return 0;
        };
        let sum = items.values().fold(0_i128, |sum, item| sum.saturating_add(*item));
        let judged = !self.taken_over && !self.distrusted;
        if judged && sum != self.balance() {
            let (balance, sum) = (self.text(self.balance()), self.text(sum));
            let words = format!("balance {balance}, open items {sum}");
            findings.stream(format!("account {id}"), Code::ItemsDiffer, words);
        }
        u64::try_from(items.len()).unwrap_or(u64::MAX)
    }

    /// A hold placed or increased (above zero) or ended (below zero).
    pub(super) fn hold(
        &mut self,
        place: Place<'_>,
        change: &HoldChange<'_>,
        signed: i128,
        findings: &mut Findings,
    ) {
        if self.unknown {
            return;
        }
        if signed > 0 {
            self.may_decrease(place, signed, findings);
        }
        self.held = self.held.saturating_add(signed);
        self.stated(place, &change.balance_after, change.held_after.as_ref(), findings);
    }

    /// Compares what the event states with what the account came to, and goes on from the former.
    fn stated(
        &mut self,
        place: Place<'_>,
        balance: &str,
        held: Option<&Text<'_>>,
        findings: &mut Findings,
    ) {
        let quiet = std::mem::take(&mut self.distrusted);
        let stated = amount::parse(balance, self.scale);
        if stated != Some(self.balance()) {
            if !quiet || stated.is_none() {
                let words = format!("states {balance}, comes to {}", self.text(self.balance()));
                findings.event(place, Code::BalanceDiffers, words);
            }
            let missing = stated.map_or(0, |stated| stated.saturating_sub(self.balance()));
            let normal = if self.debit_normal { &mut self.debits } else { &mut self.credits };
            *normal = normal.saturating_add(missing);
            self.taken_over = true;
        }
        let stated = held.map_or(Some(0), |held| amount::parse(held, self.scale));
        if stated != Some(self.held) {
            if !quiet || stated.is_none() {
                let held = held.map_or("nothing", |held| &**held);
                let words = format!("states {held} held, comes to {}", self.text(self.held));
                findings.event(place, Code::HeldDiffers, words);
            }
            self.held = stated.unwrap_or(self.held);
            self.taken_over = true;
        }
    }

    pub(super) fn limits(
        &mut self,
        place: Place<'_>,
        limits: &LimitsChanged<'_>,
        findings: &mut Findings,
    ) {
        self.floor = self.limit(place, limits.floor.as_ref(), findings);
        self.ceiling = self.limit(place, limits.ceiling.as_ref(), findings);
    }

    pub(super) fn close(&mut self, place: Place<'_>, findings: &mut Findings) {
        let empty = self.balance() == 0 && self.held == 0 && self.open_items() == 0;
        if !empty && !self.unknown {
            let words = format!(
                "closed with balance {}, {} held, {} open items",
                self.text(self.balance()),
                self.text(self.held),
                self.open_items()
            );
            findings.event(place, Code::ClosedNotEmpty, words);
        }
        self.closed = true;
    }
}
