//! The same on real tables: a superuser who switches the triggers off can change anything, and is
//! found.

use sqlx::PgPool;

use super::{
    super::{AuditError, Checkpoint, Options, Report, checkpoint, verify_database},
    Code, assert_found,
    log::{BatchRow, Log, Row},
    server::Database,
    sound_log,
};

/// Writes a log into the tables, as the engine does.
pub(super) async fn store(pool: &PgPool, log: &Log) {
    for rows in log.rows.chunks(1_000) {
        let column = |get: fn(&Row) -> String| rows.iter().map(get).collect::<Vec<_>>();
        let number = |get: fn(&Row) -> i64| rows.iter().map(get).collect::<Vec<_>>();
        let bytes = |get: fn(&Row) -> &[u8]| rows.iter().map(|r| get(r).to_vec()).collect();
        let (payload, metadata, hash): (Vec<_>, Vec<_>, Vec<_>) =
            (bytes(|r| r.payload.as_bytes()), bytes(|r| r.metadata.as_bytes()), bytes(|r| &r.hash));
        sqlx::query(
            "insert into events (position, aggregate_type, aggregate_id, sequence, event_type,
                                 event_version, payload, metadata, recorded_at, hash)
             select p, t, i, s, e, v, l, m, 'epoch'::timestamptz + r * interval '1 microsecond', h
             from unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::text[],
                         $6::text[], $7::bytea[], $8::bytea[], $9::bigint[], $10::bytea[])
                  as rows (p, t, i, s, e, v, l, m, r, h)",
        )
        .bind(number(|r| r.position))
        .bind(column(|r| r.aggregate_type.clone()))
        .bind(column(|r| r.aggregate_id.clone()))
        .bind(number(|r| r.sequence))
        .bind(column(|r| r.event_type.clone()))
        .bind(column(|r| r.event_version.clone()))
        .bind(payload)
        .bind(metadata)
        .bind(number(|r| r.recorded_at))
        .bind(hash)
        .execute(pool)
        .await
        .expect("events");
    }
    let column = |get: fn(&BatchRow) -> i64| log.batches.iter().map(get).collect::<Vec<_>>();
    let hashes: Vec<_> = log.batches.iter().map(|b| b.head_hash.to_vec()).collect();
    sqlx::query(
        "insert into batches (number, last_position, head_hash, recorded_at)
         select n, p, h, 'epoch'::timestamptz + r * interval '1 microsecond'
         from unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bigint[]) as rows (n, p, h, r)",
    )
    .bind(column(|b| b.number))
    .bind(column(|b| b.last_position))
    .bind(hashes)
    .bind(column(|b| b.recorded_at))
    .execute(pool)
    .await
    .expect("batches");
}

async fn verify(database: &Database) -> Report {
    verify_database(&database.pool, &Options::default(), |_| {}).await.expect("a log")
}

/// A database with a sound log, and the position of a leg in its middle.
async fn stored() -> (Database, Log, i64) {
    let database = Database::new().await;
    let log = sound_log();
    store(&database.pool, &log).await;
    let at = log.find(log.rows.len() / 2, |r| r.payload.contains("\"leg\":2,\"legs\":3"));
    let position = log.rows[at].position;
    (database, log, position)
}

#[tokio::test]
async fn a_sound_database_is_verified_with_the_figures_of_its_log() {
    let (database, log, _) = stored().await;
    let mut last = None;
    let report =
        verify_database(&database.pool, &Options::default(), |p| last = Some(p)).await.unwrap();
    assert!(report.verified, "{report}");
    let mut of_export = super::check(&log.text());
    of_export.source = report.source;
    // Read models that nobody has moved yet are at position 0.
    assert_eq!(report.read_models.map(|models| models.compared), Some(0));
    of_export.read_models = report.read_models;
    // Nobody has taken a snapshot either.
    assert_eq!(report.snapshots.as_ref().map(|snapshots| snapshots.compared), Some(0));
    of_export.snapshots = report.snapshots.clone();
    of_export.controls = report.controls;
    of_export.elapsed_ms = report.elapsed_ms;
    of_export.events_per_second = report.events_per_second;
    assert_eq!(report, of_export);
    let progress = last.unwrap();
    assert_eq!(Some(progress.events), progress.of);
}

#[tokio::test]
async fn an_empty_database_is_verified_and_one_without_a_log_is_not() {
    let database = Database::new().await;
    assert!(verify(&database).await.verified);
    let start = checkpoint(&database.pool).await.unwrap();
    assert_eq!((start.batch, start.position), (0, 0));
    database.execute("drop table events cascade").await;
    let refused = verify_database(&database.pool, &Options::default(), |_| {}).await;
    assert!(matches!(refused, Err(AuditError::Database(_))));
}

/// Lets `sql` happen behind the triggers' back.
pub(super) async fn tamper(database: &Database, sql: &str) {
    database
        .execute(&format!(
            "alter table events disable trigger all;
             alter table batches disable trigger all;
             {sql};
             alter table events enable always trigger events_append_only;
             alter table batches enable always trigger batches_append_only"
        ))
        .await;
}

