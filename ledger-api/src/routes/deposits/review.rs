//! What a person of ours decides about money that waits in suspense.

use ledger_core::{
    chart::Authority,
    command::Approval,
    deposit::{DecideDepositReview, DepositOperation},
    ids::{AccountId, DepositId, Reference},
    money::CurrencyCode,
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{body::DepositOut, write::deposit};
use crate::{
    http::{
        Problem,
        approval::Approver,
        auth::Require as _,
        codes,
        idempotency::Key,
        json::Payload,
        path::Ids,
        reader::caught_up,
        reply::Reply,
        writer::{Done, Identity, Permission, Writer},
    },
    identity::Scope,
};

/// Whose the money is.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreditAssignment)]
pub(in crate::routes) struct AssignIn {
    /// The wallet that gets it, in the deposit's currency.
    #[schema(value_type = String, example = "wallet:asha:INR")]
    account: AccountId,
    /// Why: a code or a reference to what proves it, without personal data.
    #[schema(value_type = String, example = "case-2026-117")]
    reason: Reference,
    /// SHA-256 of what the two persons have seen, in lower-case hexadecimal; for amounts that take
    /// two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    evidence_sha256: Option<String>,
}

impl AssignIn {
    /// Why.
    pub(in crate::routes) fn reason(&self) -> &Reference {
        &self.reason
    }

    /// The wallet.
    pub(in crate::routes) fn account(&self) -> &AccountId {
        &self.account
    }

    /// What this may do: for so much that lies in suspense, by one person's word or two.
    pub(in crate::routes) fn permission(
        &self,
        writer: &Writer,
        approver: &Approver,
        (amount, currency): (Decimal, CurrencyCode),
        authority: Authority,
    ) -> Result<Permission, Problem> {
        let rules = &writer.state.operators.review;
        if !rules.suspense_takes_two(amount, currency) {
            return Ok(authority.into());
        }
        let evidence = self.evidence_sha256.as_deref();
        let approval = two_persons(writer, approver, &self.reason, evidence)?;
        Ok(Permission { authority, approval: Some(approval) })
    }
}

/// What two persons agree on, with the hash of what they have seen.
pub(in crate::routes) fn two_persons(
    writer: &Writer,
    approver: &Approver,
    reason: &Reference,
    evidence: Option<&str>,
) -> Result<Approval, Problem> {
    let approver = approver.approve(&writer.caller)?;
    let hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    let evidence = evidence.filter(|text| text.len() == 64 && text.bytes().all(hex));
    let evidence_sha256 = evidence.map(str::to_owned).ok_or_else(|| {
        let detail = "This takes two persons and the SHA-256 of what they have seen.";
        Problem::field(codes::INVALID, "/evidence_sha256", detail)
    })?;
    Ok(Approval { approver, reason: reason.to_string(), evidence_sha256 })
}

/// Why the money goes back.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreditReason)]
pub(super) struct ReasonIn {
    /// A code or a reference to what proves it, without personal data.
    #[schema(value_type = String, example = "third_party")]
    pub(super) reason: Reference,
}

/// Assign a credit to a wallet
///
/// Money that waits in suspense goes to a wallet. Of one credit, one decision holds: another one
/// later is refused with 422 `credit_not_in_review`. More than ₹10,000
/// (`BAHI_REVIEW_SUSPENSE_ABOVE`), and other currencies, take a second person with `ops:approve`:
/// `Approver-Authorization`, and `evidence_sha256`.
#[utoipa::path(
    post,
    path = "/v1/ops/deposits/{id}/credits/{number}/assign",
    tag = "Deposits",
    params(
        ("id" = String, Path, description = "The deposit"),
        ("number" = u32, Path, description = "Which credit of it, from 1"),
    ),
    request_body(content = AssignIn, example = json!({
        "account": "wallet:asha:INR", "reason": "case-2026-117"})),
    responses((status = 200, description = "It is on the wallet.", body = DepositOut)),
)]
pub(super) async fn assign(
    writer: Writer,
    Ids(id, number): Ids<DepositId, u32>,
    key: Key,
    approver: Approver,
    payload: Payload,
) -> Result<Reply<DepositOut>, Problem> {
    writer.caller.require(&[Scope::OpsApprove])?;
    let body: AssignIn = payload.parse()?;
    let said = (key, "assign_credit", &body);
    let done = assign_credit(&writer, &approver, (id, number), said).await?;
    Ok(Reply::ok(deposit(&done)?).at(done.position).replayed(done.replayed))
}

/// Puts a credit of a deposit on a wallet, if as many people agree as its amount takes.
pub(in crate::routes) async fn assign_credit(
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

/// Leave a credit to be sent back
///
/// Money that waits in suspense stays there until it is sent back to whom it came from. Doing so
/// again changes nothing.
#[utoipa::path(
    post,
    path = "/v1/ops/deposits/{id}/credits/{number}/leave",
    tag = "Deposits",
    params(
        ("id" = String, Path, description = "The deposit"),
        ("number" = u32, Path, description = "Which credit of it, from 1"),
    ),
    request_body(content = ReasonIn, example = json!({"reason": "third_party"})),
    responses((status = 200, description = "It waits to be sent back.", body = DepositOut)),
)]
pub(super) async fn leave(
    writer: Writer,
    Ids(id, number): Ids<DepositId, u32>,
    key: Key,
    payload: Payload,
) -> Result<Reply<DepositOut>, Problem> {
    writer.caller.require(&[Scope::OpsApprove])?;
    let body: ReasonIn = payload.parse()?;
    let decision = (None, body.reason.clone());
    let permission = Authority::of_deposits().into();
    let said = (key, "leave_credit", &body);
    let done = decide(&writer, (id, number), said, permission, decision).await?;
    Ok(Reply::ok(deposit(&done)?).at(done.position).replayed(done.replayed))
}

async fn decide<T: Serialize>(
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
