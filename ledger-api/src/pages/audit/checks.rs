//! `/audit/replay`: checks of the whole log, asked for here and made by a worker.

use askama::Template;
use axum::{http::StatusCode, response::Response};
use chrono::{DateTime, Utc};
use projections::TableComparison;
use serde::Deserialize;

use super::visitor::{Auditor, AuditorSent};
use crate::{
    access_log::CHECK_ASKED,
    auditing::{Run, RunKind, RunState},
    http::{Problem, session::see_other},
    pages::{
        Layout, respond,
        ui::{Cell, Column, DataTable, LiveDot, When, grouped},
    },
};

const SHOWN_MAX: u32 = 20;
const PATH: &str = "/audit/replay";

#[derive(Template)]
#[template(path = "audit/replay.html")]
struct ReplayView {
    layout: Layout,
    open: bool,
    dot: LiveDot,
    runs: Vec<RunRow>,
}

/// A check, as pages show it.
pub(super) struct RunRow {
    /// Its id.
    pub(super) id: String,
    /// What it did.
    pub(super) what: &'static str,
    /// Who asked for it.
    pub(super) by: String,
    /// When.
    pub(super) asked: When,
    /// Whether all was well.
    pub(super) verified: bool,
    /// Whether it is over, well or not.
    pub(super) done: bool,
    /// Whether it could not be made.
    pub(super) failed: bool,
    /// How far it is, in words.
    pub(super) progress: String,
    /// How fast it goes or went, in words; empty where no time has passed.
    pub(super) rate: String,
    /// The same of a hundred.
    pub(super) percent: i64,
    /// Up to which event it went.
    pub(super) position: i64,
    /// The hash there.
    pub(super) head: String,
    /// What came of comparing, in words; empty if nothing was compared.
    pub(super) compared: String,
    /// The same table by table, where tables were compared.
    pub(super) tables: Option<DataTable>,
    /// The report.
    pub(super) said: String,
}

impl RunRow {
    /// As pages show it.
    pub(super) fn of(auditor: &Auditor, run: &Run) -> Self {
        let of = run.events_of.unwrap_or(run.events_done);
        let percent = run.events_done.saturating_mul(100).checked_div(of).unwrap_or(0);
        let (what, of_what) = match &*run.kind {
            "replay" => ("Replay", "balances"),
            "rebuild" => ("Rebuild", "rows"),
            _ => ("Verification", "balances"),
        };
        let compared = match (run.differ, run.compared) {
            (Some(differ), Some(compared)) => {
                let (differ, compared) = (differ.to_string(), compared.to_string());
                format!("{} of {} {of_what} differ", grouped(&differ), grouped(&compared))
            }
            _ => String::new(),
        };
        Self {
            id: run.id.simple().to_string(),
            what,
            by: run.asked_by.clone(),
            asked: auditor.when(run.asked_at),
            verified: run.verified.unwrap_or(false),
            done: run.state == RunState::Done,
            failed: run.state == RunState::Failed,
            progress: format!("{} of {of} events", run.events_done),
            rate: rate(run, auditor.now),
            percent: percent.clamp(0, 100),
            position: run.position.unwrap_or_default(),
            head: run.head_hash.as_ref().map(hex::encode).unwrap_or_default(),
            compared,
            tables: run.tables.as_ref().map(|tables| compared_tables(run, tables)),
            said: run.said.clone().unwrap_or_default(),
        }
    }
}

/// What differs, table by table.
fn compared_tables(run: &Run, tables: &[TableComparison]) -> DataTable {
    let columns = [
        Column::words("Table"),
        Column::numbers("Rows"),
        Column::numbers("Differ"),
        Column::words("Which"),
    ];
    let rows = tables.iter().map(|table| -> Vec<Cell> {
        vec![
            table.table.replace('_', " ").into(),
            grouped(&table.compared.to_string()).into(),
            grouped(&table.differing.to_string()).into(),
            table.examples.join("; ").into(),
        ]
    });
    // By its id too, since a page may have several.
    let caption = format!("Live tables against the same made anew, by {}", run.id.simple());
    DataTable::new(caption, &columns, rows.collect())
}

/// How many events a second were read, from its beginning to its end, or to now.
fn rate(run: &Run, now: DateTime<Utc>) -> String {
    let Some(began) = run.began_at else { return String::new() };
    let took = run.ended_at.unwrap_or(now).signed_duration_since(began).num_milliseconds();
    let second = run.events_done.saturating_mul(1_000);
    match second.checked_div(took).filter(|rate| *rate > 0 && took > 0) {
        Some(rate) => format!("{} events a second", grouped(&rate.to_string())),
        None => String::new(),
    }
}

/// The page; while a check goes on it is followed by events ([`super::follow`]), or loaded again.
pub(super) async fn page(auditor: Auditor) -> Result<Response, Problem> {
    let runs = auditor.reads.runs.list(SHOWN_MAX).await?;
    let open = runs.iter().any(|run| matches!(run.state, RunState::Asked | RunState::Running));
    let view = ReplayView {
        layout: auditor.layout("Replay", "checks"),
        open,
        dot: LiveDot::new(PATH),
        runs: runs.iter().map(|run| RunRow::of(&auditor, run)).collect(),
    };
    Ok(respond::page_with(StatusCode::OK, &view))
}

/// Which check.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Verify,
    Replay,
    Rebuild,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskForm {
    kind: Kind,
}

/// Asks for one.
pub(super) async fn ask(sent: AuditorSent<AskForm>) -> Result<Response, Problem> {
    let AuditorSent { auditor, form } = sent;
    let kind = match form.kind {
        Kind::Verify => RunKind::Verify,
        Kind::Replay => RunKind::Replay,
        Kind::Rebuild => RunKind::Rebuild,
    };
    let by = auditor.staff.person.to_string();
    if auditor.reads.runs.ask(auditor.fresh, kind, &by, auditor.now).await? {
        let run = auditor.fresh.simple().to_string();
        auditor.record(CHECK_ASKED, &run, kind.as_str()).await?;
    }
    Ok(see_other(PATH))
}
