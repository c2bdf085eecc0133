//! Which accounts each event of a withdrawal moves: the recipes, in one place. Every leg on an
//! account that is kept by item names the withdrawal, so an item of `withdrawals:reserved` or
//! `withdrawals:in_flight` is exactly one withdrawal.

use rust_decimal::Decimal;

use super::{FeeState, Funds, GivenBack, Requested, Withdrawal, WithdrawalEvent};
use crate::{
    chart::{self, Direction},
    ids::{AccountCode, AccountId, BankCode, IdError, TransactionId},
    money::CurrencyCode,
    posting::Kind,
};
use Direction::{Credit, Debit};

/// Where credits lie that nobody knows the owner of.
const SUSPENSE: &str = "suspense:credits";

/// What an event moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// The transaction.
    pub transaction_id: TransactionId,
    /// Its kind.
    pub kind: Kind,
    /// Its legs, each above zero.
    pub legs: Vec<MovementLeg>,
}

/// One leg of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovementLeg {
    /// The side.
    pub direction: Direction,
    /// The account.
    pub account: AccountId,
    /// How much.
    pub amount: Decimal,
}

/// The accounts of a withdrawal's life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounts {
    /// Where the money comes from.
    pub wallet: AccountId,
    /// What waits for its bank.
    pub reserved: AccountId,
    /// What is sent and not proved paid.
    pub in_flight: AccountId,
    /// Fees that are not earned yet.
    pub fees_held: AccountId,
    /// What came back, or is given back, and is not on the wallet yet.
    pub unapplied: AccountId,
    /// Fees that are earned.
    pub income: AccountId,
    /// The tax on them.
    pub tax: AccountId,
    /// What the customer owes because banks paid late.
    pub owed: AccountId,
    currency: CurrencyCode,
}

impl Accounts {
    /// The accounts of a withdrawal that was requested.
    ///
    /// # Errors
    /// Never: they were checked then.
    pub fn of_requested(requested: &Requested) -> Result<Self, IdError> {
        match requested.item {
            Some(_) => Self::of_suspense(requested.account.currency()?),
            None => Self::of(&requested.account),
        }
    }

    /// The accounts of what is sent back from suspense: what does not get through is there again,
    /// as an item of the withdrawal, and what was paid twice somebody out there owes us.
    ///
    /// # Errors
    /// Never: the codes are constants.
    pub fn of_suspense(currency: CurrencyCode) -> Result<Self, IdError> {
        let suspense = account(SUSPENSE, currency)?;
        Self::with(&suspense, &suspense, "suspense", currency)
    }

    /// The accounts of withdrawals from `wallet`.
    ///
    /// # Errors
    /// [`IdError`] if money cannot be withdrawn from it: it is neither a wallet nor what a shop can
    /// dispose of, or its code is too long to have a receivable beside it.
    pub fn of(wallet: &AccountId) -> Result<Self, IdError> {
        let expected = "wallet:… or merchant:…:available";
        let (currency, code) = (wallet.currency()?, wallet.code());
        let segments: Vec<&str> = code.segments().collect();
        let (["wallet", party] | ["merchant", party, "available"]) = *segments else {
            return Err(IdError { expected });
        };
        Self::with(wallet, &account("returns:unapplied", currency)?, party, currency)
    }

    fn with(
        wallet: &AccountId,
        unapplied: &AccountId,
        party: &str,
        currency: CurrencyCode,
    ) -> Result<Self, IdError> {
        let account = |code: &str| account(code, currency);
        Ok(Self {
            wallet: wallet.clone(),
            reserved: account("withdrawals:reserved")?,
            in_flight: account("withdrawals:in_flight")?,
            fees_held: account("fees:held")?,
            unapplied: unapplied.clone(),
            income: account("income:fees")?,
            tax: account("tax:gst_output")?,
            owed: account(&format!("receivable:overpaid:{party}"))?,
            currency,
        })
    }

