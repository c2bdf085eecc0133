//! Sound logs are verified, and their figures are right.

use super::{super::Checkpoint, check, check_against, generator::generate, sound_log};

#[test]
fn sound_logs_of_many_seeds_are_verified() {
    for seed in 0..40 {
        let report = check(&generate(seed, 150).text());
        assert!(report.verified, "seed {seed}\n{report}");
        assert_eq!(report.exit_code(), 0);
    }
}

#[test]
fn case_180_the_figures_are_those_of_the_log() {
    let log = sound_log();
    let report = check(&log.text());
    assert!(report.verified, "{report}");
    let count = |aggregate_type: &str, event_types: &[&str]| {
        let matching = log.rows.iter().filter(|r| {
            r.aggregate_type == aggregate_type && event_types.contains(&r.event_type.as_str())
        });
        u64::try_from(matching.count()).unwrap()
    };
    assert_eq!(report.events, i64::try_from(log.rows.len()).unwrap());
    assert_eq!(report.batches, i64::try_from(log.batches.len()).unwrap());
    assert!(report.batches_empty > 0);
    assert_eq!(report.entries, count("account", &["debited", "credited"]));
    assert_eq!(report.accounts, count("account", &["opened"]));
    assert_eq!(report.accounts_closed, count("account", &["closed"]));
    assert_eq!(report.reversals, count("reversal", &["reversed"]));
    assert_eq!(report.holds.placed, count("hold", &["placed"]));
    assert_eq!(report.holds.captured, count("hold", &["captured"]));
    assert_eq!(report.holds.released, count("hold", &["released"]));
    assert_eq!(report.holds.expired, count("hold", &["expired"]));
    let ended = report.holds.captured + report.holds.released + report.holds.expired;
    assert_eq!(report.holds.open, report.holds.placed - ended);
    let codes: Vec<_> = report.currencies.iter().map(|c| c.code.as_str()).collect();
    assert_eq!(codes, ["INR", "JPY", "USDT"]);
    assert!(report.currencies.iter().all(|c| c.balanced && c.debits == c.credits));
    let head = log.batches.last().unwrap();
    assert_eq!(report.head.hash, hex::encode(head.head_hash));
    assert_eq!(report.head.position, head.last_position);
    for kind in ["hold_increased", "hold_expired", "limits_changed", "frozen", "unfrozen"] {
        assert!(count("account", &[kind]) > 0, "the generator makes no {kind}");
    }
}

#[test]
fn an_empty_log_is_sound() {
    let report = check(&super::Log::default().text());
    assert!(report.verified, "{report}");
    assert_eq!(report.head.hash, "0".repeat(64));
}

#[test]
fn every_checkpoint_of_its_past_is_in_a_sound_log() {
    let log = generate(3, 60);
    let text = log.text();
    for index in 0..log.batches.len() {
        let report = check_against(&text, log.checkpoint(index));
        assert!(report.verified, "{index}\n{report}");
        assert!(report.checkpoint.unwrap().contained);
    }
    let of_report = Checkpoint::of(&check(&text).head, chrono::DateTime::UNIX_EPOCH);
    assert!(check_against(&text, of_report).verified);
}

#[test]
fn the_report_reads_as_text_and_as_json() {
    let report = check(&sound_log().text());
    let text = report.to_string();
    assert!(text.contains("INR ✓  JPY ✓  USDT ✓"), "{text}");
    assert!(text.contains("\nVERIFIED in "), "{text}");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["verified"], true);
    assert_eq!(json["events"], report.events);
}
