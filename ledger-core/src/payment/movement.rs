//! Which accounts each event of a payment moves: the recipes, in one place. Every leg on an account
//! that is kept by item names the payment.

use rust_decimal::Decimal;

use super::{Completed, DisputeWinner, Payment, PaymentEvent, Settled, Sources};
use crate::{
    chart::Direction::{self, Credit, Debit},
    ids::{AccountCode, AccountId, IdError, MerchantCode, TransactionId},
    money::CurrencyCode,
    posting::Kind,
    withdrawal::movement::{Movement, MovementLeg},
};

/// Whether a shop can be paid from an account: it is a wallet.
pub use crate::deposit::movement::{is_wallet, receivable_of};

/// A shop's accounts in a currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopAccounts {
    /// What it was paid and cannot dispose of yet.
    pub unsettled: AccountId,
    /// What it can dispose of.
    pub available: AccountId,
    /// What it owes us.
    pub receivable: AccountId,
}

impl ShopAccounts {
    /// The accounts of `merchant` in `currency`.
    ///
    /// # Errors
    /// Never: a shop's name is a segment of a code, and short enough.
    pub fn of(merchant: &MerchantCode, currency: CurrencyCode) -> Result<Self, IdError> {
        Ok(Self {
            unsettled: account(&format!("merchant:{merchant}:unsettled"), currency)?,
            available: account(&format!("merchant:{merchant}:available"), currency)?,
            receivable: account(&format!("receivable:merchant:{merchant}"), currency)?,
        })
    }
}

/// The accounts of the house that payments move, in a currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HouseAccounts {
    /// Fees of payments that are earned.
    pub income: AccountId,
    /// The tax in them.
    pub tax: AccountId,
    /// What is held of shops while it is disputed, by payment.
    pub held: AccountId,
    /// What payers are lent meanwhile, by payment.
    pub provisional: AccountId,
}

impl HouseAccounts {
    /// The accounts in `currency`.
    ///
    /// # Errors
    /// Never.
    pub fn of(currency: CurrencyCode) -> Result<Self, IdError> {
        Ok(Self {
            income: account("income:mdr", currency)?,
            tax: account("tax:gst_output", currency)?,
            held: account("disputes:held", currency)?,
            provisional: account("disputes:provisional", currency)?,
        })
    }
}

fn account(code: &str, currency: CurrencyCode) -> Result<AccountId, IdError> {
    let code: AccountCode = code.parse()?;
    Ok(AccountId::new(&code, currency))
}

/// What `event` moves by itself, if anything, given the payment before it. A settlement moves all
/// its payments together: see [`settlement`].
///
/// # Errors
/// Never for a payment that exists: its accounts were checked.
pub fn movement(before: &Payment, event: &PaymentEvent) -> Result<Option<Movement>, IdError> {
    let missing = IdError { expected: "payment that exists" };
    let completed = || before.properties().ok_or(missing);
    let (transaction_id, kind, legs) = match event {
        PaymentEvent::Completed(completed) => {
            (completed.transaction_id, Kind::PAYMENT, paid(completed)?)
        }
        PaymentEvent::RefundCompleted(done) => {
            let completed = completed()?;
            let refund = before.refund(done.refund_id).ok_or(missing)?;
            let mut legs = given(completed, &done.from)?;
            legs.push(leg(Credit, &completed.payer, refund.amount));
            (done.transaction_id, Kind::REFUND, legs)
        }
        PaymentEvent::DisputeOpened(opened) => {
            let completed = completed()?;
            let house = HouseAccounts::of(completed.payer.currency()?)?;
            let mut legs = given(completed, &opened.from)?;
            legs.push(leg(Credit, &house.held, opened.amount));
            legs.push(leg(Debit, &house.provisional, opened.amount));
            legs.push(leg(Credit, &completed.payer, opened.amount));
            (opened.transaction_id, Kind::DISPUTE, legs)
        }
        PaymentEvent::DisputeDecided(decided) => {
            let amount = before.dispute().ok_or(missing)?.amount;
            let parts = (amount, decided.from_payer, decided.repaid);
            let legs = decided_legs(completed()?, decided.won_by, parts)?;
            (decided.transaction_id, Kind::DISPUTE, legs)
        }
        PaymentEvent::Settled(_)
        | PaymentEvent::RefundRequested(_)
        | PaymentEvent::RefundFailed(_)
        | PaymentEvent::RefundCancelled(_) => return Ok(None),
    };
    Ok(Some(moved(transaction_id, kind, legs)))
}

