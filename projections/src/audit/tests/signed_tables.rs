//! The tables of proofs under the hands of a superuser: each change is found where it stands.

use super::{
    super::{Options, Report, proof::Tiler, verify_database},
    Code, assert_found,
    database::{store, tamper},
    log::Log,
    server::Database,
    signed::{leaf, note},
    sound_log,
};
use crate::audit::proof::{SignedCheckpoint, Signer};

fn signer(seed: u8) -> Signer {
    Signer::of(&[seed; 32])
}

async fn verify(database: &Database) -> Report {
    verify_database(&database.pool, &Options::default(), |_| {}).await.expect("a log")
}

async fn insert(database: &Database, note: &SignedCheckpoint) {
    sqlx::query("insert into checkpoints (size, root, public_key, note) values ($1, $2, $3, $4)")
        .bind(i64::try_from(note.size()).expect("a size"))
        .bind(note.root().as_slice())
        .bind(signer(1).public().to_bytes().as_slice())
        .bind(note.to_string())
        .execute(&database.pool)
        .await
        .expect("a checkpoint");
}

/// A database with a log, its tree, and three signed heads with a witness's word.
async fn stored() -> (Database, Log) {
    let database = Database::new().await;
    let log = sound_log();
    store(&database.pool, &log).await;
    let (mut tiler, mut made) = (Tiler::default(), Vec::new());
    log.rows.iter().for_each(|row| tiler.push(leaf(row).leaf_hash(), &mut made));
    assert!(made.len() >= 2, "{} tiles", made.len());
    for tile in made {
        sqlx::query(
            "insert into proof_tiles (level, number, root, hashes) values ($1, $2, $3, $4)",
        )
        .bind(i16::try_from(tile.level).expect("few"))
        .bind(i64::try_from(tile.number).expect("few"))
        .bind(tile.root.as_slice())
        .bind(tile.hashes)
        .execute(&database.pool)
        .await
        .expect("a tile");
    }
    for size in [100, 300, 500] {
        let head = note(&log, size, &signer(1));
        insert(&database, &head).await;
        let line = signer(9).cosign("w.example", head.text(), 7);
        sqlx::query(
            "insert into checkpoint_cosignatures (size, witness, line) values ($1, $2, $3)",
        )
        .bind(i64::try_from(size).expect("few"))
        .bind("w.example")
        .bind(line.to_string())
        .execute(&database.pool)
        .await
        .expect("a cosignature");
    }
    (database, log)
}

/// What is changed, and what is found at which position; 0 is that behind the last tile.
const CHANGES: [(&str, &str, Code, i64); 14] = [
    (
        "a root",
        "update checkpoints set root = sha256('x') where size = 300",
        Code::CheckpointStoredDiffers,
        300,
    ),
    (
        "a note's size",
        "update checkpoints set note = replace(note, E'\\n300\\n', E'\\n299\\n')
             where size = 300",
        Code::CheckpointStoredDiffers,
        300,
    ),
    (
        "a note's origin",
        "update checkpoints set note = replace(note, 'bahi', 'baki') where size = 300",
        Code::CheckpointStoredDiffers,
        300,
    ),
    (
        "no note",
        "update checkpoints set note = 'x' where size = 300",
        Code::CheckpointStoredDiffers,
        300,
    ),
    (
        "another key",
        "update checkpoints set public_key = sha256('x') where size = 300",
        Code::CheckpointStoredDiffers,
        300,
    ),
    (
        "a checkpoint under another size",
        "update checkpoints set size = 301 where size = 500",
        Code::CheckpointStoredDiffers,
        301,
    ),
    (
        "a line of a witness",
        "update checkpoint_cosignatures set line = 'x' where size = 300",
        Code::CheckpointStoredDiffers,
        300,
    ),
    (
        "a witness's name",
        "update checkpoint_cosignatures set witness = 'x' where size = 300",
        Code::CheckpointStoredDiffers,
        300,
    ),
    (
        "a hash of a tile",
        "update proof_tiles set hashes = set_byte(hashes, 40, get_byte(hashes, 40) # 1)
             where level = 0 and number = 1",
        Code::TreeDiffers,
        257,
    ),
    (
        "a tile's root",
        "update proof_tiles set root = sha256('x') where level = 0 and number = 1",
        Code::TreeDiffers,
        257,
    ),
    (
        "two tiles swapped",
        "alter table proof_tiles drop constraint proof_tiles_pkey;
             update proof_tiles set number = 1 - number where level = 0 and number < 2",
        Code::TreeDiffers,
        1,
    ),
    (
        "a tile gone",
        "delete from proof_tiles where level = 0 and number = 0",
        Code::TreeDiffers,
        257,
    ),
    (
        "a tile too many",
        "insert into proof_tiles select number + 1, level, root, hashes from proof_tiles
             where level = 0 order by number desc limit 1",
        Code::TreeDiffers,
        0,
    ),
    (
        "a level too many",
        "insert into proof_tiles select 0, 1, root, hashes from proof_tiles
             where level = 0 and number = 0",
        Code::TreeDiffers,
        1,
    ),
];

