//! Identifiers: a prefix that says what it names, and a UUIDv7 that sorts by time of making.
//!
//! Ids are made at the edge and come in with the command, so that a decision is a pure function of
//! its input. A UUIDv7's time is never used for order: the log's position is the order.

use std::{borrow::Cow, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::money::CurrencyCode;

/// A text that should have been an id and is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a well-formed {expected}")]
pub struct IdError {
    /// What was expected, in words.
    pub expected: &'static str,
}

macro_rules! prefixed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// What the text of such an id starts with.
            pub const PREFIX: &'static str = $prefix;

            /// Names something by a UUID that the caller made (version 7, by the `Ids` port).
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
                parse_uuid(text, $prefix).map(Self).ok_or(IdError { expected: $what })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

prefixed_id!(
    /// A ledger transaction: one balanced set of legs.
    TransactionId, "txn_", "transaction id (txn_ and 32 lower-case hexadecimal digits)"
);
prefixed_id!(
    /// A hold: an amount of an account that is reserved and not spendable.
    HoldId, "hold_", "hold id (hold_ and 32 lower-case hexadecimal digits)"
);
prefixed_id!(
    /// A withdrawal: money on its way out to a bank account.
    WithdrawalId, "wd_", "withdrawal id (wd_ and 32 lower-case hexadecimal digits)"
);
prefixed_id!(
    /// A deposit: money on its way in from a bank.
    DepositId, "dep_", "deposit id (dep_ and 32 lower-case hexadecimal digits)"
);
prefixed_id!(
    /// A transfer between wallets; a stream only of those that wait to be claimed.
    TransferId, "tr_", "transfer id (tr_ and 32 lower-case hexadecimal digits)"
);
prefixed_id!(
    /// A bank account that money can be sent to: opaque here; its number is in no event.
    BankAccountId, "ba_", "bank account id (ba_ and 32 lower-case hexadecimal digits)"
);
prefixed_id!(
    /// A virtual account: a number at a bank that stands for a wallet of ours.
    VirtualAccountId, "va_", "virtual account id (va_ and 32 lower-case hexadecimal digits)"
);
prefixed_id!(
    /// A line of a bank's statement: made from what the bank identifies it by
    /// ([`crate::bank_line::LineKey::id`]), so that one line has one id wherever it is read.
    BankLineId, "bl_", "bank line id (bl_ and 32 lower-case hexadecimal digits)"
);
prefixed_id!(
    /// A payment: money from a wallet to a shop.
    PaymentId, "pay_", "payment id (pay_ and 32 lower-case hexadecimal digits)"
);
prefixed_id!(
    /// What a shop gives back of a payment.
    RefundId, "rf_", "refund id (rf_ and 32 lower-case hexadecimal digits)"
);
prefixed_id!(
    /// A shop's request to be paid.
    PaymentRequestId, "pr_", "payment request id (pr_ and 32 lower-case hexadecimal digits)"
);
prefixed_id!(
    /// A settlement: payments of a shop whose money it can dispose of from one day on.
    SettlementId, "set_", "settlement id (set_ and 32 lower-case hexadecimal digits)"
);
prefixed_id!(
    /// A request to the service.
    RequestId, "req_", "request id (req_ and 32 lower-case hexadecimal digits)"
);

/// Exactly one text per id: lower case, no hyphens, never the nil UUID.
fn parse_uuid(text: &str, prefix: &str) -> Option<Uuid> {
    let digits = text.strip_prefix(prefix)?;
    let canonical =
        digits.len() == 32 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !canonical {
        return None;
    }
    Uuid::try_parse(digits).ok().filter(|uuid| !uuid.is_nil())
}

/// The most bytes an account's code may have.
pub const ACCOUNT_CODE_LEN_MAX: usize = 96;

/// An account's code in the chart of accounts: `wallet:alice`, `bank:hdfc:clearing_in`.
///
/// One to six segments joined by `:`, each of `a-z 0-9 _ . -`, the first letter of each a letter
/// or digit. Lower case only, so that a currency (upper case) can follow without ambiguity.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountCode(Arc<str>);

impl AccountCode {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The code's segments, in order.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split(':')
    }
}

impl FromStr for AccountCode {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let segment = |s: &str| {
            s.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-'))
                && s.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
        };
        let well_formed = text.len() <= ACCOUNT_CODE_LEN_MAX
            && text.split(':').count() <= 6
            && text.split(':').all(segment);
        if well_formed {
            Ok(Self(Arc::from(text)))
        } else {
            Err(IdError { expected: "account code (lower-case segments joined by ':')" })
        }
    }
}

/// An account: its code with its currency, `wallet:alice:INR`. It is the id of its stream, so that
/// opening it twice is a conflict of streams.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(Arc<str>);

impl AccountId {
    /// The account of `code` in `currency`.
    pub fn new(code: &AccountCode, currency: CurrencyCode) -> Self {
        Self(Arc::from(format!("{}:{currency}", code.as_str())))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id as text that is cheap to share.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// The code without the currency.
    pub fn code(&self) -> AccountCode {
        let code = self.0.rsplit_once(':').map_or("", |(code, _)| code);
        AccountCode(Arc::from(code))
    }

    /// The currency's code.
    ///
    /// # Errors
    /// Never for an id that was parsed; the type allows no other.
    pub fn currency(&self) -> Result<CurrencyCode, IdError> {
        let code = self.0.rsplit_once(':').map_or("", |(_, currency)| currency);
        code.parse().map_err(|_| ACCOUNT_ID)
    }
}

const ACCOUNT_ID: IdError = IdError { expected: "account id (a code, ':' and a currency)" };

impl FromStr for AccountId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let (code, currency) = text.rsplit_once(':').ok_or(ACCOUNT_ID)?;
        let code: AccountCode = code.parse().map_err(|_| ACCOUNT_ID)?;
        let currency: CurrencyCode = currency.parse().map_err(|_| ACCOUNT_ID)?;
        Ok(Self::new(&code, currency))
    }
}

