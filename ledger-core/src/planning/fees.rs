//! What withdrawals and transfers cost, as the book has it at the moment of the command: who asks
//! may be a version behind, the log never is.

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::{Plan, ReceiptPlan, Step, StreamId, View, planner::Planner, withdrawals::internal};
use crate::{
    account::AccountCommand,
    book::{BookCommand, DefineFee},
    chart::Authority,
    command::Rejection,
    fee::{Pricing, Service, ServiceFee},
    ids::AccountId,
    money::{Currency, Money, MoneyError},
    posting::{Kind, Posting},
    transfer::{HoldTransfer, TransferOperation, movement::FeeAccounts},
    withdrawal::{RequestWithdrawal, WithdrawalOperation, quote::Quote},
};

/// The streams that a definition touches: a transfer opens no account, so the fee's are opened with
/// its first version.
pub(super) fn streams(define: &DefineFee) -> Vec<StreamId> {
    let accounts = accounts(define.fee.currency()).into_iter().map(StreamId::Account);
    std::iter::once(StreamId::Book).chain(accounts).collect()
}

fn accounts(currency: Currency) -> Vec<AccountId> {
    let accounts = FeeAccounts::of_currency(currency.code).ok();
    accounts.into_iter().flat_map(|fees| [fees.income, fees.tax]).collect()
}

impl<V: View> Planner<'_, V> {
    pub(super) fn define_fee(&self, define: &DefineFee) -> Result<Plan, Rejection> {
        let mut steps = vec![Step::Book(BookCommand::DefineFee(Box::new(*define), self.now))];
        // What the book says comes first: its errors have precedence.
        self.view.book().decide_fee(define, self.now)?;
        for account in accounts(define.fee.currency()) {
            let known = self.view.account(&account).ok_or_else(internal)?;
            if known.properties().is_none() {
                let open = self.opening(&account, None)?;
                steps.push(Step::Account(account, AccountCommand::Open(open)));
            }
        }
        Ok(Plan { steps, receipt: ReceiptPlan::Book, notes: Vec::new() })
    }

    /// The withdrawal with the price that is in force, where that is to be charged.
    pub(super) fn priced_withdrawal<'a>(
        &self,
        operation: &'a WithdrawalOperation,
    ) -> Result<Cow<'a, WithdrawalOperation>, Rejection> {
        let Some(request) = operation.as_request() else { return Ok(Cow::Borrowed(operation)) };
        let Pricing::InForce(expected) = request.pricing else {
            return Ok(Cow::Borrowed(operation));
        };
        let (fee, price) = self.price(Service::Withdrawal, request.amount, expected)?;
        Ok(Cow::Owned(WithdrawalOperation::Request(RequestWithdrawal {
            fee: price.fee,
            tax: price.tax,
            pricing: Pricing::InForce(Some(fee.version)),
            ..request.clone()
        })))
    }

    /// The transfer with the price that is in force, where that is to be charged.
    pub(super) fn priced_transfer<'a>(
        &self,
        operation: &'a TransferOperation,
    ) -> Result<Cow<'a, TransferOperation>, Rejection> {
        let TransferOperation::Hold(hold) = operation else {
            return Ok(Cow::Borrowed(operation));
        };
        let Pricing::InForce(expected) = hold.pricing else {
            return Ok(Cow::Borrowed(operation));
        };
        let (fee, price) = self.price(Service::Transfer, hold.amount, expected)?;
        Ok(Cow::Owned(TransferOperation::Hold(HoldTransfer {
            fee: price.fee,
            tax: price.tax,
            pricing: Pricing::InForce(Some(fee.version)),
            ..hold.clone()
        })))
    }

    /// What is posted as a transfer at once has the legs of the fee in force, and no others. The
    /// version to name; nothing where the book has none, and for what is no such transfer.
    pub(super) fn check_transfer_fee(&self, posting: &Posting) -> Result<Option<u32>, Rejection> {
        let is_transfer = posting.kind.as_str() == Kind::TRANSFER;
        let sent = posting.legs.first().filter(|_| is_transfer);
        let Some(sent) = sent.filter(|_| self.authority == Authority::of_transfers()) else {
            return Ok(None);
        };
        let currency = sent.amount.currency();
        let fee = self.fee(Service::Transfer, currency)?;
        // The first version is in no event, and nobody needs to be told of it.
        let named = Some(fee.version).filter(|version| *version > 1);
        if posting.legs.len() == 2 && fee.fee.is_zero() {
            return Ok(named);
        }
        let price = fee.price(Money::zero(currency)).map_err(|_| internal())?;
        let accounts = FeeAccounts::of(&sent.account).map_err(|_| internal())?;
        let charged = |account: &AccountId| {
            let mut of = posting.legs.iter().filter(|leg| leg.account == *account);
            of.try_fold(Decimal::ZERO, |sum, leg| sum.checked_add(leg.amount.amount()))
        };
        let (net, tax) = (charged(&accounts.income), charged(&accounts.tax));
        if (net, tax) == (Some(price.net.amount()), Some(price.tax.amount())) {
            return Ok(named);
        }
        Err(changed(&fee))
    }

    fn price(
        &self,
        service: Service,
        amount: Money,
        expected: Option<u32>,
    ) -> Result<(ServiceFee, Quote), Rejection> {
        self.known(amount.currency())?;
        let fee = self.fee(service, amount.currency())?;
        if expected.is_some_and(|expected| expected != fee.version) {
            return Err(changed(&fee));
        }
        let price = fee.price(amount).map_err(refused)?;
        Ok((fee, price))
    }

    fn fee(&self, service: Service, currency: Currency) -> Result<ServiceFee, Rejection> {
        let fee = self.view.book().fee(service, currency, self.now);
        fee.map_err(refused)
    }
}

fn changed(fee: &ServiceFee) -> Rejection {
    let text = format!("version {} of the fee is in force, another was expected", fee.version);
    Rejection::new("fee_changed", &text)
}

fn refused(error: MoneyError) -> Rejection {
    Rejection::new(error.code(), &error.to_string())
}
