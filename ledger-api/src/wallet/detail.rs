//! One thing of a wallet's activity: its steps, the debits and credits behind it, its note.
//!
//! Of a transaction only what concerns the wallet is told: neither what is on other accounts nor
//! what a bank's statement line carried for other people.

use chrono::{DateTime, Utc};
use ledger_core::{
    chart::Direction,
    ids::{AccountId, DepositId, PaymentId, RefundId, TransactionId, TransferId, WithdrawalId},
    log::Position,
    money::{Currency, Money},
};
use projections::{ActivityRow, ReadModels, TransactionDetail};

use super::{
    activity::{self, ActivityItem},
    money, steps, words,
};
use crate::{
    http::{ApiState, Problem, reach::nothing, reader::find},
    people::PublicFace,
};

/// One thing, in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// What the list says of it.
    pub row: ActivityRow,
    /// Its currency.
    pub currency: Currency,
    /// How much, without the fee.
    pub amount: Money,
    /// What it costs.
    pub fee: Money,
    /// Both together.
    pub total: Money,
    /// The person on the other side, if it is one and they are not erased.
    pub other: Option<PublicFace>,
    /// What happens next; nothing if it is final.
    pub next: Option<&'static str>,
    /// What happened, the first first.
    pub timeline: Vec<Step>,
    /// The debits and credits.
    pub entries: Vec<Entry>,
    /// The words that its sender put on it, if they were not erased.
    pub note: Option<String>,
    /// The position that this reflects.
    pub position: Position,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The event's name.
    pub event: &'static str,
    /// The same in words.
    pub words: String,
    /// When.
    pub at: DateTime<Utc>,
    /// The bank's reference, where there is one.
    pub reference: Option<String>,
}

/// A transaction of the ledger, as far as it concerns the wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The transaction.
    pub transaction: TransactionId,
    /// Of what kind.
    pub kind: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Its debits and credits.
    pub legs: Vec<EntryLeg>,
}

/// A debit or a credit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryLeg {
    /// The account, in words.
    pub account: String,
    /// Whether it is the wallet itself.
    pub own: bool,
    /// On which side.
    pub direction: Direction,
    /// How much.
    pub amount: Money,
    /// What is on the wallet after it; of the wallet only.
    pub balance_after: Option<Money>,
    /// Its place in the log; of the wallet only.
    pub position: Option<Position>,
}

impl Detail {
    /// The place of the last debit or credit of the wallet itself: what can be proven of it.
    pub fn own_position(&self) -> Option<Position> {
        let legs = self.entries.iter().flat_map(|entry| &entry.legs);
        legs.filter_map(|leg| leg.position).max()
    }
}

/// One thing of a wallet's activity; 404 if the wallet has none of this id.
pub(crate) async fn detail(
    state: &ApiState,
    account: &AccountId,
    object: &str,
) -> Result<Detail, Problem> {
    let models = &state.read_models;
    let (position, row) = find(state, || models.activity_one(account, object)).await?;
    let book = state.ledger.status().borrow().book.clone();
    let currency = book.currency(row.currency).ok_or_else(nothing)?;
    let Told { timeline, note, transactions } = told(models, account, object, currency).await?;
    let mut entries = Vec::with_capacity(transactions.len());
    for id in transactions {
        if let Some(transaction) = models.transaction(id).await?.value {
            entries.extend(entry(&transaction, &row, currency)?);
        }
    }
    let next = words::next(&row.kind, &row.object_status);
    let faces = activity::faces(state, std::slice::from_ref(&row)).await?;
    let item = activity::item(state, row, &faces)?;
    let total = item.amount.checked_add(item.fee).map_err(|error| Problem::internal(&error))?;
    let ActivityItem { row, amount, fee, other } = item;
    Ok(Detail { row, currency, amount, fee, total, other, next, timeline, entries, note, position })
}

/// What the object itself tells.
struct Told {
    timeline: Vec<Step>,
    note: Option<String>,
    transactions: Vec<TransactionId>,
}

