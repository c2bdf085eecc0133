//! Writes: validation before the engine is asked, and answers made from its outcomes.

use axum::http::StatusCode;

use super::*;

async fn refused(path: &str, body: &str) -> (u16, String, Value) {
    let (router, ledger) = over(accepting());
    let answer = send(&router, post(path, body)).await;
    assert!(ledger.asked.lock().unwrap().is_empty(), "it reached the engine: {body}");
    let pointer = answer.json()["errors"][0]["pointer"].clone();
    (answer.status.as_u16(), answer.code(), pointer)
}

#[tokio::test]
async fn a_transaction_is_answered_from_request_and_outcome() {
    let (router, ledger) = over(accepting());
    let answer = send(&router, post("/v1/transactions", TRANSFER)).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let body = answer.json();
    let id = body["id"].as_str().unwrap().to_owned();
    assert_eq!(answer.header("location"), format!("/v1/transactions/{id}"));
    assert_eq!(answer.header("ledger-position"), "7");
    assert_eq!(answer.header("idempotent-replayed"), "");
    assert_eq!(body["legs"][0]["amount"], serde_json::json!({"value":"12.00","currency":"INR"}));
    assert_eq!(body["legs"][1]["account"], "wallet:b:INR");
    assert_eq!((&body["status"], &body["final"]), (&"posted".into(), &true.into()));

    let asked = ledger.asked.lock().unwrap();
    let [command] = &**asked else { panic!("{asked:?}") };
    assert_eq!(command.principal.as_str(), "asha");
    assert_eq!(command.idempotency.as_ref().unwrap().key.as_str(), "k-1");
    assert_eq!(command.request.to_string(), answer.header("request-id"));
}

#[tokio::test]
async fn case_21_and_24_the_same_request_has_the_same_fingerprint_and_another_has_another() {
    let (router, ledger) = over(accepting());
    let path = "/v1/transactions";
    let same = r#"{"amount":{"currency":"INR","value":"12.00"},"kind":"transfer",
                   "credit":"wallet:b:INR","debit":"wallet:\u0061:INR","note":null}"#;
    let other = TRANSFER.replace("\"12\"", "\"13\"");
    let batch = format!("{{\"transactions\":[{TRANSFER}]}}");
    send(&router, post(path, TRANSFER)).await;
    send(&router, post(path, same)).await;
    send(&router, post(path, &other)).await;
    send(&router, post("/v1/transactions/batch", &batch)).await;
    let asked = ledger.asked.lock().unwrap();
    let prints: Vec<_> =
        asked.iter().map(|command| command.idempotency.as_ref().unwrap().fingerprint).collect();
    assert_eq!(prints.len(), 4);
    assert_eq!(prints[0], prints[1]);
    assert_ne!(prints[0], prints[2]);
    assert_ne!(prints[0], prints[3]);
}

#[tokio::test]
async fn a_rejection_is_the_same_to_the_byte_whenever_it_is_asked_for() {
    let first = insufficient();
    let (router, _) = over(FakeLedger::new(move |_| Ok(first.clone())));
    let again = Answer { replayed: true, ..insufficient() };
    let (router_again, _) = over(FakeLedger::new(move |_| Ok(again.clone())));
    let one = send(&router, post("/v1/transactions", TRANSFER)).await;
    let two = send(&router_again, post("/v1/transactions", TRANSFER)).await;
    assert_eq!((one.status, two.status), (StatusCode::UNPROCESSABLE_ENTITY, one.status));
    assert_eq!(one.bytes, two.bytes);
    assert_eq!(
        (one.header("idempotent-replayed"), two.header("idempotent-replayed")),
        ("", "true")
    );
    let body = one.json();
    assert_eq!(body["code"], "insufficient_funds");
    assert_eq!(body["available"], serde_json::json!({"value":"5.00","currency":"INR"}));
    assert_eq!((&body["funds"], &body["account"]), (&"not_moved".into(), &"wallet:a:INR".into()));
    assert!(body.get("request_id").is_none());
}

