//! The list of what happened on a wallet, with who was on the other side.

use std::collections::HashMap;

use ledger_core::{ids::AccountId, log::Position, money::Money};
use projections::{ActivityCounts, ActivityFilter, ActivityRow, Turn};

use super::{money, person_of};
use crate::{
    http::{ApiState, Problem},
    people::{PersonId, PublicFace},
};

/// A part of a wallet's activity, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// The things.
    pub items: Vec<ActivityItem>,
    /// How many there are of each status, whatever status was asked for.
    pub counts: ActivityCounts,
    /// Where older ones follow; nothing if there are none.
    pub older: Option<Position>,
    /// Where newer ones follow; nothing if there are none.
    pub newer: Option<Position>,
    /// The position that this reflects.
    pub position: Position,
}

/// One thing of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityItem {
    /// What is known of it.
    pub row: ActivityRow,
    /// How much, without the fee.
    pub amount: Money,
    /// What it costs.
    pub fee: Money,
    /// The person on the other side, if it is one and they are not erased.
    pub other: Option<PublicFace>,
}

/// A part of a wallet's activity.
pub(crate) async fn activity(
    state: &ApiState,
    account: &AccountId,
    filter: &ActivityFilter,
    turn: Option<Turn>,
    limit: u32,
) -> Result<Activity, Problem> {
    let models = &state.read_models;
    let page = models.activity(account, filter, turn, limit).await?;
    let counts = models.activity_counts(account, filter).await?;
    let faces = faces(state, &page.rows).await?;
    let mut items = Vec::with_capacity(page.rows.len());
    for row in page.rows {
        items.push(item(state, row, &faces)?);
    }
    Ok(Activity {
        items,
        counts: counts.value,
        older: page.older,
        newer: page.newer,
        position: page.position,
    })
}

/// Who stands on the other side of things.
pub(super) async fn faces(
    state: &ApiState,
    rows: &[ActivityRow],
) -> Result<HashMap<PersonId, PublicFace>, Problem> {
    let others = rows.iter().filter_map(|row| row.counterparty.as_ref());
    let mut people: Vec<PersonId> = others.filter_map(person_of).collect();
    people.sort_unstable();
    people.dedup();
    if people.is_empty() {
        return Ok(HashMap::new());
    }
    Ok(state.people.faces(&people).await?)
}

/// A row with what is known elsewhere.
pub(super) fn item(
    state: &ApiState,
    row: ActivityRow,
    faces: &HashMap<PersonId, PublicFace>,
) -> Result<ActivityItem, Problem> {
    let book = state.ledger.status().borrow().book.clone();
    let currency = book.currency(row.currency);
    let currency = currency.ok_or_else(|| Problem::internal(&"a currency that is in no book"))?;
    let at_scale = |amount| money(amount, currency).map_err(|error| Problem::internal(&error));
    let other = row.counterparty.as_ref().and_then(person_of);
    Ok(ActivityItem {
        amount: at_scale(row.amount)?,
        fee: at_scale(row.fee)?,
        other: other.and_then(|person| faces.get(&person).cloned()),
        row,
    })
}

/// What changed on a wallet after a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Changed {
    /// The things, in the order of their last changes.
    pub(crate) items: Vec<ActivityItem>,
    /// Whether the account itself changed.
    pub(crate) has_moved: bool,
    /// The position that this reflects.
    pub(crate) position: Position,
}

/// What changed on a wallet after a position, `limit` things at most.
pub(crate) async fn changes(
    state: &ApiState,
    account: &AccountId,
    after: Position,
    limit: u32,
) -> Result<Changed, Problem> {
    let found = state.read_models.activity_since(account, after, limit).await?;
    let faces = faces(state, &found.value.rows).await?;
    let mut items = Vec::with_capacity(found.value.rows.len());
    for row in found.value.rows {
        items.push(item(state, row, &faces)?);
    }
    let has_moved = found.value.account_position > after;
    Ok(Changed { items, has_moved, position: found.position })
}
