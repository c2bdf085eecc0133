//! `/v1/ops/merchants/{id}/terms`: what is agreed with a shop, and agreeing to something else,
//! which takes two persons.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    desk::{
        check_reason,
        shops::{self, Agreement},
    },
    http::{
        Problem,
        approval::Approver,
        auth::Require as _,
        codes,
        json::Payload,
        path::Id,
        query::{NoParams, Params},
        reader::Reader,
        reply::Reply,
        writer::Writer,
    },
    identity::Scope,
    shops::{Merchant, MerchantId},
};

/// What is agreed with a shop.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MerchantTerms)]
pub(super) struct AgreedOut {
    /// Always `merchant_terms`.
    #[schema(example = "merchant_terms")]
    object: &'static str,
    /// The shop.
    #[schema(example = "mer_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    merchant: String,
    /// The version of the fees that it pays by.
    #[schema(example = 1)]
    terms_version: u32,
    /// How many bank days a payment settles.
    #[schema(example = 1)]
    settlement_days: u8,
}

impl AgreedOut {
    fn of(shop: &Merchant) -> Self {
        Self {
            object: "merchant_terms",
            merchant: shop.id.to_string(),
            terms_version: shop.terms_version,
            settlement_days: shop.settlement_lag.days(),
        }
    }
}

/// Read what is agreed with a shop
///
/// Needs `ops:read`.
#[utoipa::path(
    get,
    path = "/v1/ops/merchants/{id}/terms",
    tag = "Operators",
    params(("id" = String, Path, description = "The shop")),
    responses((status = 200, description = "As it is now.", body = AgreedOut,
        example = json!({"object": "merchant_terms",
            "merchant": "mer_01935c3a5e7c7d3e8f00a1b2c3d4e5f6", "terms_version": 1,
            "settlement_days": 1}))),
)]
pub(super) async fn read(
    reader: Reader,
    Id(id): Id<MerchantId>,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Reply<AgreedOut>, Problem> {
    reader.admit(&[Scope::OpsRead], None).await?;
    let shop = reader.state.shops.by_id(id).await?.ok_or_else(nothing)?;
    Ok(Reply::ok(AgreedOut::of(&shop)))
}

/// What is to be agreed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MerchantTermsInput)]
pub(super) struct AgreeIn {
    /// The version of the fees.
    #[schema(example = 2)]
    terms_version: u32,
    /// How many bank days a payment settles.
    #[schema(example = 1)]
    settlement_days: u8,
    /// Only if the shop pays by this version now.
    #[serde(default)]
    expected_version: Option<u32>,
    /// Why; at most 200 characters.
    #[schema(max_length = 200)]
    reason: String,
}

/// Agree on something else with a shop
///
/// Other fees, or another time to settle, from the next payment on; what was paid stays. Takes a
/// second person with `ops:approve`: `Approver-Authorization`. Done twice, it is done once; no key
/// is needed.
#[utoipa::path(
    post,
    path = "/v1/ops/merchants/{id}/terms",
    tag = "Operators",
    params(("id" = String, Path, description = "The shop")),
    request_body(content = AgreeIn, example = json!({"terms_version": 1, "settlement_days": 2,
        "expected_version": 1, "reason": "They asked"})),
    responses((status = 200, description = "It is agreed.", body = AgreedOut,
        example = json!({"object": "merchant_terms",
            "merchant": "mer_01935c3a5e7c7d3e8f00a1b2c3d4e5f6", "terms_version": 1,
            "settlement_days": 2}))),
)]
pub(super) async fn agree(
    writer: Writer,
    Id(id): Id<MerchantId>,
    approver: Approver,
    payload: Payload,
) -> Result<Reply<AgreedOut>, Problem> {
    writer.caller.require(&[Scope::OpsApprove])?;
    let body: AgreeIn = payload.parse()?;
    check_reason(&body.reason)?;
    approver.approve(&writer.caller)?;
    let shop = writer.state.shops.by_id(id).await?.ok_or_else(nothing)?;
    let AgreeIn { terms_version, settlement_days, expected_version, reason } = body;
    if expected_version.is_some_and(|expected| expected != shop.terms_version) {
        let detail = format!("The shop pays by version {}.", shop.terms_version);
        return Err(Problem::new(codes::TERMS_VERSION, detail));
    }
    shops::agree(&writer, id, Agreement { terms_version, settlement_days }, &reason).await?;
    let shop = writer.state.shops.by_id(id).await?.ok_or_else(nothing)?;
    Ok(Reply::ok(AgreedOut::of(&shop)))
}

fn nothing() -> Problem {
    Problem::not_found("There is no such shop.")
}
