//! What the ledger answers. An outcome is stored under the command's key in the very append that
//! decided it (`stored`), so its shape is a contract like an event's: fields are added, never
//! changed.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    account::AccountError,
    clock::Timestamp,
    deposit::DepositStatus,
    ids::{
        AccountId, BankAccountId, BankCode, BankLineId, DepositId, HoldId, MerchantCode, PaymentId,
        PaymentRequestId, Rail, RefundId, SettlementId, TransactionId, TransferId, WithdrawalId,
    },
    log::Position,
    money::CurrencyCode,
    payment::{PaymentStatus, RefundStatus},
    payment_request::PaymentRequestStatus,
    tier::LimitExceeded,
    transfer::TransferStatus,
    withdrawal::WithdrawalStatus,
};

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It happened.
    Accepted(Accepted),
    /// It did not, and with this key it never will.
    Rejected(Rejection),
}

/// A command that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The position of its first event.
    pub first_position: Position,
    /// The position of its last event.
    pub position: Position,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// What it made.
    pub receipt: Receipt,
}

/// What a command made: what cannot be known from the request alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Receipt {
    /// An account was opened, changed, frozen, unfrozen or closed.
    Account {
        /// Its sequence now.
        sequence: u64,
    },
    /// Transactions were posted, in the order of the request. Also the answer to a reversal.
    Posted {
        /// Their ids.
        transactions: Vec<TransactionId>,
        /// Their business dates.
        effective_on: Vec<NaiveDate>,
    },
    /// A hold was placed, increased, released or has expired.
    Hold {
        /// The hold.
        hold_id: HoldId,
        /// Its account.
        account: AccountId,
        /// What it reserves now; zero when it has ended.
        amount: Decimal,
    },
    /// A hold was posted.
    Captured {
        /// The hold.
        hold_id: HoldId,
        /// Its account.
        account: AccountId,
        /// The transaction that posted it.
        transaction_id: TransactionId,
        /// What was posted.
        amount: Decimal,
        /// What became free again.
        released: Decimal,
        /// The business date.
        effective_on: NaiveDate,
    },
    /// A withdrawal was requested or went on.
    Withdrawal {
        /// The withdrawal.
        withdrawal_id: WithdrawalId,
        /// Where it is in its life now.
        status: WithdrawalStatus,
        /// Where the money comes from.
        account: AccountId,
        /// What the payee gets.
        amount: Decimal,
        /// What it costs, tax included.
        fee: Decimal,
        /// The payee's account.
        bank_account: BankAccountId,
        /// The bank that was asked for.
        bank: BankCode,
        /// The way that was asked for.
        rail: Rail,
    },
    /// A line of a bank's statement is booked, or was understood.
    BankLine {
        /// The line.
        line_id: BankLineId,
        /// How much it is.
        amount: Decimal,
        /// How much of it lies in suspense now.
        unexplained: Decimal,
        /// The transaction that booked it.
        transaction_id: TransactionId,
    },

    /// A deposit began or went on.
    Deposit {
        /// The deposit.
        deposit_id: DepositId,
        /// Where it is in its life now.
        status: DepositStatus,
        /// The wallet; nothing if nobody knows whose the money is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account: Option<AccountId>,
        /// Its currency.
        currency: CurrencyCode,
        /// What was expected; nothing if nobody asked for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        amount: Option<Decimal>,
        /// What is on a wallet because of it.
        credited: Decimal,
        /// The bank that it began at.
        bank: BankCode,
        /// Until when it can be paid, if it was asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<Timestamp>,
    },
    /// A transfer waits to be claimed, or went on.
    Transfer {
        /// The transfer.
        transfer_id: TransferId,
        /// Where it is in its life now.
        status: TransferStatus,
        /// Where the money comes from.
        account: AccountId,
        /// What the receiver gets.
        amount: Decimal,
        /// What it costs the sender, tax included.
        fee: Decimal,
        /// The receiver's account, once it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<AccountId>,
        /// Until when it can be claimed.
        expires_at: Timestamp,
    },
    /// A shop was paid, or a dispute about that went on.
    Payment {
        /// The payment.
        payment_id: PaymentId,
        /// Where it is in its life now.
        status: PaymentStatus,
        /// Where the money comes from.
        payer: AccountId,
        /// The shop.
        merchant: MerchantCode,
        /// What the payer paid.
        amount: Decimal,
        /// What of it is our fee, tax included.
        fee: Decimal,
        /// What was given back of it.
        refunded: Decimal,
        /// Whether a dispute about it is open.
        disputed: bool,
        /// The request that was paid.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<PaymentRequestId>,
    },
    /// A refund was asked for or went on.
    Refund {
        /// The refund.
        refund_id: RefundId,
        /// Its payment.
        payment_id: PaymentId,
        /// Where it is in its life now.
        status: RefundStatus,
        /// Who gets it.
        payer: AccountId,
        /// The shop.
        merchant: MerchantCode,
        /// How much.
        amount: Decimal,
    },
    /// Payments are settled.
    Settlement {
        /// The settlement.
        settlement_id: SettlementId,
        /// The shop.
        merchant: MerchantCode,
        /// The currency.
        currency: CurrencyCode,
        /// What was left of the payments.
        amount: Decimal,
        /// How much of that repays what the shop owed us.
        repaid: Decimal,
        /// The transaction; nothing if nothing was left.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        transaction_id: Option<TransactionId>,
    },
    /// A payment request was made or went on.
    PaymentRequest {
        /// The request.
        request_id: PaymentRequestId,
        /// Where it is in its life now.
        status: PaymentRequestStatus,
        /// The shop.
        merchant: MerchantCode,
        /// The currency that it is paid in.
        currency: CurrencyCode,
        /// How much; nothing = as much as the payer says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        amount: Option<Decimal>,
        /// The payment that ended it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        payment_id: Option<PaymentId>,
        /// Until when it can be paid.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<Timestamp>,
    },
    /// The book changed.
    Book {
        /// Its sequence now.
        sequence: u64,
    },
}

/// A command that was refused by a rule of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// The stable code, such as `insufficient_funds`.
    pub code: String,
    /// What it says to a person.
    pub detail: String,
    /// The account whose rule refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// What the account could have given, where that is the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<Decimal>,
    /// Which transaction of the request, from 0, where it has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<u16>,
    /// The limit of a tier that stands in the way, where that is the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Box<LimitExceeded>>,
}

impl From<AccountError> for Rejection {
    fn from(error: AccountError) -> Self {
        let refusal = Self::new(error.code(), &error.to_string());
        Self { available: error.available(), limit: error.limit(), ..refusal }
    }
}

impl Rejection {
    /// A refusal for no account's reason.
    pub fn new(code: &str, detail: &str) -> Self {
        let (code, detail) = (code.to_owned(), detail.to_owned());
        Self { code, detail, account: None, available: None, transaction: None, limit: None }
    }

    /// The same, for a reason of `account`'s.
    pub fn of(self, account: &AccountId) -> Self {
        Self { account: Some(account.clone()), ..self }
    }

    /// The same, because of one of several transactions.
    pub fn in_transaction(self, index: u16) -> Self {
        Self { transaction: Some(index), ..self }
    }
}
