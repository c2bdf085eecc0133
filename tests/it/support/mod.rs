//! What the tests stand on.

pub(crate) mod bahi;
pub(crate) mod database;
pub(crate) mod ledger;
