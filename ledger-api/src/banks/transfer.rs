//! Money out: what is sent, and what a bank says of it.

use ledger_core::{
    clock::Timestamp,
    ids::{Rail, Reference},
    money::Money,
};

use super::Payee;

/// A transfer that a bank is to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// Ours, of this attempt; what makes it once.
    pub reference: Reference,
    /// How much.
    pub amount: Money,
    /// Which way.
    pub rail: Rail,
    /// From which of our accounts, by its name in the contract: `escrow`.
    pub from: String,
    /// To whom.
    pub beneficiary: Payee,
}

/// A transfer as a bank tells of it.
///
/// Its amounts are what the *bank* wrote, at the scale that it wrote them with: compare them with
/// what is known, currency included, before anything rests on them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Ours.
    pub reference: Reference,
    /// How much.
    pub amount: Money,
    /// Which way.
    pub rail: Rail,
    /// From which of our accounts.
    pub from: String,
    /// What became of it.
    pub status: TransferStatus,
    /// When the bank took it.
    pub accepted_at: Timestamp,
}

/// What became of a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferStatus {
    /// The bank has it; not decided.
    Accepted,
    /// The money has left our account.
    Paid {
        /// The reference between banks.
        utr: Reference,
        /// The line on the statement.
        bank_transaction_id: Reference,
        /// When.
        settled_at: Timestamp,
    },
    /// Not paid. The contract says whether the code is final.
    Refused {
        /// Why.
        code: Reference,
    },
    /// It was paid, and came back.
    Returned {
        /// The reference between banks of the payment.
        utr: Reference,
        /// The payment's line on the statement.
        bank_transaction_id: Reference,
        /// What came back.
        returned: ReturnedCredit,
    },
}

/// The credit by which a transfer came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnedCredit {
    /// The reference between banks.
    pub utr: Reference,
    /// The line on the statement.
    pub bank_transaction_id: Reference,
    /// How much came.
    pub amount: Money,
    /// When.
    pub at: Timestamp,
}

impl Transfer {
    /// Whether this can be the transfer that was submitted: nothing in it differs.
    pub fn is_of(&self, submission: &Submission) -> bool {
        self.reference == submission.reference
            && self.amount == submission.amount
            && self.rail == submission.rail
            && self.from == submission.from
    }
}
