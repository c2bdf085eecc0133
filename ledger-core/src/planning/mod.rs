//! From a command to what each aggregate is asked: pure, and the same for everybody who executes
//! it. The engine runs the steps on aggregates in memory; the tests' reference executor runs the
//! very same steps through the plain `CqrsFramework`, and both must write the same log.

mod bank_lines;
mod checks;
mod deposits;
mod fees;
mod lumps;
mod payment_requests;
mod payments;
mod periods;
mod planner;
mod recalls;
mod repayments;
mod send_back;
mod tiers;
mod transfers;
mod withdrawals;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::{
    account::{Account, AccountCommand, HoldEnd},
    bank_line::{BankLine, BankLineOperation},
    book::{Book, BookCommand},
    chart::Direction,
    clock::Timestamp,
    command::{Command, Operation, Receipt, Rejection},
    deposit::{Deposit, DepositCommand, DepositOperation},
    hold::{Hold, HoldCommand},
    ids::{
        AccountId, BankLineId, DepositId, HoldId, PaymentId, PaymentRequestId, RefundId,
        TransactionId, TransferId, WithdrawalId,
    },
    payment::{Payment, PaymentCommand, PaymentOperation},
    payment_request::{PaymentRequest, PaymentRequestCommand},
    reversal::ReversalCommand,
    transfer::{Transfer, TransferCommand, TransferOperation},
    withdrawal::{Withdrawal, WithdrawalCommand, WithdrawalOperation},
};
pub use deposits::accounts_of_deposit;
pub use payments::accounts_of_payment;
use planner::Planner;
pub use repayments::debts_of;
pub use transfers::accounts_of_transfer;
pub use withdrawals::accounts_of_withdrawal;

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
    /// A withdrawal.
    Withdrawal(WithdrawalId),
    /// A line of a bank's statement.
    BankLine(BankLineId),
    /// A deposit.
    Deposit(DepositId),
    /// A transfer.
    Transfer(TransferId),
    /// A payment.
    Payment(PaymentId),
    /// A payment request.
    PaymentRequest(PaymentRequestId),
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
    /// A withdrawal.
    Withdrawal(WithdrawalId, Box<WithdrawalCommand>),
    /// A line of a bank's statement.
    BankLine(BankLineId, Box<BankLineOperation>),
    /// A deposit.
    Deposit(DepositId, Box<DepositCommand>),
    /// A transfer.
    Transfer(TransferId, Box<TransferCommand>),
    /// A payment.
    Payment(PaymentId, Box<PaymentCommand>),
    /// A payment request.
    PaymentRequest(PaymentRequestId, Box<PaymentRequestCommand>),
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

impl Plan {
    /// Which transaction of the request a step belongs to, from 0, where there are several.
    pub fn transaction_of(&self, step: &Step) -> Option<u16> {
        let ReceiptPlan::Posted { transactions, .. } = &self.receipt else { return None };
        let Step::Account(_, AccountCommand::Post(leg)) = step else { return None };
        let several = transactions.len() > 1;
        let index = transactions.iter().position(|id| several && *id == leg.transaction_id)?;
        u16::try_from(index).ok()
    }
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
    /// The withdrawal as it is now.
    Withdrawal(WithdrawalId),
    /// The line as it is now.
    BankLine(BankLineId),
    /// The deposit as it is now.
    Deposit(DepositId),
    /// The transfer as it is now.
    Transfer(TransferId),
    /// The payment as it is now.
    Payment(PaymentId),
    /// The refund of the payment as it is now.
    Refund(PaymentId, RefundId),
    /// What is known already: a settlement is no aggregate.
    Ready(Box<Receipt>),
    /// The payment request as it is now.
    PaymentRequest(PaymentRequestId),
}

