//! Withdrawals on the wire.

use chrono::{DateTime, Utc};
use ledger_core::{
    command::Receipt,
    ids::{AccountId, BankAccountId, BankCode, Rail, Reference, WithdrawalId},
    withdrawal::{Source, WithdrawalStatus},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::detail::StatusDetail;
use crate::http::{
    Problem,
    wire::{Amount, MoneyIn},
    writer::wrong_receipt,
};

/// A withdrawal to begin.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WithdrawalInput)]
pub(super) struct WithdrawalIn {
    /// Where the money comes from: `wallet:…` or `merchant:…:available`. People may leave it out:
    /// it is their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "wallet:asha:INR")]
    pub(super) account: Option<AccountId>,
    /// What the payee gets; above zero. The fee comes on top.
    pub(super) amount: MoneyIn,
    /// The payee's account.
    #[schema(value_type = String, example = "ba_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    pub(super) bank_account: BankAccountId,
    /// The bank that is to send it. People may leave it out: then one that takes the amount does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "hdfc")]
    pub(super) bank: Option<BankCode>,
    /// The way it is to be sent. People may leave it out: then it is the bank's fastest that takes
    /// the amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "imps")]
    pub(super) rail: Option<Rail>,
    /// Only if this version of the fee is in force: the one of a quote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 1)]
    pub(super) fee_version: Option<u32>,
    /// Words to keep beside the log, erasable; at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub(super) note: Option<String>,
}

/// A withdrawal.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Withdrawal)]
pub(crate) struct WithdrawalOut {
    /// Its id.
    #[schema(value_type = String, example = "wd_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    pub(crate) id: WithdrawalId,
    /// Always `withdrawal`.
    #[schema(example = "withdrawal")]
    pub(super) object: String,
    /// Where it is in its life.
    #[schema(value_type = WithdrawalStatusWord)]
    pub(super) status: WithdrawalStatus,
    /// Whether nothing more is expected. A bank can still send the money back, or pay after it
    /// said no.
    #[serde(rename = "final")]
    pub(super) is_final: bool,
    /// Whether it can still be given up.
    pub(super) cancellable: bool,
    /// Where the money is: `held` (set aside), `moved` (paid) or `not_moved` (given back).
    #[schema(example = "held")]
    pub(super) funds: String,
    /// Where the money comes from.
    #[schema(value_type = String, example = "wallet:asha:INR")]
    pub(super) account: AccountId,
    /// What the payee gets.
    pub(super) amount: Amount,
    /// What it costs, tax included; given back if the payee does not get the money.
    pub(super) fee: Amount,
    /// The payee's account.
    #[schema(value_type = String, example = "ba_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    pub(super) bank_account: BankAccountId,
    /// The bank that was asked for.
    #[schema(value_type = String, example = "hdfc")]
    pub(super) bank: BankCode,
    /// The way that was asked for.
    #[schema(value_type = String, example = "imps")]
    pub(super) rail: Rail,
    /// Why it is where it is; in reads only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status_detail: Option<StatusDetail>,
    /// How many events it has; this and what follows in reads only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<u64>,
    /// When it was requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) created_at: Option<DateTime<Utc>>,
    /// The bank's own reference of the payment, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(super) utr: Option<Reference>,
    /// What was paid in parts, as far as it is proved; zero where it was paid at once or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) paid_in_parts: Option<Amount>,
    /// Whether a bank paid what it had refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) late: Option<bool>,
    /// What came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) returned: Option<Amount>,
    /// What the customer gets as soon as the account can take it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unapplied: Option<Amount>,
    /// What the customer came to owe because a bank paid late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) owed: Option<Amount>,
    /// The words that were put on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
    /// All that happened, the first first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) timeline: Option<Vec<StepOut>>,
    /// When this was recorded.
    pub(super) recorded_at: DateTime<Utc>,
    /// The position that the answer reflects.
    pub(super) position: u64,
}

impl WithdrawalOut {
    /// What a receipt says.
    pub(in crate::routes) fn of(
        receipt: &Receipt,
        at: DateTime<Utc>,
        position: u64,
    ) -> Result<Self, Problem> {
        let Receipt::Withdrawal {
            withdrawal_id,
            status,
            account,
            amount,
            fee,
            bank_account,
            bank,
            rail,
        } = receipt
        else {
            return Err(wrong_receipt(receipt));
        };
        let currency = account.currency().map_err(|error| Problem::internal(&error))?;
        Ok(Self {
            id: *withdrawal_id,
            object: "withdrawal".to_owned(),
            status: *status,
            is_final: status.is_final(),
            cancellable: status.is_cancellable(),
            funds: funds(*status).to_owned(),
            account: account.clone(),
            amount: Amount::new(*amount, currency),
            fee: Amount::new(*fee, currency),
            bank_account: *bank_account,
            bank: bank.clone(),
            rail: rail.clone(),
            status_detail: None,
            version: None,
            created_at: None,
            utr: None,
            paid_in_parts: None,
            late: None,
            returned: None,
            unapplied: None,
            owed: None,
            note: None,
            timeline: None,
            recorded_at: at,
            position,
        })
    }
}

/// Where the money of a withdrawal is, in words; as if all of what came back came back.
pub(super) const fn funds(status: WithdrawalStatus) -> &'static str {
    match status {
        WithdrawalStatus::PendingReview
        | WithdrawalStatus::Queued
        | WithdrawalStatus::Processing
        | WithdrawalStatus::OutcomeUnknown
        | WithdrawalStatus::NeedsAttention => "held",
        WithdrawalStatus::Completed => "moved",
        WithdrawalStatus::Returned
        | WithdrawalStatus::Failed
        | WithdrawalStatus::Rejected
        | WithdrawalStatus::Cancelled => "not_moved",
    }
}

