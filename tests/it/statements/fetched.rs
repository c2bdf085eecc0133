//! Statements of the sandbox bank, fetched by the worker.

use std::sync::Arc;

use ledger_api::{
    banks::{Payee, Submission},
    workers::StatementFetcher,
};
use ledger_core::{clock::ManualClock, withdrawal::WithdrawalStatus};

use ledger_api::statements::CertificateKey;

use super::{Absence, ESCROW, OUT, Stand, WALLET, absent_from_statements, money, word};
use crate::support::sandbox::{Sandbox, bank, noon};

#[tokio::test(flavor = "multi_thread")]
async fn case_103_what_only_the_bank_knows_is_found_on_its_statement() {
    let (stand, sandbox) = (Stand::start().await, Sandbox::start().await);
    let banks = Arc::new(sandbox.registry());
    let clock = Arc::new(ManualClock::at(noon()));
    let fetcher = StatementFetcher {
        banks: Arc::clone(&banks),
        booker: stand.booker.clone(),
        clock: clock.clone(),
        certificate_key: CertificateKey::of(&[1; 32]),
        treasury_buffer: rust_decimal::Decimal::ZERO,
    };
    fetcher.round().await;
    let files = stand.count("statement_files").await;
    assert!(files >= 2, "an account at each bank at least: {files}");
    let (paid, lost) = (stand.sent("BH-PAID").await, stand.sent("BH-LOST").await);
    // The answer is lost on the way back to us: nothing of it is recorded here.
    let submission = Submission {
        reference: word("BH-PAID"),
        amount: money(WALLET, "100.00"),
        rail: word("imps"),
        from: "escrow".to_owned(),
        beneficiary: Payee::parse("001234567890", "TEST0000001", "ASHA RAO").unwrap(),
    };
    drop(bank(&banks, "hdfc").submit(&submission).await.unwrap());
    sandbox.advance(60).await;
    fetcher.round().await;
    assert_eq!(stand.withdrawal(paid).await.status(), Some(WithdrawalStatus::Completed));
    assert_eq!(stand.withdrawal(lost).await.status(), Some(WithdrawalStatus::Processing));
    assert_eq!(stand.balances(&[ESCROW, OUT]).await, ["-100.00", "0.00"]);
    let files = stand.count("statement_files").await;
    fetcher.round().await;
    assert_eq!(stand.count("statement_files").await, files, "what is known is not stored again");

    let sent_on = noon().date_naive();
    let absence = async |reference| {
        let (bank, reference) = (word("hdfc"), word(reference));
        absent_from_statements(&stand.pool, &bank, &reference, sent_on).await.unwrap()
    };
    assert_eq!(absence("BH-LOST").await, Absence::NotYet);
    let two_days = 2 * 24 * 3600;
    sandbox.advance(two_days).await;
    clock.advance(chrono::TimeDelta::days(2));
    fetcher.round().await;
    assert_eq!(absence("BH-LOST").await, Absence::Proved);
    assert_eq!(absence("BH-PAID").await, Absence::Present);
    sandbox.stop().await;
    stand.end().await;
}
