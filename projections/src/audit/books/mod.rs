//! The second half of the check: that what the log says makes sense.
//!
//! Every balance is made again from the events alone, by the rules of docs/events.md, and compared
//! with what the events state. No code is shared with the engine that wrote them. After a finding
//! the stated value is taken over, so that one wrong event is one finding.
//!
//! Memory: a record per account, per open hold and per open item; 16 bytes and the table's
//! overhead per hold that has ended (it may not act again); 24 bytes and the overhead per
//! withdrawal; some 200 per payment; 16 bytes and the overhead per transfer that has ended; 32
//! bytes and the overhead per transaction (its id may not come again, and a keyed 64-bit digest of
//! its legs is what a reversal is compared with; the key is drawn afresh for each run, so that no
//! log can be made to fit it).

mod account;
mod accounts;
mod bank_line;
mod currency;
mod deposit;
mod expected;
mod fees;
mod frozen;
mod hold;
mod hold_events;
mod object;
mod payment;
mod periods;
mod reading;
mod settling;
mod suspense;
mod tier;
mod transaction;
mod transfer;
mod withdrawal;

use accounts::Accounts;
use bank_line::BankLines;
use currency::Currencies;
use deposit::Deposits;
use frozen::Frozen;
use hold::Holds;
use payment::Payments;
use reading::read;
use suspense::Leaving;
use transaction::{Move, Transactions};
use transfer::{Around, Transfers};
use withdrawal::Withdrawals;

pub(crate) use accounts::Balance;
pub use frozen::{Days, Until};

use super::{
    finding::{Code, Findings, Place},
    payload as shape,
    record::{Event, Item},
    report::{CurrencyFigures, HoldFigures},
    snapshots::Snapshots,
};

/// The fold over the whole log.
#[derive(Debug)]
pub(super) struct Books {
    pub findings: Findings,
    currencies: Currencies,
    accounts: Accounts,
    holds: Holds,
    transactions: Transactions,
    withdrawals: Withdrawals,
    bank_lines: BankLines,
    deposits: Deposits,
    transfers: Transfers,
    leaving: Leaving,
    payments: Payments,
    /// Every balance at a place that somebody asked for, once the fold has come there.
    frozen: Frozen,
}

/// What the books came to.
pub(super) struct Totals {
    pub findings: Findings,
    pub entries: u64,
    pub transactions: u64,
    pub reversals: u64,
    pub accounts: u64,
    pub accounts_closed: u64,
    pub open_items: u64,
    pub holds: HoldFigures,
    pub currencies: Vec<CurrencyFigures>,
    pub balances: Option<Vec<Balance>>,
    /// The last position that is in those balances.
    pub balances_at: i64,
    pub snapshots: Option<Snapshots>,
}

impl Books {
    /// `until`: where the balances are wanted, and of which days.
    pub(super) fn new(
        findings_max: usize,
        until: Option<(Until, Option<Days>)>,
        snapshots: Option<Snapshots>,
    ) -> Self {
        Self {
            findings: Findings::new(findings_max),
            currencies: Currencies::default(),
            accounts: Accounts::new(snapshots),
            holds: Holds::default(),
            transactions: Transactions::default(),
            withdrawals: Withdrawals::default(),
            bank_lines: BankLines::default(),
            deposits: Deposits::default(),
            transfers: Transfers::default(),
            leaving: Leaving::default(),
            payments: Payments::default(),
            frozen: Frozen::new(until),
        }
    }

    pub(super) fn item(&mut self, item: &Item<'_>) {
        self.findings.next_row();
        match item {
            Item::Event(event) => self.event(event),
            Item::Batch(_) => self.batch_ends(),
            Item::End(_) => {}
            Item::Unreadable { .. } => self.transactions.distrust(),
        }
    }

