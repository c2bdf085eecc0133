//! What the people who run the service do, whichever way they come: by the API with a key of
//! theirs, or at the desk's pages with a session.
//!
//! A function here takes a [`Writer`], which says who asks, and knows neither JSON nor HTML. What
//! takes a second person is said here, once; who may come at all (which scope, which role) is
//! said where they come in.

pub(crate) mod accounts;
pub(crate) mod acts;
pub(crate) mod bank_days;
pub(crate) mod banks;
pub(crate) mod carrying_out;
pub(crate) mod claims;
pub(crate) mod disputes;
pub(crate) mod evidence;
pub(crate) mod exchanges;
pub(crate) mod fees;
pub(crate) mod inbound;
pub(crate) mod lumps;
pub(crate) mod outside;
pub(crate) mod overview;
pub(crate) mod periods;
pub(crate) mod proposals;
pub(crate) mod receivables;
pub(crate) mod resolutions;
pub(crate) mod reviews;
pub(crate) mod sending_back;
pub(crate) mod shops;
pub(crate) mod statements;
pub(crate) mod suspense;
pub(crate) mod treasury;
pub(crate) mod treasury_moves;
pub(crate) mod versions;

use std::time::Duration;

use ledger_core::{
    command::Approval,
    ids::{Reference, WithdrawalId},
};
use projections::WithdrawalHistory;

use crate::{
    http::{ApiState, Problem, approval::Approver, codes, wire::check_words, writer::Writer},
    identity::Caller,
};

/// How long a decision waits for the read models to have all that is in the log.
const CATCH_UP: Duration = Duration::from_secs(2);
/// The most characters of a reason.
pub(crate) const REASON_CHARS_MAX: usize = 200;

/// Waits until the read models have all that is in the log now.
pub(crate) async fn caught_up(state: &ApiState) -> Result<(), Problem> {
    let head = state.ledger.status().borrow().head.position;
    state.read_models.wait_for(head, CATCH_UP).await?;
    Ok(())
}

/// A withdrawal with all that is in the log of it now.
pub(crate) async fn known(
    state: &ApiState,
    id: WithdrawalId,
) -> Result<WithdrawalHistory, Problem> {
    caught_up(state).await?;
    let found = state.read_models.withdrawal(id).await?.value;
    found.ok_or_else(|| Problem::not_found("There is nothing of this id."))
}

/// Goes on only if somebody else did what `caller` is to agree to. Where nobody knows who did,
/// nobody can be somebody else.
pub(crate) fn another_person(
    caller: &Caller,
    first: Option<&str>,
    did: &str,
) -> Result<(), Problem> {
    if first.is_some_and(|first| !first.is_empty() && first != caller.principal.as_str()) {
        return Ok(());
    }
    let detail = format!("Another person than the one who {did} has to decide.");
    Err(Problem::new(codes::SECOND_PERSON_NEEDED, detail))
}

/// Goes on only with a reason in a few words.
pub(crate) fn check_reason(reason: &str) -> Result<(), Problem> {
    if reason.trim().is_empty() {
        return Err(Problem::field(codes::INVALID, "/reason", "Say why."));
    }
    check_words(reason, REASON_CHARS_MAX, "/reason")
}

/// Goes on only with the SHA-256 of a document.
pub(crate) fn check_evidence(sha256: &str) -> Result<(), Problem> {
    if is_sha256(sha256) {
        return Ok(());
    }
    let detail = "64 digits of lower-case hexadecimal.";
    Err(Problem::field(codes::INVALID, "/evidence_sha256", detail))
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// What two persons agree on, with the hash of what they have seen.
pub(crate) fn two_persons(
    writer: &Writer,
    approver: &Approver,
    reason: &Reference,
    evidence: Option<&str>,
) -> Result<Approval, Problem> {
    let approver = approver.approve(&writer.caller)?;
    let evidence = evidence.filter(|text| is_sha256(text));
    let evidence_sha256 = evidence.map(str::to_owned).ok_or_else(|| {
        let detail = "This takes two persons and the SHA-256 of what they have seen.";
        Problem::field(codes::INVALID, "/evidence_sha256", detail)
    })?;
    Ok(Approval { approver, reason: reason.to_string(), evidence_sha256 })
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
