//! Limits of tiers through the whole engine: many at once, several processes, after a restart, with
//! a new version in force; and the reference executor writes the same log.

use ledger_core::{
    command::{DefineTier, Operation, Rejection, SetTier},
    tier::{Flow, FlowLimits, Limit, TierLimits},
};

use crate::{
    reference::Both,
    support::{
        database::Database,
        ledger::{
            Ledger, accepted, command, currency, money, opening, posting, rejected, transfer,
        },
    },
};

const ASHA: &str = "wallet:asha:INR";
const BINOD: &str = "wallet:binod:INR";

/// A tier by which so much may go out a day.
fn define(per_day: &str) -> Operation {
    let per_day = Some(money(ASHA, per_day).amount());
    let outgoing = FlowLimits { per_day, ..FlowLimits::default() };
    Operation::DefineTier(Box::new(DefineTier {
        tier: "small".parse().unwrap(),
        currency: currency("INR"),
        limits: TierLimits { outgoing, ..TierLimits::default() },
        expected_version: None,
    }))
}

fn put_on(account: &str, tier: Option<&str>) -> Operation {
    let tier = tier.map(|tier| tier.parse().unwrap());
    Operation::SetTier(SetTier { account: account.parse().unwrap(), tier })
}

fn pay(amount: &str) -> Operation {
    Operation::Post(vec![transfer(ASHA, BINOD, amount)])
}

/// Asha on a tier of so much a day, with 1,000.00, and Binod on none.
async fn limited(per_day: &str) -> Ledger {
    let ledger = Ledger::start().await;
    ledger.wallet(ASHA, "1000.00").await;
    ledger.open(BINOD).await;
    accepted(ledger.submit(define(per_day)).await);
    accepted(ledger.submit(put_on(ASHA, Some("small"))).await);
    ledger
}

fn left(rejection: &Rejection) -> String {
    assert_eq!(rejection.code, "limit_exceeded", "{rejection:?}");
    assert_eq!(rejection.account.as_ref().map(ledger_core::ids::AccountId::as_str), Some(ASHA));
    let limit = rejection.limit.as_deref().unwrap();
    assert_eq!((limit.flow, limit.limit), (Flow::Out, Limit::Day));
    assert!(limit.resets_on.is_some());
    limit.left.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_at_once_exactly_those_that_fit_are_accepted_by_two_processes() {
    let one = limited("100.00").await;
    let other = Ledger::on(&one.database).await;
    let ways = [&one, &other];
    let asked = (0..50).map(|number: usize| ways[number % 2].submit(pay("7.00")));
    let outcomes = futures::future::join_all(asked).await;
    let (fit, over): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(|outcome| {
        matches!(outcome.as_ref().unwrap().outcome, ledger_core::command::Outcome::Accepted(_))
    });
    assert_eq!((fit.len(), over.len()), (14, 36));
    for refusal in over {
        assert_eq!(left(&rejected(refusal)), "2.00");
    }
    assert_eq!(one.balance(ASHA).await, "902.00");
    accepted(one.submit(pay("2.00")).await);
    assert_eq!(left(&rejected(other.submit(pay("0.01")).await)), "0.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_come_along_when_an_account_is_loaded_with_and_without_a_snapshot() {
    let ledger = limited("100.00").await;
    for _ in 0..3 {
        accepted(ledger.submit(pay("10.00")).await);
        let again = Ledger::on(&ledger.database).await;
        accepted(again.submit(pay("0.01")).await);
    }
    // Past the length at which a stream gets a snapshot.
    let mut paid = 3_003;
    for _ in 0..6 {
        let all = (0..100).map(|_| command(pay("0.01"))).collect();
        for answer in ledger.engine.submit_all(all).await.unwrap() {
            accepted(answer);
            paid += 1;
        }
    }
    let snapshot = async |database: &Database| -> bool {
        sqlx::query_scalar("select exists (select from snapshots where aggregate_id = $1)")
            .bind(ASHA)
            .fetch_one(&mut database.superuser().await)
            .await
            .unwrap()
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), async {
        while !snapshot(&ledger.database).await {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("a snapshot is written");
    let again = Ledger::on(&ledger.database).await;
    let refusal = rejected(again.submit(pay("64.00")).await);
    assert_eq!(left(&refusal), format!("{}.{:02}", (10_000 - paid) / 100, (10_000 - paid) % 100));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_holds_at_once_for_every_process_and_returns_are_exempt() {
    let ledger = limited("100.00").await;
    let other = Ledger::on(&ledger.database).await;
    accepted(other.submit(pay("60.00")).await);
    accepted(ledger.submit(define("50.00")).await);
    assert_eq!(left(&rejected(other.submit(pay("0.01")).await)), "0.00");
    let mut late = transfer(ASHA, BINOD, "500.00");
    late.kind = "withdrawal_late".parse().unwrap();
    accepted(other.submit(Operation::Post(vec![late])).await);
    accepted(ledger.submit(define("75.00")).await);
    assert_eq!(left(&rejected(other.submit(pay("15.01")).await)), "15.00");
    accepted(other.submit(pay("15.00")).await);
    accepted(other.submit(put_on(ASHA, None)).await);
    accepted(ledger.submit(pay("100.00")).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_executor_writes_the_same_log_of_tiers() {
    let mut both = Both::start().await;
    let aggregated = || {
        use ledger_core::chart::Direction::{Credit, Debit};
        let leg = crate::support::ledger::leg;
        let legs = vec![leg(Debit, ASHA, "6"), leg(Debit, ASHA, "6"), leg(Credit, BINOD, "12")];
        Operation::Post(vec![posting("split", legs)])
    };
    let till = "till:main:INR";
    let operations = vec![
        Operation::OpenAccount(opening(till)),
        Operation::OpenAccount(opening(ASHA)),
        Operation::OpenAccount(opening(BINOD)),
        Operation::Post(vec![transfer(till, ASHA, "100.00")]),
        put_on(ASHA, Some("small")),
        define("10.00"),
        put_on(ASHA, Some("small")),
        pay("9.00"),
        pay("1.01"),
        define("20.00"),
        aggregated(),
        pay("11.00"),
        pay("0.01"),
        put_on(ASHA, None),
        pay("20.00"),
    ];
    let mut accepted = Vec::new();
    for operation in operations {
        let command = command(operation);
        let own = both.agree(&command).await.unwrap();
        accepted.push(matches!(own, ledger_core::command::Outcome::Accepted(_)));
    }
    let expected = [
        true, true, true, true, false, true, true, true, false, true, false, true, false, true,
        true,
    ];
    assert_eq!(accepted, expected);
    let kinds = both.assert_same_logs(true).await;
    for kind in [("account", "tier_set"), ("book", "tier_defined")] {
        assert!(kinds.contains(&(kind.0.to_owned(), kind.1.to_owned())), "{kinds:?}");
    }
}
