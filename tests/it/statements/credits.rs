//! Credits on statements, and the deposits that they belong to: one credit is booked once, whoever
//! is first, and however the bank's words differ.

use chrono::TimeDelta;
use ledger_api::{banks::BankRegistry, deposits::CreditDesk, statements::DeskCredits};
use ledger_core::{
    account::FreezeMode,
    clock::Clock as _,
    command::{FreezeAccount, Operation},
    deposit::{
        BeginDeposit, ConfirmCredit, CreditClaim, DecideRecall, DepositOperation, RequestRecall,
        SettleCredit, credit::token_of,
    },
    ids::{DepositId, HoldId},
};

use super::*;
use crate::support::ledger::accepted;

const SPENT: &str = "wallet:b:INR";

impl Stand {
    /// With deposits, as the service has them.
    pub(super) async fn with_deposits() -> Self {
        let mut stand = Self::start().await;
        stand.booker.credits = Some(stand.credits());
        stand
    }

    fn credits(&self) -> Arc<DeskCredits> {
        let desk = CreditDesk::new(
            Arc::new(self.ledger.engine.clone()),
            Arc::new(BankRegistry::default()),
            Arc::new(System),
            self.pool.clone(),
            &[42; 32],
        );
        Arc::new(DeskCredits { pool: self.pool.clone(), desk })
    }

    /// An intent of 500 rupees; its token.
    pub(super) async fn begun(&self) -> (DepositId, String) {
        let deposit_id = DepositId::from_uuid(System.fresh());
        self.ask(DepositOperation::Begin(BeginDeposit {
            deposit_id,
            account: word(WALLET),
            amount: money(WALLET, "500.00"),
            bank: word("hdfc"),
            expires_at: System.now() + TimeDelta::days(1),
            payer_hash: None,
        }))
        .await;
        (deposit_id, token_of(deposit_id).unwrap().to_string())
    }

    /// Our own enquiry shows the credit of a line.
    pub(super) fn shown(deposit_id: DepositId, line: &str, amount: &str) -> DepositOperation {
        let claim = claim(line, amount);
        DepositOperation::ConfirmCredit(ConfirmCredit {
            deposit_id,
            claim,
            transaction_id: fresh(),
        })
    }
}

fn claim(line: &str, amount: &str) -> CreditClaim {
    CreditClaim {
        bank: word("hdfc"),
        bank_transaction_id: word(line),
        credit_id: Some(word(&format!("crd-{line}"))),
        utr: None,
        value_date: day(22),
        amount: money(WALLET, amount),
        source: Source::Enquiry,
        payer_hash: None,
        review: None,
        unsolicited_to: None,
    }
}

const MOVED: [&str; 4] = [ESCROW, IN, CREDITS, WALLET];

