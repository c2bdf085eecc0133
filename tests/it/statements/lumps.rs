//! A payment gateway's lumps on statements: the deposits that the bank names are settled with the
//! line, all or none, whoever else reads it and whatever happened to one of them before.

use ledger_core::ids::DepositId;

use super::*;

const CHARGES: &str = "expense:bank_charges:INR";
const TAX: &str = "tax:gst_input:INR";
const MOVED: [&str; 6] = [ESCROW, IN, CREDITS, CHARGES, TAX, WALLET];

/// A line of 494.10 that is the lump of these credits, by what the bank calls each.
fn lump(id: &str, credits: &[(&str, &str, &str)]) -> Value {
    let credits: Vec<_> = credits
        .iter()
        .map(|(amount, field, name)| {
            let mut credit = json!({"amount": inr(amount)});
            credit[*field] = json!(name);
            credit
        })
        .collect();
    let mut line = line(id, "+494.10", None, "GATEWAY SETTLEMENT");
    line["lump"] = json!({"charges": inr("5.00"), "tax": inr("0.90"), "credits": credits});
    line
}

impl Stand {
    /// Two deposits that an enquiry has booked, of 300 as S1 and of 200 as S2; the first's token.
    async fn two(&self) -> (DepositId, DepositId, String) {
        let ((first, token), (second, _)) = (self.begun().await, self.begun().await);
        self.ask(Stand::shown(first, "S1", "300.00")).await;
        self.ask(Stand::shown(second, "S2", "200.00")).await;
        (first, second, token)
    }

