//! `/audit`: the auditors' pages. They read everything and change nothing.
//!
//! Handlers take an [`Auditor`](visitor::Auditor), who holds readings by the database's role
//! `bahi_auditor` and nothing else: a test looks that no file here names the service's state. What
//! is personal is masked; it is opened with a reason, on the page that answers the form and on no
//! other, after a line in the access log.

mod access;
mod accounts;
mod as_of;
mod balance;
mod checkpoints;
mod checks;
mod events;
mod follow;
mod opened;
mod overview;
mod reconciliation;
mod transaction;
mod visitor;

use axum::{
    Router,
    routing::{get, post},
};

use crate::{
    http::ApiState,
    pages::layout::{RailEntry, desk_entry},
};

/// The pages, in the order in which one looks at them.
const RAIL: [RailEntry; 8] = [
    desk_entry("overview", "/audit", "home", "Overview"),
    desk_entry("events", "/audit/events", "list", "Events"),
    desk_entry("accounts", "/audit/accounts", "layers", "Accounts"),
    desk_entry("balance", "/audit/trial-balance", "book", "Trial balance"),
    desk_entry("reconciliation", "/audit/reconciliation", "bank", "Reconciliation"),
    desk_entry("checkpoints", "/audit/checkpoints", "shield", "Checkpoints"),
    desk_entry("checks", "/audit/replay", "spin", "Replay"),
    desk_entry("access", "/audit/access", "eye", "Access log"),
];

/// The routes.
pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/audit", get(overview::page))
        .route("/audit/events", get(events::page))
        .route("/audit/events/export", get(events::export))
        .route("/audit/accounts", get(accounts::tree))
        .route("/audit/accounts/{id}", get(accounts::one))
        .route("/audit/transactions/{id}", get(transaction::page))
        .route("/audit/trial-balance", get(balance::trial_balance))
        .route("/audit/balance-sheet", get(balance::balance_sheet))
        .route("/audit/profit-and-loss", get(balance::profit_and_loss))
        .route("/audit/checkpoints", get(checkpoints::page))
        .route("/audit/checkpoints/{size}", get(checkpoints::note))
        .route("/audit/proofs", get(checkpoints::proof))
        .route("/audit/reconciliation", get(reconciliation::page))
        .route("/audit/replay", get(checks::page).post(checks::ask))
        .route("/audit/replay/stream", get(follow::stream))
        .route("/audit/open", post(opened::open))
        .route("/audit/access", get(access::page))
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    /// What a page would need to reach past the auditors' role.
    const FORBIDDEN: [&str; 4] = ["State<", "Writer", "submit(", "ApiState"];

    #[test]
    fn case_143_no_page_of_auditors_is_given_the_service_itself() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pages/audit");
        let mut seen = 0;
        for file in fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.ends_with("visitor.rs") || path.ends_with("mod.rs") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            seen += 1;
            for word in FORBIDDEN {
                assert!(!text.contains(word), "{} names {word}", path.display());
            }
        }
        assert!(seen >= 8, "{seen}");
    }
}
