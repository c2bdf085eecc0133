//! Banks as operators see them: how they are, what lies with them, what they can still send.

use futures::future::{join, join_all};
use ledger_core::{
    ids::{AccountId, BankCode},
    money::CurrencyCode,
};
use projections::{At, Backlog};
use rust_decimal::Decimal;

use super::{acts::Act, check_reason};
use crate::{
    banks::{Bank, Health},
    http::{ApiState, Problem, writer::Writer},
    treasury::Moves,
    workers::withdrawals::notes::{Notes, Pause},
};

/// A bank, now.
#[derive(Debug)]
pub(crate) struct BankState {
    /// Its name in accounts' codes.
    pub(crate) bank: BankCode,
    /// How it answers.
    pub(crate) health: Health,
    /// Whether a worker sends through it.
    pub(crate) sending: bool,
    /// Why nothing is sent, if something stands in the way.
    pub(crate) waits_for: Option<String>,
    /// Who paused it.
    pub(crate) paused: Option<Pause>,
    /// Who drains it.
    pub(crate) draining: Option<Pause>,
    /// What has not ended, by status.
    pub(crate) open: Vec<Backlog>,
    /// Its currency; nothing if it was never reached.
    pub(crate) currency: Option<CurrencyCode>,
    /// What it can still send; nothing if it is not in the books.
    pub(crate) float: Option<FloatState>,
}

/// What a bank can still send, at the currency's scale.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FloatState {
    /// What our account there holds by its statements.
    pub(crate) escrow: Decimal,
    /// What it paid that no statement shows yet.
    pub(crate) clearing_out: Decimal,
    /// What was sent and has no outcome.
    pub(crate) in_flight: Decimal,
    /// What approved sweeps take, and no statement shows yet.
    pub(crate) sweeps: Decimal,
    /// What is left.
    pub(crate) left: Decimal,
}

/// All banks; one that is down is one more of them.
pub(crate) async fn states(state: &ApiState) -> Result<Vec<BankState>, Problem> {
    let backlogs = state.read_models.backlogs().await?;
    let told = state.banks.iter().map(|bank| told(state, bank.as_ref(), &backlogs));
    join_all(told).await.into_iter().collect()
}

async fn told(
    state: &ApiState,
    bank: &dyn Bank,
    backlogs: &[Backlog],
) -> Result<BankState, Problem> {
    let (health, contract) = join(bank.health(), bank.contract()).await;
    let currency = contract.ok().map(|contract| contract.currency);
    let (code, notes) = (bank.code(), Notes::new(state.reads.clone()));
    let (waits_for, sending) = notes.lane(code).await?;
    let Stopped { paused, draining } = Stopped::of(notes.pause_of(code).await?);
    Ok(BankState {
        bank: code.clone(),
        health,
        sending,
        waits_for,
        paused,
        draining,
        open: backlogs.iter().filter(|backlog| backlog.bank == *code).cloned().collect(),
        currency,
        float: match currency {
            Some(currency) => float(state, code, currency).await?,
            None => None,
        },
    })
}

async fn float(
    state: &ApiState,
    bank: &BankCode,
    code: CurrencyCode,
) -> Result<Option<FloatState>, Problem> {
    let account = |kind: &str| format!("bank:{bank}:{kind}:{code}").parse::<AccountId>().ok();
    let accounts = account("escrow").zip(account("clearing_out"));
    let currency = state.ledger.status().borrow().book.currency(code);
    let Some(((escrow, clearing_out), currency)) = accounts.zip(currency) else {
        return Ok(None);
    };
    let At { position, value: float } =
        state.read_models.float(&escrow, &clearing_out, bank).await?;
    let moves = Moves::new(state.reads.clone());
    let sweeps = moves.sweeps(bank, code, position).await?;
    let left = float.left().and_then(|left| left.checked_sub(sweeps));
    let left = left.ok_or_else(|| Problem::internal(&"a float that does not fit"))?;
    let scaled = |mut value: Decimal| {
        value.rescale(u32::from(currency.scale));
        value
    };
    Ok(Some(FloatState {
        escrow: scaled(float.escrow),
        clearing_out: scaled(float.clearing_out),
        in_flight: scaled(float.in_flight),
        sweeps: scaled(sweeps),
        left: scaled(left),
    }))
}

/// Who stopped a bank, and how; at most one of the two.
#[derive(Debug, Default)]
pub(crate) struct Stopped {
    /// Nothing is sent through it.
    pub(crate) paused: Option<Pause>,
    /// It takes nothing new.
    pub(crate) draining: Option<Pause>,
}

impl Stopped {
    fn of(pause: Option<Pause>) -> Self {
        match pause {
            Some(pause) if pause.drains => Self { paused: None, draining: Some(pause) },
            other => Self { paused: other, draining: None },
        }
    }
}

/// Sends nothing more through a bank until it is resumed; who paused it, which may have been
/// somebody before.
pub(crate) async fn pause(
    writer: &Writer,
    bank: &BankCode,
    reason: &str,
) -> Result<Stopped, Problem> {
    stop(writer, bank, reason, false).await
}

/// Takes no new withdrawals for a bank until it is resumed, and sends what waits for it.
pub(crate) async fn drain(
    writer: &Writer,
    bank: &BankCode,
    reason: &str,
) -> Result<Stopped, Problem> {
    stop(writer, bank, reason, true).await
}

async fn stop(
    writer: &Writer,
    bank: &BankCode,
    reason: &str,
    drains: bool,
) -> Result<Stopped, Problem> {
    check_reason(reason)?;
    let notes = notes_of(writer, bank)?;
    let pause = Pause {
        drains,
        reason: reason.to_owned(),
        paused_by: writer.caller.principal.to_string(),
        paused_at: writer.state.clock.now(),
    };
    notes.pause(bank, &pause).await?;
    writer.state.pauses.forget(bank);
    tracing::warn!(%bank, principal = %writer.caller.principal, drains, "paused");
    let what = if drains { "bank_drained" } else { "bank_paused" };
    Act::new(what, bank.as_str(), reason).keep(writer).await?;
    Ok(Stopped::of(notes.pause_of(bank).await?))
}

/// Lets a bank go on.
pub(crate) async fn resume(writer: &Writer, bank: &BankCode) -> Result<Stopped, Problem> {
    let notes = notes_of(writer, bank)?;
    notes.resume(bank).await?;
    writer.state.pauses.forget(bank);
    tracing::info!(%bank, principal = %writer.caller.principal, "resumed");
    Act::without_reason("bank_resumed", bank.as_str()).keep(writer).await?;
    Ok(Stopped::of(notes.pause_of(bank).await?))
}

fn notes_of(writer: &Writer, bank: &BankCode) -> Result<Notes, Problem> {
    if writer.state.banks.get(bank).is_none() {
        return Err(Problem::not_found("There is no such bank."));
    }
    Ok(Notes::new(writer.state.reads.clone()))
}
