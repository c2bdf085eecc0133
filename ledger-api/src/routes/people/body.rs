//! What requests and answers about people look like.

use chrono::{DateTime, Utc};
use ledger_core::ids::{AccountId, TierName};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    entry::{Entered, Kind},
    http::{ApiState, Problem},
    people::{Person, PersonId},
    sessions::{ABSOLUTE, Session, csrf},
};

/// A person, as they see themselves.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Person)]
pub(super) struct PersonOut {
    /// Always `person`.
    #[schema(example = "person")]
    object: &'static str,
    /// Who.
    #[schema(value_type = String, example = "usr_019ab2c3d4e5f60718293a4b5c6d7e8f")]
    id: PersonId,
    /// What others find them by.
    #[schema(example = "asha")]
    handle: String,
    /// What others see.
    #[schema(example = "Asha Rao")]
    name: String,
    /// The e-mail address.
    #[schema(example = "asha@example.com")]
    email: String,
    /// When they proved that it is theirs.
    email_verified_at: Option<DateTime<Utc>>,
    /// The phone number.
    #[schema(example = "+919812345678")]
    phone: Option<String>,
    /// When they proved that it is theirs.
    phone_verified_at: Option<DateTime<Utc>>,
    /// When their papers were seen.
    papers_seen_at: Option<DateTime<Utc>>,
    /// Their wallet.
    #[schema(value_type = String)]
    wallet: AccountId,
    /// Which limits their wallet has: `small` until everything is proved, then `full`.
    #[schema(value_type = Option<String>, example = "small")]
    tier: Option<TierName>,
    /// When they signed up.
    created_at: DateTime<Utc>,
}

impl PersonOut {
    pub(super) fn of(person: &Person) -> Result<Self, Problem> {
        Ok(Self {
            object: "person",
            id: person.id,
            handle: person.handle.as_str().to_owned(),
            name: person.name.expose().to_owned(),
            email: person.email.expose().to_owned(),
            email_verified_at: person.email_verified_at,
            phone: person.phone.as_ref().map(|phone| phone.expose().to_owned()),
            phone_verified_at: person.phone_verified_at,
            papers_seen_at: person.kyc_at,
            wallet: person.id.wallet().map_err(|error| Problem::internal(&error))?,
            tier: person.wallet_tier.clone(),
            created_at: person.created_at,
        })
    }
}

/// A session.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub(super) struct SessionOut {
    /// Always `session`.
    #[schema(example = "session")]
    object: &'static str,
    /// Which.
    #[schema(example = "ses_019ab2c3d4e5f60718293a4b5c6d7e8f")]
    id: String,
    /// What the browser calls itself.
    #[schema(example = "Mozilla/5.0")]
    browser: String,
    /// Whether it is the one that asks.
    current: bool,
    /// When it began.
    created_at: DateTime<Utc>,
    /// When it was last used, give or take a minute.
    seen_at: DateTime<Utc>,
    /// When its owner last proved who they are.
    reauthenticated_at: DateTime<Utc>,
    /// When it ends at the latest.
    ends_at: DateTime<Utc>,
    /// What requests that change something send as `X-CSRF-Token`; only of the session that asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf_token: Option<String>,
}

impl SessionOut {
    /// One of somebody's; `current` with the token that its requests need.
    pub(super) fn of(state: &ApiState, session: &Session, is_current: bool) -> Self {
        let csrf_token = is_current.then(|| csrf::token(state.people.key(), session.id));
        Self {
            object: "session",
            id: session.id.to_string(),
            browser: session.agent.clone(),
            current: is_current,
            created_at: session.created_at,
            seen_at: session.seen_at,
            reauthenticated_at: session.reauthenticated_at,
            ends_at: session.created_at.checked_add_signed(ABSOLUTE).unwrap_or(session.created_at),
            csrf_token,
        }
    }
}

/// Somebody who is signed in, with their session. The cookie comes with it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SignedIn)]
pub(super) struct SignedInOut {
    /// Always `signed_in`.
    #[schema(example = "signed_in")]
    object: &'static str,
    /// Who.
    person: PersonOut,
    /// With which session.
    session: SessionOut,
}

impl SignedInOut {
    pub(super) fn of(
        state: &ApiState,
        person: &Person,
        session: &Session,
    ) -> Result<Self, Problem> {
        Ok(Self {
            object: "signed_in",
            person: PersonOut::of(person)?,
            session: SessionOut::of(state, session, true),
        })
    }

    pub(super) fn entered(state: &ApiState, entered: &Entered) -> Result<Self, Problem> {
        Self::of(state, &entered.person, &entered.session)
    }
}

/// All sessions of somebody.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SessionList {
    /// The one used last first.
    pub(super) data: Vec<SessionOut>,
    /// Always false: all of them are here.
    pub(super) has_more: bool,
}

/// That something was done.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DoneOut {
    /// Always `done`.
    #[schema(example = "done")]
    object: &'static str,
}

impl DoneOut {
    pub(super) const fn new() -> Self {
        Self { object: "done" }
    }
}

/// Nothing to say.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Nothing)]
pub(super) struct NothingIn {}

/// A password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasswordInput)]
pub(super) struct PasswordIn {
    /// The password.
    pub(super) password: String,
}

/// Other names; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PersonChange)]
pub(super) struct ChangeIn {
    /// What others see.
    #[serde(default)]
    pub(super) name: Option<String>,
    /// What others find them by.
    #[serde(default)]
    pub(super) handle: Option<String>,
}

/// Another address.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EmailInput)]
pub(super) struct EmailIn {
    /// The e-mail address.
    pub(super) email: String,
}

/// Another number.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PhoneInput)]
pub(super) struct PhoneIn {
    /// The phone number; `null` for none.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true)]
    pub(super) phone: Option<String>,
}

/// What is to be proved.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VerificationInput)]
pub(super) struct VerificationIn {
    /// `email` or `phone`.
    pub(super) kind: Kind,
}

/// The code that was sent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CodeInput)]
pub(super) struct CodeIn {
    /// `email` or `phone`.
    pub(super) kind: Kind,
    /// The six digits.
    pub(super) code: String,
}

/// The link that was sent, and the password from here on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ResetInput)]
pub(super) struct ResetIn {
    /// What stands in the link after `token=`.
    pub(super) token: String,
    /// The password.
    pub(super) password: String,
}
