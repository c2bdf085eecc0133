//! Webhooks over HTTP: what is accepted, what is refused, and that an event is in the inbox once.

use futures::future::join_all;
use ledger_api::{
    service::Role,
    webhooks::{Mark, signature::Keys},
};
use reqwest::StatusCode;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::support::{
    bahi::{Reply, send},
    database::{APP, Database},
    intake::{AXIS_SECRET, BODY, SECRET, TestIntake, events, fresh_event, inbox, now_s},
};

#[tokio::test(flavor = "multi_thread")]
async fn case_88_a_signed_delivery_is_stored_and_then_acknowledged() {
    let database = Database::create().await;
    let pool = database.pool().await;
    let intake = TestIntake::start(&database.url(APP)).await;
    let sent = now_s();
    let reply = send(intake.bank().signed("msg_01", sent, BODY)).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    assert_eq!(reply.json(), json!({"received": true, "duplicate": false}));
    assert!(reply.header("request-id").starts_with("req_"));
    assert_eq!(reply.header("ledger-position"), "", "it knows no ledger");

    let fresh = inbox(&pool).fresh(Mark::default(), 10).await.unwrap();
    let [delivery] = &fresh.deliveries[..] else { panic!("{fresh:?}") };
    assert_eq!((&*delivery.bank, &*delivery.event_id), ("hdfc", "msg_01"));
    assert_eq!(delivery.body.as_deref(), Some(BODY.as_bytes()));
    assert_eq!(delivery.body_sha256, Sha256::digest(BODY).to_vec());
    assert_eq!(delivery.event_type.as_deref(), Some("bank.credit.received"));
    assert_eq!(delivery.event_at.unwrap().timestamp(), 1_795_356_135);
    assert_eq!(delivery.sent_at.timestamp(), sent);
    assert!(delivery.received_at.timestamp().abs_diff(sent) < 60);
    intake.stop().await;
}

