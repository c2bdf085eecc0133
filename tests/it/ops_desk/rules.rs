//! Banks, limits, freezes and ways in: each act with who, when and why.

use reqwest::{Method, StatusCode};

use super::{BOTH, Operator, logged, waiting};
use crate::{audit_engine::verified, support::town::Town};
use ledger_api::staff::StaffRole;

#[tokio::test(flavor = "multi_thread")]
async fn case_177_a_pause_a_freeze_and_what_was_looked_at_are_written_down() {
    let town = Town::start().await;
    let mut omar = Operator::hire(&town, "omar", &[StaffRole::Operator]).await;
    let mut tara = Operator::hire(&town, "tara", &BOTH).await;
    let banks = omar.open("/ops/banks").await;
    let pause = "/ops/banks/hdfc/pause";
    let silent = omar.act(&banks, pause, &[("reason", " ")]).await;
    assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(omar.act(&banks, pause, &[("reason", "They asked")]).await.location(), "/ops/banks");
    let banks = omar.open("/ops/banks").await;
    assert!(banks.text.contains("They asked") && banks.text.contains("Paused"));
    omar.act(&banks, "/ops/banks/hdfc/resume", &[]).await.location();

    // Somebody is found with a reason, frozen by one and let go by two.
    let page = omar.open("/ops/people").await;
    let hasty = omar.act(&page, "/ops/people", &[("who", "@tara"), ("reason", "x")]).await;
    assert_eq!(hasty.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!hasty.text.contains("tara@example.com"), "not for a letter: {}", hasty.text);
    let found = [("who", "@tara"), ("reason", "A call about ticket 7")];
    let person = omar.act(&page, "/ops/people", &found).await;
    assert!(person.text.contains("tara@example.com"), "{}", person.text);
    let path = format!("/ops/people/{}", tara.id);
    assert!(!omar.open(&path).await.text.contains("tara@example.com"), "not without a reason");
    let freeze = [("mode", "debit"), ("reference", "order-7"), ("reason", "By order 7")];
    assert_eq!(omar.act(&person, &format!("{path}/freeze"), &freeze).await.location(), path);
    let page = omar.open(&path).await;
    assert!(page.text.contains("order-7") && page.text.contains("money out"));
    let lift = [("reference", "order-7"), ("reason", "Order 7 is over")];
    omar.act(&page, &format!("{path}/unfreeze"), &lift).await.location();
    let (page, number) = waiting(&mut tara).await;
    let approve = format!("/ops/approvals/{number}/approve");
    tara.act(&page, &approve, &[]).await.location();
    assert!(omar.open(&path).await.text.contains("It is under no freeze"));

    let done = logged(&town, &omar.id).await;
    let whats: Vec<(&str, &str)> =
        done.iter().map(|(what, _, why)| (what.as_str(), why.as_str())).collect();
    let wanted = [
        ("bank_paused", "They asked"),
        ("bank_resumed", "none is asked for"),
        ("name_opened", "A call about ticket 7"),
        ("account_frozen", "By order 7"),
    ];
    assert_eq!(whats, wanted);
    verified(&town.stop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_change_by_two_and_show_what_changed() {
    let town = Town::start().await;
    let mut omar = Operator::hire(&town, "omar", &BOTH).await;
    let mut tara = Operator::hire(&town, "tara", &BOTH).await;
    let body = serde_json::json!({"tier": "desk", "currency": "INR",
        "balance": {"value": "1000.00", "currency": "INR"}});
    town.admin.post("/v1/tiers", &body).await.made();
    let page = omar.open("/ops/limits").await;
    let wrong = [
        ("tier", "desk"),
        ("currency", "INR"),
        ("expected_version", "1"),
        ("balance", "a lot"),
        ("reason", "More people"),
    ];
    let refused = omar.act(&page, "/ops/limits", &wrong).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let mut right = wrong;
    right[3] = ("balance", "2,000");
    assert_eq!(omar.act(&page, "/ops/limits", &right).await.location(), "/ops/approvals");
    let again = omar
        .act(&page, "/ops/limits", &[&wrong[..3], &[("balance", "1000")], &wrong[4..]].concat())
        .await;
    assert!(again.text.contains("That is what is in force"), "{}", again.text);
    let (page, number) = waiting(&mut tara).await;
    for said in ["Balance", "₹1,000.00", "₹2,000.00"] {
        assert!(page.text.contains(said), "{said}: {}", page.text);
    }
    assert!(!page.text.contains("In, one") && !page.text.contains("&quot;"), "{}", page.text);
    let reject = format!("/ops/approvals/{number}/reject");
    let silent = tara.act(&page, &reject, &[("reason", "")]).await;
    assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY);
    tara.act(&page, &format!("/ops/approvals/{number}/approve"), &[]).await.location();
    let page = tara.open("/ops/limits").await;
    assert!(page.text.contains("Balance: 1000.00 → 2000"), "{}", page.text);
    assert!(page.text.contains(&omar.id) && page.text.contains(&tara.id));
    verified(&town.stop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_118_a_statement_is_handed_in_by_two_and_what_differs_is_listed() {
    let town = Town::start().await;
    let mut omar = Operator::hire(&town, "omar", &BOTH).await;
    let mut tara = Operator::hire(&town, "tara", &BOTH).await;
    let page = omar.open("/ops/reconciliation").await;
    // Of today: what is older than the first statement of an account is refused.
    let india = chrono::Utc::now() + chrono::TimeDelta::minutes(330);
    let today = india.date_naive().to_string();
    let file = serde_json::json!({"account": "own", "date": today, "closed": true,
        "opening": {"value": "0.00", "currency": "INR"},
        "closing": {"value": "12.00", "currency": "INR"},
        "lines": [{"bank_transaction_id": "S-DESK-1", "booking_date": today,
            "value_date": today, "direction": "credit",
            "amount": {"value": "12.00", "currency": "INR"}, "utr": null,
            "reference": null, "narration": "UNKNOWN"}]});
    let fields = [
        ("csrf", page.field("csrf")),
        ("nonce", page.field("nonce")),
        ("bank", "hdfc".to_owned()),
        ("format", "json".to_owned()),
        ("reason", "The bank sent it by mail".to_owned()),
    ];
    let part = |head: String, text: &str| format!("--edge\r\n{head}\r\n\r\n{text}\r\n");
    let mut body: String = fields
        .iter()
        .map(|(name, value)| {
            part(format!("content-disposition: form-data; name=\"{name}\""), value)
        })
        .collect();
    let head = "content-disposition: form-data; name=\"file\"; filename=\"s.json\"".to_owned();
    body.push_str(&part(head, &file.to_string()));
    body.push_str("--edge--\r\n");
    let hand_in = "/ops/reconciliation/statements";
    let request = |browser: &crate::support::browser::Browser, body: String| {
        browser
            .request(Method::POST, hand_in)
            .header("origin", &town.address)
            .header("content-type", "multipart/form-data; boundary=edge")
            .body(body)
    };
    // Without its token it is nobody's form.
    let forged = body.replace(&fields[0].1, "x");
    let forged = request(&omar.browser, forged);
    assert_eq!(omar.browser.send(forged).await.status, StatusCode::FORBIDDEN);
    let sent = request(&omar.browser, body);
    assert_eq!(omar.browser.send(sent).await.location(), "/ops/approvals");
    let (page, number) = waiting(&mut tara).await;
    for said in ["own", "0.00 INR", "12.00 INR", "closed"] {
        assert!(page.text.contains(said), "{said}: {}", page.text);
    }
    tara.act(&page, &format!("/ops/approvals/{number}/approve"), &[]).await.location();
    let began = std::time::Instant::now();
    loop {
        let page = tara.open("/ops/reconciliation").await;
        // First it waits to be booked, then it is a break.
        if page.text.contains("S-DESK-1") && page.text.contains("only theirs") {
            break;
        }
        assert!(began.elapsed() < crate::support::bahi::PATIENCE, "{}", page.text);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    verified(&town.stop().await).await;
}
