//! Providers that speak OpenID Connect: found by discovery, believed by their signed tokens.
//!
//! Discovery and keys are kept for an hour, and are read again when a token is signed with a key
//! that is not among them, but not more than once a minute: keys change, and a stranger's token
//! must not make us call the provider each time.
//!
//! Which algorithms may sign stands here and is not taken from the provider: `none` and HMAC, with
//! which a public key could be passed off as a secret, are not among them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use openidconnect::{
    AdditionalProviderMetadata, AuthType, AuthenticationFlow, AuthorizationCode,
    ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, DiscoveryError, IssuerUrl, Nonce,
    OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, ProviderMetadata, RedirectUrl,
    RequestTokenError, Scope, SignatureVerificationError, TokenResponse as _,
    core::{
        CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod,
        CoreGrantType, CoreIdToken, CoreIdTokenClaims, CoreIdTokenVerifier, CoreJsonWebKey,
        CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm,
        CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType, CoreUserInfoClaims,
    },
};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::{
    config::ProviderConfig,
    outgoing::{Outgoing, OutgoingError},
    provider::{Asking, Identity, ProviderError, name},
};

/// What may sign.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 5] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];
/// How long discovery is believed.
const KEPT: Duration = Duration::from_secs(3600);
/// How often an unknown key may make us look again.
const LOOK_AGAIN_EVERY: Duration = Duration::from_secs(60);
/// How old a login there may be that was asked for afresh: as long as an attempt lasts.
const AFRESH: TimeDelta = TimeDelta::minutes(10);

/// What RFC 9207 adds to discovery.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct More {
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for More {}

type Metadata = ProviderMetadata<
    More,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

struct Discovered {
    metadata: Arc<Metadata>,
    at: Instant,
}

/// A provider that speaks it.
pub(super) struct Oidc {
    outgoing: Arc<Outgoing>,
    discovered: Mutex<Option<Discovered>>,
}

/// What of a discovery is good enough.
#[derive(Clone, Copy)]
enum Fresh {
    /// Not older than an hour.
    Usual,
    /// Not older than a minute: there may be a new key.
    Now,
}

impl Oidc {
    pub(super) fn new(outgoing: Arc<Outgoing>) -> Self {
        Self { outgoing, discovered: Mutex::new(None) }
    }

    /// Whether it announces that its answers name it.
    pub(super) async fn names_itself(&self, config: &ProviderConfig) -> bool {
        // Who can't be asked redeems no code either.
        self.metadata(config, Fresh::Usual).await.is_ok_and(|metadata| {
            metadata.additional_metadata().authorization_response_iss_parameter_supported
        })
    }

    pub(super) async fn authorize_url(
        &self,
        config: &ProviderConfig,
        asking: &Asking<'_>,
    ) -> Result<String, ProviderError> {
        let metadata = self.metadata(config, Fresh::Usual).await?;
        let client = CoreClient::from_provider_metadata(
            Metadata::clone(&metadata),
            ClientId::new(config.client_id.clone()),
            None,
        )
        .set_redirect_uri(redirect(asking)?);
        let verifier = PkceCodeVerifier::new(asking.verifier.clone());
        let (state, nonce) = (asking.state.to_owned(), asking.nonce.clone());
        let mut request = client
            .authorize_url(
                AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
                move || CsrfToken::new(state.clone()),
                move || Nonce::new(nonce.clone()),
            )
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        // `openid` is asked for anyway.
        for scope in config.scopes.iter().filter(|scope| *scope != "openid") {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        if asking.afresh {
            request = request.set_max_age(Duration::ZERO);
        }
        let (url, _, _) = request.url();
        Ok(url.into())
    }

    pub(super) async fn identify(
        &self,
        config: &ProviderConfig,
        code: String,
        asking: &Asking<'_>,
    ) -> Result<Identity, ProviderError> {
        let metadata = self.metadata(config, Fresh::Usual).await?;
        let secret = ClientSecret::new(config.client_secret.reveal().to_owned());
        let client = CoreClient::from_provider_metadata(
            Metadata::clone(&metadata),
            ClientId::new(config.client_id.clone()),
            Some(secret),
        )
        .set_redirect_uri(redirect(asking)?)
        .set_auth_type(auth_type(&metadata));
        let response = client
            .exchange_code(AuthorizationCode::new(code))?
            .set_pkce_verifier(PkceCodeVerifier::new(asking.verifier.clone()))
            .request_async(&*self.outgoing)
            .await
            .map_err(exchange_error)?;
        let token = response.id_token().ok_or(ProviderError::NoToken)?;
        let nonce = Nonce::new(asking.nonce.clone());
        let claims = self.claims(config, &metadata, token, &nonce).await?;
        if asking.afresh && is_stale(&claims) {
            return Err(ProviderError::NotAfresh);
        }
        let mut identity = Identity {
            issuer: config.issuer.clone(),
            subject: claims.subject().to_string(),
            provider: config.name.clone(),
            email: claims
                .email()
                .filter(|_| claims.email_verified() == Some(true))
                .map(|email| email.to_string()),
            name: name(claims.name().and_then(|name| name.get(None)).map(|name| name.as_str())),
            // Not too long ago, if it is said: that was seen above.
            is_afresh: asking.afresh && claims.auth_time().is_some(),
        };
        // Some say the address only when they are asked with the access token.
        if claims.email().is_none() && client.user_info_url().is_some() {
            let subject = claims.subject().clone();
            let more = client.user_info(response.access_token().clone(), Some(subject))?;
            let more: CoreUserInfoClaims =
                more.request_async(&*self.outgoing).await.map_err(|_| ProviderError::Answer)?;
            identity.email = more
                .email()
                .filter(|_| more.email_verified() == Some(true))
                .map(|email| email.to_string());
        }
        Ok(identity)
    }

    /// What the token says, if it is signed and meant as it must be.
    async fn claims(
        &self,
        config: &ProviderConfig,
        metadata: &Metadata,
        token: &CoreIdToken,
        nonce: &Nonce,
    ) -> Result<CoreIdTokenClaims, ProviderError> {
        let first = token.claims(&verifier(config, metadata), nonce);
        let refused = match first {
            Ok(claims) => return Ok(claims.clone()),
            Err(refused) => refused,
        };
        let unknown_key = ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::NoMatchingKey,
        );
        if refused == unknown_key {
            let metadata = self.metadata(config, Fresh::Now).await?;
            let again = token.claims(&verifier(config, &metadata), nonce);
            return again.cloned().map_err(|refused| ProviderError::Token(why(&refused)));
        }
        Err(ProviderError::Token(why(&refused)))
    }

