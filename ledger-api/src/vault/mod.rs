//! Personal data that can be forgotten: sealed under a key of the person's own, which can be thrown
//! away.
//!
//! What is sealed lies in ordinary tables, copies and backups; whoever throws the key away has
//! thrown all of it away. A person's data key is random and is kept wrapped, under a key that
//! follows from the installation's secret and is in no database.
//!
//! This part knows bytes, whose they are and what field they are of. It does not know what they
//! say, and nothing here is about money.

mod seal;
mod subjects;

pub(crate) use seal::mac;
pub use seal::{DataKey, Purpose, WrappingKey};
pub use subjects::{SubjectKeys, VaultError};
