//! The pages of logins by other providers: going there, coming back, and what may still be missing.

mod callback;
mod confirm;
mod finish;
mod linked;
mod said;
mod start;

use axum::{
    Router,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
    routing::{get, post},
};

use super::BrowserSecret;
use crate::{
    http::{
        ApiState,
        return_to::local,
        rooms::{InShops, InWallet},
    },
    people::Rate,
};

pub(crate) use linked::{LoginView, proving_links, remove, views};

/// The cookie of a browser that is on its way to a provider, or has a page left to fill in.
const COOKIE: &str = "__Host-bahi_login";
/// As long as the slowest page may take.
const COOKIE_SECONDS: u32 = 1800;
/// How often one network may begin a login, or come back from one.
const RATE: Rate = Rate { name: "login-provider", burst: 60, seconds: 1 };

/// A provider that somebody may come by.
#[derive(Debug, Clone)]
pub(crate) struct ProviderLink {
    /// What people call it.
    pub(crate) label: String,
    /// Where its button leads.
    pub(crate) href: String,
}

/// All providers, for pages where people come in and go on to a path of ours.
pub(crate) fn provider_links(state: &ApiState, return_to: &str) -> Vec<ProviderLink> {
    let path: String = form_urlencoded::byte_serialize(local(return_to).as_bytes()).collect();
    let links = state.logins.providers().map(|provider| ProviderLink {
        label: provider.label().to_owned(),
        href: format!("/login/{}?return_to={path}", provider.name()),
    });
    links.collect()
}

/// The routes.
pub(crate) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/login/{provider}", get(start::start))
        .route("/login/{provider}/callback", get(callback::callback))
        .route("/login/confirm", get(confirm::show).post(confirm::send))
        .route("/login/finish", get(finish::show).post(finish::send))
        .route("/app/security/logins/{provider}", get(linked::start))
        .route("/app/confirm/{provider}", get(linked::step_up::<InWallet>))
        .route("/merchant/confirm/{provider}", get(linked::step_up::<InShops>))
        .route("/app/security/logins/{provider}/unlink", post(linked::unlink))
}

/// The secret of a browser, if it has one; nothing if it has two.
fn browser(headers: &HeaderMap) -> Option<BrowserSecret> {
    let cookies = headers.get_all(header::COOKIE).iter();
    let pairs = cookies.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(';'));
    let ours = pairs.filter_map(|pair| pair.trim().split_once('='));
    let mut ours = ours.filter(|(name, _)| *name == COOKIE);
    let (_, value) = ours.next()?;
    BrowserSecret::parse(value).filter(|_| ours.next().is_none())
}

/// Lets the browser keep its secret for a while.
fn remember(response: &mut Response, browser: &BrowserSecret) {
    let text = format!(
        "{COOKIE}={}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={COOKIE_SECONDS}",
        browser.reveal()
    );
    put(response, &text);
}

/// Takes it away again.
fn forget(response: &mut Response) {
    put(response, &format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"));
}

fn put(response: &mut Response, text: &str) {
    if let Ok(value) = HeaderValue::try_from(text) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;

    use super::*;

    #[test]
    fn the_cookie_is_kept_to_this_host_and_read_back_once() {
        let secret = BrowserSecret::fresh().unwrap();
        let mut response = ().into_response();
        remember(&mut response, &secret);
        let set = response.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
        assert!(set.contains("; Path=/; Secure; HttpOnly; SameSite=Lax"), "{set}");
        let pair = set.split(';').next().unwrap();
        let read = |cookies: &str| {
            browser(&HeaderMap::from_iter([(header::COOKIE, cookies.parse().unwrap())]))
        };
        assert_eq!(read(&format!("a=b; {pair}")), Some(secret));
        assert_eq!(read(&format!("{pair}; {pair}")), None);
        assert_eq!(read("__Host-bahi_login=short"), None);
    }
}
