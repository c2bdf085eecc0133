//! Who calls: the key in `Authorization: Bearer …`.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, header, request::Parts},
};

use super::{ApiState, Problem, codes, context::RequestContext};
use crate::identity::{Caller, Scope, VerifyError};

impl FromRequestParts<ApiState> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        let caller = bearer(&parts.headers, &header::AUTHORIZATION, state).await?;
        if let Some(context) = parts.extensions.get::<RequestContext>() {
            // Set once per request; a second extraction finds the same caller.
            context.principal.set(caller.principal.clone()).ok();
        }
        Ok(caller)
    }
}

/// The caller whose key stands in the header `name`.
pub(super) async fn bearer(
    headers: &HeaderMap,
    name: &HeaderName,
    state: &ApiState,
) -> Result<Caller, Problem> {
    let refused = || Problem::new(codes::UNAUTHENTICATED, "A valid API key is needed.");
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(refused());
    };
    let text = value.to_str().map_err(|_| refused())?;
    let (scheme, token) = text.split_once(' ').ok_or_else(refused)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(refused());
    }
    match state.keys.verify(token.trim()).await {
        Ok(caller) => Ok(caller),
        Err(VerifyError::Refused) => {
            metrics::counter!("bahi_http_keys_refused_total").increment(1);
            tracing::warn!(header = %name, "an API key was refused");
            Err(refused())
        }
        Err(VerifyError::Unavailable) => {
            Err(Problem::new(codes::LEDGER_UNAVAILABLE, "The API keys cannot be read now.")
                .retry_after(1))
        }
    }
}

/// What a request needs its key to be allowed.
pub(crate) trait Require {
    /// Goes on only if the key has one of `scopes`. Refuses every person: what is opened to
    /// people asks [`reach`](super::reach::Reaching::reach) instead.
    fn require(&self, scopes: &[Scope]) -> Result<(), Problem>;

    /// As [`Require::require`] for reads: `audit:read` reads everything.
    fn require_read(&self, scopes: &[Scope]) -> Result<(), Problem>;
}

impl Require for Caller {
    fn require(&self, scopes: &[Scope]) -> Result<(), Problem> {
        if scopes.iter().any(|scope| self.has(*scope)) {
            return Ok(());
        }
        if self.person.is_some() {
            let detail = "This is for the services and staff of the ledger, not for people.";
            return Err(Problem::new(codes::FORBIDDEN, detail));
        }
        Err(missing(scopes))
    }

    fn require_read(&self, scopes: &[Scope]) -> Result<(), Problem> {
        if self.has(Scope::AuditRead) {
            return Ok(());
        }
        self.require(scopes)
    }
}

/// The refusal that names what would have been enough.
pub(crate) fn missing(scopes: &[Scope]) -> Problem {
    let names: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    Problem::new(codes::FORBIDDEN, format!("The key needs the scope {}.", names.join(" or ")))
}
