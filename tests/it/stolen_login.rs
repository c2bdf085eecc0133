//! Case 176: what somebody can do who has stolen the application's login of the database, and
//! nothing else of the installation: add to the log, past every rule of the engine. What breaks a
//! rule is found at its position by who knows no more than the log. What breaks none stands in the
//! log with the name that it was given; this login cannot take it back, and what is signed has it.
//! And its batch lacks the MAC, whose key no database has: who has the key finds it.

use std::{collections::BTreeMap, time::Duration};

use ledger_api::proofs::{CheckpointMaker, MakeError, ProofSettings};
use ledger_core::{
    clock::{Ids as _, System},
    engine::{Engine, EngineConfig},
    ids::TransactionId,
    log::{
        BatchKey, Head, RecordedEvent,
        hash::{HashedFields, event_hash},
        read,
    },
};
use projections::audit::{self, Code, MacFigures, MacKey, Options, Report};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};

use crate::support::{
    database::{APP, Database},
    ledger::{Ledger, config},
};

const FROM: &str = "wallet:asha:INR";
const TO: &str = "wallet:mallory:INR";
const NAMED: &str = "{\"actor\":\"mallory\",\"request\":\"req_01935c3a5e7c7d3e8f00a1b2c3d4e5f6\"}";

/// What the installation's batches are authenticated with.
const KEY: [u8; 32] = [0x5e; 32];

/// A ledger with two wallets and a transfer between them; the legs of that.
async fn honest() -> (Ledger, Vec<RecordedEvent>) {
    traded(Ledger::start().await).await
}

async fn traded(ledger: Ledger) -> (Ledger, Vec<RecordedEvent>) {
    ledger.wallet(FROM, "100.00").await;
    ledger.wallet(TO, "1.00").await;
    ledger.transfer(FROM, TO, "1.00").await.unwrap();
    let pool = ledger.database.pool().await;
    let head = read::head(&pool).await.unwrap().position;
    let legs = read::events(&pool, head - 2, head, 2).await.unwrap();
    (ledger, legs)
}

/// The same transfer once more, as legs that nobody decided on; what was on the wallets after them
/// is right, or left as it was.
fn again(legs: &[RecordedEvent], right: bool) -> Vec<(String, String, String)> {
    let transaction = TransactionId::from_uuid(System.fresh()).to_string();
    let forged = legs.iter().map(|event| {
        let mut leg: Value = serde_json::from_slice(&event.payload).unwrap();
        leg["transaction_id"] = json!(transaction);
        if right {
            let after = if event.aggregate_id == FROM { "98.00" } else { "3.00" };
            leg["balance_after"] = json!(after);
        }
        (event.aggregate_id.clone(), event.event_type.clone(), leg.to_string())
    });
    forged.collect()
}

async fn login(database: &Database) -> PgConnection {
    PgConnection::connect(&database.url(APP)).await.unwrap()
}

/// Appends events of accounts as a process of ours would, hashes and all.
async fn append(db: &mut PgConnection, events: &[(String, String, String)]) {
    append_with(db, events, None).await;
}

