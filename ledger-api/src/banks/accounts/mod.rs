//! Customers' bank accounts: whom money may be sent to.
//!
//! The only code that reads and writes account numbers and names. What it tells the rest of the
//! service is an id, whose it is, whether its name was checked, and a keyed hash; the number itself
//! is told to whoever is about to send, and masked to whoever asks. A row of details is never
//! changed, only erased.

mod hash;
mod store;

use chrono::{DateTime, Utc};
use ledger_core::{
    command::Idempotency,
    ids::{BankAccountId, BankCode, Owner, Principal},
};

pub use hash::PayeeKey;
pub(crate) use store::masked;
pub use store::{BankAccounts, CreateError};

use super::Payee;

/// A bank account to keep.
#[derive(Debug)]
pub struct NewBankAccount {
    /// Its id.
    pub id: BankAccountId,
    /// Whose it is.
    pub owner: Owner,
    /// Who would be paid.
    pub payee: Payee,
    /// When.
    pub at: DateTime<Utc>,
    /// Who asks.
    pub principal: Principal,
    /// What makes the request once.
    pub idempotency: Idempotency,
}

/// A bank account, without what must not be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankAccount {
    /// Its id.
    pub id: BankAccountId,
    /// Whose it is.
    pub owner: Owner,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Whether money may be sent to it.
    pub status: BankAccountStatus,
    /// When its name was last checked, and by which bank.
    pub checked: Option<(DateTime<Utc>, BankCode)>,
    /// What may be shown; nothing once it was erased.
    pub shown: Option<Shown>,
}

/// Whether money may be sent to a bank account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BankAccountStatus {
    /// Its name was not checked.
    Unverified,
    /// Its name was checked.
    Verified,
    /// It is not the owner's, or there is no such account.
    Refused(Why),
    /// It was erased.
    Deleted,
}

/// Why a bank account was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It belongs to somebody of another name.
    NameDiffers,
    /// It was closed.
    AccountClosed,
    /// There is none.
    AccountUnknown,
}

impl Why {
    /// Its code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NameDiffers => "name_differs",
            Self::AccountClosed => "account_closed",
            Self::AccountUnknown => "account_unknown",
        }
    }

    fn of_code(code: &str) -> Option<Self> {
        let all = [Self::NameDiffers, Self::AccountClosed, Self::AccountUnknown];
        all.into_iter().find(|why| why.code() == code)
    }
}

/// What may be shown of a payee. The names are personal: `Debug` hides them.
#[derive(Clone, PartialEq, Eq)]
pub struct Shown {
    /// The end of the number.
    pub last_four: String,
    /// The branch.
    pub ifsc: String,
    /// The owner's name as it was given.
    pub name: String,
    /// The owner's name as the bank has it, where it is nearly the same.
    pub registered_name: Option<String>,
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shown(hidden)")
    }
}

/// What a check of the name came to.
#[derive(Clone, PartialEq, Eq)]
pub enum Checked {
    /// It is the owner's; with the bank's name for the owner where that is not quite the same.
    Right {
        /// The name.
        registered_name: Option<String>,
    },
    /// It is not, or there is no such account.
    Wrong(Why),
}

/// A bank account that was made, now or by an earlier request with the same key.
#[derive(Debug)]
pub struct Created {
    /// It, as it is now.
    pub account: BankAccount,
    /// Whether an earlier request made it.
    pub replayed: bool,
}
