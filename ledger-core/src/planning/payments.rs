//! Takes operations on payments apart: what the payment says to them, what becomes of the request
//! that it pays, and the transactions that follow. The accounts of the house are opened with the
//! first leg on them; a shop's and a payer's own are opened by nobody but them.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::{
    Plan, ReceiptPlan, Step, StreamId, View, checks,
    planner::Planner,
    withdrawals::{Named, internal},
};
use crate::{
    command::{Receipt, Rejection},
    ids::{AccountId, MerchantCode, Reference},
    money::CurrencyCode,
    payment::{
        Completed, DecideDispute, PayMerchant, Payment, PaymentCommand, PaymentError, PaymentEvent,
        PaymentOperation, PaymentStanding, SETTLED_MAX, Settle, Settled,
        movement::{self, HouseAccounts, ShopAccounts, is_wallet, receivable_of},
    },
    payment_request::{PayRequest, PaymentRequestAsk, PaymentRequestCommand},
    withdrawal::movement::Movement,
};

/// The accounts that an operation may touch, given its payment.
pub fn accounts_of_payment(operation: &PaymentOperation, payment: &Payment) -> Vec<AccountId> {
    let asked = if let PaymentOperation::Pay(pay) = operation {
        Some((&pay.payer, &pay.merchant))
    } else {
        payment.properties().map(|completed| (&completed.payer, &completed.merchant))
    };
    let Some((payer, merchant)) = asked else { return Vec::new() };
    let currency = payer.currency().ok();
    let shop = currency.and_then(|currency| ShopAccounts::of(merchant, currency).ok());
    let house = currency.and_then(|currency| HouseAccounts::of(currency).ok());
    let Some((shop, house)) = shop.zip(house) else { return vec![payer.clone()] };
    let ShopAccounts { unsettled, available, receivable } = shop;
    let mut touched = vec![payer.clone(), unsettled];
    match operation {
        PaymentOperation::Pay(_) => touched.extend([house.income, house.tax]),
        PaymentOperation::Refund(_)
        | PaymentOperation::RetryRefund(_)
        | PaymentOperation::CancelRefund { .. } => touched.extend([available, receivable]),
        PaymentOperation::OpenDispute(_) | PaymentOperation::DecideDispute(_) => {
            touched.extend([available, receivable, house.held, house.provisional]);
            touched.extend(receivable_of(payer).ok());
        }
    }
    touched
}

/// The streams of an operation, as far as the operation itself names them.
pub(super) fn streams(operation: &PaymentOperation) -> Vec<StreamId> {
    let request = match operation {
        PaymentOperation::Pay(pay) => pay.request,
        PaymentOperation::Refund(_)
        | PaymentOperation::RetryRefund(_)
        | PaymentOperation::CancelRefund { .. }
        | PaymentOperation::OpenDispute(_)
        | PaymentOperation::DecideDispute(_) => None,
    };
    let accounts = accounts_of_payment(operation, &Payment::default());
    std::iter::once(StreamId::Payment(operation.payment_id()))
        .chain(request.map(StreamId::PaymentRequest))
        .chain(accounts.into_iter().map(StreamId::Account))
        .collect()
}

/// The streams of a settlement, which names them all.
pub(super) fn streams_of_settlement(settle: &Settle) -> Vec<StreamId> {
    let shop = ShopAccounts::of(&settle.merchant, settle.currency).ok();
    let accounts = shop.map(|shop| [shop.unsettled, shop.available, shop.receivable]);
    let accounts = accounts.into_iter().flatten().map(StreamId::Account);
    // One that is refused for its length is not loaded first.
    let payments = settle.payments.iter().take(SETTLED_MAX).copied().map(StreamId::Payment);
    payments.chain(accounts).collect()
}

