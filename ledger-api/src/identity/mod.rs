//! Who may call the API: principals, their keys, and the scopes of the keys.
//!
//! A principal is a person or a service account; it is what the log records and what an
//! idempotency key belongs to. A key is how a principal proves itself: shown once, stored as a
//! hash, revocable. Keys rotate, principals stay. This module knows nothing of HTTP.

mod caller;
mod keys;
mod ring;
mod scope;

pub use caller::Caller;
pub use keys::{
    IdentityError, KeyEnvironment, KeyInfo, NewKey, Token, create_key, keys_of, list_keys,
    revoke_key,
};
pub use ring::{KeyRing, VerifyError};
pub use scope::{Scope, ScopeSet, UnknownScope};
