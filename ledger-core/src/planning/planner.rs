//! Takes each kind of command apart. What it refuses, it refuses without asking an aggregate.

use std::sync::Arc;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{Plan, ReceiptPlan, Step, TRANSACTIONS_MAX, View, checks, on_account};
use crate::{
    account::{AccountCommand, Freeze, FreezeMode, HoldEnd, PostLeg},
    chart::{Authority, Direction},
    clock::Timestamp,
    command::{
        CaptureHold, ChangeLimits, FreezeAccount, OpenAccount, PlaceHold, Rejection, Reverse,
    },
    hold::{Hold, HoldCommand, HoldError},
    ids::{AccountId, HoldId, Reference},
    money::{Currency, Money},
    posting::{Kind, Posting, PostingLeg},
    reversal::ReversalCommand,
};

/// What a command is taken apart with.
pub(super) struct Planner<'a, V> {
    pub(super) view: &'a V,
    pub(super) now: Timestamp,
    pub(super) authority: Authority,
}

impl<V: View> Planner<'_, V> {
    pub(super) fn open_account(&self, open: &OpenAccount) -> Result<Plan, Rejection> {
        let OpenAccount { account, currency, floor, ceiling, .. } = open;
        self.known(*currency)?;
        if account.currency() != Ok(currency.code) {
            return Err(checks::other_currency(account));
        }
        checks::limits(*currency, &[*floor, *ceiling]).map_err(|r| r.of(account))?;
        Ok(on_account(account, AccountCommand::Open(open.clone())))
    }

    pub(super) fn change_limits(&self, change: &ChangeLimits) -> Result<Plan, Rejection> {
        let ChangeLimits { account, floor, ceiling } = change.clone();
        // An account in a currency that the book lacks does not exist, which it will say itself.
        let code = account.currency().ok();
        if let Some(currency) = code.and_then(|code| self.view.book().currency(code)) {
            checks::limits(currency, &[floor, ceiling]).map_err(|r| r.of(&account))?;
        }
        Ok(on_account(&account, AccountCommand::ChangeLimits { floor, ceiling }))
    }

    pub(super) fn known(&self, currency: Currency) -> Result<(), Rejection> {
        if self.view.book().currency(currency.code) == Some(currency) {
            Ok(())
        } else {
            Err(Rejection::new("currency_unknown", "the book does not have this currency"))
        }
    }

    /// An amount that is above zero, in `account`'s currency, as the book has it.
    pub(super) fn amount(&self, account: &AccountId, amount: Money) -> Result<Decimal, Rejection> {
        self.known(amount.currency())?;
        if account.currency() != Ok(amount.currency().code) {
            return Err(checks::other_currency(account));
        }
        if !amount.is_positive() {
            return Err(Rejection::new("amount_not_positive", "the amount must be above zero"));
        }
        Ok(amount.amount())
    }

    pub(super) fn today(&self, effective_on: Option<NaiveDate>) -> NaiveDate {
        effective_on.unwrap_or_else(|| self.view.book().day(self.now))
    }

    pub(super) fn freeze(&self, freeze: &FreezeAccount) -> Result<Plan, Rejection> {
        let amount = match (freeze.mode, freeze.amount) {
            (FreezeMode::Lien, Some(amount)) => Some(self.amount(&freeze.account, amount)?),
            (FreezeMode::Debit | FreezeMode::Credit | FreezeMode::Both, None) => None,
            _ => {
                let text = "an amount is given for a lien, and only for a lien";
                return Err(Rejection::new("lien_amount", text));
            }
        };
        let (reference, mode) = (freeze.reference.clone(), freeze.mode);
        let command = AccountCommand::Freeze(Freeze { reference, mode, amount });
        Ok(on_account(&freeze.account, command))
    }

    pub(super) fn post(&self, postings: &[Posting]) -> Result<Plan, Rejection> {
        if postings.is_empty() || postings.len() > TRANSACTIONS_MAX {
            let text = format!("1 to {TRANSACTIONS_MAX} transactions stand or fall together");
            return Err(Rejection::new("transaction_count", &text));
        }
        let mut steps = Vec::with_capacity(postings.len().saturating_mul(2));
        let mut effective_on = Vec::with_capacity(postings.len());
        for (index, posting) in (0_u16..).zip(postings) {
            let day = self.today(posting.effective_on);
            effective_on.push(day);
            let located = |r: Rejection| {
                if postings.len() > 1 { r.in_transaction(index) } else { r }
            };
            let fee_version = self.check_transfer_fee(posting).map_err(located)?;
            let first = steps.len();
            self.legs(posting, day, None, &mut steps).map_err(located)?;
            if let Some(Step::Account(_, AccountCommand::Post(leg))) = steps.get_mut(first) {
                leg.fee_version = fee_version;
            }
        }
        let notes = postings.iter().map(|p| checks::note(p.transaction_id, p.note.as_deref()));
        let notes = notes.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
        let transactions = postings.iter().map(|p| p.transaction_id).collect();
        Ok(Plan { notes, receipt: ReceiptPlan::Posted { transactions, effective_on }, steps })
    }

    /// The legs of one transaction, as steps of their accounts.
    pub(super) fn legs(
        &self,
        posting: &Posting,
        effective_on: NaiveDate,
        cause: Option<&Reference>,
        steps: &mut Vec<Step>,
    ) -> Result<(), Rejection> {
        if self.view.book().is_closed(effective_on) {
            let text = "the business date lies in a period that is closed";
            return Err(Rejection::new("period_closed", text));
        }
        self.legs_of_any_day(posting, effective_on, cause, steps)
    }

    /// [`Self::legs`], on closed days too: for what closes a year, and for nothing else.
    pub(super) fn legs_of_any_day(
        &self,
        posting: &Posting,
        effective_on: NaiveDate,
        cause: Option<&Reference>,
        steps: &mut Vec<Step>,
    ) -> Result<(), Rejection> {
        posting.check().map_err(Rejection::from)?;
        let today = self.today(None);
        let legs = u16::try_from(posting.legs.len()).unwrap_or(u16::MAX);
        for (number, leg) in (1_u16..).zip(&posting.legs) {
            self.known(leg.amount.currency())?;
            let index = usize::from(number).saturating_sub(1);
            let same = |other: &PostingLeg| other.account == leg.account;
            let first = !posting.legs.iter().take(index).any(same);
            let last = !posting.legs.iter().skip(usize::from(number)).any(same);
            // Before the first leg the sequence is as the client knows it; after the last leg the
            // balance is what the client asks about.
            let condition = posting.conditions.iter().find(|c| c.account == leg.account);
            let command = AccountCommand::Post(PostLeg {
                transaction_id: posting.transaction_id,
                leg: number,
                legs,
                kind: posting.kind.clone(),
                direction: leg.direction,
                amount: leg.amount.amount(),
                effective_on,
                value_date: posting.value_date,
                item: leg.item.clone(),
                cause: cause.cloned(),
                fee_version: None,
                authority: self.authority,
                expected_sequence: condition.filter(|_| first).and_then(|c| c.sequence),
                minimum_balance: condition.filter(|_| last).and_then(|c| c.minimum_balance),
                today,
                tiers: Arc::clone(self.view.book().tiers()),
            });
            steps.push(Step::Account(leg.account.clone(), command));
        }
        Ok(())
    }

    pub(super) fn place_hold(&self, place: &PlaceHold) -> Result<Plan, Rejection> {
        let amount = self.amount(&place.account, place.amount)?;
        let (hold_id, expires_at) = (place.hold_id, place.expires_at);
        let hold = HoldCommand::Place {
            account: place.account.clone(),
            amount,
            expires_at,
            cause: None,
            now: self.now,
        };
        let account =
            AccountCommand::PlaceHold { hold_id, amount, expires_at, authority: self.authority };
        Ok(Plan {
            steps: vec![Step::Hold(hold_id, hold), Step::Account(place.account.clone(), account)],
            receipt: ReceiptPlan::Hold(hold_id),
            notes: Vec::new(),
        })
    }

    fn held_account(&self, hold_id: HoldId) -> Result<(Hold, AccountId), Rejection> {
        let hold = self.view.hold(hold_id);
        if hold.cause().is_some() {
            let text = "the hold belongs to another object, which alone may end it";
            return Err(Rejection::new("hold_of_object", text));
        }
        let account = hold.account().cloned();
        account.map(|account| (hold, account)).ok_or_else(|| HoldError::NotFound.into())
    }

    pub(super) fn increase_hold(&self, hold_id: HoldId, by: Money) -> Result<Plan, Rejection> {
        let (_, account) = self.held_account(hold_id)?;
        let amount = self.amount(&account, by)?;
        let hold = HoldCommand::Increase { by: amount, now: self.now };
        let command = AccountCommand::IncreaseHold { hold_id, amount, authority: self.authority };
        Ok(Plan {
            steps: vec![Step::Hold(hold_id, hold), Step::Account(account, command)],
            receipt: ReceiptPlan::Hold(hold_id),
            notes: Vec::new(),
        })
    }

    pub(super) fn end_hold(
        &self,
        hold_id: HoldId,
        command: HoldCommand,
        end: HoldEnd,
    ) -> Result<Plan, Rejection> {
        let (hold, account) = self.held_account(hold_id)?;
        let ended = AccountCommand::EndHold { hold_id, amount: hold.amount(), end };
        Ok(Plan {
            steps: vec![Step::Hold(hold_id, command), Step::Account(account, ended)],
            receipt: ReceiptPlan::Hold(hold_id),
            notes: Vec::new(),
        })
    }

    pub(super) fn capture_hold(&self, capture: &CaptureHold) -> Result<Plan, Rejection> {
        let hold_id = capture.hold_id;
        let (hold, account) = self.held_account(hold_id)?;
        let amount = match capture.amount {
            Some(amount) => self.amount(&account, amount)?,
            None => hold.amount(),
        };
        let posting = self.capture_posting(capture, &account, amount)?;
        let now = self.now;
        let transaction_id = capture.transaction_id;
        let note = checks::note(transaction_id, capture.note.as_deref())?;
        let command = HoldCommand::Capture { amount, transaction_id, now };
        let ended =
            AccountCommand::EndHold { hold_id, amount: hold.amount(), end: HoldEnd::Captured };
        let mut steps = vec![Step::Hold(hold_id, command), Step::Account(account.clone(), ended)];
        let effective_on = self.today(capture.effective_on);
        let cause = checks::reference(&hold_id)?;
        self.legs(&posting, effective_on, Some(&cause), &mut steps)?;
        Ok(Plan {
            steps,
            receipt: ReceiptPlan::Captured {
                hold_id,
                account,
                transaction_id,
                amount,
                released: hold.amount().saturating_sub(amount),
                effective_on,
            },
            notes: note.into_iter().collect(),
        })
    }

    /// The transaction that posts a hold: the held account's decrease against the given legs.
    fn capture_posting(
        &self,
        capture: &CaptureHold,
        account: &AccountId,
        amount: Decimal,
    ) -> Result<Posting, Rejection> {
        let unknown = || Rejection::new("currency_unknown", "the book does not have the currency");
        let code = account.currency().map_err(|_| unknown())?;
        let currency = self.view.book().currency(code).ok_or_else(unknown)?;
        let captured = Money::from_decimal(amount, currency)
            .map_err(|error| Rejection::new(error.code(), &error.to_string()))?;
        let normal_side = self.view.normal_side(account).unwrap_or(Direction::Credit);
        let decrease = normal_side.opposite();
        let single = capture.to.len() == 1;
        let first = PostingLeg {
            account: account.clone(),
            direction: decrease,
            amount: captured,
            item: None,
        };
        let mut legs = vec![first];
        for to in &capture.to {
            let amount = match to.amount {
                Some(amount) => amount,
                None if single => captured,
                None => {
                    let text = "with several legs each must state its amount";
                    return Err(Rejection::new("amount_required", text));
                }
            };
            let (account, item) = (to.account.clone(), to.item.clone());
            legs.push(PostingLeg { account, direction: normal_side, amount, item });
        }
        Ok(Posting {
            transaction_id: capture.transaction_id,
            kind: capture.kind.clone(),
            legs,
            effective_on: capture.effective_on,
            value_date: capture.value_date,
            conditions: Vec::new(),
            note: None,
        })
    }

    pub(super) fn reverse(&self, reverse: &Reverse) -> Result<Plan, Rejection> {
        let by_hold = |cause: &Reference| cause.as_str().starts_with(HoldId::PREFIX);
        let belongs = reverse.original_cause.as_ref().is_some_and(|cause| !by_hold(cause));
        if belongs || reverse.original_kind.as_str() == Kind::REVERSAL {
            let text = "the transaction belongs to another object, which alone may undo it";
            return Err(Rejection::new("not_reversible", text));
        }
        let opposite =
            |leg: &PostingLeg| PostingLeg { direction: leg.direction.opposite(), ..leg.clone() };
        let posting = Posting {
            transaction_id: reverse.transaction_id,
            kind: Kind::reversal(),
            legs: reverse.original_legs.iter().map(opposite).collect(),
            effective_on: reverse.effective_on,
            value_date: None,
            conditions: Vec::new(),
            note: None,
        };
        let by = reverse.transaction_id;
        let note = checks::note(by, reverse.note.as_deref())?;
        let mut steps = vec![Step::Reversal(reverse.original, ReversalCommand::Reverse { by })];
        let day = self.today(reverse.effective_on);
        self.legs(&posting, day, Some(&checks::reference(&reverse.original)?), &mut steps)?;
        Ok(Plan {
            steps,
            receipt: ReceiptPlan::Posted { transactions: vec![by], effective_on: vec![day] },
            notes: note.into_iter().collect(),
        })
    }
}
