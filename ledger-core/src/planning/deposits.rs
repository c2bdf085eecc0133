//! Takes operations on deposits apart: what the deposit says to them, and the transactions that
//! follow from it. Accounts that are the machine's own are opened with the first leg on them, so
//! that what a bank has got can always be booked; wallets are opened by their owners only.

use rust_decimal::Decimal;

use super::{
    Plan, ReceiptPlan, Step, View, checks,
    planner::Planner,
    recalls::{check_receivable, is_open},
    repayments::debts_of,
    withdrawals::{Named, internal},
};
use crate::{
    account::Account,
    bank_line::{BankLineOperation, BookBankLine, ExpectBankLine, Part, Purpose, ResolveBankLine},
    chart::Direction,
    command::Rejection,
    deposit::{
        BeginDeposit, CreditClaim, Deposit, DepositCommand, DepositError, DepositEvent,
        DepositOperation, DepositStanding, SettleCredit,
        credit::item_of,
        movement::{self, Accounts, is_wallet},
    },
    hold::Hold,
    ids::{AccountId, BankLineId, DepositId, TransactionId},
    tier::Flow,
    withdrawal::movement::Movement,
};

/// The accounts that an operation may touch, given its deposit.
pub fn accounts_of_deposit(operation: &DepositOperation, deposit: &Deposit) -> Vec<AccountId> {
    let wallet = wallet_of(operation, deposit).cloned();
    let (bank, currency) = match operation {
        DepositOperation::DecideReview(decide) => {
            let credit = deposit.credit(decide.number);
            (credit.map(|known| &known.credit.bank), deposit.currency())
        }
        DepositOperation::DecideRecall(decide) => {
            let credit = deposit.credit(decide.number);
            (credit.map(|known| &known.credit.bank), deposit.currency())
        }
        DepositOperation::Divide(divide) => {
            let credit = deposit.credit(divide.number);
            (credit.map(|known| &known.credit.bank), deposit.currency())
        }
        DepositOperation::Begin(_)
        | DepositOperation::Cancel(_)
        | DepositOperation::Expire(_)
        | DepositOperation::RecordDeclined(_)
        | DepositOperation::RecordReceived(_)
        | DepositOperation::ConfirmCredit(_)
        | DepositOperation::SettleCredit(_)
        | DepositOperation::SettlePart(_)
        | DepositOperation::SendBack(_)
        | DepositOperation::RequestRecall(_) => {
            let claim = operation.claim();
            (claim.map(|claim| &claim.bank), claim.map(CreditClaim::currency))
        }
    };
    let known = bank.zip(currency).and_then(|(bank, currency)| Accounts::of(bank, currency).ok());
    // What money on the wallet repays first.
    let debts = wallet.as_ref().map(debts_of).unwrap_or_default();
    let house: Vec<AccountId> = match (operation, known) {
        (DepositOperation::ConfirmCredit(_), Some(of)) => {
            debts.into_iter().chain([of.clearing_in, of.suspense]).collect()
        }
        (DepositOperation::SettleCredit(_), Some(of)) => {
            let house = [of.clearing_in, of.suspense, of.escrow, of.charges, of.tax];
            debts.into_iter().chain(house).collect()
        }
        (DepositOperation::DecideReview(_), Some(of)) => {
            debts.into_iter().chain([of.suspense]).collect()
        }
        (DepositOperation::DecideRecall(_), Some(of)) => {
            let owed = wallet.as_ref().and_then(|wallet| movement::receivable_of(wallet).ok());
            owed.into_iter().chain([of.suspense, of.clearing_out]).collect()
        }
        (DepositOperation::Divide(_), Some(of)) => {
            vec![of.suspense, of.clearing_in, of.charges, of.tax]
        }
        (
            DepositOperation::Begin(_)
            | DepositOperation::Cancel(_)
            | DepositOperation::Expire(_)
            | DepositOperation::RecordDeclined(_)
            | DepositOperation::RecordReceived(_)
            | DepositOperation::ConfirmCredit(_)
            | DepositOperation::SettleCredit(_)
            | DepositOperation::DecideReview(_)
            | DepositOperation::RequestRecall(_)
            | DepositOperation::SendBack(_)
            | DepositOperation::SettlePart(_)
            | DepositOperation::Divide(_)
            | DepositOperation::DecideRecall(_),
            _,
        ) => Vec::new(),
    };
    wallet.into_iter().chain(house).collect()
}

