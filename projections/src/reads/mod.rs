//! Questions to the read models.
//!
//! Each answer comes from one snapshot of the database and says the position that it reflects: the
//! checkpoint is read in the same statement as the rows. Lists go on from a key, never from an
//! offset, so a page does not shift under what is appended meanwhile. Amounts are read as text and
//! parsed exactly: the driver's own conversion drops the scale of a zero and can round.

mod account_tree;
mod accounts;
mod activity;
mod activity_counts;
mod activity_news;
mod activity_plain;
mod activity_window;
mod as_of;
mod counterparties;
mod deposit_list;
mod deposits;
mod dues;
mod flows;
mod holds;
mod legs;
mod notes;
mod open_items;
mod owners;
mod payments;
mod payouts;
mod periods;
mod queue_place;
mod running;
mod sales;
mod sending_pace;
mod sheets;
mod statements;
mod transactions;
mod transfer_facts;
mod transfers;
mod trial_balance;
mod withdrawal_list;
mod withdrawal_queue;
mod withdrawals;

use std::{str::FromStr, time::Duration};

use ledger_core::log::Position;
use rust_decimal::Decimal;
use serde::{Serialize, de::DeserializeOwned, de::IntoDeserializer};
use sqlx::{PgPool, Row, postgres::PgRow};
use tokio::{sync::watch, time};

pub use account_tree::AccountGroup;
pub use accounts::{Account, AccountFilter, Balance};
pub use activity::{ActivityFilter, ActivityPage, ActivityRow, Towards, Turn};
pub use activity_counts::{ActivityCounts, COUNTED_MAX};
pub use activity_news::{Changes, Underway};
pub use activity_window::LOOKED_THROUGH_MAX;
pub use as_of::PastBalance;
pub use deposit_list::DepositRow;
pub use deposits::{DepositFact, DepositHistory};
pub use dues::Debt;
pub use flows::{DayFlow, Flows};
pub use holds::{Hold, HoldState};
pub use legs::Order;
pub use open_items::OpenItem;
pub use payments::{
    PaymentBar, PaymentFilter, PaymentRequestFilter, PaymentRequestRow, PaymentRow, PaymentSums,
    RefundRow, SettlementFilter, SettlementRow, SettlingDay,
};
pub use payouts::{Composition, Movement};
pub use periods::{Earned, PeriodChange};
pub use queue_place::QueuePlace;
pub use sales::{
    PAYMENTS_COUNTED_MAX, PaymentCounts, PaymentFact, PaymentHistory, PaymentTotals, SalesLine,
    SalesMark, SalesReport, SalesUnit,
};
pub use sending_pace::SendingPace;
pub use sheets::AsOf;
pub use statements::{Statement, StatementLine, StatementQuery};
pub use transactions::{Total, Transaction, TransactionDetail, TransactionFilter, TransactionLeg};
pub use transfers::{TransferFilter, TransferRow};
pub use trial_balance::{CurrencyBalance, TrialBalance, TrialLine};
pub use withdrawal_list::{Backlog, WithdrawalFilter};
pub use withdrawal_queue::{Float, KnownAttempt, WithdrawalRow};
pub use withdrawals::{WithdrawalFact, WithdrawalHistory};

use crate::{error::ReadError, projector::ProjectorStatus};

const WAIT_POLL_MIN: Duration = Duration::from_millis(2);
const WAIT_POLL_MAX: Duration = Duration::from_millis(20);

/// The read models, for asking.
#[derive(Debug, Clone)]
pub struct ReadModels {
    pool: PgPool,
    status: Option<watch::Receiver<ProjectorStatus>>,
}

/// An answer, and the position that it reflects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct At<T> {
    /// Everything up to here is in the answer, and nothing after it.
    pub position: Position,
    /// The answer.
    pub value: T,
}

/// A part of a list, and where it goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Page<T, C> {
    /// The items.
    pub items: Vec<T>,
    /// From where the next page starts; nothing if this is the last. A page can be short, even
    /// empty, and not the last: a filter that matches rarely is not searched without bound.
    pub next: Option<C>,
    /// Everything up to here is in the answer, and nothing after it.
    pub position: Position,
}

impl ReadModels {
    /// Asks the read models in the database of `pool`.
    pub fn new(pool: PgPool) -> Self {
        Self { pool, status: None }
    }

    /// The same, with a projector in this process: waiting for it then costs the database nothing.
    pub fn with_projector(self, status: watch::Receiver<ProjectorStatus>) -> Self {
        Self { status: Some(status), ..self }
    }

    /// How far the read models are.
    pub async fn position(&self) -> Result<Position, ReadError> {
        let row = sqlx::query("select position from read.checkpoint").fetch_one(&self.pool).await?;
        Ok(unsigned(&row, "position")?)
    }

