//! `/ops`: the operators' desk. What machines can't resolve, people do here, each act with who,
//! when and why, and what takes two persons by two.
//!
//! They have a cookie of their own, and no page of the desk knows a rule: what is done is done by
//! [`crate::desk`], as by the API. Pages name people by opaque ids, but for those that are there
//! to find somebody; looking there is written down.

mod approvals;
mod bank_days;
mod banks;
mod board;
mod debts;
mod disputes;
mod fees;
mod inbound;
mod limits;
mod lumps;
mod outside;
mod overview;
mod people;
mod periods;
mod proposed;
mod reconciliation;
mod reports;
mod sandbox;
mod service_fees;
mod suspense;
mod treasury;
mod visitor;
mod withdrawals;
mod years;

pub(crate) use board::Board;
use board::{ActForm, Counter, Field, Part, Pick, Tab};
use visitor::{OpsSent, OpsVisitor, after};

use axum::{
    Router,
    routing::{get, post},
};
use serde::Deserialize;

use super::layout::{RailEntry, desk_entry};
use crate::http::ApiState;

/// The desk's pages.
const RAIL: [RailEntry; 16] = [
    desk_entry("home", "/ops", "home", "Overview"),
    desk_entry("withdrawals", "/ops/withdrawals", "out", "Withdrawals"),
    desk_entry("suspense", "/ops/suspense", "ask", "Suspense"),
    desk_entry("reconciliation", "/ops/reconciliation", "swap", "Reconciliation"),
    desk_entry("inbound", "/ops/inbound", "in", "Messages"),
    desk_entry("banks", "/ops/banks", "bank", "Banks"),
    desk_entry("treasury", "/ops/treasury", "swap", "Treasury"),
    desk_entry("disputes", "/ops/disputes", "shield", "Disputes"),
    desk_entry("outside", "/ops/outside", "in", "Outside payers"),
    desk_entry("debts", "/ops/debts", "down", "Debts"),
    desk_entry("limits", "/ops/limits", "layers", "Limits"),
    desk_entry("periods", "/ops/periods", "book", "Months"),
    desk_entry("people", "/ops/people", "person", "People"),
    desk_entry("reports", "/ops/reports", "doc", "Reports"),
    desk_entry("approvals", "/ops/approvals", "check", "Approvals"),
    // In the demonstration only.
    desk_entry("sandbox", "/ops/sandbox", "gear", "Sandbox"),
];

/// A form that has nothing but its button.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OnlyNonce {
    #[serde(rename = "nonce")]
    _nonce: String,
}

/// A form that says why.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Why {
    #[serde(rename = "nonce")]
    _nonce: String,
    #[serde(default)]
    reason: String,
}

/// The routes.
pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .merge(withdrawals::routes())
        .route("/ops", get(overview::page))
        .route("/ops/suspense", get(suspense::page))
        .route("/ops/suspense/{item}", get(suspense::one))
        .route("/ops/suspense/{item}/assign", post(suspense::assign))
        .route("/ops/suspense/{item}/return", post(suspense::send_back))
        .route("/ops/suspense/{item}/lump", post(lumps::propose))
        .route("/ops/banks", get(banks::page))
        .route("/ops/banks/{bank}/pause", post(banks::pause))
        .route("/ops/banks/{bank}/drain", post(banks::drain))
        .route("/ops/banks/{bank}/resume", post(banks::resume))
        .route("/ops/banks/treasury", post(banks::name))
        .route("/ops/inbound", get(inbound::page))
        .route("/ops/inbound/{id}", get(inbound::one))
        .route("/ops/inbound/{id}/bytes", post(inbound::bytes))
        .route("/ops/inbound/{id}/reprocess", post(inbound::reprocess))
        .route("/ops/reconciliation", get(reconciliation::page))
        .route("/ops/reconciliation/statements", post(reconciliation::hand_in))
        .route("/ops/reconciliation/fetch", post(bank_days::fetch))
        .route("/ops/reconciliation/close", post(bank_days::close))
        .route("/ops/reconciliation/reopen", post(bank_days::reopen))
        .route("/ops/disputes", get(disputes::page))
        .route("/ops/disputes/{payment}", get(disputes::one))
        .route("/ops/disputes/{payment}/say", post(disputes::say))
        .route("/ops/disputes/{payment}/decide", post(disputes::decide))
        .route("/ops/outside", get(outside::page))
        .route("/ops/outside/{withdrawal}/send-again", post(outside::send_again))
        .route("/ops/debts", get(debts::page))
        .route("/ops/debts/{account}/write-off", post(debts::write_off))
        .route("/ops/limits", get(limits::page).post(limits::propose))
        .route("/ops/limits/fees", post(fees::propose))
        .route("/ops/limits/services", post(service_fees::propose))
        .route("/ops/periods", get(periods::page))
        .route("/ops/periods/close", post(periods::close))
        .route("/ops/periods/reopen", post(periods::reopen))
        .route("/ops/periods/close-year", post(years::close))
        .route("/ops/treasury", get(treasury::page))
        .route("/ops/treasury/{id}/approve", post(treasury::approve))
        .route("/ops/treasury/{id}/reject", post(treasury::reject))
        .merge(people::routes())
        .route("/ops/reports", get(reports::page))
        .route("/ops/reports/{id}/settle", post(reports::settle))
        .route("/ops/claims/{id}/approve", post(reports::approve))
        .route("/ops/claims/{id}/reject", post(reports::reject))
        .merge(sandbox::routes())
        .route("/ops/approvals", get(approvals::page))
        .route("/ops/approvals/{id}/approve", post(approvals::approve))
        .route("/ops/approvals/{id}/reject", post(approvals::turn_down))
}
