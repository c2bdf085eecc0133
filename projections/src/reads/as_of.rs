//! What an account's balance was: at a position, at a moment, on a business date.
//!
//! A position is the exact one: events at the same moment have an order by it. A moment stands for
//! the last position recorded by then; appends are recorded in order, so it is one place in the
//! log. Both are read from the account's stream, whose events state the balance after them, and do
//! not wait for any read model. A business date asks another question, what belongs to the days up
//! to it whenever it was recorded: the sum of the flows.

use chrono::NaiveDate;
use ledger_core::{
    account::AccountEvent,
    chart::{AccountType, Direction},
    clock::Timestamp,
    ids::AccountId,
    log::{self, LogError, Position},
    money::Currency,
};
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::Row;

use super::{
    At, ReadModels, accounts::currency, at_scale, decimal, legs::sequence_at, undecodable,
    unsigned, variant,
};
use crate::{error::ReadError, models::decode_leg};

/// A balance of the past, on the account's normal side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PastBalance {
    /// The currency with its scale.
    pub currency: Currency,
    /// The sum of the legs up to then.
    pub posted: Decimal,
    /// The sum of the holds that were open; nothing for a business date, which holds do not have.
    pub held: Option<Decimal>,
    /// The account's last event up to then; nothing for a business date.
    pub sequence: Option<u64>,
}

impl ReadModels {
    /// The balance after the event at `position`, if the account was open by then.
    ///
    /// # Errors
    /// [`ReadError::NotRecorded`] if the log does not reach that position.
    pub async fn balance_at_position(
        &self,
        id: &AccountId,
        position: Position,
    ) -> Result<At<Option<PastBalance>>, ReadError> {
        let head = log::read::head(&self.pool).await?.position;
        if position > head {
            return Err(ReadError::NotRecorded { wanted: position, head });
        }
        let sequence = sequence_at(&self.pool, id, position).await?;
        let value = match sequence {
            0 => None,
            _ => Some(self.balance_after(id, sequence).await?),
        };
        Ok(At { position, value })
    }

    /// The balance after everything that was recorded at or before `moment`, if the account was
    /// open by then. For a moment that is not over the answer can still change.
    pub async fn balance_at_time(
        &self,
        id: &AccountId,
        moment: Timestamp,
    ) -> Result<At<Option<PastBalance>>, ReadError> {
        let position = self.recorded_by(moment).await?;
        self.balance_at_position(id, position).await
    }

    /// The balance of all legs with a business date up to `date`, if the account exists.
    pub async fn balance_on_date(
        &self,
        id: &AccountId,
        date: NaiveDate,
    ) -> Result<At<Option<PastBalance>>, ReadError> {
        let row = sqlx::query(
            "select c.position as reflects, a.currency, a.scale, a.account_type,
                    coalesce(f.debits, 0)::text as debits, coalesce(f.credits, 0)::text as credits
             from read.checkpoint c
             left join read.accounts a on a.id = $1
             left join lateral (select sum(debits) as debits, sum(credits) as credits
                                from read.flows where account_id = a.id and day <= $2) f on true",
        )
        .bind(id.as_str())
        .bind(date)
        .fetch_one(&self.pool)
        .await?;
        let position = unsigned(&row, "reflects")?;
        if row.try_get::<Option<&str>, _>("currency")?.is_none() {
            return Ok(At { position, value: None });
        }
        let account_type: AccountType = variant(&row, "account_type")?;
        let (debits, credits) = (decimal(&row, "debits")?, decimal(&row, "credits")?);
        let currency = currency(&row)?;
        let posted = net(account_type, debits, credits)?;
        Ok(At {
            position,
            value: Some(PastBalance {
                currency,
                posted: at_scale(posted, u32::from(currency.scale)),
                held: None,
                sequence: None,
            }),
        })
    }

