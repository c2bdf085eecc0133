//! Whom a sender means.

use ledger_core::{
    ids::{AccountId, PhoneHash},
    money::CurrencyCode,
    transfer::movement::is_wallet,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    http::{ApiState, Problem, codes},
    people::{Handle, PersonId, Phone, Recipient},
};

/// To whom: exactly one of these.
#[derive(Debug, Clone, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TransferRecipient)]
pub(crate) struct RecipientIn {
    /// To this wallet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "wallet:ravi:INR")]
    pub(crate) account: Option<AccountId>,
    /// To the person with this handle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "ravi")]
    pub(crate) handle: Option<String>,
    /// To the person who has verified this number; if nobody has, it waits for whoever does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "+919812345678")]
    pub(crate) phone: Option<String>,
    /// To the person with this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "usr_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    pub(crate) id: Option<String>,
}

/// Where the money goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Destination {
    /// To a wallet that is there.
    Wallet(AccountId),
    /// To whoever proves the number.
    Number(PhoneHash),
}

/// The keyed hash of a number that events keep. Another one than the table of people has, so that
/// the log and that table do not find each other.
///
/// # Errors
/// Never: the hash has the form.
pub(crate) fn phone_hash(state: &ApiState, phone: &Phone) -> Result<PhoneHash, Problem> {
    use std::fmt::Write as _;

    let hash = state.people.key().hash("transfer-phone", &[phone.expose().as_bytes()]);
    let hex = hash.iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a string does not fail.
        write!(hex, "{byte:02x}").ok();
        hex
    });
    hex.parse().map_err(|error| Problem::internal(&error))
}

/// A number that a request names.
pub(super) fn phone(text: &str, pointer: &str) -> Result<Phone, Problem> {
    text.parse().map_err(|error| invalid(pointer, &error))
}

impl RecipientIn {
    /// Whether it says something that it could be found out by who is here.
    pub(super) const fn is_name(&self) -> bool {
        self.handle.is_some() || self.phone.is_some() || self.id.is_some()
    }

    /// Where money in `currency` goes.
    pub(super) async fn resolve(
        &self,
        state: &ApiState,
        currency: CurrencyCode,
    ) -> Result<Destination, Problem> {
        match (&self.account, &self.handle, &self.phone, &self.id) {
            (Some(account), None, None, None) if is_wallet(account) => {
                Ok(Destination::Wallet(account.clone()))
            }
            (Some(_), None, None, None) => {
                let detail = "Money is transferred between wallets.";
                Err(Problem::field(codes::NOT_TRANSFERABLE, "/to/account", detail))
            }
            (None, Some(handle), None, None) => {
                let found: Result<Handle, _> = handle.parse();
                // A reserved or impossible handle is simply nobody's.
                let Ok(handle) = found else { return Err(unknown("/to/handle")) };
                person(state, Recipient::Handle(handle), currency, "/to/handle").await
            }
            (None, None, Some(text), None) => {
                let phone = phone(text, "/to/phone")?;
                let hash = phone_hash(state, &phone)?;
                match state.people.find(&Recipient::Phone(phone)).await? {
                    Some(face) => wallet(face.id, currency, "/to/phone"),
                    None => Ok(Destination::Number(hash)),
                }
            }
            (None, None, None, Some(text)) => {
                let id = text.parse().map_err(|error| invalid("/to/id", &error))?;
                person(state, Recipient::Id(id), currency, "/to/id").await
            }
            _ => {
                let detail = "Name exactly one of account, handle, phone and id.";
                Err(Problem::field(codes::INVALID, "/to", detail))
            }
        }
    }
}

async fn person(
    state: &ApiState,
    recipient: Recipient,
    currency: CurrencyCode,
    pointer: &'static str,
) -> Result<Destination, Problem> {
    let face = state.people.find(&recipient).await?.ok_or_else(|| unknown(pointer))?;
    wallet(face.id, currency, pointer)
}

fn wallet(
    id: PersonId,
    currency: CurrencyCode,
    pointer: &'static str,
) -> Result<Destination, Problem> {
    let account = id.wallet().map_err(|error| Problem::internal(&error))?;
    if account.currency() != Ok(currency) {
        let detail = "They have no wallet in this currency.";
        return Err(Problem::field(codes::CURRENCY_MISMATCH, pointer, detail));
    }
    Ok(Destination::Wallet(account))
}

fn unknown(pointer: &'static str) -> Problem {
    Problem::field(codes::RECIPIENT_UNKNOWN, pointer, "There is nobody of this name.")
}

fn invalid(pointer: &str, error: &impl std::error::Error) -> Problem {
    Problem::field(codes::INVALID, pointer, format!("{error}."))
}
