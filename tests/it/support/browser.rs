//! A browser as far as pages need one: cookies, forms, where requests come from. It follows no
//! redirect by itself, so that a test sees each step.

use std::collections::BTreeMap;

use reqwest::{
    Client, Method, RequestBuilder, StatusCode,
    header::{CONTENT_TYPE, HeaderMap, LOCATION, ORIGIN, SET_COOKIE},
    redirect::Policy,
};

/// A browser with its cookies.
#[derive(Clone)]
pub(crate) struct Browser {
    client: Client,
    /// Of the service's host alone.
    pub(crate) cookies: BTreeMap<String, String>,
    home: String,
}

/// What a page answered.
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Page {
    /// Where it sends the browser.
    #[track_caller]
    pub(crate) fn location(&self) -> String {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text);
        self.headers[LOCATION].to_str().unwrap().to_owned()
    }

    /// The value of a hidden field.
    #[track_caller]
    pub(crate) fn field(&self, name: &str) -> String {
        let start = format!("name=\"{name}\" value=\"");
        let (_, rest) = self.text.split_once(&start).unwrap_or_else(|| panic!("no {name}"));
        rest.split('"').next().unwrap().to_owned()
    }
}

impl Browser {
    /// A fresh one, for the service at `home`.
    pub(crate) fn new(home: &str) -> Self {
        let client = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
        Self { client, cookies: BTreeMap::new(), home: home.to_owned() }
    }

    /// Loads a page: a path of the service, or an address of elsewhere, where no cookie goes.
    pub(crate) async fn get(&mut self, place: &str) -> Page {
        let request = self.request(Method::GET, place);
        self.send(request).await
    }

    /// Sends a form from a page of the same host.
    pub(crate) async fn post(&mut self, place: &str, fields: &[(&str, &str)]) -> Page {
        let mut address: Vec<&str> = place.splitn(4, '/').collect();
        address.truncate(3);
        let origin = if place.starts_with('/') { self.home.clone() } else { address.join("/") };
        let body: String =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self
            .request(Method::POST, place)
            .header(ORIGIN, origin)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body);
        self.send(request).await
    }

    /// Any other request, with the cookies.
    pub(crate) fn request(&self, method: Method, place: &str) -> RequestBuilder {
        let ours = place.starts_with('/') || place.starts_with(&format!("{}/", self.home));
        let url =
            if place.starts_with('/') { format!("{}{place}", self.home) } else { place.to_owned() };
        let mut request = self.client.request(method, url);
        if ours && !self.cookies.is_empty() {
            let pairs: Vec<String> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
            request = request.header("cookie", pairs.join("; "));
        }
        request
    }

    pub(crate) async fn send(&mut self, request: RequestBuilder) -> Page {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let ours = response.url().as_str().starts_with(&self.home);
        for line in headers.get_all(SET_COOKIE).iter().filter(|_| ours) {
            let line = line.to_str().unwrap();
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            if line.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Page { status, headers, text: response.text().await.unwrap() }
    }

    /// Whether somebody is signed in.
    pub(crate) fn is_signed_in(&self) -> bool {
        self.cookies.contains_key("__Host-bahi_session")
    }
}
