//! What accountants get: the programs of plain-text accounting come to our balances, a replay comes
//! to what the read models have at any place, control totals hold until somebody changes a table,
//! and an import ends at zero and happens once.
//!
//! Where hledger, ledger or beancount are missing their test is skipped, and says so; where `CI` or
//! `BAHI_ACCOUNTING=required` is set it fails. `make test` installs them if it can.

mod controls;
mod imports;
mod programs;
mod scene;
mod sheets;
