//! A gateway for short messages: `POST {"to": "+91…", "text": "…"}` with a bearer token. What
//! gateways call these fields differs; a few lines before one translate.

use std::time::Duration;

use futures::future::BoxFuture;
use reqwest::{Client, Url, redirect::Policy};
use serde_json::json;

use super::{PostError, Sms};

const PATIENCE: Duration = Duration::from_secs(10);

/// A gateway for short messages.
pub struct Gateway {
    client: Client,
    url: Url,
    token: Option<String>,
}

impl Gateway {
    /// By its address.
    ///
    /// # Errors
    /// [`PostError`] if that is none.
    pub fn new(url: &str, token: Option<String>) -> Result<Self, PostError> {
        let url: Url = url.parse().map_err(|_| PostError::Setting("BAHI_SMS_URL"))?;
        if !["http", "https"].contains(&url.scheme()) {
            return Err(PostError::Setting("BAHI_SMS_URL"));
        }
        // A redirect would hand the token on.
        let client = Client::builder().timeout(PATIENCE).redirect(Policy::none()).build();
        Ok(Self { client: client.map_err(PostError::Gateway)?, url, token })
    }
}

impl Sms for Gateway {
    fn send(&self, to: String, text: String) -> BoxFuture<'_, Result<(), PostError>> {
        Box::pin(async move {
            let mut request = self.client.post(self.url.clone());
            if let Some(token) = &self.token {
                request = request.bearer_auth(token);
            }
            let sent = request.json(&json!({"to": to, "text": text})).send().await;
            let status = sent.map_err(|e| PostError::Gateway(e.without_url()))?.status();
            if status.is_success() { Ok(()) } else { Err(PostError::Refused(status.as_u16())) }
        })
    }
}
