//! Tests of the check as a whole: a generator of sound logs, and what becomes of a log that
//! somebody changed. Nothing here uses the engine, and nothing but the entry points of the check.

mod database;
mod export;
mod forged_fees;
mod forged_limits;
mod forged_lines;
mod forged_objects;
mod forged_payments;
mod forged_periods;
mod forged_suspense;
mod forged_transfers;
mod forgery;
mod generator;
mod lies;
mod log;
mod maker;
mod proving;
mod rate;
mod robust;
mod server;
mod signed;
mod signed_tables;
mod sound;
mod tampering;

use super::{Checkpoint, Code, Options, Report, verify_export};
use log::Log;

/// The report on an export.
fn check(text: &str) -> Report {
    verify_export(text.as_bytes(), &Options::default(), |_| {}).expect("an export")
}

/// The report on an export that is held against a checkpoint.
fn check_against(text: &str, checkpoint: Checkpoint) -> Report {
    let options = Options { checkpoint: Some(checkpoint), ..Options::default() };
    verify_export(text.as_bytes(), &options, |_| {}).expect("an export")
}

/// Asserts that the first finding is `code` at `position`.
#[track_caller]
fn assert_found(report: &Report, position: i64, code: Code, what: &str) {
    let first = report.findings.first().map(|f| (f.position, f.code));
    assert_eq!(first, Some((Some(position), code)), "{what}\n{report}");
    assert_eq!(report.exit_code(), 1, "{what}");
}

/// A sound log with every kind of event, made from a seed.
fn sound_log() -> Log {
    generator::generate(7, 400)
}