/// The same, with what shall pass for the MAC of its batch.
async fn append_with(
    db: &mut PgConnection,
    events: &[(String, String, String)],
    mac: Option<&[u8]>,
) {
    let head: Head = read::head(&mut *db).await.unwrap();
    let (mut hash, mut rows) = (head.hash, Vec::new());
    let mut sequences = BTreeMap::new();
    for (index, (id, event_type, payload)) in events.iter().enumerate() {
        let known = "select max(sequence) from events where aggregate_id = $1";
        let last: i64 = sqlx::query_scalar(known).bind(id).fetch_one(&mut *db).await.unwrap();
        let sequence = sequences.entry(id.as_str()).or_insert(u64::try_from(last).unwrap());
        *sequence += 1;
        let position = head.position + 1 + u64::try_from(index).unwrap();
        let metadata = if index == 0 { NAMED } else { "{}" };
        let fields = HashedFields {
            position,
            aggregate_type: "account",
            aggregate_id: id,
            sequence: *sequence,
            event_type,
            event_version: "1.0",
            recorded_at: head.recorded_at,
            payload: payload.as_bytes(),
            metadata: metadata.as_bytes(),
        };
        hash = event_hash(&hash, &fields);
        rows.push((position, id, *sequence, event_type, payload, metadata, hash));
    }
    let mut db_tx = db.begin().await.unwrap();
    let last = rows.last().unwrap().0;
    let batch = "insert into batches (number, last_position, head_hash, recorded_at, mac)
                 values ($1, $2, $3, $4, $5)";
    sqlx::query(batch)
        .bind(i64::try_from(head.batch + 1).unwrap())
        .bind(i64::try_from(last).unwrap())
        .bind(&hash[..])
        .bind(head.recorded_at)
        .bind(mac)
        .execute(&mut *db_tx)
        .await
        .unwrap();
    for (position, id, sequence, event_type, payload, metadata, hash) in rows {
        let event = "insert into events (position, aggregate_type, aggregate_id, sequence,
                         event_type, event_version, payload, metadata, recorded_at, hash)
                     values ($1, 'account', $2, $3, $4, '1.0', $5, $6, $7, $8)";
        sqlx::query(event)
            .bind(i64::try_from(position).unwrap())
            .bind(id)
            .bind(i64::try_from(sequence).unwrap())
            .bind(event_type)
            .bind(payload.as_bytes())
            .bind(metadata.as_bytes())
            .bind(head.recorded_at)
            .bind(&hash[..])
            .execute(&mut *db_tx)
            .await
            .unwrap();
    }
    db_tx.commit().await.unwrap();
}

async fn verify(database: &Database) -> Report {
    verify_by(database, None).await
}

/// What the check says to who has a key.
async fn verify_by(database: &Database, key: Option<[u8; 32]>) -> Report {
    let mac_key = key.map(MacKey::new);
    let options = Options { read_models: false, mac_key, ..Options::default() };
    audit::verify_database(&database.pool().await, &options, |_| {}).await.unwrap()
}

#[tokio::test]
async fn case_176_what_a_stolen_login_adds_against_the_rules_is_found_at_its_position() {
    let unchained = "insert into events (position, aggregate_type, aggregate_id, sequence,
                         event_type, event_version, payload, metadata, recorded_at, hash)
                     select position + 2, aggregate_type, aggregate_id,
                         sequence + 1, event_type, event_version, payload, metadata, recorded_at,
                         hash from events where position = $1";
    let mut found = BTreeMap::new();
    for (what, right) in
        [("no batch", false), ("a false balance", false), ("money of its own", true)]
    {
        let (ledger, legs) = honest().await;
        let head = legs[1].position;
        ledger.engine.shutdown().await;
        assert!(verify(&ledger.database).await.verified);
        let mut db = login(&ledger.database).await;
        match what {
            "no batch" => {
                let query = sqlx::query(unchained).bind(i64::try_from(head - 1).unwrap());
                query.execute(&mut db).await.unwrap();
            }
            "a false balance" => append(&mut db, &again(&legs, right)).await,
            // The credit alone, as if the money came from nowhere.
            _ => append(&mut db, &again(&legs, right)[1..]).await,
        }
        let report = verify(&ledger.database).await;
        let first = report.findings.first().unwrap_or_else(|| panic!("{what}: {report}"));
        assert_eq!(first.position, Some(i64::try_from(head).unwrap() + 1), "{what}: {report}");
        found.insert(what, first.code);
    }
    assert_eq!(found["a false balance"], Code::BalanceDiffers);
    assert_eq!(found.len(), 3, "{found:?}");
}

