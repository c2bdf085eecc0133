//! Codes, links, papers, and what takes a fresh proof.

use std::sync::Arc;

use chrono::TimeDelta;
use ledger_api::people::{PersonId, Recipient};
use ledger_core::clock::{Clock as _, ManualClock, System};
use reqwest::Method;
use serde_json::{Value, json};

use super::visitor::{PASSWORD, Visitor, code, sent, token, who};
use crate::support::{
    bahi::{Reply, Set, TestBahi, fresh_key, send},
    database::Database,
    sandbox::Sandbox,
};

async fn with_clock() -> (TestBahi, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(System.now()));
    let set = Set { clock: clock.clone(), ..Set::default() };
    (TestBahi::on(&Database::create().await, set).await, clock)
}

async fn ask(visitor: &mut Visitor, kind: &str) -> Reply {
    visitor.post("/v1/verifications", &json!({"kind": kind})).await
}

async fn say(visitor: &mut Visitor, kind: &str, code: &str) -> Reply {
    visitor.post("/v1/verifications/confirm", &json!({"kind": kind, "code": code})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_proves_everything_has_the_full_limits() {
    let bahi = TestBahi::spawn().await;
    let mut asha = Visitor::of(&bahi);
    let mut body = who("asha");
    body["phone"] = json!("98123 45678");
    let made = asha.post("/v1/signup", &body).await.made();
    let id: PersonId = made["person"]["id"].as_str().unwrap().parse().unwrap();
    let number: Recipient = "+919812345678".parse().unwrap();
    assert!(bahi.keeper.people.find(&number).await.unwrap().is_none(), "found without proof");

    // Both codes are sent by themselves.
    let text = sent(&bahi, "asha@example.com", "your code is").await;
    let link = token(&text);
    // The link is followed by a form, by whoever has the mailbox; loading the page does nothing.
    let mut elsewhere = Visitor::of(&bahi);
    assert_eq!(elsewhere.get(&format!("/verify?token={link}")).await.status, 200);
    assert_eq!(elsewhere.form("/verify/link", &[("token", &link)]).await.status, 303);
    assert_eq!(elsewhere.form("/verify/link", &[("token", &link)]).await.status, 422);
    assert_eq!(say(&mut asha, "email", &code(&text)).await.refused(), "code_refused");

    let text = sent(&bahi, "+919812345678", "Bahi code").await;
    let person = say(&mut asha, "phone", &code(&text)).await.made();
    assert!(!person["email_verified_at"].is_null() && !person["phone_verified_at"].is_null());
    assert_eq!(person["tier"], "small");
    let person = asha.post("/v1/me/papers", &json!({})).await.made();
    assert_eq!(person["tier"], "full");
    assert_eq!(bahi.keeper.people.find(&number).await.unwrap().unwrap().id, id);

    // Papers that were seen do not speak for another name; the same one is no change.
    let same = json!({"name": person["name"]});
    let person = asha.patch("/v1/me", &same).await.made();
    assert_eq!(person["tier"], "full");
    let person = asha.patch("/v1/me", &json!({"name": "Somebody Else"})).await.made();
    assert!(person["papers_seen_at"].is_null(), "{person}");
    assert_eq!(person["tier"], "small");
    let person = asha.post("/v1/me/papers", &json!({})).await.made();
    assert_eq!(person["tier"], "full");

    // Another number is not proved, and the limits are small again.
    let changed = asha.post("/v1/me/phone", &json!({"phone": "9812345679"})).await.made();
    assert!(changed["phone_verified_at"].is_null());
    assert_eq!(changed["tier"], "small");
    assert!(bahi.keeper.people.find(&number).await.unwrap().is_none());
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_good_once_for_ten_minutes_and_five_tries() {
    let (bahi, clock) = with_clock().await;
    let mut asha = Visitor::of(&bahi);
    asha.sign_up("asha").await;
    let first = code(&sent(&bahi, "asha@example.com", "your code is").await);
    clock.advance(TimeDelta::minutes(10));
    assert_eq!(say(&mut asha, "email", &first).await.refused(), "code_refused");

    clock.advance(TimeDelta::hours(1));
    asha.log_in("asha", PASSWORD).await.made();
    let known = bahi.outbox.all().len();
    ask(&mut asha, "email").await.made();
    let mut second = first.clone();
    while bahi.outbox.all().len() == known {
        tokio::task::yield_now().await;
    }
    second.clone_from(&code(&bahi.outbox.all()[0].text));
    let wrong = if second == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        assert_eq!(say(&mut asha, "email", wrong).await.refused(), "code_refused");
    }
    assert_eq!(say(&mut asha, "email", &second).await.refused(), "code_refused");
    assert!(asha.get("/v1/me").await.made()["email_verified_at"].is_null());

    // Tries of a hundred at once are no more than tries.
    ask(&mut asha, "email").await.made();
    let tries = (0..30).map(|number| {
        let mut asha = asha.clone();
        tokio::spawn(async move { say(&mut asha, "email", &format!("{number:06}")).await.status })
    });
    let mut throttled = 0;
    for status in tries.collect::<Vec<_>>() {
        throttled += u32::from(status.await.unwrap() == 429);
    }
    assert!(throttled >= 20, "{throttled}");
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_is_whose_proof_is_the_last() {
    let bahi = TestBahi::spawn().await;
    let number: Recipient = "+919812345678".parse().unwrap();
    for handle in ["asha", "ravi"] {
        let mut visitor = Visitor::of(&bahi);
        let mut body = who(handle);
        body["phone"] = json!("+919812345678");
        let known = bahi.outbox.all().iter().filter(|sent| sent.by == "sms").count();
        visitor.post("/v1/signup", &body).await.made();
        while bahi.outbox.all().iter().filter(|sent| sent.by == "sms").count() == known {
            tokio::task::yield_now().await;
        }
        let all = bahi.outbox.all();
        let text = &all.iter().find(|sent| sent.by == "sms").unwrap().text;
        say(&mut visitor, "phone", &code(text)).await.made();
        let found = bahi.keeper.people.find(&number).await.unwrap().unwrap();
        assert_eq!(found.handle.as_str(), handle);
    }
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_chosen_anew_by_the_mailbox_and_ends_every_session() {
    let (bahi, clock) = with_clock().await;
    let mut asha = Visitor::of(&bahi);
    asha.sign_up("asha").await;
    let mut visitor = Visitor::of(&bahi);
    let known = visitor.post("/v1/password/forgot", &json!({"email": "asha@example.com"})).await;
    let unknown = visitor.post("/v1/password/forgot", &json!({"email": "no@example.com"})).await;
    assert_eq!((known.status, &known.text), (unknown.status, &unknown.text));
    let link = token(&sent(&bahi, "asha@example.com", "choose another password").await);
    assert!(bahi.outbox.all().iter().all(|sent| sent.to != "no@example.com"));

    let weak = json!({"token": link, "password": "password1"});
    assert_eq!(visitor.post("/v1/password/reset", &weak).await.refused(), "password_weak");
    let strong = json!({"token": link, "password": "another long sentence"});
    let entered = visitor.post("/v1/password/reset", &strong).await.made();
    assert!(!entered["person"]["email_verified_at"].is_null(), "the mailbox is proved");
    assert_eq!(asha.get("/v1/me").await.status, 401);
    assert_eq!(visitor.post("/v1/password/reset", &strong).await.refused(), "code_refused");
    assert_eq!(asha.log_in("asha", PASSWORD).await.status, 401);
    asha.log_in("asha", "another long sentence").await.made();

    let ask = json!({"email": "asha@example.com"});
    let known = bahi.outbox.all().len();
    visitor.post("/v1/password/forgot", &ask).await.made();
    while bahi.outbox.all().len() == known {
        tokio::task::yield_now().await;
    }
    let late = token(&bahi.outbox.all()[0].text);
    clock.advance(TimeDelta::minutes(10));
    let strong = json!({"token": late, "password": "another long sentence"});
    assert_eq!(visitor.post("/v1/password/reset", &strong).await.refused(), "code_refused");
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_145_what_could_take_an_account_away_takes_a_fresh_proof() {
    let (bahi, clock) = with_clock().await;
    let mut asha = Visitor::of(&bahi);
    asha.sign_up("asha").await;
    clock.advance(TimeDelta::minutes(10));
    let acts: [(&str, Value); 4] = [
        ("/v1/password", json!({"password": "another long sentence"})),
        ("/v1/me/email", json!({"email": "other@example.com"})),
        ("/v1/me/phone", json!({"phone": "9812345678"})),
        ("/v1/me/close", json!({})),
    ];
    for (path, body) in &acts {
        let refused = asha.post(path, body).await;
        assert_eq!((refused.status.as_u16(), &*refused.code()), (403, "step_up_needed"), "{path}");
    }
    let path = "/v1/sessions/current/reauthenticate";
    asha.post(path, &json!({"password": PASSWORD})).await.made();
    for (path, body) in &acts {
        asha.post(path, body).await.made();
    }
    bahi.finish().await;
}

async fn post_money(visitor: &Visitor, path: &str, body: &Value) -> Reply {
    let request = visitor.request(Method::POST, path).header("idempotency-key", fresh_key());
    send(request.json(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn case_145_a_new_bank_account_takes_the_password_and_an_hour() {
    let clock = Arc::new(ManualClock::at("2026-11-20T06:30:00Z".parse().unwrap()));
    let sandbox = Sandbox::start().await;
    let set = Set {
        clock: clock.clone(),
        banks: sandbox.registry(),
        payee_cooling: TimeDelta::hours(1),
        small_sends: true,
        ..Set::default()
    };
    let bahi = TestBahi::on(&Database::create().await, set).await;
    let mut asha = Visitor::of(&bahi);
    let wallet = asha.sign_up("asha").await["person"]["wallet"].as_str().unwrap().to_owned();
    let admin = bahi.admin().await;
    admin.open("till:main:INR").await.made();
    admin.transfer("till:main:INR", &wallet, "500.00").await.made();

    let payee = json!({"account_number": "001234567890", "ifsc": "TEST0000001",
        "name": "Asha Rao"});
    let made = post_money(&asha, "/v1/bank-accounts", &payee).await.made();
    let id = made["id"].as_str().unwrap();
    let verify = format!("/v1/bank-accounts/{id}/verify");
    assert_eq!(post_money(&asha, &verify, &json!({})).await.made()["status"], "verified");
    let withdrawal = json!({"amount": {"value": "100.00", "currency": "INR"}, "bank_account": id});
    let withdraw = async |asha: &Visitor| post_money(asha, "/v1/withdrawals", &withdrawal).await;

    assert_eq!(withdraw(&asha).await.refused(), "payee_too_new");
    for _ in 0..6 {
        clock.advance(TimeDelta::minutes(10));
        asha.get("/v1/me").await.made();
    }
    assert_eq!(withdraw(&asha).await.code(), "step_up_needed");
    let path = "/v1/sessions/current/reauthenticate";
    asha.post(path, &json!({"password": PASSWORD})).await.made();
    let made = withdraw(&asha).await.made();
    let position = bahi.engine.status().borrow().head.position;
    let id = made["id"].as_str().unwrap();
    asha.get(&format!("/v1/withdrawals/{id}?min_position={position}")).await.made();
    // It is no new one any more.
    clock.advance(TimeDelta::minutes(11));
    asha.get("/v1/me").await.made();
    withdraw(&asha).await.made();
    bahi.finish().await;
    sandbox.stop().await;
}
