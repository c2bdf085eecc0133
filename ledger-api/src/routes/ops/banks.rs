//! Banks as operators see them: how they are, what lies with them, what they can still send.

use chrono::{DateTime, Utc};
use ledger_core::{ids::BankCode, withdrawal::WithdrawalStatus};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    banks::Health,
    desk::banks::{self, BankState, Stopped},
    http::{
        Problem,
        auth::Require as _,
        json::Payload,
        path::Id,
        query::{NoParams, Params},
        reader::{Listed, Reader},
        reply::Reply,
        wire::Amount,
        writer::Writer,
    },
    identity::Scope,
    routes::accounts::body::Empty,
    workers::withdrawals::notes::Pause,
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
    /// Who paused it: nothing is sent through it.
    paused: Option<PauseOut>,
    /// Who drains it: it takes no new withdrawals, and sends what it has.
    draining: Option<PauseOut>,
    /// What has not ended, by status; those of which there are none are left out.
    open: Vec<BacklogOut>,
    /// What can still be sent; null if the bank was never reached, or it is not in the books.
    float: Option<FloatOut>,
}

/// A pause, or a drain.
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
    /// What approved sweeps to our own account take, and no statement shows yet.
    sweeps: Amount,
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
    reader.admit(&[Scope::OpsRead], None).await?;
    let now = reader.state.clock.now();
    let states = banks::states(&reader.state).await?;
    let data = states.into_iter().map(|state| told(state, now)).collect();
    Ok(Reply::ok(Listed { data, has_more: false, next_cursor: None }))
}

fn told(state: BankState, now: DateTime<Utc>) -> BankStateOut {
    let currency = state.currency;
    let amount = |amount| currency.map(|currency| Amount::new(amount, currency));
    let open = state.open.into_iter().map(|backlog| BacklogOut {
        status: backlog.status,
        count: backlog.count,
        amount: amount(backlog.amount),
        oldest: backlog.oldest,
        oldest_seconds: now.signed_duration_since(backlog.oldest).num_seconds(),
    });
    BankStateOut {
        open: open.collect(),
        bank: state.bank,
        object: "bank_state",
        health: match state.health {
            Health::Up => "up",
            Health::Degraded => "degraded",
            Health::Down => "down",
        },
        sending: state.sending,
        waits_for: state.waits_for,
        paused: state.paused.map(pause_out),
        draining: state.draining.map(pause_out),
        float: state.float.zip(currency).map(|(float, currency)| FloatOut {
            escrow: Amount::new(float.escrow, currency),
            clearing_out: Amount::new(float.clearing_out, currency),
            in_flight: Amount::new(float.in_flight, currency),
            sweeps: Amount::new(float.sweeps, currency),
            left: Amount::new(float.left, currency),
        }),
    }
}

fn pause_out(pause: Pause) -> PauseOut {
    PauseOut { reason: pause.reason, by: pause.paused_by, at: pause.paused_at }
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

/// A bank that was paused or drained, or goes on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BankPaused)]
pub(super) struct PausedOut {
    /// The bank.
    #[schema(value_type = String, example = "hdfc")]
    bank: BankCode,
    /// Always `bank_pause`.
    #[schema(example = "bank_pause")]
    object: &'static str,
    /// Who paused it; null: it sends.
    paused: Option<PauseOut>,
    /// Who drains it; null: it takes new withdrawals.
    draining: Option<PauseOut>,
}

impl PausedOut {
    fn of(bank: BankCode, stopped: Stopped) -> Self {
        let Stopped { paused, draining } = stopped;
        let (paused, draining) = (paused.map(pause_out), draining.map(pause_out));
        Self { bank, object: "bank_pause", paused, draining }
    }
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
    let stopped = banks::pause(&writer, &bank, &body.reason).await?;
    Ok(Reply::ok(PausedOut::of(bank, stopped)))
}

/// Drain a bank
///
/// It takes no new withdrawals until it is resumed: who names it is refused with 409
/// `bank_draining`, and who names none gets another bank. What waits for it is sent. Draining it
/// again changes nothing, not even the reason; a pause becomes a drain. No key is needed.
#[utoipa::path(
    post,
    path = "/v1/ops/banks/{bank}/drain",
    tag = "Operators",
    params(("bank" = String, Path, description = "The bank", example = "hdfc")),
    request_body(content = PauseIn, example = json!({"reason": "We leave this bank"})),
    responses((status = 200, description = "It takes nothing new.", body = PausedOut)),
)]
pub(super) async fn drain(
    writer: Writer,
    Id(bank): Id<BankCode>,
    payload: Payload,
) -> Result<Reply<PausedOut>, Problem> {
    writer.caller.require(&[Scope::OpsWrite])?;
    let body: PauseIn = payload.parse()?;
    let stopped = banks::drain(&writer, &bank, &body.reason).await?;
    Ok(Reply::ok(PausedOut::of(bank, stopped)))
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
    let stopped = banks::resume(&writer, &bank).await?;
    Ok(Reply::ok(PausedOut::of(bank, stopped)))
}
