//! Frontends of others: consent, tokens, and what is stolen.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::Utc;
use ledger_api::logins::server::{Clients, NewClient};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{attacks::parameter, scene::Scene};
use crate::support::browser::{Browser, Page};

const VERIFIER: &str = "a-verifier-that-is-at-least-forty-three-characters-long";
const BACK: &str = "https://pays.example/back";
const ORIGIN: &str = "https://pays.example";

/// A frontend that was registered.
struct Frontend {
    id: String,
}

impl Frontend {
    async fn register(scene: &Scene) -> Self {
        let new = NewClient {
            name: "Asha pays".to_owned(),
            redirect_uris: vec![BACK.to_owned(), "https://pays.example/back?x=1".to_owned()],
            origins: vec![ORIGIN.to_owned()],
        };
        let id = Clients::new(scene.pool.clone()).add(&new, Utc::now()).await.unwrap();
        Self { id }
    }

    /// Where it sends a browser, with one field otherwise.
    fn question(&self, other: (&str, &str)) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        let fields = [
            ("response_type", "code"),
            ("client_id", &self.id),
            ("redirect_uri", BACK),
            ("scope", "balances:read transfers:write"),
            ("state", "its-own-state"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let fields = fields.map(|(name, value)| match other {
            (changed, value) if changed == name => (name, value),
            _ => (name, value),
        });
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        format!("/oauth/authorize?{query}")
    }

    /// Asks, and somebody presses a button; where the browser goes.
    async fn ask(&self, browser: &mut Browser, decision: &str) -> String {
        let page = browser.get(&self.question(("", ""))).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("form-action 'self' https://pays.example;"), "{policy}");
        assert!(page.text.contains("Asha pays"), "{}", page.text);
        let names = [
            "csrf",
            "response_type",
            "client_id",
            "redirect_uri",
            "scope",
            "state",
            "code_challenge",
            "code_challenge_method",
        ];
        let fields: Vec<(&str, String)> =
            names.into_iter().map(|name| (name, page.field(name))).collect();
        let mut fields: Vec<(&str, &str)> =
            fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        fields.push(("decision", decision));
        browser.post("/oauth/authorize", &fields).await.location()
    }

    async fn code(&self, browser: &mut Browser) -> String {
        let back = self.ask(browser, "allow").await;
        assert!(back.starts_with(&format!("{BACK}?")), "{back}");
        assert_eq!(parameter(&back, "state"), "its-own-state");
        parameter(&back, "code")
    }

    /// Asks for tokens of a code.
    async fn redeem(&self, scene: &Scene, code: &str, other: (&str, &str)) -> Page {
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", &self.id),
            ("code", code),
            ("redirect_uri", BACK),
            ("code_verifier", VERIFIER),
        ];
        let fields = fields.map(|(name, value)| match other {
            (changed, value) if changed == name => (name, value),
            _ => (name, value),
        });
        scene.browser().post("/oauth/token", &fields).await
    }

    async fn refresh(&self, scene: &Scene, token: &str) -> Page {
        let fields =
            [("grant_type", "refresh_token"), ("client_id", &self.id), ("refresh_token", token)];
        scene.browser().post("/oauth/token", &fields).await
    }
}

/// What a page of tokens says.
#[track_caller]
fn tokens(page: &Page) -> (String, String) {
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let said: Value = serde_json::from_str(&page.text).unwrap();
    assert_eq!(said["expires_in"], 900);
    let text = |name: &str| said[name].as_str().unwrap().to_owned();
    assert_eq!(text("scope"), "balances:read transfers:write");
    (text("access_token"), text("refresh_token"))
}

#[track_caller]
fn refused(page: &Page, error: &str) {
    let said: Value = serde_json::from_str(&page.text).unwrap();
    assert_eq!(said["error"], error, "{}", page.text);
    assert!(page.status.is_client_error());
}

