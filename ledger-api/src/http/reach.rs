//! How far a caller reaches: a key with the scope reaches everything, a person what is theirs.
//!
//! Somebody else's thing is answered as if it was not there. What is whose follows from the account
//! alone: a person's wallet has the person's id in its code.

use ledger_core::ids::{AccountId, Owner};

use super::{Problem, auth::missing, codes};
use crate::{
    identity::{Caller, Scope},
    people::PersonId,
};

/// How far a caller reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Whosesoever things.
    Everything,
    /// What is this person's.
    Of(PersonId),
}

/// What is opened to people asks for this.
pub(crate) trait Reaching {
    /// How far the caller reaches with one of `scopes`.
    fn reach(&self, scopes: &[Scope]) -> Result<Reach, Problem>;

    /// As [`Reaching::reach`] for reads: `audit:read` reads everything, and `balances:read` of a
    /// person everything that is theirs.
    fn reach_read(&self, scopes: &[Scope]) -> Result<Reach, Problem>;

    /// The person who asks, for what only people have.
    fn person(&self, scopes: &[Scope]) -> Result<PersonId, Problem>;
}

impl Reaching for Caller {
    fn reach(&self, scopes: &[Scope]) -> Result<Reach, Problem> {
        if !scopes.iter().any(|scope| self.may(*scope)) {
            return Err(missing(scopes));
        }
        Ok(self.person.map_or(Reach::Everything, Reach::Of))
    }

    fn reach_read(&self, scopes: &[Scope]) -> Result<Reach, Problem> {
        if self.has(Scope::AuditRead) {
            return Ok(Reach::Everything);
        }
        match self.person {
            Some(person) if self.may(Scope::BalancesRead) => Ok(Reach::Of(person)),
            Some(_) | None => self.reach(scopes),
        }
    }

    fn person(&self, scopes: &[Scope]) -> Result<PersonId, Problem> {
        match self.reach(scopes)? {
            Reach::Of(person) => Ok(person),
            Reach::Everything => {
                let detail = "This is of a person: use a session or a person's token, not a key.";
                Err(Problem::new(codes::FORBIDDEN, detail))
            }
        }
    }
}

impl Reach {
    /// The person, if the reach ends at theirs.
    pub(crate) const fn person(self) -> Option<PersonId> {
        match self {
            Self::Everything => None,
            Self::Of(person) => Some(person),
        }
    }

    /// Goes on only if the account is within reach.
    pub(crate) fn account(self, account: &AccountId) -> Result<(), Problem> {
        self.maybe_account(Some(account))
    }

    /// Goes on only if the account is within reach; what is of no account is nobody's.
    pub(crate) fn maybe_account(self, account: Option<&AccountId>) -> Result<(), Problem> {
        match self {
            Self::Everything => Ok(()),
            Self::Of(person) if account.is_some_and(|account| person.has(account)) => Ok(()),
            Self::Of(_) => Err(nothing()),
        }
    }

    /// Goes on only if what is this owner's is within reach.
    pub(crate) fn owner(self, owner: &Owner) -> Result<(), Problem> {
        match self {
            Self::Everything => Ok(()),
            Self::Of(person) if owner.as_str() == person.to_string() => Ok(()),
            Self::Of(_) => Err(nothing()),
        }
    }

    /// The account that a request is about: the one that it names, or the person's wallet.
    pub(crate) fn account_or_own(self, named: Option<&AccountId>) -> Result<AccountId, Problem> {
        let own = |person: PersonId| person.wallet().map_err(|error| Problem::internal(&error));
        match (named, self) {
            (Some(account), reach) => reach.account(account).map(|()| account.clone()),
            (None, Self::Of(person)) => own(person),
            (None, Self::Everything) => Err(missing_field("/account")),
        }
    }

    /// The account whose things a list shows: the one that it names, or the person's wallet;
    /// nothing for all of them.
    pub(crate) fn listed(self, named: Option<&AccountId>) -> Result<Option<AccountId>, Problem> {
        match (named, self) {
            (None, Self::Everything) => Ok(None),
            (named, reach) => reach.account_or_own(named).map(Some),
        }
    }

    /// The owner whose things a request is about: the one that it names, or the person.
    pub(crate) fn owner_or_self(self, named: Option<&Owner>) -> Result<Owner, Problem> {
        match (named, self) {
            (Some(owner), reach) => reach.owner(owner).map(|()| owner.clone()),
            (None, Self::Of(person)) => {
                person.to_string().parse().map_err(|error| Problem::internal(&error))
            }
            (None, Self::Everything) => Err(missing_field("/owner")),
        }
    }
}

/// What somebody else's things look like.
pub(crate) fn nothing() -> Problem {
    Problem::not_found("There is nothing of this id.")
}

/// A field that only people may leave out.
pub(crate) fn missing_field(pointer: &'static str) -> Problem {
    Problem::field(codes::INVALID, pointer, "Only people may leave it out.")
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{http::auth::Require as _, identity::ScopeSet};

    fn person(number: u128, scopes: &[Scope]) -> Caller {
        let id = PersonId::from_uuid(Uuid::from_u128(number));
        Caller::of_person(id, "session".into(), ScopeSet::of(scopes)).unwrap()
    }

    #[test]
    fn case_142_persons_are_refused_unless_a_route_asks_for_reach() {
        let asha = person(1, &Scope::ALL);
        for scope in Scope::ALL {
            assert!(!asha.has(scope), "{scope}");
            assert_eq!(asha.require(&[scope]).unwrap_err().status(), 403, "{scope}");
            assert_eq!(asha.require_read(&[scope]).unwrap_err().status(), 403, "{scope}");
        }
        assert!(asha.reach(&[Scope::DepositsWrite]).is_ok());
        // What no person is granted, whatever a token says.
        for scope in [Scope::Admin, Scope::LedgerWrite, Scope::OpsApprove, Scope::AuditRead] {
            assert_eq!(asha.reach(&[scope]).unwrap_err().status(), 403, "{scope}");
        }
    }

    #[test]
    fn case_25_a_person_reaches_their_own_and_a_key_everything() {
        let asha = person(1, &Scope::ALL).reach(&[Scope::BalancesRead]).unwrap();
        let own = PersonId::from_uuid(Uuid::from_u128(1)).wallet().unwrap();
        let other = PersonId::from_uuid(Uuid::from_u128(2)).wallet().unwrap();
        assert!(asha.account(&own).is_ok());
        assert_eq!(asha.account(&other).unwrap_err().status(), 404);
        assert_eq!(asha.maybe_account(None).unwrap_err().status(), 404);
        assert_eq!(asha.owner(&"ravi".parse().unwrap()).unwrap_err().status(), 404);
        assert_eq!(asha.listed(None).unwrap(), Some(own.clone()));
        assert_eq!(asha.account_or_own(None).unwrap(), own);
        assert!(Reach::Everything.account(&other).is_ok());
        assert_eq!(Reach::Everything.listed(None).unwrap(), None);
        assert_eq!(Reach::Everything.account_or_own(None).unwrap_err().status(), 422);
    }

    #[test]
    fn a_token_with_fewer_scopes_does_less() {
        let reader = person(1, &[Scope::BalancesRead]);
        assert!(reader.reach_read(&[Scope::LedgerRead, Scope::DepositsWrite]).is_ok());
        assert_eq!(reader.reach(&[Scope::DepositsWrite]).unwrap_err().status(), 403);
        assert!(reader.person(&[Scope::BalancesRead]).is_ok());
    }
}
