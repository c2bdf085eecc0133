//! `accounts`: every account with its state after its last event.
//!
//! Balance and held sum come as the events state them, and are checked: from event to event within
//! a run; from run to run by the table's own constraint, which compares the balance with the sum of
//! the legs, and by the update, which compares what is held. Every update also demands that the row
//! stands at the sequence before the first new event, so that nothing is folded twice or left out.

mod rows;

use std::collections::{BTreeMap, HashMap};

use ledger_core::{
    account::{AccountEvent, Freeze, HoldChange, LimitsChanged, Opened},
    chart::Direction,
    log::Position,
};
use rust_decimal::Decimal;
use sqlx::{PgConnection, Row};

use super::{
    EventRow, PlacedLeg, Schema,
    activity::{Undone, is_plain},
    add_to,
};
use crate::error::{Poison, PoisonReason, ProjectionError};
use rows::{MovedRows, OpenedRows, SettingsRows};

/// What a run of events changes on accounts.
#[derive(Default)]
pub(super) struct Changes<'e> {
    opened: Vec<(EventRow<'e>, Opened)>,
    moved: HashMap<&'e str, Change>,
}

/// What changed on one account.
struct Change {
    first_position: Position,
    last_position: Position,
    /// The sequence before the first event of the run.
    before: u64,
    sequence: u64,
    debits: Decimal,
    credits: Decimal,
    /// Posted balance and held sum after the last event that states them.
    stated: Option<(Decimal, Decimal)>,
    /// The side on which the stated balances grow, once two of them showed it.
    normal: Option<Direction>,
    /// By how much the sum of holds changed.
    held: Decimal,
    open_holds: i64,
    /// Legs of plain transfers.
    plain_transfers: i64,
    /// What changes rarely; nothing if nothing did.
    settings: Option<Box<Settings>>,
}

#[derive(Default)]
struct Settings {
    limits: Option<LimitsChanged>,
    /// By reference, the last word: a freeze, or that it was lifted.
    freezes: BTreeMap<String, Option<Freeze>>,
    closed_at: Option<ledger_core::clock::Timestamp>,
}

impl<'e> Changes<'e> {
    pub(super) fn leg(&mut self, placed: PlacedLeg<'e, '_>) -> Result<(), PoisonReason> {
        let change = self.touch(placed.event)?;
        let (debit, credit) = placed.sides();
        add_to(&mut change.debits, debit)?;
        add_to(&mut change.credits, credit)?;
        change.plain_transfers += i64::from(is_plain(placed.leg));
        change.posted(placed)
    }

    pub(super) fn apply(
        &mut self,
        event: EventRow<'e>,
        fact: AccountEvent,
    ) -> Result<(), PoisonReason> {
        let change = self.touch(event)?;
        match fact {
            AccountEvent::Opened(opened) => {
                if change.before != 0 || opened.account.as_str() != event.aggregate_id {
                    return Err(PoisonReason::MalformedId);
                }
                self.opened.push((event, opened));
            }
            // Legs come in by their own way, before this one. What was used of a tier's limits is
            // asked of the account itself.
            AccountEvent::Debited(_) | AccountEvent::Credited(_) | AccountEvent::TierSet(_) => {}
            AccountEvent::HoldPlaced(hold) => change.held(&hold, hold.amount, 1)?,
            AccountEvent::HoldIncreased(hold) => change.held(&hold, hold.amount, 0)?,
            AccountEvent::HoldCaptured(hold)
            | AccountEvent::HoldReleased(hold)
            | AccountEvent::HoldExpired(hold) => change.held(&hold, -hold.amount, -1)?,
            AccountEvent::LimitsChanged(limits) => change.settings().limits = Some(limits),
            AccountEvent::Frozen(freeze) => {
                let reference = freeze.reference.as_str().to_owned();
                change.settings().freezes.insert(reference, Some(freeze));
            }
            AccountEvent::Unfrozen(lifted) => {
                let reference = lifted.reference.as_str().to_owned();
                change.settings().freezes.insert(reference, None);
            }
            AccountEvent::Closed {} => change.settings().closed_at = Some(event.recorded_at),
        }
        Ok(())
    }

