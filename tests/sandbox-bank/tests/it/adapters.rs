//! The conformance suite: the sandbox bank passes it, and adapters that are wrong in one way each
//! fail the check that this way is about.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use chrono::TimeDelta;
use sandbox_bank::{
    clock::Clock,
    conformance::{self, Check, Options, Verdict},
};
use serde_json::{Value, json};

use crate::support::{Bank, PATIENCE, SECRET, TOKEN, Wanted, free_port, noon};

/// A bank whose minute is a quarter of a second, so that what takes a minute doesn't take one.
async fn hurried<T>(bank: &Bank, work: impl Future<Output = T>) -> T {
    let hurry = async {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            bank.advance(25).await;
        }
    };
    tokio::select! {
        done = work => done,
        () = hurry => unreachable!("it hurries for ever"),
    }
}

async fn checks(base_url: String, run: &str) -> Vec<Check> {
    let options = Options {
        base_url,
        token: Some(TOKEN.to_owned()),
        run: run.to_owned(),
        answer_within: Duration::from_secs(5),
        outcome_within: Duration::from_secs(5),
        hooks: None,
    };
    conformance::run(options, |_| {}).await.expect("somebody answers")
}

#[tokio::test]
async fn the_sandbox_bank_passes_every_check() {
    let listener = free_port().await;
    let hooks = format!("http://{}", listener.local_addr().expect("an address"));
    let wanted = Wanted { clock: Clock::running_from(noon()), hooks: Some(hooks), journal: None };
    let bank = Bank::start(wanted).await;
    let mut listener = Some(listener);
    for code in ["hdfc", "axis"] {
        let options = Options {
            base_url: format!("{}/banks/{code}", bank.url),
            token: Some(TOKEN.to_owned()),
            run: format!("run-{code}"),
            answer_within: PATIENCE,
            outcome_within: PATIENCE,
            hooks: listener.take().map(|listener| (listener, SECRET.to_owned())),
        };
        let has_hooks = options.hooks.is_some();
        let mut told = Vec::new();
        let run = conformance::run(options, |check| told.push(check.to_string()));
        let checks = hurried(&bank, run).await.expect("somebody answers");
        assert!(checks.len() > 20 && told.len() == checks.len());
        for check in &checks {
            let skipped = matches!(&check.verdict, Verdict::Skip(why) if why.contains("--hooks"));
            assert!(check.verdict == Verdict::Pass || (skipped && !has_hooks), "{check}");
        }
        assert!(told.iter().all(|line| !line.contains(TOKEN) && !line.contains(SECRET)));
    }
    bank.stop().await;
}

#[tokio::test]
async fn where_nobody_is_there_is_no_verdict() {
    let listener = free_port().await;
    let base_url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let options = Options {
        base_url,
        token: None,
        run: "run".to_owned(),
        answer_within: PATIENCE,
        outcome_within: PATIENCE,
        hooks: None,
    };
    assert!(conformance::run(options, |_| {}).await.is_err());
}

/// How an adapter is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Wrong {
    /// It makes a new reference for each submission: what is sent twice is paid twice.
    ForgetsReferences,
    /// It takes no notice of what else is in a submission with a known reference.
    IgnoresOtherBodies,
    /// It says "refused" if the bank says nothing.
    GuessesRefusals,
    /// It calls what is unknown an empty success.
    HidesNotFound,
    /// It lets anybody call.
    AsksNobody,
    /// Its statements leave out the first line.
    LosesALine,
    /// It rounds what has too many decimals.
    RoundsAmounts,
    /// It answers with numbers.
    SpeaksInNumbers,
}

struct Adapter {
    wrong: Wrong,
    bank_url: String,
    http: reqwest::Client,
    sent: Mutex<BTreeMap<String, usize>>,
    answers: Mutex<BTreeMap<String, Value>>,
}

/// Passes a call on to the bank, wrongly.
async fn pass_on(State(adapter): State<Arc<Adapter>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
    let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
    let is_submission = parts.method == "POST" && path == "/v1/transfers";
    let body = if is_submission { adapter.submission(body) } else { body };
    let known = adapter.answers.lock().expect("a lock").get(&reference(&body)).cloned();
    if let Some(known) = known
        && is_submission
        && adapter.wrong == Wrong::IgnoresOtherBodies
    {
        return axum::Json(known).into_response();
    }
    let mut call = adapter
        .http
        .request(parts.method, format!("{}{path}", adapter.bank_url))
        .timeout(Duration::from_millis(300))
        .body(body.clone());
    for name in ["content-type", "authorization"] {
        if let Some(value) = parts.headers.get(name) {
            call = call.header(name, value);
        }
    }
    if adapter.wrong == Wrong::AsksNobody {
        call = call.bearer_auth(TOKEN);
    }
    let Ok(answer) = call.send().await else {
        return adapter.silence(&body);
    };
    let status = StatusCode::from_u16(answer.status().as_u16()).expect("a status");
    let kind = answer.headers().get("content-type").cloned();
    let text = answer.bytes().await.unwrap_or_default();
    let (status, text) = adapter.answer(is_submission, status, text);
    let mut response = (status, text).into_response();
    if let Some(kind) = kind {
        response.headers_mut().insert("content-type", kind);
    }
    response
}

