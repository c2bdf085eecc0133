//! An exchange in words.

use super::store::KeptExchange;

impl KeptExchange {
    /// What was asked, and of whom.
    pub(crate) fn what(&self) -> String {
        let what = if self.kind == "submit" { "Sending" } else { "Question" };
        let attempt = self.attempt.map(|number| format!(" about attempt {number}"));
        format!("{what}{}, {}", attempt.unwrap_or_default(), self.bank.to_uppercase())
    }

    /// How it ended.
    pub(crate) fn outcome(&self) -> String {
        let took = seconds(self.took_ms);
        let status = self.http_status.map(|status| format!("HTTP {status}"));
        match (self.failure.as_deref(), status) {
            (None, Some(status)) => format!("{status} in {took}"),
            (Some("timed_out"), None) => format!("no answer in {took}"),
            (Some("timed_out"), Some(status)) => format!("{status}, and no end of it in {took}"),
            (Some("no_connection"), _) => format!("no connection, or it broke, after {took}"),
            (Some("redirect"), _) => "a redirect, which is not followed".to_owned(),
            (Some("too_large"), _) => "an answer that is too large".to_owned(),
            (Some(_) | None, _) => "nothing was sent".to_owned(),
        }
    }
}

fn seconds(ms: i32) -> String {
    match ms {
        ..1_000 => format!("{ms} ms"),
        _ => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::exchanges::Body;

    fn kept(failure: Option<&str>, http_status: Option<i32>, took_ms: i32) -> KeptExchange {
        KeptExchange {
            id: Uuid::nil(),
            bank: "hdfc".to_owned(),
            reference: "BH1-1".to_owned(),
            attempt: Some(1),
            kind: "submit".to_owned(),
            started_at: "2026-11-22T08:30:00Z".parse().unwrap(),
            took_ms,
            http_status,
            failure: failure.map(ToOwned::to_owned),
            request: Body::Bytes(Vec::new()),
            request_bytes: 0,
            answer: Body::Bytes(Vec::new()),
            answer_bytes: 0,
        }
    }

    #[test]
    fn silence_is_said_as_silence() {
        assert_eq!(kept(Some("timed_out"), None, 10_004).outcome(), "no answer in 10.0 s");
        assert_eq!(kept(None, Some(200), 84).outcome(), "HTTP 200 in 84 ms");
        let half = kept(Some("timed_out"), Some(200), 2_590).outcome();
        assert_eq!(half, "HTTP 200, and no end of it in 2.5 s");
    }
}
