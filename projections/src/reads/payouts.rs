//! What a payout is made of: the movements of an account since the payout before.
//!
//! Each leg states the balance after it, so opening, movements and closing add up to the last
//! digit by what the log says; a reader who adds them up checks the log and not us.

use std::collections::BTreeMap;

use ledger_core::{
    account::AccountEvent,
    chart::Direction,
    clock::Timestamp,
    ids::{AccountId, TransactionId},
    log::{self, LogError, Position},
    posting::Kind,
};
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::{Row, postgres::PgRow};

use super::{ReadModels, unsigned};
use crate::error::ReadError;

/// The most legs that one answer looks back over. What is older is in the opening balance.
const LEGS_MAX: i64 = 20_000;

/// What a payout is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Composition {
    /// The balance before the first movement.
    pub opening: Decimal,
    /// What came and went since, one line per cause; the payout itself is the last.
    pub movements: Vec<Movement>,
    /// The balance after the payout.
    pub closing: Decimal,
    /// Whether it goes back to the payout before; if not, what is older is in the opening balance.
    pub is_whole: bool,
}

/// What came or went for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Movement {
    /// Of what kind.
    pub kind: Kind,
    /// The object behind it: `set_…`, `rf_…`, `wd_…`; nothing for what stands for itself.
    pub cause: Option<String>,
    /// The first transaction of it.
    pub transaction: TransactionId,
    /// What came is above zero, what went below.
    pub amount: Decimal,
    /// When the first of it was recorded.
    pub at: Timestamp,
    /// Where that stands in the log.
    pub position: Position,
}

/// A leg as it moved the account.
struct Step {
    movement: Movement,
    balance_after: Decimal,
    is_payout: bool,
}

impl ReadModels {
    /// What the debit of `payout` on the account is made of; nothing if there is no such debit at
    /// or before `upto`.
    pub async fn composition(
        &self,
        account: &AccountId,
        payout: TransactionId,
        upto: Position,
    ) -> Result<Option<Composition>, ReadError> {
        let rows = sqlx::query(
            "select position, recorded_at, event_type, event_version, payload from events
             where aggregate_type = 'account' and aggregate_id = $1 and position <= $2
               and event_type in ('debited', 'credited')
             order by sequence desc limit $3",
        )
        .bind(account.as_str())
        .bind(log::read::signed(upto)?)
        .bind(LEGS_MAX)
        .fetch_all(&self.pool)
        .await?;
        let mut steps = Vec::new();
        let mut is_whole = i64::try_from(rows.len()).unwrap_or(i64::MAX) < LEGS_MAX;
        for row in &rows {
            let step = step(row)?;
            if steps.is_empty() && step.movement.transaction != payout {
                continue;
            }
            if !steps.is_empty() && step.is_payout {
                is_whole = true;
                break;
            }
            steps.push(step);
        }
        steps.reverse();
        let (Some(first), Some(last)) = (steps.first(), steps.last()) else { return Ok(None) };
        let opening = first.balance_after.checked_sub(first.movement.amount);
        let (opening, closing) = (opening.ok_or(ReadError::Amount)?, last.balance_after);
        Ok(Some(Composition { opening, movements: by_cause(steps)?, closing, is_whole }))
    }
}

/// One line per cause, in the order of their first legs.
fn by_cause(steps: Vec<Step>) -> Result<Vec<Movement>, ReadError> {
    let mut movements: Vec<Movement> = Vec::new();
    let mut known: BTreeMap<(String, bool), usize> = BTreeMap::new();
    for Step { movement, .. } in steps {
        let Some(cause) = movement.cause.clone() else {
            movements.push(movement);
            continue;
        };
        let place =
            *known.entry((cause, movement.amount.is_sign_negative())).or_insert(movements.len());
        match movements.get_mut(place) {
            Some(line) => {
                let sum = line.amount.checked_add(movement.amount);
                line.amount = sum.ok_or(ReadError::Amount)?;
            }
            None => movements.push(movement),
        }
    }
    Ok(movements)
}

fn step(row: &PgRow) -> Result<Step, ReadError> {
    let position = unsigned(row, "position")?;
    let (name, version) = (row.try_get("event_type")?, row.try_get("event_version")?);
    let event: AccountEvent = log::decode(name, version, row.try_get("payload")?)
        .map_err(|source| LogError::Corrupt { position, source })?;
    let (direction, leg) = event.leg().ok_or(ReadError::NotALeg(position))?;
    let amount = match direction {
        Direction::Credit => leg.amount,
        Direction::Debit => -leg.amount,
    };
    let movement = Movement {
        kind: leg.kind.clone(),
        cause: leg.cause.as_ref().map(ToString::to_string),
        transaction: leg.transaction_id,
        amount,
        at: row.try_get("recorded_at")?,
        position,
    };
    let is_payout = leg.kind.as_str() == Kind::WITHDRAWAL && direction == Direction::Debit;
    Ok(Step { movement, balance_after: leg.balance_after, is_payout })
}
