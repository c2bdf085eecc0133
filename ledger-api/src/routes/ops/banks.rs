//! Banks as operators see them: how they are, what lies with them, what they can still send.

use chrono::{DateTime, Utc};
use futures::future::{join, join_all};
use ledger_core::{
    ids::{AccountId, BankCode},
    money::CurrencyCode,
    withdrawal::WithdrawalStatus,
};
use projections::Backlog;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    banks::{Bank, Health},
    desk::REASON_CHARS_MAX,
    http::{
        ApiState, Problem,
        auth::Require as _,
        codes,
        json::Payload,
        path::Id,
        query::{NoParams, Params},
        reader::{Listed, Reader},
        reply::Reply,
        wire::{Amount, check_words},
        writer::Writer,
    },
    identity::Scope,
    routes::accounts::body::Empty,
    workers::withdrawals::notes::{Notes, Pause},
};

/// A bank.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BankState)]
pub(super) struct BankStateOut {
    /// Its name in accounts' codes.
    #[schema(value_type = String, example = "hdfc")]
    bank: BankCode,
    /// Always `bank_state`.
    #[schema(example = "bank_state")]
    object: &'static str,
    /// `up`, `degraded` or `down`, now.
    #[schema(example = "up")]
    health: &'static str,
    /// Whether a worker sends through it now.
    sending: bool,
    /// Why nothing is sent, if something stands in the way: `paused`, `bank_unreachable` or
    /// `low_float`.
    waits_for: Option<String>,
    /// Who paused it.
    paused: Option<PauseOut>,
    /// What has not ended, by status; those of which there are none are left out.
    open: Vec<BacklogOut>,
    /// What can still be sent; null if the bank was never reached, or it is not in the books.
    float: Option<FloatOut>,
}

/// A pause.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BankPause)]
pub(super) struct PauseOut {
    /// Why.
    reason: String,
    /// Who.
    by: String,
    /// When.
    at: DateTime<Utc>,
}

/// What lies with a bank in one status.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BankBacklog)]
pub(super) struct BacklogOut {
    /// The status.
    #[schema(value_type = String, example = "queued")]
    status: WithdrawalStatus,
    /// How many.
    count: u64,
    /// How much; null if the bank was never reached.
    amount: Option<Amount>,
    /// When the oldest of them was requested.
    oldest: DateTime<Utc>,
    /// How many seconds ago that was.
    oldest_seconds: i64,
}

/// What can still be sent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BankFloat)]
pub(super) struct FloatOut {
    /// What our account there holds by its statements.
    escrow: Amount,
    /// What it paid that no statement shows yet.
    clearing_out: Amount,
    /// What was sent and has no outcome.
    in_flight: Amount,
    /// What is left.
    left: Amount,
}

