//! What every answer has, whatever was asked.

use axum::{
    body::{Body, Bytes},
    http::{Method, Request, StatusCode},
};
use futures::stream;
use ledger_core::engine::SubmitError;

use super::*;
use crate::http::testing::WEAK_KEY;

/// All operations of the document, with the example of the request.
fn operations() -> Vec<(Method, String, Option<String>)> {
    let document: Value =
        serde_json::from_str(&crate::routes::openapi::document().unwrap()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let example = &operation["requestBody"]["content"]["application/json"]["example"];
            let body = (!example.is_null()).then(|| example.to_string());
            let path = path
                .replace("/accounts/{id}", "/accounts/wallet:a:INR")
                .replace(
                    "/bank-accounts/{id}",
                    "/bank-accounts/ba_00000000000000000000000000000007",
                )
                .replace("{reference}", "order-1")
                .replace("{bank}", "hdfc")
                .replace("{number}", "7")
                .replace("{size}", "7")
                .replace("{position}", "7")
                .replace("/inbound/{id}", "/inbound/7")
                .replace("/transfers/{id}", "/transfers/tr_00000000000000000000000000000007")
                .replace("/holds/{id}", "/holds/hold_00000000000000000000000000000007")
                .replace(
                    "/virtual-accounts/{id}",
                    "/virtual-accounts/va_00000000000000000000000000000007",
                )
                .replace(
                    "/ops/merchants/{id}",
                    "/ops/merchants/mer_00000000000000000000000000000007",
                )
                .replace("/ops/reports/{id}", "/ops/reports/rp_00000000000000000000000000000007")
                .replace("/bank-lines/{id}", "/bank-lines/bl_00000000000000000000000000000007")
                .replace(
                    "/treasury-moves/{id}",
                    "/treasury-moves/tm_00000000000000000000000000000007",
                )
                .replace("/payments/{id}", "/payments/pay_00000000000000000000000000000007")
                .replace(
                    "/statement-files/{id}",
                    "/statement-files/sf_00000000000000000000000000000007",
                )
                .replace("/refunds/{id}", "/refunds/rf_00000000000000000000000000000007")
                .replace("/settlements/{id}", "/settlements/set_00000000000000000000000000000007")
                .replace(
                    "/payment-requests/{id}",
                    "/payment-requests/pr_00000000000000000000000000000007",
                )
                .replace("/outside/{id}", "/outside/wd_00000000000000000000000000000007")
                .replace("/receivables/{id}", "/receivables/receivable:overpaid:a:INR")
                .replace("/deliveries/{id}", "/deliveries/whd_00000000000000000000000000000007")
                .replace(
                    "/webhook-endpoints/{id}",
                    "/webhook-endpoints/we_00000000000000000000000000000007",
                )
                .replace("/deposits/{id}", "/deposits/dep_00000000000000000000000000000007")
                .replace("/withdrawals/{id}", "/withdrawals/wd_00000000000000000000000000000007")
                .replace("{id}", "txn_00000000000000000000000000000007");
            let method = method.to_uppercase().parse().unwrap();
            operations.push((method, path, body));
        }
    }
    operations
}

fn request(method: &Method, path: &str, body: Option<&String>, key: Option<&str>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    if *method != Method::GET {
        request = request.header("idempotency-key", "k-1");
    }
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    request.body(Body::from(body.cloned().unwrap_or_default())).unwrap()
}

/// How people come in: whoever has neither a key nor a session may ask.
const OF_ANYBODY: [&str; 4] =
    ["/v1/signup", "/v1/login", "/v1/password/forgot", "/v1/password/reset"];

/// What asks for a session, which no key is.
fn is_of_sessions(path: &str) -> bool {
    let alone = ["/v1/logout", "/v1/me", "/v1/password", "/v1/sessions", "/v1/verifications"];
    let below = ["/v1/me/", "/v1/sessions/", "/v1/verifications/"];
    alone.contains(&path) || below.iter().any(|start| path.starts_with(start))
}

