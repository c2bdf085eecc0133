//! A replay into an empty schema, asked for on the page: every table that pages read from is made
//! anew and held against the live one; what was changed behind everybody's back is found and named.

use std::time::Instant;

use ledger_api::auditing::{AuditRunner, AuditRuns};
use serde_json::json;
use tokio::sync::watch;

use super::{auditor, clock, logged};
use crate::{
    support::{
        bahi::PATIENCE,
        browser::Browser,
        database::{APP, Database},
    },
    user_api::person::Scene,
};

/// The tables in the schema that this is done in.
async fn left_behind(database: &Database) -> Vec<String> {
    let sql = "select tablename::text from pg_tables where schemaname = 'read_replay'";
    sqlx::query_scalar(sql).fetch_all(&database.pool().await).await.unwrap()
}

async fn execute(database: &Database, sql: &str) {
    sqlx::raw_sql(sql).execute(&database.pool().await).await.unwrap();
}

/// Asks for one, lets a worker make it, and waits for what the page says.
async fn rebuilt(scene: &Scene, browser: &mut Browser) -> String {
    scene.projected().await;
    let csrf = browser.get("/audit/replay").await.field("csrf");
    for _ in 0..2 {
        // Pressed twice it is one.
        let asked = browser.post("/audit/replay", &[("csrf", &csrf), ("kind", "rebuild")]).await;
        assert_eq!(asked.location(), "/audit/replay");
    }
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
    let page = loop {
        let page = browser.get("/audit/replay").await.text;
        if !page.contains("goes on") {
            break page;
        }
        assert!(began.elapsed() < PATIENCE, "{page}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    stop.send_replace(true);
    working.await.unwrap();
    page
}

/// What a page says of a table: rows, how many differ, and which.
fn said_of(page: &str, table: &str) -> (String, String, String) {
    let row = page.split("<tr").find(|row| row.contains(&format!(">{table}<")));
    let row = row.unwrap_or_else(|| panic!("{table}: {page}"));
    let plain = |cell: &str| {
        let text = cell.split_once("<bdi>").map_or("", |(_, rest)| rest);
        text.split("</bdi>").next().unwrap_or_default().to_owned()
    };
    let cells: Vec<String> = row.split("<td").skip(1).map(plain).collect();
    let last = cells.len();
    (cells[last - 3].clone(), cells[last - 2].clone(), cells[last - 1].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn i7_a_replay_into_an_empty_schema_finds_what_was_changed_in_each_table() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "120.00").await;
    let ravi = scene.person("ravi", "30.00").await;
    let body = json!({"to": {"handle": "ravi"}, "amount": {"value": "5.00", "currency": "INR"}});
    asha.post("/v1/transfers", &body).await.made();
    let mut browser = auditor(&scene).await;
    // Left behind by a process that died: no hindrance, and gone afterwards.
    execute(&scene.bahi.database, "select make_read_models('read_replay')").await;
    let page = rebuilt(&scene, &mut browser).await;
    assert!(page.contains("✓ the same") && page.contains("<strong>0 of "), "{page}");
    let (rows, differ, which) = said_of(&page, "accounts");
    assert!(rows.parse::<u32>().unwrap() >= 3 && differ == "0" && which.is_empty(), "{page}");
    assert!(left_behind(&scene.bahi.database).await.is_empty());
    let asked = logged(&scene).await;
    assert_eq!(asked.iter().filter(|line| line.1 == "check_asked").count(), 1, "{asked:?}");
    // It is no verification of the chain, and the overview does not take it for one.
    assert!(!browser.get("/audit").await.text.contains("✓ verified"));

    // Behind the service's back: a balance, a row too many, a row too few.
    execute(
        &scene.bahi.database,
        &format!(
            "update read.accounts set credits_posted = credits_posted + 1, balance = balance + 1
             where id = '{}';
             insert into read.open_items values ('bank:x:clearing_in:INR', 'i', 1, 1, now());
             delete from read.flows where account_id = '{}'",
            ravi.wallet, asha.wallet
        ),
    )
    .await;
    let page = rebuilt(&scene, &mut browser).await;
    assert!(page.contains("not the same"), "{page}");
    let runs = page.split("class=\"card stack run\"");
    let newest = runs.into_iter().find(|run| run.contains("not the same")).unwrap();
    let (_, differ, which) = said_of(newest, "accounts");
    assert_eq!(differ, "1", "{newest}");
    let named = format!("{}: balance is 36.00 and should be 35.00; credits_posted is", ravi.wallet);
    assert!(which.starts_with(&named), "{which}");
    let (_, differ, which) = said_of(newest, "open items");
    assert_eq!((&*differ, &*which), ("1", "bank:x:clearing_in:INR i: is not in the log"));
    let (_, differ, which) = said_of(newest, "flows");
    assert!(differ == "1" && which.starts_with(&asha.wallet), "{which}");
    assert!(which.ends_with("is missing"), "{which}");
    assert_eq!(said_of(newest, "transactions").1, "0", "{newest}");
    assert!(left_behind(&scene.bahi.database).await.is_empty());
    // What is made anew for good is right again.
    projections::rebuild(&scene.bahi.database.pool().await, None, |_, _| ()).await.unwrap();
    scene.finish().await;
}
