//! Takes operations on withdrawals apart: what the withdrawal says to them, and the transactions
//! that follow from it. Accounts that are the machine's own are opened with the first leg on them,
//! so that what a bank has done can always be booked.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{
    Plan, ReceiptPlan, Step, View, checks, deposits::brought, planner::Planner,
    repayments::debts_of,
};
use crate::{
    account::{Account, AccountCommand},
    bank_line::movement::SUSPENSE_CREDITS,
    chart::{self, Direction},
    command::{OpenAccount, Rejection},
    ids::{AccountId, Item, Owner, Reference, TransactionId},
    money::{Currency, Money},
    posting::{Posting, PostingLeg},
    withdrawal::{
        AttemptOutcome, PayeeStanding, RequestWithdrawal, Standing, Withdrawal, WithdrawalCommand,
        WithdrawalError, WithdrawalEvent, WithdrawalOperation,
        movement::{self, Accounts, Movement},
    },
};

/// Who owns the accounts that the machine opens and that are no customer's.
const HOUSE: &str = "bahi";

/// The accounts that an operation may touch, given its withdrawal.
pub fn accounts_of_withdrawal(
    operation: &WithdrawalOperation,
    withdrawal: &Withdrawal,
) -> Vec<AccountId> {
    let known = match (operation, withdrawal.properties()) {
        // A wallet that cannot be withdrawn from: the plan will say so.
        (WithdrawalOperation::Request(request), _) => {
            let Ok(accounts) = Accounts::of(&request.account) else {
                return vec![request.account.clone()];
            };
            Some(accounts)
        }
        (WithdrawalOperation::SendBack(back), _) => {
            Accounts::of_suspense(back.amount.currency().code).ok()
        }
        (_, Some(requested)) => Accounts::of_requested(requested).ok(),
        (_, None) => None,
    };
    let assigned_to = operation.as_assignment().map(|assign| assign.account.clone());
    let Some(accounts) = known else { return assigned_to.into_iter().collect() };
    let clearing = |attempt: u32| {
        let bank = withdrawal.attempt(attempt).map(|attempt| &attempt.bank);
        let both = bank.map(|bank| [accounts.clearing_out(bank), accounts.clearing_in(bank)]);
        both.into_iter().flatten().flatten().collect()
    };
    let clearing: Vec<AccountId> = match operation {
        WithdrawalOperation::RecordOutcome(told) => clearing(told.attempt),
        WithdrawalOperation::RecordReturn(back) => clearing(back.attempt),
        WithdrawalOperation::Request(_)
        | WithdrawalOperation::Cancel(_)
        | WithdrawalOperation::DecideReview(_)
        | WithdrawalOperation::BeginAttempt(_)
        | WithdrawalOperation::SendBack(_)
        | WithdrawalOperation::SendAgain(_)
        | WithdrawalOperation::AssignUnapplied(_)
        | WithdrawalOperation::ApplyUnapplied(_) => Vec::new(),
    };
    let Accounts { wallet, reserved, in_flight, fees_held, unapplied, income, tax, owed, .. } =
        accounts;
    let mut touched = vec![wallet, reserved, in_flight, fees_held, unapplied, income, tax, owed];
    match operation {
        WithdrawalOperation::Request(_) => touched.truncate(4),
        WithdrawalOperation::BeginAttempt(_) => touched.truncate(3),
        WithdrawalOperation::SendBack(_) => touched.truncate(2),
        WithdrawalOperation::AssignUnapplied(_) | WithdrawalOperation::SendAgain(_) => {
            touched.truncate(1);
        }
        WithdrawalOperation::Cancel(_) | WithdrawalOperation::DecideReview(_) => {
            touched.truncate(5);
        }
        WithdrawalOperation::RecordOutcome(_)
        | WithdrawalOperation::RecordReturn(_)
        | WithdrawalOperation::ApplyUnapplied(_) => touched.extend(clearing),
    }
    let is_sent =
        matches!(operation, WithdrawalOperation::Request(_) | WithdrawalOperation::BeginAttempt(_));
    let receiver = assigned_to.as_ref().or(touched.first()).filter(|_| !is_sent);
    let debts = receiver.map(debts_of).unwrap_or_default();
    touched.extend(debts.into_iter().chain(assigned_to));
    touched
}

