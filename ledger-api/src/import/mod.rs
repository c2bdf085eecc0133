//! Bringing the accounts and balances of an older system in, against `migration:opening`.
//!
//! A file is read and checked as a whole before anything of it happens: every line is a row, no row
//! stands twice, nothing contradicts the chart of accounts, and per currency debits and credits are
//! equal, so that `migration:opening` ends at zero. Then each row is an account opened and a
//! transaction of its own, under keys made of the account: a file that is imported again, or whose
//! import broke off, does what is left of it, and no account ever gets two opening balances.

mod post;
mod read;

use std::collections::{BTreeMap, HashMap, HashSet};

use ledger_core::{
    book::Book,
    chart::{self, AccountType, Direction, PostingClass},
    ids::{AccountId, Item, Owner},
    money::{Currency, Money},
};
use rust_decimal::Decimal;

pub use post::{Imported, Refused, post};
pub use read::{Format, read};

/// What the balances come against.
pub const OPENING: &str = "migration:opening";
/// The most faults that are told.
const FAULTS_MAX: usize = 20;
/// Whose the company's own accounts are.
const HOUSE: &str = "bahi";

/// A row of the file as it is written.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Raw {
    /// The account's code.
    pub account: String,
    /// The currency.
    pub currency: String,
    /// The balance on the normal side of the account's type.
    pub balance: String,
    /// Whose it is; the company's own accounts may leave it out.
    #[serde(default)]
    pub owner: Option<String>,
    /// Its type, for codes that the chart does not have.
    #[serde(default, rename = "type")]
    pub account_type: Option<String>,
    /// The item, for accounts that are kept by item: then the account has a row for each.
    #[serde(default)]
    pub item: Option<String>,
}

/// A row that is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Where it stands in the file.
    pub line: usize,
    /// Code and currency.
    pub account: AccountId,
    /// The currency with its scale.
    pub currency: Currency,
    /// Its type.
    pub account_type: AccountType,
    /// Its class.
    pub class: PostingClass,
    /// Whether it is kept by item.
    pub itemised: bool,
    /// Whether it may not go below zero.
    pub floor_zero: bool,
    /// Whose it is.
    pub owner: Owner,
    /// The item.
    pub item: Option<Item>,
    /// The side that the balance stands on; nothing if it is zero.
    pub side: Option<Direction>,
    /// How much, zero or more.
    pub amount: Money,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct Fault {
    /// Where; 0 for the file as a whole.
    pub line: usize,
    /// What.
    pub reason: String,
}

/// A file that can be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Its rows, in the order of the file.
    pub rows: Vec<Row>,
    /// Per currency what stands on either side.
    pub sums: BTreeMap<String, Decimal>,
}

/// Checks a file as a whole. `raw`: its rows with their lines.
///
/// # Errors
/// Its first faults, if it has any.
pub fn check(raw: &[(usize, Raw)], book: &Book) -> Result<Checked, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut rows = Vec::with_capacity(raw.len());
    for (line, raw) in raw {
        match row(*line, raw, book) {
            Ok(row) => rows.push(row),
            Err(reason) => faults.push(Fault { line: *line, reason }),
        }
        if faults.len() >= FAULTS_MAX {
            return Err(faults);
        }
    }
    faults.extend(repeated(&rows));
    let mut sums = BTreeMap::new();
    if faults.is_empty() {
        match balance(&rows) {
            Ok(balanced) => sums = balanced,
            Err(unbalanced) => faults.extend(unbalanced),
        }
    }
    if rows.is_empty() && faults.is_empty() {
        faults.push(Fault { line: 0, reason: "the file has no rows".to_owned() });
    }
    faults.truncate(FAULTS_MAX);
    if faults.is_empty() { Ok(Checked { rows, sums }) } else { Err(faults) }
}

