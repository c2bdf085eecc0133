//! A sandbox login provider of one test, and what people do on its page.

use std::ffi::OsString;

use ledger_api::logins::LoginSettings;
use sandbox_idp::{Client, Config, Fault, Provider, ServeError, serve};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use super::browser::{Browser, Page};

const CLIENT: &str = "bahi-test";
const SECRET: &str = "a-client-secret-of-tests";

/// A running one.
pub(crate) struct Idp {
    pub(crate) address: String,
    _stop: watch::Sender<bool>,
    _server: JoinHandle<Result<(), ServeError>>,
}

impl Idp {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let client =
            Client { id: CLIENT.to_owned(), secret: SECRET.to_owned(), redirect_uris: Vec::new() };
        let (stop, told) = watch::channel(false);
        let server = tokio::spawn(serve(Config { client }, listener, told));
        Self { address, _stop: stop, _server: server }
    }

    /// How a service is told of both providers.
    pub(crate) fn settings(&self) -> LoginSettings {
        let (google, github) =
            (format!("{}/google", self.address), format!("{}/github", self.address));
        let variables = [
            ("GOOGLE_KIND", "oidc".to_owned()),
            ("GOOGLE_ISSUER", google),
            ("GITHUB_KIND", "github".to_owned()),
            ("GITHUB_ISSUER", github.clone()),
            ("GITHUB_AUTH_URL", format!("{github}/authorize")),
            ("GITHUB_TOKEN_URL", format!("{github}/token")),
            ("GITHUB_USER_URL", format!("{github}/user")),
            ("GITHUB_EMAILS_URL", format!("{github}/user/emails")),
            ("GOOGLE_CLIENT_ID", CLIENT.to_owned()),
            ("GITHUB_CLIENT_ID", CLIENT.to_owned()),
            ("GOOGLE_CLIENT_SECRET", SECRET.to_owned()),
            ("GITHUB_CLIENT_SECRET", SECRET.to_owned()),
        ];
        let variables = variables.map(|(name, value)| {
            (OsString::from(format!("BAHI_LOGIN_{name}")), OsString::from(value))
        });
        LoginSettings::from_variables(variables, true).unwrap()
    }

    /// Lets browsers be sent back to a service.
    pub(crate) async fn returns_to(&self, service: &str) {
        let uris = ["google", "github"].map(|name| format!("{service}/login/{name}/callback"));
        self.control(&json!({"redirect_uris": uris})).await;
    }

    /// Throws a switch.
    pub(crate) async fn fault(&self, provider: Provider, fault: Fault) {
        self.control(&json!({"provider": provider, "fault": fault})).await;
    }

    pub(crate) async fn control(&self, switch: &Value) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let sent = client.post(format!("{}/control", self.address)).json(switch).send();
        let sent = sent.await.unwrap();
        assert!(sent.status().is_success(), "{}", sent.text().await.unwrap());
    }

    /// Presses the button of a person on the provider's page; where the browser goes then.
    pub(crate) async fn consent(&self, browser: &mut Browser, place: &str, login: &str) -> String {
        let page = browser.get(place).await;
        assert!(page.status.is_success(), "{}", page.text);
        let fields: Vec<(&str, String)> = [
            "response_type",
            "client_id",
            "redirect_uri",
            "state",
            "scope",
            "nonce",
            "code_challenge",
            "code_challenge_method",
        ]
        .into_iter()
        .map(|name| (name, unescaped(&page, name)))
        .collect();
        let mut fields: Vec<(&str, &str)> =
            fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        fields.push(("person", login));
        let form = place.split('?').next().unwrap();
        browser.post(form, &fields).await.location()
    }
}

fn unescaped(page: &Page, name: &str) -> String {
    page.field(name).replace("&amp;", "&")
}
