//! Money in, seen by the bank: pages where somebody pays, and what arrived.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    accounts::Account,
    clock::{bank_day, text},
    money::Amount,
    transfers::Movement,
    wire::{LinkRequest, Party},
};

/// The most links, and the most credits, that a bank remembers; it takes no more after that.
pub(crate) const CREDITS_MAX: usize = 100_000;

/// What became of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkStatus {
    Open,
    Approved,
    Declined { code: &'static str },
}

/// A page where somebody is asked to pay.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) request: LinkRequest,
    pub(crate) status: LinkStatus,
    pub(crate) url: String,
}

/// Money that arrived.
#[derive(Debug, Clone)]
pub(crate) struct Credit {
    pub(crate) id: String,
    pub(crate) account: Account,
    pub(crate) amount: Amount,
    pub(crate) token: Option<String>,
    pub(crate) virtual_account: Option<String>,
    pub(crate) payer: Party,
    pub(crate) booked: Movement,
    pub(crate) recall_requested: bool,
    /// Whether only the statement may tell of it.
    pub(crate) hidden: bool,
}

impl Credit {
    /// As it stands on the wire.
    pub(crate) fn view(&self) -> Value {
        let day = bank_day(self.booked.at);
        json!({
            "id": self.id,
            "status": if self.recall_requested { "recall_requested" } else { "booked" },
            "account": self.account,
            "amount": self.amount,
            "utr": self.booked.utr,
            "bank_transaction_id": self.booked.bank_transaction_id,
            "booking_date": day,
            "value_date": day,
            "received_at": text(self.booked.at),
            "token": self.token,
            "virtual_account": self.virtual_account,
            "payer": self.payer,
        })
    }
}

/// All links and credits of one bank.
#[derive(Debug, Clone, Default)]
pub(crate) struct Credits {
    links: BTreeMap<String, Link>,
    by_id: BTreeMap<String, Credit>,
    by_token: BTreeMap<String, Vec<String>>,
}

impl Credits {
    pub(crate) fn is_full(&self) -> bool {
        self.links.len() >= CREDITS_MAX || self.by_id.len() >= CREDITS_MAX
    }

    pub(crate) fn link(&self, token: &str) -> Option<&Link> {
        self.links.get(token)
    }

    pub(crate) fn link_mut(&mut self, token: &str) -> Option<&mut Link> {
        self.links.get_mut(token)
    }

    pub(crate) fn keep_link(&mut self, link: Link) {
        self.links.insert(link.request.token.as_str().to_owned(), link);
    }

    pub(crate) fn credit(&self, id: &str) -> Option<&Credit> {
        self.by_id.get(id)
    }

    pub(crate) fn credit_mut(&mut self, id: &str) -> Option<&mut Credit> {
        self.by_id.get_mut(id)
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(crate) fn keep_credit(&mut self, credit: Credit) {
        if let Some(token) = &credit.token {
            self.by_token.entry(token.clone()).or_default().push(credit.id.clone());
        }
        self.by_id.insert(credit.id.clone(), credit);
    }

    /// A link as it stands on the wire, with what arrived under its token.
    pub(crate) fn view(&self, link: &Link) -> Value {
        let token = link.request.token.as_str();
        let (status, code) = match link.status {
            LinkStatus::Open => ("open", None),
            LinkStatus::Approved => ("approved", None),
            LinkStatus::Declined { code } => ("declined", Some(code)),
        };
        let arrived = self.by_token.get(token).map(Vec::as_slice).unwrap_or_default();
        let told = |id: &&String| self.credit(id).is_some_and(|credit| !credit.hidden);
        json!({
            "token": token,
            "amount": link.request.amount,
            "url": link.url,
            "status": status,
            "code": code,
            "credits": arrived.iter().filter(told).collect::<Vec<_>>(),
        })
    }
}
