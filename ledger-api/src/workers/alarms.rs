//! Counts what people should know of, for `/metrics` and the program's log. It changes nothing, so
//! that any number of processes may count at the same time.

use std::time::Duration;

use chrono::TimeDelta;
use ledger_core::{clock::Clock, withdrawal::WithdrawalStatus};
use projections::{Backlog, ReadError, ReadModels};
use std::{collections::BTreeSet, sync::Arc};
use tokio::{sync::watch, time};

use super::withdrawals::notes::Notes;
use crate::webhooks::Inbox;

/// How often it counts.
const COUNT_EVERY: Duration = Duration::from_secs(30);
/// How long a delivery may wait before somebody is told.
const PARKED_FOR: TimeDelta = TimeDelta::hours(1);
/// The most that are counted of what people have to look at.
const COUNTED_MAX: u32 = 10_000;
/// The states that are counted, also where there is nothing in them.
const COUNTED: [WithdrawalStatus; 5] = [
    WithdrawalStatus::PendingReview,
    WithdrawalStatus::Queued,
    WithdrawalStatus::Processing,
    WithdrawalStatus::OutcomeUnknown,
    WithdrawalStatus::NeedsAttention,
];

/// What it looks at.
#[derive(Clone)]
pub struct Alarms {
    /// The withdrawals.
    pub read_models: ReadModels,
    /// What is passed over.
    pub notes: Notes,
    /// What banks told.
    pub inbox: Inbox,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
}

impl Alarms {
    /// Counts until `stopping` turns true.
    pub async fn run(self, mut stopping: watch::Receiver<bool>) {
        let mut banks = BTreeSet::new();
        let mut told = 0;
        loop {
            if let Err(error) = self.count_withdrawals(&mut banks).await {
                let error = projections::describe(&error);
                tracing::debug!(error, "withdrawals were not counted");
            }
            if let Err(error) = self.count_deliveries(&mut told).await {
                tracing::debug!(%error, "deliveries were not counted");
            }
            tokio::select! {
                () = time::sleep(COUNT_EVERY) => {}
                _ = stopping.wait_for(|stop| *stop) => return,
            }
        }
    }

    async fn count_withdrawals(&self, banks: &mut BTreeSet<String>) -> Result<(), ReadError> {
        let backlogs = self.read_models.backlogs().await?;
        banks.extend(backlogs.iter().map(|backlog| backlog.bank.to_string()));
        let now = self.clock.now();
        for bank in banks.iter() {
            for status in COUNTED {
                let of =
                    |backlog: &&Backlog| backlog.bank.as_str() == bank && backlog.status == status;
                let found = backlogs.iter().find(of);
                let labels = [("bank", bank.clone()), ("status", status.as_str().to_owned())];
                let count = found.map_or(0, |found| found.count);
                metrics::gauge!("bahi_withdrawals_open", &labels).set(gauge(count));
                let age = found.map(|found| now.signed_duration_since(found.oldest).num_seconds());
                let age = u64::try_from(age.unwrap_or(0)).unwrap_or(0);
                metrics::gauge!("bahi_withdrawals_oldest_seconds", &labels).set(gauge(age));
            }
        }
        let blocked = self.notes.all_blocked(COUNTED_MAX).await?.len();
        let blocked = u64::try_from(blocked).unwrap_or(u64::MAX);
        metrics::gauge!("bahi_withdrawals_blocked").set(gauge(blocked));
        let unapplied = self.read_models.unapplied_withdrawals(COUNTED_MAX).await?.value.len();
        let unapplied = u64::try_from(unapplied).unwrap_or(u64::MAX);
        metrics::gauge!("bahi_withdrawals_unapplied").set(gauge(unapplied));
        Ok(())
    }

    /// Says each that has waited for too long once.
    async fn count_deliveries(&self, told: &mut i64) -> sqlx::Result<()> {
        // The inbox's time is the machine's, whatever clock the ledger goes by.
        let before = chrono::Utc::now().checked_sub_signed(PARKED_FOR);
        let (count, last) = self.inbox.overdue(before.unwrap_or_default()).await?;
        let overdue = u64::try_from(count).unwrap_or(0);
        metrics::gauge!("bahi_inbox_parked_overdue").set(gauge(overdue));
        if let Some(last) = last.filter(|last| last > told) {
            tracing::warn!(count, last, "deliveries of banks wait for more than an hour");
            *told = last;
        }
        Ok(())
    }
}

/// A count as the recorder takes it; what is larger than it can say is as large as it can say.
fn gauge(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
