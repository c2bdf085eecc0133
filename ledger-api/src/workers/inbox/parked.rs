//! What waits for its reference, and is tried again.

use chrono::TimeDelta;
use ledger_core::{
    clock::Timestamp,
    ids::{BankCode, Reference},
};
use tokio::sync::watch;

use super::{Applier, ApplyError, Conclusion, Sender, owners::Settled};
use crate::webhooks::{Delivery, Waiting};

/// How many parked ones are looked at in one question, and how many questions there are in a look.
const PARKED_PAGE: u32 = 1_000;
const PARKED_PAGES: u32 = 10;
/// How long a delivery that could not be confirmed waits before the next try; twice as long after
/// each.
const CONFIRM_AFTER: TimeDelta = TimeDelta::seconds(5);
const CONFIRM_AFTER_MAX: TimeDelta = TimeDelta::seconds(3_600);

/// How far what is parked was looked at.
#[derive(Default)]
pub(super) struct Parked {
    /// The last delivery that was seen; zero to begin with the first again.
    after: i64,
    /// How many were seen since the first.
    seen: usize,
}

impl Sender {
    /// What is told of a reference that no withdrawal has. A move of our own asks the bank and
    /// reads its statements for itself; anything else waits until somebody has the reference.
    pub(super) async fn of_no_withdrawal(
        &self,
        bank: &BankCode,
        reference: &Reference,
    ) -> Result<Conclusion, ApplyError> {
        Ok(if self.notes.is_own_move(bank, reference).await? {
            Conclusion::Ignored(format!("a move of our own, {reference}"))
        } else {
            let detail = "nobody knows the reference yet".to_owned();
            Conclusion::Parked { reference: Some(reference.to_string()), detail }
        })
    }
}

impl Applier {
    /// Applies what was parked and can be now: some pages of it, and the next look goes on behind
    /// them, so that what nobody ever knows hides nothing.
    pub(super) async fn unpark(
        &self,
        parked: &mut Parked,
        settled: &mut Vec<Settled>,
        stopping: &watch::Receiver<bool>,
    ) -> Result<(), ApplyError> {
        let mut first = Ok(());
        for _ in 0..PARKED_PAGES {
            let page = self.inbox.waiting(parked.after, PARKED_PAGE).await?;
            let full = u32::try_from(page.len()) == Ok(PARKED_PAGE);
            parked.seen = parked.seen.saturating_add(page.len());
            parked.after = page.last().filter(|_| full).map_or(0, |last| last.delivery_id);
            let due = self.due(page).await?;
            first = first.and(self.settle_all(due, settled, stopping).await);
            if !full {
                let seen = u32::try_from(std::mem::take(&mut parked.seen)).unwrap_or(u32::MAX);
                metrics::gauge!("bahi_inbox_parked").set(f64::from(seen));
                break;
            }
        }
        first
    }

    /// Those whose time has come and whose reference has appeared. What nobody knows costs a look
    /// and leaves no trace.
    async fn due(&self, parked: Vec<Waiting>) -> Result<Vec<Delivery>, ApplyError> {
        let now = self.clock.now();
        let come = parked.into_iter().filter_map(|parked| {
            let bank = parked.bank.parse::<BankCode>().ok()?;
            let reference = parked.reference.parse::<Reference>().ok()?;
            let is_due = parked.at <= now && next_try(parked.attempts, parked.at) <= now;
            is_due.then_some((parked, (bank, reference)))
        });
        let (parked, names): (Vec<_>, Vec<_>) = come.unzip();
        if parked.is_empty() {
            return Ok(Vec::new());
        }
        let known = self.read_models.known_references(&names).await?;
        let mut due = Vec::new();
        for (parked, name) in parked.into_iter().zip(names) {
            let is_transfer =
                parked.event_type.as_deref().is_none_or(|t| t.starts_with("transfer."));
            if !is_transfer || known.contains(&name) {
                due.extend(self.inbox.find(parked.delivery_id).await?);
            }
        }
        Ok(due)
    }
}

/// When a delivery that was parked so often, last then, is tried again.
fn next_try(attempts: i64, at: Timestamp) -> Timestamp {
    let doublings = u32::try_from(attempts.clamp(1, 20)).unwrap_or(20).saturating_sub(1);
    let factor = 1_i32.checked_shl(doublings).unwrap_or(i32::MAX);
    let pause = CONFIRM_AFTER.checked_mul(factor).unwrap_or(CONFIRM_AFTER_MAX);
    at.checked_add_signed(pause.min(CONFIRM_AFTER_MAX)).unwrap_or(Timestamp::MAX_UTC)
}
