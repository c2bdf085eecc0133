//! What can be asked of the ledger.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use chrono_tz::Tz;
use rust_decimal::Decimal;

use crate::{
    account::FreezeMode,
    bank_line::BankLineOperation,
    book::{CheckpointKeyRotated, DefineFee, DefineTerms, PeriodOperation},
    chart::{AccountType, PostingClass},
    clock::Timestamp,
    deposit::DepositOperation,
    ids::{AccountId, HoldId, Item, Owner, Reference, TierName, TransactionId},
    money::{Currency, Money},
    payment::{PaymentOperation, Settle},
    payment_request::PaymentRequestOperation,
    posting::{Kind, Posting, PostingLeg},
    tier::TierLimits,
    transfer::TransferOperation,
    withdrawal::WithdrawalOperation,
};

/// One thing that can be asked of the ledger. All of it happens, or nothing.
#[derive(Debug, Clone)]
pub enum Operation {
    /// Opens an account.
    OpenAccount(OpenAccount),
    /// Changes an account's floor and ceiling.
    ChangeLimits(ChangeLimits),
    /// Puts a freeze or lien on an account.
    Freeze(FreezeAccount),
    /// Lifts the freeze or lien of a reference.
    Unfreeze {
        /// The account.
        account: AccountId,
        /// The reference it was put under.
        reference: Reference,
    },
    /// Closes an account that is empty, for good.
    CloseAccount {
        /// The account.
        account: AccountId,
    },
    /// Posts one transaction, or several that stand or fall together.
    Post(Vec<Posting>),
    /// Reserves an amount.
    PlaceHold(PlaceHold),
    /// Reserves more under the same hold.
    IncreaseHold(IncreaseHold),
    /// Posts a hold, a part or the whole; the rest is free again.
    CaptureHold(CaptureHold),
    /// Ends a hold without posting anything.
    ReleaseHold {
        /// The hold.
        hold_id: HoldId,
    },
    /// Ends a hold whose time has come.
    ExpireHold {
        /// The hold.
        hold_id: HoldId,
    },
    /// Posts the opposite of an earlier transaction, once.
    Reverse(Reverse),
    /// Opens the book: once, before everything else.
    OpenBook {
        /// The time zone whose days are the book's days.
        time_zone: Tz,
    },
    /// Makes a currency usable.
    AddCurrency(Currency),
    /// Defines a tier of limits, or its next version.
    DefineTier(Box<DefineTier>),
    /// Defines the next version of what shops pay for being paid.
    DefineTerms(DefineTerms),
    /// Defines the next version of what withdrawals or transfers cost.
    DefineFee(Box<DefineFee>),
    /// Signs checkpoints with another key from now on.
    RotateCheckpointKey(Box<CheckpointKeyRotated>),
    /// Closes a month or a year, or opens one again.
    Period(Box<PeriodOperation>),
    /// Puts an account on a tier, or takes it off.
    SetTier(SetTier),
    /// Goes on with a withdrawal.
    Withdrawal(Box<WithdrawalOperation>),
    /// Books a line of a bank's statement, or says what it was.
    BankLine(Box<BankLineOperation>),
    /// Goes on with a deposit.
    Deposit(Box<DepositOperation>),
    /// Goes on with a transfer that waits to be claimed.
    Transfer(Box<TransferOperation>),
    /// Goes on with a payment.
    Payment(Box<PaymentOperation>),
    /// Lets a shop dispose of payments.
    Settle(Box<Settle>),
    /// Goes on with a payment request.
    PaymentRequest(Box<PaymentRequestOperation>),
}

impl From<PaymentOperation> for Operation {
    fn from(operation: PaymentOperation) -> Self {
        Self::Payment(Box::new(operation))
    }
}

impl From<PeriodOperation> for Operation {
    fn from(operation: PeriodOperation) -> Self {
        Self::Period(Box::new(operation))
    }
}

impl From<Settle> for Operation {
    fn from(settle: Settle) -> Self {
        Self::Settle(Box::new(settle))
    }
}

impl From<PaymentRequestOperation> for Operation {
    fn from(operation: PaymentRequestOperation) -> Self {
        Self::PaymentRequest(Box::new(operation))
    }
}

impl From<TransferOperation> for Operation {
    fn from(operation: TransferOperation) -> Self {
        Self::Transfer(Box::new(operation))
    }
}

