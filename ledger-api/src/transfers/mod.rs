//! Money from one wallet to another: whom a sender means, and what becomes of it.
//!
//! Whoever is known gets the money at once: that is a transaction of kind `transfer`, and the
//! transfer is it, under the same number. A phone number that nobody has proved yet gets a promise:
//! the money waits in a hold for seven days, for whoever proves the number first. Whether it moves
//! is decided by the ledger alone; what is asked of read models here (whether this looks like the
//! payment of a minute ago) only asks the sender back.
//!
//! The log has a keyed hash of the number and never the number. Pages and the API send, claim and
//! cancel by the same functions.

pub(crate) mod known;
mod recipient;
mod send;
mod take;
mod waiting;

pub(crate) use recipient::RecipientIn;
pub(crate) use send::{SendIn, send};
pub(crate) use take::{Claim, cancel, claim, own_phone_hash};
pub(crate) use waiting::waiting_for;

use crate::identity::Scope;

/// What sending, claiming and cancelling take.
pub(crate) const WRITE: &[Scope] = &[Scope::TransfersWrite, Scope::LedgerWrite];
/// What reading takes.
pub(crate) const READ: &[Scope] = &[Scope::LedgerRead, Scope::TransfersWrite];
