//! A bank that pays everything after a fixed time: what is left of the time is ours.

use std::{sync::Arc, time::Duration};

use chrono::NaiveDate;
use futures::future::BoxFuture;
use ledger_api::{
    banks::{
        Answers, Bank, BankStatement, CallError, CollectLink, Contract, Credit, Doubt,
        EnquiryTerms, Health, NameCheck, NewCollectLink, Payee, RailTerms, Submission, Transfer,
        TransferStatus,
    },
    workers::withdrawals::Payees,
};
use ledger_core::{
    clock::{Clock, System},
    ids::{BankAccountId, BankCode, PayeeHash, Reference},
};

/// Of every withdrawal of the bench.
pub(crate) const PAYEE_HASH: &str =
    "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";

/// It.
pub(crate) struct InstantBank {
    code: BankCode,
    contract: Arc<Contract>,
    takes: Duration,
}

impl InstantBank {
    /// One that takes so long for each payment.
    pub(crate) fn new(takes: Duration) -> anyhow::Result<Self> {
        let code: BankCode = "hdfc".parse()?;
        let contract = Contract {
            bank: code.clone(),
            name: "a bank for the bench".to_owned(),
            currency: "INR".parse()?,
            time_zone: chrono_tz::Asia::Kolkata,
            reference_unique_for_days: 60,
            answers: Answers::AtOnce,
            rate_per_second: 1_000_000,
            accounts: Vec::new(),
            rails: vec![RailTerms {
                rail: "imps".parse()?,
                minimum: None,
                maximum: None,
                hours: None,
                final_within: Duration::from_secs(60),
            }],
            enquiry: EnquiryTerms {
                first_after: Duration::from_secs(90),
                at_most: 3,
                within: Duration::from_secs(7_200),
            },
            final_codes: Vec::new(),
            retryable_codes: Vec::new(),
        };
        Ok(Self { code, contract: Arc::new(contract), takes })
    }
}

fn none<'a, T: Send + 'a>() -> BoxFuture<'a, Result<T, CallError>> {
    Box::pin(async { Err(Doubt::Connection.into()) })
}

impl Bank for InstantBank {
    fn code(&self) -> &BankCode {
        &self.code
    }

    fn contract(&self) -> BoxFuture<'_, Result<Arc<Contract>, CallError>> {
        Box::pin(async { Ok(Arc::clone(&self.contract)) })
    }

    fn submit<'a>(
        &'a self,
        submission: &'a Submission,
    ) -> BoxFuture<'a, Result<Transfer, CallError>> {
        Box::pin(async move {
            if !self.takes.is_zero() {
                tokio::time::sleep(self.takes).await;
            }
            let now = System.now();
            let utr = submission.reference.clone();
            let bank_transaction_id = submission.reference.clone();
            Ok(Transfer {
                reference: submission.reference.clone(),
                amount: submission.amount,
                rail: submission.rail.clone(),
                from: submission.from.clone(),
                status: TransferStatus::Paid { utr, bank_transaction_id, settled_at: now },
                accepted_at: now,
            })
        })
    }

    fn enquire<'a>(
        &'a self,
        _: &'a Reference,
    ) -> BoxFuture<'a, Result<Option<Transfer>, CallError>> {
        none()
    }

    fn statement<'a>(
        &'a self,
        _: &'a str,
        _: NaiveDate,
    ) -> BoxFuture<'a, Result<Option<BankStatement>, CallError>> {
        none()
    }

    fn check_name<'a>(&'a self, _: &'a Payee) -> BoxFuture<'a, Result<NameCheck, CallError>> {
        none()
    }

    fn open_collect_link<'a>(
        &'a self,
        _: &'a NewCollectLink,
    ) -> BoxFuture<'a, Result<CollectLink, CallError>> {
        none()
    }

    fn collect_link<'a>(
        &'a self,
        _: &'a Reference,
    ) -> BoxFuture<'a, Result<Option<CollectLink>, CallError>> {
        none()
    }

    fn credit<'a>(&'a self, _: &'a Reference) -> BoxFuture<'a, Result<Option<Credit>, CallError>> {
        none()
    }

    fn health(&self) -> BoxFuture<'_, Health> {
        Box::pin(async { Health::Up })
    }
}

/// Who gets it all.
pub(crate) struct OnePayee;

impl Payees for OnePayee {
    fn payee(&self, _: BankAccountId) -> BoxFuture<'_, sqlx::Result<Option<(Payee, PayeeHash)>>> {
        let payee = Payee::parse("001234567890", "TEST0000001", "ASHA RAO").ok();
        let found = payee.zip(PAYEE_HASH.parse().ok());
        Box::pin(async move { Ok(found) })
    }
}
