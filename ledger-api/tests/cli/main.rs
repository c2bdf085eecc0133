//! The binary as somebody uses it: started as a process, asked over HTTP, told to stop.

mod periods;
mod proofs;
mod support;
mod webhooks;

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use support::{Bahi, Place};

#[test]
fn a_command_line_that_makes_no_sense_ends_with_2_and_says_why() {
    let place = Place::new();
    for (arguments, says) in [
        (&["serve", "--listen", "here"][..], "invalid socket address"),
        (&["keys", "create", "--name", "x", "--scope", "all"], "there is no scope"),
        (&["projections", "rebuild", "--only", "x"], "no such read model"),
        (&["audit", "verify", "/nowhere/log.ndjson"], "can't read /nowhere/log.ndjson"),
        (&["healthcheck", "--address", "127.0.0.1:1"], "no answer from 127.0.0.1:1"),
        (&["--log", "=", "audit", "verify"], "is not a filter"),
    ] {
        let ended = place.run(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.said);
        assert!(ended.said.contains(says), "{arguments:?}: {}", ended.said);
    }
}

#[test]
fn case_183_a_malformed_url_is_refused_and_never_repeated() {
    let place = Place::new();
    let url = [("DATABASE_URL", "postgres//app:hunter2@db")];
    let ended = place.run_with(&["audit", "verify"], &url);
    assert_eq!(ended.code, Some(2));
    assert!(ended.said.contains("not of the form postgres://"), "{}", ended.said);
    assert!(!ended.said.contains("hunter2"), "{}", ended.said);
}

#[test]
fn looking_at_a_ledger_that_is_not_there_makes_none() {
    let place = Place::new();
    for arguments in [
        &["audit", "verify"][..],
        &["audit", "export"],
        &["audit", "checkpoint"],
        &["projections", "status"],
        &["projections", "rebuild"],
    ] {
        let ended = place.run(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.printed);
        assert!(ended.said.contains("there is no ledger in"), "{arguments:?}: {}", ended.said);
        assert!(!place.has_data(), "{arguments:?}");
    }
}

/// How many transfers an export has.
fn transfers(export: &str) -> usize {
    let is_one = |line: &&str| line.contains("\"debited\"") && line.contains("transfer");
    export.lines().filter(is_one).count()
}

#[test]
fn the_auditor_finds_a_demo_in_order_and_a_changed_export_broken() {
    let place = Place::new();
    let demo = Bahi::start(&place, &["demo", "--listen", "127.0.0.1:0"]);
    let first = demo.wait_for_line("export BAHI=");
    let verified = place.run(&["audit", "verify"]);
    assert_eq!(verified.code, Some(0), "{}", verified.said);
    assert!(verified.printed.contains("VERIFIED"), "{}", verified.printed);
    // What the service appended carries the MAC of its installation, and who has its secret looks.
    assert!(verified.printed.contains("0 differ, from batch 1 on"), "{}", verified.printed);
    let other = place.file("other", &"0123456789abcdef".repeat(4));
    let without = place.run(&["audit", "verify", "--secret-file", &other]);
    assert_eq!(without.code, Some(0), "{}", without.said);
    assert!(without.said.contains("MACs of batches are not checked"), "{}", without.said);
    demo.stop();
    let told = transfers(&place.run(&["audit", "export"]).printed);
    assert!(told > 8, "{told}");

    let again = Bahi::start(&place, &["demo", "--listen", "127.0.0.1:0"]);
    let second = again.wait_for_line("export BAHI=");
    let key = |line: &str| line.split("KEY=").nth(1).map(str::to_owned);
    assert_eq!(key(&first), key(&second), "the key of the first run is used again");
    again.stop();

    let export = place.run(&["audit", "export"]).printed;
    assert_eq!(transfers(&export), told, "nothing is doubled");
    let changed = export.replacen("10000.00", "90000.00", 1);
    let file = place.file("changed.ndjson", &changed);
    let broken = place.run(&["audit", "verify", &file]);
    assert_eq!(broken.code, Some(1), "{}", broken.printed);
}

#[test]
fn a_checkpoint_is_kept_and_finds_a_tail_that_was_cut_off() {
    let place = Place::new();
    let file = place.path("checkpoint.json");
    // Any command that needs the engine opens the book.
    assert_eq!(place.run(&["currencies", "add", "EUR", "2"]).code, Some(0));
    assert_eq!(place.run(&["currencies", "add", "EUR", "3"]).code, Some(1));
    assert_eq!(place.run(&["audit", "checkpoint", "--out", &file]).code, Some(0));
    let again = place.run(&["audit", "checkpoint", "--out", &file]);
    assert_eq!(again.code, Some(2), "a checkpoint is not replaced");

    let export = place.run(&["audit", "export"]).printed;
    let whole = place.path("whole.ndjson");
    assert_eq!(place.run(&["audit", "export", "--out", &whole]).code, Some(0));
    assert_eq!(std::fs::read_to_string(&whole).unwrap(), export);
    assert!(!std::path::Path::new(&format!("{whole}.unfinished")).exists());
    let verify = |log: &str| place.run(&["audit", "verify", log, "--checkpoint", &file]);
    assert_eq!(verify(&whole).code, Some(0));
    let lines: Vec<&str> = export.lines().collect();
    let cut = place.file("cut.ndjson", &lines[..lines.len() - 3].join("\n"));
    assert_eq!(verify(&cut).code, Some(1));
}

