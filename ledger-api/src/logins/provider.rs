//! A login provider: where browsers are sent, and who they are when they come back.

use std::sync::Arc;

use openidconnect::ConfigurationError;

use super::{
    config::{Kind, ProviderConfig},
    oidc::Oidc,
    outgoing::{Outgoing, OutgoingError},
    plain::Plain,
};

/// Who somebody is, as a provider says. Personal data: `Debug` hides what tells who it is.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Identity {
    /// The provider, by what it calls itself.
    pub(crate) issuer: String,
    /// What the provider calls the person, for ever.
    pub(crate) subject: String,
    /// The provider's name in our addresses.
    pub(crate) provider: String,
    /// The e-mail address, only if the provider says that it is verified.
    pub(crate) email: Option<String>,
    /// The full name, as it was typed there.
    pub(crate) name: Option<String>,
    /// Whether the provider says that they logged in there just now. One that does not say vouches
    /// for whoever sits at that browser.
    #[serde(default)]
    pub(crate) is_afresh: bool,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("provider", &self.provider).finish_non_exhaustive()
    }
}

/// What an attempt is recognised by.
pub(super) struct Asking<'a> {
    pub(super) redirect_uri: &'a str,
    pub(super) state: &'a str,
    pub(super) nonce: String,
    pub(super) verifier: String,
    /// Whether they are to log in there now, however they did before.
    pub(super) afresh: bool,
}

/// Why a provider's word is not taken. Its text is for the log, not for people, and repeats nothing
/// of what the provider sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProviderError {
    /// It can't be asked now.
    #[error("the login provider does not answer")]
    Unavailable(#[source] OutgoingError),
    /// What it says of itself makes no sense.
    #[error("the login provider's discovery is not understood")]
    Discovery,
    /// It does not redeem the code: used, expired, another's, another proof key.
    #[error("the login provider does not redeem the code")]
    Code,
    /// Its answer makes no sense.
    #[error("the login provider's answer is not understood")]
    Answer,
    /// Its answer has no token that says who it is.
    #[error("the login provider sent no id token")]
    NoToken,
    /// The token is not for us, not for this attempt, not in time, or not signed as it must be.
    #[error("the login provider's id token is refused: {0}")]
    Token(&'static str),
    /// They were to log in there again, and did not.
    #[error("the login provider says that they have not logged in again")]
    NotAfresh,
    /// An address is missing or none.
    #[error("the login provider can't be used as it is configured")]
    Configuration,
}

impl From<ConfigurationError> for ProviderError {
    fn from(_: ConfigurationError) -> Self {
        Self::Discovery
    }
}

enum Speaks {
    Oidc(Oidc),
    Plain(Plain),
}

/// One provider, ready to be asked.
pub(crate) struct Provider {
    config: ProviderConfig,
    speaks: Speaks,
}

impl Provider {
    pub(super) fn new(config: ProviderConfig, outgoing: &Arc<Outgoing>) -> Self {
        let speaks = match &config.kind {
            Kind::Oidc => Speaks::Oidc(Oidc::new(Arc::clone(outgoing))),
            Kind::OAuth2 { .. } => Speaks::Plain(Plain::new(Arc::clone(outgoing))),
        };
        Self { config, speaks }
    }

    /// Its place in our addresses.
    pub(crate) fn name(&self) -> &str {
        &self.config.name
    }

    /// What people call it.
    pub(crate) fn label(&self) -> &str {
        &self.config.label
    }

    /// Where a browser is sent.
    pub(super) async fn authorize_url(&self, asking: &Asking<'_>) -> Result<String, ProviderError> {
        match &self.speaks {
            Speaks::Oidc(oidc) => oidc.authorize_url(&self.config, asking).await,
            Speaks::Plain(plain) => plain.authorize_url(&self.config, asking),
        }
    }

    /// Whether the answer says that it is from another provider. A provider that announces that
    /// it names itself must.
    pub(super) async fn is_from_elsewhere(&self, named: Option<&str>) -> bool {
        match named {
            Some(named) => named != self.config.issuer,
            None => match &self.speaks {
                Speaks::Oidc(oidc) => oidc.names_itself(&self.config).await,
                Speaks::Plain(_) => false,
            },
        }
    }

    /// Who came back with this code.
    pub(super) async fn identify(
        &self,
        code: String,
        asking: &Asking<'_>,
    ) -> Result<Identity, ProviderError> {
        match &self.speaks {
            Speaks::Oidc(oidc) => oidc.identify(&self.config, code, asking).await,
            Speaks::Plain(plain) => plain.identify(&self.config, code, asking).await,
        }
    }
}

/// A name as we keep it, if it is one.
pub(super) fn name(text: Option<&str>) -> Option<String> {
    let text = text?.trim();
    let good = !text.is_empty() && text.chars().count() <= 100;
    good.then(|| text.chars().filter(|c| !c.is_control()).collect())
}
