//! A credit in suspense is the lump of several deposits, by two persons' word: a payment gateway's,
//! net of what it keeps, where the bank does not say what it is made of.
//!
//! All deposits are settled in one append, or none. What they come to, less charges and tax, is
//! what lies in suspense, to the last paisa; the ledger says so itself, and of each credit that it
//! is booked, of this bank and amount, and settled by nothing else.

use ledger_core::{
    bank_line::{BankLineOperation, Part, Purpose, ResolveBankLine},
    book::Book,
    chart::Authority,
    command::Operation,
    deposit::{DepositOperation, DivideCredit, credit},
    ids::{Item, Reference},
    money::Money,
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::two_persons;
use crate::{
    http::{
        Problem,
        approval::Approver,
        codes,
        idempotency::Key,
        reader::caught_up,
        wire::{MoneyIn, with_book},
        writer::{Done, Identity, Permission, Writer},
    },
    statements::{LUMP_CREDITS_MAX, stored_line},
    suspense,
};

/// What a credit is the lump of.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LumpInput)]
pub(crate) struct LumpIn {
    /// The credits that it settles; 1 to 96.
    pub(crate) credits: Vec<LumpCreditIn>,
    /// What was kept back of all, without tax.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) charges: Option<MoneyIn>,
    /// The tax on that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tax: Option<MoneyIn>,
    /// Why: a code or a reference to what proves it, without personal data.
    #[schema(value_type = String, example = "settlement-2026-11-22")]
    pub(crate) reason: Reference,
    /// SHA-256 of what the two persons have seen, in lower-case hexadecimal.
    pub(crate) evidence_sha256: String,
}

/// A credit of a deposit.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LumpCreditInput)]
pub(crate) struct LumpCreditIn {
    /// The deposit with the number of the credit.
    #[schema(value_type = String, example = "dep_01935c3a5e7c7d3e8f00a1b2c3d4e5f6.1")]
    pub(crate) credit: Item,
    /// All of it, before anything was kept back.
    pub(crate) amount: MoneyIn,
}

/// Settles the deposits with what lies in suspense under `item`.
pub(crate) async fn settle(
    writer: &Writer,
    approver: &Approver,
    item: &Item,
    key: Key,
    body: &LumpIn,
) -> Result<Done, Problem> {
    let approval = two_persons(writer, approver, &body.reason, Some(&body.evidence_sha256))?;
    let (operation, authority) = operation(writer, item, body).await?;
    let permission = Permission { authority, approval: Some(approval) };
    let identity = Identity { key, operation: "settle_lump", path: &[item.as_str()], body };
    writer.submit(identity, permission, operation).await
}

/// What the ledger is asked, and what that may move.
pub(crate) async fn operation(
    writer: &Writer,
    item: &Item,
    body: &LumpIn,
) -> Result<(Operation, Authority), Problem> {
    caught_up(&writer.state).await?;
    let (parts, net) = with_book(&writer.state, |book| parts_of(book, body)).await?;
    let open = suspense::open_credits(&writer.state.reads, Some(item)).await?;
    let other = |open: &suspense::OpenCredit| {
        open.amount != net.amount() || open.currency != net.currency().code
    };
    // What is there no more was settled before: by this key it is answered again, by another it is
    // refused, in the ledger's own words.
    if open.first().is_some_and(other) {
        let detail = format!("The parts come to {net}, which is not what lies there.");
        return Err(Problem::new(codes::LUMP_DIFFERS, detail));
    }
    let transaction_id = writer.transaction_id();
    if let Some((deposit_id, number)) = credit::of_item(item) {
        let history = writer.state.read_models.deposit(deposit_id).await?.value;
        let known = history.as_ref().and_then(|history| history.deposit.credit(number));
        if known.is_some_and(|known| known.is_aside() && !known.settled) {
            let detail = "No line of the bank's statement shows it yet.";
            return Err(Problem::new(codes::CREDIT_NOT_SETTLED, detail));
        }
        let reason = Some(body.reason.clone());
        let divide = DivideCredit { deposit_id, number, parts, reason, transaction_id };
        return Ok((DepositOperation::Divide(divide).into(), Authority::of_deposits()));
    }
    let nothing = || Problem::not_found("There is nothing of this id.");
    let id = item.as_str().parse().map_err(|_| nothing())?;
    let line = stored_line(&writer.state.reads, id).await?.ok_or_else(nothing)?;
    let (key, currency) = (line.key, net.currency());
    let resolve = ResolveBankLine { key, currency, parts, transaction_id };
    Ok((BankLineOperation::Resolve(resolve).into(), Authority::of_statements()))
}

/// The parts, and what they come to.
fn parts_of(book: &Book, body: &LumpIn) -> Result<(Vec<Part>, Money), Problem> {
    let overflow = |_| {
        Problem::new(codes::LUMP_DIFFERS, "The amounts do not add up: they are of one currency.")
    };
    if body.credits.len() > LUMP_CREDITS_MAX {
        let detail = format!("Name at most {LUMP_CREDITS_MAX} credits: all are settled at once.");
        return Err(Problem::field(codes::INVALID, "/credits", detail));
    }
    let mut net: Option<Money> = None;
    let mut parts = Vec::with_capacity(body.credits.len().saturating_add(2));
    for (index, named) in body.credits.iter().enumerate() {
        let pointer = format!("/credits/{index}");
        if credit::of_item(&named.credit).is_none() {
            let detail = "A deposit with the number of its credit, such as dep_….1.";
            return Err(Problem::field(codes::INVALID, format!("{pointer}/credit"), detail));
        }
        let amount = named.amount.resolve_positive(book, &format!("{pointer}/amount"))?;
        parts.push(Part::of_item(Purpose::Arrival, named.credit.clone(), amount.amount()));
        net = Some(match net {
            None => amount,
            Some(before) => before.checked_add(amount).map_err(overflow)?,
        });
    }
    let Some(mut net) = net else {
        return Err(Problem::field(codes::INVALID, "/credits", "Name at least one credit."));
    };
    let kept = [(Purpose::Charges, &body.charges, "/charges"), (Purpose::Tax, &body.tax, "/tax")];
    for (purpose, money, pointer) in kept {
        let Some(money) = money else { continue };
        let amount = money.resolve_positive(book, pointer)?;
        parts.push(Part::plain(purpose, amount.amount()));
        net = net.checked_sub(amount).map_err(overflow)?;
    }
    if net.amount() <= Decimal::ZERO {
        let detail = "Charges and tax are less than the credits.";
        return Err(Problem::new(codes::LUMP_DIFFERS, detail));
    }
    Ok((parts, net))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn more_credits_than_one_transaction_has_legs_for_are_refused_where_they_stand() {
        let credit = json!({"credit": "dep_01935c3a5e7c7d3e8f00a1b2c3d4e5f6.1",
            "amount": {"value": "1.00", "currency": "INR"}});
        let credits = vec![credit; LUMP_CREDITS_MAX + 1];
        let body = json!({"credits": credits, "reason": "too-many", "evidence_sha256": ""});
        let body: LumpIn = serde_json::from_value(body).unwrap();
        let problem = parts_of(&Book::default(), &body).unwrap_err();
        assert_eq!(problem.status(), 422, "{problem:?}");
        assert!(format!("{problem:?}").contains("/credits"), "{problem:?}");
        assert_eq!(LUMP_CREDITS_MAX, 96);
    }
}
