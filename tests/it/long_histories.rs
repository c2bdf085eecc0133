//! Wallets with long histories: what is looked for in them is looked for in a bounded part, and the
//! list goes on from there.

use ledger_core::{
    chart::Direction,
    clock::{Ids as _, System},
    command::Operation,
    ids::{AccountId, TransactionId},
    posting::{Posting, PostingLeg},
};
use projections::{
    ActivityFilter, ActivityStatus, COUNTED_MAX, LOOKED_THROUGH_MAX, ReadModels, Turn,
};

use crate::support::{
    bahi::{PATIENCE, TestBahi},
    ledger::{accepted, command, money, parse},
};

const ASHA: &str = "wallet:asha:INR";
const RAVI: &str = "wallet:ravi:INR";
const MEERA: &str = "wallet:meera:INR";

fn transfer(to: &str, amount: &str) -> Posting {
    let leg = |direction, account: &str| PostingLeg {
        account: parse(account),
        direction,
        amount: money(account, amount),
        item: None,
    };
    Posting {
        transaction_id: TransactionId::from_uuid(System.fresh()),
        kind: parse("transfer"),
        legs: vec![leg(Direction::Debit, ASHA), leg(Direction::Credit, to)],
        effective_on: None,
        value_date: None,
        conditions: Vec::new(),
        note: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rare_thing_is_found_a_part_at_a_time_and_counts_stop() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    admin.wallet(ASHA, "100.00").await;
    admin.open(RAVI).await.made();
    admin.open(MEERA).await.made();
    let send = |to, amount| command(Operation::Post(vec![transfer(to, amount)]));
    accepted(bahi.engine.submit(send(MEERA, "7.00")).await);
    let first = bahi.engine.status().borrow().head.position;
    let many = u64::from(LOOKED_THROUGH_MAX) + 100;
    for _ in 0..many.div_ceil(500) {
        let some = (0..500).map(|_| send(RAVI, "0.01")).collect();
        for answer in bahi.engine.submit_all(some).await.unwrap() {
            accepted(answer);
        }
    }
    let models = ReadModels::new(bahi.database.pool().await);
    let head = bahi.engine.status().borrow().head.position;
    models.wait_for(head, PATIENCE).await.unwrap();
    let asha: AccountId = parse(ASHA);
    let meeras = ActivityFilter { counterparty: Some(parse(MEERA)), ..ActivityFilter::default() };
    let sevens = ActivityFilter { amount_min: "7".parse().ok(), ..ActivityFilter::default() };
    for filter in [&meeras, &sevens] {
        let page = models.activity(&asha, filter, None, 25).await.unwrap();
        assert!(page.rows.is_empty() && page.looked_until, "the newest part has none");
        let older = Turn::Older(page.older.expect("the list goes on"));
        let page = models.activity(&asha, filter, Some(older), 25).await.unwrap();
        assert!(!page.looked_until, "this was the rest");
        assert!(page.rows.iter().any(|row| row.began_position <= first), "{:?}", page.rows);
        let counts = models.activity_counts(&asha, filter).await.unwrap().value;
        assert_eq!(counts.of(ActivityStatus::Done), (0, false), "there may be more");
    }

    // A page of everything costs what it shows, and goes both ways.
    let all = ActivityFilter::default();
    let page = models.activity(&asha, &all, None, 25).await.unwrap();
    assert!(page.rows.len() == 25 && !page.looked_until && page.older.is_some());
    let counts = models.activity_counts(&asha, &all).await.unwrap().value;
    assert_eq!(counts.of(ActivityStatus::Done), (COUNTED_MAX, false));
    assert_eq!(counts.of(ActivityStatus::Failed), (0, true));

    // Days bound the part itself: before the crowd there is only what came first.
    let only = models.activity(&asha, &all, Some(Turn::Older(first + 1)), 1).await.unwrap();
    let until = only.rows[0].began_at + chrono::TimeDelta::microseconds(1);
    let filter = ActivityFilter { before: Some(until), ..meeras.clone() };
    let page = models.activity(&asha, &filter, None, 25).await.unwrap();
    assert!(page.rows.len() == 1 && !page.looked_until);
    let counts = models.activity_counts(&asha, &filter).await.unwrap().value;
    assert_eq!(counts.of(ActivityStatus::Done), (1, true));
    bahi.finish().await;
}
