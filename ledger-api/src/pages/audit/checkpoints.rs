//! an event is under one. Whoever keeps them checks by hand, with `bahi audit`, elsewhere.

use askama::Template;
use axum::{
    extract::Query,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use chrono::TimeDelta;
use ledger_core::log::Position;
use serde::Deserialize;

use super::visitor::Auditor;
use crate::{
    http::{Problem, path::Id, reach::nothing},
    pages::{
        Layout, respond,
        ui::{Cell, Column, DataTable},
    },
    proofs::StoredCheckpoint,
    routes::{CheckpointWanted, prove},
};

const SHOWN_MAX: u32 = 50;
const NOTE: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ListQuery {
    before: String,
}

#[derive(Template)]
#[template(path = "audit/checkpoints.html")]
struct CheckpointsView {
    layout: Layout,
    signed: String,
    origin: String,
    key: String,
    size: u64,
    table: Option<DataTable>,
    older: String,
}

/// The list.
pub(super) async fn page(
    auditor: Auditor,
    Query(query): Query<ListQuery>,
) -> Result<Response, Problem> {
    let before = query.before.parse().ok();
    let mut found = auditor.reads.proofs.list(before, SHOWN_MAX.saturating_add(1)).await?;
    let most = usize::try_from(SHOWN_MAX).unwrap_or(usize::MAX);
    let is_more = found.len() > most;
    found.truncate(most);
    let last = found.last().filter(|_| is_more).map(|last| last.note.size());
    let first = found.first();
    Ok(respond::page(&CheckpointsView {
        layout: auditor.layout("Checkpoints", "checkpoints"),
        signed: signed_words(&auditor, auditor.head().await?).await?,
        origin: first.map(|one| one.note.origin().to_owned()).unwrap_or_default(),
        key: first.map(|one| hex::encode(&one.public_key)).unwrap_or_default(),
        size: first.map(|one| one.note.size()).unwrap_or_default(),
        older: last.map_or_else(String::new, |last| format!("/audit/checkpoints?before={last}")),
        table: (!found.is_empty()).then(|| table(&auditor, &found)),
    }))
}

fn table(auditor: &Auditor, found: &[StoredCheckpoint]) -> DataTable {
    let columns = [
        Column::words("Up to event"),
        Column::words("Signed"),
        Column::words("Cosigned by"),
        Column::words("The note"),
        Column::words("Root of the tree"),
        Column::words("Key"),
    ];
    let row = |one: &StoredCheckpoint| -> Vec<Cell> {
        let size = one.note.size();
        vec![
            Cell::Link(format!("#{size}"), format!("/audit/events?as_of={size}&show={size}")),
            auditor.when(one.made_at).into(),
            witnesses(one).into(),
            Cell::Link(file_name(size), format!("/audit/checkpoints/{size}")),
            hex::encode(one.note.root()).into(),
            hex::encode(&one.public_key).into(),
        ]
    };
    DataTable::new("Signed checkpoints, the last first", &columns, found.iter().map(row).collect())
}

/// Who cosigned it, in words.
pub(super) fn witnesses(one: &StoredCheckpoint) -> String {
    match one.witnesses.as_slice() {
        [] => "nobody yet".to_owned(),
        names => names.join(", "),
    }
}

fn file_name(size: u64) -> String {
    format!("checkpoint-{size}.note")
}

/// One of them, as a file.
pub(super) async fn note(
    auditor: Auditor,
    Id(wanted): Id<CheckpointWanted>,
) -> Result<Response, Problem> {
    let found = wanted.find(&auditor.reads.proofs).await?.ok_or_else(nothing)?;
    Ok(file(&file_name(found.note.size()), NOTE, found.note.to_string()))
}

/// Which event is to be proved.
#[derive(Debug, Deserialize)]
pub(super) struct ProofQuery {
    position: String,
}

/// The proof that an event is in the signed log, as a file.
pub(super) async fn proof(
    auditor: Auditor,
    Query(query): Query<ProofQuery>,
) -> Result<Response, Problem> {
    let text = query.position.trim().trim_start_matches('#');
    let wrong = || Problem::parameter("position", "An event’s number, like 48213.");
    let position: Position = text.parse().map_err(|_| wrong())?;
    let proof = prove(&auditor.reads.proofs, position, None).await?;
    let json = serde_json::to_string_pretty(&proof).map_err(|error| Problem::internal(&error))?;
    Ok(file(&format!("event-{position}.json"), JSON, json + "\n"))
}

fn file(name: &str, media: &'static str, text: String) -> Response {
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    if let Ok(said) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, said);
    }
    response
}

/// How far the log is signed, and how old that is: it is up to a minute behind a log that grows.
pub(super) async fn signed_words(auditor: &Auditor, head: Position) -> Result<String, Problem> {
    let Some(last) = auditor.reads.proofs.last().await? else {
        return Ok("nothing of it is signed yet".to_owned());
    };
    let ago = ago(auditor.now.signed_duration_since(last.made_at));
    let size = last.note.size();
    Ok(match head.saturating_sub(size) {
        0 => format!("signed to its end, {ago}"),
        1 => format!("signed to #{size}, {ago}; one event since"),
        since => format!("signed to #{size}, {ago}; {since} events since"),
    })
}

/// How long ago something was.
fn ago(span: TimeDelta) -> String {
    match (span.num_days(), span.num_hours(), span.num_minutes(), span.num_seconds()) {
        (..=0, ..=0, ..=0, ..=1) => "just now".to_owned(),
        (..=0, ..=0, ..=0, seconds) => format!("{seconds} s ago"),
        (..=0, ..=0, minutes, _) => format!("{minutes} min ago"),
        (..=0, hours, ..) => format!("{hours} h ago"),
        (1, ..) => "a day ago".to_owned(),
        (days, ..) => format!("{days} days ago"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_in_the_unit_that_tells_most() {
        let words = [-5, 0, 1, 40, 150, 7_300, 90_000, 700_000];
        let words = words.map(|seconds| ago(TimeDelta::seconds(seconds)));
        let expected = [
            "just now",
            "just now",
            "just now",
            "40 s ago",
            "2 min ago",
            "2 h ago",
            "a day ago",
            "8 days ago",
        ];
        assert_eq!(words, expected);
    }
}
