//! What people reach: their own, by the routes that are opened to them, and nothing else.

use reqwest::Method;
use serde_json::{Value, json};

use super::person::{Person, Scene};
use crate::support::bahi::{Reply, fresh_key, send};

/// What is opened to people. Everything else refuses them, whatever else is added.
const OPENED: &[&str] = &[
    "POST /v1/deposits",
    "GET /v1/deposits",
    "GET /v1/deposits/{id}",
    "POST /v1/deposits/{id}/cancel",
    "POST /v1/withdrawals",
    "GET /v1/withdrawals",
    "GET /v1/withdrawals/{id}",
    "POST /v1/withdrawals/{id}/cancel",
    "POST /v1/withdrawal-quotes",
    "POST /v1/bank-accounts",
    "GET /v1/bank-accounts",
    "GET /v1/bank-accounts/{id}",
    "DELETE /v1/bank-accounts/{id}",
    "POST /v1/bank-accounts/{id}/verify",
    "GET /v1/banks",
    "GET /v1/currencies",
    "GET /v1/tiers",
    "GET /v1/accounts/{id}/usage",
    "POST /v1/transfers",
    "GET /v1/transfers",
    "GET /v1/transfers/{id}",
    "POST /v1/transfers/{id}/claim",
    "POST /v1/transfers/{id}/cancel",
    "GET /v1/balances",
    "GET /v1/balances/history",
    "GET /v1/activity",
    "GET /v1/activity/{id}",
    "GET /v1/activity/{id}/receipt",
    "POST /v1/activity/{id}/reports",
    "GET /v1/activity/{id}/reports",
    "GET /v1/statements",
    "GET /v1/statements/proofs/{position}",
    "POST /v1/statement-files",
    "GET /v1/statement-files/{id}",
    "GET /v1/statement-files/{id}/content",
    "GET /v1/recipients/lookup",
    "POST /v1/qr-codes/read",
    "GET /v1/me/events",
    "GET /v1/payment-requests/{id}",
    "POST /v1/payments",
    "GET /v1/payments",
    "GET /v1/payments/{id}",
    "POST /v1/payments/{id}/dispute",
    "GET /v1/payments/{id}/dispute",
    "POST /v1/payments/{id}/dispute/evidence",
    "GET /v1/refunds/{id}",
];

/// Of people themselves: signing up, sessions, their own data. Other tests are about those.
const OF_PEOPLE: &[&str] = &[
    "/v1/signup",
    "/v1/login",
    "/v1/logout",
    "/v1/me",
    "/v1/password",
    "/v1/verifications",
    "/v1/sessions",
    "/v1/transfers/waiting",
    "/v1/oauth",
];

