//! What can be asked of a withdrawal, by a user, a person of ours, or a worker.

use rust_decimal::Decimal;

use super::state::Source;
use crate::{
    bank_line::LineKey,
    fee::Pricing,
    ids::{
        AccountId, BankAccountId, BankCode, Item, Owner, PayeeHash, Rail, Reference, TransactionId,
        WithdrawalId,
    },
    money::Money,
};

/// One thing that can be asked of a withdrawal. Each is one append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WithdrawalOperation {
    /// Request it.
    Request(RequestWithdrawal),
    /// Give it up before it is sent.
    Cancel(CancelWithdrawal),
    /// Let it pass or refuse it, where a person has to look.
    DecideReview(DecideReview),
    /// Say that it is about to be sent.
    BeginAttempt(BeginAttempt),
    /// Say what became of an attempt.
    RecordOutcome(RecordOutcome),
    /// Say that money came back.
    RecordReturn(RecordReturn),
    /// Put on the wallet what it could not take before.
    ApplyUnapplied(ApplyUnapplied),
    /// Send back what lies in suspense.
    SendBack(SendBack),
    /// Put on a wallet what was sent back and is in suspense again.
    AssignUnapplied(AssignUnapplied),
    /// Say that what is in suspense again is sent once more. It stands beside that sending, never
    /// alone.
    SendAgain(SendAgain),
}

impl WithdrawalOperation {
    /// The request, if it is one.
    pub const fn as_request(&self) -> Option<&RequestWithdrawal> {
        if let Self::Request(request) = self { Some(request) } else { None }
    }

    /// The sending back, if it is one.
    pub const fn as_sending_back(&self) -> Option<&SendBack> {
        if let Self::SendBack(back) = self { Some(back) } else { None }
    }

    /// The assignment of what is in suspense again, if it is one.
    pub const fn as_assignment(&self) -> Option<&AssignUnapplied> {
        if let Self::AssignUnapplied(assign) = self { Some(assign) } else { None }
    }

    /// The withdrawal that it is about.
    pub const fn withdrawal_id(&self) -> WithdrawalId {
        match self {
            Self::Request(request) => request.withdrawal_id,
            Self::Cancel(cancel) => cancel.withdrawal_id,
            Self::DecideReview(decide) => decide.withdrawal_id,
            Self::BeginAttempt(begin) => begin.withdrawal_id,
            Self::RecordOutcome(outcome) => outcome.withdrawal_id,
            Self::RecordReturn(back) => back.withdrawal_id,
            Self::ApplyUnapplied(apply) => apply.withdrawal_id,
            Self::SendBack(back) => back.withdrawal_id,
            Self::AssignUnapplied(assign) => assign.withdrawal_id,
            Self::SendAgain(again) => again.withdrawal_id,
        }
    }
}

/// A withdrawal to begin. Amount, fee and tax are fixed by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestWithdrawal {
    /// Its id.
    pub withdrawal_id: WithdrawalId,
    /// The transaction that sets the money aside.
    pub transaction_id: TransactionId,
    /// Where the money comes from: a wallet, or what a shop can dispose of.
    pub account: AccountId,
    /// What the payee gets.
    pub amount: Money,
    /// What it costs, tax included; zero or more (`quote` computes it).
    pub fee: Money,
    /// How much of the fee is tax.
    pub tax: Money,
    /// Whether that is so, or the version in force says what it costs.
    pub pricing: Pricing,
    /// The payee's account, opaque.
    pub bank_account: BankAccountId,
    /// The bank that is to send it.
    pub bank: BankCode,
    /// The way it is to be sent.
    pub rail: Rail,
    /// Keyed hash of the payee.
    pub payee_hash: Option<PayeeHash>,
    /// What is known of the payee's account outside of the log.
    pub payee: PayeeStanding,
    /// The rule by which a person has to look at it first.
    pub review: Option<Reference>,
    /// Words to keep beside the log, erasable.
    pub note: Option<String>,
}

/// What is known of a payee's account, which lives outside of the log. It comes in with the command
/// so that a refusal because of it is an outcome like any other, the same when it is asked again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayeeStanding {
    /// Nobody looked: for whoever answers for the payee otherwise.
    Unchecked,
    /// There is none, or it was erased.
    Unknown,
    /// There is one.
    Known {
        /// Whose it is: money goes from an owner's account to that owner's bank account only.
        owner: Owner,
        /// Whether its name was checked.
        verified: bool,
    },
}

/// A withdrawal to give up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelWithdrawal {
    /// The withdrawal.
    pub withdrawal_id: WithdrawalId,
    /// The transaction that gives the money back.
    pub transaction_id: TransactionId,
}

/// A person's decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecideReview {
    /// The withdrawal.
    pub withdrawal_id: WithdrawalId,
    /// Whether it passes.
    pub approve: bool,
    /// Why not; kept for refusals.
    pub reason: Option<Reference>,
    /// The transaction that gives the money back, if it does not pass.
    pub transaction_id: TransactionId,
}

