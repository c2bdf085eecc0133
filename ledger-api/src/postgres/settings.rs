//! The server's settings, given on its command line: there nothing in a file outvotes them.
//!
//! Durable settings are fixed: a ledger that loses an acknowledged transfer is wrong. Sizes follow
//! the machine. Who wants to tune more runs a server of their own and sets `DATABASE_URL`.

use super::Mode;
use crate::machine::MB;

const GB: u64 = 1024 * MB;

/// What sizes are taken from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Machine {
    pub(super) memory_bytes: Option<u64>,
    pub(super) free_bytes: Option<u64>,
}

/// The settings for `mode` on `machine`; of two with one name the server takes the later one.
pub(super) fn settings(mode: Mode, machine: Machine) -> Vec<(String, String)> {
    let fixed: &[(&str, &str)] = match mode {
        Mode::Durable => &[
            ("fsync", "on"),
            ("synchronous_commit", "on"),
            ("full_page_writes", "on"),
            ("wal_level", "replica"), // what a base backup and a standby need
            ("wal_buffers", "64MB"),
            ("wal_compression", "on"),
            ("checkpoint_timeout", "30min"),
            ("huge_pages", "try"),
            ("max_connections", "200"),
        ],
        // synchronous_commit stays on: it is cheap without fsync, and with it off a killed server
        // loses commits that were acknowledged, which crash tests would take for ours.
        Mode::Throwaway => &[
            ("fsync", "off"),
            ("synchronous_commit", "on"),
            ("full_page_writes", "off"),
            ("wal_level", "minimal"),
            ("max_wal_senders", "0"),
            ("autovacuum", "off"),
            ("max_connections", "200"),
        ],
    };
    let mut all: Vec<(String, String)> =
        fixed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let sizes = match mode {
        Mode::Durable => (shared_buffers(machine.memory_bytes), max_wal_size(machine.free_bytes)),
        Mode::Throwaway => (128 * MB, 2 * GB),
    };
    all.push(("shared_buffers".to_owned(), megabytes(sizes.0)));
    all.push(("max_wal_size".to_owned(), megabytes(sizes.1)));
    if mode == Mode::Durable {
        // Segments that were made once are used again, instead of being removed after a quiet hour
        // and, while commits wait, made and filled with zeros anew.
        all.push(("min_wal_size".to_owned(), megabytes(sizes.1)));
    }
    all
}

/// A fifth of the memory: the rest is for the ledger's own cache and for the system's.
fn shared_buffers(memory_bytes: Option<u64>) -> u64 {
    (memory_bytes.unwrap_or(0) / 5).clamp(128 * MB, 8 * GB)
}

/// Generous, because checkpoints are what makes commits wait; but never a quarter of what is free.
fn max_wal_size(free_bytes: Option<u64>) -> u64 {
    let free = free_bytes.unwrap_or(0);
    let steps = [16 * GB, 4 * GB, 2 * GB];
    steps.into_iter().find(|size| free / 4 >= *size).unwrap_or(GB)
}

fn megabytes(bytes: u64) -> String {
    format!("{}MB", bytes / MB)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(mode: Mode, name: &str) -> String {
        let machine = Machine { memory_bytes: Some(10 * GB), free_bytes: Some(100 * GB) };
        let all = settings(mode, machine);
        all.into_iter().rfind(|(known, _)| known == name).unwrap().1
    }

    #[test]
    fn shared_buffers_are_a_fifth_within_bounds() {
        assert_eq!(shared_buffers(None), 128 * MB);
        assert_eq!(shared_buffers(Some(512 * MB)), 128 * MB);
        assert_eq!(shared_buffers(Some(10 * GB)), 2 * GB);
        assert_eq!(shared_buffers(Some(1024 * GB)), 8 * GB);
    }

    #[test]
    fn the_log_takes_what_the_disk_can_spare() {
        assert_eq!(max_wal_size(None), GB);
        assert_eq!(max_wal_size(Some(5 * GB)), GB);
        assert_eq!(max_wal_size(Some(8 * GB)), 2 * GB);
        assert_eq!(max_wal_size(Some(63 * GB)), 4 * GB);
        assert_eq!(max_wal_size(Some(64 * GB)), 16 * GB);
    }

    #[test]
    fn a_durable_server_gives_nothing_up() {
        for name in ["fsync", "synchronous_commit", "full_page_writes"] {
            assert_eq!(value(Mode::Durable, name), "on", "{name}");
        }
        assert_eq!(value(Mode::Durable, "shared_buffers"), "2048MB");
        assert_eq!(value(Mode::Durable, "max_wal_size"), "16384MB");
        assert_eq!(value(Mode::Durable, "min_wal_size"), "16384MB");
    }

    #[test]
    fn a_throwaway_server_still_keeps_what_it_acknowledged() {
        assert_eq!(value(Mode::Throwaway, "fsync"), "off");
        assert_eq!(value(Mode::Throwaway, "synchronous_commit"), "on");
    }
}
