//! Why a transaction is there: what happened to the object that caused it, what banks told of that,
//! and what people decided about it.

use ledger_core::{
    ids::{Reference, WithdrawalId},
    log::{self, RecordedEvent},
};

use super::{AuditReads, Decision, decisions};
use crate::{exchanges::KeptExchange, http::Problem, webhooks::Told};

const EVENTS_MAX: u32 = 100;
const MESSAGES_MAX: u32 = 50;
const DECISIONS_MAX: u32 = 50;
const EXCHANGES_MAX: u32 = 100;
/// The streams of business objects, by the prefix of their ids.
const OBJECTS: [(&str, &str); 5] = [
    ("dep_", "deposit"),
    ("wd_", "withdrawal"),
    ("tr_", "transfer"),
    ("pay_", "payment"),
    ("preq_", "payment_request"),
];

/// What led to a transaction; all empty where nothing but a request did.
#[derive(Clone, Default)]
pub struct Why {
    /// The events of the object that caused it, oldest first.
    pub history: Vec<RecordedEvent>,
    /// What banks told of it, without the bytes.
    pub messages: Vec<Told>,
    /// What was said to banks about it; to be shown without the bodies.
    pub exchanges: Vec<KeptExchange>,
    /// What people decided about it.
    pub decisions: Vec<Decision>,
}

impl AuditReads {
    /// What led to the transactions of a cause.
    pub(crate) async fn why(&self, cause: Option<&Reference>) -> Result<Why, Problem> {
        let Some(cause) = cause.map(Reference::as_str) else { return Ok(Why::default()) };
        let messages = match &self.inbox {
            Some(inbox) => inbox.about(cause, MESSAGES_MAX).await?,
            None => Vec::new(),
        };
        let exchanges = match cause.parse::<WithdrawalId>() {
            Ok(id) => self.exchanges.of_withdrawal(id, EXCHANGES_MAX).await?,
            Err(_) => Vec::new(),
        };
        Ok(Why {
            history: self.history(cause).await?,
            messages,
            exchanges,
            decisions: decisions(&self.pool, Some(cause), DECISIONS_MAX).await?,
        })
    }

    async fn history(&self, cause: &str) -> Result<Vec<RecordedEvent>, Problem> {
        let object = OBJECTS.iter().find(|(prefix, _)| cause.starts_with(prefix));
        let Some((_, stream)) = object else { return Ok(Vec::new()) };
        let upto = u64::from(u32::MAX);
        Ok(log::read::stream(&self.pool, stream, cause, 0, upto, EVENTS_MAX).await?)
    }
}
