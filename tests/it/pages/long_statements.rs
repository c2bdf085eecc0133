//! Statements that are too long to be made while somebody waits.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    reader::{page, press},
    wallet_more::transfers,
};
use crate::{
    support::bahi::{PATIENCE, Reply, send},
    user_api::person::{Person, Scene},
};

const DAYS: [(&str, &str); 2] = [("from", "2026-11-01"), ("to", "2026-11-30")];

/// A statement with more lines than are handed out at once.
async fn long(scene: &Scene) -> (Person, Person) {
    let asha = scene.person("asha", "5000.00").await;
    let ravi = scene.person("ravi", "1.00").await;
    for count in [1_000, 1_000, 100] {
        transfers(scene, &asha, &ravi, count).await;
    }
    (asha, ravi)
}

async fn ask(person: &Person, format: &str) -> Reply {
    press(person, "/app/statements/files", &[DAYS[0], DAYS[1], ("format", format)]).await
}

/// The id of the file whose page this is.
#[track_caller]
fn id_of(page: &Reply) -> String {
    let (_, rest) = page.text.split_once("sf_").unwrap_or_else(|| panic!("{}", page.text));
    format!("sf_{}", rest.get(..32).unwrap())
}

/// Waits until a file is in a state.
async fn until(person: &Person, id: &str, state: &str) -> Value {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let seen = person.get(&format!("/v1/statement-files/{id}")).await.made();
        if seen["state"] == state {
            return seen;
        }
        assert!(tokio::time::Instant::now() < deadline, "{seen}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_statement_is_prepared_and_had_by_nobody_else() {
    let scene = Scene::start().await;
    let (asha, ravi) = long(&scene).await;
    let shown = page(&asha, "/app/statements?from=2026-11-01&to=2026-11-30").await;
    assert!(shown.text.contains("first 200 of 2,101 lines"), "{}", shown.text);
    assert!(shown.text.contains("Prepare CSV") && !shown.text.contains("format=csv"));
    // Pressed twice it is one.
    let first = id_of(&ask(&asha, "csv").await);
    let second = ask(&asha, "csv").await;
    assert_eq!(second.status, 200, "{}", second.text);
    let id = id_of(&second);
    let ready = until(&asha, &id, "ready").await;
    assert_eq!((&ready["lines_done"], &ready["lines_of"]), (&json!(2_101), &json!(2_101)));
    let own = page(&asha, &format!("/app/statements/files/{id}")).await;
    assert!(
        own.text.contains("Download the CSV") && own.text.contains("data-over"),
        "{}",
        own.text
    );

    let content = format!("/v1/statement-files/{id}/content");
    let file = asha.get(&content).await;
    assert_eq!(file.status, 200, "{}", file.text);
    assert!(file.header("content-type").starts_with("text/csv"));
    let named = "attachment; filename=\"statement-2026-11-01-2026-11-30.csv\"";
    assert_eq!(file.header("content-disposition"), named);
    assert_eq!(file.text.lines().count(), 1 + 1 + 2_101 + 1);
    let closing = file.text.lines().last().unwrap();
    assert!(closing.contains(",5000.00,2100.00,2900.00,"), "{closing}");
    // The same that a program is given at once.
    let at_once = asha.get("/v1/statements?month=2026-11&format=csv").await;
    assert_eq!(at_once.text, file.text);

    for path in [
        format!("/v1/statement-files/{id}"),
        content,
        format!("/app/statements/files/{id}"),
        format!("/app/statements/files/{id}/events"),
    ] {
        assert_eq!(page(&ravi, &path).await.status, 404, "{path}");
    }
    let pool = scene.bahi.database.pool().await;
    let sealed: Vec<u8> = sqlx::query_scalar("select content from wallet_statement_files")
        .fetch_one(&pool)
        .await
        .unwrap();
    let is_plain = sealed.windows(7).any(|bytes| bytes == b"opening");
    assert!(!is_plain, "what is kept is sealed");
    // Another one takes its place, and the first is gone.
    let other = id_of(&ask(&asha, "json").await);
    until(&asha, &other, "ready").await;
    for gone in [&first, &id] {
        assert_eq!(asha.get(&format!("/v1/statement-files/{gone}")).await.status, 404);
    }
    let file = asha.get(&format!("/v1/statement-files/{other}/content")).await.made();
    assert_eq!(file["lines"].as_array().unwrap().len(), 2_101);
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_prepared_at_a_time_and_whose_maker_died_again() {
    let scene = Scene::start().await;
    let (asha, _) = long(&scene).await;
    let id = id_of(&ask(&asha, "json").await);
    until(&asha, &id, "ready").await;
    // As another process left it that is at it, or was.
    let pool = scene.bahi.database.pool().await;
    let left = async |until: &str| {
        let sql = format!(
            "update wallet_statement_files set state = 'making', lines_done = 700, content = null,
                 position = null, leased_until = '{until}'"
        );
        sqlx::query(&sql).execute(&pool).await.unwrap();
    };
    left("2026-11-22T06:40:00Z").await;
    let preparing = page(&asha, &format!("/app/statements/files/{id}")).await;
    for shown in ["Preparing your statement", "700 of 2,101 lines", "Refresh", "value=\"33\""] {
        assert!(preparing.text.contains(shown), "{shown}: {}", preparing.text);
    }
    let early = asha.get(&format!("/v1/statement-files/{id}/content")).await;
    assert_eq!((early.status.as_u16(), early.code()), (409, "statement_not_ready".to_owned()));
    let other = ask(&asha, "csv").await;
    assert!(other.text.contains("is being prepared. Wait for it"), "{}", other.text);
    assert_eq!(id_of(&ask(&asha, "json").await), id, "the same is the one that is prepared");
    let body = json!({"from": "2026-11-01", "to": "2026-11-30", "format": "pdf"});
    let refused = asha.post("/v1/statement-files", &body).await;
    assert_eq!(refused.code(), "statement_preparing", "{}", refused.text);
    // Nobody hears of its maker any more: looking at it is enough.
    left("2026-11-22T06:20:00Z").await;
    until(&asha, &id, "ready").await;
    let file = asha.get(&format!("/v1/statement-files/{id}/content")).await.made();
    assert_eq!(file["lines"].as_array().unwrap().len(), 2_101);
    assert_eq!(file["closing"]["value"], "2900.00");
    // The stream tells how it is, and ends with it; to pages of others it tells nothing.
    let path = format!("/app/statements/files/{id}/events");
    let told = asha.get(&path).await;
    assert!(told.text.contains("event: file") && told.text.contains("\"ready\""), "{}", told.text);
    let foreign = asha.bare(Method::GET, &path).header("origin", "https://evil.example");
    assert_eq!(send(foreign).await.status, 403);

    // After an hour it is taken away.
    scene.clock.advance(chrono::TimeDelta::minutes(61));
    scene.bahi.keeper.round().await.unwrap();
    let kept: i64 = sqlx::query_scalar("select count(*) from wallet_statement_files")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(kept, 0);
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn days_that_make_no_sense_are_not_prepared() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "10.00").await;
    for (from, to) in [("2026-11-02", "2026-11-01"), ("2024-01-01", "2026-01-01")] {
        let body = json!({"from": from, "to": to, "format": "csv"});
        assert_eq!(asha.post("/v1/statement-files", &body).await.status, 422, "{from}");
        let fields = [("from", from), ("to", to), ("format", "csv")];
        let form = press(&asha, "/app/statements/files", &fields).await;
        assert_eq!(form.status, 422, "{}", form.text);
        assert!(form.text.contains("within one year"), "{}", form.text);
    }
    let kept: i64 = sqlx::query_scalar("select count(*) from wallet_statement_files")
        .fetch_one(&scene.bahi.database.pool().await)
        .await
        .unwrap();
    assert_eq!(kept, 0);
    scene.finish().await;
}
