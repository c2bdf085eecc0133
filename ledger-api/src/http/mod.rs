//! The HTTP side of the service: how requests come in and answers go out, whatever they are about.
//!
//! What they are about stands in `routes`, one file per resource. Nothing here knows an account.

mod approval;
mod auth;
pub mod codes;
mod context;
mod cursor;
mod idempotency;
mod json;
mod layers;
mod ledger;
mod position;
mod problem;
mod query;
mod reply;
mod server;
mod state;
#[cfg(test)]
mod testing;
mod wire;

pub use layers::router;
pub use ledger::Ledger;
pub use problem::Problem;
pub use server::{ServerConfig, serve};
pub use state::{ApiParts, ApiState, FingerprintKey};
