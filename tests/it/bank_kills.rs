//! `kill -9` of the bank, of workers and of intakes in the middle of withdrawals: each is paid
//! once, or returned or failed once, and the banks' books say what ours say.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use futures::{StreamExt as _, stream};
use ledger_api::workers::withdrawals::reference;
use ledger_core::ids::WithdrawalId;
use rust_decimal::Decimal;
use rustix::process::Signal;
use sandbox_bank::{BankCode, faults::Mode};
use serde_json::{Value, json};

use crate::{
    audit_engine::verified,
    support::{
        bahi::Actor,
        fleet::{Fleet, be_a_bank, be_a_role},
        load::Dice,
        process::given_folder,
        service_process::ServiceProcess,
        town::{open_work, why_open},
    },
};

const COUNT: usize = 500;
const KILLS: usize = 14;
/// How long all of it may take.
const BOUND: Duration = Duration::from_secs(240);
/// Times out and is paid; never arrives; only the statement knows; refused for good; offline for a
/// minute; returned; told twice, late, badly signed or not at all.
const PAISE: [&str; 16] = [
    "00", "01", "02", "03", "04", "05", "06", "13", "14", "15", "21", "23", "31", "41", "42", "44",
];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the other test of this file, in a process of its own"]
async fn a_bank_in_a_process_of_its_own() {
    be_a_bank(&given_folder().expect("this test is run by another one")).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the other test of this file, in a process of its own"]
async fn a_role_in_a_process_of_its_own() {
    be_a_role(&given_folder().expect("this test is run by another one")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_37_the_bank_workers_and_intakes_are_killed_in_the_middle_of_500_withdrawals() {
    let began = Instant::now();
    let mut fleet = Fleet::start(3).await;
    let to = fleet.bank_account().await;
    for bank in BankCode::ALL {
        fleet.control.mode(bank, &weather()).await.unwrap();
    }
    println!("a fleet in {:?}", began.elapsed());
    let asking = tokio::spawn(ask_for(fleet.admin.clone(), to, COUNT));
    let mut dice = Dice::new(37);
    for kill in 0..KILLS {
        // A random moment, drawn from the seed.
        let pause = u64::try_from(20 + dice.roll(600)).unwrap();
        tokio::time::sleep(Duration::from_millis(pause)).await;
        kill_some(&mut fleet, &mut dice).await;
        if kill % 2 == 1 {
            fleet.control.advance(Duration::from_secs(60)).await.unwrap();
        }
    }
    let ids = asking.await.unwrap();
    println!("{KILLS} kills and {} requests in {:?}", ids.len(), began.elapsed());
    let open = until_nothing_is_open(&mut fleet, &mut dice, 8, began).await;
    assert_eq!(open, BTreeMap::new(), "all of them end");
    assert_eq!(ids.len(), COUNT);
    let paid = check_each(&fleet, &ids).await;
    check_books(&fleet).await;
    check_inbox(&fleet).await;
    println!("{paid} paid, all checked in {:?}", began.elapsed());
    verified(&fleet.stop().await).await;
}

/// Workers that are stopped with calls under way, until everybody believes them dead and another
/// one has their banks; then they wake up and go on where they were.
#[tokio::test(flavor = "multi_thread")]
async fn case_108_workers_that_are_stopped_and_wake_up_late_pay_nothing_twice() {
    let began = Instant::now();
    let mut fleet = Fleet::start(2).await;
    let to = fleet.bank_account().await;
    // So slow that there are always calls under way.
    let slow = Mode { latency_p50_ms: 300, latency_p99_ms: 650, ..Mode::default() };
    for bank in BankCode::ALL {
        fleet.control.mode(bank, &slow).await.unwrap();
    }
    let mut ids = Vec::new();
    for stopped in 0..2 {
        ids.extend(ask_for(fleet.admin.clone(), to.clone(), 60).await);
        fleet.workers[stopped].signal(Signal::STOP);
        every_lane_is_held_anew(&fleet).await;
        fleet.workers[stopped].signal(Signal::CONT);
    }
    let mut dice = Dice::new(0);
    let open = until_nothing_is_open(&mut fleet, &mut dice, 0, began).await;
    assert_eq!(open, BTreeMap::new(), "all of them end");
    check_each(&fleet, &ids).await;
    check_books(&fleet).await;
    println!("checked in {:?}", began.elapsed());
    verified(&fleet.stop().await).await;
}

/// Waits until each lane was taken, or renewed, for longer than whoever is stopped now could have
/// held it.
async fn every_lane_is_held_anew(fleet: &Fleet) {
    let sql = "select count(*) filter (where expires_at <= $1 + interval '12 seconds'), now()
               from worker_lanes";
    let (_, stopped): (i64, DateTime<Utc>) =
        sqlx::query_as(sql).bind(Utc::now()).fetch_one(&fleet.pool).await.unwrap();
    let waited = Instant::now();
    loop {
        let (old, _): (i64, DateTime<Utc>) =
            sqlx::query_as(sql).bind(stopped).fetch_one(&fleet.pool).await.unwrap();
        if old == 0 {
            return;
        }
        assert!(waited.elapsed() < Duration::from_secs(60), "nobody takes the lanes");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A little of everything, besides the kills.
fn weather() -> Mode {
    Mode {
        timeout_percent: 3,
        error_percent: 3,
        webhook_duplicate_percent: 10,
        webhook_lost_percent: 5,
        webhook_out_of_order_percent: 10,
        ..Mode::default()
    }
}

async fn ask_for(admin: Actor, to: String, count: usize) -> Vec<String> {
    let requests = (0..count).map(|n| {
        let bank = if n % 3 == 0 { "axis" } else { "hdfc" };
        let amount = format!("{}.{}", 10 + n % 90, PAISE[n / 3 % PAISE.len()]);
        let body = json!({"account": "wallet:a:INR", "bank_account": to, "bank": bank,
                          "rail": "imps", "amount": {"value": amount, "currency": "INR"}});
        let admin = &admin;
        async move {
            let made = admin.post("/v1/withdrawals", &body).await.made();
            made["id"].as_str().unwrap().to_owned()
        }
    });
    // Few at once, so that there are some in all states whenever somebody is killed.
    stream::iter(requests).buffer_unordered(4).collect().await
}

/// Kills one, all of a kind, or a whole town, and starts them again.
async fn kill_some(fleet: &mut Fleet, dice: &mut Dice) {
    let (one_worker, one_intake) = (dice.roll(fleet.workers.len()), dice.roll(2));
    let (workers, intakes, bank) = match dice.roll(7) {
        0 | 1 => (one_worker..one_worker + 1, 0..0, false),
        2 => (0..fleet.workers.len(), 0..0, false),
        3 => (0..0, one_intake..one_intake + 1, false),
        4 => (0..0, 0..2, false),
        5 => (0..0, 0..0, true),
        _ => (0..fleet.workers.len(), 0..2, true),
    };
    let mut victims: Vec<&mut ServiceProcess> = fleet.workers[workers].iter_mut().collect();
    victims.extend(&mut fleet.intakes[intakes]);
    victims.extend(bank.then_some(&mut fleet.bank));
    for victim in &mut victims {
        victim.kill();
    }
    futures::future::join_all(victims.into_iter().map(ServiceProcess::restart)).await;
    fleet.intakes_are_told();
}

/// Lets hours and then days pass, with a kill now and then, until nothing is open.
async fn until_nothing_is_open(
    fleet: &mut Fleet,
    dice: &mut Dice,
    mut kills: usize,
    began: Instant,
) -> BTreeMap<String, i64> {
    for round in 0_u32.. {
        let passes = match round {
            0..20 => 400,
            20 => 2 * 86_400,
            _ => 1,
        };
        fleet.control.advance(Duration::from_secs(passes)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(700)).await;
        // What asks, retries and books is killed as well.
        if kills > 0 && round % 3 == 0 {
            kill_some(fleet, dice).await;
            kills -= 1;
        }
        let mut open = open_work(&fleet.pool).await;
        if open.is_empty() {
            break;
        }
        if began.elapsed() > BOUND {
            open.extend(why_open(&fleet.pool).await);
            return open;
        }
    }
    BTreeMap::new()
}

/// Each ended once, and what the banks' statements say was paid of it is what we say; how many
/// were paid.
async fn check_each(fleet: &Fleet, ids: &[String]) -> usize {
    // An attempt's reference is made of its withdrawal's id, so that a line tells whose it is.
    let paid: BTreeMap<String, i64> = sqlx::query_as(
        "select reference, count(*) from statement_lines
         where account = 'escrow' and direction = 'debit' group by reference",
    )
    .fetch_all(&fleet.pool)
    .await
    .unwrap()
    .into_iter()
    .collect();
    let rows: Vec<(String, String, i32, i64)> = sqlx::query_as(
        "select w.aggregate_id, r.status, r.attempts,
                count(*) filter (where w.event_type in ('completed', 'completed_late'))
         from events w join read.withdrawals r
              on 'wd_' || replace(r.id::text, '-', '') = w.aggregate_id
         where w.aggregate_type = 'withdrawal' group by 1, 2, 3",
    )
    .fetch_all(&fleet.pool)
    .await
    .unwrap();
    assert_eq!(rows.len(), ids.len());
    let mut completed = 0;
    for (id, status, attempts, completions) in rows {
        let withdrawal: WithdrawalId = id.parse().unwrap();
        let references = (1..=attempts.try_into().unwrap()).map(|n| reference(withdrawal, n));
        let lines = references.filter_map(|reference| paid.get(reference.unwrap().as_str()));
        let lines: i64 = lines.sum();
        let expected = match status.as_str() {
            "completed" | "returned" => 1,
            "failed" => 0,
            other => panic!("{id} is {other}"),
        };
        assert_eq!((lines, completions), (expected, expected), "{id}: {status}");
        completed += usize::from(status == "completed");
    }
    assert!(completed > ids.len() / 3, "{completed} were paid: the others prove little");
    completed
}

/// What left each bank's escrow, by its own books, is what left it by ours, and nothing is on the
/// way.
async fn check_books(fleet: &Fleet) {
    for (bank, code) in [("hdfc", BankCode::Hdfc), ("axis", BankCode::Axis)] {
        let theirs = fleet.control.books(code).await.unwrap();
        assert_eq!(theirs["balanced"], true);
        let escrow = decimal(&theirs["balances"]["escrow"]["value"]);
        let spent = Decimal::from(90_000_000) - escrow;
        let ours = balance(fleet, &format!("bank:{bank}:escrow:INR")).await;
        assert_eq!(Decimal::from(5_000_000) - ours, spent, "{bank}: {theirs:#}");
        let clearing = balance(fleet, &format!("bank:{bank}:clearing_out:INR")).await;
        assert_eq!(clearing, Decimal::ZERO, "{bank}");
    }
    let items: Vec<(String, String, Decimal)> =
        sqlx::query_as("select account_id, item, net_debits from read.open_items")
            .fetch_all(&fleet.pool)
            .await
            .unwrap();
    assert_eq!(items, [], "nobody owes or waits for anything");
}

/// Each webhook came to two intakes, is in the inbox once and was concluded.
async fn check_inbox(fleet: &Fleet) {
    let (deliveries, unconcluded, parked): (i64, i64, i64) = sqlx::query_as(
        "select count(*), count(*) filter (where a.outcome is null),
                count(*) filter (where a.outcome = 'parked')
         from inbox_deliveries d left join lateral
              (select outcome from inbox_applied a where a.delivery_id = d.id
               order by attempt desc limit 1) a on true",
    )
    .fetch_one(&fleet.pool)
    .await
    .unwrap();
    println!("{deliveries} webhooks, {parked} parked");
    assert!(deliveries > i64::try_from(COUNT / 3).unwrap(), "{deliveries} webhooks");
    assert_eq!(unconcluded, 0);
}

async fn balance(fleet: &Fleet, account: &str) -> Decimal {
    let found = sqlx::query_scalar("select balance from read.accounts where id = $1");
    found.bind(account).fetch_optional(&fleet.pool).await.unwrap().unwrap_or_default()
}

fn decimal(value: &Value) -> Decimal {
    value.as_str().unwrap().parse().unwrap()
}
