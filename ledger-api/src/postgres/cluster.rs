//! A private PostgreSQL in use by this process.

use std::path::Path;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    LauncherError,
    lock::{StartLock, UseLock},
    server::{PORT, Server},
};

/// What became of the server when this process stopped using it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// We were the last one: the server has stopped in order.
    InOrder,
    /// Somebody else uses it: it runs on.
    StillUsed,
    /// It was not running any more.
    NotRunning,
}

/// A server that runs, and this process's claim to it.
///
/// While a `Cluster` lives, no other process stops the server. Dropping it does what
/// [`Cluster::stop_if_last`] does and logs what fails, so an early return leaves no server behind;
/// a process that is killed does, and the next one finds it and shares it. Dropping may wait for
/// the server's last checkpoint: in async code, drop it in `spawn_blocking`.
#[derive(Debug)]
pub struct Cluster {
    server: Server,
    started_here: bool,
    /// Empty only while the cluster is being given up.
    claim: Option<UseLock>,
}

impl Cluster {
    pub(super) fn new(server: Server, started_here: bool, claim: UseLock) -> Self {
        Self { server, started_here, claim: Some(claim) }
    }

    /// The URL of a database for a role: for sqlx and for every client built on libpq.
    pub fn url(&self, database: &str, role: &str) -> String {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        // Port and TLS are said, because clients would take them from PGPORT and PGSSLMODE.
        format!(
            "postgres://{}@localhost/{}?host={}&port={PORT}&sslmode=disable",
            encode(role),
            encode(database),
            encode(&self.socket_dir().to_string_lossy()),
        )
    }

    /// The private folder that holds the socket.
    pub fn socket_dir(&self) -> &Path {
        &self.server.socket
    }

    /// The data directory.
    pub fn data_dir(&self) -> &Path {
        &self.server.data
    }

    /// The server's log.
    pub fn log_file(&self) -> std::path::PathBuf {
        self.server.folder.log().path
    }

    /// The folder of the server's programs.
    pub fn bin_dir(&self) -> &Path {
        &self.server.bin
    }

    /// The server's major version.
    pub fn major(&self) -> u32 {
        self.server.major
    }

    /// Whether opening this started the server; false if it was found running.
    pub fn started_here(&self) -> bool {
        self.started_here
    }

    /// The process id of the server, while it runs (and after it was killed, until the next start).
    pub fn postmaster_pid(&self) -> Option<i32> {
        self.server.postmaster_pid()
    }

    /// Whether the server accepts connections now.
    pub fn is_running(&self) -> bool {
        self.server.is_up()
    }

    /// Brings the server back if it is gone, waiting for what a killed one left behind; true if it
    /// was. For a supervisor in a living process. Blocks.
    pub fn ensure_running(&self) -> Result<bool, LauncherError> {
        let starting = StartLock::take(&self.server.folder, self.server.patience)?;
        self.server.ensure_running(&starting)
    }

    /// Gives up the claim, and stops the server in order if nobody else has one. Blocks.
    pub fn stop_if_last(mut self) -> Result<Stopped, LauncherError> {
        self.give_up()
    }

    /// Gives up the claim and leaves the server running, for the next process to find.
    pub fn leave_running(mut self) {
        self.claim = None;
    }

    fn give_up(&mut self) -> Result<Stopped, LauncherError> {
        let Some(claim) = self.claim.take() else {
            return Ok(Stopped::NotRunning);
        };
        let starting = StartLock::take(&self.server.folder, self.server.patience)?;
        if !claim.leave(&self.server.folder, &starting)? {
            return Ok(Stopped::StillUsed);
        }
        if !self.server.is_up() {
            return Ok(Stopped::NotRunning);
        }
        self.server.stop(&starting)?;
        Ok(Stopped::InOrder)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.claim.is_none() {
            return;
        }
        if let Err(error) = self.give_up() {
            tracing::error!(%error, "the private PostgreSQL was not stopped");
        }
    }
}
