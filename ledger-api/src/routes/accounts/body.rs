//! Accounts on the wire.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use ledger_core::{
    account::FreezeMode,
    chart::{AccountType, PostingClass},
    ids::{AccountCode, AccountId, Owner, Reference},
    money::CurrencyCode,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::wire::{Amount, MoneyIn};

/// An account to open. For a code in the chart of accounts, type, class and itemisation follow
/// from the code and may be left out; stating others is refused.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AccountInput)]
pub(super) struct AccountIn {
    /// The code in the chart of accounts, without the currency: `wallet:asha`.
    #[schema(value_type = String, example = "wallet:asha")]
    pub(super) code: AccountCode,
    /// The currency.
    #[schema(value_type = String, example = "INR")]
    pub(super) currency: CurrencyCode,
    /// The party that it belongs to: an opaque id, never a name.
    #[schema(value_type = String, example = "asha")]
    pub(super) owner: Owner,
    /// The type; needed for codes outside the chart.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<AccountTypeWord>)]
    pub(super) account_type: Option<AccountType>,
    /// Who may move it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(super) class: Option<PostingClass>,
    /// Whether every leg names an item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) itemised: Option<bool>,
    /// The lowest balance that a decrease may leave; below zero it is a credit line. Left out:
    /// zero for wallets and merchants, no limit for others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) floor: Option<MoneyIn>,
    /// The highest balance that an increase may leave; left out: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ceiling: Option<MoneyIn>,
    /// Opaque pairs of your own; 2 kB at most, no personal data: they stay for ever.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) metadata: BTreeMap<String, String>,
}

/// The five types of account.
#[derive(ToSchema)]
#[schema(as = AccountType, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum AccountTypeWord {
    /// What we have.
    Asset,
    /// What we owe.
    Liability,
    /// What we earned.
    Income,
    /// What it cost.
    Expense,
    /// What belongs to the owners.
    Equity,
}

/// An account.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Account)]
pub(super) struct AccountOut {
    /// Code and currency.
    #[schema(value_type = String, example = "wallet:asha:INR")]
    pub(super) id: AccountId,
    /// Always `account`.
    #[schema(example = "account")]
    pub(super) object: String,
    /// The code without the currency.
    #[schema(value_type = String, example = "wallet:asha")]
    pub(super) code: AccountCode,
    /// The currency.
    #[schema(value_type = String, example = "INR")]
    pub(super) currency: CurrencyCode,
    /// Whose it is.
    #[schema(value_type = String, example = "asha")]
    pub(super) owner: Owner,
    /// The type.
    #[serde(rename = "type")]
    #[schema(value_type = AccountTypeWord)]
    pub(super) account_type: AccountType,
    /// Who may move it.
    #[schema(value_type = String, example = "open")]
    pub(super) class: PostingClass,
    /// Whether every leg names an item.
    pub(super) itemised: bool,
    /// `open` or `closed`.
    #[schema(example = "open")]
    pub(super) status: String,
    /// The lowest balance that a decrease may leave; `null`: no limit.
    pub(super) floor: Option<Amount>,
    /// The highest balance that an increase may leave; `null`: no limit.
    pub(super) ceiling: Option<Amount>,
    /// What is on it; where the account is read, not where it is opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) balance: Option<BalanceOut>,
    /// Its freezes and liens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) freezes: Vec<FreezeState>,
    /// Opaque pairs of the client.
    pub(super) metadata: BTreeMap<String, String>,
    /// The sequence of its last event.
    pub(super) sequence: u64,
    /// When it was opened.
    pub(super) opened_at: DateTime<Utc>,
    /// When it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) closed_at: Option<DateTime<Utc>>,
}

/// What is on an account, on its normal side.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Balance)]
pub(super) struct BalanceOut {
    /// The sum of its legs.
    pub(super) posted: Amount,
    /// The sum of its open holds.
    pub(super) held: Amount,
    /// The sum of its liens.
    pub(super) liens: Amount,
    /// What can be taken from it; `null` where it has no floor. Whether a freeze stops it is not
    /// in here.
    pub(super) available: Option<Amount>,
}

/// A freeze or lien that is on an account.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct FreezeState {
    /// The order behind it.
    #[schema(value_type = String)]
    pub(super) reference: Reference,
    /// What it stops.
    #[schema(value_type = FreezeModeWord)]
    pub(super) mode: FreezeMode,
    /// How much stays; liens only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) amount: Option<Amount>,
}

/// What a freeze stops.
#[derive(ToSchema)]
#[schema(as = FreezeMode, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum FreezeModeWord {
    /// No debit.
    Debit,
    /// No credit.
    Credit,
    /// Neither.
    Both,
    /// An amount stays on the account.
    Lien,
}

/// A freeze or lien to put on an account.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FreezeInput)]
pub(super) struct FreezeIn {
    /// The order behind it; one freeze per reference.
    #[schema(value_type = String, example = "order-2026-17")]
    pub(super) reference: Reference,
    /// What it stops.
    #[schema(value_type = FreezeModeWord)]
    pub(super) mode: FreezeMode,
    /// How much stays; for mode `lien`, and only for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) amount: Option<MoneyIn>,
}

/// New limits. Both are stated; `null` means no limit.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LimitsInput)]
pub(super) struct LimitsIn {
    /// The lowest balance that a decrease may leave.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required)]
    pub(super) floor: Option<MoneyIn>,
    /// The highest balance that an increase may leave.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required)]
    pub(super) ceiling: Option<MoneyIn>,
}

/// An empty body.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Empty {}

/// A change of an account that was made.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = AccountChange)]
pub(super) struct ChangeOut {
    /// Always `account_change`.
    #[schema(example = "account_change")]
    pub(super) object: String,
    /// The account.
    #[schema(value_type = String, example = "wallet:asha:INR")]
    pub(super) account: AccountId,
    /// `limits`, `freeze`, `unfreeze` or `close`.
    #[schema(example = "limits")]
    pub(super) change: String,
    /// The reference of a freeze.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(super) reference: Option<Reference>,
    /// What the freeze stops.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<FreezeModeWord>)]
    pub(super) mode: Option<FreezeMode>,
    /// The amount of a lien.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) amount: Option<Amount>,
    /// The floor from here on; on a change of limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) floor: Option<Amount>,
    /// The ceiling from here on; on a change of limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ceiling: Option<Amount>,
    /// The account's sequence.
    pub(super) sequence: u64,
    /// When it was recorded.
    pub(super) recorded_at: DateTime<Utc>,
    /// Its position in the log.
    pub(super) position: u64,
}
