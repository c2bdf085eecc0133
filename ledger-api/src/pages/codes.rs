//! `/problems/{code}`: what an error code of the API means, for whoever follows the `type` of a
//! problem. Open to everybody: it says nothing but what the documentation says.

use askama::Template;
use axum::{Router, extract::Path, response::Response, routing::get};

use super::{Layout, Nav, PageContext, respond};
use crate::http::{
    ApiState, Problem,
    codes::{self, Code, Retry},
};

/// The routes.
pub(super) fn routes() -> Router<ApiState> {
    Router::new().route("/problems/{code}", get(page))
}

#[derive(Template)]
#[template(path = "code.html")]
struct CodeView {
    layout: Layout,
    code: &'static Code,
    meaning: Vec<Piece>,
    again: &'static str,
}

/// A piece of a meaning, which quotes code between backticks.
#[derive(Debug, PartialEq, Eq)]
struct Piece {
    text: &'static str,
    is_code: bool,
}

async fn page(context: PageContext, Path(name): Path<String>) -> Result<Response, Problem> {
    let code = codes::find(&name)
        .ok_or_else(|| Problem::not_found("There is no error code of this name."))?;
    Ok(respond::page(&CodeView {
        layout: context.layout(code.title, Nav::None, None),
        code,
        meaning: pieces(code.meaning),
        again: match code.retry {
            Retry::Never => "Not as it is.",
            Retry::SameKey => "Yes, with the same idempotency key.",
        },
    }))
}

/// The words before, between and after the backticks.
fn pieces(meaning: &'static str) -> Vec<Piece> {
    let parts = meaning.split('`').enumerate();
    parts.map(|(index, text)| Piece { text, is_code: index % 2 == 1 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_backticks_is_code() {
        let told: Vec<_> = pieces("Send `a` or `b`.").iter().map(|p| (p.text, p.is_code)).collect();
        assert_eq!(
            told,
            [("Send ", false), ("a", true), (" or ", false), ("b", true), (".", false)]
        );
        for code in codes::all() {
            assert_eq!(code.meaning.matches('`').count() % 2, 0, "{}", code.name);
        }
    }
}