    fn touch(&mut self, event: EventRow<'e>) -> Result<&mut Change, PoisonReason> {
        let before = event.sequence.saturating_sub(1);
        let change = self.moved.entry(event.aggregate_id).or_insert_with(|| Change {
            first_position: event.position,
            last_position: event.position,
            before,
            sequence: before,
            debits: Decimal::ZERO,
            credits: Decimal::ZERO,
            stated: None,
            normal: None,
            held: Decimal::ZERO,
            open_holds: 0,
            plain_transfers: 0,
            settings: None,
        });
        if change.sequence != before {
            return Err(PoisonReason::Sequence);
        }
        change.sequence = event.sequence;
        change.last_position = event.position;
        Ok(change)
    }

    pub(super) async fn write_in_tx(
        &self,
        undone: &[Undone],
        db: &mut PgConnection,
        schema: Schema,
    ) -> Result<(), ProjectionError> {
        self.insert_opened(db, schema).await?;
        self.update_moved(db, schema).await?;
        self.update_settings(db, schema).await?;
        take_away(undone, db, schema).await
    }

    async fn insert_opened(
        &self,
        db: &mut PgConnection,
        schema: Schema,
    ) -> Result<(), ProjectionError> {
        if self.opened.is_empty() {
            return Ok(());
        }
        let mut rows = OpenedRows::default();
        for (event, opened) in &self.opened {
            rows.push(event, opened)?;
        }
        let sql = format!(
            "insert into {}.accounts (id, code, currency, scale, owner, account_type, class,
                 itemised, floor, ceiling, opened_at, opened_position, last_position, metadata)
             select id, code, currency, scale, owner, account_type, class, itemised, floor,
                    ceiling, opened_at, opened_position, opened_position, metadata::json
             from unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::text[], $6::text[],
                         $7::text[], $8::bool[], $9::numeric[], $10::numeric[],
                         $11::timestamptz[], $12::bigint[], $13::text[])
                  as opened(id, code, currency, scale, owner, account_type, class, itemised,
                            floor, ceiling, opened_at, opened_position, metadata)",
            schema.name()
        );
        sqlx::query(&sql)
            .bind(rows.id)
            .bind(rows.code)
            .bind(rows.currency)
            .bind(rows.scale)
            .bind(rows.owner)
            .bind(rows.account_type)
            .bind(rows.class)
            .bind(rows.itemised)
            .bind(rows.floor)
            .bind(rows.ceiling)
            .bind(rows.opened_at)
            .bind(rows.opened_position)
            .bind(rows.metadata)
            .execute(db)
            .await?;
        Ok(())
    }

    async fn update_moved(
        &self,
        db: &mut PgConnection,
        schema: Schema,
    ) -> Result<(), ProjectionError> {
        // In the order of the index, so that neighbours share its pages.
        let mut moved: Vec<_> = self.moved.iter().collect();
        moved.sort_unstable_by_key(|(id, _)| **id);
        let mut rows = MovedRows::default();
        for (id, change) in &moved {
            rows.push(id, change)?;
        }
        let sql = format!(
            "update {}.accounts a
             set sequence = c.sequence,
                 last_position = c.last_position,
                 debits_posted = a.debits_posted + c.debits,
                 credits_posted = a.credits_posted + c.credits,
                 balance = coalesce(c.balance, a.balance),
                 held = coalesce(c.held, a.held),
                 open_holds = a.open_holds + c.open_holds,
                 plain_transfers = a.plain_transfers + c.plain_transfers
             from (select unnest($1::text[]) as id, unnest($2::bigint[]) as before,
                          unnest($3::bigint[]) as sequence, unnest($4::bigint[]) as last_position,
                          unnest($5::numeric[]) as debits, unnest($6::numeric[]) as credits,
                          unnest($7::numeric[]) as balance, unnest($8::numeric[]) as held,
                          unnest($9::numeric[]) as held_by, unnest($10::bigint[]) as open_holds,
                          unnest($11::bigint[]) as plain_transfers
                  ) as c
             where a.id = c.id and a.sequence = c.before
               and coalesce(c.held = a.held + c.held_by, true)",
            schema.name()
        );
        let done = sqlx::query(&sql)
            .bind(&rows.id)
            .bind(rows.before)
            .bind(rows.sequence)
            .bind(rows.last_position)
            .bind(rows.debits)
            .bind(rows.credits)
            .bind(rows.balance)
            .bind(rows.held)
            .bind(rows.held_by)
            .bind(rows.open_holds)
            .bind(rows.plain_transfers)
            .execute(&mut *db)
            .await?;
        if usize::try_from(done.rows_affected()) == Ok(moved.len()) {
            return Ok(());
        }
        Err(self.out_of_step(db, schema, &rows.id).await?.into())
    }

    /// The first event that does not follow what the table knows of its account, by its sequence
    /// or by what it says is held.
    async fn out_of_step(
        &self,
        db: &mut PgConnection,
        schema: Schema,
        ids: &[&str],
    ) -> Result<Poison, ProjectionError> {
        let sql = format!("select id, sequence from {}.accounts where id = any($1)", schema.name());
        let rows = sqlx::query(&sql).bind(ids).fetch_all(db).await?;
        let mut known = HashMap::new();
        for row in rows {
            let id: String = row.try_get("id")?;
            let sequence: i64 = row.try_get("sequence")?;
            known.insert(id, u64::try_from(sequence).unwrap_or_default());
        }
        // The rows that did match are updated by now: they stand at the run's end, not before it.
        let first = self
            .moved
            .iter()
            .map(|(id, change)| (change, known.get(*id).copied()))
            .filter(|(change, found)| *found != Some(change.sequence))
            .min_by_key(|(change, _)| change.first_position);
        let in_step = first.is_some_and(|(change, found)| found == Some(change.before));
        Ok(Poison {
            position: first.map_or(0, |(change, _)| change.first_position),
            reason: if in_step { PoisonReason::Balance } else { PoisonReason::Sequence },
        })
    }

    async fn update_settings(
        &self,
        db: &mut PgConnection,
        schema: Schema,
    ) -> Result<(), ProjectionError> {
        let mut rows = SettingsRows::default();
        for (id, change) in &self.moved {
            if let Some(settings) = &change.settings {
                rows.push(id, settings);
            }
        }
        if rows.id.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "update {}.accounts a
             set floor = case when c.limited then c.floor else a.floor end,
                 ceiling = case when c.limited then c.ceiling else a.ceiling end,
                 freezes = (a.freezes - array(select jsonb_array_elements_text(c.lifted)))
                           || c.frozen,
                 closed_at = coalesce(c.closed_at, a.closed_at)
             from unnest($1::text[], $2::bool[], $3::numeric[], $4::numeric[], $5::jsonb[],
                         $6::jsonb[], $7::timestamptz[])
                  as c(id, limited, floor, ceiling, lifted, frozen, closed_at)
             where a.id = c.id",
            schema.name()
        );
        sqlx::query(&sql)
            .bind(rows.id)
            .bind(rows.limited)
            .bind(rows.floor)
            .bind(rows.ceiling)
            .bind(rows.lifted)
            .bind(rows.frozen)
            .bind(rows.closed_at)
            .execute(db)
            .await?;
        Ok(())
    }
}

