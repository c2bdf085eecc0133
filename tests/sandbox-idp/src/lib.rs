//! Login providers to try Bahi with and to test it against: people, consent, codes, and attacks.
//!
//! `/google` speaks OpenID Connect and `/github` plain OAuth 2 as those two do, so that a service
//! can't tell them from the real ones; they stand in for them where there is no internet. It knows
//! nothing of Bahi: no type is shared, so that no mistake is shared either.
//!
//! - [`people`]: who can log in here; [`faults`]: what goes wrong, on purpose;
//! - `keys`, `id_token`: what is signed, rightly or not;
//! - [`desk`]: codes and tokens, made and redeemed. It does no I/O;
//! - [`http`]: the world outside.
//!
//! It proves nothing about anybody: whoever opens its page is whom they choose to be. So it listens
//! on this machine only.

pub mod desk;
pub mod faults;
pub mod http;
mod id_token;
mod keys;
pub mod people;

pub use desk::Client;
pub use faults::{Fault, Provider};
pub use http::{Config, ServeError, serve};
