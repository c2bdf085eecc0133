//! What comes for a shop from other banks, or came and goes back there, as a list with filters.
//! What the shop has is a payment of the ledger, and in the list of those.

use ledger_core::{clock::Timestamp, ids::PaymentId};
use rust_decimal::Decimal;
use sqlx::{Postgres, QueryBuilder, Row as _};

use super::{
    CREDIT, Outside,
    seen::{Incoming, IncomingState, SEEN, incoming},
};
use crate::shops::MerchantId;

/// How many of the newest are counted.
const COUNTED_MAX: i64 = 1_000;

/// Which of them to list; what is not set does not restrict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingFilter {
    /// Of this shop.
    pub merchant: MerchantId,
    /// There; nothing for both, what comes and what goes back.
    pub state: Option<IncomingState>,
    /// First told of at or after this moment.
    pub from: Option<Timestamp>,
    /// First told of before this moment.
    pub until: Option<Timestamp>,
    /// For a request with this order id.
    pub order_id: Option<String>,
    /// For a request of this store.
    pub store: Option<String>,
    /// For a request of this terminal.
    pub terminal: Option<String>,
    /// Just this one.
    pub id: Option<PaymentId>,
    /// Of exactly this amount.
    pub amount: Option<Decimal>,
    /// Told of before this one: the cursor.
    pub before: Option<PaymentId>,
}

/// How many there are of each; at most a thousand are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IncomingCounts {
    /// On their way.
    pub processing: u64,
    /// That the shop cannot have.
    pub failed: u64,
    /// Whether those are all that match.
    pub is_whole: bool,
}

impl IncomingFilter {
    /// All of a shop.
    pub const fn of(merchant: MerchantId) -> Self {
        Self {
            merchant,
            state: None,
            from: None,
            until: None,
            order_id: None,
            store: None,
            terminal: None,
            id: None,
            amount: None,
            before: None,
        }
    }

    /// As conditions on the credit `c` and its request `p`.
    fn restrict(&self, query: &mut QueryBuilder<'_, Postgres>) {
        query.push(" where c.merchant = ").push_bind(self.merchant.uuid());
        let states = match self.state {
            Some(state) => state.noted().to_vec(),
            None => [IncomingState::Processing, IncomingState::Failed]
                .map(IncomingState::noted)
                .concat(),
        };
        query.push(" and c.state = any(").push_bind(states).push(")");
        // That the shop has it may not be noted yet.
        query.push(
            " and c.payment_id is not null
              and not exists (select from read.payments paid where paid.id = c.payment_id)",
        );
        if let Some(from) = self.from {
            query.push(" and c.noted_at >= ").push_bind(from);
        }
        if let Some(until) = self.until {
            query.push(" and c.noted_at < ").push_bind(until);
        }
        let texts =
            [("order_id", &self.order_id), ("store", &self.store), ("terminal", &self.terminal)];
        for (column, value) in texts {
            if let Some(value) = value {
                query.push(format!(" and p.{column} = ")).push_bind(value.clone());
            }
        }
        if let Some(id) = self.id {
            query.push(" and c.payment_id = ").push_bind(id.uuid());
        }
        if let Some(amount) = self.amount {
            query.push(" and c.amount = ").push_bind(amount);
        }
        if let Some(before) = self.before {
            query.push(
                " and (c.noted_at, c.payment_id) < (select b.noted_at, b.payment_id
                       from outside_credits b where b.payment_id = ",
            );
            query.push_bind(before.uuid()).push(")");
        }
    }
}

impl Outside {
    /// Those that match, the newest first, `limit` at most.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn listed(&self, filter: &IncomingFilter, limit: u32) -> sqlx::Result<Vec<Incoming>> {
        let mut query = QueryBuilder::new(format!("select {CREDIT}, {SEEN}"));
        filter.restrict(&mut query);
        query.push(" order by c.noted_at desc, c.payment_id desc limit ");
        query.push_bind(i64::from(limit));
        query.build().fetch_all(&self.pool).await?.iter().map(incoming).collect()
    }

    /// How many match in each state, whatever state and page the filter names.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn counted(&self, filter: &IncomingFilter) -> sqlx::Result<IncomingCounts> {
        let whole = IncomingFilter { state: None, before: None, ..filter.clone() };
        let mut query = QueryBuilder::new(
            "select count(*) filter (where state <> 'back') as processing,
                    count(*) filter (where state = 'back') as failed, count(*) as counted
             from (select c.state from outside_credits c
                   left join read.payment_requests p on p.id = c.request_id",
        );
        whole.restrict(&mut query);
        query.push(" order by c.noted_at desc limit ").push_bind(COUNTED_MAX + 1).push(") newest");
        let row = query.build().fetch_one(&self.pool).await?;
        let number = |name: &str| -> sqlx::Result<u64> {
            let number: i64 = row.try_get(name)?;
            Ok(u64::try_from(number.min(COUNTED_MAX)).unwrap_or_default())
        };
        let counted: i64 = row.try_get("counted")?;
        Ok(IncomingCounts {
            processing: number("processing")?,
            failed: number("failed")?,
            is_whole: counted <= COUNTED_MAX,
        })
    }

    /// When the newest of a shop was told of, by where it is: it moves with what comes and goes
    /// back.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn mark(&self, shop: MerchantId) -> sqlx::Result<Vec<Option<Timestamp>>> {
        let sql = "select array[
                       (select max(noted_at) from outside_credits
                        where merchant = $1 and state = 'open'),
                       (select max(noted_at) from outside_credits
                        where merchant = $1 and state = 'people'),
                       (select max(noted_at) from outside_credits
                        where merchant = $1 and state = 'back')]";
        sqlx::query_scalar(sql).bind(shop.uuid()).fetch_one(&self.pool).await
    }
}
