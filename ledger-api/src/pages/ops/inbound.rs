//! `/ops/inbound`: each message of a bank: when it came, that its signature was right, what other
//! bodies it came with, what it came to; and having it applied once more, which changes nothing
//! that was settled. Its bytes may name people: opening them takes a reason and is written down.

use axum::{extract::Query, response::Response};
use serde::Deserialize;

use super::{ActForm, Board, Field, OnlyNonce, OpsSent, OpsVisitor, Part, Tab, Why, after};
use crate::{
    access_log::MESSAGE_OPENED,
    desk::{acts::Act, check_reason, inbound},
    http::{Problem, path::Id},
    pages::{
        FormErrors, respond,
        ui::{Cell, Column, Pair},
    },
    webhooks::Delivery,
};

const PATH: &str = "/ops/inbound";
const A_PAGE: u32 = 50;
const STATES: [(&str, &str); 5] = [
    ("", "All"),
    ("received", "Received"),
    ("parked", "Parked"),
    ("applied", "Applied"),
    ("ignored", "Ignored"),
];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    state: String,
    before: Option<i64>,
}

pub(super) async fn page(
    visitor: OpsVisitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let inbox = inbound::inbox(&visitor.state)?;
    let state = STATES.into_iter().find(|(name, _)| *name == asked.state).unwrap_or(STATES[0]);
    let only = Some(state.0).filter(|name| !name.is_empty());
    let rows = inbox.page((None, only), asked.before, A_PAGE).await?;
    let full = usize::try_from(A_PAGE).unwrap_or(usize::MAX);
    let older = rows.last().filter(|_| rows.len() == full).map(|row| row.id);
    let cells = rows.into_iter().map(|row| {
        vec![
            Cell::Link(row.id.to_string(), format!("{PATH}/{}", row.id)),
            row.bank.into(),
            row.event_type.unwrap_or_default().into(),
            row.event_id.into(),
            visitor.when(row.received_at).into(),
            row.state.into(),
            row.conflicts.to_string().into(),
        ]
    });
    let columns = [
        Column::words("Number"),
        Column::words("Bank"),
        Column::words("Event"),
        Column::words("Its id"),
        Column::words("Received"),
        Column::words("State"),
        Column::numbers("Other bodies"),
    ];
    let nothing = "No bank told anything of this kind.";
    let mut part = Part::new("Messages").table(&columns, cells.collect(), nothing);
    if let Some(older) = older {
        part = part.link("Older", format!("{PATH}?state={}&before={older}", state.0));
    }
    let tabs = STATES.into_iter().map(|(name, word)| Tab {
        word: word.to_owned(),
        href: format!("{PATH}?state={name}"),
        current: name == state.0,
    });
    let lead = "Only messages with a right signature come this far; others are refused at the \
                door and counted.";
    let board = Board::new(&visitor, "Banks’ messages", "inbound").lead(lead);
    Ok(respond::page(&board.tabs(tabs.collect()).part(part)))
}

async fn found(visitor: &OpsVisitor, id: i64) -> Result<Delivery, Problem> {
    let found = inbound::inbox(&visitor.state)?.find(id).await?;
    found.ok_or_else(|| Problem::not_found("There is nothing of this id."))
}

pub(super) async fn one(visitor: OpsVisitor, Id(id): Id<i64>) -> Result<Response, Problem> {
    Ok(respond::page(&board(&visitor, id, &FormErrors::none()).await?))
}

async fn board(visitor: &OpsVisitor, id: i64, errors: &FormErrors) -> Result<Board, Problem> {
    let delivery = found(visitor, id).await?;
    let pairs = vec![
        Pair::new("Bank", delivery.bank.clone()),
        Pair::new("Event", delivery.event_type.clone().unwrap_or_default()),
        Pair::new("Its id", delivery.event_id.clone()),
        Pair::new("Sent", visitor.when(delivery.sent_at).exact()),
        Pair::new("Received", visitor.when(delivery.received_at).exact()),
        Pair::new("Signature", "right"),
        Pair::new("SHA-256 of its bytes", hex::encode(&delivery.body_sha256)),
    ];
    let attempts = inbound::inbox(&visitor.state)?.attempts(id).await?;
    let rows = attempts.into_iter().map(|attempt| {
        vec![
            attempt.attempt.to_string().into(),
            Cell::When(visitor.when(attempt.at).exact()),
            attempt.outcome.into(),
            attempt.reference.unwrap_or_default().into(),
            attempt.detail.into(),
        ]
    });
    let columns = [
        Column::numbers("Time"),
        Column::words("When"),
        Column::words("Outcome"),
        Column::words("Waits for"),
        Column::words("On what, or why"),
    ];
    let again = ActForm::new(format!("{PATH}/{id}/reprocess"), "Apply it once more");
    let text = "Its effect happens once, however often it is applied.";
    let came = Part::new("What it came to").text(text);
    let came = came.table(&columns, rows.collect(), "Nobody looked at it yet.").form(again);
    let open = ActForm::new(format!("{PATH}/{id}/bytes"), "Open its bytes").quiet();
    let bytes = Part::new("Its bytes").text("They may name people. That you opened them is kept.");
    Ok(Board::new(visitor, format!("Message {id}"), "inbound")
        .back(PATH, "All messages")
        .errors(errors)
        .part(Part::new("Message").pairs(pairs))
        .part(came)
        .part(bytes.form(open.field(Field::reason()))))
}

/// Shows the bytes to somebody who says why.
pub(super) async fn bytes(
    Id(id): Id<i64>,
    OpsSent { visitor, form: Why { reason, .. } }: OpsSent<Why>,
) -> Result<Response, Problem> {
    let path = format!("{PATH}/{id}");
    if let Err(problem) = check_reason(&reason) {
        return after(Err(problem), &path, async |e| board(&visitor, id, &e).await).await;
    }
    let delivery = found(&visitor, id).await?;
    Act::new(MESSAGE_OPENED, &format!("inbox {id}"), &reason).keep(&visitor.writer()?).await?;
    let text = match delivery.body {
        Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        None if delivery.is_unreadable => "They do not open with this secret.".to_owned(),
        None => "They were erased.".to_owned(),
    };
    let part = Part::new("Its bytes").code(text);
    let board = Board::new(&visitor, format!("Bytes of message {id}"), "inbound");
    Ok(respond::page(&board.back(path, "The message").part(part)))
}

/// Applies it once more.
pub(super) async fn reprocess(
    Id(id): Id<i64>,
    OpsSent { visitor, form: OnlyNonce { .. } }: OpsSent<OnlyNonce>,
) -> Result<Response, Problem> {
    let done = inbound::reprocess(&visitor.writer()?, id).await.map(drop);
    let path = format!("{PATH}/{id}");
    after(done, &path, async |errors| board(&visitor, id, &errors).await).await
}
