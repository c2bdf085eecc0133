//! Who calls.

use std::sync::Arc;

use ledger_core::ids::{IdError, Principal};

use super::{Scope, ScopeSet};
use crate::{
    people::PersonId,
    shops::{MerchantId, Role},
};

/// A caller who has proved who they are: a service or one of the staff by a key, a person by a
/// session or a token, or a shop by a session of who works there or by a key of its own.
///
/// What a person or a shop may do ends at what is theirs. So [`Caller::has`], which everything is
/// asked by that knows nothing of whose things are, is never true of them; what they may reach says
/// so, by [`Caller::may`], and looks at whose it is.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The id of the key, session or token.
    pub key_id: Arc<str>,
    /// Who it is.
    pub principal: Principal,
    /// What the key may do.
    pub scopes: ScopeSet,
    /// The person, if it is one, for what is their own.
    pub person: Option<PersonId>,
    /// The shop in whose name they ask, if it is one, and what they may do there.
    pub shop: Option<(MerchantId, Role)>,
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
        Ok(Self {
            key_id,
            principal,
            scopes: ScopeSet::of(&scopes),
            person: Some(person),
            shop: None,
        })
    }

    /// Somebody who works for a shop and asks in its name, by the session `key_id`. What the log
    /// says of who asked is the person.
    ///
    /// # Errors
    /// Never: a person's id is a principal.
    pub fn of_member(
        person: PersonId,
        (shop, role): (MerchantId, Role),
        key_id: Arc<str>,
    ) -> Result<Self, IdError> {
        let principal = person.to_string().parse()?;
        let shop = Some((shop, role));
        Ok(Self { key_id, principal, scopes: role.scope_set(), person: None, shop })
    }

    /// Somebody at the operators' desk, by the session `key_id`: what the log says is the person.
    ///
    /// # Errors
    /// Never: a person's id is a principal.
    pub fn of_staff(
        person: PersonId,
        key_id: Arc<str>,
        may_approve: bool,
    ) -> Result<Self, IdError> {
        let approves = may_approve.then_some(Scope::OpsApprove);
        let scopes: Vec<Scope> =
            [Scope::OpsRead, Scope::OpsWrite].into_iter().chain(approves).collect();
        let principal = person.to_string().parse()?;
        Ok(Self { key_id, principal, scopes: ScopeSet::of(&scopes), person: None, shop: None })
    }

    /// Whoever has a key. One whose principal is a shop is that shop's own program: it does what
    /// an owner may, as far as the key's scopes say so, with what is the shop's.
    pub fn of_key(key_id: Arc<str>, principal: Principal, granted: ScopeSet) -> Self {
        let shop: Option<MerchantId> = principal.as_str().parse().ok();
        let scopes = match shop {
            Some(_) => granted.and(Role::Owner.scope_set()),
            None => granted,
        };
        let shop = shop.map(|shop| (shop, Role::Owner));
        Self { key_id, principal, scopes, person: None, shop }
    }

    /// Whether the key has the scope, for whosesoever things. Never true of a person or a shop.
    pub const fn has(&self, scope: Scope) -> bool {
        self.person.is_none() && self.shop.is_none() && self.scopes.has(scope)
    }

    /// Whether the caller has the scope, be it for what is theirs alone.
    pub const fn may(&self, scope: Scope) -> bool {
        self.scopes.has(scope)
    }
}
