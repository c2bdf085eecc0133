//! Reading a withdrawal, with all that happened to it.

use ledger_core::{
    ids::{Reference, WithdrawalId},
    log::Position,
    money::CurrencyCode,
    withdrawal::{AttemptState, Told, Withdrawal, WithdrawalEvent},
};
use projections::{WithdrawalFact, WithdrawalHistory};
use rust_decimal::Decimal;

use super::{
    body::{StepOut, WithdrawalOut},
    detail::{StatusDetail, details},
};
use crate::{
    http::{
        ApiState, Problem, path::Id, query::Params, reader::Reader, reply::Reply, wire::Amount,
    },
    identity::Scope,
    routes::accounts::MinPosition,
    workers::withdrawals::waits::Place,
};

pub(super) const SCOPES: &[Scope] = &[Scope::LedgerRead, Scope::WithdrawalsWrite];

/// Get a withdrawal
///
/// With its timeline. A status that is `final` can still change if a bank sends the money back, or
/// pays after it said no.
#[utoipa::path(
    get,
    path = "/v1/withdrawals/{id}",
    tag = "Withdrawals",
    params(("id" = String, Path, description = "The withdrawal"), MinPosition),
    responses((status = 200, description = "The withdrawal.", body = WithdrawalOut)),
)]
pub(super) async fn get(
    reader: Reader,
    Id(id): Id<WithdrawalId>,
    Params(query): Params<MinPosition>,
) -> Result<Reply<WithdrawalOut>, Problem> {
    let (reach, models) = reader.admit_shop(SCOPES, query.min_position).await?;
    let (position, history) = reader.find(|| models.withdrawal(id)).await?;
    reach.maybe_account(history.withdrawal.properties().map(|requested| &requested.account))?;
    let status_detail = detail(&reader.state, id, &history).await?;
    let out = withdrawal_out(id, history, position)?;
    Ok(Reply::ok(WithdrawalOut { status_detail, ..out }).at(position))
}

/// Why it is where it is, and where in its bank's queue.
pub(crate) async fn detail(
    state: &ApiState,
    id: WithdrawalId,
    history: &WithdrawalHistory,
) -> Result<Option<StatusDetail>, Problem> {
    let withdrawal = &history.withdrawal;
    let known = withdrawal.properties().zip(withdrawal.status()).zip(history.facts.last());
    let Some(((requested, status), last)) = known else { return Ok(None) };
    let attempt = withdrawal.attempts().last();
    let begun = |fact: &&WithdrawalFact| matches!(fact.event, WithdrawalEvent::AttemptBegun(_));
    let place = Place {
        id,
        status,
        bank: attempt.map_or(&requested.bank, |attempt| &attempt.bank),
        rail: attempt.map_or(&requested.rail, |attempt| &attempt.rail),
        attempts: u32::try_from(withdrawal.attempts().len()).unwrap_or(u32::MAX),
        begun_at: history.facts.iter().rev().find(begun).map(|fact| fact.recorded_at),
        changed_at: last.recorded_at,
        is_unapplied: !withdrawal.unapplied().is_zero(),
        reason: last.event.reason().map(Reference::as_str),
    };
    let Some(told) = details(state, &[place]).await?.remove(&id) else { return Ok(None) };
    let place = state.read_models.queue_place(id).await?;
    Ok(Some(StatusDetail {
        queue_position: place.map(|place| place.place),
        queue_length: place.map(|place| place.of),
        ..told
    }))
}

/// A withdrawal as it is shown, without why it is where it is.
pub(crate) fn withdrawal_out(
    id: WithdrawalId,
    history: WithdrawalHistory,
    position: Position,
) -> Result<WithdrawalOut, Problem> {
    let WithdrawalHistory { withdrawal, facts, note } = history;
    let known =
        withdrawal.properties().zip(withdrawal.receipt(id)).zip(facts.first().zip(facts.last()));
    let Some(((requested, receipt), (first, last))) = known else {
        return Err(Problem::internal(&"a withdrawal that was never requested"));
    };
    let currency = requested.account.currency().map_err(|error| Problem::internal(&error))?;
    let amount = |mut value: Decimal| {
        value.rescale(requested.amount.scale());
        Some(Amount::new(value, currency))
    };
    let created_at = first.recorded_at;
    let mut out = WithdrawalOut::of(&receipt, last.recorded_at, position)?;
    // A part of it stayed with the payee.
    let returned = withdrawal.returned();
    let in_part = !returned.is_zero() && returned < requested.amount;
    if in_part || (out.is_final && returned < withdrawal.in_parts()) {
        "moved".clone_into(&mut out.funds);
    }
    Ok(WithdrawalOut {
        version: Some(u64::try_from(facts.len()).unwrap_or(u64::MAX)),
        created_at: Some(created_at),
        utr: utr(&withdrawal),
        paid_in_parts: amount(withdrawal.in_parts()),
        late: Some(withdrawal.is_late()),
        returned: amount(withdrawal.returned()),
        unapplied: amount(withdrawal.unapplied()),
        owed: amount(withdrawal.owed()),
        note,
        timeline: Some(timeline(facts, currency)),
        ..out
    })
}

