//! Case 177: who was turned away by the API stands in the access log, in few lines however many
//! they are; and the log is read by pages and programs alike.

use ledger_api::identity::{KeyEnvironment, NewKey, Scope, ScopeSet, create_key, revoke_key};
use reqwest::{Client, Method};
use serde_json::Value;

use super::{auditor, logged};
use crate::{
    support::bahi::{Actor, PATIENCE, Reply, send},
    user_api::person::Scene,
};

async fn with_key(scene: &Scene, key: &str) -> Reply {
    let request = Client::new().request(Method::GET, format!("{}/v1/accounts", scene.bahi.address));
    send(request.header("authorization", format!("Bearer {key}"))).await
}

/// Waits until so many lines say this.
async fn lines_of(scene: &Scene, what: &str, count: usize) -> Vec<(String, String, String)> {
    let seen = async {
        loop {
            let lines = logged(scene).await.into_iter().filter(|line| line.1 == what);
            let lines: Vec<_> = lines.map(|(who, _, about, why)| (who, about, why)).collect();
            if lines.len() >= count {
                return lines;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, seen).await.expect("they are written down")
}

#[tokio::test(flavor = "multi_thread")]
async fn case_177_refused_keys_are_written_down_and_cannot_fill_the_log() {
    let scene = Scene::start().await;
    let pool = scene.bahi.database.pool().await;
    let new = NewKey {
        principal: "former".parse().unwrap(),
        label: "a program of before".to_owned(),
        scopes: ScopeSet::of(&[Scope::LedgerRead]),
        environment: KeyEnvironment::Test,
    };
    let (id, token) = create_key(&pool, &new).await.unwrap();
    assert_eq!(with_key(&scene, token.reveal()).await.status, 200);
    revoke_key(&pool, &id).await.unwrap();
    let gone = async {
        while with_key(&scene, token.reveal()).await.status != 401 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("it is refused");
    for number in 0..40_u32 {
        let random = format!("bahi_live_{number:043}");
        assert_eq!(with_key(&scene, &random).await.status, 401);
    }
    assert_eq!(with_key(&scene, "hunter2 secret").await.status, 401);

    let lines = lines_of(&scene, "key_refused", 3).await;
    let expected = [
        (id.as_str(), "a revoked key of former"),
        ("bahi_live_…", "no key in force"),
        ("not a key", "no key in force"),
    ];
    for (about, why) in expected {
        let line = ("network 127.0.0.0/24".to_owned(), about.to_owned(), why.to_owned());
        assert!(lines.contains(&line), "{about}: {lines:?}");
    }
    // A minute has not passed: nothing more was written, whatever the forty were.
    assert_eq!(lines.len(), 3, "{lines:?}");
    let all = format!("{:?}", logged(&scene).await);
    assert!(!all.contains("hunter2") && !all.contains(token.reveal()), "{all}");
    assert!(!all.contains(&format!("{:043}", 7)), "{all}");

    let mut browser = auditor(&scene).await;
    let page = browser.get("/audit/access?what=key_refused").await.text;
    for shown in [&id, "bahi_live_…", "network 127.0.0.0/24", "a revoked key of former"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    scene.finish().await;
}

/// All lines that match, two at a time.
async fn all(actor: &Actor, filter: &str) -> Vec<Value> {
    let (mut lines, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/audit/access?limit=2{filter}{cursor}");
        let page = actor.get(&path).await.made();
        lines.extend(page["data"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next_cursor"].as_str() else { return lines };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn case_177_the_access_log_is_read_by_key_and_a_refusal_to_read_it_is_in_it() {
    let scene = Scene::start().await;
    let others: Vec<Scope> =
        Scope::ALL.into_iter().filter(|scope| *scope != Scope::AuditRead).collect();
    let other = scene.bahi.actor("other", &others).await;
    for _ in 0..5 {
        assert_eq!(other.get("/v1/audit/access").await.status, 403);
    }
    let asha = scene.person("asha", "1.00").await;
    assert_eq!(asha.get("/v1/audit/access").await.status, 403);
    assert_eq!(lines_of(&scene, "request_refused", 2).await.len(), 2);
    auditor(&scene).await;

    let key = scene.bahi.actor("usha", &[Scope::AuditRead]).await;
    let lines = all(&key, "").await;
    let numbers: Vec<i64> = lines.iter().map(|line| line["number"].as_i64().unwrap()).collect();
    assert!(numbers.is_sorted_by(|a, b| a > b) && numbers.len() >= 3, "{numbers:?}");
    let refused = all(&key, "&what=request_refused&who=other").await;
    assert_eq!(refused.len(), 1, "{refused:?}");
    let line = &refused[0];
    assert_eq!((&line["object"], &line["who"]), (&"access".into(), &"other".into()));
    assert_eq!(line["subject"], "GET /v1/audit/access");
    assert!(line["reason"].as_str().unwrap().contains("audit:read"), "{line}");
    assert_eq!(all(&key, &format!("&who={}", asha.id)).await.len(), 1);
    let appointed = all(&key, "&what=staff_appointed").await;
    assert_eq!(appointed.len(), 1, "{appointed:?}");
    assert!(all(&key, "&who=nobody").await.is_empty() && all(&key, "&who=%00").await.is_empty());
    let wrong = key.get("/v1/audit/access?cursor=AAAA").await;
    assert_eq!((wrong.status.as_u16(), &*wrong.code()), (400, "cursor_invalid"));
    assert_eq!(key.get("/v1/audit/access?until=now").await.status, 422);
    scene.finish().await;
}
