//! Places for submissions: as many calls to a bank as may be under way at once, and a few that are
//! begun and go on as soon as one of those ends.
//!
//! A place is for the call alone. What comes before it (the intent has to be in the log) and after
//! it (so has the outcome) takes as long as the ledger takes, and the bank is not kept idle for it.

use std::sync::Arc;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// The places of a bank.
#[derive(Debug)]
pub(super) struct Slots {
    begun: Arc<Semaphore>,
    calls: Arc<Semaphore>,
    free: Arc<Notify>,
}

/// Leave to begin one submission. Given back when its call ends, or when it is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    calls: Arc<Semaphore>,
    free: Arc<Notify>,
    begun: Option<OwnedSemaphorePermit>,
}

impl Slots {
    /// So many calls, and so many more that are begun.
    pub(super) fn new(calls: usize, ahead: usize) -> Self {
        Self {
            begun: Arc::new(Semaphore::new(calls.saturating_add(ahead))),
            calls: Arc::new(Semaphore::new(calls)),
            free: Arc::default(),
        }
    }

    /// How many may be begun now.
    pub(super) fn room(&self) -> usize {
        self.begun.available_permits()
    }

    /// How many calls may be made beside those that are.
    pub(super) fn idle(&self) -> usize {
        self.calls.available_permits()
    }

    /// Leave to begin one, if there is room.
    pub(super) fn take(&self) -> Option<Slot> {
        let begun = Arc::clone(&self.begun).try_acquire_owned().ok()?;
        let (calls, free) = (Arc::clone(&self.calls), Arc::clone(&self.free));
        Some(Slot { calls, free, begun: Some(begun) })
    }

    /// What tells that there is room again.
    pub(super) fn free(&self) -> Arc<Notify> {
        Arc::clone(&self.free)
    }
}

impl Slot {
    /// Waits until a call may be made; it may be, until this is dropped. Nothing if there will be
    /// no more calls.
    pub(super) async fn call(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.calls).acquire_owned().await.ok()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // First the place, then the word that there is one.
        self.begun = None;
        self.free.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_few_are_begun_ahead_and_go_on_when_a_call_ends() {
        let slots = Slots::new(2, 1);
        let [first, second, third] = [(); 3].map(|()| slots.take().unwrap());
        assert!(slots.take().is_none());
        let calls = [first.call().await.unwrap(), second.call().await.unwrap()];
        assert_eq!((slots.room(), slots.idle()), (0, 0));
        assert!(third.call().now_or_never().is_none(), "three calls at once");
        drop(calls);
        assert!(third.call().now_or_never().flatten().is_some());
        drop(first);
        slots.free().notified().await;
        assert_eq!(slots.room(), 1);
    }
}
