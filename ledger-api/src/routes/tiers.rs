//! `/v1/tiers`: named sets of limits, and which account is on which.

use ledger_core::{
    book::Book,
    chart::{self, Authority, PostingClass},
    command::{DefineTier, Operation, Receipt, SetTier},
    ids::{AccountId, TierName},
    money::{Currency, CurrencyCode},
    tier::{self, TierLimits},
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    http::{
        ApiState, Problem,
        auth::Require as _,
        codes,
        idempotency::Key,
        json::Payload,
        path::Id,
        query::{NoParams, Params},
        reply::Reply,
        wire::{Amount, MoneyIn, with_book},
        writer::{Identity, Writer, wrong_receipt},
    },
    identity::Scope,
};

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list, define)).routes(routes!(put_on))
}

/// Limits in one direction; what is left out is not limited.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = FlowLimitsInput)]
#[expect(clippy::struct_field_names, reason = "the names of the wire")]
struct FlowIn {
    /// The most that one transaction may move.
    #[serde(skip_serializing_if = "Option::is_none")]
    per_transaction: Option<MoneyIn>,
    /// The most in a day of the book.
    #[serde(skip_serializing_if = "Option::is_none")]
    per_day: Option<MoneyIn>,
    /// The most in a month of the book.
    #[serde(skip_serializing_if = "Option::is_none")]
    per_month: Option<MoneyIn>,
    /// The most in a calendar year of the book.
    #[serde(skip_serializing_if = "Option::is_none")]
    per_year: Option<MoneyIn>,
}

/// A tier to define, or its next version. All limits are stated; what is left out is not limited.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TierInput)]
struct TierIn {
    /// 1 to 32 lower-case letters, digits or `_`.
    #[schema(value_type = String, example = "full_kyc")]
    tier: TierName,
    /// The currency of its limits; it never changes.
    #[schema(value_type = String, example = "INR")]
    currency: CurrencyCode,
    /// The most that an account may hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    balance: Option<MoneyIn>,
    /// What may come in.
    #[serde(default, rename = "in")]
    incoming: FlowIn,
    /// What may go out.
    #[serde(default, rename = "out")]
    outgoing: FlowIn,
    /// Only if this version is in force; 0 = not defined yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expected_version: Option<u32>,
}

/// Limits in one direction.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = FlowLimits)]
#[expect(clippy::struct_field_names, reason = "the names of the wire")]
struct FlowOut {
    /// The most that one transaction may move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    per_transaction: Option<Amount>,
    /// The most in a day of the book.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    per_day: Option<Amount>,
    /// The most in a month of the book.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    per_month: Option<Amount>,
    /// The most in a calendar year of the book.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    per_year: Option<Amount>,
}

/// A tier.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Tier)]
struct TierOut {
    /// Always `tier`.
    #[schema(example = "tier")]
    object: String,
    /// Its name.
    #[schema(value_type = String, example = "full_kyc")]
    tier: TierName,
    /// The currency of its limits.
    #[schema(value_type = String, example = "INR")]
    currency: CurrencyCode,
    /// The version in force; in the answer to a definition left out, for a later one may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
    /// The most that an account may hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    balance: Option<Amount>,
    /// What may come in.
    #[serde(rename = "in")]
    incoming: FlowOut,
    /// What may go out.
    #[serde(rename = "out")]
    outgoing: FlowOut,
}

/// All tiers.
#[derive(Debug, Serialize, ToSchema)]
struct TierList {
    /// By name.
    data: Vec<TierOut>,
    /// Always false: all of them are here.
    has_more: bool,
}

/// The tier that an account is to be on.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AccountTierInput)]
struct SetIn {
    /// The tier; `null` takes the account off, and what was counted is forgotten.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(value_type = Option<String>, required = true, example = "full_kyc")]
    tier: Option<TierName>,
}

/// The tier that an account is on.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = AccountTier)]
struct SetOut {
    /// Always `account_tier`.
    #[schema(example = "account_tier")]
    object: String,
    /// The account.
    #[schema(value_type = String, example = "wallet:asha:INR")]
    account: AccountId,
    /// The tier from here on.
    #[schema(value_type = Option<String>, example = "full_kyc")]
    tier: Option<TierName>,
    /// The account's sequence.
    sequence: u64,
    /// Its position in the log.
    position: u64,
}

fn flow_out(limits: &tier::FlowLimits, currency: CurrencyCode) -> FlowOut {
    let amount = |limit: Option<Decimal>| limit.map(|limit| Amount::new(limit, currency));
    FlowOut {
        per_transaction: amount(limits.per_transaction),
        per_day: amount(limits.per_day),
        per_month: amount(limits.per_month),
        per_year: amount(limits.per_year),
    }
}

fn tier_out(
    tier: &TierName,
    currency: CurrencyCode,
    version: Option<u32>,
    limits: &TierLimits,
) -> TierOut {
    TierOut {
        object: "tier".to_owned(),
        tier: tier.clone(),
        currency,
        version,
        balance: limits.balance.map(|limit| Amount::new(limit, currency)),
        incoming: flow_out(&limits.incoming, currency),
        outgoing: flow_out(&limits.outgoing, currency),
    }
}

