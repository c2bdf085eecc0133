//! Which accounts each event of a bank's line moves: the recipes, in one place.

use rust_decimal::Decimal;

use super::{BankLineEvent, LineDirection, LineKey, Part, Purpose};
use crate::{
    chart::Direction,
    ids::{AccountCode, AccountId, IdError, Item, TransactionId},
    money::CurrencyCode,
    posting::Kind,
};

/// What an event moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// The transaction.
    pub transaction_id: TransactionId,
    /// Its kind.
    pub kind: Kind,
    /// Its legs: the bank's, or suspense's, first.
    pub legs: Vec<MovementLeg>,
}

/// One leg of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovementLeg {
    /// The side.
    pub direction: Direction,
    /// The account.
    pub account: AccountId,
    /// The item, on an account that is kept by item.
    pub item: Option<Item>,
    /// How much.
    pub amount: Decimal,
}

/// What `event` of the line `key` moves, if anything.
///
/// # Errors
/// [`IdError`] never: what is named was checked when it was named.
pub fn movement(
    key: &LineKey,
    currency: CurrencyCode,
    event: &BankLineEvent,
) -> Result<Option<Movement>, IdError> {
    let (first, parts, transaction_id, kind) = match event {
        // What is sent back its withdrawal moves.
        BankLineEvent::Expected(_) | BankLineEvent::SentBack(_) => return Ok(None),
        BankLineEvent::Booked(booked) => {
            let bank = bank_leg(key, currency, booked.amount)?;
            (bank, &booked.parts, booked.transaction_id, Kind::BANK_LINE)
        }
        BankLineEvent::Resolved(resolved) => {
            let part = Part::plain(Purpose::Unknown, resolved.amount);
            let leg = part_leg(key, currency, &part)?;
            let suspense = MovementLeg { direction: leg.direction.opposite(), ..leg };
            (suspense, &resolved.parts, resolved.transaction_id, Kind::BANK_LINE_RESOLVED)
        }
    };
    let mut legs = vec![first];
    for part in parts {
        legs.push(part_leg(key, currency, part)?);
    }
    Ok(Some(Movement { transaction_id, kind: Kind::of(kind), legs }))
}

fn bank_leg(
    key: &LineKey,
    currency: CurrencyCode,
    amount: Decimal,
) -> Result<MovementLeg, IdError> {
    let direction = match key.direction {
        LineDirection::Credit => Direction::Debit,
        LineDirection::Debit => Direction::Credit,
    };
    let account = house_account(key, currency)?;
    Ok(MovementLeg { direction, account, item: None, amount })
}

/// The leg of a part of a line, or of a lump that a line of this key showed.
///
/// # Errors
/// If it should name a wallet and does not.
pub fn part_leg(
    key: &LineKey,
    currency: CurrencyCode,
    part: &Part,
) -> Result<MovementLeg, IdError> {
    let item = match part.purpose {
        Purpose::Unknown => Some(key.id().to_string().parse()?),
        Purpose::Payment
        | Purpose::Arrival
        | Purpose::Charges
        | Purpose::Tax
        | Purpose::Interest
        | Purpose::Treasury
        | Purpose::Reversal
        | Purpose::Wallet => part.item.clone(),
    };
    let account = part_account(key, currency, part)?;
    Ok(MovementLeg { direction: part.side(key.direction), account, item, amount: part.amount })
}

/// The account of ours at the bank.
///
/// # Errors
/// Never: a bank's name is a segment of a code.
pub fn house_account(key: &LineKey, currency: CurrencyCode) -> Result<AccountId, IdError> {
    account(&format!("bank:{}:{}", key.bank, key.account.as_str()), currency)
}

/// The account that a part goes to, or comes from.
///
/// # Errors
/// If it should name a wallet and does not.
pub fn part_account(
    key: &LineKey,
    currency: CurrencyCode,
    part: &Part,
) -> Result<AccountId, IdError> {
    let came = key.direction == LineDirection::Credit;
    let code = match part.purpose {
        Purpose::Payment => format!("bank:{}:clearing_out", key.bank),
        Purpose::Arrival => format!("bank:{}:clearing_in", key.bank),
        Purpose::Charges => "expense:bank_charges".to_owned(),
        Purpose::Tax => "tax:gst_input".to_owned(),
        Purpose::Interest => "income:interest".to_owned(),
        Purpose::Treasury => "treasury:in_transit".to_owned(),
        // A credit takes a debit back, and the other way round.
        Purpose::Reversal if came => SUSPENSE_DEBITS.to_owned(),
        Purpose::Reversal => SUSPENSE_CREDITS.to_owned(),
        Purpose::Unknown if came => SUSPENSE_CREDITS.to_owned(),
        Purpose::Unknown => SUSPENSE_DEBITS.to_owned(),
        Purpose::Wallet => {
            return part.wallet.clone().ok_or(IdError { expected: "a wallet" });
        }
    };
    account(&code, currency)
}

/// Where credits lie that nobody could explain.
pub const SUSPENSE_CREDITS: &str = "suspense:credits";
/// Where debits lie that nobody could explain.
pub const SUSPENSE_DEBITS: &str = "suspense:bank_debits";

fn account(code: &str, currency: CurrencyCode) -> Result<AccountId, IdError> {
    let code: AccountCode = code.parse()?;
    Ok(AccountId::new(&code, currency))
}