/// What a plan may look at: aggregates as they are before the command.
pub trait View {
    /// The book.
    fn book(&self) -> &Book;
    /// A hold; the default one if it was never placed.
    fn hold(&self, hold_id: HoldId) -> Hold;
    /// The normal side of an account; nothing if it was never opened.
    fn normal_side(&self, account: &AccountId) -> Option<Direction>;
    /// An account, the default one if it was never opened; nothing if it is not in sight, which is
    /// only so for accounts that the command does not announce.
    fn account(&self, account: &AccountId) -> Option<&Account>;
    /// A withdrawal; the default one if it was never requested.
    fn withdrawal(&self, withdrawal_id: WithdrawalId) -> Withdrawal;
    /// A bank's line; the default one if it was never booked.
    fn bank_line(&self, line_id: BankLineId) -> BankLine;
    /// A deposit; the default one if it does not exist.
    fn deposit(&self, deposit_id: DepositId) -> Deposit;
    /// A transfer; the default one if it does not exist.
    fn transfer(&self, transfer_id: TransferId) -> Transfer;
    /// A payment; the default one if it does not exist.
    fn payment(&self, payment_id: PaymentId) -> Payment;
    /// A payment request; the default one if it does not exist.
    fn payment_request(&self, request_id: PaymentRequestId) -> PaymentRequest;
}

/// The streams that a command touches, as far as the command itself names them. A hold's account
/// is known once the hold is: see [`account_of_hold`].
pub fn streams(operation: &Operation) -> Vec<StreamId> {
    match operation {
        Operation::OpenAccount(open) => vec![StreamId::Account(open.account.clone())],
        Operation::ChangeLimits(change) => vec![StreamId::Account(change.account.clone())],
        Operation::SetTier(set) => vec![StreamId::Account(set.account.clone())],
        Operation::Freeze(freeze) => vec![StreamId::Account(freeze.account.clone())],
        Operation::Unfreeze { account, .. } => vec![StreamId::Account(account.clone())],
        Operation::CloseAccount { account } => repayments::streams_of_closing(account),
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
        Operation::OpenBook { .. }
        | Operation::AddCurrency(_)
        | Operation::DefineTier(_)
        | Operation::DefineTerms(_)
        | Operation::RotateCheckpointKey(_) => vec![StreamId::Book],
        Operation::DefineFee(define) => fees::streams(define),
        Operation::Period(operation) => periods::streams(operation),
        Operation::Withdrawal(operation) => {
            let withdrawal = StreamId::Withdrawal(operation.withdrawal_id());
            // Only a request names its accounts.
            let accounts = accounts_of_withdrawal(operation, &Withdrawal::default());
            let accounts = accounts.into_iter().map(StreamId::Account);
            let source = operation.as_sending_back().and_then(send_back::source_of);
            std::iter::once(withdrawal).chain(source).chain(accounts).collect()
        }
        Operation::BankLine(operation) => bank_lines::streams(operation),
        Operation::Deposit(operation) => {
            let deposit = StreamId::Deposit(operation.deposit_id());
            // As far as the operation itself names them.
            let accounts = accounts_of_deposit(operation, &Deposit::default());
            let accounts = accounts.into_iter().map(StreamId::Account);
            let line = deposits::line_of_deposit(operation).map(StreamId::BankLine);
            let hold = operation.hold_id().map(StreamId::Hold);
            let parts = lumps::deposits_of(operation.parts()).map(StreamId::Deposit);
            std::iter::once(deposit).chain(line).chain(hold).chain(parts).chain(accounts).collect()
        }
        Operation::Transfer(operation) => {
            let id = operation.transfer_id();
            let accounts = accounts_of_transfer(operation, &Transfer::default());
            let accounts = accounts.into_iter().map(StreamId::Account);
            [StreamId::Transfer(id), StreamId::Hold(id.hold_id())]
                .into_iter()
                .chain(accounts)
                .collect()
        }
        Operation::Payment(operation) => payments::streams(operation),
        Operation::Settle(settle) => payments::streams_of_settlement(settle),
        Operation::PaymentRequest(operation) => {
            vec![StreamId::PaymentRequest(operation.request_id())]
        }
    }
}

