//! The auditors' pages: what they show, what they mask, and what is written down when it is opened.

use std::time::Instant;

use ledger_api::{
    auditing::{AuditRunner, AuditRuns},
    staff::StaffRole,
};
use tokio::sync::watch;

use super::{appoint, auditor, clock, log_in, logged};
use crate::{
    support::{bahi::PATIENCE, browser::Browser, database::APP},
    user_api::person::Scene,
};

const PAGES: [&str; 14] = [
    "/audit",
    "/audit/events",
    "/audit/events?as_of=1&show=1",
    "/audit/accounts",
    "/audit/accounts?branch=wallet&as_of=2026-11-22",
    "/audit/trial-balance?compare=1",
    "/audit/trial-balance?as_of=2026-11-22&compare=2026-11-21&by=date",
    "/audit/balance-sheet",
    "/audit/profit-and-loss",
    "/audit/profit-and-loss?from=2026-11-01&before_from=2026-10-01&before_to=2026-10-31",
    "/audit/checkpoints",
    "/audit/reconciliation",
    "/audit/replay",
    "/audit/access",
];

/// What stands after some words in a page, up to the next quote.
fn after<'p>(page: &'p str, words: &str) -> &'p str {
    let (_, rest) = page.split_once(words).unwrap_or_else(|| panic!("no {words}: {page}"));
    rest.split('"').next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_shows_what_is_there_and_no_name() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "120.00").await;
    let mut browser = auditor(&scene).await;
    scene.projected().await;
    for path in PAGES {
        let page = browser.get(path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.text);
        assert!(!page.text.contains("asha Rao"), "{path} names somebody");
    }
    let overview = browser.get("/audit").await.text;
    assert!(overview.contains("The books balance") && overview.contains("✓ yes"), "{overview}");
    let account = browser.get(&format!("/audit/accounts/{}", asha.wallet)).await.text;
    assert!(account.contains("₹120.00") && account.contains("a person ••••"), "{account}");
    assert!(!account.contains("asha Rao"), "{account}");
    // Before its first event, as of the beginning.
    let early = browser.get(&format!("/audit/accounts/{}?as_of=1", asha.wallet)).await.text;
    assert!(early.contains("not open yet"), "{early}");

    let id = after(&account, "/audit/transactions/");
    let transaction = browser.get(&format!("/audit/transactions/{id}")).await.text;
    for shown in ["Debits", "Credits", asha.wallet.as_str(), "bank:hdfc:clearing_in:INR", "₹120.00"]
    {
        assert!(transaction.contains(shown), "{shown}: {transaction}");
    }
    let csv = browser.get("/audit/trial-balance?format=csv").await;
    assert!(csv.text.starts_with("report,currency,type,class,account,"), "{}", csv.text);
    assert!(csv.text.contains("trial_balance,INR,liability,open,wallet:*,"), "{}", csv.text);
    // The page, the API and the command have one way to the figures.
    let of_api = scene.admin.get("/v1/audit/trial-balance?format=csv").await;
    assert_eq!(csv.text, of_api.text);
    let pdf = browser.get("/audit/balance-sheet?compare=1&format=pdf").await;
    assert!(pdf.text.starts_with("%PDF-"), "{}", pdf.text);
    for (path, status) in [
        ("/audit/accounts?as_of=yesterday", 422),
        ("/audit/balance-sheet?as_of=7&by=date", 422),
        ("/audit/profit-and-loss?from=2026-11-02&to=2026-11-01", 422),
        ("/audit/profit-and-loss?from=soon", 422),
        ("/audit/checkpoints/7", 404),
        ("/audit/checkpoints/none", 404),
        ("/audit/proofs?position=1", 404),
        ("/audit/proofs?position=first", 422),
        ("/audit/transactions/txn_1", 404),
        ("/audit/accounts/nothing", 404),
        ("/audit/events?show=999999999", 200),
        ("/audit/events?as_of=999999999&type=nothing", 200),
    ] {
        assert_eq!(browser.get(path).await.status, status, "{path}");
    }
    scene.finish().await;
}

/// Opens something with a reason.
async fn open(browser: &mut Browser, kind: &str, subject: &str, reason: &str) -> (u16, String) {
    let csrf = browser.get("/audit/replay").await.field("csrf");
    let fields =
        [("csrf", csrf.as_str()), ("kind", kind), ("subject", subject), ("reason", reason)];
    let page = browser.post("/audit/open", &fields).await;
    (page.status.as_u16(), page.text)
}

#[tokio::test(flavor = "multi_thread")]
async fn case_177_a_name_is_opened_with_a_reason_that_stands_in_the_log() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "120.00").await;
    let mut browser = auditor(&scene).await;
    let lines = logged(&scene).await.len();
    for short in ["", "  ", "x", "\r\n\u{1b}"] {
        let (status, text) = open(&mut browser, "name", &asha.id, short).await;
        assert_eq!(status, 422, "{text}");
        assert!(!text.contains("asha Rao"));
    }
    assert_eq!(logged(&scene).await.len(), lines, "nothing was seen and nothing written down");

    let reason = "Letter of 20 November\r\nforged line";
    let (status, text) = open(&mut browser, "name", &asha.id, reason).await;
    assert_eq!(status, 200, "{text}");
    assert!(text.contains("asha Rao") && text.contains("@asha"), "{text}");
    let (who, what, subject, why) = logged(&scene).await.pop().unwrap();
    assert!(who.starts_with("usr_") && who != asha.id, "{who}");
    assert_eq!((what.as_str(), subject.as_str()), ("name_opened", asha.id.as_str()));
    // Case 178: a reason is one line.
    assert_eq!(why, "Letter of 20 November  forged line");
    let log = browser.get("/audit/access").await.text;
    assert!(log.contains(&why) && log.contains("name opened") && log.contains(&asha.id), "{log}");
    // For that view alone.
    let account = browser.get(&format!("/audit/accounts/{}", asha.wallet)).await.text;
    assert!(!account.contains("asha Rao"), "{account}");
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_179_of_somebody_who_was_erased_nothing_can_be_opened_and_the_books_still_hold() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "120.00").await;
    let mut browser = auditor(&scene).await;
    let id = asha.id.parse().unwrap();
    let people = &scene.bahi.keeper.people;
    people.restrict(id, clock(&scene).now()).await.unwrap();
    people.erase(id, clock(&scene).now()).await.unwrap();
    let (status, text) = open(&mut browser, "name", &asha.id, "Does erasing work").await;
    assert_eq!(status, 200, "{text}");
    assert!(text.contains("nobody can read it any more") && !text.contains("asha Rao"), "{text}");
    let report = replayed(&scene, &mut browser).await;
    assert!(report.contains("0 of "), "{report}");
    scene.finish().await;
}

