//! How much memory a process has, where the system says so (Linux).

use std::{fmt, fs, time::Duration};

use tokio::{sync::oneshot, task::JoinHandle};

/// How often a watched process is looked at.
const LOOK: Duration = Duration::from_millis(100);
const KB: u64 = 1_024;

/// Some memory; shown in megabytes, or as unknown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Memory(Option<u64>);

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(kilobytes) => write!(f, "{} MB", kilobytes / KB),
            None => f.write_str("unknown"),
        }
    }
}

impl Memory {
    /// What a process has in memory now.
    pub(crate) fn of(pid: u32) -> Self {
        Self::line(pid, "VmRSS:")
    }

    /// The most that a process ever had in memory.
    pub(crate) fn most_of(pid: u32) -> Self {
        Self::line(pid, "VmHWM:")
    }

    fn line(pid: u32, name: &str) -> Self {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        Self(line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()))
    }
}

/// Somebody who looks how much memory a process has.
pub(crate) struct Watch {
    stop: oneshot::Sender<()>,
    looking: JoinHandle<Memory>,
}

impl Watch {
    /// Looks from now on.
    pub(crate) fn start(pid: u32) -> Self {
        let (stop, mut stopped) = oneshot::channel();
        let looking = tokio::spawn(async move {
            let mut most = Memory::of(pid);
            while tokio::time::timeout(LOOK, &mut stopped).await.is_err() {
                most = most.max(Memory::of(pid));
            }
            most
        });
        Self { stop, looking }
    }

    /// The most that was seen.
    pub(crate) async fn most(self) -> anyhow::Result<Memory> {
        // An error means that nobody looks any more, which the next line tells.
        self.stop.send(()).unwrap_or_default();
        Ok(self.looking.await?)
    }
}
