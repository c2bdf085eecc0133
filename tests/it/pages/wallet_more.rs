//! What stands beside the figures: limits, places in queues, balances after each movement, files of
//! any length, and problems that people report.

use ledger_api::identity::Scope;
use reqwest::Method;
use serde_json::{Value, json};

use super::reader::{link, page, press};
use crate::{
    support::bahi::{Reply, send},
    user_api::person::{Person, Scene},
};

fn money(value: &str) -> Value {
    json!({"value": value, "currency": "INR"})
}

/// So many transfers of a rupee from one to the other.
pub(super) async fn transfers(scene: &Scene, from: &Person, to: &Person, count: usize) {
    let leg = |wallet: &str, direction: &str| {
        let amount = money("1.00");
        json!({"account": wallet, "direction": direction, "amount": amount})
    };
    let legs = json!([leg(&from.wallet, "debit"), leg(&to.wallet, "credit")]);
    let items: Vec<Value> = (0..count).map(|_| json!({"kind": "transfer", "legs": legs})).collect();
    let made = scene.admin.post("/v1/transactions/bulk", &json!({"items": items})).await;
    assert!(made.status.is_success(), "{}", made.text);
    scene.projected().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_has_every_row_however_many_there_are_with_the_balance_after_each() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "2000.00").await;
    let ravi = scene.person("ravi", "1.00").await;
    // More than two of the parts that a file is read in.
    transfers(&scene, &asha, &ravi, 1_000).await;
    transfers(&scene, &asha, &ravi, 30).await;
    let file = page(&asha, "/app/activity.csv?kind=transfer").await;
    let lines: Vec<&str> = file.text.lines().collect();
    assert_eq!(lines.len(), 1 + 1_030);
    assert!(lines[0].ends_with(",balance_after"), "{}", lines[0]);
    let mut ids: Vec<&str> = lines[1..].iter().map(|line| cell(line, 1)).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 1_030, "each of them once");
    // The newest first: each row says what was left after it.
    let after: Vec<&str> = lines[1..].iter().map(|line| cell(line, 10)).collect();
    assert_eq!((after[0], after[1], after[1_029]), ("970.00", "971.00", "1999.00"));
    scene.finish().await;
}

