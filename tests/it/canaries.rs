//! Invariant I18: no secret and no personal data is in the log or in a line of the program's log.
//!
//! Canaries are words that occur nowhere else. They go into every place where a client or an
//! operator may put a secret or something personal. Then they are looked for in all that the
//! process wrote and in every column of its database. Ids, codes and the words of an adjustment's
//! reason are meant to be recorded and are documented as such; they are no canaries.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    time::{Duration, Instant},
};

use ledger_api::telemetry::{self, LogFormat, LogSettings};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    bahi::{Reply, amount, fresh_key, send, transfer},
    contents::{Contents, contents},
    database::APP,
    process,
    server::Server,
    service_process::{self, PRINCIPAL, ServiceProcess},
};

const A: &str = "wallet:asha:INR";
const B: &str = "wallet:ravi:INR";
/// What the test tells its child to say.
const LEVEL: &str = "BAHI_TEST_LOG";
/// Where a note may be.
const NOTES: &str = "public.transaction_notes.note";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the other tests of this file, in a process of its own"]
async fn a_service_that_says_what_it_does() {
    let folder = process::given_folder().expect("this test is run by another one");
    let log = Some(std::env::var(LEVEL).expect("the parent says it"));
    telemetry::start(&LogSettings { log, log_format: Some(LogFormat::Json) }, "off").unwrap();
    service_process::be_a_service(&folder).await;
}

/// A client that leaves canaries behind, and remembers where they may be.
struct Canaries {
    http: Client,
    address: String,
    key: String,
    /// From a canary to what it is, and to where it must be.
    left: BTreeMap<String, (String, &'static [&'static str])>,
}

