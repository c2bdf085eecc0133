//! The signed heads of the log on the auditors' pages, and what is taken from there: notes and
//! proofs that hold elsewhere; and the page that follows a check while it is made.

use std::time::Duration;

use ledger_api::{
    auditing::{AuditRunner, AuditRuns},
    proofs::{CheckpointMaker, ProofSettings, read_key},
};
use projections::audit::{
    self, Options,
    proof::{ProofFile, SignedCheckpoint},
};
use reqwest::Method;
use tokio::{sync::watch, time::timeout};

use super::{auditor, clock, logged};
use crate::{
    support::{bahi::PATIENCE, database::APP},
    user_api::person::Scene,
};

#[tokio::test(flavor = "multi_thread")]
async fn case_180_what_an_auditor_takes_from_the_pages_holds_elsewhere() {
    let scene = Scene::start().await;
    scene.person("asha", "120.00").await;
    let mut browser = auditor(&scene).await;
    let bare = browser.get("/audit/checkpoints").await.text;
    assert!(bare.contains("nothing of it is signed yet"), "{bare}");

    let folder = tempfile::tempdir().unwrap();
    let settings = ProofSettings { every: Duration::ZERO, ..ProofSettings::new(folder.path()) };
    let maker = CheckpointMaker::new(scene.bahi.database.pool().await, settings.clone());
    let signed = maker.make().await.unwrap().expect("a log");
    let key = read_key(&settings.key_file).unwrap().public();
    let size = signed.size();
    for page in ["/audit/checkpoints", "/audit/events"] {
        let text = browser.get(page).await.text;
        assert!(text.contains("signed to its end, "), "{page}: {text}");
    }
    // The age is said in words, and how far the log has gone on.
    scene.credit(&scene.person("ravi", "1.00").await, "5.00").await;
    let head = scene.bahi.engine.status().borrow().head.position;
    let overview = browser.get("/audit").await.text;
    let since = format!("{} events since", head - size);
    assert!(overview.contains(&since), "{since}: {overview}");

    let page = browser.get("/audit/checkpoints").await.text;
    for shown in [format!("#{size}"), hex::encode(key.to_bytes()), signed.origin().to_owned()] {
        assert!(page.contains(&shown), "{shown}: {page}");
    }
    let file = browser.get(&format!("/audit/checkpoints/{size}")).await;
    let said = file.headers["content-disposition"].to_str().unwrap();
    assert_eq!(said, format!("attachment; filename=\"checkpoint-{size}.note\""));
    let note = SignedCheckpoint::parse(&file.text).unwrap();
    assert_eq!(note.to_string(), browser.get("/audit/checkpoints/latest").await.text);
    let proof = browser.get(&format!("/audit/proofs?position=%23{size}")).await;
    let proof = ProofFile::from_json(proof.text.as_bytes()).unwrap();
    assert_eq!(proof.check(&[key], &[]).unwrap().size(), size);

    let lines = logged(&scene).await.len();
    let export = browser.get("/audit/events/export").await;
    assert!(export.headers["content-disposition"].to_str().unwrap().contains(".ndjson"));
    let options = Options { notes: vec![note], keys: vec![key], ..Options::default() };
    let report = audit::verify_export(export.text.as_bytes(), &options, |_| {}).unwrap();
    assert!(report.verified, "{report}");
    assert_eq!(u64::try_from(report.events).unwrap(), head);
    let (_, what, subject, _) = logged(&scene).await.remove(lines);
    assert_eq!((what.as_str(), subject), ("log_exported", format!("#{head}")));
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_follows_a_check_until_it_is_over() {
    let scene = Scene::start().await;
    scene.person("asha", "120.00").await;
    let mut browser = auditor(&scene).await;
    let idle = browser.get("/audit/replay").await.text;
    assert!(idle.contains("data-over") && !idle.contains("data-stream"), "{idle}");
    let csrf = browser.get("/audit/replay").await.field("csrf");
    browser.post("/audit/replay", &[("csrf", &csrf), ("kind", "replay")]).await;
    let open = browser.get("/audit/replay").await.text;
    assert!(open.contains("data-stream=\"/audit/replay/stream\""), "{open}");
    assert!(!open.contains("data-over"), "{open}");

    let mut stream = browser.request(Method::GET, "/audit/replay/stream").send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let first = timeout(PATIENCE, stream.chunk()).await.unwrap().unwrap().unwrap();
    let first = String::from_utf8(first.to_vec()).unwrap();
    assert!(first.contains("event: run") && first.contains("\"goes_on\":true"), "{first}");

    let runner = AuditRunner {
        runs: AuditRuns::new(scene.bahi.database.pool().await),
        reader: scene.bahi.database.options(APP),
        maker: scene.bahi.database.options(APP),
        mac_key: None,
        clock: clock(&scene),
    };
    let (stop, stopping) = watch::channel(false);
    let working = tokio::spawn(runner.run(stopping));
    let mut said = first;
    // It ends by itself, with the check.
    while let Some(chunk) = timeout(PATIENCE, stream.chunk()).await.unwrap().unwrap() {
        said.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    stop.send_replace(true);
    working.await.unwrap();
    let last = said.trim_end().rsplit("\n\n").next().unwrap();
    assert!(last.contains("\"goes_on\":false"), "{said}");
    let over = browser.get("/audit/replay").await.text;
    assert!(over.contains("✓ verified") && over.contains("data-over"), "{over}");
    scene.finish().await;
}
