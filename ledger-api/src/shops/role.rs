//! What somebody may do for a shop.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::identity::{Scope, ScopeSet};

/// A role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ShopRole)]
pub enum Role {
    /// Does everything.
    Owner,
    /// Takes payments; sees no balance, no payouts, no settings.
    Cashier,
    /// Sees everything and moves nothing.
    Accountant,
}

/// A text that names no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a role is owner, cashier or accountant")]
pub struct UnknownRole;

impl Role {
    /// All roles.
    pub const ALL: [Self; 3] = [Self::Owner, Self::Cashier, Self::Accountant];

    /// The word in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Cashier => "cashier",
            Self::Accountant => "accountant",
        }
    }

    /// What it may do, as scopes of what is the shop's.
    pub const fn scopes(self) -> &'static [Scope] {
        match self {
            Self::Owner => &[
                Scope::BalancesRead,
                Scope::PaymentsWrite,
                Scope::RefundsWrite,
                Scope::WithdrawalsWrite,
                Scope::WebhooksWrite,
            ],
            Self::Cashier => &[Scope::PaymentsWrite],
            Self::Accountant => &[Scope::BalancesRead],
        }
    }

    /// Its scopes as a set.
    pub fn scope_set(self) -> ScopeSet {
        ScopeSet::of(self.scopes())
    }

    /// Whether balances, payouts and settlements are for their eyes.
    pub const fn sees_money(self) -> bool {
        matches!(self, Self::Owner | Self::Accountant)
    }

    /// Whether they take payments at the till.
    pub const fn takes_payments(self) -> bool {
        matches!(self, Self::Owner | Self::Cashier)
    }

    /// Whether they move money, and decide about the shop and its team.
    pub const fn decides(self) -> bool {
        matches!(self, Self::Owner)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(UnknownRole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cashier_sees_no_money_and_an_accountant_moves_none() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
            assert_eq!(role.sees_money(), role.scope_set().has(Scope::BalancesRead), "{role}");
            let moves = [Scope::RefundsWrite, Scope::WithdrawalsWrite, Scope::WebhooksWrite];
            for scope in moves {
                assert_eq!(role.decides(), role.scope_set().has(scope), "{role} {scope}");
            }
            assert_eq!(role.takes_payments(), role.scope_set().has(Scope::PaymentsWrite));
        }
        assert_eq!("admin".parse::<Role>(), Err(UnknownRole));
    }
}
