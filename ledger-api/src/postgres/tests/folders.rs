//! Odd places for the data: long, quoted, hidden, half made.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
};

use super::*;

#[tokio::test]
async fn a_path_too_long_for_a_socket_works() {
    let dir = fresh();
    open_up(dir.path());
    let root = dir.path().join("long".repeat(30));
    let cluster = throwaway(&root);
    assert!(cluster.socket_dir().starts_with("/tmp"));
    assert_eq!(ask(&cluster, "select 'here'").await, "here");
    let socket = cluster.socket_dir().to_path_buf();
    assert_eq!(fs::metadata(&socket).unwrap().mode() & 0o777, 0o700);
    drop(cluster);
    fs::remove_dir(socket).unwrap();
}

#[tokio::test]
async fn a_path_with_signs_in_it_works() {
    let dir = fresh();
    open_up(dir.path());
    let cluster = throwaway(&dir.path().join("a b,c'd\"e%20+ü?&#"));
    assert_eq!(ask(&cluster, "select 'here'").await, "here");
    tell(&cluster, "postgres", "create database \"o'c %&\"").await;
    let url = cluster.url("o'c %&", SUPERUSER);
    PgConnection::connect(&url).await.unwrap().close().await.unwrap();
}

#[test]
fn a_path_with_a_line_break_is_refused() {
    let dir = fresh();
    let error = open_with(&dir.path().join("a\nb"), &options(Mode::Throwaway)).unwrap_err();
    assert!(matches!(error, LauncherError::BadPath { .. }), "{error}");
}

#[test]
fn what_a_killed_initdb_left_behind_is_made_anew() {
    let dir = fresh();
    let cluster = throwaway(dir.path());
    let (major, data) = (cluster.major(), cluster.data_dir().to_path_buf());
    drop(cluster);
    // As after a kill in the middle: everything but the last step.
    let unfinished = dir.path().join(format!("pg{major}.new-1"));
    fs::rename(&data, &unfinished).unwrap();
    fs::write(unfinished.join("half"), "made").unwrap();

    let cluster = throwaway(dir.path());
    assert!(cluster.is_running());
    assert!(!unfinished.exists() && !data.join("half").exists());
}

#[tokio::test]
async fn a_backup_that_was_put_back_is_opened() {
    let (dir, elsewhere) = (fresh(), fresh());
    let cluster = open_with(dir.path(), &options(Mode::Durable)).unwrap();
    tell(&cluster, "postgres", "create table kept (n int)").await;
    let name = cluster.data_dir().file_name().unwrap().to_owned();
    let data = cluster.data_dir().to_path_buf();
    drop(cluster);
    open_up(elsewhere.path());
    fs::rename(data, elsewhere.path().join(name)).unwrap();

    let cluster = open_with(elsewhere.path(), &options(Mode::Durable)).unwrap();
    assert_eq!(ask(&cluster, "select count(*)::text from kept").await, "0");
}

#[test]
fn the_folder_and_the_data_are_private() {
    let dir = fresh();
    let cluster = throwaway(dir.path());
    for folder in [cluster.data_dir(), cluster.socket_dir()] {
        assert_eq!(fs::metadata(folder).unwrap().mode() & 0o777, 0o700, "{folder:?}");
    }
    let around = fs::metadata(dir.path()).unwrap();
    assert_eq!(around.uid(), rustix::process::geteuid().as_raw(), "the folder stays its owner's");
    let passable = if around.uid() == 0 { 0o711 } else { 0o700 };
    assert_eq!(around.mode() & 0o777, passable);
    assert_ne!(fs::metadata(cluster.data_dir()).unwrap().uid(), 0, "never as root");
}

#[test]
fn root_goes_where_the_servers_user_can_follow() {
    if !rustix::process::geteuid().is_root() {
        return; // An ordinary user's server runs as that user, who reaches what they name.
    }
    let (dir, system) = (fresh(), fresh());
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
    open_up(system.path());
    let hidden = dir.path().join("below/a/private/home");
    let system_folder = system.path().join("pg");
    let options = Options { system_folder: system_folder.clone(), ..options(Mode::Throwaway) };

    let cluster = open_with(&hidden, &options).unwrap();
    assert!(cluster.data_dir().starts_with(&system_folder), "{:?}", cluster.data_dir());
    // Once data is there, it stays the one that is found, even if the path opens later.
    open_up(dir.path());
    let again = open_with(&hidden, &options).unwrap();
    assert_eq!(again.data_dir(), cluster.data_dir());
}

#[test]
fn root_does_not_start_afresh_beside_data_that_became_unreachable() {
    if !rustix::process::geteuid().is_root() {
        return; // See above.
    }
    let (dir, system) = (fresh(), fresh());
    open_up(dir.path());
    open_up(system.path());
    let root = dir.path().join("data");
    let options = Options { system_folder: system.path().join("pg"), ..options(Mode::Throwaway) };
    drop(open_with(&root, &options).unwrap());

    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let error = open_with(&root, &options).unwrap_err();
    assert!(matches!(error, LauncherError::Unreachable { .. }), "{error}");
}

/// Temporary folders are private to us, and the server may run as somebody else.
pub(super) fn open_up(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Nobody but root writes here any more.
pub(super) fn close(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o500)).unwrap();
}
