//! Whether a request was answered before: what is checked ahead of the ledger must not stand in the
//! way of a client who asks again for what has happened already.

use ledger_core::command::Operation;
use serde::Serialize;
use sqlx::PgPool;

use crate::http::{
    Problem,
    writer::{Done, Identity, Permission, Writer},
};

/// Whether the ledger has an outcome under this key of the caller's.
async fn is_known(pool: &PgPool, principal: &str, key: &str) -> Result<bool, sqlx::Error> {
    let sql = "select exists(select from idempotency where principal = $1 and key = $2)";
    sqlx::query_scalar(sql).bind(principal).bind(key).fetch_one(pool).await
}

/// The answer of before, if this request has one; else what stands in its way now.
pub(crate) async fn or_replay<T: Serialize>(
    writer: &Writer,
    identity: Identity<'_, T>,
    permission: Permission,
    problem: Problem,
) -> Result<Done, Problem> {
    let (pool, principal) = (&writer.state.reads, writer.caller.principal.as_str());
    if is_known(pool, principal, identity.key.0.as_str()).await.map_err(unread)? {
        // Never decided: keys are kept for ever, so what is answered is what is stored.
        return writer.submit(identity, permission, Operation::Post(Vec::new())).await;
    }
    Err(problem)
}

fn unread(error: sqlx::Error) -> Problem {
    Problem::from(projections::ReadError::from(error))
}
