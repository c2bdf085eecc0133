//! Proving again who one is, by the provider: for people who have no password.

use reqwest::StatusCode;

use super::scene::Scene;
use crate::support::{
    bahi::PATIENCE,
    browser::{Browser, Page},
};

/// Puts the last proof of everybody an hour back.
pub(super) async fn an_hour_later(scene: &Scene) {
    sqlx::query("update sessions set reauthenticated_at = reauthenticated_at - interval '1 hour'")
        .execute(&scene.pool)
        .await
        .unwrap();
}

/// Whether what takes a fresh proof leads to the page that asks for one.
async fn is_asked(browser: &mut Browser) -> bool {
    let answer = browser.get("/app/security/logins/github").await;
    answer.location().starts_with("/app/confirm?return_to=")
}

const AGAIN: &str = "/app/confirm/google?return_to=%2Fapp%2Fsecurity";

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_password_proves_it_by_their_provider() {
    let scene = Scene::start().await;
    let mut asha = scene.sign_up("google", "asha", "asha").await;
    assert!(!is_asked(&mut asha).await, "the sign-up itself is a fresh proof");
    an_hour_later(&scene).await;
    assert!(is_asked(&mut asha).await);
    let page = asha.get("/app/confirm?return_to=%2Fapp%2Fsecurity").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("Continue with Google"), "{}", page.text);
    assert!(!page.text.contains("type=\"password\""), "{}", page.text);
    assert!(!page.text.contains("Continue with GitHub"), "only what is linked");

    let away = asha.get(AGAIN).await.location();
    assert!(away.contains("max_age=0"), "{away}");
    let before = asha.cookies["__Host-bahi_session"].clone();
    let back = scene.idp.consent(&mut asha, &away, "asha").await;
    assert_eq!(asha.get(&back).await.location(), "/app/security");
    assert_ne!(asha.cookies["__Host-bahi_session"], before, "another token from here on");
    assert!(!is_asked(&mut asha).await);
    // It was the same session, and the answer works once.
    assert_eq!(scene.counted().await, (1, 1, 1));
    an_hour_later(&scene).await;
    assert!(asha.get(&back).await.status.is_client_error());
    assert!(is_asked(&mut asha).await);
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_proves_it_by_another_account_or_in_another_browser() {
    let scene = Scene::start().await;
    let mut asha = scene.sign_up("google", "asha", "asha").await;
    let mut ravi = scene.sign_up("google", "ravi", "ravi").await;
    an_hour_later(&scene).await;
    // Another account of the provider, of nobody's here or of somebody else's.
    for login in ["ravi", "meera"] {
        let away = asha.get(AGAIN).await.location();
        let back = scene.idp.consent(&mut asha, &away, login).await;
        let refused = asha.get(&back).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{login}: {}", refused.text);
        assert!(is_asked(&mut asha).await, "{login}");
    }
    assert_eq!(scene.counted().await, (2, 2, 2), "nobody was made or linked");
    // An answer that somebody else's browser brings.
    let away = asha.get(AGAIN).await.location();
    let back = scene.idp.consent(&mut asha, &away, "asha").await;
    assert!(ravi.get(&back).await.status.is_client_error());
    assert!(is_asked(&mut ravi).await && is_asked(&mut asha).await);
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_not_passed_by() {
    let scene = Scene::start().await;
    let mut asha = scene.with_password("asha", "asha@example.com", true).await;
    scene.link(&mut asha, "google", "asha").await;
    an_hour_later(&scene).await;
    let page = asha.get("/app/confirm").await;
    assert!(page.text.contains("type=\"password\""), "{}", page.text);
    assert!(!page.text.contains("Continue with"), "{}", page.text);
    let sent = asha.get(AGAIN).await.location();
    assert_eq!(sent, "/app/confirm?return_to=%2Fapp%2Fsecurity");
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_cannot_ask_again_takes_a_code_by_mail_besides() {
    let scene = Scene::start().await;
    let mut asha = scene.sign_up("github", "asha", "asha").await;
    let mut thief = asha.clone();
    an_hour_later(&scene).await;
    let again = "/app/confirm/github?return_to=%2Fapp%2Fsecurity";
    let away = asha.get(again).await.location();
    let back = scene.idp.consent(&mut asha, &away, "asha").await;
    let next = asha.get(&back).await.location();
    assert_eq!(next, "/app/confirm-code?return_to=%2Fapp%2Fsecurity");
    assert!(is_asked(&mut asha).await, "the provider's word alone is no proof");
    let mut page = asha.get(&next).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);

    let code = mailed_code(&scene).await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let fields = |page: &Page, code: &str| {
        [
            ("csrf", page.field("csrf")),
            ("return_to", page.field("return_to")),
            ("code", code.into()),
        ]
    };
    let send = async |browser: &mut Browser, page: &Page, code: &str| {
        let fields = fields(page, code);
        let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
        browser.post("/app/confirm-code", &fields).await
    };
    page = send(&mut asha, &page, wrong).await;
    assert!(page.status.is_client_error() && is_asked(&mut asha).await, "{}", page.text);
    let before = asha.cookies["__Host-bahi_session"].clone();
    let done = send(&mut asha, &page, &code).await;
    assert_eq!(done.location(), "/app/security");
    assert_ne!(asha.cookies["__Host-bahi_session"], before, "another token from here on");
    assert!(!is_asked(&mut asha).await);
    // The token that somebody else may have is worth nothing, and the code was good once.
    assert!(thief.get("/app").await.status != StatusCode::OK);
    an_hour_later(&scene).await;
    let page = asha.get(&next).await;
    assert!(send(&mut asha, &page, &code).await.status.is_client_error());
    assert!(is_asked(&mut asha).await);
    scene.finish().await;
}

/// The code of the last letter that has one.
pub(super) async fn mailed_code(scene: &Scene) -> String {
    tokio::time::timeout(PATIENCE, async {
        loop {
            let letters = scene.bahi.outbox.all();
            let text = letters.iter().find(|letter| letter.text.contains("your code is"));
            if let Some((_, rest)) = text.and_then(|letter| letter.text.split_once("code is ")) {
                return rest.chars().take(6).collect();
            }
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("a letter with a code")
}
