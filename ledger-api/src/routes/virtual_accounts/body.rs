//! Virtual accounts on the wire.

use chrono::{DateTime, Utc};
use ledger_core::ids::{AccountId, BankCode, Reference, VirtualAccountId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::deposits::VirtualAccount;

/// A virtual account to make.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VirtualAccountInput)]
pub(super) struct VirtualAccountIn {
    /// The wallet that gets what is sent there: `wallet:…`.
    #[schema(value_type = String, example = "wallet:asha:INR")]
    pub(super) account: AccountId,
    /// The bank.
    #[schema(value_type = String, example = "hdfc")]
    pub(super) bank: BankCode,
}

/// A virtual account.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = VirtualAccount)]
pub(super) struct VirtualAccountOut {
    /// Its id.
    #[schema(value_type = String, example = "va_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    id: VirtualAccountId,
    /// Always `virtual_account`.
    #[schema(example = "virtual_account")]
    object: String,
    /// The wallet.
    #[schema(value_type = String, example = "wallet:asha:INR")]
    account: AccountId,
    /// The bank.
    #[schema(value_type = String, example = "hdfc")]
    bank: BankCode,
    /// What payers write as the account's number.
    #[schema(value_type = String, example = "880351202469587958")]
    number: Reference,
    /// When it was made.
    created_at: DateTime<Utc>,
}

impl From<VirtualAccount> for VirtualAccountOut {
    fn from(found: VirtualAccount) -> Self {
        Self {
            id: found.id,
            object: "virtual_account".to_owned(),
            account: found.account,
            bank: found.bank,
            number: found.number,
            created_at: found.created_at,
        }
    }
}
