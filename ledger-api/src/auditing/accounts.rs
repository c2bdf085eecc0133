//! Accounts as auditors see them: whose they are by kind and opaque id, and from where their
//! entries go back as of a place in the log.

use ledger_core::{ids::AccountId, log::Position};
use projections::ReadError;

use super::AuditReads;
use crate::{people::PersonId, shops::MerchantId, wallet::person_of};

/// Whose an account is, without a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// A person's wallet.
    Person(PersonId),
    /// A shop's.
    Shop(MerchantId),
    /// The company's own, or a customer's whose name is not kept here.
    Company,
}

impl Whose {
    /// By the account's code.
    pub(crate) fn of(account: &AccountId) -> Self {
        if let Some(person) = person_of(account) {
            return Self::Person(person);
        }
        MerchantId::of_account(account).map_or(Self::Company, Self::Shop)
    }

    /// What can be opened with a reason; nothing where nobody is behind the account.
    pub(crate) fn subject(self) -> Option<String> {
        match self {
            Self::Person(person) => Some(person.to_string()),
            Self::Shop(shop) => Some(shop.to_string()),
            Self::Company => None,
        }
    }
}

impl AuditReads {
    /// The sequence that the entries up to `place` lie before: what a page of them goes on from,
    /// newest first.
    pub(crate) async fn entries_before(
        &self,
        account: &AccountId,
        place: Position,
    ) -> Result<u64, ReadError> {
        let past = self.read_models.balance_at_position(account, place).await?.value;
        let last = past.and_then(|past| past.sequence);
        Ok(last.map_or(1, |sequence| sequence.saturating_add(1)))
    }
}
