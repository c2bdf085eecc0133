//! What banks told by webhook: read again, and applied once more.

use super::acts::Act;
use crate::{
    http::{ApiState, Problem, codes, writer::Writer},
    webhooks::{Attempt, Inbox},
};

/// The inbox of this process.
pub(crate) fn inbox(state: &ApiState) -> Result<&Inbox, Problem> {
    let detail = "This process does not know the inbox; one with the role worker does.";
    state.operators.inbox.as_ref().ok_or_else(|| Problem::new(codes::INBOX_UNAVAILABLE, detail))
}

/// Applies a delivery once more; all that it came to, the first first. Its effect happens once,
/// however often it is applied.
pub(crate) async fn reprocess(writer: &Writer, id: i64) -> Result<Vec<Attempt>, Problem> {
    let inbox = inbox(&writer.state)?;
    let delivery = inbox.find(id).await?;
    let delivery = delivery.ok_or_else(|| Problem::not_found("There is nothing of this id."))?;
    let Some(applier) = writer.state.operators.applier.clone() else {
        let detail = "This process calls no bank; one with the banks' addresses applies it.";
        return Err(Problem::new(codes::BANK_UNAVAILABLE, detail));
    };
    let stopping = writer.state.stopping.clone();
    // A task of its own: what was asked of a bank is not to be lost because somebody hung up.
    let settled = tokio::spawn(async move { applier.settle(delivery, &stopping).await });
    let settled = settled.await.map_err(|error| Problem::internal(&error))?;
    if let Err(error) = settled {
        let error = projections::describe(&error);
        tracing::warn!(delivery = id, error, "not applied");
        let detail = "It could not be applied now. Nothing is lost; try again.";
        return Err(Problem::new(codes::LEDGER_UNAVAILABLE, detail).retry_after(1));
    }
    tracing::info!(delivery = id, principal = %writer.caller.principal, "applied once more");
    Act::without_reason("message_reprocessed", &id.to_string()).keep(writer).await?;
    Ok(inbox.attempts(id).await?)
}
