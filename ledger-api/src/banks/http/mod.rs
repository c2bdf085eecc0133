//! A bank behind HTTP: an adapter, or the sandbox bank. Speaks the protocol of `docs/banks.md`.
//!
//! What is sent is built here; what comes back is read by `super::wire`. In between stand the
//! rules of [`call`]: which answers are believed, and what all others prove. The token and what is
//! known of people appear in no log and no error.

mod call;
mod kept;

use std::{fmt, sync::Arc, time::Duration};

use chrono::NaiveDate;
use futures::future::{BoxFuture, FutureExt as _};
use ledger_core::ids::{BankCode, Reference};
use reqwest::{Url, header::HeaderValue};
use serde_json::{Value, json};

use self::{
    call::{Asked, Caller, STATEMENT_BYTES_MAX},
    kept::Kept,
};
use super::{
    Bank, BankStatement, CallError, CollectLink, Contract, Credit, Doubt, Health, NameCheck,
    NewCollectLink, Payee, Submission, Transfer,
    wire::{RawCollectLink, RawContract, RawCredit, RawNameCheck, RawStatement, RawTransfer},
};
use crate::exchanges::{ExchangeKind, Recorder};

/// How long a call may take that decides about nothing.
const GLANCE: Duration = Duration::from_secs(2);
/// How long a call may take that a person waits for: shorter than a request to us may.
const PERSON_WAITS: Duration = Duration::from_secs(5);

/// Where a bank is, and how it is spoken to.
#[derive(Clone)]
pub struct HttpBankConfig {
    /// Its name in our account codes.
    pub code: BankCode,
    /// Where its adapter is: `http://127.0.0.1:9191/banks/hdfc`.
    pub url: Url,
    /// What the adapter wants to be shown.
    pub token: Option<HeaderValue>,
    /// How long a call may take in all.
    pub timeout: Duration,
}

impl fmt::Debug for HttpBankConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.token.as_ref().map(|_| "hidden");
        let (code, url) = (&self.code, self.url.as_str());
        f.debug_struct("HttpBankConfig")
            .field("code", code)
            .field("url", &url)
            .field("token", &token)
            .field("timeout", &self.timeout)
            .finish()
    }
}

/// A bank behind HTTP.
pub struct HttpBank {
    code: BankCode,
    caller: Caller,
    contract: Kept,
}

impl fmt::Debug for HttpBank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpBank").field("code", &self.code).finish_non_exhaustive()
    }
}

impl HttpBank {
    /// One that is not called yet.
    ///
    /// # Errors
    /// If the system gives no HTTP client.
    pub fn new(config: HttpBankConfig) -> Result<Self, reqwest::Error> {
        let HttpBankConfig { code, url, token, timeout } = config;
        let caller = Caller::new(url, token, timeout)?;
        Ok(Self { code, caller, contract: Kept::default() })
    }

    async fn read_contract(&self) -> Result<Arc<Contract>, CallError> {
        let asked = Asked::get(&["v1", "contract"]).within(GLANCE);
        let contract = self.caller.must::<RawContract>(asked, "contract").await?;
        // Money must not go to the wrong bank because two addresses were swapped.
        same(contract.bank == self.code, "bank")?;
        Ok(Arc::new(contract))
    }

    async fn submitted(&self, submission: &Submission) -> Result<Transfer, CallError> {
        let body = json!({
            "reference": submission.reference,
            "amount": submission.amount,
            "rail": submission.rail,
            "from": submission.from,
            "beneficiary": party(&submission.beneficiary),
        });
        let of = (&self.code, &submission.reference);
        let asked = Asked::post(&["v1", "transfers"], &body).noted(ExchangeKind::Submit, of);
        let transfer = self.caller.must::<RawTransfer>(asked, "transfer").await?;
        same(transfer.reference == submission.reference, "reference")?;
        same(transfer.amount == submission.amount, "amount")?;
        same(transfer.is_of(submission), "rail or account")?;
        Ok(transfer)
    }

    async fn enquired(&self, reference: &Reference) -> Result<Option<Transfer>, CallError> {
        let asked = Asked::get(&["v1", "transfers", reference.as_str()])
            .noted(ExchangeKind::Enquiry, (&self.code, reference));
        let found = self.caller.may::<RawTransfer>(asked, "transfer", "not_found").await?;
        same(found.as_ref().is_none_or(|found| found.reference == *reference), "reference")?;
        Ok(found)
    }

