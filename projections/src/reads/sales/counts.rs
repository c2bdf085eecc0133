//! How many payments that match a filter are in each status, for the tabs over a list: counted no
//! further than people read.

use ledger_core::payment::PaymentStatus;
use sqlx::{QueryBuilder, postgres::PgRow};

use crate::{
    error::ReadError,
    reads::{At, PaymentFilter, ReadModels, unsigned},
};

/// How many of the newest payments are counted.
pub const PAYMENTS_COUNTED_MAX: u32 = 1_000;

/// How many there are among those that were counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PaymentCounts {
    /// In whichever status.
    pub all: u64,
    /// Paid, and nothing has gone back.
    pub completed: u64,
    /// Given back in part.
    pub partially_refunded: u64,
    /// Given back whole.
    pub refunded: u64,
    /// Disputed, whatever became of that; counted above as well.
    pub disputed: u64,
    /// Whether those are all that match; else there may be more of every status.
    pub is_whole: bool,
}

impl PaymentCounts {
    /// How many are in a status.
    pub const fn of(&self, status: PaymentStatus) -> u64 {
        match status {
            PaymentStatus::Completed => self.completed,
            PaymentStatus::PartiallyRefunded => self.partially_refunded,
            PaymentStatus::Refunded => self.refunded,
        }
    }

    fn read(row: &PgRow) -> Result<Self, ReadError> {
        let most = u64::from(PAYMENTS_COUNTED_MAX);
        let all = unsigned(row, "counted")?;
        Ok(Self {
            all: all.min(most),
            completed: unsigned(row, "completed")?.min(most),
            partially_refunded: unsigned(row, "partially_refunded")?.min(most),
            refunded: unsigned(row, "refunded")?.min(most),
            disputed: unsigned(row, "disputed")?.min(most),
            is_whole: all <= most,
        })
    }
}

impl ReadModels {
    /// How many of the payments that match are in each status. The filter's own status and the
    /// page do not count.
    pub async fn payment_counts(
        &self,
        filter: &PaymentFilter,
    ) -> Result<At<PaymentCounts>, ReadError> {
        let whole = PaymentFilter { status: None, disputed: false, before: None, ..filter.clone() };
        let mut query = QueryBuilder::new(
            "select c.position as reflects, s.* from read.checkpoint c cross join lateral (
                 select count(*) as counted,
                        count(*) filter (where status = 'completed') as completed,
                        count(*) filter (where status = 'partially_refunded')
                            as partially_refunded,
                        count(*) filter (where status = 'refunded') as refunded,
                        count(*) filter (where dispute is not null) as disputed
                 from (select p.status, p.dispute from read.payments p where true",
        );
        self.restrict(&mut query, &whole).await?;
        // One more than is counted says whether there is more.
        query.push(" order by p.paid_position desc limit ");
        query.push_bind(i64::from(PAYMENTS_COUNTED_MAX) + 1).push(") newest) s");
        let row = query.build().fetch_one(&self.pool).await?;
        Ok(At { position: unsigned(&row, "reflects")?, value: PaymentCounts::read(&row)? })
    }
}
