//! Logging in, and what a session is worth.

use std::{sync::Arc, time::Instant};

use chrono::TimeDelta;
use ledger_core::clock::{Clock as _, ManualClock, System};
use reqwest::Method;
use serde_json::{Value, json};

use super::visitor::{PASSWORD, Visitor, cookie};
use crate::support::{
    bahi::{Reply, Set, TestBahi, send},
    database::Database,
};

/// An answer without what is of a single request.
fn said(reply: &Reply) -> (u16, Value) {
    let mut body = reply.json();
    body.as_object_mut().unwrap().remove("request_id");
    (reply.status.as_u16(), body)
}

#[tokio::test(flavor = "multi_thread")]
async fn case_123_a_wrong_password_and_an_unknown_name_are_one_answer() {
    let bahi = TestBahi::spawn().await;
    Visitor::of(&bahi).sign_up("asha").await;
    let mut visitor = Visitor::of(&bahi);
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for round in 0..4 {
        let began = Instant::now();
        let wrong = visitor.log_in("asha@example.com", "not the password").await;
        known.push(began.elapsed());
        let began = Instant::now();
        let nobody = visitor.log_in(&format!("n{round}@example.com"), "not the password").await;
        unknown.push(began.elapsed());
        assert_eq!(said(&wrong), said(&nobody));
        assert_eq!(said(&wrong).0, 401);
        assert!(cookie(&wrong).is_none() && cookie(&nobody).is_none());
    }
    // Both hash a password; without that, one would take a small part of the other's time.
    let (known, unknown) = (known.into_iter().min().unwrap(), unknown.into_iter().min().unwrap());
    assert!(unknown * 3 > known && known * 3 > unknown, "{known:?} {unknown:?}");
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_124_guessing_is_slowed_and_its_victim_gets_in() {
    let clock = Arc::new(ManualClock::at(System.now()));
    let set = Set { clock: clock.clone(), ..Set::default() };
    let bahi = TestBahi::on(&Database::create().await, set.clone()).await;
    let other = TestBahi::on(&bahi.database, set).await;
    Visitor::of(&bahi).sign_up("asha").await;
    let mut attacker = Visitor::from(&bahi, "127.0.0.2");
    for _ in 0..5 {
        assert_eq!(attacker.log_in("asha", "guess").await.status, 401);
    }
    // However the account is named, and whichever process is asked.
    for mut attacker in [attacker.clone(), attacker.at(&other)] {
        let refused = attacker.log_in("ASHA@example.com", PASSWORD).await;
        assert_eq!((refused.status.as_u16(), &*refused.code()), (429, "too_many_tries"));
        let seconds: i64 = refused.header("retry-after").parse().unwrap();
        assert!((1..=13).contains(&seconds), "{seconds}");
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(&format!("{seconds} second")), "{detail}");
    }
    Visitor::of(&bahi).log_in("asha", PASSWORD).await.made();
    // What a client says of where it calls from counts for nothing (case 147).
    let spoofed = attacker
        .request(Method::POST, "/v1/login")
        .header("x-forwarded-for", "9.9.9.9")
        .json(&json!({"login": "asha", "password": "guess"}));
    assert_eq!(send(spoofed).await.status, 429);
    clock.advance(TimeDelta::seconds(13));
    attacker.log_in("asha", PASSWORD).await.made();
    bahi.finish().await;
    other.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_125_many_logins_at_once_and_long_passwords_are_borne() {
    let bahi = TestBahi::spawn().await;
    Visitor::of(&bahi).sign_up("asha").await;
    let long = "x".repeat(1024 * 1024);
    assert_eq!(Visitor::of(&bahi).log_in("asha", &long).await.status, 413);
    let long = "x".repeat(1025);
    assert_eq!(Visitor::of(&bahi).log_in("asha", &long).await.status, 401);
    let tries = (0..64).map(|number| {
        // Each from an address of its own, so that no throttle answers instead.
        let mut visitor = Visitor::from(&bahi, &format!("127.0.1.{}", number + 1));
        tokio::spawn(
            async move { visitor.log_in(&format!("nobody{number}"), "guess").await.status },
        )
    });
    for status in tries.collect::<Vec<_>>() {
        assert_eq!(status.await.unwrap(), 401);
    }
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_126_nobody_keeps_a_cookie_through_a_login_or_a_proof() {
    let bahi = TestBahi::spawn().await;
    let mut asha = Visitor::of(&bahi);
    asha.sign_up("asha").await;
    let first = asha.clone();
    asha.log_in("asha", PASSWORD).await.made();
    assert_ne!(first.cookie, asha.cookie);
    assert_ne!(first.csrf, asha.csrf);
    assert_eq!(first.get("/v1/me").await.status, 401, "the session before the login");

    let second = asha.clone();
    let path = "/v1/sessions/current/reauthenticate";
    assert_eq!(asha.post(path, &json!({"password": "guess"})).await.status, 401);
    asha.post(path, &json!({"password": PASSWORD})).await.made();
    assert_ne!(second.cookie, asha.cookie);
    assert_eq!(second.get("/v1/me").await.status, 401, "the token before the proof");
    asha.get("/v1/me").await.made();
    // One that somebody else put into the browser becomes nobody's.
    let mut planted = Visitor::of(&bahi);
    planted.cookie = Some(format!("__Host-bahi_session={}", "A".repeat(43)));
    planted.log_in("asha", PASSWORD).await.made();
    assert!(!planted.cookie.unwrap().contains(&"A".repeat(43)));
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_127_an_ended_session_is_dead_at_once_in_every_process() {
    let bahi = TestBahi::spawn().await;
    let other = TestBahi::on(&bahi.database, Set::default()).await;
    let mut asha = Visitor::of(&bahi);
    asha.sign_up("asha").await;
    let elsewhere = asha.at(&other);
    elsewhere.get("/v1/me").await.made();
    let out = asha.post("/v1/logout", &json!({})).await;
    assert!(out.header("set-cookie").contains("Max-Age=0"), "{out:?}");
    assert_eq!(elsewhere.get("/v1/me").await.code(), "signed_out");

    let mut one = Visitor::of(&bahi);
    let mut two = Visitor::of(&other);
    one.log_in("asha", PASSWORD).await.made();
    two.log_in("asha", PASSWORD).await.made();
    one.post("/v1/password", &json!({"password": "another long sentence"})).await.made();
    assert_eq!(two.get("/v1/me").await.status, 401, "a password was changed");
    one.get("/v1/me").await.made();
    assert_eq!(two.log_in("asha", PASSWORD).await.status, 401);
    two.log_in("asha", "another long sentence").await.made();

    let list = two.get("/v1/sessions").await.made();
    let all = list["data"].as_array().unwrap();
    assert_eq!(all.len(), 2);
    let first = all.iter().find(|session| session["current"] == false).unwrap();
    assert!(first["csrf_token"].is_null(), "the token of another session is told");
    let path = format!("/v1/sessions/{}", first["id"].as_str().unwrap());
    two.delete(&path).await.made();
    assert_eq!(one.get("/v1/me").await.status, 401, "a session was ended from another");
    assert_eq!(two.delete(&path).await.status, 404);
    bahi.finish().await;
    other.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_144_who_is_shut_out_is_out_with_the_next_request() {
    let bahi = TestBahi::spawn().await;
    let mut asha = Visitor::of(&bahi);
    let made = asha.sign_up("asha").await;
    let id: uuid::Uuid = made["person"]["id"].as_str().unwrap()[4..].parse().unwrap();
    let pool = bahi.database.pool().await;
    // The row alone, as somebody else's process would: the session is still there.
    sqlx::query("update people set status = 'restricted', closed_at = now() where id = $1")
        .bind(id)
        .execute(&pool)
        .await
        .unwrap();
    assert_eq!(asha.get("/v1/me").await.code(), "signed_out");
    let pages = asha.get("/app/security").await;
    assert_eq!(
        (pages.status.as_u16(), pages.header("location")),
        (303, "/login?return_to=%2Fapp%2Fsecurity")
    );
    assert_eq!(Visitor::of(&bahi).log_in("asha", PASSWORD).await.code(), "login_refused");
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_unused_and_in_the_end_anyhow() {
    let clock = Arc::new(ManualClock::at(System.now()));
    let set = Set { clock: clock.clone(), ..Set::default() };
    let bahi = TestBahi::on(&Database::create().await, set).await;
    let mut asha = Visitor::of(&bahi);
    asha.sign_up("asha").await;
    clock.advance(TimeDelta::minutes(14));
    asha.get("/v1/me").await.made();
    clock.advance(TimeDelta::minutes(14));
    asha.get("/v1/me").await.made();
    clock.advance(TimeDelta::minutes(15));
    assert_eq!(asha.get("/v1/me").await.code(), "signed_out");

    asha.log_in("asha", PASSWORD).await.made();
    for _ in 0..71 {
        clock.advance(TimeDelta::minutes(10));
        asha.get("/v1/me").await.made();
    }
    clock.advance(TimeDelta::minutes(10));
    assert_eq!(asha.get("/v1/me").await.code(), "signed_out");
    bahi.keeper.round().await.unwrap();
    let left: i64 = sqlx::query_scalar("select count(*) from sessions")
        .fetch_one(&bahi.database.pool().await)
        .await
        .unwrap();
    assert_eq!(left, 0);
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_148_a_token_in_an_address_is_no_session_and_answers_repeat_no_secret() {
    let bahi = TestBahi::spawn().await;
    let mut asha = Visitor::of(&bahi);
    let made = asha.sign_up("asha").await;
    let token = asha.cookie.clone().unwrap().split_once('=').unwrap().1.to_owned();
    let stranger = Visitor::of(&bahi);
    for path in [format!("/v1/me?token={token}"), format!("/v1/me?session={token}")] {
        let reply = stranger.get(&path).await;
        assert_eq!(reply.status, 401, "{path}");
        assert!(!reply.text.contains(&token));
    }
    assert!(!made.to_string().contains(&token) && !made.to_string().contains(PASSWORD));
    let page = asha.get("/app/security").await;
    assert!(!page.text.contains(&token));
    assert_eq!(page.header("referrer-policy"), "same-origin");
    assert_eq!(page.header("cache-control"), "no-store");
    let wrong = Visitor::of(&bahi).log_in("asha", "hunter2-hunter2").await;
    assert!(!wrong.text.contains("hunter2"));
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_128_the_cookie_is_kept_to_this_host_and_from_scripts() {
    let bahi = TestBahi::spawn().await;
    let mut asha = Visitor::of(&bahi);
    let reply = asha.post("/v1/signup", &super::visitor::who("asha")).await;
    let set = reply.header("set-cookie");
    assert!(set.starts_with("__Host-bahi_session="), "{set}");
    for part in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(set.split("; ").any(|found| found == part), "{part}: {set}");
    }
    assert!(!set.contains("Domain"), "{set}");
    bahi.finish().await;
}
