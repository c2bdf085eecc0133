//! A throwaway PostgreSQL for these tests: one server for the whole run, a database for each test.
//! Unix socket only; nothing is synced to disk, because nothing has to outlive the run.

use std::{
    os::unix::{
        fs::{PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{Connection, Executor, PgConnection, PgPool, postgres::PgPoolOptions};

/// One server, which ends when its last user has gone.
struct Server {
    folder: tempfile::TempDir,
    child: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        // At once and without a word to the data, which is thrown away; but by the server's own
        // means, so that it takes its shared memory with it.
        let mut stop = command(&bin().join("pg_ctl"), unprivileged());
        stop.args(["stop", "--silent", "-m", "immediate", "-D"]);
        stop.arg(self.folder.path().join("data"));
        let stopped = stop.status().is_ok_and(|status| status.success());
        if !stopped {
            let _killed = self.child.kill();
        }
        let _reaped = self.child.wait();
    }
}

/// A database of its own with the log's tables, as superuser.
pub(super) struct Database {
    pub pool: PgPool,
    _server: std::sync::Arc<Server>,
}

impl Database {
    pub(super) async fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let server = shared();
        let name = format!("audit_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut admin = PgConnection::connect(&url(server.folder.path(), "postgres"))
            .await
            .expect("the server");
        admin.execute(format!("create database {name}").as_str()).await.expect("a database");
        let pool = PgPoolOptions::new()
            .max_connections(4)
            .connect(&url(server.folder.path(), &name))
            .await
            .expect("the database");
        ledger_core::log::MIGRATOR.run(&pool).await.expect("migrations");
        Self { pool, _server: server }
    }

    pub(super) async fn execute(&self, sql: &str) {
        self.pool.execute(sql).await.expect(sql);
    }
}

fn url(folder: &Path, database: &str) -> String {
    let socket = folder.join("s");
    format!("postgres://postgres@localhost/{database}?host={}", socket.display())
}

/// The server that tests share while any of them runs.
fn shared() -> std::sync::Arc<Server> {
    static SERVER: OnceLock<Mutex<std::sync::Weak<Server>>> = OnceLock::new();
    let mut server = SERVER
        .get_or_init(Mutex::default)
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    server.upgrade().unwrap_or_else(|| {
        let started = std::sync::Arc::new(start());
        *server = std::sync::Arc::downgrade(&started);
        started
    })
}

fn start() -> Server {
    let bin = bin();
    let folder = tempfile::tempdir().expect("a folder");
    let user = unprivileged();
    for path in [folder.path().to_owned(), folder.path().join("s")] {
        std::fs::create_dir_all(&path).expect("a folder");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).expect("mode");
        if let Some((uid, gid)) = user {
            chown(&path, Some(uid), Some(gid)).expect("chown");
        }
    }
    let data = folder.path().join("data");
    let made = command(&bin.join("initdb"), user)
        .args(["--no-sync", "--no-locale", "-E", "UTF8", "-A", "trust", "-U", "postgres", "-D"])
        .arg(&data)
        .output()
        .expect("initdb");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let log = std::fs::File::create(folder.path().join("server.log")).expect("a log");
    let child = command(&bin.join("postgres"), user)
        .arg("-D")
        .arg(&data)
        .arg("-k")
        .arg(folder.path().join("s"))
        .args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off"])
        .stderr(log)
        .spawn()
        .expect("postgres");
    let server = Server { folder, child };
    wait_until_ready(&server);
    server
}

/// Line 8 of `postmaster.pid` says `ready` as soon as connections are accepted.
fn wait_until_ready(server: &Server) {
    let pid_file = server.folder.path().join("data/postmaster.pid");
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let text = std::fs::read_to_string(&pid_file).unwrap_or_default();
        if text.lines().nth(7).is_some_and(|line| line.trim() == "ready") {
            return;
        }
        assert!(Instant::now() < deadline, "the server did not become ready");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn command(program: &Path, user: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    command.env("LC_ALL", "C").current_dir("/").stdin(Stdio::null());
    if let Some((uid, gid)) = user {
        command.gid(gid).uid(uid);
    }
    command
}

fn bin() -> PathBuf {
    let found = Command::new("pg_config").arg("--bindir").output().expect("pg_config");
    PathBuf::from(String::from_utf8_lossy(&found.stdout).trim())
}

/// PostgreSQL refuses to run as root; then it runs as `postgres`.
fn unprivileged() -> Option<(u32, u32)> {
    let own = std::fs::metadata("/proc/self").expect("/proc");
    if std::os::unix::fs::MetadataExt::uid(&own) != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").expect("/etc/passwd");
    let fields: Vec<&str> = users
        .lines()
        .find(|line| line.starts_with("postgres:"))
        .expect("a user postgres")
        .split(':')
        .collect();
    Some((fields[2].parse().expect("a uid"), fields[3].parse().expect("a gid")))
}
