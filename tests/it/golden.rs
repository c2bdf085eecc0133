//! What was ever written decodes for ever, to the same bytes: one fixture file per type and version
//! of events, and per kind of stored outcome, with one payload a line.

use std::{collections::BTreeSet, fs, path::PathBuf};

use cqrs_es::Aggregate;
use ledger_core::{
    account::{Account, AccountEvent},
    bank_line::{BankLine, BankLineEvent},
    book::{Book, BookEvent},
    command::{Outcome, Receipt},
    deposit::{Deposit, DepositEvent},
    hold::{Hold, HoldEvent},
    log::{self, EVENT_VERSION},
    payment::{Payment, PaymentEvent},
    payment_request::{PaymentRequest, PaymentRequestEvent},
    reversal::{Reversal, ReversalEvent},
    transfer::{Transfer, TransferEvent},
    withdrawal::{Withdrawal, WithdrawalEvent},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

fn fixtures(folder: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "fixtures", folder].iter().collect()
}

fn lines(folder: &str, file: &str) -> Vec<String> {
    let path = fixtures(folder).join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    assert!(!text.is_empty(), "{file} is empty");
    text.lines().map(str::to_owned).collect()
}

fn names(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(fixtures(folder)).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Every type has its file and every file its type; every line decodes and encodes to itself.
fn events_hold<A>(types: &[&str])
where
    A: Aggregate<Event: Serialize + DeserializeOwned>,
{
    let folder = format!("events/{}", A::TYPE);
    // Once there is a second version, its files stand beside these; no file is ever removed.
    let expected = types.iter().map(|name| format!("{name}-{EVENT_VERSION}.json"));
    assert_eq!(names(&folder), expected.collect(), "{folder}");
    for name in types {
        for line in lines(&folder, &format!("{name}-{EVENT_VERSION}.json")) {
            let event: A::Event = log::decode(name, EVENT_VERSION, line.as_bytes())
                .unwrap_or_else(|error| panic!("{} {name}: {error:?}\n{line}", A::TYPE));
            let again = String::from_utf8(log::encode(&event).unwrap()).unwrap();
            assert_eq!(again, line, "{} {name}", A::TYPE);
        }
    }
}

#[test]
fn case_79_every_event_ever_written_decodes_to_the_same_bytes() {
    events_hold::<Account>(AccountEvent::NAMES);
    events_hold::<Hold>(HoldEvent::NAMES);
    events_hold::<Reversal>(ReversalEvent::NAMES);
    events_hold::<Withdrawal>(WithdrawalEvent::NAMES);
    events_hold::<BankLine>(BankLineEvent::NAMES);
    events_hold::<Deposit>(DepositEvent::NAMES);
    events_hold::<Transfer>(TransferEvent::NAMES);
    events_hold::<Payment>(PaymentEvent::NAMES);
    events_hold::<PaymentRequest>(PaymentRequestEvent::NAMES);
    events_hold::<Book>(BookEvent::NAMES);
    let folders = [
        Account::TYPE,
        Hold::TYPE,
        Reversal::TYPE,
        Withdrawal::TYPE,
        BankLine::TYPE,
        Deposit::TYPE,
        Transfer::TYPE,
        Payment::TYPE,
        PaymentRequest::TYPE,
        Book::TYPE,
    ];
    assert_eq!(names("events"), folders.map(str::to_owned).into());
}

#[test]
fn every_stored_outcome_decodes_to_the_same_bytes() {
    let mut kinds = BTreeSet::new();
    for file in names("outcomes") {
        for line in lines("outcomes", &file) {
            let outcome = Outcome::from_stored(line.as_bytes()).unwrap();
            assert_eq!(String::from_utf8(outcome.to_stored().unwrap()).unwrap(), line, "{file}");
            let kind = match outcome {
                Outcome::Rejected(_) => "rejected",
                Outcome::Accepted(accepted) => match accepted.receipt {
                    Receipt::Account { .. } => "account",
                    Receipt::Posted { .. } => "posted",
                    Receipt::Hold { .. } => "hold",
                    Receipt::Captured { .. } => "captured",
                    Receipt::Withdrawal { .. } => "withdrawal",
                    Receipt::BankLine { .. } => "bank_line",
                    Receipt::Deposit { .. } => "deposit",
                    Receipt::Transfer { .. } => "transfer",
                    Receipt::Payment { .. } => "payment",
                    Receipt::Refund { .. } => "refund",
                    Receipt::Settlement { .. } => "settlement",
                    Receipt::PaymentRequest { .. } => "payment_request",
                    Receipt::Book { .. } => "book",
                },
            };
            assert_eq!(file, format!("{kind}-1.0.json"));
            kinds.insert(kind);
        }
    }
    assert_eq!(kinds.len(), 14, "a kind of outcome has no fixture: {kinds:?}");
}

#[derive(Deserialize)]
struct Line<'a> {
    event_type: String,
    event_version: String,
    #[serde(borrow)]
    payload: &'a RawValue,
}

