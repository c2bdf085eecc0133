//! From a command to what each aggregate is asked: pure, and the same for everybody who executes
//! it. The engine runs the steps on aggregates in memory; the tests' reference executor runs the
//! very same steps through the plain `CqrsFramework`, and both must write the same log.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::{
    account::{AccountCommand, Freeze, FreezeMode, HoldEnd, PostLeg},
    book::{Book, BookCommand},
    chart::{Authority, Direction},
    clock::Timestamp,
    command::{CaptureHold, Command, FreezeAccount, Operation, PlaceHold, Rejection, Reverse},
    hold::{Hold, HoldCommand, HoldError},
    ids::{AccountId, HoldId, Reference, TransactionId},
    money::{Currency, Money},
    posting::{Kind, Posting, PostingError, PostingLeg},
    reversal::ReversalCommand,
};

/// The most transactions that stand or fall together in one command.
pub const TRANSACTIONS_MAX: usize = 100;

/// A stream that a command touches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StreamId {
    /// The book.
    Book,
    /// An account.
    Account(AccountId),
    /// A hold.
    Hold(HoldId),
    /// The reversal of a transaction.
    Reversal(TransactionId),
}

/// What one aggregate is asked.
#[derive(Debug, Clone)]
pub enum Step {
    /// The book.
    Book(BookCommand),
    /// An account.
    Account(AccountId, AccountCommand),
    /// A hold.
    Hold(HoldId, HoldCommand),
    /// The reversal of a transaction.
    Reversal(TransactionId, ReversalCommand),
}

/// A command, taken apart. All steps are accepted, or nothing happens.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What is asked, in the order in which the events will stand in the log.
    pub steps: Vec<Step>,
    /// What is answered if all accept.
    pub receipt: ReceiptPlan,
    /// Words to keep beside the log.
    pub notes: Vec<(TransactionId, String)>,
}

/// What is answered if all steps are accepted, up to what only the aggregates know.
#[derive(Debug, Clone)]
pub enum ReceiptPlan {
    /// The account's sequence.
    Account(AccountId),
    /// The transactions.
    Posted {
        /// Their ids.
        transactions: Vec<TransactionId>,
        /// Their business dates.
        effective_on: Vec<NaiveDate>,
    },
    /// The hold's account and amount.
    Hold(HoldId),
    /// The hold's end, with a transaction.
    Captured {
        /// The hold.
        hold_id: HoldId,
        /// Its account.
        account: AccountId,
        /// The transaction.
        transaction_id: TransactionId,
        /// What is posted.
        amount: Decimal,
        /// What is free again.
        released: Decimal,
        /// The business date.
        effective_on: NaiveDate,
    },
    /// The book's sequence.
    Book,
}

impl ReceiptPlan {
    /// Which of several transactions a step posts a leg of: a refusal of the step names it.
    pub fn transaction_of(&self, step: &Step) -> Option<u16> {
        let Self::Posted { transactions, .. } = self else {
            return None;
        };
        let Step::Account(_, AccountCommand::Post(leg)) = step else {
            return None;
        };
        let index = transactions.iter().position(|id| *id == leg.transaction_id)?;
        u16::try_from(index).ok().filter(|_| transactions.len() > 1)
    }
}

/// What a plan may look at: aggregates as they are before the command.
pub trait View {
    /// The book.
    fn book(&self) -> &Book;
    /// A hold; the default one if it was never placed.
    fn hold(&self, hold_id: HoldId) -> Hold;
    /// The normal side of an account; nothing if it was never opened.
    fn normal_side(&self, account: &AccountId) -> Option<Direction>;
}

/// The streams that a command touches, as far as the command itself names them. A hold's account
/// is known once the hold is: see [`account_of_hold`].
pub fn streams(operation: &Operation) -> Vec<StreamId> {
    match operation {
        Operation::OpenAccount(open) => vec![StreamId::Account(open.account.clone())],
        Operation::ChangeLimits(change) => vec![StreamId::Account(change.account.clone())],
        Operation::Freeze(freeze) => vec![StreamId::Account(freeze.account.clone())],
        Operation::Unfreeze { account, .. } | Operation::CloseAccount { account } => {
            vec![StreamId::Account(account.clone())]
        }
        Operation::Post(postings) => postings
            .iter()
            .flat_map(|posting| &posting.legs)
            .map(|leg| StreamId::Account(leg.account.clone()))
            .collect(),
        Operation::PlaceHold(place) => {
            vec![StreamId::Hold(place.hold_id), StreamId::Account(place.account.clone())]
        }
        Operation::IncreaseHold(increase) => vec![StreamId::Hold(increase.hold_id)],
        Operation::CaptureHold(capture) => {
            let accounts = capture.to.iter().map(|leg| StreamId::Account(leg.account.clone()));
            std::iter::once(StreamId::Hold(capture.hold_id)).chain(accounts).collect()
        }
        Operation::ReleaseHold { hold_id } | Operation::ExpireHold { hold_id } => {
            vec![StreamId::Hold(*hold_id)]
        }
        Operation::Reverse(reverse) => {
            let legs = reverse.original_legs.iter();
            let accounts = legs.map(|leg| StreamId::Account(leg.account.clone()));
            std::iter::once(StreamId::Reversal(reverse.original)).chain(accounts).collect()
        }
        Operation::OpenBook { .. } | Operation::AddCurrency(_) => vec![StreamId::Book],
    }
}

