//! `/ops/banks`: how each bank is and what it can still send; pausing it and letting it go on; and
//! moves between our own accounts there.

use axum::response::Response;
use ledger_core::ids::{BankCode, BankLineId, Item, Reference};
use serde::Deserialize;

use super::{
    ActForm, Board, Field, OnlyNonce, OpsSent, OpsVisitor, Part, Why, after,
    overview::{health, sends},
};
use crate::{
    desk::{
        banks::{self, BankState},
        carrying_out,
        overview::{self, Asked},
        proposals::{Kind, NewProposal},
        treasury::MoveIn,
    },
    http::{Problem, codes, path::Id},
    pages::{
        FormErrors, act, respond,
        ui::{Column, Pair},
    },
    statements::backing,
};

const PATH: &str = "/ops/banks";

pub(super) async fn page(visitor: OpsVisitor) -> Result<Response, Problem> {
    Ok(respond::page(&board(&visitor, &FormErrors::none()).await?))
}

async fn board(visitor: &OpsVisitor, errors: &FormErrors) -> Result<Board, Problem> {
    let mut board = Board::new(visitor, "Banks", "banks").errors(errors);
    let asked = overview::asked(&visitor.state.reads).await?;
    for state in banks::states(&visitor.state).await? {
        let asked = asked.get(&state.bank).copied().unwrap_or_default();
        board = board.part(part(visitor, &state, asked).await?);
    }
    Ok(board.part(treasury(visitor).await?))
}

async fn part(visitor: &OpsVisitor, state: &BankState, asked: Asked) -> Result<Part, Problem> {
    let bank = &state.bank;
    let mut pairs =
        vec![Pair::new("Health", health(state.health)), Pair::new("Sends", sends(state))];
    for (words, pause) in [("Paused by", &state.paused), ("Drained by", &state.draining)] {
        if let Some(pause) = pause {
            pairs.push(Pair::new(words, pause.paused_by.clone()));
            pairs.push(Pair::new("Why", pause.reason.clone()));
            pairs.push(Pair::new("Since", visitor.when(pause.paused_at)));
        }
    }
    if state.draining.is_some() {
        let left = state.open.iter().fold(0_u64, |all, one| all.saturating_add(one.count));
        let words = if left == 0 { "nothing: it is drained".to_owned() } else { left.to_string() };
        pairs.push(Pair::new("Still to end", words));
    }
    if let Some((float, currency)) = state.float.zip(state.currency) {
        for (label, amount) in [
            ("Escrow by its statements", float.escrow),
            ("Paid, not stated yet", float.clearing_out),
            ("In flight", float.in_flight),
            ("Sweeps approved, not stated yet", float.sweeps),
            ("Float left", float.left),
        ] {
            pairs.push(Pair::new(label, visitor.money(amount, currency)?));
        }
    }
    let mut rails = Vec::new();
    if let Some(known) = visitor.state.banks.get(bank)
        && let Ok(contract) = known.contract().await
    {
        pairs.push(Pair::new("Rate", format!("{} a second", contract.rate_per_second)));
        let enquiry = &contract.enquiry;
        let questions = format!(
            "at most {} a transfer, from {} s to {} min after it",
            enquiry.at_most,
            enquiry.first_after.as_secs(),
            enquiry.within.as_secs() / 60,
        );
        pairs.push(Pair::new("Questions", questions));
        let budget = asked.withdrawals.saturating_mul(i64::from(enquiry.at_most));
        let used = format!("{} of {budget}, of what is with it now", asked.questions);
        pairs.push(Pair::new("Questions used", used));
        for rail in &contract.rails {
            let hours = rail.hours.map_or("always".to_owned(), |hours| {
                format!("{} to {}", hours.opens.format("%H:%M"), hours.closes.format("%H:%M"))
            });
            let amount = |limit: Option<ledger_core::money::Money>| {
                limit.map_or("none".to_owned(), |limit| limit.amount().to_string())
            };
            rails.push(vec![
                rail.rail.to_string().into(),
                hours.into(),
                amount(rail.minimum).into(),
                amount(rail.maximum).into(),
            ]);
        }
    }
    let columns = [
        Column::words("Rail"),
        Column::words("Works"),
        Column::numbers("Least"),
        Column::numbers("Most"),
    ];
    let part = Part::new(bank.to_string()).pairs(pairs);
    let part = part.table(&columns, rails, "The bank did not tell its rails.");
    Ok(switches(part, state))
}

