//! Takes the sending back of what lies in suspense apart: whose item it is says first that it
//! leaves suspense, so that of an assignment and a sending back exactly one wins; the withdrawal
//! then moves it.

use rust_decimal::Decimal;

use super::{Step, StreamId, View, checks, planner::Planner, withdrawals::internal};
use crate::{
    bank_line::{BankLineOperation, SendBackLine},
    command::Rejection,
    deposit::{DepositCommand, DepositOperation, DepositStanding, SendBackCredit, credit},
    ids::{AccountId, BankLineId, Item, WithdrawalId},
    withdrawal::{
        SendAgain, SendBack, Standing, Withdrawal, WithdrawalCommand, WithdrawalError,
        WithdrawalOperation, movement::Accounts,
    },
};

/// The stream of whose item is sent back; nothing if there is no such thing.
pub(super) fn source_of(back: &SendBack) -> Option<StreamId> {
    let deposit = credit::of_item(&back.item).map(|(id, _)| StreamId::Deposit(id));
    let line = || back.line.as_ref().map(|key| StreamId::BankLine(key.id()));
    let withdrawal = || sender_of(&back.item).map(StreamId::Withdrawal);
    deposit.or_else(withdrawal).or_else(line)
}

/// The withdrawal whose item it is, if it is one.
fn sender_of(item: &Item) -> Option<WithdrawalId> {
    item.as_str().parse().ok()
}

impl<V: View> Planner<'_, V> {
    /// What whoever has the item in suspense is asked: that it leaves.
    pub(super) fn leave_suspense(&self, back: &SendBack) -> Result<Step, Rejection> {
        let currency = back.amount.currency();
        let suspense = Accounts::of_suspense(currency.code).map_err(|_| internal())?.wallet;
        self.amount(&suspense, back.amount)?;
        let (reason, amount, by) = (back.reason.clone(), back.amount, back.withdrawal_id);
        if let Some((deposit_id, number)) = credit::of_item(&back.item) {
            let known = self.view.deposit(deposit_id);
            if known.exists() && known.currency() != Some(currency.code) {
                return Err(checks::other_currency(&suspense));
            }
            let sent = SendBackCredit { deposit_id, number, amount, withdrawal_id: by, reason };
            let (operation, now) = (DepositOperation::SendBack(sent), self.now);
            let command = DepositCommand { operation, standing: DepositStanding::default(), now };
            known.decide(&command)?;
            return Ok(Step::Deposit(deposit_id, Box::new(command)));
        }
        if let Some(withdrawal_id) = sender_of(&back.item) {
            let known = self.view.withdrawal(withdrawal_id);
            check_currency_of(&known, &suspense)?;
            let again = SendAgain { withdrawal_id, by, amount, reason };
            let operation = WithdrawalOperation::SendAgain(again);
            let command = WithdrawalCommand { operation, standing: Standing::default() };
            known.decide(&command)?;
            return Ok(Step::Withdrawal(withdrawal_id, Box::new(command)));
        }
        let key = back.line.clone().filter(|key| is_line(&back.item, key.id()));
        let Some(key) = key else {
            let text = "nothing of this name can lie in suspense";
            return Err(Rejection::new("not_in_suspense", text));
        };
        let id = key.id();
        let sent = SendBackLine { key, amount, withdrawal_id: by, reason };
        let operation = BankLineOperation::SendBack(sent);
        self.view.bank_line(id).decide(&operation)?;
        Ok(Step::BankLine(id, Box::new(operation)))
    }

    /// A wallet that can be given what is in suspense again.
    pub(super) fn check_assigned(
        &self,
        before: &Withdrawal,
        account: &AccountId,
    ) -> Result<(), Rejection> {
        self.check_wallet(account)?;
        check_currency_of(before, account)
    }

    /// What the parties of a sending back could give and take: suspense nothing by itself, so that
    /// all that comes back stays there as the withdrawal's; a wallet what it has room for.
    pub(super) fn standing_of_suspense(
        &self,
        operation: &WithdrawalOperation,
        amount: Decimal,
        owed: Decimal,
    ) -> Result<Standing, Rejection> {
        let zero = Decimal::new(0, amount.scale());
        let room = match operation.as_assignment() {
            Some(assign) => self.deposit_standing(Some(&assign.account))?.room,
            None => Some(zero),
        };
        Ok(Standing { spendable: Some(zero), room, owed })
    }
}

fn check_currency_of(before: &Withdrawal, account: &AccountId) -> Result<(), Rejection> {
    let requested = before.properties().ok_or(WithdrawalError::NotFound)?;
    if requested.account.currency() == account.currency() {
        Ok(())
    } else {
        Err(checks::other_currency(account))
    }
}

fn is_line(item: &Item, id: BankLineId) -> bool {
    item.as_str() == id.to_string()
}