/// Asks for a replay, lets a worker make it, and waits for what it says.
async fn replayed(scene: &Scene, browser: &mut Browser) -> String {
    scene.projected().await;
    let csrf = browser.get("/audit/replay").await.field("csrf");
    for _ in 0..2 {
        // Pressed twice it is one.
        let fields = [("csrf", csrf.as_str()), ("kind", "replay")];
        let asked = browser.post("/audit/replay", &fields).await;
        assert_eq!(asked.location(), "/audit/replay");
    }
    let page = browser.get("/audit/replay").await.text;
    assert_eq!(page.matches("goes on").count(), 1, "{page}");
    let runner = AuditRunner {
        runs: AuditRuns::new(scene.bahi.database.pool().await),
        reader: scene.bahi.database.options(APP),
        maker: scene.bahi.database.options(APP),
        mac_key: None,
        clock: clock(scene),
    };
    let (stop, stopping) = watch::channel(false);
    let working = tokio::spawn(runner.run(stopping));
    let began = Instant::now();
    let said = loop {
        let page = browser.get("/audit/replay").await.text;
        if !page.contains("goes on") {
            break page;
        }
        assert!(began.elapsed() < PATIENCE, "{page}");
        tokio::task::yield_now().await;
    };
    stop.send_replace(true);
    working.await.unwrap();
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_from_the_page_says_that_no_balance_differs_and_who_asked() {
    let scene = Scene::start().await;
    scene.person("asha", "120.00").await;
    let mut browser = auditor(&scene).await;
    let page = replayed(&scene, &mut browser).await;
    assert!(page.contains("✓ verified"), "{page}");
    let compared = page.split(" balances differ").next().unwrap();
    assert!(compared.ends_with(|c: char| c.is_ascii_digit()), "{page}");
    assert!(page.contains("<strong>0 of "), "{page}");
    let overview = browser.get("/audit").await.text;
    assert!(overview.contains("✓ verified"), "{overview}");
    let lines = logged(&scene).await;
    assert_eq!(lines.iter().filter(|line| line.1 == "check_asked").count(), 1, "{lines:?}");
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_146_what_two_people_decided_shows_both_and_why() {
    let scene = Scene::start().await;
    let mut browser = auditor(&scene).await;
    let pool = scene.bahi.database.pool().await;
    let id = uuid::Uuid::from_u128(7);
    let insert = "insert into withdrawal_resolutions (withdrawal_id, attempt, outcome, reason,
                      evidence_sha256, proposed_by, proposed_at, expires_at, idempotency_key,
                      fingerprint, bank_reference, decision, decided_by, decided_at)
                  values ($1, 1, 'paid', 'On the statement', repeat('a', 64), 'usr_omar', now(),
                      now() + interval '1 day', 'key', sha256('x'), 'UTR1', 'approved', $2, now())";
    let with = async |second: &str| sqlx::query(insert).bind(id).bind(second).execute(&pool).await;
    assert!(with("usr_omar").await.is_err(), "nobody approves what they have proposed");
    with("usr_tara").await.unwrap();
    let page = browser.get("/audit/access").await.text;
    for shown in ["usr_omar", "usr_tara", "On the statement", "approved", "wd_0000"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_auditor_gives_again_is_their_password_and_operators_have_a_desk_of_their_own() {
    let scene = Scene::start().await;
    let mut browser = auditor(&scene).await;
    let again = browser.get("/audit/confirm?return_to=/audit/access").await;
    let csrf = again.field("csrf");
    let before = browser.cookies["__Host-bahi_audit"].clone();
    let fields = [("csrf", csrf.as_str()), ("password", "wrong one"), ("return_to", "/app")];
    assert_eq!(browser.post("/audit/confirm", &fields).await.status, 401);
    let fields = [("csrf", csrf.as_str()), ("password", super::PASSWORD), ("return_to", "/app")];
    let given = browser.post("/audit/confirm", &fields).await;
    assert_eq!(given.location(), "/audit", "not to a page of others");
    assert_ne!(browser.cookies["__Host-bahi_audit"], before);

    let omar = scene.person("omar", "1.00").await;
    appoint(&scene, &omar.id, StaffRole::Operator).await;
    let (mut desk, led) = log_in(&scene, "/ops", "omar").await;
    assert_eq!(led.as_deref(), Some("/ops"));
    assert!(desk.cookies.contains_key("__Host-bahi_ops"));
    assert_eq!(desk.get("/ops/confirm").await.status, 200);
    assert_eq!(desk.get("/audit").await.location(), "/audit/login");
    scene.finish().await;
}
