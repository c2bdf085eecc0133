//! The HTTP side of the service: how requests come in and answers go out, whatever they are about.
//!
//! What they are about stands in `routes`, one file per resource. Nothing here knows an account.

pub(crate) mod approval;
pub(crate) mod auth;
pub(crate) mod authority;
pub mod codes;
pub(crate) mod context;
pub(crate) mod cursor;
mod failures;
pub(crate) mod idempotency;
pub(crate) mod json;
mod layers;
mod ledger;
pub(crate) mod limit;
pub(crate) mod objects;
mod operators;
pub(crate) mod path;
pub(crate) mod peer;
pub(crate) mod problem;
pub(crate) mod query;
pub(crate) mod reach;
pub(crate) mod reader;
pub(crate) mod reply;
pub(crate) mod return_to;
pub(crate) mod rooms;
mod server;
pub(crate) mod session;
pub(crate) mod shop_session;
mod state;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
pub(crate) mod wire;
pub(crate) mod writer;

pub(crate) use layers::{CSP, Envelope, enveloped, nothing_here};
pub use layers::{router, router_with};
pub use ledger::Ledger;
pub use operators::Operators;
pub use problem::Problem;
pub(crate) use problem::ProblemBody;
pub use server::{ServerConfig, serve};
pub use state::{ApiParts, ApiState, FingerprintKey};