#[tokio::test]
async fn what_the_engine_cannot_do_has_its_code() {
    for (error, status, code, funds) in [
        (SubmitError::Overloaded, 503, "overloaded", "not_moved"),
        (SubmitError::Unavailable, 503, "ledger_unavailable", "not_moved"),
        (SubmitError::OutcomeUnknown, 503, "outcome_unknown", "unknown"),
        (SubmitError::Halted, 503, "ledger_halted", "not_moved"),
        (SubmitError::KeyReused, 422, "idempotency_key_reused", "not_moved"),
        (SubmitError::Corrupt, 500, "ledger_corrupt", "not_moved"),
    ] {
        let (router, _) = over(refusing(error));
        let answer = send(&router, post("/v1/transactions", TRANSFER)).await;
        assert_eq!((answer.status.as_u16(), &*answer.code()), (status, code));
        assert_eq!(answer.json()["funds"], funds, "{code}");
    }
    let (router, _) = over(refusing(SubmitError::Overloaded));
    let answer = send(&router, post("/v1/transactions", TRANSFER)).await;
    assert_eq!((answer.header("retry-after"), &answer.json()["retry"]), ("1", &"same_key".into()));
}

#[tokio::test]
async fn case_26_the_key_is_required_and_well_formed() {
    let (router, ledger) = over(accepting());
    let mut request = post("/v1/transactions", TRANSFER);
    request.headers_mut().remove("idempotency-key");
    let answer = send(&router, request).await;
    assert_eq!((answer.status.as_u16(), &*answer.code()), (400, "idempotency_key_missing"));
    for bad in ["", "a b", "\"open", &"k".repeat(256)] {
        let mut request = post("/v1/transactions", TRANSFER);
        request.headers_mut().insert("idempotency-key", bad.parse().unwrap());
        let answer = send(&router, request).await;
        assert_eq!((answer.status.as_u16(), &*answer.code()), (400, "idempotency_key_invalid"));
    }
    let mut request = post("/v1/transactions", TRANSFER);
    request.headers_mut().append("idempotency-key", "k-2".parse().unwrap());
    assert_eq!(send(&router, request).await.code(), "idempotency_key_invalid");
    assert!(ledger.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn case_150_to_157_amounts_are_strings_of_plain_decimals() {
    let amount = |value: &str| {
        format!(
            r#"{{"kind":"transfer","debit":"wallet:a:INR","credit":"wallet:b:INR",
                 "amount":{{"value":{value},"currency":"INR"}}}}"#
        )
    };
    for value in ["12", "12.0", "9007199254740993", "null", "true", "[]", "{}"] {
        let (status, code, pointer) = refused("/v1/transactions", &amount(value)).await;
        assert_eq!((status, &*code), (422, "invalid"), "{value}");
        assert_eq!(pointer, "/amount/value", "{value}");
    }
    for value in ["-1", "+1", "1e3", "1_000", "1,000", "0x10", "NaN", "", ".1", "1.", "00", "-0"] {
        let (status, code, _) = refused("/v1/transactions", &amount(&format!("\"{value}\""))).await;
        assert_eq!((status, &*code), (422, "amount_malformed"), "{value}");
    }
    let cases = [
        ("\"0\"", "amount_not_positive"),
        ("\"0.00\"", "amount_not_positive"),
        ("\"1.001\"", "amount_scale"),
        ("\"99999999999999999999999999999\"", "amount_overflow"),
    ];
    for (value, expected) in cases {
        let (status, code, _) = refused("/v1/transactions", &amount(value)).await;
        assert_eq!((status, &*code), (422, expected), "{value}");
    }
    for currency in ["inr", "ZZZ", "", "I\u{200b}NR", "EUR"] {
        let body = amount("\"1\"")
            .replace("\"currency\":\"INR\"", &format!("\"currency\":\"{currency}\""));
        let (status, code, pointer) = refused("/v1/transactions", &body).await;
        assert_eq!((status, &*code), (422, "currency_unknown"), "{currency}");
        assert_eq!(pointer, "/amount/currency");
    }
}

