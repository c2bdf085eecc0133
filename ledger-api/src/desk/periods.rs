//! Months that are closed and opened again, and the year's close, by two persons.

use chrono::NaiveDate;
use ledger_core::{
    book::{CloseYear, PeriodOperation},
    chart::{Authority, PostingClass},
    command::Approval,
    ids::Reference,
};
use serde::{Deserialize, Serialize};

use super::caught_up;
use crate::{
    http::{
        Problem,
        idempotency::Key,
        writer::{Done, Identity, Permission, Writer},
    },
    periods,
};

/// What a year's close moves: what was earned, to where it is kept.
pub(crate) const OF_YEARS: [PostingClass; 3] =
    [PostingClass::Income, PostingClass::Expense, PostingClass::Equity];

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

/// A year to close, as it is proposed. Its sums are taken when it is closed: its days are closed,
/// so nobody adds to them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct YearClosing {
    /// Its last day.
    pub(crate) until: NaiveDate,
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

/// Moves income and expense up to a closed day to `equity:retained`. `body` is the request as it
/// was made.
pub(crate) async fn close_year(
    writer: &Writer,
    approval: Approval,
    (key, body): (Key, &impl Serialize),
    until: NaiveDate,
) -> Result<Done, Problem> {
    let permission = Permission { authority: Authority::of(&OF_YEARS), approval: Some(approval) };
    let operation = PeriodOperation::CloseYear(year(writer, until).await?);
    let identity = Identity { key, operation: "close_year", path: &[], body };
    writer.submit(identity, permission, operation.into()).await
}

/// What closes the year that ends with `until`, as the log is now.
pub(crate) async fn year(writer: &Writer, until: NaiveDate) -> Result<CloseYear, Problem> {
    // The book first, then what was earned: a change in between makes the close void.
    writer.state.ledger.refresh().await?;
    let sequence = writer.state.ledger.status().borrow().book.sequence();
    caught_up(&writer.state).await?;
    let (models, id) = (&writer.state.read_models, writer.transaction_id());
    let close = periods::close_year(models, sequence, until, id).await;
    close.map_err(|error| Problem::internal(&error))
}