/// What was reversed is told by a row of its own, and counted there.
async fn take_away(
    undone: &[Undone],
    db: &mut PgConnection,
    schema: Schema,
) -> Result<(), ProjectionError> {
    if undone.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "update {}.accounts a set plain_transfers = a.plain_transfers - c.count
         from (select id, count(*) as count from unnest($1::text[]) id group by id) c
         where a.id = c.id",
        schema.name()
    );
    let accounts: Vec<&str> = undone.iter().map(|leg| leg.account.as_str()).collect();
    sqlx::query(&sql).bind(accounts).execute(db).await?;
    Ok(())
}

impl Change {
    /// A leg: the balance moves by its amount, what is held stays.
    fn posted(&mut self, placed: PlacedLeg<'_, '_>) -> Result<(), PoisonReason> {
        let leg = placed.leg;
        if let Some((balance, held)) = self.stated {
            let moved = leg.balance_after.checked_sub(balance);
            let moved = moved.ok_or(PoisonReason::Amount)?;
            let normal = if moved > Decimal::ZERO { placed.side } else { placed.side.opposite() };
            let side_holds = *self.normal.get_or_insert(normal) == normal;
            if moved.abs() != leg.amount || !side_holds || leg.held_after != held {
                return Err(PoisonReason::Balance);
            }
        }
        self.stated = Some((leg.balance_after, leg.held_after));
        Ok(())
    }

    /// A change to a hold: the balance stays, what is held moves.
    fn held(&mut self, hold: &HoldChange, by: Decimal, open: i64) -> Result<(), PoisonReason> {
        if let Some((balance, held)) = self.stated
            && (hold.balance_after != balance || held.checked_add(by) != Some(hold.held_after))
        {
            return Err(PoisonReason::Balance);
        }
        add_to(&mut self.held, by)?;
        self.stated = Some((hold.balance_after, hold.held_after));
        self.open_holds += open;
        Ok(())
    }

    fn settings(&mut self) -> &mut Settings {
        self.settings.get_or_insert_default()
    }
}