impl From<BankLineOperation> for Operation {
    fn from(operation: BankLineOperation) -> Self {
        Self::BankLine(Box::new(operation))
    }
}

impl From<DepositOperation> for Operation {
    fn from(operation: DepositOperation) -> Self {
        Self::Deposit(Box::new(operation))
    }
}

impl From<WithdrawalOperation> for Operation {
    fn from(operation: WithdrawalOperation) -> Self {
        Self::Withdrawal(Box::new(operation))
    }
}

/// An account to open. What the chart of accounts says of the code was applied already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenAccount {
    /// Code and currency.
    pub account: AccountId,
    /// The currency with its scale.
    pub currency: Currency,
    /// Whose account it is.
    pub owner: Owner,
    /// Which of the five types.
    pub account_type: AccountType,
    /// Who may move it.
    pub class: PostingClass,
    /// Whether every leg names an item.
    pub itemised: bool,
    /// The lowest balance that a decrease may leave; nothing = no limit.
    pub floor: Option<Decimal>,
    /// The highest balance that an increase may leave; nothing = no limit.
    pub ceiling: Option<Decimal>,
    /// Opaque pairs; 2 kB at most.
    pub metadata: BTreeMap<String, String>,
}

/// New limits; nothing = no limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeLimits {
    /// The account.
    pub account: AccountId,
    /// The lowest balance that a decrease may leave, at the currency's scale.
    pub floor: Option<Decimal>,
    /// The highest balance that an increase may leave, at the currency's scale.
    pub ceiling: Option<Decimal>,
}

/// A tier to define, or its next version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefineTier {
    /// Its name.
    pub tier: TierName,
    /// The currency of its limits.
    pub currency: Currency,
    /// What it allows, at the currency's scale.
    pub limits: TierLimits,
    /// The version in force must be this one; 0 = not defined yet.
    pub expected_version: Option<u32>,
}

/// The tier that an account is to be on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetTier {
    /// The account.
    pub account: AccountId,
    /// The tier; nothing = on none.
    pub tier: Option<TierName>,
}

/// A freeze or lien to put on an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreezeAccount {
    /// The account.
    pub account: AccountId,
    /// The order behind it; one freeze per reference.
    pub reference: Reference,
    /// What it stops.
    pub mode: FreezeMode,
    /// How much stays; exactly for liens.
    pub amount: Option<Money>,
}

/// A hold to place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceHold {
    /// The hold's id.
    pub hold_id: HoldId,
    /// The account whose decrease is reserved.
    pub account: AccountId,
    /// How much.
    pub amount: Money,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
}

/// More to reserve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncreaseHold {
    /// The hold.
    pub hold_id: HoldId,
    /// How much more.
    pub by: Money,
}

/// A hold to post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureHold {
    /// The hold.
    pub hold_id: HoldId,
    /// The id of the transaction that posts it.
    pub transaction_id: TransactionId,
    /// Its kind.
    pub kind: Kind,
    /// How much; nothing = all of it.
    pub amount: Option<Money>,
    /// Where the money goes. A single leg may leave its amount out: it gets everything.
    pub to: Vec<CaptureLeg>,
    /// The business date; nothing = today in the book's time zone.
    pub effective_on: Option<NaiveDate>,
    /// The bank's date.
    pub value_date: Option<NaiveDate>,
    /// Words to keep beside the log, erasable.
    pub note: Option<String>,
}

/// Where a part of a captured hold goes; on the side opposite to the held account's decrease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureLeg {
    /// The account.
    pub account: AccountId,
    /// How much; nothing = what is captured.
    pub amount: Option<Money>,
    /// The item, on an itemised account.
    pub item: Option<Item>,
}

/// A transaction to undo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reverse {
    /// The transaction to undo.
    pub original: TransactionId,
    /// Its kind, as the log has it.
    pub original_kind: Kind,
    /// What caused it, as the log has it: a transaction with a cause belongs to that object.
    pub original_cause: Option<Reference>,
    /// Its legs, as the log has them.
    pub original_legs: Vec<PostingLeg>,
    /// The id of the transaction that undoes it.
    pub transaction_id: TransactionId,
    /// The business date; nothing = today in the book's time zone.
    pub effective_on: Option<NaiveDate>,
    /// Words to keep beside the log, erasable.
    pub note: Option<String>,
}
