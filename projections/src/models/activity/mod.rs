//! `activity`: what the owner of a wallet sees of it, one row per wallet and business object.
//!
//! Deposits, withdrawals and transfers to be claimed are folded from their whole streams, as in
//! their own read models, so a row is the same whether it was written once or at every event. Plain
//! transfers have none ([`plain`]): a wallet's own stream tells of them. All else that moves a
//! wallet is a row per transaction. Of shops there are the withdrawals; accounts that are neither
//! have none.

mod legs;
mod objects;
mod payments;
mod plain;
mod rows;
mod status;
mod transfers;

use ledger_core::{
    clock::Timestamp,
    ids::{TransactionId, TransferId},
    log::Position,
};
use sqlx::PgConnection;

pub(super) use plain::{Undone, undone};
pub(crate) use plain::{is_plain, object_of};
pub use status::ActivityStatus;

use super::{EventRow, PlacedLeg, Schema, bigint, streams::Objects};
use crate::error::{PoisonReason, ProjectionError};

/// What a run of events changes.
#[derive(Default)]
pub(super) struct Changes<'e> {
    transactions: legs::Transactions<'e>,
    /// What was reversed.
    pub(super) reversed: Vec<Reversed>,
}

/// A transaction that was reversed, and where that stands.
pub(super) struct Reversed {
    original: TransactionId,
    position: Position,
    recorded_at: Timestamp,
}

/// Whether an account is a wallet.
pub(crate) fn is_wallet(account: &str) -> bool {
    account.starts_with("wallet:")
}

/// Whether an account is what a shop can spend: its withdrawals are followed as a person's are. Its
/// payments and settlements have models of their own.
fn is_shops_money(account: &str) -> bool {
    account.starts_with("merchant:") && account.contains(":available:")
}

impl<'e> Changes<'e> {
    pub(super) fn leg(&mut self, placed: PlacedLeg<'e, '_>) -> Result<(), PoisonReason> {
        self.transactions.leg(placed)
    }

    pub(super) fn reversed(&mut self, event: EventRow<'_>) -> Result<(), PoisonReason> {
        let original = event.aggregate_id.parse().map_err(|_| PoisonReason::MalformedId)?;
        let (position, recorded_at) = (event.position, event.recorded_at);
        self.reversed.push(Reversed { original, position, recorded_at });
        Ok(())
    }

    pub(super) async fn write_in_tx(
        &self,
        objects: &Objects,
        undone: &[Undone],
        db: &mut PgConnection,
        schema: Schema,
    ) -> Result<(), ProjectionError> {
        self.transactions.insert_in_tx(db, schema).await?;
        let mut rows: Vec<_> = objects.deposits.iter().flat_map(objects::of_deposit).collect();
        rows.extend(objects.withdrawals.iter().filter_map(objects::of_withdrawal));
        rows.extend(objects.payments.iter().flat_map(payments::of_payment));
        rows.extend(objects.transfers.iter().flat_map(transfers::of_transfer));
        rows.extend(undone.iter().filter_map(Undone::row));
        rows.retain(|row| is_wallet(&row.account) || is_shops_money(&row.account));
        rows::upsert_in_tx(db, schema, rows).await?;
        self.mark_reversed(db, schema).await
    }

    async fn mark_reversed(
        &self,
        db: &mut PgConnection,
        schema: Schema,
    ) -> Result<(), ProjectionError> {
        if self.reversed.is_empty() {
            return Ok(());
        }
        let (mut ids, mut positions, mut times) = (Vec::new(), Vec::new(), Vec::new());
        for reversed in &self.reversed {
            let transfer = TransferId::from_uuid(reversed.original.uuid());
            for name in [reversed.original.to_string(), transfer.to_string()] {
                ids.push(name);
                positions.push(bigint(reversed.position)?);
                times.push(reversed.recorded_at);
            }
        }
        let sql = format!(
            "update {}.activity a set status = 'returned', object_status = 'reversed',
                 last_position = r.position, changed_at = r.at
             from unnest($1::text[], $2::bigint[], $3::timestamptz[]) as r(id, position, at)
             where a.object_id = r.id",
            schema.name()
        );
        sqlx::query(&sql).bind(ids).bind(positions).bind(times).execute(db).await?;
        Ok(())
    }
}
