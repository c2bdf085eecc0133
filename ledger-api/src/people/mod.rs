//! People: who they are, how they are found, how they prove themselves.

mod id;
mod names;

pub use id::PersonId;
pub use names::{Email, Handle, Name, NameError, Phone, Recipient};
