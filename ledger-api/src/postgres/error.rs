//! Everything that can go wrong between "no `DATABASE_URL`" and a server that answers.
//!
//! Each variant is a different thing for the operator to do, and its message says what. The message
//! never repeats its source: whoever reports the error walks the chain once.

use std::{io, path::PathBuf};

/// Why there is no private PostgreSQL to connect to.
#[derive(Debug, thiserror::Error)]
pub enum LauncherError {
    /// Nothing usable was found, and nothing was (or could be) downloaded.
    #[error(
        "no PostgreSQL server (version 14 or newer) on this machine{}; install one \
         (`apt-get install -y postgresql` or `brew install postgresql@17`), point BAHI_PG_BIN at \
         the folder of its programs, or set DATABASE_URL to a server of your own",
        .download.as_ref().map(|why| format!(" ({why})")).unwrap_or_default()
    )]
    NoServer {
        /// Why the download did not help; nothing if it was not tried.
        download: Option<String>,
    },

    /// `BAHI_PG_BIN` (or [`super::Binaries::Exactly`]) names a folder that cannot be used.
    #[error(
        "BAHI_PG_BIN is {}, which holds no usable PostgreSQL server: {problem}",
        .folder.display()
    )]
    BadBinFolder {
        /// The folder as given.
        folder: PathBuf,
        /// What is missing there.
        problem: String,
    },

    /// There is data, but no server of the major version that wrote it.
    #[error(
        "the data in {} was written by PostgreSQL {wrote}, but the servers found here are of \
         version {found}: install PostgreSQL {wrote} again, or point BAHI_PG_BIN at it; to move \
         to a newer version, dump with the old one (pg_dumpall), move that folder away, and \
         restore with the new one", .data.display()
    )]
    OtherMajor {
        /// The data directory.
        data: PathBuf,
        /// The major version that wrote it.
        wrote: u32,
        /// The major versions at hand, newest first.
        found: String,
    },

    /// The folder can't be made, read or written.
    #[error("the data folder {} can't be used: could not {action}", .folder.display())]
    Folder {
        /// The file or folder concerned.
        folder: PathBuf,
        /// What was attempted.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },

    /// The folder holds files that are not the launcher's.
    #[error(
        "the folder {} is not empty and was not made by bahi: choose an empty or a new folder \
         (its owner and its permissions would be changed)", .folder.display()
    )]
    NotOurs {
        /// The folder as given.
        folder: PathBuf,
    },

    /// A path that PostgreSQL's own files can't carry.
    #[error("the path {folder:?} can't hold a database: {problem}")]
    BadPath {
        /// The path as given.
        folder: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },

    /// Root must run the server as somebody else, who can't get to the existing data.
    #[error(
        "PostgreSQL does not run as root, and the user it would run as (uid {uid}) can't reach \
         the data in {}: let that user pass through the folders above it, or run bahi as the \
         owner of the data", .folder.display()
    )]
    Unreachable {
        /// The folder with the data.
        folder: PathBuf,
        /// The user the server would run as.
        uid: u32,
    },

    /// The data belongs to another user, and we are not root.
    #[error(
        "the data in {} belongs to uid {owner}, and this process runs as uid {us}: run bahi as \
         that user, or choose another folder", .data.display()
    )]
    OtherOwner {
        /// The data directory.
        data: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who we are.
        us: u32,
    },

    /// The data was made for the other [`super::Mode`].
    #[error(
        "the database in {} was made {made}, and is now wanted {wanted}: they never mix, because \
         a throwaway database loses data when its machine stops", .data.display()
    )]
    OtherMode {
        /// The data directory.
        data: PathBuf,
        /// The mode it was made with.
        made: super::Mode,
        /// The mode asked for.
        wanted: super::Mode,
    },

    /// Another process has been making, starting or stopping the server for too long.
    #[error(
        "another process has been starting or stopping the database in {} for more than {seconds} \
         s (it holds the lock {})", .folder.display(), .lock.display()
    )]
    LockHeld {
        /// The data folder.
        folder: PathBuf,
        /// The lock file.
        lock: PathBuf,
        /// How long we waited.
        seconds: u64,
    },

    /// No folder for the socket that is short enough, private and ours.
    #[error("no private folder for the database's socket: {problem} ({})", .folder.display())]
    SocketFolder {
        /// The last folder tried.
        folder: PathBuf,
        /// Why it can't be used.
        problem: String,
    },

    /// Too little room to make or to start a database.
    #[error("the disk that holds {} is full{}", .folder.display(), free_text(*.free_bytes))]
    DiskFull {
        /// The data folder.
        folder: PathBuf,
        /// The room left, if that is how it was noticed.
        free_bytes: Option<u64>,
    },

    /// A program of PostgreSQL could not be started at all.
    #[error("could not run {}", .program.display())]
    Run {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// `initdb` refused.
    #[error(
        "PostgreSQL's initdb could not make a database in {}; it said: {stderr}",
        .data.display()
    )]
    Initdb {
        /// The data directory it was to make.
        data: PathBuf,
        /// What it wrote to standard error.
        stderr: String,
    },

    /// The server ended while it was starting.
    #[error(
        "PostgreSQL ended while it was starting ({status}); the last lines of its log {}:\n{tail}",
        .log.display()
    )]
    EndedAtStart {
        /// How the process ended.
        status: String,
        /// Its log.
        log: PathBuf,
        /// The last lines of it.
        tail: String,
    },

    /// The server runs but did not become ready.
    #[error(
        "PostgreSQL was not ready after {seconds} s; the last lines of its log {}:\n{tail}",
        .log.display()
    )]
    NotReady {
        /// How long we waited.
        seconds: u64,
        /// Its log.
        log: PathBuf,
        /// The last lines of it.
        tail: String,
    },

    /// The server did not stop in order.
    #[error("PostgreSQL in {} did not stop; pg_ctl said: {stderr}", .data.display())]
    Stop {
        /// The data directory.
        data: PathBuf,
        /// What `pg_ctl` wrote.
        stderr: String,
    },
}

fn free_text(free_bytes: Option<u64>) -> String {
    free_bytes.map_or_else(String::new, |bytes| {
        format!(
            ": {} MB are free, and a database needs {} MB to start",
            bytes / crate::machine::MB,
            crate::machine::FREE_BYTES_MIN / crate::machine::MB
        )
    })
}

impl LauncherError {
    /// For `map_err` on anything that touches the data folder.
    pub(super) fn folder(
        folder: &std::path::Path,
        action: &'static str,
    ) -> impl FnOnce(io::Error) -> Self {
        let folder = folder.to_path_buf();
        move |source| {
            if source.kind() == io::ErrorKind::StorageFull {
                return Self::DiskFull { folder, free_bytes: None };
            }
            Self::Folder { folder, action, source }
        }
    }
}