    /// The balance after event `sequence` of the account, 1 or later: what the last event up to
    /// there states that states any.
    async fn balance_after(&self, id: &AccountId, sequence: u64) -> Result<PastBalance, ReadError> {
        // Opening, limits, freezes and closing move nothing and state no balance; but the opening
        // knows the scale.
        let rows = sqlx::query(
            "(select position, event_type, event_version, payload from events
              where aggregate_type = 'account' and aggregate_id = $1 and sequence <= $2
                and event_type not in
                    ('opened', 'limits_changed', 'tier_set', 'frozen', 'unfrozen', 'closed')
              order by sequence desc limit 1)
             union all
             (select position, event_type, event_version, payload from events
              where aggregate_type = 'account' and aggregate_id = $1 and sequence = 1)",
        )
        .bind(id.as_str())
        .bind(log::read::signed(sequence)?)
        .fetch_all(&self.pool)
        .await?;
        let mut scale = 0;
        let mut stated = (Decimal::ZERO, Decimal::ZERO);
        for row in &rows {
            let position = unsigned(row, "position")?;
            let event = log::decode(
                row.try_get("event_type")?,
                row.try_get("event_version")?,
                row.try_get("payload")?,
            )
            .map_err(|source| LogError::Corrupt { position, source })?;
            match event {
                AccountEvent::Opened(opened) => scale = opened.scale,
                AccountEvent::Debited(leg) | AccountEvent::Credited(leg) => {
                    stated = (leg.balance_after, leg.held_after);
                }
                AccountEvent::HoldPlaced(hold)
                | AccountEvent::HoldIncreased(hold)
                | AccountEvent::HoldCaptured(hold)
                | AccountEvent::HoldReleased(hold)
                | AccountEvent::HoldExpired(hold) => {
                    stated = (hold.balance_after, hold.held_after);
                }
                AccountEvent::LimitsChanged(_)
                | AccountEvent::TierSet(_)
                | AccountEvent::Frozen(_)
                | AccountEvent::Unfrozen(_)
                | AccountEvent::Closed {} => {}
            }
        }
        let code = id.currency().map_err(|source| undecodable("currency", source))?;
        Ok(PastBalance {
            currency: Currency { code, scale },
            posted: at_scale(stated.0, u32::from(scale)),
            held: Some(at_scale(stated.1, u32::from(scale))),
            sequence: Some(sequence),
        })
    }

    /// The place that is meant by a position in a report of several accounts: the end of the
    /// transaction that its event is a leg of, else the position itself. Amid a transaction debits
    /// are not credits; and it never stood like that, since its legs are appended at once.
    ///
    /// # Errors
    /// [`ReadError`] if the log cannot be read.
    pub async fn whole_at(&self, position: Position) -> Result<Position, ReadError> {
        let row = sqlx::query(
            "select event_type, event_version, payload from events
             where position = $1
               and aggregate_type = 'account' and event_type in ('debited', 'credited')",
        )
        .bind(log::read::signed(position)?)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(position) };
        let (event_type, version) = (row.try_get("event_type")?, row.try_get("event_version")?);
        let leg = decode_leg(event_type, version, row.try_get("payload")?)
            .map_err(|source| LogError::Corrupt { position, source })?;
        Ok(position.saturating_add(u64::from(leg.legs.saturating_sub(leg.leg))))
    }

    /// The last position that was recorded at or before `moment`: moments never go back in the log.
    pub async fn recorded_by(&self, moment: Timestamp) -> Result<Position, ReadError> {
        self.last_recorded("<=", moment).await
    }

    /// The last position that was recorded before `moment`.
    pub(super) async fn recorded_before(&self, moment: Timestamp) -> Result<Position, ReadError> {
        self.last_recorded("<", moment).await
    }

    async fn last_recorded(
        &self,
        relation: &'static str,
        moment: Timestamp,
    ) -> Result<Position, ReadError> {
        let sql = format!(
            "select last_position from batches where recorded_at {relation} $1
             order by recorded_at desc, number desc limit 1"
        );
        let row = sqlx::query(&sql).bind(moment).fetch_optional(&self.pool).await?;
        match row {
            Some(row) => Ok(unsigned(&row, "last_position")?),
            None => Ok(0),
        }
    }
}

/// A balance on the normal side of an account of this type.
pub(super) fn net(
    account_type: AccountType,
    debits: Decimal,
    credits: Decimal,
) -> Result<Decimal, ReadError> {
    let net = match account_type.normal_side() {
        Direction::Debit => debits.checked_sub(credits),
        Direction::Credit => credits.checked_sub(debits),
    };
    net.ok_or(ReadError::Amount)
}
