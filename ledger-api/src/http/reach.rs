//! How far a caller reaches: a key with the scope reaches everything, a person and a shop what is
//! theirs. What is opened to people is not opened to shops by that: it asks for a shop's reach.
//!
//! Somebody else's thing is answered as if it was not there. What is whose follows from the account
//! alone: a person's wallet has the person's id in its code, and a shop's accounts the shop's.

use ledger_core::ids::{AccountId, Owner};

use super::{Problem, auth::missing, codes};
use crate::{
    identity::{Caller, Scope},
    people::PersonId,
    shops::{MerchantId, Role},
};

/// How far a caller reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Whosesoever things.
    Everything,
    /// What is this person's.
    Of(PersonId),
    /// What is this shop's, in this role.
    OfMerchant(MerchantId, Role),
}

/// What is opened to people asks for this.
pub(crate) trait Reaching {
    /// How far the caller reaches with one of `scopes`.
    fn reach(&self, scopes: &[Scope]) -> Result<Reach, Problem>;

    /// As [`Reaching::reach`] for reads: `audit:read` reads everything, and `balances:read` of a
    /// person everything that is theirs.
    fn reach_read(&self, scopes: &[Scope]) -> Result<Reach, Problem>;

    /// As [`Reaching::reach`], of what is opened to shops too.
    fn reach_shop(&self, scopes: &[Scope]) -> Result<Reach, Problem>;

    /// As [`Reaching::reach_read`], of what is opened to shops too. A shop needs one of `scopes`,
    /// or `balances:read`.
    fn reach_shop_read(&self, scopes: &[Scope]) -> Result<Reach, Problem>;

    /// The person who asks, for what only people have.
    fn person(&self, scopes: &[Scope]) -> Result<PersonId, Problem>;
}

impl Reaching for Caller {
    fn reach(&self, scopes: &[Scope]) -> Result<Reach, Problem> {
        if !scopes.iter().any(|scope| self.may(*scope)) {
            return Err(missing(scopes));
        }
        if self.shop.is_some() {
            return Err(Problem::new(codes::FORBIDDEN, "This is not for shops."));
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

    fn reach_shop(&self, scopes: &[Scope]) -> Result<Reach, Problem> {
        match self.shop {
            Some((shop, role)) if scopes.iter().any(|scope| self.may(*scope)) => {
                Ok(Reach::OfMerchant(shop, role))
            }
            Some(_) => Err(missing(scopes)),
            None => self.reach(scopes),
        }
    }

    fn reach_shop_read(&self, scopes: &[Scope]) -> Result<Reach, Problem> {
        match self.shop {
            Some((shop, role)) if self.may(Scope::BalancesRead) => {
                Ok(Reach::OfMerchant(shop, role))
            }
            Some(_) => self.reach_shop(scopes),
            None => self.reach_read(scopes),
        }
    }

    fn person(&self, scopes: &[Scope]) -> Result<PersonId, Problem> {
        match self.reach(scopes)? {
            Reach::Of(person) => Ok(person),
            Reach::Everything | Reach::OfMerchant(..) => {
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
            Self::Everything | Self::OfMerchant(..) => None,
            Self::Of(person) => Some(person),
        }
    }

    /// The shop, if the reach ends at its things.
    pub(crate) const fn merchant(self) -> Option<MerchantId> {
        match self {
            Self::Everything | Self::Of(_) => None,
            Self::OfMerchant(shop, _) => Some(shop),
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
            Self::OfMerchant(shop, _) if account.is_some_and(|account| shop.has(account)) => Ok(()),
            Self::Of(_) | Self::OfMerchant(..) => Err(nothing()),
        }
    }

    /// Goes on only if what is this owner's is within reach.
    pub(crate) fn owner(self, owner: &Owner) -> Result<(), Problem> {
        match self {
            Self::Everything => Ok(()),
            Self::Of(person) if owner.as_str() == person.to_string() => Ok(()),
            Self::OfMerchant(shop, _) if owner.as_str() == shop.to_string() => Ok(()),
            Self::Of(_) | Self::OfMerchant(..) => Err(nothing()),
        }
    }

    /// The account that a request is about: the one that it names, or the person's wallet, or what
    /// the shop can spend.
    pub(crate) fn account_or_own(self, named: Option<&AccountId>) -> Result<AccountId, Problem> {
        let own = |person: PersonId| person.wallet().map_err(|error| Problem::internal(&error));
        match (named, self) {
            (Some(account), reach) => reach.account(account).map(|()| account.clone()),
            (None, Self::Of(person)) => own(person),
            (None, Self::OfMerchant(shop, _)) => {
                shop.available().map_err(|error| Problem::internal(&error))
            }
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
            (None, Self::OfMerchant(shop, _)) => {
                shop.owner().map_err(|error| Problem::internal(&error))
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
    fn case_142_shops_are_refused_unless_a_route_asks_for_theirs() {
        let (shop, other) = (merchant(1), merchant(2));
        for role in Role::ALL {
            let id = PersonId::from_uuid(Uuid::from_u128(9));
            let member = Caller::of_member(id, (shop, role), "session".into()).unwrap();
            for scope in Scope::ALL {
                assert!(!member.has(scope), "{role} {scope}");
                assert_eq!(member.require(&[scope]).unwrap_err().status(), 403);
                assert_eq!(member.reach(&[scope]).unwrap_err().status(), 403);
                assert_eq!(member.reach_read(&[scope]).unwrap_err().status(), 403);
                let reached = member.reach_shop(&[scope]);
                assert_eq!(reached.is_ok(), role.scopes().contains(&scope), "{role} {scope}");
            }
            assert_eq!(member.reach_shop_read(&[Scope::OpsRead]).is_ok(), role.sees_money());
        }
        let reach = Reach::OfMerchant(shop, Role::Owner);
        assert!(reach.account(&shop.available().unwrap()).is_ok());
        assert_eq!(reach.account(&other.available().unwrap()).unwrap_err().status(), 404);
        assert_eq!(reach.account_or_own(None).unwrap(), shop.available().unwrap());
        assert!(reach.owner(&shop.owner().unwrap()).is_ok());
        assert_eq!(reach.owner(&other.owner().unwrap()).unwrap_err().status(), 404);
    }

    #[test]
    fn a_shops_key_reaches_its_own_and_never_more_than_an_owner() {
        let shop = merchant(1);
        let all = ScopeSet::of(&Scope::ALL);
        let key = Caller::of_key("key_1".into(), shop.principal().unwrap(), all);
        let reach = key.reach_shop(&[Scope::RefundsWrite]).unwrap();
        assert_eq!(reach, Reach::OfMerchant(shop, Role::Owner));
        for scope in [Scope::Admin, Scope::AuditRead, Scope::LedgerRead, Scope::OpsWrite] {
            assert!(!key.has(scope) && key.reach_shop(&[scope]).is_err(), "{scope}");
        }
        let other = Caller::of_key("key_2".into(), "service".parse().unwrap(), all);
        assert_eq!(other.reach_shop(&[Scope::Admin]).unwrap(), Reach::Everything);
    }

    fn merchant(number: u128) -> MerchantId {
        MerchantId::from_uuid(Uuid::from_u128(number))
    }

    #[test]
    fn a_token_with_fewer_scopes_does_less() {
        let reader = person(1, &[Scope::BalancesRead]);
        assert!(reader.reach_read(&[Scope::LedgerRead, Scope::DepositsWrite]).is_ok());
        assert_eq!(reader.reach(&[Scope::DepositsWrite]).unwrap_err().status(), 403);
        assert!(reader.person(&[Scope::BalancesRead]).is_ok());
    }
}
