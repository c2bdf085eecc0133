//! The launcher with real servers, each in a folder of its own. Every cluster stops its server when
//! it is dropped, also when the test fails.

use std::path::Path;

use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

use super::*;

fn fresh() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn options(mode: Mode) -> Options {
    let settings = [("shared_buffers", "16MB"), ("max_connections", "20")];
    let settings = settings
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    Options {
        download: false,
        settings,
        ..Options::from_env(mode)
    }
}

fn throwaway(root: &Path) -> Cluster {
    open_with(root, &options(Mode::Throwaway)).unwrap()
}

/// One row and one column, asked as the superuser.
async fn ask(cluster: &Cluster, sql: &str) -> String {
    let mut db = PgConnection::connect(&cluster.url("postgres", SUPERUSER))
        .await
        .unwrap();
    let answer: String = sqlx::query_scalar(sql).fetch_one(&mut db).await.unwrap();
    db.close().await.unwrap();
    answer
}

#[tokio::test]
async fn a_fresh_durable_database_gives_nothing_up() {
    let dir = fresh();
    let cluster = open_with(dir.path(), &options(Mode::Durable)).unwrap();
    assert!(cluster.started_here());
    for name in [
        "fsync",
        "synchronous_commit",
        "full_page_writes",
        "data_checksums",
    ] {
        assert_eq!(ask(&cluster, &format!("show {name}")).await, "on", "{name}");
    }
    assert_eq!(
        ask(&cluster, "show listen_addresses").await,
        "",
        "nothing on the network"
    );
    assert_eq!(ask(&cluster, "show server_encoding").await, "UTF8");
    assert_eq!(
        ask(&cluster, "show max_connections").await,
        "20",
        "overridden"
    );
    assert_eq!(cluster.stop_if_last().unwrap(), Stopped::InOrder);
}

#[tokio::test]
async fn a_throwaway_database_still_acknowledges_only_what_is_written() {
    let dir = fresh();
    let cluster = throwaway(dir.path());
    assert_eq!(ask(&cluster, "show fsync").await, "off");
    assert_eq!(ask(&cluster, "show synchronous_commit").await, "on");
}
