//! What auditors read by the API: the log, accounts and transactions as of any place, masked as the
//! pages are; what is opened stands in the access log; the log as a file.

use ledger_api::identity::Scope;
use projections::audit::{self, Options};
use reqwest::Method;
use serde_json::{Value, json};

use super::logged;
use crate::{
    support::bahi::{Actor, send},
    user_api::person::Scene,
};

const NOTE: &str = "For the summer house";

/// A scene in which Asha was paid into her wallet, and paid something with a word on it.
async fn scene() -> (Scene, Actor, String) {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "120.00").await;
    scene.admin.open("till:main:INR").await.made();
    let transfer = json!({"kind": "transfer", "debit": asha.wallet, "credit": "till:main:INR",
        "amount": {"value": "20.00", "currency": "INR"}, "note": NOTE});
    let made = scene.admin.post("/v1/transactions", &transfer).await.made();
    scene.projected().await;
    let auditor = scene.bahi.actor("usha", &[Scope::AuditRead]).await;
    (scene, auditor, made["id"].as_str().unwrap().to_owned())
}

/// All items of a list, a few at a time.
async fn all(actor: &Actor, path: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut cursor = String::new();
    loop {
        let mark = if path.contains('?') { '&' } else { '?' };
        let page = actor.get(&format!("{path}{mark}limit=3{cursor}")).await.made();
        items.extend(page["data"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next_cursor"].as_str() else { return items };
        assert_eq!(page["has_more"], true);
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn case_143_no_key_but_an_auditors_opens_what_auditors_read() {
    let (scene, auditor, transaction) = scene().await;
    let head = scene.bahi.engine.status().borrow().head.position;
    let others: Vec<Scope> =
        Scope::ALL.into_iter().filter(|scope| *scope != Scope::AuditRead).collect();
    let other = scene.bahi.actor("other", &others).await;
    let paths = [
        "/v1/audit/events".to_owned(),
        "/v1/audit/events?format=ndjson".to_owned(),
        "/v1/audit/events/1".to_owned(),
        "/v1/audit/account-tree".to_owned(),
        "/v1/audit/accounts".to_owned(),
        "/v1/audit/accounts/till:main:INR".to_owned(),
        "/v1/audit/accounts/till:main:INR/entries".to_owned(),
        format!("/v1/audit/transactions/{transaction}"),
        "/v1/audit/trial-balance".to_owned(),
        "/v1/audit/trial-balance?format=pdf".to_owned(),
        "/v1/audit/balance-sheet?format=csv".to_owned(),
        "/v1/audit/profit-and-loss?from=2026-11-01&to=2026-11-30".to_owned(),
        "/v1/audit/controls".to_owned(),
        "/v1/audit/checkpoints".to_owned(),
        "/v1/audit/access".to_owned(),
    ];
    for path in &paths {
        let answer = other.get(path).await;
        assert_eq!((answer.status.as_u16(), &*answer.code()), (403, "forbidden"), "{path}");
        assert_eq!(auditor.get(path).await.status, 200, "{path}");
    }
    let body = json!({"kind": "note", "subject": transaction, "reason": "To see whether I may"});
    assert_eq!(other.post("/v1/audit/openings", &body).await.status, 403);
    let lines = logged(&scene).await;
    assert!(lines.iter().all(|line| !line.1.ends_with("_opened")), "{lines:?}");
    assert_eq!(scene.bahi.engine.status().borrow().head.position, head);
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_looked_through_by_place_stream_and_type() {
    let (scene, auditor, _) = scene().await;
    let head = scene.bahi.engine.status().borrow().head.position;
    let events = all(&auditor, "/v1/audit/events").await;
    let positions: Vec<u64> = events.iter().map(|e| e["position"].as_u64().unwrap()).collect();
    let expected: Vec<u64> = (1..=head).rev().collect();
    assert_eq!(positions, expected, "all of it, the newest first");
    for event in &events {
        let position = event["position"].as_u64().unwrap();
        let one = auditor.get(&format!("/v1/audit/events/{position}")).await;
        assert_eq!(one.position(), position);
        let mut one = one.json();
        let before = one.as_object_mut().unwrap().remove("hash_before").unwrap();
        assert_eq!(&one, event);
        let older = events.iter().find(|e| e["position"].as_u64() == Some(position - 1));
        let zeros = json!("0".repeat(64));
        assert_eq!(&before, older.map_or(&zeros, |older| &older["hash"]), "{position}");
    }
    let credits = all(&auditor, "/v1/audit/events?type=credited&stream_type=account").await;
    assert!(credits.len() >= 2 && credits.iter().all(|e| e["type"] == "credited"));
    let opened = "/v1/audit/events?type=opened&stream_id=till:main:INR";
    assert_eq!(all(&auditor, opened).await.len(), 1);
    let between = all(&auditor, "/v1/audit/events?after_position=2&as_of_position=4").await;
    let between: Vec<_> = between.iter().map(|e| e["position"].as_u64().unwrap()).collect();
    assert_eq!(between, [4, 3]);
    assert!(all(&auditor, "/v1/audit/events?as_of_time=2020-01-01T00:00:00Z").await.is_empty());
    assert!(all(&auditor, "/v1/audit/events?type=%00").await.is_empty());
    let ahead = format!("/v1/audit/events?as_of_position={}", head + 1);
    for (path, status, code) in [
        (ahead.as_str(), 422, "position_ahead"),
        ("/v1/audit/events?as_of_position=1&as_of_time=2026-01-01T00:00:00Z", 422, "invalid"),
        ("/v1/audit/events?format=ndjson&type=opened", 422, "invalid"),
        ("/v1/audit/events?limit=101", 422, "invalid"),
        ("/v1/audit/events?cursor=AAAA", 400, "cursor_invalid"),
        ("/v1/audit/events/0", 404, "not_found"),
    ] {
        let answer = auditor.get(path).await;
        assert_eq!((answer.status.as_u16(), &*answer.code()), (status, code), "{path}");
    }
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_143_the_log_as_a_file_is_the_export_and_taking_it_is_written_down() {
    let (scene, auditor, _) = scene().await;
    let lines = logged(&scene).await.len();
    let answer = auditor.get("/v1/audit/events?format=ndjson").await;
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    let mut expected = Vec::new();
    let pool = scene.bahi.database.pool().await;
    audit::export(&pool, &mut expected, |_| {}).await.unwrap();
    assert_eq!(answer.text.as_bytes(), expected, "byte by byte what the command writes");
    let verify =
        |text: &str| audit::verify_export(text.as_bytes(), &Options::default(), |_| {}).unwrap();
    let report = verify(&answer.text);
    assert!(report.verified, "{report}");
    let (cut, _) = answer.text.trim_end().rsplit_once('\n').unwrap();
    assert!(!verify(cut).verified, "without its last line it is cut");
    let (who, what, ..) = logged(&scene).await.remove(lines);
    assert_eq!((who.as_str(), what.as_str()), ("usha", "log_exported"));
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_read_as_of_any_place_and_sum_to_the_tree() {
    let (scene, auditor, transaction) = scene().await;
    let head = scene.bahi.engine.status().borrow().head.position;
    for place in [head, head - 1, head / 2, 1] {
        let path = format!("/v1/audit/account-tree?as_of_position={place}");
        let tree = auditor.get(&path).await.made();
        for branch in tree["data"].as_array().unwrap() {
            let name = branch["branch"].as_str().unwrap();
            let path = format!("/v1/audit/accounts?branch={name}&as_of_position={place}");
            let accounts = all(&auditor, &path).await;
            let open: Vec<&Value> = accounts.iter().filter(|a| !a["balance"].is_null()).collect();
            assert_eq!(json!(open.len()), branch["accounts"], "{name} at {place}");
            let sum: rust_decimal::Decimal = open
                .iter()
                .map(|a| a["balance"]["value"].as_str().unwrap())
                .map(|value| value.parse::<rust_decimal::Decimal>().unwrap())
                .sum();
            assert_eq!(json!(sum.to_string()), branch["balance"]["value"], "{name} at {place}");
        }
    }
    let by_day = auditor.get("/v1/audit/account-tree?as_of_date=2026-11-21").await.made();
    assert_eq!(by_day["data"], json!([]), "nothing belongs to that day");

    let wallets = all(&auditor, "/v1/audit/accounts?branch=wallet").await;
    let asha = &wallets[0];
    let id = asha["id"].as_str().unwrap();
    assert_eq!((&asha["holder"], &asha["balance"]["value"]), (&json!("person"), &json!("100.00")));
    assert!(asha["subject"].as_str().unwrap().starts_with("usr_"), "{asha}");
    let early = auditor.get(&format!("/v1/audit/accounts/{id}?as_of_position=1")).await.made();
    assert_eq!((&early["balance"], &early["held"]), (&Value::Null, &Value::Null));
    let day = auditor.get(&format!("/v1/audit/accounts/{id}?as_of_date=2026-11-21")).await.made();
    assert_eq!(day["balance"]["value"], "0.00");

    let entries = all(&auditor, &format!("/v1/audit/accounts/{id}/entries")).await;
    let shown: Vec<_> = entries
        .iter()
        .map(|e| (e["direction"].as_str().unwrap(), e["balance_after"]["value"].as_str().unwrap()))
        .collect();
    assert_eq!(shown, [("debit", "100.00"), ("credit", "120.00")]);
    assert_eq!(
        (&entries[0]["transaction"], &entries[0]["has_note"]),
        (&json!(transaction), &json!(true))
    );
    let last = entries[0]["position"].as_u64().unwrap();
    let before = format!("/v1/audit/accounts/{id}/entries?as_of_position={}", last - 1);
    assert_eq!(all(&auditor, &before).await, entries[1..]);
    let none = format!("/v1/audit/accounts/{id}/entries?as_of_position=1");
    assert!(all(&auditor, &none).await.is_empty());
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_177_words_and_names_are_masked_until_they_are_opened_with_a_reason() {
    let (scene, auditor, transaction) = scene().await;
    let wallets = all(&auditor, "/v1/audit/accounts?branch=wallet").await;
    let person = wallets[0]["subject"].as_str().unwrap();
    let wallet = wallets[0]["id"].as_str().unwrap();
    for path in [
        format!("/v1/audit/transactions/{transaction}"),
        format!("/v1/audit/accounts/{wallet}"),
        format!("/v1/audit/accounts/{wallet}/entries"),
        "/v1/audit/accounts".to_owned(),
        "/v1/audit/events?limit=100".to_owned(),
    ] {
        let text = auditor.get(&path).await.text;
        assert!(!text.contains(NOTE) && !text.contains("asha"), "{path}: {text}");
    }
    let seen = auditor.get(&format!("/v1/audit/transactions/{transaction}")).await.made();
    assert_eq!((&seen["has_note"], &seen["by"]["actor"]), (&json!(true), &json!("admin")));
    assert_eq!((&seen["cause"], &seen["legs"][0]["account"]), (&Value::Null, &json!(wallet)));

    let lines = logged(&scene).await.len();
    let open = async |kind: &str, subject: &str, reason: &str| {
        let body = json!({"kind": kind, "subject": subject, "reason": reason});
        send(auditor.request(Method::POST, "/v1/audit/openings").json(&body)).await
    };
    for (kind, subject, reason, status) in [
        ("note", transaction.as_str(), "x", 422),
        ("note", transaction.as_str(), "\r\n\u{1b}   ", 422),
        ("note", "txn_1", "A good reason", 404),
        ("name", "usr_1", "A good reason", 404),
        ("message", "seven", "A good reason", 404),
        ("secret", person, "A good reason", 422),
    ] {
        let answer = open(kind, subject, reason).await;
        assert_eq!(answer.status.as_u16(), status, "{kind} {subject}: {}", answer.text);
    }
    assert_eq!(logged(&scene).await.len(), lines, "nothing was seen and nothing written down");

    let note = open("note", &transaction, "Letter of 20 November\r\nforged line").await.made();
    assert_eq!((&note["note"], &note["is_empty"]), (&json!(NOTE), &json!(false)));
    let name = open("name", person, "Letter of 20 November").await.made();
    assert_eq!((&name["name"], &name["handle"]), (&json!("asha Rao"), &json!("asha")));
    let written = logged(&scene).await.split_off(lines);
    let expected = [
        ("usha", "note_opened", transaction.as_str(), "Letter of 20 November  forged line"),
        ("usha", "name_opened", person, "Letter of 20 November"),
    ];
    for (line, expected) in written.iter().zip(expected) {
        let (who, what, subject, reason) = line;
        assert_eq!((who.as_str(), what.as_str(), subject.as_str(), reason.as_str()), expected);
    }
    assert_eq!(written.len(), expected.len());
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_are_files_by_the_auditors_role_and_the_same_question_has_the_same_bytes() {
    let (scene, auditor, _) = scene().await;
    let head = scene.bahi.engine.status().borrow().head.position;
    let file = async |path: &str| {
        let answer = auditor.request(Method::GET, path).send().await.unwrap();
        let headers = answer.headers().clone();
        (headers, answer.bytes().await.unwrap())
    };
    for (path, name) in [
        (format!("/v1/audit/trial-balance?as_of_position={head}&format="), "trial_balance"),
        ("/v1/audit/balance-sheet?compare_with=2026-10-31&format=".to_owned(), "balance_sheet"),
        (
            "/v1/audit/profit-and-loss?from=2026-11-01&to=2026-11-30&format=".to_owned(),
            "profit_and_loss",
        ),
    ] {
        let (headers, pdf) = file(&format!("{path}pdf")).await;
        assert_eq!(headers["content-type"], "application/pdf", "{name}");
        assert_eq!(
            headers["content-disposition"],
            format!("attachment; filename=\"{name}-{head}.pdf\"").as_str()
        );
        assert!(pdf.starts_with(b"%PDF-"), "{name}");
        assert_eq!(file(&format!("{path}pdf")).await.1, pdf, "{name}");
        let (headers, csv) = file(&format!("{path}csv")).await;
        assert!(headers["content-type"].to_str().unwrap().starts_with("text/csv"), "{name}");
        assert!(csv.starts_with(b"report,currency,type,class,account,"), "{name}");
    }
    for (path, status, code) in [
        (format!("/v1/audit/trial-balance?as_of_position={}", head + 1), 422, "position_ahead"),
        ("/v1/audit/balance-sheet?as_of_position=1&as_of_date=2026-11-01".into(), 422, "invalid"),
        ("/v1/audit/trial-balance?format=docx".into(), 422, "invalid"),
    ] {
        let answer = auditor.get(&path).await;
        assert_eq!((answer.status.as_u16(), &*answer.code()), (status, code), "{path}");
    }
    scene.finish().await;
}
