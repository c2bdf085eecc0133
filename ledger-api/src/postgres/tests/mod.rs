//! The launcher with real servers, each in a folder of its own. Every cluster stops its server when
//! it is dropped, also when its test fails.

mod checks;
mod databases;
mod folders;
mod processes;
mod refusals;
mod sharing;

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

use super::*;

fn fresh() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Small, and deaf to the network.
fn options(mode: Mode) -> Options {
    let settings = [("shared_buffers", "16MB"), ("max_connections", "20")];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    Options { download: false, settings, ..Options::from_env(mode) }
}

fn throwaway(root: &Path) -> Cluster {
    open_with(root, &options(Mode::Throwaway)).unwrap()
}

/// One row and one column, asked as the superuser.
async fn ask(cluster: &Cluster, sql: &str) -> String {
    let mut db = PgConnection::connect(&cluster.url("postgres", SUPERUSER)).await.unwrap();
    let answer: String = sqlx::query_scalar(sql).fetch_one(&mut db).await.unwrap();
    db.close().await.unwrap();
    answer
}

/// A statement without an answer, as the superuser.
async fn tell(cluster: &Cluster, database: &str, sql: &str) {
    let mut db = PgConnection::connect(&cluster.url(database, SUPERUSER)).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut db).await.unwrap();
    db.close().await.unwrap();
}

/// Waits for a state that must come.
fn until(what: &str, mut reached: impl FnMut() -> bool) {
    let began = Instant::now();
    while !reached() {
        assert!(began.elapsed() < Duration::from_secs(30), "waited in vain: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn kill_9(pid: i32) {
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}
