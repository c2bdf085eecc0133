//! What a key may do.

use std::{fmt, str::FromStr};

/// One permission of a key. Scopes do not imply each other, but for [`Scope::AuditRead`], which
/// reads everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Reads accounts, statements, transactions, holds, the trial balance.
    LedgerRead,
    /// Opens accounts, posts between accounts of class `open`, places holds.
    LedgerWrite,
    /// Reads the log.
    EventsRead,
    /// Reads accounts, balances and statements.
    BalancesRead,
    /// Posts transactions of kind `deposit`.
    DepositsWrite,
    /// Posts transactions of kind `transfer`, and no others.
    TransfersWrite,
    /// Requests and cancels withdrawals; posts transactions of kind `withdrawal`.
    WithdrawalsWrite,
    /// Posts transactions of kind `payment`, and no others.
    PaymentsWrite,
    /// Gives payments back.
    RefundsWrite,
    /// Says where webhooks go, and reads what became of them.
    WebhooksWrite,
    /// Reads everything, changes nothing.
    AuditRead,
    /// Reads the operators' queues.
    OpsRead,
    /// Works on the operators' queues.
    OpsWrite,
    /// Is the second person of an adjustment.
    OpsApprove,
    /// Opens system accounts, adds currencies, makes adjustments.
    Admin,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 15] = [
        Self::LedgerRead,
        Self::LedgerWrite,
        Self::EventsRead,
        Self::BalancesRead,
        Self::DepositsWrite,
        Self::TransfersWrite,
        Self::WithdrawalsWrite,
        Self::PaymentsWrite,
        Self::RefundsWrite,
        Self::WebhooksWrite,
        Self::AuditRead,
        Self::OpsRead,
        Self::OpsWrite,
        Self::OpsApprove,
        Self::Admin,
    ];

    /// The scope's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LedgerRead => "ledger:read",
            Self::LedgerWrite => "ledger:write",
            Self::EventsRead => "events:read",
            Self::BalancesRead => "balances:read",
            Self::DepositsWrite => "deposits:write",
            Self::TransfersWrite => "transfers:write",
            Self::WithdrawalsWrite => "withdrawals:write",
            Self::PaymentsWrite => "payments:write",
            Self::RefundsWrite => "refunds:write",
            Self::WebhooksWrite => "webhooks:write",
            Self::AuditRead => "audit:read",
            Self::OpsRead => "ops:read",
            Self::OpsWrite => "ops:write",
            Self::OpsApprove => "ops:approve",
            Self::Admin => "admin",
        }
    }

    fn names() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }

    const fn bit(self) -> u16 {
        match self {
            Self::LedgerRead => 1,
            Self::LedgerWrite => 1 << 1,
            Self::EventsRead => 1 << 2,
            Self::BalancesRead => 1 << 3,
            Self::DepositsWrite => 1 << 4,
            Self::TransfersWrite => 1 << 5,
            Self::WithdrawalsWrite => 1 << 6,
            Self::PaymentsWrite => 1 << 7,
            Self::RefundsWrite => 1 << 8,
            Self::WebhooksWrite => 1 << 9,
            Self::AuditRead => 1 << 10,
            Self::OpsRead => 1 << 11,
            Self::OpsWrite => 1 << 12,
            Self::OpsApprove => 1 << 13,
            Self::Admin => 1 << 14,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no scope {0:?}; the scopes are {names}", names = Scope::names())]
pub struct UnknownScope(pub String);

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.as_str() == text)
            .ok_or_else(|| UnknownScope(text.to_owned()))
    }
}

/// The scopes of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScopeSet(u16);

impl ScopeSet {
    /// These scopes.
    pub fn of(scopes: &[Scope]) -> Self {
        Self(scopes.iter().fold(0, |bits, scope| bits | scope.bit()))
    }

    /// Whether the scope is one of them.
    pub const fn has(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Those that are in both.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The scopes, in the order of [`Scope::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.has(*scope))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back_and_sets_hold_what_was_put_in() {
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(scope));
            let only = ScopeSet::of(&[scope]);
            for other in Scope::ALL {
                assert_eq!(only.has(other), other == scope, "{scope} {other}");
            }
        }
        assert!("ledger".parse::<Scope>().is_err());
        assert_eq!(ScopeSet::of(&Scope::ALL).iter().count(), 15);
    }
}