impl<V: View> Planner<'_, V> {
    pub(super) fn withdrawal(&self, operation: &WithdrawalOperation) -> Result<Plan, Rejection> {
        let operation = &*self.priced_withdrawal(operation)?;
        let id = operation.withdrawal_id();
        let before = self.view.withdrawal(id);
        let (mut notes, mut steps) = (Vec::new(), Vec::new());
        match operation {
            WithdrawalOperation::Request(request) => notes.extend(self.check_request(request)?),
            WithdrawalOperation::RecordOutcome(told) => {
                if let AttemptOutcome::Paid { amount, .. }
                | AttemptOutcome::PaidInPart { amount, .. } = &told.outcome
                {
                    self.check_amount(&before, *amount)?;
                }
            }
            WithdrawalOperation::RecordReturn(back) => self.check_amount(&before, back.amount)?,
            WithdrawalOperation::SendBack(back) => steps.push(self.leave_suspense(back)?),
            WithdrawalOperation::AssignUnapplied(assign) => {
                self.check_assigned(&before, &assign.account)?;
            }
            // It stands beside the withdrawal that sends it, never alone.
            WithdrawalOperation::SendAgain(_) => return Err(internal()),
            WithdrawalOperation::Cancel(_)
            | WithdrawalOperation::DecideReview(_)
            | WithdrawalOperation::BeginAttempt(_)
            | WithdrawalOperation::ApplyUnapplied(_) => {}
        }
        let standing = self.standing(operation, &before)?;
        let command = WithdrawalCommand { operation: operation.clone(), standing };
        let events = before.decide(&command).map_err(Rejection::from)?;
        steps.push(Step::Withdrawal(id, Box::new(command)));
        let mut opened = Vec::new();
        let mut state = before;
        for event in events {
            let movement = movement::movement(&state, &event).map_err(|_| internal())?;
            state = state.after(event.clone());
            if let Some(movement) = movement {
                let wallet = state.properties().map(|requested| requested.account.clone());
                let wallet = wallet.ok_or_else(internal)?;
                self.open_missing(&movement, Some(&wallet), &mut opened, &mut steps)?;
                let cause = checks::reference(&id)?;
                let item = cause.as_str().parse().map_err(|_| internal())?;
                let named = Named { cause, item, value_date: None };
                let source = operation.as_sending_back().map(|back| &back.item);
                let repays = !matches!(&event, WithdrawalEvent::Applied(applied)
                    if !applied.repaid.is_zero());
                let receiver = operation.as_assignment().map_or(&wallet, |assign| &assign.account);
                let brought = brought(&movement, Some(receiver)).filter(|_| repays);
                self.post_movement_from(source, &named, movement, &mut steps)?;
                if let Some(brought) = brought {
                    self.repay(receiver, brought, &mut steps)?;
                }
            }
        }
        Ok(Plan { steps, receipt: ReceiptPlan::Withdrawal(id), notes })
    }

    fn check_request(
        &self,
        request: &RequestWithdrawal,
    ) -> Result<Option<(TransactionId, String)>, Rejection> {
        let account = &request.account;
        self.amount(account, request.amount)?;
        for part in [request.fee, request.tax] {
            if part.currency() != request.amount.currency() {
                return Err(checks::other_currency(account));
            }
            if !part.is_zero() {
                self.amount(account, part)?;
            }
        }
        if Accounts::of(account).is_err() {
            let text = "money is withdrawn from a wallet or from what a shop can dispose of";
            return Err(Rejection::new("not_withdrawable", text).of(account));
        }
        self.check_payee(request)?;
        checks::note(request.transaction_id, request.note.as_deref())
    }

    /// The payee's account belongs to the owner of the money, and its name was checked. Somebody
    /// else's is the same as none: who asks does not learn that there is one.
    fn check_payee(&self, request: &RequestWithdrawal) -> Result<(), Rejection> {
        let from = self.view.account(&request.account).and_then(Account::properties);
        match &request.payee {
            PayeeStanding::Unchecked => Ok(()),
            PayeeStanding::Known { owner, verified }
                if from.is_none_or(|from| from.owner == *owner) =>
            {
                let text = "the name on the bank account was not checked yet";
                let refused = || Rejection::new("bank_account_unverified", text);
                if *verified { Ok(()) } else { Err(refused()) }
            }
            PayeeStanding::Known { .. } | PayeeStanding::Unknown => {
                let text = "the owner of the account has no such bank account";
                Err(Rejection::new("bank_account_not_found", text))
            }
        }
    }

    fn check_amount(&self, before: &Withdrawal, amount: Money) -> Result<(), Rejection> {
        let requested = before.properties().ok_or(WithdrawalError::NotFound)?;
        self.amount(&requested.account, amount).map(drop)
    }

    /// What the customer's accounts could give and take now.
    fn standing(
        &self,
        operation: &WithdrawalOperation,
        before: &Withdrawal,
    ) -> Result<Standing, Rejection> {
        let Some(requested) = before.properties() else { return Ok(Standing::default()) };
        let accounts = Accounts::of_requested(requested).map_err(|_| internal())?;
        let owed = self.view.account(&accounts.owed).map(Account::debit_balance);
        if requested.item.is_some() {
            let owed = owed.unwrap_or_default();
            return self.standing_of_suspense(operation, requested.amount, owed);
        }
        let wallet = self.view.account(&accounts.wallet);
        Ok(Standing {
            spendable: wallet.and_then(Account::spendable),
            room: wallet.and_then(Account::room),
            owed: owed.unwrap_or_default(),
        })
    }

    /// Opens the accounts of a movement that were never opened; but for the wallet, which only its
    /// owner opens.
    pub(super) fn open_missing(
        &self,
        movement: &Movement,
        wallet: Option<&AccountId>,
        opened: &mut Vec<AccountId>,
        steps: &mut Vec<Step>,
    ) -> Result<(), Rejection> {
        for leg in &movement.legs {
            let account = &leg.account;
            // Deciding without an account in sight would open it twice.
            let known = self.view.account(account).ok_or_else(internal)?;
            if known.properties().is_some() || Some(account) == wallet || opened.contains(account) {
                continue;
            }
            let customer = account.as_str().starts_with("receivable:");
            let wallet = wallet.and_then(|wallet| self.view.account(wallet));
            let owner = wallet.and_then(Account::properties);
            let owner = owner.filter(|_| customer).map(|opened| opened.owner.clone());
            let open = self.opening(account, owner)?;
            steps.push(Step::Account(account.clone(), AccountCommand::Open(open)));
            opened.push(account.clone());
        }
        Ok(())
    }

    pub(super) fn opening(
        &self,
        account: &AccountId,
        owner: Option<Owner>,
    ) -> Result<OpenAccount, Rejection> {
        let entry = chart::lookup(&account.code()).ok_or_else(internal)?;
        let house = HOUSE.parse().map_err(|_| internal())?;
        Ok(OpenAccount {
            account: account.clone(),
            currency: self.currency_of(account)?,
            owner: owner.unwrap_or(house),
            account_type: entry.account_type,
            class: entry.class,
            itemised: entry.itemised,
            floor: None,
            ceiling: None,
            metadata: BTreeMap::new(),
        })
    }

    fn currency_of(&self, account: &AccountId) -> Result<Currency, Rejection> {
        let code = account.currency().map_err(|_| internal())?;
        self.view.book().currency(code).ok_or_else(internal)
    }

    pub(super) fn post_movement(
        &self,
        named: &Named,
        movement: Movement,
        steps: &mut Vec<Step>,
    ) -> Result<(), Rejection> {
        self.post_movement_from(None, named, movement, steps)
    }

    /// The legs of a movement. What leaves suspense is an item of its own there; everywhere else
    /// the item is the object's.
    fn post_movement_from(
        &self,
        source: Option<&Item>,
        named: &Named,
        movement: Movement,
        steps: &mut Vec<Step>,
    ) -> Result<(), Rejection> {
        let mut legs = Vec::with_capacity(movement.legs.len());
        for leg in movement.legs {
            let amount = Money::from_decimal(leg.amount, self.currency_of(&leg.account)?);
            let leaves = leg.direction == Direction::Debit
                && leg.account.as_str().starts_with(SUSPENSE_CREDITS);
            let item = source.filter(|_| leaves).unwrap_or(&named.item);
            legs.push(PostingLeg {
                direction: leg.direction,
                amount: amount.map_err(|_| internal())?,
                item: movement::is_itemised(&leg.account).then(|| item.clone()),
                account: leg.account,
            });
        }
        let posting = Posting {
            transaction_id: movement.transaction_id,
            kind: movement.kind,
            legs,
            effective_on: None,
            value_date: named.value_date,
            conditions: Vec::new(),
            note: None,
        };
        self.legs(&posting, self.today(None), Some(&named.cause), steps)
    }
}

/// What the legs of an object's transaction say of it.
pub(super) struct Named {
    /// The object.
    pub(super) cause: Reference,
    /// The item, on accounts that are kept by item.
    pub(super) item: Item,
    /// The bank's date.
    pub(super) value_date: Option<NaiveDate>,
}

pub(super) fn internal() -> Rejection {
    Rejection::new("internal", "the ledger met a state that it should not be able to be in")
}

impl From<WithdrawalError> for Rejection {
    fn from(error: WithdrawalError) -> Self {
        Self::new(error.code(), &error.to_string())
    }
}
