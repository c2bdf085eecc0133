//! `/ops/approvals`: everything that waits for a second person, in one list, and what was decided.

use std::cmp::Reverse;

use axum::response::Response;
use projections::WithdrawalFilter;

use super::{
    ActForm, Board, Field, OnlyNonce, OpsSent, OpsVisitor, Part, Why, after,
    overview::{counted, proposals},
    proposed::Proposed,
};
use crate::{
    desk::{carrying_out, proposals::Proposal},
    http::{Problem, path::Id},
    pages::{
        FormErrors, respond,
        ui::{Cell, Column, Pair},
    },
    resolutions::{Resolution, Resolutions},
};
use ledger_core::{clock::Timestamp, ids::WithdrawalId, withdrawal::WithdrawalStatus};

const PATH: &str = "/ops/approvals";

pub(super) async fn page(visitor: OpsVisitor) -> Result<Response, Problem> {
    Ok(respond::page(&board(&visitor, &FormErrors::none()).await?))
}

/// How many things wait for a second person.
pub(super) async fn waiting(visitor: &OpsVisitor) -> Result<usize, Problem> {
    let open = proposals(visitor).list(true, visitor.now()).await?.len();
    Ok(open.saturating_add(said(visitor).await?.len()))
}

async fn said(visitor: &OpsVisitor) -> Result<Vec<Resolution>, Problem> {
    Ok(resolved(visitor).waiting(visitor.now()).await?)
}

fn resolved(visitor: &OpsVisitor) -> Resolutions {
    Resolutions::new(visitor.state.reads.clone())
}

async fn board(visitor: &OpsVisitor, errors: &FormErrors) -> Result<Board, Problem> {
    let lead = if visitor.may_approve() {
        "What somebody else proposed is for you to decide. Your own is for somebody else."
    } else {
        "You can propose and take back; who decides has the role approver."
    };
    let mut board = Board::new(visitor, "Approvals", "approvals").lead(lead).errors(errors);
    board = board.part(resolutions(visitor).await?);
    for proposal in proposals(visitor).list(true, visitor.now()).await? {
        board = board.part(part(visitor, &proposal));
    }
    let filter = WithdrawalFilter {
        status: Some(WithdrawalStatus::PendingReview),
        ..WithdrawalFilter::default()
    };
    let review = visitor.state.read_models.withdrawals(&filter, 100).await?.items.len();
    if review > 0 {
        let count = counted(u64::try_from(review).unwrap_or(u64::MAX), "withdrawal");
        let verb = if review == 1 { "waits" } else { "wait" };
        let text = format!("{count} {verb} for somebody to look.");
        let part = Part::new("Reviews").text(text);
        board = board.part(part.link("Review them", "/ops/withdrawals?tab=review"));
    }
    Ok(board.part(decided(visitor).await?))
}

async fn resolutions(visitor: &OpsVisitor) -> Result<Part, Problem> {
    let columns = [
        Column::words("Withdrawal"),
        Column::words("Said to be"),
        Column::words("How it is known"),
        Column::words("By"),
        Column::words("Until"),
    ];
    let rows = said(visitor).await?.into_iter().map(|one| {
        let id = WithdrawalId::from_uuid(one.withdrawal_id).to_string();
        let by = who(visitor, &one.proposed_by);
        vec![
            Cell::Link(id.clone(), format!("/ops/withdrawals/{id}#resolve")),
            one.outcome.replace('_', " ").into(),
            one.reason.into(),
            by,
            visitor.when(one.expires_at).into(),
        ]
    });
    let nothing = "What somebody says became of an unknown withdrawal waits here.";
    Ok(Part::new("Unknown withdrawals").table(&columns, rows.collect(), nothing))
}

/// Who proposed something, to whoever looks.
fn who(visitor: &OpsVisitor, by: &str) -> Cell {
    if visitor.is(by) { "you".into() } else { visitor.who_is(by) }
}

