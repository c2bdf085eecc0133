//! Transactions on the wire: as they are asked for and as they are answered.

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use ledger_core::{
    book::Book,
    chart::Direction,
    ids::{AccountId, Item, Reference, TransactionId},
    log::Position,
    posting::{Condition, Kind, Posting, PostingError, PostingLeg},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::{
    Problem,
    authority::Evidence,
    codes,
    query::YEARS,
    wire::{Amount, MoneyIn, NOTE_CHARS_MAX, check_words},
};

/// The most conditions of a transaction.
const CONDITIONS_MAX: usize = 100;

/// A transaction to post: either `legs`, or `debit`, `credit` and `amount` for the common case of
/// two legs.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TransactionInput)]
pub(crate) struct TransactionIn {
    /// What kind: `transfer`, `payment`, `deposit`, `withdrawal`, `fee`, `adjustment`, or a code
    /// of your own in snake_case.
    #[schema(value_type = String, example = "transfer")]
    pub(super) kind: Kind,
    /// The legs, in the order they will have in the log; two to a hundred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) legs: Option<Vec<LegIn>>,
    /// The account to debit, if there are just two legs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(super) debit: Option<AccountId>,
    /// The account to credit, if there are just two legs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(super) credit: Option<AccountId>,
    /// How much, if there are just two legs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) amount: Option<MoneyIn>,
    /// The business date; today in the book's time zone if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) effective_on: Option<NaiveDate>,
    /// The bank's date, if a bank stated one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) value_date: Option<NaiveDate>,
    /// Words to keep beside the log, erasable; at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub(super) note: Option<String>,
    /// What must hold for it to be posted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) conditions: Option<Vec<ConditionIn>>,
    /// Why a correction by hand is right; kind `adjustment` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    /// SHA-256 of its evidence in lower-case hexadecimal; kind `adjustment` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) evidence_sha256: Option<String>,
}

/// A leg of a transaction to post.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LegInput)]
pub(crate) struct LegIn {
    /// The account.
    #[schema(value_type = String, example = "wallet:asha:INR")]
    account: AccountId,
    /// The side: `debit` or `credit`.
    #[schema(value_type = DirectionWord)]
    direction: Direction,
    /// How much; above zero.
    amount: MoneyIn,
    /// The item that the leg belongs to; on itemised accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    item: Option<Item>,
}

/// What must hold of an account of the transaction.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Condition)]
pub(crate) struct ConditionIn {
    /// The account; it has a leg.
    #[schema(value_type = String)]
    account: AccountId,
    /// The account's sequence before the transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sequence: Option<u64>,
    /// The least posted balance after the transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    minimum_balance: Option<MoneyIn>,
}

/// The side of a leg.
#[derive(ToSchema)]
#[schema(as = Direction, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) enum DirectionWord {
    /// Left.
    Debit,
    /// Right.
    Credit,
}

