//! What a page knows of the request before anything is looked up.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};

use super::{Layout, Nav, Viewer, theme::Theme};
use crate::http::ApiState;

/// The request as far as the layout shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PageContext {
    /// The colours that the browser asked for.
    pub(crate) theme: Theme,
    /// The address, with its query: where the switch of colours leads back to.
    pub(crate) path: String,
    /// Whether this is the demonstration.
    pub(crate) demo: bool,
}

impl PageContext {
    /// The context of a request.
    pub(crate) fn of(headers: &HeaderMap, path: &str, demo: bool) -> Self {
        let theme = cookie(headers, Theme::COOKIE).map_or_else(Theme::default, Theme::of);
        Self { theme, path: path.to_owned(), demo }
    }

    /// The layout of a page with this title, for whoever looks at it.
    pub(crate) fn layout(
        &self,
        title: impl Into<String>,
        nav: Nav,
        viewer: Option<Viewer>,
    ) -> Layout {
        Layout {
            title: title.into(),
            nav,
            viewer,
            shop: None,
            desk: None,
            theme: self.theme,
            demo: self.demo,
            path: self.path.clone(),
        }
    }
}

impl FromRequestParts<ApiState> for PageContext {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, api: &ApiState) -> Result<Self, Infallible> {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self::of(&parts.headers, path, api.demo))
    }
}

/// The value of the first cookie of this name.
fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}
