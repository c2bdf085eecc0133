//! An endpoint, and what can be asked of one.

use chrono::{DateTime, Utc};
use ledger_core::{command::Idempotency, log::Position};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{EndpointId, EventTypes, Opened, SECRETS_MAX, secrets::SealError};

/// Where messages go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its id.
    pub id: EndpointId,
    /// Who made it: a principal, or a merchant.
    pub owner: String,
    /// What the codes of the accounts begin with whose events it gets; nothing for all.
    pub account_prefix: Option<String>,
    /// Where to.
    pub url: String,
    /// What its owner calls it.
    pub description: String,
    /// What is sent.
    pub event_types: EventTypes,
    /// Whether anything is.
    pub status: EndpointStatus,
    /// Since when nothing is.
    pub disabled_at: Option<DateTime<Utc>>,
    /// How far the log was made into deliveries.
    pub position: Position,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// The public key that its deliveries are signed with; nothing once it was deleted.
    pub public_key: Option<String>,
}

impl Endpoint {
    /// The version of what its owner can change, as a strong entity tag.
    pub fn tag(&self) -> String {
        let mut hash = Sha256::new();
        let status = self.status.as_str();
        let types = self.event_types.names().join(",");
        for part in [self.url.as_str(), &self.description, &types, status] {
            hash.update(format!("{}\n{part}", part.len()));
        }
        let digest: [u8; 32] = hash.finalize().into();
        format!("\"{}\"", hex::encode(digest.split_at(16).0))
    }
}

/// Whether an endpoint is sent anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointStatus {
    /// It is.
    Enabled,
    /// It is not, until somebody enables it; what happens meanwhile is kept for it.
    Disabled(Why),
    /// Never again.
    Deleted,
}

/// Why an endpoint is disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Its owner said so.
    Owner,
    /// It answered 410: it wants nothing any more.
    Gone,
    /// A message did not arrive in all the tries of the schedule.
    Failing,
}

impl EndpointStatus {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled(_) => "disabled",
            Self::Deleted => "deleted",
        }
    }
}

impl Why {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Owner, Self::Gone, Self::Failing].into_iter().find(|why| why.as_str() == text)
    }
}

/// An endpoint to make.
#[derive(Debug)]
pub struct NewEndpoint {
    /// Its id.
    pub id: EndpointId,
    /// The id of its first secret.
    pub secret_id: Uuid,
    /// Whose it is.
    pub owner: String,
    /// Whose events it gets.
    pub account_prefix: Option<String>,
    /// Where to.
    pub url: String,
    /// What its owner calls it.
    pub description: String,
    /// What is to be sent.
    pub event_types: EventTypes,
    /// What is sent is what comes after this.
    pub position: Position,
    /// When.
    pub at: DateTime<Utc>,
    /// What makes the request once.
    pub idempotency: Idempotency,
}

/// An endpoint that was made, now or by an earlier request with the key.
#[derive(Debug)]
pub struct Created {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// Its first secret; nothing if it is not in force any more.
    pub secret: Option<Opened>,
    /// Whether an earlier request made it.
    pub replayed: bool,
}

/// What is to be another; nothing is changed where nothing is said.
#[derive(Debug, Default)]
pub struct Change {
    /// Where to.
    pub url: Option<String>,
    /// What its owner calls it.
    pub description: Option<String>,
    /// What is to be sent.
    pub event_types: Option<EventTypes>,
    /// Whether anything is.
    pub enabled: Option<bool>,
}

/// Why none was made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The key came with another request.
    #[error("the idempotency key belongs to another request")]
    KeyReused,
    /// The secret was not sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The database did not answer.
    #[error("the endpoint was not stored")]
    Database(#[from] sqlx::Error),
}

/// Why there is no new secret.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// So many are in force already.
    #[error("{SECRETS_MAX} secrets are in force; wait until the first of them is not")]
    TooMany,
    /// The secret was not sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The database did not answer.
    #[error("the secret was not stored")]
    Database(#[from] sqlx::Error),
}