#[tokio::test]
async fn case_174_what_a_superuser_changes_is_found_at_its_position() {
    use Code::{HashDiffers, PositionMissing, TimeFalls};
    let changes: [(&str, &str, Code); 12] = [
        (
            "a payload byte",
            "update events set payload = set_byte(payload, 40, get_byte(payload, 40) # 1)
             where position = $p",
            HashDiffers,
        ),
        (
            "a metadata byte",
            "update events set metadata = metadata || ' '::bytea where position = $p",
            HashDiffers,
        ),
        ("a middle row", "delete from events where position = $p", PositionMissing),
        (
            "two rows swapped",
            "update events set position = 1000000 where position = $p;
             update events set position = $p where position = $p + 1;
             update events set position = $p + 1 where position = 1000000",
            HashDiffers,
        ),
        (
            "back-dated",
            "update events set recorded_at = recorded_at - interval '1 day' where position = $p",
            TimeFalls,
        ),
        (
            "dated beyond all calendars",
            "update events set recorded_at = 'infinity' where position = $p",
            HashDiffers,
        ),
        (
            "another stream",
            "update events set aggregate_id = 'wallet:x:INR' where position = $p",
            HashDiffers,
        ),
        (
            "another sequence",
            "update events set sequence = sequence + 1000 where position = $p",
            HashDiffers,
        ),
        (
            "another type",
            "update events set event_type = 'debited' where position = $p",
            HashDiffers,
        ),
        (
            "another version",
            "update events set event_version = '1.1' where position = $p",
            HashDiffers,
        ),
        (
            "another hash",
            "update events set hash = set_byte(hash, 31, get_byte(hash, 31) # 1)
             where position = $p",
            HashDiffers,
        ),
        (
            "a hash of another length",
            "alter table events drop constraint events_well_formed;
             update events set hash = substring(hash for 31) where position = $p",
            HashDiffers,
        ),
    ];
    for (what, sql, code) in changes {
        let (database, _, position) = stored().await;
        tamper(&database, &sql.replace("$p", &position.to_string())).await;
        assert_found(&verify(&database).await, position, code, what);
    }
}

#[tokio::test]
async fn case_174_what_dropped_constraints_allow_is_found_too() {
    let (database, _, position) = stored().await;
    let sql = "alter table events drop constraint events_position_key;
               alter table events drop constraint events_pkey;
               insert into events select * from events where position = $p";
    tamper(&database, &sql.replace("$p", &position.to_string())).await;
    let report = verify(&database).await;
    assert_found(&report, position + 1, Code::PositionOutOfOrder, "a row twice");

    let (database, _, _) = stored().await;
    let sql = "alter table events drop constraint events_well_formed;
               update events set position = -5 where position = 3";
    tamper(&database, sql).await;
    let report = verify(&database).await;
    assert_found(&report, 1, Code::PositionOutOfOrder, "a row before the first");
}

#[tokio::test]
async fn case_174_batches_that_a_superuser_changes_are_found() {
    let middle = |log: &Log, position: i64| {
        let batches = log.batches.iter();
        let mut after = batches.filter(|b| b.last_position >= position);
        after.next().expect("a batch").clone()
    };
    let changes = [
        ("delete from batches where number = $n", Code::BatchMissing),
        ("update batches set head_hash = sha256('x') where number = $n", Code::BatchHashDiffers),
        (
            "update batches set last_position = last_position - 1 where number = $n",
            Code::BatchHashDiffers,
        ),
        (
            "update batches set recorded_at = recorded_at + interval '1 s' where number = $n",
            Code::BatchTimeDiffers,
        ),
        ("delete from batches where number = 0", Code::BatchMissing),
        ("update batches set head_hash = sha256('x') where number = 0", Code::BatchHashDiffers),
        (
            "delete from batches where number = (select max(number) from batches);
             delete from batches where number = (select max(number) from batches)",
            Code::BatchlessEvent,
        ),
    ];
    for (sql, code) in changes {
        let (database, log, position) = stored().await;
        let number = middle(&log, position).number.to_string();
        tamper(&database, &sql.replace("$n", &number)).await;
        let report = verify(&database).await;
        assert!(report.findings.iter().any(|f| f.code == code), "{sql}\n{report}");
        assert_eq!(report.exit_code(), 1);
    }
}

#[tokio::test]
async fn a_tail_cut_off_a_database_is_found_by_a_checkpoint() {
    let (database, log, _) = stored().await;
    let taken = checkpoint(&database.pool).await.unwrap();
    let last = log.checkpoint(log.batches.len() - 1);
    assert_eq!(Checkpoint { made_at: last.made_at.clone(), ..taken.clone() }, last);
    let number = log.batches[log.batches.len() / 2].number;
    let head = log.batches[log.batches.len() / 2].last_position;
    let cut = format!(
        "delete from batches where number > {number}; delete from events where position > {head}"
    );
    tamper(&database, &cut).await;
    assert!(verify(&database).await.verified, "the rest is sound in itself");
    let options = Options { checkpoint: Some(taken), ..Options::default() };
    let report = verify_database(&database.pool, &options, |_| {}).await.unwrap();
    assert_found(&report, head + 1, Code::CheckpointAhead, "a cut tail");
}

