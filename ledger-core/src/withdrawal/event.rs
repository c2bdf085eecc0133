//! What can happen to a withdrawal. What each fact moves stands in `movement`: an event that moves
//! money names the transaction, whose legs follow it in the same append.

use cqrs_es::DomainEvent;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::state::Source;
use crate::{
    ids::{
        AccountId, BankAccountId, BankCode, Item, PayeeHash, Rail, Reference, TransactionId,
        WithdrawalId,
    },
    log::event_names,
};

/// One fact of a withdrawal's stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum WithdrawalEvent {
    /// It exists, and its money is set aside.
    Requested(Requested),
    /// A person has to look at it first.
    ReviewRequired(ReviewRequired),
    /// A person let it pass.
    Approved {},
    /// A person refused it; its money is given back. The end.
    Rejected(GivenBack),
    /// It waits for its bank: for the first time, or again after a refusal that proved that nothing
    /// was paid.
    Queued(Queued),
    /// It was given up before it was sent; its money is given back. The end.
    Cancelled(GivenBack),
    /// It is about to be sent: the intent, before the bank is called.
    AttemptBegun(AttemptBegun),
    /// The bank refused an attempt, which proves that nothing was paid.
    AttemptRefused(AttemptRefused),
    /// The bank did not answer in time, or so that nothing follows from it. Nothing moves.
    OutcomeUnknown(Told),
    /// Questions to the bank did not help; people have to. Nothing moves.
    AttentionNeeded(Told),
    /// The bank refused it for good; its money is given back.
    Failed(GivenBack),
    /// The bank paid less than was sent: what is proved moves, the rest stays where it is.
    PaidInPart(PaidInPart),
    /// The bank paid.
    Completed(Completed),
    /// The bank paid what had been given back, or paid twice: the customer owes it.
    CompletedLate(CompletedLate),
    /// The money came back from the payee's bank, a part or the whole.
    Returned(Returned),
    /// What could not be put on the wallet, or came back, is on the wallet now.
    Applied(Applied),
    /// What was to be sent back and is in suspense again was put on a wallet.
    Assigned(Assigned),
    /// What was to be sent back and is in suspense again is sent once more, by another withdrawal.
    SentAgain(SentAgain),
}

impl WithdrawalEvent {
    /// Why, as a rule's name or a code, where it says so.
    pub const fn reason(&self) -> Option<&Reference> {
        match self {
            Self::ReviewRequired(review) => Some(&review.reason),
            Self::Rejected(back) | Self::Cancelled(back) | Self::Failed(back) => {
                back.reason.as_ref()
            }
            Self::AttemptRefused(refused) => refused.code.as_ref(),
            Self::OutcomeUnknown(told) | Self::AttentionNeeded(told) => told.code.as_ref(),
            Self::Requested(_)
            | Self::Approved {}
            | Self::Queued(_)
            | Self::AttemptBegun(_)
            | Self::PaidInPart(_)
            | Self::Completed(_)
            | Self::CompletedLate(_)
            | Self::Returned(_)
            | Self::Applied(_) => None,
            Self::Assigned(assigned) => assigned.reason.as_ref(),
            Self::SentAgain(again) => again.reason.as_ref(),
        }
    }
}

/// The withdrawal's fixed properties.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requested {
    /// Where the money comes from; its currency is the withdrawal's.
    pub account: AccountId,
    /// What the payee gets.
    pub amount: Decimal,
    /// What it costs, tax included; zero or more.
    pub fee: Decimal,
    /// How much of the fee is tax.
    pub tax: Decimal,
    /// Which version of the fee that is; nothing where it was given with the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee_version: Option<u32>,
    /// The payee's account, opaque.
    pub bank_account: BankAccountId,
    /// The bank that is to send it.
    pub bank: BankCode,
    /// The way it is to be sent.
    pub rail: Rail,
    /// Keyed hash of the payee, presented again at each attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payee_hash: Option<PayeeHash>,
    /// What of suspense it sends back, if it takes the money from there: the item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<Item>,
    /// The transaction that sets the money aside.
    pub transaction_id: TransactionId,
}

/// Why a person has to look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewRequired {
    /// The rule that says so.
    pub reason: Reference,
}

/// It waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queued {
    /// The transaction that takes it back from its way, after an attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<TransactionId>,
}

/// All of it that was not paid, the fee included, is given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenBack {
    /// Amount and fee, less what was paid in parts.
    pub total: Decimal,
    /// Whether the wallet cannot take it (frozen, closed, full): it waits in `returns:unapplied`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unapplied: bool,
    /// Why, if somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reference>,
    /// The transaction.
    pub transaction_id: TransactionId,
}

