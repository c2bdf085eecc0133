//! What the demo's people buy, and what the shops and we do about it: each by the service's own
//! API, once for its step.

use std::time::Duration;

use anyhow::Context as _;
use chrono::NaiveDate;
use ledger_api::{
    payments::BankCalendar,
    shops::{MerchantId, PayoutOutcome},
};
use rust_decimal::Decimal;
use sandbox_bank::{
    BankCode,
    accounts::Account,
    money::Amount,
    wire::{CreditRequest, PayerReference},
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{
    caller::text,
    days::{Awaited, Days, SENT, rupees},
    diary::{Deed, Rupees, Step},
};
use crate::commands::say;

/// Who buys at which shop, and from how many rupees to how many. The earlier in the list, the
/// earlier on a day: Neha buys before the hour at which she may not any more.
pub(super) const SALES: [(&str, &str, u32, u32); 16] = [
    ("asha", "chai", 20, 120),
    ("ravi", "chai", 20, 90),
    ("meera", "chai", 40, 160),
    ("arjun", "chai", 30, 110),
    ("neha", "kirana", 60, 380),
    ("fatima", "chai", 20, 60),
    ("gurpreet", "chai", 20, 80),
    ("lakshmi", "books", 180, 1_400),
    ("fatima", "books", 150, 600),
    ("ananya", "books", 200, 900),
    ("vikram", "books", 120, 700),
    ("asha", "kirana", 90, 420),
    ("joseph", "chai", 20, 140),
    ("imran", "kirana", 40, 260),
    ("vikram", "kirana", 80, 300),
    ("meera", "kirana", 70, 350),
];

/// How many days lie between a shop's payouts; the books go out by hand.
pub(super) const PAYOUTS: [(&str, u8); 2] = [("chai", 7), ("kirana", 14)];

/// How long a settlement or a payout may take, and how often it is looked for.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(40);

impl Days<'_> {
    /// Something between people and a shop. What is refused is said, and the days go on: nothing
    /// that follows rests on it.
    pub(super) async fn sell(&self, step: &Step) {
        let done = match &step.deed {
            Deed::Pay { shop } => self.pay_shop(step, shop).await.map(drop),
            Deed::PayOut { shop } => self.pay_out(step, shop).await,
            Deed::PayAndGetBack { shop, back } => self.pay_and_get_back(step, (shop, *back)).await,
            Deed::PayAndDispute { shop, won_by } => {
                self.pay_and_dispute(step, (shop, *won_by)).await
            }
            Deed::Send { .. }
            | Deed::Deposit { .. }
            | Deed::DepositLate { .. }
            | Deed::DepositOfStranger { .. }
            | Deed::Withdraw { .. }
            | Deed::WithdrawUnknown { .. }
            | Deed::WithdrawWaiting { .. }
            | Deed::WithdrawToNewAccount { .. }
            | Deed::WithdrawCancelled { .. }
            | Deed::SendToPhone { .. }
            | Deed::Frozen
            | Deed::Pause { .. } => Ok(()),
        };
        if let Err(error) = done {
            say::remark(format_args!("{} did not come about: {error:#}", step.key()));
        }
    }

    /// Pays a shop; the payment's id.
    async fn pay_shop(&self, step: &Step, shop: &str) -> anyhow::Result<String> {
        let body = json!({
            "account": self.resident(step.who)?.wallet, "merchant": self.shop(shop)?.to_string(),
            "amount": rupees(step.amount),
            "order_id": format!("{}-{}", shop.to_uppercase(), step.at.format("%m%d%H%M")),
        });
        let paid = self.caller.post("/payments", &step.key(), &body).await?;
        Ok(text(&paid, "id")?.to_owned())
    }

    /// Pays a shop, which gives some of it back.
    async fn pay_and_get_back(&self, step: &Step, (shop, back): (&str, u32)) -> anyhow::Result<()> {
        let paid = self.pay_shop(step, shop).await?;
        let body = json!({"amount": rupees(Rupees(back, 0)), "reason": "returned"});
        let (path, once) = (format!("/payments/{paid}/refunds"), format!("{}-back", step.key()));
        self.caller.post(&path, &once, &body).await.map(drop)
    }

    /// Pays a shop, and says that it was not right; we decide it or have not yet.
    async fn pay_and_dispute(
        &self,
        step: &Step,
        (shop, won_by): (&str, Option<&str>),
    ) -> anyhow::Result<()> {
        let paid = self.pay_shop(step, shop).await?;
        let (path, once) = (format!("/payments/{paid}/dispute"), format!("{}-dispute", step.key()));
        self.caller.post(&path, &once, &json!({"reason": "not_delivered"})).await?;
        let Some(won_by) = won_by else { return Ok(()) };
        let decision = json!({"won_by": won_by, "reason": "proof_of_delivery"});
        let (path, once) = (format!("{path}/decision"), format!("{}-decided", step.key()));
        self.colleague.post(&path, &once, &decision).await.map(drop)
    }

    /// Somebody reads a shop's code with the app of another bank, and pays.
    pub(super) async fn pay_from_outside(&self) -> anyhow::Result<()> {
        let body = json!({
            "merchant": self.shop("chai")?.to_string(), "amount": rupees(Rupees(85, 0)),
            "order_id": "CHAI-UPI", "description": "2 teas and a samosa",
        });
        let asked = self.caller.post("/payment-requests", "demo-chai-outside", &body).await?;
        let request = text(&asked, "id")?;
        let path = format!("/payment-requests/{request}");
        if text(&self.caller.get(&path).await?, "status")? != "open" {
            return Ok(());
        }
        let wrong = |what: &'static str| anyhow::anyhow!(what);
        let amount = Amount::parse("85.00").map_err(|error| anyhow::anyhow!("{error}"))?;
        let credit = CreditRequest {
            amount,
            account: Account::Escrow,
            token: Some(PayerReference::try_from(request.to_owned()).map_err(wrong)?),
            virtual_account: None,
            payer: Some(self.party("vikram")?),
        };
        self.banks.credit(BankCode::Hdfc, &credit).await?;
        self.wait_for(vec![Awaited { path, ends: &["paid"] }]).await
    }

    /// A shop asks for an amount that nobody has paid yet.
    pub(super) async fn leave_one_asked(&self) -> anyhow::Result<()> {
        let body = json!({
            "merchant": self.shop("chai")?.to_string(), "amount": rupees(Rupees(240, 0)),
            "order_id": "CHAI-NOW", "description": "12 teas for the office",
        });
        self.caller.post("/payment-requests", "demo-chai-asked", &body).await.map(|_: Value| ())
    }

    /// A shop takes all that it has available to its bank, as soon as the day is settled.
    async fn pay_out(&self, step: &Step, shop: &str) -> anyhow::Result<()> {
        let id = self.shop(shop)?;
        self.settled(id).await?;
        let account = id.available()?;
        let balance = self.caller.get(&format!("/accounts/{account}/balance")).await?;
        let available = balance.pointer("/available/value").and_then(Value::as_str);
        let available: Decimal =
            available.context("a balance without what is available")?.parse()?;
        let amount = available.saturating_sub(Decimal::TEN);
        if amount < Decimal::ONE_HUNDRED {
            return Ok(());
        }
        let banks = self.caller.get(&format!("/bank-accounts?owner={id}")).await?;
        let to = banks.pointer("/data/0/id").and_then(Value::as_str);
        let body = json!({
            "account": account, "bank": "hdfc", "rail": "imps",
            "bank_account": to.context("a shop without a bank account")?,
            "amount": {"value": amount.to_string(), "currency": "INR"},
        });
        self.caller.post("/withdrawals", &step.key(), &body).await.map(drop)
    }

    /// Waits until what goes to the bank by itself has arrived there, since this day's end: days
    /// pass here faster than those who look after payouts look, and what goes is what is settled
    /// by then. What does not get through is said, and the days go on.
    pub(super) async fn paid_out_since(&self, before: NaiveDate) {
        let waited = async { self.wait_for(self.payouts_since(before).await?).await };
        if let Err(error) = waited.await {
            say::remark(format_args!("a payout of the day after {before} is late: {error:#}"));
        }
    }

    async fn payouts_since(&self, before: NaiveDate) -> anyhow::Result<Vec<Awaited>> {
        let today = BankCalendar::day_at(self.clock.now());
        let deadline = Instant::now() + PATIENCE;
        while !self.payouts.due_payouts(today, 1).await?.is_empty() {
            anyhow::ensure!(Instant::now() < deadline, "what is due on {today} does not go");
            sleep(LOOK_EVERY).await;
        }
        let mut awaited = Vec::new();
        for shop in self.shops.values() {
            let last = self.payouts.payout_days(*shop, 1).await?;
            for day in last.into_iter().filter(|day| day.day > before) {
                if let PayoutOutcome::Requested(id) = day.outcome {
                    awaited.push(Awaited { path: format!("/withdrawals/{id}"), ends: SENT });
                }
            }
        }
        Ok(awaited)
    }

    /// Waits until all of a shop that settles by now is settled.
    async fn settled(&self, shop: &MerchantId) -> anyhow::Result<()> {
        let path = format!("/payments?merchant={shop}&limit=50");
        let today = BankCalendar::day_at(self.clock.now()).to_string();
        let is_due = |payment: &Value| {
            let day = payment.get("settles_on").and_then(Value::as_str).unwrap_or_default();
            payment.get("settlement").is_none() && day <= today.as_str()
        };
        let deadline = Instant::now() + PATIENCE;
        loop {
            let page = self.caller.get(&path).await?;
            let payments = page.get("data").and_then(Value::as_array).into_iter().flatten();
            if !payments.into_iter().any(is_due) {
                return Ok(());
            }
            anyhow::ensure!(Instant::now() < deadline, "{shop} is not settled");
            sleep(LOOK_EVERY).await;
        }
    }

    fn shop(&self, handle: &str) -> anyhow::Result<&MerchantId> {
        self.shops.get(handle).with_context(|| format!("no shop is called {handle}"))
    }
}
