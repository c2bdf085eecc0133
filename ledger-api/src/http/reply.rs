//! Answers that say yes: a JSON body and the headers that go with it.

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use ledger_core::log::Position;
use serde::Serialize;

use super::{ApiState, Problem};

const POSITION: HeaderName = HeaderName::from_static("ledger-position");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// A JSON answer.
#[derive(Debug)]
pub(crate) struct Reply<T> {
    status: StatusCode,
    body: T,
    headers: HeaderMap,
}

impl<T: Serialize> Reply<T> {
    /// 200 with this body.
    pub(crate) fn ok(body: T) -> Self {
        Self { status: StatusCode::OK, body, headers: HeaderMap::new() }
    }

    /// 201 with this body, which stands at `location` from now on.
    pub(crate) fn created(body: T, location: &str) -> Self {
        let mut reply = Self::ok(body);
        reply.status = StatusCode::CREATED;
        if let Ok(value) = HeaderValue::try_from(location) {
            reply.headers.insert(header::LOCATION, value);
        }
        reply
    }

    /// What is answered, without its headers.
    pub(crate) fn into_body(self) -> T {
        self.body
    }

    /// With the position of the log that the answer reflects.
    pub(crate) fn at(mut self, position: Position) -> Self {
        set_position(&mut self.headers, position);
        self
    }

    /// Says whether an earlier request with the same key was answered this way.
    pub(crate) fn replayed(mut self, replayed: bool) -> Self {
        set_replayed(&mut self.headers, replayed);
        self
    }

    /// With the version of what is shown: `If-Match` of a change may name it.
    pub(crate) fn tagged(mut self, tag: &str) -> Self {
        if let Ok(value) = HeaderValue::try_from(tag) {
            self.headers.insert(header::ETAG, value);
        }
        self
    }

    /// With the address of the next page.
    pub(crate) fn next_link(mut self, address: Option<&str>) -> Self {
        let value = address.map(|next| HeaderValue::try_from(format!("<{next}>; rel=\"next\"")));
        if let Some(Ok(value)) = value {
            self.headers.insert(header::LINK, value);
        }
        self
    }
}

impl<T: Serialize> IntoResponse for Reply<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.body) {
            Ok(bytes) => {
                let mut response = (self.status, self.headers, bytes).into_response();
                response
                    .headers_mut()
                    .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
                response
            }
            Err(error) => Problem::internal(&error).into_response(),
        }
    }
}

pub(crate) fn set_position(headers: &mut HeaderMap, position: Position) {
    headers.insert(POSITION, HeaderValue::from(position));
}

pub(super) fn set_replayed(headers: &mut HeaderMap, replayed: bool) {
    if replayed {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
}

/// Answers that reflect no particular position say the last one that the engine knows.
pub(super) fn set_default_position(headers: &mut HeaderMap, state: &ApiState) {
    if !headers.contains_key(POSITION) {
        let position = state.ledger.status().borrow().head.position;
        set_position(headers, position);
    }
}