/// List the tiers
///
/// All of them, by name, with the limits that are in force.
#[utoipa::path(
    get,
    path = "/v1/tiers",
    tag = "Book",
    responses((status = 200, description = "All tiers.", body = TierList)),
)]
async fn list(
    writer: Writer,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Reply<TierList>, Problem> {
    // Every key may see them, as it may see the currencies.
    let status = writer.state.ledger.status().borrow().clone();
    let out = |t: &tier::Tier| tier_out(&t.tier, t.currency, Some(t.version), &t.limits);
    let data = status.book.tiers().all().map(out).collect();
    Ok(Reply::ok(TierList { data, has_more: false }).at(status.head.position))
}

/// A limit, in the tier's currency.
fn limit(
    money: Option<&MoneyIn>,
    book: &Book,
    currency: Currency,
    pointer: &str,
) -> Result<Option<Decimal>, Problem> {
    let Some(money) = money else { return Ok(None) };
    let money = money.resolve(book, pointer)?;
    if money.currency() == currency {
        return Ok(Some(money.amount()));
    }
    let detail = "The limits of a tier are in its currency.";
    Err(Problem::field(codes::CURRENCY_MISMATCH, pointer.to_owned(), detail))
}

fn flow(
    flow: &FlowIn,
    book: &Book,
    currency: Currency,
    pointer: &str,
) -> Result<tier::FlowLimits, Problem> {
    let limit = |money: &Option<MoneyIn>, name: &str| {
        limit(money.as_ref(), book, currency, &format!("{pointer}/{name}"))
    };
    Ok(tier::FlowLimits {
        per_transaction: limit(&flow.per_transaction, "per_transaction")?,
        per_day: limit(&flow.per_day, "per_day")?,
        per_month: limit(&flow.per_month, "per_month")?,
        per_year: limit(&flow.per_year, "per_year")?,
    })
}

fn resolve(body: &TierIn, book: &Book) -> Result<DefineTier, Problem> {
    let currency = book.currency(body.currency).ok_or_else(|| {
        let detail = "The book does not have this currency.";
        Problem::field(codes::CURRENCY_UNKNOWN, "/currency", detail)
    })?;
    Ok(DefineTier {
        tier: body.tier.clone(),
        currency,
        limits: TierLimits {
            balance: limit(body.balance.as_ref(), book, currency, "/balance")?,
            incoming: flow(&body.incoming, book, currency, "/in")?,
            outgoing: flow(&body.outgoing, book, currency, "/out")?,
        },
        expected_version: body.expected_version,
    })
}

/// Define a tier, or its next version
///
/// From here on every account of the tier has these limits; what happened before stays. A day, a
/// month and a calendar year are those of the book's time zone. Needs the scope `admin`.
#[utoipa::path(
    post,
    path = "/v1/tiers",
    tag = "Book",
    request_body(content = TierIn, example = json!(
        {"tier": "full_kyc", "currency": "INR",
         "balance": {"value": "200000.00", "currency": "INR"},
         "out": {"per_day": {"value": "100000.00", "currency": "INR"}}})),
    responses((status = 201, description = "It is in force.", body = TierOut)),
)]
async fn define(writer: Writer, key: Key, payload: Payload) -> Result<Reply<TierOut>, Problem> {
    writer.caller.require(&[Scope::Admin])?;
    let body: TierIn = payload.parse()?;
    let define = with_book(&writer.state, |book| resolve(&body, book)).await?;
    let answer = tier_out(&define.tier, define.currency.code, None, &define.limits);
    let identity = Identity { key, operation: "define_tier", path: &[], body: &body };
    let operation = Operation::DefineTier(Box::new(define));
    let done = writer.submit(identity, Authority::NONE.into(), operation).await?;
    Ok(Reply::created(answer, "/v1/tiers").at(done.position).replayed(done.replayed))
}

/// Put an account on a tier
///
/// Of its currency; only accounts of class `open`. What was counted stays under another tier, and
/// is forgotten under none. Needs the scope `admin`.
#[utoipa::path(
    post,
    path = "/v1/accounts/{id}/tier",
    tag = "Accounts",
    params(("id" = String, Path, description = "Code and currency", example = "wallet:asha:INR")),
    request_body(content = SetIn, example = json!({"tier": "full_kyc"})),
    responses((status = 200, description = "It holds from now on.", body = SetOut)),
)]
async fn put_on(
    writer: Writer,
    Id(account): Id<AccountId>,
    key: Key,
    payload: Payload,
) -> Result<Reply<SetOut>, Problem> {
    writer.caller.require(&[Scope::Admin])?;
    let body: SetIn = payload.parse()?;
    let class = chart::lookup(&account.code()).map_or(PostingClass::Open, |entry| entry.class);
    let operation =
        Operation::SetTier(SetTier { account: account.clone(), tier: body.tier.clone() });
    let path = [account.as_str()];
    let identity = Identity { key, operation: "set_tier", path: &path, body: &body };
    let done = writer.submit(identity, Authority::of(&[class]).into(), operation).await?;
    let Receipt::Account { sequence } = done.accepted.receipt else {
        return Err(wrong_receipt(&done.accepted.receipt));
    };
    let position = done.accepted.position;
    let object = "account_tier".to_owned();
    let answer = SetOut { object, account, tier: body.tier, sequence, position };
    Ok(Reply::ok(answer).at(done.position).replayed(done.replayed))
}
