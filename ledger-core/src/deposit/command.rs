//! What can be asked of a deposit, by a user, a person of ours, or a worker.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::credit::Credit;
use crate::{
    bank_line::Part,
    clock::Timestamp,
    ids::{
        AccountId, BankCode, DepositId, HoldId, PayeeHash, Reference, TransactionId, WithdrawalId,
    },
    money::{CurrencyCode, Money},
    withdrawal::Source,
};

/// One thing that can be asked of a deposit. Each is one append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DepositOperation {
    /// Begin it.
    Begin(BeginDeposit),
    /// Give it up before anybody paid.
    Cancel(CancelDeposit),
    /// End it because nobody paid in time.
    Expire(ExpireDeposit),
    /// Say that the bank declined.
    RecordDeclined(RecordDeclined),
    /// Say that the bank told of a credit, which is not money yet.
    RecordReceived(RecordReceived),
    /// Say that our own enquiry shows a credit.
    ConfirmCredit(ConfirmCredit),
    /// Say that the bank's statement shows a credit.
    SettleCredit(SettleCredit),
    /// Decide what becomes of a credit that is in suspense.
    DecideReview(DecideDepositReview),
    /// Say that the bank asks for a credit's money back.
    RequestRecall(RequestRecall),
    /// Decide whether it gets it.
    DecideRecall(DecideRecall),
    /// Say that a credit in suspense is sent back to whom it came from. It stands beside the
    /// withdrawal that sends it, never alone.
    SendBack(SendBackCredit),
    /// Say that a line settles a credit together with others. It stands beside what names it as a
    /// part, never alone.
    SettlePart(SettlePart),
    /// Say that a credit in suspense is the lump of other deposits' credits.
    Divide(DivideCredit),
}

impl DepositOperation {
    /// The deposit that it is about.
    pub const fn deposit_id(&self) -> DepositId {
        match self {
            Self::Begin(begin) => begin.deposit_id,
            Self::Cancel(cancel) => cancel.deposit_id,
            Self::Expire(expire) => expire.deposit_id,
            Self::RecordDeclined(declined) => declined.deposit_id,
            Self::RecordReceived(received) => received.deposit_id,
            Self::ConfirmCredit(confirm) => confirm.deposit_id,
            Self::SettleCredit(settle) => settle.deposit_id,
            Self::DecideReview(decide) => decide.deposit_id,
            Self::RequestRecall(request) => request.deposit_id,
            Self::DecideRecall(decide) => decide.deposit_id,
            Self::SendBack(back) => back.deposit_id,
            Self::SettlePart(part) => part.deposit_id,
            Self::Divide(divide) => divide.deposit_id,
        }
    }

    /// What is said of a credit, if it is about one.
    pub const fn claim(&self) -> Option<&CreditClaim> {
        match self {
            Self::RecordReceived(received) => Some(&received.claim),
            Self::ConfirmCredit(confirm) => Some(&confirm.claim),
            Self::SettleCredit(settle) => Some(&settle.claim),
            Self::RequestRecall(request) => Some(&request.claim),
            Self::Begin(_)
            | Self::Cancel(_)
            | Self::Expire(_)
            | Self::RecordDeclined(_)
            | Self::DecideReview(_)
            | Self::DecideRecall(_)
            | Self::SettlePart(_)
            | Self::Divide(_)
            | Self::SendBack(_) => None,
        }
    }

    /// The hold that it may place or end.
    pub const fn hold_id(&self) -> Option<HoldId> {
        match self {
            Self::RequestRecall(request) => Some(request.hold_id),
            Self::DecideRecall(decide) => decide.hold_id,
            Self::Begin(_)
            | Self::Cancel(_)
            | Self::Expire(_)
            | Self::RecordDeclined(_)
            | Self::RecordReceived(_)
            | Self::ConfirmCredit(_)
            | Self::SettleCredit(_)
            | Self::DecideReview(_)
            | Self::SettlePart(_)
            | Self::Divide(_)
            | Self::SendBack(_) => None,
        }
    }

    /// What other deposits' credits it settles, with what was kept back from them.
    pub fn parts(&self) -> &[Part] {
        if let Self::Divide(divide) = self { &divide.parts } else { &[] }
    }
}

/// A deposit to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BeginDeposit {
    /// Its id, from which the token follows that the bank tells of it by.
    pub deposit_id: DepositId,
    /// The wallet.
    pub account: AccountId,
    /// What is expected.
    pub amount: Money,
    /// The bank.
    pub bank: BankCode,
    /// Until when it can be paid.
    pub expires_at: Timestamp,
    /// Keyed hash of who should pay; nothing if anybody may.
    pub payer_hash: Option<PayeeHash>,
}

/// A deposit to give up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelDeposit {
    /// The deposit.
    pub deposit_id: DepositId,
}

/// A deposit whose time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpireDeposit {
    /// The deposit.
    pub deposit_id: DepositId,
}

/// A deposit that the bank declined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordDeclined {
    /// The deposit.
    pub deposit_id: DepositId,
    /// Who says so.
    pub source: Source,
    /// The bank's code for it.
    pub code: Option<Reference>,
}