/// The wallet that an operation would put money on, or take it from.
fn wallet_of<'a>(operation: &'a DepositOperation, deposit: &'a Deposit) -> Option<&'a AccountId> {
    match operation {
        DepositOperation::Begin(begin) => Some(&begin.account),
        DepositOperation::DecideReview(decide) => decide.assign_to.as_ref(),
        DepositOperation::RequestRecall(request) => {
            deposit.wallet_of(deposit.number_of(&request.claim.credit())?)
        }
        DepositOperation::DecideRecall(decide) => deposit.wallet_of(decide.number),
        DepositOperation::RecordReceived(_)
        | DepositOperation::ConfirmCredit(_)
        | DepositOperation::SettleCredit(_) => {
            let claimed = operation.claim().and_then(|claim| claim.unsolicited_to.as_ref());
            if deposit.exists() { deposit.account() } else { claimed }
        }
        DepositOperation::Cancel(_)
        | DepositOperation::Expire(_)
        | DepositOperation::RecordDeclined(_)
        | DepositOperation::SettlePart(_)
        | DepositOperation::Divide(_)
        | DepositOperation::SendBack(_) => None,
    }
}

impl<V: View> Planner<'_, V> {
    pub(super) fn deposit(&self, operation: &DepositOperation) -> Result<Plan, Rejection> {
        let id = operation.deposit_id();
        let before = self.view.deposit(id);
        self.check_deposit(operation, &before)?;
        let wallet = wallet_of(operation, &before);
        let open = operation.hold_id().map(|id| self.view.hold(id)).filter(is_open);
        let held = open.as_ref().map(Hold::amount).unwrap_or_default();
        let standing = DepositStanding { held, ..self.deposit_standing(wallet)? };
        let command = DepositCommand { operation: operation.clone(), standing, now: self.now };
        let events = before.decide(&command).map_err(Rejection::from)?;
        if let (true, DepositOperation::SettleCredit(settle)) = (events.is_empty(), operation) {
            self.check_first_line(settle)?;
        }
        let mut steps = vec![Step::Deposit(id, Box::new(command))];
        let (mut opened, mut lines) = (Vec::new(), Vec::new());
        let mut state = before.clone();
        for event in events {
            let moved = movement::movement(&state, &event).map_err(|_| internal())?;
            if matches!(event, DepositEvent::Credited(_) | DepositEvent::PutAside(_)) {
                lines.extend(expected_line(operation, &state, &event)?);
            }
            if let (DepositEvent::Settled(settled), DepositOperation::SettleCredit(settle)) =
                (&event, operation)
            {
                lines.push(self.settling_line(settle, id, settled.number)?);
            }
            if let DepositEvent::Divided(divided) = &event {
                self.division(id, (&state, divided), (&mut opened, &mut steps))?;
            }
            self.recall_hold(&event, wallet, (operation.hold_id(), open.as_ref()), &mut steps);
            state = state.after(event);
            if let Some(moved) = moved {
                self.open_missing(&moved.movement, wallet, &mut opened, &mut steps)?;
                let named = Named {
                    cause: checks::reference(&id)?,
                    item: item_of(id, moved.number).map_err(|_| internal())?,
                    value_date: Some(moved.value_date),
                };
                let brought = brought(&moved.movement, wallet);
                self.post_movement(&named, moved.movement, &mut steps)?;
                if let Some((wallet, brought)) = wallet.zip(brought) {
                    self.repay(wallet, brought, &mut steps)?;
                }
            }
        }
        for line in lines {
            self.bank_line_steps(&line, &mut opened, &mut steps)?;
        }
        Ok(Plan { steps, receipt: ReceiptPlan::Deposit(id), notes: Vec::new() })
    }

    /// What no deposit would see by itself.
    fn check_deposit(
        &self,
        operation: &DepositOperation,
        before: &Deposit,
    ) -> Result<(), Rejection> {
        match operation {
            DepositOperation::Begin(begin) => self.check_begin(begin)?,
            DepositOperation::SettleCredit(settle) => {
                self.check_claim(before, &settle.claim)?;
                check_charges(settle)?;
            }
            DepositOperation::RecordReceived(_)
            | DepositOperation::ConfirmCredit(_)
            | DepositOperation::RequestRecall(_) => {
                let claim = operation.claim().ok_or_else(internal)?;
                self.check_claim(before, claim)?;
            }
            DepositOperation::DecideReview(decide) => {
                if let Some(account) = &decide.assign_to {
                    self.check_wallet(account)?;
                    if before.exists() && account.currency().ok() != before.currency() {
                        return Err(checks::other_currency(account));
                    }
                }
            }
            DepositOperation::DecideRecall(decide) => check_receivable(decide, before)?,
            DepositOperation::Divide(divide) => self.check_division(before, divide)?,
            // They stand beside what sends or names them, never alone.
            DepositOperation::SendBack(_) | DepositOperation::SettlePart(_) => {
                return Err(internal());
            }
            DepositOperation::Cancel(_)
            | DepositOperation::Expire(_)
            | DepositOperation::RecordDeclined(_) => {}
        }
        Ok(())
    }

    /// The line that settles a credit: it moves the bank's account, or what of it lies in suspense
    /// because nobody knew the credit when the line was booked.
    fn settling_line(
        &self,
        settle: &SettleCredit,
        id: DepositId,
        number: u32,
    ) -> Result<BankLineOperation, Rejection> {
        let (claim, currency) = (&settle.claim, settle.claim.amount.currency());
        let item = item_of(id, number).map_err(|_| internal())?;
        let kept = [(Purpose::Charges, settle.charges), (Purpose::Tax, settle.tax)];
        let kept = kept.into_iter().filter(|(_, amount)| !amount.is_zero());
        let mut net = claim.amount;
        let mut parts = vec![Part::of_item(Purpose::Arrival, item, claim.amount.amount())];
        for (purpose, amount) in kept {
            net = net.checked_sub(amount).map_err(|_| internal())?;
            parts.push(Part::plain(purpose, amount.amount()));
        }
        let (key, transaction_id) = (movement::line_of(&claim.credit()), settle.transaction_id);
        if self.view.bank_line(key.id()).properties().is_some() {
            let resolve = ResolveBankLine { key, currency, parts, transaction_id };
            return Ok(BankLineOperation::Resolve(resolve));
        }
        let (booking_date, amount) = (settle.booking_date, net);
        let book = BookBankLine { key, booking_date, amount, parts, transaction_id };
        Ok(BankLineOperation::Book(book))
    }

    fn check_begin(&self, begin: &BeginDeposit) -> Result<(), Rejection> {
        self.amount(&begin.account, begin.amount)?;
        self.check_wallet(&begin.account)
    }

    /// A wallet that exists. Whether it can take the money is seen when the money is there.
    pub(super) fn check_wallet(&self, account: &AccountId) -> Result<(), Rejection> {
        if !is_wallet(account) {
            let text = "money is paid in to a wallet";
            return Err(Rejection::new("not_depositable", text).of(account));
        }
        if self.view.normal_side(account).is_none() {
            let text = "the account does not exist";
            return Err(Rejection::new("account_not_found", text).of(account));
        }
        Ok(())
    }

    /// An amount above zero in the deposit's currency.
    fn check_claim(&self, before: &Deposit, claim: &CreditClaim) -> Result<(), Rejection> {
        let currency = before.currency().unwrap_or_else(|| claim.currency());
        let accounts = Accounts::of(&claim.bank, currency).map_err(|_| internal())?;
        self.amount(&accounts.clearing_in, claim.amount)?;
        match &claim.unsolicited_to {
            Some(wallet) if !before.exists() && wallet.currency() != Ok(currency) => {
                Err(checks::other_currency(wallet))
            }
            Some(wallet) if !before.exists() && !is_wallet(wallet) => {
                let text = "money is paid in to a wallet";
                Err(Rejection::new("not_depositable", text).of(wallet))
            }
            Some(_) | None => Ok(()),
        }
    }

    pub(super) fn deposit_standing(
        &self,
        wallet: Option<&AccountId>,
    ) -> Result<DepositStanding, Rejection> {
        let Some(wallet) = wallet else { return Ok(DepositStanding::default()) };
        // Deciding without the wallet in sight would take it for one without limits.
        let wallet = self.view.account(wallet).ok_or_else(internal)?;
        let (room, spendable) = (Account::room(wallet), Account::spendable(wallet));
        // What its tier does not let in waits beside it, as what its ceiling does not.
        let tier = wallet.tier_room(self.view.book().tiers(), Flow::In, self.today(None));
        let room = room.into_iter().chain(tier).min();
        Ok(DepositStanding { room, spendable, held: Decimal::ZERO })
    }
}

