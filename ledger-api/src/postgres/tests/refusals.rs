//! Everything that stops a start, with the message that the operator gets.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    time::Duration,
};

use super::{lock::StartLock, *};

fn refused(root: &Path, options: &Options) -> LauncherError {
    open_with(root, options).expect_err("it must not start")
}

#[test]
fn without_any_server_the_message_names_the_line_to_install_one() {
    let dir = fresh();
    let options = Options { binaries: Binaries::Among(Vec::new()), ..options(Mode::Durable) };
    let error = refused(dir.path(), &options);
    assert!(matches!(error, LauncherError::NoServer { download: None }));
    let text = error.to_string();
    for hint in ["apt-get install -y postgresql", "brew install", "BAHI_PG_BIN", "DATABASE_URL"] {
        assert!(text.contains(hint), "{text}");
    }
}

#[test]
fn a_programs_folder_without_programs_is_named() {
    let dir = fresh();
    let nowhere = dir.path().join("nowhere");
    let binaries = Binaries::Exactly(nowhere.clone());
    let error = refused(dir.path(), &Options { binaries, ..options(Mode::Durable) });
    assert!(matches!(error, LauncherError::BadBinFolder { .. }));
    assert!(error.to_string().contains(nowhere.to_str().unwrap()), "{error}");
}

#[test]
fn an_old_or_broken_server_is_not_used() {
    let (dir, old, broken) = (fresh(), fake_server("13.9"), fake_server("none"));
    let with = |binaries| Options { binaries, ..options(Mode::Durable) };
    let exact = refused(dir.path(), &with(Binaries::Exactly(old.path().into())));
    assert!(exact.to_string().contains("it is version 13"), "{exact}");
    let exact = refused(dir.path(), &with(Binaries::Exactly(broken.path().into())));
    assert!(exact.to_string().contains("--version"), "{exact}");
    let both = Binaries::Among(vec![old.path().into(), broken.path().into()]);
    assert!(matches!(refused(dir.path(), &with(both)), LauncherError::NoServer { .. }));
}

#[test]
fn data_of_another_major_version_is_left_alone() {
    let (dir, newer) = (fresh(), fake_server("99.1"));
    let cluster = throwaway(dir.path());
    let (major, data) = (cluster.major(), cluster.data_dir().to_path_buf());
    drop(cluster);
    let only_newer = Binaries::Among(vec![newer.path().into()]);
    let error = refused(dir.path(), &Options { binaries: only_newer, ..options(Mode::Throwaway) });
    assert!(
        matches!(&error, LauncherError::OtherMajor { wrote, found, .. }
            if *wrote == major && found == "99"),
        "{error}"
    );
    assert!(error.to_string().contains("pg_dumpall"), "{error}");
    assert!(data.join("PG_VERSION").is_file() && !dir.path().join("pg99").exists());
}

#[test]
fn a_newer_server_does_not_replace_the_one_that_wrote_the_data() {
    let (dir, newer) = (fresh(), fake_server("99.1"));
    let first = throwaway(dir.path());
    let (major, bin) = (first.major(), first.bin_dir().to_path_buf());
    drop(first);
    let binaries = Binaries::Among(vec![newer.path().into(), bin]);
    let again = open_with(dir.path(), &Options { binaries, ..options(Mode::Throwaway) }).unwrap();
    assert_eq!(again.major(), major);
}

#[test]
fn a_folder_with_other_things_in_it_stays_as_it_is() {
    let dir = fresh();
    folders::open_up(dir.path());
    fs::write(dir.path().join("letter.txt"), "dear").unwrap();
    let error = refused(dir.path(), &options(Mode::Durable));
    assert!(matches!(error, LauncherError::NotOurs { .. }), "{error}");
    let after = fs::metadata(dir.path()).unwrap();
    assert_eq!(after.mode() & 0o777, 0o755, "not closed");
    assert_eq!(after.uid(), rustix::process::geteuid().as_raw(), "not given away");
}

#[test]
fn data_of_another_user_is_left_alone() {
    if !rustix::process::geteuid().is_root() {
        return; // Only root can give things away.
    }
    let dir = fresh();
    let cluster = throwaway(dir.path());
    let data = cluster.data_dir().to_path_buf();
    drop(cluster);
    std::os::unix::fs::chown(&data, Some(0), Some(0)).unwrap();
    let error = refused(dir.path(), &options(Mode::Throwaway));
    assert!(matches!(error, LauncherError::OtherOwner { owner: 0, .. }), "{error}");
}

#[test]
fn a_file_in_the_way_is_named() {
    let dir = fresh();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = refused(&file.join("data"), &options(Mode::Throwaway));
    assert!(matches!(error, LauncherError::Folder { .. }), "{error}");
}

