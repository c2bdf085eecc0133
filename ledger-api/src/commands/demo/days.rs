//! Lets the ninety days of the diary pass: each step when its time has come, by the clock of the
//! sandbox banks, while the service and its workers run.
//!
//! The banks live through the same days, so that their books, their statements and what is
//! certified at the end of each day agree with ours by themselves. Nothing is written past the
//! ledger, and nothing twice: every step has its key.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, bail};
use chrono::{DateTime, TimeDelta, Utc};
use ledger_api::{
    payments::BankCalendar,
    people::PersonId,
    service::SandboxClock,
    shops::{MerchantId, Shops},
};
use ledger_core::{
    chart::{Authority, Direction},
    clock::{Clock as _, Ids as _, System},
    command::{Command, Operation, Outcome},
    engine::Engine,
    ids::{AccountId, RequestId, TransactionId},
    posting::Posting,
};
use sandbox_bank::{
    BankCode,
    accounts::Account,
    control::Control,
    money::Amount,
    wire::{CreditRequest, Party, PayerReference},
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{
    caller::{Caller, text},
    cast::Character,
    diary::{Deed, Rupees, Step},
    payee::{self, Payee},
    story::Teller,
};
use crate::commands::work::Bar;

/// How long one step may take until its banks and workers are done with it.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(40);
/// How far the clock is moved while a step is waited for: so that what a bank does after a while is
/// done at once.
const MEANWHILE: TimeDelta = TimeDelta::seconds(10);

/// The number of a bank account that somebody has only now.
const NEW_ACCOUNT: &str = "400100000033";

/// Somebody of the cast, as the ledger knows them.
pub(super) struct Resident {
    pub(super) character: &'static Character,
    pub(super) id: PersonId,
    pub(super) wallet: AccountId,
    /// The bank account that they take money out to.
    pub(super) payee: String,
}

/// What it takes to let days pass.
pub(super) struct Days<'a> {
    pub(super) engine: &'a Engine,
    pub(super) teller: Teller<'a>,
    pub(super) caller: &'a Caller,
    /// Decides what another than `caller` has to decide.
    pub(super) colleague: &'a Caller,
    pub(super) clock: &'a SandboxClock,
    pub(super) banks: Control,
    pub(super) residents: BTreeMap<&'static str, Resident>,
    pub(super) shops: BTreeMap<&'static str, MerchantId>,
    pub(super) payouts: Shops,
}

/// Something that is to come to one of some ends.
pub(super) struct Awaited {
    pub(super) path: String,
    pub(super) ends: &'static [&'static str],
}

const PAID_IN: &[&str] = &["completed", "settled"];
pub(super) const SENT: &[&str] = &["completed", "failed", "returned"];

