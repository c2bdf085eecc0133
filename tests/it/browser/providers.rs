//! Logging in by another provider, and somebody who tries to come in that way unasked.

use reqwest::redirect::Policy;
use sandbox_idp::{Fault, Provider};
use serde_json::json;
use thirtyfour::By;
use tokio::sync::Mutex;

use super::session::{Browser, Scheme, browse};
use crate::support::demo::Demo;

/// What is wrong with a provider is wrong for everybody: one test at a time has its logins.
static TURN: Mutex<()> = Mutex::const_new(());

/// Has a provider of the demonstration answer otherwise from now on.
async fn throw(idp: &str, provider: Provider, fault: Fault) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let switch = json!({"provider": provider, "fault": fault});
    let thrown = client.post(format!("{idp}/control")).json(&switch).send().await.unwrap();
    assert!(thrown.status().is_success(), "{}", thrown.status());
}

/// Where the provider is whose page the browser is on.
async fn provider_of(browser: &Browser, name: &str) -> String {
    browser.at(&format!("/{name}/authorize")).await;
    let url = browser.url().await;
    url.split(&format!("/{name}/authorize")).next().unwrap().to_owned()
}

/// The page that is there, at each width and in each scheme: only its own way leads to it.
async fn looked_at(browser: &Browser) {
    // What went wrong on the way there, at the provider's and with the forged answer, is not its.
    browser.faults_of_loading().await;
    browser.driver.refresh().await.unwrap();
    for width in [360, 1280] {
        browser.width(width).await;
        for scheme in [Scheme::Light, Scheme::Dark] {
            browser.scheme(scheme).await;
            browser.check().await;
        }
    }
}