impl TransactionIn {
    /// Why a correction by hand is right.
    pub(super) fn evidence(&self) -> Evidence<'_> {
        Evidence { reason: self.reason.as_deref(), sha256: self.evidence_sha256.as_deref() }
    }

    /// The transaction in the book's terms, checked as far as it can be without its accounts.
    pub(super) fn to_posting(&self, book: &Book, id: TransactionId) -> Result<Posting, Problem> {
        if let Some(note) = &self.note {
            check_words(note, NOTE_CHARS_MAX, "/note")?;
        }
        check_date(self.effective_on, "/effective_on")?;
        check_date(self.value_date, "/value_date")?;
        let posting = Posting {
            transaction_id: id,
            kind: self.kind.clone(),
            legs: self.to_legs(book)?,
            effective_on: self.effective_on,
            value_date: self.value_date,
            conditions: self.to_conditions(book)?,
            note: self.note.clone(),
        };
        posting.check().map_err(|error| posting_problem(&error))?;
        Ok(posting)
    }

    fn to_legs(&self, book: &Book) -> Result<Vec<PostingLeg>, Problem> {
        match (&self.legs, &self.debit, &self.credit, &self.amount) {
            (Some(legs), None, None, None) => {
                let legs = legs.iter().enumerate();
                legs.map(|(index, leg)| leg.to_leg(book, &format!("/legs/{index}"))).collect()
            }
            (None, Some(debit), Some(credit), Some(amount)) => {
                let amount = amount.resolve_positive(book, "/amount")?;
                let leg = |account: &AccountId, direction| PostingLeg {
                    account: account.clone(),
                    direction,
                    amount,
                    item: None,
                };
                let debit = leg(debit, Direction::Debit);
                Ok(vec![debit, leg(credit, Direction::Credit)])
            }
            _ => {
                let detail = "Give either legs, or debit, credit and amount.";
                Err(Problem::field(codes::INVALID, "/legs", detail))
            }
        }
    }

    fn to_conditions(&self, book: &Book) -> Result<Vec<Condition>, Problem> {
        let conditions = self.conditions.as_deref().unwrap_or_default();
        if conditions.len() > CONDITIONS_MAX {
            let detail = format!("At most {CONDITIONS_MAX} conditions.");
            return Err(Problem::field(codes::INVALID, "/conditions", detail));
        }
        let conditions = conditions.iter().enumerate();
        conditions
            .map(|(index, condition)| condition.resolve(book, &format!("/conditions/{index}")))
            .collect()
    }
}

impl LegIn {
    fn to_leg(&self, book: &Book, pointer: &str) -> Result<PostingLeg, Problem> {
        Ok(PostingLeg {
            account: self.account.clone(),
            direction: self.direction,
            amount: self.amount.resolve_positive(book, &format!("{pointer}/amount"))?,
            item: self.item.clone(),
        })
    }
}

impl ConditionIn {
    fn resolve(&self, book: &Book, pointer: &str) -> Result<Condition, Problem> {
        if self.sequence.is_none() && self.minimum_balance.is_none() {
            let detail = "A condition has a sequence or a minimum_balance.";
            return Err(Problem::field(codes::INVALID, pointer, detail));
        }
        let pointer = format!("{pointer}/minimum_balance");
        let minimum = self.minimum_balance.as_ref().map(|minimum| {
            let money = minimum.resolve_signed(book, &pointer)?;
            check_currency(&self.account, money.currency().code, &pointer)?;
            Ok::<_, Problem>(money.amount())
        });
        Ok(Condition {
            account: self.account.clone(),
            sequence: self.sequence,
            minimum_balance: minimum.transpose()?,
        })
    }
}

/// Refuses an amount in another currency than its account's.
pub(crate) fn check_currency(
    account: &AccountId,
    currency: ledger_core::money::CurrencyCode,
    pointer: &str,
) -> Result<(), Problem> {
    if account.currency() == Ok(currency) {
        return Ok(());
    }
    let detail = "The amount is in another currency than the account.";
    Err(Problem::field(codes::CURRENCY_MISMATCH, format!("{pointer}/currency"), detail))
}

/// Refuses dates that no business has, before they reach anything that stores dates.
pub(crate) fn check_date(date: Option<NaiveDate>, pointer: &str) -> Result<(), Problem> {
    match date {
        Some(date) if !YEARS.contains(&date.year()) => {
            Err(Problem::field(codes::INVALID, pointer, "A date between the years 1900 and 9999."))
        }
        Some(_) | None => Ok(()),
    }
}

