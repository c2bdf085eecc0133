//! What is said of a wait: for a bank that shall pay in, and for the one that would pay out.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::reader::{deposit, hidden, page, press};
use crate::user_api::person::{Person, Scene};

#[tokio::test(flavor = "multi_thread")]
async fn a_deposit_is_said_to_take_seconds_and_after_a_minute_nobody_has_to_stay() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "100.00").await;
    let sheet = press(&asha, "/app/move/add/check", &[("amount", "500"), ("bank", "hdfc")]).await;
    let nonce = hidden(&sheet, "nonce");
    let fields = [("amount", "500.00"), ("bank", "hdfc"), ("nonce", nonce.as_str())];
    let made = press(&asha, "/app/move/add", &fields).await;
    scene.projected().await;
    // Where the bank's page leads back to, whatever was done there.
    let back = format!("/app/move/added?deposit={}", deposit(&made));
    let soon = page(&asha, &back).await;
    assert!(
        soon.text.contains("We’ve asked HDFC. This usually takes 10 seconds."),
        "{}",
        soon.text
    );
    assert!(soon.text.contains("data-refresh-in=\"61\""), "{}", soon.text);
    scene.clock.advance(TimeDelta::seconds(59));
    let soon = page(&asha, &back).await;
    assert!(soon.text.contains("data-refresh-in=\"2\""), "{}", soon.text);
    scene.clock.advance(TimeDelta::seconds(1));
    let late = page(&asha, &back).await;
    let said = "Still waiting. You can leave this page; we’ll update Activity.";
    assert!(late.text.contains(said) && !late.text.contains("data-refresh-in"), "{}", late.text);
    // It can still be paid, and nobody calls it failed.
    assert!(late.text.contains("Continue to your bank") && late.text.contains("Waiting"));
    assert!(!late.text.to_lowercase().contains("failed"), "{}", late.text);
    scene.finish().await;
}

/// A bank account of theirs that its bank has confirmed.
async fn confirmed(person: &Person) -> String {
    let id = person.bank_account().await;
    person.post(&format!("/v1/bank-accounts/{id}/verify"), &json!({})).await.made();
    id
}

async fn stop(scene: &Scene, bank: &str) {
    let body = json!({"reason": "maintenance"});
    scene.admin.post(&format!("/v1/ops/banks/{bank}/pause"), &body).await.made();
}

fn bank_of<'a>(banks: &'a Value, code: &str) -> &'a Value {
    let data = banks["data"].as_array().unwrap();
    data.iter().find(|bank| bank["bank"] == code).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_says_how_the_bank_is_before_anything_is_confirmed() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "5000.00").await;
    let form = "/app/move?tab=withdraw";
    let without = page(&asha, form).await;
    assert!(!without.text.contains("Fee, tax included"), "there is no account to send to");
    let bank_account = confirmed(&asha).await;
    let well = page(&asha, form).await;
    for shown in [" working</em>", "Fee, tax included", "₹10.00", "Arrives by", "All: ₹4,990.00"]
    {
        assert!(well.text.contains(shown), "{shown}: {}", well.text);
    }
    // All of it, by a link where no script runs.
    let all = page(&asha, "/app/move?tab=withdraw&amount=4990.00").await;
    assert!(all.text.contains("name=\"amount\" value=\"4990.00\""), "{}", all.text);

    // Only one bank is left, and one waits there.
    for bank in scene.registry().iter().filter(|bank| bank.code().as_str() != "hdfc") {
        stop(&scene, bank.code().as_str()).await;
    }
    let banks = asha.get("/v1/banks").await.made();
    assert_eq!(bank_of(&banks, "hdfc")["about_seconds"], Value::Null, "{banks}");
    let body = json!({"amount": {"value": "100.00", "currency": "INR"},
        "bank_account": bank_account, "bank": "hdfc", "rail": "imps"});
    asha.post("/v1/withdrawals", &body).await.made();
    scene.projected().await;
    for _ in 0..2 {
        scene.clock.advance(TimeDelta::minutes(10));
        assert!(page(&asha, form).await.text.contains("HDFC"));
    }
    let slow = page(&asha, form).await;
    for shown in ["HDFC slow right now, ~20 min", "HDFC is slow right now (~20 min)"] {
        assert!(slow.text.contains(shown), "{shown}: {}", slow.text);
    }
    let banks = asha.get("/v1/banks").await.made();
    assert_eq!(bank_of(&banks, "hdfc")["about_seconds"], 1_200, "{banks}");

    stop(&scene, "hdfc").await;
    let down = page(&asha, form).await;
    assert!(down.text.contains("isn’t taking transfers right now"), "{}", down.text);
    assert!(down.text.contains("nothing leaves your wallet twice"), "{}", down.text);
    // And on the sheet as well.
    let typed = [("amount", "50"), ("bank_account", bank_account.as_str())];
    let sheet = press(&asha, "/app/move/withdraw/check", &typed).await;
    assert_eq!(sheet.status, 200, "{}", sheet.text);
    assert!(sheet.text.contains("isn’t taking transfers right now"), "{}", sheet.text);
    scene.finish().await;
}