#[tokio::test]
async fn case_176_what_a_stolen_login_adds_by_the_rules_stays_with_its_name_and_is_signed() {
    let (ledger, legs) = honest().await;
    let (database, head) = (&ledger.database, legs[1].position);
    let mut db = login(database).await;
    append(&mut db, &again(&legs, true)).await;
    // Nothing tells it from what another process of ours appends: the engine goes on from it.
    ledger.transfer(TO, FROM, "0.50").await.unwrap();
    ledger.engine.shutdown().await;
    let report = verify(database).await;
    assert!(report.verified, "{report}");
    // It says by whom and by which request, and there is no outcome that a client was given.
    let pool = database.pool().await;
    let forged = read::events(&pool, head, head + 1, 1).await.unwrap().remove(0);
    assert_eq!(forged.metadata, NAMED.as_bytes());
    let leg: Value = serde_json::from_slice(&forged.payload).unwrap();
    let outcomes = "select count(*) from idempotency where position($1 in outcome) > 0";
    let told = async |transaction: &Value| -> i64 {
        let id = transaction.as_str().unwrap().as_bytes();
        sqlx::query_scalar(outcomes).bind(id).fetch_one(&pool).await.unwrap()
    };
    assert_eq!(told(&leg["transaction_id"]).await, 0);
    let honest: Value = serde_json::from_slice(&legs[0].payload).unwrap();
    assert_eq!(told(&honest["transaction_id"]).await, 1, "as a client was given one");

    // That login takes nothing back, and what is signed has it: who does take it back is found.
    for sql in ["delete from events where position > $1", "update events set position = -$1"] {
        let refused = sqlx::query(sql).bind(i64::try_from(head).unwrap()).execute(&mut db).await;
        let refused = refused.unwrap_err();
        let code = refused.as_database_error().unwrap().code().unwrap().into_owned();
        assert_eq!(code, "42501", "{sql}");
    }
    let folder = tempfile::tempdir().unwrap();
    let settings = ProofSettings { every: Duration::ZERO, ..ProofSettings::new(folder.path()) };
    let maker = CheckpointMaker::new(pool.clone(), settings);
    let note = maker.make().await.unwrap().expect("a checkpoint");
    assert!(note.size() > head + 1);
    let mut owner = database.superuser().await;
    let cut = format!(
        "alter table events disable trigger all; alter table batches disable trigger all;
         delete from events where position > {head};
         delete from batches where last_position > {head}"
    );
    sqlx::raw_sql(&cut).execute(&mut owner).await.unwrap();
    let refused = maker.make().await.unwrap_err();
    assert!(matches!(refused, MakeError::Shorter { .. }), "{refused}");
}

/// An engine that authenticates what it appends.
async fn with_key(database: &Database) -> Ledger {
    let batch_key = Some(BatchKey::new(KEY));
    let engine = Engine::start(EngineConfig { batch_key, ..config(database) }).await.unwrap();
    Ledger { database: database.clone(), engine }
}

/// The MACs of all batches, in order.
async fn macs(database: &Database) -> Vec<Option<Vec<u8>>> {
    let sql = "select mac from batches order by number";
    sqlx::query_scalar(sql).fetch_all(&database.pool().await).await.unwrap()
}

#[tokio::test]
async fn case_176_what_a_stolen_login_adds_by_the_rules_lacks_the_mac_of_its_batch() {
    for forged in ["none", "of another batch", "of another key"] {
        let (ledger, legs) = traded(with_key(&Database::create().await).await).await;
        let (database, head) = (&ledger.database, legs[1].position);
        let before = verify_by(database, Some(KEY)).await;
        assert!(before.verified, "{before}");
        let known = macs(database).await;
        let batches = u64::try_from(known.len()).unwrap() - 1;
        let all = MacFigures { since_batch: Some(1), compared: batches, differing: 0 };
        assert_eq!(before.macs, Some(all), "every batch but the start");
        let mac = match forged {
            "none" => None,
            "of another batch" => known.last().unwrap().clone(),
            _ => Some(vec![7; 32]),
        };
        let mut db = login(database).await;
        append_with(&mut db, &again(&legs, true), mac.as_deref()).await;
        // The engine goes on from it, with MACs that are right.
        ledger.transfer(TO, FROM, "0.50").await.unwrap();
        ledger.engine.shutdown().await;
        let report = verify(database).await;
        assert!(report.verified && report.macs.is_none(), "by the rules: {report}");
        let report = verify_by(database, Some(KEY)).await;
        assert_eq!(report.findings_total, 1, "{forged}: {report}");
        let found = &report.findings[0];
        let place = (Some(i64::try_from(head).unwrap() + 1), Some(before.head.batch + 1));
        assert_eq!((found.code, (found.position, found.batch)), (Code::BatchMacDiffers, place));
        assert_eq!(report.macs.map(|macs| macs.differing), Some(1), "{forged}");
    }
}

