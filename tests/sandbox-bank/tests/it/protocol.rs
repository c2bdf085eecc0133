//! The server itself: who may call, what it refuses, and how it holds an answer back.

use std::time::Duration;

use reqwest::Method;
use sandbox_bank::{
    Setup,
    clock::Clock,
    http::{Config, ServeError, serve},
};
use serde_json::json;
use tokio::{net::TcpListener, sync::watch};

use crate::support::{Bank, PATIENCE, Wanted, answer, noon, order};

#[tokio::test]
async fn only_who_knows_the_token_may_call() {
    let bank = Bank::start(Wanted::default()).await;
    for path in ["banks/hdfc/v1/contract", "control/clock", "banks/hdfc/v1/health"] {
        let url = format!("{}/{path}", bank.url);
        for shown in [None, Some("wrong"), Some("")] {
            let request = bank.http.get(&url);
            let request = match shown {
                Some(token) => request.bearer_auth(token),
                None => request,
            };
            assert_eq!(answer(request).await.0, 401, "{path} {shown:?}");
        }
        assert_eq!(bank.get(path).await.0, 200);
    }
    bank.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_refused_as_a_problem() {
    let bank = Bank::start(Wanted::default()).await;
    let cases = [
        (Method::GET, "banks/icici/v1/health", 404, "no_such_bank"),
        (Method::GET, "nowhere", 404, "no_such_route"),
        (Method::DELETE, "banks/hdfc/v1/transfers/A1", 405, "method_not_allowed"),
        (Method::GET, "banks/hdfc/v1/transfers/A1", 404, "not_found"),
        (Method::GET, "banks/hdfc/v1/statements/2026-13-01", 422, "invalid"),
        (Method::GET, "banks/hdfc/v1/statements/2999-01-01", 404, "no_statement"),
        (Method::GET, "banks/hdfc/v1/statements/2999-01-01?account=network", 422, "invalid"),
        (Method::GET, "banks/hdfc/v1/statements/2999-01-01?acount=own", 422, "invalid"),
    ];
    for (method, path, status, code) in cases {
        let (seen, problem) = answer(bank.request(method, path)).await;
        assert_eq!((seen, &problem["code"]), (status, &json!(code)), "{path}");
    }
    bank.stop().await;
}

#[tokio::test]
async fn the_same_reference_many_times_at_once_pays_once() {
    let bank = Bank::start(Wanted::default()).await;
    let order = order("A1", "5000.00");
    let calls = (0..50).map(|_| bank.post("banks/axis/v1/transfers", &order));
    let answers = futures::future::join_all(calls).await;
    let first = &answers[0];
    assert_eq!((first.0, &first.1["status"]), (200, &json!("paid")));
    assert!(answers.iter().all(|answer| answer == first));
    let books = bank.control.books(sandbox_bank::BankCode::Axis).await.expect("books");
    assert_eq!(books["transfers"]["paid"]["count"], 1);
    assert_eq!(books["balances"]["escrow"]["value"], "89995000.00");
    assert_eq!(books["balanced"], true);
    bank.stop().await;
}

#[tokio::test]
async fn a_silent_call_is_held_until_the_clock_has_moved() {
    let bank = Bank::start(Wanted::default()).await;
    let path = "banks/axis/v1/transfers";
    let impatient = bank.request(Method::POST, path).json(&order("A1", "5000.13"));
    let error = impatient.timeout(Duration::from_millis(300)).send().await;
    assert!(error.expect_err("nothing is answered").is_timeout());
    assert_eq!(bank.get(&format!("{path}/A1")).await.1["status"], "paid");

    let url = format!("{}/{path}", bank.url);
    let request = bank.http.post(url).bearer_auth(crate::support::TOKEN);
    let held = tokio::spawn(answer(request.json(&order("A2", "5000.13"))));
    // It is held for two minutes of the bank's, from when it arrived.
    let arrived = async {
        while bank.get(&format!("{path}/A2")).await.0 != 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, arrived).await.expect("it arrives");
    while !held.is_finished() {
        bank.advance(60).await;
    }
    assert_eq!(held.await.expect("answered").0, 504);
    bank.stop().await;
}

#[tokio::test]
async fn a_stop_does_not_wait_for_who_is_held() {
    let bank = Bank::start(Wanted::default()).await;
    let path = "banks/axis/v1/transfers";
    let url = format!("{}/{path}", bank.url);
    let request = bank.http.post(url).bearer_auth(crate::support::TOKEN);
    let held = tokio::spawn(answer(request.json(&order("A1", "5000.13"))));
    let arrived = async {
        while bank.get(&format!("{path}/A1")).await.0 != 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, arrived).await.expect("it arrives");
    bank.stop().await;
    assert_eq!(held.await.expect("answered").0, 504);
}

#[tokio::test]
async fn chance_can_be_switched_by_http() {
    let bank = Bank::start(Wanted::default()).await;
    let mode = json!({ "error_percent": 100, "for_seconds": 60 });
    assert_eq!(bank.post("control/banks/axis/mode", &mode).await.0, 200);
    let (status, _) = bank.submit("A1", "10.00").await;
    assert!([500, 503].contains(&status), "{status}");
    bank.advance(60).await;
    assert_eq!(bank.submit("A2", "10.00").await.0, 200);
    for (path, body, status) in [
        ("control/banks/axis/mode", json!({ "error_percent": 101 }), 422),
        ("control/banks/axis/mode", json!({ "mistyped": 1 }), 422),
        ("control/banks/icici/mode", json!({}), 404),
        ("control/clock/advance", json!({ "milliseconds": -1 }), 422),
        ("control/clock/advance", json!({ "milliseconds": i64::MAX }), 422),
        ("control/seed", json!({ "seed": 5 }), 200),
    ] {
        assert_eq!(bank.post(path, &body).await.0, status, "{path} {body}");
    }
    bank.stop().await;
}

#[tokio::test]
async fn it_listens_to_this_machine_only() {
    let listener = TcpListener::bind("0.0.0.0:0").await.expect("a port");
    let (_keep, told) = watch::channel(false);
    let config = Config {
        setup: Setup::usual(1, noon()),
        clock: Clock::standing(noon()),
        journal: None,
        token: None,
        hooks: std::collections::BTreeMap::new(),
    };
    let refused = serve(config, listener, told).await;
    assert!(matches!(refused, Err(ServeError::NotLoopback(_))), "{refused:?}");
}