/// What somebody says of a credit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditClaim {
    /// The bank.
    pub bank: BankCode,
    /// The bank's transaction id.
    pub bank_transaction_id: Reference,
    /// The bank's id of the credit; a statement does not have it.
    pub credit_id: Option<Reference>,
    /// The reference that both sides of the payment know.
    pub utr: Option<Reference>,
    /// The bank's date.
    pub value_date: NaiveDate,
    /// What arrived, before any charges.
    pub amount: Money,
    /// Who says so.
    pub source: Source,
    /// Keyed hash of who paid, if the bank says.
    pub payer_hash: Option<PayeeHash>,
    /// The rule by which a person has to look at it first.
    pub review: Option<Reference>,
    /// The wallet that it was sent to, if nobody asked for it: of its virtual account.
    pub unsolicited_to: Option<AccountId>,
}

impl CreditClaim {
    /// The credit, as events have it.
    pub fn credit(&self) -> Credit {
        Credit {
            bank: self.bank.clone(),
            bank_transaction_id: self.bank_transaction_id.clone(),
            credit_id: self.credit_id.clone(),
            utr: self.utr.clone(),
            value_date: self.value_date,
            amount: self.amount.amount(),
        }
    }

    /// Its currency.
    pub fn currency(&self) -> CurrencyCode {
        self.amount.currency().code
    }
}

/// A credit that the bank told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordReceived {
    /// The deposit.
    pub deposit_id: DepositId,
    /// What is said.
    pub claim: CreditClaim,
}

/// A credit that our enquiry shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfirmCredit {
    /// The deposit.
    pub deposit_id: DepositId,
    /// What is said.
    pub claim: CreditClaim,
    /// The transaction that books it, if it is not booked.
    pub transaction_id: TransactionId,
}

/// A credit that the statement shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettleCredit {
    /// The deposit.
    pub deposit_id: DepositId,
    /// What is said; the amount is what was paid in, charges included.
    pub claim: CreditClaim,
    /// The bank's day on which its line was booked.
    pub booking_date: NaiveDate,
    /// What the bank kept for itself, without tax; zero or more, in the claim's currency.
    pub charges: Money,
    /// The tax on that.
    pub tax: Money,
    /// The transaction that books it as confirmed, if it is not booked.
    pub confirmed_transaction_id: TransactionId,
    /// The transaction that books it as settled, if it is not settled.
    pub transaction_id: TransactionId,
}

/// A person's decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecideDepositReview {
    /// The deposit.
    pub deposit_id: DepositId,
    /// Which credit, from 1.
    pub number: u32,
    /// The wallet that gets it; nothing = it goes back, and waits in suspense until it is sent.
    pub assign_to: Option<AccountId>,
    /// Why.
    pub reason: Option<Reference>,
    /// The transaction that puts it on the wallet.
    pub transaction_id: TransactionId,
}

/// A credit whose money the bank wants back. Nothing is taken by that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRecall {
    /// The deposit.
    pub deposit_id: DepositId,
    /// What is said.
    pub claim: CreditClaim,
    /// The hold that keeps what is still on the wallet.
    pub hold_id: HoldId,
}

/// A person's decision about that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecideRecall {
    /// The deposit.
    pub deposit_id: DepositId,
    /// Which credit, from 1.
    pub number: u32,
    /// Whether the bank gets it back.
    pub granted: bool,
    /// Why.
    pub reason: Option<Reference>,
    /// The hold of the recall, as the deposit has it: the ledger loads by it.
    pub hold_id: Option<HoldId>,
    /// The transaction that gives it back.
    pub transaction_id: TransactionId,
}

/// A credit in suspense that is sent back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendBackCredit {
    /// The deposit.
    pub deposit_id: DepositId,
    /// Which credit, from 1.
    pub number: u32,
    /// All of it.
    pub amount: Money,
    /// The withdrawal that sends it, and moves it.
    pub withdrawal_id: WithdrawalId,
    /// Why.
    pub reason: Option<Reference>,
}

/// A credit that is a part of what the statement shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettlePart {
    /// The deposit.
    pub deposit_id: DepositId,
    /// Which credit, from 1.
    pub number: u32,
    /// The bank that states it.
    pub bank: BankCode,
    /// All of it, before any charges.
    pub amount: Money,
    /// The transaction of what names it as a part: the line, or the credit that is divided.
    pub transaction_id: TransactionId,
}

/// A credit in suspense that is the lump of other deposits' credits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DivideCredit {
    /// The deposit that the lump made, for nobody had asked for it.
    pub deposit_id: DepositId,
    /// Which credit, from 1.
    pub number: u32,
    /// The other deposits' credits, and what was kept back from them.
    pub parts: Vec<Part>,
    /// Why.
    pub reason: Option<Reference>,
    /// The transaction that divides it.
    pub transaction_id: TransactionId,
}

/// What the aggregate is asked: the operation, the moment, and what the wallet could take then,
/// which it cannot see by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepositCommand {
    /// The operation.
    pub operation: DepositOperation,
    /// The wallet that would get the money.
    pub standing: DepositStanding,
    /// When.
    pub now: Timestamp,
}

/// What a wallet could take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DepositStanding {
    /// The most; nothing = no limit. Zero for a wallet that is frozen, closed, or not there.
    pub room: Option<Decimal>,
    /// The most that can be taken from it; nothing = no limit.
    pub spendable: Option<Decimal>,
    /// What the hold of a recall has; zero if it has ended.
    pub held: Decimal,
}
