//! Somebody who reads pages and sends their forms.

use reqwest::Method;

use crate::{
    support::bahi::{Reply, send},
    user_api::person::Person,
};

/// A page as a browser asks for it.
pub(super) async fn page(person: &Person, path: &str) -> Reply {
    send(person.bare(Method::GET, path).header("accept", "text/html,*/*;q=0.8")).await
}

/// What is sent when a form's button is pressed. Redirects are followed, as browsers do.
pub(super) async fn press(person: &Person, path: &str, fields: &[(&str, &str)]) -> Reply {
    let mut form = form_urlencoded(fields);
    form.push_str("&csrf=");
    form.push_str(&person.csrf);
    let request = person.bare(Method::POST, path).header("origin", &person.address);
    let request = request.header("accept", "text/html");
    let kind = "application/x-www-form-urlencoded";
    send(request.header("content-type", kind).body(form)).await
}

fn form_urlencoded(fields: &[(&str, &str)]) -> String {
    let byte = |b: u8| match b {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(b).to_string(),
        other => format!("%{other:02X}"),
    };
    let text = |text: &str| text.bytes().map(byte).collect::<String>();
    let pairs = fields.iter().map(|(name, value)| format!("{name}={}", text(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// The value of the first hidden field of this name.
#[track_caller]
pub(super) fn hidden(page: &Reply, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    let (_, rest) = page.text.split_once(&start).unwrap_or_else(|| panic!("no {name}"));
    rest.split('"').next().unwrap().to_owned()
}

/// The path of the first link that starts like this.
#[track_caller]
pub(super) fn link(page: &Reply, start: &str) -> String {
    let (_, rest) = page.text.split_once(&format!("href=\"{start}")).expect("a link");
    format!("{start}{}", rest.split('"').next().unwrap())
}

/// The id of the deposit that a page is about.
pub(super) fn deposit(page: &Reply) -> String {
    let (_, rest) = page.text.split_once("dep_").expect("a deposit");
    format!("dep_{}", rest.chars().take_while(char::is_ascii_alphanumeric).collect::<String>())
}