fn cell(line: &str, index: usize) -> &str {
    line.split(',').nth(index).unwrap_or_else(|| panic!("{line}")).trim_matches('"')
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_shows_the_balance_after_each_when_it_is_asked_to() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "100.00").await;
    let ravi = scene.person("ravi", "1.00").await;
    transfers(&scene, &asha, &ravi, 2).await;
    let plain = page(&asha, "/app/activity?kind=transfer").await;
    assert!(!plain.text.contains("after it</span>"), "{}", plain.text);
    let shown = link(&plain, "/app/activity?kind=transfer&#38;balance").replace("&#38;", "&");
    let shown = page(&asha, &shown).await;
    for (balance, count) in [("₹99.00", 1), ("₹98.00", 1)] {
        let text = format!("{balance}</data> after it");
        assert_eq!(shown.text.matches(&text).count(), count, "{text}: {}", shown.text);
    }
    // Of who received it, their own balance.
    let other = page(&ravi, "/app/activity?balance=1").await;
    assert!(other.text.contains("₹3.00</data> after it"), "{}", other.text);
    assert!(!other.text.contains("₹98.00"), "{}", other.text);
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_say_what_the_nearest_limit_leaves_and_group_their_amounts() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "180000.00").await;
    let add = page(&asha, "/app/move?tab=add").await;
    // The balance may be two lakh.
    assert!(add.text.contains("Your wallet has room for ₹20,000.00 more."), "{}", add.text);
    for preset in [">₹200<", ">₹1,000<", ">₹5,000<"] {
        assert!(add.text.contains(preset), "{preset}: {}", add.text);
    }
    let more = [("amount", "20000.01"), ("bank", "hdfc")];
    let above = press(&asha, "/app/move/add/check", &more).await;
    assert_eq!(above.status, 422);
    let said = "That is over your limit. Your wallet has room for ₹20,000.00 more.";
    assert!(above.text.contains(said), "{}", above.text);
    let all = [("amount", "20000"), ("bank", "hdfc")];
    assert_eq!(press(&asha, "/app/move/add/check", &all).await.status, 200);
    let send = page(&asha, "/app/move?tab=send").await;
    assert!(send.text.contains("At most ₹1,00,000.00 at once."), "{}", send.text);
    scene.person("ravi", "1.00").await;
    for value in ["70000.00", "50000.00"] {
        let body = json!({"to": {"handle": "ravi"}, "amount": money(value)});
        asha.post("/v1/transfers", &body).await.made();
    }
    scene.projected().await;
    let send = page(&asha, "/app/move?tab=send").await;
    let day = "₹80,000.00 left of your daily limit. It starts afresh on 23 Nov.";
    assert!(send.text.contains(day), "{}", send.text);
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_that_waits_says_its_place_in_the_queue() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "5000.00").await;
    let bank_account = asha.bank_account().await;
    let verify = format!("/v1/bank-accounts/{bank_account}/verify");
    asha.post(&verify, &json!({})).await.made();
    let mut ids = Vec::new();
    for value in ["100.00", "200.00", "300.00"] {
        let body = json!({"amount": money(value), "bank_account": bank_account, "bank": "hdfc",
            "rail": "imps"});
        let made = asha.post("/v1/withdrawals", &body).await.made();
        ids.push(made["id"].as_str().unwrap().to_owned());
    }
    scene.projected().await;
    // Nobody sends in this test, so all of them wait.
    let detail = asha.get(&format!("/v1/withdrawals/{}", ids[1])).await.made();
    let told = &detail["status_detail"];
    assert_eq!((&told["queue_position"], &told["queue_length"]), (&json!(2), &json!(3)), "{told}");
    let shown = page(&asha, &format!("/app/activity/{}", ids[2])).await;
    assert!(shown.text.contains("Number 3 of 3 in the queue."), "{}", shown.text);
    let cancel = format!("/v1/withdrawals/{}/cancel", ids[0]);
    asha.post(&cancel, &json!({})).await.made();
    scene.projected().await;
    let shown = page(&asha, &format!("/app/activity/{}", ids[2])).await;
    assert!(shown.text.contains("Number 2 of 2 in the queue."), "{}", shown.text);
    let gone = page(&asha, &format!("/app/activity/{}", ids[0])).await;
    assert!(!gone.text.contains("in the queue"), "{}", gone.text);
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bars_of_somebody_new_are_empty_and_not_unknown() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "10.00").await;
    let home = page(&asha, "/app?days=90").await;
    assert!(!home.text.contains("unknown-day"), "{}", home.text);
    assert!(!home.text.contains("not known yet"), "{}", home.text);
    assert!(home.text.contains("In ₹10.00, out ₹0.00."), "{}", home.text);
    scene.finish().await;
}

