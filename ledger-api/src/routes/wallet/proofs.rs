//! The proof that a line of one's own statement is in the signed log.

use ledger_core::log;

use super::READ;
use crate::{
    http::{
        Problem,
        path::Id,
        query::{NoParams, Params},
        reach::nothing,
        reader::Reader,
        reply::Reply,
    },
    proofs::ProofStore,
    routes::audit::{ProofOut, inclusion_example, prove},
};

/// Prove a line of one's statement
///
/// Of a debit or credit of one's own wallet, by its position: the event, its path through the
/// Merkle tree of the log, and a signed checkpoint. Saved as a file, `bahi audit check` checks it
/// with the log's key and nothing else. 404 while no checkpoint has the event: one is signed within
/// a minute.
#[utoipa::path(
    get,
    path = "/v1/statements/proofs/{position}",
    tag = "Wallet",
    params(("position" = u64, Path, description = "The line's `position`.")),
    responses((
        status = 200,
        description = "The proof.",
        body = ProofOut,
        example = json!(inclusion_example())
    )),
)]
pub(super) async fn of_line(
    reader: Reader,
    Id(position): Id<u64>,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Reply<ProofOut>, Problem> {
    let (person, _) = reader.admit_person(READ, None).await?;
    let account = person.wallet().map_err(|error| Problem::internal(&error))?;
    let after = position.checked_sub(1).ok_or_else(nothing)?;
    let events = log::read::events(&reader.state.reads, after, position, 1).await?;
    let event = events.first().ok_or_else(nothing)?;
    let own = event.aggregate_type == "account" && event.aggregate_id == account.as_str();
    if !own {
        return Err(nothing());
    }
    let store = ProofStore::new(reader.state.reads.clone());
    Ok(Reply::ok(prove(&store, position, None).await?))
}
