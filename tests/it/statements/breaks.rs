//! Where a statement and our books differ: nothing is guessed, all of it is listed, and what is
//! listed stays until somebody has explained it.

use chrono::{TimeDelta, Utc};
use ledger_api::statements::breaks;
use ledger_core::{
    bank_line::{
        BankLineOperation, BookBankLine, HouseAccount, LineDirection, LineKey, Part, Purpose,
    },
    withdrawal::{AttemptOutcome, WithdrawalStatus as Status},
};

use super::{
    CREDITS, DEBITS, ESCROW, OUT, Stand, WALLET, day, fresh, line, money, statement, word,
};

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
    let (told, more) = (stand.sent("BH-1").await, stand.sent("BH-2").await);
    stand.paid(told, "UTR-1").await;
    let lines = [
        // More than was sent.
        line("S1", "-103.00", Some("BH-2"), "IMPS OUT"),
        line("S2", "-5.00", None, "CASH"),
    ];
    stand.import(&statement(22, "0.00", "-108.00", &lines)).await.unwrap();
    stand.book().await;
    let expected = [("amount_differs", "103.00"), ("only_ours", "100.00"), ("only_theirs", "5.00")]
        .map(|(kind, amount)| (kind.to_owned(), amount.to_owned()));
    assert_eq!(listed(&stand).await, expected);
    // People look at once; what was sent stays in flight, and the line waits beside it.
    assert_eq!(stand.withdrawal(more).await.status(), Some(Status::NeedsAttention));
    assert_eq!(stand.withdrawal(told).await.status(), Some(Status::Completed));
    let moved = [ESCROW, OUT, IN_FLIGHT, DEBITS];
    let balances = ["-108.00", "100.00", "100.00", "108.00"];
    assert_eq!(stand.balances(&moved).await, balances);
    // It is looked at again and again, and nothing of it goes away by itself.
    let before = stand.count("events").await;
    for _ in 0..3 {
        stand.book().await;
    }
    assert_eq!(stand.count("events").await, before);
    assert_eq!(listed(&stand).await, expected);
    // The bank states what was missing: that break is gone, the others stay.
    stand.import(&statement(23, "-108.00", "-208.00", &[next_day("S3", "BH-1")])).await.unwrap();
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

/// The part moves and its line closes it; the rest waits for a line, or for people.
#[tokio::test(flavor = "multi_thread")]
async fn case_110_of_97_of_100_what_is_proved_is_settled_and_the_rest_stays_in_flight() {
    let stand = Stand::start().await;
    let (rest_paid, rest_not) = (stand.sent("BH-1").await, stand.sent("BH-2").await);
    let parts = [
        line("S1", "-97.00", Some("BH-1"), "IMPS OUT"),
        line("S2", "-97.00", Some("BH-2"), "IMPS OUT"),
    ];
    let mut file = statement(22, "0.00", "-194.00", &parts);
    file["closed"] = false.into();
    stand.import(&file).await.unwrap();
    let (one, other) = tokio::join!(stand.booker.book(), stand.booker.book());
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    for id in [rest_paid, rest_not] {
        assert_eq!(stand.withdrawal(id).await.status(), Some(Status::OutcomeUnknown));
    }
    let moved = [ESCROW, OUT, IN_FLIGHT, DEBITS, WALLET];
    let expected = ["-194.00", "0.00", "6.00", "0", "800.00"];
    assert_eq!(stand.balances(&moved).await, expected);
    assert_eq!(listed(&stand).await, []);
    // Of what was sent only the rest is still promised to the bank.
    let float = stand.booker.read_models.float(&word(ESCROW), &word(OUT), &word("hdfc")).await;
    assert_eq!(float.unwrap().value.in_flight, "6.00".parse().unwrap());
    // All that was noted of it lost: nothing moves.
    let mut superuser = stand.ledger.database.superuser().await;
    sqlx::query("delete from statement_bookings").execute(&mut superuser).await.unwrap();
    stand.book().await;
    assert_eq!(stand.balances(&moved).await, expected);

    let lines = [parts.to_vec(), vec![line("S3", "-3.00", Some("BH-1"), "IMPS OUT")]].concat();
    stand.import(&statement(22, "0.00", "-197.00", &lines)).await.unwrap();
    stand.book().await;
    stand.told(rest_not, AttemptOutcome::RefusedFinal).await;
    assert_eq!(stand.withdrawal(rest_paid).await.status(), Some(Status::Completed));
    assert_eq!(stand.withdrawal(rest_not).await.status(), Some(Status::Failed));
    let expected = ["-197.00", "0.00", "0.00", "0", "803.00"];
    assert_eq!(stand.balances(&moved).await, expected);
    stand.end().await;
}

/// A bank that contradicts itself about one line holds up no other.
#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_refused_is_passed_over_and_those_behind_it_are_booked() {
    let stand = Stand::start().await;
    let lines =
        |first: &str| [line("S1", first, None, "IN"), line("S2", "+7.00", None, "IN")].to_vec();
    stand.import(&statement(22, "0.00", "16.00", &lines("+9.00"))).await.unwrap();
    // Somebody has booked the first one with another amount.
    let key: String =
        sqlx::query_scalar("select line_id from statement_lines where bank_transaction_id = 'S1'")
            .fetch_one(&stand.pool)
            .await
            .unwrap();
    let first = LineKey {
        bank: word("hdfc"),
        account: HouseAccount::Escrow,
        direction: LineDirection::Credit,
        value_date: day(22),
        bank_transaction_id: word("S1"),
    };
    assert_eq!(first.id().to_string(), key);
    let amount = money(WALLET, "5.00");
    stand
        .ask(BankLineOperation::Book(BookBankLine {
            key: first,
            booking_date: day(22),
            amount,
            parts: vec![Part::plain(Purpose::Unknown, amount.amount())],
            transaction_id: fresh(),
        }))
        .await;
    stand.book().await;
    assert_eq!(stand.booker.book().await.unwrap(), 0, "tried again, and passed over again");
    assert_eq!(stand.balances(&[ESCROW, CREDITS]).await, ["12.00", "12.00"]);
    assert_eq!(stand.count("statement_bookings").await, 1);
    stand.end().await;
}
