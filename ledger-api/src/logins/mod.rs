//! Logins by other providers, and tokens for frontends of others.
mod config;
mod oidc;
mod outgoing;
mod plain;
mod provider;
mod return_to;
mod secrets;

pub use config::{LoginConfigError, LoginSettings};
pub use return_to::local_path;