impl Days<'_> {
    /// Lets them pass, up to now.
    pub(super) async fn pass(&self, steps: &[Step]) -> anyhow::Result<()> {
        let bar = Bar::new("ninety days pass");
        let mut awaited: Vec<Awaited> = Vec::new();
        let mut late: Vec<(DateTime<Utc>, Step)> = Vec::new();
        for (index, step) in (0..).zip(steps) {
            bar.at(index, u64::try_from(steps.len()).ok());
            // What goes on at one moment goes on at once; what follows needs its end.
            if self.clock.now() < step.at {
                self.wait_for(std::mem::take(&mut awaited)).await?;
                let (due, rest) = late.into_iter().partition(|(at, _)| *at <= step.at);
                late = rest;
                self.pay_late(due).await?;
                let before = BankCalendar::day_at(self.clock.now());
                self.move_to(step.at).await?;
                if BankCalendar::day_at(self.clock.now()) != before {
                    self.paid_out_since(before).await;
                }
            }
            awaited.extend(self.step(step).await.with_context(|| step.key())?);
            if let Deed::DepositLate { paid_after: Some(after), .. } = step.deed {
                late.push((step.at + after, step.clone()));
            }
        }
        self.wait_for(awaited).await?;
        self.pay_late(late).await?;
        self.move_to(System.now()).await?;
        self.pay_from_outside().await?;
        self.leave_one_asked().await?;
        self.leave_one_open().await
    }

    /// What lies before you as you come: money that Asha asked to put in and has not paid yet.
    async fn leave_one_open(&self) -> anyhow::Result<()> {
        let body = json!({
            "account": self.resident("asha")?.wallet, "bank": "hdfc",
            "amount": rupees(Rupees(5_000, 0)),
        });
        self.caller.post("/deposits", "demo-asha-deposit-open", &body).await.map(drop)
    }

    /// Moves everybody's clock forwards to a moment.
    async fn move_to(&self, at: DateTime<Utc>) -> anyhow::Result<()> {
        if let Ok(by) = at.signed_duration_since(self.clock.now()).to_std() {
            self.banks.advance(by).await?;
            self.clock.look().await;
        }
        Ok(())
    }

    async fn step(&self, step: &Step) -> anyhow::Result<Option<Awaited>> {
        match &step.deed {
            Deed::Send { to, note } => self.send(step, to, note).await.map(|()| None),
            Deed::Pay { .. }
            | Deed::PayOut { .. }
            | Deed::PayAndGetBack { .. }
            | Deed::PayAndDispute { .. } => {
                self.sell(step).await;
                Ok(None)
            }
            Deed::Deposit { bank } => {
                let deposit = self.deposit(step, bank, &json!({})).await?;
                self.pay(step, bank, text(&deposit, "token")?, self.party(step.who)?).await?;
                awaited(&deposit, "deposits", PAID_IN).map(Some)
            }
            Deed::DepositLate { bank, .. } => {
                self.deposit(step, bank, &json!({})).await.map(|_| None)
            }
            Deed::DepositOfStranger { bank } => {
                let payer = json!({"payer": self.resident(step.who)?.payee});
                let deposit = self.deposit(step, bank, &payer).await?;
                self.pay(step, bank, text(&deposit, "token")?, stranger()?).await?;
                Ok(None)
            }
            Deed::Withdraw { bank } => {
                let withdrawal = self.withdraw(step, bank, None).await?;
                awaited(&withdrawal, "withdrawals", SENT).map(Some)
            }
            Deed::WithdrawUnknown { bank } => {
                let withdrawal = self.withdraw(step, bank, None).await?;
                awaited(&withdrawal, "withdrawals", &["outcome_unknown", "processing"]).map(Some)
            }
            Deed::WithdrawWaiting { bank } => self.withdraw(step, bank, None).await.map(|_| None),
            Deed::WithdrawToNewAccount { bank } => {
                let who = self.resident(step.who)?;
                let owner = who.id.to_string();
                let (name, ifsc) = (who.character.name, payee::TEST_IFSC);
                let payee = Payee { owner: &owner, number: NEW_ACCOUNT, name, ifsc };
                let payee = payee::bank_account(self.caller, &payee).await?;
                self.withdraw(step, bank, Some(&payee)).await.map(|_| None)
            }
            Deed::WithdrawCancelled { bank } => {
                let withdrawal = self.withdraw(step, bank, None).await?;
                let path = format!("/withdrawals/{}/cancel", text(&withdrawal, "id")?);
                let once = format!("{}-cancel", step.key());
                self.caller.post(&path, &once, &json!({})).await.map(|_| None)
            }
            Deed::SendToPhone { phone, note } => {
                let body = json!({
                    "account": self.resident(step.who)?.wallet, "to": {"phone": phone},
                    "amount": rupees(step.amount), "note": note,
                });
                self.caller.post("/transfers", &step.key(), &body).await.map(|_| None)
            }
            Deed::Frozen => {
                let path = format!("/accounts/{}/freezes", self.resident(step.who)?.wallet);
                let order = json!({"reference": "order-2026-118", "mode": "debit"});
                self.caller.post(&path, &step.key(), &order).await.map(|_| None)
            }
            Deed::Pause { bank } => {
                let reason = json!({"reason": "The bank works on its systems"});
                let path = format!("/ops/banks/{bank}/pause");
                self.caller.post(&path, &step.key(), &reason).await.map(|_| None)
            }
        }
    }

    /// Sends money from one of the cast to another: their own doing, under their own name.
    async fn send(&self, step: &Step, to: &str, note: &str) -> anyhow::Result<()> {
        let (from, to) = (self.resident(step.who)?, self.resident(to)?);
        let principal = from.id.principal()?;
        let (teller, amount) = (&self.teller, step.amount.to_string());
        let posting = Posting {
            transaction_id: TransactionId::from_uuid(System.fresh()),
            kind: "transfer".parse()?,
            legs: vec![
                teller.leg(from.wallet.as_str(), Direction::Debit, &amount, 0)?,
                teller.leg(to.wallet.as_str(), Direction::Credit, &amount, 0)?,
            ],
            effective_on: None,
            value_date: None,
            conditions: Vec::new(),
            note: Some(note.to_owned()),
        };
        let command = Command {
            principal,
            idempotency: Some(teller.once(&step.key())?),
            request: RequestId::from_uuid(System.fresh()),
            authority: Authority::all(),
            approval: None,
            operation: Operation::Post(vec![posting]),
        };
        let answer = self.engine.submit(command).await.context("the ledger did not answer")?;
        match answer.outcome {
            Outcome::Accepted(_) => Ok(()),
            Outcome::Rejected(rejection) => bail!("{}", rejection.detail),
        }
    }

    async fn deposit(&self, step: &Step, bank: &str, more: &Value) -> anyhow::Result<Value> {
        let mut body = json!({
            "account": self.resident(step.who)?.wallet, "bank": bank,
            "amount": rupees(step.amount),
        });
        if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
            body.extend(more.clone());
        }
        self.caller.post("/deposits", &step.key(), &body).await
    }

    async fn withdraw(&self, step: &Step, bank: &str, to: Option<&str>) -> anyhow::Result<Value> {
        let from = self.resident(step.who)?;
        let to = to.unwrap_or(&from.payee);
        let body = json!({
            "account": from.wallet, "bank_account": to, "bank": bank, "rail": "imps",
            "amount": rupees(step.amount),
        });
        self.caller.post("/withdrawals", &step.key(), &body).await
    }

    /// Pays at a bank: once, for what was paid already is known by its deposit.
    async fn pay(&self, step: &Step, bank: &str, token: &str, by: Party) -> anyhow::Result<()> {
        let deposit = self.caller.get(&format!("/deposits/{}", deposit_of(token))).await?;
        let is_paid = deposit.get("credited").is_some_and(|credited| !is_zero(credited))
            || deposit.get("aside").is_some_and(|aside| !aside.is_null() && !is_zero(aside));
        if is_paid {
            return Ok(());
        }
        let wrong = |what: &'static str| anyhow::anyhow!(what);
        let credit = CreditRequest {
            amount: Amount::parse(&step.amount.to_string())
                .map_err(|error| anyhow::anyhow!("{error}"))?,
            account: Account::Escrow,
            token: Some(PayerReference::try_from(token.to_owned()).map_err(wrong)?),
            virtual_account: None,
            payer: Some(by),
        };
        let bank = BankCode::parse(bank).context("no such bank")?;
        self.banks.credit(bank, &credit).await?;
        Ok(())
    }

    async fn pay_late(&self, due: Vec<(DateTime<Utc>, Step)>) -> anyhow::Result<()> {
        for (at, step) in due {
            self.move_to(at).await?;
            let Deed::DepositLate { bank, .. } = step.deed else { continue };
            let deposit = self.deposit(&step, bank, &json!({})).await?;
            self.pay(&step, bank, text(&deposit, "token")?, self.party(step.who)?).await?;
            self.wait_for(vec![awaited(&deposit, "deposits", PAID_IN)?]).await?;
        }
        Ok(())
    }

    /// Waits until all have come to an end.
    pub(super) async fn wait_for(&self, awaited: Vec<Awaited>) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        for Awaited { path, ends } in awaited {
            loop {
                let seen = self.caller.get(&path).await?;
                let status = text(&seen, "status")?;
                if ends.contains(&status) {
                    break;
                }
                if Instant::now() >= deadline {
                    bail!("{path} is {status} and does not get to {}", ends.join(" or "));
                }
                self.move_to(self.clock.now() + MEANWHILE).await?;
                sleep(LOOK_EVERY).await;
            }
        }
        Ok(())
    }

    pub(super) fn resident(&self, handle: &str) -> anyhow::Result<&Resident> {
        self.residents.get(handle).with_context(|| format!("nobody is called {handle}"))
    }

    /// Somebody of the cast, as their bank knows them.
    pub(super) fn party(&self, handle: &str) -> anyhow::Result<Party> {
        let character = self.resident(handle)?.character;
        party(character.bank_account, character.name)
    }
}

