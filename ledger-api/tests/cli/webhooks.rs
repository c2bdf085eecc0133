//! The intake as a process of its own, and the command that looks into the inbox.

use std::time::{SystemTime, UNIX_EPOCH};

use ledger_api::webhooks::signature::Keys;

use crate::support::{Bahi, Place};

const SECRET: &str = "whsec_ZGV2LXNlY3JldC1kZXYtc2VjcmV0LWRldi0x";
/// The variable that lets a bank send.
pub(crate) const HDFC: (&str, &str) = ("BAHI_BANK_HDFC_WEBHOOK_SECRETS", SECRET);
const BODY: &str = r#"{"type":"bank.credit.received","data":{"utr":"HDFC0000000001"}}"#;
const ALONE: [&str; 5] = ["serve", "--role", "webhooks", "--listen", "127.0.0.1:0"];

/// The headers of a delivery.
fn headers(id: &str, body: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    let keys: Keys = SECRET.parse().expect("a key");
    let now = i64::try_from(now).expect("a moment");
    let signature = keys.sign(id, now, body.as_bytes());
    format!("webhook-id: {id}\r\nwebhook-timestamp: {now}\r\nwebhook-signature: {signature}\r\n")
}

#[test]
fn an_intake_without_a_bank_or_with_a_bad_key_does_not_start() {
    let place = Place::new();
    let ended = place.run(&ALONE);
    assert_eq!(ended.code, Some(2));
    assert!(ended.said.contains("BAHI_BANK_{NAME}_WEBHOOK_SECRETS"), "{}", ended.said);
    for arguments in [&ALONE[..], &["serve", "--listen", "127.0.0.1:0"]] {
        let ended = place.run_with(arguments, &[(HDFC.0, "whsec_hunter2")]);
        assert_eq!(ended.code, Some(2));
        assert!(ended.said.contains(HDFC.0), "{}", ended.said);
        assert!(!ended.said.contains("hunter2"), "{}", ended.said);
    }
    assert!(!place.has_data(), "nothing was made on the way");
}

#[test]
fn case_183_help_shows_no_secret() {
    let place = Place::new();
    let url = [("INBOX_DATABASE_URL", "postgres://app:hunter2@inbox/bahi"), HDFC];
    for arguments in [&["serve", "--help"][..], &["inbox", "--help"], &["inbox", "ls", "--help"]] {
        let ended = place.run_with(arguments, &url);
        assert_eq!(ended.code, Some(0), "{}", ended.said);
        let shown = format!("{}{}", ended.printed, ended.said);
        assert!(!shown.contains("hunter2") && !shown.contains(SECRET), "{shown}");
    }
}

#[test]
fn what_an_intake_takes_in_is_listed_and_shown() {
    let place = Place::new();
    let bahi = Bahi::start_with(&place, &ALONE, &[HDFC]);
    bahi.wait_until_ready();
    let other = BODY.replace("0001", "0002");
    for (id, body, duplicate) in [
        ("msg_a", BODY, false),
        ("msg_a", BODY, true),
        ("msg_a", &other, true),
        ("msg_b", "?", false),
    ] {
        let (status, answer) = bahi.post("/hooks/banks/hdfc", &headers(id, body), body);
        assert_eq!(status, 200, "{answer}");
        assert!(answer.ends_with(&format!("\"duplicate\":{duplicate}}}")), "{answer}");
    }
    let (status, _) = bahi.post("/hooks/banks/hdfc", &headers("msg_c", BODY), "{}");
    assert_eq!(status, 401);
    for count in [
        "bahi_inbox_deliveries_total{bank=\"hdfc\",outcome=\"new\"} 2",
        "bahi_inbox_deliveries_total{bank=\"hdfc\",outcome=\"conflict\"} 1",
        "bahi_inbox_refused_total{bank=\"hdfc\",reason=\"signature\"} 1",
        "bahi_inbox_unavailable_total{bank=\"hdfc\"} 0",
    ] {
        bahi.metrics_with(count);
    }
    assert!(!bahi.said().contains(SECRET), "{}", bahi.said());

    let listed = place.run(&["inbox", "ls"]).printed;
    let rows: Vec<&str> = listed.lines().skip(1).collect();
    assert_eq!(rows.len(), 2, "{listed}");
    assert!(rows[0].contains("msg_b") && rows[0].contains("parked"), "{listed}");
    assert!(rows[1].contains("msg_a") && rows[1].contains("received"), "{listed}");
    let received = place.run(&["inbox", "ls", "--bank", "hdfc", "--state", "received"]).printed;
    assert!(received.contains("msg_a") && !received.contains("msg_b"), "{received}");
    let id = rows[1].split_whitespace().next().expect("an id");
    let shown = place.run(&["inbox", "show", id]).printed;
    assert!(shown.contains("bank.credit.received"), "{shown}");
    assert!(shown.contains(&format!("{} bytes", BODY.len())), "{shown}");
    assert_eq!(place.run(&["inbox", "show", id, "--body"]).printed, BODY);
    let parked = rows[0].split_whitespace().next().expect("an id");
    let shown = place.run(&["inbox", "show", parked]).printed;
    assert!(shown.contains("attempt 1") && shown.contains("no JSON object"), "{shown}");
    let conflicts = place.run(&["inbox", "conflicts"]).printed;
    assert_eq!(conflicts.lines().skip(1).count(), 1, "{conflicts}");
    assert!(conflicts.contains("msg_a"), "{conflicts}");
    assert_eq!(place.run(&["inbox", "show", "999"]).code, Some(1));
    assert_eq!(bahi.stop().code, Some(0));
}

#[test]
fn an_inbox_of_its_own_is_read_where_it_is() {
    let place = Place::new();
    let server = place.private_server();
    let inbox = server.url();
    let variables = [
        ("DATABASE_URL", "postgres://nobody@127.0.0.1:1/nowhere"),
        ("INBOX_DATABASE_URL", &*inbox),
        ("BAHI_ALLOW_UNSAFE_DATABASE", "true"),
        HDFC,
    ];
    let bahi = Bahi::start_with(&place, &ALONE, &variables);
    bahi.wait_until_ready();
    let (status, answer) = bahi.post("/hooks/banks/hdfc", &headers("msg_a", BODY), BODY);
    assert_eq!(status, 200, "{answer}");
    let listed = place.run_with(&["inbox", "ls"], &variables);
    assert!(listed.printed.contains("msg_a"), "{}{}", listed.printed, listed.said);
    assert_eq!(bahi.stop().code, Some(0));
}
