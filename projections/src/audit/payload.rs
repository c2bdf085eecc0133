//! The payloads of docs/events.md, as shapes of this check's own.
//!
//! They borrow from the stored bytes. Numbers and ids stay text here: what they mean is judged
//! where the account, and so the currency, is known.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

use super::text::Text;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountOpened<'a> {
    #[serde(borrow)]
    pub account: Text<'a>,
    pub scale: u8,
    #[serde(borrow)]
    pub owner: Text<'a>,
    #[serde(rename = "type")]
    pub account_type: AccountType,
    #[serde(borrow)]
    pub class: Text<'a>,
    #[serde(default)]
    pub itemised: bool,
    #[serde(borrow, default)]
    pub floor: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub ceiling: Option<Text<'a>>,
    #[serde(default, rename = "metadata")]
    _metadata: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AccountType {
    Asset,
    Liability,
    Income,
    Expense,
    Equity,
}

impl AccountType {
    /// As it stands in the log.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Asset => "asset",
            Self::Liability => "liability",
            Self::Income => "income",
            Self::Expense => "expense",
            Self::Equity => "equity",
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the payload's own names")]
pub(super) struct Leg<'a> {
    #[serde(borrow)]
    pub transaction_id: Text<'a>,
    pub leg: u32,
    pub legs: u32,
    #[serde(borrow)]
    pub kind: Text<'a>,
    #[serde(borrow)]
    pub amount: Text<'a>,
    #[serde(borrow)]
    pub balance_after: Text<'a>,
    #[serde(borrow, default)]
    pub held_after: Option<Text<'a>>,
    #[serde(borrow)]
    pub effective_on: Text<'a>,
    #[serde(borrow, default)]
    pub value_date: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub item: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub cause: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub counted_on: Option<Text<'a>>,
    #[serde(default)]
    pub fee_version: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HoldChange<'a> {
    #[serde(borrow)]
    pub hold_id: Text<'a>,
    #[serde(borrow)]
    pub amount: Text<'a>,
    #[serde(borrow)]
    pub balance_after: Text<'a>,
    #[serde(borrow, default)]
    pub held_after: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub expires_at: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitsChanged<'a> {
    #[serde(borrow, default)]
    pub floor: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub ceiling: Option<Text<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FreezeMode {
    Debit,
    Credit,
    Both,
    Lien,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Frozen<'a> {
    #[serde(borrow)]
    pub reference: Text<'a>,
    pub mode: FreezeMode,
    #[serde(borrow, default)]
    pub amount: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unfrozen<'a> {
    #[serde(borrow)]
    pub reference: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HoldPlaced<'a> {
    #[serde(borrow)]
    pub account: Text<'a>,
    #[serde(borrow)]
    pub amount: Text<'a>,
    #[serde(borrow, default)]
    pub expires_at: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub cause: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HoldIncreased<'a> {
    #[serde(borrow)]
    pub by: Text<'a>,
    #[serde(borrow)]
    pub amount: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HoldCaptured<'a> {
    #[serde(borrow)]
    pub amount: Text<'a>,
    #[serde(borrow)]
    pub released: Text<'a>,
    #[serde(borrow)]
    pub transaction_id: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reversed<'a> {
    #[serde(borrow)]
    pub by: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BookOpened<'a> {
    #[serde(borrow)]
    pub time_zone: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CurrencyAdded<'a> {
    #[serde(borrow)]
    pub code: Text<'a>,
    pub scale: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckpointKeyRotated<'a> {
    #[serde(borrow)]
    pub old_key: Text<'a>,
    #[serde(borrow)]
    pub new_key: Text<'a>,
    #[serde(borrow)]
    pub signature: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PeriodClosed<'a> {
    #[serde(borrow)]
    pub until: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PeriodReopened<'a> {
    #[serde(borrow)]
    pub from: Text<'a>,
    #[serde(borrow)]
    pub reason: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct YearClosed<'a> {
    #[serde(borrow)]
    pub until: Text<'a>,
    #[serde(borrow)]
    pub transaction_id: Text<'a>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TermsDefined {
    pub version: u32,
    pub fee_bps: u16,
    pub tax_bps: u16,
    #[serde(default)]
    pub debt_limit: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FeeDefined<'a> {
    #[serde(borrow)]
    pub service: Text<'a>,
    #[serde(borrow)]
    pub currency: Text<'a>,
    pub version: u32,
    #[serde(borrow)]
    pub fee: Text<'a>,
    pub tax_bps: u16,
    #[serde(borrow)]
    pub effective_from: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TierDefined<'a> {
    #[serde(borrow)]
    pub tier: Text<'a>,
    #[serde(borrow)]
    pub currency: Text<'a>,
    pub version: u32,
    #[serde(borrow)]
    pub limits: TierLimits<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TierLimits<'a> {
    #[serde(borrow, default)]
    pub balance: Option<Text<'a>>,
    #[serde(borrow, rename = "in")]
    pub incoming: FlowLimits<'a>,
    #[serde(borrow, rename = "out")]
    pub outgoing: FlowLimits<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the payload's own names")]
pub(super) struct FlowLimits<'a> {
    #[serde(borrow, default)]
    pub per_transaction: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub per_day: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub per_month: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub per_year: Option<Text<'a>>,
}

/// The tier of an account from here on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TierSet<'a> {
    #[serde(borrow)]
    pub tier: Option<Text<'a>>,
    pub version: Option<u32>,
}

