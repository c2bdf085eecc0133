//! The server's log file: where it goes, how long it gets, and what to read from it.
//!
//! The server's messages are in English whatever the system speaks (`LC_ALL=C`), so a few of them
//! can be told apart.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom},
    path::PathBuf,
};

use super::{Folder, LauncherError};
use crate::machine::MB;

/// A longer log is put aside at the next start.
const BYTES_MAX: u64 = 16 * MB;

/// How much is read to say why a start failed.
const TAIL_BYTES_MAX: u64 = 16 * 1024;
const TAIL_LINES_MAX: usize = 12;

/// The log of one server.
#[derive(Debug, Clone)]
pub(super) struct Log {
    pub(super) path: PathBuf,
}

impl Log {
    /// How long it is now.
    pub(super) fn length(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |log| log.len())
    }

    /// Opens it twice for appending: standard output and standard error.
    pub(super) fn open(&self, folder: &Folder) -> Result<(File, File), LauncherError> {
        let open = || -> io::Result<(File, File)> {
            let log = OpenOptions::new().create(true).append(true).open(&self.path)?;
            Ok((log.try_clone()?, log))
        };
        let files = open().map_err(LauncherError::folder(&self.path, "write it"))?;
        folder.hand_over(&self.path)?;
        Ok(files)
    }

    /// Starts a new one when it has grown long; one old one is kept.
    pub(super) fn put_aside_if_long(&self) -> Result<(), LauncherError> {
        if self.length() <= BYTES_MAX {
            return Ok(());
        }
        let aside = self.path.with_extension("log.1");
        fs::rename(&self.path, aside).map_err(LauncherError::folder(&self.path, "put it aside"))
    }

    /// The last lines that it got since it was `start` bytes long.
    pub(super) fn tail(&self, start: u64) -> String {
        let read = || -> io::Result<Vec<u8>> {
            let mut log = File::open(&self.path)?;
            let from = log.metadata()?.len().saturating_sub(TAIL_BYTES_MAX).max(start);
            log.seek(SeekFrom::Start(from))?;
            let mut text = Vec::new();
            log.take(TAIL_BYTES_MAX).read_to_end(&mut text)?;
            Ok(text)
        };
        // The tail explains another error; that it can't be read must not replace it.
        let text = read().unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(TAIL_LINES_MAX)..].join("\n")
    }
}

/// A killed postmaster's backends, or one that is just stopping: they go by themselves.
pub(super) fn says_old_server_lives(tail: &str) -> bool {
    tail.contains("is still in use") || tail.contains("\"postmaster.pid\" already exists")
}

/// The disk is full.
pub(super) fn says_disk_full(text: &str) -> bool {
    text.contains("No space left on device")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_tried_again_only_while_the_old_server_goes() {
        let waits = [
            "FATAL:  pre-existing shared memory block (key 1, ID 2) is still in use",
            "FATAL:  lock file \"postmaster.pid\" already exists",
        ];
        assert!(waits.iter().all(|line| says_old_server_lives(line)));
        assert!(!says_old_server_lives("FATAL:  could not access file \"x\""));
        assert!(says_disk_full("PANIC: could not write to file: No space left on device"));
    }

    #[test]
    fn the_tail_is_what_came_since_and_not_too_much_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let log = Log { path: dir.path().join("postgres.log") };
        assert_eq!((log.length(), log.tail(0)), (0, String::new()));
        fs::write(&log.path, "before\n").unwrap();
        let start = log.length();
        assert_eq!(log.tail(start), "");
        let lines: Vec<String> = (0..20).map(|n| format!("line {n}")).collect();
        fs::write(&log.path, format!("before\n{}\n", lines.join("\n"))).unwrap();
        assert_eq!(log.tail(start), lines[8..].join("\n"));
    }

    #[test]
    fn a_long_log_is_put_aside() {
        let dir = tempfile::tempdir().unwrap();
        let log = Log { path: dir.path().join("postgres.log") };
        File::create(&log.path).unwrap().set_len(BYTES_MAX).unwrap();
        log.put_aside_if_long().unwrap();
        assert_eq!(log.length(), BYTES_MAX);
        File::create(&log.path).unwrap().set_len(BYTES_MAX + 1).unwrap();
        log.put_aside_if_long().unwrap();
        assert_eq!(log.length(), 0);
        assert!(dir.path().join("postgres.log.1").exists());
    }
}