    fn event(&mut self, event: &Event<'_>) {
        let place = Place {
            position: event.position,
            aggregate_type: event.aggregate_type,
            aggregate_id: event.aggregate_id,
        };
        let is_leg =
            event.aggregate_type == "account" && matches!(event.event_type, "debited" | "credited");
        let amid = is_leg && self.transactions.is_amid();
        self.frozen.before(event, amid, &self.accounts, &self.currencies.tiers);
        if !is_leg {
            self.transactions.interrupt(&mut self.findings);
            self.metadata(place, event.metadata);
        }
        match event.aggregate_type {
            "account" => self.account_event(place, event),
            "hold" => self.hold_event(place, event),
            "reversal" => self.reversal_event(place, event),
            "deposit" => {
                let Self { deposits, transactions, bank_lines, leaving, findings, .. } = self;
                deposits.event(place, event, (transactions, bank_lines, leaving), findings);
            }
            "withdrawal" => {
                self.currencies.fees.charged(place, event, &mut self.findings);
                let Self { withdrawals, transactions, leaving, findings, .. } = self;
                withdrawals.event(place, event, (transactions, leaving), findings);
            }
            "transfer" | "payment" => {
                self.currencies.fees.charged(place, event, &mut self.findings);
                let Self { accounts, transactions, findings, .. } = self;
                let mut around = Around { accounts, transactions, findings };
                if event.aggregate_type == "payment" {
                    self.payments.event(place, event, &self.currencies.terms, &mut around);
                } else {
                    self.transfers.event(place, event, &mut around);
                }
            }
            "bank_line" => {
                self.bank_lines.event(place, event, &mut self.leaving, &mut self.findings);
            }
            "payment_request" => self.payments.request_event(place, event, &mut self.findings),
            "book" => self.currencies.event(place, event, &mut self.findings),
            _ => self.unknown_type(place, event),
        }
    }

    fn unknown_type(&mut self, place: Place<'_>, event: &Event<'_>) {
        let words = format!(
            "no stream of type {:?} has events of type {:?}",
            event.aggregate_type, event.event_type
        );
        self.findings.event(place, Code::EventTypeUnknown, words);
    }

    fn metadata(&mut self, place: Place<'_>, bytes: &[u8]) {
        if bytes == b"{}" {
            return;
        }
        if let Err(error) = shape::read::<shape::Metadata>(bytes) {
            self.findings.event(place, Code::MetadataUnreadable, error);
        }
    }

    fn account_event(&mut self, place: Place<'_>, event: &Event<'_>) {
        if event.event_type == "opened" {
            if let Some(opened) = read(place, event, &mut self.findings) {
                self.accounts.open(
                    place,
                    event.sequence,
                    &opened,
                    &mut self.currencies,
                    &mut self.findings,
                );
            } else {
                self.accounts.unknown(place, event.sequence, &mut self.currencies);
            }
            return;
        }
        let index = self.accounts.find(event.aggregate_id).unwrap_or_else(|| {
            let words = "the account was never opened";
            self.findings.event(place, Code::AccountUnknown, words);
            let before = event.sequence.saturating_sub(1);
            self.accounts.unknown(place, before, &mut self.currencies)
        });
        let account = self.accounts.at(index);
        account.sequence(place, event.sequence, &mut self.findings);
        account.still_open(place, &mut self.findings);
        match event.event_type {
            "debited" => self.leg(place, event, index, true),
            "credited" => self.leg(place, event, index, false),
            "hold_placed" | "hold_increased" | "hold_captured" | "hold_released"
            | "hold_expired" => self.hold_change(place, event, index),
            _ => self.account_rule(place, event, index),
        }
        self.accounts.compare_snapshot(index);
    }

