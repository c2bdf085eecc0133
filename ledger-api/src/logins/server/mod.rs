//! Frontends of others: people let them act for them, and they get tokens.
//!
//! The authorization code grant of OAuth 2.1 with proof keys, for clients that can keep no secret
//! (pages and apps): an operator registers a client with the exact addresses that browsers may be
//! sent back to and the origins that may call the API. A person sees what it asks for and consents
//! each time. The code works once, within a minute; access tokens last a quarter of an hour;
//! refresh tokens change with each use. A code or a refresh token that comes a second time was
//! stolen from one side or the other: everything that came of that consent ends.
//!
//! Only hashes of codes and tokens are kept. A token is worth nothing any more once its person
//! left, chose another password, or the client was revoked.

mod clients;
mod consents;
pub(crate) mod cors;
mod grants;
pub(crate) mod http;
mod question;
mod tokens;

pub use clients::{Client, ClientError, Clients, NewClient};
pub(crate) use consents::{Consent, ConsentId, Consents};
pub(crate) use grants::{Grants, Redemption, TokenError};
pub use tokens::Tokens;

use std::sync::Arc;

use ledger_core::clock::Clock;
use sqlx::PgPool;

use cors::Origins;

/// All that frontends of others need; cheap to clone.
#[derive(Clone)]
pub struct Frontends {
    pub(crate) clients: Clients,
    pub(crate) grants: Grants,
    pub(crate) consents: Consents,
    pub(crate) tokens: Tokens,
    pub(crate) origins: Origins,
}

impl Frontends {
    /// Those of a database, by the clock that sessions go by.
    pub fn new(pool: &PgPool, clock: Arc<dyn Clock>) -> Self {
        let clients = Clients::new(pool.clone());
        Self {
            grants: Grants::new(pool.clone()),
            consents: Consents::new(pool.clone()),
            tokens: Tokens::new(pool.clone(), clock),
            origins: Origins::new(clients.clone()),
            clients,
        }
    }
}
