//! What can be asked of a transfer, by its sender, by who claims it, by a person of ours, or by
//! the sweeper.

use rust_decimal::Decimal;

use crate::{
    clock::Timestamp,
    fee::Pricing,
    ids::{AccountId, PhoneHash, Reference, TransferId},
    money::Money,
};

/// One thing that can be asked of a transfer. Each is one append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferOperation {
    /// Hold money for whoever proves a number.
    Hold(HoldTransfer),
    /// Take it.
    Claim(ClaimTransfer),
    /// Let a claim pass or refuse it, where it waits.
    DecideClaim(DecideClaim),
    /// Give it up.
    Cancel(TransferId),
    /// End it because its time has come.
    Expire(TransferId),
}

impl TransferOperation {
    /// The transfer that it is about.
    pub const fn transfer_id(&self) -> TransferId {
        match self {
            Self::Hold(hold) => hold.transfer_id,
            Self::Claim(claim) => claim.transfer_id,
            Self::DecideClaim(decide) => decide.transfer_id,
            Self::Cancel(transfer_id) | Self::Expire(transfer_id) => *transfer_id,
        }
    }
}

/// A transfer to begin. Amount, fee and tax are fixed by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldTransfer {
    /// Its id.
    pub transfer_id: TransferId,
    /// Where the money comes from: a wallet.
    pub account: AccountId,
    /// What the receiver gets.
    pub amount: Money,
    /// What it costs, tax included; zero or more.
    pub fee: Money,
    /// How much of the fee is tax.
    pub tax: Money,
    /// Whether that is so, or the version in force says what it costs.
    pub pricing: Pricing,
    /// Keyed hash of the receiver's phone number.
    pub phone_hash: PhoneHash,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// Words to keep beside the log, erasable.
    pub note: Option<String>,
}

/// A transfer to take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimTransfer {
    /// The transfer.
    pub transfer_id: TransferId,
    /// Where the claimer wants the money: a wallet.
    pub account: AccountId,
    /// Keyed hash of the number that the claimer has proved.
    pub phone_hash: PhoneHash,
    /// The rule by which a person has to look at it first.
    pub review: Option<Reference>,
}

/// A person's decision about a claim that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecideClaim {
    /// The transfer.
    pub transfer_id: TransferId,
    /// Whether it passes.
    pub approve: bool,
    /// Why not; kept for refusals.
    pub reason: Option<Reference>,
}

/// What the aggregate is asked: the operation, and what the accounts could give and take at that
/// moment, which it cannot see by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferCommand {
    /// The operation.
    pub operation: TransferOperation,
    /// The accounts.
    pub standing: TransferStanding,
    /// The moment of the decision.
    pub now: Timestamp,
}

/// What sender and receiver could give and take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TransferStanding {
    /// The most that the sender could give once the hold is free; nothing = no limit.
    pub spendable: Option<Decimal>,
    /// The most that the receiver could take; nothing = no limit.
    pub room: Option<Decimal>,
    /// Whether both accounts have one owner.
    pub same_owner: bool,
}