#[test]
fn case_79_an_old_stream_folds_to_the_balances_it_always_had() {
    let mut account = Account::default();
    for line in lines("streams", "wallet-1.0.ndjson") {
        let line: Line<'_> = serde_json::from_str(&line).unwrap();
        let payload = line.payload.get().as_bytes();
        account.apply(log::decode(&line.event_type, &line.event_version, payload).unwrap());
    }
    let told = [account.debits_posted(), account.credits_posted(), account.balance()];
    assert_eq!(told.map(|d| d.to_string()), ["30.00", "100.00", "70.00"]);
    assert_eq!(account.held().to_string(), "0.00");
    // 70.00 less the lien of 25.00, down to the floor of -10.00.
    assert_eq!(account.available().map(|d| d.to_string()), Some("55.00".to_owned()));
    assert_eq!(account.sequence(), 9);
}

#[test]
fn case_80_what_is_unknown_is_a_hard_stop_in_every_stream() {
    fn stop_all<E: DeserializeOwned>(names: &[&str]) {
        for name in names {
            assert!(log::decode::<E>("melted", EVENT_VERSION, b"{}").is_err());
            assert!(log::decode::<E>(name, "1.1", b"{}").is_err());
            assert!(log::decode::<E>(name, EVENT_VERSION, br#"{"added":1}"#).is_err());
            assert!(log::decode::<E>(name, EVENT_VERSION, b"").is_err());
        }
    }
    stop_all::<AccountEvent>(AccountEvent::NAMES);
    stop_all::<HoldEvent>(HoldEvent::NAMES);
    stop_all::<ReversalEvent>(ReversalEvent::NAMES);
    stop_all::<WithdrawalEvent>(WithdrawalEvent::NAMES);
    stop_all::<BankLineEvent>(BankLineEvent::NAMES);
    stop_all::<DepositEvent>(DepositEvent::NAMES);
    stop_all::<TransferEvent>(TransferEvent::NAMES);
    stop_all::<PaymentEvent>(PaymentEvent::NAMES);
    stop_all::<PaymentRequestEvent>(PaymentRequestEvent::NAMES);
    stop_all::<BookEvent>(BookEvent::NAMES);
}

#[test]
fn case_81_decoding_is_a_function_of_the_bytes() {
    for name in AccountEvent::NAMES {
        for line in lines("events/account", &format!("{name}-{EVENT_VERSION}.json")) {
            let decode = || log::decode::<AccountEvent>(name, EVENT_VERSION, line.as_bytes());
            assert_eq!(decode().unwrap(), decode().unwrap());
        }
    }
}

#[test]
fn case_84_a_field_that_was_left_out_has_its_default() {
    let shortest = &lines("events/account", "debited-1.0.json")[0];
    let event = log::decode("debited", EVENT_VERSION, shortest.as_bytes()).unwrap();
    let AccountEvent::Debited(leg) = event else { panic!("another event") };
    assert!(leg.held_after.is_zero() && leg.value_date.is_none());
    assert!(leg.item.is_none() && leg.cause.is_none());
}

/// Stored bytes come out of typed structs, so no feature of `serde_json` that a dependency turns on
/// can reorder or reformat them. Loose JSON is none of that: it drops zeros, and whether it keeps
/// the order of keys hangs on what else is built with it (the driver of browsers turns that on).
#[test]
fn case_87_the_premises_about_json_hold() {
    let loose: Value = serde_json::from_str(r#"{"b":1.50,"a":2}"#).unwrap();
    assert!(!loose.to_string().contains("1.50"), "{loose}");
    // Typed: in the order of the struct, which is not that of the alphabet.
    let line = &lines("events/account", "opened-1.0.json")[0];
    let event: AccountEvent = log::decode("opened", EVENT_VERSION, line.as_bytes()).unwrap();
    assert_eq!(log::encode(&event).unwrap(), line.as_bytes());
}
