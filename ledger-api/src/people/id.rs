//! The id of a person: `usr_` and a UUIDv7. It is opaque: it says nothing of who it is, so it may
//! stand in the log, as principal and as owner of accounts.

use std::{fmt, str::FromStr};

use ledger_core::{
    ids::{AccountCode, AccountId, IdError, Owner, Principal},
    money::CurrencyCode,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

const PREFIX: &str = "usr_";
const PERSON_ID: IdError =
    IdError { expected: "person id (usr_ and 32 lower-case hexadecimal digits)" };
/// The currency of the wallet that a person has from the start.
const CURRENCY: &str = "INR";

/// A person.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PersonId(Uuid);

impl PersonId {
    /// Names a person by a UUID that the caller made (version 7, by the `Ids` port).
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The UUID behind the prefix.
    pub const fn uuid(self) -> Uuid {
        self.0
    }

    /// The person's wallet.
    ///
    /// # Errors
    /// Never: the code is well formed whatever the id.
    pub fn wallet(self) -> Result<AccountId, IdError> {
        let code: AccountCode = format!("wallet:{}", self.0.simple()).parse()?;
        let currency: CurrencyCode = CURRENCY.parse().map_err(|_| PERSON_ID)?;
        Ok(AccountId::new(&code, currency))
    }

    /// Whether the account is a wallet of this person, in whatever currency.
    pub fn has(self, account: &AccountId) -> bool {
        let code = account.as_str().rsplit_once(':').map_or("", |(code, _)| code);
        code.strip_prefix("wallet:").is_some_and(|hex| hex == self.0.simple().to_string())
    }

    /// The person as the owner of accounts.
    ///
    /// # Errors
    /// Never: the text is well formed.
    pub fn owner(self) -> Result<Owner, IdError> {
        self.to_string().parse()
    }

    /// The person as who acts.
    ///
    /// # Errors
    /// Never: the text is well formed.
    pub fn principal(self) -> Result<Principal, IdError> {
        self.to_string().parse()
    }
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.0.simple())
    }
}

impl fmt::Debug for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PersonId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let digits = text.strip_prefix(PREFIX).ok_or(PERSON_ID)?;
        let canonical =
            digits.len() == 32 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let uuid = Uuid::try_parse(digits).ok().filter(|uuid| canonical && !uuid.is_nil());
        uuid.map(Self).ok_or(PERSON_ID)
    }
}

impl Serialize for PersonId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PersonId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_has_one_text_and_their_own_wallet_only() {
        let (asha, ravi) = (PersonId(Uuid::from_u128(1 << 64)), PersonId(Uuid::from_u128(7)));
        assert_eq!(asha.to_string().parse(), Ok(asha));
        assert!("usr_00000000000000000000000000000000".parse::<PersonId>().is_err());
        assert!(asha.to_string().to_uppercase().parse::<PersonId>().is_err());
        let wallet = asha.wallet().unwrap();
        assert_eq!(wallet.as_str(), "wallet:00000000000000010000000000000000:INR");
        assert!(asha.has(&wallet) && !ravi.has(&wallet));
        let room = format!("wallet:{}:savings:INR", asha.uuid().simple());
        assert!(!asha.has(&room.parse().unwrap()));
        assert!(!asha.has(&"wallet:asha:INR".parse().unwrap()));
    }
}
