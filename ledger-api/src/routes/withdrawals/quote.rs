//! What a withdrawal would cost, and when it would be there. Promises and reserves nothing.

use chrono::{DateTime, Utc};
use ledger_core::{
    ids::{AccountId, BankCode, Rail},
    money::Money,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::terms;
use crate::{
    http::{
        Problem,
        auth::Require as _,
        codes,
        json::Payload,
        reply::Reply,
        wire::{Amount, MoneyIn, with_book},
        writer::Writer,
    },
    identity::Scope,
    routes::transactions::body::check_currency,
};

/// What to quote.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WithdrawalQuoteInput)]
pub(super) struct QuoteIn {
    /// Where the money would come from.
    #[schema(value_type = String, example = "wallet:asha:INR")]
    account: AccountId,
    /// What the payee would get; above zero.
    amount: MoneyIn,
    /// The bank that would send it.
    #[schema(value_type = String, example = "hdfc")]
    bank: BankCode,
    /// The way it would be sent.
    #[schema(value_type = String, example = "imps")]
    rail: Rail,
}

/// What a withdrawal would cost.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = WithdrawalQuote)]
pub(super) struct QuoteOut {
    /// Always `withdrawal_quote`.
    #[schema(example = "withdrawal_quote")]
    object: String,
    /// What the payee would get.
    amount: Amount,
    /// What it would cost, tax included.
    fee: Amount,
    /// How much of the fee is tax.
    tax: Amount,
    /// What would leave the account.
    total: Amount,
    /// The bank.
    #[schema(value_type = String, example = "hdfc")]
    bank: BankCode,
    /// The way.
    #[schema(value_type = String, example = "imps")]
    rail: Rail,
    /// When it would be certain at the latest, were it sent now, or when the rail opens; null if
    /// the bank does not say at the moment.
    arrives_by: Option<DateTime<Utc>>,
}

/// Quote a withdrawal
///
/// Fee, tax and time, by today's terms and the bank's. Nothing is set aside. A bank that is down is
/// no error: then only the time is not known.
#[utoipa::path(
    post,
    path = "/v1/withdrawal-quotes",
    tag = "Withdrawals",
    request_body(content = QuoteIn, example = json!({
        "account": "wallet:asha:INR", "amount": {"value": "15.00", "currency": "INR"},
        "bank": "hdfc", "rail": "imps"})),
    responses((status = 200, description = "The quote.", body = QuoteOut)),
)]
pub(super) async fn quote(writer: Writer, payload: Payload) -> Result<Reply<QuoteOut>, Problem> {
    writer.caller.require(&[Scope::WithdrawalsWrite])?;
    let body: QuoteIn = payload.parse()?;
    let amount = with_book(&writer.state, |book| body.amount.resolve_positive(book, "/amount"));
    let amount = amount.await?;
    check_currency(&body.account, amount.currency().code, "/amount")?;
    let price = terms::price(amount).map_err(|error| {
        Problem::field(codes::AMOUNT_OVERFLOW, "/amount/value", format!("{error}."))
    })?;
    let arrives_by = arrives_by(&writer, &body, amount).await?;
    Ok(Reply::ok(QuoteOut {
        object: "withdrawal_quote".to_owned(),
        amount: amount.into(),
        fee: price.fee.into(),
        tax: price.tax.into(),
        total: price.total.into(),
        bank: body.bank,
        rail: body.rail,
        arrives_by,
    }))
}

async fn arrives_by(
    writer: &Writer,
    body: &QuoteIn,
    amount: Money,
) -> Result<Option<DateTime<Utc>>, Problem> {
    let bank = writer.state.banks.get(&body.bank).ok_or_else(|| {
        Problem::field(codes::BANK_UNKNOWN, "/bank", "This service calls no such bank.")
    })?;
    let Ok(contract) = bank.contract().await else { return Ok(None) };
    let terms = contract.rail(&body.rail).ok_or_else(|| {
        Problem::field(codes::RAIL_UNKNOWN, "/rail", "The bank does not send money this way.")
    })?;
    if !terms.takes(amount) {
        let detail = "The bank does not send this much, or this little, this way.";
        return Err(Problem::field(codes::RAIL_UNKNOWN, "/amount", detail));
    }
    Ok(terms.done_by(writer.state.clock.now(), contract.time_zone))
}
