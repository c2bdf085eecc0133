//! Signing up, and the wallet that comes with it.

use ledger_api::people::{NewPerson, PersonId};
use ledger_core::clock::{Clock as _, Ids as _, System};
use serde_json::json;

use super::visitor::{PASSWORD, Visitor, who};
use crate::support::bahi::TestBahi;

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_up_has_a_wallet_and_is_signed_in() {
    let bahi = TestBahi::spawn().await;
    let mut asha = Visitor::of(&bahi);
    let made = asha.sign_up("asha").await;
    let (person, wallet) = (&made["person"], made["person"]["wallet"].as_str().unwrap());
    assert_eq!(person["tier"], "small");
    assert!(person["email_verified_at"].is_null());
    let id = person["id"].as_str().unwrap();
    assert_eq!(wallet, format!("wallet:{}:INR", id.strip_prefix("usr_").unwrap()));

    let admin = bahi.admin().await;
    let position = bahi.engine.status().borrow().head.position;
    let path = format!("/v1/accounts/{wallet}?min_position={position}");
    let account = admin.get(&path).await.made();
    assert_eq!((account["owner"].as_str(), account["status"].as_str()), (Some(id), Some("open")));
    assert_eq!(asha.get("/v1/me").await.made()["handle"], "asha");
    assert_eq!(Visitor::of(&bahi).get("/v1/me").await.status, 401);
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_who_want_one_handle_one_gets_it() {
    let bahi = TestBahi::spawn().await;
    let tries = (0..20).map(|number| {
        let mut visitor = Visitor::of(&bahi);
        let mut body = who("asha");
        body["email"] = json!(format!("asha{number}@example.com"));
        tokio::spawn(async move { visitor.post("/v1/signup", &body).await })
    });
    let mut codes = Vec::new();
    for reply in tries.collect::<Vec<_>>() {
        let reply = reply.await.unwrap();
        codes.push(if reply.status == 201 { "in".to_owned() } else { reply.refused() });
    }
    codes.sort();
    let mut expected = vec!["handle_taken".to_owned(); 19];
    expected.push("in".to_owned());
    assert_eq!(codes, expected);
    let mut other = Visitor::of(&bahi);
    let mut body = who("asha_2");
    body["email"] = json!("ASHA7@example.com");
    let winner = other.post("/v1/signup", &body).await;
    assert!(winner.status == 201 || winner.refused() == "email_taken");
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_141_what_nobody_may_say_of_themselves_is_refused() {
    let bahi = TestBahi::spawn().await;
    let mut asha = Visitor::of(&bahi);
    for field in ["role", "balance", "id", "owner_id", "status", "tier", "kyc_at", "wallet"] {
        let mut body = who("asha");
        body[field] = json!("admin");
        let reply = asha.post("/v1/signup", &body).await;
        assert_eq!((reply.refused().as_str(), asha.cookie.is_some()), ("invalid", false));
        assert_eq!(reply.json()["errors"][0]["pointer"], format!("/{field}"));
    }
    asha.sign_up("asha").await;
    for field in ["email", "phone", "tier", "id", "email_verified_at"] {
        let reply = asha.patch("/v1/me", &json!({field: "x"})).await;
        assert_eq!(reply.refused(), "invalid", "{field}");
    }
    let form = [
        ("name", "A"),
        ("handle", "ravi"),
        ("email", "r@example.com"),
        ("tier", "full"),
        ("password", PASSWORD),
    ];
    let reply = Visitor::of(&bahi).form("/signup", &form).await;
    assert_eq!(reply.status, 422);
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_wrong_with_a_sign_up_is_said_at_once() {
    let bahi = TestBahi::spawn().await;
    let body = json!({"name": "", "handle": "a", "email": "nobody", "phone": "12",
        "password": "12345678"});
    let reply = Visitor::of(&bahi).post("/v1/signup", &body).await;
    assert_eq!(reply.status, 422);
    let json = reply.json();
    let pointers: Vec<&str> =
        json["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/name", "/handle", "/email", "/phone", "/password"]);
    bahi.finish().await;
}

/// A person whose process ended before their wallet was opened.
async fn without_wallet(bahi: &TestBahi, handle: &str) -> PersonId {
    let id = PersonId::from_uuid(System.fresh());
    let passwords = ledger_api::people::Passwords::default();
    let password = Some(passwords.hash(PASSWORD.parse().unwrap()).await.unwrap());
    let new = NewPerson {
        id,
        handle: handle.parse().unwrap(),
        name: "Asha Rao".parse().unwrap(),
        email: format!("{handle}@example.com").parse().unwrap(),
        phone: None,
        password,
        email_is_proved: false,
        at: System.now(),
    };
    bahi.keeper.people.create(&new).await.unwrap();
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_person_and_wallet_is_finished_by_the_sweep_or_the_next_login() {
    let bahi = TestBahi::spawn().await;
    let swept = without_wallet(&bahi, "asha").await;
    bahi.keeper.round().await.unwrap();
    let person = bahi.keeper.people.by_id(swept).await.unwrap().unwrap();
    assert!(person.wallet_opened_at.is_some());
    assert_eq!(person.wallet_tier.unwrap().as_str(), "small");

    let returning = without_wallet(&bahi, "ravi").await;
    let mut ravi = Visitor::of(&bahi);
    assert_eq!(ravi.log_in("ravi", PASSWORD).await.made()["person"]["tier"], "small");
    let admin = bahi.admin().await;
    let position = bahi.engine.status().borrow().head.position;
    for id in [swept, returning] {
        let wallet = id.wallet().unwrap();
        admin.get(&format!("/v1/accounts/{wallet}?min_position={position}")).await.made();
    }
    // Once more changes nothing.
    bahi.keeper.round().await.unwrap();
    assert_eq!(bahi.engine.status().borrow().head.position, position);
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_personal_stands_nowhere_as_it_is() {
    let bahi = TestBahi::spawn().await;
    let mut asha = Visitor::of(&bahi);
    let mut body = who("canary");
    body["name"] = json!("Canaria Birdsong");
    body["phone"] = json!("+919812345678");
    let made = asha.post("/v1/signup", &body).await.made();
    let id: PersonId = made["person"]["id"].as_str().unwrap().parse().unwrap();
    let pool = bahi.database.pool().await;
    let tables: Vec<String> = sqlx::query_scalar(
        "select format('select string_agg(t::text, '' '') from %I t', tablename)
         from pg_tables where schemaname = 'public' and tablename in ('people', 'person_details',
             'credentials', 'sessions', 'person_codes', 'throttles', 'events', 'idempotency')",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(tables.len(), 8);
    for sql in tables {
        let text: Option<String> = sqlx::query_scalar(&sql).fetch_one(&pool).await.unwrap();
        let text = text.unwrap_or_default();
        for secret in ["Birdsong", "canary@example.com", "9812345678", PASSWORD] {
            let hex = hex::encode(secret);
            assert!(!text.contains(secret) && !text.contains(&hex), "{secret} by {sql}");
        }
    }
    let faces = bahi.keeper.people.faces(&[id]).await.unwrap();
    assert_eq!(faces[&id].name.expose(), "Canaria Birdsong");
    bahi.finish().await;
}