/// A proposal with what can be done about it.
pub(super) fn part(visitor: &OpsVisitor, proposal: &Proposal) -> Part {
    let is_own = visitor.is(&proposal.proposed_by);
    let title = proposal.kind().map_or("Something of a later release", |kind| kind.words());
    let by = who(visitor, &proposal.proposed_by);
    let mut proposed = Proposed::of(visitor, proposal);
    let mut pairs = vec![Pair::new("About", proposal.subject.clone())];
    pairs.append(&mut proposed.pairs);
    pairs.extend([
        Pair::new("Why", proposal.reason.clone()),
        Pair::new("Proposed by", by),
        Pair::new("Proposed", visitor.when(proposal.proposed_at)),
        Pair::new("Stands until", visitor.when(proposal.expires_at)),
    ]);
    if let Some(sha256) = &proposal.evidence_sha256 {
        pairs.push(Pair::new("Evidence", sha256.clone()));
    }
    // Several may wait: each has a name of its own.
    let part = Part::new(format!("{title}: {}", proposal.subject)).pairs(pairs);
    let part = proposed.table_on(part);
    let action = |what: &str| format!("{PATH}/{}/{what}", proposal.id);
    if is_own {
        let text = "Your own proposal is approved by somebody else.";
        let back = ActForm::new(action("reject"), "Take it back").quiet();
        return part.text(text).form(back);
    }
    if !visitor.may_approve() {
        return part;
    }
    part.form(ActForm::new(action("approve"), "Approve"))
        .form(ActForm::new(action("reject"), "Turn down").quiet().field(Field::reason()))
}

async fn decided(visitor: &OpsVisitor) -> Result<Part, Problem> {
    let columns = [
        Column::words("What"),
        Column::words("About"),
        Column::words("Proposed by"),
        Column::words("State"),
        Column::words("Decided by"),
        Column::words("When"),
        Column::words("What came of it"),
    ];
    let now = visitor.now();
    let mut rows: Vec<(Timestamp, Vec<Cell>)> = Vec::new();
    for one in proposals(visitor).list(false, now).await? {
        let at = one.decided_at.unwrap_or(one.expires_at);
        let row = vec![
            one.kind().map_or("", |kind| kind.words()).into(),
            one.subject.clone().into(),
            visitor.who_is(&one.proposed_by),
            one.state(now).to_owned().into(),
            visitor.who_was(one.decided_by.as_deref()),
            visitor.when(at).into(),
            one.answer.unwrap_or_default().into(),
        ];
        rows.push((at, row));
    }
    for one in resolved(visitor).decided(now).await? {
        let at = one.decided_at.unwrap_or(one.expires_at);
        let id = WithdrawalId::from_uuid(one.withdrawal_id).to_string();
        let row = vec![
            format!("An unknown withdrawal: {}", one.outcome.replace('_', " ")).into(),
            Cell::Link(id.clone(), format!("/ops/withdrawals/{id}")),
            visitor.who_is(&one.proposed_by),
            one.state(now).to_owned().into(),
            visitor.who_was(one.decided_by.as_deref()),
            visitor.when(at).into(),
            one.bank_reference.unwrap_or_default().into(),
        ];
        rows.push((at, row));
    }
    rows.sort_by_key(|(at, _)| Reverse(*at));
    let rows = rows.into_iter().map(|(_, row)| row);
    Ok(Part::new("Decided").table(&columns, rows.collect(), "Nothing was decided yet."))
}

/// Approves somebody else's proposal.
pub(super) async fn approve(
    Id(id): Id<i64>,
    OpsSent { visitor, form: OnlyNonce { .. } }: OpsSent<OnlyNonce>,
) -> Result<Response, Problem> {
    let done = agree(&visitor, id).await;
    after(done, PATH, async |errors| board(&visitor, &errors).await).await
}

async fn agree(visitor: &OpsVisitor, id: i64) -> Result<(), Problem> {
    let subject = format!("proposal {id}");
    visitor.check_approver(&subject).await?;
    match carrying_out::approve(&visitor.writer()?, id).await {
        Err(problem) if problem.code() == "second_person_needed" => {
            visitor.refused(&subject, problem.code()).await?;
            Err(problem)
        }
        other => other.map(drop),
    }
}

/// Turns it down, or takes one's own back.
pub(super) async fn turn_down(
    Id(id): Id<i64>,
    OpsSent { visitor, form: Why { reason, .. } }: OpsSent<Why>,
) -> Result<Response, Problem> {
    let done = refuse(&visitor, id, &reason).await;
    after(done, PATH, async |errors| board(&visitor, &errors).await).await
}

async fn refuse(visitor: &OpsVisitor, id: i64, reason: &str) -> Result<(), Problem> {
    let found = proposals(visitor).find(id).await?;
    if !found.is_some_and(|found| visitor.is(&found.proposed_by)) {
        visitor.check_approver(&format!("proposal {id}")).await?;
    }
    carrying_out::turn_down(&visitor.writer()?, id, reason).await.map(drop)
}
