//! Accounts that are there already: who may link a login with them, and who may not.

use reqwest::{Method, StatusCode};
use sandbox_idp::{Fault, Provider};

use super::scene::{PASSWORD, Scene};

#[tokio::test(flavor = "multi_thread")]
async fn case_135_an_account_with_the_same_address_asks_for_its_password_first() {
    let scene = Scene::start().await;
    drop(scene.with_password("asha", "asha@mail.example", true).await);
    let mut browser = scene.browser();
    assert_eq!(scene.log_in(&mut browser, "google", "asha").await.location(), "/login/confirm");
    assert!(!browser.is_signed_in());
    assert_eq!(scene.counted().await, (1, 0, 1));

    // Neither the page of new people nor another browser gets on with it.
    assert_eq!(browser.get("/login/finish").await.status, StatusCode::GONE);
    let page = scene.browser().post("/login/confirm", &[("password", PASSWORD)]).await;
    assert_eq!(page.status, StatusCode::GONE);
    let wrong = browser.post("/login/confirm", &[("password", "not the password")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", wrong.text);
    assert_eq!(scene.counted().await, (1, 0, 1));
    let request = browser
        .request(Method::POST, "/login/confirm")
        .header("origin", "https://evil.example")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("password={PASSWORD}"));
    assert_eq!(browser.send(request).await.status, StatusCode::FORBIDDEN);

    let right = browser.post("/login/confirm", &[("password", PASSWORD)]).await;
    assert_eq!(right.location(), "/app");
    assert!(browser.is_signed_in());
    assert_eq!(scene.counted().await, (1, 1, 2));
    let mut later = scene.browser();
    assert_eq!(scene.log_in(&mut later, "google", "asha").await.location(), "/app");
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_135_wrong_passwords_are_throttled_there_too() {
    let scene = Scene::start().await;
    drop(scene.with_password("asha", "asha@mail.example", true).await);
    let mut browser = scene.browser();
    scene.log_in(&mut browser, "google", "asha").await.location();
    let mut seen = Vec::new();
    for _ in 0..7 {
        let page = browser.post("/login/confirm", &[("password", "not the password")]).await;
        seen.push(page.status.as_u16());
    }
    assert_eq!(seen[0], 422, "{seen:?}");
    assert_eq!(seen[6], 429, "{seen:?}");
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_137_who_made_an_account_with_anothers_address_loses_every_way_in() {
    let scene = Scene::start().await;
    // The attacker signs up with the victim's address, and links a login of their own.
    let mut attacker = scene.with_password("meera", "meera@mail.example", false).await;
    scene.link(&mut attacker, "github", "kabir").await;
    assert_eq!(scene.counted().await, (1, 1, 1));

    // The victim comes by Google.
    let mut victim = scene.browser();
    assert_eq!(scene.log_in(&mut victim, "google", "meera").await.location(), "/app");
    assert!(victim.is_signed_in());

    // Session, password, linked login: none of the attacker's is left.
    assert_eq!(attacker.get("/v1/me/logins").await.status, StatusCode::UNAUTHORIZED);
    let login = serde_json::json!({"login": "meera", "password": PASSWORD});
    let request = attacker.request(Method::POST, "/v1/login").json(&login);
    let request = request.header("origin", &scene.bahi.address);
    assert_eq!(attacker.send(request).await.status, StatusCode::UNAUTHORIZED);
    let mut again = scene.browser();
    assert_eq!(scene.log_in(&mut again, "github", "kabir").await.location(), "/login/finish");
    let logins = scene.read(&mut victim, "/v1/me/logins").await;
    let linked: Vec<bool> =
        logins["data"].as_array().unwrap().iter().map(|l| l["linked"] == true).collect();
    assert_eq!(linked, [false, true], "{logins}");
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_address_that_the_provider_vouches_for_nobody_is_made_or_linked() {
    let scene = Scene::start().await;
    drop(scene.with_password("asha", "asha@mail.example", true).await);
    let said = "share an email, so we can&#39;t link you. Use email instead.";
    for (provider, name) in [(Provider::Google, "google"), (Provider::Github, "github")] {
        for fault in [Fault::NoEmail, Fault::UnverifiedEmail] {
            scene.idp.fault(provider, fault).await;
            let mut browser = scene.browser();
            let page = scene.log_in(&mut browser, name, "asha").await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{name} {fault:?}: {}", page.text);
            assert!(page.text.contains(said), "{name} {fault:?}: {}", page.text);
            assert!(!browser.is_signed_in());
        }
        scene.idp.fault(provider, Fault::None).await;
    }
    assert_eq!(scene.counted().await, (1, 0, 1));
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_linked_and_unlinked_by_who_just_gave_their_password() {
    let scene = Scene::start().await;
    let mut asha = scene.with_password("asha", "asha@elsewhere.example", true).await;
    scene.link(&mut asha, "github", "asha").await;
    let mut later = scene.browser();
    assert_eq!(scene.log_in(&mut later, "github", "asha").await.location(), "/app");

    // It is nobody else's then.
    let mut ravi = scene.with_password("ravi", "ravi@elsewhere.example", true).await;
    let away = ravi.get("/app/security/logins/github").await.location();
    let back = scene.idp.consent(&mut ravi, &away, "asha").await;
    let page = ravi.get(&back).await;
    assert_eq!(page.status, StatusCode::CONFLICT, "{}", page.text);

    // A foreign page can't begin it, nor can somebody who is signed out finish it.
    let request = ravi.request(Method::GET, "/app/security/logins/github");
    let request = request.header("sec-fetch-site", "cross-site");
    assert_eq!(ravi.send(request).await.location(), "/app/security");
    let away = ravi.get("/app/security/logins/google").await.location();
    let back = scene.idp.consent(&mut ravi, &away, "ravi").await;
    let mut out = ravi.clone();
    out.cookies.remove("__Host-bahi_session");
    assert_eq!(out.get(&back).await.status, StatusCode::FORBIDDEN);

    // A quarter of an hour after the password, it is asked for again.
    sqlx::query("update sessions set reauthenticated_at = now() - interval '11 minutes'")
        .execute(&scene.pool)
        .await
        .unwrap();
    let page = ravi.get("/app/security/logins/google").await;
    assert!(page.location().contains("return_to="), "{}", page.location());
    assert_eq!(scene.unlink(&mut asha, "github").await.status, StatusCode::FORBIDDEN);
    sqlx::query("update sessions set reauthenticated_at = now()")
        .execute(&scene.pool)
        .await
        .unwrap();
    assert_eq!(scene.unlink(&mut asha, "github").await.status, StatusCode::OK);
    assert_eq!(scene.unlink(&mut asha, "github").await.status, StatusCode::NOT_FOUND);
    let mut stranger = scene.browser();
    assert_eq!(scene.log_in(&mut stranger, "github", "asha").await.location(), "/login/finish");
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_139_the_last_way_in_is_not_unlinked() {
    let scene = Scene::start().await;
    let mut asha = scene.sign_up("google", "asha", "asha").await;
    let refused = scene.unlink(&mut asha, "google").await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);
    assert!(refused.text.contains("last_login"), "{}", refused.text);

    scene.link(&mut asha, "github", "asha").await;
    // Both at once: one stays.
    let (mut one, mut other) = (asha.clone(), asha.clone());
    let (one, other) =
        tokio::join!(scene.unlink(&mut one, "google"), scene.unlink(&mut other, "github"));
    let mut seen = [one.status.as_u16(), other.status.as_u16()];
    seen.sort_unstable();
    assert_eq!(seen, [200, 409]);
    assert_eq!(scene.counted().await.1, 1);
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handle_that_is_taken_can_be_chosen_again_and_twenty_at_once_make_one_person() {
    let scene = Scene::start().await;
    drop(scene.with_password("asha", "other@elsewhere.example", true).await);
    let mut browser = scene.browser();
    scene.log_in(&mut browser, "google", "asha").await.location();
    let form = |handle| [("name", "Asha Rao"), ("handle", handle)];
    let taken = browser.post("/login/finish", &form("asha")).await;
    assert_eq!(taken.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", taken.text);
    assert!(taken.text.contains("handle-error"), "{}", taken.text);
    let tries = (0..20).map(|_| {
        let mut browser = browser.clone();
        async move { browser.post("/login/finish", &form("asha_r")).await.status.as_u16() }
    });
    let seen = futures::future::join_all(tries).await;
    assert_eq!(seen.iter().filter(|status| **status == 303).count(), 1, "{seen:?}");
    assert_eq!(scene.counted().await, (2, 1, 2));
    scene.finish().await;
}
