//! What people decide about credits that lie in suspense: whose they are.
//!
//! The API and the desk's pages come here alike, so that who decides is said once ([`permission`]):
//! whoever may approve (`ops:approve`, the role approver) up to a bound alone; above it, and where
//! who asks may not approve, it takes a second person who may.

use ledger_core::{
    bank_line::{BankLineOperation, Part, Purpose, ResolveBankLine},
    chart::Authority,
    deposit::{DecideDepositReview, DepositOperation, credit, movement::is_wallet},
    ids::{AccountId, DepositId, Item, Reference, WithdrawalId},
    money::CurrencyCode,
    withdrawal::{AssignUnapplied, WithdrawalOperation},
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::two_persons;
use crate::{
    http::{
        Problem,
        approval::Approver,
        auth::Require as _,
        codes,
        idempotency::Key,
        reader::caught_up,
        writer::{Done, Identity, Permission, Writer},
    },
    identity::{Caller, Scope},
    statements::stored_line,
    suspense,
};

/// Whose the money is.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreditAssignment)]
pub(crate) struct AssignIn {
    /// The wallet that gets it, in the deposit's currency.
    #[schema(value_type = String, example = "wallet:asha:INR")]
    pub(crate) account: AccountId,
    /// Why: a code or a reference to what proves it, without personal data.
    #[schema(value_type = String, example = "case-2026-117")]
    pub(crate) reason: Reference,
    /// SHA-256 of what the two persons have seen, in lower-case hexadecimal; for amounts that take
    /// two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) evidence_sha256: Option<String>,
}

impl AssignIn {
    fn permission(
        &self,
        writer: &Writer,
        approver: &Approver,
        credit: (Decimal, CurrencyCode),
        authority: Authority,
    ) -> Result<Permission, Problem> {
        let said = (&self.reason, self.evidence_sha256.as_deref());
        permission(writer, approver, takes_two(writer, credit), said, authority)
    }
}

/// Goes on only for who works at the desk. Who of them decides, [`permission`] says.
pub(crate) fn admit(caller: &Caller) -> Result<(), Problem> {
    caller.require(&[Scope::OpsWrite, Scope::OpsApprove])
}

/// Whether what lies in suspense goes nowhere by the word of who asks alone: it is too much, or
/// they are none who may approve.
pub(crate) fn takes_two(writer: &Writer, (amount, currency): (Decimal, CurrencyCode)) -> bool {
    let is_much = writer.state.operators.review.suspense_takes_two(amount, currency);
    is_much || !writer.caller.has(Scope::OpsApprove)
}

/// What a decision about suspense may do, by as many persons as it takes. A second one who has seen
/// the evidence stands in the log, also where one would do.
pub(super) fn permission(
    writer: &Writer,
    approver: &Approver,
    takes_two: bool,
    (reason, evidence): (&Reference, Option<&str>),
    authority: Authority,
) -> Result<Permission, Problem> {
    admit(&writer.caller)?;
    if !takes_two && (approver.is_none() || evidence.is_none()) {
        return Ok(authority.into());
    }
    let approval = two_persons(writer, approver, reason, evidence)?;
    Ok(Permission { authority, approval: Some(approval) })
}

/// Puts a credit on a wallet, whatever made it lie in suspense.
pub(crate) async fn assign(
    writer: &Writer,
    approver: &Approver,
    item: &Item,
    key: Key,
    body: &AssignIn,
) -> Result<Done, Problem> {
    let said = (key, "assign_suspense", body);
    let sender = item.as_str().parse::<WithdrawalId>().ok();
    match (credit::of_item(item), sender) {
        (Some(credit), _) => assign_credit(writer, approver, credit, said).await,
        (None, Some(sender)) => assign_again(writer, approver, (item, sender), said).await,
        (None, None) => assign_line(writer, approver, item, said).await,
    }
}

/// Puts a credit of a deposit on a wallet, if as many people agree as its amount takes.
pub(crate) async fn assign_credit(
    writer: &Writer,
    approver: &Approver,
    (deposit_id, number): (DepositId, u32),
    (key, operation, body): (Key, &'static str, &AssignIn),
) -> Result<Done, Problem> {
    let models = caught_up(&writer.state).await?;
    let history = models.deposit(deposit_id).await?.value;
    let known = history.as_ref().and_then(|history| {
        let credit = history.deposit.credit(number)?;
        Some((credit.credit.amount, history.deposit.currency()?))
    });
    // What there is none of is refused by the ledger, in its own words.
    let authority = Authority::of_deposits();
    let permission = match known {
        Some(credit) => body.permission(writer, approver, credit, authority)?,
        None => authority.into(),
    };
    let decision = (Some(body.account.clone()), body.reason.clone());
    decide(writer, (deposit_id, number), (key, operation, body), permission, decision).await
}

/// What becomes of a deposit's credit that lies in suspense.
pub(crate) async fn decide<T: Serialize>(
    writer: &Writer,
    (deposit_id, number): (DepositId, u32),
    (key, operation, body): (Key, &'static str, &T),
    permission: Permission,
    (assign_to, reason): (Option<AccountId>, Reference),
) -> Result<Done, Problem> {
    let decision = DepositOperation::DecideReview(DecideDepositReview {
        deposit_id,
        number,
        assign_to,
        reason: Some(reason),
        transaction_id: writer.transaction_id(),
    });
    let (id, number) = (deposit_id.to_string(), number.to_string());
    let identity = Identity { key, operation, path: &[&id, &number], body };
    writer.submit(identity, permission, decision.into()).await
}

/// Puts on a wallet what was to be sent back and is in suspense again.
async fn assign_again(
    writer: &Writer,
    approver: &Approver,
    (item, withdrawal_id): (&Item, WithdrawalId),
    (key, operation, body): (Key, &'static str, &AssignIn),
) -> Result<Done, Problem> {
    caught_up(&writer.state).await?;
    let open = suspense::open_credits(&writer.state.reads, Some(item)).await?;
    let authority = Authority::of_withdrawals();
    // What is there no more is refused by the ledger, in its own words.
    let permission = match open.first() {
        Some(open) => body.permission(writer, approver, (open.amount, open.currency), authority)?,
        None => authority.into(),
    };
    let assign = WithdrawalOperation::AssignUnapplied(AssignUnapplied {
        withdrawal_id,
        account: body.account.clone(),
        reason: Some(body.reason.clone()),
        transaction_id: writer.transaction_id(),
    });
    let identity = Identity { key, operation, path: &[item.as_str()], body };
    writer.submit(identity, permission, assign.into()).await
}

/// Puts what of a line lies in suspense on a wallet.
async fn assign_line(
    writer: &Writer,
    approver: &Approver,
    item: &Item,
    (key, operation, body): (Key, &'static str, &AssignIn),
) -> Result<Done, Problem> {
    // The ledger would book a line's money on any account; people assign it to wallets alone.
    if !is_wallet(&body.account) {
        return Err(Problem::new(codes::NOT_DEPOSITABLE, "Money is assigned to a wallet."));
    }
    caught_up(&writer.state).await?;
    let (pool, nothing) = (&writer.state.reads, "There is nothing of this id.");
    let line = item.as_str().parse().map_err(|_| Problem::not_found(nothing))?;
    let line = stored_line(pool, line).await?.ok_or_else(|| Problem::not_found(nothing))?;
    let book = writer.state.ledger.status().borrow().book.clone();
    let currency = book.currency(line.currency);
    let currency = currency.ok_or_else(|| Problem::internal(&"no currency"))?;
    // What is there no more was assigned before: by this key it is answered again, by another it
    // is refused.
    let open = suspense::open_credits(pool, Some(item)).await?;
    let mut amount: Decimal = open.first().map_or(line.amount, |open| open.amount);
    amount.rescale(u32::from(currency.scale));
    let (credit, authority) = ((amount, currency.code), Authority::of_statements());
    let permission = body.permission(writer, approver, credit, authority)?;
    let wallet = Some(body.account.clone());
    let resolve = BankLineOperation::Resolve(ResolveBankLine {
        key: line.key,
        currency,
        parts: vec![Part { wallet, ..Part::plain(Purpose::Wallet, amount) }],
        transaction_id: writer.transaction_id(),
    });
    let identity = Identity { key, operation, path: &[item.as_str()], body };
    writer.submit(identity, permission, resolve.into()).await
}
