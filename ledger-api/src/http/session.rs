//! Who is signed in: the cookie, and what handlers and pages take to know it.
//!
//! What changes something and has a session is checked here before any handler sees it: a request
//! with JSON by the header `X-CSRF-Token`, a form by its field `csrf`, both by where they say that
//! they come from. So a handler that takes one of these cannot forget it.

use std::fmt;

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;

use super::{
    ApiState, Problem, codes,
    context::RequestContext,
    json::{BODY_BYTES_MAX, collect},
    return_to::login_path,
};
use crate::{
    entry,
    people::{PeopleError, Person},
    sessions::{
        Audience, Session, Token,
        csrf::{self, Foreign},
    },
};

/// The cookie of each audience. By their prefix browsers take them only over TLS (or from this
/// machine), for all paths of this host and for no other host.
const fn cookie(audience: Audience) -> &'static str {
    match audience {
        Audience::Wallet => "__Host-bahi_session",
        Audience::Shop => "__Host-bahi_merchant",
        Audience::Audit => "__Host-bahi_audit",
        Audience::Ops => "__Host-bahi_ops",
    }
}

/// Somebody who is signed in, for routes of the API. Others get 401.
#[derive(Debug, Clone)]
pub(crate) struct SignedIn {
    /// Their session.
    pub(crate) session: Session,
    /// Who it is.
    pub(crate) person: Person,
}

/// Somebody who is signed in, for pages. Others are sent to the login, and back from there.
#[derive(Debug, Clone)]
pub(crate) struct SignedInPage(pub(crate) SignedIn);

/// Perhaps somebody who is signed in, for pages that anybody may see. Knows nothing of CSRF.
#[derive(Debug, Clone)]
pub(crate) struct MaybeSignedIn(pub(crate) Option<SignedIn>);

/// A form of one of our pages, from somebody who is signed in.
#[derive(Debug)]
pub(crate) struct SignedForm<T> {
    /// Who sent it.
    pub(crate) who: SignedIn,
    /// What is in it, without the CSRF token.
    pub(crate) form: T,
}

/// A form of one of our pages, from anybody.
#[derive(Debug)]
pub(crate) struct OpenForm<T>(pub(crate) T);

impl SignedIn {
    /// The token that forms and requests of this session have.
    pub(crate) fn csrf(&self, state: &ApiState) -> String {
        csrf::token(state.people.key(), self.session.id)
    }
}

/// The session of a request, if it has one for this audience; nothing is checked of where the
/// request comes from.
pub(crate) async fn session(
    headers: &HeaderMap,
    state: &ApiState,
    audience: Audience,
) -> Result<Option<Session>, Problem> {
    match token(headers, cookie(audience)) {
        Some(token) => Ok(state.sessions.find(&token, audience).await?),
        None => Ok(None),
    }
}

/// Who is signed in for an audience.
pub(super) async fn signed_in(
    parts: &Parts,
    state: &ApiState,
    audience: Audience,
) -> Result<Option<SignedIn>, Problem> {
    let session = session(&parts.headers, state, audience).await?;
    let Some(session) = session else { return Ok(None) };
    let Some(person) = state.people.by_id(session.person).await? else { return Ok(None) };
    if let Some(context) = parts.extensions.get::<RequestContext>()
        && let Ok(principal) = person.id.principal()
    {
        context.principal.set(principal).ok();
    }
    if !audience.is_staff() {
        let person = entry::with_wallet(state, person).await;
        return Ok(Some(SignedIn { session, person }));
    }
    // Nothing is written to the ledger for staff; and who works there no more is nobody there.
    let staff = entry::at_desk(state, &person, audience).await?;
    Ok(staff.map(|_| SignedIn { session, person }))
}

/// Whether a request of a session that changes something is one of ours.
pub(crate) fn check_csrf(
    headers: &HeaderMap,
    state: &ApiState,
    session: &Session,
    field: Option<&str>,
) -> Result<(), Problem> {
    let ours = state.people_settings.origin();
    csrf::check(headers, &ours, (state.people.key(), session.id), field).map_err(Problem::from)
}

/// Refuses a request that a browser says comes from a page of others: for what a cookie opens and
/// stays open. Clients that are no browsers say nothing.
pub(crate) fn refuse_foreign_origin(headers: &HeaderMap, state: &ApiState) -> Result<(), Problem> {
    csrf::check_origin(headers, &state.people_settings.origin()).map_err(Problem::from)
}