/// An attempt that is about to be sent. Whoever gets this accepted may send, nobody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BeginAttempt {
    /// The withdrawal.
    pub withdrawal_id: WithdrawalId,
    /// Which attempt, from 1: one more than there were.
    pub attempt: u32,
    /// What the bank will know it by; never used for this withdrawal before.
    pub reference: Reference,
    /// The bank.
    pub bank: BankCode,
    /// The way.
    pub rail: Rail,
    /// The payee's hash as it comes out now.
    pub payee_hash: Option<PayeeHash>,
    /// The transaction that puts the money on its way.
    pub transaction_id: TransactionId,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordOutcome {
    /// The withdrawal.
    pub withdrawal_id: WithdrawalId,
    /// Which attempt.
    pub attempt: u32,
    /// What became of it.
    pub outcome: AttemptOutcome,
    /// Who says so.
    pub source: Source,
    /// The bank's code for it; kept where it explains something.
    pub code: Option<Reference>,
    /// The transaction, if this moves something.
    pub transaction_id: TransactionId,
}

/// What somebody says of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// It was paid.
    Paid {
        /// How much; it must be the withdrawal's amount.
        amount: Money,
        /// The bank's own reference.
        bank_reference: Reference,
    },
    /// Less was paid than was sent; of the rest nothing is known.
    PaidInPart {
        /// How much.
        amount: Money,
        /// The bank's number of this part: the same one again is the same part.
        bank_reference: Reference,
    },
    /// Nothing was paid, and it may be tried again.
    RefusedRetryable,
    /// Nothing was paid, or nothing more, and it cannot be.
    RefusedFinal,
    /// Nobody knows.
    Unknown,
    /// Nobody can find out by asking the bank.
    NeedsAttention,
}

/// Money that came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordReturn {
    /// The withdrawal.
    pub withdrawal_id: WithdrawalId,
    /// The attempt that it was sent by.
    pub attempt: u32,
    /// The bank's reference of the credit.
    pub bank_reference: Reference,
    /// How much came.
    pub amount: Money,
    /// Who says so.
    pub source: Source,
    /// The transaction that books it as come.
    pub transaction_id: TransactionId,
    /// The transaction that puts it on the wallet.
    pub applied_transaction_id: TransactionId,
}

/// Money of a withdrawal that waits for its wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplyUnapplied {
    /// The withdrawal.
    pub withdrawal_id: WithdrawalId,
    /// The transaction that puts it on the wallet.
    pub transaction_id: TransactionId,
}

/// A credit in suspense that is sent back to whom it came from, all of it, without a fee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendBack {
    /// The withdrawal's id.
    pub withdrawal_id: WithdrawalId,
    /// The transaction that takes it out of suspense.
    pub transaction_id: TransactionId,
    /// The item of `suspense:credits`: a deposit's credit, a bank's line, or a withdrawal that was
    /// to send it back before.
    pub item: Item,
    /// The line, if the item is one: its id alone does not say what it is of.
    pub line: Option<LineKey>,
    /// All that lies there.
    pub amount: Money,
    /// The account of whom it came from, opaque.
    pub bank_account: BankAccountId,
    /// The bank that is to send it.
    pub bank: BankCode,
    /// The way it is to be sent.
    pub rail: Rail,
    /// Keyed hash of whom it came from.
    pub payee_hash: PayeeHash,
    /// Why.
    pub reason: Option<Reference>,
}

/// What was sent back, is in suspense again, and is somebody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssignUnapplied {
    /// The withdrawal that was to send it back.
    pub withdrawal_id: WithdrawalId,
    /// The wallet that gets it.
    pub account: AccountId,
    /// Why.
    pub reason: Option<Reference>,
    /// The transaction that puts it on the wallet.
    pub transaction_id: TransactionId,
}

/// What was sent back, is in suspense again, and is sent once more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendAgain {
    /// The withdrawal that was to send it back.
    pub withdrawal_id: WithdrawalId,
    /// The one that sends it now.
    pub by: WithdrawalId,
    /// All that lies there.
    pub amount: Money,
    /// Why.
    pub reason: Option<Reference>,
}

/// What the aggregate is asked: the operation, and what its accounts could give and take at that
/// moment, which it cannot see by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawalCommand {
    /// The operation.
    pub operation: WithdrawalOperation,
    /// The customer's accounts.
    pub standing: Standing,
}

/// What the customer's accounts could give and take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// The most that the wallet could give; nothing = no limit.
    pub spendable: Option<Decimal>,
    /// The most that the wallet could take; nothing = no limit.
    pub room: Option<Decimal>,
    /// What the customer owes because banks paid late.
    pub owed: Decimal,
}