/// The hold whose account a command touches without naming it.
pub const fn account_of_hold(operation: &Operation) -> Option<HoldId> {
    match operation {
        Operation::IncreaseHold(increase) => Some(increase.hold_id),
        Operation::CaptureHold(capture) => Some(capture.hold_id),
        Operation::ReleaseHold { hold_id } | Operation::ExpireHold { hold_id } => Some(*hold_id),
        Operation::OpenAccount(_)
        | Operation::ChangeLimits(_)
        | Operation::Freeze(_)
        | Operation::Unfreeze { .. }
        | Operation::CloseAccount { .. }
        | Operation::Post(_)
        | Operation::PlaceHold(_)
        | Operation::Reverse(_)
        | Operation::OpenBook { .. }
        | Operation::AddCurrency(_) => None,
    }
}

/// Takes a command apart.
///
/// # Errors
/// A [`Rejection`] if the command is refused whatever its aggregates say.
pub fn plan(command: &Command, view: &impl View, now: Timestamp) -> Result<Plan, Rejection> {
    let planner = Planner { view, now, authority: command.authority };
    match &command.operation {
        Operation::OpenAccount(open) => {
            planner.known(open.currency)?;
            let account = &open.account;
            Ok(on_account(account, AccountCommand::Open(open.clone())))
        }
        Operation::ChangeLimits(change) => {
            let (floor, ceiling) = (change.floor, change.ceiling);
            Ok(on_account(&change.account, AccountCommand::ChangeLimits { floor, ceiling }))
        }
        Operation::Freeze(freeze) => planner.freeze(freeze),
        Operation::Unfreeze { account, reference } => {
            let reference = reference.clone();
            Ok(on_account(account, AccountCommand::Unfreeze { reference }))
        }
        Operation::CloseAccount { account } => Ok(on_account(account, AccountCommand::Close)),
        Operation::Post(postings) => planner.post(postings),
        Operation::PlaceHold(place) => planner.place_hold(place),
        Operation::IncreaseHold(increase) => planner.increase_hold(increase.hold_id, increase.by),
        Operation::CaptureHold(capture) => planner.capture_hold(capture),
        Operation::ReleaseHold { hold_id } => {
            planner.end_hold(*hold_id, HoldCommand::Release, HoldEnd::Released)
        }
        Operation::ExpireHold { hold_id } => {
            planner.end_hold(*hold_id, HoldCommand::Expire { now }, HoldEnd::Expired)
        }
        Operation::Reverse(reverse) => planner.reverse(reverse),
        Operation::OpenBook { time_zone } => {
            Ok(on_book(BookCommand::Open { time_zone: *time_zone }))
        }
        Operation::AddCurrency(currency) => Ok(on_book(BookCommand::AddCurrency(*currency))),
    }
}

fn on_account(account: &AccountId, command: AccountCommand) -> Plan {
    Plan {
        steps: vec![Step::Account(account.clone(), command)],
        receipt: ReceiptPlan::Account(account.clone()),
        notes: Vec::new(),
    }
}

fn on_book(command: BookCommand) -> Plan {
    Plan { steps: vec![Step::Book(command)], receipt: ReceiptPlan::Book, notes: Vec::new() }
}

struct Planner<'a, V> {
    view: &'a V,
    now: Timestamp,
    authority: Authority,
}

