//! `/v1/ops`: what the people who run the service see and decide. Statements have a file of their
//! own (`reconciliation`).

mod banks;
mod inbound;
mod receivables;
mod resolution_body;
mod resolutions;
mod sending_back;
mod suspense;
mod transfers;
mod treasury;
mod treasury_moves;
mod withdrawals;

use ledger_core::ids::WithdrawalId;
use projections::WithdrawalHistory;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    http::{ApiState, Problem, codes},
    identity::Caller,
};

/// How long a decision waits for the read models to have all that is in the log.
const CATCH_UP: std::time::Duration = std::time::Duration::from_secs(2);
/// The most characters of a reason.
const REASON_CHARS_MAX: usize = 200;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(withdrawals::list))
        .routes(routes!(withdrawals::approve))
        .routes(routes!(withdrawals::reject))
        .routes(routes!(withdrawals::unblock))
        .routes(routes!(resolutions::propose))
        .routes(routes!(resolutions::list))
        .routes(routes!(resolutions::approve))
        .routes(routes!(resolutions::withdraw))
        .routes(routes!(banks::list))
        .routes(routes!(banks::pause))
        .routes(routes!(banks::resume))
        .routes(routes!(inbound::list))
        .routes(routes!(inbound::reprocess))
        .routes(routes!(transfers::list))
        .routes(routes!(transfers::approve))
        .routes(routes!(transfers::reject))
        .routes(routes!(suspense::list))
        .routes(routes!(suspense::assign))
        .routes(routes!(sending_back::send_back))
        .routes(routes!(receivables::write_off))
        .routes(routes!(treasury::name))
        .routes(routes!(treasury_moves::list))
        .routes(routes!(treasury_moves::approve))
        .routes(routes!(treasury_moves::reject))
}

/// A withdrawal with all that is in the log of it now.
async fn known(state: &ApiState, id: WithdrawalId) -> Result<WithdrawalHistory, Problem> {
    let head = state.ledger.status().borrow().head.position;
    state.read_models.wait_for(head, CATCH_UP).await?;
    let found = state.read_models.withdrawal(id).await?.value;
    found.ok_or_else(|| Problem::not_found("There is nothing of this id."))
}

/// Goes on only if somebody else did what `caller` is to agree to. Where nobody knows who did,
/// nobody can be somebody else.
fn another_person(caller: &Caller, first: Option<&str>, did: &str) -> Result<(), Problem> {
    if first.is_some_and(|first| !first.is_empty() && first != caller.principal.as_str()) {
        return Ok(());
    }
    let detail = format!("Another person than the one who {did} has to decide.");
    Err(Problem::new(codes::SECOND_PERSON_NEEDED, detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Scope, ScopeSet};

    #[test]
    fn who_agrees_is_somebody_else_and_known_to_be() {
        let caller = Caller {
            key_id: "k1".into(),
            principal: "ravi".parse().unwrap(),
            scopes: ScopeSet::of(&[Scope::OpsApprove]),
            person: None,
            shop: None,
        };
        assert!(another_person(&caller, Some("asha"), "asked for it").is_ok());
        for first in [Some("ravi"), Some(""), None] {
            let problem = another_person(&caller, first, "asked for it").unwrap_err();
            assert_eq!(problem.code(), "second_person_needed", "{first:?}");
        }
    }
}
