//! What was answered, against the log: every acknowledged transfer is in it exactly once and as it
//! was acknowledged, every rejection is not in it, and what was stored is what was told.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Books, Log, Transaction};
use crate::support::history::{Entry, History, Told};

/// Stored outcomes and transactions belong to each other: both of one append, or neither. Holds for
/// logs whose every transaction came by a command with a key.
pub(super) fn check_stored(log: &Log, books: &Books) {
    let mut accounted = BTreeSet::new();
    for stored in &log.stored {
        let Some(accepted) = stored.outcome.get("accepted") else {
            assert!(stored.outcome.get("rejected").is_some(), "{}", stored.outcome);
            continue;
        };
        let (first, last) = positions(accepted);
        for id in transactions(accepted) {
            let there = books.transactions.get(&id);
            let there = there.unwrap_or_else(|| panic!("{} has no {id}", stored.key));
            assert!(first <= there.first_position && there.last_position <= last, "{id}");
            assert!(accounted.insert(id.clone()), "{id} belongs to two keys");
        }
    }
    let foreign = books.transactions.keys().find(|id| !accounted.contains(*id));
    assert_eq!(foreign, None, "a transaction that no stored outcome knows");
}

/// Checks what clients were told; says how many keys were accepted, rejected and given up.
pub(super) fn check_told(log: &Log, books: &Books, history: &History) -> (usize, usize, usize) {
    let stored: BTreeMap<_, _> =
        log.stored.iter().map(|s| ((s.principal.as_str(), s.key.as_str()), &s.outcome)).collect();
    let (mut accepted, mut rejected, mut given_up) = (0, 0, 0);
    for (key, entry) in history.entries() {
        let stored = stored.get(&("tester", key.as_str())).copied();
        let there: Vec<&Transaction> = entry
            .attempts
            .iter()
            .filter_map(|attempt| books.transactions.get(&attempt.transaction.to_string()))
            .collect();
        let Some(outcome) = entry.outcome() else {
            // "Nothing happened" was the last word on every attempt.
            assert!(entry.nothing_happened(), "{key}: left unresolved by the test");
            assert!(there.is_empty() && stored.is_none(), "{key}: refused, and yet there");
            given_up += 1;
            continue;
        };
        let told = serde_json::to_value(outcome).unwrap();
        assert_eq!(stored, Some(&told), "{key}: told one thing, stored another");
        if let Some(answer) = told.get("accepted") {
            check_accepted(&key, &entry, answer, &there, books);
            accepted += 1;
        } else {
            assert!(there.is_empty(), "{key}: rejected, and yet in the log");
            rejected += 1;
        }
    }
    check_real_time(history);
    (accepted, rejected, given_up)
}

fn check_accepted(key: &str, entry: &Entry, answer: &Value, there: &[&Transaction], books: &Books) {
    assert_eq!(there.len(), 1, "{key}: one of its attempts is in the log, once");
    let ids = transactions(answer);
    assert_eq!(ids.len(), 1, "{key}");
    let acknowledged = &books.transactions[&ids[0]];
    let request = &entry.request;
    let leg =
        |account: &str, side: &str| (account.to_owned(), side.to_owned(), request.amount.clone());
    let legs = vec![leg(&request.from, "debited"), leg(&request.to, "credited")];
    assert_eq!(acknowledged.legs, legs, "{key}: another content than asked");
    let positions = positions(answer);
    assert_eq!(positions, (acknowledged.first_position, acknowledged.last_position), "{key}");
    let ours = entry.attempts.iter().find(|a| a.transaction.to_string() == ids[0]);
    let attempt = ours.unwrap_or_else(|| panic!("{key}: {} was never asked", ids[0]));
    let refused = matches!(attempt.told, Told::Nothing);
    assert!(!refused, "{key}: told that nothing happened, and yet in the log");
}

/// Who asks after somebody was answered comes after them in the log.
fn check_real_time(history: &History) {
    let mut spans: Vec<_> = history.entries().iter().filter_map(|(_, e)| e.span()).collect();
    spans.sort_unstable_by_key(|span| span.asked);
    let mut answered = spans.clone();
    answered.sort_unstable_by_key(|span| span.answered);
    let mut answered = answered.iter().peekable();
    let mut highest = 0;
    for span in &spans {
        while let Some(before) = answered.next_if(|before| before.answered < span.asked) {
            highest = highest.max(before.position);
        }
        let position = span.position;
        assert!(position > highest, "{position} was asked for after {highest} was answered");
    }
}

fn positions(accepted: &Value) -> (i64, i64) {
    let position = |field| accepted.get(field).and_then(Value::as_i64).unwrap();
    (position("first_position"), position("position"))
}

fn transactions(accepted: &Value) -> Vec<String> {
    let receipt = accepted.get("receipt").unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    if let Some(posted) = receipt.get("posted") {
        posted["transactions"].as_array().unwrap().iter().map(text).collect()
    } else {
        receipt
            .get("captured")
            .map(|captured| text(&captured["transaction_id"]))
            .into_iter()
            .collect()
    }
}
