//! One call over HTTP, and which answers are believed.
//!
//! Believed are `200` with JSON of the right form, and a problem (`application/problem+json` with
//! a code) of a status that the protocol gives a meaning. An error page of whatever stands in
//! between has neither, so it proves nothing. Nothing is repeated here.
//!
//! A call about a transfer is written down as it went, whatever came of it (`crate::exchanges`).

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use ledger_core::ids::{BankCode, Reference};
use reqwest::{
    Client, Method, Response, StatusCode, Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, RETRY_AFTER},
    redirect,
};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    banks::{
        CallError, Doubt, Health,
        wire::{Raw, problem_code, read},
    },
    exchanges::{ExchangeKind, Failure, Recorder},
};

/// The most bytes of an answer.
const BYTES_MAX: usize = 64 * 1024;
/// The most bytes of a statement.
pub(super) const STATEMENT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// When to come again if a bank doesn't say, and the longest that it can ask for.
const RETRY_AFTER_USUAL: Duration = Duration::from_secs(1);
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3_600);
const PROBLEM: &str = "application/problem+json";

/// What is asked.
pub(super) struct Asked<'a> {
    path: Vec<&'a str>,
    query: Option<(&'static str, &'a str)>,
    body: Option<&'a Value>,
    bytes_max: usize,
    timeout: Option<Duration>,
    noted: Option<(ExchangeKind, (&'a BankCode, &'a Reference))>,
}

impl<'a> Asked<'a> {
    /// For something that is there.
    pub(super) fn get(path: &[&'a str]) -> Self {
        let (query, body, timeout, noted) = (None, None, None, None);
        Self { path: path.to_vec(), query, body, bytes_max: BYTES_MAX, timeout, noted }
    }

    /// To do something.
    pub(super) fn post(path: &[&'a str], body: &'a Value) -> Self {
        Self { body: Some(body), ..Self::get(path) }
    }

    pub(super) fn query(self, name: &'static str, value: &'a str) -> Self {
        Self { query: Some((name, value)), ..self }
    }

    pub(super) fn at_most(self, bytes_max: usize) -> Self {
        Self { bytes_max, ..self }
    }

    /// To be written down as it goes, under the name that the bank knows the transfer by.
    pub(super) fn noted(self, kind: ExchangeKind, of: (&'a BankCode, &'a Reference)) -> Self {
        Self { noted: Some((kind, of)), ..self }
    }

    pub(super) fn within(self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self }
    }
}

/// Calls one adapter.
pub(super) struct Caller {
    client: Client,
    base: Url,
    token: Option<HeaderValue>,
    timeout: Duration,
    recorder: Mutex<Option<Recorder>>,
}

/// What was seen of a call, also of one that did not get to its end.
#[derive(Default)]
struct Seen {
    request: Vec<u8>,
    status: Option<StatusCode>,
    body: Vec<u8>,
}

/// What came, before anybody believes it.
struct Came {
    status: StatusCode,
    content_type: String,
    retry_after: Option<u64>,
    body: Vec<u8>,
}

impl Caller {
    pub(super) fn new(
        base: Url,
        token: Option<HeaderValue>,
        timeout: Duration,
    ) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            // A proxy of the environment would see every account number.
            .no_proxy()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT.min(timeout))
            .user_agent("bahi")
            .build()?;
        Ok(Self { client, base, token, timeout, recorder: Mutex::new(None) })
    }

    /// Has calls about transfers written down there.
    pub(super) fn record_to(&self, recorder: Recorder) {
        *self.recorder.lock().unwrap_or_else(PoisonError::into_inner) = Some(recorder);
    }

    /// What must be there: an answer of this kind, or an error.
    pub(super) async fn must<R: Raw>(
        &self,
        asked: Asked<'_>,
        what: &'static str,
    ) -> Result<R::Meaning, CallError> {
        let came = self.call(asked).await?;
        came.believed::<R>(what)?.map_err(|_| Doubt::Status(404).into())
    }

    /// What may be unknown: nothing if the answer is a problem of status 404 with the code
    /// `missing`. Any other 404 is of a path that is wrong.
    pub(super) async fn may<R: Raw>(
        &self,
        asked: Asked<'_>,
        what: &'static str,
        missing: &str,
    ) -> Result<Option<R::Meaning>, CallError> {
        match self.call(asked).await?.believed::<R>(what)? {
            Ok(found) => Ok(Some(found)),
            Err(Some(code)) if code.as_str() == missing => Ok(None),
            Err(_) => Err(Doubt::Status(404).into()),
        }
    }

    /// How the bank is.
    pub(super) async fn health(&self, timeout: Duration) -> Health {
        #[derive(Deserialize)]
        struct RawHealth {
            status: Word,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum Word {
            Up,
            Degraded,
        }
        let Ok(came) = self.call(Asked::get(&["v1", "health"]).within(timeout)).await else {
            return Health::Down;
        };
        let believed = came.status == StatusCode::OK && came.content_type == "application/json";
        match read::<RawHealth>(&came.body).filter(|_| believed).map(|health| health.status) {
            Some(Word::Up) => Health::Up,
            Some(Word::Degraded) => Health::Degraded,
            None => Health::Down,
        }
    }

    async fn call(&self, asked: Asked<'_>) -> Result<Came, Doubt> {
        let timeout = asked.timeout.map_or(self.timeout, |timeout| timeout.min(self.timeout));
        let begun = asked.noted.and_then(|(kind, of)| {
            let recorder = self.recorder.lock().unwrap_or_else(PoisonError::into_inner);
            recorder.as_ref().map(|recorder| recorder.begin(of, kind))
        });
        let mut seen = Seen::default();
        let answered = tokio::time::timeout(timeout, self.exchange(&asked, &mut seen)).await;
        let answered = answered.unwrap_or(Err(Doubt::TimedOut));
        if let Some(begun) = begun {
            let (answer, failure) = match &answered {
                Ok(came) => (&came.body, None),
                Err(doubt) => (&seen.body, Some(failure(*doubt))),
            };
            begun.end((&seen.request, answer), seen.status.map(|it| it.as_u16()), failure);
        }
        answered
    }

    async fn exchange(&self, asked: &Asked<'_>, seen: &mut Seen) -> Result<Came, Doubt> {
        let url = self.url(asked)?;
        let method = if asked.body.is_some() { Method::POST } else { Method::GET };
        let mut request = self.client.request(method, url).header(ACCEPT, "application/json");
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token.clone());
        }
        if let Some(body) = asked.body {
            let text = body.to_string();
            if asked.noted.is_some() {
                seen.request = text.clone().into_bytes();
            }
            request = request.header(CONTENT_TYPE, "application/json").body(text);
        }
        let mut answer = request.send().await.map_err(|error| doubt(&error))?;
        seen.status = Some(answer.status());
        if answer.status().is_redirection() {
            return Err(Doubt::Redirect);
        }
        let stated = answer.content_length().unwrap_or_default();
        if usize::try_from(stated).map_or(true, |stated| stated > asked.bytes_max) {
            return Err(Doubt::TooLarge);
        }
        while let Some(chunk) = answer.chunk().await.map_err(|error| doubt(&error))? {
            if seen.body.len().saturating_add(chunk.len()) > asked.bytes_max {
                return Err(Doubt::TooLarge);
            }
            seen.body.extend_from_slice(&chunk);
        }
        let retry_after = answer.headers().get(RETRY_AFTER);
        Ok(Came {
            status: answer.status(),
            content_type: content_type(&answer),
            retry_after: retry_after.and_then(|value| value.to_str().ok()?.parse().ok()),
            body: std::mem::take(&mut seen.body),
        })
    }

    fn url(&self, asked: &Asked<'_>) -> Result<Url, Doubt> {
        // These two would be dropped from the path, and something else be asked.
        if asked.path.iter().any(|segment| matches!(*segment, "" | "." | "..")) {
            return Err(Doubt::Malformed("name of something to ask for"));
        }
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| Doubt::Malformed("base URL"))?
            .pop_if_empty()
            .extend(&asked.path);
        if let Some((name, value)) = asked.query {
            url.query_pairs_mut().append_pair(name, value);
        }
        Ok(url)
    }
}

