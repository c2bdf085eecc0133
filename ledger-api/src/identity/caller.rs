//! Who calls.

use std::sync::Arc;

use ledger_core::ids::{IdError, Principal};

use super::{Scope, ScopeSet};
use crate::people::PersonId;

/// A caller who has proved who they are: a service or one of the staff by a key, or a person by a
/// session or a token.
///
/// What a person may do ends at what is theirs. So [`Caller::has`], which everything is asked by
/// that knows nothing of whose things are, is never true of a person; what persons may reach says
/// so, by [`Caller::may`], and looks at whose it is.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The id of the key, session or token.
    pub key_id: Arc<str>,
    /// Who it is.
    pub principal: Principal,
    /// What the key may do.
    pub scopes: ScopeSet,
    /// The person, if it is one.
    pub person: Option<PersonId>,
}

impl Caller {
    /// What a person may do with what is theirs.
    pub const OF_PEOPLE: [Scope; 5] = [
        Scope::BalancesRead,
        Scope::DepositsWrite,
        Scope::TransfersWrite,
        Scope::WithdrawalsWrite,
        Scope::PaymentsWrite,
    ];

    /// A person, who proved it by the session or token `key_id`, with as many of the scopes of
    /// people as `granted` has.
    ///
    /// # Errors
    /// Never: a person's id is a principal.
    pub fn of_person(
        person: PersonId,
        key_id: Arc<str>,
        granted: ScopeSet,
    ) -> Result<Self, IdError> {
        let scopes: Vec<Scope> =
            Self::OF_PEOPLE.into_iter().filter(|scope| granted.has(*scope)).collect();
        let principal = person.to_string().parse()?;
        Ok(Self { key_id, principal, scopes: ScopeSet::of(&scopes), person: Some(person) })
    }

    /// Whether the key has the scope, for whosesoever things. Never true of a person.
    pub const fn has(&self, scope: Scope) -> bool {
        self.person.is_none() && self.scopes.has(scope)
    }

    /// Whether the caller has the scope, be it for what is theirs alone.
    pub const fn may(&self, scope: Scope) -> bool {
        self.scopes.has(scope)
    }
}
