//! What the tests stand on.

pub(crate) mod bahi;
pub(crate) mod books;
pub(crate) mod browser;
pub(crate) mod checker;
pub(crate) mod contents;
pub(crate) mod database;
pub(crate) mod demo;
pub(crate) mod fleet;
pub(crate) mod history;
pub(crate) mod idp;
pub(crate) mod intake;
pub(crate) mod ledger;
pub(crate) mod load;
pub(crate) mod model;
pub(crate) mod process;
pub(crate) mod proxy;
pub(crate) mod puppet;
pub(crate) mod queue;
pub(crate) mod reference;
pub(crate) mod sandbox;
pub(crate) mod script;
pub(crate) mod sent_back;
pub(crate) mod server;
pub(crate) mod service_process;
pub(crate) mod tamper;
pub(crate) mod town;
