//! That a transaction was reversed. The stream's id is the transaction's, so its key makes it once.

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use crate::{ids::TransactionId, log::event_names};

/// The one fact of a reversal's stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ReversalEvent {
    /// The transaction was reversed by another one.
    Reversed(Reversed),
}

/// Which transaction undid it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reversed {
    /// The transaction with the opposite legs.
    pub by: TransactionId,
}

event_names!(ReversalEvent { Reversed(_) => "reversed" });

impl DomainEvent for ReversalEvent {
    fn event_type(&self) -> String {
        self.name().to_owned()
    }

    fn event_version(&self) -> String {
        crate::log::EVENT_VERSION.to_owned()
    }
}
