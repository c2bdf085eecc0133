//! Transactions: by id, in lists, through an account.

use projections::{ReadModels, TransactionFilter};

use crate::support::{TestLog, credit, database, debit, project};

async fn ids(reads: &ReadModels, filter: &TransactionFilter) -> Vec<String> {
    let mut filter = filter.clone();
    let mut ids = Vec::new();
    // Pages of two, so that every list tests the cursor.
    loop {
        let page = reads.transactions(&filter, 2).await.unwrap();
        assert!(page.items.len() <= 2);
        ids.extend(page.items.iter().map(|t| t.id.to_string()));
        match page.next {
            Some(next) => filter.before = Some(next),
            None => return ids,
        }
    }
}

#[tokio::test]
async fn a_transaction_has_its_legs_its_totals_and_its_links() {
    let pool = database().await;
    let mut log = TestLog::new(&pool);
    for account in ["wallet:a:INR", "wallet:b:INR", "fx:pool:INR", "fx:pool:USD", "wallet:b:USD"] {
        log.open(account);
    }
    let legs = [
        debit("wallet:a:INR", "840.00"),
        credit("fx:pool:INR", "840.00"),
        debit("fx:pool:USD", "10.00"),
        credit("wallet:b:USD", "10.00"),
    ];
    let exchange = log.post("exchange", &legs, None);
    log.commit().await;
    let undone = log.reverse(exchange);
    let head = log.commit().await;
    let reads = project(&pool, head).await;

    let found = reads.transaction(exchange).await.unwrap();
    assert_eq!(found.position, head);
    let found = found.value.unwrap();
    let shown: Vec<String> = found
        .transaction
        .totals
        .iter()
        .map(|total| format!("{} {}", total.amount, total.currency))
        .collect();
    assert_eq!(shown, ["840.00 INR", "10.00 USD"]);
    assert_eq!(found.transaction.reversed_by, Some(undone));
    assert_eq!(found.legs.len(), 4);
    assert_eq!(found.legs[3].account.as_str(), "wallet:b:USD");
    assert_eq!(found.legs[3].balance_after.to_string(), "10.00");
    assert_eq!(found.metadata.actor.as_deref(), Some("test"));

    let reversal = reads.transaction(undone).await.unwrap().value.unwrap();
    assert_eq!(reversal.transaction.reverses, Some(exchange));
    let cause = reversal.transaction.cause.unwrap();
    assert_eq!(cause.as_str(), exchange.to_string());
}

#[tokio::test]
async fn transactions_are_listed_newest_first_by_every_filter() {
    let pool = database().await;
    let mut log = TestLog::new(&pool);
    log.open("wallet:a:INR");
    log.open("wallet:b:INR");
    log.open("wallet:c:INR");
    let mut all = Vec::new();
    let start = log.now;
    for day in 0..3 {
        for kind in ["transfer", "fee"] {
            let to = if day == 1 { "wallet:c:INR" } else { "wallet:b:INR" };
            // Two legs on one account: one transaction of that account all the same.
            let legs =
                [debit("wallet:a:INR", "1.00"), debit("wallet:a:INR", "2.00"), credit(to, "3.00")];
            all.push(log.post(kind, &legs, None).to_string());
            log.commit().await;
        }
        log.next_day();
    }
    all.reverse();
    let reads = project(&pool, log.head.position).await;
    let any = TransactionFilter::default();
    assert_eq!(ids(&reads, &any).await, all);

    let of = |account: &str| TransactionFilter {
        account: Some(account.parse().unwrap()),
        ..TransactionFilter::default()
    };
    assert_eq!(ids(&reads, &of("wallet:a:INR")).await, all);
    assert_eq!(ids(&reads, &of("wallet:c:INR")).await, all[2..4]);
    assert_eq!(ids(&reads, &of("wallet:nobody:INR")).await, [""; 0]);

    for account in [None, Some("wallet:a:INR".parse().unwrap())] {
        let of =
            |filter: TransactionFilter| TransactionFilter { account: account.clone(), ..filter };
        let fees = of(TransactionFilter { kind: Some("fee".parse().unwrap()), ..any.clone() });
        let expected = [&all[0], &all[2], &all[4]];
        assert_eq!(ids(&reads, &fees).await.iter().collect::<Vec<_>>(), expected);
        let second_day = of(TransactionFilter {
            effective_from: Some("2026-11-23".parse().unwrap()),
            effective_to: Some("2026-11-23".parse().unwrap()),
            ..any.clone()
        });
        assert_eq!(ids(&reads, &second_day).await, all[2..4]);
        let recorded = of(TransactionFilter {
            recorded_from: Some(start + chrono::TimeDelta::days(1)),
            recorded_before: Some(start + chrono::TimeDelta::days(2)),
            ..any.clone()
        });
        assert_eq!(ids(&reads, &recorded).await, all[2..4]);
    }
}
