//! A person as the service knows them, and as others see them.

use ledger_core::{
    clock::Timestamp,
    ids::{IdError, TierName},
};

use super::{Email, Handle, Name, PersonId, Phone};

/// What others may know of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicFace {
    /// Who it is.
    pub id: PersonId,
    /// What they are found by.
    pub handle: Handle,
    /// What they are called.
    pub name: Name,
}

/// Where a person stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Uses the service.
    Active,
    /// Closed their account; kept until the retention ends, used for nothing.
    Restricted,
    /// Nothing is known of them any more.
    Erased,
}

impl Status {
    /// The word in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Restricted => "restricted",
            Self::Erased => "erased",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Restricted, Self::Erased].into_iter().find(|s| s.as_str() == text)
    }
}

/// A person who was not erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Who it is.
    pub id: PersonId,
    /// What others find them by.
    pub handle: Handle,
    /// What they are called.
    pub name: Name,
    /// Where mail reaches them.
    pub email: Email,
    /// Where messages reach them.
    pub phone: Option<Phone>,
    /// Where they stand.
    pub status: Status,
    /// When they proved that the address is theirs.
    pub email_verified_at: Option<Timestamp>,
    /// When they proved that the number is theirs.
    pub phone_verified_at: Option<Timestamp>,
    /// When their papers were seen.
    pub kyc_at: Option<Timestamp>,
    /// When they signed up.
    pub created_at: Timestamp,
    /// When their wallet was known to be in the ledger.
    pub wallet_opened_at: Option<Timestamp>,
    /// The tier that their wallet was put on last.
    pub wallet_tier: Option<TierName>,
}

impl Person {
    /// What others may know of them.
    pub fn face(&self) -> PublicFace {
        PublicFace { id: self.id, handle: self.handle.clone(), name: self.name.clone() }
    }

    /// Whether address and number are proved and papers were seen: what the full tier takes.
    pub fn is_verified(&self) -> bool {
        self.email_verified_at.is_some()
            && self.phone_verified_at.is_some()
            && self.kyc_at.is_some()
    }

    /// The tier that their wallet should be on.
    ///
    /// # Errors
    /// Never: both names are well formed.
    pub fn due_tier(&self) -> Result<TierName, IdError> {
        if self.is_verified() { super::TIER_FULL.parse() } else { super::TIER_SMALL.parse() }
    }
}

/// A person to be.
#[derive(Debug, Clone)]
pub struct NewPerson {
    /// Who it will be.
    pub id: PersonId,
    /// What others will find them by.
    pub handle: Handle,
    /// What they are called.
    pub name: Name,
    /// Where mail reaches them.
    pub email: Email,
    /// Where messages reach them.
    pub phone: Option<Phone>,
    /// Their password as it is stored; nothing for who logs in elsewhere.
    pub password: Option<super::PasswordHash>,
    /// Whether somebody trusted has proved the address already.
    pub email_is_proved: bool,
    /// When.
    pub at: Timestamp,
}