    /// Waits until everything up to `position` is in the read models; returns how far they are.
    ///
    /// # Errors
    /// [`ReadError::Behind`] if that takes longer than `timeout`.
    pub async fn wait_for(
        &self,
        position: Position,
        timeout: Duration,
    ) -> Result<Position, ReadError> {
        let mut reached = self.known_position();
        if reached >= position {
            return Ok(reached);
        }
        let deadline = time::Instant::now() + timeout;
        let mut pause = WAIT_POLL_MIN;
        loop {
            // While the projector of this process is at work, its word is enough.
            if !self.is_following() {
                reached = self.position().await?;
            }
            if reached >= position {
                return Ok(reached);
            }
            if time::Instant::now() >= deadline {
                return Err(ReadError::Behind { wanted: position, reached });
            }
            self.told(position, pause.min(deadline - time::Instant::now())).await;
            reached = reached.max(self.known_position());
            pause = (pause * 2).min(WAIT_POLL_MAX);
        }
    }

    /// Returns when this process's projector says that it reached `position`, or after `pause`.
    async fn told(&self, position: Position, pause: Duration) {
        let Some(status) = &self.status else {
            return time::sleep(pause).await;
        };
        let mut status = status.clone();
        let told = async {
            if status.wait_for(|s| s.position >= position).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        // Whether it was told or the time ran out is seen from the status.
        drop(time::timeout(pause, told).await);
    }

    fn known_position(&self) -> Position {
        let status = self.status.as_ref();
        status.map_or(0, |status| status.borrow().position)
    }

    fn is_following(&self) -> bool {
        let status = self.status.as_ref();
        status.is_some_and(|status| status.has_changed().is_ok() && status.borrow().is_following())
    }
}

/// A position, sequence or count.
pub(crate) fn unsigned(row: &PgRow, column: &str) -> sqlx::Result<u64> {
    let value: i64 = row.try_get(column)?;
    u64::try_from(value).map_err(|source| undecodable(column, source))
}

/// An amount that was selected as text: exact, or an error.
pub(crate) fn decimal(row: &PgRow, column: &str) -> sqlx::Result<Decimal> {
    let text: &str = row.try_get(column)?;
    exact(text).map_err(|source| undecodable(column, source))
}

/// An amount that may be missing.
fn decimal_or_none(row: &PgRow, column: &str) -> sqlx::Result<Option<Decimal>> {
    let text: Option<&str> = row.try_get(column)?;
    text.map(exact).transpose().map_err(|source| undecodable(column, source))
}

fn exact(text: &str) -> Result<Decimal, rust_decimal::Error> {
    Decimal::from_str_exact(text)
}

/// An id or code.
fn parsed<T: FromStr>(row: &PgRow, column: &str) -> sqlx::Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text: &str = row.try_get(column)?;
    text.parse().map_err(|source| undecodable(column, source))
}

/// A variant by the name that it has in events.
fn variant<T: DeserializeOwned>(row: &PgRow, column: &str) -> sqlx::Result<T> {
    named(column, row.try_get(column)?)
}

fn named<T: DeserializeOwned>(column: &str, name: &str) -> sqlx::Result<T> {
    let name: serde::de::value::StrDeserializer<'_, serde::de::value::Error> =
        name.into_deserializer();
    T::deserialize(name).map_err(|source| undecodable(column, source))
}

/// The position that all rows reflect, and what they stand for. There is a row at least, for the
/// position; `item` says nothing for a row that stands for nothing else.
fn rows<T, E: From<sqlx::Error>>(
    rows: &[PgRow],
    item: impl Fn(&PgRow) -> Result<Option<T>, E>,
) -> Result<(Position, Vec<T>), E> {
    let first = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    let position = unsigned(first, "reflects")?;
    let items = rows.iter().filter_map(|row| item(row).transpose());
    Ok((position, items.collect::<Result<_, _>>()?))
}

/// The page of items of which one more than `limit` was asked for.
fn cut<T, C>(
    mut items: Vec<T>,
    limit: u32,
    position: Position,
    cursor: impl Fn(&T) -> C,
) -> Page<T, C> {
    let full = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > full;
    items.truncate(full);
    Page { next: items.last().filter(|_| more).map(cursor), items, position }
}

pub(crate) fn undecodable(
    column: &str,
    source: impl std::error::Error + Send + Sync + 'static,
) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: Box::new(source) }
}

/// Amounts of one row and one currency, each with as many decimals as any of them has: the database
/// keeps a plain zero without decimals, and what is not zero has those of its currency.
fn alike<const N: usize>(mut amounts: [Decimal; N]) -> [Decimal; N] {
    let scale = amounts.iter().map(Decimal::scale).max().unwrap_or_default();
    for amount in &mut amounts {
        *amount = at_scale(*amount, scale);
    }
    amounts
}

/// An amount at the scale of its currency: the database keeps a plain zero without decimals.
fn at_scale(mut amount: Decimal, scale: u32) -> Decimal {
    if amount.scale() < scale {
        amount.rescale(scale);
    }
    amount
}
