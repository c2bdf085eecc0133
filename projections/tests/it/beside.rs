//! The log made into tables once more, only to compare: equal to the live ones, and whatever was
//! changed in those is found and named.

use projections::{ProjectionError, clear_replay, replay_beside};
use sqlx::{Executor, PgPool};

use crate::support::{
    PATIENCE, TestLog, database, project, random::Random, random::random_log, tables,
};

/// A log with something of everything, and its read models.
async fn projected(seed: u64) -> (PgPool, TestLog) {
    let pool = database().await;
    let mut log = TestLog::new(&pool);
    random_log(&mut log, &mut Random::new(seed), 60).await;
    project(&pool, log.head.position).await;
    (pool, log)
}

async fn left_behind(pool: &PgPool) -> i64 {
    let sql = "select count(*) from pg_tables where schemaname = 'read_replay'";
    sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn i7_tables_that_are_made_once_more_equal_the_live_ones_and_are_gone_again() {
    for seed in 20..23 {
        let (pool, mut log) = projected(seed).await;
        let live = tables(&pool).await;
        // What is not projected yet is not compared: both sets are at the live one's position.
        let position = log.head.position;
        log.transfer("wallet:a:INR", "wallet:b:INR", "1.00");
        log.commit().await;
        let mut last = (0, 0);
        let made = replay_beside(&pool, |done, of| last = (done, of)).await.unwrap();
        assert_eq!((made.position, last), (position, (position, position)), "seed {seed}");
        for table in &made.tables {
            assert_eq!((table.differing, table.examples.len()), (0, 0), "seed {seed}: {table:?}");
        }
        let rows: usize = live.iter().map(|(_, rows)| rows.len()).sum();
        // With attempts of withdrawals, which the other list has not.
        assert!(made.sums().0 >= u64::try_from(rows).unwrap(), "seed {seed}: {:?}", made.sums());
        assert_eq!(left_behind(&pool).await, 0);
        assert_eq!(tables(&pool).await, live, "seed {seed}: the live ones are as they were");
    }
}

#[tokio::test]
async fn i7_what_was_changed_in_a_table_is_found_and_named() {
    let changes = [
        (
            "accounts",
            "update read.accounts set owner = 'mallory'
             where id = (select min(id) from read.accounts)",
            "owner is mallory and should be",
        ),
        (
            "accounts",
            "update read.accounts set metadata = '{\"a\": 1}'
             where id = (select min(id) from read.accounts)",
            "metadata is {\"a\": 1} and should be",
        ),
        (
            "transactions",
            "delete from read.transactions
             where id = (select id from read.transactions order by first_position limit 1)",
            "is missing",
        ),
        (
            "transaction_days",
            "insert into read.transaction_days values ('1999-12-31', 1, 1)",
            "1999-12-31: is not in the log",
        ),
        (
            "holds",
            "update read.holds set ended_at = null, state = 'open', amount = amount + 1
             where id = (select id from read.holds where ended_at is not null
                         order by id limit 1)",
            "amount is",
        ),
        (
            "flows",
            "alter table read.flows drop constraint flows_pkey;
             insert into read.flows select * from read.flows limit 1",
            "1 rows stand more than once",
        ),
        ("open_items", "alter table read.open_items add column more int", "its columns are"),
    ];
    for (table, change, words) in changes {
        let (pool, _log) = projected(31).await;
        pool.execute(change).await.unwrap();
        let made = replay_beside(&pool, |_, _| ()).await.unwrap();
        for found in &made.tables {
            if found.table != table {
                assert_eq!(found.differing, 0, "{change}: {found:?}");
                continue;
            }
            assert!(found.differing >= 1, "{change}: {found:?}");
            assert!(found.examples[0].contains(words), "{change}: {found:?}");
        }
        assert_eq!(left_behind(&pool).await, 0, "{change}");
    }
}

#[tokio::test]
async fn there_is_one_at_a_time_and_one_that_dies_leaves_nothing_for_long() {
    let (pool, _log) = projected(41).await;
    let mut other = pool.acquire().await.unwrap();
    let lock = format!("select pg_advisory_lock({})", 0x7265_706c_6179_i64);
    other.execute(lock.as_str()).await.unwrap();
    let busy = replay_beside(&pool, |_, _| ()).await.unwrap_err();
    assert!(matches!(busy, ProjectionError::RebuildBusy), "{busy:?}");
    // Nothing is dropped under the hands of who is at work.
    pool.execute("set role bahi_app; select make_read_models('read_replay')").await.unwrap();
    clear_replay(&pool).await.unwrap();
    assert!(left_behind(&pool).await > 10);
    other.execute("select pg_advisory_unlock_all()").await.unwrap();
    clear_replay(&pool).await.unwrap();
    assert_eq!(left_behind(&pool).await, 0);

    for delay_us in [0, 2_000, 10_000, 30_000] {
        let task = tokio::spawn({
            let pool = pool.clone();
            async move { replay_beside(&pool, |_, _| ()).await.map(drop) }
        });
        tokio::time::sleep(std::time::Duration::from_micros(delay_us)).await;
        task.abort();
        drop(task.await);
    }
    // The server lets go of a dead one's lock when it notices; then the next one gets it.
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while let Err(error) = replay_beside(&pool, |_, _| ()).await {
        assert!(matches!(error, ProjectionError::RebuildBusy), "{error:?}");
        assert!(tokio::time::Instant::now() < deadline);
        tokio::task::yield_now().await;
    }
    assert_eq!(left_behind(&pool).await, 0);
}
