//! How busy a process keeps the processors, where the system says so (Linux).

use std::{fs, time::Instant};

use crate::report::ratio;

/// A process that is looked at from now on.
pub(crate) struct Busy {
    pid: u32,
    since: Instant,
    before_ms: u64,
}

impl Busy {
    /// Looks from now on.
    pub(crate) fn start(pid: u32) -> Self {
        Self { pid, since: Instant::now(), before_ms: spent_ms(pid).unwrap_or(0) }
    }

    /// How many cores it kept busy since, on the average.
    pub(crate) fn cores(&self) -> String {
        let elapsed_ms = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        spent_ms(self.pid).map_or_else(
            || "an unknown number of".to_owned(),
            |spent_ms| ratio(spent_ms.saturating_sub(self.before_ms), elapsed_ms),
        )
    }
}

/// What all threads of a process have spent on a processor.
fn spent_ms(pid: u32) -> Option<u64> {
    let mut nanos = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        // A thread that ends just now is left out.
        let Ok(text) = fs::read_to_string(thread.ok()?.path().join("schedstat")) else {
            continue;
        };
        nanos += text.split(' ').next()?.parse::<u64>().ok()?;
    }
    Some(nanos / 1_000_000)
}
