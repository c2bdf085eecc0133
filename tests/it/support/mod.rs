//! What the tests stand on.

pub(crate) mod books;
pub(crate) mod database;
pub(crate) mod ledger;
pub(crate) mod model;
pub(crate) mod reference;
pub(crate) mod script;
