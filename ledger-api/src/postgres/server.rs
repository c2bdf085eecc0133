//! One server: make its data, start it, ask whether it is up, stop it.
//!
//! Knows processes and files, no SQL. Every function that changes something wants the start lock,
//! so that one process at a time does.
//!
//! The postmaster is our own child, not one of `pg_ctl start`: a thread waits for it, so that a
//! killed one does not stay behind as a zombie, which PostgreSQL would take for a living one. It
//! has a process group of its own: Ctrl-C reaches us, and we stop it in order.

use std::{
    fs::{self, File},
    io,
    os::unix::{net::UnixStream, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{
    Folder, LauncherError, Mode, SUPERUSER,
    lock::StartLock,
    server_log,
    settings::{self, Machine},
};
use crate::machine::{self, FREE_BYTES_MIN};

/// The port that gives the socket its name. Nothing listens on the network.
pub(super) const PORT: u16 = 5432;

/// How often a starting server is looked at.
const POLL: Duration = Duration::from_millis(10);

/// How often a start is tried again.
const RETRY: Duration = Duration::from_millis(100);

/// How long the backends of a killed server may take to notice and go.
const OLD_BACKENDS_PATIENCE: Duration = Duration::from_secs(60);

/// Ends a server that is starting, at once. Immediate shutdown, unlike a kill, takes the server's
/// other processes along; one that comes very early in a start can be lost, so it is repeated.
fn end_now(child: &mut Child) -> io::Result<()> {
    let began = Instant::now();
    while child.try_wait()?.is_none() {
        if began.elapsed() > QUIT_PATIENCE {
            child.kill()?;
            child.wait()?;
            return Ok(());
        }
        kill_process(Pid::from_child(child), Signal::QUIT)?;
        thread::sleep(RETRY);
    }
    Ok(())
}

/// How long a starting server is asked to end before it is killed.
const QUIT_PATIENCE: Duration = Duration::from_secs(10);

/// What is needed to run the server, once everything is settled.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) folder: Folder,
    pub(super) mode: Mode,
    pub(super) major: u32,
    pub(super) bin: PathBuf,
    pub(super) data: PathBuf,
    pub(super) socket: PathBuf,
    /// Settings on top of those of [`settings`].
    pub(super) more_settings: Vec<(String, String)>,
    /// How long a start may take. Recovery after a crash is part of it.
    pub(super) patience: Duration,
}

impl Server {
    /// Makes the data directory if there is none, and checks that an existing one may be opened.
    pub(super) fn make_data(&self, _: &StartLock) -> Result<(), LauncherError> {
        if self.data.join("PG_VERSION").is_file() {
            return self.check_mode();
        }
        self.check_room()?;
        for unfinished in self.folder.all_unfinished() {
            if let Err(error) = fs::remove_dir_all(&unfinished) {
                tracing::warn!(%error, folder = %unfinished.display(), "could not remove");
            }
        }
        let unfinished = self.folder.unfinished_data(self.major);
        fs::create_dir(&unfinished).map_err(LauncherError::folder(&unfinished, "make it"))?;
        self.folder.run_as.make_private(&unfinished)?;
        self.initdb(&unfinished)?;
        let mode_file = self.folder.mode_file(self.major);
        fs::write(&mode_file, self.mode.to_string())
            .map_err(LauncherError::folder(&mode_file, "write it"))?;
        self.folder.hand_over(&mode_file)?;
        fs::rename(&unfinished, &self.data)
            .and_then(|()| File::open(&self.folder.root)?.sync_all())
            .map_err(LauncherError::folder(&self.data, "give the new database its name"))
    }

    fn initdb(&self, into: &Path) -> Result<(), LauncherError> {
        let mut initdb = self.program("initdb");
        initdb
            .args(["--username", SUPERUSER, "--auth-local=trust", "--auth-host=reject"])
            .args(["--encoding=UTF8", "--no-locale", "--data-checksums"])
            .arg("--pgdata")
            .arg(into);
        if self.mode == Mode::Throwaway {
            initdb.arg("--no-sync");
        }
        run(&mut initdb, |stderr| {
            if server_log::says_disk_full(&stderr) {
                let folder = self.folder.root.clone();
                return LauncherError::DiskFull { folder, free_bytes: None };
            }
            LauncherError::Initdb { data: self.data.clone(), stderr }
        })
    }

    /// A data directory that nothing is said of came from somewhere else, a backup: durable.
    fn check_mode(&self) -> Result<(), LauncherError> {
        let made = match fs::read_to_string(self.folder.mode_file(self.major)) {
            Ok(text) if text.trim() == Mode::Throwaway.to_string() => Mode::Throwaway,
            Ok(_) | Err(_) => Mode::Durable,
        };
        if made == self.mode {
            return Ok(());
        }
        Err(LauncherError::OtherMode { data: self.data.clone(), made, wanted: self.mode })
    }

    fn check_room(&self) -> Result<(), LauncherError> {
        match machine::free_bytes(&self.folder.root) {
            Some(free) if free < FREE_BYTES_MIN => {
                let folder = self.folder.root.clone();
                Err(LauncherError::DiskFull { folder, free_bytes: Some(free) })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Starts the server unless it is up; true if it was not.
    pub(super) fn ensure_running(&self, _: &StartLock) -> Result<bool, LauncherError> {
        if self.is_up() {
            return Ok(false);
        }
        self.check_room()?;
        let log = self.folder.log();
        log.put_aside_if_long()?;
        let began = Instant::now();
        loop {
            let log_start = log.length();
            let mut child = self.spawn()?;
            let Some(status) = self.wait_until_up(&mut child, began, log_start)? else {
                reap(child);
                return Ok(true);
            };
            let tail = log.tail(log_start);
            if !server_log::says_old_server_lives(&tail)
                || began.elapsed() > self.old_server_patience()
            {
                return Err(self.ended(status, tail));
            }
            thread::sleep(RETRY);
            if self.is_up() {
                return Ok(false); // A start that a killed process began has come to its end.
            }
        }
    }

    /// A server that is starting may have a long recovery before it; one that is going has not.
    fn old_server_patience(&self) -> Duration {
        let starting = self.pid_file_line(7).is_some_and(|status| status == "starting");
        if starting { self.patience } else { OLD_BACKENDS_PATIENCE }
    }

    fn ended(&self, status: ExitStatus, tail: String) -> LauncherError {
        if server_log::says_disk_full(&tail) {
            let folder = self.folder.root.clone();
            return LauncherError::DiskFull { folder, free_bytes: None };
        }
        LauncherError::EndedAtStart {
            status: status.to_string(),
            log: self.folder.log().path,
            tail,
        }
    }

    fn spawn(&self) -> Result<Child, LauncherError> {
        let (out, err) = self.folder.log().open(&self.folder)?;
        let mut postgres = self.program("postgres");
        postgres.arg("-D").arg(&self.data).stdout(out).stderr(err).process_group(0);
        for (name, value) in self.settings() {
            postgres.arg("-c").arg(format!("{name}={value}"));
        }
        postgres.spawn().map_err(|source| LauncherError::Run { program: self.bin.clone(), source })
    }

    fn settings(&self) -> Vec<(String, String)> {
        let machine = Machine {
            memory_bytes: machine::memory_bytes(),
            free_bytes: machine::free_bytes(&self.folder.root),
        };
        let mut all = settings::settings(self.mode, machine);
        all.extend(self.more_settings.iter().cloned());
        // A list of folders: quoted, so that commas and spaces stay part of the one.
        let socket = self.socket.to_string_lossy().replace('"', "\"\"");
        all.push(("unix_socket_directories".to_owned(), format!("\"{socket}\"")));
        all.push(("unix_socket_permissions".to_owned(), "0700".to_owned()));
        all.push(("listen_addresses".to_owned(), String::new()));
        all.push(("port".to_owned(), PORT.to_string()));
        all
    }

    /// Nothing if the server came up; its end if it ended.
    fn wait_until_up(
        &self,
        child: &mut Child,
        began: Instant,
        log_start: u64,
    ) -> Result<Option<ExitStatus>, LauncherError> {
        let program = || self.bin.join("postgres");
        while !self.is_up() {
            let ended = child.try_wait();
            let ended =
                ended.map_err(|source| LauncherError::Run { program: program(), source })?;
            if ended.is_some() {
                return Ok(ended);
            }
            if began.elapsed() > self.patience {
                end_now(child)
                    .map_err(|source| LauncherError::Run { program: program(), source })?;
                let (seconds, log) = (self.patience.as_secs(), self.folder.log());
                let tail = log.tail(log_start);
                return Err(LauncherError::NotReady { seconds, log: log.path, tail });
            }
            thread::sleep(POLL);
        }
        Ok(None)
    }

    /// Whether the server accepts connections: its pid file says so, and the socket answers. (A pid
    /// file alone may be of before a reboot; a socket alone accepts before recovery has ended.)
    pub(super) fn is_up(&self) -> bool {
        let ready = self.pid_file_line(7).is_some_and(|status| status == "ready");
        ready && UnixStream::connect(self.socket.join(format!(".s.PGSQL.{PORT}"))).is_ok()
    }

    /// The postmaster's process id, if its pid file is there.
    pub(super) fn postmaster_pid(&self) -> Option<i32> {
        self.pid_file_line(0)?.parse().ok().filter(|pid| *pid > 0)
    }

    fn pid_file_line(&self, index: usize) -> Option<String> {
        let text = fs::read_to_string(self.data.join("postmaster.pid")).ok()?;
        Some(text.lines().nth(index)?.trim().to_owned())
    }

    /// Stops the server in order: open transactions are rolled back, a checkpoint is written.
    pub(super) fn stop(&self, _: &StartLock) -> Result<(), LauncherError> {
        let mut pg_ctl = self.program("pg_ctl");
        let seconds = self.patience.as_secs().to_string();
        pg_ctl.arg("-D").arg(&self.data).args(["stop", "-m", "fast", "-w", "-t", &seconds]);
        run(&mut pg_ctl, |stderr| LauncherError::Stop { data: self.data.clone(), stderr })
    }

    fn program(&self, name: &str) -> Command {
        self.folder.run_as.command(&self.bin.join(name), &self.folder.root)
    }
}

fn run(
    command: &mut Command,
    failed: impl FnOnce(String) -> LauncherError,
) -> Result<(), LauncherError> {
    let program = PathBuf::from(command.get_program());
    let output = command.output().map_err(|source| LauncherError::Run { program, source })?;
    if output.status.success() {
        return Ok(());
    }
    Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}

fn reap(mut child: Child) {
    let reaper = thread::Builder::new().name("postgres-reaper".to_owned());
    let spawned = reaper.spawn(move || {
        if let Ok(status) = child.wait() {
            tracing::debug!(%status, "the PostgreSQL server ended");
        }
    });
    if let Err(error) = spawned {
        tracing::warn!(%error, "nobody waits for the PostgreSQL server");
    }
}
