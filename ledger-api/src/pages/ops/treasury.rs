//! `/ops/treasury`: moves of our own money at banks that days' closes have asked for: what is
//! proposed, approving it and turning it down, and what became of those that were decided.

use axum::response::Response;
use ledger_core::ids::Reference;
use serde::Deserialize;

use super::{
    ActForm, Board, Counter, Field, OpsSent, OpsVisitor, Part, after, approvals,
    overview::proposals,
};
use crate::{
    desk::{
        carrying_out,
        proposals::{Kind, NewProposal},
        treasury_moves::{self, currency},
    },
    http::{Problem, approval::Approver, codes, path::Id},
    pages::{
        FormErrors, act, respond,
        ui::{Cell, Column, Pair},
    },
    statements::backing,
    treasury::{Move, MoveId, MoveStatus, Moves, Order, Way},
};

const PATH: &str = "/ops/treasury";
/// How many moves are shown.
const MOVES_MAX: u32 = 100;

pub(super) async fn page(visitor: OpsVisitor) -> Result<Response, Problem> {
    Ok(respond::page(&board(&visitor, &FormErrors::none()).await?))
}

async fn board(visitor: &OpsVisitor, errors: &FormErrors) -> Result<Board, Problem> {
    let lead = "When a bank’s day is closed, escrow is held against what customers are owed. What \
                is missing is topped up from our own money, and what is over is swept.";
    let mut board = Board::new(visitor, "Treasury", "treasury").lead(lead).errors(errors);
    for one in backing(&visitor.state.reads).await? {
        let Ok(currency) = one.currency.parse() else { continue };
        let word = if one.is_short() { "Short, top it up" } else { "Headroom" };
        let money = visitor.money(one.headroom(), currency)?;
        board = board.counter(Counter::new(word, money).bad_if(one.is_short()));
    }
    let moves = Moves::new(visitor.state.reads.clone()).list(None, MOVES_MAX).await?;
    let (waiting, others): (Vec<Move>, Vec<Move>) =
        moves.into_iter().partition(|one| one.status == MoveStatus::Proposed);
    if waiting.is_empty() {
        let nothing = "The next close of a bank’s day asks if money is missing or over.";
        board = board.part(Part::new("To decide").table(&[], Vec::new(), nothing));
    }
    for one in &waiting {
        board = board.part(asked(visitor, one)?);
        for proposal in proposals(visitor).waiting(&one.id.to_string(), visitor.now()).await? {
            board = board.part(approvals::part(visitor, &proposal));
        }
    }
    let rows = others.iter().map(|one| row(visitor, one)).collect::<Result<_, _>>()?;
    let columns = [
        Column::words("Reference"),
        Column::words("Which way"),
        Column::words("Bank"),
        Column::numbers("Amount"),
        Column::words("Day"),
        Column::words("State"),
        Column::words("Bank’s answer"),
        Column::numbers("Lines"),
        Column::words("Decided by"),
        Column::words("Agreed"),
        Column::words("When"),
    ];
    let link = Part::new("Decided").text("What a bank answers moves nothing: its lines do.");
    let link = link.table(&columns, rows, "Nothing was decided yet.");
    Ok(board.part(link.link("Name a line as an end of a move by hand", "/ops/banks")))
}

const fn words(way: Way) -> &'static str {
    match way {
        Way::TopUp => "Top-up of escrow",
        Way::Sweep => "Sweep to our own account",
    }
}

const fn state(status: MoveStatus) -> &'static str {
    match status {
        MoveStatus::Proposed => "Proposed",
        MoveStatus::Approved => "To be made",
        MoveStatus::Moved => "Made",
        MoveStatus::Refused => "Refused by the bank",
        MoveStatus::Rejected => "Turned down",
        MoveStatus::Superseded => "Overtaken",
    }
}

