//! Paying a shop: from a wallet, in one step.

use ledger_core::{
    chart::Authority,
    ids::{AccountId, PaymentId, PaymentRequestId, Reference},
    money::Money,
    payment::{PayMerchant, PaymentOperation},
};
use projections::PaymentRequestRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{WRITE, link, requests::currency, shop};
use crate::{
    http::{
        ApiState, Problem, codes,
        idempotency::Key,
        reach::{Reach, Reaching as _, nothing},
        reader::find,
        wire::{MoneyIn, with_book},
        writer::{Done, Identity, Writer},
    },
    links::Link,
    people::Handle,
    shops::{Merchant, MerchantId, StoreId, TerminalId},
    transfers::known,
};

/// Money to pay to a shop: by a request, by what a QR code says, or to the shop as such.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PaymentInput)]
pub(crate) struct PayIn {
    /// Where the money comes from: a wallet. Only people may leave it out: then it is theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "wallet:asha:INR")]
    pub(crate) account: Option<AccountId>,
    /// The request that is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "pr_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    pub(crate) request: Option<PaymentRequestId>,
    /// What a QR code of one of our shops says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "upi://pay?pa=chai@bahi&am=120.00&cu=INR")]
    pub(crate) link: Option<String>,
    /// The shop, where no request is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "mer_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    pub(crate) merchant: Option<MerchantId>,
    /// How much; may be left out where the request or the code says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) amount: Option<MoneyIn>,
    /// What the shop knows it by, where no request is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "ORDER-17")]
    pub(crate) order_id: Option<Reference>,
    /// In which of the shop's stores, where no request is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) store: Option<StoreId>,
    /// At which terminal, where no request is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) terminal: Option<TerminalId>,
}

/// What is paid, once it is understood.
struct Target {
    shop: Merchant,
    request: Option<PaymentRequestRow>,
    amount: Option<Money>,
}

/// Pays a shop, once for its key.
pub(crate) async fn pay(writer: &Writer, key: Key, body: &PayIn) -> Result<Done, Problem> {
    let reach = writer.caller.reach(WRITE)?;
    let payer = reach.account_or_own(body.account.as_ref())?;
    let identity = Identity { key, operation: "pay_merchant", path: &[], body };
    let permission = Authority::of_payments().into();
    match understand(writer, body, payer.clone()).await {
        Ok(operation) => {
            let done = writer.submit(identity, permission, operation.into()).await;
            done.map_err(|problem| of_shop(problem, &payer, reach))
        }
        Err(problem) => known::or_replay(writer, identity, permission, problem).await,
    }
}

/// What is paid to whom, on which terms, and from when on the shop can spend it.
async fn understand(
    writer: &Writer,
    body: &PayIn,
    payer: AccountId,
) -> Result<PaymentOperation, Problem> {
    let state = &writer.state;
    let target = target(state, body).await?;
    let amount = amount(writer, body, &target).await?;
    let place = match target.request {
        Some(_) => shop::Place::default(),
        None => shop::place(state, target.shop.id, (body.store, body.terminal)).await?,
    };
    let version = target.shop.terms_version;
    let terms = state.ledger.status().borrow().book.terms(version);
    let none = || Problem::internal(&format!("no terms of version {version}"));
    let terms = terms.ok_or_else(none)?.rates();
    let (lag, now) = (target.shop.settlement_lag.days(), state.clock.now());
    Ok(PaymentOperation::Pay(PayMerchant {
        payment_id: PaymentId::from_uuid(state.ids.fresh()),
        payer,
        merchant: shop::code_of(target.shop.id)?,
        amount,
        terms,
        request: target.request.map(|row| row.id),
        settles_on: state.calendars.settles_on(now, lag).await?,
        order: body.order_id.clone(),
        store: place.store,
        terminal: place.terminal,
    }))
}

