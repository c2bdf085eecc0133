//! What an engine has met, for metrics and for tests that must know that a case was met.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of an engine since it started.
#[derive(Debug, Default)]
pub struct Counts {
    won: AtomicU64,
    lost: AtomicU64,
    refused: AtomicU64,
    landed: AtomicU64,
    fenced: AtomicU64,
    loaded: AtomicU64,
    cached: AtomicU64,
}

impl Counts {
    /// Batches that were appended.
    pub fn won(&self) -> u64 {
        self.won.load(Ordering::Relaxed)
    }

    /// Batches that another process was faster with.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Batches that the database refused.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Batches whose answer got lost and that were found in the log.
    pub fn landed(&self) -> u64 {
        self.landed.load(Ordering::Relaxed)
    }

    /// Batches whose answer got lost and that were fenced off.
    pub fn fenced(&self) -> u64 {
        self.fenced.load(Ordering::Relaxed)
    }

    /// Events and snapshots that were read to load aggregates.
    pub fn loaded(&self) -> u64 {
        self.loaded.load(Ordering::Relaxed)
    }

    /// Aggregates in memory, lately.
    pub fn cached(&self) -> u64 {
        self.cached.load(Ordering::Relaxed)
    }

    pub(super) fn set_cached(&self, entries: usize) {
        self.cached.store(u64::try_from(entries).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(super) fn add_won(&self) {
        self.won.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add_lost(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add_resolved(&self, landed: bool) {
        let counter = if landed { &self.landed } else { &self.fenced };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add_loaded(&self, events: u64) {
        self.loaded.fetch_add(events, Ordering::Relaxed);
    }
}
