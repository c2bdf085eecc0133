//! A bank that says what a test has it say, and when: the answer to a submission is held back until
//! the test gives it, and so is what an enquiry finds.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::NaiveDate;
use futures::future::BoxFuture;
use ledger_api::banks::{
    Answers, Bank, BankStatement, CallError, CollectLink, Contract, Credit, Doubt, EnquiryTerms,
    Health, NameCheck, NewCollectLink, OurAccount, Payee, RailTerms, ReturnedCredit, Submission,
    Transfer, TransferStatus,
};
use ledger_core::{
    clock::Timestamp,
    ids::{BankCode, Reference},
    money::Money,
};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::sync::watch;

use super::ledger::{money, parse};

/// What it says of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    /// It has it.
    Accepted,
    /// It paid what was sent.
    Paid,
    /// It paid this amount.
    PaidOther(&'static str),
    /// It will not pay, for good.
    Refused,
    /// It will not pay now.
    Offline,
    /// It paid, and all of it came back.
    Returned,
    /// Nothing: the call ends without an answer.
    Silent,
    /// It was called too fast, and passed nothing on.
    TooFast,
}

#[derive(Debug, Default)]
struct Said {
    answers: BTreeMap<Reference, Word>,
    enquiries: BTreeMap<Reference, Word>,
    /// Whatever is still under way ends without an answer.
    is_over: bool,
}

/// One of our accounts there; no two have the same number.
fn account(name: &str) -> OurAccount {
    let account_number = format!("5010000000{:02}", name.len());
    OurAccount { name: name.to_owned(), account_number, ifsc: "HDFC0000001".to_owned() }
}

/// The bank.
pub(crate) struct Puppet {
    code: BankCode,
    contract: Contract,
    said: watch::Sender<Said>,
    submitted: Mutex<Vec<Submission>>,
    asked: Mutex<BTreeMap<Reference, u32>>,
}

impl Puppet {
    pub(crate) fn new(code: &str) -> Arc<Self> {
        Self::asked_at_most(code, 1_000)
    }

    /// One that lets itself be asked so often.
    pub(crate) fn asked_at_most(code: &str, at_most: u32) -> Arc<Self> {
        let seconds = Duration::from_secs;
        let enquiry = EnquiryTerms { first_after: seconds(60), at_most, within: seconds(86_400) };
        let rail = RailTerms {
            rail: parse("imps"),
            minimum: None,
            maximum: None,
            hours: None,
            final_within: seconds(3_600),
        };
        let contract = Contract {
            bank: parse(code),
            name: code.to_uppercase(),
            currency: parse("INR"),
            time_zone: chrono_tz::Asia::Kolkata,
            reference_unique_for_days: 60,
            answers: Answers::Later,
            rate_per_second: 1_000,
            accounts: ["escrow", "own"].map(account).to_vec(),
            rails: vec![rail],
            enquiry,
            final_codes: vec![parse("account_closed")],
            retryable_codes: vec![parse("beneficiary_bank_offline")],
        };
        Arc::new(Self {
            code: parse(code),
            contract,
            said: watch::Sender::default(),
            submitted: Mutex::default(),
            asked: Mutex::default(),
        })
    }

    /// Answers the submission of a reference, now or when it comes.
    pub(crate) fn answer(&self, reference: &Reference, word: Word) {
        self.said.send_modify(|said| {
            said.answers.insert(reference.clone(), word);
        });
    }

    /// Says this from now on to whoever asks about a reference.
    pub(crate) fn find(&self, reference: &Reference, word: Word) {
        self.said.send_modify(|said| {
            said.enquiries.insert(reference.clone(), word);
        });
    }

    /// Hangs up on all that wait.
    pub(crate) fn hang_up(&self) {
        self.said.send_modify(|said| said.is_over = true);
    }

    /// How often a reference was handed in.
    pub(crate) fn submissions(&self, reference: &Reference) -> usize {
        let submitted = self.submitted.lock().unwrap();
        submitted.iter().filter(|one| one.reference == *reference).count()
    }

