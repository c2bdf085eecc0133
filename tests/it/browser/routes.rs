//! That every page is looked at: what the service has routes for, held against what the tests of
//! [`super::pages`] open.
//!
//! The routes are read from the sources, for a router does not tell its own. A page that is added
//! and not looked at fails here, without any browser; so does an exception that is not needed.

use std::{collections::BTreeMap, fs, path::Path};

use super::pages;

/// Where pages have their routes.
const SOURCES: [&str; 3] = ["pages", "logins", "routes/docs.rs"];
/// Routes that are not written where they are used: of what they are made, and their paths.
const MADE_ELSEWHERE: [(&str, &[&str]); 3] = [
    ("R::AUDIENCE.login()", &["/login", "/merchant/login", "/audit/login", "/ops/login"]),
    (
        "R::AUDIENCE.confirm()",
        &["/app/confirm", "/merchant/confirm", "/audit/confirm", "/ops/confirm"],
    ),
    ("PAY_PAGE", &["/app/pay"]),
];
/// What is asked for by GET and is no page that is opened by its address, and why.
const NO_PAGES: [(&str, &str); 39] = [
    ("/.well-known/oauth-authorization-server", "JSON"),
    ("/openapi.json", "JSON"),
    ("/dev/outbox.json", "JSON"),
    ("/static/{hash}/{*name}", "files, which every page asks for"),
    ("/app/activity.csv", "a file"),
    ("/merchant/payments.csv", "a file"),
    ("/merchant/payments/{id}/proof", "a file"),
    ("/merchant/payouts.csv", "a file"),
    ("/merchant/payouts/{id}/parts.csv", "a file"),
    ("/merchant/reports.csv", "a file"),
    ("/merchant/reports.pdf", "a file"),
    ("/merchant/settlements.csv", "a file"),
    ("/merchant/settlements/{id}/payments.csv", "a file"),
    ("/audit/checkpoints/{size}", "a file"),
    ("/audit/events/export", "a file"),
    ("/audit/proofs", "a file"),
    ("/audit/replay/stream", "a stream"),
    ("/merchant/counter/events", "a stream"),
    ("/merchant/events", "a stream"),
    ("/merchant/till", "a stream"),
    ("/app/move/add", "leads back to the form, for whoever loads an answer again"),
    ("/app/move/add/check", "a sheet behind a form: pages.rs looks at one"),
    ("/app/move/send", "leads back to the form"),
    ("/app/move/send/check", "a sheet behind a form: pages.rs looks at one"),
    ("/app/move/withdraw", "leads back to the form"),
    ("/app/move/withdraw/check", "a sheet behind a form: pages.rs looks at one"),
    ("/app/pay/check", "a sheet behind a form, as that of /app/pay"),
    ("/app/statements/files", "leads back to the statements"),
    ("/app/statements/files/{id}/events", "a stream"),
    ("/merchant/withdraw/check", "a sheet behind a form"),
    ("/merchant/payments/{id}/refund", "leads back to the payment"),
    ("/app/move/added", "leads from the bank to what became of it"),
    ("/login/{provider}", "leads to the provider"),
    ("/login/{provider}/callback", "leads from the provider on"),
    ("/app/confirm/{provider}", "leads to the provider"),
    ("/merchant/confirm/{provider}", "leads to the provider"),
    ("/app/security/logins/{provider}", "leads to the provider"),
    ("/login/confirm", "comes behind a provider only: tests/it/logins reads it"),
    ("/oauth/authorize", "comes with a frontend's question only: tests/it/logins reads it"),
];

/// The routes with a GET in a source: the first argument of `.route`, as it stands there, where the
/// second has one.
fn routes_of(source: &str) -> Vec<&str> {
    let calls =
        source.match_indices(".route(").filter_map(|(at, call)| source.get(at + call.len()..));
    let routes = calls.filter_map(|rest| {
        let mut depth = 1_u32;
        let end = rest.char_indices().find_map(|(at, c)| {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            (depth == 0).then_some(at)
        })?;
        let (path, handlers) = rest.get(..end)?.split_once(',')?;
        handlers.contains("get(").then_some(path.trim())
    });
    routes.collect()
}

