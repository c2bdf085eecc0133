//! A client of the sandbox's switches: what the commands of `bahi sandbox` call.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, redirect::Policy};
use serde_json::{Value, json};

use crate::{
    BankCode,
    faults::Mode,
    wire::{AdjustmentRequest, CreditRequest},
};

const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer that is read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Why a switch could not be thrown.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nobody answers.
    #[error("the sandbox bank does not answer")]
    NoAnswer(#[from] reqwest::Error),
    /// It said no.
    #[error("the sandbox bank says no ({status}): {detail}")]
    Refused {
        /// The status of its answer.
        status: u16,
        /// Its words.
        detail: String,
    },
    /// It said something else.
    #[error("the sandbox bank's answer is not its own")]
    Nonsense,
}

/// Whom to call.
#[derive(Debug)]
pub struct Control {
    client: Client,
    base_url: String,
    token: Option<String>,
}

impl Control {
    /// A client of the sandbox at `base_url`.
    ///
    /// # Errors
    /// [`ControlError`] if no client can be made.
    pub fn new(base_url: &str, token: Option<String>) -> Result<Self, ControlError> {
        let client =
            Client::builder().timeout(PATIENCE).redirect(Policy::none()).no_proxy().build()?;
        Ok(Self { client, base_url: base_url.trim_end_matches('/').to_owned(), token })
    }

    /// Sets how a bank behaves.
    ///
    /// # Errors
    /// [`ControlError`]: it was not set, or nobody knows.
    pub async fn mode(&self, bank: BankCode, mode: &Mode) -> Result<Value, ControlError> {
        self.post(&format!("banks/{}/mode", bank.as_str()), &json!(mode)).await
    }

    /// Moves the clock forwards.
    ///
    /// # Errors
    /// [`ControlError`]: it was not moved, or nobody knows.
    pub async fn advance(&self, by: Duration) -> Result<Value, ControlError> {
        let milliseconds = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.post("clock/advance", &json!({ "milliseconds": milliseconds })).await
    }

    /// Draws all chance from another seed.
    ///
    /// # Errors
    /// [`ControlError`]: it was not set, or nobody knows.
    pub async fn seed(&self, seed: u64) -> Result<Value, ControlError> {
        self.post("seed", &json!({ "seed": seed })).await
    }

    /// Sends money to a bank's account.
    ///
    /// # Errors
    /// [`ControlError`]: it was not sent, or nobody knows.
    pub async fn credit(
        &self,
        bank: BankCode,
        credit: &CreditRequest,
    ) -> Result<Value, ControlError> {
        self.post(&format!("banks/{}/credits", bank.as_str()), &json!(credit)).await
    }

    /// Books something on our account as the bank's own doing.
    ///
    /// # Errors
    /// [`ControlError`]: it was not booked, or nobody knows.
    pub async fn adjust(
        &self,
        bank: BankCode,
        adjustment: &AdjustmentRequest,
    ) -> Result<Value, ControlError> {
        self.post(&format!("banks/{}/adjustments", bank.as_str()), &json!(adjustment)).await
    }

    /// Reads a bank's books and counters.
    ///
    /// # Errors
    /// [`ControlError`]: there was no answer.
    pub async fn books(&self, bank: BankCode) -> Result<Value, ControlError> {
        self.call(self.request(Method::GET, &format!("banks/{}/books", bank.as_str()))).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}/control/{path}", self.base_url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value, ControlError> {
        self.call(self.request(Method::POST, path).json(body)).await
    }

    async fn call(&self, request: RequestBuilder) -> Result<Value, ControlError> {
        let mut answer = request.send().await?;
        let status = answer.status();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_BYTES_MAX {
                return Err(ControlError::Nonsense);
            }
        }
        let body: Value = serde_json::from_slice(&body).map_err(|_| ControlError::Nonsense)?;
        if status.is_success() {
            return Ok(body);
        }
        let detail = body.get("detail").and_then(Value::as_str).unwrap_or_default().to_owned();
        Err(ControlError::Refused { status: status.as_u16(), detail })
    }
}
