//! How busy a process keeps the processors, where the system says so (Linux).

use std::{collections::HashMap, fs, time::Instant};

use crate::{report::ratio, stand::Stand};

/// A process that is looked at from now on.
pub(crate) struct Busy {
    pid: u32,
    since: Instant,
    before_ms: u64,
}

impl Busy {
    /// Looks from now on.
    pub(crate) fn start(pid: u32) -> Self {
        Self { pid, since: Instant::now(), before_ms: spent_micros(pid).unwrap_or(0) / 1_000 }
    }

    /// How many cores it kept busy since, on the average.
    pub(crate) fn cores(&self) -> String {
        let elapsed_ms = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        spent_micros(self.pid).map_or_else(
            || "an unknown number of".to_owned(),
            |spent| ratio((spent / 1_000).saturating_sub(self.before_ms), elapsed_ms),
        )
    }
}

/// What a measurement's processes spend of the processors, from now on: where the time of a
/// transfer goes.
pub(crate) struct Spending<'s> {
    stand: &'s Stand,
    since: Instant,
    /// The server's sessions and helpers, and what each had spent before.
    server: HashMap<u32, u64>,
    /// The others by name, with what each had spent before.
    others: Vec<(&'static str, u32, u64)>,
    /// What the machine's other guests had taken before, of all processors together.
    stolen: Option<u64>,
}

impl<'s> Spending<'s> {
    /// Looks at the database server and at `others` from now on.
    pub(crate) async fn start(
        stand: &'s Stand,
        others: &[(&'static str, u32)],
    ) -> anyhow::Result<Self> {
        let server = stand.pids().await?.into_iter();
        let server = server.map(|pid| (pid, spent_micros(pid).unwrap_or(0))).collect();
        let before = |(name, pid): &(&'static str, u32)| (*name, *pid, spent_micros(*pid));
        let others = others.iter().map(before);
        let others = others.map(|(name, pid, spent)| (name, pid, spent.unwrap_or(0))).collect();
        Ok(Self { stand, since: Instant::now(), server, others, stolen: stolen_micros() })
    }

    /// Microseconds of processor time for each piece of work, of which `rate` were done a second.
    /// A server's session that ended meanwhile is left out.
    pub(crate) async fn each(&self, rate: u64) -> anyhow::Result<String> {
        let elapsed = u64::try_from(self.since.elapsed().as_micros())?;
        let mut server = 0;
        for pid in self.stand.pids().await? {
            let before = self.server.get(&pid).copied().unwrap_or(0);
            server += spent_micros(pid).unwrap_or(before).saturating_sub(before);
        }
        // Spent for each second gone by, and by how many pieces a second; in hundredths.
        let each = |spent: u64| ratio(spent.saturating_mul(1_000_000) / elapsed.max(1), rate);
        let mut parts = vec![format!("PostgreSQL {}", each(server))];
        for (name, pid, before) in &self.others {
            let spent = spent_micros(*pid).unwrap_or(*before).saturating_sub(*before);
            parts.push(format!("{name} {}", each(spent)));
        }
        let now = stolen_micros().zip(self.stolen).map(|(now, before)| now.saturating_sub(before));
        let stolen = now.map(|taken| {
            let cores = ratio(taken, elapsed.max(1));
            format!("; other guests of the machine took {cores} cores meanwhile")
        });
        let stolen = stolen.unwrap_or_default();
        Ok(format!("processor time for each, in microseconds: {}{stolen}", parts.join(", ")))
    }
}

/// What the machine's other guests have taken of all processors while something here wanted to run
/// (steal); to a tick of ten milliseconds.
fn stolen_micros() -> Option<u64> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let ticks = text.lines().next()?.split_ascii_whitespace().nth(8)?;
    Some(ticks.parse::<u64>().ok()? * 10_000)
}

/// What all threads of a process have spent on a processor, those that ended included; to a tick of
/// ten milliseconds.
fn spent_micros(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may hold anything; the state comes next, of which the eleventh and
    // twelfth field from there are the ticks in user mode and in the system's.
    let (_, fields) = text.rsplit_once(") ")?;
    let mut ticks = fields.split(' ').skip(11).map(str::parse::<u64>);
    Some((ticks.next()?.ok()? + ticks.next()?.ok()?) * 10_000)
}
