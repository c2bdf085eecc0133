//! `/v1/ops/fees` and `/v1/ops/terms`: what withdrawals and transfers cost, and what shops can
//! agree to pay, as versions. A new one takes two persons.

use chrono::{DateTime, Utc};
use ledger_core::{
    book::ShopTerms,
    command::Receipt,
    fee::{Service, ServiceFee},
    ids::Reference,
    money::MoneyError,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    desk::{
        fees::{self, FeeChange, TermsChange},
        two_persons,
        versions::{self, Version},
    },
    http::{
        Problem,
        approval::Approver,
        auth::Require as _,
        idempotency::Key,
        json::Payload,
        query::{NoParams, Params},
        reader::{Listed, Reader},
        reply::Reply,
        wire::{Amount, MoneyIn, with_book},
        writer::{Writer, wrong_receipt},
    },
    identity::Scope,
};

/// A version of what a withdrawal or a transfer costs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ServiceFee)]
pub(super) struct FeeOut {
    /// Always `fee`.
    #[schema(example = "fee")]
    object: &'static str,
    /// `withdrawal` or `transfer`.
    #[schema(example = "withdrawal")]
    service: &'static str,
    /// Which version, from 1.
    #[schema(example = 2)]
    version: u32,
    /// What it costs, tax included.
    fee: Amount,
    /// The rate of the tax in it, in basis points.
    #[schema(example = 1800)]
    tax_bps: u16,
    /// From when on; null for the first version, which was there before the book.
    effective_from: Option<DateTime<Utc>>,
    /// Whether it is in force now.
    in_force: bool,
    /// Who defined it.
    actor: Option<String>,
    /// Who approved.
    approver: Option<String>,
    /// Why.
    reason: Option<String>,
    /// Its position in the log; null for the first version.
    position: Option<i64>,
}

impl FeeOut {
    fn of(fee: &ServiceFee, in_force: u32, version: Option<&Version<ServiceFee>>) -> Self {
        Self {
            object: "fee",
            service: fee.service.as_str(),
            version: fee.version,
            fee: Amount::new(fee.fee, fee.currency),
            tax_bps: fee.tax_bps,
            effective_from: version.map(|_| fee.effective_from),
            in_force: fee.version == in_force,
            actor: version.and_then(|version| version.by.clone()),
            approver: version.and_then(|version| version.approver.clone()),
            reason: version.and_then(|version| version.reason.clone()),
            position: version.map(|version| version.position),
        }
    }
}