    /// What `bank` says it paid and its statement does not show yet.
    ///
    /// # Errors
    /// Never: a bank's name is a segment of a code.
    pub fn clearing_out(&self, bank: &BankCode) -> Result<AccountId, IdError> {
        account(&format!("bank:{bank}:clearing_out"), self.currency)
    }

    /// What `bank` says it got and its statement does not show yet.
    ///
    /// # Errors
    /// Never: a bank's name is a segment of a code.
    pub fn clearing_in(&self, bank: &BankCode) -> Result<AccountId, IdError> {
        account(&format!("bank:{bank}:clearing_in"), self.currency)
    }
}

fn account(code: &str, currency: CurrencyCode) -> Result<AccountId, IdError> {
    let code: AccountCode = code.parse()?;
    Ok(AccountId::new(&code, currency))
}

/// Whether legs on `account` name the withdrawal.
pub fn is_itemised(account: &AccountId) -> bool {
    chart::lookup(&account.code()).is_some_and(|entry| entry.itemised)
}

/// What `event` moves, if anything, given the withdrawal before it.
///
/// # Errors
/// Never for a withdrawal that was requested: its accounts were checked then.
pub fn movement(before: &Withdrawal, event: &WithdrawalEvent) -> Result<Option<Movement>, IdError> {
    let requested = if let WithdrawalEvent::Requested(requested) = event {
        Some(requested)
    } else {
        before.properties()
    };
    let Some(requested) = requested else { return Ok(None) };
    let recipe = Recipe { before, requested, accounts: Accounts::of_requested(requested)? };
    let movement = recipe.movement(event)?;
    Ok(movement.map(|mut movement| {
        movement.legs.retain(|leg| !leg.amount.is_zero());
        movement
    }))
}

struct Recipe<'a> {
    before: &'a Withdrawal,
    requested: &'a Requested,
    accounts: Accounts,
}

