//! Webhooks out: to receivers that lose answers, are slow, refuse, or go away, while the service is
//! killed or runs several times at once. What arrives is verified by another program's
//! implementation of Standard Webhooks.

mod faults;
mod happy;
mod kills;
pub(crate) mod receiver;
pub(crate) mod scene;
mod shops;
mod tls;
pub(crate) mod verifier;
mod whose;