#[tokio::test]
async fn case_176_batches_of_before_there_was_a_key_have_no_mac_and_are_no_finding() {
    let (old, _) = honest().await;
    let database = old.database.clone();
    let first = verify_by(&database, Some(KEY)).await;
    assert!(first.verified, "{first}");
    let none = MacFigures { since_batch: None, compared: 0, differing: 0 };
    assert_eq!(first.macs, Some(none));
    old.engine.shutdown().await;
    let ledger = with_key(&database).await;
    ledger.transfer(TO, FROM, "0.50").await.unwrap();
    let report = verify_by(&database, Some(KEY)).await;
    let since = MacFigures { since_batch: Some(first.head.batch + 1), compared: 1, differing: 0 };
    assert!(report.verified, "{report}");
    assert_eq!(report.macs, Some(since));
    // With another key nothing fits, and from there on one that has none is found.
    let other = verify_by(&database, Some([0x5f; 32])).await;
    assert_eq!((other.findings_total, other.findings[0].code), (1, Code::BatchMacDiffers));
    ledger.engine.shutdown().await;
    let old = Ledger::on(&database).await;
    old.transfer(TO, FROM, "0.25").await.unwrap();
    old.engine.shutdown().await;
    let report = verify_by(&database, Some(KEY)).await;
    assert_eq!(report.macs.map(|macs| (macs.compared, macs.differing)), Some((2, 1)), "{report}");
    // Unless somebody says from which batch on no such process was left.
    let mac_key = Some(MacKey::new(KEY).starting_at(report.head.batch + 1));
    let options = Options { read_models: false, mac_key, ..Options::default() };
    let later = audit::verify_database(&database.pool().await, &options, |_| {}).await.unwrap();
    assert!(later.verified, "{later}");
    // Nor can the login give a MAC to what has none, or take one away.
    let mut db = login(&database).await;
    let refused = sqlx::query("update batches set mac = null").execute(&mut db).await.unwrap_err();
    let code = refused.as_database_error().unwrap().code().unwrap().into_owned();
    assert_eq!(code, "42501");
}

#[tokio::test]
async fn case_176_who_takes_all_macs_away_is_found_where_the_first_batch_with_one_is_said() {
    let ledger = with_key(&Database::create().await).await;
    let (ledger, _) = traded(ledger).await;
    ledger.engine.shutdown().await;
    let database = &ledger.database;
    let mut owner = database.superuser().await;
    let sql = "alter table batches disable trigger all; update batches set mac = null";
    sqlx::raw_sql(sql).execute(&mut owner).await.unwrap();
    let unsaid = verify_by(database, Some(KEY)).await;
    assert_eq!(unsaid.macs.map(|macs| macs.since_batch), Some(None), "{unsaid}");
    let mac_key = Some(MacKey::new(KEY).starting_at(2));
    let options = Options { read_models: false, mac_key, ..Options::default() };
    let said = audit::verify_database(&database.pool().await, &options, |_| {}).await.unwrap();
    let batches = u64::try_from(macs(database).await.len()).unwrap();
    assert_eq!(said.macs.map(|macs| macs.differing), Some(batches - 2), "{said}");
    assert_eq!((said.verified, said.findings[0].code), (false, Code::BatchMacDiffers));
}
