//! What goes wrong, on purpose: one switch for each provider, thrown until it is thrown back.

use serde::{Deserialize, Serialize};

/// One of the two providers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// OpenID Connect, in Google's place.
    Google,
    /// Plain OAuth 2, in GitHub's place.
    Github,
}

impl Provider {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Google, Self::Github];

    /// Its name, which is its place in addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Google => "google",
            Self::Github => "github",
        }
    }

    /// The provider of this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.as_str() == text)
    }
}

/// What a provider does wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// The token is for another service.
    WrongAud,
    /// The token says that somebody else issued it.
    WrongIss,
    /// The token ended an hour ago.
    Expired,
    /// The token answers another request.
    WrongNonce,
    /// The token answers no request.
    NoNonce,
    /// The token is not signed, and says so.
    AlgNone,
    /// The token is signed by HMAC, with the public key as the secret.
    Hs256PublicKey,
    /// The token is signed with a key of its own, under a name that the key set does not have.
    ForeignKid,
    /// The token is signed with a key of its own, under the name of a published one.
    ForeignKey,
    /// There is no token, only an access token.
    NoIdToken,
    /// The answer to the browser says that another provider gave it.
    ForeignIssResponse,
    /// The answer to the browser has a state of its own.
    ForeignState,
    /// Nobody's e-mail address is verified.
    UnverifiedEmail,
    /// Nobody shares an e-mail address.
    NoEmail,
    /// The person says no, whoever it is.
    Refused,
    /// Nothing is answered.
    Slow,
    /// What is answered means nothing.
    Garbage,
}
