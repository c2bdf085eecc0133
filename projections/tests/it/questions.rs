//! Statements, flows, open items, holds, the past and the trial balance.

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta};
use ledger_core::ids::AccountId;
use projections::{HoldState, Order, ReadError, ReadModels, StatementQuery};
use rust_decimal::Decimal;

use crate::support::{
    TestLog, credit, database, debit, oracle, project, random::Random, random::random_log,
};

fn id(text: &str) -> AccountId {
    text.parse().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[tokio::test]
async fn case_86_a_balance_of_the_past_equals_the_fold_of_the_prefix() {
    for seed in 20..23 {
        let pool = database().await;
        let mut log = TestLog::new(&pool);
        random_log(&mut log, &mut Random::new(seed), 30).await;
        let head = log.head.position;
        let reads = project(&pool, head).await;
        let events = oracle::events(&pool).await;
        let all = oracle::accounts(&events, head);
        for position in 0..=head {
            let truths = oracle::accounts(&events, position);
            for account in all.keys() {
                let past = reads.balance_at_position(&id(account), position).await.unwrap();
                assert_eq!(past.position, position);
                let past = past.value.map(|past| (past.posted, past.held, past.sequence));
                let truth = truths
                    .get(account)
                    .map(|truth| (truth.posted, Some(truth.held), Some(truth.sequence)));
                assert_eq!(past, truth, "seed {seed}, {account} at {position}");
            }
        }
        let beyond = reads.balance_at_position(&id("wallet:a:INR"), head + 1).await;
        assert!(matches!(beyond, Err(ReadError::NotRecorded { .. })));
        assert_moments_and_dates(&reads, &events, seed).await;
    }
}

async fn assert_moments_and_dates(
    reads: &ReadModels,
    events: &[ledger_core::log::RecordedEvent],
    seed: u64,
) {
    let head = events.last().unwrap().position;
    for event in events.iter().step_by(7) {
        // Several events share a moment; it stands for the last of them.
        let moment = event.recorded_at;
        let last = events.iter().rfind(|e| e.recorded_at <= moment).unwrap();
        let past = reads.balance_at_time(&id("wallet:a:INR"), moment).await.unwrap();
        assert_eq!(past.position, last.position);
        let truth = oracle::accounts(events, last.position);
        let posted = truth.get("wallet:a:INR").map(|truth| truth.posted);
        assert_eq!(past.value.map(|past| past.posted), posted, "seed {seed}, {moment}");
        let before = reads
            .balance_at_time(&id("wallet:a:INR"), moment - TimeDelta::microseconds(1))
            .await
            .unwrap();
        assert!(before.position < event.position);
    }
    for (account, truth) in oracle::accounts(events, head) {
        for date in truth.by_day.keys() {
            let expected: Decimal =
                truth.by_day.range(..=*date).map(|(_, (more, less))| more - less).sum();
            let past = reads.balance_on_date(&id(&account), *date).await.unwrap();
            assert_eq!(past.value.unwrap().posted, expected, "seed {seed}, {account} {date}");
        }
    }
}

#[tokio::test]
async fn the_trial_balance_at_any_position_equals_the_fold_of_whole_transactions() {
    let pool = database().await;
    let mut log = TestLog::new(&pool);
    random_log(&mut log, &mut Random::new(30), 25).await;
    log.open("wallet:a:USD");
    log.open("fx:pool:USD");
    let legs = [debit("fx:pool:USD", "7.00"), credit("wallet:a:USD", "7.00")];
    log.post("transfer", &legs, None);
    let head = log.commit().await;
    let reads = project(&pool, head).await;
    let events = oracle::events(&pool).await;
    for position in (0..=head).step_by(5).chain([head]) {
        let trial = reads.trial_balance_at(position).await.unwrap();
        let whole = trial.position;
        assert!(whole >= position && oracle::is_whole(&events, whole), "{position} is {whole}");
        assert!(!(position..whole).any(|place| oracle::is_whole(&events, place)), "{position}");
        let mut expected: BTreeMap<String, (u64, Decimal)> = BTreeMap::new();
        for (account, truth) in oracle::accounts(&events, whole) {
            let currency = account.rsplit_once(':').unwrap().1.to_owned();
            let sum = expected.entry(currency).or_default();
            sum.0 += 1;
            // Debit balances are above zero here, credit balances below.
            let debit = truth.normal == ledger_core::chart::Direction::Debit;
            sum.1 += if debit { truth.posted } else { -truth.posted };
        }
        let found: BTreeMap<String, (u64, Decimal)> = trial
            .value
            .currencies
            .iter()
            .map(|c| {
                let accounts = c.lines.iter().map(|line| line.accounts).sum();
                assert!(c.balanced && c.debits == c.credits, "at {position}");
                (c.currency.to_string(), (accounts, c.debits - c.credits))
            })
            .collect();
        assert_eq!(found, expected, "at {position}");
    }
    let now = reads.trial_balance().await.unwrap();
    assert_eq!(now, reads.trial_balance_at(head).await.unwrap());
    assert_eq!(now.value.currencies.len(), 2);
    assert!(now.value.currencies.iter().all(|c| c.balanced && c.debits > Decimal::ZERO));
    let beyond = reads.trial_balance_at(head + 1).await;
    assert!(matches!(beyond, Err(ReadError::NotRecorded { .. })));
}

#[tokio::test]
async fn a_statement_has_its_balances_its_lines_and_its_notes() {
    let pool = database().await;
    let mut log = TestLog::new(&pool);
    log.open("bank:hdfc:escrow:INR");
    log.open("wallet:asha:INR");
    let mut transactions = Vec::new();
    for amount in ["100.00", "20.00", "3.00"] {
        for _ in 0..2 {
            let t = log.transfer("bank:hdfc:escrow:INR", "wallet:asha:INR", amount);
            transactions.push(t);
            log.freeze("wallet:asha:INR", "order-1", None);
            log.commit().await;
        }
        log.next_day();
    }
    let reads = project(&pool, log.head.position).await;
    sqlx::query("insert into transaction_notes values ($1, 'rent')")
        .bind(transactions[2].to_string())
        .execute(&pool)
        .await
        .unwrap();
    let mut query = StatementQuery {
        account: id("wallet:asha:INR"),
        from: Some(day("2026-11-23")),
        to: Some(day("2026-11-23")),
        order: Order::OldestFirst,
        cursor: None,
        limit: 10,
    };
    let statement = reads.statement(&query).await.unwrap().value.unwrap();
    assert_eq!(statement.opening.to_string(), "200.00");
    assert_eq!(statement.closing.to_string(), "240.00");
    assert_eq!(statement.credits.to_string(), "40.00");
    assert_eq!(statement.debits.to_string(), "0.00");
    assert_eq!((statement.legs, statement.next), (2, None));
    let after: Vec<String> = statement.lines.iter().map(|l| l.balance_after.to_string()).collect();
    assert_eq!(after, ["220.00", "240.00"]);
    assert_eq!(statement.lines[0].note.as_deref(), Some("rent"));
    assert_eq!(statement.lines[1].note, None);

    (query.from, query.to) = (None, None);
    for order in [Order::OldestFirst, Order::NewestFirst] {
        query = StatementQuery { order, cursor: None, limit: 4, ..query };
        let first = reads.statement(&query).await.unwrap().value.unwrap();
        query.cursor = first.next;
        let second = reads.statement(&query).await.unwrap().value.unwrap();
        assert_eq!((first.lines.len(), second.lines.len(), second.next), (4, 2, None));
        let mut seen: Vec<_> = first.lines.iter().chain(&second.lines).collect();
        if order == Order::NewestFirst {
            seen.reverse();
        }
        let ids: Vec<_> = seen.iter().map(|line| line.transaction_id).collect();
        assert_eq!(ids, transactions);
        let closing: Vec<_> = seen.iter().map(|line| line.balance_after).collect();
        assert_eq!(closing.last(), Some(&first.closing));
    }
    query.account = id("wallet:nobody:INR");
    assert_eq!(reads.statement(&query).await.unwrap().value, None);
}

#[tokio::test]
async fn flows_are_what_moved_in_and_out_day_by_day() {
    let pool = database().await;
    let mut log = TestLog::new(&pool);
    for account in ["bank:hdfc:escrow:INR", "wallet:a:INR", "wallet:b:INR"] {
        log.open(account);
    }
    log.transfer("bank:hdfc:escrow:INR", "wallet:a:INR", "100.00");
    log.transfer("wallet:a:INR", "wallet:b:INR", "30.00");
    log.commit().await;
    log.next_day();
    log.next_day();
    log.transfer("wallet:a:INR", "wallet:b:INR", "5.50");
    let head = log.commit().await;
    let reads = project(&pool, head).await;
    let days = |account: &'static str, from: &'static str, to: &'static str| {
        let reads = reads.clone();
        async move {
            let flows = reads.flows(&id(account), day(from), day(to)).await.unwrap();
            let days = flows.value.unwrap().days;
            let text = days
                .iter()
                .map(|d| format!("{} +{} -{} {}", d.day, d.money_in, d.money_out, d.legs));
            text.collect::<Vec<_>>()
        }
    };
    let all = days("wallet:a:INR", "2026-11-01", "2026-11-30").await;
    assert_eq!(all, ["2026-11-22 +100.00 -30.00 2", "2026-11-24 +0.00 -5.50 1"]);
    let one = days("bank:hdfc:escrow:INR", "2026-11-22", "2026-11-22").await;
    assert_eq!(one, ["2026-11-22 +100.00 -0.00 1"]);
    assert_eq!(days("wallet:a:INR", "2026-11-23", "2026-11-23").await, [""; 0]);
    let nobody = reads.flows(&id("wallet:x:INR"), day("2026-11-22"), day("2026-11-23")).await;
    assert_eq!(nobody.unwrap().value, None);
}

