//! The stories of deposits, payments and withdrawals as plain transactions over the chart: every
//! story balances, no wallet goes below zero, every item is closed at its end, and after the day's
//! top-up or sweep customers' money is backed to the paisa.

use crate::support::script::run;

/// What every story begins with: the company's capital, and a wallet with 1,000.00 in it.
const BEGINNING: &str = "
    open bank:hdfc:own              -> opened
    open bank:hdfc:escrow           -> opened
    open bank:hdfc:clearing_in      -> opened
    open bank:hdfc:clearing_out     -> opened
    open withdrawals:reserved       -> opened
    open withdrawals:in_flight      -> opened
    open fees:held                  -> opened
    open suspense:credits           -> opened
    open suspense:bank_debits       -> opened
    open returns:unapplied          -> opened
    open treasury:in_transit        -> opened
    open income:fees                -> opened
    open income:mdr                 -> opened
    open income:interest            -> opened
    open tax:gst_output             -> opened
    open tax:gst_input              -> opened
    open expense:bank_charges       -> opened
    open expense:compensation       -> opened
    open expense:bad_debt           -> opened
    open receivable:recall:a        -> opened
    open receivable:overpaid:a      -> opened
    open receivable:merchant:m      -> opened
    open equity:capital             -> opened
    open merchant:m:unsettled       -> opened
    open merchant:m:available       -> opened
    open wallet:a                   -> opened
    open wallet:b                   -> opened
    post S1 capital bank:hdfc:own equity:capital 100000                  -> posted
    post S2 deposit bank:hdfc:clearing_in@fund wallet:a 1000             -> posted
    post S3 statement bank:hdfc:escrow bank:hdfc:clearing_in@fund 1000   -> posted
";

const WITHDRAWAL_SENT: &str = "
    post W1 withdrawal D wallet:a 510 C withdrawals:reserved@w1 500 C fees:held@w1 10 -> posted
    post W2 withdrawal withdrawals:reserved@w1 withdrawals:in_flight@w1 500           -> posted
";

const WITHDRAWAL_PAID: &str = "
    post W3 withdrawal withdrawals:in_flight@w1 bank:hdfc:clearing_out@w1 500         -> posted
    post W4 fee D fees:held@w1 10 C income:fees 8.47 C tax:gst_output 1.53            -> posted
    post W5 statement bank:hdfc:clearing_out@w1 bank:hdfc:escrow 500                  -> posted
";

const WITHDRAWAL_GIVEN_BACK: &str = "
    post W6 withdrawal D withdrawals:in_flight@w1 500 D fees:held@w1 10 C wallet:a 510 -> posted
";

const LATE_PAID_AND_SPENT: &str = "
    post L1 transfer wallet:a wallet:b 900                                            -> posted
    post L2 withdrawal wallet:a bank:hdfc:clearing_out@w1 500 -> insufficient_funds of 100.00
    post L3 withdrawal D wallet:a 100 D receivable:overpaid:a 400 C bank:hdfc:clearing_out@w1 \
        500 -> posted
    post L4 statement bank:hdfc:clearing_out@w1 bank:hdfc:escrow 500                  -> posted
";

async fn story(parts: &[&str]) {
    let end = "
        items ->
        backed
        items ->
    ";
    let books = run(&[&[BEGINNING], parts, &[end]].concat().concat()).await;
    for (id, book) in &books.accounts {
        let customers = id.starts_with("wallet:") || id.starts_with("merchant:");
        assert!(!customers || !book.balance.is_sign_negative(), "{id}: {book:?}");
    }
}

macro_rules! stories {
    ($($name:ident: $($part:expr),+;)+) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                story(&[$($part),+]).await;
            }
        )+
    };
}