/// How a token is answered by what people may read of their own.
async fn used(scene: &Scene, access: &str) -> StatusCode {
    let mut browser = scene.browser();
    let request = browser.request(Method::GET, "/v1/deposits");
    browser.send(request.bearer_auth(access)).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frontend_is_let_in_and_acts_for_one_person_with_what_they_allowed() {
    let scene = Scene::start().await;
    let frontend = Frontend::register(&scene).await;
    // Somebody who is not signed in logs in first, and comes back to the same question.
    let mut browser = scene.browser();
    let login = browser.get(&frontend.question(("", ""))).await.location();
    let back = parameter(&login, "return_to");
    assert_eq!(back, frontend.question(("", "")));

    let mut asha = scene.sign_up("google", "asha", "asha").await;
    let denied = frontend.ask(&mut asha, "deny").await;
    assert_eq!(parameter(&denied, "error"), "access_denied");
    let code = frontend.code(&mut asha).await;
    let (access, refresh) = tokens(&frontend.redeem(&scene, &code, ("", "")).await);
    // A scope that it has, and one that it lacks; and what is of nobody's.
    let read = |path: &'static str| {
        let access = access.clone();
        let mut browser = scene.browser();
        async move {
            let request = browser.request(Method::GET, path).bearer_auth(access);
            browser.send(request).await
        }
    };
    let banks = read("/v1/banks").await;
    assert_eq!(banks.status, StatusCode::OK, "{}", banks.text);
    for path in ["/v1/events", "/v1/me/logins", "/v1/sessions", "/v1/ops/withdrawals"] {
        let page = read(path).await;
        assert!(matches!(page.status.as_u16(), 401 | 403 | 404), "{path}: {}", page.text);
    }
    // The person sees it, on the page and by the API.
    let page = asha.get("/app/security").await;
    assert!(page.text.contains("Apps that you let in"), "{}", page.text);
    assert!(page.text.contains("Send your money to others"), "{}", page.text);
    let apps = scene.read(&mut asha, "/v1/me/apps").await;
    assert_eq!(apps["data"].as_array().unwrap().len(), 1, "{apps}");
    assert_eq!(apps["data"][0]["scopes"], serde_json::json!(["balances:read", "transfers:write"]));
    assert_eq!(read("/v1/me/apps").await.status, StatusCode::UNAUTHORIZED);
    // In the database there are hashes.
    let texts: Vec<String> = sqlx::query_scalar("select to_jsonb(s)::text from oauth_secrets s")
        .fetch_all(&scene.pool)
        .await
        .unwrap();
    assert!(texts.len() >= 3 && !texts.iter().any(|t| t.contains(&access) || t.contains(&refresh)));

    // It ends with the consent: revoked by the frontend, in any process at once.
    let fields = [("client_id", frontend.id.as_str()), ("token", &refresh)];
    let page = scene.browser().post("/oauth/revoke", &fields).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert_eq!(used(&scene, &access).await, StatusCode::UNAUTHORIZED);
    refused(&frontend.refresh(&scene, &refresh).await, "invalid_grant");
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_132_codes_are_redeemed_once_by_their_client_with_their_verifier() {
    let scene = Scene::start().await;
    let frontend = Frontend::register(&scene).await;
    let mut asha = scene.sign_up("google", "asha", "asha").await;
    for other in [
        ("code_verifier", ""),
        ("code_verifier", "another-verifier-that-is-also-forty-three-chars"),
        ("redirect_uri", "https://pays.example/back?x=1"),
        ("redirect_uri", ""),
    ] {
        let code = frontend.code(&mut asha).await;
        refused(&frontend.redeem(&scene, &code, other).await, "invalid_grant");
        // Whoever came with it had not the verifier: it is worth nothing any more.
        refused(&frontend.redeem(&scene, &code, ("", "")).await, "invalid_grant");
    }
    let code = frontend.code(&mut asha).await;
    refused(&frontend.redeem(&scene, &code, ("client_id", "app_x")).await, "invalid_client");
    refused(
        &frontend.redeem(&scene, &code, ("grant_type", "password")).await,
        "unsupported_grant_type",
    );
    let other = Frontend::register(&scene).await;
    refused(&other.redeem(&scene, &code, ("", "")).await, "invalid_grant");

    let (access, refresh) = tokens(&frontend.redeem(&scene, &code, ("", "")).await);
    let replayed = frontend.redeem(&scene, &code, ("", "")).await;
    refused(&replayed, "invalid_grant");
    // A code that comes twice was stolen: what came of it ends.
    assert_eq!(used(&scene, &access).await, StatusCode::UNAUTHORIZED);
    refused(&frontend.refresh(&scene, &refresh).await, "invalid_grant");

    let late = frontend.code(&mut asha).await;
    sqlx::query("update oauth_secrets set expires_at = now() where kind = 'code'")
        .execute(&mut scene.bahi.database.superuser().await)
        .await
        .unwrap();
    refused(&frontend.redeem(&scene, &late, ("", "")).await, "invalid_grant");
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_that_comes_twice_ends_everything_that_came_of_it() {
    let scene = Scene::start().await;
    let frontend = Frontend::register(&scene).await;
    let mut asha = scene.sign_up("google", "asha", "asha").await;
    let code = frontend.code(&mut asha).await;
    let (first_access, first) = tokens(&frontend.redeem(&scene, &code, ("", "")).await);
    let (second_access, second) = tokens(&frontend.refresh(&scene, &first).await);
    assert_ne!(first, second);
    assert_eq!(used(&scene, &second_access).await, StatusCode::OK);
    refused(&frontend.refresh(&scene, &first).await, "invalid_grant");
    for access in [&first_access, &second_access] {
        assert_eq!(used(&scene, access).await, StatusCode::UNAUTHORIZED);
    }
    refused(&frontend.refresh(&scene, &second).await, "invalid_grant");

    // Of two at once one gets tokens, and then the theft is known.
    let code = frontend.code(&mut asha).await;
    let (_, token) = tokens(&frontend.redeem(&scene, &code, ("", "")).await);
    let (one, other) =
        tokio::join!(frontend.refresh(&scene, &token), frontend.refresh(&scene, &token));
    let mut seen = [one.status.as_u16(), other.status.as_u16()];
    seen.sort_unstable();
    assert_eq!(seen, [200, 400]);
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_end_with_another_password_the_client_and_the_account() {
    let scene = Scene::start().await;
    let frontend = Frontend::register(&scene).await;
    let mut asha = scene.with_password("asha", "asha@mail.example", true).await;
    for ending in [
        "update credentials set changed_at = now()",
        "update oauth_clients set revoked_at = now()",
        "update people set status = 'restricted', closed_at = now()",
    ] {
        sqlx::query("update oauth_clients set revoked_at = null")
            .execute(&scene.pool)
            .await
            .unwrap();
        let code = frontend.code(&mut asha).await;
        let (access, refresh) = tokens(&frontend.redeem(&scene, &code, ("", "")).await);
        assert_eq!(used(&scene, &access).await, StatusCode::OK, "{ending}");
        sqlx::query(ending).execute(&scene.pool).await.unwrap();
        assert_eq!(used(&scene, &access).await, StatusCode::UNAUTHORIZED, "{ending}");
        let page = frontend.refresh(&scene, &refresh).await;
        assert!(page.status.is_client_error(), "{ending}: {}", page.text);
    }
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_is_not_right_is_told_to_nobody_it_must_not_be_told_to() {
    let scene = Scene::start().await;
    let frontend = Frontend::register(&scene).await;
    let mut asha = scene.sign_up("google", "asha", "asha").await;
    for other in [
        ("client_id", "app_unknown"),
        ("redirect_uri", "https://pays.example/back/"),
        ("redirect_uri", "https://pays.example/back?x=2"),
        ("redirect_uri", "https://evil.example/back"),
        ("redirect_uri", ""),
    ] {
        let page = asha.get(&frontend.question(other)).await;
        assert!(page.status.is_client_error(), "{other:?}: {}", page.text);
        assert!(!page.headers.contains_key("location"), "{other:?}");
    }
    for (other, error) in [
        (("response_type", "token"), "unsupported_response_type"),
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("scope", "admin"), "invalid_scope"),
        (("scope", ""), "invalid_scope"),
    ] {
        let back = asha.get(&frontend.question(other)).await.location();
        assert_eq!(parameter(&back, "error"), error, "{other:?}");
        assert!(back.starts_with(BACK), "{back}");
        assert_eq!(parameter(&back, "iss"), scene.bahi.address);
    }
    // Consent is pressed on our own page only.
    let request = asha
        .request(Method::POST, "/oauth/authorize")
        .header("origin", "https://evil.example")
        .header("content-type", "application/x-www-form-urlencoded")
        .body("decision=allow");
    assert_eq!(asha.send(request).await.status, StatusCode::FORBIDDEN);
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_registered_origins_may_call_the_api_and_no_others() {
    let scene = Scene::start().await;
    drop(Frontend::register(&scene).await);
    let preflight = |path: &'static str, origin: &'static str| {
        let mut browser = scene.browser();
        async move {
            let request = browser
                .request(Method::OPTIONS, path)
                .header("origin", origin)
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "authorization,content-type");
            browser.send(request).await
        }
    };
    let header = |page: &Page, name: &str| {
        page.headers.get(name).map(|value| value.to_str().unwrap().to_owned())
    };
    for path in ["/v1/deposits", "/v1/transfers", "/oauth/token", "/oauth/revoke"] {
        let page = preflight(path, ORIGIN).await;
        assert_eq!(page.status, StatusCode::NO_CONTENT, "{path}");
        assert_eq!(header(&page, "access-control-allow-origin").as_deref(), Some(ORIGIN));
        let allowed = header(&page, "access-control-allow-headers").unwrap();
        assert!(allowed.contains("authorization") && allowed.contains("idempotency-key"));
        assert!(!allowed.contains("x-csrf-token"));
        assert_eq!(header(&page, "access-control-allow-credentials"), None);
        assert!(header(&page, "vary").unwrap().contains("origin"));
    }
    for origin in
        ["https://evil.example", "https://pays.example.evil", "http://pays.example", "null"]
    {
        let page = preflight("/v1/deposits", origin).await;
        assert_eq!(header(&page, "access-control-allow-origin"), None, "{origin}");
        assert_ne!(page.status, StatusCode::NO_CONTENT, "{origin}");
    }
    // No page of ours, whoever asks.
    for path in ["/app", "/login", "/oauth/authorize", "/app/security"] {
        let page = preflight(path, ORIGIN).await;
        assert_eq!(header(&page, "access-control-allow-origin"), None, "{path}");
    }
    // What a problem says can be read too; nothing is given for a cookie.
    let mut browser = scene.browser();
    let request = browser.request(Method::GET, "/v1/deposits").header("origin", ORIGIN);
    let page = browser.send(request).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    assert_eq!(header(&page, "access-control-allow-origin").as_deref(), Some(ORIGIN));
    assert!(header(&page, "access-control-expose-headers").unwrap().contains("ledger-position"));
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_there_is_is_told_as_the_standard_has_it() {
    let scene = Scene::start().await;
    let mut browser = scene.browser();
    let said = scene.read(&mut browser, "/.well-known/oauth-authorization-server").await;
    let home = &scene.bahi.address;
    assert_eq!(said["issuer"], *home);
    assert_eq!(said["token_endpoint"], format!("{home}/oauth/token"));
    assert_eq!(said["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_ends_the_access_of_an_app_and_nobody_elses() {
    let scene = Scene::start().await;
    let frontend = Frontend::register(&scene).await;
    let mut asha = scene.sign_up("google", "asha", "asha").await;
    let mut ravi = scene.sign_up("github", "ravi", "ravi").await;
    let mut all = Vec::new();
    for _ in 0..2 {
        let code = frontend.code(&mut asha).await;
        all.push(tokens(&frontend.redeem(&scene, &code, ("", "")).await));
    }
    // A code that nobody redeemed is no access.
    frontend.code(&mut asha).await;
    let apps = scene.read(&mut asha, "/v1/me/apps").await;
    let ids: Vec<String> = apps["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|app| app["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 2, "{apps}");
    // Somebody else ends nothing, by the API or the form.
    let end = async |browser: &mut Browser, id: &str| {
        let csrf = scene.csrf(browser).await;
        let request = browser
            .request(Method::DELETE, &format!("/v1/me/apps/{id}"))
            .header("origin", &scene.bahi.address)
            .header("x-csrf-token", csrf);
        browser.send(request).await.status
    };
    assert_eq!(end(&mut ravi, &ids[0]).await, StatusCode::NOT_FOUND);
    let csrf = scene.csrf(&mut ravi).await;
    ravi.post("/app/security/apps/end", &[("csrf", &csrf), ("id", &ids[1])]).await;
    for (access, _) in &all {
        assert_ne!(used(&scene, access).await, StatusCode::UNAUTHORIZED);
    }
    // The newest stands first.
    assert_eq!(end(&mut asha, &ids[0]).await, StatusCode::OK);
    assert_eq!(end(&mut asha, &ids[0]).await, StatusCode::NOT_FOUND, "it is not there any more");
    assert_eq!(used(&scene, &all[1].0).await, StatusCode::UNAUTHORIZED);
    assert_ne!(used(&scene, &all[0].0).await, StatusCode::UNAUTHORIZED);
    let csrf = scene.csrf(&mut asha).await;
    let done = asha.post("/app/security/apps/end", &[("csrf", &csrf), ("id", &ids[1])]).await;
    assert_eq!(done.location(), "/app/security");
    assert_eq!(used(&scene, &all[0].0).await, StatusCode::UNAUTHORIZED);
    refused(&frontend.refresh(&scene, &all[0].1).await, "invalid_grant");
    assert!(!asha.get("/app/security").await.text.contains("Apps that you let in"));
    scene.finish().await;
}