    async fn stands(&self, deposit: DepositId) -> String {
        let head = self.ledger.engine.status().borrow().head.position;
        let models = &self.booker.read_models;
        models.wait_for(head, crate::support::bahi::PATIENCE).await.unwrap();
        let known = models.deposit(deposit).await.unwrap().value.unwrap();
        known.deposit.status().unwrap().as_str().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lump_settles_all_its_deposits_and_its_line_in_one_append() {
    let stand = Stand::with_deposits().await;
    let (first, second, token) = stand.two().await;
    let credits =
        [("300.00", "reference", token.as_str()), ("200.00", "bank_transaction_id", "S2")];
    let file = statement(22, "0.00", "494.10", &[lump("L1", &credits)]);
    stand.import(&file).await.unwrap();
    let (one, other) = tokio::join!(stand.booker.book(), stand.booker.book());
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    stand.book().await;
    let expected = ["494.10", "0.00", "0", "5.00", "0.90", "1500.00"];
    assert_eq!(stand.balances(&MOVED).await, expected);
    for deposit in [first, second] {
        assert_eq!(stand.stands(deposit).await, "settled");
    }
    // Both deposits, the line and its legs are one append.
    let appends: i64 = sqlx::query_scalar(
        "select count(distinct recorded_at) from events
         where (aggregate_type = 'deposit' and event_type = 'settled')
            or (aggregate_type = 'bank_line' and event_type = 'booked')",
    )
    .fetch_one(&stand.pool)
    .await
    .unwrap();
    assert_eq!(appends, 1);
    assert_eq!(stand.count("statement_bookings where purpose = 'arrival'").await, 1);

    // The same file again, and all that was noted of it lost, as after a crash: nothing moves.
    assert!(stand.import(&file).await.unwrap().duplicate);
    let mut superuser = stand.ledger.database.superuser().await;
    sqlx::query("delete from statement_bookings").execute(&mut superuser).await.unwrap();
    let (one, other) = tokio::join!(stand.booker.book(), stand.booker.book());
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    stand.book().await;
    assert_eq!(stand.balances(&MOVED).await, expected);
    assert_eq!(stand.count("statement_bookings where purpose = 'arrival'").await, 1);

    // One of them once more, alone: the money is there, and whose it is nobody knows.
    let again = [line("S1", "+300.00", Some(&token), "IN")];
    stand.import(&statement(23, "494.10", "794.10", &again)).await.unwrap();
    stand.book().await;
    let expected = ["794.10", "0.00", "300.00", "5.00", "0.90", "1500.00"];
    assert_eq!(stand.balances(&MOVED).await, expected);
    stand.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_lump_of_which_other_parts_are_told_is_a_break_and_stays_what_it_was() {
    let stand = Stand::with_deposits().await;
    stand.two().await;
    let two = [("300.00", "bank_transaction_id", "S1"), ("200.00", "bank_transaction_id", "S2")];
    let day = |lines: &[Value]| statement(22, "0.00", "494.10", lines);
    stand.import(&day(&[lump("L1", &two)])).await.unwrap();
    stand.book().await;
    let settled = stand.balances(&MOVED).await;
    // Told in another order it is the same.
    let turned = [two[1], two[0]];
    let same = stand.import(&day(&[lump("L1", &turned)])).await.unwrap();
    assert_eq!((same.duplicate, same.new_lines, same.breaks), (false, 0, 0));
    // Another credit, other amounts, none at all.
    let other = [("300.00", "bank_transaction_id", "S1"), ("200.00", "bank_transaction_id", "S3")];
    let shared = [("250.00", "bank_transaction_id", "S1"), ("250.00", "utr", "S2")];
    let plain = line("L1", "+494.10", None, "GATEWAY SETTLEMENT");
    for (number, told) in [lump("L1", &other), lump("L1", &shared), plain].iter().enumerate() {
        let imported = stand.import(&day(std::slice::from_ref(told))).await.unwrap();
        assert_eq!((imported.new_lines, imported.breaks), (0, 1), "{number}");
        stand.book().await;
    }
    assert_eq!(stand.balances(&MOVED).await, settled);
    let details: Vec<String> =
        sqlx::query_scalar("select detail from statement_breaks order by file_id")
            .fetch_all(&stand.pool)
            .await
            .unwrap();
    assert!(details[0].starts_with("parts 300.00 S1, 200.00 S3"), "{details:?}");
    assert!(details[2].starts_with("parts none, were 300.00 S1"), "{details:?}");
    stand.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lump_waits_in_suspense_whole_until_the_last_of_its_deposits_is_known() {
    let stand = Stand::with_deposits().await;
    let (first, _) = stand.begun().await;
    let (second, token) = stand.begun().await;
    stand.ask(Stand::shown(first, "S1", "300.00")).await;
    let credits =
        [("300.00", "bank_transaction_id", "S1"), ("200.00", "reference", token.as_str())];
    stand.import(&statement(22, "0.00", "494.10", &[lump("L1", &credits)])).await.unwrap();
    for _ in 0..2 {
        stand.book().await;
        let whole = ["494.10", "300.00", "494.10", "0", "0", "1300.00"];
        assert_eq!(stand.balances(&MOVED).await, whole);
        assert_eq!(stand.stands(first).await, "completed");
    }
    // The bank tells of the other one.
    stand.ask(Stand::shown(second, "S2", "200.00")).await;
    let (one, other) = tokio::join!(stand.booker.book(), stand.booker.book());
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    let expected = ["494.10", "0.00", "0.00", "5.00", "0.90", "1500.00"];
    assert_eq!(stand.balances(&MOVED).await, expected);
    assert_eq!(stand.stands(first).await, "settled");
    assert_eq!(stand.count("statement_bookings where purpose = 'unknown'").await, 0);
    stand.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lump_with_a_part_that_is_wrong_or_settled_stays_whole() {
    let stand = Stand::with_deposits().await;
    let (first, second, token) = stand.two().await;
    let by = |amount: [&'static str; 2], names: [&'static str; 2]| {
        let [one, other] = names.map(|name| ("bank_transaction_id", name));
        [(amount[0], one.0, one.1), (amount[1], other.0, other.1)]
    };
    let lines = [
        // Another amount than the deposit's, and the same credit for two parts.
        lump("L1", &by(["299.00", "201.00"], ["S1", "S2"])),
        lump("L2", &by(["250.00", "250.00"], ["S1", "S1"])),
        // Its own line comes first, as lines do in their order.
        line("S1", "+300.00", Some(&token), "IN"),
        lump("L3", &by(["300.00", "200.00"], ["S1", "S2"])),
    ];
    stand.import(&statement(22, "0.00", "1782.30", &lines)).await.unwrap();
    for _ in 0..2 {
        stand.book().await;
        let expected = ["1782.30", "200.00", "1482.30", "0", "0", "1500.00"];
        assert_eq!(stand.balances(&MOVED).await, expected);
        assert_eq!(stand.stands(first).await, "settled");
        assert_eq!(stand.stands(second).await, "completed");
    }
    stand.end().await;
}

/// What the enquiry has shown as one credit is one: it waits for people, who divide it.
#[tokio::test(flavor = "multi_thread")]
async fn a_lump_that_the_bank_told_of_as_one_credit_is_that_credit() {
    let stand = Stand::with_deposits().await;
    stand.two().await;
    let lump_itself = ledger_core::deposit::credit::id_of(&word("hdfc"), &word("L1"));
    stand.ask(Stand::shown(lump_itself, "L1", "494.10")).await;
    let credits =
        [("300.00", "bank_transaction_id", "S1"), ("200.00", "bank_transaction_id", "S2")];
    stand.import(&statement(22, "0.00", "494.10", &[lump("L1", &credits)])).await.unwrap();
    stand.book().await;
    let expected = ["494.10", "500.00", "494.10", "0", "0", "1500.00"];
    assert_eq!(stand.balances(&MOVED).await, expected);
    assert_eq!(stand.stands(lump_itself).await, "in_review");
    stand.end().await;
}
