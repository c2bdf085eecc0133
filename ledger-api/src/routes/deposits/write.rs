//! What a customer can do with a deposit.

use chrono::TimeDelta;
use ledger_core::{
    chart::Authority,
    deposit::{BeginDeposit, CancelDeposit, DepositOperation, DepositStatus},
    ids::{AccountId, BankAccountId, DepositId, PayeeHash},
};

use super::{
    body::{DepositIn, DepositOut},
    page,
};
use crate::{
    banks::Payee,
    http::{
        ApiState, Problem, codes,
        idempotency::Key,
        json::Payload,
        path::Id,
        reach::Reaching as _,
        reader::{find, known_account},
        reply::Reply,
        wire::with_book,
        writer::{Done, Identity, Writer},
    },
    identity::Scope,
    routes::{accounts::body::Empty, transactions::body::check_currency},
    wallet::bank_or_usual,
};

/// How long a deposit can be paid. Money that comes later is taken too.
const PAYABLE_FOR: TimeDelta = TimeDelta::minutes(30);
/// The most characters of an address to return to.
const RETURN_URL_MAX: usize = 500;

/// Begin a deposit
///
/// It is an expectation: nothing moves until the bank's word was checked. The answer names the
/// bank's page to pay at; if the bank does not answer the deposit begins all the same, with
/// `pay_page` null, and reading it asks the bank again.
#[utoipa::path(
    post,
    path = "/v1/deposits",
    tag = "Deposits",
    request_body(content = DepositIn, example = json!({
        "account": "wallet:asha:INR", "amount": {"value": "500.00", "currency": "INR"},
        "bank": "hdfc"})),
    responses((status = 201, description = "It awaits payment.", body = DepositOut)),
)]
pub(crate) async fn begin(
    writer: Writer,
    key: Key,
    payload: Payload,
) -> Result<Reply<DepositOut>, Problem> {
    let reach = writer.caller.reach(&[Scope::DepositsWrite])?;
    let body: DepositIn = payload.parse()?;
    check_return_url(body.return_url.as_deref())?;
    let account = reach.account_or_own(body.account.as_ref())?;
    let amount = with_book(&writer.state, |book| body.amount.resolve_positive(book, "/amount"));
    let amount = amount.await?;
    check_currency(&account, amount.currency().code, "/amount")?;
    let bank = bank_or_usual(&writer.state, body.bank.as_ref(), reach).await?;
    let (payer, payer_hash) = payer(&writer.state, &account, body.payer).await?.unzip();
    let now = writer.state.clock.now();
    let expires_at = now
        .checked_add_signed(PAYABLE_FOR)
        .ok_or_else(|| Problem::internal(&"the clock is at the end of time"))?;
    let operation = DepositOperation::Begin(BeginDeposit {
        deposit_id: writer.deposit_id(),
        account,
        amount,
        bank,
        expires_at,
        payer_hash,
    });
    let identity = Identity { key, operation: "begin_deposit", path: &[], body: &body };
    let permission = Authority::of_deposits().into();
    let done = writer.submit(identity, permission, operation.into()).await?;
    let mut deposit = deposit(&done)?;
    if deposit.status == DepositStatus::AwaitingPayment {
        let wanted = page::Wanted {
            deposit_id: deposit.id,
            bank: deposit.bank.clone(),
            amount,
            return_url: body.return_url,
            payer,
        };
        deposit.pay_page = page::open(&writer.state.banks, wanted).await;
    }
    let location = format!("/v1/deposits/{}", deposit.id);
    Ok(Reply::created(deposit, &location).at(done.position).replayed(done.replayed))
}

/// Cancel a deposit
///
/// Until money was told of. Cancelling it again changes nothing, and money that is paid all the
/// same is taken. Otherwise 409 `deposit_not_cancellable`.
#[utoipa::path(
    post,
    path = "/v1/deposits/{id}/cancel",
    tag = "Deposits",
    params(("id" = String, Path, description = "The deposit")),
    request_body(content = Empty, example = json!({})),
    responses((status = 200, description = "It has ended.", body = DepositOut)),
)]
pub(crate) async fn cancel(
    writer: Writer,
    Id(deposit_id): Id<DepositId>,
    key: Key,
    payload: Payload,
) -> Result<Reply<DepositOut>, Problem> {
    let reach = writer.caller.reach(&[Scope::DepositsWrite])?;
    let body: Empty = payload.parse_or_empty()?;
    if reach.person().is_some() {
        let models = &writer.state.read_models;
        let (_, history) = find(&writer.state, || models.deposit(deposit_id)).await?;
        reach.maybe_account(history.deposit.account())?;
    }
    let id = deposit_id.to_string();
    let identity = Identity { key, operation: "cancel_deposit", path: &[&id], body: &body };
    let operation = DepositOperation::Cancel(CancelDeposit { deposit_id });
    let permission = Authority::of_deposits().into();
    let done = writer.submit(identity, permission, operation.into()).await?;
    Ok(Reply::ok(deposit(&done)?).at(done.position).replayed(done.replayed))
}

/// Who is to pay, if anybody in particular: from a bank account of the wallet's owner.
async fn payer(
    state: &ApiState,
    account: &AccountId,
    payer: Option<BankAccountId>,
) -> Result<Option<(Payee, PayeeHash)>, Problem> {
    let Some(id) = payer else { return Ok(None) };
    let wallet = known_account(state, account).await?;
    let known = state.bank_accounts.payer(id).await?;
    if let (Some(wallet), Some((owner, payee, hash))) = (wallet, known)
        && wallet.owner == owner
    {
        return Ok(Some((payee, hash)));
    }
    // Somebody else's is none: who asks learns nothing of it.
    let detail = "The owner of the account has no such verified bank account.";
    Err(Problem::field(codes::INVALID, "/payer", detail))
}

fn check_return_url(address: Option<&str>) -> Result<(), Problem> {
    let Some(address) = address else { return Ok(()) };
    let parsed = reqwest::Url::parse(address).ok();
    let is_web = parsed.is_some_and(|url| matches!(url.scheme(), "http" | "https"));
    if is_web && address.chars().count() <= RETURN_URL_MAX && address.is_ascii() {
        return Ok(());
    }
    let detail = "An http or https address in ASCII, of at most 500 characters.";
    Err(Problem::field(codes::INVALID, "/return_url", detail))
}

/// The deposit after a command: from the stored outcome alone.
pub(super) fn deposit(done: &Done) -> Result<DepositOut, Problem> {
    let accepted = &done.accepted;
    DepositOut::of(&accepted.receipt, accepted.recorded_at, accepted.position)
}
