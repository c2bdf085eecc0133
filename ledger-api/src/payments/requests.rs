//! Asking to be paid: a code at the counter, a code with an amount, a link.

use chrono::{DateTime, Utc};
use ledger_core::{
    chart::Authority,
    ids::{PaymentRequestId, Reference},
    money::{CurrencyCode, Money},
    payment_request::{CreatePaymentRequest, PaymentRequestOperation},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    WRITE,
    link::{self, Payee},
    shop,
};
use crate::{
    http::{
        Problem, codes,
        idempotency::Key,
        reach::Reaching as _,
        reader::find,
        wire::{MoneyIn, NOTE_CHARS_MAX, check_words, with_book},
        writer::{Done, Identity, Writer},
    },
    links::Link,
    shops::{Merchant, MerchantId, StoreId, TerminalId},
    transfers::known,
};

/// What shops are paid in.
const CURRENCY: &str = "INR";

/// Something to be paid.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PaymentRequestInput)]
pub(crate) struct RequestIn {
    /// The shop. Shops may leave it out: then it is theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "mer_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    pub(crate) merchant: Option<MerchantId>,
    /// How much; if it is left out, whoever pays says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) amount: Option<MoneyIn>,
    /// What the shop knows it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "ORDER-17")]
    pub(crate) order_id: Option<Reference>,
    /// In which of the shop's stores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "sto_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    pub(crate) store: Option<StoreId>,
    /// At which terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "trm_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    pub(crate) terminal: Option<TerminalId>,
    /// Whether one payment ends it. A code that hangs at the counter is for many.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub(crate) single_use: bool,
    /// Until when it can be paid; for ever if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<DateTime<Utc>>,
    /// Words that whoever pays sees; at most 200 characters. Kept beside the log, erasable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub(crate) description: Option<String>,
}

const fn yes() -> bool {
    true
}

/// Makes a payment request, once for its key; the shop that it is of as well.
pub(crate) async fn create(
    writer: &Writer,
    key: Key,
    body: &RequestIn,
) -> Result<(Done, Merchant), Problem> {
    let reach = writer.caller.reach_shop(WRITE)?;
    let id = shop::own_shop(reach, body.merchant)?;
    if let Some(words) = &body.description {
        check_words(words, NOTE_CHARS_MAX, "/description")?;
    }
    let identity = Identity { key, operation: "create_payment_request", path: &[], body };
    let shop = shop::any_shop(&writer.state, id).await?;
    let done = match understand(writer, &shop, body).await {
        Ok(operation) => writer.submit(identity, Authority::NONE.into(), operation.into()).await,
        Err(problem) => known::or_replay(writer, identity, Authority::NONE.into(), problem).await,
    };
    Ok((done?, shop))
}

/// What is asked for, where.
async fn understand(
    writer: &Writer,
    shop: &Merchant,
    body: &RequestIn,
) -> Result<PaymentRequestOperation, Problem> {
    let id = shop::open_shop(&writer.state, shop.id).await?.id;
    let place = shop::place(&writer.state, id, (body.store, body.terminal)).await?;
    Ok(PaymentRequestOperation::Create(CreatePaymentRequest {
        request_id: PaymentRequestId::from_uuid(writer.state.ids.fresh()),
        merchant: shop::code_of(id)?,
        currency: currency()?,
        amount: amount(writer, body).await?,
        order: body.order_id.clone(),
        store: place.store,
        terminal: place.terminal,
        single_use: body.single_use,
        expires_at: body.expires_at,
        description: body.description.clone(),
    }))
}

/// The currency that shops are paid in.
pub(crate) fn currency() -> Result<CurrencyCode, Problem> {
    CURRENCY.parse().map_err(|error| Problem::internal(&error))
}

async fn amount(writer: &Writer, body: &RequestIn) -> Result<Option<Money>, Problem> {
    let Some(asked) = &body.amount else { return Ok(None) };
    let amount = with_book(&writer.state, |book| asked.resolve_positive(book, "/amount")).await?;
    if amount.currency().code != currency()? {
        let detail = "Shops are paid in rupees.";
        return Err(Problem::field(codes::CURRENCY_MISMATCH, "/amount/currency", detail));
    }
    Ok(Some(amount))
}

/// Takes a payment request back.
pub(crate) async fn close<T: Serialize>(
    writer: &Writer,
    request_id: PaymentRequestId,
    key: Key,
    body: &T,
) -> Result<Done, Problem> {
    let reach = writer.caller.reach_shop(WRITE)?;
    let models = &writer.state.read_models;
    let (_, row) = find(&writer.state, || models.payment_request(request_id)).await?;
    shop::check_shop(reach, &row.merchant)?;
    let id = request_id.to_string();
    let identity = Identity { key, operation: "close_payment_request", path: &[&id], body };
    let operation = PaymentRequestOperation::Close(request_id);
    writer.submit(identity, Authority::NONE.into(), operation.into()).await
}

/// The link of a payment request: what its QR code says.
pub(crate) fn link_of(
    shop: &Merchant,
    request: PaymentRequestId,
    amount: Option<Money>,
    words: Option<&str>,
) -> Link {
    let payee = Payee {
        handle: shop.handle.as_str(),
        name: shop.display_name.expose(),
        category: shop.category.as_str(),
    };
    // More than a code of a size that phones read can hold is cut.
    let words: Option<String> = words.map(|words| words.chars().take(link::WORDS_MAX).collect());
    link::link(&payee, request, amount, words.as_deref())
}
