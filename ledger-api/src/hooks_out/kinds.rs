//! The types of messages, and which of them an endpoint wants.
//!
//! A type is a contract: it is never renamed and never gets another meaning.

/// The type of the message that is sent to try an endpoint.
pub const TEST: &str = "webhook.test";

/// Every type that can be asked for.
pub(super) const ALL: [&str; 25] = [
    "withdrawal.updated",
    "withdrawal.completed",
    "withdrawal.failed",
    "withdrawal.cancelled",
    "withdrawal.returned",
    "deposit.updated",
    "deposit.completed",
    "deposit.failed",
    "deposit.expired",
    "deposit.cancelled",
    "deposit.settled",
    "transfer.updated",
    "transfer.completed",
    "transfer.cancelled",
    "transfer.expired",
    "payment.processing",
    "payment.completed",
    "payment.failed",
    "payment.disputed",
    "payment.dispute_decided",
    "refund.updated",
    "refund.completed",
    "refund.failed",
    "refund.cancelled",
    "settlement.paid",
];

/// A type that there is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no event type {0:?}; there are {all}", all = ALL.join(", "))]
pub struct UnknownEventType(pub String);

/// The types that an endpoint wants: these, or all, also those that are still to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventTypes(Vec<String>);

impl EventTypes {
    /// Every type that can be asked for.
    pub const fn all() -> &'static [&'static str] {
        &ALL
    }

    /// These, each once; none of them for all.
    ///
    /// # Errors
    /// [`UnknownEventType`] with the first that there is not.
    pub fn of(names: &[String]) -> Result<Self, UnknownEventType> {
        if let Some(unknown) = names.iter().find(|name| !ALL.contains(&name.as_str())) {
            return Err(UnknownEventType(unknown.clone()));
        }
        let mut names = names.to_vec();
        names.sort();
        names.dedup();
        Ok(Self(names))
    }

    /// As they are stored.
    pub(super) const fn stored(names: Vec<String>) -> Self {
        Self(names)
    }

    /// Their names; none for all.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Whether a message of this type is wanted.
    pub fn want(&self, name: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|wanted| wanted == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_are_all_and_others_are_none() {
        let of =
            |names: &[&str]| EventTypes::of(&names.iter().map(|n| (*n).into()).collect::<Vec<_>>());
        assert!(of(&[]).unwrap().want("whatever.is.to.come"));
        let two = of(&["withdrawal.completed", "deposit.completed", "deposit.completed"]).unwrap();
        assert_eq!(two.names(), ["deposit.completed", "withdrawal.completed"]);
        assert!(two.want("deposit.completed") && !two.want("deposit.updated"));
        assert!(of(&["deposit.*"]).is_err() && of(&[TEST]).is_err());
    }
}