fn row(line: usize, raw: &Raw, book: &Book) -> Result<Row, String> {
    let code = raw.account.parse().map_err(|error| format!("{:?}: {error}", raw.account))?;
    let currency = raw.currency.parse().ok().and_then(|code| book.currency(code));
    let currency =
        currency.ok_or_else(|| format!("the book has no currency {:?}", raw.currency))?;
    if raw.account == OPENING {
        return Err(format!("{OPENING} is what all balances come against"));
    }
    let stated = raw.account_type.as_deref().map(account_type).transpose()?;
    let entry = chart::lookup(&code);
    if entry.is_none() && chart::is_reserved(&code) {
        return Err(format!("the chart of accounts has no {}", raw.account));
    }
    let account_type = match (entry.map(|entry| entry.account_type), stated) {
        (Some(known), Some(stated)) if known != stated => {
            return Err(format!("{} is of type {}", raw.account, known.as_str()));
        }
        (Some(known), _) | (None, Some(known)) => known,
        (None, None) => return Err("the column type is needed: the chart has no such code".into()),
    };
    let class = entry.map_or(PostingClass::Open, |entry| entry.class);
    let owner = match raw.owner.as_deref() {
        Some(owner) => owner.parse().map_err(|error| format!("{owner:?}: {error}"))?,
        None if class == PostingClass::Open => return Err("the column owner is needed".to_owned()),
        None => HOUSE.parse().map_err(|error| format!("{error}"))?,
    };
    let itemised = entry.is_some_and(|entry| entry.itemised);
    let item = match (raw.item.as_deref(), itemised) {
        (Some(item), true) => Some(item.parse().map_err(|error| format!("{item:?}: {error}"))?),
        (None, true) => return Err(format!("{} is kept by item: which one?", raw.account)),
        (Some(_), false) => return Err(format!("{} is not kept by item", raw.account)),
        (None, false) => None,
    };
    let balance = Money::parse_signed(&raw.balance, currency)
        .map_err(|error| format!("{:?}: {error}", raw.balance))?;
    let floor_zero = entry.is_some_and(|entry| entry.floor_zero);
    let negative = !balance.is_zero() && !balance.is_positive();
    if floor_zero && negative {
        return Err(format!("{} may not be below zero", raw.account));
    }
    let normal = account_type.normal_side();
    let side = if negative { normal.opposite() } else { normal };
    let amount =
        Money::from_decimal(balance.amount().abs(), currency).map_err(|error| error.to_string())?;
    Ok(Row {
        line,
        account: AccountId::new(&code, currency.code),
        currency,
        account_type,
        class,
        itemised,
        floor_zero,
        owner,
        item,
        side: (!balance.is_zero()).then_some(side),
        amount,
    })
}

fn account_type(text: &str) -> Result<AccountType, String> {
    let found = AccountType::ALL.into_iter().find(|known| known.as_str() == text);
    found.ok_or_else(|| {
        let names = AccountType::ALL.map(AccountType::as_str).join(", ");
        format!("type {text:?} is none of: {names}")
    })
}

/// Rows that stand twice, and accounts whose rows contradict each other.
fn repeated(rows: &[Row]) -> Vec<Fault> {
    let mut seen = HashSet::new();
    let mut owners: HashMap<&AccountId, &Row> = HashMap::new();
    let mut faults = Vec::new();
    for row in rows {
        let fault = |reason: String| Fault { line: row.line, reason };
        if !seen.insert((&row.account, &row.item)) {
            faults.push(fault(format!("{} stands twice", row.account)));
        }
        let first = owners.entry(&row.account).or_insert(row);
        if first.owner != row.owner || first.account_type != row.account_type {
            let reason = format!("{} is another one's on line {}", row.account, first.line);
            faults.push(fault(reason));
        }
    }
    faults
}

/// What stands on either side, which must be the same.
fn balance(rows: &[Row]) -> Result<BTreeMap<String, Decimal>, Vec<Fault>> {
    let mut sums: BTreeMap<String, (Decimal, Decimal)> = BTreeMap::new();
    let whole = |reason: String| Fault { line: 0, reason };
    for row in rows {
        let zero = Decimal::new(0, u32::from(row.currency.scale));
        let sum = sums.entry(row.currency.code.to_string()).or_insert((zero, zero));
        let side = match row.side {
            Some(Direction::Debit) => &mut sum.0,
            Some(Direction::Credit) => &mut sum.1,
            None => continue,
        };
        let next = side.checked_add(row.amount.amount());
        *side = next.ok_or_else(|| vec![whole("the sums are too large".to_owned())])?;
    }
    let mut balanced = BTreeMap::new();
    let mut faults = Vec::new();
    for (currency, (debits, credits)) in sums {
        if debits == credits {
            balanced.insert(currency, debits);
        } else {
            let rest = debits.checked_sub(credits).unwrap_or_default();
            faults.push(whole(format!(
                "debits of {debits} and credits of {credits} {currency}: {OPENING} would be left \
                 with {rest}"
            )));
        }
    }
    if faults.is_empty() { Ok(balanced) } else { Err(faults) }
}

#[cfg(test)]
mod tests;