/// What a settlement of these payments moves; nothing if nothing was left of them.
///
/// # Errors
/// Never: a shop's name is a segment of a code.
pub fn settlement(
    (merchant, currency): (&MerchantCode, CurrencyCode),
    transaction_id: TransactionId,
    settled: &[Settled],
) -> Result<Option<Movement>, IdError> {
    let sum = |part: fn(&Settled) -> Decimal| {
        settled.iter().map(part).fold(Decimal::ZERO, Decimal::saturating_add)
    };
    let (amount, repaid) = (sum(|one| one.amount), sum(|one| one.repaid));
    if amount.is_zero() {
        return Ok(None);
    }
    let shop = ShopAccounts::of(merchant, currency)?;
    let legs = vec![
        leg(Debit, &shop.unsettled, amount),
        leg(Credit, &shop.receivable, repaid),
        leg(Credit, &shop.available, amount.saturating_sub(repaid)),
    ];
    Ok(Some(moved(transaction_id, Kind::SETTLEMENT, legs)))
}

fn moved(transaction_id: TransactionId, kind: &'static str, legs: Vec<MovementLeg>) -> Movement {
    let legs = legs.into_iter().filter(|leg| !leg.amount.is_zero()).collect();
    Movement { transaction_id, kind: Kind::of(kind), legs }
}

fn paid(completed: &Completed) -> Result<Vec<MovementLeg>, IdError> {
    let currency = completed.payer.currency()?;
    let shop = ShopAccounts::of(&completed.merchant, currency)?;
    let house = HouseAccounts::of(currency)?;
    Ok(vec![
        leg(Debit, &completed.payer, completed.amount),
        leg(Credit, &shop.unsettled, completed.net()),
        leg(Credit, &house.income, completed.fee.saturating_sub(completed.tax)),
        leg(Credit, &house.tax, completed.tax),
    ])
}

/// What the shop gives.
fn given(completed: &Completed, from: &Sources) -> Result<Vec<MovementLeg>, IdError> {
    let shop = ShopAccounts::of(&completed.merchant, completed.payer.currency()?)?;
    Ok(vec![
        leg(Debit, &shop.unsettled, from.unsettled),
        leg(Debit, &shop.available, from.available),
        leg(Debit, &shop.receivable, from.receivable),
    ])
}

/// Whose the money is that was held. What the payer has won, the loan was paid with; what the shop
/// has won, the payer gives back, and owes as far as the wallet lacks it.
fn decided_legs(
    completed: &Completed,
    won_by: DisputeWinner,
    (amount, from_payer, repaid): (Decimal, Decimal, Decimal),
) -> Result<Vec<MovementLeg>, IdError> {
    let currency = completed.payer.currency()?;
    let house = HouseAccounts::of(currency)?;
    let mut legs = vec![leg(Debit, &house.held, amount)];
    if won_by == DisputeWinner::Merchant {
        let shop = ShopAccounts::of(&completed.merchant, currency)?;
        let owed = amount.saturating_sub(from_payer);
        legs.push(leg(Credit, &shop.receivable, repaid));
        legs.push(leg(Credit, &shop.available, amount.saturating_sub(repaid)));
        legs.push(leg(Debit, &completed.payer, from_payer));
        if !owed.is_zero() {
            legs.push(leg(Debit, &receivable_of(&completed.payer)?, owed));
        }
    }
    legs.push(leg(Credit, &house.provisional, amount));
    Ok(legs)
}

fn leg(direction: Direction, account: &AccountId, amount: Decimal) -> MovementLeg {
    MovementLeg { direction, account: account.clone(), amount }
}
