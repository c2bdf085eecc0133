//! Who gets to which desk.

use chrono::TimeDelta;
use ledger_api::staff::{StaffRole, StaffStore};
use ledger_core::clock::Clock as _;
use reqwest::Method;
use serde_json::json;

use super::{BY, appoint, auditor, log_in, logged};
use crate::user_api::person::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_opens_to_who_was_appointed_and_the_others_learn_nothing() {
    let scene = Scene::start().await;
    let usha = scene.person("usha", "1.00").await;
    let mut nobody = crate::support::browser::Browser::new(&scene.bahi.address);
    let wrong = [("login", "usha"), ("password", "not this one"), ("return_to", "")];
    let refused = nobody.post("/audit/login", &wrong).await;
    let early = [("login", "usha"), ("password", super::PASSWORD), ("return_to", "")];
    let early = nobody.post("/audit/login", &early).await;
    assert_eq!((refused.status.as_u16(), early.status.as_u16()), (401, 401));
    let words = "There is no account with this e-mail address or handle and this password.";
    assert!(refused.text.contains(words) && early.text.contains(words));
    // Case 177: who was turned away with a right password is written down.
    let lines = logged(&scene).await;
    let line = lines.iter().find(|line| line.1 == "desk_refused").expect("a line");
    assert_eq!((line.0.as_str(), line.2.as_str()), (usha.id.as_str(), "/audit"));

    appoint(&scene, &usha.id, StaffRole::Auditor).await;
    let (mut browser, led) = log_in(&scene, "/audit", "usha").await;
    assert_eq!(led.as_deref(), Some("/audit"));
    assert_eq!(browser.get("/audit").await.status, 200);
    // The other desk does not open, by its own login or with this session.
    assert_eq!(log_in(&scene, "/ops", "usha").await.1, None);
    for page in ["/ops/confirm", "/app", "/merchant/team"] {
        let page = browser.get(page).await;
        assert_ne!(page.status, 200, "{}", page.text);
    }
    let token = browser.cookies["__Host-bahi_audit"].clone();
    for other in ["__Host-bahi_session", "__Host-bahi_merchant", "__Host-bahi_ops"] {
        browser.cookies = [(other.to_owned(), token.clone())].into();
        for page in ["/app", "/ops/confirm", "/audit"] {
            assert_ne!(browser.get(page).await.status, 200, "{other} {page}");
        }
    }
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_144_and_177_a_role_that_ends_is_gone_with_the_next_request_and_written_down() {
    let scene = Scene::start().await;
    let mut browser = auditor(&scene).await;
    assert_eq!(browser.get("/audit/access").await.status, 200);
    let staff = StaffStore::new(scene.bahi.database.pool().await);
    let usha = staff.list().await.unwrap().pop().unwrap().person;
    let ended = staff.end(usha, None, BY, scene.clock.now()).await.unwrap();
    assert_eq!(ended, [StaffRole::Auditor]);
    let next = browser.get("/audit/access").await;
    assert_eq!(next.location(), "/audit/login?return_to=%2Faudit%2Faccess");
    let whats: Vec<String> = logged(&scene).await.into_iter().map(|line| line.1).collect();
    assert_eq!(whats, ["staff_appointed", "staff_ended"]);
    assert!(staff.end(usha, None, BY, scene.clock.now()).await.unwrap().is_empty());
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_appointment_and_a_session_of_staff_end_by_themselves() {
    let scene = Scene::start().await;
    let mut browser = auditor(&scene).await;
    // Used all the time, it lasts eight hours and not twelve.
    for _ in 0..48 {
        scene.clock.advance(TimeDelta::minutes(10));
        if browser.get("/audit/access").await.status != 200 {
            break;
        }
    }
    assert!(scene.clock.now() - start() >= TimeDelta::hours(8), "{}", scene.clock.now());
    assert_eq!(browser.get("/audit/access").await.location(), login());
    let (mut again, led) = log_in(&scene, "/audit", "usha").await;
    assert_eq!(led.as_deref(), Some("/audit"));
    scene.clock.advance(TimeDelta::minutes(5));
    assert_eq!(again.get("/audit/access").await.status, 200);
    scene.clock.advance(TimeDelta::hours(24));
    assert_eq!(log_in(&scene, "/audit", "usha").await.1, None, "the appointment is over");
    scene.finish().await;
}

fn start() -> chrono::DateTime<chrono::Utc> {
    "2026-11-22T06:30:00Z".parse().unwrap()
}

fn login() -> &'static str {
    "/audit/login?return_to=%2Faudit%2Faccess"
}

#[tokio::test(flavor = "multi_thread")]
async fn case_143_an_auditors_session_does_nothing_through_the_api() {
    let scene = Scene::start().await;
    let mut browser = auditor(&scene).await;
    let before = scene.bahi.engine.status().borrow().head.position;
    let document = scene.admin.get("/openapi.json").await.made();
    let mut asked = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let open = ["/v1/login", "/v1/signup", "/v1/password", "/v1/oauth"];
        if !path.starts_with("/v1/") || open.iter().any(|open| path.starts_with(open)) {
            continue;
        }
        for method in item.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            if method.is_safe() {
                continue;
            }
            let request = browser.request(method.clone(), path).json(&json!({}));
            let page = browser.send(request.header("origin", &scene.bahi.address)).await;
            assert_eq!(page.status, 401, "{method} {path}: {}", page.text);
            asked += 1;
        }
    }
    assert!(asked > 40, "{asked}");
    let pages = [
        ("/app/move/send", [("to", "@asha"), ("amount", "1")]),
        ("/merchant/withdraw", [("bank_account", "x"), ("amount", "1")]),
        ("/ops/confirm", [("password", super::PASSWORD), ("return_to", "")]),
    ];
    for (path, fields) in pages {
        let page = browser.post(path, &fields).await;
        assert!(!page.status.is_success(), "{path} {}", page.status);
    }
    assert_eq!(scene.bahi.engine.status().borrow().head.position, before);
    scene.finish().await;
}