/// An object of texts. Only its shape matters here, so nothing of it is kept.
pub(super) struct Metadata;

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = Metadata;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
                while map.next_entry::<AnyText, AnyText>()?.is_some() {}
                Ok(Metadata)
            }
        }
        deserializer.deserialize_map(Texts)
    }
}

/// A text that nobody reads.
struct AnyText;

impl<'de> Deserialize<'de> for AnyText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct One;
        impl Visitor<'_> for One {
            type Value = AnyText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E>(self, _text: &str) -> Result<AnyText, E> {
                Ok(AnyText)
            }
        }
        deserializer.deserialize_str(One)
    }
}

/// What JSON says, in a shape of ours.
///
/// That it is text is looked at once for all of it, which is cheaper than once for each string.
pub(super) fn read<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, String> {
    let json = std::str::from_utf8(json).map_err(|error| error.to_string())?;
    serde_json::from_str(json).map_err(|error| error.to_string())
}

/// The 128 bits of an id: its prefix and 32 lower-case hexadecimal digits, not all zero.
pub(super) fn id(text: &str, prefix: &str) -> Option<u128> {
    let digits = text.strip_prefix(prefix)?.as_bytes();
    if digits.len() != 32 {
        return None;
    }
    let value = digits.iter().try_fold(0_u128, |value, byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        Some((value << 4) | u128::from(digit))
    })?;
    (value != 0).then_some(value)
}

/// The text of an id.
pub(super) fn id_text(value: u128, prefix: &str) -> String {
    format!("{prefix}{value:032x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_one_text() {
        let text = "txn_0000000000000000000000000000000a";
        assert_eq!(id(text, "txn_"), Some(10));
        assert_eq!(id_text(10, "txn_"), text);
        for bad in [
            "txn_0000000000000000000000000000000A",
            "txn_00000000000000000000000000000000",
            "txn_a",
            "hold_0000000000000000000000000000000a",
        ] {
            assert_eq!(id(bad, "txn_"), None, "{bad}");
        }
    }

    #[test]
    fn metadata_is_an_object_of_texts() {
        assert!(serde_json::from_str::<Metadata>(r#"{"actor":"t\"ill","book":"3"}"#).is_ok());
        for bad in ["[]", "{\"a\":1}", "{\"a\":null}", "null", "{\"a\":{}}", "{} {}"] {
            assert!(serde_json::from_str::<Metadata>(bad).is_err(), "{bad}");
        }
    }
}
