//! The life of holds, as the engine would append it.

use ledger_core::{
    account::{AccountEvent, HoldChange},
    clock::Timestamp,
    hold::{Captured, HoldEvent, Increased, Placed},
    ids::{HoldId, TransactionId},
};
use rust_decimal::Decimal;

use super::{TestLog, credit, debit, uuid_of};

impl TestLog {
    pub(crate) fn hold(
        &mut self,
        account: &str,
        amount: &str,
        expires_at: Option<Timestamp>,
    ) -> HoldId {
        self.ids += 1;
        let id = HoldId::from_uuid(uuid_of(self.ids));
        let amount: Decimal = amount.parse().unwrap();
        let account_id = account.parse().unwrap();
        let placed =
            HoldEvent::Placed(Placed { account: account_id, amount, expires_at, cause: None });
        self.push("hold", &id.to_string(), placed.name(), &placed);
        let change = self.held(account, id, amount, amount, expires_at);
        self.account_event(account, &AccountEvent::HoldPlaced(change));
        self.holds.insert(id, (account.to_owned(), amount));
        id
    }

    pub(crate) fn increase(&mut self, id: HoldId, by: &str) {
        let by: Decimal = by.parse().unwrap();
        let (account, amount) = self.holds[&id].clone();
        let amount = amount + by;
        let increased = HoldEvent::Increased(Increased { by, amount });
        self.push("hold", &id.to_string(), increased.name(), &increased);
        let change = self.held(&account, id, by, by, None);
        self.account_event(&account, &AccountEvent::HoldIncreased(change));
        self.holds.insert(id, (account, amount));
    }

    pub(crate) fn release(&mut self, id: HoldId) {
        self.end_hold(id, &HoldEvent::Released {}, AccountEvent::HoldReleased);
    }

    pub(crate) fn expire(&mut self, id: HoldId) {
        self.end_hold(id, &HoldEvent::Expired {}, AccountEvent::HoldExpired);
    }

    pub(crate) fn capture(&mut self, id: HoldId, to: &str, posted: &str) -> TransactionId {
        self.ids += 1;
        let transaction_id = TransactionId::from_uuid(uuid_of(self.ids));
        let (account, amount) = self.holds[&id].clone();
        let posted_amount: Decimal = posted.parse().unwrap();
        let captured = HoldEvent::Captured(Captured {
            amount: posted_amount,
            released: amount - posted_amount,
            transaction_id,
        });
        self.end_hold(id, &captured, AccountEvent::HoldCaptured);
        let legs = [debit(&account, posted), credit(to, posted)];
        self.post_as(transaction_id, "payment", &legs, Some(&id.to_string()));
        transaction_id
    }

    fn end_hold(
        &mut self,
        id: HoldId,
        event: &HoldEvent,
        of_account: fn(HoldChange) -> AccountEvent,
    ) {
        let (account, amount) = self.holds.remove(&id).unwrap();
        self.push("hold", &id.to_string(), event.name(), event);
        let change = self.held(&account, id, amount, -amount, None);
        self.account_event(&account, &of_account(change));
    }

    fn held(
        &mut self,
        account: &str,
        hold_id: HoldId,
        amount: Decimal,
        by: Decimal,
        expires_at: Option<Timestamp>,
    ) -> HoldChange {
        let books = self.accounts.get_mut(account).unwrap();
        books.held += by;
        HoldChange {
            hold_id,
            amount,
            balance_after: books.balance,
            held_after: books.held,
            expires_at,
        }
    }
}