/// One that waits, with what can be said to it.
fn asked(visitor: &OpsVisitor, one: &Move) -> Result<Part, Problem> {
    let code = currency(one)?;
    let takes_two = treasury_moves::takes_two(&visitor.state, one)?;
    let part = Part::new(format!("{} at {}", words(one.way), one.bank)).pairs(vec![
        Pair::new("Amount", visitor.money(one.amount, code)?),
        Pair::new("Asked for by the close of", one.day.to_string()),
        Pair::new("Headroom then", visitor.money(one.headroom, code)?),
        Pair::new("Reference", one.reference.clone()),
        Pair::new("Proposed", visitor.when(one.proposed_at)),
        Pair::new("Takes", if takes_two { "two persons" } else { "one person" }),
    ]);
    let reason = || Field::line("reason", "Why", 64).hint("A code without spaces.");
    let action = |what: &str| format!("{PATH}/{}/{what}", one.id);
    let approve = if takes_two {
        ActForm::new(action("approve"), "Propose to approve")
            .field(reason())
            .field(Field::evidence())
    } else {
        ActForm::new(action("approve"), "Approve").field(reason())
    };
    let reject = ActForm::new(action("reject"), "Turn down").quiet().field(reason());
    Ok(part.form(approve).form(reject))
}

fn row(visitor: &OpsVisitor, one: &Move) -> Result<Vec<Cell>, Problem> {
    let answer = |order: &Order| match &order.code {
        Some(code) => format!("{} ({code})", order.status.as_str().replace('_', " ")),
        None => order.status.as_str().replace('_', " "),
    };
    let when = one.decided_at.map_or_else(|| "".into(), |at| Cell::When(visitor.when(at)));
    Ok(vec![
        one.reference.clone().into(),
        words(one.way).into(),
        one.bank.clone().into(),
        visitor.money(one.amount, currency(one)?)?.into(),
        one.day.to_string().into(),
        state(one.status).into(),
        one.order.as_ref().map(answer).unwrap_or_default().into(),
        format!("{} of 2", one.lines).into(),
        visitor.who_was(one.decided_by.as_deref()),
        visitor.who_was(one.approved_by.as_deref()),
        when,
    ])
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Said {
    nonce: String,
    reason: String,
    #[serde(default)]
    evidence_sha256: String,
}

fn reason(text: &str) -> Result<Reference, Problem> {
    text.trim().parse().map_err(|_| {
        Problem::field(codes::INVALID, "/reason", "A code without spaces, such as backing_short.")
    })
}

/// Has it made, or proposes that to a second person.
pub(super) async fn approve(
    Id(id): Id<MoveId>,
    OpsSent { visitor, form }: OpsSent<Said>,
) -> Result<Response, Problem> {
    let done = agree(&visitor, id, &form).await;
    let to = if matches!(done, Ok(true)) { "/ops/approvals" } else { PATH };
    after(done.map(drop), to, async |errors| board(&visitor, &errors).await).await
}

/// Whether it waits for a second person.
async fn agree(visitor: &OpsVisitor, id: MoveId, form: &Said) -> Result<bool, Problem> {
    let (writer, reason) = (visitor.writer()?, reason(&form.reason)?);
    let found = treasury_moves::known(&visitor.state, id).await?;
    if !treasury_moves::takes_two(&visitor.state, &found)? {
        visitor.check_approver(&id.to_string()).await?;
        let said = (&reason, None);
        treasury_moves::approve(&writer, &Approver::none(), id, said).await?;
        return Ok(false);
    }
    if found.status != MoveStatus::Proposed {
        let detail = "It was decided, or a later day asks for something else.";
        return Err(Problem::new(codes::TREASURY_MOVE_DECIDED, detail));
    }
    let (subject, evidence) = (id.to_string(), form.evidence_sha256.trim());
    let key = act::key("ops_move", &form.nonce, &[&subject, reason.as_str(), evidence])?;
    let new = NewProposal {
        kind: Kind::ApproveTreasury,
        subject: &subject,
        body: serde_json::json!({
            "direction": found.way, "bank": found.bank, "currency": found.currency,
            "amount": found.amount.to_string(), "reference": found.reference,
        }),
        reason: reason.as_str(),
        evidence_sha256: Some(evidence),
        file: None,
        key: &key.0,
    };
    carrying_out::propose(&writer, &new).await?;
    Ok(true)
}

/// Turns it down.
pub(super) async fn reject(
    Id(id): Id<MoveId>,
    OpsSent { visitor, form }: OpsSent<Said>,
) -> Result<Response, Problem> {
    let done = refuse(&visitor, id, &form).await;
    after(done, PATH, async |errors| board(&visitor, &errors).await).await
}

async fn refuse(visitor: &OpsVisitor, id: MoveId, form: &Said) -> Result<(), Problem> {
    visitor.check_approver(&id.to_string()).await?;
    let reason = reason(&form.reason)?;
    treasury_moves::reject(&visitor.writer()?, id, &reason).await.map(drop)
}
