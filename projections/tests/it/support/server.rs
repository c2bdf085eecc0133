//! A throwaway PostgreSQL for one run of the tests, and a database for each test.

use std::{
    io::Write,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{
    Connection, Executor, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

const TEMPLATE: &str = "bahi_template";

/// Outlives the tests only until the pipe to it breaks: then the server stops and its folder goes.
const WATCH: &str = r#"
"$BIN/initdb" -D "$DIR/data" -U bahi -A trust -E UTF8 --no-locale --no-sync >"$DIR/log" 2>&1
"$BIN/postgres" -D "$DIR/data" -k "$DIR" -c listen_addresses= -c fsync=off \
    -c full_page_writes=off -c max_connections=200 -c shared_buffers=256MB \
    -c max_wal_size=4GB >>"$DIR/log" 2>&1 &
server=$!
read -r _
kill -INT $server
wait $server
rm -rf "$DIR"
"#;

struct Server {
    socket: PathBuf,
    _watch: Child,
}

static SERVER: OnceLock<Server> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A fresh database with the migrations applied, as the application's role sees it.
pub(crate) async fn database() -> PgPool {
    let server = SERVER.get_or_init(|| {
        let start = || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(start())
        };
        std::thread::spawn(start).join().unwrap()
    });
    let name = format!("t{}", DATABASES.fetch_add(1, Ordering::SeqCst));
    let mut admin = PgConnection::connect_with(&options(server, "postgres")).await.unwrap();
    let create = format!("create database {name} template {TEMPLATE}");
    admin.execute(create.as_str()).await.unwrap();
    let options = options(server, &name).options([("role", "bahi_app")]);
    PgPoolOptions::new().max_connections(10).connect_with(options).await.unwrap()
}

fn options(server: &Server, database: &str) -> PgConnectOptions {
    PgConnectOptions::new().socket(&server.socket).username("bahi").database(database)
}

async fn start() -> Server {
    let bin = Command::new("pg_config").arg("--bindir").output().unwrap();
    let bin = String::from_utf8(bin.stdout).unwrap();
    let dir = tempfile::tempdir().unwrap().keep();
    let mut command = Command::new("sh");
    command
        .args(["-c", WATCH])
        .env("BIN", bin.trim())
        .env("DIR", &dir)
        .env("LC_ALL", "C")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .process_group(0);
    if rustix::process::geteuid().is_root() {
        let (uid, gid) = unprivileged();
        std::os::unix::fs::chown(&dir, Some(uid), Some(gid)).unwrap();
        command.uid(uid).gid(gid);
    }
    let mut watch = command.spawn().unwrap();
    watch.stdin.as_mut().unwrap().flush().unwrap();
    let server = Server { socket: dir, _watch: watch };
    prepare(&server).await;
    server
}

/// Makes the template as soon as the server answers.
async fn prepare(server: &Server) {
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut admin = loop {
        match PgConnection::connect_with(&options(server, "postgres")).await {
            Ok(admin) => break admin,
            Err(error) if Instant::now() > deadline => panic!("no server: {error}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    let create = format!("create database {TEMPLATE}");
    admin.execute(create.as_str()).await.unwrap();
    let pool = PgPool::connect_with(options(server, TEMPLATE)).await.unwrap();
    ledger_core::log::MIGRATOR.run(&pool).await.unwrap();
    pool.close().await;
}

/// PostgreSQL refuses to run as root.
fn unprivileged() -> (u32, u32) {
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let user = users.lines().find(|line| line.starts_with("postgres:")).unwrap();
    let fields: Vec<&str> = user.split(':').collect();
    (fields[2].parse().unwrap(), fields[3].parse().unwrap())
}
