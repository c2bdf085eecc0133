//! The page that a person sees.

use reqwest::Method;
use serde_json::json;

use crate::support::{Bank, Wanted};

async fn link(bank: &Bank, token: &str, more: &serde_json::Value) -> String {
    let mut asked = json!({ "token": token, "amount": { "value": "500.00", "currency": "INR" } });
    for (field, value) in more.as_object().expect("fields") {
        asked[field] = value.clone();
    }
    let (status, link) = bank.post("banks/hdfc/v1/collect-links", &asked).await;
    assert_eq!(status, 200, "{link}");
    link["url"].as_str().expect("a url").to_owned()
}

async fn press(bank: &Bank, url: &str, form: &'static str) -> reqwest::Response {
    let request = bank.http.post(url).header("content-type", "application/x-www-form-urlencoded");
    request.body(form).send().await.expect("an answer")
}

#[tokio::test]
async fn the_page_is_plain_safe_and_names_what_is_paid() {
    let bank = Bank::start(Wanted::default()).await;
    let payer = json!({
        "account_number": "001234567890", "ifsc": "TEST0000001", "name": "<b>O'Neil & \"Co\"</b>",
    });
    let url = link(&bank, "T1", &json!({ "payer": payer })).await;
    let page = bank.http.get(&url).send().await.expect("a page");
    assert_eq!(page.status(), 200);
    let policy = page.headers()["content-security-policy"].to_str().expect("a policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    let html = page.text().await.expect("text");
    assert_eq!(html.matches("<h1>").count(), 1);
    assert!(html.contains("lang=\"en\"") && html.contains("₹500.00"));
    assert!(html.contains("&lt;b&gt;O&#39;Neil &amp; &quot;Co&quot;&lt;/b&gt;"), "{html}");
    assert!(!html.contains("<b>") && !html.contains("<script"));
    assert_eq!(html.matches("<button ").count(), 4);
    let style = bank.http.get(format!("{}/banks/hdfc/pay/page.css", bank.url)).send().await;
    assert_eq!(style.expect("a style").headers()["content-type"], "text/css; charset=utf-8");
    bank.stop().await;
}

#[tokio::test]
async fn what_is_pressed_happens() {
    let bank = Bank::start(Wanted::default()).await;
    let status = async |token: &str| {
        let path = format!("banks/hdfc/v1/collect-links/{token}");
        let (_, link) = bank.get(&path).await;
        (link["status"].clone(), link["credits"].as_array().map(Vec::len))
    };
    let url = link(&bank, "T1", &json!({ "return_url": "http://127.0.0.1:1/back?a=1&b=2" })).await;
    let left = press(&bank, &url, "decision=close").await;
    assert_eq!((left.status().as_u16(), status("T1").await), (200, (json!("open"), Some(0))));
    let paid = press(&bank, &url, "decision=approve").await;
    assert_eq!(paid.status(), 303);
    assert_eq!(paid.headers()["location"], "http://127.0.0.1:1/back?a=1&b=2");
    bank.advance(2).await;
    assert_eq!(status("T1").await, (json!("approved"), Some(1)));

    let url = link(&bank, "T2", &json!({})).await;
    let declined = press(&bank, &url, "decision=decline").await;
    assert_eq!(declined.headers()["location"], url.as_str());
    let html = bank.http.get(&url).send().await.expect("a page").text().await.expect("text");
    assert!(html.contains("declined") && !html.contains("<button"), "{html}");

    let url = link(&bank, "T3", &json!({})).await;
    for bad in ["", "decision=", "decision=steal", "decision=approve&more=1"] {
        assert_eq!(press(&bank, &url, bad).await.status(), 422, "{bad}");
    }
    assert_eq!(status("T3").await, (json!("open"), Some(0)));
    let nothing = press(&bank, &url.replace("T3", "T9"), "decision=approve").await;
    assert_eq!(nothing.status(), 404);
    let nowhere = bank.request(Method::GET, "banks/%3Cb%3E/pay/T3").send().await.expect("a page");
    assert!(!nowhere.text().await.expect("text").contains("<b>"));
    for bad in ["javascript:alert(1)", "//evil", "http:///x", "http://a/\"", "http://a b"] {
        let asked = json!({
            "token": "T4", "amount": { "value": "5.00", "currency": "INR" }, "return_url": bad,
        });
        assert_eq!(bank.post("banks/hdfc/v1/collect-links", &asked).await.0, 422, "{bad}");
    }
    bank.stop().await;
}
