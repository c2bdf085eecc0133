//! Rebuilding beside live traffic comes out equal to the live tables.

use projections::{ReadModel, ReadModels, rebuild};
use sqlx::Executor;

use crate::support::{
    PATIENCE, Running, TestLog, database, project, random::Random, random::random_log, tables,
};

/// What the random log has none of: transfers that wait to be claimed, and payments to shops.
/// Tests of the whole service have those.
const ELSEWHERE: [&str; 6] =
    ["transfers", "payments", "refunds", "payment_requests", "sales", "settlements"];

#[tokio::test]
async fn case_73_a_rebuild_equals_the_live_read_models_row_by_row() {
    for seed in 10..14 {
        let pool = database().await;
        let mut log = TestLog::new(&pool);
        let running = Running::start(&pool);
        random_log(&mut log, &mut Random::new(seed), 60).await;
        let head = log.head.position;
        let reads = ReadModels::new(pool.clone());
        reads.wait_for(head, PATIENCE).await.unwrap();
        running.stop().await;
        let live = tables(&pool).await;
        let empty =
            |(name, rows): &&(&str, Vec<String>)| rows.is_empty() && !ELSEWHERE.contains(name);
        let empty: Vec<_> = live.iter().filter(empty).map(|(name, _)| *name).collect();
        assert!(empty.is_empty(), "seed {seed}: nothing in {empty:?}");

        let mut last = (0, 0);
        let report = rebuild(&pool, None, |done, head| last = (done, head)).await.unwrap();
        assert_eq!((report.position, last), (head, (head, head)));
        assert_eq!(tables(&pool).await, live, "seed {seed}");
        for model in ReadModel::ALL {
            rebuild(&pool, Some(model), |_, _| ()).await.unwrap();
            assert_eq!(tables(&pool).await, live, "seed {seed}, {model:?}");
        }
    }
}

#[tokio::test]
async fn case_83_a_rebuild_beside_live_traffic_misses_nothing_and_counts_nothing_twice() {
    let pool = database().await;
    let mut log = TestLog::new(&pool);
    let mut random = Random::new(83);
    let running = Running::start(&pool);
    random_log(&mut log, &mut random, 20).await;
    let rebuilds = tokio::spawn({
        let pool = pool.clone();
        async move {
            for round in 0..8 {
                let only = (round % 2 == 1).then_some(ReadModel::ALL[round / 2]);
                rebuild(&pool, only, |_, _| ()).await.unwrap();
            }
        }
    });
    // Somebody reads all the while and never sees money appear or vanish.
    let reads = ReadModels::new(pool.clone());
    let mut appended = 0;
    while !rebuilds.is_finished() {
        log.transfer("wallet:a:INR", "wallet:b:INR", "1.00");
        log.commit().await;
        appended += 1;
        let trial = reads.trial_balance().await.unwrap();
        assert!(trial.value.currencies.iter().all(|c| c.balanced));
    }
    rebuilds.await.unwrap();
    assert!(appended > 10, "only {appended} appends beside the rebuilds");
    let head = log.commit().await;
    reads.wait_for(head, PATIENCE).await.unwrap();
    running.stop().await;
    let live = tables(&pool).await;
    rebuild(&pool, None, |_, _| ()).await.unwrap();
    assert_eq!(tables(&pool).await, live);
    let account = reads.balance(&"wallet:a:INR".parse().unwrap()).await.unwrap();
    assert_eq!(account.value.unwrap().posted, log.balance("wallet:a:INR").0);
}

#[tokio::test]
async fn dropped_tables_come_back() {
    let pool = database().await;
    let mut log = TestLog::new(&pool);
    random_log(&mut log, &mut Random::new(3), 30).await;
    project(&pool, log.head.position).await;
    let live = tables(&pool).await;
    pool.execute("drop table read.flows").await.unwrap();
    rebuild(&pool, Some(ReadModel::Flows), |_, _| ()).await.unwrap();
    assert_eq!(tables(&pool).await, live);
    pool.execute(
        "drop table read.checkpoint, read.accounts, read.transactions, read.flows,
                    read.open_items, read.holds, read.transaction_days",
    )
    .await
    .unwrap();
    assert!(rebuild(&pool, Some(ReadModel::Flows), |_, _| ()).await.is_err());
    rebuild(&pool, None, |_, _| ()).await.unwrap();
    assert_eq!(tables(&pool).await, live);
}

#[tokio::test]
async fn a_rebuild_that_dies_leaves_the_live_tables_and_the_next_one_starts_over() {
    let pool = database().await;
    let mut log = TestLog::new(&pool);
    random_log(&mut log, &mut Random::new(4), 40).await;
    project(&pool, log.head.position).await;
    let live = tables(&pool).await;
    for delay_us in [0, 2_000, 5_000, 10_000, 20_000, 40_000] {
        let task = tokio::spawn({
            let pool = pool.clone();
            async move { rebuild(&pool, None, |_, _| ()).await.map(drop) }
        });
        tokio::time::sleep(std::time::Duration::from_micros(delay_us)).await;
        task.abort();
        drop(task.await);
        assert_eq!(tables(&pool).await, live);
    }
    // The server lets go of a dead rebuild's lock when it notices; then the next one gets it.
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while let Err(error) = rebuild(&pool, None, |_, _| ()).await {
        assert!(matches!(error, projections::ProjectionError::RebuildBusy), "{error:?}");
        assert!(tokio::time::Instant::now() < deadline);
        tokio::task::yield_now().await;
    }
    assert_eq!(tables(&pool).await, live);
}
