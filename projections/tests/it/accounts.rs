//! Accounts and their balances.

use projections::AccountFilter;

use crate::support::{TestLog, database, project};

#[tokio::test]
async fn an_account_is_what_its_events_say() {
    let pool = database().await;
    let mut log = TestLog::new(&pool);
    log.open("bank:hdfc:escrow:INR");
    log.open("wallet:asha:INR");
    log.transfer("bank:hdfc:escrow:INR", "wallet:asha:INR", "500.00");
    log.commit().await;
    log.freeze("wallet:asha:INR", "order-1", Some("50.00"));
    log.freeze("wallet:asha:INR", "order-2", None);
    log.commit().await;
    log.unfreeze("wallet:asha:INR", "order-2");
    log.hold("wallet:asha:INR", "120.00", None);
    log.limit("wallet:asha:INR", Some("-10.00"), Some("9000.00"));
    let head = log.commit().await;

    let reads = project(&pool, head).await;
    let answer = reads.account(&"wallet:asha:INR".parse().unwrap()).await;
    let answer = answer.unwrap();
    assert_eq!(answer.position, head);
    let account = answer.value.unwrap();
    let shown = |amount: rust_decimal::Decimal| amount.to_string();
    assert_eq!(shown(account.debits_posted), "0.00");
    assert_eq!(shown(account.credits_posted), "500.00");
    assert_eq!(shown(account.balance.posted), "500.00");
    assert_eq!(shown(account.balance.held), "120.00");
    assert_eq!(shown(account.balance.liens), "50.00");
    assert_eq!(account.balance.available.map(shown).unwrap(), "340.00");
    assert_eq!(account.balance.ceiling.map(shown).unwrap(), "9000.00");
    assert_eq!((account.open_holds, account.balance.sequence), (1, 7));
    assert_eq!(account.freezes.len(), 1);
    assert_eq!(account.metadata["made"], "by \"test\" \u{0}");
    assert_eq!(account.last_position, head);

    log.open("wallet:gone:INR");
    log.close("wallet:gone:INR");
    let head = log.commit().await;
    project(&pool, head).await;
    let gone = reads.account(&"wallet:gone:INR".parse().unwrap()).await;
    let gone = gone.unwrap().value.unwrap();
    assert_eq!((gone.closed_at, shown(gone.balance.posted)), (Some(log.now), "0.00".to_owned()));

    let missing = reads.account(&"wallet:nobody:INR".parse().unwrap()).await;
    let missing = missing.unwrap();
    assert_eq!((missing.position, missing.value), (head, None));
}

#[tokio::test]
async fn accounts_are_found_by_owner_code_and_type_with_a_stable_cursor() {
    let pool = database().await;
    let mut log = TestLog::new(&pool);
    for name in ["asha", "ashok", "ravi", "a_b", "aab"] {
        log.open(&format!("wallet:{name}:INR"));
        log.open(&format!("wallet:{name}:USD"));
    }
    log.open_for("till:7:INR", "asha");
    let head = log.commit().await;
    let reads = project(&pool, head).await;
    let ids = |filter: AccountFilter, limit: u32| {
        let reads = reads.clone();
        async move {
            let page = reads.accounts(&filter, limit).await.unwrap();
            let ids: Vec<String> = page.items.iter().map(|a| a.id.to_string()).collect();
            (ids, page.next)
        }
    };
    let by_owner =
        AccountFilter { owner: Some("asha".parse().unwrap()), ..AccountFilter::default() };
    let (found, next) = ids(by_owner, 10).await;
    assert_eq!(found, ["till:7:INR", "wallet:asha:INR", "wallet:asha:USD"]);
    assert_eq!(next, None);

    let mut by_prefix =
        AccountFilter { code_prefix: Some("wallet:ash".to_owned()), ..AccountFilter::default() };
    let (first, next) = ids(by_prefix.clone(), 3).await;
    assert_eq!(first, ["wallet:asha:INR", "wallet:asha:USD", "wallet:ashok:INR"]);
    // An account that is opened before the cursor does not shift the next page.
    log.open("wallet:asha0:INR");
    project(&pool, log.commit().await).await;
    by_prefix.after = next;
    assert_eq!(ids(by_prefix, 3).await, (vec!["wallet:ashok:USD".to_owned()], None));

    let underscore =
        AccountFilter { code_prefix: Some("wallet:a_".to_owned()), ..AccountFilter::default() };
    assert_eq!(ids(underscore, 10).await.0, ["wallet:a_b:INR", "wallet:a_b:USD"]);
    let by_code = AccountFilter {
        code: Some("wallet:ravi".parse().unwrap()),
        currency: Some("USD".parse().unwrap()),
        ..AccountFilter::default()
    };
    assert_eq!(ids(by_code, 10).await.0, ["wallet:ravi:USD"]);
    let assets = AccountFilter {
        account_type: Some(ledger_core::chart::AccountType::Asset),
        ..AccountFilter::default()
    };
    assert_eq!(ids(assets, 10).await.0, ["till:7:INR"]);
}
