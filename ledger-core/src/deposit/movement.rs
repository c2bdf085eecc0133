//! Which accounts each event of a deposit moves: the recipes, in one place. Every leg on an account
//! that is kept by item names the deposit and the number of the credit.

use rust_decimal::Decimal;

use super::{Credit as BankCredit, Deposit, DepositEvent, Divided, RecallGranted, credit::item_of};
use crate::{
    bank_line::{HouseAccount, LineDirection, LineKey, movement as of_lines},
    chart::Direction::{self, Credit, Debit},
    ids::{AccountCode, AccountId, BankCode, DepositId, IdError},
    money::CurrencyCode,
    posting::Kind,
    withdrawal::movement::{Movement, MovementLeg},
};

/// The accounts of a deposit at one bank, besides the wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounts {
    /// Customers' money at the bank; as the statement says.
    pub escrow: AccountId,
    /// What the bank says it got and its statement does not show yet.
    pub clearing_in: AccountId,
    /// What the bank says it got back and its statement does not show yet.
    pub clearing_out: AccountId,
    /// What arrived and is on no wallet.
    pub suspense: AccountId,
    /// What the bank keeps for itself.
    pub charges: AccountId,
    /// The tax on that.
    pub tax: AccountId,
}

impl Accounts {
    /// The accounts of deposits at `bank` in `currency`.
    ///
    /// # Errors
    /// Never: a bank's name is a segment of a code.
    pub fn of(bank: &BankCode, currency: CurrencyCode) -> Result<Self, IdError> {
        let account = |code: &str| {
            let code: AccountCode = code.parse()?;
            Ok(AccountId::new(&code, currency))
        };
        Ok(Self {
            escrow: account(&format!("bank:{bank}:escrow"))?,
            clearing_in: account(&format!("bank:{bank}:clearing_in"))?,
            clearing_out: account(&format!("bank:{bank}:clearing_out"))?,
            suspense: account("suspense:credits")?,
            charges: account("expense:bank_charges")?,
            tax: account("tax:gst_input")?,
        })
    }
}

/// What the owner of a wallet owes us because a bank got money back.
///
/// # Errors
/// [`IdError`] if it is no wallet, or its code is too long to have a receivable beside it.
pub fn receivable_of(wallet: &AccountId) -> Result<AccountId, IdError> {
    let (code, expected) = (wallet.code(), "wallet:…");
    let party = code.segments().nth(1).filter(|_| is_wallet(wallet));
    let party = party.ok_or(IdError { expected })?;
    let code: AccountCode = format!("receivable:recall:{party}").parse()?;
    Ok(AccountId::new(&code, wallet.currency()?))
}

/// Whether money can be paid in to an account: it is a wallet.
pub fn is_wallet(account: &AccountId) -> bool {
    let code = account.code();
    let mut segments = code.segments();
    segments.next() == Some("wallet") && segments.next().is_some() && segments.next().is_none()
}

/// What an event moves, and for which credit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfCredit {
    /// The credit's number.
    pub number: u32,
    /// The bank's date of it.
    pub value_date: chrono::NaiveDate,
    /// What moves.
    pub movement: Movement,
}

