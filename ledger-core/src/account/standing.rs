//! What an account could give and take now: for who has to know before it asks.

use rust_decimal::Decimal;

use super::Account;
use crate::chart::Direction;

impl Account {
    /// The most that a decrease could take now; nothing = no limit.
    pub fn spendable(&self) -> Option<Decimal> {
        self.spendable_once_freed(Decimal::ZERO)
    }

    /// The same, once `held` of what its holds keep is free.
    pub fn spendable_once_freed(&self, held: Decimal) -> Option<Decimal> {
        if self.open().is_err() || self.frozen(self.normal_side().opposite()).is_err() {
            return Some(Decimal::ZERO);
        }
        let free = self.available().map(|available| available.saturating_add(held));
        free.map(|free| free.max(Decimal::ZERO))
    }

    /// The most that an increase could bring now; nothing = no limit.
    pub fn room(&self) -> Option<Decimal> {
        if self.open().is_err() || self.frozen(self.normal_side()).is_err() {
            return Some(Decimal::ZERO);
        }
        let room = self.ceiling.map(|ceiling| ceiling.saturating_sub(self.balance()));
        room.map(|room| room.max(Decimal::ZERO))
    }

    /// Whether it was closed, for good.
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    /// What stands on its debit side beyond its credit side, for an account of that normal side.
    pub fn debit_balance(&self) -> Decimal {
        let positive = self.normal_side() == Direction::Debit && self.balance() > Decimal::ZERO;
        if positive { self.balance() } else { Decimal::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::Aggregate;

    use super::*;
    use crate::{
        account::{AccountEvent, Freeze, FreezeMode, LimitsChanged, Opened},
        chart::{AccountType, PostingClass},
        testing::{account, dec},
    };

    fn wallet(ceiling: Option<&str>) -> Account {
        let mut wallet = Account::default();
        wallet.apply(AccountEvent::Opened(Opened {
            account: account("wallet:a:INR"),
            scale: 2,
            owner: "asha".parse().unwrap(),
            account_type: AccountType::Liability,
            class: PostingClass::Open,
            itemised: false,
            floor: Some(dec("0.00")),
            ceiling: ceiling.map(dec),
            metadata: std::collections::BTreeMap::new(),
        }));
        wallet
    }

    fn frozen(mode: FreezeMode) -> Account {
        let mut wallet = wallet(None);
        let reference = "order".parse().unwrap();
        wallet.apply(AccountEvent::Frozen(Freeze { reference, mode, amount: None }));
        wallet
    }

    #[test]
    fn limits_and_freezes_say_what_can_come_and_go() {
        let nothing = Some(Decimal::ZERO);
        assert_eq!((Account::default().spendable(), Account::default().room()), (nothing, nothing));
        let open = wallet(None);
        assert_eq!((open.spendable(), open.room()), (nothing, None));
        let capped = wallet(Some("50.00"));
        assert_eq!(capped.room(), Some(dec("50.00")));
        let mut lowered = wallet(Some("50.00"));
        let limits = LimitsChanged { floor: None, ceiling: Some(dec("-1.00")) };
        lowered.apply(AccountEvent::LimitsChanged(limits));
        assert_eq!((lowered.spendable(), lowered.room()), (None, nothing));
        assert_eq!(frozen(FreezeMode::Credit).room(), nothing);
        assert_eq!(frozen(FreezeMode::Debit).room(), None);
        let mut closed = wallet(None);
        closed.apply(AccountEvent::Closed {});
        assert_eq!((closed.spendable(), closed.room()), (nothing, nothing));
        assert_eq!(closed.debit_balance(), Decimal::ZERO);
    }
}
