//! What is in a wallet, on its way to it, on its way from it, and held: never one number.

use ledger_core::{
    ids::AccountId,
    log::Position,
    money::{Currency, Money},
    planning::debts_of,
};
use projections::{Balance, ReadModels, Towards, Underway};
use rust_decimal::Decimal;

use crate::http::{ApiState, Problem, reader::find};

/// Money that a bank told of and that is not on the wallet yet. What nobody has paid yet is not on
/// its way, and what a bank asks back is on the wallet, held.
const COMING: [&str; 2] = ["received", "in_review"];

/// A wallet's balance in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balances {
    /// The wallet.
    pub account: AccountId,
    /// Its currency.
    pub currency: Currency,
    /// What can be spent now.
    pub available: Money,
    /// What a bank told of and is being checked.
    pub on_its_way_in: Money,
    /// What was given to a bank, or waits for it, with its fees.
    pub on_its_way_out: Money,
    /// What is the wallet's and cannot be spent: holds and liens.
    pub held: Money,
    /// The sum of these four.
    pub total: Money,
    /// What the wallet's owner owes us, which the next money that comes repays; no part of the sum.
    pub owed: Money,
    /// The position that this reflects.
    pub position: Position,
}

/// The parts of a wallet's balance.
pub(crate) async fn balances(state: &ApiState, account: &AccountId) -> Result<Balances, Problem> {
    let models = &state.read_models;
    let (_, balance) = find(state, || models.balance(account)).await?;
    // Two questions see two moments: the figures are those of one as soon as nothing came between.
    let (balance, underway) = agreeing(models, account, balance).await?;
    let debts = debts_of(account);
    let owed = if debts.is_empty() { Decimal::ZERO } else { models.owed(&debts).await? };
    let found = of(account, &balance.0, (&underway, owed), balance.1);
    found.map_err(|error| Problem::internal(&error))
}

/// How often it is asked again where the log moved on between two questions.
const ATTEMPTS: u32 = 3;

async fn agreeing(
    models: &ReadModels,
    account: &AccountId,
    mut balance: Balance,
) -> Result<((Balance, Position), Vec<Underway>), Problem> {
    let mut attempt = 0;
    loop {
        let underway = models.activity_underway(account).await?;
        let again = models.balance(account).await?;
        let same = again.value.as_ref().is_some_and(|now| now.sequence == balance.sequence);
        if let Some(now) = again.value {
            balance = now;
        }
        attempt += 1;
        if same || attempt == ATTEMPTS {
            let position = underway.position.min(again.position);
            return Ok(((balance, position), underway.value));
        }
    }
}

fn of(
    account: &AccountId,
    balance: &Balance,
    (underway, owed): (&[Underway], Decimal),
    position: Position,
) -> Result<Balances, ledger_core::money::MoneyError> {
    let currency = balance.currency;
    let money = |amount: Decimal| super::money(amount, currency);
    let sum = |which: &dyn Fn(&Underway) -> bool| {
        let amounts = underway.iter().filter(|sum| which(sum)).map(|sum| sum.amount);
        amounts.fold(Decimal::ZERO, Decimal::saturating_add)
    };
    let coming = |sum: &Underway| {
        let is_told = COMING.contains(&sum.object_status.as_str());
        sum.direction == Towards::In && sum.kind == "deposit" && is_told
    };
    // What waits to be claimed is in a hold, and so in what is held.
    let going = |sum: &Underway| sum.direction == Towards::Out && sum.kind == "withdrawal";
    let parts = [
        balance.available.unwrap_or(balance.posted),
        sum(&coming),
        sum(&going),
        balance.held.saturating_add(balance.liens),
    ];
    let total = parts.into_iter().fold(Decimal::ZERO, Decimal::saturating_add);
    let [available, on_its_way_in, on_its_way_out, held] = parts;
    Ok(Balances {
        account: account.clone(),
        currency,
        available: money(available)?,
        on_its_way_in: money(on_its_way_in)?,
        on_its_way_out: money(on_its_way_out)?,
        held: money(held)?,
        total: money(total)?,
        owed: money(owed)?,
        position,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_to_be_paid_is_not_on_its_way_and_what_waits_to_be_claimed_counts_once() {
        let currency = Currency { code: "INR".parse().unwrap(), scale: 2 };
        let rupees = |text: &str| text.parse::<Decimal>().unwrap();
        let balance = Balance {
            currency,
            posted: rupees("100.00"),
            held: rupees("30.00"),
            liens: rupees("5.00"),
            available: Some(rupees("65.00")),
            floor: Some(Decimal::ZERO),
            ceiling: None,
            sequence: 9,
        };
        let sum = |direction, kind: &str, object_status: &str, amount: &str| Underway {
            direction,
            kind: kind.to_owned(),
            object_status: object_status.to_owned(),
            amount: rupees(amount),
            count: 1,
        };
        let underway = [
            sum(Towards::In, "deposit", "awaiting_payment", "500.00"),
            sum(Towards::In, "deposit", "received", "20.00"),
            sum(Towards::In, "deposit", "recall_requested", "30.00"),
            sum(Towards::Out, "withdrawal", "outcome_unknown", "15.00"),
            sum(Towards::Out, "transfer", "pending_claim", "30.00"),
        ];
        let account = "wallet:asha:INR".parse().unwrap();
        let found = of(&account, &balance, (&underway, rupees("12.5")), 7).unwrap();
        let shown =
            [found.available, found.on_its_way_in, found.on_its_way_out, found.held, found.total];
        let shown = shown.map(|money| money.amount().to_string());
        assert_eq!(shown, ["65.00", "20.00", "15.00", "35.00", "135.00"]);
        assert_eq!(found.owed.amount().to_string(), "12.50");
    }
}
