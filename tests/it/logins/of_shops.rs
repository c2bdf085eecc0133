//! Proving again who one is for a shop, by the provider: for its people who have no password.

use super::{
    again::{an_hour_later, mailed_code},
    scene::Scene,
};
use crate::support::browser::{Browser, Page};

const COOKIE: &str = "__Host-bahi_merchant";
const AGAIN: &str = "/merchant/confirm?return_to=%2Fmerchant%2Fteam";

/// Somebody new who came for shops by a provider, and has a shop.
async fn owner(scene: &Scene, provider: &str) -> Browser {
    let mut browser = scene.browser();
    let place = browser.get(&format!("/login/{provider}?return_to=%2Fmerchant")).await.location();
    let back = scene.idp.consent(&mut browser, &place, "asha").await;
    assert_eq!(browser.get(&back).await.location(), "/login/finish");
    let named = [("name", "Asha Rao"), ("handle", "asha")];
    assert_eq!(browser.post("/login/finish", &named).await.location(), "/merchant");
    assert!(browser.cookies.contains_key(COOKIE) && !browser.is_signed_in());
    let csrf = browser.get("/merchant/new").await.field("csrf");
    let opened = [
        ("csrf", csrf.as_str()),
        ("display_name", "Chai Point"),
        ("legal_name", "Asha Rao"),
        ("handle", "chai"),
        ("category", "5814"),
    ];
    assert_eq!(browser.post("/merchant/new", &opened).await.location(), "/merchant");
    browser
}

/// Does what takes a fresh proof; where that leads.
async fn invite(browser: &mut Browser) -> String {
    let csrf = browser.get("/merchant/team").await.field("csrf");
    let fields = [("csrf", csrf.as_str()), ("email", "x@example.com"), ("role", "cashier")];
    browser.post("/merchant/team/invite", &fields).await.location()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_password_proves_it_for_their_shop_by_their_provider() {
    let scene = Scene::start().await;
    let mut asha = owner(&scene, "google").await;
    assert_eq!(invite(&mut asha).await, "/merchant/team", "the sign-up itself is a fresh proof");
    an_hour_later(&scene).await;
    assert_eq!(invite(&mut asha).await, AGAIN);
    let page = asha.get(AGAIN).await;
    assert!(page.text.contains("Continue with Google"), "{}", page.text);
    assert!(!page.text.contains("type=\"password\""), "{}", page.text);
    let href = "/merchant/confirm/google?return_to=%2Fmerchant%2Fteam";
    assert!(page.text.contains(href), "{}", page.text);

    let away = asha.get(href).await.location();
    assert!(away.contains("max_age=0"), "{away}");
    let before = asha.cookies[COOKIE].clone();
    let back = scene.idp.consent(&mut asha, &away, "asha").await;
    assert_eq!(asha.get(&back).await.location(), "/merchant/team");
    assert_ne!(asha.cookies[COOKIE], before, "another token from here on");
    assert!(!asha.is_signed_in(), "the wallet stays closed");
    assert_eq!(invite(&mut asha).await, "/merchant/team");

    // Whatever its address says, it leads back to a page of shops.
    an_hour_later(&scene).await;
    let elsewhere = "/merchant/confirm/google?return_to=%2Fapp%2Fsecurity";
    let away = asha.get(elsewhere).await.location();
    let back = scene.idp.consent(&mut asha, &away, "asha").await;
    assert_eq!(asha.get(&back).await.location(), "/merchant");
    assert_eq!(invite(&mut asha).await, "/merchant/team");
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_for_the_wallet_is_none_for_the_shop_nor_the_other_way_round() {
    let scene = Scene::start().await;
    let mut asha = owner(&scene, "google").await;
    // The same human holds both in one browser.
    assert_eq!(scene.log_in(&mut asha, "google", "asha").await.location(), "/app");
    an_hour_later(&scene).await;
    let for_wallet = "/app/confirm/google?return_to=%2Fapp%2Fsecurity";
    let away = asha.get(for_wallet).await.location();
    let back = scene.idp.consent(&mut asha, &away, "asha").await;
    assert_eq!(asha.get(&back).await.location(), "/app/security");
    assert_eq!(invite(&mut asha).await, AGAIN, "proved for the wallet alone");

    // Begun for a shop, and brought back by a browser that has only the wallet's session left.
    let away = asha.get("/merchant/confirm/google?return_to=%2Fmerchant").await.location();
    let mut other = asha.clone();
    other.cookies.remove(COOKIE);
    let back = scene.idp.consent(&mut other, &away, "asha").await;
    let refused = other.get(&back).await;
    assert!(refused.status.is_client_error(), "{}", refused.text);
    assert_eq!(invite(&mut asha).await, AGAIN);

    // Another account of the provider proves nothing.
    let away = asha.get("/merchant/confirm/google?return_to=%2Fmerchant").await.location();
    let back = scene.idp.consent(&mut asha, &away, "ravi").await;
    let refused = asha.get(&back).await;
    assert!(refused.status.is_client_error(), "{}", refused.text);
    assert_eq!(invite(&mut asha).await, AGAIN);
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_cannot_ask_again_takes_a_code_for_shops_too() {
    let scene = Scene::start().await;
    let mut asha = owner(&scene, "github").await;
    an_hour_later(&scene).await;
    assert_eq!(invite(&mut asha).await, AGAIN);
    let again = "/merchant/confirm/github?return_to=%2Fmerchant%2Fteam";
    let away = asha.get(again).await.location();
    let back = scene.idp.consent(&mut asha, &away, "asha").await;
    let next = asha.get(&back).await.location();
    assert_eq!(next, "/merchant/confirm-code?return_to=%2Fmerchant%2Fteam");
    assert_eq!(invite(&mut asha).await, AGAIN, "the provider's word alone is no proof");
    let page = asha.get(&next).await;
    assert!(page.text.contains("action=\"/merchant/confirm-code\""), "{}", page.text);
    let code = mailed_code(&scene).await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let refused = take(&mut asha, &page, wrong).await;
    assert!(refused.status.is_client_error(), "{}", refused.text);
    assert_eq!(invite(&mut asha).await, AGAIN);
    assert_eq!(take(&mut asha, &refused, &code).await.location(), "/merchant/team");
    assert_eq!(invite(&mut asha).await, "/merchant/team");
    scene.finish().await;
}

async fn take(browser: &mut Browser, page: &Page, code: &str) -> Page {
    let (csrf, back) = (page.field("csrf"), page.field("return_to"));
    let fields = [("csrf", csrf.as_str()), ("return_to", back.as_str()), ("code", code)];
    browser.post("/merchant/confirm-code", &fields).await
}
