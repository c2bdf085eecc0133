//! How the checks call an adapter: bounded in time and size, and never surprised.

use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder, redirect::Policy};
use serde_json::{Value, json};

use super::{Checked, Stop, require};

/// The longest answer that the page allows.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Statements may be longer.
const STATEMENT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How often a payment is looked at while it is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// An answer.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) kind: String,
    /// Null if it is not JSON.
    pub(super) body: Value,
}

impl Answer {
    pub(super) fn told(&self) -> String {
        format!("{} {} {}", self.status, self.kind, self.body)
    }

    /// Whether it is the problem with this status, and with this code if one is given.
    pub(super) fn is_problem(&self, status: u16, code: Option<&str>) -> Checked {
        let expected = match code {
            Some(code) => format!("problem {status} with code {code}"),
            None => format!("problem {status}"),
        };
        let given = self.body.get("code").and_then(Value::as_str);
        let holds = self.status == status
            && self.kind.starts_with("application/problem+json")
            && given.is_some()
            && code.is_none_or(|code| given == Some(code));
        require(holds, &expected, self.told())
    }

    /// The body of a `200`.
    pub(super) fn ok(self) -> Result<Value, Stop> {
        let holds = self.status == 200 && self.kind.starts_with("application/json");
        require(holds, "200 application/json", self.told())?;
        Ok(self.body)
    }
}

/// The caller.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    base_url: String,
    token: Option<String>,
    run: String,
    pub(super) outcome_within: Duration,
}

impl Client {
    pub(super) fn new(
        base_url: &str,
        token: Option<String>,
        run: String,
        answer_within: Duration,
        outcome_within: Duration,
    ) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .timeout(answer_within)
            .redirect(Policy::none())
            .no_proxy()
            .build()?;
        let base_url = base_url.trim_end_matches('/').to_owned();
        Ok(Self { http, base_url, token, run, outcome_within })
    }

    pub(super) fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// A reference of this run.
    pub(super) fn reference(&self, name: &str) -> String {
        format!("{}-{name}", self.run)
    }

    /// A request to anywhere, by nobody in particular.
    pub(super) fn at(&self, method: Method, url: &str) -> RequestBuilder {
        self.http.request(method, url)
    }

    pub(super) fn plain(&self, method: Method, path: &str) -> RequestBuilder {
        self.at(method, &format!("{}/{path}", self.base_url))
    }

    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.plain(method, path);
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// The answer; `None` if there was none in time, or one that is too long.
    pub(super) async fn send(&self, request: RequestBuilder, most: usize) -> Option<Answer> {
        let mut answer = request.send().await.ok()?;
        let kind = answer.headers().get("content-type").and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().to_owned();
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.ok()? {
            body.extend_from_slice(&chunk);
            if body.len() > most {
                return None;
            }
        }
        let body = serde_json::from_slice(&body).unwrap_or_default();
        Some(Answer { status, kind, body })
    }

    pub(super) async fn get(&self, path: &str) -> Option<Answer> {
        self.send(self.request(Method::GET, path), ANSWER_BYTES_MAX).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Option<Answer> {
        self.send(self.request(Method::POST, path).json(body), ANSWER_BYTES_MAX).await
    }

    /// An answer that must come.
    pub(super) async fn asked(&self, path: &str) -> Result<Answer, Stop> {
        self.get(path).await.ok_or_else(|| silent(path))
    }

    /// An answer that must come.
    pub(super) async fn given(&self, path: &str, body: &Value) -> Result<Answer, Stop> {
        self.post(path, body).await.ok_or_else(|| silent(path))
    }

    pub(super) async fn contract(&self) -> Result<Value, Stop> {
        self.asked("v1/contract").await?.ok()
    }

    pub(super) async fn enquire(&self, reference: &str) -> Result<Answer, Stop> {
        self.asked(&format!("v1/transfers/{reference}")).await
    }

    /// Waits until the enquiry says one of these.
    pub(super) async fn becomes(&self, reference: &str, wanted: &[&str]) -> Result<Value, Stop> {
        let deadline = Instant::now() + self.outcome_within;
        loop {
            let answer = self.enquire(reference).await?;
            let status = answer.body.get("status").and_then(Value::as_str).unwrap_or_default();
            if answer.status == 200 && wanted.contains(&status) {
                return Ok(answer.body);
            }
            if Instant::now() > deadline {
                let expected = format!("{} in time", wanted.join(" or "));
                require(false, &expected, answer.told())?;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// The statement of the day that a moment of the wire belongs to.
    pub(super) async fn statement(&self, date: &str, account: &str) -> Result<Value, Stop> {
        let path = format!("v1/statements/{date}?account={account}");
        let request = self.request(Method::GET, &path);
        self.send(request, STATEMENT_BYTES_MAX).await.ok_or_else(|| silent(&path))?.ok()
    }

    /// The lines of today's and yesterday's statement with this reference.
    pub(super) async fn lines(&self, reference: &str) -> Result<Vec<Value>, Stop> {
        let mut found = Vec::new();
        for date in self.days().await? {
            let statement = self.statement(&date, "escrow").await?;
            let lines = statement.get("lines").and_then(Value::as_array).cloned();
            let lines = lines.unwrap_or_default().into_iter();
            found.extend(lines.filter(|line| line.get("reference") == Some(&json!(reference))));
        }
        Ok(found)
    }

    /// The last days that have a statement, today first: the bank says which, we only ask. Today
    /// by our clock, and a day either way, since the bank's clock and zone are its own.
    pub(super) async fn days(&self) -> Result<Vec<String>, Stop> {
        let today = chrono::Utc::now().date_naive();
        let mut found = Vec::new();
        for days in [1_i64, 0, -1] {
            let date = (today + chrono::TimeDelta::days(days)).to_string();
            let request = self.request(Method::GET, &format!("v1/statements/{date}"));
            let answer = self.send(request, STATEMENT_BYTES_MAX).await;
            if answer.ok_or_else(|| silent("v1/statements"))?.status == 200 {
                found.push(date);
            }
        }
        require(!found.is_empty(), "a statement of today", "none")?;
        Ok(found)
    }
}

fn silent(path: &str) -> Stop {
    Stop::Fail(format!("expected an answer from {path} in time, heard none"))
}

/// Money of the wire, in paise, with the sign that a balance may have.
pub(super) fn paise(money: Option<&Value>) -> Result<i64, Stop> {
    let wrong = || Stop::Fail(format!("expected money in INR with two decimals, saw {money:?}"));
    let money = money.and_then(Value::as_object).ok_or_else(wrong)?;
    let text = money.get("value").and_then(Value::as_str).ok_or_else(wrong)?;
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (rupees, decimals) = digits.split_once('.').ok_or_else(wrong)?;
    let plain = |part: &str| part.chars().all(|c| c.is_ascii_digit());
    let canonical = rupees == "0" || !rupees.starts_with('0');
    let well_formed = !rupees.is_empty() && decimals.len() == 2 && canonical;
    if !well_formed
        || !plain(rupees)
        || !plain(decimals)
        || money.get("currency") != Some(&json!("INR"))
    {
        return Err(wrong());
    }
    text.replace('.', "").parse().map_err(|_| wrong())
}
