//! The ids of shops and of what belongs to them: a prefix and a UUIDv7. They are opaque, so that of
//! a shop may stand in the log, in the codes of its accounts.

use std::{fmt, str::FromStr};

use ledger_core::ids::{AccountCode, AccountId, IdError, Owner, Principal};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

macro_rules! shop_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            const ERROR: IdError = IdError { expected: $expected };

            /// Names one by a UUID that the caller made (version 7, by the `Ids` port).
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID behind the prefix.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0.simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let digits = text.strip_prefix($prefix).ok_or(Self::ERROR)?;
                let uuid = canonical(digits).ok_or(Self::ERROR)?;
                Ok(Self(uuid))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

shop_id!(
    /// A shop.
    MerchantId,
    "mer_",
    "merchant id (mer_ and 32 lower-case hexadecimal digits)"
);
shop_id!(
    /// A place where a shop sells.
    StoreId,
    "sto_",
    "store id (sto_ and 32 lower-case hexadecimal digits)"
);
shop_id!(
    /// What payments are taken with at a store: a till, a counter, a tablet.
    TerminalId,
    "trm_",
    "terminal id (trm_ and 32 lower-case hexadecimal digits)"
);

/// Exactly the text that we write: no other spelling, and not the UUID of nobody.
fn canonical(digits: &str) -> Option<Uuid> {
    let plain =
        digits.len() == 32 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    Uuid::try_parse(digits).ok().filter(|uuid| plain && !uuid.is_nil())
}

/// The currency that shops are paid in.
const CURRENCY: &str = "INR";

impl MerchantId {
    /// The shop's segment in the codes of its accounts.
    pub fn segment(self) -> String {
        self.uuid().simple().to_string()
    }

    /// What was paid and is not settled yet.
    ///
    /// # Errors
    /// Never: the code is well formed whatever the id.
    pub fn unsettled(self) -> Result<AccountId, IdError> {
        self.account("unsettled")
    }

    /// What the shop can spend.
    ///
    /// # Errors
    /// Never: the code is well formed whatever the id.
    pub fn available(self) -> Result<AccountId, IdError> {
        self.account("available")
    }

    fn account(self, room: &str) -> Result<AccountId, IdError> {
        let code: AccountCode = format!("merchant:{}:{room}", self.segment()).parse()?;
        let currency = CURRENCY.parse().map_err(|_| Self::ERROR)?;
        Ok(AccountId::new(&code, currency))
    }

    /// The shop whose account it is, in whatever currency.
    pub fn of_account(account: &AccountId) -> Option<Self> {
        let code = account.as_str().strip_prefix("merchant:")?;
        let (hex, _) = code.split_once(':')?;
        canonical(hex).map(Self).filter(|shop| shop.has(account))
    }

    /// Whether the account is one of this shop's, in whatever currency.
    pub fn has(self, account: &AccountId) -> bool {
        let code = account.as_str().rsplit_once(':').map_or("", |(code, _)| code);
        let mut parts = code.split(':');
        let is_room = |room: Option<&str>| matches!(room, Some("unsettled" | "available"));
        parts.next() == Some("merchant")
            && parts.next() == Some(self.segment().as_str())
            && is_room(parts.next())
            && parts.next().is_none()
    }

    /// The shop as the owner of accounts.
    ///
    /// # Errors
    /// Never: the text is well formed.
    pub fn owner(self) -> Result<Owner, IdError> {
        self.to_string().parse()
    }

    /// The shop as who acts: its own programs, by their keys.
    ///
    /// # Errors
    /// Never: the text is well formed.
    pub fn principal(self) -> Result<Principal, IdError> {
        self.to_string().parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shop_has_one_text_and_its_own_accounts_only() {
        let (chai, books) =
            (MerchantId::from_uuid(Uuid::from_u128(7)), MerchantId::from_uuid(Uuid::from_u128(8)));
        assert_eq!(chai.to_string().parse(), Ok(chai));
        assert!(chai.to_string().to_uppercase().parse::<MerchantId>().is_err());
        assert!("mer_00000000000000000000000000000000".parse::<MerchantId>().is_err());
        assert!(chai.to_string().parse::<StoreId>().is_err());
        let unsettled = chai.unsettled().unwrap();
        let text = "merchant:00000000000000000000000000000007:unsettled:INR";
        assert_eq!(unsettled.as_str(), text);
        assert_eq!(MerchantId::of_account(&unsettled), Some(chai));
        assert!(chai.has(&unsettled) && chai.has(&chai.available().unwrap()));
        assert!(!books.has(&unsettled) && !chai.has(&books.available().unwrap()));
        for other in [
            "merchant:00000000000000000000000000000007:INR",
            "merchant:00000000000000000000000000000007:till:INR",
            "merchant:00000000000000000000000000000007:available:x:INR",
            "wallet:00000000000000000000000000000007:INR",
        ] {
            assert!(!chai.has(&other.parse().unwrap()), "{other}");
        }
    }
}
