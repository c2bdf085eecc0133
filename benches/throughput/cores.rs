//! The cores divided in two halves: one for this process, which sends, one for those that answer.

use std::{
    fmt, fs,
    process::{Command, Stdio},
};

/// Which cores are whose; nothing where that can't be had (not Linux, one core only, or a container
/// that may not).
pub(crate) struct Halves(Option<Lists>);

/// Lists of cores, as `taskset` takes them.
struct Lists {
    all: String,
    ours: usize,
    theirs: usize,
}

impl Halves {
    /// Keeps these processes, with what they start from now on, to one half, us to the other.
    pub(crate) fn divide(pids: &[u32]) -> anyhow::Result<Self> {
        let Some(all) = allowed() else {
            return Ok(Self(None));
        };
        let cores = each(&all)?;
        let (ours, theirs) = cores.split_at(cores.len() / 2);
        if ours.is_empty() {
            return Ok(Self(None));
        }
        let us = [std::process::id()];
        if !keep(pids, &theirs.join(",")) || !keep(&us, &ours.join(",")) {
            // Those that were kept are let go.
            keep(pids, &all);
            keep(&us, &all);
            return Ok(Self(None));
        }
        let (ours, theirs) = (ours.len(), theirs.len());
        Ok(Self(Some(Lists { all, ours, theirs })))
    }

    /// Gives everybody all of them again.
    pub(crate) fn unite(&self, pids: &[u32]) -> anyhow::Result<()> {
        let Some(lists) = &self.0 else {
            return Ok(());
        };
        let united = keep(&[std::process::id()], &lists.all) && keep(pids, &lists.all);
        anyhow::ensure!(united, "the cores could not be given back; what follows would be wrong");
        Ok(())
    }
}

impl fmt::Display for Halves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(Lists { ours, theirs, .. }) => write!(
                f,
                "the sender on {ours} core{}, service and database on {theirs}",
                if *ours == 1 { "" } else { "s" }
            ),
            None => f.write_str("the sender on the same cores"),
        }
    }
}

/// Gives these processes all the cores that we have: a run that was broken off may have left them
/// one half. Where that may not be done, it was not done either.
pub(crate) fn undivide(pids: &[u32]) {
    if let Some(all) = allowed() {
        keep(pids, &all);
    }
}

/// The list of our cores, where they can be divided.
fn allowed() -> Option<String> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let all = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    has_taskset().then(|| all.trim().to_owned())
}

/// The cores of a list like `0-3,8`.
fn each(list: &str) -> anyhow::Result<Vec<String>> {
    let mut cores = Vec::new();
    for part in list.split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to): (u32, u32) = (from.parse()?, to.parse()?);
        cores.extend((from..=to).map(|core| core.to_string()));
    }
    Ok(cores)
}

fn has_taskset() -> bool {
    let mut taskset = Command::new("taskset");
    taskset.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    taskset.status().is_ok_and(|status| status.success())
}

/// Keeps all threads of these processes to a list of cores; whether that was done. For one that has
/// ended meanwhile nothing is to be done.
fn keep(pids: &[u32], list: &str) -> bool {
    pids.iter().all(|pid| {
        let mut taskset = Command::new("taskset");
        taskset.args(["--all-tasks", "--cpu-list", "--pid", list, &pid.to_string()]);
        taskset.stdout(Stdio::null()).stderr(Stdio::null());
        let done = taskset.status().is_ok_and(|status| status.success());
        done || fs::exists(format!("/proc/{pid}")).is_ok_and(|there| !there)
    })
}