stories! {
    deposit: "
        post D1 deposit bank:hdfc:clearing_in@d1 wallet:a 500             -> posted
        post D2 statement bank:hdfc:escrow bank:hdfc:clearing_in@d1 500   -> posted
    ";
    deposit_statement_before_webhook: "
        begin
        post D1 deposit bank:hdfc:clearing_in@d1 wallet:a 500
        post D2 statement bank:hdfc:escrow bank:hdfc:clearing_in@d1 500
        commit                                                            -> posted
        again
    ";
    deposit_unmatched_assigned: "
        post D1 deposit bank:hdfc:clearing_in@d1 suspense:credits@d1 500  -> posted
        post D2 statement bank:hdfc:escrow bank:hdfc:clearing_in@d1 500   -> posted
        items -> suspense:credits:INR/d1 -500.00
        post D3 deposit suspense:credits@d1 wallet:a 500                  -> posted
    ";
    deposit_unmatched_sent_back: "
        post D1 deposit bank:hdfc:clearing_in@d1 suspense:credits@d1 500  -> posted
        post D2 statement bank:hdfc:escrow bank:hdfc:clearing_in@d1 500   -> posted
        post D3 withdrawal suspense:credits@d1 withdrawals:reserved@d1 500 -> posted
        post D4 withdrawal withdrawals:reserved@d1 withdrawals:in_flight@d1 500 -> posted
        post D5 withdrawal withdrawals:in_flight@d1 bank:hdfc:clearing_out@d1 500 -> posted
        post D6 statement bank:hdfc:clearing_out@d1 bank:hdfc:escrow 500  -> posted
    ";
    deposit_net_of_bank_charges: "
        post D1 deposit bank:hdfc:clearing_in@d1 wallet:a 500             -> posted
        post D2 statement D bank:hdfc:escrow 494.10 D expense:bank_charges 5 D tax:gst_input \
            0.90 C bank:hdfc:clearing_in@d1 500 -> posted
    ";
    deposit_recalled_with_shortfall_then_repaid: "
        post T1 transfer wallet:a wallet:b 600                            -> posted
        post R1 recall D wallet:a 400 D receivable:recall:a 100 C bank:hdfc:clearing_out@r1 500 \
            -> posted
        post R2 statement bank:hdfc:clearing_out@r1 bank:hdfc:escrow 500  -> posted
        post D1 deposit bank:hdfc:clearing_in@d2 wallet:a 300             -> posted
        post D2 statement bank:hdfc:escrow bank:hdfc:clearing_in@d2 300   -> posted
        post R3 recall wallet:a receivable:recall:a 100                   -> posted
        balance receivable:recall:a 0
        balance wallet:a 200
    ";
    bank_debit_nobody_knows_then_reversed: "
        post X1 statement suspense:bank_debits@x1 bank:hdfc:escrow 7      -> posted
        items -> suspense:bank_debits:INR/x1 7.00
        post X2 statement bank:hdfc:escrow suspense:bank_debits@x1 7      -> posted
    ";
    interest: "
        post I1 interest bank:hdfc:escrow income:interest 12.34           -> posted
    ";
    transfer_with_fee: "
        post T1 transfer D wallet:a 255 C wallet:b 250 C income:fees 4.24 C tax:gst_output 0.76 \
            -> posted
        balance wallet:a 745
    ";
    payment_settled_refunded: "
        post P1 payment D wallet:a 1000 C merchant:m:unsettled 980 C income:mdr 16.95 C \
            tax:gst_output 3.05 -> posted
        post P2 refund merchant:m:unsettled wallet:a 300                  -> posted
        post P3 settlement merchant:m:unsettled merchant:m:available 680  -> posted
        post P4 refund merchant:m:available wallet:a 700 -> insufficient_funds of 680.00
        post P5 refund D merchant:m:available 680 D receivable:merchant:m 20 C wallet:a 700 \
            -> posted
        balance wallet:a 1000
    ";
    withdrawal_paid: WITHDRAWAL_SENT, WITHDRAWAL_PAID, "
        balance wallet:a 490
    ";
    withdrawal_cancelled: "
        post W1 withdrawal D wallet:a 510 C withdrawals:reserved@w1 500 C fees:held@w1 10 -> posted
        post W2 withdrawal D withdrawals:reserved@w1 500 D fees:held@w1 10 C wallet:a 510 -> posted
        balance wallet:a 1000
    ";
    withdrawal_refused: WITHDRAWAL_SENT, WITHDRAWAL_GIVEN_BACK, "
        balance wallet:a 1000
    ";
    withdrawal_refused_retryable_then_paid: WITHDRAWAL_SENT, "
        post V1 withdrawal withdrawals:in_flight@w1 withdrawals:reserved@w1 500 -> posted
        post V2 withdrawal withdrawals:reserved@w1 withdrawals:in_flight@w1 500 -> posted
    ", WITHDRAWAL_PAID;
    withdrawal_returned: WITHDRAWAL_SENT, WITHDRAWAL_PAID, "
        post R1 return bank:hdfc:clearing_in@w1 returns:unapplied@w1 500  -> posted
        post R2 return D returns:unapplied@w1 500 D income:fees 8.47 D tax:gst_output 1.53 C \
            wallet:a 510 -> posted
        items -> bank:hdfc:clearing_in:INR/w1 500.00
        post R3 statement bank:hdfc:escrow bank:hdfc:clearing_in@w1 500   -> posted
        balance wallet:a 1000
    ";
    withdrawal_late_paid_after_failed: WITHDRAWAL_SENT, WITHDRAWAL_GIVEN_BACK, "
        post L1 withdrawal wallet:a bank:hdfc:clearing_out@w1 500         -> posted
        post L2 statement bank:hdfc:clearing_out@w1 bank:hdfc:escrow 500  -> posted
        balance wallet:a 500
    ";
    withdrawal_late_paid_after_failed_and_spent:
        WITHDRAWAL_SENT, WITHDRAWAL_GIVEN_BACK, LATE_PAID_AND_SPENT, "
        balance wallet:a 0
    ";
    compensation_for_a_late_bank: "
        post C1 compensation expense:compensation wallet:a 100            -> posted
        balance wallet:a 1100
    ";
    bad_debt: WITHDRAWAL_SENT, WITHDRAWAL_GIVEN_BACK, LATE_PAID_AND_SPENT, "
        post B1 write_off expense:bad_debt receivable:overpaid:a 400      -> posted
        balance receivable:overpaid:a 0
    ";
}