#[tokio::test(flavor = "multi_thread")]
async fn two_bookers_and_the_webhook_at_once_book_each_credit_once() {
    let stand = Stand::with_deposits().await;
    let (known, token) = stand.begun().await;
    let (first, first_token) = stand.begun().await;
    let (mute, _) = stand.begun().await;
    stand.ask(Stand::shown(known, "S1", "500.00")).await;
    stand.ask(Stand::shown(mute, "S3", "500.00")).await;
    let lines = [
        line("S1", "+500.00", Some(&token), "IN"),
        // The statement is the first to show it.
        line("S2", "+500.00", Some(&first_token), "IN"),
        // The enquiry knew the token, and the statement has none.
        line("S3", "+500.00", None, "IN"),
        // Nobody knows it, and nobody asked for it.
        line("S4", "+7.00", None, "IN SOMEBODY"),
    ];
    stand.import(&statement(22, "0.00", "1507.00", &lines)).await.unwrap();
    // What a webhook's worker does meanwhile.
    let told = stand.ledger.submit(Stand::shown(first, "S2", "500.00").into());
    let (one, other, told) = tokio::join!(stand.booker.book(), stand.booker.book(), told);
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    assert!(matches!(told.unwrap().outcome, Outcome::Accepted(_)));
    stand.book().await;
    let expected = ["1507.00", "0.00", "7.00", "2500.00"];
    assert_eq!(stand.balances(&MOVED).await, expected);
    assert_eq!(stand.count("statement_bookings where purpose <> 'arrival'").await, 0);

    // All that was noted of it lost: nothing moves.
    let mut superuser = stand.ledger.database.superuser().await;
    sqlx::query("delete from statement_bookings").execute(&mut superuser).await.unwrap();
    let (one, other) = tokio::join!(stand.booker.book(), stand.booker.book());
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    assert_eq!(stand.balances(&MOVED).await, expected);
    stand.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_111_a_credit_of_another_amount_than_the_bank_told_waits_for_people() {
    let stand = Stand::with_deposits().await;
    let (deposit, token) = stand.begun().await;
    stand.ask(Stand::shown(deposit, "S1", "500.00")).await;
    let lines = [line("S1", "+499.00", Some(&token), "IN")];
    stand.import(&statement(22, "0.00", "499.00", &lines)).await.unwrap();
    for _ in 0..2 {
        stand.book().await;
        // Both words of the bank stand, each in its place: the breaks show them.
        let expected = ["499.00", "500.00", "499.00", "1500.00"];
        assert_eq!(stand.balances(&MOVED).await, expected);
    }
    stand.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deposit_that_appears_after_its_credit_went_to_suspense_takes_it_from_there() {
    let mut stand = Stand::start().await;
    // Its token is known to nobody yet, and nobody knows deposits.
    let deposit_id = DepositId::from_uuid(System.fresh());
    let token = token_of(deposit_id).unwrap();
    let lines = [line("S1", "+500.00", Some(token.as_str()), "IN")];
    stand.import(&statement(22, "0.00", "500.00", &lines)).await.unwrap();
    stand.book().await;
    assert_eq!(stand.balances(&MOVED).await, ["500.00", "0", "500.00", "1000.00"]);
    stand
        .ask(DepositOperation::Begin(BeginDeposit {
            deposit_id,
            account: word(WALLET),
            amount: money(WALLET, "500.00"),
            bank: word("hdfc"),
            expires_at: System.now() + TimeDelta::days(1),
            payer_hash: None,
        }))
        .await;
    stand.booker.credits = Some(stand.credits());
    let (one, other) = tokio::join!(stand.booker.book(), stand.booker.book());
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    assert_eq!(stand.balances(&MOVED).await, ["500.00", "0.00", "0.00", "1500.00"]);
    // Whoever else says so changes nothing.
    let settle = DepositOperation::SettleCredit(SettleCredit {
        deposit_id,
        claim: CreditClaim { credit_id: None, source: Source::Statement, ..claim("S1", "500.00") },
        booking_date: day(22),
        charges: money(WALLET, "0.00"),
        tax: money(WALLET, "0.00"),
        confirmed_transaction_id: fresh(),
        transaction_id: fresh(),
    });
    stand.ask(settle).await;
    assert_eq!(stand.balances(&MOVED).await, ["500.00", "0.00", "0.00", "1500.00"]);
    stand.end().await;
}

/// The customer may not be credited any more, and the bank has the money all the same: it waits in
/// suspense, the books balance, and the deposit tells people.
#[tokio::test(flavor = "multi_thread")]
async fn case_113_money_for_a_frozen_a_closed_or_an_unknown_wallet_waits_in_suspense() {
    let stand = Stand::with_deposits().await;
    stand.ledger.open(SPENT).await;
    let (frozen, frozen_token) = stand.begun().await;
    let (closed, closed_token) = stand.begun().await;
    let (account, reference) = (word(WALLET), word("order"));
    let (mode, amount) = (FreezeMode::Credit, None);
    let freeze = FreezeAccount { account, reference, mode, amount };
    accepted(stand.ledger.submit(Operation::Freeze(freeze)).await);
    let lines = [
        line("S1", "+500.00", Some(&frozen_token), "IN"),
        line("S2", "+40.00", Some("dep-of-nobody"), "IN"),
    ];
    let mut file = statement(22, "0.00", "540.00", &lines);
    file["closed"] = false.into();
    stand.import(&file).await.unwrap();
    stand.book().await;
    assert_eq!(stand.balances(&MOVED).await, ["540.00", "0.00", "540.00", "1000.00"]);
    // Closed for good.
    let (account, reference) = (word(WALLET), word("order"));
    accepted(stand.ledger.submit(Operation::Unfreeze { account, reference }).await);
    accepted(stand.ledger.transfer(WALLET, SPENT, "1000.00").await);
    let close = Operation::CloseAccount { account: word(WALLET) };
    accepted(stand.ledger.submit(close).await);
    let lines = [lines.to_vec(), vec![line("S3", "+500.00", Some(&closed_token), "IN")]].concat();
    stand.import(&statement(22, "0.00", "1040.00", &lines)).await.unwrap();
    stand.book().await;
    assert_eq!(stand.balances(&MOVED).await, ["1040.00", "0.00", "1040.00", "0.00"]);
    assert_ne!(frozen, closed);
    stand.end().await;
}

/// A payer writes what he likes: as a bank's word for interest, or as a reference of ours.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_enquiry_has_shown_is_the_deposits_whatever_the_payer_wrote() {
    let stand = Stand::with_deposits().await;
    let sent = stand.sent("BH-1").await;
    stand.paid(sent, "UTR-S0").await;
    let (words, _) = stand.begun().await;
    let (reference, _) = stand.begun().await;
    stand.ask(Stand::shown(words, "S1", "500.00")).await;
    stand.ask(Stand::shown(reference, "S2", "100.00")).await;
    let lines = [
        line("S1", "+500.00", None, "INT FOR ASHA"),
        line("S2", "+100.00", Some("BH-1"), "IN"),
        // Interest, for nobody expects it.
        line("S3", "+1.50", None, "INT PAID"),
    ];
    stand.import(&statement(22, "0.00", "601.50", &lines)).await.unwrap();
    stand.book().await;
    assert_eq!(stand.balances(&MOVED).await, ["601.50", "0.00", "0", "1500.00"]);
    assert_eq!(stand.balances(&["income:interest:INR"]).await, ["1.50"]);
    assert_eq!(stand.withdrawal(sent).await.status(), Some(WithdrawalStatus::Completed));
    stand.end().await;
}

/// A token is known to the payer, and to whoever he shows it: at another bank it proves nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_at_another_bank_than_the_deposits_credits_nobody() {
    let stand = Stand::with_deposits().await;
    let (deposit_id, _) = stand.begun().await;
    let claim = CreditClaim { bank: word("axis"), ..claim("S1", "500.00") };
    let transaction_id = fresh();
    stand
        .ask(DepositOperation::ConfirmCredit(ConfirmCredit { deposit_id, claim, transaction_id }))
        .await;
    assert_eq!(stand.balances(&[CREDITS, WALLET]).await, ["500.00", "1000.00"]);
    stand.end().await;
}

