//! Somebody with a browser: a cookie, the token of the session, and where requests come from.

use std::{net::IpAddr, time::Instant};

use reqwest::{Client, Method, RequestBuilder, header, redirect::Policy};
use serde_json::{Value, json};

use crate::support::bahi::{PATIENCE, Reply, TestBahi, send};

pub(super) const PASSWORD: &str = "a long sentence is best";

/// Somebody with a browser.
#[derive(Clone)]
pub(super) struct Visitor {
    address: String,
    client: Client,
    pub(super) cookie: Option<String>,
    pub(super) csrf: String,
}

impl Visitor {
    /// Somebody who was never here.
    pub(super) fn of(bahi: &TestBahi) -> Self {
        Self::from(bahi, "127.0.0.1")
    }

    /// Somebody who calls from another address of the network.
    pub(super) fn from(bahi: &TestBahi, address: &str) -> Self {
        let address: IpAddr = address.parse().unwrap();
        let client = Client::builder().redirect(Policy::none()).local_address(address);
        Self {
            address: bahi.address.clone(),
            client: client.build().unwrap(),
            cookie: None,
            csrf: String::new(),
        }
    }

    /// The same browser, at another service.
    pub(super) fn at(&self, bahi: &TestBahi) -> Self {
        Self { address: bahi.address.clone(), ..self.clone() }
    }

    /// A request as a page of ours sends it.
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).header("origin", &self.address).header("x-csrf-token", &self.csrf)
    }

    /// A request with the cookie alone.
    pub(super) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.address));
        match &self.cookie {
            Some(cookie) => request.header("cookie", cookie),
            None => request,
        }
    }

    pub(super) async fn get(&self, path: &str) -> Reply {
        send(self.bare(Method::GET, path)).await
    }

    pub(super) async fn delete(&self, path: &str) -> Reply {
        send(self.request(Method::DELETE, path)).await
    }

    /// Posts JSON and keeps the cookie and the token that come back.
    pub(super) async fn post(&mut self, path: &str, body: &Value) -> Reply {
        let reply = send(self.request(Method::POST, path).json(body)).await;
        self.keep(&reply);
        reply
    }

    pub(super) async fn patch(&self, path: &str, body: &Value) -> Reply {
        send(self.request(Method::PATCH, path).json(body)).await
    }

    /// Sends a form of a page and keeps the cookie.
    pub(super) async fn form(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let csrf = ("csrf", self.csrf.as_str());
        let pairs = fields.iter().chain([&csrf]);
        let text: Vec<String> = pairs.map(|(n, v)| format!("{n}={}", encoded(v))).collect();
        let request = self
            .bare(Method::POST, path)
            .header("origin", &self.address)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(text.join("&"));
        let reply = send(request).await;
        self.keep(&reply);
        reply
    }

    fn keep(&mut self, reply: &Reply) {
        if let Some(cookie) = cookie(reply) {
            self.cookie = Some(cookie);
        }
        if reply.header("content-type") == "application/json" && reply.status.is_success() {
            let token = &reply.json()["session"]["csrf_token"];
            if let Some(token) = token.as_str() {
                token.clone_into(&mut self.csrf);
            }
        }
    }

    /// Signs up with a handle.
    pub(super) async fn sign_up(&mut self, handle: &str) -> Value {
        self.post("/v1/signup", &who(handle)).await.made()
    }

    pub(super) async fn log_in(&mut self, login: &str, password: &str) -> Reply {
        self.post("/v1/login", &json!({"login": login, "password": password})).await
    }
}

/// Everything that is not a letter or digit, as forms write it.
pub(super) fn encoded(text: &str) -> String {
    let byte = |b: u8| match b {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(b).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// Somebody to be.
pub(super) fn who(handle: &str) -> Value {
    json!({"name": "Asha Rao", "handle": handle, "email": format!("{handle}@example.com"),
        "password": PASSWORD})
}

/// The session's cookie that an answer sets, as a request sends it.
pub(super) fn cookie(reply: &Reply) -> Option<String> {
    let all = reply.headers.get_all(header::SET_COOKIE).iter();
    let ours = all.filter_map(|value| value.to_str().ok());
    let mut ours = ours.filter(|text| text.starts_with("__Host-bahi_session="));
    ours.next().map(|text| text.split(';').next().unwrap().to_owned())
}

/// The newest thing that was sent to somebody, waited for: it goes out beside the request.
pub(super) async fn sent(bahi: &TestBahi, to: &str, words: &str) -> String {
    let began = Instant::now();
    loop {
        let all = bahi.outbox.all();
        let found = all.into_iter().find(|sent| {
            sent.to == to && (sent.text.contains(words) || sent.subject.contains(words))
        });
        if let Some(found) = found {
            return found.text;
        }
        assert!(began.elapsed() < PATIENCE, "nothing about {words:?} was sent to {to}");
        tokio::task::yield_now().await;
    }
}

/// The six digits in a text.
pub(super) fn code(text: &str) -> String {
    let mut words = text.split(|c: char| !c.is_ascii_digit());
    words.find(|word| word.len() == 6).expect("six digits").to_owned()
}

/// What stands after `token=` in a text.
pub(super) fn token(text: &str) -> String {
    let (_, rest) = text.split_once("token=").expect("a link");
    rest.split_whitespace().next().unwrap().to_owned()
}
