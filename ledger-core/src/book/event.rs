//! What can happen to the book: the rules that every account stands under.

use chrono::NaiveDate;
use chrono_tz::Tz;
use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use super::ShopTerms;
use crate::{
    fee::ServiceFee,
    ids::{Reference, TransactionId},
    log::event_names,
    money::Currency,
    tier::Tier,
};

/// One fact of the book's stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum BookEvent {
    /// The book exists from here on.
    Opened(Opened),
    /// A currency can be used from here on. Its scale never changes.
    CurrencyAdded(Currency),
    /// A tier has these limits from here on, in a new version.
    TierDefined(Box<Tier>),
    /// Checkpoints are signed with another key from here on.
    CheckpointKeyRotated(Box<CheckpointKeyRotated>),
    /// Nothing that belongs to a day up to this one is posted from here on.
    PeriodClosed(PeriodClosed),
    /// Days that were closed are open again from here on.
    PeriodReopened(PeriodReopened),
    /// A year's income and expense lie in equity from here on.
    YearClosed(YearClosed),
    /// Shops can agree to these rates from here on, in a new version.
    TermsDefined(ShopTerms),
    /// A withdrawal or a transfer costs this from a moment on, in a new version.
    FeeDefined(ServiceFee),
}

/// The book's fixed properties.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    /// The time zone whose days are the book's days (IANA name).
    pub time_zone: Tz,
}

/// A key gives way to the next one. Both are public; the log never sees a secret one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointKeyRotated {
    /// The key that was in force, of Ed25519.
    #[serde(with = "hex_bytes")]
    pub old_key: [u8; 32],
    /// The key that is.
    #[serde(with = "hex_bytes")]
    pub new_key: [u8; 32],
    /// The word of the old one. Who verifies checkpoints verifies it; the book only keeps it.
    #[serde(with = "hex_bytes")]
    pub signature: [u8; 64],
}

/// Bytes as hexadecimal digits.
mod hex_bytes {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer, const N: usize>(
        bytes: &[u8; N],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        deserializer: D,
    ) -> Result<[u8; N], D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; N];
        let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        match hex::decode_to_slice(&text, &mut bytes) {
            Ok(()) if lower => Ok(bytes),
            Ok(()) | Err(_) => Err(D::Error::custom("not that many lower-case hex digits")),
        }
    }
}

/// Up to when nothing is posted any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeriodClosed {
    /// The last day of a month.
    pub until: NaiveDate,
}

/// From when on something can be posted again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeriodReopened {
    /// The first day of a month.
    pub from: NaiveDate,
    /// Why: a code or a reference, without personal data.
    pub reason: Reference,
}

/// Which transaction moved a year's result into equity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct YearClosed {
    /// The last day of the year, which is closed.
    pub until: NaiveDate,
    /// The transaction, in the same append.
    pub transaction_id: TransactionId,
}

event_names!(BookEvent {
    Opened(_) => "opened",
    CurrencyAdded(_) => "currency_added",
    TierDefined(_) => "tier_defined",
    CheckpointKeyRotated(_) => "checkpoint_key_rotated",
    PeriodClosed(_) => "period_closed",
    PeriodReopened(_) => "period_reopened",
    YearClosed(_) => "year_closed",
    TermsDefined(_) => "terms_defined",
    FeeDefined(_) => "fee_defined",
});

impl DomainEvent for BookEvent {
    fn event_type(&self) -> String {
        self.name().to_owned()
    }

    fn event_version(&self) -> String {
        crate::log::EVENT_VERSION.to_owned()
    }
}
