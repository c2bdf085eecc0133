//! What is known of a request before any handler sees it.

use std::sync::{Arc, OnceLock};

use axum::{extract::FromRequestParts, http::request::Parts};
use ledger_core::ids::{Principal, RequestId};

use super::{ApiState, Problem};
use crate::shops::MerchantId;

/// The request's id, and (once its key was accepted) who sent it.
#[derive(Debug, Clone)]
pub(crate) struct RequestContext {
    pub(crate) id: RequestId,
    pub(super) principal: Arc<OnceLock<Principal>>,
    /// The shop whose own program sent it, and by which of its keys.
    pub(super) program: Arc<OnceLock<(MerchantId, Arc<str>)>>,
}

impl RequestContext {
    pub(super) fn new(id: RequestId) -> Self {
        Self { id, principal: Arc::default(), program: Arc::default() }
    }
}

impl FromRequestParts<ApiState> for RequestContext {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| Problem::internal(&"a handler outside the envelope"))
    }
}
