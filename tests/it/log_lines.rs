//! Case 178: what clients send makes no line of its own in the program's log, and nothing that a
//! terminal obeys, in either of its forms.

use std::fs::File;

use ledger_api::telemetry::{self, LogFormat, LogSettings};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::support::{database::APP, process, server::Server, service_process};

/// What the test tells its child to write lines as.
const FORM: &str = "BAHI_TEST_LOG_FORM";
/// What a forged line would begin with, and what would paint it.
const LINE: &str = "2026-11-22T00:00:00.000000Z ERROR forged";
const PAINT: &str = "\u{1b}[31m";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the other tests of this file, in a process of its own"]
async fn a_service_that_writes_lines() {
    let folder = process::given_folder().expect("this test is run by another one");
    let text = std::env::var(FORM).expect("the parent says it") == "text";
    let form = if text { LogFormat::Text } else { LogFormat::Json };
    let log = Some("info,ledger_api=debug,sqlx=warn".to_owned());
    let settings = LogSettings { log, log_format: Some(form) };
    telemetry::start(&settings, "off").unwrap();
    service_process::be_a_service(&folder).await;
}

/// A request as bytes, since no client of ours would send it. What comes back does not matter, but
/// that something does: the service has dealt with it.
async fn send_raw(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address.trim_start_matches("http://")).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Requests that try to be more than one line.
fn hostile(key: &str) -> Vec<String> {
    let encoded = format!("%0d%0a{}%1b%5b31m", LINE.replace(' ', "%20"));
    let get = |path: &str, headers: &str| {
        format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n")
    };
    let post = |path: &str, headers: &str, body: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: \
             application/json\r\nauthorization: Bearer {key}\r\nidempotency-key: k{}\r\n{headers}\
             content-length: {}\r\n\r\n{body}",
            uuid::Uuid::now_v7(),
            body.len()
        )
    };
    // As JSON writes it: the service sees a line end and an escape.
    let inner = format!("\\r\\n{LINE}\\u001b[31m");
    let account = format!("{{\"code\":\"x{inner}\",\"currency\":\"INR\",\"owner\":\"o{inner}\"}}");
    let transfer = format!(
        "{{\"kind\":\"transfer\",\"debit\":\"a{inner}\",\"credit\":\"b\",\"note\":\"n{inner}\",\
         \"amount\":{{\"value\":\"1{inner}\",\"currency\":\"INR\"}}}}"
    );
    let bearer = format!("authorization: Bearer {key}\r\n");
    vec![
        get(&format!("/v1/accounts/{encoded}"), &bearer),
        get(&format!("/v1/accounts?cursor={encoded}"), &bearer),
        get(&format!("/{encoded}"), ""),
        get(&format!("/v1/audit/access?who={encoded}"), &bearer),
        get("/v1/accounts", &format!("authorization: Bearer bahi_live_{PAINT}{LINE}\r\n")),
        get("/v1/accounts", &format!("authorization: Bearer bahi_live_\u{9b}31m{LINE}\r\n")),
        get("/v1/accounts", &format!("user-agent: \u{9b}31m{LINE}\r\n{bearer}")),
        get("/v1/accounts", &format!("x-forwarded-for: \u{9b}31m{LINE}\r\n{bearer}")),
        format!("GE{PAINT}T /{LINE} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"),
        post("/v1/accounts", "", &account),
        post("/v1/transactions", "", &transfer),
        post("/v1/transactions", "", &format!("{{\"{inner}\":1}}")),
        post(&format!("/hooks/banks/{encoded}"), "", &account),
        post("/hooks/banks/hdfc", &format!("webhook-id: {LINE}\r\n"), &account),
    ]
}

/// What a service says to all of that.
async fn said(form: &str) -> String {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("said");
    let said = File::create(&path).unwrap();
    let mut command = process::again("log_lines::a_service_that_writes_lines", folder.path());
    command.env(process::DATABASE, server.url(APP)).env(FORM, form).stderr(said);
    let service = service_process::ServiceProcess::run(folder, command).await;
    let (address, key) = (service.address(), service.key());
    for request in hostile(&key) {
        let answer = send_raw(&address, &request).await;
        assert!(!answer.starts_with("HTTP/1.1 5"), "{request}\n{answer}");
    }
    let open = File::open(&path).unwrap();
    service.stop().await;
    let said = std::io::read_to_string(open).unwrap();
    assert!(said.contains("an API key was refused") && said.contains("/v1/accounts"), "{said}");
    for line in said.split('\n') {
        assert!(!line.chars().any(|c| c.is_control() && c != '\t'), "{line:?}");
        assert!(!line.trim_start().starts_with(LINE), "{line}");
    }
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn case_178_no_request_makes_a_line_of_its_own_for_machines() {
    let said = said("json").await;
    for line in said.lines() {
        let object: serde_json::Value = serde_json::from_str(line).expect(line);
        assert!(object["timestamp"].is_string() && object["level"].is_string(), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn case_178_no_request_makes_a_line_of_its_own_for_people() {
    let said = said("text").await;
    for line in said.lines() {
        let moment = line.split_whitespace().next().unwrap_or_default();
        assert!(moment.parse::<chrono::DateTime<chrono::Utc>>().is_ok(), "{line:?}");
    }
}
