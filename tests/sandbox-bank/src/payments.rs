//! Money out: what a bank does with a transfer that is submitted to it.
//!
//! A reference pays once: it is looked up before anything else, and what was decided under it is
//! answered again. Only `pay` moves money, and it does nothing for a transfer that is paid.

use chrono::TimeDelta;

use crate::{
    accounts::{Account, Transaction},
    bank::{Bank, Due},
    clock::Timestamp,
    contract::Refusal,
    faults::{Fault, Weather, milliseconds},
    transfers::{Movement, Status, Transfer},
    wire::{Answered, Reply, TransferRequest},
};

/// How long a slow payment takes, and how long until a late refusal.
const SLOW: TimeDelta = TimeDelta::seconds(30);
/// How long after a late refusal the money goes out all the same.
const PAID_AFTER_REFUSAL: TimeDelta = TimeDelta::seconds(60);
/// How long until a payment bounces.
const RETURN_AFTER: TimeDelta = TimeDelta::seconds(60);
/// How long another bank stays offline.
const OFFLINE_FOR: TimeDelta = TimeDelta::seconds(60);
/// How long an answer is held back that is to be overtaken by its webhook.
const OVERTAKEN_BY: TimeDelta = TimeDelta::seconds(3);

impl Bank {
    /// Takes a transfer, or doesn't, as the weather is.
    pub(crate) fn submit(&mut self, at: Timestamp, request: &TransferRequest) -> Reply {
        self.run_until(at);
        if !self.is_in_pace(at) {
            return Reply::problem(429, "too_fast", "nothing was done; send it again in a second");
        }
        let reference = request.reference.as_str();
        let Some(attempt) = self.transfers.submission(reference) else {
            return Reply::problem(507, "sandbox_full", "start the sandbox bank afresh");
        };
        let about = format!("{reference}#{attempt}");
        let mode = self.chaos.mode(at);
        let weather = mode.weather(&self.dice, &about);
        match weather {
            Weather::CallLost => return Reply::silence(),
            Weather::ErrorBefore => return self.outage(&about),
            Weather::Fair | Weather::AnswerLost | Weather::ErrorAfter => {}
        }
        let reply = self.take(at, request);
        let latency = mode.latency(&self.dice, &about);
        match weather {
            Weather::CallLost | Weather::AnswerLost => Reply::silence(),
            Weather::ErrorBefore | Weather::ErrorAfter => self.outage(&about),
            Weather::Fair if reply.answered == Answered::AtOnce && !latency.is_zero() => {
                reply.later(at + latency)
            }
            Weather::Fair => reply,
        }
    }

    /// Whether one more submission fits into this second.
    fn is_in_pace(&mut self, at: Timestamp) -> bool {
        let (second, count) = &mut self.pace;
        if *second != at.timestamp() {
            (*second, *count) = (at.timestamp(), 0);
        }
        *count = count.saturating_add(1);
        *count <= self.contract.rate_per_second
    }

    /// The same transfer again for a reference that is known, else a new one.
    fn take(&mut self, at: Timestamp, request: &TransferRequest) -> Reply {
        let reference = request.reference.as_str();
        let days = self.contract.reference_unique_for_days;
        if let Some(known) = self.transfers.remembered(reference, at, days) {
            return if !known.is_of(request) {
                let detail = "the reference was used for another transfer; nothing was done";
                Reply::problem(409, "reference_reused", detail)
            } else if known.is_hidden() {
                Reply::silence()
            } else {
                Reply::ok(known.view())
            };
        }
        let to = self.contract.account_of(request.beneficiary.account_number.as_str());
        let mut transfer = Transfer::new(request, to.unwrap_or(Account::Network), at);
        if transfer.fault == Some(Fault::NeverArrives) {
            return Reply::silence();
        }
        if let Some(why) = self.objection(at, request, transfer.fault) {
            transfer.refuse(at, why);
            let (view, fault) = (transfer.view(), transfer.fault);
            self.transfers.keep(transfer);
            self.notify("transfer.refused", at, view.clone(), fault);
            return Reply::ok(view);
        }
        self.accept(at, transfer)
    }

    /// Why not, if there is a reason that is known at once.
    fn objection(
        &mut self,
        at: Timestamp,
        request: &TransferRequest,
        fault: Option<Fault>,
    ) -> Option<Refusal> {
        let by_contract = self.contract.objection(request.rail, request.amount, at);
        if by_contract.is_some() {
            return by_contract;
        }
        match fault {
            Some(Fault::AccountClosed) => return Some(Refusal::AccountClosed),
            Some(Fault::IfscInvalid) => return Some(Refusal::IfscInvalid),
            Some(Fault::BankOffline) => {
                let account = request.beneficiary.account_number.as_str().to_owned();
                let online_at = *self.offline.entry(account).or_insert(at + OFFLINE_FOR);
                if at < online_at {
                    return Some(Refusal::BeneficiaryBankOffline);
                }
            }
            _ => {}
        }
        let short = self.books.balance(request.from) < request.amount.paise();
        short.then_some(Refusal::InsufficientFunds)
    }

