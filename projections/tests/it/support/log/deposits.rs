//! The life of deposits, as far as their read model sees it: their own events, without the legs
//! that the engine would append with them.

use ledger_core::{
    deposit::{Begun, DepositEvent},
    ids::DepositId,
};

use super::{TestLog, uuid_of};

impl TestLog {
    /// Somebody wants to pay something in.
    pub(crate) fn expect_deposit(&mut self, account: &str, amount: &str) -> DepositId {
        self.ids += 1;
        let id = DepositId::from_uuid(uuid_of(self.ids));
        let begun = DepositEvent::Begun(Begun {
            account: account.parse().unwrap(),
            amount: amount.parse().unwrap(),
            bank: "hdfc".parse().unwrap(),
            expires_at: "2026-11-22T14:30:00Z".parse().unwrap(),
            payer_hash: None,
        });
        self.deposit_event(id, &begun);
        id
    }

    /// Nobody paid in time.
    pub(crate) fn expire_deposit(&mut self, id: DepositId) {
        self.deposit_event(id, &DepositEvent::Expired {});
    }

    fn deposit_event(&mut self, id: DepositId, event: &DepositEvent) {
        self.push("deposit", &id.to_string(), event.name(), event);
    }
}
