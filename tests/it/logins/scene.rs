//! A service, its providers, and people with browsers.

use reqwest::{Method, StatusCode};
use serde_json::Value;
use sqlx::PgPool;

use crate::support::{
    bahi::{Set, TestBahi},
    browser::{Browser, Page},
    database::Database,
    idp::Idp,
};

/// It all.
pub(super) struct Scene {
    pub(super) bahi: TestBahi,
    pub(super) idp: Idp,
    pub(super) pool: PgPool,
}

impl Scene {
    pub(super) async fn start() -> Self {
        let idp = Idp::start().await;
        let database = Database::create().await;
        let set = Set { logins: idp.settings(), knows_its_address: true, ..Set::default() };
        let bahi = TestBahi::on(&database, set).await;
        idp.returns_to(&bahi.address).await;
        let pool = database.pool().await;
        Self { bahi, idp, pool }
    }

    pub(super) fn browser(&self) -> Browser {
        Browser::new(&self.bahi.address)
    }

    /// Goes to a provider and says who it is; the address that the browser is sent back to.
    pub(super) async fn away(&self, browser: &mut Browser, provider: &str, login: &str) -> String {
        let place = browser.get(&format!("/login/{provider}")).await.location();
        self.idp.consent(browser, &place, login).await
    }

    /// Goes there and comes back.
    pub(super) async fn log_in(&self, browser: &mut Browser, provider: &str, login: &str) -> Page {
        let back = self.away(browser, provider, login).await;
        browser.get(&back).await
    }

    /// Somebody new, up to the dashboard.
    pub(super) async fn sign_up(&self, provider: &str, login: &str, handle: &str) -> Browser {
        let mut browser = self.browser();
        let back = self.log_in(&mut browser, provider, login).await;
        assert_eq!(back.location(), "/login/finish");
        let page = browser.get("/login/finish").await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        // What the provider says is there already, to be changed.
        assert!(page.text.contains("value=\"Asha Rao\"") || login != "asha", "{}", page.text);
        let done = browser.post("/login/finish", &[("name", "Somebody"), ("handle", handle)]).await;
        assert_eq!(done.location(), "/app");
        assert!(browser.is_signed_in());
        browser
    }

    /// Somebody with a password, who proved their address, or did not.
    pub(super) async fn with_password(&self, handle: &str, email: &str, proved: bool) -> Browser {
        let mut browser = self.browser();
        let body = serde_json::json!({"name": "Somebody", "handle": handle, "email": email,
                                      "password": PASSWORD});
        let request = browser.request(Method::POST, "/v1/signup").json(&body);
        let made = browser.send(request.header("origin", &self.bahi.address)).await;
        assert!(made.status.is_success(), "{}", made.text);
        if proved {
            sqlx::query("update people set email_verified_at = now() where handle = $1")
                .bind(handle)
                .execute(&self.pool)
                .await
                .unwrap();
        }
        browser
    }

    /// Reads something of the API with the session.
    pub(super) async fn read(&self, browser: &mut Browser, path: &str) -> Value {
        let page = browser.get(path).await;
        assert!(page.status.is_success(), "{}", page.text);
        serde_json::from_str(&page.text).unwrap()
    }

    /// Links a login of somebody who is signed in.
    pub(super) async fn link(&self, browser: &mut Browser, provider: &str, login: &str) {
        let away = browser.get(&format!("/app/security/logins/{provider}")).await.location();
        let back = self.idp.consent(browser, &away, login).await;
        assert_eq!(browser.get(&back).await.location(), "/app/security");
    }

    /// Unlinks one by the API.
    pub(super) async fn unlink(&self, browser: &mut Browser, provider: &str) -> Page {
        let csrf = self.csrf(browser).await;
        let request = browser
            .request(Method::DELETE, &format!("/v1/me/logins/{provider}"))
            .header("origin", &self.bahi.address)
            .header("x-csrf-token", csrf);
        browser.send(request).await
    }

    /// The token of a browser's session, as pages and the API give it.
    pub(super) async fn csrf(&self, browser: &mut Browser) -> String {
        let session = self.read(browser, "/v1/sessions/current").await;
        session["session"]["csrf_token"].as_str().expect("a token").to_owned()
    }

    /// How many people, linked logins and sessions there are.
    pub(super) async fn counted(&self) -> (i64, i64, i64) {
        sqlx::query_as(
            "select (select count(*) from people), (select count(*) from login_identities),
                 (select count(*) from sessions)",
        )
        .fetch_one(&self.pool)
        .await
        .unwrap()
    }

    pub(super) async fn finish(self) {
        self.bahi.finish().await;
    }
}

/// Everybody's.
pub(super) const PASSWORD: &str = "a long sentence is best";