fn awaited(
    thing: &Value,
    collection: &str,
    ends: &'static [&'static str],
) -> anyhow::Result<Awaited> {
    Ok(Awaited { path: format!("/{collection}/{}", text(thing, "id")?), ends })
}

/// The id of the deposit that a token is of.
fn deposit_of(token: &str) -> String {
    token.strip_prefix("dep").map_or_else(|| token.to_owned(), |rest| format!("dep_{rest}"))
}

fn is_zero(amount: &Value) -> bool {
    let value = amount.get("value").and_then(Value::as_str).unwrap_or_default();
    value.bytes().all(|byte| matches!(byte, b'0' | b'.'))
}

pub(super) fn rupees(amount: Rupees) -> Value {
    json!({"value": amount.to_string(), "currency": "INR"})
}

fn stranger() -> anyhow::Result<Party> {
    party("500100000041", "Nobody Known")
}

fn party(number: &str, name: &str) -> anyhow::Result<Party> {
    let wrong = |what: &'static str| anyhow::anyhow!(what);
    Ok(Party {
        account_number: number.to_owned().try_into().map_err(wrong)?,
        ifsc: "TEST0000001".to_owned().try_into().map_err(wrong)?,
        name: name.to_owned().try_into().map_err(wrong)?,
    })
}
