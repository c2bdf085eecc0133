//! The parameters in a path. A text that is no id names nothing, so it is 404 and not 422.

use std::str::FromStr;

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};

use super::{ApiState, Problem};

/// The one parameter of a path.
#[derive(Debug)]
pub(crate) struct Id<T>(pub(crate) T);

/// The two parameters of a path.
#[derive(Debug)]
pub(crate) struct Ids<A, B>(pub(crate) A, pub(crate) B);

fn nothing<E>(_: E) -> Problem {
    Problem::not_found("There is nothing of this id.")
}

impl<T: FromStr + Send> FromRequestParts<ApiState> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state).await.map_err(nothing)?;
        text.parse().map(Self).map_err(nothing)
    }
}

impl<A: FromStr + Send, B: FromStr + Send> FromRequestParts<ApiState> for Ids<A, B> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        let Path((a, b)) =
            Path::<(String, String)>::from_request_parts(parts, state).await.map_err(nothing)?;
        Ok(Self(a.parse().map_err(nothing)?, b.parse().map_err(nothing)?))
    }
}
