//! What others tried with logins elsewhere: each is refused, and nothing comes of it.

use reqwest::StatusCode;
use sandbox_idp::{Fault, Provider};
use serde_json::json;

use super::scene::Scene;
use crate::support::browser::{Browser, Page};

/// That nothing came of it: nobody signed in, nobody made, nothing linked.
#[track_caller]
fn refused(browser: &Browser, page: &Page, status: u16, case: &str) {
    assert_eq!(page.status.as_u16(), status, "{case}: {}", page.text);
    assert!(!browser.is_signed_in(), "{case}");
    let says = ["Nobody was signed in", "Not signed in"];
    assert!(says.iter().any(|text| page.text.contains(text)), "{case}: {}", page.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_133_id_tokens_that_are_not_for_us_now_and_signed_as_they_must_be_are_refused() {
    let scene = Scene::start().await;
    for fault in [
        Fault::WrongAud,
        Fault::WrongIss,
        Fault::Expired,
        Fault::WrongNonce,
        Fault::NoNonce,
        Fault::AlgNone,
        Fault::Hs256PublicKey,
        Fault::ForeignKid,
        Fault::ForeignKey,
        Fault::NoIdToken,
        Fault::Garbage,
    ] {
        // Discovery is read before the fault begins, as it would be in a running service.
        let mut browser = scene.browser();
        scene.idp.fault(Provider::Google, Fault::None).await;
        let back = scene.away(&mut browser, "google", "asha").await;
        scene.idp.fault(Provider::Google, fault).await;
        let page = browser.get(&back).await;
        refused(&browser, &page, 502, &format!("{fault:?}"));
        assert_eq!(scene.counted().await, (0, 0, 0), "{fault:?}");
        // The attempt is used up: the same answer is nobody's, even when the provider recovers.
        scene.idp.fault(Provider::Google, Fault::None).await;
        refused(&browser, &browser.clone().get(&back).await, 400, &format!("again {fault:?}"));
    }
    let mut browser = scene.sign_up("google", "asha", "asha").await;
    assert_eq!(scene.read(&mut browser, "/v1/me/logins").await["data"][1]["linked"], true);
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_133_what_github_garbles_or_refuses_signs_nobody_in() {
    let scene = Scene::start().await;
    let mut browser = scene.browser();
    let back = scene.away(&mut browser, "github", "asha").await;
    scene.idp.fault(Provider::Github, Fault::Garbage).await;
    refused(&browser.clone(), &browser.get(&back).await, 502, "garbage");
    scene.idp.fault(Provider::Github, Fault::Refused).await;
    let page = scene.log_in(&mut browser, "github", "asha").await;
    refused(&browser, &page, 403, "refused");
    assert_eq!(scene.counted().await, (0, 0, 0));
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_132_a_code_is_worth_nothing_to_another_browser_or_a_second_time() {
    let scene = Scene::start().await;
    let mut victim = scene.browser();
    let stolen = scene.away(&mut victim, "google", "asha").await;

    // Another browser with an attempt of its own has another proof key.
    let mut thief = scene.browser();
    let own = thief.get("/login/google").await.location();
    let state = parameter(&own, "state");
    let spliced = format!(
        "/login/google/callback?code={}&state={state}&iss={}/google",
        parameter(&stolen, "code"),
        scene.idp.address
    );
    refused(&thief.clone(), &thief.get(&spliced).await, 502, "proof key of another");
    // That used the code up; who it was meant for has to begin again.
    refused(&victim.clone(), &victim.get(&stolen).await, 502, "a used code");
    assert_eq!(scene.counted().await, (0, 0, 0));
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_132_a_state_works_once_in_its_browser_with_its_provider() {
    let scene = Scene::start().await;
    drop(scene.sign_up("google", "asha", "asha").await);
    let before = scene.counted().await;

    // Login CSRF: the attacker's answer in the victim's browser, which has attempts of its own.
    let mut attacker = scene.browser();
    let answer = scene.away(&mut attacker, "google", "asha").await;
    let mut victim = scene.browser();
    refused(&victim.clone(), &victim.get(&answer).await, 400, "no attempt");
    victim.get("/login/google").await.location();
    refused(&victim.clone(), &victim.get(&answer).await, 400, "another's state");
    assert_eq!(scene.counted().await, before);

    // It did not spoil the attacker's own; but that works once.
    assert_eq!(attacker.get(&answer).await.location(), "/app");
    let mut again = attacker.clone();
    again.cookies.remove("__Host-bahi_session");
    refused(&again.clone(), &again.get(&answer).await, 400, "a used state");

    // A state that nobody made, none, two.
    let mut browser = scene.browser();
    scene.idp.fault(Provider::Google, Fault::ForeignState).await;
    let page = scene.log_in(&mut browser, "google", "asha").await;
    refused(&browser, &page, 400, "foreign state");
    let state = "A".repeat(43);
    for query in ["", "?code=a", "?state=&code=a", &format!("?code=a&state={state}&state={state}")]
    {
        let page = browser.get(&format!("/login/google/callback{query}")).await;
        refused(&browser, &page, 400, query);
    }
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_138_an_answer_of_another_provider_than_the_one_asked_is_refused() {
    let scene = Scene::start().await;
    // Asked google, and the answer comes to github's address: the code must not go to github.
    let mut browser = scene.browser();
    let back = scene.away(&mut browser, "google", "asha").await;
    let mixed = back.replace("/login/google/", "/login/github/");
    refused(&browser.clone(), &browser.get(&mixed).await, 400, "the other's address");

    scene.idp.fault(Provider::Google, Fault::ForeignIssResponse).await;
    let page = scene.log_in(&mut browser, "google", "asha").await;
    refused(&browser, &page, 400, "the other's name");

    // A provider that says that it names itself and does not, does not answer.
    scene.idp.fault(Provider::Google, Fault::None).await;
    let back = scene.away(&mut browser, "google", "asha").await;
    let nameless = back.split("&iss=").next().unwrap().to_owned();
    refused(&browser.clone(), &browser.get(&nameless).await, 400, "no name");
    assert_eq!(scene.counted().await, (0, 0, 0));
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_138_a_login_leads_back_to_paths_of_ours_only() {
    let scene = Scene::start().await;
    drop(scene.sign_up("google", "asha", "asha").await);
    for (wanted, got) in [
        ("/app/activity?kind=deposit", "/app/activity?kind=deposit"),
        ("//evil.example", "/app"),
        ("/\\evil.example", "/app"),
        ("\\\\evil.example", "/app"),
        ("javascript:alert(1)", "/app"),
        ("https://evil.example/", "/app"),
        ("/\t/evil.example", "/app"),
        ("", "/app"),
    ] {
        let mut browser = scene.browser();
        let wanted: String = form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
        let place = format!("/login/google?return_to={wanted}");
        let away = browser.get(&place).await.location();
        let back = scene.idp.consent(&mut browser, &away, "asha").await;
        assert_eq!(browser.get(&back).await.location(), got, "{wanted}");
    }
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_147_where_browsers_are_sent_back_to_is_not_the_callers_to_say() {
    let scene = Scene::start().await;
    let mut browser = scene.browser();
    let request = browser
        .request(reqwest::Method::GET, "/login/google")
        .header("host", "evil.example")
        .header("x-forwarded-host", "evil.example");
    let place = browser.send(request).await.location();
    let back = parameter(&place, "redirect_uri");
    assert_eq!(back, format!("{}/login/google/callback", scene.bahi.address));
    assert_eq!(parameter(&place, "code_challenge_method"), "S256");
    assert_eq!(browser.get("/login/evil").await.status, StatusCode::NOT_FOUND);
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_136_the_providers_number_counts_and_not_the_address_or_the_name() {
    let scene = Scene::start().await;
    for (provider, login, handle) in [("google", "asha", "asha"), ("github", "ravi", "ravi")] {
        drop(scene.sign_up(provider, login, handle).await);
        // Another address, another name: still the same person.
        let new = format!("{login}-renamed");
        let change = json!({"login": login, "email": format!("{new}@new.example"),
                            "new_login": new});
        scene.idp.control(&change).await;
        let mut browser = scene.browser();
        let page = scene.log_in(&mut browser, provider, &new).await;
        assert_eq!(page.location(), "/app", "{provider}");

        // The account is closed and somebody else gets the old name and the old address: nobody
        // that we know.
        let address = format!("{login}@mail.example");
        scene
            .idp
            .control(&json!({"login": new, "recycled": true, "new_login": login,
                                  "email": address}))
            .await;
        let mut stranger = scene.browser();
        let page = scene.log_in(&mut stranger, provider, login).await;
        assert!(!stranger.is_signed_in(), "{provider}");
        // There is an account with that address, and it has its own way in.
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.text);
        assert!(page.text.contains("the way"), "{}", page.text);
    }
    assert_eq!(scene.counted().await.1, 2);
    scene.finish().await;
}

/// A parameter of an address.
pub(super) fn parameter(address: &str, name: &str) -> String {
    let query = address.split_once('?').unwrap().1;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(key, _)| key == name).unwrap_or_else(|| panic!("no {name}")).1.into_owned()
}
