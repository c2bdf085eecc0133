//! Takes operations on transfers apart: what the transfer says to them, what becomes of its hold,
//! and the transaction that follows from a claim. A transfer and its hold begin and end in the same
//! append, so neither is ever without the other.

use super::{
    Plan, ReceiptPlan, Step, View, checks,
    deposits::brought,
    planner::Planner,
    repayments::debts_of,
    withdrawals::{Named, internal},
};
use crate::{
    account::{Account, AccountCommand, HoldEnd},
    command::Rejection,
    hold::{Hold, HoldCommand, HoldState},
    ids::{AccountId, Reference, TransferId},
    tier::Flow,
    transfer::{
        Completed, Held, HoldTransfer, Transfer, TransferCommand, TransferError, TransferEvent,
        TransferOperation, TransferStanding,
        movement::{self, FeeAccounts, is_wallet, total},
    },
};

/// The accounts that an operation may touch, given its transfer.
pub fn accounts_of_transfer(operation: &TransferOperation, transfer: &Transfer) -> Vec<AccountId> {
    let held = transfer.properties();
    let sender = match operation {
        TransferOperation::Hold(asked) => Some(&asked.account),
        TransferOperation::Claim(_)
        | TransferOperation::DecideClaim(_)
        | TransferOperation::Cancel(_)
        | TransferOperation::Expire(_) => held.map(|held| &held.account),
    };
    let receiver = receiver_of(operation, transfer);
    // What it costs is moved with the claim.
    let charged = held.filter(|held| receiver.is_some() && !held.fee.is_zero());
    let fees = charged.and_then(|held| FeeAccounts::of(&held.account).ok());
    let fees = fees.into_iter().flat_map(|fees| [fees.income, fees.tax]);
    let debts = receiver.map(debts_of).unwrap_or_default();
    let fees = fees.chain(debts);
    sender.into_iter().chain(receiver).cloned().chain(fees).collect()
}

/// The account that an operation would put money on.
fn receiver_of<'a>(
    operation: &'a TransferOperation,
    transfer: &'a Transfer,
) -> Option<&'a AccountId> {
    match operation {
        TransferOperation::Claim(claim) => Some(&claim.account),
        TransferOperation::DecideClaim(decide) if decide.approve => transfer.receiver(),
        TransferOperation::DecideClaim(_)
        | TransferOperation::Hold(_)
        | TransferOperation::Cancel(_)
        | TransferOperation::Expire(_) => None,
    }
}