#[tokio::test]
async fn open_items_are_what_does_not_come_to_zero() {
    let pool = database().await;
    let mut log = TestLog::new(&pool);
    random_log(&mut log, &mut Random::new(40), 240).await;
    let head = log.head.position;
    let reads = project(&pool, head).await;
    let clearing = "bank:hdfc:clearing_in:INR";
    let mut found = BTreeMap::new();
    let mut cursor = None;
    let mut positions = Vec::new();
    loop {
        let page = reads.open_items(&id(clearing), cursor, 3).await.unwrap();
        assert_eq!(page.position, head);
        for item in page.items {
            positions.push(item.opened_position);
            found.insert(item.item.to_string(), item.balance);
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert!(positions.is_sorted() && positions.len() > 3, "{positions:?}");
    let truth = oracle::accounts(&oracle::events(&pool).await, head);
    let mut expected = truth[clearing].items.clone();
    let all = expected.len();
    expected.retain(|_, balance| !balance.is_zero());
    assert!(expected.len() < all, "nothing was settled");
    assert_eq!(found, expected);
    let sum: Decimal = expected.values().sum();
    assert_eq!(sum, truth[clearing].posted);
}

#[tokio::test]
async fn holds_show_what_became_of_them_and_when_they_are_due() {
    let pool = database().await;
    let mut log = TestLog::new(&pool);
    for account in ["wallet:a:INR", "merchant:m:unsettled:INR"] {
        log.open(account);
    }
    let soon = log.now + TimeDelta::minutes(5);
    let later = log.now + TimeDelta::minutes(9);
    let captured = log.hold("wallet:a:INR", "100.00", Some(soon));
    let due = log.hold("wallet:a:INR", "20.00", Some(soon));
    let due_later = log.hold("wallet:a:INR", "30.00", Some(later));
    let open_ended = log.hold("wallet:a:INR", "40.00", None);
    log.commit().await;
    log.increase(captured, "10.00");
    let posted = log.capture(captured, "merchant:m:unsettled:INR", "60.00");
    let head = log.commit().await;
    let reads = project(&pool, head).await;

    let hold = reads.hold(captured).await.unwrap().value.unwrap();
    assert_eq!((hold.state, hold.sequence), (HoldState::Captured, 3));
    assert_eq!(hold.amount.to_string(), "110.00");
    assert_eq!(hold.captured.map(|c| c.to_string()).unwrap(), "60.00");
    assert_eq!(hold.transaction_id, Some(posted));
    assert!(hold.ended_at.is_some());

    let overdue = |now| {
        let reads = reads.clone();
        async move {
            let found = reads.expired_holds(now, 10).await.unwrap();
            found.value.iter().map(|hold| hold.id).collect::<Vec<_>>()
        }
    };
    assert_eq!(overdue(soon - TimeDelta::microseconds(1)).await, []);
    assert_eq!(overdue(soon).await, [due]);
    assert_eq!(overdue(later).await, [due, due_later]);

    let wallet = id("wallet:a:INR");
    let first = reads.holds(&wallet, Some(HoldState::Open), None, 2).await.unwrap();
    let ids: Vec<_> = first.items.iter().map(|hold| hold.id).collect();
    assert_eq!(ids, [open_ended, due_later]);
    let second = reads.holds(&wallet, Some(HoldState::Open), first.next, 2).await.unwrap();
    assert_eq!((second.items.len(), second.next), (1, None));
    assert_eq!(reads.holds(&wallet, None, None, 9).await.unwrap().items.len(), 4);

    log.expire(due);
    let reads = project(&pool, log.commit().await).await;
    let hold = reads.hold(due).await.unwrap().value.unwrap();
    assert_eq!(hold.state, HoldState::Expired);
}
