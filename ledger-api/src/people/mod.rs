//! People: who they are. The ledger knows them by their ids alone.

mod id;

pub use id::PersonId;