impl Recipe<'_> {
    fn movement(&self, event: &WithdrawalEvent) -> Result<Option<Movement>, IdError> {
        let (accounts, amount) = (&self.accounts, self.requested.amount);
        let paid = |attempt: u32| -> Result<_, IdError> {
            Ok((accounts.clearing_out(self.bank(attempt))?, self.before.due(attempt)))
        };
        let (id, kind, legs) = match event {
            WithdrawalEvent::Requested(requested) => {
                (requested.transaction_id, Kind::WITHDRAWAL, self.set_aside())
            }
            WithdrawalEvent::Queued(queued) => match queued.transaction_id {
                Some(id) => {
                    let legs = two(&accounts.in_flight, &accounts.reserved, amount);
                    (id, Kind::WITHDRAWAL, legs)
                }
                None => return Ok(None),
            },
            WithdrawalEvent::AttemptBegun(begun) => {
                let legs = two(&accounts.reserved, &accounts.in_flight, amount);
                (begun.transaction_id, Kind::WITHDRAWAL, legs)
            }
            WithdrawalEvent::Rejected(back)
            | WithdrawalEvent::Cancelled(back)
            | WithdrawalEvent::Failed(back) => {
                (back.transaction_id, Kind::WITHDRAWAL_RETURNED, self.give_back(back))
            }
            WithdrawalEvent::PaidInPart(part) => {
                let (out, _) = paid(part.attempt)?;
                let legs = two(&accounts.in_flight, &out, part.amount);
                (part.transaction_id, Kind::WITHDRAWAL, legs)
            }
            WithdrawalEvent::Completed(completed) => {
                let (out, due) = paid(completed.attempt)?;
                let mut legs = two(self.source(), &out, due);
                legs.extend(self.earn());
                (completed.transaction_id, Kind::WITHDRAWAL, legs)
            }
            WithdrawalEvent::CompletedLate(late) => {
                let (out, due) = paid(late.attempt)?;
                let mut legs = vec![
                    leg(Debit, &accounts.in_flight, late.from_in_flight),
                    leg(Debit, &accounts.unapplied, late.from_unapplied),
                    leg(Debit, &accounts.wallet, late.from_wallet),
                    leg(Debit, &accounts.owed, late.owed),
                    leg(Credit, &out, due),
                ];
                legs.extend(self.earn());
                (late.transaction_id, Kind::WITHDRAWAL_LATE, legs)
            }
            WithdrawalEvent::Returned(returned) => {
                let come = accounts.clearing_in(self.bank(returned.attempt))?;
                let legs = two(&come, &accounts.unapplied, returned.amount);
                (returned.transaction_id, Kind::WITHDRAWAL, legs)
            }
            WithdrawalEvent::Applied(applied) => {
                let legs = self.apply(applied.amount, applied.fee, applied.repaid);
                (applied.transaction_id, Kind::WITHDRAWAL_RETURNED, legs)
            }
            WithdrawalEvent::Assigned(to) => {
                let legs = two(&accounts.unapplied, &to.account, to.amount);
                (to.transaction_id, Kind::DEPOSIT, legs)
            }
            WithdrawalEvent::SentAgain(_)
            | WithdrawalEvent::ReviewRequired(_)
            | WithdrawalEvent::Approved {}
            | WithdrawalEvent::AttemptRefused(_)
            | WithdrawalEvent::OutcomeUnknown(_)
            | WithdrawalEvent::AttentionNeeded(_) => return Ok(None),
        };
        Ok(Some(Movement { transaction_id: id, kind: Kind::of(kind), legs }))
    }

    /// The bank of an attempt; the one that was asked for, if there is no such attempt.
    fn bank(&self, attempt: u32) -> &BankCode {
        self.before.attempt(attempt).map_or(&self.requested.bank, |attempt| &attempt.bank)
    }

    /// Where the amount is that is still set aside.
    fn source(&self) -> &AccountId {
        match self.before.funds() {
            Funds::InFlight => &self.accounts.in_flight,
            Funds::Untouched | Funds::Reserved | Funds::Out | Funds::GivenBack => {
                &self.accounts.reserved
            }
        }
    }

    fn set_aside(&self) -> Vec<MovementLeg> {
        let Requested { amount, fee, .. } = self.requested;
        vec![
            leg(Debit, &self.accounts.wallet, amount.saturating_add(*fee)),
            leg(Credit, &self.accounts.reserved, *amount),
            leg(Credit, &self.accounts.fees_held, *fee),
        ]
    }

    fn give_back(&self, back: &GivenBack) -> Vec<MovementLeg> {
        let Accounts { wallet, unapplied, fees_held, .. } = &self.accounts;
        vec![
            leg(Debit, self.source(), self.before.left()),
            leg(Debit, fees_held, self.requested.fee),
            leg(Credit, if back.unapplied { unapplied } else { wallet }, back.total),
        ]
    }

    /// The fee of a payment, where it was not earned before.
    fn earn(&self) -> Vec<MovementLeg> {
        let Requested { fee, tax, .. } = self.requested;
        if self.before.fee_state() != FeeState::Held {
            return Vec::new();
        }
        vec![
            leg(Debit, &self.accounts.fees_held, *fee),
            leg(Credit, &self.accounts.income, fee.saturating_sub(*tax)),
            leg(Credit, &self.accounts.tax, *tax),
        ]
    }

    fn apply(&self, amount: Decimal, fee: Decimal, repaid: Decimal) -> Vec<MovementLeg> {
        let accounts = &self.accounts;
        let tax = if fee.is_zero() { fee } else { self.requested.tax };
        let to_wallet = amount.saturating_add(fee).saturating_sub(repaid);
        vec![
            leg(Debit, &accounts.unapplied, amount),
            leg(Debit, &accounts.income, fee.saturating_sub(tax)),
            leg(Debit, &accounts.tax, tax),
            leg(Credit, &accounts.owed, repaid),
            leg(Credit, &accounts.wallet, to_wallet),
        ]
    }
}

fn two(from: &AccountId, to: &AccountId, amount: Decimal) -> Vec<MovementLeg> {
    vec![leg(Debit, from, amount), leg(Credit, to, amount)]
}

fn leg(direction: Direction, account: &AccountId, amount: Decimal) -> MovementLeg {
    MovementLeg { direction, account: account.clone(), amount }
}
