//! The id of a person: `usr_` and 32 hexadecimal digits. It is what the log knows of a person, as
//! the owner of an account and as the principal of a request.

use std::{borrow::Cow, fmt, str::FromStr};

use ledger_core::ids::{AccountId, IdError, Owner, Principal};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sqlx::types::Uuid;

const WHAT: IdError = IdError { expected: "person id (usr_ and 32 lower-case hexadecimal digits)" };

/// A person.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PersonId(Uuid);

impl PersonId {
    /// What the text of such an id starts with.
    pub const PREFIX: &'static str = "usr_";

    /// Names a person by a UUID that the caller made (version 7, by the `Ids` port).
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The UUID behind the prefix.
    pub const fn uuid(self) -> Uuid {
        self.0
    }

    /// The person as the owner of accounts.
    ///
    /// # Errors
    /// Never: the text of an id is an owner's.
    pub fn owner(self) -> Result<Owner, IdError> {
        self.to_string().parse()
    }

    /// The person as the one who asks.
    ///
    /// # Errors
    /// Never: the text of an id is a principal's.
    pub fn principal(self) -> Result<Principal, IdError> {
        self.to_string().parse()
    }

    /// The person's wallet.
    ///
    /// # Errors
    /// Never: 32 digits are a part of an account's code.
    pub fn wallet(self) -> Result<AccountId, IdError> {
        format!("wallet:{}:INR", self.0.simple()).parse()
    }
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Self::PREFIX, self.0.simple())
    }
}

impl fmt::Debug for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Exactly one text per id: lower case, no hyphens, never the nil UUID.
impl FromStr for PersonId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let digits = text.strip_prefix(Self::PREFIX).ok_or(WHAT)?;
        let canonical =
            digits.len() == 32 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let uuid = Uuid::try_parse(digits).ok().filter(|uuid| canonical && !uuid.is_nil());
        uuid.map(Self).ok_or(WHAT)
    }
}

impl Serialize for PersonId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PersonId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_161_a_person_has_one_text_and_is_owner_principal_and_wallet() {
        let id = PersonId::from_uuid(Uuid::from_u128(7));
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.owner().unwrap().as_str(), id.to_string());
        assert_eq!(id.principal().unwrap().as_str(), id.to_string());
        let wallet = id.wallet().unwrap();
        assert_eq!(wallet.as_str(), "wallet:00000000000000000000000000000007:INR");
        for bad in ["usr_", "7", "usr_00000000000000000000000000000000", "txn_7"] {
            assert!(bad.parse::<PersonId>().is_err(), "{bad}");
        }
    }
}
