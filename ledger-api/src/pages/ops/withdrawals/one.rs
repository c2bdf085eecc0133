//! One withdrawal: where it is, what was sent and asked, all that happened to it, and what can be
//! decided now. There is no way to send it again from here: while its outcome is unknown nobody
//! has one.

use axum::response::Response;
use ledger_core::{
    ids::WithdrawalId,
    withdrawal::{AttemptState, Withdrawal, WithdrawalStatus},
};
use projections::WithdrawalFact;

use super::{PATH, chip, exchanges, payee, resolve, why_reviewed};
use crate::{
    desk::{known, reviews},
    http::{Problem, path::Id},
    pages::{
        FormErrors,
        ops::{ActForm, Board, OnlyNonce, OpsSent, OpsVisitor, Part, after},
        respond,
        ui::{Cell, Column, CopyId, Pair, Step, StepState},
    },
    routes::withdrawals::status_detail,
    workers::withdrawals::notes::Notes,
};

pub(super) async fn page(
    visitor: OpsVisitor,
    Id(id): Id<WithdrawalId>,
) -> Result<Response, Problem> {
    Ok(respond::page(&board(&visitor, id, &FormErrors::none()).await?))
}

pub(super) async fn board(
    visitor: &OpsVisitor,
    id: WithdrawalId,
    errors: &FormErrors,
) -> Result<Board, Problem> {
    let history = known(&visitor.state, id).await?;
    let withdrawal = &history.withdrawal;
    let known = withdrawal.properties().zip(withdrawal.status());
    let Some((requested, status)) = known else {
        return Err(Problem::internal(&"a withdrawal that was never requested"));
    };
    let currency = requested.account.currency().map_err(|error| Problem::internal(&error))?;
    let notes = Notes::new(visitor.state.reads.clone());
    let block = notes.block_of(id).await?;
    let mut pairs = vec![
        Pair::new("Id", CopyId::new(id.to_string())),
        Pair::new("Status", chip(status)),
        Pair::new("Amount", visitor.money(requested.amount, currency)?),
        Pair::new("Fee", visitor.money(requested.fee, currency)?),
        Pair::new("Account", requested.account.to_string()),
        Pair::new("Goes to", payee(&visitor.state, requested.bank_account).await?),
        Pair::new("Bank account", requested.bank_account.to_string()),
        Pair::new("Bank and rail", format!("{}, {}", requested.bank, requested.rail)),
    ];
    if let Some(why) = why_reviewed(&history) {
        pairs.push(Pair::new("Why it was looked at", why));
    }
    if let Some(detail) = status_detail(&visitor.state, id, &history).await? {
        pairs.push(Pair::new("Why it is there", detail.description));
        pairs.push(Pair::new("Who has to act", detail.source));
        if let Some(due) = detail.answer_due_by {
            pairs.push(Pair::new("Outcome due by", visitor.when(due)));
        }
        if let Some((used, allowed)) = detail.checks_used.zip(detail.checks_allowed) {
            pairs.push(Pair::new("Questions asked", format!("{used} of {allowed}")));
        }
    }
    if let Some(block) = &block {
        pairs.push(Pair::new("Passed over", block.clone()));
    }
    let mut board = Board::new(visitor, "Withdrawal", "withdrawals")
        .back(PATH, "All withdrawals")
        .errors(errors)
        .part(Part::new("Where it is").pairs(pairs));
    if let Some(part) = decisions(id, status, block.is_some()) {
        board = board.part(part);
    }
    if let Some(part) = resolve::part(visitor, id, &history).await? {
        board = board.part(part);
    }
    board = board.part(attempts(withdrawal)).part(questions(visitor, &notes, id).await?);
    for part in exchanges::parts(visitor, id).await? {
        board = board.part(part);
    }
    Ok(board.part(Part::new("What happened").steps(steps(visitor, &history.facts, status))))
}

