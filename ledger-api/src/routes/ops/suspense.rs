//! `/v1/ops/suspense`: credits that nobody knows the owner of, whose they may be, and people's
//! word.

use chrono::NaiveDate;
use ledger_core::{
    clock::Timestamp,
    ids::{AccountId, BankCode, DepositId, Item, Reference},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    desk::suspense::{self as desk, AssignIn},
    http::{
        Problem,
        approval::Approver,
        idempotency::Key,
        json::Payload,
        path::Id,
        query::{NoParams, Params},
        reader::Reader,
        reply::Reply,
        wire::Amount,
        writer::Writer,
    },
    identity::Scope,
    suspense::{self, OpenCredit, Suggestion},
};

/// What lies in suspense.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Suspense)]
pub(super) struct SuspenseOut {
    /// Always `suspense`.
    #[schema(example = "suspense")]
    object: &'static str,
    /// The credits, the oldest first; at most 500.
    credits: Vec<CreditOut>,
}

/// A credit in suspense.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SuspenseCredit)]
struct CreditOut {
    /// Its id: a deposit's with the number of the credit, a line's, or that of the withdrawal that
    /// was to send it back.
    #[schema(value_type = String, example = "dep_01935c3a5e7c7d3e8f00a1b2c3d4e5f6.1")]
    id: Item,
    /// How much.
    amount: Amount,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// For how many seconds.
    age_seconds: i64,
    /// Why it is on no wallet: as the deposit has it, `unexplained`, or `sending_back_failed`.
    #[schema(example = "wallet_unknown")]
    reason: String,
    /// Whether people decided that it goes back.
    to_return: bool,
    /// The bank.
    #[schema(value_type = Option<String>, example = "hdfc")]
    bank: Option<BankCode>,
    /// The bank's number for it.
    #[schema(value_type = Option<String>)]
    bank_transaction_id: Option<Reference>,
    /// The bank's day.
    #[schema(value_type = Option<String>, format = Date)]
    value_date: Option<NaiveDate>,
    /// The reference between banks.
    #[schema(value_type = Option<String>)]
    utr: Option<Reference>,
    /// What the payer wrote as reference.
    #[schema(value_type = Option<String>)]
    reference: Option<Reference>,
    /// The bank's words; may name people.
    narration: Option<String>,
    /// Whose it may be, the surest first; at most 5. A guess, and nothing follows from it.
    suggestions: Vec<SuggestionOut>,
}

/// Whose a credit may be.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SuspenseSuggestion)]
struct SuggestionOut {
    /// The wallet.
    #[schema(value_type = String, example = "wallet:asha:INR")]
    account: AccountId,
    /// The deposit by which it was found.
    #[schema(value_type = Option<String>)]
    deposit: Option<DepositId>,
    /// What speaks for it: `token`, `virtual_account`, `amount_and_name` or `amount`.
    #[schema(example = "token")]
    why: &'static str,
    /// How sure it is, of 100.
    score: u8,
}

impl From<Suggestion> for SuggestionOut {
    fn from(found: Suggestion) -> Self {
        let Suggestion { account, deposit, why } = found;
        Self { account, deposit, why: why.as_str(), score: why.score() }
    }
}

fn credit_out(found: OpenCredit, suggestions: Vec<Suggestion>, now: Timestamp) -> CreditOut {
    let said = found.said;
    CreditOut {
        id: found.item,
        amount: Amount::new(found.amount, found.currency),
        since: found.since,
        age_seconds: now.signed_duration_since(found.since).num_seconds(),
        reason: found.reason,
        to_return: found.to_return,
        value_date: said.as_ref().map(|said| said.value_date),
        bank: said.as_ref().map(|said| said.bank.clone()),
        bank_transaction_id: said.as_ref().map(|said| said.bank_transaction_id.clone()),
        utr: said.as_ref().and_then(|said| said.utr.clone()),
        reference: said.as_ref().and_then(|said| said.reference.clone()),
        narration: said.and_then(|said| said.narration),
        suggestions: suggestions.into_iter().map(SuggestionOut::from).collect(),
    }
}

/// List what lies in suspense
///
/// Credits that are on no wallet, with their age, what the bank says of them, and whose they may
/// be.
#[utoipa::path(
    get,
    path = "/v1/ops/suspense",
    tag = "Reconciliation",
    responses((status = 200, description = "The credits.", body = SuspenseOut)),
)]
pub(super) async fn list(
    reader: Reader,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Reply<SuspenseOut>, Problem> {
    reader.admit(&[Scope::OpsRead], None).await?;
    let (pool, now) = (&reader.state.reads, reader.state.clock.now());
    let found = suspense::open_credits(pool, None).await?;
    let mut suggested = suspense::suggest(pool, &found, now).await?;
    let credits = found.into_iter().map(|credit| {
        let suggestions = suggested.remove(&credit.item).unwrap_or_default();
        credit_out(credit, suggestions, now)
    });
    Ok(Reply::ok(SuspenseOut { object: "suspense", credits: credits.collect() }))
}

/// A credit that went to a wallet.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SuspenseAssignment)]
pub(super) struct AssignedOut {
    /// Always `suspense_assignment`.
    #[schema(example = "suspense_assignment")]
    object: &'static str,
    /// The credit.
    #[schema(value_type = String, example = "dep_01935c3a5e7c7d3e8f00a1b2c3d4e5f6.1")]
    id: Item,
    /// The wallet that has it now.
    #[schema(value_type = String, example = "wallet:asha:INR")]
    account: AccountId,
    /// The position that the answer reflects.
    position: u64,
}

/// Assign what lies in suspense to a wallet
///
/// All of a credit, once. Up to ₹10,000 (`BAHI_REVIEW_SUSPENSE_ABOVE`) a key with `ops:approve`
/// decides alone. More, other currencies, and what a key with `ops:write` only asks for take a
/// second person with `ops:approve`: `Approver-Authorization`, and `evidence_sha256`.
#[utoipa::path(
    post,
    path = "/v1/ops/suspense/{id}/assign",
    tag = "Reconciliation",
    params(("id" = String, Path, description = "The credit")),
    request_body(content = AssignIn, example = json!({
        "account": "wallet:asha:INR", "reason": "case-2026-117"})),
    responses((status = 200, description = "It is on the wallet.", body = AssignedOut)),
)]
pub(super) async fn assign(
    writer: Writer,
    Id(item): Id<Item>,
    key: Key,
    approver: Approver,
    payload: Payload,
) -> Result<Reply<AssignedOut>, Problem> {
    desk::admit(&writer.caller)?;
    let body: AssignIn = payload.parse()?;
    let done = desk::assign(&writer, &approver, &item, key, &body).await?;
    let (position, account) = (done.position, body.account);
    let out = AssignedOut { object: "suspense_assignment", id: item, account, position };
    Ok(Reply::ok(out).at(position).replayed(done.replayed))
}
