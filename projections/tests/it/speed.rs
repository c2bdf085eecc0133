//! How fast the projector is, and that it needs no more than a step's memory.

use std::time::{Duration, Instant};

use projections::{ReadModels, rebuild};

use crate::support::{PATIENCE, Running, TestLog, database, random::Random, tables};

/// Transfers between random accounts, 500 to a batch.
async fn many_transfers(log: &mut TestLog, accounts: u64, transfers: u64) {
    let mut random = Random::new(85);
    for account in 0..accounts {
        log.open(&format!("wallet:{account}:INR"));
    }
    log.commit().await;
    for transfer in 1..=transfers {
        let from = random.below(accounts);
        let to = (from + 1 + random.below(accounts - 1)) % accounts;
        let (from, to) = (format!("wallet:{from}:INR"), format!("wallet:{to}:INR"));
        log.transfer(&from, &to, "1.00");
        if transfer % 500 == 0 {
            log.commit().await;
        }
        if transfer % 20_000 == 0 {
            log.next_day();
        }
    }
    log.commit().await;
}

fn per_second(events: u64, elapsed: Duration) -> u128 {
    u128::from(events) * 1_000 / elapsed.as_millis().max(1)
}

/// The most memory that this process ever had; where the system tells.
fn memory_peak_kb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// `BAHI_TEST_EVENTS` asks for more than the 200,000 events that every run takes.
#[tokio::test]
async fn case_85_a_long_log_is_projected_in_bounded_time() {
    let events = std::env::var("BAHI_TEST_EVENTS").map_or(200_000, |n| n.parse().unwrap());
    let accounts = 10_000;
    let pool = database().await;
    let mut log = TestLog::new(&pool);
    many_transfers(&mut log, accounts, (events - accounts) / 2).await;
    let head = log.head.position;
    assert_eq!(head, events);

    let memory = memory_peak_kb();
    let start = Instant::now();
    let running = Running::start(&pool);
    let reads = ReadModels::new(pool.clone());
    reads.wait_for(head, PATIENCE).await.unwrap();
    let elapsed = start.elapsed();
    println!("projected {head} events in {elapsed:?}: {} a second", per_second(head, elapsed));
    running.stop().await;
    let followed = tables(&pool).await;

    let report = rebuild(&pool, None, |_, _| ()).await.unwrap();
    let rate = per_second(head, report.elapsed);
    println!("rebuilt {head} events in {:?}: {rate} a second", report.elapsed);
    // The one was read ahead, step by step, the other was not.
    assert!(followed == tables(&pool).await, "what was followed is not what was rebuilt");

    if let (Some(before), Some(after)) = (memory, memory_peak_kb()) {
        println!("memory peak grew by {} kB", after - before);
        // A step's worth, however long the log is.
        assert!(after - before < 200_000, "grew by {} kB", after - before);
    }
    let start = Instant::now();
    let trial = reads.trial_balance_at(head / 2).await.unwrap();
    println!("trial balance in the middle: {:?}", start.elapsed());
    assert_eq!(trial.value.currencies[0].lines[0].accounts, accounts);
}