macro_rules! text_traits {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

text_traits!(AccountCode);
text_traits!(AccountId);

macro_rules! opaque_text {
    ($(#[$doc:meta])* $name:ident, $max:literal, $what:literal) => {
        opaque_text!($(#[$doc])* $name, 1..=$max, |b: u8| b.is_ascii_graphic(), $what);
    };
    ($(#[$doc:meta])* $name:ident, $len:expr, $byte:expr, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let well_formed = ($len).contains(&text.len()) && text.bytes().all($byte);
                if well_formed {
                    Ok(Self(Arc::from(text)))
                } else {
                    Err(IdError { expected: $what })
                }
            }
        }

        text_traits!($name);
    };
}

opaque_text!(
    /// The party an account belongs to: an opaque id, never a name.
    Owner, 64, "owner (1 to 64 visible ASCII characters)"
);
opaque_text!(
    /// The business object that a leg on an itemised account belongs to.
    Item, 64, "item key (1 to 64 visible ASCII characters)"
);
opaque_text!(
    /// A reference to something outside, such as the order behind a freeze.
    Reference, 64, "reference (1 to 64 visible ASCII characters)"
);
opaque_text!(
    /// Who acts: a person or a service account. Keys rotate, principals stay.
    Principal, 64, "principal (1 to 64 visible ASCII characters)"
);
opaque_text!(
    /// A bank, by the name it has in account codes: `hdfc` in `bank:hdfc:clearing_out`.
    BankCode, 1..=32, |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9'),
    "bank (1 to 32 lower-case letters or digits)"
);
opaque_text!(
    /// A shop, by the name it has in account codes: `tea` in `merchant:tea:unsettled`.
    MerchantCode, 1..=64, |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9'),
    "merchant (1 to 64 lower-case letters or digits)"
);
opaque_text!(
    /// A way to send money between banks: `imps`, `neft`, `rtgs`, `upi`.
    Rail, 1..=16, |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'),
    "rail (1 to 16 lower-case letters, digits or '_')"
);
opaque_text!(
    /// A tier of limits: `full_kyc`.
    TierName, 1..=32, |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'),
    "tier (1 to 32 lower-case letters, digits or '_')"
);
opaque_text!(
    /// Keyed hash of who is paid (account, branch code and name), so that a payee who was swapped
    /// between the request and the sending is found out.
    PayeeHash, 64..=64, |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f'),
    "payee hash (64 lower-case hexadecimal digits)"
);
opaque_text!(
    /// Keyed hash of a phone number, so that no event holds one and no list of all numbers finds
    /// it.
    PhoneHash, 64..=64, |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f'),
    "phone hash (64 lower-case hexadecimal digits)"
);
opaque_text!(
    /// A client's key that makes a command happen once, however often it is sent.
    IdempotencyKey, 255, "idempotency key (1 to 255 visible ASCII characters)"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_161_ids_have_exactly_one_text() {
        let id = TransactionId::from_uuid(Uuid::from_u128(7));
        assert_eq!(id.to_string().parse(), Ok(id));
        let bad = [
            "txn_",
            "txn_00000000000000000000000000000000",
            "7",
            "hold_0000000000000000000000000000007",
            "txn_0000000000000000000000000000000G",
            "txn_ABCDEF00000000000000000000000007",
            "txn_00000000-0000-0000-0000-000000000007",
        ];
        for text in bad {
            assert!(text.parse::<TransactionId>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_account_id_is_a_code_and_a_currency() {
        let id: AccountId = "bank:hdfc:clearing_in:INR".parse().unwrap();
        assert_eq!(id.code().as_str(), "bank:hdfc:clearing_in");
        assert_eq!(id.currency().unwrap().as_str(), "INR");
        for bad in ["INR", ":INR", "wallet:Alice:INR", "wallet::INR", "wallet:a:inr", "a b:INR"] {
            assert!(bad.parse::<AccountId>().is_err(), "{bad}");
        }
        let long = format!("wallet:{}:INR", "a".repeat(100));
        assert!(long.parse::<AccountId>().is_err());
    }

    #[test]
    fn banks_rails_and_payee_hashes_have_their_own_alphabets() {
        for bad in ["", "HDFC", "a:b", "a b", "a-b", &"a".repeat(33)] {
            assert!(bad.parse::<BankCode>().is_err(), "{bad:?}");
        }
        assert!("axis2".parse::<BankCode>().is_ok() && "upi_lite".parse::<Rail>().is_ok());
        for bad in ["", "UPI", "upi:x", &"a".repeat(17)] {
            assert!(bad.parse::<Rail>().is_err(), "{bad:?}");
        }
        assert!("0a".repeat(32).parse::<PayeeHash>().is_ok());
        for bad in ["", "0A", &"0a".repeat(31), &"0A".repeat(32), &"0a".repeat(33)] {
            assert!(bad.parse::<PayeeHash>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn case_26_keys_are_visible_ascii_of_bounded_length() {
        for bad in ["", "a b", "a\n", "é", "\u{7f}"] {
            assert!(bad.parse::<IdempotencyKey>().is_err(), "{bad:?}");
        }
        assert!("k".repeat(255).parse::<IdempotencyKey>().is_ok());
        assert!("k".repeat(256).parse::<IdempotencyKey>().is_err());
    }
}