fn decisions(id: WithdrawalId, status: WithdrawalStatus, is_blocked: bool) -> Option<Part> {
    let part = Part::new("Decide");
    if status == WithdrawalStatus::PendingReview {
        let of = |decision: &str, words: &str| {
            ActForm::new("/ops/withdrawals/check", words)
                .hidden("id", id.to_string())
                .hidden("decision", decision)
        };
        return Some(part.form(of("approve", "Approve")).form(of("reject", "Reject").quiet()));
    }
    is_blocked.then(|| {
        let text = "The queue passes it over until somebody has looked. Mend what stopped it \
                    first; else it is stopped again.";
        let form = ActForm::new(format!("{PATH}/{id}/unblock"), "Let the queue look again");
        part.text(text).form(form)
    })
}

fn attempts(withdrawal: &Withdrawal) -> Part {
    let columns = [
        Column::numbers("Attempt"),
        Column::words("Our reference"),
        Column::words("Bank"),
        Column::words("Rail"),
        Column::words("Outcome"),
        Column::words("Bank’s reference"),
    ];
    let rows = withdrawal.attempts().iter().zip(1_u32..).map(|(attempt, number)| {
        let (outcome, reference) = match &attempt.state {
            AttemptState::Open => ("not known", String::new()),
            AttemptState::Paid { bank_reference } => ("paid", bank_reference.to_string()),
            AttemptState::Refused { retryable: true } => {
                ("refused, may be tried again", String::new())
            }
            AttemptState::Refused { retryable: false } => ("refused for good", String::new()),
        };
        vec![
            number.to_string().into(),
            attempt.reference.to_string().into(),
            attempt.bank.to_string().into(),
            attempt.rail.to_string().into(),
            outcome.into(),
            reference.into(),
        ]
    });
    Part::new("Attempts").table(&columns, rows.collect(), "It was not sent yet.")
}

async fn questions(visitor: &OpsVisitor, notes: &Notes, id: WithdrawalId) -> Result<Part, Problem> {
    let columns = [
        Column::numbers("Attempt"),
        Column::words("Asked"),
        Column::words("When"),
        Column::words("The bank’s answer"),
    ];
    let found = notes.questions(id).await?;
    let rows = found.into_iter().map(|one| {
        let what = match one.number {
            0 => "sent".to_owned(),
            number => format!("question {number}"),
        };
        vec![
            one.attempt.to_string().into(),
            what.into(),
            Cell::When(visitor.when(one.asked_at).exact()),
            one.answer.unwrap_or_else(|| "none".to_owned()).into(),
        ]
    });
    let nothing = "Nothing was asked of the bank about it.";
    Ok(Part::new("Requests and answers").table(&columns, rows.collect(), nothing))
}

fn steps(visitor: &OpsVisitor, facts: &[WithdrawalFact], status: WithdrawalStatus) -> Vec<Step> {
    let last = facts.len().saturating_sub(1);
    let steps = facts.iter().enumerate().map(|(index, fact)| {
        let is_unknown =
            matches!(status, WithdrawalStatus::OutcomeUnknown | WithdrawalStatus::NeedsAttention);
        let state = match index == last {
            true if is_unknown => StepState::Unknown,
            true if !status.is_final() => StepState::Now,
            _ => StepState::Done,
        };
        let mut said = vec![format!("#{}", fact.position)];
        said.extend(fact.actor.as_deref().map(|by| format!("by {}", visitor.called(by))));
        let approver = fact.approver.as_deref().map(|by| visitor.called(by));
        said.extend(approver.map(|by| format!("approved by {by}")));
        said.extend(fact.event.reason().map(ToString::to_string));
        said.extend(fact.evidence_sha256.as_ref().map(|hash| format!("evidence {hash}")));
        let what = fact.event.name().replace('_', " ");
        Step::new(state, what).at(visitor.when(fact.recorded_at)).facts(said.join(" · "))
    });
    steps.collect()
}

/// Has the queue look at it again.
pub(super) async fn unblock(
    Id(id): Id<WithdrawalId>,
    OpsSent { visitor, form: OnlyNonce { .. } }: OpsSent<OnlyNonce>,
) -> Result<Response, Problem> {
    let done = reviews::unblock(&visitor.writer()?, id).await.map(drop);
    after(done, &format!("{PATH}/{id}"), async |e| board(&visitor, id, &e).await).await
}