    async fn metadata(
        &self,
        config: &ProviderConfig,
        fresh: Fresh,
    ) -> Result<Arc<Metadata>, ProviderError> {
        let age_max = match fresh {
            Fresh::Usual => KEPT,
            Fresh::Now => LOOK_AGAIN_EVERY,
        };
        // Those who come meanwhile wait for the same answer.
        let mut discovered = self.discovered.lock().await;
        if let Some(known) = discovered.as_ref().filter(|known| known.at.elapsed() < age_max) {
            return Ok(Arc::clone(&known.metadata));
        }
        let issuer =
            IssuerUrl::new(config.issuer.clone()).map_err(|_| ProviderError::Configuration)?;
        let metadata =
            Metadata::discover_async(issuer, &*self.outgoing).await.map_err(discovery_error)?;
        let metadata = Arc::new(metadata);
        *discovered = Some(Discovered { metadata: Arc::clone(&metadata), at: Instant::now() });
        Ok(metadata)
    }
}

/// Whether they logged in at the provider too long before the token was made. One that does not say
/// when is not stale, and not afresh either: it takes a code besides.
fn is_stale(claims: &CoreIdTokenClaims) -> bool {
    let age = claims.auth_time().map(|at| claims.issue_time().signed_duration_since(at));
    age.is_some_and(|age| age > AFRESH)
}

fn verifier<'a>(config: &ProviderConfig, metadata: &Metadata) -> CoreIdTokenVerifier<'a> {
    CoreIdTokenVerifier::new_public_client(
        ClientId::new(config.client_id.clone()),
        metadata.issuer().clone(),
        metadata.jwks().clone(),
    )
    .set_allowed_algs(ALGORITHMS)
}

fn redirect(asking: &Asking<'_>) -> Result<RedirectUrl, ProviderError> {
    RedirectUrl::new(asking.redirect_uri.to_owned()).map_err(|_| ProviderError::Configuration)
}

/// In the header as the protocol would have it, unless the provider takes it in the body only.
fn auth_type(metadata: &Metadata) -> AuthType {
    let takes = metadata.token_endpoint_auth_methods_supported();
    let basic = takes.is_none_or(|takes| takes.contains(&CoreClientAuthMethod::ClientSecretBasic));
    if basic { AuthType::BasicAuth } else { AuthType::RequestBody }
}

fn discovery_error(error: DiscoveryError<OutgoingError>) -> ProviderError {
    if let DiscoveryError::Request(error) = error {
        ProviderError::Unavailable(error)
    } else {
        ProviderError::Discovery
    }
}

pub(super) fn exchange_error<T>(error: RequestTokenError<OutgoingError, T>) -> ProviderError
where
    T: openidconnect::ErrorResponse + 'static,
{
    match error {
        RequestTokenError::Request(error) => ProviderError::Unavailable(error),
        RequestTokenError::ServerResponse(_) => ProviderError::Code,
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => ProviderError::Answer,
    }
}

/// The reason in our words: what the library says repeats what the token said.
fn why(refused: &ClaimsVerificationError) -> &'static str {
    type Reason = (&'static str, fn(&ClaimsVerificationError) -> bool);
    let reasons: [Reason; 6] = [
        ("expired", |e| matches!(e, ClaimsVerificationError::Expired(_))),
        ("for another audience", |e| matches!(e, ClaimsVerificationError::InvalidAudience(_))),
        ("of another issuer", |e| matches!(e, ClaimsVerificationError::InvalidIssuer(_))),
        ("of another request", |e| matches!(e, ClaimsVerificationError::InvalidNonce(_))),
        ("about somebody else", |e| matches!(e, ClaimsVerificationError::InvalidSubject(_))),
        ("not signed as it must be", |e| {
            matches!(e, ClaimsVerificationError::SignatureVerification(_))
        }),
    ];
    let found = reasons.into_iter().find(|(_, is)| is(refused));
    found.map_or("not understood", |(reason, _)| reason)
}
