//! Deposits on the wire.

use chrono::{DateTime, NaiveDate, Utc};
use ledger_core::{
    command::Receipt,
    deposit::{DepositStatus, credit::token_of},
    ids::{AccountId, BankAccountId, BankCode, DepositId, Reference},
    withdrawal::Source,
};
use projections::DepositRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::{
    Problem,
    wire::{Amount, MoneyIn},
    writer::wrong_receipt,
};

/// A deposit to begin.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DepositInput)]
pub(super) struct DepositIn {
    /// The wallet that gets the money: `wallet:…`. People may leave it out: it is their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "wallet:asha:INR")]
    pub(super) account: Option<AccountId>,
    /// What is to be paid; above zero. What arrives is credited, whatever it is.
    pub(super) amount: MoneyIn,
    /// The bank to pay at. People may leave it out: then it is one that can be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "hdfc")]
    pub(super) bank: Option<BankCode>,
    /// Where the bank's page leads to afterwards; an `http` or `https` address of at most 500
    /// characters. `{deposit}` in it stands for the id of the deposit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub(super) return_url: Option<String>,
    /// Who is to pay: a verified bank account of the wallet's owner. Money from another account is
    /// put aside for a person to look at. Without it, anybody may pay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "ba_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    pub(super) payer: Option<BankAccountId>,
}

/// A deposit.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Deposit)]
pub(crate) struct DepositOut {
    /// Its id.
    #[schema(value_type = String, example = "dep_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    pub(crate) id: DepositId,
    /// Always `deposit`.
    #[schema(example = "deposit")]
    pub(super) object: String,
    /// Where it is in its life.
    #[schema(value_type = DepositStatusWord)]
    pub(super) status: DepositStatus,
    /// Whether nothing more is expected. Money that comes all the same is taken.
    #[serde(rename = "final")]
    pub(super) is_final: bool,
    /// Whether it can still be given up.
    pub(super) cancellable: bool,
    /// The wallet; nothing if nobody knows whose the money is.
    #[schema(value_type = Option<String>, example = "wallet:asha:INR")]
    pub(super) account: Option<AccountId>,
    /// What was to be paid; nothing if nobody asked for it.
    pub(super) amount: Option<Amount>,
    /// What arrived and is on a wallet.
    pub(super) credited: Amount,
    /// The bank.
    #[schema(value_type = String, example = "hdfc")]
    pub(super) bank: BankCode,
    /// What the bank tells of it by: a payment with this reference belongs to it.
    #[schema(value_type = String, example = "dep01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    pub(super) token: Reference,
    /// Until when it can be paid; money that comes later is taken too.
    pub(super) expires_at: Option<DateTime<Utc>>,
    /// The bank's page to pay at, while it awaits payment. Null if the bank gave none: read the
    /// deposit again and the bank is asked again.
    pub(crate) pay_page: Option<String>,
    /// How many events it has; this and what follows in reads only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<u64>,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) created_at: Option<DateTime<Utc>>,
    /// Whether money came after it had ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) late: Option<bool>,
    /// What arrived and waits for a person, or to be sent back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) aside: Option<Amount>,
    /// All that happened, the first first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) timeline: Option<Vec<StepOut>>,
    /// When this was recorded.
    pub(super) recorded_at: DateTime<Utc>,
    /// The position that the answer reflects.
    pub(super) position: u64,
}

impl DepositOut {
    /// What a receipt says.
    pub(super) fn of(receipt: &Receipt, at: DateTime<Utc>, position: u64) -> Result<Self, Problem> {
        let Receipt::Deposit {
            deposit_id,
            status,
            account,
            currency,
            amount,
            credited,
            bank,
            expires_at,
        } = receipt
        else {
            return Err(wrong_receipt(receipt));
        };
        Ok(Self {
            id: *deposit_id,
            object: "deposit".to_owned(),
            status: *status,
            is_final: status.is_final(),
            cancellable: status.is_cancellable(),
            account: account.clone(),
            amount: amount.map(|amount| Amount::new(amount, *currency)),
            credited: Amount::new(*credited, *currency),
            bank: bank.clone(),
            token: token_of(*deposit_id).map_err(|error| Problem::internal(&error))?,
            expires_at: *expires_at,
            pay_page: None,
            version: None,
            created_at: None,
            late: None,
            aside: None,
            timeline: None,
            recorded_at: at,
            position,
        })
    }
}

impl DepositOut {
    /// What a list shows.
    pub(super) fn of_row(row: DepositRow, position: u64) -> Result<Self, Problem> {
        let amount = |amount| Amount::new(amount, row.currency);
        Ok(Self {
            id: row.id,
            object: "deposit".to_owned(),
            status: row.status,
            is_final: row.status.is_final(),
            cancellable: row.status.is_cancellable(),
            amount: row.amount.map(amount),
            credited: amount(row.credited),
            bank: row.bank,
            token: token_of(row.id).map_err(|error| Problem::internal(&error))?,
            expires_at: row.expires_at,
            pay_page: None,
            version: Some(row.sequence),
            created_at: Some(row.begun_at),
            late: Some(row.late),
            aside: Some(amount(row.aside)),
            timeline: None,
            recorded_at: row.changed_at,
            position,
            account: row.account,
        })
    }
}

/// One thing that happened.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = DepositStep)]
pub(super) struct StepOut {
    /// What: `begun`, `unsolicited`, `cancelled`, `expired`, `declined`, `received`, `credited`,
    /// `put_aside`, `settled`, `assigned`, `left_to_return`, `sent_back`, `divided`,
    /// `recall_requested`, `recall_granted` or `recall_refused`.
    #[schema(example = "credited")]
    pub(super) event: String,
    /// Where the deposit was after it.
    #[schema(value_type = Option<DepositStatusWord>)]
    pub(super) status: Option<DepositStatus>,
    /// When.
    pub(super) at: DateTime<Utc>,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) by: Option<String>,
    /// Which credit, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) credit: Option<u32>,
    /// How much arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) amount: Option<Amount>,
    /// The bank's reference of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(super) utr: Option<Reference>,
    /// The bank's date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) value_date: Option<NaiveDate>,
    /// Who says so: `webhook`, `enquiry`, `statement` or `person`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(super) source: Option<Source>,
    /// The bank's code for it, or the rule or reason of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(super) reason: Option<Reference>,
}

/// Where a deposit is in its life.
#[derive(ToSchema)]
#[schema(as = DepositStatus, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum DepositStatusWord {
    /// Nobody has paid yet, as far as is known.
    AwaitingPayment,
    /// The bank told of money; it is being checked.
    Received,
    /// The money is on the wallet.
    Completed,
    /// The money is on the wallet, and on the bank's statement.
    Settled,
    /// Money arrived that a person has to look at.
    InReview,
    /// Money arrived that a person decided to send back.
    ToReturn,
    /// The bank asks for money back; a person decides.
    RecallRequested,
    /// All of it went back, because the bank asked for it.
    Recalled,
    /// All of it was in suspense, and was sent back to whom it came from.
    SentBack,
    /// All of it was the lump of other deposits, which it has settled.
    Divided,
    /// Nobody paid in time.
    Expired,
    /// The bank declined.
    Failed,
    /// It was given up.
    Cancelled,
}
