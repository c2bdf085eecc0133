//! The second person, where one is not enough: of an adjustment, and of a file in a bank's name.

use axum::{
    extract::FromRequestParts,
    http::{HeaderName, request::Parts},
};
use ledger_core::ids::Principal;

use super::{ApiState, Problem, auth::bearer, codes};
use crate::identity::{Caller, Scope};

const APPROVER: HeaderName = HeaderName::from_static("approver-authorization");

/// The principal whose key stands in `Approver-Authorization`, if that header was sent.
#[derive(Debug, Clone)]
pub(crate) struct Approver(Option<Caller>);

impl FromRequestParts<ApiState> for Approver {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        if !parts.headers.contains_key(APPROVER) {
            return Ok(Self(None));
        }
        bearer(parts, &APPROVER, state).await.map(|caller| Self(Some(caller)))
    }
}

impl Approver {
    /// Nobody.
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    /// Whether nobody was named.
    pub(crate) const fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// Somebody at the desk, who agrees there.
    pub(crate) const fn of(caller: Caller) -> Self {
        Self(Some(caller))
    }

    /// The approver, who must be another person than the caller and must be allowed to approve.
    pub(crate) fn approve(&self, caller: &Caller) -> Result<Principal, Problem> {
        match &self.0 {
            Some(second) if second.principal != caller.principal => {
                if second.has(Scope::OpsApprove) {
                    return Ok(second.principal.clone());
                }
                Err(needed("The approver's key needs the scope ops:approve."))
            }
            Some(_) => Err(needed("The approver must be another principal.")),
            None => Err(needed(
                "This needs the header Approver-Authorization with the key of a second person.",
            )),
        }
    }
}

fn needed(detail: &'static str) -> Problem {
    Problem::new(codes::SECOND_PERSON_NEEDED, detail)
}
