//! Checks of money in. What a person does on the bank's page can't be checked from here.

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    Checked, Stop,
    client::{Client, paise},
    require,
};

pub(super) async fn link(bank: &Client) -> Checked {
    let token = bank.reference("link");
    let asked = json!({ "token": token, "amount": { "value": "7.00", "currency": "INR" } });
    let made = bank.given("v1/collect-links", &asked).await?.ok()?;
    require(made.get("token") == asked.get("token"), "the token that was given", &made)?;
    require(paise(made.get("amount"))? == 700, "the amount that was asked for", &made)?;
    require(made.get("status") == Some(&json!("open")), "an open link", &made)?;
    require(made.get("credits") == Some(&json!([])), "nothing arrived", &made)?;
    let again = bank.given("v1/collect-links", &asked).await?.ok()?;
    require(again == made, "the same link again", &again)?;
    let mut other = asked.clone();
    other["amount"]["value"] = json!("8.00");
    bank.given("v1/collect-links", &other).await?.is_problem(409, None)?;
    let shown = bank.asked(&format!("v1/collect-links/{token}")).await?.ok()?;
    require(shown == made, "the same link", &shown)?;
    let missing = bank.reference("no-link");
    let answer = bank.asked(&format!("v1/collect-links/{missing}")).await?;
    answer.is_problem(404, Some("not_found"))?;
    page(bank, &made).await
}

/// The page must be there for somebody who shows no token.
async fn page(bank: &Client, link: &Value) -> Checked {
    let url = link.get("url").and_then(Value::as_str).unwrap_or_default();
    let is_url = url.starts_with("http://") || url.starts_with("https://");
    require(is_url, "the address of a page", link)?;
    if url.starts_with("https://") {
        return Err(Stop::Skip("the page is at an https address, which is not opened".to_owned()));
    }
    let answer = bank.send(bank.at(Method::GET, url), 1_048_576).await;
    let answer = answer.ok_or_else(|| Stop::Fail(format!("no page at {url}")))?;
    let is_page = answer.status == 200 && answer.kind.starts_with("text/html");
    require(is_page, "200 text/html", format!("{} {}", answer.status, answer.kind))
}

pub(super) async fn unknown(bank: &Client) -> Checked {
    let id = bank.reference("no-credit");
    bank.asked(&format!("v1/credits/{id}")).await?.is_problem(404, Some("not_found"))
}
