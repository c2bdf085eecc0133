//! The service's HTTP adapter against a server that answers anything: whatever is not the
//! protocol proves nothing, and takes neither memory nor time beyond the bounds.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use ledger_api::banks::{BankRegistry, CallError, Doubt, Health, Payee, Submission, Transfer};
use ledger_core::money::{Currency, Money};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::support::sandbox::{bank, registry};

/// Longer than a call may take in these tests; a call that takes longer is not bounded.
const BOUND: Duration = Duration::from_secs(10);
const TIMEOUT: Duration = Duration::from_millis(400);
const GOOD: &str = r#"{"reference":"BH1","status":"accepted",
    "amount":{"value":"5000.13","currency":"INR"},"rail":"imps","from":"escrow","code":null,
    "utr":null,"bank_transaction_id":null,"accepted_at":"2026-11-22T14:02:13.400Z",
    "settled_at":null,"returned":null}"#;
const PROBLEM: &str = "application/problem+json";

/// What a server does after it has read a request.
#[derive(Clone)]
enum Answers {
    /// Writes this and closes.
    Bytes(Arc<Vec<u8>>),
    /// Writes a head and then the same bytes until nobody reads any more.
    Endlessly,
    /// Writes one byte of the body now and then, for ever.
    Drops,
    /// Says nothing.
    Nothing,
}

struct Hostile {
    banks: BankRegistry,
    calls: Arc<AtomicUsize>,
}

impl Hostile {
    async fn start(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(answer(stream, answers.clone()));
            }
        });
        Self { banks: registry(&[("HDFC", url)], "hunter2", TIMEOUT), calls }
    }

    /// What the adapter makes of it, in bounded time and with one call.
    async fn submit(&self) -> Result<Transfer, CallError> {
        let submission = Submission {
            reference: "BH1".parse().unwrap(),
            amount: Money::parse("5000.13", Currency { code: "INR".parse().unwrap(), scale: 2 })
                .unwrap(),
            rail: "imps".parse().unwrap(),
            from: "escrow".to_owned(),
            beneficiary: Payee::parse("001234567890", "TEST0000001", "ASHA RAO").unwrap(),
        };
        let began = Instant::now();
        let outcome = bank(&self.banks, "hdfc").submit(&submission).await;
        assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
        assert_eq!(self.calls.load(Ordering::Relaxed), 1, "the adapter repeats nothing");
        outcome
    }
}

/// Reads one request to its end (its body is JSON, so it ends with a brace), then answers.
async fn answer(mut stream: TcpStream, answers: Answers) {
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    while !(seen.ends_with(b"}") || seen.starts_with(b"GET") && seen.ends_with(b"\r\n\r\n")) {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(read) => seen.extend_from_slice(&buffer[..read]),
        }
    }
    let endless = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
    match answers {
        Answers::Bytes(bytes) => {
            stream.write_all(&bytes).await.ok();
            stream.shutdown().await.ok();
        }
        Answers::Endlessly => {
            stream.write_all(endless).await.ok();
            while stream.write_all(&[b' '; 8192]).await.is_ok() {}
        }
        Answers::Drops => {
            stream.write_all(endless).await.ok();
            while stream.write_all(b" ").await.is_ok() {
                tokio::time::sleep(TIMEOUT / 10).await;
            }
        }
        Answers::Nothing => {
            // Until the caller gives up.
            assert!(matches!(stream.read(&mut buffer).await, Ok(0) | Err(_)));
        }
    }
}

fn http(status: &str, headers: &str, body: &str) -> Answers {
    let length = body.len();
    let text = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n{body}");
    Answers::Bytes(Arc::new(text.into_bytes()))
}

fn json(body: &str) -> Answers {
    http("200 OK", "content-type: application/json\r\n", body)
}

async fn outcome(answers: Answers) -> Result<Transfer, CallError> {
    Hostile::start(answers).await.submit().await
}

async fn assert_unknown(what: &str, answers: Answers, doubt: Doubt) {
    assert_eq!(outcome(answers).await, Err(CallError::Unknown(doubt)), "{what}");
}