#[tokio::test]
async fn case_57_a_connection_that_breaks_is_an_error_and_not_a_shorter_log() {
    let database = Database::new().await;
    let log = super::generator::generate(7, 12_000);
    store(&database.pool, &log).await;
    let killer = database.pool.acquire().await.unwrap();
    let (reached, mut middle) = tokio::sync::mpsc::unbounded_channel();
    let (answer, proceed) = std::sync::mpsc::channel();
    let terminating = tokio::task::spawn(async move {
        let mut killer = killer;
        middle.recv().await.expect("the middle");
        let ended: i64 = sqlx::query_scalar(
            "select count(*) from (
                 select pg_terminate_backend(pid, 10000) as gone from pg_stat_activity
                 where datname = current_database() and pid <> pg_backend_pid()
                       and usename = current_user) ended
             where gone",
        )
        .fetch_one(&mut *killer)
        .await
        .unwrap();
        answer.send(ended).expect("somebody waits");
    });
    let mut seen = 0;
    // The check waits in its progress report until its session is gone.
    let checked = tokio::task::spawn_blocking({
        let pool = database.pool.clone();
        move || {
            let runtime = tokio::runtime::Handle::current();
            let result =
                runtime.block_on(verify_database(&pool, &Options::default(), |progress| {
                    if seen == 0 {
                        reached.send(()).expect("the killer waits");
                        assert!(proceed.recv().expect("the killer answers") > 0);
                    }
                    seen = progress.events;
                }));
            (result, seen)
        }
    });
    let (result, seen) = checked.await.unwrap();
    terminating.await.unwrap();
    assert!(matches!(result, Err(AuditError::Database(_))), "{result:?}");
    let all = u64::try_from(log.rows.len()).unwrap();
    assert!(0 < seen && seen < all, "killed after {seen} of {all}");
}

/// Lets a projector fold everything that is stored.
async fn project(database: &Database, upto: i64) {
    let (_, nudge) = tokio::sync::watch::channel(0);
    let projector = crate::Projector::new(database.pool.clone(), nudge);
    let status = projector.status();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(projector.run(async move { drop(stopped.await) }));
    let upto = u64::try_from(upto).unwrap();
    let patience = std::time::Duration::from_secs(60);
    assert!(crate::wait_for(&status, upto, patience).await, "{:?}", *status.borrow());
    drop(stop);
    running.await.unwrap();
}

/// Both parts of a log that is cut after a batch.
fn cut(log: &Log, batches: usize) -> (Log, Log) {
    let (mut first, mut rest) = (log.clone(), log.clone());
    rest.batches = first.batches.split_off(batches);
    let last = first.batches[batches - 1].number;
    first.rows.retain(|row| row.batch <= last);
    rest.rows.retain(|row| row.batch > last);
    (first, rest)
}

#[tokio::test]
async fn i7_read_models_are_compared_at_the_position_that_they_reflect() {
    let database = Database::new().await;
    let log = sound_log();
    let (first, rest) = cut(&log, log.batches.len() * 3 / 4);
    let reflected = first.batches.last().unwrap().last_position;
    store(&database.pool, &first).await;
    project(&database, reflected).await;
    store(&database.pool, &rest).await;
    let report = verify(&database).await;
    assert!(report.verified, "{report}");
    let models = report.read_models.unwrap();
    assert_eq!((models.position, models.differing), (reflected, 0));
    assert!(models.compared > 20 && reflected < report.head.position);

    database
        .execute(
            "alter table read.accounts drop constraint accounts_balance_is_the_sum;
             create table saved as select * from read.accounts",
        )
        .await;
    let changes = [
        "update read.accounts set debits_posted = debits_posted + 1 where id = $a",
        "update read.accounts set credits_posted = credits_posted - 1 where id = $a",
        "update read.accounts set held = held + 1 where id = $a",
        "update read.accounts set sequence = sequence - 1 where id = $a",
        "delete from read.accounts where id = $a",
        "update read.accounts set id = 'a new one' where id = $a",
    ];
    for sql in changes {
        database.execute(&sql.replace("$a", "'wallet:binod:JPY'")).await;
        let report = verify(&database).await;
        let found = |f: &super::super::Finding| {
            f.code == Code::ReadModelDiffers
                && f.stream.as_deref() == Some("account wallet:binod:JPY")
        };
        assert!(report.findings.iter().any(found), "{sql}\n{report}");
        assert_eq!(report.exit_code(), 1);
        let restored = "truncate read.accounts; insert into read.accounts select * from saved";
        database.execute(restored).await;
    }
    assert!(verify(&database).await.verified, "restored");

    database.execute("update read.checkpoint set position = position - 1").await;
    let report = verify(&database).await;
    assert!(!report.verified, "the read models are those of another position");
    let ignored = Options { read_models: false, ..Options::default() };
    let report = verify_database(&database.pool, &ignored, |_| {}).await.unwrap();
    assert!(report.verified && report.read_models.is_none(), "{report}");
}
