//! Links that say whom to pay: what a QR code holds, or what somebody pastes.
//!
//! Ours are `bahi:pay?to=@ravi&am=120.00&tn=Tea`, for people of this service; `upi://pay?pa=…` is
//! how the country's banks write it. A link is a wish and moves nothing: what it says fills a form
//! that its reader looks at.
//!
//! Links come from strangers, so the parser is strict: bounded, each parameter once, exactly one
//! form for an amount. A space is `%20`; `+` is a plus, as the apps of banks read it, and not the
//! space that forms make of it. Parameters of UPI that we do not know are passed over (it has
//! many); in our own links there are none.

mod page;
mod query;

use std::{fmt, str::FromStr};

use ledger_core::money::{Currency, Money};

use crate::people::{Handle, PersonId, Recipient};
pub use page::{PAY_PAGE, PayPage};
use query::Query;

/// The most bytes of a link: what a QR code of a size that phones read can hold.
const BYTES_MAX: usize = 1_024;
/// The most characters of a name or of words.
const WORDS_MAX: usize = 99;
/// The only currency of UPI, and the one that our links are in.
const CURRENCY: &str = "INR";
const CURRENCY_SCALE: u8 = 2;

/// Why a text is no link that can be paid, in words for whoever scanned it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It is something else.
    #[error("this is no payment code")]
    NotALink,
    /// It is longer than a code can be, or has bytes that links have not.
    #[error("this payment code is damaged")]
    Malformed,
    /// A parameter is there twice, so that two readers could read two things.
    #[error("this payment code says something twice")]
    Repeated,
    /// A parameter that no link of ours has.
    #[error("this payment code has something that this service does not know")]
    Unknown,
    /// It does not say whom to pay.
    #[error("this payment code does not say whom to pay")]
    Payee,
    /// Not an amount above zero with at most two decimals.
    #[error("the amount in this payment code is not an amount")]
    Amount,
    /// Another currency than rupees.
    #[error("this payment code is not in rupees")]
    Currency,
    /// The address of another page, or of another service's.
    #[error("this link leads to another page than the one where shops are paid here")]
    Elsewhere,
    /// A code of a payee whom only a bank knows, where one of ours is meant.
    #[error("this is a UPI code of another bank, which nothing can be sent to from here")]
    OfABank,
    /// Words that are too long, or with control characters.
    #[error("the words in this payment code cannot be shown")]
    Words,
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// To a person of this service.
    Ours(OurLink),
    /// To somebody whom a bank knows.
    Upi(UpiLink),
}

/// A link to a person of this service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OurLink {
    /// To whom: by handle or id, never by number.
    pub to: Recipient,
    /// How much, if it says so.
    pub amount: Option<Money>,
    /// What for, if it says so.
    pub note: Option<String>,
}

/// A link of UPI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpiLink {
    /// Whom to pay: `shop@hdfc`.
    pub payee: String,
    /// What they are called, by their own word: nobody has checked it.
    pub name: Option<String>,
    /// How much, if it says so.
    pub amount: Option<Money>,
    /// What for, if it says so.
    pub note: Option<String>,
    /// By which the payee knows the payment again.
    pub reference: Option<String>,
    /// What kind of shop it is, in four digits.
    pub category: Option<String>,
}

impl OurLink {
    /// To whoever has this handle.
    pub const fn to_handle(handle: Handle) -> Self {
        Self { to: Recipient::Handle(handle), amount: None, note: None }
    }

    /// To this person, whatever their handle will be.
    pub const fn to_person(id: PersonId) -> Self {
        Self { to: Recipient::Id(id), amount: None, note: None }
    }
}

impl FromStr for Link {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let text = text.trim();
        let (head, query) = text.split_once('?').ok_or(LinkError::NotALink)?;
        let is_ours = head.eq_ignore_ascii_case("bahi:pay");
        if !is_ours && !head.eq_ignore_ascii_case("upi://pay") {
            return Err(LinkError::NotALink);
        }
        if text.len() > BYTES_MAX {
            return Err(LinkError::Malformed);
        }
        let query = Query::parse(query)?;
        if is_ours { ours(&query).map(Self::Ours) } else { upi(&query).map(Self::Upi) }
    }
}

