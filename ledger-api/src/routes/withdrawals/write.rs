//! What a customer can do with a withdrawal.

use ledger_core::{
    chart::Authority,
    fee::{Pricing, Service},
    ids::WithdrawalId,
    withdrawal::{CancelWithdrawal, RequestWithdrawal, WithdrawalOperation},
};

use super::body::{WithdrawalIn, WithdrawalOut};
use crate::{
    entry, fees,
    http::{
        Problem,
        idempotency::Key,
        json::Payload,
        path::Id,
        reach::{Reach, Reaching as _},
        reader::find,
        reply::Reply,
        wire::{NOTE_CHARS_MAX, check_words, with_book},
        writer::{Done, Identity, Writer},
    },
    identity::Scope,
    routes::{accounts::body::Empty, transactions::body::check_currency},
    transfers::known,
    wallet::Way,
};

/// Request a withdrawal
///
/// The amount and its fee are set aside at once, so that they cannot be spent twice. It then waits
/// for its bank, or first for a person (`pending_review`), and can be cancelled until it is sent.
#[utoipa::path(
    post,
    path = "/v1/withdrawals",
    tag = "Withdrawals",
    request_body(content = WithdrawalIn, example = json!({
        "account": "wallet:asha:INR", "amount": {"value": "15.00", "currency": "INR"},
        "bank_account": "ba_01935c3a5e7c7d3e8f00a1b2c3d4e5f6", "bank": "hdfc", "rail": "imps",
        "note": "Rent"})),
    responses((status = 201, description = "It is set aside.", body = WithdrawalOut)),
)]
pub(crate) async fn request(
    writer: Writer,
    key: Key,
    payload: Payload,
) -> Result<Reply<WithdrawalOut>, Problem> {
    let reach = writer.caller.reach_shop(&[Scope::WithdrawalsWrite])?;
    let body: WithdrawalIn = payload.parse()?;
    if let Some(note) = &body.note {
        check_words(note, NOTE_CHARS_MAX, "/note")?;
    }
    let account = reach.account_or_own(body.account.as_ref())?;
    entry::require_proved(&writer.state, &writer.caller).await?;
    entry::check_payee(&writer.state, &writer.caller, (&account, body.bank_account)).await?;
    let amount = with_book(&writer.state, |book| body.amount.resolve_positive(book, "/amount"));
    let amount = amount.await?;
    check_currency(&account, amount.currency().code, "/amount")?;
    let asked = Way { bank: body.bank.as_ref(), rail: body.rail.as_ref() };
    let identity = Identity { key, operation: "request_withdrawal", path: &[], body: &body };
    let permission = Authority::of_withdrawals().into();
    let (bank, rail) = match asked.or_usual(&writer.state, amount, reach).await {
        Ok(way) => way,
        // What was requested before its bank was drained is answered as it was.
        Err(problem) => {
            return created(&known::or_replay(&writer, identity, permission, problem).await?);
        }
    };
    // The ledger says what it costs; this is what it would by the book that is known here.
    let price = fees::price_now(&writer.state, Service::Withdrawal, amount)?.quote;
    let (payee, payee_hash) = writer.state.bank_accounts.standing(body.bank_account).await?;
    let rules = &writer.state.operators.review;
    let review = rules.required(&writer.state, &account, body.bank_account, amount).await?;
    let operation = WithdrawalOperation::Request(RequestWithdrawal {
        withdrawal_id: writer.withdrawal_id(),
        transaction_id: writer.transaction_id(),
        account,
        amount,
        fee: price.fee,
        tax: price.tax,
        pricing: Pricing::InForce(body.fee_version),
        bank_account: body.bank_account,
        bank,
        rail,
        payee_hash,
        payee,
        review,
        note: body.note.clone(),
    });
    created(&writer.submit(identity, permission, operation.into()).await?)
}

fn created(done: &Done) -> Result<Reply<WithdrawalOut>, Problem> {
    let withdrawal = withdrawal(done)?;
    let location = format!("/v1/withdrawals/{}", withdrawal.id);
    Ok(Reply::created(withdrawal, &location).at(done.position).replayed(done.replayed))
}

/// Cancel a withdrawal
///
/// Until it is sent: all of it, the fee included, is given back. Cancelling it again changes
/// nothing. Once its bank has it, it is too late: 409 `not_cancellable`.
#[utoipa::path(
    post,
    path = "/v1/withdrawals/{id}/cancel",
    tag = "Withdrawals",
    params(("id" = String, Path, description = "The withdrawal")),
    request_body(content = Empty, example = json!({})),
    responses((status = 200, description = "It has ended.", body = WithdrawalOut)),
)]
pub(crate) async fn cancel(
    writer: Writer,
    Id(withdrawal_id): Id<WithdrawalId>,
    key: Key,
    payload: Payload,
) -> Result<Reply<WithdrawalOut>, Problem> {
    let reach = writer.caller.reach_shop(&[Scope::WithdrawalsWrite])?;
    let body: Empty = payload.parse_or_empty()?;
    if reach != Reach::Everything {
        let models = &writer.state.read_models;
        let (_, history) = find(&writer.state, || models.withdrawal(withdrawal_id)).await?;
        reach.maybe_account(history.withdrawal.properties().map(|requested| &requested.account))?;
    }
    let id = withdrawal_id.to_string();
    let identity = Identity { key, operation: "cancel_withdrawal", path: &[&id], body: &body };
    let transaction_id = writer.transaction_id();
    let cancel = CancelWithdrawal { withdrawal_id, transaction_id };
    let operation = WithdrawalOperation::Cancel(cancel);
    let permission = Authority::of_withdrawals().into();
    let done = writer.submit(identity, permission, operation.into()).await?;
    Ok(Reply::ok(withdrawal(&done)?).at(done.position).replayed(done.replayed))
}

/// The withdrawal after a command: from the stored outcome alone.
fn withdrawal(done: &Done) -> Result<WithdrawalOut, Problem> {
    let accepted = &done.accepted;
    WithdrawalOut::of(&accepted.receipt, accepted.recorded_at, accepted.position)
}
