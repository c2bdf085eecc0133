//! Callers that go on whatever happens, and the pulse of their answers: how many there are, and the
//! longest time without any.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use crate::{Spread, callers::Load, naive::pair};

/// How long a caller waits after an error before it calls again.
const BREATH: Duration = Duration::from_millis(5);

/// What is seen of the answers.
pub(crate) struct Pulse {
    began: Instant,
    stop: AtomicBool,
    answers: AtomicU64,
    errors: AtomicU64,
    /// When the last answer came, in microseconds since it began.
    last_us: AtomicU64,
    longest_us: AtomicU64,
}

impl Pulse {
    /// Transfers that were accepted.
    pub(crate) fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }

    /// Calls that came to nothing.
    pub(crate) fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    /// The longest time between two answers that followed each other, in microseconds.
    pub(crate) fn longest_us(&self) -> u64 {
        self.longest_us.load(Ordering::Relaxed)
    }

    fn beat(&self) {
        self.answers.fetch_add(1, Ordering::Relaxed);
        let now = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let last = self.last_us.swap(now, Ordering::Relaxed);
        self.longest_us.fetch_max(now.saturating_sub(last), Ordering::Relaxed);
    }
}

/// Callers at work.
pub(crate) struct Calling {
    /// What is seen of them.
    pub(crate) pulse: Arc<Pulse>,
    callers: JoinSet<()>,
}

impl Calling {
    /// Lets so many call until the end, or until they are stopped.
    pub(crate) fn start(load: &Arc<Load>, spread: Spread, callers: u64, end: Instant) -> Self {
        let pulse = Arc::new(Pulse {
            began: Instant::now(),
            stop: AtomicBool::new(false),
            answers: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            last_us: AtomicU64::new(0),
            longest_us: AtomicU64::new(0),
        });
        let mut tasks = JoinSet::new();
        for caller in 0..callers {
            let (load, pulse) = (Arc::clone(load), Arc::clone(&pulse));
            tasks.spawn(async move { call(&load, spread, caller, end, &pulse).await });
        }
        Self { pulse, callers: tasks }
    }

    /// Lets nobody call again.
    pub(crate) fn stop(&self) {
        self.pulse.stop.store(true, Ordering::Relaxed);
    }

    /// Waits until all have ended.
    pub(crate) async fn ended(mut self) -> anyhow::Result<Arc<Pulse>> {
        while let Some(caller) = self.callers.join_next().await {
            caller?;
        }
        Ok(self.pulse)
    }
}

async fn call(load: &Load, spread: Spread, caller: u64, end: Instant, pulse: &Pulse) {
    let mut state = caller + 1;
    while Instant::now() < end && !pulse.stop.load(Ordering::Relaxed) {
        let (from, to) = pair(spread, &mut state);
        if load.transfer(from, to).await.is_ok() {
            pulse.beat();
        } else {
            pulse.errors.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(BREATH).await;
        }
    }
}
