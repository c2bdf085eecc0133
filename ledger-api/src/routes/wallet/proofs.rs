//! The proof that a line of one's own statement, or of one's shop's, is in the signed log.

use ledger_core::{ids::AccountId, log};

use super::READ;
use crate::{
    http::{
        Problem, codes,
        path::Id,
        query::{NoParams, Params},
        reach::{Reach, nothing},
        reader::Reader,
        reply::Reply,
    },
    proofs::ProofStore,
    routes::audit::{ProofOut, inclusion_example, prove},
};

/// Prove a line of one's statement
///
/// Of a debit or credit of one's own wallet, or of an account of one's shop, by its position: the
/// event, its path through the Merkle tree of the log, and a signed checkpoint. Saved as a file,
/// `bahi audit check` checks it with the log's key and nothing else. 404 while no checkpoint has
/// the event: one is signed within a minute.
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
    let (reach, _) = reader.admit_shop(READ, None).await?;
    if reach == Reach::Everything {
        let detail = "This is of a person or a shop. Auditors have `/v1/audit/proofs/{position}`.";
        return Err(Problem::new(codes::FORBIDDEN, detail));
    }
    let after = position.checked_sub(1).ok_or_else(nothing)?;
    let events = log::read::events(&reader.state.reads, after, position, 1).await?;
    let event = events.first().ok_or_else(nothing)?;
    let account = Some(&event.aggregate_id).filter(|_| event.aggregate_type == "account");
    let account: Option<AccountId> = account.and_then(|id| id.parse().ok());
    reach.maybe_account(account.as_ref())?;
    let store = ProofStore::new(reader.state.reads.clone());
    Ok(Reply::ok(prove(&store, position, None).await?))
}
