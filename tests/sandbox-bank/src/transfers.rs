//! Money out, seen by the bank: what was submitted, and what became of it.
//!
//! A transfer is found by our reference, and its reference is good for one payment for as long as
//! the contract says. What decides and what moves money is in `payments`; this is the record.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    accounts::Account,
    clock::{Timestamp, text},
    contract::{Rail, Refusal},
    faults::Fault,
    money::Amount,
    wire::TransferRequest,
};

/// The most references that a bank remembers; it takes no more after that.
pub(crate) const REFERENCES_MAX: usize = 250_000;

/// What became of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Accepted,
    Paid,
    Refused,
    Returned,
}

impl Status {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Paid => "paid",
            Self::Refused => "refused",
            Self::Returned => "returned",
        }
    }
}

/// One movement of money: how both banks know it.
#[derive(Debug, Clone)]
pub(crate) struct Movement {
    pub(crate) at: Timestamp,
    pub(crate) utr: String,
    pub(crate) bank_transaction_id: String,
}

/// One transfer.
#[derive(Debug, Clone)]
pub(crate) struct Transfer {
    pub(crate) reference: String,
    pub(crate) amount: Amount,
    pub(crate) rail: Rail,
    pub(crate) from: Account,
    /// Where it goes: to another bank, or to another account of ours.
    pub(crate) to: Account,
    pub(crate) status: Status,
    pub(crate) fault: Option<Fault>,
    pub(crate) accepted_at: Timestamp,
    pub(crate) refused: Option<(Timestamp, Refusal)>,
    pub(crate) paid: Option<Movement>,
    pub(crate) returned: Option<Movement>,
    /// What makes another body with the same reference another transfer.
    fingerprint: [u8; 32],
}

impl Transfer {
    pub(crate) fn new(request: &TransferRequest, to: Account, at: Timestamp) -> Self {
        Self {
            reference: request.reference.as_str().to_owned(),
            amount: request.amount,
            rail: request.rail,
            from: request.from,
            to,
            status: Status::Accepted,
            fault: Fault::of(&request.beneficiary.ifsc, request.amount),
            accepted_at: at,
            refused: None,
            paid: None,
            returned: None,
            fingerprint: fingerprint(request),
        }
    }

    /// Whether `request` asks for just this.
    pub(crate) fn is_of(&self, request: &TransferRequest) -> bool {
        self.fingerprint == fingerprint(request)
    }

    /// Whether only the statement may tell of it.
    pub(crate) fn is_hidden(&self) -> bool {
        self.fault == Some(Fault::OnlyOnStatement)
    }

    pub(crate) fn refuse(&mut self, at: Timestamp, why: Refusal) {
        self.status = Status::Refused;
        self.refused = Some((at, why));
    }

    /// As it stands on the wire.
    pub(crate) fn view(&self) -> Value {
        let settled = match self.status {
            Status::Accepted => None,
            Status::Refused => self.refused.map(|(at, _)| at),
            Status::Paid | Status::Returned => self.paid.as_ref().map(|paid| paid.at),
        };
        // A refusal that was followed by the payment is history.
        let code = match self.status {
            Status::Refused => self.refused.map(|(_, why)| why.code()),
            Status::Accepted | Status::Paid | Status::Returned => None,
        };
        let returned = self.returned.as_ref().map(|returned| {
            json!({
                "utr": returned.utr,
                "bank_transaction_id": returned.bank_transaction_id,
                "amount": self.amount,
                "at": text(returned.at),
            })
        });
        json!({
            "reference": self.reference,
            "status": self.status,
            "amount": self.amount,
            "rail": self.rail,
            "from": self.from,
            "code": code,
            "utr": self.paid.as_ref().map(|paid| &paid.utr),
            "bank_transaction_id": self.paid.as_ref().map(|paid| &paid.bank_transaction_id),
            "accepted_at": text(self.accepted_at),
            "settled_at": settled.map(text),
            "returned": returned,
        })
    }
}

/// Every field, with its length, so that no two requests look the same.
fn fingerprint(request: &TransferRequest) -> [u8; 32] {
    let beneficiary = &request.beneficiary;
    let amount = request.amount.to_string();
    let from = format!("{:?}", request.from);
    let parts = [
        amount.as_str(),
        request.rail.as_str(),
        from.as_str(),
        beneficiary.account_number.as_str(),
        beneficiary.ifsc.as_str(),
        beneficiary.name.as_str(),
    ];
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().into()
}

/// All transfers of one bank.
#[derive(Debug, Clone, Default)]
pub(crate) struct Transfers {
    by_reference: BTreeMap<String, Transfer>,
    /// How often each reference was submitted, those included that never arrived.
    submissions: BTreeMap<String, u32>,
}

impl Transfers {
    /// Counts one more submission of a reference; `None` if that is too many references.
    pub(crate) fn submission(&mut self, reference: &str) -> Option<u32> {
        if let Some(count) = self.submissions.get_mut(reference) {
            *count = count.saturating_add(1);
            return Some(*count);
        }
        if self.submissions.len() >= REFERENCES_MAX {
            return None;
        }
        self.submissions.insert(reference.to_owned(), 1);
        Some(1)
    }

    pub(crate) fn get(&self, reference: &str) -> Option<&Transfer> {
        self.by_reference.get(reference)
    }

    pub(crate) fn get_mut(&mut self, reference: &str) -> Option<&mut Transfer> {
        self.by_reference.get_mut(reference)
    }

    /// The transfer that makes this reference used, if the bank still remembers it.
    pub(crate) fn remembered(
        &self,
        reference: &str,
        at: Timestamp,
        days: u32,
    ) -> Option<&Transfer> {
        let unique_for = TimeDelta::days(i64::from(days));
        self.get(reference).filter(|transfer| at < transfer.accepted_at + unique_for)
    }

    /// Keeps it; one that was forgotten under the same reference gives way.
    pub(crate) fn keep(&mut self, transfer: Transfer) {
        self.by_reference.insert(transfer.reference.clone(), transfer);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Transfer> {
        self.by_reference.values()
    }
}