/// List the banks' states
///
/// How each is, what lies with it, and what can still be sent. A bank that is down is one more
/// line.
#[utoipa::path(
    get,
    path = "/v1/ops/banks",
    tag = "Operators",
    responses((status = 200, description = "All of them.", body = Listed<BankStateOut>)),
)]
pub(super) async fn list(
    reader: Reader,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Reply<Listed<BankStateOut>>, Problem> {
    let models = reader.admit(&[Scope::OpsRead], None).await?;
    let backlogs = models.backlogs().await?;
    let banks = reader.state.banks.iter();
    let told = banks.map(|bank| told(&reader.state, bank.as_ref(), &backlogs));
    let data = join_all(told).await.into_iter().collect::<Result<_, _>>()?;
    Ok(Reply::ok(Listed { data, has_more: false, next_cursor: None }))
}

async fn told(
    state: &ApiState,
    bank: &dyn Bank,
    backlogs: &[Backlog],
) -> Result<BankStateOut, Problem> {
    let (health, contract) = join(bank.health(), bank.contract()).await;
    let currency = contract.ok().map(|contract| contract.currency);
    let (code, notes) = (bank.code(), Notes::new(state.reads.clone()));
    let (waits_for, sending) = notes.lane(code).await?;
    let now = state.clock.now();
    let open = backlogs.iter().filter(|backlog| backlog.bank == *code);
    let open = open.map(|backlog| BacklogOut {
        status: backlog.status,
        count: backlog.count,
        amount: currency.map(|currency| Amount::new(backlog.amount, currency)),
        oldest: backlog.oldest,
        oldest_seconds: now.signed_duration_since(backlog.oldest).num_seconds(),
    });
    Ok(BankStateOut {
        bank: code.clone(),
        object: "bank_state",
        health: match health {
            Health::Up => "up",
            Health::Degraded => "degraded",
            Health::Down => "down",
        },
        sending,
        waits_for,
        paused: notes.pause_of(code).await?.map(pause_out),
        open: open.collect(),
        float: match currency {
            Some(currency) => float(state, code, currency).await?,
            None => None,
        },
    })
}

fn pause_out(pause: Pause) -> PauseOut {
    PauseOut { reason: pause.reason, by: pause.paused_by, at: pause.paused_at }
}

async fn float(
    state: &ApiState,
    bank: &BankCode,
    code: CurrencyCode,
) -> Result<Option<FloatOut>, Problem> {
    let account = |kind: &str| format!("bank:{bank}:{kind}:{code}").parse::<AccountId>().ok();
    let accounts = account("escrow").zip(account("clearing_out"));
    let currency = state.ledger.status().borrow().book.currency(code);
    let Some(((escrow, clearing_out), currency)) = accounts.zip(currency) else {
        return Ok(None);
    };
    let float = state.read_models.float(&escrow, &clearing_out, bank).await?.value;
    let left = float.left().ok_or_else(|| Problem::internal(&"a float that does not fit"))?;
    let amount = |mut value: rust_decimal::Decimal| {
        value.rescale(u32::from(currency.scale));
        Amount::new(value, code)
    };
    Ok(Some(FloatOut {
        escrow: amount(float.escrow),
        clearing_out: amount(float.clearing_out),
        in_flight: amount(float.in_flight),
        left: amount(left),
    }))
}

/// Why a bank is paused.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BankPauseInput)]
pub(super) struct PauseIn {
    /// Why; at most 200 characters.
    #[schema(max_length = 200)]
    reason: String,
}

/// A bank that was paused or goes on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BankPaused)]
pub(super) struct PausedOut {
    /// The bank.
    #[schema(value_type = String, example = "hdfc")]
    bank: BankCode,
    /// Always `bank_pause`.
    #[schema(example = "bank_pause")]
    object: &'static str,
    /// Who paused it; null: it goes on.
    paused: Option<PauseOut>,
}

/// Pause a bank
///
/// Nothing more is sent through it until it is resumed; what was sent is asked for as ever, and
/// what is requested waits. Pausing it again changes nothing, not even the reason; no key is
/// needed.
#[utoipa::path(
    post,
    path = "/v1/ops/banks/{bank}/pause",
    tag = "Operators",
    params(("bank" = String, Path, description = "The bank", example = "hdfc")),
    request_body(content = PauseIn, example = json!({"reason": "The bank asked us to wait"})),
    responses((status = 200, description = "It is paused.", body = PausedOut)),
)]
pub(super) async fn pause(
    writer: Writer,
    Id(bank): Id<BankCode>,
    payload: Payload,
) -> Result<Reply<PausedOut>, Problem> {
    writer.caller.require(&[Scope::OpsWrite])?;
    let body: PauseIn = payload.parse()?;
    if body.reason.trim().is_empty() {
        return Err(Problem::field(codes::INVALID, "/reason", "Say why."));
    }
    check_words(&body.reason, REASON_CHARS_MAX, "/reason")?;
    let notes = notes_of(&writer, &bank)?;
    let by = (writer.caller.principal.as_str(), writer.state.clock.now());
    notes.pause(&bank, &body.reason, by).await?;
    tracing::warn!(%bank, principal = %writer.caller.principal, "paused");
    paused(&notes, bank).await
}

/// Let a bank go on
///
/// The same done twice changes nothing more; no key is needed.
#[utoipa::path(
    post,
    path = "/v1/ops/banks/{bank}/resume",
    tag = "Operators",
    params(("bank" = String, Path, description = "The bank", example = "hdfc")),
    request_body(content = Empty, example = json!({})),
    responses((status = 200, description = "It goes on.", body = PausedOut)),
)]
pub(super) async fn resume(
    writer: Writer,
    Id(bank): Id<BankCode>,
    payload: Payload,
) -> Result<Reply<PausedOut>, Problem> {
    writer.caller.require(&[Scope::OpsWrite])?;
    let Empty {} = payload.parse_or_empty()?;
    let notes = notes_of(&writer, &bank)?;
    notes.resume(&bank).await?;
    tracing::info!(%bank, principal = %writer.caller.principal, "resumed");
    paused(&notes, bank).await
}

fn notes_of(writer: &Writer, bank: &BankCode) -> Result<Notes, Problem> {
    if writer.state.banks.get(bank).is_none() {
        return Err(Problem::not_found("There is no such bank."));
    }
    Ok(Notes::new(writer.state.reads.clone()))
}

async fn paused(notes: &Notes, bank: BankCode) -> Result<Reply<PausedOut>, Problem> {
    let paused = notes.pause_of(&bank).await?.map(pause_out);
    Ok(Reply::ok(PausedOut { bank, object: "bank_pause", paused }))
}