/// What a route's argument says: a text, a constant of the same source, or what is made elsewhere.
fn paths_of(argument: &str, source: &str) -> Vec<String> {
    if let Some(path) = argument.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        return vec![path.to_owned()];
    }
    if let Some((_, paths)) = MADE_ELSEWHERE.iter().find(|(made_of, _)| *made_of == argument) {
        return paths.iter().map(|&path| path.to_owned()).collect();
    }
    let constant = format!("const {argument}: &str = \"");
    let path = source.split_once(&constant).and_then(|(_, rest)| rest.split_once('"'));
    vec![path.unwrap_or_else(|| panic!("what is the route {argument}?")).0.to_owned()]
}

fn read(path: &Path, found: &mut BTreeMap<String, String>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            read(&entry.unwrap().path(), found);
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        let source = fs::read_to_string(path).unwrap();
        for argument in routes_of(&source) {
            for route in paths_of(argument, &source) {
                found.insert(route, path.display().to_string());
            }
        }
    }
}

/// Whether an address is of a route: word by word, whatever stands in braces.
fn is_of(address: &str, route: &str) -> bool {
    let path = address.split('?').next().unwrap_or_default();
    let (mut words, mut parts) = (path.split('/'), route.split('/'));
    loop {
        match (words.next(), parts.next()) {
            (None, None) => return true,
            (Some(word), Some(part)) if word == part || part.starts_with('{') => {}
            _ => return false,
        }
    }
}

#[test]
fn every_page_is_looked_at_or_is_none() {
    let mut routes = BTreeMap::new();
    for source in SOURCES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ledger-api/src").join(source);
        read(&path, &mut routes);
    }
    assert!(routes.len() > NO_PAGES.len(), "the sources have routes: {routes:?}");
    let opened: Vec<&str> = pages::opened().collect();
    let mut faults = Vec::new();
    for (route, source) in &routes {
        // A page that has a name of its own is not the one of any name beside it.
        let exact =
            opened.iter().any(|page| is_of(page, route) && !is_another(page, route, &routes));
        let excepted = NO_PAGES.iter().any(|(path, _)| path == route);
        if exact == excepted {
            let what = if exact { "is looked at, and excepted" } else { "is not looked at" };
            faults.push(format!("{route} ({source}) {what}"));
        }
    }
    for path in NO_PAGES.iter().map(|(path, _)| *path).chain(opened.iter().copied()) {
        if !routes.keys().any(|route| is_of(path, route)) {
            faults.push(format!("{path} is no route"));
        }
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// Whether a page is the one of a route with just its words, and not of `route`.
fn is_another(page: &str, route: &str, routes: &BTreeMap<String, String>) -> bool {
    let path = page.split('?').next().unwrap_or_default();
    path != route && routes.contains_key(path)
}

#[test]
fn routes_are_found_however_they_are_written() {
    let source = "
        const PATH: &str = \"/ops/people\";
        Router::new()
            .route(\"/a\", get(one))
            .route(PATH, get(page).post(find))
            .route(
                \"/c/{id}\",
                post(only).get(too),
            )
            .route(\"/d\", post(act(1)))
            .route(R::AUDIENCE.login(), get(login::<R>))";
    let found = routes_of(source);
    assert_eq!(found, ["\"/a\"", "PATH", "\"/c/{id}\"", "R::AUDIENCE.login()"]);
    assert_eq!(paths_of("PATH", source), ["/ops/people"]);
    assert_eq!(paths_of("R::AUDIENCE.login()", source).len(), 4);
    assert!(is_of("/c/9?tab=x", "/c/{id}") && is_of("/", "/"));
    for (address, route) in
        [("/c", "/c/{id}"), ("/c/9/d", "/c/{id}"), ("/a/b", "/a/c"), ("/", "/a")]
    {
        assert!(!is_of(address, route), "{address} {route}");
    }
}
