//! `/ops/disputes`: what payers say was not right, of all shops, with the day by which each is to
//! be decided; what both sides say; and whose the money is.

use std::collections::HashMap;

use axum::response::Response;
use ledger_core::{
    ids::{PaymentId, Reference},
    payment::{DisputeWinner, PaymentEvent},
};
use serde::Deserialize;

use super::{ActForm, Board, Field, OpsSent, OpsVisitor, Part, after};
use crate::{
    desk::{caught_up, disputes},
    http::{Problem, codes, path::Id},
    pages::{
        FormErrors, act, respond,
        ui::{Cell, Column, CopyId, Countdown, Pair, Step, StepState},
    },
    payments::{self, DecisionIn, EvidenceIn, Side, Winner},
    shops::{MerchantId, ShopFace},
};

const PATH: &str = "/ops/disputes";

pub(super) async fn page(visitor: OpsVisitor) -> Result<Response, Problem> {
    // As the last decision left it.
    caught_up(&visitor.state).await?;
    let now = visitor.now();
    let mut rows = Vec::new();
    let open = disputes::open(&visitor.state.reads).await?;
    let names = names(&visitor, open.iter().map(|one| one.merchant.as_str())).await?;
    for one in open {
        let (id, due) = (one.payment.to_string(), one.due());
        let left = if due <= now { "over".to_owned() } else { Countdown::new(due, now).text() };
        rows.push(vec![
            Cell::Link(id.clone(), format!("{PATH}/{id}")),
            visitor.money(one.amount, one.currency)?.into(),
            shop(&names, &one.merchant),
            visitor.when(one.since).into(),
            visitor.when(due).into(),
            left.into(),
        ]);
    }
    let columns = [
        Column::words("Payment"),
        Column::numbers("Amount"),
        Column::words("Shop"),
        Column::words("Opened"),
        Column::words("Decide by"),
        Column::words("Left"),
    ];
    let lead = "The money is held of the shop’s and lent to the payer until it is decided.";
    let part = Part::new("Open disputes, the oldest first");
    let part = part.table(&columns, rows, "Nobody disputes anything.");
    Ok(respond::page(&Board::new(&visitor, "Disputes", "disputes").lead(lead).part(part)))
}

/// What shops are called, by what their accounts are called after.
type Names = HashMap<String, String>;

async fn names<'a>(
    visitor: &OpsVisitor,
    codes: impl Iterator<Item = &'a str>,
) -> Result<Names, Problem> {
    let ids: Vec<MerchantId> =
        codes.filter_map(|code| format!("mer_{code}").parse().ok()).collect();
    let faces = visitor.state.shops.faces(&ids).await?;
    let named = |face: ShopFace| (face.id.segment(), face.name.expose().to_owned());
    Ok(faces.into_values().map(named).collect())
}

fn shop(names: &Names, code: &str) -> Cell {
    let name = names.get(code).cloned().unwrap_or_else(|| code.to_owned());
    Cell::Link(name, format!("/ops/people/mer_{code}"))
}

pub(super) async fn one(visitor: OpsVisitor, Id(id): Id<PaymentId>) -> Result<Response, Problem> {
    Ok(respond::page(&board(&visitor, id, &FormErrors::none()).await?))
}

async fn board(visitor: &OpsVisitor, id: PaymentId, errors: &FormErrors) -> Result<Board, Problem> {
    let history = disputes::of_payment(&visitor.state, id).await?;
    let nothing = || Problem::not_found("Nobody has disputed the payment.");
    let dispute = history.payment.dispute().ok_or_else(nothing)?;
    let paid = history.payment.properties().ok_or_else(nothing)?;
    let currency = paid.payer.currency().map_err(|error| Problem::internal(&error))?;
    let names = names(visitor, std::iter::once(paid.merchant.as_str())).await?;
    let mut pairs = vec![
        Pair::new("Payment", CopyId::new(id.to_string())),
        Pair::new("Paid", visitor.money(paid.amount, currency)?),
        Pair::new("Disputed", visitor.money(dispute.amount, currency)?),
        Pair::new("Payer", paid.payer.to_string()),
        Pair::new("Shop", shop(&names, paid.merchant.as_str())),
    ];
    pairs.extend(paid.order.as_ref().map(|order| Pair::new("Order", order.to_string())));
    let mut steps = Vec::new();
    for fact in &history.facts {
        let words = if let PaymentEvent::DisputeOpened(opened) = &fact.event {
            let why = opened.reason.as_ref().map_or("no reason given", Reference::as_str);
            pairs.push(Pair::new("Why", why.replace('_', " ")));
            if dispute.is_open() {
                let due = disputes::due(fact.recorded_at);
                pairs.push(Pair::new("Decide by", visitor.when(due)));
            }
            "Opened".to_owned()
        } else if let PaymentEvent::DisputeDecided(decided) = &fact.event {
            format!("Decided for the {}", winner_words(decided.won_by))
        } else {
            continue;
        };
        let step = Step::new(StepState::Done, words).at(visitor.when(fact.recorded_at));
        let by = fact.actor.as_deref().map(|by| visitor.called(by));
        steps.push(step.facts(by.unwrap_or_default()));
    }
    let mut board = Board::new(visitor, "Dispute", "disputes")
        .back(PATH, "All of them")
        .errors(errors)
        .part(Part::new("What it is about").pairs(pairs).steps(steps))
        .part(said(visitor, id).await?);
    if dispute.is_open() {
        board = board.part(decision(visitor, id));
    }
    Ok(board)
}

