//! What a bank tells by webhook, as a type. A claim: nothing that is read here is money.

use serde::Deserialize;

use super::{
    CollectLink, Credit, LinkStatus, Transfer,
    wire::{Raw, RawCollectLink, RawCredit, RawTransfer, read},
};

/// The most characters of a type that is not known and kept all the same.
const KIND_CHARS_MAX: usize = 64;

/// What a bank tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BankMessage {
    /// What became of a transfer: `transfer.accepted`, `.paid`, `.refused`, `.returned`. The
    /// status is the transfer's own.
    Transfer(Transfer),
    /// What arrived, or is asked back: `credit.received`, `credit.recall_requested`.
    Credit(Credit),
    /// Somebody will not pay: `collect_link.declined`.
    CollectLinkDeclined(CollectLink),
    /// Something that this release does not know, of this type.
    Other(String),
}

/// Why a webhook's body tells nothing. Shows nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// It is no JSON object with a type.
    #[error("the body is no JSON object with a type")]
    NoMessage,
    /// Its data are not what its type says.
    #[error("the data are no {0}")]
    Data(&'static str),
}

#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

/// Reads the body of a webhook.
///
/// # Errors
/// [`MessageError`] if nothing can be made of it.
pub fn parse(body: &[u8]) -> Result<BankMessage, MessageError> {
    let Kind { kind } = read(body).ok_or(MessageError::NoMessage)?;
    match kind.as_str() {
        "transfer.accepted" | "transfer.paid" | "transfer.refused" | "transfer.returned" => {
            data::<RawTransfer>(body, "transfer").map(BankMessage::Transfer)
        }
        "credit.received" | "credit.recall_requested" => {
            data::<RawCredit>(body, "credit").map(BankMessage::Credit)
        }
        "collect_link.declined" => {
            let link = data::<RawCollectLink>(body, "collect link")?;
            match link.status {
                LinkStatus::Declined { .. } => Ok(BankMessage::CollectLinkDeclined(link)),
                LinkStatus::Open | LinkStatus::Approved => {
                    Err(MessageError::Data("declined collect link"))
                }
            }
        }
        _ => Ok(BankMessage::Other(kind.chars().take(KIND_CHARS_MAX).collect())),
    }
}

fn data<R: Raw>(body: &[u8], what: &'static str) -> Result<R::Meaning, MessageError> {
    let data = read::<Data<R>>(body).and_then(|Data { data }| data.meaning());
    data.ok_or(MessageError::Data(what))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::banks::{CreditStatus, TransferStatus};

    const TRANSFER: &str = r#"{"type":"transfer.refused","timestamp":"2026-11-22T14:02:15Z",
        "data":{"reference":"BH1","status":"refused","amount":{"value":"1.21","currency":"INR"},
        "rail":"imps","from":"escrow","code":"account_closed","utr":null,
        "bank_transaction_id":null,"accepted_at":"2026-11-22T14:02:13.400Z","settled_at":null,
        "returned":null}}"#;
    const CREDIT: &str = r#"{"type":"credit.recall_requested","data":{"id":"crd_1",
        "status":"recall_requested","account":"escrow",
        "amount":{"value":"500.00","currency":"INR"},"utr":"U1","bank_transaction_id":"S43",
        "booking_date":"2026-11-22","value_date":"2026-11-22",
        "received_at":"2026-11-22T14:02:15.000Z","token":"not one of ours",
        "virtual_account":null,"payer":{"account_number":"1","ifsc":"x","name":"Asha Rao"}}}"#;
    const LINK: &str = r#"{"type":"collect_link.declined","data":{"token":"dep_1",
        "amount":{"value":"500.00","currency":"INR"},"url":"http://127.0.0.1/pay",
        "status":"declined","code":"declined_by_payer","credits":[]}}"#;

    #[test]
    fn each_type_is_read_with_its_data() {
        let BankMessage::Transfer(transfer) = parse(TRANSFER.as_bytes()).unwrap() else {
            panic!("no transfer");
        };
        let code = "account_closed".parse().unwrap();
        assert_eq!(transfer.status, TransferStatus::Refused { code });
        let BankMessage::Credit(credit) = parse(CREDIT.as_bytes()).unwrap() else {
            panic!("no credit");
        };
        assert_eq!((credit.status, credit.token.clone()), (CreditStatus::RecallRequested, None));
        assert!(!format!("{credit:?}").contains("Asha"));
        let declined = parse(LINK.as_bytes()).unwrap();
        assert!(matches!(declined, BankMessage::CollectLinkDeclined(_)), "{declined:?}");
        let other = parse(br#"{"type":"bank.holiday","data":7}"#);
        assert_eq!(other, Ok(BankMessage::Other("bank.holiday".to_owned())));
    }

    #[test]
    fn what_can_t_be_read_is_refused_without_showing_it() {
        for bad in ["", "[]", "7", "{}", r#"{"type":7}"#, r#"["bank.holiday",7]"#, "\u{0}", "{"] {
            assert_eq!(parse(bad.as_bytes()), Err(MessageError::NoMessage), "{bad}");
        }
        let no_data = br#"{"type":"transfer.paid"}"#;
        assert_eq!(parse(no_data), Err(MessageError::Data("transfer")));
        let scripted = LINK.replace("http://127.0.0.1/pay", "javascript:alert(1)");
        assert_eq!(parse(scripted.as_bytes()), Err(MessageError::Data("collect link")));
        let open = LINK.replace("\"declined\"", "\"open\"");
        assert_eq!(parse(open.as_bytes()), Err(MessageError::Data("declined collect link")));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            // Noise is no message; that it is one by chance is not to be expected.
            prop_assert!(parse(&bytes).is_err());
        }

        #[test]
        fn no_damage_to_a_message_makes_the_parser_panic(
            which in 0_usize..3,
            at in 0_usize..600,
            with in proptest::collection::vec(any::<u8>(), 0..8),
        ) {
            let good = [TRANSFER, CREDIT, LINK][which].as_bytes();
            let at = at.min(good.len());
            let rest = good.get(at.saturating_add(with.len())..).unwrap_or_default();
            let damaged = [&good[..at], &with, rest].concat();
            let read = parse(&damaged);
            // Whatever it still says, it is of the kind that it was.
            if let Ok(BankMessage::Transfer(transfer)) = read {
                prop_assert!(transfer.amount.is_positive());
            }
        }
    }
}
