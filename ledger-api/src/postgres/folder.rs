//! The data folder: where it is, what lies in it, and where the socket goes.
//!
//! ```text
//! start.lock    held alone while somebody makes, starts or stops the server; marks the folder
//! use.lock      held shared by every process that uses the server
//! pg15/         the data directory, one per major version: a newer server never opens an old one
//! pg15.mode     whether it was made durable or throwaway
//! pg15.new-123/ one being made by process 123; renamed when complete, so a killed one never counts
//! postgres.log  what the server says
//! s/            the socket
//! server/       programs that were downloaded
//! ```
//!
//! The data directory and the socket's folder are private (0700) and belong to the server's user:
//! that is the access control. The folder around them stays its owner's. If that is root, the
//! server's user may pass through but change nothing: root runs programs and writes files here.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt, lchown},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{LauncherError, RunAs, account, server_log::Log};

/// A socket's path may have 104 bytes on macOS and 108 on Linux, with `/.s.PGSQL.5432` and an end
/// mark of one byte; a little is left for `.lock`.
const SOCKET_FOLDER_BYTES_MAX: usize = 84;

/// What the name of an unfinished data directory has in it.
const UNFINISHED: &str = ".new-";

/// The data folder of one cluster, made and ours.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    /// Its absolute path, without links.
    pub(super) root: PathBuf,
    /// Whom it belongs to.
    pub(super) run_as: RunAs,
}

impl Folder {
    /// Settles where the data lives and makes the folder. `system` is where the data goes if we are
    /// root and the server's user can't get to `wanted` (below a private home, say).
    pub(super) fn settle(wanted: &Path, system: &Path) -> Result<Self, LauncherError> {
        let wanted = std::path::absolute(wanted)
            .map_err(LauncherError::folder(wanted, "find its absolute path"))?;
        let wanted = wanted.canonicalize().unwrap_or(wanted);
        if wanted.as_os_str().as_encoded_bytes().iter().any(u8::is_ascii_control) {
            let problem = "it has control characters in it";
            return Err(LauncherError::BadPath { folder: wanted, problem });
        }
        let existing = newest_data(&wanted);
        let run_as = RunAs::for_data(existing.as_ref().map(|(_, data)| data.as_path()));
        let root = match (existing, run_as.reaches(&wanted)) {
            (Some(_), true) => wanted,
            // To start afresh elsewhere would look like an empty ledger.
            (Some(_), false) => {
                let uid = run_as.uid();
                return Err(LauncherError::Unreachable { folder: wanted, uid });
            }
            (None, reachable) => {
                let instead = system.join(short_hash(&wanted));
                // Data that an earlier run put there counts, whatever was made reachable since.
                if !reachable || (run_as != RunAs::Ourselves && newest_data(&instead).is_some()) {
                    return Self::make(&instead);
                }
                wanted
            }
        };
        Self::make(&root)
    }

    fn make(root: &Path) -> Result<Self, LauncherError> {
        fs::create_dir_all(root).map_err(LauncherError::folder(root, "make it"))?;
        let root =
            root.canonicalize().map_err(LauncherError::folder(root, "find its real path"))?;
        let run_as = RunAs::for_data(newest_data(&root).as_ref().map(|(_, data)| data.as_path()));
        if !run_as.reaches(&root) {
            return Err(LauncherError::Unreachable { folder: root, uid: run_as.uid() });
        }
        let folder = Self { root, run_as };
        folder.refuse_foreign()?;
        Ok(folder)
    }

    /// Folders that hold something else stay as they are: ours get another owner and are closed.
    fn refuse_foreign(&self) -> Result<(), LauncherError> {
        let mut entries = fs::read_dir(&self.root)
            .map_err(LauncherError::folder(&self.root, "list what is in it"))?;
        // The order matters: a process that makes the folder right now makes its lock first. Data
        // without a lock is a backup that was put back.
        let ours = || self.start_lock().exists() || self.newest_data().is_some();
        if entries.next().is_some() && !ours() {
            return Err(LauncherError::NotOurs { folder: self.root.clone() });
        }
        Ok(())
    }

    /// The newest data directory, with its major version.
    pub(super) fn newest_data(&self) -> Option<(u32, PathBuf)> {
        newest_data(&self.root)
    }

    /// Refuses data that the server's user does not own: PostgreSQL would, with less to say.
    pub(super) fn check_owner(&self, data: &Path) -> Result<(), LauncherError> {
        let metadata = fs::metadata(data).map_err(LauncherError::folder(data, "look at it"))?;
        let (owner, us) = (metadata.uid(), self.run_as.uid());
        if owner == us {
            return Ok(());
        }
        Err(LauncherError::OtherOwner { data: data.to_path_buf(), owner, us })
    }

    /// Closes the folder as far as the server's user allows.
    pub(super) fn close(&self) -> Result<(), LauncherError> {
        let owner = self.owner()?.uid();
        account::set_mode(&self.root, if owner == self.run_as.uid() { 0o700 } else { 0o711 })
    }

    /// Gives a file that we made to the folder's owner: root must not leave files behind that the
    /// owner can't use.
    pub(super) fn hand_over(&self, file: &Path) -> Result<(), LauncherError> {
        let owner = self.owner()?;
        if owner.uid() == rustix::process::geteuid().as_raw() {
            return Ok(());
        }
        lchown(file, Some(owner.uid()), Some(owner.gid()))
            .map_err(LauncherError::folder(file, "change its owner"))
    }

