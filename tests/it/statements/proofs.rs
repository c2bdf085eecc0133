//! What a line proves, and what it does not: a return that was told of before, a payer's words, a
//! booker that died, a file that says a day twice.

use ledger_api::statements::{HandedIn, import_all};
use ledger_core::{
    bank_line::{
        BankLineOperation, BookBankLine, HouseAccount, LineDirection, LineKey, Part, Purpose,
    },
    withdrawal::RecordReturn,
};

use super::*;

const IN_FLIGHT: &str = "withdrawals:in_flight:INR";

impl Stand {
    /// Our enquiry shows that something of a payment came back.
    async fn came_back(&self, withdrawal_id: WithdrawalId, amount: &str, utr: &str) {
        self.ask(Ask::RecordReturn(RecordReturn {
            withdrawal_id,
            attempt: 1,
            bank_reference: word(utr),
            amount: money(WALLET, amount),
            source: Source::Enquiry,
            transaction_id: fresh(),
            applied_transaction_id: fresh(),
        }))
        .await;
    }
}

/// As MT940 has it, which knows no reference between banks.
fn without_utr(mut line: Value) -> Value {
    line["utr"] = Value::Null;
    line
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_came_back_and_was_told_of_is_credited_once() {
    let stand = Stand::start().await;
    let id = stand.sent("BH-1").await;
    stand.paid(id, "UTR-1").await;
    stand.came_back(id, "40.00", "UTR-R1").await;
    let first = [
        without_utr(line("S1", "-100.00", Some("BH-1"), "IMPS OUT")),
        without_utr(line("S2", "+40.00", Some("BH-1"), "RETURN")),
    ];
    let mut file = statement(22, "0.00", "-60.00", &first);
    file["closed"] = false.into();
    stand.import(&file).await.unwrap();
    for _ in 0..2 {
        stand.book().await;
        let expected = ["-60.00", "0.00", "0.00", "940.00"];
        assert_eq!(stand.balances(&[ESCROW, OUT, IN, WALLET]).await, expected);
    }
    // Another part, which nobody has told of: the line is the proof of it.
    let second = without_utr(line("S3", "+10.00", Some("BH-1"), "RETURN"));
    let lines = [first.to_vec(), vec![second]].concat();
    stand.import(&statement(22, "0.00", "-50.00", &lines)).await.unwrap();
    stand.book().await;
    let expected = ["-50.00", "0.00", "0.00", "950.00"];
    assert_eq!(stand.balances(&[ESCROW, OUT, IN, WALLET]).await, expected);
    // The bank tells of it after its line: the same return, under the reference between banks.
    stand.came_back(id, "10.00", "UTR-R3").await;
    stand.book().await;
    assert_eq!(stand.balances(&[ESCROW, OUT, IN, WALLET]).await, expected);
    assert_eq!(stand.withdrawal(id).await.returned().to_string(), "50.00");
    stand.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_a_dead_booker_left_in_suspense_leaves_it_before_it_is_noted() {
    let stand = Stand::start().await;
    let lines = [line("S1", "-100.00", Some("BH-1"), "IMPS OUT")];
    stand.import(&statement(22, "0.00", "-100.00", &lines)).await.unwrap();
    // It booked the line while nobody knew the reference, and died before it noted that.
    let key = LineKey {
        bank: word("hdfc"),
        account: HouseAccount::Escrow,
        direction: LineDirection::Debit,
        value_date: day(22),
        bank_transaction_id: word("S1"),
    };
    let amount = money(WALLET, "100.00");
    stand
        .ask(BankLineOperation::Book(BookBankLine {
            key,
            booking_date: day(22),
            amount,
            parts: vec![Part::plain(Purpose::Unknown, amount.amount())],
            transaction_id: fresh(),
        }))
        .await;
    assert_eq!(stand.balances(&[ESCROW, DEBITS]).await, ["-100.00", "100.00"]);
    let id = stand.sent("BH-1").await;
    stand.book().await;
    assert_eq!(stand.withdrawal(id).await.status(), Some(WithdrawalStatus::Completed));
    let expected = ["-100.00", "0.00", "0.00", "0.00"];
    assert_eq!(stand.balances(&[ESCROW, DEBITS, OUT, IN_FLIGHT]).await, expected);
    assert_eq!(stand.count("statement_bookings where purpose = 'payment'").await, 1);
    stand.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_has_a_day_of_an_account_twice_is_refused_whole() {
    let stand = Stand::start().await;
    let of = |code: ledger_core::money::CurrencyCode| Some(currency(code.as_str()));
    let accounts = OurNumbers::default();
    let reading = Reading { currency: &of, accounts: &accounts, csv: None };
    let read = |closing, lines: &[Value]| {
        let bytes = serde_json::to_vec(&statement(22, "0.00", closing, lines)).unwrap();
        parse(Format::Json, &bytes, &reading).unwrap().remove(0)
    };
    let first = read("10.00", &[line("S1", "+10.00", None, "IN")]);
    let mut second = read("17.00", &[line("S2", "+17.00", None, "IN")]);
    // Of one file, as MT940, camt.053 and CSV have several.
    second.file_sha256 = first.file_sha256;
    let (bank, by) = (word("hdfc"), word("asha"));
    let by = HandedIn { by: &by, approved_by: None };
    let refused = import_all(&stand.pool, &bank, Format::Mt940, &[first, second], by).await;
    let Err(ImportError::Rule(rule)) = refused else { panic!("{refused:?}") };
    assert_eq!(rule.code(), "statement_day_repeated");
    assert_eq!(stand.count("statement_files").await, 0);
    stand.end().await;
}