/// The intent to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttemptBegun {
    /// Which attempt, from 1.
    pub attempt: u32,
    /// What the bank knows this attempt by; never used before.
    pub reference: Reference,
    /// The bank.
    pub bank: BankCode,
    /// The way.
    pub rail: Rail,
    /// The transaction that puts the money on its way.
    pub transaction_id: TransactionId,
}

/// An attempt was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttemptRefused {
    /// Which attempt.
    pub attempt: u32,
    /// Whether it may be tried again, with a new reference.
    pub retryable: bool,
    /// Who says so.
    pub source: Source,
    /// The bank's code for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Reference>,
}

/// What was told of an attempt whose outcome stays open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// Which attempt.
    pub attempt: u32,
    /// Who says so.
    pub source: Source,
    /// The bank's code for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Reference>,
}

/// The bank paid a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaidInPart {
    /// Which attempt.
    pub attempt: u32,
    /// The bank's number of this part.
    pub bank_reference: Reference,
    /// How much; less than what is in flight.
    pub amount: Decimal,
    /// Who says so.
    pub source: Source,
    /// The transaction.
    pub transaction_id: TransactionId,
}

/// The bank paid, with money that was set aside for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Completed {
    /// Which attempt.
    pub attempt: u32,
    /// The bank's own reference.
    pub bank_reference: Reference,
    /// Who says so.
    pub source: Source,
    /// Whether the bank had refused this attempt before: somebody has to ask it why.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
    /// The transaction.
    pub transaction_id: TransactionId,
}

/// The bank paid, and nothing is set aside for it any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompletedLate {
    /// Which attempt.
    pub attempt: u32,
    /// The bank's own reference.
    pub bank_reference: Reference,
    /// Who says so.
    pub source: Source,
    /// What is still in flight of another attempt that was paid in part.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub from_in_flight: Decimal,
    /// What is taken of what was given back and is not on the wallet yet.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub from_unapplied: Decimal,
    /// What the wallet gives.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub from_wallet: Decimal,
    /// What the customer owes from now on.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub owed: Decimal,
    /// The transaction.
    pub transaction_id: TransactionId,
}

/// The money came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Returned {
    /// The attempt that it was sent by.
    pub attempt: u32,
    /// The bank's reference of the credit; the same one again is the same credit.
    pub bank_reference: Reference,
    /// How much came.
    pub amount: Decimal,
    /// Who says so.
    pub source: Source,
    /// The transaction that books it as come and not yet applied.
    pub transaction_id: TransactionId,
}

/// It is on the wallet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Applied {
    /// What leaves `returns:unapplied`.
    pub amount: Decimal,
    /// The fee that is given back with it, tax included.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub fee: Decimal,
    /// How much of it pays what the customer owes because of this withdrawal.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub repaid: Decimal,
    /// The transaction.
    pub transaction_id: TransactionId,
}

/// It is on a wallet, by a person's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assigned {
    /// The wallet.
    pub account: AccountId,
    /// How much.
    pub amount: Decimal,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reference>,
    /// The transaction.
    pub transaction_id: TransactionId,
}

/// It is on its way again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SentAgain {
    /// The withdrawal that sends it, and moves it.
    pub withdrawal_id: WithdrawalId,
    /// How much.
    pub amount: Decimal,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reference>,
}

event_names!(WithdrawalEvent {
    Requested(_) => "requested",
    ReviewRequired(_) => "review_required",
    Approved {} => "approved",
    Rejected(_) => "rejected",
    Queued(_) => "queued",
    Cancelled(_) => "cancelled",
    AttemptBegun(_) => "attempt_begun",
    AttemptRefused(_) => "attempt_refused",
    OutcomeUnknown(_) => "outcome_unknown",
    AttentionNeeded(_) => "attention_needed",
    Failed(_) => "failed",
    PaidInPart(_) => "paid_in_part",
    Completed(_) => "completed",
    CompletedLate(_) => "completed_late",
    Returned(_) => "returned",
    Applied(_) => "applied",
    Assigned(_) => "assigned",
    SentAgain(_) => "sent_again",
});

impl DomainEvent for WithdrawalEvent {
    fn event_type(&self) -> String {
        self.name().to_owned()
    }

    fn event_version(&self) -> String {
        crate::log::EVENT_VERSION.to_owned()
    }
}
