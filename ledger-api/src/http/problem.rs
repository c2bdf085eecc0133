//! Errors as `application/problem+json` (RFC 9457).
//!
//! A handler returns a [`Problem`]; the envelope around all handlers (`layers`) adds what only it
//! knows and writes the body. A refusal by a rule of the ledger is an outcome, stored for ever
//! under the request's key: its body depends on request and outcome alone, so that a replay is the
//! same to the byte. That is why it carries no `request_id` (the header `Request-Id` does).

use std::borrow::Cow;

use axum::{
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use ledger_core::{
    command::Rejection,
    engine::{Answer, SubmitError},
    ids::{AccountId, RequestId},
    log::Position,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    codes::{self, Code, Retry},
    limit::LimitState,
    wire::Amount,
};

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// Where: a JSON pointer into the body, or `?name` for a query parameter.
    pub pointer: String,
    /// What is wrong, as a code.
    pub code: Cow<'static, str>,
    /// What is wrong, in words.
    pub detail: String,
}

/// What became of the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Funds {
    /// Nothing moved.
    NotMoved,
    /// Not known yet: ask again with the same key.
    Unknown,
}

/// An answer that says no.
#[derive(Debug, Clone)]
pub struct Problem(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    code: Cow<'static, str>,
    status: u16,
    title: &'static str,
    retry: Retry,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    funds: Option<Funds>,
    account: Option<AccountId>,
    available: Option<Amount>,
    transaction: Option<u16>,
    limit: Option<LimitState>,
    retry_after_s: Option<u32>,
    allow: Option<HeaderValue>,
    challenge: bool,
    /// The outcome it renders, with its position and whether it is a replay.
    outcome: Option<(Position, bool)>,
}

/// The body of a problem.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ProblemBody {
    /// The address of a page about the code.
    #[serde(rename = "type")]
    pub problem_type: String,
    /// What it says in a few words.
    pub title: Cow<'static, str>,
    /// The status.
    pub status: u16,
    /// What is wrong with this request.
    pub detail: Cow<'static, str>,
    /// The path of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The stable code to match on.
    pub code: Cow<'static, str>,
    /// The request's id. Not on refusals by the ledger: they are the same whenever asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The fields that are wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Whether sending it again can help: `never` or `same_key`.
    pub retry: Cow<'static, str>,
    /// What became of the money; on writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub funds: Option<Funds>,
    /// The account whose rule refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub account: Option<AccountId>,
    /// What the account could have given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<Amount>,
    /// Which transaction of the request, from 0, where it has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<u16>,
    /// The limit of the account's tier that stands in the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<LimitState>,
}