impl<V: View> Planner<'_, V> {
    pub(super) fn payment(&self, operation: &PaymentOperation) -> Result<Plan, Rejection> {
        let id = operation.payment_id();
        let before = self.view.payment(id);
        let operation = self.checked(operation, &before)?;
        let standing = self.payment_standing(&operation, &before)?;
        let request =
            if let PaymentOperation::Pay(pay) = &operation { self.request_step(pay) } else { None };
        let receipt = match operation.refund_id() {
            Some(refund_id) => ReceiptPlan::Refund(id, refund_id),
            None => ReceiptPlan::Payment(id),
        };
        let cause = match operation.refund_id() {
            Some(refund_id) => checks::reference(&refund_id)?,
            None => checks::reference(&id)?,
        };
        let command = PaymentCommand::Operation { operation, standing };
        let events = before.decide(&command).map_err(Rejection::from)?;
        let mut steps = vec![Step::Payment(id, Box::new(command))];
        steps.extend(request);
        let (mut state, item) = (before, checks::reference(&id)?);
        for event in events {
            let movement = movement::movement(&state, &event).map_err(|_| internal())?;
            state = state.after(event);
            if let Some(movement) = movement {
                let completed = state.properties().ok_or_else(internal)?;
                self.move_payment(completed, (&cause, &item), movement, &mut steps)?;
            }
        }
        Ok(Plan { steps, receipt, notes: Vec::new() })
    }

    /// The operation with what is checked without asking the payment, and what its request adds.
    fn checked(
        &self,
        operation: &PaymentOperation,
        before: &Payment,
    ) -> Result<PaymentOperation, Rejection> {
        let mut operation = operation.clone();
        let payer = before.properties().map(|completed| &completed.payer);
        match (&mut operation, payer) {
            (PaymentOperation::Pay(pay), _) => self.check_pay(pay)?,
            (PaymentOperation::Refund(refund), Some(payer)) => {
                self.amount(payer, refund.amount)?;
            }
            (PaymentOperation::OpenDispute(open), Some(payer)) => {
                self.amount(payer, open.amount)?;
                // What the wallet will lack the payer will owe, in an account beside it.
                if receivable_of(payer).is_err() {
                    return Err(not_payable(payer));
                }
            }
            (
                PaymentOperation::Refund(_)
                | PaymentOperation::OpenDispute(_)
                | PaymentOperation::RetryRefund(_)
                | PaymentOperation::CancelRefund { .. }
                | PaymentOperation::DecideDispute(DecideDispute { .. }),
                _,
            ) => {}
        }
        Ok(operation)
    }

    fn check_pay(&self, pay: &mut PayMerchant) -> Result<(), Rejection> {
        self.amount(&pay.payer, pay.amount)?;
        if !is_wallet(&pay.payer) {
            return Err(not_payable(&pay.payer));
        }
        let request = pay.request.map(|id| self.view.payment_request(id)).unwrap_or_default();
        if let Some(asked) = request.properties() {
            pay.order = pay.order.take().or_else(|| asked.order.clone());
            pay.store = pay.store.take().or_else(|| asked.store.clone());
            pay.terminal = pay.terminal.take().or_else(|| asked.terminal.clone());
        }
        Ok(())
    }

    /// What the request is asked that a payment pays.
    fn request_step(&self, pay: &PayMerchant) -> Option<Step> {
        let ask = PaymentRequestAsk::Pay(PayRequest {
            payment_id: pay.payment_id,
            payer: pay.payer.clone(),
            merchant: pay.merchant.clone(),
            amount: pay.amount.amount(),
        });
        let command = PaymentRequestCommand { ask, now: self.now };
        pay.request.map(|id| Step::PaymentRequest(id, Box::new(command)))
    }

    /// What the shop and the payer could give and take now.
    fn payment_standing(
        &self,
        operation: &PaymentOperation,
        before: &Payment,
    ) -> Result<PaymentStanding, Rejection> {
        let known = before.properties().map(|completed| (&completed.payer, &completed.merchant));
        let (payer, merchant) = match (operation, known) {
            (PaymentOperation::Pay(pay), _) => (&pay.payer, &pay.merchant),
            (_, Some(known)) => known,
            (_, None) => return Ok(PaymentStanding::default()),
        };
        let shop = shop_of(merchant, payer.currency().map_err(|_| internal())?)?;
        // Deciding without them in sight would take them for accounts without limits.
        let see = |account: &AccountId| self.view.account(account).ok_or_else(internal);
        let (payer, unsettled) = (see(payer)?, see(&shop.unsettled)?);
        let standing = PaymentStanding {
            shop_open: unsettled.room().is_none_or(|room| !room.is_zero()),
            unsettled: unsettled.spendable(),
            payer_closed: payer.is_closed(),
            payer_room: payer.room(),
            payer_spendable: payer.spendable(),
            ..PaymentStanding::default()
        };
        if matches!(operation, PaymentOperation::Pay(_)) {
            return Ok(standing);
        }
        let (available, owed) = (see(&shop.available)?, see(&shop.receivable)?);
        Ok(PaymentStanding {
            available: available.spendable(),
            owed: owed.debit_balance(),
            shop_closed: available.is_closed(),
            ..standing
        })
    }

    fn move_payment(
        &self,
        completed: &Completed,
        (cause, item): (&Reference, &Reference),
        movement: Movement,
        steps: &mut Vec<Step>,
    ) -> Result<(), Rejection> {
        let currency = completed.payer.currency().map_err(|_| internal())?;
        let shop = shop_of(&completed.merchant, currency)?;
        self.open_beside(&movement, &shop.unsettled, &completed.payer, steps)?;
        let item = item.as_str().parse().map_err(|_| internal())?;
        let named = Named { cause: cause.clone(), item, value_date: None };
        self.post_movement(&named, movement, steps)
    }

    /// Opens the house's accounts and receivables of a movement that were never opened: what a shop
    /// owes belongs to the shop, what a payer owes to the payer.
    fn open_beside(
        &self,
        movement: &Movement,
        shop: &AccountId,
        payer: &AccountId,
        steps: &mut Vec<Step>,
    ) -> Result<(), Rejection> {
        let of_shop = |account: &AccountId| account.as_str().starts_with("receivable:merchant:");
        let of_customers = |account: &AccountId| {
            account.as_str().starts_with("merchant:") || account.as_str().starts_with("wallet:")
        };
        let mut opened = Vec::new();
        for (owner, shops) in [(shop, true), (payer, false)] {
            let mut part = movement.clone();
            part.legs.retain(|leg| !of_customers(&leg.account) && of_shop(&leg.account) == shops);
            self.open_missing(&part, Some(owner), &mut opened, steps)?;
        }
        Ok(())
    }

    pub(super) fn settle(&self, settle: &Settle) -> Result<Plan, Rejection> {
        check_settle(settle)?;
        let (merchant, currency) = (&settle.merchant, settle.currency);
        let shop = shop_of(merchant, currency)?;
        let owed = self.view.account(&shop.receivable).ok_or_else(internal)?;
        let mut owed = owed.debit_balance();
        let (mut steps, mut settled, mut known) = (Vec::new(), Vec::new(), Vec::new());
        for id in &settle.payments {
            let payment = self.view.payment(*id);
            let command = PaymentCommand::Settle {
                settlement_id: settle.settlement_id,
                merchant: merchant.clone(),
                currency,
                day: settle.day,
                owed,
            };
            let located =
                |error: PaymentError| Rejection::new(error.code(), &format!("{id}: {error}"));
            let events = payment.decide(&command).map_err(located)?;
            let before = settled.len();
            for event in events {
                if let PaymentEvent::Settled(one) = event {
                    owed = owed.saturating_sub(one.repaid);
                    settled.push(one);
                }
            }
            if settled.len() == before {
                known.extend(payment.settled().cloned());
            }
            steps.push(Step::Payment(*id, Box::new(command)));
        }
        // Its transaction was posted: what comes now would need another.
        if !known.is_empty() && !settled.is_empty() {
            let text = "the settlement was made of other payments";
            return Err(Rejection::new("settlement_differs", text));
        }
        self.post_settlement(settle, &shop, &settled, &mut steps)?;
        let receipt = receipt_of(settle, if settled.is_empty() { &known } else { &settled });
        let receipt = ReceiptPlan::Ready(Box::new(receipt));
        Ok(Plan { steps, receipt, notes: Vec::new() })
    }

    fn post_settlement(
        &self,
        settle: &Settle,
        shop: &ShopAccounts,
        settled: &[Settled],
        steps: &mut Vec<Step>,
    ) -> Result<(), Rejection> {
        let of = (&settle.merchant, settle.currency);
        let transaction_id = settle.settlement_id.transaction_id();
        let movement = movement::settlement(of, transaction_id, settled).map_err(|_| internal())?;
        let Some(movement) = movement else { return Ok(()) };
        let cause = checks::reference(&settle.settlement_id)?;
        let item = cause.as_str().parse().map_err(|_| internal())?;
        self.open_beside(&movement, &shop.unsettled, &shop.unsettled, steps)?;
        self.post_movement(&Named { cause, item, value_date: None }, movement, steps)
    }
}