#[test]
fn durable_and_throwaway_never_mix() {
    for (made, wanted) in [(Mode::Durable, Mode::Throwaway), (Mode::Throwaway, Mode::Durable)] {
        let dir = fresh();
        let cluster = open_with(dir.path(), &options(made)).unwrap();
        let running = refused(dir.path(), &options(wanted));
        assert!(matches!(running, LauncherError::OtherMode { .. }), "{running}");
        drop(cluster);
        let stopped = refused(dir.path(), &options(wanted));
        assert!(matches!(stopped, LauncherError::OtherMode { .. }), "{stopped}");
    }
}

#[test]
fn a_lock_that_stays_taken_is_named() {
    let dir = fresh();
    let options = options(Mode::Throwaway);
    let folder = Folder::settle(dir.path(), &options.system_folder).unwrap();
    let held = StartLock::take(&folder, Duration::ZERO).unwrap();
    let patience = Duration::from_millis(50);
    let error = refused(dir.path(), &Options { patience, ..options.clone() });
    assert!(matches!(error, LauncherError::LockHeld { .. }), "{error}");
    assert!(error.to_string().contains("start.lock"), "{error}");
    drop(held);
    assert!(open_with(dir.path(), &options).unwrap().started_here());
}

#[test]
fn a_server_that_ends_at_start_says_why() {
    let dir = fresh();
    let mut wrong = options(Mode::Throwaway);
    wrong.settings.push(("shared_buffers".into(), "some".into()));
    let error = refused(dir.path(), &wrong);
    assert!(matches!(error, LauncherError::EndedAtStart { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("invalid value for parameter \"shared_buffers\""), "{text}");
    assert!(throwaway(dir.path()).is_running(), "and it starts once that is mended");
}

#[test]
fn a_server_that_is_not_ready_in_time_is_not_left_behind() {
    let dir = fresh();
    let impatient = Options { patience: Duration::ZERO, ..options(Mode::Throwaway) };
    let error = refused(dir.path(), &impatient);
    assert!(matches!(error, LauncherError::NotReady { .. }), "{error}");
    assert!(throwaway(dir.path()).started_here(), "it was ended, and starts anew");
}

#[test]
fn a_failed_initdb_says_why() {
    let (dir, broken) = (fresh(), fake_server("15.1"));
    let binaries = Binaries::Exactly(broken.path().into());
    let error = refused(dir.path(), &Options { binaries, ..options(Mode::Throwaway) });
    assert!(
        matches!(&error, LauncherError::Initdb { stderr, .. } if stderr == "no initdb here"),
        "{error}"
    );
    assert!(!dir.path().join("pg15").exists());
}

#[test]
fn a_full_disk_is_told_from_other_failures() {
    let (dir, full) = (fresh(), fake_server("15.1"));
    let initdb = "#!/bin/sh\necho 'initdb: error: could not write: No space left on device' >&2\n\
                  exit 1\n";
    fs::write(full.path().join("initdb"), initdb).unwrap();
    let binaries = Binaries::Exactly(full.path().into());
    let error = refused(dir.path(), &Options { binaries, ..options(Mode::Throwaway) });
    assert!(matches!(error, LauncherError::DiskFull { .. }), "{error}");
}

#[test]
fn a_socket_folder_that_somebody_else_made_is_refused() {
    let dir = fresh();
    folders::open_up(dir.path());
    let options = options(Mode::Throwaway);
    let folder =
        Folder::settle(&dir.path().join("long".repeat(30)), &options.system_folder).unwrap();
    let socket = folder.make_socket_folder().unwrap();
    fs::remove_dir(&socket).unwrap();
    std::os::unix::fs::symlink(dir.path(), &socket).unwrap();
    let error = folder.make_socket_folder().unwrap_err();
    fs::remove_file(&socket).unwrap();
    assert!(matches!(error, LauncherError::SocketFolder { .. }), "{error}");
}

/// Programs that answer `--version` and can do nothing else.
fn fake_server(version: &str) -> TempDir {
    let dir = fresh();
    folders::open_up(dir.path());
    let postgres = if version == "none" {
        "#!/bin/sh\nexit 1\n".to_owned()
    } else {
        format!("#!/bin/sh\necho 'postgres (PostgreSQL) {version} (Fake)'\n")
    };
    let fails = |name: &str| format!("#!/bin/sh\necho 'no {name} here' >&2\nexit 1\n");
    let programs =
        [("postgres", postgres), ("initdb", fails("initdb")), ("pg_ctl", fails("pg_ctl"))];
    for (name, script) in programs {
        let path = dir.path().join(name);
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    dir
}
