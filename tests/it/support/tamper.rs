//! What no program of ours does: changing the log behind everybody's back, as its superuser.

use ledger_core::log::{
    Head,
    hash::{HashedFields, event_hash},
    read,
};
use sqlx::{Connection, PgConnection};

use super::database::Database;

/// Overwrites the payload of one event of a stream.
pub(crate) async fn overwrite(database: &Database, stream: &str, sequence: i64, payload: &[u8]) {
    let mut db = database.superuser().await;
    let sql = "alter table events disable trigger events_append_only";
    sqlx::query(sql).execute(&mut db).await.unwrap();
    let changed =
        sqlx::query("update events set payload = $3 where aggregate_id = $1 and sequence = $2")
            .bind(stream)
            .bind(sequence)
            .bind(payload)
            .execute(&mut db)
            .await
            .unwrap();
    assert_eq!(changed.rows_affected(), 1);
    let sql = "alter table events enable always trigger events_append_only";
    sqlx::query(sql).execute(&mut db).await.unwrap();
    db.close().await.unwrap();
}

/// Appends a batch of one event, well chained, as a program of another version would.
pub(crate) async fn append(database: &Database, kind: &str, id: &str, event: (&str, &str, &[u8])) {
    let (name, version, payload) = event;
    let mut db = database.superuser().await;
    let head: Head = read::head(&mut db).await.unwrap();
    let sequence: i64 = sqlx::query_scalar(
        "select coalesce(max(sequence), 0) + 1 from events
         where aggregate_type = $1 and aggregate_id = $2",
    )
    .bind(kind)
    .bind(id)
    .fetch_one(&mut db)
    .await
    .unwrap();
    let fields = HashedFields {
        position: head.position + 1,
        aggregate_type: kind,
        aggregate_id: id,
        sequence: u64::try_from(sequence).unwrap(),
        event_type: name,
        event_version: version,
        recorded_at: head.recorded_at,
        payload,
        metadata: b"{}",
    };
    let hash = event_hash(&head.hash, &fields);
    insert(&mut db, &head, &fields, &hash).await;
    db.close().await.unwrap();
}

async fn insert(db: &mut PgConnection, head: &Head, fields: &HashedFields<'_>, hash: &[u8]) {
    // One statement, as everybody appends.
    let sql = "with brought as (
            insert into batches (number, last_position, head_hash, recorded_at)
            values ($1, $2, $3, $4) returning recorded_at
        )
        insert into events (position, aggregate_type, aggregate_id, sequence, event_type,
                            event_version, payload, metadata, recorded_at, hash)
        select $2, $5, $6, $7, $8, $9, $10, '{}', recorded_at, $3 from brought";
    sqlx::query(sql)
        .bind(i64::try_from(head.batch + 1).unwrap())
        .bind(i64::try_from(fields.position).unwrap())
        .bind(hash)
        .bind(fields.recorded_at)
        .bind(fields.aggregate_type)
        .bind(fields.aggregate_id)
        .bind(i64::try_from(fields.sequence).unwrap())
        .bind(fields.event_type)
        .bind(fields.event_version)
        .bind(fields.payload)
        .execute(db)
        .await
        .unwrap();
}
