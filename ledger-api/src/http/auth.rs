//! Who calls: the key in `Authorization: Bearer …`, or else the person whose session the cookie
//! is of. A request with a key is the key's, whatever cookie a browser sends with it.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, header, request::Parts},
};

use super::{
    ApiState, Problem, codes, context::RequestContext, peer::ClientAddress, session, shop_session,
};
use crate::{
    access_log::Refusal,
    identity::{Caller, Scope, ScopeSet, VerifyError},
    logins::server::Tokens,
    sessions::{Audience, Session, SessionId},
    shops::Membership,
};

/// The header by which a browser that is signed in for both says that it asks for the shop.
const SHOP_HEADER: &str = "bahi-shop";

impl FromRequestParts<ApiState> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        let by_key = parts.headers.contains_key(header::AUTHORIZATION);
        let caller = if by_key {
            bearer(parts, &header::AUTHORIZATION, state).await?
        } else {
            signed_in(parts, state).await?
        };
        if let Some(context) = parts.extensions.get::<RequestContext>() {
            // Set once per request; a second extraction finds the same caller.
            context.principal.set(caller.principal.clone()).ok();
            if let Some((shop, _)) = caller.shop.filter(|_| by_key) {
                context.program.set((shop, Arc::clone(&caller.key_id))).ok();
            }
        }
        Ok(caller)
    }
}

/// Whoever's session the cookie is of. What changes something must be a request of ours. A browser
/// that is signed in for both asks for the wallet, unless it says [`SHOP_HEADER`]: a request is
/// never in a shop's name by accident.
async fn signed_in(parts: &Parts, state: &ApiState) -> Result<Caller, Problem> {
    let headers = &parts.headers;
    let says_shop = headers.contains_key(SHOP_HEADER);
    let has_wallet = session::has_cookie(headers, Audience::Wallet);
    let is_shops = says_shop || (!has_wallet && session::has_cookie(headers, Audience::Shop));
    let audience = if is_shops { Audience::Shop } else { Audience::Wallet };
    let session = session::session(headers, state, audience).await?;
    let session = session.ok_or_else(|| {
        if session::has_cookie(headers, audience) {
            return session::signed_out();
        }
        Problem::new(codes::UNAUTHENTICATED, "A valid API key is needed.")
    })?;
    if !parts.method.is_safe() {
        session::check_csrf(headers, state, &session, None)?;
    }
    if is_shops { of_shop_session(state, &session).await } else { of_session(&session) }
}

/// The member whose session it is, in the name of the shop that they chose. What they may do is
/// looked at anew each time: a role that was taken away is gone with the next request.
async fn of_shop_session(state: &ApiState, session: &Session) -> Result<Caller, Problem> {
    let membership = shop_session::membership(state, session).await?.ok_or_else(|| {
        Problem::new(codes::FORBIDDEN, "You work for no shop: open one, or join one.")
    })?;
    of_member(session, membership)
}

/// Somebody who works for a shop, by their session.
pub(super) fn of_member(session: &Session, shop: Membership) -> Result<Caller, Problem> {
    let id = session.id.to_string();
    Caller::of_member(session.person, (shop.merchant, shop.role), id.into())
        .map_err(|error| Problem::internal(&error))
}

/// The person of a session, who may do all that people may.
pub(super) fn of_session(session: &Session) -> Result<Caller, Problem> {
    let id = session.id.to_string();
    Caller::of_person(session.person, id.into(), ScopeSet::of(&Caller::OF_PEOPLE))
        .map_err(|error| Problem::internal(&error))
}

/// The person who let a frontend act for them, with what they let it do.
async fn of_token(token: &str, state: &ApiState) -> Result<Caller, Problem> {
    let Some((person, scopes)) = state.frontends.tokens.verify(token).await? else {
        metrics::counter!("bahi_http_tokens_refused_total").increment(1);
        let detail = "The access token is not in force any more. Refresh it.";
        return Err(Problem::new(codes::UNAUTHENTICATED, detail));
    };
    Caller::of_person(person, Tokens::id_of(token).into(), scopes)
        .map_err(|error| Problem::internal(&error))
}

/// Whether who was let in before still is.
pub(super) async fn is_in_force(caller: &Caller, state: &ApiState) -> bool {
    match (caller.person, caller.key_id.parse::<SessionId>()) {
        (_, Ok(session)) => {
            let is_alive = state.sessions.is_alive(session).await.unwrap_or(false);
            is_alive && still_works_there(caller, state).await
        }
        (None, Err(_)) => state.keys.in_force(&caller.key_id).await,
        (Some(_), Err(_)) => {
            let in_force = state.frontends.tokens.in_force(&caller.key_id).await;
            in_force.ok().flatten().unwrap_or(false)
        }
    }
}

/// Whether somebody who asks in a shop's name still may, in the same role; true of all others.
async fn still_works_there(caller: &Caller, state: &ApiState) -> bool {
    let Some((shop, role)) = caller.shop else { return true };
    let Ok(person) = caller.principal.as_str().parse() else { return false };
    let now = state.shops.role_of(shop, person).await;
    now.is_ok_and(|now| now == Some(role))
}

/// The caller whose key stands in the header `name`.
pub(super) async fn bearer(
    parts: &Parts,
    name: &HeaderName,
    state: &ApiState,
) -> Result<Caller, Problem> {
    let Some(token) = presented(&parts.headers, name) else {
        return Err(refused(parts, name, state, "not a key"));
    };
    if *name == header::AUTHORIZATION && Tokens::is_one(token) {
        return of_token(token, state).await;
    }
    match state.keys.verify(token).await {
        Ok(caller) => Ok(caller),
        Err(VerifyError::Refused) => Err(refused(parts, name, state, token)),
        Err(VerifyError::Unavailable) => {
            Err(Problem::new(codes::LEDGER_UNAVAILABLE, "The API keys cannot be read now.")
                .retry_after(1))
        }
    }
}

/// What stands after `Bearer` in the one header `name`.
fn presented<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// The answer to a key that is not in force, which is counted and written down: from which network,
/// and which key it was if it was ever one. Never the key itself.
fn refused(parts: &Parts, name: &HeaderName, state: &ApiState, token: &str) -> Problem {
    metrics::counter!("bahi_http_keys_refused_total").increment(1);
    tracing::warn!(header = %name, "an API key was refused");
    let (subject, reason) = match state.keys.revoked(token) {
        Some((id, principal)) => (id.to_string(), format!("a revoked key of {principal}")),
        None => (kind_of(token).to_owned(), "no key in force".to_owned()),
    };
    let who = ClientAddress::of_request(parts, state).network();
    state.refusals.key(&Refusal { who, subject, reason });
    Problem::new(codes::UNAUTHENTICATED, "A valid API key is needed.")
}

/// What a text that is no key looks like.
fn kind_of(token: &str) -> &'static str {
    let kinds = [("bahi_live_", "bahi_live_…"), ("bahi_test_", "bahi_test_…")];
    let kind = kinds.into_iter().find(|(prefix, _)| token.starts_with(prefix));
    kind.map_or("not a key", |(_, kind)| kind)
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
        if self.person.is_some() || self.shop.is_some() {
            let detail =
                "This is for the services and staff of the ledger, not for people and shops.";
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