/// What `event` moves, if anything, given the deposit before it.
///
/// # Errors
/// Never for a deposit that exists and a credit that it has.
pub fn movement(before: &Deposit, event: &DepositEvent) -> Result<Option<OfCredit>, IdError> {
    let missing = IdError { expected: "deposit with this credit" };
    let known = |number: u32| before.credit(number).map(|known| &known.credit).ok_or(missing);
    let (number, credit, transaction_id) = match event {
        DepositEvent::Credited(booked) => (booked.number, &booked.credit, booked.transaction_id),
        DepositEvent::PutAside(aside) => (aside.number, &aside.credit, aside.transaction_id),
        DepositEvent::Assigned(assigned) => {
            (assigned.number, known(assigned.number)?, assigned.transaction_id)
        }
        DepositEvent::RecallGranted(granted) => {
            (granted.number, known(granted.number)?, granted.transaction_id)
        }
        DepositEvent::Begun(_)
        | DepositEvent::Unsolicited(_)
        | DepositEvent::Cancelled {}
        | DepositEvent::Expired {}
        | DepositEvent::Declined(_)
        | DepositEvent::Received(_)
        // Only the bank's line moves the bank's own account: it is in the same append.
        | DepositEvent::Settled(_)
        | DepositEvent::LeftToReturn(_)
        | DepositEvent::RecallRequested(_)
        | DepositEvent::SentBack(_)
        // Its legs are items of other deposits: see `division`.
        | DepositEvent::Divided(_)
        | DepositEvent::RecallRefused(_) => return Ok(None),
    };
    let accounts = Accounts::of(&credit.bank, before.currency().ok_or(missing)?)?;
    let amount = credit.amount;
    let legs = match event {
        DepositEvent::Credited(_) => {
            let wallet = before.account().ok_or(missing)?;
            vec![leg(Debit, &accounts.clearing_in, amount), leg(Credit, wallet, amount)]
        }
        DepositEvent::PutAside(_) => {
            vec![leg(Debit, &accounts.clearing_in, amount), leg(Credit, &accounts.suspense, amount)]
        }
        DepositEvent::Assigned(assigned) => {
            vec![leg(Debit, &accounts.suspense, amount), leg(Credit, &assigned.account, amount)]
        }
        DepositEvent::RecallGranted(granted) => {
            let mut legs = given_back(before, granted, &accounts, amount)?;
            legs.push(leg(Credit, &accounts.clearing_out, amount));
            legs
        }
        DepositEvent::Begun(_)
        | DepositEvent::Unsolicited(_)
        | DepositEvent::Cancelled {}
        | DepositEvent::Expired {}
        | DepositEvent::Declined(_)
        | DepositEvent::Received(_)
        | DepositEvent::Settled(_)
        | DepositEvent::LeftToReturn(_)
        | DepositEvent::RecallRequested(_)
        | DepositEvent::SentBack(_)
        | DepositEvent::Divided(_)
        | DepositEvent::RecallRefused(_) => Vec::new(),
    };
    // The wallet gives all of it, or nothing is left there.
    let legs = legs.into_iter().filter(|leg| !leg.amount.is_zero()).collect();
    let movement = Movement { transaction_id, kind: Kind::of(Kind::DEPOSIT), legs };
    Ok(Some(OfCredit { number, value_date: credit.value_date, movement }))
}

/// What a lump moves that is divided: from suspense to the items of `clearing_in` that it settles,
/// less what was kept back.
///
/// # Errors
/// Never for a deposit that exists and a credit that it has.
pub fn division(
    id: DepositId,
    before: &Deposit,
    divided: &Divided,
) -> Result<of_lines::Movement, IdError> {
    let missing = IdError { expected: "deposit with this credit" };
    let known = before.credit(divided.number).ok_or(missing)?;
    let currency = before.currency().ok_or(missing)?;
    let accounts = Accounts::of(&known.credit.bank, currency)?;
    let key = line_of(&known.credit);
    let mut legs = vec![of_lines::MovementLeg {
        direction: Debit,
        account: accounts.suspense,
        item: Some(item_of(id, divided.number)?),
        amount: known.credit.amount,
    }];
    for part in &divided.parts {
        legs.push(of_lines::part_leg(&key, currency, part)?);
    }
    let (transaction_id, kind) = (divided.transaction_id, Kind::of(Kind::DEPOSIT));
    Ok(of_lines::Movement { transaction_id, kind, legs })
}

/// The line by which a bank states a credit.
pub fn line_of(credit: &BankCredit) -> LineKey {
    LineKey {
        bank: credit.bank.clone(),
        account: HouseAccount::Escrow,
        direction: LineDirection::Credit,
        value_date: credit.value_date,
        bank_transaction_id: credit.bank_transaction_id.clone(),
    }
}

/// Who gives what a bank gets back: suspense if the money is there, else the wallet what is held of
/// it, and its owner owes the rest.
fn given_back(
    before: &Deposit,
    granted: &RecallGranted,
    accounts: &Accounts,
    amount: Decimal,
) -> Result<Vec<MovementLeg>, IdError> {
    let missing = IdError { expected: "deposit with this credit" };
    if before.credit(granted.number).ok_or(missing)?.is_aside() {
        return Ok(vec![leg(Debit, &accounts.suspense, amount)]);
    }
    let wallet = before.wallet_of(granted.number).ok_or(missing)?;
    let rest = amount.saturating_sub(granted.from_wallet);
    let owed = leg(Debit, &receivable_of(wallet)?, rest);
    Ok(vec![leg(Debit, wallet, granted.from_wallet), owed])
}

fn leg(direction: Direction, account: &AccountId, amount: Decimal) -> MovementLeg {
    MovementLeg { direction, account: account.clone(), amount }
}
