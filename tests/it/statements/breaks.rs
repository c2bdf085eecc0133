//! Where a statement and our books differ: nothing is guessed, all of it is listed, and what is
//! listed stays until somebody has explained it.

use chrono::{TimeDelta, Utc};
use ledger_api::statements::breaks;
use ledger_core::withdrawal::WithdrawalStatus as Status;

use super::{DEBITS, ESCROW, OUT, Stand, line, statement};

const IN_FLIGHT: &str = "withdrawals:in_flight:INR";

/// The kinds of what differs two days from now, and the amounts.
async fn listed(stand: &Stand) -> Vec<(String, String)> {
    let found = breaks(&stand.pool, Utc::now() + TimeDelta::days(2)).await.unwrap();
    let mut found: Vec<_> =
        found.into_iter().map(|one| (one.kind, one.amount.to_string())).collect();
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn case_118_missing_there_missing_here_and_another_amount_are_three_kinds_of_breaks() {
    let stand = Stand::start().await;
    let (told, less) = (stand.sent("BH-1").await, stand.sent("BH-2").await);
    stand.paid(told, "UTR-1").await;
    let lines = [
        // Case 110: less than was sent.
        line("S1", "-97.00", Some("BH-2"), "IMPS OUT"),
        line("S2", "-5.00", None, "CASH"),
    ];
    stand.import(&statement(22, "0.00", "-102.00", &lines)).await.unwrap();
    stand.book().await;
    let expected = [("amount_differs", "97.00"), ("only_ours", "100.00"), ("only_theirs", "5.00")]
        .map(|(kind, amount)| (kind.to_owned(), amount.to_owned()));
    assert_eq!(listed(&stand).await, expected);
    // People look at once; what was sent stays in flight, and the line waits beside it.
    assert_eq!(stand.withdrawal(less).await.status(), Some(Status::NeedsAttention));
    assert_eq!(stand.withdrawal(told).await.status(), Some(Status::Completed));
    let moved = [ESCROW, OUT, IN_FLIGHT, DEBITS];
    let balances = ["-102.00", "100.00", "100.00", "102.00"];
    assert_eq!(stand.balances(&moved).await, balances);
    // It is looked at again and again, and nothing of it goes away by itself.
    let before = stand.count("events").await;
    for _ in 0..3 {
        stand.book().await;
    }
    assert_eq!(stand.count("events").await, before);
    assert_eq!(listed(&stand).await, expected);
    // The bank states what was missing: that break is gone, the others stay.
    stand.import(&statement(23, "-102.00", "-202.00", &[next_day("S3", "BH-1")])).await.unwrap();
    stand.book().await;
    assert_eq!(listed(&stand).await, [expected[0].clone(), expected[2].clone()]);
    stand.end().await;
}

fn next_day(id: &str, reference: &str) -> serde_json::Value {
    let mut line = line(id, "-100.00", Some(reference), "IMPS OUT");
    line["booking_date"] = serde_json::json!(super::day(23));
    line
}

#[tokio::test(flavor = "multi_thread")]
async fn case_112_of_two_equal_amounts_on_a_day_the_reference_says_which() {
    let stand = Stand::start().await;
    let (one, two) = (stand.sent("BH-1").await, stand.sent("BH-2").await);
    let lines = [
        line("S1", "-100.00", Some("BH-2"), "IMPS OUT"),
        // Once more under another number of the bank's: a riddle, and no payment of the other one.
        line("S2", "-100.00", Some("BH-2"), "IMPS OUT"),
    ];
    stand.import(&statement(22, "0.00", "-200.00", &lines)).await.unwrap();
    stand.book().await;
    assert_eq!(stand.withdrawal(two).await.status(), Some(Status::Completed));
    assert_eq!(stand.withdrawal(one).await.status(), Some(Status::Processing));
    let moved = [ESCROW, OUT, IN_FLIGHT, DEBITS];
    assert_eq!(stand.balances(&moved).await, ["-200.00", "0.00", "100.00", "100.00"]);
    stand.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_111_more_than_was_sent_is_not_booked_as_its_payment() {
    let stand = Stand::start().await;
    let id = stand.sent("BH-1").await;
    let lines = [line("S1", "-100.01", Some("BH-1"), "IMPS OUT")];
    stand.import(&statement(22, "0.00", "-100.01", &lines)).await.unwrap();
    stand.book().await;
    assert_eq!(stand.withdrawal(id).await.status(), Some(Status::NeedsAttention));
    let moved = [ESCROW, OUT, IN_FLIGHT, DEBITS];
    assert_eq!(stand.balances(&moved).await, ["-100.01", "0", "100.00", "100.01"]);
    stand.end().await;
}