/// The business object that a command goes on with: which accounts it touches follows from what the
/// commands before it have made of the object.
pub fn object_of(operation: &Operation) -> Option<StreamId> {
    let withdrawal = withdrawal_operation(operation).map(WithdrawalOperation::withdrawal_id);
    let deposit = deposit_operation(operation).map(DepositOperation::deposit_id);
    let transfer = transfer_operation(operation).map(TransferOperation::transfer_id);
    let payment = payment_operation(operation).map(PaymentOperation::payment_id);
    withdrawal
        .map(StreamId::Withdrawal)
        .or(deposit.map(StreamId::Deposit))
        .or(transfer.map(StreamId::Transfer))
        .or(payment.map(StreamId::Payment))
}

/// The operation on a payment that a command is: its accounts are known once the payment is, see
/// [`accounts_of_payment`].
pub const fn payment_operation(operation: &Operation) -> Option<&PaymentOperation> {
    if let Operation::Payment(operation) = operation { Some(operation) } else { None }
}

/// The operation on a transfer that a command is: its accounts are known once the transfer is, see
/// [`accounts_of_transfer`].
pub const fn transfer_operation(operation: &Operation) -> Option<&TransferOperation> {
    if let Operation::Transfer(operation) = operation { Some(operation) } else { None }
}

/// The operation on a deposit that a command is: its accounts are known once the deposit is, see
/// [`accounts_of_deposit`].
pub const fn deposit_operation(operation: &Operation) -> Option<&DepositOperation> {
    if let Operation::Deposit(operation) = operation { Some(operation) } else { None }
}

/// The operation on a withdrawal that a command is: its accounts are known once the withdrawal is,
/// see [`accounts_of_withdrawal`].
pub const fn withdrawal_operation(operation: &Operation) -> Option<&WithdrawalOperation> {
    if let Operation::Withdrawal(operation) = operation { Some(operation) } else { None }
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
        | Operation::AddCurrency(_)
        | Operation::DefineTier(_)
        | Operation::DefineTerms(_)
        | Operation::DefineFee(_)
        | Operation::RotateCheckpointKey(_)
        | Operation::Period(_)
        | Operation::SetTier(_)
        | Operation::Withdrawal(_)
        | Operation::BankLine(_)
        | Operation::Deposit(_)
        | Operation::Transfer(_)
        | Operation::Payment(_)
        | Operation::Settle(_)
        | Operation::PaymentRequest(_) => None,
    }
}

/// Takes a command apart.
///
/// # Errors
/// A [`Rejection`] if the command is refused whatever its aggregates say.
pub fn plan(command: &Command, view: &impl View, now: Timestamp) -> Result<Plan, Rejection> {
    let planner = Planner { view, now, authority: command.authority };
    match &command.operation {
        Operation::OpenAccount(open) => planner.open_account(open),
        Operation::ChangeLimits(change) => planner.change_limits(change),
        Operation::Freeze(freeze) => planner.freeze(freeze),
        Operation::Unfreeze { account, reference } => {
            let reference = reference.clone();
            Ok(on_account(account, AccountCommand::Unfreeze { reference }))
        }
        Operation::CloseAccount { account } => planner.close_account(account),
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
        Operation::OpenBook { time_zone: tz } => Ok(on_book(BookCommand::Open { time_zone: *tz })),
        Operation::AddCurrency(currency) => Ok(on_book(BookCommand::AddCurrency(*currency))),
        Operation::DefineTier(define) => planner.define_tier(define),
        Operation::DefineTerms(define) => Ok(on_book(BookCommand::DefineTerms(*define))),
        Operation::DefineFee(define) => planner.define_fee(define),
        Operation::RotateCheckpointKey(rotated) => {
            Ok(on_book(BookCommand::RotateCheckpointKey(rotated.clone())))
        }
        Operation::SetTier(set) => planner.set_tier(set),
        Operation::Period(operation) => planner.period(operation),
        Operation::Withdrawal(operation) => planner.withdrawal(operation),
        Operation::BankLine(operation) => planner.bank_line(operation),
        Operation::Deposit(operation) => planner.deposit(operation),
        Operation::Transfer(operation) => planner.transfer(operation),
        Operation::Payment(operation) => planner.payment(operation),
        Operation::Settle(settle) => planner.settle(settle),
        Operation::PaymentRequest(operation) => planner.payment_request(operation),
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

#[cfg(test)]
mod tests;