/// A refusal, and nothing in the inbox.
#[track_caller]
fn refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!((reply.status.as_u16(), &*reply.code()), (status, code), "{}", reply.text);
    assert_eq!(reply.header("www-authenticate"), "", "no API key would help");
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_89_to_94_what_is_not_signed_as_it_should_be_is_refused_and_not_stored() {
    let database = Database::create().await;
    let intake = TestIntake::start(&database.url(APP)).await;
    let bank = intake.bank();
    let now = now_s();
    let keys: Keys = SECRET.parse().unwrap();
    let sign = |id: &str, at: i64| keys.sign(id, at, BODY.as_bytes());
    let deliver = async |id: &str, at: &str, signature: &str| {
        send(bank.delivery(id, at, signature).body(BODY)).await
    };
    let (at, good) = (now.to_string(), sign("msg_01", now));
    for bad in ["", "v1,", "v1", "v2,abc", &good[3..], &good.to_uppercase(), &sign("msg_02", now)] {
        refused(&deliver("msg_01", &at, bad).await, 401, "webhook_signature_invalid");
    }
    let many = vec![good.as_str(); 200].join(" ");
    refused(&deliver("msg_01", &at, &many).await, 401, "webhook_signature_invalid");
    for stale in [now - 400, now + 400] {
        let reply = deliver("msg_01", &stale.to_string(), &sign("msg_01", stale)).await;
        refused(&reply, 401, "webhook_timestamp_stale");
    }
    for none in ["", "-9223372036854775808", "1e9", "0179535613"] {
        refused(&deliver("msg_01", none, &good).await, 400, "webhook_timestamp_invalid");
    }
    for bad in ["", "msg.01", "msg 01", &"a".repeat(10_000)] {
        refused(&deliver(bad, &at, &sign(bad, now)).await, 400, "webhook_id_invalid");
    }
    let twice = bank.delivery("msg_01", &at, &good).header("webhook-id", "msg_01").body(BODY);
    refused(&send(twice).await, 400, "webhook_id_invalid");
    let other = bank.delivery("msg_01", &at, &good).body(format!("{BODY}\n"));
    refused(&send(other).await, 401, "webhook_signature_invalid");
    assert_eq!(events(&database.pool().await).await, []);
    assert!(!deliver("msg_01", &at, &good).await.is_duplicate());
    intake.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_beyond_all_measure_costs_nothing() {
    let database = Database::create().await;
    let intake = TestIntake::start(&database.url(APP)).await;
    let header = "v1,AAAA ".repeat(128 * 1024);
    let request = intake.bank().delivery("msg_01", &now_s().to_string(), &header).body(BODY);
    // The server may end the connection before all of it was sent.
    let status = request.send().await.map(|response| response.status());
    assert!(status.as_ref().map_or(true, StatusCode::is_client_error), "{status:?}");
    assert!(!intake.bank().send(&fresh_event(), BODY).await.is_duplicate());
    intake.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_has_its_own_address_its_own_keys_and_its_own_ids() {
    let database = Database::create().await;
    let intake = TestIntake::start(&database.url(APP)).await;
    let bank = intake.bank();
    for nobody in ["sbi", "HDFC", "hdfc%2F", "%ff", "a.b"] {
        let reply = send(bank.post(&format!("/hooks/banks/{nobody}")).body(BODY)).await;
        refused(&reply, 404, "not_found");
    }
    let reply = send(bank.post("/hooks/banks").body(BODY)).await;
    refused(&reply, 404, "not_found");
    let got = reqwest::get(format!("{}/hooks/banks/hdfc", intake.address)).await.unwrap();
    assert_eq!(got.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(got.headers()["allow"], "POST");

    let at = now_s();
    let axis = |secret: &str| {
        let keys: Keys = secret.parse().unwrap();
        bank.post("/hooks/banks/axis")
            .header("webhook-id", "msg_01")
            .header("webhook-timestamp", at.to_string())
            .header("webhook-signature", keys.sign("msg_01", at, BODY.as_bytes()))
            .body(BODY)
    };
    refused(&send(axis(SECRET)).await, 401, "webhook_signature_invalid");
    assert!(!bank.send("msg_01", BODY).await.is_duplicate());
    assert!(!send(axis(AXIS_SECRET)).await.is_duplicate(), "another bank's id is another event");
    intake.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_95_an_event_that_is_sent_again_and_again_is_one_event() {
    let database = Database::create().await;
    let pool = database.pool().await;
    let intake = TestIntake::start(&database.url(APP)).await;
    let bank = intake.bank();
    let first = send(bank.signed("msg_01", now_s() - 200, BODY)).await;
    assert!(!first.is_duplicate());
    let before = inbox(&pool).find(1).await.unwrap();
    for _ in 0..3 {
        // Each time it is signed anew, as a bank does that repeats for days.
        assert!(bank.send("msg_01", BODY).await.is_duplicate());
    }
    assert_eq!(events(&pool).await, [("msg_01".to_owned(), 1)]);
    assert_eq!(inbox(&pool).find(1).await.unwrap(), before, "the first one stands");
    intake.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_98_twenty_copies_at_once_are_one_event() {
    let database = Database::create().await;
    let url = database.url(APP);
    let (a, b) = tokio::join!(TestIntake::start(&url), TestIntake::start(&url));
    let (first, second) = (a.bank(), b.bank());
    for round in 0..10 {
        let id = format!("msg_{round}");
        let copies = (0..20).map(|copy| {
            let bank = if copy % 2 == 0 { &first } else { &second };
            bank.send(&id, BODY)
        });
        let replies = join_all(copies).await;
        let new = replies.iter().filter(|reply| !reply.is_duplicate()).count();
        assert_eq!(new, 1, "round {round}");
    }
    let rows = events(&database.pool().await).await;
    assert!(rows.len() == 10 && rows.iter().all(|(_, count)| *count == 1), "{rows:?}");
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_intakes_that_each_get_every_webhook_twice_have_each_once() {
    let database = Database::create().await;
    let pool = database.pool().await;
    let url = database.url(APP);
    let (a, b) = tokio::join!(TestIntake::start(&url), TestIntake::start(&url));
    let ids: Vec<String> = (0..300).map(|number| format!("msg_{number:03}")).collect();
    // Both in opposite orders, so that their batches meet in the middle from both sides.
    let there = ids.iter().flat_map(|id| [id, id]).map(|id| (a.bank(), id.clone()));
    let back = ids.iter().rev().flat_map(|id| [id, id]).map(|id| (b.bank(), id.clone()));
    let deliver = |sender: Vec<(crate::support::intake::Bank, String)>| async move {
        let mut new = 0;
        for wave in sender.chunks(50) {
            let sent = join_all(wave.iter().map(|(bank, id)| bank.send(id, BODY))).await;
            new += sent.iter().filter(|reply| !reply.is_duplicate()).count();
        }
        new
    };
    let (from_a, from_b) = tokio::join!(deliver(there.collect()), deliver(back.collect()));
    println!("{from_a} came by one first, {from_b} by the other");
    assert_eq!(from_a + from_b, ids.len());
    let expected: Vec<(String, i64)> = ids.into_iter().map(|id| (id, 1)).collect();
    assert_eq!(events(&pool).await, expected);
    let bodies: i64 =
        sqlx::query_scalar("select count(*) from inbox_bodies").fetch_one(&pool).await.unwrap();
    assert_eq!(bodies, 300);
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_event_with_another_body_is_acknowledged_and_put_on_the_list() {
    let database = Database::create().await;
    let pool = database.pool().await;
    let intake = TestIntake::start(&database.url(APP)).await;
    let bank = intake.bank();
    let other = BODY.replace("0001", "0002");
    assert!(!bank.send("msg_01", BODY).await.is_duplicate());
    for _ in 0..3 {
        assert!(bank.send("msg_01", &other).await.is_duplicate());
    }
    assert!(bank.send("msg_01", BODY).await.is_duplicate());
    let conflicts = inbox(&pool).conflicts(10).await.unwrap();
    let [conflict] = &conflicts[..] else { panic!("{conflicts:?}") };
    assert_eq!((&*conflict.bank, &*conflict.event_id), ("hdfc", "msg_01"));
    assert_eq!(conflict.body_sha256, Sha256::digest(BODY).to_vec());
    assert_eq!(conflict.other_sha256, Sha256::digest(&other).to_vec());
    assert_eq!(conflict.other_body.as_deref(), Some(other.as_bytes()));
    let stands = inbox(&pool).find(conflict.delivery_id).await.unwrap().unwrap();
    assert_eq!(stands.body.as_deref(), Some(BODY.as_bytes()), "the first one stands");
    // Both at once, for the first time: one of them stands, the other is on the list.
    let (one, two) = tokio::join!(bank.send("msg_02", BODY), bank.send("msg_02", &other));
    assert!(one.is_duplicate() != two.is_duplicate());
    assert_eq!(inbox(&pool).conflicts(10).await.unwrap().len(), 2);
    intake.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_nobody_can_read_is_stored_all_the_same_and_parked() {
    let database = Database::create().await;
    let pool = database.pool().await;
    let intake = TestIntake::start(&database.url(APP)).await;
    let bank = intake.bank();
    for (number, body) in
        ["", "no JSON", "[1]", "{\"type\":7}", "{\"type\":\"a\\u0000\"}"].into_iter().enumerate()
    {
        assert!(!bank.send(&format!("msg_{number}"), body).await.is_duplicate(), "{body}");
    }
    assert!(!bank.send("msg_sound", BODY).await.is_duplicate());
    let parked = inbox(&pool).list(None, Some("parked"), 10).await.unwrap();
    assert_eq!(parked.len(), 5, "{parked:?}");
    let fresh = inbox(&pool).fresh(Mark::default(), 10).await.unwrap().deliveries;
    assert_eq!(fresh.iter().map(|one| &*one.event_id).collect::<Vec<_>>(), ["msg_sound"]);
    intake.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_165_a_body_has_64_kib_at_most() {
    let database = Database::create().await;
    let intake = TestIntake::start(&database.url(APP)).await;
    let bank = intake.bank();
    let (most, more) = ("a".repeat(64 * 1024), "a".repeat(64 * 1024 + 1));
    assert!(!bank.send("msg_01", &most).await.is_duplicate());
    let reply = bank.send("msg_02", &more).await;
    refused(&reply, 413, "too_large");
    let chunks = futures::stream::iter(vec![Ok::<_, std::convert::Infallible>(more); 3]);
    let body = reqwest::Body::wrap_stream(chunks);
    let endless = bank.delivery("msg_03", &now_s().to_string(), "v1,").body(body);
    refused(&send(endless).await, 413, "too_large");
    assert_eq!(events(&database.pool().await).await.len(), 1);
    intake.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_with_all_roles_takes_webhooks_beside_its_api() {
    let database = Database::create().await;
    let intake = TestIntake::with(&[], &database.url(APP), "").await;
    assert!(!intake.bank().send("msg_01", BODY).await.is_duplicate());
    let api = reqwest::get(format!("{}/v1/accounts", intake.address)).await.unwrap();
    assert_eq!(api.status(), StatusCode::UNAUTHORIZED);
    assert!(api.headers()["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
    assert!(api.headers().contains_key("ledger-position"));
    intake.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_intake_alone_needs_no_ledger_and_serves_none() {
    let inbox = Database::create().await;
    let ledger = "postgres://nobody@127.0.0.1:1/nowhere";
    let intake = TestIntake::with(&[Role::Webhooks], ledger, &inbox.url(APP)).await;
    assert!(intake.service.engine().is_none());
    assert!(!intake.bank().send("msg_01", BODY).await.is_duplicate());
    for (path, status) in [("/readyz", 200), ("/healthz", 200), ("/v1/accounts", 404)] {
        let got = reqwest::get(format!("{}{path}", intake.address)).await.unwrap();
        assert_eq!(got.status().as_u16(), status, "{path}");
        assert!(got.headers().contains_key("request-id"), "{path}");
    }
    assert_eq!(events(&inbox.pool().await).await.len(), 1);
    intake.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inbox_of_its_own_gets_what_a_whole_service_takes_in() {
    let (ledger, inbox) = tokio::join!(Database::create(), Database::create());
    let intake = TestIntake::with(&[], &ledger.url(APP), &inbox.url(APP)).await;
    assert!(!intake.bank().send("msg_01", BODY).await.is_duplicate());
    assert_eq!(events(&ledger.pool().await).await, []);
    assert_eq!(events(&inbox.pool().await).await.len(), 1);
    intake.stop().await;
}