    /// Keeps an accepted transfer, and pays it now or later.
    fn accept(&mut self, at: Timestamp, transfer: Transfer) -> Reply {
        let (reference, fault) = (transfer.reference.clone(), transfer.fault);
        let accepted = transfer.view();
        self.transfers.keep(transfer);
        match fault {
            Some(Fault::SilentButDone | Fault::OnlyOnStatement) => {
                self.pay(&reference, at);
                return Reply::silence();
            }
            Some(Fault::WebhookOutOfOrder) => {
                self.pay(&reference, at);
                let kind = "transfer.accepted";
                self.notify_after(OVERTAKEN_BY, kind, at, accepted.clone(), fault);
                return Reply::ok(accepted).later(at + OVERTAKEN_BY);
            }
            Some(Fault::RefusedThenPaid) => {
                self.plan(at + SLOW, Due::RefuseLate { reference: reference.clone() });
                self.plan(at + SLOW + PAID_AFTER_REFUSAL, Due::Pay { reference });
                return Reply::ok(accepted);
            }
            Some(Fault::Slow) => self.plan(at + SLOW, Due::Pay { reference }),
            _ if self.contract.answers_at_once => {
                self.pay(&reference, at);
                return self.transfer(&reference);
            }
            _ => {
                let takes = self.dice.between(200, 2_000, "payment", &reference);
                self.plan(at + milliseconds(takes), Due::Pay { reference });
            }
        }
        Reply::ok(accepted)
    }

    /// Pays, once, if our account still has it.
    pub(crate) fn pay(&mut self, reference: &str, at: Timestamp) {
        let Some(transfer) = self.transfers.get(reference) else {
            return;
        };
        if transfer.paid.is_some() {
            return;
        }
        let about = format!("{reference}@{}", transfer.accepted_at);
        let utr = self.utr("payment", &about);
        let id = self.books.next_id();
        let booked = self.books.post(Transaction {
            id: id.clone(),
            at,
            value_date: None,
            debit: transfer.from,
            credit: transfer.to,
            amount: transfer.amount,
            utr: utr.clone(),
            reference: Some(reference.to_owned()),
            narration: format!("{} OUT {reference}", transfer.rail.as_str().to_uppercase()),
        });
        let Some(transfer) = self.transfers.get_mut(reference) else {
            return;
        };
        let fault = transfer.fault;
        let kind = if booked.is_ok() {
            transfer.status = Status::Paid;
            transfer.paid = Some(Movement { at, utr, bank_transaction_id: id });
            "transfer.paid"
        } else {
            transfer.refuse(at, Refusal::InsufficientFunds);
            "transfer.refused"
        };
        let view = transfer.view();
        self.notify(kind, at, view, fault);
        if booked.is_ok() && matches!(fault, Some(Fault::Returned | Fault::ReturnedToldTwice)) {
            self.plan(at + RETURN_AFTER, Due::Return { reference: reference.to_owned() });
        }
    }

    /// Says no after having said "accepted".
    pub(crate) fn refuse_late(&mut self, reference: &str, at: Timestamp) {
        let Some(transfer) = self.transfers.get_mut(reference) else {
            return;
        };
        if transfer.status == Status::Accepted {
            transfer.refuse(at, Refusal::RejectedByBeneficiaryBank);
            let (view, fault) = (transfer.view(), transfer.fault);
            self.notify("transfer.refused", at, view, fault);
        }
    }

    /// Brings a payment back, once.
    pub(crate) fn give_back(&mut self, reference: &str, at: Timestamp) {
        let Some(transfer) = self.transfers.get(reference) else {
            return;
        };
        if transfer.status != Status::Paid {
            return;
        }
        let about = format!("{reference}@{}", transfer.accepted_at);
        let utr = self.utr("return", &about);
        let id = self.books.next_id();
        let booked = self.books.post(Transaction {
            id: id.clone(),
            at,
            value_date: None,
            debit: transfer.to,
            credit: transfer.from,
            amount: transfer.amount,
            utr: utr.clone(),
            reference: Some(reference.to_owned()),
            narration: format!("RETURN {reference}"),
        });
        let Some(transfer) = self.transfers.get_mut(reference) else {
            return;
        };
        if booked.is_err() {
            return;
        }
        transfer.status = Status::Returned;
        transfer.returned = Some(Movement { at, utr, bank_transaction_id: id });
        let (view, fault) = (transfer.view(), transfer.fault);
        if fault == Some(Fault::ReturnedToldTwice) {
            self.notify("transfer.returned", at, view.clone(), fault);
        }
        self.notify("transfer.returned", at, view, fault);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{BankCode, BankSetup};

    #[test]
    fn what_is_paid_or_returned_is_so_once_whoever_asks_for_it_again() {
        let at: Timestamp = "2026-11-22T06:30:00Z".parse().expect("a moment");
        let mut bank = Bank::open(BankSetup::usual(BankCode::Axis), 1, at, "").expect("a bank");
        let order = json!({
            "reference": "A1", "amount": { "value": "10.00", "currency": "INR" }, "rail": "imps",
            "beneficiary": {
                "account_number": "001234567890", "ifsc": "TEST0000001", "name": "ASHA RAO",
            },
        });
        let order = serde_json::from_value(order).expect("a request");
        let booked = |bank: &Bank| bank.books.transactions().len();
        let before = booked(&bank);
        assert_eq!(bank.submit(at, &order).body["status"], "paid");
        bank.pay("A1", at);
        bank.refuse_late("A1", at);
        assert_eq!(
            (bank.transfer("A1").body["status"].as_str(), booked(&bank)),
            (Some("paid"), before + 1)
        );
        bank.give_back("A1", at);
        bank.give_back("A1", at);
        bank.pay("A1", at);
        let status = bank.transfer("A1").body["status"].clone();
        assert_eq!((status.as_str(), booked(&bank)), (Some("returned"), before + 2));
        assert_eq!(bank.books.check(), Ok(()));
    }
}
