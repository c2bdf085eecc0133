//! Proofs: that an event is in a signed log, and that one signed log goes on from another.

use projections::audit::proof::ConsistencyFile;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    body::{ConsistencyOut, ProofOut},
    examples::{consistency as consistency_example, inclusion as inclusion_example},
    key::AuditKey,
};
use crate::{
    http::{Problem, path::Id, query::Params, reply::Reply},
    proofs::{ProofStore, StoredCheckpoint, TreeError, consistency_of, proof_of},
};

/// Under which checkpoint.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ProofQuery {
    /// The size of a signed checkpoint; the last one if left out.
    size: Option<u64>,
}

/// Prove that an event is in the log
///
/// The event, its path through the Merkle tree, and a signed checkpoint: save it as a file and give
/// it to `bahi audit check`, which needs no database. 404 while no checkpoint has the event: one is
/// signed within a minute.
#[utoipa::path(
    get,
    path = "/v1/audit/proofs/{position}",
    tag = "Log",
    params(("position" = u64, Path, description = "The event's position."), ProofQuery),
    responses((
        status = 200,
        description = "The proof.",
        body = ProofOut,
        example = json!(inclusion_example())
    )),
)]
pub(super) async fn inclusion(
    key: AuditKey,
    Id(position): Id<u64>,
    Params(query): Params<ProofQuery>,
) -> Result<Reply<ProofOut>, Problem> {
    Ok(Reply::ok(prove(&key.reads.proofs, position, query.size).await?))
}

/// The proof of an event, under the checkpoint of a size or the last one.
pub(crate) async fn prove(
    store: &ProofStore,
    position: u64,
    size: Option<u64>,
) -> Result<ProofOut, Problem> {
    let checkpoint = under(store, size).await?;
    let proof = proof_of(store, position, &checkpoint.note).await?;
    ProofOut::of(proof.ok_or_else(|| Problem::not_found(NOT_YET))?)
}

const NOT_YET: &str = "No signed checkpoint has an event at that position. After an event, one is \
                       signed within a minute.";

/// From where to where.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ConsistencyQuery {
    /// The size of the smaller checkpoint.
    #[param(required = true)]
    from: Option<u64>,
    /// The size of the larger one; the last one if left out.
    to: Option<u64>,
}

/// Prove that one checkpoint goes on from another
///
/// The proof of RFC 9162, 2.1.4, between two signed checkpoints: save it as a file and give it to
/// `bahi audit check`.
#[utoipa::path(
    get,
    path = "/v1/audit/consistency",
    tag = "Log",
    params(ConsistencyQuery),
    responses((
        status = 200,
        description = "The proof.",
        body = ConsistencyOut,
        example = json!(consistency_example())
    )),
)]
pub(super) async fn consistency(
    key: AuditKey,
    Params(query): Params<ConsistencyQuery>,
) -> Result<Reply<ConsistencyOut>, Problem> {
    let wanted = || Problem::parameter("from", "The size of a signed checkpoint.");
    let from = query.from.ok_or_else(wanted)?;
    if query.to.is_some_and(|to| to < from) {
        return Err(Problem::parameter("to", "At least `from`."));
    }
    let store = &key.reads.proofs;
    let from = signed(store, from).await?;
    let to = under(store, query.to).await?;
    let path = consistency_of(store, from.note.size(), to.note.size()).await?;
    Ok(Reply::ok(ConsistencyFile::new(&path, &from.note, &to.note).into()))
}

/// The checkpoint of a size, or the last one.
async fn under(store: &ProofStore, size: Option<u64>) -> Result<StoredCheckpoint, Problem> {
    match size {
        Some(size) => signed(store, size).await,
        None => store.last().await?.ok_or_else(|| Problem::not_found(NOT_YET)),
    }
}

async fn signed(store: &ProofStore, size: u64) -> Result<StoredCheckpoint, Problem> {
    let none = || Problem::not_found("No checkpoint of that size was signed.");
    store.of_size(size).await?.ok_or_else(none)
}

impl From<TreeError> for Problem {
    fn from(error: TreeError) -> Self {
        match error {
            TreeError::Log(error) => error.into(),
            TreeError::Database(error) => error.into(),
            TreeError::Hole => Self::internal(&error),
        }
    }
}
