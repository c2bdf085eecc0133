//! What a transfer moves, and what its hold keeps: the recipe, in one place.

use rust_decimal::Decimal;

use super::{Completed, Held};
use crate::{
    chart::Direction::{Credit, Debit},
    ids::{AccountCode, AccountId, IdError},
    money::CurrencyCode,
    posting::Kind,
    withdrawal::movement::{Movement, MovementLeg},
};

/// Whether money can be sent from or to an account by a transfer: it is a wallet.
pub use crate::deposit::movement::is_wallet;

/// The accounts that a fee goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeeAccounts {
    /// Fees that are earned.
    pub income: AccountId,
    /// The tax in them.
    pub tax: AccountId,
}

impl FeeAccounts {
    /// The accounts beside a wallet, in its currency.
    ///
    /// # Errors
    /// Never for an id that was parsed.
    pub fn of(wallet: &AccountId) -> Result<Self, IdError> {
        Self::of_currency(wallet.currency()?)
    }

    /// The accounts of a currency.
    ///
    /// # Errors
    /// Never: their codes are constants.
    pub fn of_currency(currency: CurrencyCode) -> Result<Self, IdError> {
        let account = |code: &str| {
            let code: AccountCode = code.parse()?;
            Ok(AccountId::new(&code, currency))
        };
        Ok(Self { income: account("income:fees")?, tax: account("tax:gst_output")? })
    }
}

/// What the hold keeps: the amount and the fee. That the two can be added was checked when they
/// were fixed.
pub fn total(held: &Held) -> Decimal {
    held.amount.saturating_add(held.fee)
}

/// What a claim moves.
///
/// # Errors
/// Never for a transfer that exists: its accounts were checked.
pub fn movement(held: &Held, completed: &Completed) -> Result<Movement, IdError> {
    let fees = FeeAccounts::of(&held.account)?;
    let leg = |direction, account: &AccountId, amount| MovementLeg {
        direction,
        account: account.clone(),
        amount,
    };
    let mut legs = vec![
        leg(Debit, &held.account, total(held)),
        leg(Credit, &completed.account, held.amount),
        leg(Credit, &fees.income, held.fee.saturating_sub(held.tax)),
        leg(Credit, &fees.tax, held.tax),
    ];
    legs.retain(|leg| !leg.amount.is_zero());
    Ok(Movement { transaction_id: completed.transaction_id, kind: Kind::of(Kind::TRANSFER), legs })
}