#[tokio::test]
async fn both_providers_let_somebody_in_and_a_forged_answer_does_not() {
    let demo = Demo::shared().await;
    let _turn = TURN.lock().await;
    browse(&[&demo.address], async |browser| {
        for (provider, who, handle) in
            [("google", "Meera Das", "meera_das"), ("github", "Kabir Khan", "kabir_khan")]
        {
            // Nobody began this: the answer is not believed, and nobody is signed in.
            let forged = "code=somebody-elses&state=made-up";
            browser.open(&format!("{}/login/{provider}/callback?{forged}", demo.address)).await;
            browser.open(&format!("{}/app", demo.address)).await;
            browser.at("/login").await;
            browser.open(&format!("{}/login/{provider}", demo.address)).await;
            browser.press(&format!("Go on as {who}")).await;
            browser.at("/login/finish").await;
            looked_at(browser).await;
            browser.fill("Your handle", handle).await;
            browser.press("Open my wallet").await;
            browser
                .until("way out of the last step", async || {
                    (!browser.url().await.contains("/login/")).then_some(())
                })
                .await;
            browser.open(&format!("{}/app/move", demo.address)).await;
            browser.sees("You have ₹0.00 available").await;
            browser.driver.delete_all_cookies().await.unwrap();
            // The second time they are known.
            browser.open(&format!("{}/login/{provider}", demo.address)).await;
            browser.click(By::XPath(format!("//button[contains(., \"Go on as {who}\")]"))).await;
            browser.at("/app").await;
            browser.driver.delete_all_cookies().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn answers_that_a_provider_was_made_to_garble_sign_nobody_in() {
    let demo = Demo::shared().await;
    let _turn = TURN.lock().await;
    browse(&[&demo.address], async |browser| {
        let cases = [
            (Provider::Google, Fault::WrongNonce, "Nobody was signed in"),
            (Provider::Google, Fault::NoNonce, "Nobody was signed in"),
            (Provider::Google, Fault::AlgNone, "Nobody was signed in"),
            (Provider::Google, Fault::WrongAud, "Nobody was signed in"),
            (Provider::Google, Fault::ForeignState, "Nobody was signed in"),
            (Provider::Google, Fault::ForeignIssResponse, "Nobody was signed in"),
            (Provider::Google, Fault::UnverifiedEmail, "share an email, so we can't link you"),
            (Provider::Github, Fault::ForeignState, "Nobody was signed in"),
            (Provider::Github, Fault::UnverifiedEmail, "share an email, so we can't link you"),
        ];
        for (provider, fault, said) in cases {
            let name = if provider == Provider::Google { "google" } else { "github" };
            browser.open(&format!("{}/login/{name}", demo.address)).await;
            let idp = provider_of(browser, name).await;
            throw(&idp, provider, fault).await;
            browser.press("Go on as Ravi Iyer").await;
            browser.sees(said).await;
            // What came is used up: loading it again brings nothing either.
            browser.driver.refresh().await.unwrap();
            browser.sees("Nobody was signed in").await;
            throw(&idp, provider, Fault::None).await;
            browser.open(&format!("{}/app", demo.address)).await;
            browser.at("/login").await;
        }
        // Somebody whose address their provider has not verified, with nothing wrong otherwise.
        browser.open(&format!("{}/login/google", demo.address)).await;
        browser.press("Go on as Zoya Ali").await;
        browser.sees("share an email, so we can't link you").await;
        browser.press("Log in").await;
        browser.at("/login").await;
    })
    .await;
}

/// The answer that google would give to this browser, stopped on its way as who listens would have
/// it.
async fn stopped_answer(browser: &Browser, demo: &Demo) -> String {
    browser.open(&format!("{}/login/google", demo.address)).await;
    provider_of(browser, "google").await;
    // What the button sends: the question, and who it is.
    let mut place: reqwest::Url = browser.url().await.parse().unwrap();
    let pressed = format!("{}&person=ravi", place.query().expect("a question"));
    place.set_query(None);
    let client = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
    let form = "application/x-www-form-urlencoded";
    let sent = client.post(place).header("content-type", form).body(pressed).send();
    let told = sent.await.unwrap();
    let answer = told.headers()["location"].to_str().unwrap().to_owned();
    assert!(answer.starts_with(&format!("{}/login/google/callback?", demo.address)), "{answer}");
    answer
}

#[tokio::test]
async fn an_answer_is_of_the_browser_and_the_provider_that_were_asked_and_works_once() {
    let demo = Demo::shared().await;
    let _turn = TURN.lock().await;
    browse(&[&demo.address], async |browser| {
        let refused = "Nobody was signed in";
        let answer = stopped_answer(browser, &demo).await;
        let cookies = browser.cdp("Network.getCookies", json!({"urls": [demo.address]})).await;
        // In a browser that began nothing: the code alone is worth nothing.
        browser.open(&format!("{}/login", demo.address)).await;
        browser.driver.delete_all_cookies().await.unwrap();
        browser.open(&answer).await;
        browser.sees(refused).await;
        // In one that began a login of its own: another state, another proof key.
        browser.open(&format!("{}/login/google", demo.address)).await;
        provider_of(browser, "google").await;
        browser.open(&answer).await;
        browser.sees(refused).await;
        // Where it belongs it is good for once.
        browser.driver.delete_all_cookies().await.unwrap();
        let cookies = cookies["cookies"].as_array().expect("cookies");
        assert!(!cookies.is_empty(), "a login under way is known by one");
        for cookie in cookies {
            let again = json!({"name": cookie["name"], "value": cookie["value"],
                "url": demo.address, "path": "/", "secure": true, "httpOnly": true,
                "sameSite": "Lax"});
            let set = browser.cdp("Network.setCookie", again).await;
            assert_eq!(set["success"], true, "{set}");
        }
        browser.open(&answer).await;
        browser.at("/login/finish").await;
        browser.open(&answer).await;
        browser.sees(refused).await;
        // To the other provider's address: a mix-up, whose code goes nowhere and is used up.
        let mixed = stopped_answer(browser, &demo).await;
        for address in [mixed.replace("/login/google/", "/login/github/"), mixed] {
            browser.open(&address).await;
            browser.sees(refused).await;
        }
        browser.open(&format!("{}/app", demo.address)).await;
        browser.at("/login").await;
    })
    .await;
}