impl<V: View> Planner<'_, V> {
    fn known(&self, currency: Currency) -> Result<(), Rejection> {
        if self.view.book().currency(currency.code) == Some(currency) {
            Ok(())
        } else {
            Err(Rejection::new("currency_unknown", "the book does not have this currency"))
        }
    }

    /// An amount that is above zero, in `account`'s currency, as the book has it.
    fn amount(&self, account: &AccountId, amount: Money) -> Result<Decimal, Rejection> {
        self.known(amount.currency())?;
        if account.currency() != Ok(amount.currency().code) {
            let text = "the amount is in another currency than the account";
            return Err(Rejection::new("currency_mismatch", text).of(account));
        }
        if !amount.is_positive() {
            return Err(Rejection::new("amount_not_positive", "the amount must be above zero"));
        }
        Ok(amount.amount())
    }

    fn today(&self, effective_on: Option<NaiveDate>) -> NaiveDate {
        effective_on.unwrap_or_else(|| self.view.book().day(self.now))
    }

    fn freeze(&self, freeze: &FreezeAccount) -> Result<Plan, Rejection> {
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

    fn post(&self, postings: &[Posting]) -> Result<Plan, Rejection> {
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
            self.legs(posting, day, None, &mut steps).map_err(located)?;
        }
        let notes = postings.iter().filter_map(|p| p.note.clone().map(|n| (p.transaction_id, n)));
        let transactions = postings.iter().map(|p| p.transaction_id).collect();
        Ok(Plan {
            notes: notes.collect(),
            receipt: ReceiptPlan::Posted { transactions, effective_on },
            steps,
        })
    }

    /// The legs of one transaction, as steps of their accounts.
    fn legs(
        &self,
        posting: &Posting,
        effective_on: NaiveDate,
        cause: Option<&Reference>,
        steps: &mut Vec<Step>,
    ) -> Result<(), Rejection> {
        posting.check().map_err(Rejection::from)?;
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
                authority: self.authority,
                expected_sequence: condition.filter(|_| first).and_then(|c| c.sequence),
                minimum_balance: condition.filter(|_| last).and_then(|c| c.minimum_balance),
            });
            steps.push(Step::Account(leg.account.clone(), command));
        }
        Ok(())
    }

    fn place_hold(&self, place: &PlaceHold) -> Result<Plan, Rejection> {
        let amount = self.amount(&place.account, place.amount)?;
        let (hold_id, expires_at) = (place.hold_id, place.expires_at);
        let hold = HoldCommand::Place {
            account: place.account.clone(),
            amount,
            expires_at,
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
        let account = hold.account().cloned();
        account.map(|account| (hold, account)).ok_or_else(|| HoldError::NotFound.into())
    }

    fn increase_hold(&self, hold_id: HoldId, by: Money) -> Result<Plan, Rejection> {
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

    fn end_hold(
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

    fn capture_hold(&self, capture: &CaptureHold) -> Result<Plan, Rejection> {
        let hold_id = capture.hold_id;
        let (hold, account) = self.held_account(hold_id)?;
        let amount = match capture.amount {
            Some(amount) => self.amount(&account, amount)?,
            None => hold.amount(),
        };
        let posting = self.capture_posting(capture, &account, amount)?;
        let now = self.now;
        let transaction_id = capture.transaction_id;
        let command = HoldCommand::Capture { amount, transaction_id, now };
        let ended =
            AccountCommand::EndHold { hold_id, amount: hold.amount(), end: HoldEnd::Captured };
        let mut steps = vec![Step::Hold(hold_id, command), Step::Account(account.clone(), ended)];
        let effective_on = self.today(capture.effective_on);
        let cause = reference(&hold_id)?;
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
            notes: capture.note.clone().map(|note| (transaction_id, note)).into_iter().collect(),
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

    fn reverse(&self, reverse: &Reverse) -> Result<Plan, Rejection> {
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
        let mut steps = vec![Step::Reversal(reverse.original, ReversalCommand::Reverse { by })];
        let day = self.today(reverse.effective_on);
        self.legs(&posting, day, Some(&reference(&reverse.original)?), &mut steps)?;
        Ok(Plan {
            steps,
            receipt: ReceiptPlan::Posted { transactions: vec![by], effective_on: vec![day] },
            notes: reverse.note.clone().map(|note| (by, note)).into_iter().collect(),
        })
    }
}

fn reference(id: &impl ToString) -> Result<Reference, Rejection> {
    id.to_string().parse().map_err(|_| Rejection::new("malformed", "the id is no reference"))
}

impl From<PostingError> for Rejection {
    fn from(error: PostingError) -> Self {
        Self::new(error.code(), &error.to_string())
    }
}

impl From<HoldError> for Rejection {
    fn from(error: HoldError) -> Self {
        Self::new(error.code(), &error.to_string())
    }
}