#[tokio::test]
async fn an_honest_answer_is_believed() {
    for kind in ["application/json", "Application/JSON; charset=utf-8"] {
        let honest = http("200 OK", &format!("content-type: {kind}\r\n"), GOOD);
        let transfer = outcome(honest).await.unwrap();
        assert_eq!(transfer.reference.as_str(), "BH1");
    }
}

#[tokio::test]
async fn case_106_what_is_no_answer_of_the_protocol_proves_nothing() {
    let malformed = Doubt::Malformed("transfer");
    let html = "content-type: text/html\r\n";
    let page = http("200 OK", html, "<html>Service temporarily fine</html>");
    assert_unknown("a page", page, Doubt::ContentType).await;
    assert_unknown("JSON as a page", http("200 OK", html, GOOD), Doubt::ContentType).await;
    assert_unknown("no type", http("200 OK", "", GOOD), Doubt::ContentType).await;
    let packed = "content-type: application/json\r\ncontent-encoding: gzip\r\n";
    assert_unknown("packed", http("200 OK", packed, GOOD), Doubt::ContentType).await;
    assert_unknown("nothing", json(""), malformed).await;
    assert_unknown("null", json("null"), malformed).await;
    assert_unknown("an error in a 200", json(r#"{"error":"failed"}"#), malformed).await;
    assert_unknown("a list", json(&format!("[{GOOD}]")), malformed).await;
    assert_unknown("half of it", json(&GOOD[..100]), malformed).await;
    assert_unknown("two of it", json(&format!("{GOOD}{GOOD}")), malformed).await;
    let numbers = GOOD.replace("\"5000.13\"", "5000.13");
    assert_unknown("a float", json(&numbers), malformed).await;
    let status = GOOD.replace("accepted\"", "failed\"");
    assert_unknown("a status of its own", json(&status), malformed).await;
    let no_utr = GOOD.replace("\"accepted\"", "\"paid\"");
    assert_unknown("paid without a UTR", json(&no_utr), malformed).await;
    let deep = format!("{{\"reference\":{}", "[".repeat(20_000));
    assert_unknown("deep", json(&deep), malformed).await;
    assert_unknown("no HTTP", Answers::Bytes(Arc::new(b"hello\r\n".to_vec())), Doubt::Connection)
        .await;
    assert_unknown("a hang-up", Answers::Bytes(Arc::default()), Doubt::Connection).await;
    let short =
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n{";
    assert_unknown("cut off", Answers::Bytes(Arc::new(short.to_vec())), Doubt::Connection).await;
}

#[tokio::test]
async fn case_106_an_answer_about_another_transfer_proves_nothing() {
    for (good, bad, what) in [
        ("BH1", "BH2", "reference"),
        ("5000.13", "5000.12", "amount"),
        ("5000.13", "5000.130", "amount"),
        ("INR", "USD", "amount"),
        ("imps", "neft", "rail or account"),
        ("escrow", "own", "rail or account"),
    ] {
        assert_unknown(bad, json(&GOOD.replace(good, bad)), Doubt::Mismatch(what)).await;
    }
}

#[tokio::test]
async fn case_106_size_and_time_are_bounded() {
    let kind = "content-type: application/json";
    let stated = format!("HTTP/1.1 200 OK\r\n{kind}\r\ncontent-length: 104857600\r\n\r\n");
    let stated = Answers::Bytes(Arc::new(stated.into_bytes()));
    assert_unknown("100 MB, as it says", stated, Doubt::TooLarge).await;
    assert_unknown("100 MB and more", Answers::Endlessly, Doubt::TooLarge).await;
    assert_unknown("for ever", Answers::Drops, Doubt::TimedOut).await;
    assert_unknown("silence", Answers::Nothing, Doubt::TimedOut).await;
    let padded = format!("{GOOD}{}", " ".repeat(64 * 1024));
    assert_unknown("a little too much", json(&padded), Doubt::TooLarge).await;
}

#[tokio::test]
async fn case_106_a_redirect_is_not_followed() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = elsewhere.local_addr().unwrap();
    let visited = tokio::spawn(async move { elsewhere.accept().await.is_ok() });
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let location = format!("location: http://{address}/v1/transfers\r\n");
        assert_unknown(status, http(status, &location, ""), Doubt::Redirect).await;
    }
    assert!(!visited.is_finished(), "the account number went elsewhere");
    visited.abort();
}

#[tokio::test]
async fn case_107_too_fast_is_no_refusal_and_says_when_to_come_again() {
    let cases = [
        ("retry-after: 7\r\n", 7),
        ("", 1),
        ("retry-after: soon\r\n", 1),
        ("retry-after: 99999999999\r\n", 3_600),
        ("retry-after: -1\r\n", 1),
    ];
    for (headers, seconds) in cases {
        let refused = outcome(http("429 Too Many Requests", headers, "")).await;
        let retry_after = Duration::from_secs(seconds);
        assert_eq!(refused, Err(CallError::TooFast { retry_after }), "{headers}");
    }
}

#[tokio::test]
async fn case_107_an_overloaded_bank_proves_nothing() {
    let problem = format!("content-type: {PROBLEM}\r\n");
    for (status, number) in [
        ("503 Unavailable", 503),
        ("500 Oops", 500),
        ("502 Bad Gateway", 502),
        ("504 Late", 504),
        ("202 Accepted", 202),
        ("201 Created", 201),
        ("204 No Content", 204),
        ("403 No", 403),
        ("404 Not Found", 404),
        ("408 Slow", 408),
    ] {
        let answer = http(status, &problem, r#"{"status":1,"code":"whatever"}"#);
        assert_unknown(status, answer, Doubt::Status(number)).await;
    }
}

#[tokio::test]
async fn a_4xx_counts_only_if_the_adapter_itself_said_it() {
    let problem = format!("content-type: {PROBLEM}\r\n");
    for number in [400_u16, 401, 413, 415, 422] {
        let status = format!("{number} No");
        let said = outcome(http(&status, &problem, r#"{"code":"invalid"}"#)).await;
        let code = "invalid".parse().unwrap();
        assert_eq!(said, Err(CallError::NotUnderstood { status: number, code }));
        let page = http(&status, "content-type: text/html\r\n", "<html>no</html>");
        assert_unknown("a proxy's page", page, Doubt::Status(number)).await;
        let named = http(&status, &problem, r#"{"code":"ASHA RAO 001234567890"}"#);
        assert_unknown("a code that is none", named, Doubt::Status(number)).await;
    }
    let reused = http("409 Conflict", &problem, r#"{"code":"reference_reused"}"#);
    assert_eq!(outcome(reused).await, Err(CallError::ReferenceReused));
    let other = http("409 Conflict", &problem, r#"{"code":"busy"}"#);
    assert_unknown("another conflict", other, Doubt::Status(409)).await;
}

#[tokio::test]
async fn a_bank_that_answers_nonsense_is_down_and_names_nobody() {
    for answers in
        [json("{}"), json(r#"{"status":"great"}"#), Answers::Nothing, http("200 OK", "", "")]
    {
        let hostile = Hostile::start(answers).await;
        assert_eq!(bank(&hostile.banks, "hdfc").health().await, Health::Down);
    }
    let echo = json(r#"{"reference":"BH1","status":"ASHA RAO","amount":"001234567890"}"#);
    let error = outcome(echo).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("ASHA") && !shown.contains("1234"), "{shown}");
}

#[tokio::test]
async fn a_dead_bank_is_asked_for_its_contract_by_one_caller_at_a_time() {
    let hostile = Hostile::start(http("503 Unavailable", "", "")).await;
    let hdfc = bank(&hostile.banks, "hdfc");
    let asked = futures::future::join_all((0..50).map(|_| hdfc.contract())).await;
    assert!(asked.iter().all(|answer| *answer == Err(CallError::Unknown(Doubt::Status(503)))));
    assert_eq!(hostile.calls.load(Ordering::Relaxed), 1);
}