impl Problem {
    /// A problem of a code, with what is wrong in this case.
    pub fn new(code: &'static Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            code: Cow::Borrowed(code.name),
            status: code.status,
            title: code.title,
            retry: code.retry,
            detail: detail.into(),
            errors: Vec::new(),
            funds: None,
            account: None,
            available: None,
            transaction: None,
            limit: None,
            retry_after_s: None,
            allow: None,
            // Webhooks are refused with 401 too, and know no such key.
            challenge: *code == *codes::UNAUTHENTICATED,
            outcome: None,
        }))
    }

    /// One field is wrong: the problem's code is the field's.
    pub fn field(
        code: &'static Code,
        pointer: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        let detail = detail.into();
        let mut problem = Self::new(code, detail.clone());
        problem.0.errors.push(FieldError {
            pointer: pointer.into(),
            code: Cow::Borrowed(code.name),
            detail,
        });
        problem
    }

    /// A query parameter is wrong.
    pub fn parameter(name: &str, detail: impl Into<String>) -> Self {
        Self::field(codes::INVALID, format!("?{name}"), detail)
    }

    /// There is nothing here.
    pub fn not_found(what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(codes::NOT_FOUND, what)
    }

    /// A fault of ours; the cause goes to the log and not to the client.
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "an internal error");
        let mut problem = Self::new(codes::INTERNAL, "Something went wrong on our side.");
        problem.0.funds = Some(Funds::Unknown);
        problem
    }

    /// What the ledger's rules said no to.
    pub fn rejected(rejection: &Rejection, answer: &Answer) -> Self {
        let known = codes::find(&rejection.code);
        let available = rejection.available.and_then(|amount| {
            let currency = rejection.account.as_ref()?.currency().ok()?;
            Some(Amount::new(amount, currency))
        });
        Self(Box::new(Inner {
            code: known.map_or_else(
                || Cow::Owned(rejection.code.clone()),
                |code| Cow::Borrowed(code.name),
            ),
            status: known.map_or(422, |code| code.status),
            title: known.map_or("Refused by the ledger", |code| code.title),
            retry: Retry::Never,
            detail: Cow::Owned(sentence(&rejection.detail)),
            errors: Vec::new(),
            funds: Some(Funds::NotMoved),
            account: rejection.account.clone(),
            available,
            transaction: rejection.transaction,
            limit: LimitState::of(rejection),
            retry_after_s: None,
            allow: None,
            challenge: false,
            outcome: Some((answer.position, answer.replayed)),
        }))
    }

    /// The outcome is not known in time; the work goes on.
    pub fn outcome_unknown() -> Self {
        let mut problem = Self::new(
            codes::OUTCOME_UNKNOWN,
            "The outcome did not come in time. Send the request again with the same key.",
        );
        problem.0.funds = Some(Funds::Unknown);
        problem.retry_after(1)
    }

    /// With the seconds to wait before the next try.
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after_s = Some(seconds);
        self
    }

    /// With the methods that the address has.
    pub fn allow(mut self, methods: Option<HeaderValue>) -> Self {
        self.0.allow = methods;
        self
    }

    /// The same problem for a field inside a list: its pointers start with `prefix`.
    pub fn under(mut self, prefix: &str) -> Self {
        for error in &mut self.0.errors {
            error.pointer.insert_str(0, prefix);
        }
        self
    }

    /// The same problem, which names the fields of another as well.
    pub fn and(mut self, other: &Self) -> Self {
        self.0.errors.extend_from_slice(&other.0.errors);
        self
    }

    /// The same outcome in other words, without what is somebody else's business.
    pub(crate) fn said_otherwise(mut self, code: &'static Code, detail: &'static str) -> Self {
        let inner = &mut self.0;
        (inner.code, inner.status, inner.title) =
            (Cow::Borrowed(code.name), code.status, code.title);
        inner.detail = Cow::Borrowed(detail);
        (inner.account, inner.available, inner.limit) = (None, None, None);
        self
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.0.status
    }

    /// The code.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// Whether it renders a stored outcome that was decided before.
    pub fn is_replay(&self) -> bool {
        self.0.outcome.is_some_and(|(_, replayed)| replayed)
    }

    /// The body without what belongs to a single request: for items of a bulk answer.
    pub fn body(&self) -> ProblemBody {
        let inner = &self.0;
        ProblemBody {
            problem_type: format!("/problems/{}", inner.code),
            title: Cow::Borrowed(inner.title),
            status: inner.status,
            detail: inner.detail.clone(),
            instance: None,
            code: inner.code.clone(),
            request_id: None,
            errors: inner.errors.clone(),
            retry: Cow::Borrowed(inner.retry.as_str()),
            funds: inner.funds,
            account: inner.account.clone(),
            available: inner.available.clone(),
            transaction: inner.transaction,
            limit: inner.limit.clone(),
        }
    }

    /// The whole answer, for the request it answers.
    pub fn render(&self, request: RequestId, method: &Method, path: &str) -> Response {
        let mut body = self.body();
        body.instance = Some(path.to_owned());
        if self.0.outcome.is_none() {
            body.request_id = Some(request.to_string());
        }
        body.funds = match body.funds {
            _ if method.is_safe() => None,
            None => Some(Funds::NotMoved),
            said => said,
        };
        let bytes = serde_json::to_vec(&body).unwrap_or_else(|_| b"{}".to_vec());
        let status =
            StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, bytes).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.0.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(allow) = &self.0.allow {
            headers.insert(header::ALLOW, allow.clone());
        }
        if self.0.challenge {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"bahi\""),
            );
        }
        if let Some((position, replayed)) = self.0.outcome {
            super::reply::set_position(headers, position);
            super::reply::set_replayed(headers, replayed);
        }
        response
    }
}

/// Words with a capital letter and a full stop: an error's text has neither.
pub(crate) fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    let stop = if words.ends_with('.') { "" } else { "." };
    format!("{}{}{stop}", first.unwrap_or_default(), letters.as_str())
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Overloaded => {
                Self::new(codes::OVERLOADED, "Too many requests wait already.").retry_after(1)
            }
            SubmitError::Unavailable => {
                Self::new(codes::LEDGER_UNAVAILABLE, "The ledger's database is not available.")
                    .retry_after(1)
            }
            SubmitError::KeyReused => Self::new(
                codes::IDEMPOTENCY_KEY_REUSED,
                "This idempotency key came with another request before.",
            ),
            SubmitError::OutcomeUnknown => Self::outcome_unknown(),
            SubmitError::Corrupt => {
                Self::new(codes::LEDGER_CORRUPT, "A stream that the request needs cannot be read.")
            }
            SubmitError::Halted => Self::new(
                codes::LEDGER_HALTED,
                "The ledger has stopped writing until an operator decides.",
            ),
        }
    }
}

/// Travels to the envelope as an extension: only there is the request known.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
