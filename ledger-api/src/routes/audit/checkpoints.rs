//! Signed checkpoints: the list, and one of them as a note.

use std::str::FromStr;

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::{body::CheckpointOut, examples::checkpoints, key::AuditKey};
use crate::{
    http::{
        Problem,
        path::Id,
        query::{NoParams, Params, not_a_filter},
        reader::{Listed, limit},
        reply::Reply,
    },
    proofs::{ProofStore, StoredCheckpoint},
};

const NOTE: &str = "text/plain; charset=utf-8";

/// Which checkpoints.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CheckpointsQuery {
    /// How many; 1 to 100, 25 if left out.
    #[serde(skip_serializing_if = "not_a_filter")]
    limit: Option<u32>,
    /// Where to go on: `next_cursor` of the page before.
    #[serde(skip_serializing_if = "not_a_filter")]
    cursor: Option<String>,
}

/// List the signed checkpoints
///
/// The last one first. Keep some of them where nobody who runs this service can reach: a log that
/// is cut short, rewritten, or shown in two versions contradicts them.
#[utoipa::path(
    get,
    path = "/v1/audit/checkpoints",
    tag = "Log",
    params(CheckpointsQuery),
    responses((
        status = 200,
        description = "A page of them.",
        body = Listed<CheckpointOut>,
        example = json!(checkpoints())
    )),
)]
pub(super) async fn list(
    key: AuditKey,
    Params(query): Params<CheckpointsQuery>,
) -> Result<Reply<Listed<CheckpointOut>>, Problem> {
    let limit = limit(query.limit)?;
    let list = key.list("checkpoints", &query);
    let before: Option<u64> = list.resume(query.cursor.as_deref())?;
    let mut found = key.reads.proofs.list(before, limit.saturating_add(1)).await?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > wanted;
    found.truncate(wanted);
    let next = found.last().filter(|_| more).map(|last| last.note.size());
    let position = key.head().await?;
    let data = found.into_iter().map(CheckpointOut::from).collect();
    key.page(&list, data, next, position)
}

/// Which checkpoint.
#[derive(Debug, Clone, Copy)]
pub(crate) enum CheckpointWanted {
    /// The last one.
    Latest,
    /// The one of exactly this size.
    OfSize(u64),
}

impl CheckpointWanted {
    /// It, if it was signed.
    pub(crate) async fn find(self, store: &ProofStore) -> sqlx::Result<Option<StoredCheckpoint>> {
        match self {
            Self::Latest => store.last().await,
            Self::OfSize(size) => store.of_size(size).await,
        }
    }
}

impl FromStr for CheckpointWanted {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "latest" { Ok(Self::Latest) } else { text.parse().map(Self::OfSize) }
    }
}

/// Get a signed checkpoint
///
/// The note itself, as plain text: origin, size, root, and the signatures of the log and of its
/// witnesses (C2SP `tlog-checkpoint`).
#[utoipa::path(
    get,
    path = "/v1/audit/checkpoints/{size}",
    tag = "Log",
    params(("size" = String, Path, description = "Its size, or `latest`.")),
    responses(
        (status = 200, description = "The note.", body = String, content_type = "text/plain"),
    ),
)]
pub(super) async fn one(
    key: AuditKey,
    Id(wanted): Id<CheckpointWanted>,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Response, Problem> {
    let found = wanted.find(&key.reads.proofs).await?;
    let none = || Problem::not_found("No checkpoint of that size was signed.");
    let mut response = found.ok_or_else(none)?.note.to_string().into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(NOTE));
    Ok(response)
}