fn ours(query: &Query) -> Result<OurLink, LinkError> {
    query.only(&["to", "am", "cu", "tn"])?;
    let to = query.get("to").ok_or(LinkError::Payee)?;
    let to = match to.parse::<Recipient>() {
        Ok(to @ (Recipient::Handle(_) | Recipient::Id(_))) => to,
        // A number in a code that hangs on a wall would be everybody's to read.
        Ok(Recipient::Phone(_)) | Err(_) => return Err(LinkError::Payee),
    };
    Ok(OurLink { to, amount: amount(query)?, note: words(query.get("tn"))? })
}

fn upi(query: &Query) -> Result<UpiLink, LinkError> {
    let payee = query.get("pa").filter(|payee| is_address(payee)).ok_or(LinkError::Payee)?;
    let category = query.get("mc").filter(|category| !category.is_empty());
    let is_category = |text: &str| text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
    if category.is_some_and(|category| !is_category(category)) {
        return Err(LinkError::Malformed);
    }
    let reference = query.get("tr").filter(|reference| !reference.is_empty());
    let is_reference = |text: &str| text.len() <= 35 && text.bytes().all(|b| b.is_ascii_graphic());
    if reference.is_some_and(|reference| !is_reference(reference)) {
        return Err(LinkError::Malformed);
    }
    Ok(UpiLink {
        payee: payee.to_ascii_lowercase(),
        name: words(query.get("pn"))?,
        amount: amount(query)?,
        note: words(query.get("tn"))?,
        reference: reference.map(str::to_owned),
        category: category.map(str::to_owned),
    })
}

/// `name@bank`, as UPI has it.
fn is_address(text: &str) -> bool {
    let Some((name, bank)) = text.split_once('@') else { return false };
    let of_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    (2..=64).contains(&name.len())
        && name.bytes().all(of_name)
        && (2..=32).contains(&bank.len())
        && bank.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// How much, if it says so; `0` and nothing say nothing, which is how shops print an open amount.
fn amount(query: &Query) -> Result<Option<Money>, LinkError> {
    if query.get("cu").is_some_and(|currency| !currency.eq_ignore_ascii_case(CURRENCY)) {
        return Err(LinkError::Currency);
    }
    let Some(text) = query.get("am").filter(|text| !text.is_empty()) else { return Ok(None) };
    let code = CURRENCY.parse().map_err(|_| LinkError::Currency)?;
    let rupees = Currency { code, scale: CURRENCY_SCALE };
    let amount = Money::parse(text, rupees).map_err(|_| LinkError::Amount)?;
    Ok(Some(amount).filter(Money::is_positive))
}

fn words(text: Option<&str>) -> Result<Option<String>, LinkError> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    if text.chars().count() > WORDS_MAX || !ledger_core::words::are_plain(text) {
        return Err(LinkError::Words);
    }
    Ok(Some(text.to_owned()))
}

impl fmt::Display for OurLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to = match &self.to {
            Recipient::Handle(handle) => format!("@{handle}"),
            Recipient::Id(id) => id.to_string(),
            Recipient::Phone(_) => String::new(),
        };
        let amount = self.amount.map(|amount| amount.amount().to_string());
        let parts = [("to", Some(to)), ("am", amount), ("tn", self.note.clone())];
        query::write(f, "bahi:pay", &parts)
    }
}

impl fmt::Display for UpiLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let amount = self.amount.map(|amount| amount.amount().to_string());
        let parts = [
            ("pa", Some(self.payee.clone())),
            ("pn", self.name.clone()),
            ("mc", self.category.clone()),
            ("tr", self.reference.clone()),
            ("am", amount),
            ("cu", Some(CURRENCY.to_owned())),
            ("tn", self.note.clone()),
        ];
        query::write(f, "upi://pay", &parts)
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours(link) => link.fmt(f),
            Self::Upi(link) => link.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