/// Which shop and request are meant.
async fn target(state: &ApiState, body: &PayIn) -> Result<Target, Problem> {
    match (body.request, &body.link, body.merchant) {
        (Some(request), None, None) => of_request(state, request, body).await,
        (None, Some(text), None) => of_link(state, text, body).await,
        (None, None, Some(id)) => {
            let shop = shop::open_shop(state, id).await?;
            Ok(Target { shop, request: None, amount: None })
        }
        _ => {
            let detail = "Name exactly one of request, link and merchant.";
            Err(Problem::field(codes::INVALID, "/request", detail))
        }
    }
}

async fn of_request(
    state: &ApiState,
    request: PaymentRequestId,
    body: &PayIn,
) -> Result<Target, Problem> {
    if body.order_id.is_some() || body.store.is_some() || body.terminal.is_some() {
        let detail = "The request says what is paid and where.";
        return Err(Problem::field(codes::INVALID, "/request", detail));
    }
    let (_, row) = find(state, || state.read_models.payment_request(request)).await?;
    let id = shop::shop_of(&row.merchant).ok_or_else(nothing)?;
    let shop = shop::open_shop(state, id).await?;
    Ok(Target { shop, request: Some(row), amount: None })
}

/// What a code says. A code of another bank's shop cannot be paid here.
async fn of_link(state: &ApiState, text: &str, body: &PayIn) -> Result<Target, Problem> {
    let invalid = |detail: String| Problem::field(codes::INVALID, "/link", detail);
    let Link::Upi(link) = text.parse().map_err(|error| invalid(format!("{error}.")))? else {
        return Err(invalid("This code is of a person: send money instead.".to_owned()));
    };
    let handle = link::handle_of(&link.payee).and_then(|handle| handle.parse::<Handle>().ok());
    let shop = match handle {
        Some(handle) => state.shops.by_handle(&handle).await.map_err(shop::unasked)?,
        None => None,
    };
    let unknown = || {
        let detail = "This code is of no shop of this service.";
        Problem::field(codes::SHOP_UNKNOWN, "/link", detail)
    };
    let shop = shop.ok_or_else(unknown)?;
    let named = link.reference.as_deref().and_then(|text| text.parse::<PaymentRequestId>().ok());
    let Some(request) = named else {
        return Ok(Target { shop, request: None, amount: link.amount });
    };
    let target = of_request(state, request, body).await?;
    // The address is what the payer saw: a code that mixes two shops is a forgery.
    if target.shop.id == shop.id { Ok(target) } else { Err(unknown()) }
}

/// How much: what the body says, what the request asks for, what the code says. The ledger refuses
/// a request that asks for another amount.
async fn amount(writer: &Writer, body: &PayIn, target: &Target) -> Result<Money, Problem> {
    let amount = match (&body.amount, &target.request) {
        (Some(asked), _) => {
            with_book(&writer.state, |book| asked.resolve_positive(book, "/amount")).await?
        }
        (None, Some(row)) => asked_for(&writer.state, row)?,
        (None, None) => target.amount.ok_or_else(missing_amount)?,
    };
    if amount.currency().code != currency()? {
        let detail = "Shops are paid in rupees.";
        return Err(Problem::field(codes::CURRENCY_MISMATCH, "/amount/currency", detail));
    }
    Ok(amount)
}

fn asked_for(state: &ApiState, row: &PaymentRequestRow) -> Result<Money, Problem> {
    let amount = row.amount.ok_or_else(missing_amount)?;
    let book = state.ledger.status().borrow().book.clone();
    let currency = book.currency(row.currency).ok_or_else(missing_amount)?;
    Money::parse(&amount.to_string(), currency).map_err(|error| Problem::internal(&error))
}

fn missing_amount() -> Problem {
    Problem::field(codes::INVALID, "/amount", "Say how much is paid.")
}

/// What the shop's accounts say is nobody else's business.
fn of_shop(problem: Problem, payer: &AccountId, reach: Reach) -> Problem {
    let is_others = problem.body().account.is_some_and(|account| account != *payer);
    if is_others && reach.person().is_some() {
        return problem.said_otherwise(codes::SHOP_BLOCKED, "The shop cannot be paid now.");
    }
    problem
}