const fn winner_words(winner: DisputeWinner) -> &'static str {
    match winner {
        DisputeWinner::Payer => "payer",
        DisputeWinner::Merchant => "shop",
    }
}

/// What was said, and saying something to both sides.
async fn said(visitor: &OpsVisitor, id: PaymentId) -> Result<Part, Problem> {
    let all = visitor.state.dispute_words.about(id).await?;
    let rows = all.into_iter().map(|said| {
        let who = match said.side {
            Side::Payer => "the payer",
            Side::Shop => "the shop",
            Side::Desk => "a person of ours",
        };
        let words = said.words.unwrap_or_else(|| "Erased, with all that was theirs.".to_owned());
        vec![who.into(), words.into(), visitor.when(said.at).into()]
    });
    let columns = [Column::words("Who"), Column::words("What"), Column::words("When")];
    let part = Part::new("What was said");
    Ok(part.table(&columns, rows.collect(), "Neither side has said anything yet."))
}

fn decision(visitor: &OpsVisitor, id: PaymentId) -> Part {
    let say = ActForm::new(format!("{PATH}/{id}/say"), "Say it to both")
        .title("Ask them, or tell them something")
        .quiet()
        .field(Field::line("words", "Words", 1_000).hint("Both sides read it."));
    let part = Part::new("Decide");
    if !visitor.may_approve() {
        return part.text("Who decides has the role approver.").form(say);
    }
    let winners = [("payer", "the payer keeps it"), ("merchant", "the shop gets it back")];
    let winners = winners.map(|(value, words)| (value.to_owned(), words.to_owned())).to_vec();
    let hint = "A code without spaces, such as proof_of_delivery; stays for ever.";
    let decide = ActForm::new(format!("{PATH}/{id}/decide"), "Decide")
        .title("Whose the money is; it is decided once")
        .field(Field::choice("won_by", "Decision", winners))
        .field(Field::line("reason", "Why", 64).hint(hint));
    part.form(decide).form(say)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    nonce: String,
    words: String,
}

/// Says something to both sides, once for the form.
pub(super) async fn say(
    Id(id): Id<PaymentId>,
    OpsSent { visitor, form }: OpsSent<Words>,
) -> Result<Response, Problem> {
    let done = tell(&visitor, id, form).await;
    let to = format!("{PATH}/{id}");
    after(done, &to, async |errors| board(&visitor, id, &errors).await).await
}

async fn tell(visitor: &OpsVisitor, id: PaymentId, form: Words) -> Result<(), Problem> {
    let key = act::key("ops_dispute_say", &form.nonce, &[&id.to_string(), &form.words])?;
    payments::say(&visitor.writer()?, id, &key, &EvidenceIn { words: form.words }).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Decision {
    nonce: String,
    won_by: String,
    reason: String,
}

/// Decides whose the money is.
pub(super) async fn decide(
    Id(id): Id<PaymentId>,
    OpsSent { visitor, form }: OpsSent<Decision>,
) -> Result<Response, Problem> {
    let done = settle(&visitor, id, &form).await;
    let to = format!("{PATH}/{id}");
    after(done, &to, async |errors| board(&visitor, id, &errors).await).await
}

async fn settle(visitor: &OpsVisitor, id: PaymentId, form: &Decision) -> Result<(), Problem> {
    let text = id.to_string();
    visitor.check_approver(&text).await?;
    let wrong = |field: &str, detail: &'static str| {
        Problem::field(codes::INVALID, format!("/{field}"), detail)
    };
    let won_by = match form.won_by.as_str() {
        "payer" => Winner::Payer,
        "merchant" => Winner::Merchant,
        _ => return Err(wrong("won_by", "The payer’s or the shop’s.")),
    };
    let reason = form.reason.trim().parse::<Reference>();
    let reason = reason.map_err(|_| wrong("reason", "A code such as proof_of_delivery."))?;
    let fields = [text.as_str(), &form.won_by, &form.reason];
    let key = act::key("ops_dispute", &form.nonce, &fields)?;
    let body = DecisionIn { won_by, reason: Some(reason) };
    match disputes::decide(&visitor.writer()?, id, key, &body).await {
        Err(problem) if problem.code() == "second_person_needed" => {
            visitor.refused(&text, problem.code()).await?;
            Err(problem)
        }
        other => other.map(drop),
    }
}
