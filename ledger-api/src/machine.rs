//! What the machine has: memory that we may use, and room on the disk.
//!
//! Both the private server and the cache of accounts are sized by it. Reading only. In a container
//! the limit of the control group counts, not the machine's memory: a server sized for the machine
//! is killed by the container.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A megabyte, as PostgreSQL counts.
pub(crate) const MB: u64 = 1024 * 1024;

/// With less room than this a database is not made or started: it would stop half-way.
pub(crate) const FREE_BYTES_MIN: u64 = 256 * MB;

/// The memory that this process and its children may use; nothing if the system does not say.
pub(crate) fn memory_bytes() -> Option<u64> {
    let total = match fs::read_to_string("/proc/meminfo") {
        Ok(meminfo) => total_memory(&meminfo),
        Err(_) => sysctl_memory(),
    };
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let limits = limit_files(&groups)
        .into_iter()
        .filter_map(|file| fs::read_to_string(file).ok()?.trim().parse().ok());
    limits.chain(total).min()
}

/// How many accounts and holds the engine keeps in memory on this machine, unless told otherwise.
pub fn cache_accounts() -> usize {
    accounts_fitting(memory_bytes())
}

/// As many as fill a sixteenth of the memory at a kilobyte each (measured: 0.7), within bounds.
/// What is not kept is read from the log when it is needed.
fn accounts_fitting(memory_bytes: Option<u64>) -> usize {
    let fitting = memory_bytes.unwrap_or(0) / 16 / 1024;
    usize::try_from(fitting).unwrap_or(usize::MAX).clamp(50_000, 4_000_000)
}

/// The room that is left for us on the disk that holds `folder`.
pub(crate) fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

fn total_memory(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// macOS has no /proc.
fn sysctl_memory() -> Option<u64> {
    let output = Command::new("sysctl").args(["-n", "hw.memsize"]).output().ok()?;
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}

/// The files that may hold a memory limit for a process with these control groups: of each group
/// and of all above it, in the two layouts that Linux knows. (`max` in them means none.)
fn limit_files(groups: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else {
            continue;
        };
        let (base, file) = if controllers.is_empty() {
            ("/sys/fs/cgroup", "memory.max")
        } else if controllers.split(',').any(|controller| controller == "memory") {
            ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
        } else {
            continue;
        };
        let path = Path::new(path.trim_start_matches('/'));
        files.extend(path.ancestors().map(|group| Path::new(base).join(group).join(file)));
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_total_of_meminfo() {
        let meminfo = "MemTotal:       24683520 kB\nMemFree:        100 kB\n";
        assert_eq!(total_memory(meminfo), Some(24_683_520 * 1024));
        assert_eq!(total_memory("MemFree: 100 kB\n"), None);
        assert_eq!(total_memory("MemTotal: many kB\n"), None);
    }

    #[test]
    fn looks_for_limits_in_the_group_and_above_it() {
        let unified = limit_files("0::/user.slice/bahi.service\n");
        let expected =
            ["user.slice/bahi.service/memory.max", "user.slice/memory.max", "memory.max"];
        let expected: Vec<PathBuf> =
            expected.iter().map(|file| Path::new("/sys/fs/cgroup").join(file)).collect();
        assert_eq!(unified, expected);

        let split = limit_files("5:cpu,cpuacct:/a\n4:memory:/b\n");
        let base = Path::new("/sys/fs/cgroup/memory");
        assert_eq!(
            split,
            [base.join("b/memory.limit_in_bytes"), base.join("memory.limit_in_bytes")]
        );
        assert!(limit_files("nonsense\n").is_empty());
    }

    #[test]
    fn accounts_in_memory_are_bounded_by_it() {
        assert_eq!(accounts_fitting(None), 50_000);
        assert_eq!(accounts_fitting(Some(4096 * MB)), 262_144);
        assert_eq!(accounts_fitting(Some(1024 * 1024 * MB)), 4_000_000);
    }

    #[test]
    fn this_machine_has_memory_and_a_disk() {
        assert!(memory_bytes().unwrap() > 64 * MB);
        assert!(free_bytes(Path::new("/")).is_some());
    }
}