    /// From which of our accounts to which number a transfer went that was handed in.
    pub(crate) fn way(&self, reference: &Reference) -> (String, String) {
        let submitted = self.submitted.lock().unwrap();
        let one = submitted.iter().find(|one| one.reference == *reference).unwrap();
        (one.from.clone(), one.beneficiary.account_number.expose().to_owned())
    }

    /// How often it was asked about a reference.
    pub(crate) fn questions(&self, reference: &Reference) -> u32 {
        self.asked.lock().unwrap().get(reference).copied().unwrap_or_default()
    }

    /// What it says of a transfer that was handed in.
    fn transfer(&self, reference: &Reference, word: Word) -> Option<Transfer> {
        let submitted = self.submitted.lock().unwrap();
        let submission = submitted.iter().find(|one| one.reference == *reference)?;
        let at = Timestamp::UNIX_EPOCH;
        let utr: Reference = parse(&format!("U-{reference}"));
        let bank_transaction_id: Reference = parse(&format!("S-{reference}"));
        let (mut amount, from) = (submission.amount, submission.from.clone());
        let refused = |code: &str| TransferStatus::Refused { code: parse(code) };
        let status = match word {
            Word::Silent | Word::TooFast => return None,
            Word::Accepted => TransferStatus::Accepted,
            Word::Refused => refused("account_closed"),
            Word::Offline => refused("beneficiary_bank_offline"),
            Word::Paid => TransferStatus::Paid { utr, bank_transaction_id, settled_at: at },
            Word::PaidOther(other) => {
                amount = money("wallet:a:INR", other);
                TransferStatus::Paid { utr, bank_transaction_id, settled_at: at }
            }
            Word::Returned => TransferStatus::Returned {
                utr,
                bank_transaction_id,
                returned: ReturnedCredit {
                    utr: parse(&format!("R-{reference}")),
                    bank_transaction_id: parse(&format!("T-{reference}")),
                    amount,
                    at,
                },
            },
        };
        let (reference, rail) = (reference.clone(), submission.rail.clone());
        Some(Transfer { reference, amount, rail, from, status, accepted_at: at })
    }

    /// The body of a webhook about a transfer that was handed in.
    pub(crate) fn webhook(&self, reference: &Reference, word: Word) -> Value {
        let transfer = self.transfer(reference, word).expect("it was handed in");
        body(&transfer)
    }
}

/// A webhook of a transfer.
pub(crate) fn body(transfer: &Transfer) -> Value {
    let at = "2026-11-22T14:02:15.000Z";
    let inr = |amount: Money| json!({"value": amount.amount().to_string(), "currency": "INR"});
    let (mut code, mut utr, mut line, mut returned) = (None, None, None, None);
    let status = match &transfer.status {
        TransferStatus::Accepted => "accepted",
        TransferStatus::Refused { code: why } => {
            code = Some(why.clone());
            "refused"
        }
        TransferStatus::Paid { utr: between, bank_transaction_id, .. } => {
            (utr, line) = (Some(between.clone()), Some(bank_transaction_id.clone()));
            "paid"
        }
        TransferStatus::Returned { utr: between, bank_transaction_id, returned: back } => {
            (utr, line) = (Some(between.clone()), Some(bank_transaction_id.clone()));
            returned = Some(json!({"utr": back.utr, "amount": inr(back.amount), "at": at,
                                   "bank_transaction_id": back.bank_transaction_id}));
            "returned"
        }
    };
    let settled_at = line.is_some().then_some(at);
    json!({"type": format!("transfer.{status}"), "timestamp": at, "data": {
        "reference": transfer.reference, "status": status, "amount": inr(transfer.amount),
        "rail": transfer.rail, "from": transfer.from, "code": code, "utr": utr,
        "bank_transaction_id": line, "accepted_at": at, "settled_at": settled_at,
        "returned": returned}})
}