async fn ask(person: &Person, method: Method, path: &str, body: &Value) -> Reply {
    send(person.request(method, path).json(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_problem_is_reported_once_answered_and_nobody_elses() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "100.00").await;
    let ravi = scene.person("ravi", "1.00").await;
    let mira = scene.person("mira", "1.00").await;
    transfers(&scene, &asha, &ravi, 1).await;
    let one = link(&page(&asha, "/app/activity?kind=transfer").await, "/app/activity/t");
    let id = one.rsplit('/').next().unwrap().to_owned();
    let report = format!("{one}/report");
    let fields = [("reason", "not_mine"), ("words", "It wasn't <me>.")];
    for _ in 0..2 {
        let done = press(&asha, &report, &fields).await;
        assert_eq!(done.status, 200, "{}", done.text);
        assert!(done.text.contains("You reported a problem"), "{}", done.text);
        assert_eq!(done.text.matches("I did not do this</strong>").count(), 1, "pressed twice");
        assert!(done.text.contains("&#60;me&#62;") && !done.text.contains("Report a problem"));
    }
    let long = "x".repeat(1_001);
    let other = link(&page(&asha, "/app/activity?kind=deposit").await, "/app/activity/t");
    let refused =
        press(&asha, &format!("{other}/report"), &[("reason", "other"), ("words", &long)]).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("At most 1000 characters"), "{}", refused.text);

    // What is somebody else's is not there to be reported, and its reports are not to be seen.
    let path = format!("/v1/activity/{id}/reports");
    let body = json!({"reason": "other"});
    assert_eq!(ask(&mira, Method::POST, &path, &body).await.status, 404);
    assert_eq!(ravi.get(&path).await.made()["data"], json!([]));
    let own = asha.get(&path).await.made();
    assert_eq!(own["data"][0]["reason"], "not_mine");
    assert_eq!(ask(&asha, Method::POST, &path, &body).await.made()["id"], own["data"][0]["id"]);

    let listed = scene.admin.get("/v1/ops/reports").await.made();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1, "{listed}");
    let report = own["data"][0]["id"].as_str().unwrap();
    let settle = format!("/v1/ops/reports/{report}/settle");
    let answer = json!({"answer": "We called you: it was you."});
    assert_eq!(asha.post(&settle, &answer).await.status, 403);
    let reader = scene.bahi.actor("reader", &[Scope::OpsRead]).await;
    assert_eq!(reader.post(&settle, &answer).await.status, 403);
    assert_eq!(scene.admin.post(&settle, &answer).await.made()["status"], "settled");
    // Settled is settled.
    let late = scene.admin.post(&settle, &json!({"answer": "No."})).await.made();
    assert_eq!(late["answer"], answer["answer"]);
    assert_eq!(scene.admin.get("/v1/ops/reports").await.made()["data"], json!([]));
    let seen = page(&asha, &one).await;
    assert!(seen.text.contains("We called you: it was you."), "{}", seen.text);
    assert!(seen.text.contains("Report a problem"), "there may be another one");
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_leaves_the_wallet_of_who_has_not_proved_who_they_are() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "100.00").await;
    scene.person("ravi", "1.00").await;
    let bank_account = asha.bank_account().await;
    asha.post(&format!("/v1/bank-accounts/{bank_account}/verify"), &json!({})).await.made();
    let pool = scene.bahi.database.pool().await;
    let unprove = "update people set kyc_at = null where handle = 'asha'";
    sqlx::query(unprove).execute(&pool).await.unwrap();
    let sent = json!({"to": {"handle": "ravi"}, "amount": money("5.00")});
    let withdrawn = json!({"amount": money("5.00"), "bank_account": bank_account});
    for (path, body) in [("/v1/transfers", &sent), ("/v1/withdrawals", &withdrawn)] {
        let refused = asha.post(path, body).await;
        let seen = (refused.status.as_u16(), refused.code());
        assert_eq!(seen, (403, "verification_needed".to_owned()), "{path}");
    }
    for tab in ["send", "withdraw"] {
        let form = page(&asha, &format!("/app/move?tab={tab}")).await;
        assert!(form.text.contains("Prove who you are first"), "{tab}: {}", form.text);
    }
    assert!(!page(&asha, "/app/move?tab=add").await.text.contains("Prove who you are first"));
    let fields = [("to", "@ravi"), ("amount", "5"), ("nonce", "n1")];
    let refused = press(&asha, "/app/move/send", &fields).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert!(refused.text.contains("Prove who you are first, under Settings."), "{}", refused.text);
    let prove = "update people set kyc_at = now() where handle = 'asha'";
    sqlx::query(prove).execute(&pool).await.unwrap();
    asha.post("/v1/transfers", &sent).await.made();
    scene.finish().await;
}
