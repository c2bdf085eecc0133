//! Wallets with long histories: what is looked for in them is looked for in a bounded part, and the
//! list goes on from there.

use ledger_core::{
    chart::Direction,
    clock::{Ids as _, System},
    command::Operation,
    ids::{AccountId, TransactionId, TransferId},
    posting::{Posting, PostingLeg},
};
use projections::{
    ActivityFilter, ActivityStatus, COUNTED_MAX, LOOKED_THROUGH_MAX, ReadModel, ReadModels,
    Towards, Turn,
};
use serde_json::json;

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

/// What Asha sees of things of every kind, in the order in which they began.
async fn everything(models: &ReadModels, filter: &ActivityFilter) -> Vec<String> {
    let page = models.activity(&parse(ASHA), filter, None, 100).await.unwrap();
    assert!(page.older.is_none() && !page.looked_until, "a hundred are all");
    page.rows.into_iter().rev().map(|row| row.object).collect()
}

/// The same, turned page by page, from the newest to the oldest and back.
async fn turned(models: &ReadModels, filter: &ActivityFilter, size: u32) {
    let all = everything(models, filter).await;
    let asha = parse(ASHA);
    let (mut seen, mut turn, mut oldest) = (Vec::new(), None, None);
    loop {
        let page = models.activity(&asha, filter, turn, size).await.unwrap();
        seen.splice(0..0, page.rows.iter().rev().map(|row| row.object.clone()));
        oldest = page.rows.last().map(|row| row.began_position).or(oldest);
        let Some(older) = page.older else { break };
        turn = Some(Turn::Older(older));
    }
    assert_eq!(seen, all, "{filter:?}, {size} at a time, back in time");
    let (mut seen, mut turn) = (all[..all.len().min(1)].to_vec(), oldest.map(Turn::Newer));
    while let Some(newer) = turn {
        let page = models.activity(&asha, filter, Some(newer), size).await.unwrap();
        seen.extend(page.rows.iter().rev().map(|row| row.object.clone()));
        turn = page.newer.map(Turn::Newer);
    }
    assert_eq!(seen, all, "{filter:?}, {size} at a time, forth");
}

/// Asha sends, in `ids`; the fifth is of another kind, and the seventh was undone `by` another.
struct Mixed {
    bahi: TestBahi,
    models: ReadModels,
    ids: Vec<TransactionId>,
    by: String,
}

const UNDONE: usize = 6;

async fn mixed() -> Mixed {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    // Her money: the first thing of all, a transfer as well.
    admin.wallet(ASHA, "100.00").await;
    admin.open(RAVI).await.made();
    admin.open(MEERA).await.made();
    let mut ids = Vec::new();
    for round in 0..9_u32 {
        let to = if round.is_multiple_of(3) { MEERA } else { RAVI };
        let amount = if round.is_multiple_of(2) { "1.00" } else { "2.00" };
        let mut posting = transfer(to, amount);
        if round == 4 {
            posting.kind = parse("adjustment");
        }
        ids.push(posting.transaction_id);
        accepted(bahi.engine.submit(command(Operation::Post(vec![posting]))).await);
    }
    let path = format!("/v1/transactions/{}/reverse", ids[UNDONE]);
    let by = admin.post_with("undo", &path, &json!({"note": "Sent twice"})).await.made();
    let by = by["id"].as_str().unwrap().to_owned();
    let models = ReadModels::new(bahi.database.pool().await);
    let head = bahi.engine.status().borrow().head.position;
    models.wait_for(head, PATIENCE).await.unwrap();
    Mixed { bahi, models, ids, by }
}

fn object(id: TransactionId) -> String {
    TransferId::from_uuid(id.uuid()).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_a_row_and_what_only_has_legs_make_one_list() {
    let Mixed { bahi, models, ids, by } = mixed().await;
    let default = ActivityFilter::default();
    let all = everything(&models, &default).await;
    let mut expected: Vec<String> = ids.iter().copied().map(object).collect();
    expected[4] = ids[4].to_string();
    expected.push(by);
    assert_eq!(all[1..], expected, "after the money that she began with");

    let of = |status| ActivityFilter { status: Some(status), ..default.clone() };
    let filters = [
        (default.clone(), 11),
        (of(ActivityStatus::Done), 10),
        (of(ActivityStatus::Returned), 1),
        (of(ActivityStatus::Failed), 0),
        (ActivityFilter { counterparty: Some(parse(MEERA)), ..default.clone() }, 4),
        (ActivityFilter { direction: Some(Towards::Out), ..default.clone() }, 9),
        (ActivityFilter { amount_max: "1".parse().ok(), ..default.clone() }, 6),
        (ActivityFilter { kind: Some("transfer".to_owned()), ..default.clone() }, 9),
        (ActivityFilter { search: Some(object(ids[2])), ..default.clone() }, 1),
        (ActivityFilter { search: Some(object(ids[UNDONE])), ..default.clone() }, 1),
    ];
    for (filter, count) in &filters {
        assert_eq!(everything(&models, filter).await.len(), *count, "{filter:?}");
        for size in [1, 2, 5] {
            turned(&models, filter, size).await;
        }
        let counts = models.activity_counts(&parse(ASHA), filter).await.unwrap().value;
        if filter.status.is_none() {
            assert_eq!(counts.all(), (u64::try_from(*count).unwrap(), true), "{filter:?}");
        } else {
            assert_eq!(counts.of(ActivityStatus::Done), (10, true));
            assert_eq!(counts.of(ActivityStatus::Returned), (1, true));
        }
    }
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_without_a_row_is_found_told_of_and_the_same_when_all_is_made_anew() {
    let Mixed { bahi, models, ids, .. } = mixed().await;
    let (asha, undone) = (parse::<AccountId>(ASHA), object(ids[UNDONE]));
    // One by its id, from either side, and by nobody else.
    for (account, sees) in [(ASHA, true), (RAVI, true), (MEERA, false)] {
        let one = models.activity_one(&parse(account), &object(ids[1])).await.unwrap().value;
        assert_eq!(one.is_some(), sees, "{account}");
    }
    let one = models.activity_one(&parse(MEERA), &undone).await.unwrap().value.unwrap();
    assert_eq!((one.status, one.direction), (ActivityStatus::Returned, Towards::In));
    assert_eq!(one.counterparty, Some(asha.clone()));

    // What changed since, in the order of the changes: what was undone is among the last.
    let news = models.activity_since(&asha, 0, 100).await.unwrap().value.rows;
    assert!(news.iter().rev().take(2).any(|row| row.object == undone), "{news:?}");
    let since = models.activity_since(&asha, news[3].last_position, 3).await.unwrap().value;
    assert_eq!(since.rows, news[4..7]);

    let all = ActivityFilter::default();
    let whole = models.activity(&asha, &all, None, 100).await.unwrap().rows;
    let counts = models.activity_counts(&asha, &all).await.unwrap().value;
    let database = bahi.database.pool().await;
    for only in [Some(ReadModel::Activity), Some(ReadModel::Accounts), None] {
        projections::rebuild(&database, only, |_, _| ()).await.unwrap();
        assert_eq!(models.activity(&asha, &all, None, 100).await.unwrap().rows, whole, "{only:?}");
        let now = models.activity_counts(&asha, &all).await.unwrap().value;
        assert_eq!(now, counts, "{only:?}");
    }
    bahi.finish().await;
}
