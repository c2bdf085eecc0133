//! The columns of what is written to `accounts`, as arrays: one statement takes them all.

use ledger_core::{account::Opened, clock::Timestamp};
use rust_decimal::Decimal;
use serde_json::Value;

use super::{Change, Settings};
use crate::{
    error::{Poison, PoisonReason, ProjectionError},
    models::{EventRow, bigint},
};

#[derive(Default)]
pub(super) struct OpenedRows<'a> {
    pub(super) id: Vec<&'a str>,
    pub(super) code: Vec<String>,
    pub(super) currency: Vec<String>,
    pub(super) scale: Vec<i32>,
    pub(super) owner: Vec<&'a str>,
    pub(super) account_type: Vec<&'static str>,
    pub(super) class: Vec<&'static str>,
    pub(super) itemised: Vec<bool>,
    pub(super) floor: Vec<Option<Decimal>>,
    pub(super) ceiling: Vec<Option<Decimal>>,
    pub(super) opened_at: Vec<Timestamp>,
    pub(super) opened_position: Vec<i64>,
    pub(super) metadata: Vec<String>,
}

impl<'a> OpenedRows<'a> {
    pub(super) fn push(
        &mut self,
        event: &EventRow<'_>,
        opened: &'a Opened,
    ) -> Result<(), ProjectionError> {
        let malformed = |reason| Poison { position: event.position, reason };
        let currency =
            opened.account.currency().map_err(|_| malformed(PoisonReason::MalformedId))?;
        let metadata = serde_json::to_string(&opened.metadata)
            .map_err(|_| malformed(PoisonReason::MalformedId))?;
        self.id.push(opened.account.as_str());
        self.code.push(opened.account.code().as_str().to_owned());
        self.currency.push(currency.as_str().to_owned());
        self.scale.push(i32::from(opened.scale));
        self.owner.push(opened.owner.as_str());
        self.account_type.push(opened.account_type.as_str());
        self.class.push(opened.class.as_str());
        self.itemised.push(opened.itemised);
        self.floor.push(opened.floor);
        self.ceiling.push(opened.ceiling);
        self.opened_at.push(event.recorded_at);
        self.opened_position.push(bigint(event.position)?);
        self.metadata.push(metadata);
        Ok(())
    }
}

#[derive(Default)]
pub(super) struct MovedRows<'a> {
    pub(super) id: Vec<&'a str>,
    pub(super) before: Vec<i64>,
    pub(super) sequence: Vec<i64>,
    pub(super) last_position: Vec<i64>,
    pub(super) debits: Vec<Decimal>,
    pub(super) credits: Vec<Decimal>,
    pub(super) balance: Vec<Option<Decimal>>,
    pub(super) held: Vec<Option<Decimal>>,
    pub(super) held_by: Vec<Decimal>,
    pub(super) open_holds: Vec<i64>,
    pub(super) plain_transfers: Vec<i64>,
}

impl<'a> MovedRows<'a> {
    pub(super) fn push(&mut self, id: &'a str, change: &Change) -> Result<(), ProjectionError> {
        self.id.push(id);
        self.before.push(bigint(change.before)?);
        self.sequence.push(bigint(change.sequence)?);
        self.last_position.push(bigint(change.last_position)?);
        self.debits.push(change.debits);
        self.credits.push(change.credits);
        self.balance.push(change.stated.map(|(balance, _)| balance));
        self.held.push(change.stated.map(|(_, held)| held));
        self.held_by.push(change.held);
        self.open_holds.push(change.open_holds);
        self.plain_transfers.push(change.plain_transfers);
        Ok(())
    }
}

#[derive(Default)]
pub(super) struct SettingsRows<'a> {
    pub(super) id: Vec<&'a str>,
    pub(super) limited: Vec<bool>,
    pub(super) floor: Vec<Option<Decimal>>,
    pub(super) ceiling: Vec<Option<Decimal>>,
    pub(super) lifted: Vec<Value>,
    pub(super) frozen: Vec<Value>,
    pub(super) closed_at: Vec<Option<Timestamp>>,
}

impl<'a> SettingsRows<'a> {
    pub(super) fn push(&mut self, id: &'a str, settings: &Settings) {
        let frozen = settings.freezes.iter().filter_map(|(reference, freeze)| {
            let freeze = freeze.as_ref()?;
            let state = serde_json::json!({ "mode": freeze.mode, "amount": freeze.amount });
            Some((reference.clone(), state))
        });
        let limits = settings.limits.as_ref();
        self.id.push(id);
        self.limited.push(limits.is_some());
        self.floor.push(limits.and_then(|limits| limits.floor));
        self.ceiling.push(limits.and_then(|limits| limits.ceiling));
        self.frozen.push(frozen.collect());
        self.lifted.push(settings.freezes.keys().cloned().collect());
        self.closed_at.push(settings.closed_at);
    }
}