#[tokio::test]
async fn what_is_wrong_in_itself_never_reaches_the_engine() {
    let leg = |account: &str, direction: &str, value: &str| {
        format!(
            r#"{{"account":"{account}:INR","direction":"{direction}",
                 "amount":{{"value":"{value}","currency":"INR"}}}}"#
        )
    };
    let legs = |legs: &[String]| format!(r#"{{"kind":"transfer","legs":[{}]}}"#, legs.join(","));
    let many: Vec<String> = (0..101).map(|n| leg(&format!("wallet:{n}"), "debit", "1")).collect();
    let cases = [
        ("{", 400, "malformed"),
        ("[]", 422, "invalid"),
        ("", 400, "malformed"),
        ("{}", 422, "invalid"),
        (r#"{"kind":"transfer"}"#, 422, "invalid"),
        (&TRANSFER.replace("transfer", "reversal"), 422, "kind_reserved"),
        (&TRANSFER.replace("transfer", "Not Snake"), 422, "invalid"),
        (&TRANSFER.replace("wallet:b", "wallet:a"), 422, "same_account"),
        (&TRANSFER.replace("wallet:b:INR", "wallet:b:JPY"), 422, "currency_mismatch"),
        (&TRANSFER.replace("{\"kind\"", "{\"legs\":[],\"kind\""), 422, "invalid"),
        (&TRANSFER.replace("{\"kind\"", "{\"note\":\"a\\u0000b\",\"kind\""), 422, "invalid"),
        (
            &TRANSFER.replace("{\"kind\"", "{\"effective_on\":\"0001-01-01\",\"kind\""),
            422,
            "invalid",
        ),
        (&TRANSFER.replace("{\"kind\"", "{\"reason\":\"x\",\"kind\""), 422, "invalid"),
        (&TRANSFER.replace("{\"kind\"", "{\"kind\":\"fee\",\"kind\""), 422, "invalid"),
        (&legs(&[leg("wallet:a", "debit", "1")]), 422, "too_few_legs"),
        (&legs(&many), 422, "too_many_legs"),
        (
            &legs(&[leg("wallet:a", "debit", "1"), leg("wallet:b", "credit", "2")]),
            422,
            "unbalanced",
        ),
        (
            &TRANSFER.replace(
                "{\"kind\"",
                "{\"conditions\":[{\"account\":\"wallet:c:INR\",\"sequence\":1}],\"kind\"",
            ),
            422,
            "condition_without_leg",
        ),
    ];
    for (body, status, code) in cases {
        let (is_status, is_code, _) = refused("/v1/transactions", body).await;
        assert_eq!((is_status, &*is_code), (status, code), "{body}");
    }
}

#[tokio::test]
async fn a_batch_says_which_transaction_is_wrong_and_lends_no_authority() {
    let batch = |items: &[&str]| format!(r#"{{"transactions":[{}]}}"#, items.join(","));
    let wrong = TRANSFER.replace("\"12\"", "\"0\"");
    let (status, code, pointer) =
        refused("/v1/transactions/batch", &batch(&[TRANSFER, &wrong])).await;
    assert_eq!((status, &*code), (422, "amount_not_positive"));
    assert_eq!(pointer, "/transactions/1/amount/value");

    let deposit = TRANSFER.replace("transfer", "deposit");
    let (status, code, pointer) =
        refused("/v1/transactions/batch", &batch(&[TRANSFER, &deposit])).await;
    assert_eq!((status, &*code), (422, "invalid"));
    assert_eq!(pointer, "/transactions/1/kind");
    let (_, code, _) = refused("/v1/transactions/batch", r#"{"transactions":[]}"#).await;
    assert_eq!(code, "invalid");

    let (router, _) = over(accepting());
    let answer = send(&router, post("/v1/transactions/batch", &batch(&[TRANSFER, TRANSFER]))).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(answer.json()["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn each_bulk_item_has_its_own_key_and_outcome() {
    let wrong = TRANSFER.replace("\"12\"", "\"1.234\"");
    let poor = TRANSFER.replace("\"12\"", "\"99\"");
    let body = format!(r#"{{"items":[{TRANSFER},{wrong},{poor}]}}"#);
    let (router, ledger) = over(FakeLedger::new(|command| {
        let key = command.idempotency.as_ref().unwrap().key.as_str();
        if key.ends_with("/2") { Ok(insufficient()) } else { Ok(posted(command)) }
    }));
    let answer = send(&router, post("/v1/transactions/bulk", &body)).await;
    assert_eq!(answer.status, StatusCode::OK);
    let data = answer.json()["data"].clone();
    assert_eq!((&data[0]["status"], &data[0]["index"]), (&201.into(), &0.into()));
    assert!(data[0]["transaction"]["id"].as_str().unwrap().starts_with("txn_"));
    assert_eq!(data[1]["problem"]["code"], "amount_scale");
    assert_eq!(data[2]["problem"]["code"], "insufficient_funds");
    let asked = ledger.asked.lock().unwrap();
    let keys: Vec<&str> =
        asked.iter().map(|c| c.idempotency.as_ref().unwrap().key.as_str()).collect();
    assert_eq!(keys, ["k-1/0", "k-1/2"]);
}

#[tokio::test]
async fn a_dry_run_needs_no_key_and_carries_none() {
    let (router, ledger) = over(accepting());
    let mut request = post("/v1/transactions?dry_run=true", TRANSFER);
    request.headers_mut().remove("idempotency-key");
    let answer = send(&router, request).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json()["object"], "dry_run");
    assert!(ledger.asked.lock().unwrap()[0].idempotency.is_none());
}
