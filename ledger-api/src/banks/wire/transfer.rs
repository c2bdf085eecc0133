//! A transfer on the wire.

use chrono::{DateTime, Utc};
use ledger_core::ids::{Rail, Reference};
use serde::Deserialize;

use super::{Raw, RawMoney, moment};
use crate::banks::{ReturnedCredit, Transfer, TransferStatus};

#[derive(Deserialize)]
pub(in crate::banks) struct RawTransfer {
    reference: Reference,
    status: RawStatus,
    amount: RawMoney,
    rail: Rail,
    from: String,
    code: Option<Reference>,
    utr: Option<Reference>,
    bank_transaction_id: Option<Reference>,
    accepted_at: DateTime<Utc>,
    settled_at: Option<DateTime<Utc>>,
    returned: Option<RawReturned>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawStatus {
    Accepted,
    Paid,
    Refused,
    Returned,
}

#[derive(Deserialize)]
struct RawReturned {
    utr: Reference,
    bank_transaction_id: Reference,
    amount: RawMoney,
    at: DateTime<Utc>,
}

impl Raw for RawTransfer {
    type Meaning = Transfer;

    fn meaning(self) -> Option<Transfer> {
        let status = match self.status {
            RawStatus::Accepted => TransferStatus::Accepted,
            RawStatus::Paid => TransferStatus::Paid {
                utr: self.utr?,
                bank_transaction_id: self.bank_transaction_id?,
                settled_at: moment(self.settled_at?),
            },
            RawStatus::Refused => TransferStatus::Refused { code: self.code? },
            RawStatus::Returned => TransferStatus::Returned {
                utr: self.utr?,
                bank_transaction_id: self.bank_transaction_id?,
                returned: self.returned?.meaning()?,
            },
        };
        Some(Transfer {
            reference: self.reference,
            amount: self.amount.positive()?,
            rail: self.rail,
            from: self.from,
            status,
            accepted_at: moment(self.accepted_at),
        })
    }
}

impl RawReturned {
    fn meaning(self) -> Option<ReturnedCredit> {
        Some(ReturnedCredit {
            utr: self.utr,
            bank_transaction_id: self.bank_transaction_id,
            amount: self.amount.positive()?,
            at: moment(self.at),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::banks::wire::read;

    const PAID: &str = r#"{"reference":"BH0199A1","status":"paid",
        "amount":{"value":"5000.13","currency":"INR"},"rail":"imps","from":"escrow","code":null,
        "utr":"HDFC024118830077","bank_transaction_id":"S0000000042",
        "accepted_at":"2026-11-22T14:02:13.400Z","settled_at":"2026-11-22T14:02:14.121Z",
        "returned":null,"a_later_field":[1]}"#;

    fn transfer(json: &str) -> Option<Transfer> {
        read::<RawTransfer>(json.as_bytes())?.meaning()
    }

    #[test]
    fn a_transfer_is_read_whole_or_not_at_all() {
        let paid = transfer(PAID).unwrap();
        assert_eq!(paid.amount.to_string(), "5000.13 INR");
        assert!(matches!(paid.status, TransferStatus::Paid { .. }), "{paid:?}");
        let bad = [
            (r#""status":"paid""#, r#""status":"PAID""#),
            (r#""status":"paid""#, r#""status":"completed""#),
            (r#""status":"paid""#, r#""status":"refused""#),
            (r#""status":"paid""#, r#""status":"returned""#),
            (r#""status":"paid","#, ""),
            (r#""utr":"HDFC024118830077""#, r#""utr":null"#),
            (r#""S0000000042""#, "null"),
            (r#""settled_at":"2026-11-22T14:02:14.121Z","#, ""),
            ("5000.13", "0.00"),
            ("5000.13", "-5000.13"),
            (r#""5000.13""#, "5000.13"),
            (r#""returned":null"#, r#""reference":"BH2""#),
            (r#""reference":"BH0199A1","#, ""),
        ];
        for (good, bad) in bad {
            let json = PAID.replacen(good, bad, 1);
            assert_ne!(json, PAID);
            assert_eq!(transfer(&json), None, "{json}");
        }
    }

    #[test]
    fn a_returned_transfer_has_what_came_back() {
        let returned = PAID.replace("\"paid\"", "\"returned\"").replace(
            r#""returned":null"#,
            r#""returned":{"utr":"R1","bank_transaction_id":"S7",
               "amount":{"value":"5000.13","currency":"INR"},"at":"2026-11-23T01:00:00Z"}"#,
        );
        let status = transfer(&returned).unwrap().status;
        let TransferStatus::Returned { utr, returned, .. } = status else {
            panic!("{status:?}");
        };
        assert_eq!((utr.as_str(), returned.utr.as_str()), ("HDFC024118830077", "R1"));
    }
}
