//! The examples of answers: their fields are those of real ones, which no two logs have alike.

use serde_json::{Value, json};

const NOTE: &str = "bahi/2f6c1f0f2d5b8a11\n48213\nn4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=\n\n\
    — bahi/2f6c1f0f2d5b8a11 pQ3kW0c2wT5c…\n";
const HASH: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// Of the list of checkpoints.
pub(super) fn checkpoints() -> Value {
    json!({
        "data": [{
            "object": "checkpoint",
            "origin": "bahi/2f6c1f0f2d5b8a11",
            "size": 48_213,
            "root": "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=",
            "made_at": "2026-11-22T08:30:00Z",
            "public_key": HASH,
            "witnesses": ["auditor.example/bahi"],
            "note": NOTE,
        }],
        "has_more": false,
        "next_cursor": null,
    })
}

/// Of a proof of an event.
pub(crate) fn inclusion() -> Value {
    json!({
        "format": "bahi.proof.1",
        "event": {
            "position": 48_211,
            "aggregate_type": "account",
            "aggregate_id": "wallet:asha:INR",
            "sequence": 7,
            "event_type": "closed",
            "event_version": "1.0",
            "recorded_at": "2026-11-22T08:29:11.000001Z",
            "payload": {},
            "metadata": {"actor": "till"},
            "hash": HASH,
        },
        "path": [HASH, HASH],
        "checkpoint": NOTE,
    })
}

/// Of a proof between checkpoints.
pub(super) fn consistency() -> Value {
    json!({
        "format": "bahi.consistency.1",
        "from": 48_000,
        "to": 48_213,
        "path": [HASH, HASH],
        "from_checkpoint": NOTE.replace("48213", "48000"),
        "to_checkpoint": NOTE,
    })
}
