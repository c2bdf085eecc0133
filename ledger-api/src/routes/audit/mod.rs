//! `/v1/audit`: what auditors read by key: the signed heads of the log and proofs, pages of the
//! log, of accounts and of transactions, masked as their pages are, reports, the access log.

mod access;
mod account_body;
mod accounts;
mod body;
mod books;
mod books_body;
mod checkpoints;
mod events;
mod examples;
mod key;
mod openings;
mod proofs;
mod transaction_body;
mod transactions;

pub(super) use body::ProofOut;
pub(crate) use checkpoints::CheckpointWanted;
pub(super) use examples::inclusion as inclusion_example;
pub(crate) use proofs::prove;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::http::ApiState;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(checkpoints::list))
        .routes(routes!(checkpoints::one))
        .routes(routes!(proofs::inclusion))
        .routes(routes!(proofs::consistency))
        .routes(routes!(events::list))
        .routes(routes!(events::one))
        .routes(routes!(accounts::tree))
        .routes(routes!(accounts::list))
        .routes(routes!(accounts::one))
        .routes(routes!(accounts::entries))
        .routes(routes!(transactions::one))
        .routes(routes!(books::trial_balance))
        .routes(routes!(books::balance_sheet))
        .routes(routes!(books::profit_and_loss))
        .routes(routes!(books::controls))
        .routes(routes!(openings::open))
        .routes(routes!(access::list))
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    /// What a route would need to reach past the auditors' role.
    const FORBIDDEN: [&str; 5] = ["State<", "Writer", "submit(", "ApiState", "Reader"];

    #[test]
    fn case_143_no_route_of_auditors_is_given_the_service_itself() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/routes/audit");
        let mut seen = 0;
        for file in fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.ends_with("key.rs") || path.ends_with("mod.rs") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            seen += 1;
            for word in FORBIDDEN {
                assert!(!text.contains(word), "{} names {word}", path.display());
            }
        }
        assert!(seen >= 12, "{seen}");
    }
}