/// Puts a webhook into the inbox, as an intake does that has checked it; its number there.
pub(crate) async fn deliver(pool: &PgPool, bank: &str, event: &str, body: &Value) -> i64 {
    let bytes = serde_json::to_vec(body).unwrap();
    let sql = "with delivered as (
                   insert into inbox_deliveries (bank, event_id, sent_at, event_type, body_sha256)
                   values ($1, $2, now(), $3, sha256($4)) returning id, body_sha256)
               insert into inbox_bodies (delivery_id, body_sha256, body)
               select id, body_sha256, $4 from delivered returning delivery_id";
    let query = sqlx::query_scalar(sql).bind(bank).bind(event).bind(body["type"].as_str());
    query.bind(bytes).fetch_one(pool).await.unwrap()
}

/// What was concluded of a delivery last; nothing if nobody has looked at it.
pub(crate) async fn conclusion(pool: &PgPool, delivery: i64) -> Option<(String, String)> {
    let sql = "select outcome, detail from inbox_applied where delivery_id = $1
               order by attempt desc limit 1";
    sqlx::query_as(sql).bind(delivery).fetch_optional(pool).await.unwrap()
}

impl Bank for Puppet {
    fn code(&self) -> &BankCode {
        &self.code
    }

    fn contract(&self) -> BoxFuture<'_, Result<Arc<Contract>, CallError>> {
        let contract = Arc::new(self.contract.clone());
        Box::pin(async { Ok(contract) })
    }

    fn submit<'a>(
        &'a self,
        submission: &'a Submission,
    ) -> BoxFuture<'a, Result<Transfer, CallError>> {
        Box::pin(async move {
            self.submitted.lock().unwrap().push(submission.clone());
            let reference = &submission.reference;
            let mut said = self.said.subscribe();
            let answer = |said: &Said| {
                let silence = said.is_over.then_some(Word::Silent);
                said.answers.get(reference).copied().or(silence)
            };
            let said = said.wait_for(|said| answer(said).is_some()).await;
            let word = said.ok().and_then(|said| answer(&said)).unwrap_or(Word::Silent);
            let retry_after = Duration::from_millis(400);
            self.transfer(reference, word).ok_or(if word == Word::TooFast {
                CallError::TooFast { retry_after }
            } else {
                CallError::Unknown(Doubt::TimedOut)
            })
        })
    }

    fn enquire<'a>(
        &'a self,
        reference: &'a Reference,
    ) -> BoxFuture<'a, Result<Option<Transfer>, CallError>> {
        *self.asked.lock().unwrap().entry(reference.clone()).or_default() += 1;
        let word = self.said.borrow().enquiries.get(reference).copied();
        let found = word.and_then(|word| self.transfer(reference, word));
        Box::pin(async move { Ok(found) })
    }

    fn statement<'a>(
        &'a self,
        _account: &'a str,
        _day: NaiveDate,
    ) -> BoxFuture<'a, Result<Option<BankStatement>, CallError>> {
        Box::pin(async { Ok(None) })
    }

    fn check_name<'a>(&'a self, _payee: &'a Payee) -> BoxFuture<'a, Result<NameCheck, CallError>> {
        Box::pin(async { Err(CallError::Unknown(Doubt::TimedOut)) })
    }

    fn open_collect_link<'a>(
        &'a self,
        _link: &'a NewCollectLink,
    ) -> BoxFuture<'a, Result<CollectLink, CallError>> {
        Box::pin(async { Err(CallError::Unknown(Doubt::TimedOut)) })
    }

    fn collect_link<'a>(
        &'a self,
        _token: &'a Reference,
    ) -> BoxFuture<'a, Result<Option<CollectLink>, CallError>> {
        Box::pin(async { Ok(None) })
    }

    fn credit<'a>(
        &'a self,
        _id: &'a Reference,
    ) -> BoxFuture<'a, Result<Option<Credit>, CallError>> {
        Box::pin(async { Ok(None) })
    }

    fn health(&self) -> BoxFuture<'_, Health> {
        Box::pin(async { Health::Up })
    }
}
