//! Somebody with a browser who works for a shop.

use std::time::Instant;

use reqwest::{Client, Method, RequestBuilder, redirect::Policy};

use crate::{
    support::bahi::{PATIENCE, Reply, send},
    user_api::person::Scene,
};

pub(crate) const PASSWORD: &str = "a long sentence is best";
pub(crate) const COOKIE: &str = "__Host-bahi_merchant";

/// Somebody with a browser.
#[derive(Clone)]
pub(crate) struct Clerk {
    client: Client,
    address: String,
    /// As it is sent: `name=token`.
    pub(crate) cookie: String,
    pub(crate) csrf: String,
    pub(crate) email: String,
}

impl Clerk {
    /// The same browser without its cookie.
    pub(crate) fn without_a_cookie(&self) -> Self {
        Self { cookie: String::new(), ..self.clone() }
    }

    /// Somebody new, signed in for shops.
    pub(crate) async fn sign_up(scene: &Scene, handle: &str) -> Self {
        let client = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
        let mut clerk = Self {
            client,
            address: scene.bahi.address.clone(),
            cookie: String::new(),
            csrf: String::new(),
            email: format!("{handle}@example.com"),
        };
        let email = clerk.email.clone();
        let fields =
            [("name", "Asha Rao"), ("handle", handle), ("email", &email), ("password", PASSWORD)];
        let made = clerk.form("/merchant/signup", &fields).await;
        assert_eq!(made.status, 303, "{}", made.text);
        clerk.read_csrf("/merchant/new").await;
        clerk
    }

    /// The same with a shop of their own; its id.
    pub(crate) async fn with_shop(scene: &Scene, handle: &str) -> (Self, String) {
        let mut clerk = Self::sign_up(scene, handle).await;
        clerk.prove_address(scene).await;
        let opened = clerk.open_shop(handle).await;
        assert_eq!(opened.status, 303, "{}", opened.text);
        clerk.read_csrf("/merchant").await;
        let page = clerk.get("/merchant/settings").await;
        (clerk, found(&page.text, "mer_"))
    }

    pub(crate) async fn prove_address(&mut self, scene: &Scene) {
        // Sent by itself at the sign-up.
        let code = code(&sent(scene, &self.email.clone(), "Confirm").await);
        let proved = self.form("/merchant/verify", &[("code", &code)]).await;
        assert_eq!(proved.status, 303, "{}", proved.text);
    }

    pub(crate) async fn open_shop(&mut self, handle: &str) -> Reply {
        let name = format!("Shop of {handle}");
        let fields = [
            ("display_name", name.as_str()),
            ("legal_name", "Asha Rao"),
            ("handle", handle),
            ("category", "5814"),
        ];
        self.form("/merchant/new", &fields).await
    }

    /// Somebody new whom this owner asked, and who came.
    pub(crate) async fn hire(&mut self, scene: &Scene, handle: &str, role: &str) -> Self {
        let mut other = Self::sign_up(scene, handle).await;
        let email = other.email.clone();
        let asked = self.form("/merchant/team/invite", &[("email", &email), ("role", role)]).await;
        assert_eq!(asked.status, 303, "{}", asked.text);
        let code = code(&sent(scene, &email, "Work with a shop").await);
        let page = other.get("/merchant/join").await;
        let shop = hidden(&page.text, "merchant");
        let joined = other.form("/merchant/join", &[("merchant", &shop), ("code", &code)]).await;
        assert_eq!(joined.status, 303, "{}", joined.text);
        other
    }

    /// A request with the cookie and nothing else.
    pub(crate) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.address));
        if self.cookie.is_empty() { request } else { request.header("cookie", &self.cookie) }
    }

    /// A request of the API as a script of ours sends it.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).header("origin", &self.address).header("x-csrf-token", &self.csrf)
    }

    /// A page.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        send(self.bare(Method::GET, path).header("accept", "text/html")).await
    }

    /// Sends a form of a page and keeps the cookie that comes back.
    pub(crate) async fn form(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let byte = |b: u8| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                char::from(b).to_string()
            }
            other => format!("%{other:02X}"),
        };
        let text = |text: &str| text.bytes().map(byte).collect::<String>();
        let csrf = ("csrf", self.csrf.clone());
        let mut pairs: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", text(value))).collect();
        pairs.push(format!("{}={}", csrf.0, csrf.1));
        let request = self
            .bare(Method::POST, path)
            .header("origin", &self.address)
            .header("accept", "text/html")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(pairs.join("&"));
        let reply = send(request).await;
        let set = reply.headers.get_all("set-cookie").iter();
        let ours = set.filter_map(|v| v.to_str().ok()).find(|v| v.starts_with(COOKIE));
        if let Some(ours) = ours {
            ours.split(';').next().unwrap().clone_into(&mut self.cookie);
        }
        reply
    }

    pub(crate) async fn read_csrf(&mut self, path: &str) {
        let page = self.get(path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.text);
        self.csrf = hidden(&page.text, "csrf");
    }
}

/// The value of the first hidden field of this name.
#[track_caller]
pub(crate) fn hidden(page: &str, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    let (_, rest) = page.split_once(&start).unwrap_or_else(|| panic!("no {name}: {page}"));
    rest.split('"').next().unwrap().to_owned()
}

/// The first id in a page that starts like this.
#[track_caller]
pub(crate) fn found(page: &str, prefix: &str) -> String {
    let at = page.find(prefix).unwrap_or_else(|| panic!("no {prefix}: {page}"));
    page[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

/// The newest letter to somebody about something, waited for: it goes out beside the request.
pub(crate) async fn sent(scene: &Scene, to: &str, subject: &str) -> String {
    let began = Instant::now();
    loop {
        let all = scene.bahi.outbox.all();
        let letter = all.into_iter().find(|one| one.to == to && one.subject.contains(subject));
        if let Some(letter) = letter {
            return letter.text;
        }
        assert!(began.elapsed() < PATIENCE, "nothing about {subject:?} was sent to {to}");
        tokio::task::yield_now().await;
    }
}

/// The six digits in a text.
pub(crate) fn code(text: &str) -> String {
    let mut words = text.split(|c: char| !c.is_ascii_digit());
    words.find(|word| word.len() == 6).expect("six digits").to_owned()
}
