//! A credit: money that came to our escrow account at a bank, and what makes it that one.
//!
//! Two things identify it: the bank's own id of it, which statements do not have, and the bank's
//! transaction id, which in an account and a direction is of one credit for half a year at least.
//! What comes here is always a credit to escrow, so bank, transaction id and about when are enough.

use chrono::{NaiveDate, TimeDelta};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::ids::{BankCode, DepositId, Item, Reference};

/// Banks use their numbers again after a time; dates of one credit are never so far apart.
const NUMBER_OF_ANOTHER_TIME: TimeDelta = TimeDelta::days(180);

/// What a bank says of a credit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credit {
    /// The bank.
    pub bank: BankCode,
    /// The bank's transaction id: unique for ever among the credits of our account there.
    pub bank_transaction_id: Reference,
    /// The bank's id of the credit; a statement does not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit_id: Option<Reference>,
    /// The reference that both sides of the payment know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utr: Option<Reference>,
    /// The bank's date.
    pub value_date: NaiveDate,
    /// What arrived.
    pub amount: Decimal,
}

/// How two words of a bank relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    /// They are of two credits.
    Other,
    /// They are of the same credit.
    Same,
    /// They cannot both be true.
    Contradiction,
}

impl Credit {
    /// Whether `other` speaks of this credit. The amount is not looked at, and the date only to
    /// tell a number that is used again from the first one.
    pub(super) fn relation(&self, other: &Self) -> Relation {
        if self.bank != other.bank {
            return Relation::Other;
        }
        let ids = self.credit_id.as_ref().zip(other.credit_id.as_ref());
        let apart = self.value_date.signed_duration_since(other.value_date).abs();
        let same_transaction =
            self.bank_transaction_id == other.bank_transaction_id && apart < NUMBER_OF_ANOTHER_TIME;
        match (same_transaction, ids.map(|(own, other)| own == other)) {
            (true, Some(true) | None) => Relation::Same,
            (true, Some(false)) | (false, Some(true)) => Relation::Contradiction,
            (false, Some(false) | None) => Relation::Other,
        }
    }
}

/// The deposit of a credit that nobody asked for: always the same one for the same credit. If the
/// bank uses the number again, what comes under it then is one more credit of the same deposit.
pub fn id_of(bank: &BankCode, bank_transaction_id: &Reference) -> DepositId {
    let mut hash = Sha256::new();
    // Neither can have a NUL in it, so no two credits give the same bytes.
    for part in ["bahi unsolicited deposit", bank.as_str(), bank_transaction_id.as_str()] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let digest: [u8; 32] = hash.finalize().into();
    let mut bytes = [0_u8; 16];
    for (byte, digest) in bytes.iter_mut().zip(digest) {
        *byte = digest;
    }
    // A UUID whose bits are our own (version 8): no id that was made can be one of these.
    let uuid = uuid::Builder::from_custom_bytes(bytes).into_uuid();
    DepositId::from_uuid(uuid)
}

/// Whether an id follows from a credit, and was not made at random.
pub fn is_of_credit(id: DepositId) -> bool {
    Uuid::get_version_num(&id.uuid()) == 8
}

/// The token by which a bank tells of a deposit: its id without the underscore. Banks take at most
/// 35 characters for a reference, and this is all of them.
///
/// # Errors
/// Never: it is short.
pub fn token_of(id: DepositId) -> Result<Reference, crate::ids::IdError> {
    format!("dep{}", id.uuid().simple()).parse()
}

/// The deposit that a token names, if it is one of ours.
pub fn id_of_token(token: &Reference) -> Option<DepositId> {
    format!("dep_{}", token.as_str().strip_prefix("dep")?).parse().ok()
}

/// The deposit and the number of the credit that an item is of, if it is one.
pub fn of_item(item: &Item) -> Option<(DepositId, u32)> {
    let (deposit, number) = item.as_str().rsplit_once('.')?;
    Some((deposit.parse().ok()?, number.parse().ok()?))
}

/// The item of a deposit's credit: each credit is an item of its own, so that it is closed by its
/// own line of the statement and by nothing else.
///
/// # Errors
/// Never: both are short.
pub fn item_of(id: DepositId, number: u32) -> Result<Item, crate::ids::IdError> {
    format!("{id}.{number}").parse()
}
