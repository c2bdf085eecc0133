//! Takes lumps apart: several deposits' credits that a bank states as one. Whoever names the parts,
//! a line or a credit that is divided, moves all of them in one transaction; each deposit says in
//! the same append that its credit is settled by it, or nothing happens at all.

use super::{Step, View, checks, planner::Planner, withdrawals::internal};
use crate::{
    bank_line::{Part, Purpose},
    command::Rejection,
    deposit::{
        Deposit, DepositCommand, DepositError, DepositOperation, DepositStanding, DivideCredit,
        Divided, SettleCredit, SettlePart, credit, movement,
    },
    ids::{AccountId, BankCode, DepositId, TransactionId},
    money::{Currency, Money},
};

/// What names credits as its parts.
pub(super) struct Shown<'a> {
    /// The bank that states it.
    pub(super) bank: &'a BankCode,
    /// The currency of all of it.
    pub(super) currency: Currency,
    /// What it is of; only credits of deposits are looked at.
    pub(super) parts: &'a [Part],
    /// The transaction that moves it.
    pub(super) transaction_id: TransactionId,
}

/// The deposits whose credits are among the parts.
pub(super) fn deposits_of(parts: &[Part]) -> impl Iterator<Item = DepositId> {
    parts.iter().filter_map(credit_of).map(|(id, _)| id)
}

fn credit_of(part: &Part) -> Option<(DepositId, u32)> {
    let item = part.item.as_ref().filter(|_| part.purpose == Purpose::Arrival)?;
    credit::of_item(item)
}

impl<V: View> Planner<'_, V> {
    /// What the deposits of the parts are asked: that their credits are settled.
    pub(super) fn settle_parts(
        &self,
        shown: &Shown<'_>,
        steps: &mut Vec<Step>,
    ) -> Result<(), Rejection> {
        for part in shown.parts {
            let Some((deposit_id, number)) = credit_of(part) else { continue };
            let known = self.view.deposit(deposit_id);
            if known.exists() && known.currency() != Some(shown.currency.code) {
                return Err(DepositError::CreditDiffers.into());
            }
            let amount = Money::from_decimal(part.amount, shown.currency);
            let settle = SettlePart {
                deposit_id,
                number,
                bank: shown.bank.clone(),
                amount: amount.map_err(|_| internal())?,
                transaction_id: shown.transaction_id,
            };
            let (operation, now) = (DepositOperation::SettlePart(settle), self.now);
            let command = DepositCommand { operation, standing: DepositStanding::default(), now };
            known.decide(&command)?;
            steps.push(Step::Deposit(deposit_id, Box::new(command)));
        }
        Ok(())
    }

    /// What follows from a lump that is divided.
    pub(super) fn division(
        &self,
        id: DepositId,
        (before, divided): (&Deposit, &Divided),
        (opened, steps): (&mut Vec<AccountId>, &mut Vec<Step>),
    ) -> Result<(), Rejection> {
        let known = before.credit(divided.number).ok_or_else(internal)?;
        let code = before.currency().ok_or_else(internal)?;
        let currency = self.view.book().currency(code).ok_or_else(internal)?;
        let transaction_id = divided.transaction_id;
        let (bank, parts) = (&known.credit.bank, divided.parts.as_slice());
        self.settle_parts(&Shown { bank, currency, parts, transaction_id }, steps)?;
        let moved = movement::division(id, before, divided).map_err(|_| internal())?;
        let (cause, value_date) = (checks::reference(&id)?, known.credit.value_date);
        self.post_items(moved, (currency, value_date), &cause, (opened, steps))
    }

    /// Amounts are at the scale of the deposit's currency.
    pub(super) fn check_division(
        &self,
        before: &Deposit,
        divide: &DivideCredit,
    ) -> Result<(), Rejection> {
        let currency = before.currency().and_then(|code| self.view.book().currency(code));
        let Some(scale) = currency.map(|currency| u32::from(currency.scale)) else {
            return Err(DepositError::NotFound.into());
        };
        if divide.parts.iter().all(|part| part.amount.scale() == scale) {
            Ok(())
        } else {
            Err(DepositError::LumpDiffers.into())
        }
    }

    /// The line of a credit that is settled already has settled it, or another line has: then its
    /// money came twice, or it was named as a part of the wrong lump. People look.
    pub(super) fn check_first_line(&self, settle: &SettleCredit) -> Result<(), Rejection> {
        let line = movement::line_of(&settle.claim.credit()).id();
        if self.view.bank_line(line).properties().is_none() {
            return Err(DepositError::CreditSettled.into());
        }
        Ok(())
    }
}