impl From<Foreign> for Problem {
    fn from(foreign: Foreign) -> Self {
        metrics::counter!("bahi_http_foreign_requests_total").increment(1);
        tracing::warn!(reason = %foreign, "a request was not taken for one of ours");
        let detail = match foreign {
            Foreign::Origin => "The request does not say that it comes from a page of ours.",
            Foreign::Token => {
                "The request has not the CSRF token of this session. Load the page again."
            }
        };
        Self::new(codes::CSRF_REFUSED, detail)
    }
}

impl From<PeopleError> for Problem {
    fn from(error: PeopleError) -> Self {
        match error {
            PeopleError::Database(error) => error.into(),
            PeopleError::HandleTaken => {
                Self::field(codes::HANDLE_TAKEN, "/handle", "Somebody has this handle already.")
            }
            PeopleError::EmailTaken => Self::field(
                codes::EMAIL_TAKEN,
                "/email",
                "There is an account with this e-mail address already.",
            ),
            PeopleError::Gone => Self::not_found("There is no such person."),
            PeopleError::Vault(_) | PeopleError::Malformed(_) => {
                Self::internal(&projections::describe(&error))
            }
        }
    }
}

/// What somebody who is not signed in is told.
pub(crate) fn signed_out() -> Problem {
    Problem::new(codes::SIGNED_OUT, "Nobody is signed in, or the session has ended.")
}

impl FromRequestParts<ApiState> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        let who = signed_in(parts, state, Audience::Wallet).await?.ok_or_else(signed_out)?;
        if !parts.method.is_safe() {
            check_csrf(&parts.headers, state, &who.session, None)?;
        }
        Ok(who)
    }
}

impl FromRequestParts<ApiState> for SignedInPage {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Response> {
        match signed_in(parts, state, Audience::Wallet).await {
            Ok(Some(who)) => Ok(Self(who)),
            Ok(None) => Err(to_login(parts)),
            Err(problem) => Err(problem.into_response()),
        }
    }
}

impl FromRequestParts<ApiState> for MaybeSignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        signed_in(parts, state, Audience::Wallet).await.map(Self)
    }
}

impl<T: DeserializeOwned> FromRequest<ApiState> for SignedForm<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Response> {
        Self::of(request, state, Audience::Wallet).await
    }
}

impl<T: DeserializeOwned> SignedForm<T> {
    /// The form of somebody who is signed in for an audience.
    pub(super) async fn of(
        request: Request,
        state: &ApiState,
        audience: Audience,
    ) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let who = match signed_in(&parts, state, audience).await {
            Ok(Some(who)) => who,
            Ok(None) => return Err(to_login(&parts)),
            Err(problem) => return Err(problem.into_response()),
        };
        let headers = parts.headers.clone();
        let bytes = form_bytes(Request::from_parts(parts, body)).await;
        let bytes = bytes.map_err(IntoResponse::into_response)?;
        let given = form_urlencoded::parse(&bytes).filter(|(name, _)| name == csrf::FIELD);
        let given: Vec<_> = given.map(|(_, value)| value).collect();
        // Two of them are none: it would be a guess which one counts.
        let field = if let [one] = given.as_slice() { one } else { "" };
        check_csrf(&headers, state, &who.session, Some(field))
            .map_err(IntoResponse::into_response)?;
        let form = parsed(&bytes).map_err(IntoResponse::into_response)?;
        Ok(Self { who, form })
    }
}

impl<T: DeserializeOwned> FromRequest<ApiState> for OpenForm<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Problem> {
        let ours = state.people_settings.origin();
        if csrf::is_said_ours(request.headers(), &ours) != Some(true) {
            return Err(Foreign::Origin.into());
        }
        parsed(&form_bytes(request).await?).map(Self)
    }
}

