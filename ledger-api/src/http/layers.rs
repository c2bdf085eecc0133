//! The envelope around all handlers, and the router inside it.
//!
//! One layer does what every request needs, in this order: an id, the handler under a time limit
//! and with its panics caught, the problem's body, the headers that every answer has, the count
//! and the line in the access log. Neither bodies nor keys are ever logged.

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use futures::FutureExt as _;
use ledger_core::{clock::Ids, ids::RequestId};

use super::{ApiState, Problem, codes, context::RequestContext, reply};
use crate::{
    access_log::Refusal,
    logins::server::cors::{cors, keep},
    pages::{self, PageContext},
    routes,
    shops::ApiRequest,
};

/// The name of the header with the request's id.
const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// All routes of the service with the envelope around them.
pub fn router(state: ApiState) -> Router {
    router_with(Router::new(), state)
}

/// The same with further routes, which get the same envelope.
pub fn router_with(more: Router<ApiState>, state: ApiState) -> Router {
    let routes = routes::all().merge(more).fallback(nothing_here);
    // Before the layer: a preflight has a method that no address has.
    let routes = routes.method_not_allowed_fallback(no_method);
    let routes = routes.layer(middleware::from_fn_with_state(state.clone(), cors));
    enveloped(routes, Envelope::of(&state)).with_state(state)
}

/// What is at an address that nobody has.
pub(crate) async fn nothing_here() -> Problem {
    Problem::not_found("There is nothing at this address.")
}

async fn no_method() -> Problem {
    Problem::new(codes::METHOD_NOT_ALLOWED, "The address does not have this method.")
}

/// Routes with the envelope around them.
pub(crate) fn enveloped<S>(routes: Router<S>, envelope: Envelope) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    routes
        .method_not_allowed_fallback(no_method)
        .layer(middleware::from_fn_with_state(envelope, wrap))
}

/// What the envelope is made of.
#[derive(Clone)]
pub(crate) struct Envelope {
    /// Where the ids of requests come from.
    pub(crate) ids: Arc<dyn Ids>,
    /// How long a handler may take.
    pub(crate) handler_timeout: Duration,
    /// The API, whose answers say which position of the log they reflect; nothing for routes that
    /// know no log.
    pub(crate) api: Option<ApiState>,
}

impl Envelope {
    fn of(state: &ApiState) -> Self {
        Self {
            ids: Arc::clone(&state.ids),
            handler_timeout: state.handler_timeout,
            api: Some(state.clone()),
        }
    }
}

async fn wrap(State(state): State<Envelope>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let context = RequestContext::new(RequestId::from_uuid(state.ids.fresh()));
    request.extensions_mut().insert(context.clone());
    let about = About {
        method: request.method().clone(),
        path: request.uri().path().to_owned(),
        route: request.extensions().get::<MatchedPath>().cloned(),
        page: state.api.as_ref().and_then(|api| {
            pages::wants_page(request.method(), request.uri(), request.headers(), api.demo)
        }),
    };

    let nowhere = names_nothing(request.uri());
    let handled =
        AssertUnwindSafe(async { if nowhere { nothing_there() } else { next.run(request).await } });
    let handled = handled.catch_unwind();
    let mut response = match tokio::time::timeout(state.handler_timeout, handled).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => Problem::internal(&"a handler panicked").into_response(),
        // The handler is dropped, what it handed to the engine is not: it may still happen.
        Err(_) if about.method.is_safe() => {
            Problem::new(codes::READ_TIMEOUT, "The answer took too long.")
                .retry_after(1)
                .into_response()
        }
        Err(_) => Problem::outcome_unknown().into_response(),
    };

    let problem = response.extensions_mut().remove::<Problem>();
    if let Some(problem) = &problem {
        let allow = response.headers().get(header::ALLOW).cloned();
        let problem = &problem.clone().allow(allow);
        let before = std::mem::take(response.headers_mut());
        response = problem.render(context.id, &about.method, &about.path);
        if let Some(page) = &about.page {
            response = pages::problem_page((page, &about.path), problem, response, context.id);
        }
        keep(&before, response.headers_mut());
    }
    let headers = response.headers_mut();
    if let Some(api) = &state.api {
        reply::set_default_position(headers, api);
    }
    set_headers(headers, &about, context.id);
    if let (Some(api), Some(problem)) = (&state.api, &problem) {
        about.note_refusal(&context, problem, api);
    }
    about.record(&context, &response, problem.as_ref(), started);
    if let Some(api) = &state.api {
        about.note(api, &context, &response, (problem.as_ref(), started));
    }
    response
}

