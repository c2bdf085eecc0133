//! What a withdrawal would cost, and when it would be there. Reserves nothing; who names the
//! version of the fee in the request pays that fee, or is refused.

use chrono::{DateTime, Utc};
use ledger_core::{
    fee::Service,
    ids::{AccountId, BankCode, Rail},
    money::Money,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    fees,
    http::{
        ApiState, Problem, codes,
        json::Payload,
        reach::Reaching as _,
        reply::Reply,
        wire::{Amount, MoneyIn, with_book},
        writer::Writer,
    },
    identity::Scope,
    routes::transactions::body::check_currency,
    wallet::Way,
};

/// What to quote.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WithdrawalQuoteInput)]
pub(super) struct QuoteIn {
    /// Where the money would come from. People may leave it out: it is their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "wallet:asha:INR")]
    account: Option<AccountId>,
    /// What the payee would get; above zero.
    amount: MoneyIn,
    /// The bank that would send it. People may leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "hdfc")]
    bank: Option<BankCode>,
    /// The way it would be sent. People may leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "imps")]
    rail: Option<Rail>,
}

/// What a withdrawal would cost.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = WithdrawalQuote)]
pub(crate) struct QuoteOut {
    /// Always `withdrawal_quote`.
    #[schema(example = "withdrawal_quote")]
    object: String,
    /// What the payee would get.
    pub(crate) amount: Amount,
    /// What it would cost, tax included.
    pub(crate) fee: Amount,
    /// How much of the fee is tax.
    tax: Amount,
    /// The version of the fee. Name it in the request, and no other is charged.
    #[schema(example = 1)]
    pub(crate) fee_version: u32,
    /// What would leave the account.
    pub(crate) total: Amount,
    /// The bank.
    #[schema(value_type = String, example = "hdfc")]
    pub(crate) bank: BankCode,
    /// The way.
    #[schema(value_type = String, example = "imps")]
    pub(crate) rail: Rail,
    /// When it would be certain at the latest, were it sent now, or when the rail opens; null if
    /// the bank does not say at the moment.
    pub(crate) arrives_by: Option<DateTime<Utc>>,
}

/// Quote a withdrawal
///
/// Fee, tax and time, by today's fees and the bank's terms. Nothing is set aside. Another fee may
/// be in force when it is requested: a request that names the `fee_version` is then refused
/// (`fee_changed`). A bank that is down is no error: then only the time is not known.
#[utoipa::path(
    post,
    path = "/v1/withdrawal-quotes",
    tag = "Withdrawals",
    request_body(content = QuoteIn, example = json!({
        "account": "wallet:asha:INR", "amount": {"value": "15.00", "currency": "INR"},
        "bank": "hdfc", "rail": "imps"})),
    responses((status = 200, description = "The quote.", body = QuoteOut)),
)]
pub(crate) async fn quote(writer: Writer, payload: Payload) -> Result<Reply<QuoteOut>, Problem> {
    let reach = writer.caller.reach_shop(&[Scope::WithdrawalsWrite])?;
    let body: QuoteIn = payload.parse()?;
    let account = reach.account_or_own(body.account.as_ref())?;
    let amount = with_book(&writer.state, |book| body.amount.resolve_positive(book, "/amount"));
    let amount = amount.await?;
    check_currency(&account, amount.currency().code, "/amount")?;
    let price = fees::price_as_of_log(&writer.state, Service::Withdrawal, amount).await?;
    let (fee_version, price) = (price.version, price.quote);
    let asked = Way { bank: body.bank.as_ref(), rail: body.rail.as_ref() };
    let (bank, rail) = asked.or_usual(&writer.state, amount, reach).await?;
    let arrives_by = arrives_by(&writer.state, (&bank, &rail), amount).await?;
    Ok(Reply::ok(QuoteOut {
        object: "withdrawal_quote".to_owned(),
        amount: amount.into(),
        fee: price.fee.into(),
        tax: price.tax.into(),
        fee_version,
        total: price.total.into(),
        bank,
        rail,
        arrives_by,
    }))
}

pub(crate) async fn arrives_by(
    state: &ApiState,
    (bank, rail): (&BankCode, &Rail),
    amount: Money,
) -> Result<Option<DateTime<Utc>>, Problem> {
    let bank = state.banks.get(bank).ok_or_else(|| {
        Problem::field(codes::BANK_UNKNOWN, "/bank", "This service calls no such bank.")
    })?;
    let Ok(contract) = bank.contract().await else { return Ok(None) };
    let terms = contract.rail(rail).ok_or_else(|| {
        Problem::field(codes::RAIL_UNKNOWN, "/rail", "The bank does not send money this way.")
    })?;
    if !terms.takes(amount) {
        let detail = "The bank does not send this much, or this little, this way.";
        return Err(Problem::field(codes::RAIL_UNKNOWN, "/amount", detail));
    }
    Ok(terms.done_by(state.clock.now(), contract.time_zone))
}