/// What is wrong with a transaction as such. Where it is known which leg, the pointer says so.
pub(super) fn posting_problem(error: &PostingError) -> Problem {
    let (code, pointer) = match error {
        PostingError::TooFewLegs => (codes::TOO_FEW_LEGS, "/legs".to_owned()),
        PostingError::TooManyLegs => (codes::TOO_MANY_LEGS, "/legs".to_owned()),
        PostingError::AmountNotPositive { leg } => {
            (codes::AMOUNT_NOT_POSITIVE, format!("/legs/{leg}/amount"))
        }
        PostingError::CurrencyMismatch { leg } => {
            (codes::CURRENCY_MISMATCH, format!("/legs/{leg}/amount"))
        }
        PostingError::SameAccount { .. } => (codes::SAME_ACCOUNT, "/legs".to_owned()),
        PostingError::Overflow => (codes::AMOUNT_OVERFLOW, "/legs".to_owned()),
        PostingError::Unbalanced { .. } => (codes::UNBALANCED, "/legs".to_owned()),
        PostingError::ConditionWithoutLeg { .. } => {
            (codes::CONDITION_WITHOUT_LEG, "/conditions".to_owned())
        }
        PostingError::ConditionRepeated { .. } => {
            (codes::CONDITION_REPEATED, "/conditions".to_owned())
        }
    };
    Problem::field(code, pointer, format!("{error}."))
}

/// A transaction that was posted.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Transaction)]
pub(crate) struct TransactionOut {
    /// Its id.
    #[schema(value_type = String, example = "txn_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    pub(crate) id: TransactionId,
    /// Always `transaction`.
    #[schema(example = "transaction")]
    pub(crate) object: String,
    /// What kind.
    #[schema(value_type = String, example = "transfer")]
    pub(crate) kind: Kind,
    /// Always `posted`: a transaction is in the log or it is not.
    #[schema(example = "posted")]
    pub(crate) status: String,
    /// Whether the status can still change: always true.
    #[serde(rename = "final")]
    pub(crate) is_final: bool,
    /// Its legs.
    pub(crate) legs: Vec<LegOut>,
    /// The business date.
    pub(crate) effective_on: NaiveDate,
    /// The bank's date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value_date: Option<NaiveDate>,
    /// Words that were put on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
    /// The object that caused it, such as a hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) cause: Option<Reference>,
    /// The transaction that this one undid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) reverses: Option<TransactionId>,
    /// The transaction that undid this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) reversed_by: Option<TransactionId>,
    /// Who posted it; where the transaction is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) actor: Option<String>,
    /// The second person of an adjustment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) approver: Option<String>,
    /// Why an adjustment is right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// SHA-256 of an adjustment's evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) evidence_sha256: Option<String>,
    /// The request that it was posted by; where the transaction is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) request: Option<String>,
    /// When it was recorded.
    pub(crate) recorded_at: DateTime<Utc>,
    /// The position of its last leg.
    pub(crate) position: u64,
}

/// A leg of a transaction.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Leg)]
pub(crate) struct LegOut {
    /// The account.
    #[schema(value_type = String, example = "wallet:asha:INR")]
    pub(crate) account: AccountId,
    /// The side.
    #[schema(value_type = DirectionWord)]
    pub(crate) direction: Direction,
    /// How much.
    pub(crate) amount: Amount,
    /// The item that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) item: Option<Item>,
    /// The account's posted balance after it; where the transaction is read, not where it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) balance_after: Option<Amount>,
}

impl From<&PostingLeg> for LegOut {
    fn from(leg: &PostingLeg) -> Self {
        Self {
            account: leg.account.clone(),
            direction: leg.direction,
            amount: leg.amount.into(),
            item: leg.item.clone(),
            balance_after: None,
        }
    }
}

impl TransactionOut {
    /// A posted transaction, from the request and what the ledger made of it.
    pub(super) fn posted(
        posting: &Posting,
        id: TransactionId,
        effective_on: NaiveDate,
        recorded_at: DateTime<Utc>,
        position: Position,
    ) -> Self {
        Self {
            id,
            object: "transaction".to_owned(),
            kind: posting.kind.clone(),
            status: "posted".to_owned(),
            is_final: true,
            legs: posting.legs.iter().map(LegOut::from).collect(),
            effective_on,
            value_date: posting.value_date,
            note: posting.note.clone(),
            cause: None,
            reverses: None,
            reversed_by: None,
            actor: None,
            approver: None,
            reason: None,
            evidence_sha256: None,
            request: None,
            recorded_at,
            position,
        }
    }
}
