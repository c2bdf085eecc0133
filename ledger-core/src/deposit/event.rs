//! What can happen to a deposit. What each fact moves stands in `movement`: an event that moves
//! money names the transaction, whose legs follow it in the same append.

use cqrs_es::DomainEvent;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::credit::Credit;
use crate::{
    bank_line::Part,
    clock::Timestamp,
    ids::{AccountId, BankCode, HoldId, PayeeHash, Reference, TransactionId, WithdrawalId},
    log::event_names,
    money::CurrencyCode,
    withdrawal::Source,
};

/// One fact of a deposit's stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum DepositEvent {
    /// Somebody wants to pay in: an expectation, not money.
    Begun(Begun),
    /// A credit came that nobody asked for.
    Unsolicited(Unsolicited),
    /// It was given up.
    Cancelled {},
    /// Nobody paid in time.
    Expired {},
    /// The bank declined.
    Declined(Declined),
    /// The bank told of a credit. Nothing moves.
    Received(Received),
    /// A credit is confirmed, and on the wallet.
    Credited(Booked),
    /// A credit is confirmed, and in suspense.
    PutAside(PutAside),
    /// The bank's statement shows a credit.
    Settled(Settled),
    /// A person put a credit from suspense on a wallet.
    Assigned(Assigned),
    /// A person decided that a credit in suspense goes back.
    LeftToReturn(LeftToReturn),
    /// The bank asks for a credit's money back. A hold keeps what is there.
    RecallRequested(RecallRequested),
    /// A person decided that the bank gets it back.
    RecallGranted(RecallGranted),
    /// A person decided that the bank does not get it back.
    RecallRefused(RecallRefused),
    /// A credit in suspense is sent back to whom it came from.
    SentBack(SentBack),
    /// A credit in suspense was the lump of other deposits' credits, which it settles.
    Divided(Divided),
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Begun {
    /// The wallet; its currency is the deposit's.
    pub account: AccountId,
    /// What is expected. What arrives is taken, whatever it is.
    pub amount: Decimal,
    /// The bank whose page is paid at.
    pub bank: BankCode,
    /// Until when it can be paid.
    pub expires_at: Timestamp,
    /// Keyed hash of who should pay, if that matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer_hash: Option<PayeeHash>,
}

/// Whose money it is that nobody asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unsolicited {
    /// The wallet of the virtual account that it was sent to, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// Its currency.
    pub currency: CurrencyCode,
    /// The bank that it came to.
    pub bank: BankCode,
}

/// The bank's no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declined {
    /// Who says so.
    pub source: Source,
    /// The bank's code for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Reference>,
}

/// A credit that was told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Received {
    /// Which credit of the deposit, from 1.
    pub number: u32,
    /// What the bank says of it.
    pub credit: Credit,
    /// Who says so.
    pub source: Source,
}

/// A credit on the wallet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Booked {
    /// Which credit of the deposit, from 1.
    pub number: u32,
    /// What the bank says of it.
    pub credit: Credit,
    /// Who says so.
    pub source: Source,
    /// Whether the intent had ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
    /// The transaction.
    pub transaction_id: TransactionId,
}

/// A credit in suspense.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PutAside {
    /// Which credit of the deposit, from 1.
    pub number: u32,
    /// What the bank says of it.
    pub credit: Credit,
    /// Who says so.
    pub source: Source,
    /// Why a person has to look.
    pub reason: Reference,
    /// Whether the intent had ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
    /// The transaction.
    pub transaction_id: TransactionId,
}

/// A credit on the statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settled {
    /// Which credit of the deposit, from 1.
    pub number: u32,
    /// What the bank kept for itself, without tax; nothing for a part of a lump: the lump says it.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub charges: Decimal,
    /// The tax on that.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub tax: Decimal,
    /// The transaction of the bank's line, or of the lump, in the same append: it moves what moves.
    pub transaction_id: TransactionId,
}

/// A credit that found its wallet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assigned {
    /// Which credit of the deposit, from 1.
    pub number: u32,
    /// The wallet.
    pub account: AccountId,
    /// Why, if somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reference>,
    /// The transaction.
    pub transaction_id: TransactionId,
}

/// A credit that goes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftToReturn {
    /// Which credit of the deposit, from 1.
    pub number: u32,
    /// Why, if somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reference>,
}

/// The bank's wish to have money back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecallRequested {
    /// Which credit of the deposit, from 1.
    pub number: u32,
    /// Who says so.
    pub source: Source,
    /// The hold on the wallet, if there was anything to hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_id: Option<HoldId>,
    /// How much it holds.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub held: Decimal,
}

/// Money that goes back to the bank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecallGranted {
    /// Which credit of the deposit, from 1.
    pub number: u32,
    /// How much of it the wallet gives; the rest its owner owes us.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub from_wallet: Decimal,
    /// Why, if somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reference>,
    /// The transaction.
    pub transaction_id: TransactionId,
}

/// Money that stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecallRefused {
    /// Which credit of the deposit, from 1.
    pub number: u32,
    /// Why, if somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reference>,
}

/// It is on its way back. If it does not get through, it is in suspense again as an item of the
/// withdrawal, and none of this deposit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SentBack {
    /// Which credit of the deposit, from 1.
    pub number: u32,
    /// The withdrawal that sends it, and moves it.
    pub withdrawal_id: WithdrawalId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reference>,
}

/// A lump that found its deposits. Their credits are settled in the same append.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Divided {
    /// Which credit of the deposit, from 1.
    pub number: u32,
    /// The other deposits' credits, and what was kept back from them.
    pub parts: Vec<Part>,
    /// Why, if somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reference>,
    /// The transaction.
    pub transaction_id: TransactionId,
}

event_names!(DepositEvent {
    Begun(_) => "begun",
    Unsolicited(_) => "unsolicited",
    Cancelled {} => "cancelled",
    Expired {} => "expired",
    Declined(_) => "declined",
    Received(_) => "received",
    Credited(_) => "credited",
    PutAside(_) => "put_aside",
    Settled(_) => "settled",
    Assigned(_) => "assigned",
    LeftToReturn(_) => "left_to_return",
    RecallRequested(_) => "recall_requested",
    RecallGranted(_) => "recall_granted",
    RecallRefused(_) => "recall_refused",
    SentBack(_) => "sent_back",
    Divided(_) => "divided",
});

impl DomainEvent for DepositEvent {
    fn event_type(&self) -> String {
        self.name().to_owned()
    }

    fn event_version(&self) -> String {
        crate::log::EVENT_VERSION.to_owned()
    }
}