impl<V: View> Planner<'_, V> {
    pub(super) fn transfer(&self, operation: &TransferOperation) -> Result<Plan, Rejection> {
        let operation = &*self.priced_transfer(operation)?;
        let id = operation.transfer_id();
        let before = self.view.transfer(id);
        let mut notes = Vec::new();
        match operation {
            TransferOperation::Hold(hold) => {
                self.check_hold(hold)?;
                notes.extend(checks::note(id.transaction_id(), hold.note.as_deref())?);
            }
            TransferOperation::Claim(claim) => self.check_receiver(&before, &claim.account)?,
            TransferOperation::DecideClaim(_)
            | TransferOperation::Cancel(_)
            | TransferOperation::Expire(_) => {}
        }
        let standing = self.transfer_standing(operation, &before)?;
        let command = TransferCommand { operation: operation.clone(), standing, now: self.now };
        let events = before.decide(&command).map_err(Rejection::from)?;
        let mut steps = vec![Step::Transfer(id, Box::new(command))];
        for event in events {
            match (event, before.properties()) {
                (TransferEvent::Held(held), _) => self.hold_steps(id, &held, &mut steps)?,
                (TransferEvent::Completed(completed), Some(held)) => {
                    self.claim_steps(id, held, &completed, &mut steps)?;
                }
                (TransferEvent::Cancelled(_) | TransferEvent::Expired {}, Some(held)) => {
                    end_steps(id, held, HoldCommand::Release, HoldEnd::Released, &mut steps);
                }
                (TransferEvent::ClaimInReview(_), _) => {}
                (
                    TransferEvent::Completed(_)
                    | TransferEvent::Cancelled(_)
                    | TransferEvent::Expired {},
                    None,
                ) => return Err(internal()),
            }
        }
        Ok(Plan { steps, receipt: ReceiptPlan::Transfer(id), notes })
    }

    fn check_hold(&self, hold: &HoldTransfer) -> Result<(), Rejection> {
        let account = &hold.account;
        self.amount(account, hold.amount)?;
        for part in [hold.fee, hold.tax] {
            if part.currency() != hold.amount.currency() {
                return Err(checks::other_currency(account));
            }
            if !part.is_zero() {
                self.amount(account, part)?;
            }
        }
        if !is_wallet(account) {
            return Err(not_transferable(account));
        }
        // What a tier would refuse when it is claimed is refused now: nobody is told of money that
        // they cannot have.
        let Some(sender) = self.view.account(account) else { return Ok(()) };
        let total = hold.amount.checked_add(hold.fee).map_err(|_| TransferError::FeeInvalid)?;
        let tiers = self.view.book().tiers();
        let permitted = sender.permits_out(tiers, total.amount(), self.today(None));
        permitted.map_err(|error| Rejection::from(error).of(account))
    }

    /// A wallet that exists, in the transfer's currency.
    fn check_receiver(&self, before: &Transfer, account: &AccountId) -> Result<(), Rejection> {
        let Some(held) = before.properties() else { return Ok(()) };
        if account.currency() != held.account.currency() {
            return Err(checks::other_currency(account));
        }
        if !is_wallet(account) {
            return Err(not_transferable(account));
        }
        if self.view.normal_side(account).is_none() {
            let text = "the account does not exist";
            return Err(Rejection::new("account_not_found", text).of(account));
        }
        Ok(())
    }

    /// What sender and receiver could give and take now.
    fn transfer_standing(
        &self,
        operation: &TransferOperation,
        before: &Transfer,
    ) -> Result<TransferStanding, Rejection> {
        let nothing = TransferStanding::default();
        let held = before.properties();
        let Some((held, receiver)) = held.zip(receiver_of(operation, before)) else {
            return Ok(nothing);
        };
        // Deciding without them in sight would take them for accounts without limits.
        let sender = self.view.account(&held.account).ok_or_else(internal)?;
        let receiver = self.view.account(receiver).ok_or_else(internal)?;
        let (tiers, today) = (self.view.book().tiers(), self.today(None));
        let kept = self.view.hold(operation.transfer_id().hold_id());
        let freed = Some(kept).filter(|kept| kept.state() == Some(HoldState::Open));
        let freed = freed.as_ref().map(Hold::amount).unwrap_or_default();
        let spendable = sender.spendable_once_freed(freed);
        let spendable = spendable.into_iter().chain(sender.tier_room(tiers, Flow::Out, today));
        let room = receiver.room().into_iter().chain(receiver.tier_room(tiers, Flow::In, today));
        let owner = |account: &Account| account.properties().map(|opened| opened.owner.clone());
        Ok(TransferStanding {
            spendable: spendable.min(),
            room: room.min(),
            same_owner: owner(sender).is_some() && owner(sender) == owner(receiver),
        })
    }

    fn hold_steps(
        &self,
        id: TransferId,
        held: &Held,
        steps: &mut Vec<Step>,
    ) -> Result<(), Rejection> {
        let (hold_id, amount, expires_at) = (held.hold_id, total(held), None);
        let (now, authority) = (self.now, self.authority);
        let (account, cause) = (held.account.clone(), Some(cause(id)?));
        let place = HoldCommand::Place { account, amount, expires_at, cause, now };
        let reserve = AccountCommand::PlaceHold { hold_id, amount, expires_at, authority };
        steps.push(Step::Hold(hold_id, place));
        steps.push(Step::Account(held.account.clone(), reserve));
        Ok(())
    }

    fn claim_steps(
        &self,
        id: TransferId,
        held: &Held,
        completed: &Completed,
        steps: &mut Vec<Step>,
    ) -> Result<(), Rejection> {
        let (amount, transaction_id) = (total(held), completed.transaction_id);
        let capture = HoldCommand::Capture { amount, transaction_id, now: self.now };
        end_steps(id, held, capture, HoldEnd::Captured, steps);
        let movement = movement::movement(held, completed).map_err(|_| internal())?;
        let cause = cause(id)?;
        let item = cause.as_str().parse().map_err(|_| internal())?;
        self.open_missing(&movement, None, &mut Vec::new(), steps)?;
        let receiver = &completed.account;
        let brought = brought(&movement, Some(receiver));
        self.post_movement(&Named { cause, item, value_date: None }, movement, steps)?;
        brought.map_or(Ok(()), |brought| self.repay(receiver, brought, steps))
    }
}

/// What ends the hold, in its own stream and in its account's.
fn end_steps(
    id: TransferId,
    held: &Held,
    command: HoldCommand,
    end: HoldEnd,
    steps: &mut Vec<Step>,
) {
    let (hold_id, amount) = (id.hold_id(), total(held));
    steps.push(Step::Hold(hold_id, command));
    let ended = AccountCommand::EndHold { hold_id, amount, end };
    steps.push(Step::Account(held.account.clone(), ended));
}

fn cause(id: TransferId) -> Result<Reference, Rejection> {
    checks::reference(&id)
}

fn not_transferable(account: &AccountId) -> Rejection {
    let text = "money is transferred between wallets";
    Rejection::new("not_transferable", text).of(account)
}

impl From<TransferError> for Rejection {
    fn from(error: TransferError) -> Self {
        Self::new(error.code(), &error.to_string())
    }
}