/// List what withdrawals and transfers cost
///
/// Every version, the last first; those that were there before the book are the last. Of each
/// service and currency one is in force; what never cost anything is left out. Needs `ops:read`.
#[utoipa::path(
    get,
    path = "/v1/ops/fees",
    tag = "Book",
    responses((status = 200, description = "All of them.", body = Listed<FeeOut>)),
)]
pub(super) async fn list(
    reader: Reader,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Reply<Listed<FeeOut>>, Problem> {
    reader.admit(&[Scope::OpsRead], None).await?;
    reader.state.ledger.refresh().await?;
    let status = reader.state.ledger.status().borrow().clone();
    let (book, now) = (status.book, reader.state.clock.now());
    let internal = |error: MoneyError| Problem::internal(&error);
    let mut data = Vec::new();
    for version in versions::fees(&reader.state.reads).await? {
        let Some(currency) = book.currency(version.says.currency) else { continue };
        let in_force = book.fee(version.says.service, currency, now).map_err(internal)?;
        data.push(FeeOut::of(&version.says, in_force.version, Some(&version)));
    }
    for service in Service::ALL {
        for currency in book.currencies() {
            let first = ServiceFee::first(service, currency).map_err(internal)?;
            if first.fee.is_zero() && book.last_fee_version(service, currency) == 1 {
                continue;
            }
            let in_force = book.fee(service, currency, now).map_err(internal)?;
            data.push(FeeOut::of(&first, in_force.version, None));
        }
    }
    let listed = Listed { data, has_more: false, next_cursor: None };
    Ok(Reply::ok(listed).at(status.head.position))
}

/// A fee to define.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ServiceFeeInput)]
pub(super) struct FeeIn {
    /// `withdrawal` or `transfer`.
    #[schema(value_type = String, example = "withdrawal")]
    service: Service,
    /// What it costs, tax included; zero or more.
    fee: MoneyIn,
    /// The rate of the tax in it, in basis points; 10000 at most.
    #[schema(example = 1800)]
    tax_bps: u16,
    /// From when on, at the earliest now; from the event on, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    effective_from: Option<DateTime<Utc>>,
    /// Only if this is the last version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expected_version: Option<u32>,
    /// Why: a code or a reference, without personal data.
    #[schema(value_type = String, example = "board-2026-11")]
    reason: Reference,
    /// SHA-256 of what the two persons have seen, in lower-case hexadecimal.
    evidence_sha256: String,
}

/// A version that was defined.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DefinedVersion)]
pub(super) struct DefinedOut {
    /// `fee` or `terms`.
    #[schema(example = "fee")]
    object: &'static str,
    /// Its position in the log.
    position: u64,
}

/// Define what a withdrawal or a transfer costs
///
/// The next version, in force from a moment on; what was charged stays. A version that is only
/// planned gives way to a later one. Takes a second person with `ops:approve`:
/// `Approver-Authorization`, and `evidence_sha256`.
#[utoipa::path(
    post,
    path = "/v1/ops/fees",
    tag = "Book",
    request_body(content = FeeIn, example = json!({"service": "transfer",
        "fee": {"value": "0.00", "currency": "INR"}, "tax_bps": 1800, "reason": "board-2026-11",
        "evidence_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"})),
    responses((status = 201, description = "It is defined.", body = DefinedOut)),
)]
pub(super) async fn define(
    writer: Writer,
    key: Key,
    approver: Approver,
    payload: Payload,
) -> Result<Reply<DefinedOut>, Problem> {
    writer.caller.require(&[Scope::OpsApprove])?;
    let body: FeeIn = payload.parse()?;
    let seen = Some(body.evidence_sha256.as_str());
    let approval = two_persons(&writer, &approver, &body.reason, seen)?;
    let fee = with_book(&writer.state, |book| body.fee.resolve(book, "/fee")).await?;
    let change = FeeChange {
        service: body.service,
        currency: fee.currency().code,
        fee: fee.amount().to_string(),
        tax_bps: body.tax_bps,
        effective_from: body.effective_from,
        expected_version: body.expected_version,
    };
    let done = fees::define(&writer, approval, (key, &body), &change).await?;
    let Receipt::Book { .. } = &done.accepted.receipt else {
        return Err(wrong_receipt(&done.accepted.receipt));
    };
    let out = DefinedOut { object: "fee", position: done.accepted.position };
    Ok(Reply::created(out, "/v1/ops/fees").at(done.position).replayed(done.replayed))
}

/// A version of what shops can agree to pay.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ShopTerms)]
pub(super) struct TermsOut {
    /// Always `terms`.
    #[schema(example = "terms")]
    object: &'static str,
    /// Which version, from 1.
    version: u32,
    /// Of a payment, in basis points, tax included.
    #[schema(example = 200)]
    fee_bps: u16,
    /// The rate of the tax in it, in basis points.
    #[schema(example = 1800)]
    tax_bps: u16,
    /// The most that a shop may owe us for refunds, in whole units of what it is paid in.
    #[schema(example = 0)]
    debt_limit: u32,
    /// How many shops are on it.
    shops: i64,
    /// Who defined it.
    actor: Option<String>,
    /// Who approved.
    approver: Option<String>,
    /// Why.
    reason: Option<String>,
    /// Its position in the log; null for the first version.
    position: Option<i64>,
}