fn check_settle(settle: &Settle) -> Result<(), Rejection> {
    let count = settle.payments.len();
    let each: BTreeSet<_> = settle.payments.iter().collect();
    if count == 0 || count > SETTLED_MAX || each.len() != count {
        let text = format!("a settlement is of 1 to {SETTLED_MAX} payments, each once");
        return Err(Rejection::new("settlement_payments", &text));
    }
    Ok(())
}

fn receipt_of(settle: &Settle, settled: &[Settled]) -> Receipt {
    let sum = |part: fn(&Settled) -> Decimal| {
        let mut parts = settled.iter().map(part);
        let first = parts.next().unwrap_or_default();
        parts.fold(first, Decimal::saturating_add)
    };
    Receipt::Settlement {
        settlement_id: settle.settlement_id,
        merchant: settle.merchant.clone(),
        currency: settle.currency,
        amount: sum(|one| one.amount),
        repaid: sum(|one| one.repaid),
        transaction_id: settled.iter().find_map(|one| one.transaction_id),
    }
}

fn shop_of(merchant: &MerchantCode, currency: CurrencyCode) -> Result<ShopAccounts, Rejection> {
    ShopAccounts::of(merchant, currency).map_err(|_| internal())
}

fn not_payable(account: &AccountId) -> Rejection {
    Rejection::new("not_payable", "a shop is paid from a wallet").of(account)
}

impl From<PaymentError> for Rejection {
    fn from(error: PaymentError) -> Self {
        Self::new(error.code(), &error.to_string())
    }
}