#[test]
fn keys_are_made_listed_without_their_secret_and_revoked_once() {
    let place = Place::new();
    let made = place.run(&["keys", "create", "--name", "till", "--scope", "ledger:read"]);
    let key = made.printed.trim();
    assert!(key.starts_with("bahi_live_"), "{}", made.said);
    let listed = place.run(&["keys", "list"]).printed;
    assert!(listed.contains("till") && !listed.contains(key));
    let id = listed.split_whitespace().find(|word| word.starts_with("key_")).expect("an id");
    assert_eq!(place.run(&["keys", "revoke", id]).code, Some(0));
    assert_eq!(place.run(&["keys", "revoke", id]).code, Some(2));
}

#[test]
fn a_port_that_is_taken_is_said_with_the_way_out() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    let ended = place.run(&["serve", "--listen", &address]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.said.contains("--listen 127.0.0.1:"), "{}", ended.said);
}

#[test]
fn case_44_told_to_stop_it_ends_in_order_and_told_twice_it_ends_too() {
    let place = Place::new();
    let bahi = Bahi::serve(&place);
    bahi.wait_until_ready();
    let ended = bahi.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert!(ended.said.contains("InOrder"), "the server stopped: {}", ended.said);

    let bahi = Bahi::serve(&place);
    bahi.wait_until_ready();
    bahi.signal();
    bahi.signal();
    let started = Instant::now();
    bahi.wait();
    assert!(started.elapsed() < Duration::from_secs(20));
    let verified = place.run(&["audit", "verify"]);
    assert_eq!(verified.code, Some(0), "{}", verified.said);
}

#[test]
fn case_48_it_listens_before_its_database_is_there_and_is_ready_after() {
    let place = Place::new();
    // A server of one's own, by its URL; it is stopped first.
    let server = place.private_server();
    let url = server.url();
    let server = server.stop();
    let bahi = Bahi::start_with(
        &place,
        &["serve", "--listen", "127.0.0.1:0"],
        &[("DATABASE_URL", &url), ("BAHI_ALLOW_UNSAFE_DATABASE", "true")],
    );
    bahi.wait_until(|status| status == 503);
    bahi.wait_until_it_said("waiting for the database");
    let _server = server.start();
    bahi.wait_until_ready();
    assert_eq!(bahi.stop().code, Some(0));
}

#[test]
fn the_private_server_is_brought_back_when_it_is_killed() {
    let place = Place::new();
    let bahi = Bahi::serve(&place);
    bahi.wait_until_ready();
    let before = place.postmaster();
    place.kill_postmaster();
    let deadline = Instant::now() + Duration::from_secs(60);
    while place.postmaster() == before {
        assert!(Instant::now() < deadline, "{}", bahi.said());
        std::thread::sleep(Duration::from_millis(20));
    }
    bahi.wait_until_ready();
    assert_eq!(bahi.stop().code, Some(0));
}

#[test]
fn what_operators_watch_is_there_from_the_start() {
    let place = Place::new();
    let arguments = ["serve", "--listen", "127.0.0.1:0"];
    let bahi = Bahi::start_with(&place, &arguments, &[webhooks::HDFC]);
    bahi.wait_until_ready();
    let page = include_str!("../../../docs/operating.md");
    let (_, watched) = page.split_once("## Watching it").expect("the part about metrics");
    let names = watched.split('`').filter(|word| word.starts_with("bahi_"));
    // What is told for each bank is told of banks that have something to do.
    let names = names.filter(|word| !word.contains("{bank"));
    let names: Vec<&str> = names.filter_map(|word| word.split('{').next()).collect();
    assert!(names.len() > 8, "{names:?}");
    for name in names {
        // The tasks start one after the other, and some say it after their first round.
        bahi.metrics_with(&format!("# TYPE {name} "));
    }
    assert_eq!(bahi.stop().code, Some(0));
}

#[test]
fn roles_may_be_processes_of_their_own() {
    let place = Place::new();
    let api = Bahi::start(&place, &["serve", "--listen", "127.0.0.1:0", "--role", "api"]);
    // The book of a fresh log has events, and nobody projects them yet.
    api.wait_until_it_says("\"projected\":0");
    assert_eq!(place.run(&["projections", "status"]).code, Some(1));
    let projector = Bahi::start(&place, &["serve", "--role", "projector,worker"]);
    api.wait_until_it_says("\"lag_events\":0");
    assert_eq!(place.run(&["projections", "status"]).code, Some(0));
    assert_eq!(place.run(&["projections", "rebuild", "--only", "flows"]).code, Some(0));
    assert_eq!(projector.stop().code, Some(0));
    assert_eq!(api.stop().code, Some(0));
}
