//! Case 173: nobody rewrites the past. Not the application's role, which lacks the privilege; not
//! the owner, nor a session that calls itself a replica, whom the triggers refuse.

use sqlx::{Connection, PgConnection};

use crate::support::{
    database::{APP, Database, SUPERUSER},
    ledger::Ledger,
};

const TABLES: [(&str, &str); 3] = [
    ("events", "event_type = event_type"),
    ("batches", "recorded_at = recorded_at"),
    ("idempotency", "key = key"),
];

/// SQLSTATE of a missing privilege.
const DENIED: &str = "42501";
/// SQLSTATE that the triggers refuse with.
const REFUSED: &str = "23000";

async fn code(db: &mut PgConnection, sql: &str) -> String {
    match sqlx::raw_sql(sql).execute(db).await {
        Ok(_) => "done".to_owned(),
        Err(error) => {
            let database = error.as_database_error().unwrap_or_else(|| panic!("{sql}: {error}"));
            database.code().unwrap().into_owned()
        }
    }
}

async fn rows(db: &mut PgConnection) -> Vec<i64> {
    let mut counts = Vec::new();
    for (table, _) in TABLES {
        let sql = format!("select count(*) from {table}");
        counts.push(sqlx::query_scalar(&sql).fetch_one(&mut *db).await.unwrap());
    }
    counts
}

/// A log with something in each of the three tables.
async fn written() -> Database {
    let ledger = Ledger::start().await;
    ledger.wallet("wallet:a:INR", "100.00").await;
    ledger.engine.shutdown().await;
    ledger.database
}

/// What would change the rows of each table.
fn changes() -> Vec<String> {
    TABLES
        .iter()
        .flat_map(|(table, assignment)| {
            [
                format!("update {table} set {assignment}"),
                format!("delete from {table}"),
                format!("truncate {table}"),
                format!("truncate {table} cascade"),
            ]
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn case_173_the_applications_role_may_add_and_nothing_else() {
    let database = written().await;
    let mut app = PgConnection::connect(&database.url(APP)).await.unwrap();
    let before = rows(&mut app).await;
    let conflicts = [
        "insert into events select * from events on conflict (aggregate_type, aggregate_id, \
         sequence) do update set payload = excluded.payload",
        "insert into batches select * from batches on conflict (number) do update set \
         head_hash = excluded.head_hash",
        "insert into idempotency select * from idempotency on conflict (principal, key) do \
         update set outcome = excluded.outcome",
    ];
    let definitions = [
        "alter table events disable trigger events_append_only",
        "drop trigger events_append_only on events",
        "alter table events add column more int",
        "drop table events cascade",
        "drop table batches, idempotency",
        "drop function refuse_change() cascade",
        "create or replace function refuse_change() returns trigger language plpgsql as \
         $$ begin return new; end $$",
        "create rule quiet as on insert to events do instead nothing",
        "alter table events rename to gone",
        "create table mine (x int)",
        "alter table events owner to bahi_app",
        "grant update on events to bahi_app",
        "select 1 from events for update",
        "do $$ begin lock table events in access exclusive mode; end $$",
        "set session_replication_role = replica",
        "alter role bahi_app superuser",
        "set role bahi",
    ];
    let all = changes();
    let all = all.iter().map(String::as_str).chain(conflicts).chain(definitions);
    for sql in all {
        let told = code(&mut app, sql).await;
        let granted_nothing = sql.starts_with("grant") && told == "done";
        assert!(told == DENIED || granted_nothing, "{sql}: {told}");
    }
    // What it may: add. A row that is there already stays as it is.
    let again = "insert into batches select * from batches on conflict do nothing";
    assert_eq!(code(&mut app, again).await, "done");
    assert_eq!(rows(&mut app).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_173_the_owner_and_a_replica_session_are_refused_by_the_triggers() {
    let database = written().await;
    let mut owner = PgConnection::connect(&database.url(SUPERUSER)).await.unwrap();
    let before = rows(&mut owner).await;
    for role in ["origin", "replica", "local"] {
        let set = format!("set session_replication_role = {role}");
        assert_eq!(code(&mut owner, &set).await, "done");
        for sql in changes() {
            assert_eq!(code(&mut owner, &sql).await, REFUSED, "{sql} as {role}");
        }
        let conflict = "insert into idempotency select * from idempotency \
                        on conflict (principal, key) do update set outcome = excluded.outcome";
        assert_eq!(code(&mut owner, conflict).await, REFUSED, "as {role}");
    }
    assert_eq!(rows(&mut owner).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tables_keep_what_the_engine_promises_even_from_the_engine() {
    let database = written().await;
    let mut app = PgConnection::connect(&database.url(APP)).await.unwrap();
    let event = |position: &str, id: &str, sequence: &str, hash: &str| {
        format!(
            "insert into events (position, aggregate_type, aggregate_id, sequence, event_type,
                                 event_version, payload, metadata, recorded_at, hash)
             values ({position}, 'account', '{id}', {sequence}, 'closed', '1.0',
             '{{}}', '{{}}', now(), {hash})"
        )
    };
    let hash = "decode(repeat('00', 32), 'hex')";
    let duplicate = "23505";
    let check = "23514";
    // The same place in the log, and the same place in a stream.
    assert_eq!(code(&mut app, &event("1", "x", "1", hash)).await, duplicate);
    assert_eq!(code(&mut app, &event("999", "wallet:a:INR", "1", hash)).await, duplicate);
    assert_eq!(code(&mut app, &event("0", "x", "1", hash)).await, check);
    assert_eq!(code(&mut app, &event("999", "x", "0", hash)).await, check);
    assert_eq!(code(&mut app, &event("999", "x", "1", "'short'")).await, check);
    assert_eq!(code(&mut app, &event("null", "x", "1", hash)).await, "23502");
    let batch = "insert into batches values (0, 0, decode(repeat('00', 32), 'hex'), now())";
    assert_eq!(code(&mut app, batch).await, duplicate);
}
