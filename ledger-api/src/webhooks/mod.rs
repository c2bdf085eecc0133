//! Webhooks from banks: whether they are genuine, and an inbox that has each of them once.
//!
//! A delivery goes through three hands. [`signature`] says whether the bank signed these bytes just
//! now; it is pure. The [`Intake`] puts them into the inbox and commits; only then is the delivery
//! acknowledged. What a delivery *means* is decided later, by whoever reads the [`Inbox`]: nothing
//! that is found in a body changes the answer to the bank, and nothing here knows an account.
//!
//! An inbox is four tables (`migrations/5_inbox.sql`) that need nothing else of the ledger, so they
//! may lie in a database of their own, and the intake can run while everything else is down.

mod about;
mod banks;
mod bodies;
mod forgetting;
mod head;
mod inbox;
mod intake;
mod lag;
pub mod signature;
mod store;

pub use about::Told;
pub use banks::{Banks, BanksError};
pub use forgetting::Erased;
pub use inbox::{
    Attempt, Conflict, Delivery, Fresh, Inbox, Listed, Mark, Outcome, Recorded, Waiting,
};
pub use intake::{Intake, Keeper, StoreError};
pub use store::{Incoming, Stored};
