//! Accounts and entries on the wire, as auditors read them.

use chrono::{DateTime, NaiveDate, Utc};
use ledger_core::{
    chart::{AccountType, Direction, PostingClass},
    ids::{AccountId, Item, Reference, TransactionId},
    money::CurrencyCode,
    posting::Kind,
};
use projections::{Account, AccountGroup, PastBalance, StatementLine};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{auditing::Whose, http::wire::Amount, routes::transactions::body::DirectionWord};

/// The chart of accounts.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccountTree)]
pub(super) struct AccountTreeOut {
    /// Always `account_tree`.
    #[schema(example = "account_tree")]
    pub(super) object: &'static str,
    /// By type, name and currency.
    pub(super) data: Vec<BranchOut>,
    /// The position that the answer reflects.
    pub(super) position: u64,
}

/// The accounts of one branch, summed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccountBranch)]
pub(super) struct BranchOut {
    /// Their type.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "liability")]
    account_type: AccountType,
    /// What their codes begin with.
    #[schema(example = "wallet")]
    branch: String,
    /// How many there are.
    accounts: u64,
    /// The sum of their balances, on the type's normal side.
    balance: Amount,
}

impl From<AccountGroup> for BranchOut {
    fn from(group: AccountGroup) -> Self {
        let AccountGroup { account_type, branch, currency, accounts, balance } = group;
        Self { account_type, branch, accounts, balance: Amount::new(balance, currency) }
    }
}

/// What is or was on an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nobody had opened it.
    NotOpen,
    /// It was open.
    Open {
        /// Its balance, on its normal side.
        posted: Decimal,
        /// The sum of its open holds; business dates have none.
        held: Option<Decimal>,
        /// Its last event by then; business dates have none.
        sequence: Option<u64>,
    },
}

impl Standing {
    pub(super) fn now(account: &Account) -> Self {
        let balance = &account.balance;
        let (held, sequence) = (Some(balance.held), Some(balance.sequence));
        Self::Open { posted: balance.posted, held, sequence }
    }
}

impl From<Option<PastBalance>> for Standing {
    fn from(past: Option<PastBalance>) -> Self {
        past.map_or(Self::NotOpen, |PastBalance { posted, held, sequence, .. }| Self::Open {
            posted,
            held,
            sequence,
        })
    }
}

/// Whose an account is, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AccountHolder)]
enum HolderWord {
    /// A person.
    Person,
    /// A shop.
    Shop,
    /// The company, or a customer whose name is not kept here.
    Company,
}

/// An account, as an auditor reads it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditedAccount)]
pub(super) struct AccountOut {
    /// Always `account`.
    #[schema(example = "account")]
    object: &'static str,
    /// Code and currency.
    #[schema(value_type = String, example = "wallet:asha:INR")]
    id: AccountId,
    /// Its type.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "liability")]
    account_type: AccountType,
    /// Who may move it.
    #[schema(value_type = String, example = "open")]
    class: PostingClass,
    /// Whose it is, by kind.
    holder: HolderWord,
    /// Whose it is, as an opaque id: what `POST /v1/audit/openings` opens the name of.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    /// The balance, on its normal side; null if it was not open by then.
    balance: Option<Amount>,
    /// The sum of its open holds; null for a business date.
    held: Option<Amount>,
    /// Its last event; null for a business date.
    sequence: Option<u64>,
    /// When it was opened.
    opened_at: DateTime<Utc>,
    /// The event that opened it.
    opened_position: u64,
    /// When it was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_at: Option<DateTime<Utc>>,
    /// What it is frozen by now.
    #[schema(value_type = Vec<String>)]
    freezes: Vec<Reference>,
}

impl AccountOut {
    pub(super) fn of(account: Account, standing: Standing) -> Self {
        let code = account.currency.code;
        let whose = Whose::of(&account.id);
        let (balance, held, sequence) = match standing {
            Standing::NotOpen => (None, None, None),
            Standing::Open { posted, held, sequence } => (Some(posted), held, sequence),
        };
        let amount = |value| Amount::new(value, code);
        Self {
            object: "account",
            account_type: account.account_type,
            class: account.class,
            holder: match whose {
                Whose::Person(_) => HolderWord::Person,
                Whose::Shop(_) => HolderWord::Shop,
                Whose::Company => HolderWord::Company,
            },
            subject: whose.subject(),
            balance: balance.map(amount),
            held: held.map(amount),
            sequence,
            opened_at: account.opened_at,
            opened_position: account.opened_position,
            closed_at: account.closed_at,
            freezes: account.freezes.into_iter().map(|freeze| freeze.reference).collect(),
            id: account.id,
        }
    }
}

/// An entry of an account, with the balance after it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccountEntry)]
pub(super) struct EntryOut {
    /// Its event.
    position: u64,
    /// Its place in the account's stream.
    sequence: u64,
    /// When it was recorded.
    recorded_at: DateTime<Utc>,
    /// The business date.
    effective_on: NaiveDate,
    /// The bank's date.
    #[serde(skip_serializing_if = "Option::is_none")]
    value_date: Option<NaiveDate>,
    /// The transaction that it is a leg of.
    #[schema(value_type = String)]
    transaction: TransactionId,
    /// What kind of transaction that is.
    #[schema(value_type = String, example = "transfer")]
    kind: Kind,
    /// On which side.
    #[schema(value_type = DirectionWord)]
    direction: Direction,
    /// How much.
    amount: Amount,
    /// The balance after it.
    balance_after: Amount,
    /// The item that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    item: Option<Item>,
    /// What caused the transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    cause: Option<Reference>,
    /// Whether there are words on the transaction. They are opened with a reason.
    has_note: bool,
}

impl EntryOut {
    pub(super) fn of(line: StatementLine, code: CurrencyCode) -> Self {
        Self {
            position: line.position,
            sequence: line.sequence,
            recorded_at: line.recorded_at,
            effective_on: line.effective_on,
            value_date: line.value_date,
            transaction: line.transaction_id,
            kind: line.kind,
            direction: line.direction,
            amount: Amount::new(line.amount, code),
            balance_after: Amount::new(line.balance_after, code),
            item: line.item,
            cause: line.cause,
            has_note: line.note.is_some(),
        }
    }
}