pub(crate) async fn form_bytes(request: Request) -> Result<axum::body::Bytes, Problem> {
    let essence = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let essence = essence.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        let detail = "Forms are sent as application/x-www-form-urlencoded.";
        return Err(Problem::new(codes::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    collect(request, BODY_BYTES_MAX).await
}

/// The fields of a form but for the CSRF token.
fn parsed<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let fields = form_urlencoded::parse(bytes).filter(|(name, _)| name != csrf::FIELD);
    let rest: String =
        form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    serde_urlencoded::from_str(&rest)
        .map_err(|error| Problem::new(codes::INVALID, format!("The form is not valid: {error}.")))
}

/// To the login, and back from there: for what was to be read to the page, for what was to be done
/// to the page that has the form.
pub(super) fn to_login(parts: &Parts) -> Response {
    let back = parts.uri.path_and_query().filter(|_| parts.method.is_safe());
    let back = back.map_or(parts.uri.path(), axum::http::uri::PathAndQuery::as_str);
    see_other(&login_path(back))
}

/// 303 to a path of ours.
pub(crate) fn see_other(path: &str) -> Response {
    match HeaderValue::try_from(path) {
        Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        Err(error) => Problem::internal(&error).into_response(),
    }
}

/// Whether a browser holds a token of ours, be it dead.
pub(super) fn has_cookie(headers: &HeaderMap, audience: Audience) -> bool {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut names =
        cookies.flat_map(|text| text.split(';')).filter_map(|pair| pair.split_once('='));
    names.any(|(name, _)| name.trim() == cookie(audience))
}

/// The token in the cookie; nothing if there is none, or two.
fn token(headers: &HeaderMap, cookie: &str) -> Option<Token> {
    let cookies = headers.get_all(header::COOKIE).iter();
    let pairs = cookies.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(';'));
    let ours = pairs.filter_map(|pair| pair.trim().split_once('='));
    let mut ours = ours.filter(|(name, _)| *name == cookie);
    let (_, value) = ours.next()?;
    value.parse().ok().filter(|_| ours.next().is_none())
}

/// A change of the session's cookie.
#[derive(Clone)]
pub(crate) enum SessionCookie {
    /// From here on this token.
    Set(Audience, Token),
    /// No token any more.
    Clear(Audience),
}

impl fmt::Display for SessionCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, value, end) = match self {
            Self::Set(audience, token) => (cookie(*audience), token.reveal(), ""),
            Self::Clear(audience) => (cookie(*audience), String::new(), "; Max-Age=0"),
        };
        write!(f, "{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax{end}")
    }
}

impl SessionCookie {
    /// Puts the change into an answer.
    pub(crate) fn put(&self, response: &mut Response) {
        if let Ok(value) = HeaderValue::try_from(self.to_string()) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
}

/// What the browser calls itself.
pub(crate) fn agent(headers: &HeaderMap) -> &str {
    headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(cookies: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(header::COOKIE, cookie.parse().unwrap());
        }
        token(&headers, cookie(Audience::Wallet)).is_some()
    }

    #[test]
    fn case_128_the_cookie_is_kept_to_this_host_and_from_scripts() {
        for (audience, name) in [
            (Audience::Wallet, "__Host-bahi_session="),
            (Audience::Shop, "__Host-bahi_merchant="),
            (Audience::Audit, "__Host-bahi_audit="),
            (Audience::Ops, "__Host-bahi_ops="),
        ] {
            let set = SessionCookie::Set(audience, Token::generate()).to_string();
            assert!(set.starts_with(name), "{set}");
            assert!(set.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax"), "{set}");
            assert!(!set.to_lowercase().contains("domain"), "{set}");
            let clear = SessionCookie::Clear(audience).to_string();
            assert!(clear.ends_with("SameSite=Lax; Max-Age=0"), "{clear}");
        }
    }

    #[test]
    fn one_cookie_counts_and_two_do_not() {
        let value = Token::generate().reveal();
        let name = cookie(Audience::Wallet);
        let ours = format!("{name}={value}");
        assert!(found(&[&ours]) && found(&["theme=dark", &ours]));
        assert!(found(&[&format!("a=b; {ours}; c=d")]));
        assert!(!found(&[&format!("{ours}; {ours}")]) && !found(&[&ours, &ours]));
        assert!(!found(&[&format!("bahi_session={value}")]));
        assert!(!found(&[]) && !found(&[&format!("{name}=x")]));
        let other = format!("{}={value}", cookie(Audience::Shop));
        assert!(!found(&[&other]) && found(&[&other, &ours]));
    }

    #[test]
    fn a_form_is_read_without_its_token() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Form {
            name: String,
        }
        assert_eq!(parsed::<Form>(b"name=Asha+Rao&csrf=1").unwrap().name, "Asha Rao");
        assert!(parsed::<Form>(b"name=a&role=admin").is_err());
        assert!(parsed::<Form>(b"name=a&name=b").is_err());
    }
}
