//! Months that are closed and opened again, by two persons.

use chrono::NaiveDate;
use ledger_core::{book::PeriodOperation, chart::Authority, command::Approval, ids::Reference};
use serde::{Deserialize, Serialize};

use crate::http::{
    Problem,
    idempotency::Key,
    writer::{Done, Identity, Permission, Writer},
};

/// Months to close, as they are proposed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Closing {
    /// The last day of the last of them.
    pub(crate) until: NaiveDate,
}

/// Months to open again, as they are proposed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Opening {
    /// The first day of the first of them.
    pub(crate) from: NaiveDate,
    /// Why: it stands in the event.
    pub(crate) reason: Reference,
}

/// Closes all months up to a day. `body` is the request as it was made.
pub(crate) async fn close(
    writer: &Writer,
    approval: Approval,
    (key, body): (Key, &impl Serialize),
    until: NaiveDate,
) -> Result<Done, Problem> {
    let permission = Permission { authority: Authority::NONE, approval: Some(approval) };
    let identity = Identity { key, operation: "close_period", path: &[], body };
    writer.submit(identity, permission, PeriodOperation::Close { until }.into()).await
}

/// Opens the months from a day on again. `body` is the request as it was made.
pub(crate) async fn reopen(
    writer: &Writer,
    approval: Approval,
    (key, body): (Key, &impl Serialize),
    opening: &Opening,
) -> Result<Done, Problem> {
    let permission = Permission { authority: Authority::NONE, approval: Some(approval) };
    let identity = Identity { key, operation: "reopen_period", path: &[], body };
    let Opening { from, reason } = opening.clone();
    writer.submit(identity, permission, PeriodOperation::Reopen { from, reason }.into()).await
}