fn is_of_people(path: &str) -> bool {
    let same = |route: &&&str| {
        let rest = path.strip_prefix(**route);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    path != "/v1/me/events" && OF_PEOPLE.iter().any(|route| same(&route))
}

async fn ask(person: &Person, method: &Method, path: &str, body: &Value) -> Reply {
    let request = person.request(method.clone(), path);
    if *method == Method::GET {
        return send(request).await;
    }
    send(request.header("idempotency-key", fresh_key()).json(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn case_142_every_route_refuses_people_but_those_that_are_opened() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "100.00").await;
    let ravi = scene.person("ravi", "100.00").await;
    let document = scene.admin.get("/openapi.json").await.made();
    let (mut refused, mut opened) = (0, Vec::new());
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let name = format!("{method} {path}");
            if !path.starts_with("/v1/") || is_of_people(path) {
                continue;
            }
            if OPENED.contains(&name.as_str()) {
                opened.push(name);
                continue;
            }
            let asked = path
                .replace("{id}", if path.contains("accounts") { &asha.wallet } else { "x" })
                .replace("{number}", "1")
                .replace("{size}", "1")
                .replace("{position}", "1")
                .replace("{reference}", "x")
                .replace("{bank}", "hdfc");
            let body = &operation["requestBody"]["content"]["application/json"]["example"];
            let body = if body.is_null() { json!({}) } else { body.clone() };
            for person in [&asha, &ravi] {
                let answer = ask(person, &method, &asked, &body).await;
                let status = answer.status.as_u16();
                assert!([403, 404, 422].contains(&status), "{name}: {} {}", status, answer.text);
                // What is said before it is known who asks tells nothing of anything.
                assert!(
                    status != 422 || answer.code() == "invalid" && !answer.text.contains("wallet:"),
                    "{name}: {}",
                    answer.text
                );
                let shown = answer.status.is_success();
                assert!(!shown, "{name}");
                refused += 1;
            }
        }
    }
    opened.sort();
    let mut listed: Vec<String> = OPENED.iter().map(|name| (*name).to_owned()).collect();
    listed.sort();
    assert_eq!(opened, listed, "what is opened and what is listed here differ");
    assert!(refused > 60, "{refused}");
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_142_no_spelling_of_an_address_opens_it() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "100.00").await;
    for (method, path) in [
        (Method::GET, "/v1/accounts/"),
        (Method::GET, "/v1//accounts"),
        (Method::GET, "/V1/accounts"),
        (Method::GET, "/v1/%61ccounts"),
        (Method::GET, "/v1/ops%2Fwithdrawals"),
        (Method::PUT, "/v1/deposits"),
        (Method::PATCH, "/v1/accounts"),
    ] {
        let request = asha.request(method.clone(), path).header("x-http-method-override", "GET");
        let status = send(request).await.status.as_u16();
        assert!([403, 404, 405].contains(&status), "{method} {path}: {status}");
    }
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_25_58_140_what_is_somebody_elses_is_not_there() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "500.00").await;
    let ravi = scene.person("ravi", "500.00").await;
    let money = |value: &str| json!({"value": value, "currency": "INR"});
    let deposit = asha.post("/v1/deposits", &json!({"amount": money("50.00")})).await.made();
    let deposit = deposit["id"].as_str().unwrap().to_owned();
    let bank_account = asha.bank_account().await;
    let transfer = json!({"to": {"handle": "ravi"}, "amount": money("5.00")});
    let to_ravi = asha.post("/v1/transfers", &transfer).await.made();
    let to_ravi = to_ravi["id"].as_str().unwrap().to_owned();
    scene.projected().await;

    let theirs = [
        (Method::GET, format!("/v1/deposits/{deposit}")),
        (Method::POST, format!("/v1/deposits/{deposit}/cancel")),
        (Method::GET, format!("/v1/deposits?account={}", asha.wallet)),
        (Method::GET, format!("/v1/bank-accounts/{bank_account}")),
        (Method::GET, format!("/v1/bank-accounts?owner={}", asha.id)),
        (Method::POST, format!("/v1/bank-accounts/{bank_account}/verify")),
        (Method::DELETE, format!("/v1/bank-accounts/{bank_account}")),
        (Method::GET, format!("/v1/withdrawals?account={}", asha.wallet)),
        (Method::GET, format!("/v1/accounts/{}/usage", asha.wallet)),
        (Method::GET, format!("/v1/activity/{deposit}")),
        (Method::GET, format!("/v1/activity/{deposit}/receipt")),
    ];
    for (method, path) in &theirs {
        let answer = ask(&ravi, method, path, &json!({})).await;
        assert_eq!(answer.status, 404, "{method} {path}: {}", answer.text);
        let nobodys = path.replace(&deposit, "dep_01935c3a5e7c7d3e8f00a1b2c3d4e5f7");
        let nobodys = nobodys.replace(&bank_account, "ba_01935c3a5e7c7d3e8f00a1b2c3d4e5f7");
        if nobodys != *path {
            let absent = ask(&ravi, method, &nobodys, &json!({})).await;
            let said = |reply: &Reply| (reply.status, reply.code(), reply.json()["detail"].clone());
            assert_eq!(said(&absent), said(&answer), "{method} {path}");
        }
    }
    // Nor can it be named in a body.
    for (path, body) in [
        ("/v1/deposits", json!({"account": asha.wallet, "amount": money("5.00")})),
        ("/v1/withdrawal-quotes", json!({"account": asha.wallet, "amount": money("5.00")})),
        (
            "/v1/withdrawals",
            json!({"account": asha.wallet, "amount": money("5.00"), "bank_account": bank_account}),
        ),
        ("/v1/withdrawals", json!({"amount": money("5.00"), "bank_account": bank_account})),
        (
            "/v1/transfers",
            json!({"account": asha.wallet, "to": {"handle": "ravi"}, "amount": money("5.00")}),
        ),
        (
            "/v1/bank-accounts",
            json!({"owner": asha.id, "account_number": "001234567890",
                "ifsc": "TEST0000001", "name": "Asha Rao"}),
        ),
    ] {
        let answer = ravi.post(path, &body).await;
        assert!([403, 404].contains(&answer.status.as_u16()), "{path}: {}", answer.text);
    }
    // Their own is there, and what was sent is on both sides.
    assert!(asha.get(&format!("/v1/deposits/{deposit}")).await.status.is_success());
    assert!(asha.get(&format!("/v1/bank-accounts/{bank_account}")).await.status.is_success());
    for person in [&asha, &ravi] {
        person.get(&format!("/v1/activity/{to_ravi}")).await.made();
    }
    assert_eq!(ravi.get("/v1/deposits").await.made()["data"], json!([]));
    assert_eq!(ravi.get("/v1/bank-accounts").await.made()["data"], json!([]));
    scene.finish().await;
}
