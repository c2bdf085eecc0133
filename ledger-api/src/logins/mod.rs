//! Logins by other providers, and tokens for frontends of others.
//!
//! Somebody who presses "Continue with Google" is sent there with a state of their own, comes back
//! with a code, and the provider says who it is (`provider`). That alone makes nobody anybody here:
//!
//! - an account at a provider is known by the provider's number for it (`identities`);
//! - an account of ours with the same address asks for its own password first, unless nobody ever
//!   proved that address: then whoever made it loses every way in (`linking`);
//! - who is new chooses a handle first. What was proved waits meanwhile, sealed (`proofs`).
//!
//! An attempt works once, in the browser that began it, with the provider that it was begun with
//! (`attempts`, `secrets`). No token of a provider outlives the request that it came in.

mod attempts;
mod config;
mod identities;
mod linking;
mod oidc;
mod outgoing;
pub(crate) mod pages;
mod plain;
mod proofs;
mod provider;
mod secrets;
pub mod server;

use std::sync::Arc;

use ledger_core::clock::Timestamp;
use sqlx::PgPool;

pub(crate) use attempts::Aim;
use attempts::{Attempt, Attempts};
use identities::Identities;
use proofs::Proofs;
use provider::{Asking, ProviderError};

pub(crate) use attempts::AttemptError;
pub use config::{LoginConfigError, LoginSettings};
pub use identities::{LinkError, Linked};
pub(crate) use linking::{Outcome, OutcomeError};
pub(crate) use proofs::Proof;
pub(crate) use provider::{Identity, Provider};
pub(crate) use secrets::BrowserSecret;
pub use secrets::NoRandom;

use crate::people::PersonId;

/// Logins by other providers; cheap to clone.
#[derive(Clone)]
pub struct Logins {
    providers: Arc<[Provider]>,
    public_url: Option<Arc<str>>,
    attempts: Attempts,
    proofs: Proofs,
    identities: Identities,
}

/// What came back with a browser.
pub(crate) struct Answer<'a> {
    pub(crate) state: &'a str,
    pub(crate) code: Option<&'a str>,
    /// Which provider says that it answers.
    pub(crate) issuer: Option<&'a str>,
}

/// A login that was proved.
pub(crate) struct Proved {
    pub(crate) identity: Identity,
    pub(crate) return_to: String,
    pub(crate) aim: Aim,
}

