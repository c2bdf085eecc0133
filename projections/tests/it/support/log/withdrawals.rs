//! The life of withdrawals, as far as read models of them see it: their own events, without the
//! legs that the engine would append with them.

use ledger_core::{
    ids::{TransactionId, WithdrawalId},
    withdrawal::{AttemptBegun, Queued, Requested, Source, Told, WithdrawalEvent},
};

use super::{TestLog, uuid_of};

impl TestLog {
    /// Requests one of `account` and queues it.
    pub(crate) fn withdraw(&mut self, account: &str, amount: &str) -> WithdrawalId {
        self.ids += 1;
        let id = WithdrawalId::from_uuid(uuid_of(self.ids));
        let requested = WithdrawalEvent::Requested(Requested {
            account: account.parse().unwrap(),
            amount: amount.parse().unwrap(),
            fee: "10.00".parse().unwrap(),
            tax: "1.53".parse().unwrap(),
            fee_version: None,
            bank_account: "ba_019a0000000070008000000000000021".parse().unwrap(),
            bank: "hdfc".parse().unwrap(),
            rail: "imps".parse().unwrap(),
            payee_hash: None,
            item: None,
            transaction_id: TransactionId::from_uuid(uuid_of(self.ids)),
        });
        self.withdrawal_event(id, &requested);
        self.withdrawal_event(id, &WithdrawalEvent::Queued(Queued { transaction_id: None }));
        id
    }

    /// Begins its first attempt.
    pub(crate) fn begin(&mut self, id: WithdrawalId) {
        let begun = WithdrawalEvent::AttemptBegun(AttemptBegun {
            attempt: 1,
            reference: format!("BH{}", id.uuid().simple()).parse().unwrap(),
            bank: "hdfc".parse().unwrap(),
            rail: "imps".parse().unwrap(),
            transaction_id: TransactionId::from_uuid(id.uuid()),
        });
        self.withdrawal_event(id, &begun);
    }

    /// Says that nobody knows what became of it.
    pub(crate) fn doubt(&mut self, id: WithdrawalId) {
        let told = Told { attempt: 1, source: Source::Submit, code: None };
        self.withdrawal_event(id, &WithdrawalEvent::OutcomeUnknown(told));
    }

    fn withdrawal_event(&mut self, id: WithdrawalId, event: &WithdrawalEvent) {
        self.push("withdrawal", &id.to_string(), event.name(), event);
    }
}
