//! The integration tests: one binary, a file per subject, on a real PostgreSQL.

// Says to the lints that everything in here is test code, the support too.
#![cfg(test)]

mod api_accounts;
mod api_events;
mod api_examples;
mod api_faults;
mod api_holds;
mod api_input;
mod api_limits;
mod api_transactions;
mod audit_engine;
mod bank_accounts;
mod bank_adapter;
mod bank_hostile;
mod bank_kills;
mod bank_messages;
mod browser;
mod canaries;
mod cancellation;
mod corrupt_streams;
mod deposits;
mod engine_basics;
mod engine_faults;
mod engine_rules;
mod failover;
mod golden;
mod immutability;
mod limits;
mod lost_answers;
mod model;
mod money_in;
mod money_out;
mod one_append;
mod ops;
mod ops_resolutions;
mod overload;
mod postgres_restarts;
mod postings;
mod processes;
mod reference;
mod replays;
mod service_kills;
mod several_engines;
mod snapshot_edges;
mod snapshots;
mod statements;
mod support;
mod tidy;
mod transfers;
mod vault;
mod webhook_faults;
mod webhook_inbox;
mod webhooks;
mod withdrawal_queue;
mod withdrawals;