/// The bank's reference of the payment; of the last one, if a bank paid twice.
fn utr(withdrawal: &Withdrawal) -> Option<ledger_core::ids::Reference> {
    withdrawal.attempts().iter().rev().find_map(|attempt| match &attempt.state {
        AttemptState::Paid { bank_reference } => Some(bank_reference.clone()),
        AttemptState::Open | AttemptState::Refused { .. } => None,
    })
}

fn timeline(facts: Vec<WithdrawalFact>, currency: CurrencyCode) -> Vec<StepOut> {
    let mut withdrawal = Withdrawal::default();
    let mut steps = Vec::with_capacity(facts.len());
    for fact in facts {
        withdrawal = withdrawal.after(fact.event.clone());
        let status = withdrawal.status();
        steps.push(StepOut {
            event: fact.event.name().to_owned(),
            status,
            at: fact.recorded_at,
            by: fact.actor,
            approved_by: fact.approver,
            evidence_sha256: fact.evidence_sha256,
            ..of(fact.event, currency)
        });
    }
    steps
}

/// What an event says beyond its name.
fn of(event: WithdrawalEvent, currency: CurrencyCode) -> StepOut {
    let nothing = StepOut::default();
    let still_open = |told: Told| StepOut {
        attempt: Some(told.attempt),
        source: Some(told.source),
        reason: told.code,
        ..StepOut::default()
    };
    let in_part = |amount, reason| StepOut {
        amount: Some(Amount::new(amount, currency)),
        reason,
        ..StepOut::default()
    };
    match event {
        WithdrawalEvent::ReviewRequired(review) => {
            StepOut { reason: Some(review.reason), ..nothing }
        }
        WithdrawalEvent::Rejected(back)
        | WithdrawalEvent::Cancelled(back)
        | WithdrawalEvent::Failed(back) => StepOut { reason: back.reason, ..nothing },
        WithdrawalEvent::AttemptBegun(begun) => {
            StepOut { attempt: Some(begun.attempt), reference: Some(begun.reference), ..nothing }
        }
        WithdrawalEvent::AttemptRefused(refused) => StepOut {
            attempt: Some(refused.attempt),
            source: Some(refused.source),
            reason: refused.code,
            ..nothing
        },
        WithdrawalEvent::OutcomeUnknown(told) | WithdrawalEvent::AttentionNeeded(told) => {
            still_open(told)
        }
        WithdrawalEvent::PaidInPart(part) => StepOut {
            attempt: Some(part.attempt),
            bank_reference: Some(part.bank_reference),
            source: Some(part.source),
            amount: Some(Amount::new(part.amount, currency)),
            ..nothing
        },
        WithdrawalEvent::Completed(completed) => StepOut {
            attempt: Some(completed.attempt),
            bank_reference: Some(completed.bank_reference),
            source: Some(completed.source),
            ..nothing
        },
        WithdrawalEvent::CompletedLate(late) => StepOut {
            attempt: Some(late.attempt),
            bank_reference: Some(late.bank_reference),
            source: Some(late.source),
            ..nothing
        },
        WithdrawalEvent::Returned(returned) => StepOut {
            attempt: Some(returned.attempt),
            bank_reference: Some(returned.bank_reference),
            source: Some(returned.source),
            amount: Some(Amount::new(returned.amount, currency)),
            ..nothing
        },
        WithdrawalEvent::Applied(applied) => {
            StepOut { amount: Some(Amount::new(applied.amount, currency)), ..nothing }
        }
        WithdrawalEvent::Assigned(assigned) => in_part(assigned.amount, assigned.reason),
        WithdrawalEvent::SentAgain(again) => in_part(again.amount, again.reason),
        WithdrawalEvent::Requested(_)
        | WithdrawalEvent::Approved {}
        | WithdrawalEvent::Queued(_) => nothing,
    }
}