/// People let the bank have money back; its own debit closes the item.
#[tokio::test(flavor = "multi_thread")]
async fn the_debit_of_a_recall_that_was_granted_is_known_by_the_credit_that_it_takes_back() {
    const OWN: [&str; 4] = [ESCROW, OUT, DEBITS, WALLET];
    let stand = Stand::with_deposits().await;
    let (deposit_id, token) = stand.begun().await;
    stand.ask(Stand::shown(deposit_id, "S1", "500.00")).await;
    let hold_id = HoldId::from_uuid(System.fresh());
    let claim = claim("S1", "500.00");
    stand.ask(DepositOperation::RequestRecall(RequestRecall { deposit_id, claim, hold_id })).await;
    stand
        .ask(DepositOperation::DecideRecall(DecideRecall {
            deposit_id,
            number: 1,
            granted: true,
            reason: None,
            hold_id: Some(hold_id),
            transaction_id: fresh(),
        }))
        .await;
    let lines = [
        line("S1", "+500.00", Some(&token), "IN"),
        // The same amount, and nothing says that it is the recall.
        line("D1", "-500.00", None, "CASH"),
        line("D2", "-500.00", Some("crd-S1"), "RECALL"),
    ];
    stand.import(&statement(22, "0.00", "-500.00", &lines)).await.unwrap();
    stand.book().await;
    assert_eq!(stand.balances(&OWN).await, ["-500.00", "0.00", "500.00", "1000.00"]);
    let mut superuser = stand.ledger.database.superuser().await;
    sqlx::query("delete from statement_bookings").execute(&mut superuser).await.unwrap();
    stand.book().await;
    assert_eq!(stand.balances(&OWN).await, ["-500.00", "0.00", "500.00", "1000.00"]);
    assert_eq!(stand.count("statement_bookings where purpose = 'unknown'").await, 1);
    stand.end().await;
}