async fn told(
    models: &ReadModels,
    account: &AccountId,
    object: &str,
    currency: Currency,
) -> Result<Told, Problem> {
    if let Ok(id) = object.parse::<WithdrawalId>() {
        let history = models.withdrawal(id).await?.value.ok_or_else(nothing)?;
        let transactions = models.transactions_named_by("withdrawal", object).await?;
        let timeline = steps::of_withdrawal(&history);
        return Ok(Told { timeline, note: history.note, transactions });
    }
    if let Ok(id) = object.parse::<DepositId>() {
        let history = models.deposit(id).await?.value.ok_or_else(nothing)?;
        let transactions = models.transactions_named_by("deposit", object).await?;
        let timeline = steps::of_deposit(&history, account, currency);
        return Ok(Told { timeline, note: None, transactions });
    }
    if let Ok(id) = object.parse::<TransferId>() {
        let timeline = steps::of_transfer(models, id, account).await?;
        let transaction = id.transaction_id();
        if timeline.is_empty() {
            // It never waited: it is its transaction.
            return told_of_transaction(models, transaction).await;
        }
        let note = models.note(transaction).await?;
        return Ok(Told { timeline, note, transactions: vec![transaction] });
    }
    if let Ok(id) = object.parse::<PaymentId>() {
        let transactions = vec![id.transaction_id()];
        return Ok(Told {
            timeline: steps::of_payment(models, id).await?,
            note: None,
            transactions,
        });
    }
    if let Ok(id) = object.parse::<RefundId>() {
        let timeline = steps::of_refund(models, id).await?;
        return Ok(Told { timeline, note: None, transactions: vec![id.transaction_id()] });
    }
    told_of_transaction(models, object.parse().map_err(|_| nothing())?).await
}

async fn told_of_transaction(models: &ReadModels, id: TransactionId) -> Result<Told, Problem> {
    let transaction = models.transaction(id).await?.value.ok_or_else(nothing)?.transaction;
    let mut timeline = vec![Step {
        event: "posted",
        words: "Done".to_owned(),
        at: transaction.recorded_at,
        reference: None,
    }];
    let mut transactions = vec![id];
    if let Some(by) = transaction.reversed_by
        && let Some(reversal) = models.transaction(by).await?.value
    {
        timeline.push(Step {
            event: "reversed",
            words: "Taken back".to_owned(),
            at: reversal.transaction.recorded_at,
            reference: None,
        });
        transactions.push(by);
    }
    Ok(Told { timeline, note: transaction.note, transactions })
}

/// What of a transaction concerns the wallet; nothing if none of it does.
fn entry(
    detail: &TransactionDetail,
    row: &ActivityRow,
    currency: Currency,
) -> Result<Option<Entry>, Problem> {
    let transaction = &detail.transaction;
    let own = &row.account;
    let cause = transaction.cause.as_ref().map(ledger_core::ids::Reference::as_str);
    let is_object = cause == Some(row.object.as_str());
    let names_own = detail.legs.iter().any(|leg| leg.account == *own);
    let is_wallet = |account: &AccountId| account.as_str().starts_with("wallet:");
    let is_foreign = detail.legs.iter().any(|leg| is_wallet(&leg.account)) && !names_own;
    if is_foreign || !(is_object || names_own) {
        return Ok(None);
    }
    // A transaction with many wallets in it is told with what its own side says of this one.
    let others = detail.legs.iter().filter(|leg| is_wallet(&leg.account) && leg.account != *own);
    // So is one with a shop: what it pays for being paid is its own business.
    let is_of_shop = |account: &AccountId| account.as_str().starts_with("merchant:");
    let is_of_many = others.count() > 1 || detail.legs.iter().any(|leg| is_of_shop(&leg.account));
    let mut legs = Vec::new();
    for leg in &detail.legs {
        let is_own = leg.account == *own;
        let of_currency = leg.account.currency().is_ok_and(|code| code == currency.code);
        if !of_currency || (is_of_many && !is_own) {
            continue;
        }
        let at_scale = |amount| money(amount, currency).map_err(|error| Problem::internal(&error));
        legs.push(EntryLeg {
            account: words::account(&leg.account, own),
            own: is_own,
            direction: leg.direction,
            amount: at_scale(leg.amount)?,
            balance_after: is_own.then(|| at_scale(leg.balance_after)).transpose()?,
            position: is_own.then_some(leg.position),
        });
    }
    Ok(Some(Entry {
        transaction: transaction.id,
        kind: transaction.kind.as_str().to_owned(),
        at: transaction.recorded_at,
        legs,
    }))
}
