//! `open_items`: what is open on itemised accounts, and since when.
//!
//! An item is open from the leg that takes it away from zero to the leg that brings it back; then
//! its row goes. A run of legs can do both several times, so the legs are replayed in order on what
//! the table holds: the outcome does not depend on how the log was cut into runs.

use std::collections::{BTreeMap, HashMap};

use ledger_core::{clock::Timestamp, ids::Item, log::Position};
use rust_decimal::Decimal;
use sqlx::{PgConnection, Row};

use super::{PlacedLeg, Schema, add_to, bigint};
use crate::error::{Poison, ProjectionError};

/// The legs of a run, by account and item, in order.
#[derive(Default)]
pub(super) struct Changes<'e>(BTreeMap<(&'e str, Item), Vec<ItemLeg>>);

struct ItemLeg {
    position: Position,
    recorded_at: Timestamp,
    /// Above zero for a debit.
    debit: Decimal,
}

/// What is open on an item.
#[derive(Clone, Copy)]
struct Open {
    net_debits: Decimal,
    opened_position: i64,
    opened_at: Timestamp,
}

impl<'e> Changes<'e> {
    pub(super) fn leg(&mut self, placed: PlacedLeg<'e, '_>) {
        let Some(item) = &placed.leg.item else {
            return;
        };
        let (debit, credit) = placed.sides();
        let key = (placed.event.aggregate_id, item.clone());
        self.0.entry(key).or_default().push(ItemLeg {
            position: placed.event.position,
            recorded_at: placed.event.recorded_at,
            debit: if credit.is_zero() { debit } else { -credit },
        });
    }

    pub(super) async fn write_in_tx(
        &self,
        db: &mut PgConnection,
        schema: Schema,
    ) -> Result<(), ProjectionError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut known = self.read(db, schema).await?;
        let mut open = Rows::default();
        let (mut closed_accounts, mut closed_items) = (Vec::new(), Vec::new());
        for ((account, item), legs) in &self.0 {
            let before = known.remove(&((*account).to_owned(), item.as_str().to_owned()));
            if let Some(state) = replay(before, legs)? {
                open.push(account, item.as_str(), state);
            } else {
                closed_accounts.push(*account);
                closed_items.push(item.as_str());
            }
        }
        delete(db, schema, &closed_accounts, &closed_items).await?;
        open.upsert(db, schema).await
    }

    /// What the table holds of the items of this run.
    async fn read(
        &self,
        db: &mut PgConnection,
        schema: Schema,
    ) -> Result<HashMap<(String, String), Open>, ProjectionError> {
        let (accounts, items): (Vec<&str>, Vec<&str>) =
            self.0.keys().map(|(account, item)| (*account, item.as_str())).unzip();
        let sql = format!(
            "select o.account_id, o.item, o.net_debits::text as net_debits, o.opened_position,
                    o.opened_at
             from unnest($1::text[], $2::text[]) as k(account_id, item)
             join {}.open_items o on o.account_id = k.account_id and o.item = k.item",
            schema.name()
        );
        let rows = sqlx::query(&sql).bind(accounts).bind(items).fetch_all(db).await?;
        let mut known = HashMap::with_capacity(rows.len());
        for row in rows {
            let open = Open {
                net_debits: crate::reads::decimal(&row, "net_debits")?,
                opened_position: row.try_get("opened_position")?,
                opened_at: row.try_get("opened_at")?,
            };
            known.insert((row.try_get("account_id")?, row.try_get("item")?), open);
        }
        Ok(known)
    }
}

/// The item after `legs`; nothing if it is at zero.
fn replay(mut open: Option<Open>, legs: &[ItemLeg]) -> Result<Option<Open>, ProjectionError> {
    for leg in legs {
        let state = match &mut open {
            Some(state) => state,
            None => open.insert(Open {
                net_debits: Decimal::ZERO,
                opened_position: bigint(leg.position)?,
                opened_at: leg.recorded_at,
            }),
        };
        add_to(&mut state.net_debits, leg.debit)
            .map_err(|reason| Poison { position: leg.position, reason })?;
        if state.net_debits.is_zero() {
            open = None;
        }
    }
    Ok(open)
}

async fn delete(
    db: &mut PgConnection,
    schema: Schema,
    accounts: &[&str],
    items: &[&str],
) -> Result<(), ProjectionError> {
    if accounts.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "delete from {}.open_items o using unnest($1::text[], $2::text[]) as k(account_id, item)
         where o.account_id = k.account_id and o.item = k.item",
        schema.name()
    );
    sqlx::query(&sql).bind(accounts).bind(items).execute(db).await?;
    Ok(())
}

#[derive(Default)]
struct Rows<'a> {
    account: Vec<&'a str>,
    item: Vec<&'a str>,
    net_debits: Vec<Decimal>,
    opened_position: Vec<i64>,
    opened_at: Vec<Timestamp>,
}

impl<'a> Rows<'a> {
    fn push(&mut self, account: &'a str, item: &'a str, open: Open) {
        self.account.push(account);
        self.item.push(item);
        self.net_debits.push(open.net_debits);
        self.opened_position.push(open.opened_position);
        self.opened_at.push(open.opened_at);
    }

    async fn upsert(self, db: &mut PgConnection, schema: Schema) -> Result<(), ProjectionError> {
        let sql = format!(
            "insert into {}.open_items (account_id, item, net_debits, opened_position, opened_at)
             select * from unnest($1::text[], $2::text[], $3::numeric[], $4::bigint[],
                                  $5::timestamptz[])
             on conflict on constraint open_items_pkey do update
             set net_debits = excluded.net_debits,
                 opened_position = excluded.opened_position,
                 opened_at = excluded.opened_at",
            schema.name()
        );
        sqlx::query(&sql)
            .bind(self.account)
            .bind(self.item)
            .bind(self.net_debits)
            .bind(self.opened_position)
            .bind(self.opened_at)
            .execute(db)
            .await?;
        Ok(())
    }
}
