//! A witness: somebody else who remembers what a log showed, and countersigns what goes on from it.
//!
//! It is run by an auditor, on a machine of his own, and knows nothing of the ledger but a name and
//! a key. It signs a checkpoint only if the log proves that it begins with all that it signed
//! before; so of two versions of a log it signs one, and whoever asks for its word cannot be shown
//! the other. C2SP `tlog-witness` is what it speaks, so that other witnesses do as well.
//!
//! What it has seen is on the disk before it answers. It must never forget: a witness whose state
//! is lost gets a new key.

mod http;
mod seen;

pub use http::routes;
pub use seen::{Refusal, SeenError, WitnessBook};