fn reference(body: &Bytes) -> String {
    let order: Value = serde_json::from_slice(body).unwrap_or_default();
    order["reference"].as_str().unwrap_or_default().to_owned()
}

impl Adapter {
    fn submission(&self, body: Bytes) -> Bytes {
        let Ok(mut order) = serde_json::from_slice::<Value>(&body) else {
            return body;
        };
        let reference = reference(&body);
        let mut sent = self.sent.lock().expect("a lock");
        let times = sent.entry(reference.clone()).or_default();
        *times += 1;
        if self.wrong == Wrong::ForgetsReferences && *times > 1 {
            order["reference"] = json!(format!("{reference}-{times}"));
            return order.to_string().into();
        }
        if self.wrong == Wrong::RoundsAmounts && order["amount"]["value"] == "1.234" {
            order["amount"]["value"] = json!("1.23");
            return order.to_string().into();
        }
        body
    }

    fn silence(&self, body: &Bytes) -> Response {
        if self.wrong != Wrong::GuessesRefusals {
            return StatusCode::BAD_GATEWAY.into_response();
        }
        let order: Value = serde_json::from_slice(body).unwrap_or_default();
        axum::Json(json!({ "status": "refused", "reference": order["reference"] })).into_response()
    }

    fn answer(&self, is_submission: bool, status: StatusCode, text: Bytes) -> (StatusCode, Bytes) {
        let Ok(mut answer) = serde_json::from_slice::<Value>(&text) else {
            return (status, text);
        };
        if is_submission && status.is_success() {
            let reference = answer["reference"].as_str().unwrap_or_default().to_owned();
            self.answers.lock().expect("a lock").insert(reference, answer.clone());
        }
        if self.wrong == Wrong::HidesNotFound && status == StatusCode::NOT_FOUND {
            return (StatusCode::OK, Bytes::from_static(b"{}"));
        }
        if self.wrong == Wrong::LosesALine
            && let Some(lines) = answer.get_mut("lines").and_then(Value::as_array_mut)
            && lines.len() > 1
        {
            lines.remove(0);
        }
        if self.wrong == Wrong::SpeaksInNumbers && answer.get("amount").is_some() {
            answer["amount"] = json!(7.0);
        }
        (status, answer.to_string().into())
    }
}

async fn failed(wrong: Wrong) -> Vec<&'static str> {
    // Ahead of the machine's clock, never behind: a day's statement is not asked for too early.
    let clock = Clock::running_from(noon() + TimeDelta::seconds(1));
    let bank = Bank::start(Wanted { clock, ..Wanted::default() }).await;
    let adapter = Adapter {
        wrong,
        bank_url: format!("{}/banks/axis", bank.url),
        http: reqwest::Client::builder().no_proxy().build().expect("a client"),
        sent: Mutex::default(),
        answers: Mutex::default(),
    };
    let listener = free_port().await;
    let base_url = format!("http://{}", listener.local_addr().expect("an address"));
    let router = Router::new().fallback(pass_on).with_state(Arc::new(adapter));
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let checks = checks(base_url, "run").await;
    server.abort();
    bank.stop().await;
    let is_failed = |check: &Check| matches!(check.verdict, Verdict::Fail(_));
    checks.into_iter().filter(is_failed).map(|check| check.name).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_adapter_that_is_wrong_fails_where_it_is_wrong() {
    let cases = [
        (Wrong::ForgetsReferences, "pays a reference once"),
        (Wrong::ForgetsReferences, "pays a reference once when asked at once"),
        (Wrong::IgnoresOtherBodies, "refuses a reference for another transfer"),
        (Wrong::GuessesRefusals, "may be silent and have paid, once"),
        (Wrong::GuessesRefusals, "may be silent and not have paid"),
        (Wrong::HidesNotFound, "does not know an unknown reference"),
        (Wrong::AsksNobody, "refuses a caller without its token"),
        (Wrong::LosesALine, "adds up on every statement"),
        (Wrong::RoundsAmounts, "refuses amounts that are none, and does nothing"),
        (Wrong::SpeaksInNumbers, "pays, and tells the same as its statement"),
    ];
    let mut runs = BTreeMap::new();
    for wrong in cases.map(|(wrong, _)| wrong) {
        runs.entry(wrong).or_insert_with(|| failed(wrong));
    }
    let (wrongs, runs): (Vec<Wrong>, Vec<_>) = runs.into_iter().unzip();
    let failed = futures::future::join_all(runs).await;
    let failed: BTreeMap<Wrong, Vec<&str>> = wrongs.into_iter().zip(failed).collect();
    for (wrong, check) in cases {
        assert!(failed[&wrong].contains(&check), "{wrong:?} fails only {:?}", failed[&wrong]);
    }
}
