//! Money in: the page where somebody pays, and what arrived.

use std::fmt;

use chrono::NaiveDate;
use ledger_core::{clock::Timestamp, ids::Reference, money::Money};

use super::Payee;

/// A page that a bank is to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCollectLink {
    /// Ours; what makes it once, and what the bank writes on the credit.
    pub token: Reference,
    /// How much is asked for.
    pub amount: Money,
    /// To which of our accounts, by its name in the contract: `escrow`.
    pub account: String,
    /// Where the payer goes afterwards.
    pub return_url: Option<String>,
    /// Who should pay.
    pub payer: Option<Payee>,
}

/// A page where somebody pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectLink {
    /// Ours.
    pub token: Reference,
    /// How much is asked for.
    pub amount: Money,
    /// The page.
    pub url: String,
    /// What the payer did there.
    pub status: LinkStatus,
    /// What arrived under the token: none, one or several, also after it was declined.
    pub credits: Vec<Reference>,
}

/// What a payer did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkStatus {
    /// Nothing yet.
    Open,
    /// Said yes. Money is only what arrives.
    Approved,
    /// Said no, or the bank did.
    Declined {
        /// Why.
        code: Reference,
    },
}

/// Money that arrived. Its amount is at the scale that the bank wrote it with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credit {
    /// The bank's name for it.
    pub id: Reference,
    /// Whether it is asked back.
    pub status: CreditStatus,
    /// On which of our accounts.
    pub account: String,
    /// How much.
    pub amount: Money,
    /// The reference between banks.
    pub utr: Option<Reference>,
    /// The line on the statement.
    pub bank_transaction_id: Reference,
    /// The bank's day on which it was booked.
    pub booking_date: NaiveDate,
    /// The bank's day from which it counts.
    pub value_date: NaiveDate,
    /// When it arrived.
    pub received_at: Timestamp,
    /// What the payer wrote as the reference, if it can be one of ours.
    pub token: Option<Reference>,
    /// The virtual account that it was sent to.
    pub virtual_account: Option<Reference>,
    /// Who paid, if the bank says so.
    pub payer: Option<Payer>,
}

/// Whether a credit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreditStatus {
    /// It is on our account.
    Booked,
    /// Somebody asks for it back. It has not been taken.
    RecallRequested,
}

/// Who paid, in the bank's words, which are not checked. Personal data: `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Payer {
    /// The account.
    pub account_number: String,
    /// Its branch.
    pub ifsc: String,
    /// Its owner.
    pub name: String,
}

impl fmt::Debug for Payer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Payer(hidden)")
    }
}