    async fn stated(
        &self,
        account: &str,
        day: NaiveDate,
    ) -> Result<Option<BankStatement>, CallError> {
        let date = day.format("%Y-%m-%d").to_string();
        let asked = Asked::get(&["v1", "statements", &date])
            .query("account", account)
            .at_most(STATEMENT_BYTES_MAX);
        let found = self.caller.may::<RawStatement>(asked, "statement", "no_statement").await?;
        same(found.as_ref().is_none_or(|found| found.account == account), "account")?;
        same(found.as_ref().is_none_or(|found| found.date == day), "date")?;
        Ok(found)
    }

    async fn checked(&self, payee: &Payee) -> Result<NameCheck, CallError> {
        let body = party(payee);
        let asked = Asked::post(&["v1", "name-checks"], &body).within(PERSON_WAITS);
        self.caller.must::<RawNameCheck>(asked, "name check").await
    }

    async fn opened(&self, link: &NewCollectLink) -> Result<CollectLink, CallError> {
        let mut body = json!({
            "token": link.token,
            "amount": link.amount,
            "account": link.account,
        });
        if let Some(fields) = body.as_object_mut() {
            if let Some(url) = &link.return_url {
                fields.insert("return_url".to_owned(), json!(url));
            }
            if let Some(payer) = &link.payer {
                fields.insert("payer".to_owned(), party(payer));
            }
        }
        let asked = Asked::post(&["v1", "collect-links"], &body).within(PERSON_WAITS);
        let opened = self.caller.must::<RawCollectLink>(asked, "collect link").await?;
        same(opened.token == link.token, "token")?;
        same(opened.amount == link.amount, "amount")?;
        Ok(opened)
    }

    async fn link(&self, token: &Reference) -> Result<Option<CollectLink>, CallError> {
        let asked = Asked::get(&["v1", "collect-links", token.as_str()]);
        let found = self.caller.may::<RawCollectLink>(asked, "collect link", "not_found").await?;
        same(found.as_ref().is_none_or(|found| found.token == *token), "token")?;
        Ok(found)
    }

    async fn credited(&self, id: &Reference) -> Result<Option<Credit>, CallError> {
        let asked = Asked::get(&["v1", "credits", id.as_str()]);
        let found = self.caller.may::<RawCredit>(asked, "credit", "not_found").await?;
        same(found.as_ref().is_none_or(|found| found.id == *id), "credit")?;
        Ok(found)
    }
}

impl Bank for HttpBank {
    fn code(&self) -> &BankCode {
        &self.code
    }

    fn contract(&self) -> BoxFuture<'_, Result<Arc<Contract>, CallError>> {
        self.contract.get(|| self.read_contract()).boxed()
    }

    fn submit<'a>(
        &'a self,
        submission: &'a Submission,
    ) -> BoxFuture<'a, Result<Transfer, CallError>> {
        self.submitted(submission).boxed()
    }

    fn enquire<'a>(
        &'a self,
        reference: &'a Reference,
    ) -> BoxFuture<'a, Result<Option<Transfer>, CallError>> {
        self.enquired(reference).boxed()
    }

    fn statement<'a>(
        &'a self,
        account: &'a str,
        day: NaiveDate,
    ) -> BoxFuture<'a, Result<Option<BankStatement>, CallError>> {
        self.stated(account, day).boxed()
    }

    fn check_name<'a>(&'a self, payee: &'a Payee) -> BoxFuture<'a, Result<NameCheck, CallError>> {
        self.checked(payee).boxed()
    }

    fn open_collect_link<'a>(
        &'a self,
        link: &'a NewCollectLink,
    ) -> BoxFuture<'a, Result<CollectLink, CallError>> {
        self.opened(link).boxed()
    }

    fn collect_link<'a>(
        &'a self,
        token: &'a Reference,
    ) -> BoxFuture<'a, Result<Option<CollectLink>, CallError>> {
        self.link(token).boxed()
    }

    fn credit<'a>(&'a self, id: &'a Reference) -> BoxFuture<'a, Result<Option<Credit>, CallError>> {
        self.credited(id).boxed()
    }

    fn record_to(&self, recorder: Recorder) {
        self.caller.record_to(recorder);
    }

    fn health(&self) -> BoxFuture<'_, Health> {
        self.caller.health(GLANCE).boxed()
    }
}

/// As a party stands on the wire.
fn party(payee: &Payee) -> Value {
    json!({
        "account_number": payee.account_number.expose(),
        "ifsc": payee.ifsc.expose(),
        "name": payee.name.expose(),
    })
}

/// An answer about something else is no answer.
fn same(holds: bool, what: &'static str) -> Result<(), Doubt> {
    if holds { Ok(()) } else { Err(Doubt::Mismatch(what)) }
}
