//! Links, credits and checks of names on the wire.

use chrono::{DateTime, NaiveDate, Utc};
use ledger_core::ids::Reference;
use serde::Deserialize;

use super::{Raw, RawMoney, if_ours, moment};
use crate::banks::{CollectLink, Credit, CreditStatus, LinkStatus, NameCheck, NameMatch, Payer};

#[derive(Deserialize)]
pub(in crate::banks) struct RawCollectLink {
    token: Reference,
    amount: RawMoney,
    url: String,
    status: RawLinkStatus,
    code: Option<Reference>,
    credits: Vec<Reference>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawLinkStatus {
    Open,
    Approved,
    Declined,
}

impl Raw for RawCollectLink {
    type Meaning = CollectLink;

    fn meaning(self) -> Option<CollectLink> {
        // A person is sent there: an address of the web, and nothing that a browser would run.
        let web = self.url.starts_with("http://") || self.url.starts_with("https://");
        if !web || !self.url.bytes().all(|b| b.is_ascii_graphic()) {
            return None;
        }
        Some(CollectLink {
            token: self.token,
            amount: self.amount.positive()?,
            url: self.url,
            status: match self.status {
                RawLinkStatus::Open => LinkStatus::Open,
                RawLinkStatus::Approved => LinkStatus::Approved,
                RawLinkStatus::Declined => LinkStatus::Declined { code: self.code? },
            },
            credits: self.credits,
        })
    }
}

#[derive(Deserialize)]
pub(in crate::banks) struct RawCredit {
    id: Reference,
    status: RawCreditStatus,
    account: String,
    amount: RawMoney,
    utr: Option<String>,
    bank_transaction_id: Reference,
    booking_date: NaiveDate,
    value_date: NaiveDate,
    received_at: DateTime<Utc>,
    token: Option<String>,
    virtual_account: Option<String>,
    payer: Option<RawPayer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawCreditStatus {
    Booked,
    RecallRequested,
}

#[derive(Deserialize)]
struct RawPayer {
    account_number: String,
    ifsc: String,
    name: String,
}

impl Raw for RawCredit {
    type Meaning = Credit;

    fn meaning(self) -> Option<Credit> {
        Some(Credit {
            id: self.id,
            status: match self.status {
                RawCreditStatus::Booked => CreditStatus::Booked,
                RawCreditStatus::RecallRequested => CreditStatus::RecallRequested,
            },
            account: self.account,
            amount: self.amount.positive()?,
            utr: if_ours(self.utr),
            bank_transaction_id: self.bank_transaction_id,
            booking_date: self.booking_date,
            value_date: self.value_date,
            received_at: moment(self.received_at),
            token: if_ours(self.token),
            virtual_account: if_ours(self.virtual_account),
            payer: self.payer.map(|payer| Payer {
                account_number: payer.account_number,
                ifsc: payer.ifsc,
                name: payer.name,
            }),
        })
    }
}

#[derive(Deserialize)]
pub(in crate::banks) struct RawNameCheck {
    status: RawFound,
    registered_name: Option<String>,
    #[serde(rename = "match")]
    matched: Option<RawMatch>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawFound {
    Found,
    Closed,
    NotFound,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawMatch {
    Exact,
    Close,
    None,
}

impl Raw for RawNameCheck {
    type Meaning = NameCheck;

    fn meaning(self) -> Option<NameCheck> {
        Some(match self.status {
            RawFound::Closed => NameCheck::Closed,
            RawFound::NotFound => NameCheck::NotFound,
            RawFound::Found => NameCheck::Found {
                registered_name: self.registered_name?,
                matched: match self.matched? {
                    RawMatch::Exact => NameMatch::Exact,
                    RawMatch::Close => NameMatch::Close,
                    RawMatch::None => NameMatch::None,
                },
            },
        })
    }
}
