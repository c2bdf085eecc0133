//! Which part of a wallet's activity is looked through for a filter: never more of it than a
//! window, however long the history.
//!
//! What is looked through are the wallet's rows and the legs of its plain transfers, so many of
//! each. Rows lie by where they began, legs by their sequence, and nothing else of them is in an
//! index but what is not done and banks' references: amounts, kinds and other sides would cost an
//! entry in an index for each transfer of everybody. So a filter by them looks through a window of
//! [`LOOKED_THROUGH_MAX`], and the page then says from where to look further. Dates bound the
//! window itself: moments never go back in the log, so they are positions.

use ledger_core::{
    ids::AccountId,
    log::{self, Position},
};
use sqlx::{Postgres, QueryBuilder};

use super::{ActivityFilter, ReadModels, Turn, unsigned};
use crate::{error::ReadError, models::ActivityStatus};

/// How many rows of a wallet are looked through for one page of a filtered list.
pub const LOOKED_THROUGH_MAX: u32 = 2_000;

/// A stretch of a wallet's activity, from one end on.
pub(super) struct Window<'f> {
    pub(super) account: &'f AccountId,
    pub(super) filter: &'f ActivityFilter,
    /// What began after this position.
    after: Option<Position>,
    /// What began at or before this one.
    upto: Option<Position>,
    /// From the newest on, or from the oldest.
    pub(super) newest_first: bool,
}

impl ReadModels {
    /// The window that a list goes on in.
    pub(super) async fn window<'f>(
        &self,
        account: &'f AccountId,
        filter: &'f ActivityFilter,
        turn: Option<Turn>,
    ) -> Result<Window<'f>, ReadError> {
        let (mut after, mut upto) = (None, None);
        if let Some(from) = filter.from {
            after = Some(self.recorded_before(from).await?);
        }
        if let Some(before) = filter.before {
            upto = Some(self.recorded_before(before).await?);
        }
        match turn {
            None => {}
            Some(Turn::Older(before)) => {
                let last = before.saturating_sub(1);
                upto = Some(upto.map_or(last, |upto| upto.min(last)));
            }
            Some(Turn::Newer(last)) => after = after.max(Some(last)),
        }
        let newest_first = !matches!(turn, Some(Turn::Newer(_)));
        Ok(Window { account, filter, after, upto, newest_first })
    }

    /// Where a full window ends; nothing if it has everything there is.
    pub(super) async fn window_edge(
        &self,
        window: &Window<'_>,
    ) -> Result<Option<Position>, ReadError> {
        let mut query = QueryBuilder::new("select began_position from read.activity");
        window.bounds(&mut query)?;
        let order = window.order();
        query.push(format!(" order by began_position {order} limit 2 offset "));
        query.push_bind(i64::from(LOOKED_THROUGH_MAX) - 1);
        let found = query.build().fetch_all(&self.pool).await?;
        match found.as_slice() {
            [last, _next] => Ok(Some(unsigned(last, "began_position")?)),
            _ => Ok(None),
        }
    }
}

impl Window<'_> {
    /// As SQL orders it.
    pub(super) const fn order(&self) -> &'static str {
        if self.newest_first { "desc" } else { "asc" }
    }

    /// Positions: after the one, up to and with the other.
    pub(super) const fn between(&self) -> (Option<Position>, Option<Position>) {
        (self.after, self.upto)
    }

    /// Whether what began at a position is in it.
    pub(super) fn has(&self, position: Position) -> bool {
        self.after.is_none_or(|after| position > after)
            && self.upto.is_none_or(|upto| position <= upto)
    }

    /// Of two places where looking was broken off, the one that comes first.
    pub(super) fn nearer(&self, one: Option<Position>, two: Option<Position>) -> Option<Position> {
        match (one, two) {
            (Some(one), Some(two)) if self.newest_first => Some(one.max(two)),
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        }
    }

    /// Whether a position comes no later than a place where looking was broken off.
    pub(super) fn is_before(&self, position: Position, edge: Option<Position>) -> bool {
        edge.is_none_or(|edge| if self.newest_first { position >= edge } else { position <= edge })
    }

    /// Whether the filter keeps all of the window.
    pub(super) fn keeps_all(&self) -> bool {
        let filter = self.filter;
        let others = (&filter.kind, filter.direction, filter.amount_min, filter.amount_max);
        let is_done = filter.status == Some(ActivityStatus::Done);
        others == (&None, None, None, None)
            && filter.counterparty.is_none()
            && filter.search.is_none()
            && !is_done
    }

    /// Whether what is looked for is found in an index, wherever it is.
    fn is_looked_up(&self) -> bool {
        self.filter.search.is_some()
    }

    /// The window as a table.
    pub(super) fn table(
        &self,
        query: &mut QueryBuilder<'_, Postgres>,
        columns: &str,
        most: u32,
    ) -> Result<(), ReadError> {
        query.push(format!("(select {columns} from read.activity"));
        self.bounds(query)?;
        if !self.is_looked_up() {
            query.push(format!(" order by began_position {} limit ", self.order()));
            query.push_bind(i64::from(most));
        }
        query.push(")");
        Ok(())
    }

    /// What an index bounds.
    fn bounds(&self, query: &mut QueryBuilder<'_, Postgres>) -> Result<(), ReadError> {
        query.push(" where account_id = ").push_bind(self.account.as_str().to_owned());
        if let Some(status) = self.filter.status.filter(|s| *s != ActivityStatus::Done) {
            // In the text of the query: only then the planner may use the index of what is not
            // done.
            query.push(format!(" and status = '{}'", status.as_str()));
        }
        if let Some(after) = self.after {
            query.push(" and began_position > ").push_bind(log::read::signed(after)?);
        }
        if let Some(upto) = self.upto {
            query.push(" and began_position <= ").push_bind(log::read::signed(upto)?);
        }
        if let Some(text) = &self.filter.search {
            query.push(" and (object_id = ").push_bind(text.clone());
            query.push(" or utr = ").push_bind(text.clone()).push(")");
        }
        Ok(())
    }

    /// What of the window is meant, as a condition.
    pub(super) fn wanted(&self, query: &mut QueryBuilder<'_, Postgres>) {
        let filter = self.filter;
        query.push("true");
        if let Some(kind) = &filter.kind {
            query.push(" and kind = ").push_bind(kind.clone());
        }
        if filter.status == Some(ActivityStatus::Done) {
            query.push(" and status = 'done'");
        }
        if let Some(direction) = filter.direction {
            query.push(" and direction = ").push_bind(direction.as_str());
        }
        if let Some(least) = filter.amount_min {
            query.push(" and amount >= ").push_bind(least);
        }
        if let Some(most) = filter.amount_max {
            query.push(" and amount <= ").push_bind(most);
        }
        if let Some(other) = &filter.counterparty {
            query.push(" and counterparty = ").push_bind(other.as_str().to_owned());
        }
    }
}