/// A bank sends, is paused or is drained, and each can become the others.
fn switches(mut part: Part, state: &BankState) -> Part {
    let action = |what: &str| format!("{PATH}/{}/{what}", state.bank);
    let (is_paused, is_drained) = (state.paused.is_some(), state.draining.is_some());
    if is_paused || is_drained {
        part = part.form(ActForm::new(action("resume"), "Let it go on"));
    }
    if !is_paused {
        let form = ActForm::new(action("pause"), "Pause")
            .title("Send nothing more through it; what was sent is asked for as ever")
            .quiet();
        part = part.form(form.field(Field::reason()));
    }
    if !is_drained {
        let form = ActForm::new(action("drain"), "Drain")
            .title("Take no new withdrawals for it; what waits for it is sent")
            .quiet();
        part = part.form(form.field(Field::reason()));
    }
    part
}

/// Whether customers' money is there, and the form that names a line as a move of our own.
async fn treasury(visitor: &OpsVisitor) -> Result<Part, Problem> {
    let mut pairs = Vec::new();
    for one in backing(&visitor.state.reads).await? {
        let Ok(currency) = one.currency.parse() else { continue };
        let word = if one.is_short() { "Short, top it up" } else { "Headroom" };
        pairs.push(Pair::new(word, visitor.money(one.headroom(), currency)?));
    }
    let form = ActForm::new("/ops/banks/treasury", "Propose")
        .title("Name a statement’s line as a top-up or a sweep")
        .field(Field::line("line", "The line", 64).hint("bl_…, as Reconciliation has it."))
        .field(Field::line("item", "Name of the move", 64).hint("The same for both ends."))
        .field(Field::line("reason", "Why", 64).hint("A code, such as backing_short."))
        .field(Field::evidence());
    Ok(Part::new("Treasury").pairs(pairs).form(form))
}

fn bank(code: &str) -> Result<BankCode, Problem> {
    code.parse().map_err(|_| Problem::not_found("There is no such bank."))
}

/// Sends nothing more through a bank.
pub(super) async fn pause(
    Id(code): Id<String>,
    OpsSent { visitor, form: Why { reason, .. } }: OpsSent<Why>,
) -> Result<Response, Problem> {
    let done = banks::pause(&visitor.writer()?, &bank(&code)?, &reason).await.map(drop);
    after(done, PATH, async |errors| board(&visitor, &errors).await).await
}

/// Takes nothing new for a bank.
pub(super) async fn drain(
    Id(code): Id<String>,
    OpsSent { visitor, form: Why { reason, .. } }: OpsSent<Why>,
) -> Result<Response, Problem> {
    let done = banks::drain(&visitor.writer()?, &bank(&code)?, &reason).await.map(drop);
    after(done, PATH, async |errors| board(&visitor, &errors).await).await
}

/// Lets a bank go on.
pub(super) async fn resume(
    Id(code): Id<String>,
    OpsSent { visitor, form: OnlyNonce { .. } }: OpsSent<OnlyNonce>,
) -> Result<Response, Problem> {
    let done = banks::resume(&visitor.writer()?, &bank(&code)?).await.map(drop);
    after(done, PATH, async |errors| board(&visitor, &errors).await).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Move {
    nonce: String,
    line: String,
    item: String,
    reason: String,
    evidence_sha256: String,
}

/// Proposes that a line is an end of a move.
pub(super) async fn name(OpsSent { visitor, form }: OpsSent<Move>) -> Result<Response, Problem> {
    let done = propose(&visitor, form).await;
    after(done, "/ops/approvals", async |errors| board(&visitor, &errors).await).await
}

async fn propose(visitor: &OpsVisitor, form: Move) -> Result<(), Problem> {
    let wrong = |field: &str, detail: &'static str| {
        Problem::field(codes::INVALID, format!("/{field}"), detail)
    };
    let line: BankLineId =
        form.line.trim().parse().map_err(|_| wrong("line", "The id of a line: bl_…"))?;
    let item: Item =
        form.item.trim().parse().map_err(|_| wrong("item", "A name without spaces."))?;
    let reason: Reference =
        form.reason.trim().parse().map_err(|_| wrong("reason", "A code without spaces."))?;
    let key = act::key("ops_treasury", &form.nonce, &[&form.line, &form.item, &form.reason])?;
    let text = reason.to_string();
    let evidence_sha256 = form.evidence_sha256;
    let body = MoveIn { item, reason, evidence_sha256: evidence_sha256.clone() };
    let subject = line.to_string();
    let new = NewProposal {
        kind: Kind::NameTreasury,
        subject: &subject,
        body: serde_json::to_value(&body).map_err(|error| Problem::internal(&error))?,
        reason: &text,
        evidence_sha256: Some(&evidence_sha256),
        file: None,
        key: &key.0,
    };
    carrying_out::propose(&visitor.writer()?, &new).await.map(drop)
}