/// One thing that happened.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = WithdrawalStep)]
pub(in crate::routes) struct StepOut {
    /// What: `requested`, `review_required`, `approved`, `rejected`, `queued`, `cancelled`,
    /// `attempt_begun`, `attempt_refused`, `outcome_unknown`, `attention_needed`, `failed`,
    /// `paid_in_part`, `completed`, `completed_late`, `returned`, `applied`, `assigned` or
    /// `sent_again`.
    #[schema(example = "queued")]
    pub(super) event: String,
    /// Where the withdrawal was after it; null for the first one, which another follows at once.
    #[schema(value_type = Option<WithdrawalStatusWord>)]
    pub(super) status: Option<WithdrawalStatus>,
    /// When.
    pub(super) at: DateTime<Utc>,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) by: Option<String>,
    /// Who approved it, where a second person had to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) approved_by: Option<String>,
    /// SHA-256 of what the two had seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) evidence_sha256: Option<String>,
    /// Which attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) attempt: Option<u32>,
    /// What the bank knows the attempt by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(super) reference: Option<Reference>,
    /// The bank's own reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(super) bank_reference: Option<Reference>,
    /// Who says so: `submit`, `webhook`, `enquiry`, `statement` or `person`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(super) source: Option<Source>,
    /// The bank's code for it, or the rule or reason of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(super) reason: Option<Reference>,
    /// How much it was about, where that is not the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) amount: Option<Amount>,
}

/// Where a withdrawal is in its life.
#[derive(ToSchema)]
#[schema(as = WithdrawalStatus, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(in crate::routes) enum WithdrawalStatusWord {
    /// A person has to look at it.
    PendingReview,
    /// It waits for its bank.
    Queued,
    /// It is sent, or about to be.
    Processing,
    /// Whether the bank paid is not known.
    OutcomeUnknown,
    /// People have to find out.
    NeedsAttention,
    /// The bank paid.
    Completed,
    /// The bank paid, and the money came back.
    Returned,
    /// The bank refused it for good.
    Failed,
    /// A person refused it.
    Rejected,
    /// It was given up.
    Cancelled,
}