impl Canaries {
    fn put(&mut self, what: &str, places: &'static [&'static str]) -> String {
        let canary = format!("canary{}", Uuid::now_v7().simple());
        self.left.insert(canary.clone(), (what.to_owned(), places));
        canary
    }

    /// One that must be nowhere.
    fn secret(&mut self, what: &str) -> String {
        self.put(what, &[])
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.address))
    }

    /// A write, without an identity.
    fn unsigned(&self, path: &str, body: &Value) -> RequestBuilder {
        self.request(Method::POST, path).header("idempotency-key", fresh_key()).json(body)
    }

    async fn post(&self, path: &str, body: &Value) -> Reply {
        send(self.unsigned(path, body).bearer_auth(&self.key)).await
    }

    async fn open(&self, account: &str, more: Value) {
        let (code, currency) = account.rsplit_once(':').unwrap();
        let mut body = json!({"code": code, "currency": currency, "owner": "test"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.post("/v1/accounts", &body).await.made();
    }

    /// A transfer with a note.
    fn noted(value: &str, note: &str) -> Value {
        let mut body = transfer(A, B, value);
        body["note"] = json!(note);
        body
    }
}

/// Asserts that a request was refused as one would expect.
#[track_caller]
fn refused(answer: &Reply, status: StatusCode, what: &str) {
    assert_eq!(answer.status, status, "{what}: {}", answer.text);
}

/// Words that are kept, where they may be erased, and words of requests that are refused.
async fn leave_notes(canaries: &mut Canaries) {
    let kept = canaries.put("a transaction's note", &[NOTES]);
    let made = canaries.post("/v1/transactions", &Canaries::noted("1.00", &kept)).await.made();
    let kept = canaries.put("a reversal's note", &[NOTES]);
    let path = format!("/v1/transactions/{}/reverse", made["id"].as_str().unwrap());
    canaries.post(&path, &json!({"note": kept})).await.made();

    let hold = json!({"account": A, "amount": amount(A, "1.00")});
    let hold = canaries.post("/v1/holds", &hold).await.made();
    let kept = canaries.put("a capture's note", &[NOTES]);
    let path = format!("/v1/holds/{}/capture", hold["id"].as_str().unwrap());
    let capture = json!({"kind": "payment", "to": [{"account": B}], "note": kept});
    canaries.post(&path, &capture).await.made();

    // So many that a snapshot is made of the wallets.
    let kept = canaries.put("a bulk item's note", &[NOTES]);
    let mut items = vec![transfer(A, B, "0.01"); 600];
    items[7] = Canaries::noted("0.01", &kept);
    canaries.post("/v1/transactions/bulk", &json!({"items": items})).await.made();

    let lost = canaries.secret("the note of a transfer that the rules refuse");
    let answer = canaries.post("/v1/transactions", &Canaries::noted("100000.00", &lost)).await;
    assert_eq!(answer.refused(), "insufficient_funds");
    let lost = canaries.secret("a note that cannot be kept");
    let answer = canaries.post("/v1/transactions", &Canaries::noted("1", &(lost + "\u{7}"))).await;
    assert_eq!(answer.refused(), "invalid");
    let lost = canaries.secret("the note of another request under a used key");
    let used = |body: &Value| {
        let request = canaries.request(Method::POST, "/v1/transactions").json(body);
        send(request.header("idempotency-key", "used").bearer_auth(&canaries.key))
    };
    used(&transfer(A, B, "1.00")).await.made();
    let answer = used(&Canaries::noted("1.00", &lost)).await;
    assert_eq!(answer.refused(), "idempotency_key_reused");
}

/// Payees, whose names are kept in one column until they are erased.
async fn leave_bank_accounts(canaries: &mut Canaries) {
    let bank_account = |number: &str, name: &str| {
        let ifsc = "TEST0000001";
        json!({"owner": "asha", "account_number": number, "ifsc": ifsc, "name": name})
    };
    let kept = canaries.put("the name on a bank account", &["public.bank_account_details.name"]);
    canaries.post("/v1/bank-accounts", &bank_account("001234567890", &kept)).await.made();
    let lost = canaries.secret("the number of a bank account that is none");
    let answer = canaries.post("/v1/bank-accounts", &bank_account(&lost, "Asha Rao")).await;
    refused(&answer, StatusCode::UNPROCESSABLE_ENTITY, &lost);
    let lost = canaries.secret("the name on a bank account that was erased");
    let made = canaries.post("/v1/bank-accounts", &bank_account("001234567890", &lost)).await;
    let path = format!("/v1/bank-accounts/{}", made.made()["id"].as_str().unwrap());
    send(canaries.request(Method::DELETE, &path).bearer_auth(&canaries.key)).await.made();
}

/// Keys that are none.
async fn leave_keys(canaries: &mut Canaries) {
    let body = transfer(A, B, "1.00");
    for shape in ["Bearer $c", "Bearer bahi_live_$c00000", "Basic $c", "$c", "Bearer a $c"] {
        let wrong = canaries.secret(&format!("the wrong key {shape}"));
        let value = shape.replace("$c", &wrong);
        let request = canaries.unsigned("/v1/transactions", &body);
        let answer = send(request.header("authorization", value)).await;
        refused(&answer, StatusCode::UNAUTHORIZED, shape);
    }
    let wrong = canaries.secret("a second Authorization");
    let request = canaries.unsigned("/v1/transactions", &body).bearer_auth(&canaries.key);
    let answer = send(request.header("authorization", format!("Bearer {wrong}"))).await;
    refused(&answer, StatusCode::UNAUTHORIZED, "two keys");

    let wrong = canaries.secret("the wrong key of an approver");
    let body = json!({
        "kind": "adjustment", "debit": A, "credit": B, "amount": amount(A, "1.00"),
        "reason": "A test", "evidence_sha256": "ab".repeat(32),
    });
    let request = canaries.unsigned("/v1/transactions", &body).bearer_auth(&canaries.key);
    let request = request.header("approver-authorization", format!("Bearer {wrong}"));
    refused(&send(request).await, StatusCode::UNAUTHORIZED, "approver");
}

/// Bodies that are refused, with the canary in each part of them.
async fn leave_bodies(canaries: &mut Canaries) {
    let fields = [
        "kind",
        "debit",
        "credit",
        "amount",
        "effective_on",
        "value_date",
        "conditions",
        "legs",
        "note",
        "reason",
        "evidence_sha256",
        "unknown",
    ];
    for field in fields {
        let lost = canaries.secret(&format!("a wrong {field}"));
        let mut body = transfer(A, B, "1.00");
        // With a space it is no account, no date, no kind; a note of the wrong type is none.
        let text = json!(format!("Asha {lost}"));
        body[field] = if field == "note" { json!([text]) } else { text };
        let answer = canaries.post("/v1/transactions", &body).await;
        refused(&answer, StatusCode::UNPROCESSABLE_ENTITY, field);
    }
    let lost = canaries.secret("an unknown field's name");
    let mut body = transfer(A, B, "1.00");
    body[&lost] = json!(1);
    let answer = canaries.post("/v1/transactions", &body).await;
    refused(&answer, StatusCode::UNPROCESSABLE_ENTITY, "a field");
    for field in ["value", "currency"] {
        let lost = canaries.secret(&format!("an amount's {field}"));
        let mut body = transfer(A, B, "1.00");
        body["amount"][field] = json!(lost);
        let answer = canaries.post("/v1/transactions", &body).await;
        refused(&answer, StatusCode::UNPROCESSABLE_ENTITY, field);
    }
    let lost = canaries.secret("an owner that is no id");
    let body = json!({"code": "wallet:x", "currency": "INR", "owner": format!("Asha {lost}")});
    let answer = canaries.post("/v1/accounts", &body).await;
    refused(&answer, StatusCode::UNPROCESSABLE_ENTITY, "an owner");
    let lost = canaries.secret("a body that is no JSON");
    let request = canaries.unsigned("/v1/transactions", &json!(0)).bearer_auth(&canaries.key);
    let answer = send(request.body(format!("{{\"note\": \"{lost}"))).await;
    refused(&answer, StatusCode::BAD_REQUEST, "no JSON");
    let lost = canaries.secret("a body without a valid key");
    let request = canaries.unsigned("/v1/transactions", &Canaries::noted("1.00", &lost));
    refused(&send(request).await, StatusCode::UNAUTHORIZED, "no key");
}

/// Parameters and headers that nobody asked for, or with values that make no sense.
async fn leave_parameters(canaries: &mut Canaries) {
    for query in ["$c=1", "unknown=$c", "limit=$c", "cursor=$c", "owner=%20$c", "min_position=$c"] {
        let lost = canaries.secret(&format!("the query {query}"));
        let path = format!("/v1/accounts?{}", query.replace("$c", &lost));
        let request = canaries.request(Method::GET, &path).bearer_auth(&canaries.key);
        let answer = send(request).await;
        assert!(answer.status.is_client_error(), "{query}: {}", answer.text);
    }
    let lost = canaries.secret("the query of a write");
    let path = format!("/v1/transactions?token={lost}");
    canaries.post(&path, &transfer(A, B, "1.00")).await;
    let headers = [
        "user-agent",
        "cookie",
        "referer",
        "x-forwarded-for",
        "x-api-key",
        "request-id",
        "x-request-id",
        "traceparent",
        "baggage",
        "from",
        "origin",
        "last-event-id",
        "accept",
        "if-none-match",
        "prefer",
    ];
    for name in headers {
        let lost = canaries.secret(&format!("the header {name}"));
        for (method, path) in [(Method::GET, "/v1/accounts"), (Method::POST, "/v1/transactions")] {
            let request = canaries.request(method, path).bearer_auth(&canaries.key);
            let request = request.header("idempotency-key", fresh_key());
            let request = request.json(&transfer(A, B, "0.01")).header(name, &lost);
            assert!(!send(request).await.status.is_server_error(), "{name}");
        }
    }
    for (name, value) in [("idempotency-key", "Asha $c"), ("content-type", "text/$c")] {
        let lost = canaries.secret(&format!("the header {name}"));
        let request = canaries.request(Method::POST, "/v1/transactions").bearer_auth(&canaries.key);
        let mut request = request.body("{}");
        if name != "idempotency-key" {
            request = request.header("idempotency-key", fresh_key());
        }
        let answer = send(request.header(name, value.replace("$c", &lost))).await;
        assert!(answer.status.is_client_error(), "{name}: {}", answer.text);
    }
}

/// Asks until the answer is that the database is away; until then it is that all is well.
async fn until_refused(ask: impl AsyncFn() -> Reply) {
    let began = Instant::now();
    loop {
        let answer = ask().await;
        if answer.status == StatusCode::SERVICE_UNAVAILABLE {
            return;
        }
        assert!(answer.status.is_success(), "{answer:?}");
        assert!(began.elapsed() < Duration::from_secs(10), "it goes on without a database");
    }
}

/// What happens while the database is away: errors are said then.
async fn leave_in_an_outage(canaries: &mut Canaries, server: &Server) {
    server.kill().await;
    // A session may serve for a moment after its server was killed.
    let read = |key: &str| canaries.request(Method::GET, "/v1/accounts").bearer_auth(key);
    until_refused(async || send(read(&canaries.key)).await).await;
    let body = transfer(A, B, "0.01");
    until_refused(async || canaries.post("/v1/transactions", &body).await).await;
    let wrong = canaries.secret("a wrong key while the database is away");
    let late = canaries.put("a note while the database is away", &[NOTES]);
    let body = Canaries::noted("1.00", &late);
    let write = || {
        let request = canaries.request(Method::POST, "/v1/transactions").json(&body);
        send(request.header("idempotency-key", "late").bearer_auth(&canaries.key))
    };
    refused(&write().await, StatusCode::SERVICE_UNAVAILABLE, "a write");
    let read = canaries.request(Method::GET, "/v1/accounts").bearer_auth(&wrong);
    assert!(!send(read).await.status.is_success());
    server.restart().await;
    let began = Instant::now();
    while !write().await.status.is_success() {
        assert!(began.elapsed() < Duration::from_secs(30), "it does not come back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Where a text is: in what the program said, or in which columns.
fn places<'a>(text: &str, said: &str, contents: &'a Contents) -> BTreeSet<&'a str> {
    let has = |values: &[String]| values.iter().any(|value| value.contains(text));
    let columns = contents.iter().filter(|(_, values)| has(values)).map(|(name, _)| name.as_str());
    columns.chain(said.contains(text).then_some("what it said")).collect()
}

/// Runs a service that says so much, and looks for everything that was left.
async fn nothing_is_found(level: &str) {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("said");
    let said = File::create(&path).unwrap();
    let mut command = process::again("canaries::a_service_that_says_what_it_does", folder.path());
    let mut canaries = Canaries {
        http: Client::new(),
        address: String::new(),
        key: String::new(),
        left: BTreeMap::new(),
    };
    let password = canaries.secret("the database's password");
    command.env(process::DATABASE, server.url(APP).replacen('@', &format!(":{password}@"), 1));
    command.env(LEVEL, level).stdout(said.try_clone().unwrap()).stderr(said);
    let service = ServiceProcess::run(folder, command).await;
    canaries.address = service.address();
    canaries.key = service.key();
    let (_, digits) = canaries.key.rsplit_once('_').unwrap();
    canaries.left.insert(digits.to_owned(), ("the API key".to_owned(), &[]));
    let secret = std::fs::read_to_string(service.file("data").join("secret")).unwrap();
    canaries.left.insert(secret.trim().to_owned(), ("the service's secret".to_owned(), &[]));

    canaries.open("till:main:INR", json!({"type": "asset"})).await;
    canaries.open(A, json!({})).await;
    canaries.open(B, json!({})).await;
    let funds = transfer("till:main:INR", A, "1000.00");
    canaries.post("/v1/transactions", &funds).await.made();
    leave_notes(&mut canaries).await;
    leave_bank_accounts(&mut canaries).await;
    leave_keys(&mut canaries).await;
    leave_bodies(&mut canaries).await;
    leave_parameters(&mut canaries).await;
    leave_in_an_outage(&mut canaries, &server).await;
    // All of it has reached the read models.
    let last = canaries.post("/v1/transactions", &transfer(A, B, "1.00")).await;
    let path_of_read = format!("/v1/accounts?min_position={}", last.position());
    let request = canaries.request(Method::GET, &path_of_read).bearer_auth(&canaries.key);
    send(request).await.made();
    // What the process says at its end is in the file as well, which goes with its folder.
    let open = File::open(&path).unwrap();
    service.stop().await;
    let said = std::io::read_to_string(open).unwrap();
    let contents = contents(&mut server.connect().await).await;

    // The search finds what is there, in lines, in text, in bytes and in JSON.
    let found = places(PRINCIPAL, &said, &contents);
    for place in ["what it said", "public.events.metadata", "public.idempotency.principal"] {
        assert!(found.contains(place), "{place} is not searched: {found:?}");
    }
    let found = places("wallet:asha", &said, &contents);
    for place in ["public.events.aggregate_id", "public.snapshots.payload", "read.accounts.id"] {
        assert!(found.contains(place), "{place} is not searched: {found:?}");
    }
    assert!(!places("insufficient_funds", &said, &contents).is_empty());
    assert!(said.contains("an API key was refused") && said.contains("\"ready\""), "{said}");
    assert_eq!(said.contains("\"DEBUG\""), level.contains("debug"), "{level}");

    let mut wrong = Vec::new();
    for (canary, (what, allowed)) in &canaries.left {
        let found = places(canary, &said, &contents);
        if !found.iter().eq(*allowed) {
            let line = said.lines().find(|line| line.contains(canary)).unwrap_or_default();
            wrong.push(format!("{what} ({canary}) is in {found:?}: {line}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{} canaries, {} lines said", canaries.left.len(), said.lines().count());
}

#[tokio::test(flavor = "multi_thread")]
async fn i18_no_secret_and_no_personal_text_is_in_the_log_of_a_service() {
    nothing_is_found("info,sqlx=warn").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn i18_no_secret_and_no_personal_text_is_in_the_log_of_one_that_is_debugged() {
    nothing_is_found("debug").await;
}