#[tokio::test]
async fn case_174_changed_tables_of_proofs_are_found_where_they_were_changed() {
    let (database, _) = stored().await;
    let report = verify(&database).await;
    assert!(report.verified, "{report}");
    for (what, sql, code, position) in CHANGES {
        let (database, log) = stored().await;
        tamper(&database, &behind_the_triggers(sql)).await;
        let next = i64::try_from(log.rows.len() / 256 * 256).expect("few") + 1;
        let position = if position == 0 { next } else { position };
        assert_found(&verify(&database).await, position, code, what);
    }
}

fn behind_the_triggers(sql: &str) -> String {
    format!(
        "alter table checkpoints disable trigger all;
         alter table checkpoint_cosignatures disable trigger all;
         alter table proof_tiles disable trigger all; {sql}"
    )
}

#[tokio::test]
async fn case_174_a_log_and_tables_that_were_made_to_fit_each_other_differ_from_what_was_signed() {
    let (database, mut log) = stored().await;
    let longer = note(&log, log.rows.len(), &signer(1));
    insert(&database, &longer).await;
    // The tail goes, from everywhere but the checkpoints.
    let kept = log.batches[log.batches.len() - 3].last_position;
    let sql = format!(
        "delete from events where position > {kept};
         delete from batches where last_position > {kept}"
    );
    tamper(&database, &sql).await;
    let report = verify(&database).await;
    assert_found(
        &report,
        i64::try_from(longer.size()).expect("few"),
        Code::CheckpointStoredDiffers,
        "the tail is gone",
    );

    // A word of the past is another one, all hashes and tiles are made anew; the heads stay.
    let database = Database::new().await;
    let at = log.find(200, |row| row.metadata.contains("till"));
    log.rows[at].metadata = log.rows[at].metadata.replace("till", "nobody");
    log.seal();
    store(&database.pool, &log).await;
    let honest = sound_log();
    for size in [100, 2_000.min(honest.rows.len())] {
        insert(&database, &note(&honest, size, &signer(1))).await;
    }
    let report = verify(&database).await;
    let first = report.findings.first().map(|found| found.code);
    assert_eq!(first, Some(Code::CheckpointStoredDiffers), "{report}");
}

#[tokio::test]
async fn case_173_proofs_can_be_added_to_and_never_changed() {
    let (database, _) = stored().await;
    for table in ["proof_tiles", "checkpoints", "checkpoint_cosignatures"] {
        for sql in [
            format!("delete from {table}"),
            format!("truncate {table} cascade"),
            format!(
                "update {table} set {0} = {0}",
                if table == "proof_tiles" { "root" } else { "size" }
            ),
        ] {
            let refused = sqlx::query(&sql).execute(&database.pool).await.unwrap_err();
            let refused = refused.as_database_error().and_then(|e| e.code().map(String::from));
            assert_eq!(refused.as_deref(), Some("42501"), "by its role: {sql}");
            database.refused(&sql).await;
        }
    }
}