/// Why nothing came of a login.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoginError {
    /// No attempt of this browser with this provider.
    #[error("the answer belongs to no login of this browser")]
    Foreign,
    /// The person, or the provider, said no.
    #[error("the login was not allowed")]
    Refused,
    /// The provider's word is not taken.
    #[error("the provider's word is not taken")]
    Provider(#[source] ProviderError),
    /// Our own side failed.
    #[error(transparent)]
    Own(#[from] AttemptError),
}

impl Logins {
    /// Those of a configuration. `public_url` is where browsers reach us, without a slash behind:
    /// where they are sent back to is made of it, never of what a request says of its host.
    /// Without it nobody is sent anywhere ([`LoginSettings::returning_to`]).
    pub fn new(settings: &LoginSettings, pool: &PgPool, public_url: Option<&str>) -> Self {
        let mut providers = Vec::new();
        if let (Some(outgoing), Some(_)) = (&settings.outgoing, public_url) {
            let configured = settings.providers.iter();
            providers.extend(configured.map(|p| Provider::new(p.clone(), outgoing)));
        }
        Self {
            providers: providers.into(),
            public_url: public_url.map(Arc::from),
            attempts: Attempts(pool.clone()),
            proofs: Proofs(pool.clone()),
            identities: Identities(pool.clone()),
        }
    }

    /// All providers, by name.
    pub(crate) fn providers(&self) -> impl Iterator<Item = &Provider> {
        self.providers.iter()
    }

    /// The provider of this name.
    pub(crate) fn provider(&self, name: &str) -> Option<&Provider> {
        self.providers().find(|provider| provider.name() == name)
    }

    /// Begins a login; where the browser goes. `aim` is what it is for.
    pub(crate) async fn begin(
        &self,
        provider: &Provider,
        browser: &BrowserSecret,
        (return_to, aim): (&str, Aim),
        now: Timestamp,
    ) -> Result<String, LoginError> {
        let attempt =
            Attempt { provider: provider.name().to_owned(), return_to: return_to.to_owned(), aim };
        let state = self.attempts.begin(browser, &attempt, now).await?;
        let redirect_uri = self.redirect_uri(provider);
        let asking = asking(browser, state.reveal(), &redirect_uri, aim);
        provider.authorize_url(&asking).await.map_err(LoginError::Provider)
    }

    /// Ends a login: who it was.
    pub(crate) async fn finish(
        &self,
        provider: &Provider,
        browser: &BrowserSecret,
        answer: &Answer<'_>,
        now: Timestamp,
    ) -> Result<Proved, LoginError> {
        let attempt = self.attempts.take(browser, answer.state, now).await?;
        let attempt = attempt.ok_or(LoginError::Foreign)?;
        // A provider that was not asked must not get another one's code, nor answer for it.
        if attempt.provider != provider.name() || provider.is_from_elsewhere(answer.issuer).await {
            return Err(LoginError::Foreign);
        }
        let code = answer.code.ok_or(LoginError::Refused)?;
        let redirect_uri = self.redirect_uri(provider);
        let asking = asking(browser, answer.state, &redirect_uri, attempt.aim);
        let identity =
            provider.identify(code.to_owned(), &asking).await.map_err(LoginError::Provider)?;
        Ok(Proved { identity, return_to: attempt.return_to, aim: attempt.aim })
    }

    /// What a browser proved and has not finished.
    pub(crate) async fn proof(
        &self,
        browser: &BrowserSecret,
        now: Timestamp,
    ) -> Result<Option<Proof>, AttemptError> {
        self.proofs.find(browser, now).await
    }

    /// Uses up what a browser proved; whether it was there.
    pub(crate) async fn drop_proof(&self, browser: &BrowserSecret) -> Result<bool, AttemptError> {
        self.proofs.drop(browser).await
    }

    /// Makes an account at a provider the login of a person.
    pub(crate) async fn link(
        &self,
        person: PersonId,
        identity: &Identity,
        now: Timestamp,
    ) -> Result<(), LinkError> {
        self.identities.link(person, identity, now).await
    }

    /// Whether an account at a provider is this person's login.
    pub(crate) async fn is_of(&self, identity: &Identity, person: PersonId) -> sqlx::Result<bool> {
        Ok(self.identities.person_of(identity).await? == Some(person))
    }

    /// The linked logins of a person.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn of(&self, person: PersonId) -> sqlx::Result<Vec<Linked>> {
        self.identities.of(person).await
    }

    /// Unlinks a login.
    ///
    /// # Errors
    /// [`LinkError`]: there is none, or it is the last way in.
    pub async fn unlink(&self, person: PersonId, provider: &str) -> Result<(), LinkError> {
        self.identities.unlink(person, provider).await
    }

    /// Ends every login and every token of a person: for who closes their account.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn end_all(&self, person: PersonId, now: Timestamp) -> sqlx::Result<()> {
        self.identities.end_all(person, now).await
    }

    /// Exactly where a provider sends browsers back to.
    fn redirect_uri(&self, provider: &Provider) -> String {
        let base = self.public_url.as_deref().unwrap_or_default();
        format!("{base}/login/{}/callback", provider.name())
    }
}

fn asking<'a>(
    browser: &BrowserSecret,
    state: &'a str,
    redirect_uri: &'a str,
    aim: Aim,
) -> Asking<'a> {
    Asking {
        redirect_uri,
        state,
        nonce: browser.nonce(state),
        verifier: browser.verifier(state),
        afresh: matches!(aim, Aim::StepUp(_)),
    }
}
