//! `/ops/reports`: what people say is wrong, and the answer; and large claims of money that was
//! sent to a number, which wait for somebody to look.

use axum::response::Response;
use ledger_core::{
    ids::{Reference, TransferId},
    transfer::TransferStatus,
};
use projections::TransferFilter;
use serde::Deserialize;

use super::{ActForm, Board, Field, OnlyNonce, OpsSent, OpsVisitor, Part, Why, after};
use crate::{
    desk::{
        acts::Act,
        claims::{self, RejectClaimIn},
    },
    http::{Problem, codes, path::Id},
    pages::{
        FormErrors, act, respond,
        ui::{Cell, Pair},
    },
    reports::{self, ReportId, Reports},
    routes::Empty,
};

const PATH: &str = "/ops/reports";
const AT_ONCE: u32 = 50;

pub(super) async fn page(visitor: OpsVisitor) -> Result<Response, Problem> {
    Ok(respond::page(&board(&visitor, &FormErrors::none()).await?))
}

async fn board(visitor: &OpsVisitor, errors: &FormErrors) -> Result<Board, Problem> {
    let mut board = Board::new(visitor, "Reports and claims", "reports").errors(errors);
    let waiting = Reports::of_state(&visitor.state).waiting(None, AT_ONCE).await?;
    if waiting.is_empty() {
        let part = Part::new("Reports").table(&[], Vec::new(), "Nobody says anything is wrong.");
        board = board.part(part);
    }
    for report in waiting {
        let about = if report.about.starts_with("wd_") {
            Cell::Link(report.about.clone(), format!("/ops/withdrawals/{}", report.about))
        } else {
            report.about.clone().into()
        };
        let pairs = vec![
            Pair::new("About", about),
            Pair::new("By", report.person.to_string()),
            Pair::new("Since", visitor.when(report.made_at)),
            Pair::new("Age", visitor.age(report.made_at)),
            Pair::new("In their words", report.words.clone()),
        ];
        let form = ActForm::new(format!("{PATH}/{}/settle", report.id), "Answer")
            .field(Field::line("answer", "Answer", 1_000).hint("They read it."));
        board = board.part(Part::new(report.reason.words()).pairs(pairs).form(form));
    }
    claims_of(visitor, board).await
}

async fn claims_of(visitor: &OpsVisitor, mut board: Board) -> Result<Board, Problem> {
    let filter =
        TransferFilter { account: None, status: Some(TransferStatus::ClaimInReview), before: None };
    let page = visitor.state.read_models.transfers(&filter, AT_ONCE).await?;
    if page.items.is_empty() {
        let part = Part::new("Claims").table(&[], Vec::new(), "No claim waits for anybody.");
        return Ok(board.part(part));
    }
    for row in page.items {
        let mut pairs = vec![
            Pair::new("Transfer", row.id.to_string()),
            Pair::new("Amount", visitor.money(row.amount, row.currency)?),
            Pair::new("From", row.account.to_string()),
        ];
        pairs.extend(row.receiver.as_ref().map(|to| Pair::new("Claimed for", to.to_string())));
        pairs.extend(row.reason.as_ref().map(|why| Pair::new("Why it waits", why.to_string())));
        let action = |what: &str| format!("/ops/claims/{}/{what}", row.id);
        let hint = "A code without spaces; sender and claimer see it.";
        let mut part = Part::new("A claim that waits").pairs(pairs);
        if visitor.may_approve() {
            part = part.form(ActForm::new(action("approve"), "Let it pass"));
        }
        let reject = ActForm::new(action("reject"), "Refuse").quiet();
        let reject = reject.field(Field::line("reason", "Why", 64).hint(hint).optional());
        board = board.part(part.form(reject));
    }
    Ok(board)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    #[serde(rename = "nonce")]
    _nonce: String,
    answer: String,
}

/// Answers a report; one that was answered stays as it is.
pub(super) async fn settle(
    Id(id): Id<ReportId>,
    OpsSent { visitor, form: Answer { answer, .. } }: OpsSent<Answer>,
) -> Result<Response, Problem> {
    let done = answer_it(&visitor, id, &answer).await;
    after(done, PATH, async |errors| board(&visitor, &errors).await).await
}

async fn answer_it(visitor: &OpsVisitor, id: ReportId, answer: &str) -> Result<(), Problem> {
    let answer = reports::checked("/answer", answer)?;
    if answer.is_empty() {
        return Err(Problem::field(codes::INVALID, "/answer", "Answer them."));
    }
    let writer = visitor.writer()?;
    let by = writer.caller.principal.as_str();
    let reports = Reports::of_state(&visitor.state);
    let settled = reports.settle(id, (&answer, by), visitor.now()).await?;
    settled.ok_or_else(|| Problem::not_found("There is nothing of this id."))?;
    Act::new("report_settled", &id.to_string(), "answered").keep(&writer).await
}

/// Lets a claim pass.
pub(super) async fn approve(
    Id(id): Id<TransferId>,
    OpsSent { visitor, form: OnlyNonce { .. } }: OpsSent<OnlyNonce>,
) -> Result<Response, Problem> {
    let done = agree(&visitor, id).await;
    after(done, PATH, async |errors| board(&visitor, &errors).await).await
}

async fn agree(visitor: &OpsVisitor, id: TransferId) -> Result<(), Problem> {
    let text = id.to_string();
    visitor.check_approver(&text).await?;
    // One decision of a claim holds; asked again by anybody here it is the same request.
    let key = act::key("ops_claim_approve", &text, &[])?;
    claims::approve(&visitor.writer()?, id, key, &Empty {}).await.map(drop)
}

/// Refuses a claim.
pub(super) async fn reject(
    Id(id): Id<TransferId>,
    OpsSent { visitor, form: Why { reason, .. } }: OpsSent<Why>,
) -> Result<Response, Problem> {
    let done = refuse(&visitor, id, &reason).await;
    after(done, PATH, async |errors| board(&visitor, &errors).await).await
}

async fn refuse(visitor: &OpsVisitor, id: TransferId, reason: &str) -> Result<(), Problem> {
    let given = Some(reason.trim()).filter(|reason| !reason.is_empty());
    let parsed = given.map(str::parse::<Reference>).transpose();
    let parsed = parsed.map_err(|_| {
        let detail = "A code without spaces, such as number_changed_hands.";
        Problem::field(codes::INVALID, "/reason", detail)
    })?;
    let key = act::key("ops_claim_reject", &id.to_string(), &[reason.trim()])?;
    let body = RejectClaimIn { reason: parsed };
    claims::reject(&visitor.writer()?, id, key, &body).await.map(drop)
}