/// Whether an address has a NUL, which PostgreSQL's text cannot hold: nothing is called that. What
/// a program's query says is for its reader: cursors may have one.
fn names_nothing(uri: &Uri) -> bool {
    let asks = |query: &str| query.contains("%00") && !uri.path().starts_with("/v1/");
    uri.path().contains("%00") || uri.query().is_some_and(asks)
}

fn nothing_there() -> Response {
    Problem::new(codes::NOT_FOUND, "No address has a NUL in it.").into_response()
}

/// What the log and the metrics say about a request.
struct About {
    method: Method,
    path: String,
    route: Option<MatchedPath>,
    /// What a page needs to know, if a page is what was asked for.
    page: Option<PageContext>,
}

impl About {
    /// Writes down that a caller of the API wanted what they may not.
    fn note_refusal(&self, context: &RequestContext, problem: &Problem, api: &ApiState) {
        let (Some(principal), Some(route)) = (context.principal.get(), &self.route) else { return };
        let route = route.as_str();
        if problem.code() != codes::FORBIDDEN.name || !route.starts_with("/v1/") {
            return;
        }
        let subject = format!("{} {route}", method_label(&self.method));
        let (who, reason) = (principal.to_string(), problem.body().detail.into_owned());
        api.refusals.request(&Refusal { who, subject, reason });
    }

    /// The line in the program's log, and the metrics.
    fn record(
        &self,
        context: &RequestContext,
        response: &Response,
        problem: Option<&Problem>,
        started: Instant,
    ) {
        let elapsed = started.elapsed();
        let status = response.status().as_u16();
        // The pattern and not the path: a path would make as many series as there are accounts.
        let route = self.route.as_ref().map_or("none", MatchedPath::as_str).to_owned();
        let labels = [
            ("method", method_label(&self.method).to_owned()),
            ("route", route),
            ("status", status.to_string()),
        ];
        metrics::counter!("bahi_http_requests_total", &labels).increment(1);
        metrics::histogram!("bahi_http_request_seconds", &labels).record(elapsed);
        tracing::info!(
            target: "bahi::access",
            request = %context.id,
            principal = context.principal.get().map(tracing::field::display),
            method = %self.method,
            path = %self.path,
            status,
            code = problem.map(Problem::code),
            micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
        );
    }
}

impl About {
    /// Notes what a shop's own program asked, for who writes it.
    fn note(
        &self,
        api: &ApiState,
        context: &RequestContext,
        response: &Response,
        (problem, started): (Option<&Problem>, Instant),
    ) {
        let Some((shop, key_id)) = context.program.get() else { return };
        let request = ApiRequest {
            request_id: context.id,
            at: api.api_log.now(),
            method: method_label(&self.method).to_owned(),
            route: self.route.as_ref().map_or("none", MatchedPath::as_str).to_owned(),
            status: response.status().as_u16(),
            code: problem.map(|problem| problem.code().to_owned()),
            key_id: key_id.as_ref().to_owned(),
            micros: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        };
        api.api_log.note(*shop, request);
    }
}

/// The method, or `other`: a client may invent methods, and each would be a series.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        _ => "other",
    }
}

/// What a page may load and where its forms may go: our own, and nothing in its text. QR codes and
/// icons come as `data:` images.
pub(crate) const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                              img-src 'self' data:; font-src 'self'; connect-src 'self'; \
                              form-action 'self'; base-uri 'none'; object-src 'none'; \
                              frame-ancestors 'none'";
/// The vendored documentation page sets styles by script and shows icons from `data:` addresses.
const CSP_DOCS: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                        connect-src 'self'; img-src 'self' data:; form-action 'self'; \
                        base-uri 'none'; object-src 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 8] = [
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // Not `no-referrer`: browsers would call the origin of our own forms `null`.
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    (header::CACHE_CONTROL, "no-store"),
];

fn set_headers(headers: &mut HeaderMap, about: &About, id: RequestId) {
    // The files that pages load say themselves how long they may be kept.
    let kept = headers.get(header::CACHE_CONTROL).filter(|_| about.path.starts_with("/static/"));
    let kept = kept.cloned();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Some(kept) = kept {
        headers.insert(header::CACHE_CONTROL, kept);
    }
    let docs = about.path == "/docs" || about.path.starts_with("/docs/");
    let csp = if docs { CSP_DOCS } else { CSP };
    // A page whose form leads on to a login provider has a policy that names it.
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert_with(|| HeaderValue::from_static(csp));
    if let Ok(value) = HeaderValue::try_from(id.to_string()) {
        headers.insert(REQUEST_ID, value);
    }
}
