//! One server: make its data, start it, ask whether it is up, stop it.
//!
//! Knows processes and files, no SQL. Every function that changes something wants the start lock,
//! so that one process at a time does.
//!
//! The postmaster is our own child, not one of `pg_ctl start`: a thread waits for it, so that a
//! killed one does not stay behind as a zombie, which PostgreSQL would take for a living one. It
//! has a process group of its own: Ctrl-C reaches us, and we stop it in order.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom},
    os::unix::{net::UnixStream, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use super::{
    Folder, LauncherError, Mode, SUPERUSER,
    lock::StartLock,
    machine::{self, FREE_BYTES_MIN, MB},
    settings::{self, Machine},
};

/// The port that gives the socket its name. Nothing listens on the network.
pub(super) const PORT: u16 = 5432;

/// The file in the data directory that says for what it was made.
const MODE_FILE: &str = "bahi.mode";

/// How often a starting server is looked at.
const POLL: Duration = Duration::from_millis(10);

/// How long the backends of a killed server may take to notice and go.
const OLD_BACKENDS_PATIENCE: Duration = Duration::from_secs(60);

/// A log longer than this is put aside at the next start.
const LOG_BYTES_MAX: u64 = 16 * MB;

/// How much of the log is read to say why a start failed.
const TAIL_BYTES_MAX: u64 = 16 * 1024;
const TAIL_LINES_MAX: usize = 12;

/// What is needed to run the server, once everything is settled.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) folder: Folder,
    pub(super) mode: Mode,
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
    pub(super) fn make_data(&self, unfinished: &Path, _: &StartLock) -> Result<(), LauncherError> {
        if self.data.join("PG_VERSION").is_file() {
            return self.check_mode();
        }
        self.check_room()?;
        let root = &self.folder.root;
        match fs::remove_dir_all(unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(LauncherError::folder(unfinished, "remove it")(error));
            }
            Ok(()) | Err(_) => {}
        }
        let mut initdb = self.program("initdb");
        initdb
            .args([
                "--username",
                SUPERUSER,
                "--auth-local=trust",
                "--auth-host=reject",
            ])
            .args(["--encoding=UTF8", "--no-locale", "--data-checksums"])
            .arg("--pgdata")
            .arg(unfinished);
        if self.mode == Mode::Throwaway {
            initdb.arg("--no-sync");
        }
        run(&mut initdb, |stderr| {
            if says_disk_full(&stderr) {
                return LauncherError::DiskFull {
                    folder: root.clone(),
                    free_bytes: None,
                };
            }
            LauncherError::Initdb {
                data: self.data.clone(),
                stderr,
            }
        })?;
        let mode_file = unfinished.join(MODE_FILE);
        fs::write(&mode_file, self.mode.to_string())
            .map_err(LauncherError::folder(&mode_file, "write it"))?;
        self.folder.run_as.give(&mode_file)?;
        fs::rename(unfinished, &self.data)
            .and_then(|()| File::open(root)?.sync_all())
            .map_err(LauncherError::folder(
                &self.data,
                "give the new database its name",
            ))
    }

    /// A data directory without the file came from somewhere else, a restored backup: durable.
    fn check_mode(&self) -> Result<(), LauncherError> {
        let made = match fs::read_to_string(self.data.join(MODE_FILE)) {
            Ok(text) if text.trim() == Mode::Throwaway.to_string() => Mode::Throwaway,
            Ok(_) | Err(_) => Mode::Durable,
        };
        if made == self.mode {
            return Ok(());
        }
        Err(LauncherError::OtherMode {
            data: self.data.clone(),
            made,
            wanted: self.mode,
        })
    }

    fn check_room(&self) -> Result<(), LauncherError> {
        match machine::free_bytes(&self.folder.root) {
            Some(free) if free < FREE_BYTES_MIN => {
                let folder = self.folder.root.clone();
                Err(LauncherError::DiskFull {
                    folder,
                    free_bytes: Some(free),
                })
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
        self.put_long_log_aside()?;
        let began = Instant::now();
        loop {
            let log_start = fs::metadata(self.folder.log()).map_or(0, |log| log.len());
            let mut child = self.spawn()?;
            let Some(status) = self.wait_until_up(&mut child, began, log_start)? else {
                reap(child);
                return Ok(true);
            };
            let tail = self.log_tail(log_start);
            if !says_old_server_lives(&tail) || began.elapsed() > OLD_BACKENDS_PATIENCE {
                return Err(self.ended(status, tail));
            }
            thread::sleep(POLL * 10);
        }
    }

    fn ended(&self, status: ExitStatus, tail: String) -> LauncherError {
        if says_disk_full(&tail) {
            let folder = self.folder.root.clone();
            return LauncherError::DiskFull {
                folder,
                free_bytes: None,
            };
        }
        LauncherError::EndedAtStart {
            status: status.to_string(),
            log: self.folder.log(),
            tail,
        }
    }

    fn spawn(&self) -> Result<Child, LauncherError> {
        let path = self.folder.log();
        let open = || -> io::Result<(File, File)> {
            let log = OpenOptions::new().create(true).append(true).open(&path)?;
            Ok((log.try_clone()?, log))
        };
        let (out, err) = open().map_err(LauncherError::folder(&path, "write it"))?;
        self.folder.run_as.give(&path)?;
        let mut postgres = self.program("postgres");
        postgres
            .arg("-D")
            .arg(&self.data)
            .stdout(out)
            .stderr(err)
            .process_group(0);
        for (name, value) in self.settings() {
            postgres.arg("-c").arg(format!("{name}={value}"));
        }
        postgres.spawn().map_err(|source| LauncherError::Run {
            program: self.bin.clone(),
            source,
        })
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
        all.push((
            "unix_socket_directories".to_owned(),
            format!("\"{socket}\""),
        ));
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
            let ended = ended.map_err(|source| LauncherError::Run {
                program: program(),
                source,
            })?;
            if ended.is_some() {
                return Ok(ended);
            }
            if began.elapsed() > self.patience {
                let end = child.kill().and_then(|()| child.wait());
                end.map_err(|source| LauncherError::Run {
                    program: program(),
                    source,
                })?;
                let (seconds, log) = (self.patience.as_secs(), self.folder.log());
                return Err(LauncherError::NotReady {
                    seconds,
                    log,
                    tail: self.log_tail(log_start),
                });
            }
            thread::sleep(POLL);
        }
        Ok(None)
    }

    /// Whether the server accepts connections: its pid file says so, and the socket answers. (A pid
    /// file alone may be of before a reboot; a socket alone accepts before recovery has ended.)
    pub(super) fn is_up(&self) -> bool {
        let status = self.pid_file_line(7);
        let ready = status.is_some_and(|status| status == "ready" || status == "standby");
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
        pg_ctl
            .arg("-D")
            .arg(&self.data)
            .args(["stop", "-m", "fast", "-w", "-t", &seconds]);
        run(&mut pg_ctl, |stderr| LauncherError::Stop {
            data: self.data.clone(),
            stderr,
        })
    }

    fn program(&self, name: &str) -> Command {
        self.folder
            .run_as
            .command(&self.bin.join(name), &self.folder.root)
    }

    fn put_long_log_aside(&self) -> Result<(), LauncherError> {
        let log = self.folder.log();
        if fs::metadata(&log).is_ok_and(|log| log.len() > LOG_BYTES_MAX) {
            let aside = self.folder.root.join("postgres.log.1");
            fs::rename(&log, aside).map_err(LauncherError::folder(&log, "put it aside"))?;
        }
        Ok(())
    }

    /// The last lines that the log got since it was `start` bytes long.
    fn log_tail(&self, start: u64) -> String {
        let read = || -> io::Result<Vec<u8>> {
            let mut log = File::open(self.folder.log())?;
            let from = log
                .metadata()?
                .len()
                .saturating_sub(TAIL_BYTES_MAX)
                .max(start);
            log.seek(SeekFrom::Start(from))?;
            let mut text = Vec::new();
            log.take(TAIL_BYTES_MAX).read_to_end(&mut text)?;
            Ok(text)
        };
        let text = read().unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(TAIL_LINES_MAX)..].join("\n")
    }
}

fn run(
    command: &mut Command,
    failed: impl FnOnce(String) -> LauncherError,
) -> Result<(), LauncherError> {
    let program = PathBuf::from(command.get_program());
    let output = command
        .output()
        .map_err(|source| LauncherError::Run { program, source })?;
    if output.status.success() {
        return Ok(());
    }
    Err(failed(
        String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    ))
}

/// A killed postmaster's backends, or one that is just stopping: they go by themselves.
fn says_old_server_lives(tail: &str) -> bool {
    tail.contains("is still in use") || tail.contains("\"postmaster.pid\" already exists")
}

fn says_disk_full(text: &str) -> bool {
    text.contains("No space left on device")
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
        assert!(!says_old_server_lives(
            "FATAL:  could not access file \"x\""
        ));
        assert!(says_disk_full(
            "PANIC: could not write to file: No space left on device"
        ));
    }
}
