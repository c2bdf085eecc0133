//! What people and shops owe us: which debts there are, and writing one off by two persons' word.
//!
//! A debt arises where money was gone before it could be taken back (a recall, a late payment, a
//! refund). The next money that comes repays it by itself; what never will becomes an expense.

use ledger_core::{
    chart::{Authority, Direction, PostingClass},
    clock::Timestamp,
    command::Operation,
    ids::{AccountId, Reference},
    money::{CurrencyCode, Money},
    posting::{Condition, Kind, Posting, PostingLeg},
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sqlx::{PgPool, Row as _};
use utoipa::ToSchema;

use super::two_persons;
use crate::{
    http::{
        Problem,
        approval::Approver,
        codes,
        idempotency::Key,
        wire::{MoneyIn, with_book},
        writer::{Done, Identity, Permission, Writer},
    },
    routes::transactions::body::check_currency,
    workers::dues::house_account,
};

const EXPENSE: &str = "expense:bad_debt";
/// The most debts that are listed.
const DEBTS_MAX: i64 = 500;

/// What is written off, and why.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WriteOff)]
pub(crate) struct WriteOffIn {
    /// How much of what is owed; no more than that.
    pub(crate) amount: MoneyIn,
    /// Why: a code or a reference to what proves it, without personal data.
    #[schema(value_type = String, example = "insolvent")]
    pub(crate) reason: Reference,
    /// SHA-256 of what the two persons have seen, in lower-case hexadecimal.
    pub(crate) evidence_sha256: String,
}

/// Something that is owed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Debt {
    /// The receivable.
    pub(crate) account: AccountId,
    /// How much, at the currency's scale.
    pub(crate) amount: Decimal,
    /// In which currency.
    pub(crate) currency: CurrencyCode,
    /// When the account was opened, which a debt does at its first time.
    pub(crate) since: Timestamp,
}

/// What is owed now, the largest first.
///
/// # Errors
/// What the database says.
pub(crate) async fn debts(pool: &PgPool) -> sqlx::Result<Vec<Debt>> {
    let sql = "select id, currency, scale, balance, opened_at from read.accounts
               where id like 'receivable:%' and balance > 0
               order by balance desc, id limit $1";
    let rows = sqlx::query(sql).bind(DEBTS_MAX).fetch_all(pool).await?;
    let mut debts = Vec::with_capacity(rows.len());
    for row in &rows {
        let (id, currency): (&str, &str) = (row.try_get("id")?, row.try_get("currency")?);
        let Some((account, currency)) = id.parse().ok().zip(currency.parse().ok()) else {
            continue;
        };
        let (mut amount, scale): (Decimal, i32) = (row.try_get("balance")?, row.try_get("scale")?);
        amount.rescale(u32::try_from(scale).unwrap_or_default());
        debts.push(Debt { account, amount, currency, since: row.try_get("opened_at")? });
    }
    Ok(debts)
}

/// Goes on only with a request that could be done if somebody agreed to it now.
pub(crate) async fn check(
    writer: &Writer,
    account: &AccountId,
    body: &serde_json::Value,
) -> Result<(), Problem> {
    let wrong = |detail: String| Problem::field(codes::INVALID, "/amount", detail);
    let body = WriteOffIn::deserialize(body).map_err(|error| wrong(error.to_string()))?;
    super::check_evidence(&body.evidence_sha256)?;
    let amount = with_book(&writer.state, |book| body.amount.resolve_positive(book, "/amount"));
    let amount = amount.await?;
    let owed = debts(&writer.state.reads).await?.into_iter().find(|debt| debt.account == *account);
    let owed = owed.ok_or_else(|| Problem::not_found("Nobody owes this now."))?;
    if amount.amount() > owed.amount {
        return Err(wrong(format!("No more than what is owed: {}.", owed.amount)));
    }
    Ok(())
}

/// Writes a part of a debt off, or all of it; what was done, and how much.
pub(crate) async fn write_off(
    writer: &Writer,
    approver: &Approver,
    account: &AccountId,
    key: Key,
    body: &WriteOffIn,
) -> Result<(Done, Money), Problem> {
    if !account.as_str().starts_with("receivable:") {
        return Err(Problem::not_found("Only what somebody owes is written off."));
    }
    let approval = two_persons(writer, approver, &body.reason, Some(&body.evidence_sha256))?;
    let amount = with_book(&writer.state, |book| body.amount.resolve_positive(book, "/amount"));
    let amount = amount.await?;
    check_currency(account, amount.currency().code, "/amount")?;
    let operation = posting(writer, account, amount)?;
    if let Some(open) = house_account(EXPENSE, amount.currency()) {
        // That it is open already is as good.
        let command = writer.command(Authority::NONE.into(), open);
        writer.state.ledger.submit(command).await?;
    }
    let authority = Authority::of(&[PostingClass::Receivable, PostingClass::Expense]);
    let permission = Permission { authority, approval: Some(approval) };
    let id = account.to_string();
    let identity = Identity { key, operation: "write_off", path: &[&id], body };
    Ok((writer.submit(identity, permission, operation).await?, amount))
}

/// From what is owed to what it costs, and no more than is owed.
fn posting(writer: &Writer, account: &AccountId, amount: Money) -> Result<Operation, Problem> {
    let expense = EXPENSE.parse().map_err(|error| Problem::internal(&error))?;
    let expense = AccountId::new(&expense, amount.currency().code);
    let leg = |account, direction| PostingLeg { account, direction, amount, item: None };
    let least = Condition {
        account: account.clone(),
        sequence: None,
        minimum_balance: Some(Money::zero(amount.currency()).amount()),
    };
    Ok(Operation::Post(vec![Posting {
        transaction_id: writer.transaction_id(),
        kind: Kind::WRITE_OFF.parse().map_err(|error| Problem::internal(&error))?,
        legs: vec![leg(expense, Direction::Debit), leg(account.clone(), Direction::Credit)],
        effective_on: None,
        value_date: None,
        conditions: vec![least],
        note: None,
    }]))
}
