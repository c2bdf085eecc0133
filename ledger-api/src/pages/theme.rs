//! The switch between light, dark and what the system says.
//!
//! It is a form and a cookie, so that it works without a script. The cookie is no secret and
//! changes nothing but colours: that is why the form needs no token.

use axum::{
    Form, Router,
    http::{HeaderValue, header},
    response::{IntoResponse, Redirect, Response},
    routing::post,
};
use serde::Deserialize;

use crate::http::ApiState;

/// The colours of a page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Theme {
    /// As the system says.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// The cookie that keeps it.
    pub(super) const COOKIE: &str = "theme";

    /// The theme of this name; the system's if there is none.
    pub(super) fn of(name: &str) -> Self {
        match name {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }

    /// Its name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// The routes.
pub(super) fn routes() -> Router<ApiState> {
    Router::new().route("/theme", post(choose))
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    theme: String,
    #[serde(default)]
    return_to: String,
}

async fn choose(Form(choice): Form<Choice>) -> Response {
    let cookie = format!(
        "{}={}; Path=/; Max-Age=31536000; SameSite=Lax; Secure; HttpOnly",
        Theme::COOKIE,
        Theme::of(&choice.theme).name()
    );
    let mut response = Redirect::to(local_path(&choice.return_to)).into_response();
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// The path if it leads to a place of ours, else the front page. `//host` and `/\host` lead
/// elsewhere, and so may what has characters that browsers drop.
pub(crate) fn local_path(path: &str) -> &str {
    let leads_out = path.starts_with("//")
        || path.contains('\\')
        || path.chars().any(|letter| !letter.is_ascii_graphic());
    if path.starts_with('/') && !leads_out { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_138_the_switch_leads_back_to_our_own_pages_only() {
        for good in ["/", "/app", "/app/activity?status=done&q=%2Fx"] {
            assert_eq!(local_path(good), good);
        }
        let outside = [
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "javascript:1",
            "",
            "app",
        ];
        for bad in outside.into_iter().chain(["/\t/evil.example", "/\r\nSet-Cookie: a=b"]) {
            assert_eq!(local_path(bad), "/", "{bad:?}");
        }
    }

    #[test]
    fn a_theme_that_nobody_knows_is_the_systems() {
        assert_eq!(Theme::of("dark"), Theme::Dark);
        assert_eq!(Theme::of("\"><script>"), Theme::System);
    }
}