#[tokio::test]
async fn every_operation_needs_a_key() {
    let (router, ledger) = over(accepting());
    let mut tried = 0;
    for (method, path, body) in operations() {
        if !path.starts_with("/v1/") || OF_ANYBODY.contains(&&*path) {
            continue;
        }
        for key in [None, Some("nonsense"), Some(&*format!("bahi_test_{}", "C".repeat(43)))] {
            let answer = send(&router, request(&method, &path, body.as_ref(), key)).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
            tried += 1;
            if is_of_sessions(&path) && answer.code() == "signed_out" {
                continue;
            }
            assert_eq!(answer.code(), "unauthenticated", "{method} {path}");
            assert!(answer.header("www-authenticate").starts_with("Bearer"));
        }
    }
    assert!(tried > 60, "{tried}");
    assert!(ledger.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_key_does_only_what_its_scopes_say() {
    let (router, ledger) = over(accepting());
    let mut refused = 0;
    // The rules of the book: every key may see them.
    let open = ["/v1/currencies", "/v1/tiers"];
    for (method, path, body) in operations() {
        let query = match path.as_str() {
            "/v1/holds" | "/v1/virtual-accounts" if method == Method::GET => {
                "?account=wallet:a:INR"
            }
            "/v1/bank-accounts" if method == Method::GET => "?owner=asha",
            "/v1/ops/bank-statements" => "?bank=hdfc&format=json",
            _ => "",
        };
        let path = format!("{path}{query}");
        if OF_ANYBODY.contains(&&*path) {
            continue;
        }
        let answer = send(&router, request(&method, &path, body.as_ref(), Some(WEAK_KEY))).await;
        if is_of_sessions(&path) && answer.code() == "signed_out" {
            continue;
        }
        let of_money = ["/v1/accounts", "/v1/settlements"];
        let balances = method == Method::GET
            && (of_money.iter().any(|start| path.starts_with(start))
                || path.ends_with("/composition"));
        // What `balances:read` opens stops at the database, which is not there.
        if balances {
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{method} {path}");
        } else if path.starts_with("/v1/") && !open.contains(&&*path) || method == Method::POST {
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path}");
            assert_eq!(answer.code(), "forbidden");
            refused += 1;
        }
    }
    assert!(refused > 15, "{refused}");
    assert!(ledger.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn every_answer_has_the_headers() {
    let (router, _) = over(accepting());
    let paths =
        ["/healthz", "/v1/accounts", "/nowhere", "/openapi.json", "/docs/", "/v1/currencies"];
    for path in paths {
        let answer = send(&router, get(path)).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
            ("strict-transport-security", "max-age=31536000; includeSubDomains"),
            ("ledger-position", "7"),
        ] {
            assert_eq!(answer.header(name), value, "{path} {name}");
        }
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"));
        assert!(answer.header("request-id").starts_with("req_"), "{path}");
        assert!(answer.headers.get("access-control-allow-origin").is_none());
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let (router, _) = over(accepting());
    let nowhere = send(&router, get("/v1/nowhere")).await;
    assert_eq!((nowhere.status, &*nowhere.code()), (StatusCode::NOT_FOUND, "not_found"));
    let body = nowhere.json();
    assert_eq!(body["instance"], "/v1/nowhere");
    assert_eq!(body["type"], "/problems/not_found");
    assert_eq!(body["request_id"], nowhere.header("request-id"));
    assert_eq!((&body["status"], &body["retry"]), (&404.into(), &"never".into()));

    let mut overridden = get("/v1/accounts/wallet:a:INR/freezes/order-1");
    overridden.headers_mut().insert("x-http-method-override", "DELETE".parse().unwrap());
    assert_eq!(send(&router, overridden).await.status, StatusCode::METHOD_NOT_ALLOWED);

    for method in ["PUT", "BREW"] {
        let mut request = get("/v1/accounts");
        *request.method_mut() = method.parse().unwrap();
        let answer = send(&router, request).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.code(), "method_not_allowed");
        assert!(answer.header("allow").contains("POST"), "{}", answer.header("allow"));
    }
    for path in [
        "/v1/accounts/",
        "/V1/accounts",
        "/v1//accounts",
        "/v1/accounts%2Fwallet:a:INR",
        "/v1/accounts/Not%20An%20Id",
        "/v1/holds/hold_1",
        "/v1/transactions/%00",
    ] {
        let answer = send(&router, get(path)).await;
        assert_eq!((answer.status, &*answer.code()), (StatusCode::NOT_FOUND, "not_found"));
    }
}

#[tokio::test]
async fn case_165_bodies_are_bounded_plain_json() {
    let (router, ledger) = over(accepting());
    let path = "/v1/transactions";

    let announced = send(&router, post(path, &" ".repeat(64 * 1024 + 1))).await;
    assert_eq!(announced.status, StatusCode::PAYLOAD_TOO_LARGE);

    // Without a stated length, and without an end.
    let endless =
        stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b' '; 1024])));
    let mut request = post(path, "");
    *request.body_mut() = Body::from_stream(endless);
    let answer = send(&router, request).await;
    assert_eq!((answer.status, &*answer.code()), (StatusCode::PAYLOAD_TOO_LARGE, "too_large"));

    let bulk = format!("{{\"items\":[{TRANSFER}]}}{}", " ".repeat(100_000));
    assert_eq!(send(&router, post("/v1/transactions/bulk", &bulk)).await.status, StatusCode::OK);

    for (name, value) in [
        ("content-type", "text/plain"),
        ("content-type", "application/json; charset=latin1"),
        ("content-encoding", "gzip"),
    ] {
        let mut request = post(path, TRANSFER);
        request.headers_mut().insert(name, value.parse().unwrap());
        let answer = send(&router, request).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{value}");
    }
    assert_eq!(ledger.asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn case_164_parameters_are_strict() {
    let (router, _) = over(accepting());
    for (query, pointer) in [
        ("limit=0", "?limit"),
        ("limit=-1", "?limit"),
        ("limit=1000000000", "?limit"),
        ("sort=owner", "?sort"),
        ("owner=a&owner=b", "?owner"),
        ("min_position=x", "?min_position"),
    ] {
        let answer = send(&router, get(&format!("/v1/accounts?{query}"))).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        assert_eq!(answer.json()["errors"][0]["pointer"], pointer, "{query}");
    }
    let forged = send(&router, get("/v1/accounts?cursor=%27%20or%201=1")).await;
    assert_eq!((forged.status, &*forged.code()), (StatusCode::BAD_REQUEST, "cursor_invalid"));
}

#[tokio::test]
async fn case_41_a_panic_is_a_problem_and_hurts_nobody_else() {
    let (router, ledger) = over(FakeLedger::new(|command| {
        assert!(command.request.to_string().is_empty(), "made to fail");
        Err(SubmitError::Halted)
    }));
    let answer = send(&router, post("/v1/transactions", TRANSFER)).await;
    assert_eq!((answer.status, &*answer.code()), (StatusCode::INTERNAL_SERVER_ERROR, "internal"));
    let body = answer.json();
    assert_eq!((&body["funds"], &body["retry"]), (&"unknown".into(), &"same_key".into()));
    assert!(!String::from_utf8_lossy(&answer.bytes).contains("made to fail"));
    assert_eq!(ledger.asked.lock().unwrap().len(), 1);
    assert_eq!(send(&router, get("/healthz")).await.status, StatusCode::OK);
    assert_eq!(send(&router, get("/v1/currencies")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn case_53_a_write_that_takes_too_long_is_unknown_and_not_failed() {
    let ledger = Arc::new(accepting().slow(Duration::from_secs(3600)));
    let router = router(state(ledger, Duration::from_millis(50)));
    let answer = send(&router, post("/v1/transactions", TRANSFER)).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.code(), "outcome_unknown");
    let body = answer.json();
    assert_eq!((&body["funds"], &body["retry"]), (&"unknown".into(), &"same_key".into()));
    assert_eq!(answer.header("retry-after"), "1");
}

#[tokio::test]
async fn case_55_reads_without_a_database_are_refused_and_not_blocked() {
    let (router, _) = over(accepting());
    let answer = send(&router, get("/v1/accounts/wallet:a:INR")).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.code(), "ledger_unavailable");
    let ready = send(&router, get("/readyz")).await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ready.json()["reasons"][0], "the database does not answer");
}

#[tokio::test]
async fn the_documentation_is_served_and_loads_nothing_from_elsewhere() {
    let (router, _) = over(accepting());
    let page = send(&router, get("/docs/")).await;
    assert_eq!(page.status, StatusCode::OK);
    let html = String::from_utf8(page.bytes).unwrap();
    assert!(html.contains("swagger-ui"), "{html}");
    assert!(!html.contains("https://") && !html.contains("src=\"http"), "{html}");
    for inline in ["<script>", "onload="] {
        assert!(!html.contains(inline), "the policy forbids {inline}");
    }
    for asset in ["swagger-ui-bundle.js", "swagger-ui.css", "swagger-initializer.js"] {
        assert_eq!(send(&router, get(&format!("/docs/{asset}"))).await.status, StatusCode::OK);
    }

    let document = send(&router, get("/openapi.json")).await;
    assert_eq!(document.json()["info"]["title"], "Bahi");
    let problem = send(&router, get("/problems/insufficient_funds")).await;
    assert!(problem.header("content-type").starts_with("text/html"));
    let page = String::from_utf8(problem.bytes).unwrap();
    assert!(page.contains("Not enough available"), "{page}");
    assert!(page.contains("<code>available</code>") && !page.contains('`'), "{page}");
    assert!(page.contains("id=\"main\"") && page.matches("<h1").count() == 1, "{page}");
    assert_eq!(send(&router, get("/problems/nonsense")).await.status, StatusCode::NOT_FOUND);
}