impl Came {
    /// What the answer says; the inner error is a 404, with its code if it has one.
    fn believed<R: Raw>(
        &self,
        what: &'static str,
    ) -> Result<Result<R::Meaning, Option<Reference>>, CallError> {
        let unknown = |doubt: Doubt| Err(CallError::Unknown(doubt));
        match self.status {
            StatusCode::OK if self.content_type != "application/json" => {
                unknown(Doubt::ContentType)
            }
            StatusCode::OK => match read::<R>(&self.body).and_then(Raw::meaning) {
                Some(meaning) => Ok(Ok(meaning)),
                None => unknown(Doubt::Malformed(what)),
            },
            StatusCode::NOT_FOUND => Ok(Err(self.code())),
            // The same reference again does no harm, whoever says so.
            StatusCode::TOO_MANY_REQUESTS => {
                let asked_for = self.retry_after.map(Duration::from_secs);
                let retry_after = asked_for.unwrap_or(RETRY_AFTER_USUAL).min(RETRY_AFTER_MAX);
                Err(CallError::TooFast { retry_after })
            }
            status => match (status, self.code()) {
                (StatusCode::CONFLICT, Some(code))
                    if matches!(code.as_str(), "reference_reused" | "token_reused") =>
                {
                    Err(CallError::ReferenceReused)
                }
                (
                    StatusCode::BAD_REQUEST
                    | StatusCode::UNAUTHORIZED
                    | StatusCode::PAYLOAD_TOO_LARGE
                    | StatusCode::UNSUPPORTED_MEDIA_TYPE
                    | StatusCode::UNPROCESSABLE_ENTITY,
                    Some(code),
                ) => Err(CallError::NotUnderstood { status: status.as_u16(), code }),
                _ => unknown(Doubt::Status(status.as_u16())),
            },
        }
    }

    /// The code, if it is a problem.
    fn code(&self) -> Option<Reference> {
        if self.content_type == PROBLEM { problem_code(&self.body) } else { None }
    }
}

/// The content type without its parameters; nothing for what is compressed, which we did not ask
/// for.
fn content_type(answer: &Response) -> String {
    if answer.headers().contains_key(CONTENT_ENCODING) {
        return String::new();
    }
    let value = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

/// Why there is no whole answer.
const fn failure(doubt: Doubt) -> Failure {
    match doubt {
        Doubt::TimedOut => Failure::TimedOut,
        Doubt::Connection | Doubt::Status(_) => Failure::NoConnection,
        Doubt::Redirect => Failure::Redirect,
        Doubt::TooLarge => Failure::TooLarge,
        Doubt::ContentType | Doubt::Malformed(_) | Doubt::Mismatch(_) => Failure::NotSent,
    }
}

fn doubt(error: &reqwest::Error) -> Doubt {
    if error.is_timeout() { Doubt::TimedOut } else { Doubt::Connection }
}