/// List what shops can agree to pay
///
/// Every version, the last first, and how many shops are on it. Needs `ops:read`.
#[utoipa::path(
    get,
    path = "/v1/ops/terms",
    tag = "Book",
    responses((status = 200, description = "All of them.", body = Listed<TermsOut>)),
)]
pub(super) async fn list_terms(
    reader: Reader,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Reply<Listed<TermsOut>>, Problem> {
    reader.admit(&[Scope::OpsRead], None).await?;
    let on = reader.state.shops.by_terms().await?;
    let shops = |version: u32| {
        let found = on.iter().find(|(number, _)| u32::try_from(*number) == Ok(version));
        found.map_or(0, |(_, count)| *count)
    };
    let out = |terms: ShopTerms, version: Option<&Version<ShopTerms>>| TermsOut {
        object: "terms",
        version: terms.version,
        fee_bps: terms.fee_bps,
        tax_bps: terms.tax_bps,
        debt_limit: terms.debt_limit,
        shops: shops(terms.version),
        actor: version.and_then(|version| version.by.clone()),
        approver: version.and_then(|version| version.approver.clone()),
        reason: version.and_then(|version| version.reason.clone()),
        position: version.map(|version| version.position),
    };
    let versions = versions::terms(&reader.state.reads).await?;
    let mut data: Vec<TermsOut> = versions.iter().map(|one| out(one.says, Some(one))).collect();
    data.push(out(ShopTerms::FIRST, None));
    let position = reader.state.ledger.status().borrow().head.position;
    Ok(Reply::ok(Listed { data, has_more: false, next_cursor: None }).at(position))
}

/// Rates to define.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ShopTermsInput)]
pub(super) struct TermsIn {
    /// Of a payment, in basis points, tax included; 10000 at most.
    #[schema(example = 150)]
    fee_bps: u16,
    /// The rate of the tax in it, in basis points; 10000 at most.
    #[schema(example = 1800)]
    tax_bps: u16,
    /// The most that a shop may owe us for refunds, in whole units of what it is paid in; 100000000
    /// at most. Left out: nothing.
    #[serde(default)]
    debt_limit: u32,
    /// Only if this is the last version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expected_version: Option<u32>,
    /// Why: a code or a reference, without personal data.
    #[schema(value_type = String, example = "board-2026-11")]
    reason: Reference,
    /// SHA-256 of what the two persons have seen, in lower-case hexadecimal.
    evidence_sha256: String,
}

/// Define what shops can agree to pay
///
/// The next version. New shops agree to it; the others stay on theirs until they agree to it. Takes
/// a second person with `ops:approve`: `Approver-Authorization`, and `evidence_sha256`.
#[utoipa::path(
    post,
    path = "/v1/ops/terms",
    tag = "Book",
    request_body(content = TermsIn, example = json!({"fee_bps": 150, "tax_bps": 1800,
        "expected_version": 1, "reason": "board-2026-11",
        "evidence_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"})),
    responses((status = 201, description = "Shops can agree to it.", body = DefinedOut)),
)]
pub(super) async fn define_terms(
    writer: Writer,
    key: Key,
    approver: Approver,
    payload: Payload,
) -> Result<Reply<DefinedOut>, Problem> {
    writer.caller.require(&[Scope::OpsApprove])?;
    let body: TermsIn = payload.parse()?;
    let seen = Some(body.evidence_sha256.as_str());
    let approval = two_persons(&writer, &approver, &body.reason, seen)?;
    let change = TermsChange {
        fee_bps: body.fee_bps,
        tax_bps: body.tax_bps,
        debt_limit: body.debt_limit,
        expected_version: body.expected_version,
    };
    let done = fees::define_terms(&writer, approval, (key, &body), &change).await?;
    let out = DefinedOut { object: "terms", position: done.accepted.position };
    Ok(Reply::created(out, "/v1/ops/terms").at(done.position).replayed(done.replayed))
}