/// What a transaction brings to a wallet.
pub(super) fn brought(
    movement: &Movement,
    wallet: Option<&AccountId>,
) -> Option<(TransactionId, Decimal)> {
    let credits = movement
        .legs
        .iter()
        .filter(|leg| leg.direction == Direction::Credit && Some(&leg.account) == wallet);
    let sum = credits.map(|leg| leg.amount).reduce(Decimal::saturating_add)?;
    Some((movement.transaction_id, sum))
}

/// Says whose money a credit's line will be, where an enquiry has booked it.
fn expected_line(
    operation: &DepositOperation,
    before: &Deposit,
    event: &DepositEvent,
) -> Result<Option<BankLineOperation>, Rejection> {
    let DepositOperation::ConfirmCredit(confirm) = operation else { return Ok(None) };
    let moved = movement::movement(before, event).map_err(|_| internal())?.ok_or_else(internal)?;
    let item = item_of(confirm.deposit_id, moved.number).map_err(|_| internal())?;
    let (key, currency) =
        (movement::line_of(&confirm.claim.credit()), confirm.claim.amount.currency());
    Ok(Some(BankLineOperation::Expect(ExpectBankLine { key, currency, item })))
}

/// The line that an operation on a deposit touches, if it is about a credit that it books.
pub(super) fn line_of_deposit(operation: &DepositOperation) -> Option<BankLineId> {
    match operation {
        DepositOperation::ConfirmCredit(confirm) => {
            Some(movement::line_of(&confirm.claim.credit()).id())
        }
        DepositOperation::SettleCredit(settle) => {
            Some(movement::line_of(&settle.claim.credit()).id())
        }
        DepositOperation::Begin(_)
        | DepositOperation::Cancel(_)
        | DepositOperation::Expire(_)
        | DepositOperation::RecordDeclined(_)
        | DepositOperation::RecordReceived(_)
        | DepositOperation::DecideReview(_)
        | DepositOperation::RequestRecall(_)
        | DepositOperation::SendBack(_)
        | DepositOperation::SettlePart(_)
        | DepositOperation::Divide(_)
        | DepositOperation::DecideRecall(_) => None,
    }
}

fn check_charges(settle: &SettleCredit) -> Result<(), Rejection> {
    let currency = settle.claim.amount.currency();
    let sound = |part: crate::money::Money| {
        part.currency() == currency && (part.is_zero() || part.is_positive())
    };
    if sound(settle.charges) && sound(settle.tax) {
        Ok(())
    } else {
        Err(DepositError::ChargesInvalid.into())
    }
}

impl From<DepositError> for Rejection {
    fn from(error: DepositError) -> Self {
        Self::new(error.code(), &error.to_string())
    }
}