    fn owner(&self) -> Result<fs::Metadata, LauncherError> {
        fs::metadata(&self.root).map_err(LauncherError::folder(&self.root, "look at it"))
    }

    pub(super) fn data(&self, major: u32) -> PathBuf {
        self.root.join(format!("pg{major}"))
    }

    /// Where to make a new one. The name is this process's own: when we are killed, our initdb
    /// lives on for a moment, and must not meddle with the next one's.
    pub(super) fn unfinished_data(&self, major: u32) -> PathBuf {
        self.root.join(format!("pg{major}{UNFINISHED}{}", std::process::id()))
    }

    /// All that were begun and not finished.
    pub(super) fn all_unfinished(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.root).into_iter().flatten().flatten();
        let unfinished = |entry: &fs::DirEntry| {
            entry.file_name().to_str().is_some_and(|name| name.contains(UNFINISHED))
        };
        entries.filter(unfinished).map(|entry| entry.path()).collect()
    }

    pub(super) fn mode_file(&self, major: u32) -> PathBuf {
        self.root.join(format!("pg{major}.mode"))
    }

    pub(super) fn start_lock(&self) -> PathBuf {
        self.root.join("start.lock")
    }

    pub(super) fn use_lock(&self) -> PathBuf {
        self.root.join("use.lock")
    }

    pub(super) fn log(&self) -> Log {
        Log { path: self.root.join("postgres.log") }
    }

    pub(super) fn downloads(&self) -> PathBuf {
        self.root.join("server")
    }

    /// Makes the private folder for the socket: in the data folder, or, if that path is too long
    /// for a socket, below `/tmp`. Not below `TMPDIR`: a second process must find the same one.
    pub(super) fn make_socket_folder(&self) -> Result<PathBuf, LauncherError> {
        let folder = socket_folder(&self.root);
        let bad = |problem: String| LauncherError::SocketFolder { folder: folder.clone(), problem };
        match fs::DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(bad(error.to_string()));
            }
            Ok(()) | Err(_) => {}
        }
        // Below /tmp anybody may have made it before us: theirs is not private, whatever its mode.
        let found = fs::symlink_metadata(&folder).map_err(|error| bad(error.to_string()))?;
        let us = rustix::process::geteuid().as_raw();
        if !found.is_dir() || ![us, self.run_as.uid()].contains(&found.uid()) {
            return Err(bad(format!("it belongs to uid {} or is no folder", found.uid())));
        }
        self.run_as.make_private(&folder)?;
        Ok(folder)
    }
}

fn socket_folder(root: &Path) -> PathBuf {
    let near = root.join("s");
    // A connection URL is text, so the path must be, too.
    if near.as_os_str().len() <= SOCKET_FOLDER_BYTES_MAX && near.to_str().is_some() {
        return near;
    }
    Path::new("/tmp").join(format!("bahi-pg-{}", short_hash(root)))
}

fn newest_data(root: &Path) -> Option<(u32, PathBuf)> {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let major = entry.file_name().to_str()?.strip_prefix("pg")?.parse().ok()?;
            let path = entry.path();
            path.join("PG_VERSION").is_file().then_some((major, path))
        })
        .max()
}

/// Names a path in sixteen characters, the same in every release of Rust and of ours.
fn short_hash(path: &Path) -> String {
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    hex::encode(digest).chars().take(16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_path_holds_its_own_socket() {
        assert_eq!(socket_folder(Path::new("/srv/bahi")), Path::new("/srv/bahi/s"));
    }

    #[test]
    fn a_long_path_gets_a_short_socket_folder_of_its_own() {
        let long = Path::new("/srv").join("a".repeat(100));
        let folder = socket_folder(&long);
        assert!(folder.starts_with("/tmp"), "{folder:?}");
        assert!(folder.as_os_str().len() <= SOCKET_FOLDER_BYTES_MAX);
        assert_eq!(folder, socket_folder(&long), "the same for every process");
        assert_ne!(folder, socket_folder(&long.join("b")), "another for another folder");
    }

    #[test]
    fn the_longest_path_that_fits_is_used_as_it_is() {
        let fits = Path::new("/").join("a".repeat(SOCKET_FOLDER_BYTES_MAX - 3));
        assert_eq!(socket_folder(&fits), fits.join("s"));
        let long = Path::new("/").join("a".repeat(SOCKET_FOLDER_BYTES_MAX - 2));
        assert!(socket_folder(&long).starts_with("/tmp"));
    }

    #[test]
    fn only_complete_data_directories_count_and_the_newest_wins() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(newest_data(dir.path()), None);
        for (name, complete) in
            [("pg9", true), ("pg15", true), ("pg17", false), ("pg18.new-7", true)]
        {
            fs::create_dir(dir.path().join(name)).unwrap();
            if complete {
                fs::write(dir.path().join(name).join("PG_VERSION"), "x").unwrap();
            }
        }
        assert_eq!(newest_data(dir.path()), Some((15, dir.path().join("pg15"))));
    }

    #[test]
    fn a_path_hash_does_not_change() {
        assert_eq!(short_hash(Path::new("/srv/bahi")), short_hash(Path::new("/srv/bahi")));
        assert_eq!(short_hash(Path::new("abc")), "ba7816bf8f01cfea", "SHA-256 of abc");
    }
}
