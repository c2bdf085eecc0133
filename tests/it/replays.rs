//! Going through the log again: read models come of it, and nothing else.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use ledger_core::clock::{Clock, ManualClock};
use projections::{ReadModel, rebuild};
use serde_json::json;

use crate::support::{
    bahi::{PATIENCE, Set, TestBahi, amount, transfer},
    contents::{Contents, contents},
    database::Database,
};

const A: &str = "wallet:asha:INR";
const B: &str = "wallet:ravi:INR";

/// Everything but the read models, and when keys were last used, which is noted some time later.
async fn all_else(database: &Database) -> Contents {
    let mut all = contents(&mut database.superuser().await).await;
    let elsewhere = |name: &str| !name.starts_with("read") && !name.starts_with("public.api_keys.");
    all.retain(|name, _| elsewhere(name));
    all
}

/// Something of everything: a note, a reversal, holds that were captured, are open, have expired.
async fn live(bahi: &TestBahi, clock: &ManualClock) {
    let admin = bahi.admin().await;
    admin.wallet(A, "100.00").await;
    admin.open(B).await.made();
    let mut noted = transfer(A, B, "1.00");
    noted["note"] = json!("Tea");
    let made = admin.post("/v1/transactions", &noted).await.made();
    let reverse = format!("/v1/transactions/{}/reverse", made["id"].as_str().unwrap());
    admin.post(&reverse, &json!({})).await.made();
    let soon = clock.now() + TimeDelta::minutes(5);
    let mut holds = Vec::new();
    for _ in 0..4 {
        let hold = json!({"account": A, "amount": amount(A, "5.00"), "expires_at": soon});
        let hold = admin.post("/v1/holds", &hold).await.made();
        holds.push(format!("/v1/holds/{}", hold["id"].as_str().unwrap()));
    }
    let capture = json!({"kind": "payment", "to": [{"account": B}]});
    admin.post(&format!("{}/capture", holds[0]), &capture).await.made();
    clock.advance(TimeDelta::minutes(5));
    let swept = async {
        for hold in &holds[1..] {
            while admin.get(hold).await.made()["status"] != "expired" {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    };
    tokio::time::timeout(PATIENCE, swept).await.expect("they are swept");
    let open = json!({"account": A, "amount": amount(A, "5.00")});
    admin.post("/v1/holds", &open).await.made();
}

#[tokio::test(flavor = "multi_thread")]
async fn case_78_a_replay_has_no_effect_but_read_models() {
    let database = Database::create().await;
    let clock = Arc::new(ManualClock::at("2026-11-22T12:00:00Z".parse().unwrap()));
    let set = Set { clock: Arc::<ManualClock>::clone(&clock), ..Set::default() };
    let empty = all_else(&database).await;
    let bahi = TestBahi::on(&database, set.clone()).await;
    live(&bahi, &clock).await;
    bahi.finish().await;
    let before = all_else(&database).await;
    // Effects are seen where they are.
    for column in ["events.hash", "batches.number", "idempotency.key", "transaction_notes.note"] {
        let column = format!("public.{column}");
        assert!(before[&column].len() > empty[&column].len(), "{column}");
    }

    // The read models beside the live ones, all and one by one.
    let pool = database.pool().await;
    rebuild(&pool, None, |_, _| ()).await.unwrap();
    for model in ReadModel::ALL {
        rebuild(&pool, Some(model), |_, _| ()).await.unwrap();
    }
    assert_eq!(all_else(&database).await, before, "after a rebuild");

    // A whole service that goes through the log from its start: the engine, the projector, and a
    // sweeper, which may meet holds again whose time has come.
    let truncate = "truncate read.accounts, read.activity, read.transactions, read.flows,
                             read.open_items, read.holds, read.transaction_days";
    sqlx::query(truncate).execute(&pool).await.unwrap();
    sqlx::query("update read.checkpoint set position = 0").execute(&pool).await.unwrap();
    TestBahi::on(&database, set).await.finish().await;
    assert_eq!(all_else(&database).await, before, "after a restart");
}
