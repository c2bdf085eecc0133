//! What the bank tells by itself, at a receiver that verifies it by code of its own.

use sandbox_bank::{BankCode, clock::Clock, conformance::Receiver};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{Bank, PATIENCE, SECRET, Wanted, free_port, noon};

fn about(reference: &'static str) -> impl Fn(&Value) -> bool {
    move |data| data["reference"] == reference
}

#[tokio::test]
async fn a_payment_is_told_signed_and_once() {
    let (bank, receiver) = Bank::told_to(Clock::standing(noon()), |_, _| 200).await;
    let (_, transfer) = bank.submit("A1", "5000.00").await;
    bank.submit("A1", "5000.00").await;
    bank.submit("A2", "10.00").await;
    let heard = receiver.heard("transfer.paid", 1, PATIENCE, about("A2")).await;
    assert_eq!(heard.len(), 1);
    let heard = receiver.heard("transfer.paid", 1, PATIENCE, about("A1")).await;
    let [delivery] = heard.as_slice() else {
        panic!("told once: {heard:?}");
    };
    assert_eq!(delivery.objection, None);
    assert_eq!(delivery.json()["data"], transfer);
    assert_eq!(delivery.json()["timestamp"], transfer["settled_at"]);
    bank.stop().await;
}

#[tokio::test]
async fn what_was_not_heard_is_told_again_by_the_bank_s_clock() {
    let (bank, receiver) =
        Bank::told_to(Clock::standing(noon()), |_, time| if time < 4 { 500 } else { 204 }).await;
    bank.submit("A1", "5000.00").await;
    let first = receiver.heard("transfer.paid", 1, PATIENCE, about("A1")).await;
    assert_eq!(first.len(), 1, "no more until the clock has moved");
    let all = receiver.heard("transfer.paid", 4, PATIENCE, about("A1"));
    // The outcome of an attempt may still be on its way to the outbox, so the clock is moved until
    // the last attempt comes.
    let moving = async {
        loop {
            bank.advance(5).await;
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        heard = all => assert_eq!(heard.len(), 4),
        () = moving => {}
    }
    let heard = receiver.heard("transfer.paid", 4, PATIENCE, about("A1")).await;
    assert_eq!(heard.len(), 4);
    assert!(heard.iter().all(|delivery| {
        delivery.objection.is_none() && delivery.id == heard[0].id && delivery.body == heard[0].body
    }));
    let settled = async {
        loop {
            let books = bank.control.books(BankCode::Axis).await.expect("books");
            let webhooks = &books["webhooks"];
            if (&webhooks["delivered"], &webhooks["waiting"]) == (&json!(1), &json!(0)) {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, settled).await.expect("nothing is left to tell");
    bank.stop().await;
}

#[tokio::test]
async fn paise_41_to_45_at_a_receiver() {
    let (bank, receiver) = Bank::told_to(Clock::running_from(noon()), |_, _| 200).await;
    for (reference, amount) in
        [("A41", "9.41"), ("A42", "9.42"), ("A43", "9.43"), ("A44", "9.44"), ("A45", "9.45")]
    {
        bank.submit(reference, amount).await;
    }
    let heard = async |kind, count, reference| {
        receiver.heard(kind, count, PATIENCE, about(reference)).await
    };
    let twice = heard("transfer.paid", 2, "A41").await;
    assert_eq!((twice.len(), &twice[0].id), (2, &twice[1].id));
    let early = heard("transfer.paid", 1, "A42").await;
    let late = heard("transfer.accepted", 1, "A42").await;
    assert!(early[0].json()["timestamp"] == late[0].json()["timestamp"]);
    let all = receiver.deliveries();
    let place = |id: &str| all.iter().position(|delivery| delivery.id == id);
    assert!(place(&early[0].id) < place(&late[0].id));
    let signed = heard("transfer.paid", 2, "A43").await;
    assert_eq!(signed[0].objection, Some("no signature fits"));
    assert_eq!((signed[1].objection, &signed[0].body), (None, &signed[1].body));
    let other = heard("transfer.paid", 1, "A45").await;
    assert_eq!(other[0].json()["data"]["amount"]["value"], "10.45");
    // All others have come, and were sent later.
    assert!(!receiver.deliveries().iter().any(|d| d.json()["data"]["reference"] == "A44"));
    bank.stop().await;
}

#[tokio::test]
async fn a_receiver_that_is_away_hears_it_when_it_is_back() {
    let listener = free_port().await;
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let hooks = Some(format!("http://{address}/hooks"));
    let bank = Bank::start(Wanted { hooks, ..Wanted::default() }).await;
    bank.submit("A1", "5000.00").await;
    let listener = TcpListener::bind(address).await.expect("the same port");
    let receiver = Receiver::start(listener, SECRET, |_, _| 200).expect("a receiver");
    let heard = receiver.heard("transfer.paid", 1, PATIENCE, about("A1"));
    let moving = async {
        loop {
            bank.advance(5).await;
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        heard = heard => assert_eq!((heard.len(), heard[0].objection), (1, None)),
        () = moving => {}
    }
    bank.stop().await;
}
