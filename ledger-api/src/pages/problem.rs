//! A problem as a page, for people who came with a browser.
//!
//! Each says what happened, what became of the money where it can matter, and the one thing to do
//! next. What the status does not know is never called a failure.

use askama::Template;
use axum::{
    http::{HeaderMap, HeaderValue, Method, Uri, header},
    response::Response,
};
use ledger_core::ids::RequestId;

use super::{Layout, Nav, PageContext, respond};
use crate::http::{Problem, ProblemBody};

/// Addresses that programs ask: they get JSON whatever they accept.
const FOR_PROGRAMS: [&str; 6] = ["/v1/", "/hooks/", "/healthz", "/readyz", "/metrics", "/static/"];

/// The context of the page, if that is what the request asks for: a browser says that it takes
/// HTML, a program does not.
pub(crate) fn wants_page(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    demo: bool,
) -> Option<PageContext> {
    let path = uri.path();
    let takes_html = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|accept| accept.to_str().ok())
        .any(|accept| accept.contains("text/html"));
    let for_programs = FOR_PROGRAMS.iter().any(|prefix| path.starts_with(prefix));
    if !takes_html || for_programs {
        return None;
    }
    // What is sent back to after a choice of colours is asked for with GET.
    let back = uri.path_and_query().filter(|_| *method == Method::GET);
    Some(PageContext::of(headers, back.map_or("/", |path| path.as_str()), demo))
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemView {
    layout: Layout,
    status: u16,
    title: String,
    text: String,
    request_id: String,
    again: bool,
    refused: bool,
    home: Home,
}

/// Where somebody goes on from a page that says no, by where they were.
struct Home {
    /// What the addresses of this part of the site begin with, and its first page.
    href: &'static str,
    /// What it is to them.
    name: &'static str,
    /// Where they see what became of something that was cut off.
    look: &'static str,
}

const HOMES: [Home; 3] = [
    Home { href: "/merchant", name: "your shop", look: "/merchant/payments" },
    Home { href: "/ops", name: "the desk", look: "/ops" },
    Home { href: "/audit", name: "the audit", look: "/audit" },
];
const WALLET: Home = Home { href: "/app", name: "your wallet", look: "/app/activity" };

fn home(path: &str) -> Home {
    let within = |home: &Home| {
        let rest = path.strip_prefix(home.href);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
    };
    HOMES.into_iter().find(within).unwrap_or(WALLET)
}

/// The page about a problem at an address, with the headers that the problem has.
pub(crate) fn render(
    (context, asked): (&PageContext, &str),
    problem: &Problem,
    rendered: Response,
    request: RequestId,
) -> Response {
    let status = rendered.status();
    let (title, text) = words(&problem.body());
    let view = ProblemView {
        layout: context.layout(title.clone(), Nav::None, None),
        status: status.as_u16(),
        title,
        text,
        request_id: request.to_string(),
        again: status.is_server_error() || status.as_u16() == 429,
        refused: status.is_client_error() && status.as_u16() != 404,
        home: home(asked),
    };
    let mut response = respond::page_with(status, &view);
    if response.extensions().get::<Problem>().is_some() {
        return rendered;
    }
    for (name, value) in rendered.headers() {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            response.headers_mut().insert(name.clone(), value.clone());
        }
    }
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, html);
    response
}

/// The title and the text for people.
fn words(body: &ProblemBody) -> (String, String) {
    let (title, text) = match (body.status, &*body.code) {
        (404, _) => (
            "We can’t find that page",
            "The address may be mistyped, or what it showed may belong to another account.",
        ),
        (405, _) => ("That didn’t work from here", "Go back and use the button on the page."),
        (429, _) => ("A little too fast", "Wait a moment, then try again. Nothing has moved."),
        (_, "outcome_unknown") => (
            "We don’t know yet",
            "The answer did not come in time, and the work goes on. Look at your activity before \
             you try again: if it happened, you will find it there. Sending the same form again \
             can’t pay twice.",
        ),
        (503, _) => (
            "Back in a moment",
            "We can’t reach our books right now. Your money is where it was. Try again shortly.",
        ),
        (500.., _) => (
            "Something went wrong on our side",
            "We have noted it. Your money is safe: nothing moves unless it is written in the \
             books, whole.",
        ),
        _ => return (body.title.clone().into_owned(), body.detail.clone().into_owned()),
    };
    (title.to_owned(), text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::codes;

    fn asked(path: &str, accept: &str) -> Option<PageContext> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::try_from(accept).unwrap());
        headers.insert(header::COOKIE, HeaderValue::from_static("a=b; theme=dark"));
        wants_page(&Method::GET, &Uri::try_from(path).unwrap(), &headers, false)
    }

    #[test]
    fn browsers_get_pages_and_programs_json() {
        let browser = "text/html,application/xhtml+xml,*/*;q=0.8";
        let page = asked("/app/nothing?a=1", browser).unwrap();
        assert_eq!((page.theme.name(), &*page.path), ("dark", "/app/nothing?a=1"));
        assert_eq!(asked("/v1/accounts/x", browser), None);
        assert_eq!(asked("/app", "application/json"), None);
        assert_eq!(asked("/app", "*/*"), None);
    }

    #[test]
    fn a_page_says_what_to_do_and_hides_the_cause() {
        let problem = Problem::internal(&"password=hunter2");
        let body = problem.body();
        let request = RequestId::from_uuid(uuid::Uuid::nil());
        let rendered = problem.render(request, &Method::GET, "/app");
        let page = render((&PageContext::default(), "/ops/banks"), &problem, rendered, request);
        assert_eq!(page.status().as_u16(), 500);
        assert_eq!(page.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
        assert_eq!(home("/ops/banks").href, "/ops");
        assert_eq!(home("/merchant").href, "/merchant");
        assert_eq!(home("/opsy").href, "/app");
        let (title, text) = words(&body);
        assert!(!format!("{title}{text}").contains("hunter2"));
        let unknown = words(&Problem::outcome_unknown().body());
        assert_eq!(unknown.0, "We don’t know yet");
        let own = Problem::new(codes::INVALID, "That amount is none.").body();
        assert_eq!(words(&own).1, "That amount is none.");
    }
}
