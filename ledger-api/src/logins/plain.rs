//! Providers that speak plain OAuth 2, as GitHub does.
//!
//! OAuth 2 says what may be done, not who somebody is. Who it is comes from the provider's own API:
//! its number for the account, which never changes, and of the e-mail addresses the primary one, if
//! it is verified. The address that a profile shows is not asked for: nobody vouches for it.

use std::sync::Arc;

use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, Scope, TokenResponse as _, TokenUrl, basic::BasicClient,
};
use openidconnect::url::Url;
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    config::{Kind, ProviderConfig},
    oidc::exchange_error,
    outgoing::Outgoing,
    provider::{Asking, Identity, ProviderError, name},
};

/// A provider that speaks it.
pub(super) struct Plain {
    outgoing: Arc<Outgoing>,
}

struct Places<'a> {
    auth: &'a Url,
    token: &'a Url,
    user: &'a Url,
    emails: Option<&'a Url>,
}

#[derive(Deserialize)]
struct User {
    id: Id,
    name: Option<String>,
}

/// GitHub's are numbers, others' may be texts.
#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Number(u64),
    Text(String),
}

#[derive(Deserialize)]
struct Address {
    email: String,
    #[serde(default)]
    primary: bool,
    #[serde(default)]
    verified: bool,
}

impl Plain {
    pub(super) const fn new(outgoing: Arc<Outgoing>) -> Self {
        Self { outgoing }
    }

    #[expect(clippy::unused_self, reason = "asked as the other kind is")]
    pub(super) fn authorize_url(
        &self,
        config: &ProviderConfig,
        asking: &Asking<'_>,
    ) -> Result<String, ProviderError> {
        let places = places(config)?;
        let client = BasicClient::new(ClientId::new(config.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(places.auth.clone()))
            .set_redirect_uri(redirect(asking)?);
        let verifier = PkceCodeVerifier::new(asking.verifier.clone());
        let (url, _) = client
            .authorize_url(|| CsrfToken::new(asking.state.to_owned()))
            .add_scopes(config.scopes.iter().cloned().map(Scope::new))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok(url.into())
    }

    pub(super) async fn identify(
        &self,
        config: &ProviderConfig,
        code: String,
        asking: &Asking<'_>,
    ) -> Result<Identity, ProviderError> {
        let places = places(config)?;
        let client = BasicClient::new(ClientId::new(config.client_id.clone()))
            .set_client_secret(ClientSecret::new(config.client_secret.reveal().to_owned()))
            // What GitHub documents.
            .set_auth_type(AuthType::RequestBody)
            .set_auth_uri(AuthUrl::from_url(places.auth.clone()))
            .set_token_uri(TokenUrl::from_url(places.token.clone()))
            .set_redirect_uri(redirect(asking)?);
        let response = client
            .exchange_code(AuthorizationCode::new(code))
            .set_pkce_verifier(PkceCodeVerifier::new(asking.verifier.clone()))
            .request_async(&*self.outgoing)
            .await
            .map_err(exchange_error)?;
        let token = response.access_token().secret();
        let user: User = self.read(places.user, token).await?;
        let subject = match user.id {
            Id::Number(number) => number.to_string(),
            Id::Text(text) => text,
        };
        if subject.is_empty() || subject.len() > 255 {
            return Err(ProviderError::Answer);
        }
        let addresses: Vec<Address> = match places.emails {
            Some(emails) => self.read(emails, token).await?,
            None => Vec::new(),
        };
        let primary = addresses.into_iter().find(|address| address.primary && address.verified);
        Ok(Identity {
            issuer: config.issuer.clone(),
            subject,
            provider: config.name.clone(),
            email: primary.map(|address| address.email),
            name: name(user.name.as_deref()),
            // OAuth 2 has no way to ask for that, and none to say it.
            is_afresh: false,
        })
    }

    async fn read<T: DeserializeOwned>(&self, url: &Url, token: &str) -> Result<T, ProviderError> {
        let request = axum::http::Request::get(url.as_str())
            .header("accept", "application/json")
            .header("authorization", format!("Bearer {token}"))
            .body(Vec::new())
            .map_err(|_| ProviderError::Answer)?;
        let response = self.outgoing.fetch(request).await.map_err(ProviderError::Unavailable)?;
        if !response.status().is_success() {
            return Err(ProviderError::Answer);
        }
        serde_json::from_slice(response.body()).map_err(|_| ProviderError::Answer)
    }
}

fn places(config: &ProviderConfig) -> Result<Places<'_>, ProviderError> {
    match &config.kind {
        Kind::OAuth2 { auth, token, user, emails } => {
            Ok(Places { auth, token, user, emails: emails.as_ref() })
        }
        Kind::Oidc => Err(ProviderError::Configuration),
    }
}

fn redirect(asking: &Asking<'_>) -> Result<RedirectUrl, ProviderError> {
    RedirectUrl::new(asking.redirect_uri.to_owned()).map_err(|_| ProviderError::Configuration)
}