    fn leg(&mut self, place: Place<'_>, event: &Event<'_>, index: usize, debit: bool) {
        let Some(leg) = read::<shape::Leg<'_>>(place, event, &mut self.findings) else {
            self.transactions.distrust();
            self.accounts.at(index).distrust();
            return;
        };
        if leg.leg == 1 {
            self.metadata(place, event.metadata);
        } else if event.metadata != b"{}" {
            let words = "only the first leg has metadata";
            self.findings.event(place, Code::MetadataUnreadable, words);
        }
        let account = self.accounts.at(index);
        let amount = account.positive(place, &leg.amount, &mut self.findings);
        let earns = account.is_of_result();
        self.bank_lines.leg(place, &leg, &mut self.findings);
        let closes = self.bank_lines.settling.leg(place, &leg, debit);
        let at = (debit, amount, event.recorded_at);
        self.currencies.fees.leg(place, &leg, at, &mut self.findings);
        let side = amount.map(|amount| (index, debit, amount)).filter(|_| earns);
        self.currencies.periods.leg(place, &leg, side, &mut self.findings);
        let movement =
            amount.map(|amount| Move { account: index, currency: account.currency, debit, amount });
        let first = self.transactions.leg(
            place,
            &leg,
            movement.as_ref(),
            &self.currencies,
            &mut self.findings,
        );
        if let Some(movement) = &movement {
            let account = self.accounts.at(index);
            let when = (movement, first, event.recorded_at);
            account.count(place, &leg, when, &self.currencies.tiers, &mut self.findings);
            account.post(place, &leg, movement, first, &mut self.findings);
            if closes {
                settling::closed(place, &leg, account, &mut self.findings);
            }
            self.currencies.add(movement.currency, debit, movement.amount);
            self.frozen.leg(index, debit, movement.amount, &leg);
        } else {
            self.accounts.at(index).distrust();
        }
        self.transactions.complete(&leg, &mut self.accounts, &self.currencies, &mut self.findings);
    }

    fn account_rule(&mut self, place: Place<'_>, event: &Event<'_>, index: usize) {
        let account = self.accounts.at(index);
        let findings = &mut self.findings;
        match event.event_type {
            "limits_changed" => {
                if let Some(limits) = read(place, event, findings) {
                    account.limits(place, &limits, findings);
                }
            }
            "tier_set" => {
                if let Some(set) = read(place, event, findings) {
                    account.tier(place, &set, &self.currencies.tiers, findings);
                }
            }
            "frozen" => {
                if let Some(frozen) = read(place, event, findings) {
                    account.freeze(place, &frozen, findings);
                }
            }
            "unfrozen" => {
                if let Some(unfrozen) = read(place, event, findings) {
                    account.unfreeze(place, &unfrozen, findings);
                }
            }
            "closed" => {
                if read::<shape::Nothing>(place, event, findings).is_some() {
                    account.close(place, findings);
                }
            }
            _ => self.unknown_type(place, event),
        }
    }

    fn batch_ends(&mut self) {
        self.transactions.batch_ends(&mut self.findings);
        self.bank_lines.batch_ends(&mut self.findings);
        self.leaving.batch_ends(&mut self.findings);
        self.payments.batch_ends(&mut self.findings);
        self.currencies.periods.batch_ends(&mut self.findings);
        self.transfers.batch_ends(&self.holds, &mut self.findings);
        self.holds.batch_ends(&mut self.findings);
    }

    /// The log has no more.
    pub(super) fn finish(mut self) -> Totals {
        self.batch_ends();
        self.holds.compare_with(&self.accounts, &mut self.findings);
        let open_items = self.accounts.compare_items(&mut self.findings);
        self.currencies.compare(&mut self.findings);
        let (balances_at, balances) = self.frozen.taken(&self.accounts);
        Totals {
            entries: self.transactions.entries,
            transactions: self.transactions.completed,
            reversals: self.transactions.reversals,
            accounts: self.accounts.opened,
            accounts_closed: self.accounts.closed(),
            open_items,
            holds: self.holds.figures(),
            currencies: self.currencies.figures(),
            balances,
            balances_at,
            snapshots: self.accounts.snapshots(),
            findings: self.findings,
        }
    }
}
