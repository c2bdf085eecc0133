//! People: who they are, how they are found, how they prove themselves.
//!
//! A person is a row with an opaque id, which is all that the log ever has of them; names,
//! addresses and numbers are sealed beside it and can be erased. Nothing here moves money: a
//! person's wallet is an account of the ledger like any other, owned by the id.
//!
//! This module knows no HTTP; what requests and pages are is in `http::session` and `routes`.

mod changes;
mod codes;
mod demo;
mod id;
mod keeper;
mod key;
mod leaving;
mod names;
mod passwords;
mod person;
mod settings;
pub mod step_up;
mod store;
mod throttles;
mod wallets;

pub use codes::{Issued, Purpose, Target};
pub use demo::{DEMO_PASSWORD, DEMO_PEOPLE};
pub use id::PersonId;
pub use keeper::PeopleKeeper;
pub use key::PeopleKey;
pub use names::{Email, Handle, Name, NameError, Phone, Recipient};
pub use passwords::{Checked, HashingError, Password, PasswordError, PasswordHash, Passwords};
pub use person::{NewPerson, Person, PublicFace, Status};
pub use settings::{PeopleSettings, PeopleSettingsError, PublicUrl};
pub use store::{Credential, People, PeopleError};
pub use throttles::{Rate, Throttles, Wait};
pub use wallets::{WalletError, Wallets};

/// The tier of a wallet whose owner has not proved everything.
pub const TIER_SMALL: &str = "small";
/// The tier of a wallet whose owner has.
pub const TIER_FULL: &str = "full";
