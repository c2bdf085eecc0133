//! What the bank tells by itself: messages, signed, and told again until they are heard.
//!
//! The outbox knows what is to be sent and when; it sends nothing. A message leaves it when it was
//! delivered as often as it should be, or when its attempts are used up. A message that is being
//! sent while the bank is killed is sent again: at least once, never exactly once.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

use crate::clock::{Timestamp, text};

/// How long after each failed attempt the next one comes, in seconds. After the last: never.
const RETRY_AFTER_SECONDS: [i64; 7] = [5, 30, 300, 1_800, 7_200, 21_600, 43_200];
/// The most messages that wait; a bank whose receiver is that far behind loses the newest.
const WAITING_MAX: usize = 100_000;
const SECRET_PREFIX: &str = "whsec_";
/// What Standard Webhooks asks of a key, in bytes.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A key that signs. It is never shown.
#[derive(Clone)]
pub struct WebhookSecret(Vec<u8>);

impl std::fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookSecret")
    }
}

/// A text that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a webhook secret is whsec_ and 24 to 64 bytes in base64")]
pub struct SecretError;

impl std::str::FromStr for WebhookSecret {
    type Err = SecretError;

    fn from_str(text: &str) -> Result<Self, SecretError> {
        let encoded = text.strip_prefix(SECRET_PREFIX).ok_or(SecretError)?;
        let key = STANDARD.decode(encoded).map_err(|_| SecretError)?;
        if SECRET_BYTES.contains(&key.len()) { Ok(Self(key)) } else { Err(SecretError) }
    }
}

impl WebhookSecret {
    /// The signature of one attempt.
    ///
    /// # Errors
    /// [`SecretError`] if the key can't sign, which no key that was parsed does.
    pub(crate) fn sign(&self, id: &str, seconds: i64, body: &str) -> Result<String, SecretError> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).map_err(|_| SecretError)?;
        mac.update(format!("{id}.{seconds}.{body}").as_bytes());
        Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    }
}

/// How a message is told.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Telling {
    /// Once more than once, under the same id.
    pub(crate) twice: bool,
    /// The first attempt carries a signature that is wrong.
    pub(crate) badly_signed_first: bool,
}

#[derive(Debug, Clone)]
struct Message {
    id: String,
    body: String,
    due: Timestamp,
    failures: usize,
    deliveries_left: u8,
    badly_signed: bool,
}

/// One attempt to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) number: u64,
    pub(crate) id: String,
    pub(crate) body: String,
    pub(crate) badly_signed: bool,
}

/// What became of the messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) delivered: u64,
    pub(crate) given_up: u64,
    pub(crate) dropped: u64,
}

/// The messages of one bank that are not yet heard.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outbox {
    messages: BTreeMap<u64, Message>,
    /// Those that nobody is sending now, by when they are due.
    waiting: BTreeSet<(Timestamp, u64)>,
    made: u64,
    tally: Tally,
}

impl Outbox {
    /// The number that the next message has.
    pub(crate) const fn next_number(&self) -> u64 {
        self.made
    }

    /// Leaves out a number: the message that would have had it is lost.
    pub(crate) fn skip(&mut self) {
        self.made = self.made.saturating_add(1);
    }

    pub(crate) fn put(&mut self, id: String, kind: &str, at: Timestamp, data: &Value, how: Plan) {
        let number = self.made;
        self.made = self.made.saturating_add(1);
        if self.messages.len() >= WAITING_MAX {
            self.tally.dropped = self.tally.dropped.saturating_add(1);
            return;
        }
        let body = serde_json::json!({ "type": kind, "timestamp": text(at), "data": data });
        let message = Message {
            id,
            body: body.to_string(),
            due: how.due,
            failures: 0,
            deliveries_left: if how.telling.twice { 2 } else { 1 },
            badly_signed: how.telling.badly_signed_first,
        };
        self.waiting.insert((message.due, number));
        self.messages.insert(number, message);
    }

    /// When the next attempt is due.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.waiting.first().map(|(due, _)| *due)
    }

    /// What is to be sent now. Nobody else is given the same until its outcome is recorded.
    pub(crate) fn take(&mut self, now: Timestamp, most: usize) -> Vec<Attempt> {
        let mut taken = Vec::new();
        while taken.len() < most {
            let Some((due, number)) = self.waiting.first().copied() else {
                break;
            };
            if due > now {
                break;
            }
            self.waiting.remove(&(due, number));
            if let Some(message) = self.messages.get(&number) {
                taken.push(Attempt {
                    number,
                    id: message.id.clone(),
                    body: message.body.clone(),
                    badly_signed: message.badly_signed,
                });
            }
        }
        taken
    }

    /// What became of an attempt.
    pub(crate) fn record(&mut self, number: u64, delivered: bool, at: Timestamp) {
        let Some(message) = self.messages.get_mut(&number) else {
            return;
        };
        self.waiting.remove(&(message.due, number));
        if message.badly_signed {
            // Whatever the receiver said of it: what was to be delivered was not sent yet.
            message.badly_signed = false;
            message.due = at + TimeDelta::seconds(1);
        } else if delivered {
            message.deliveries_left = message.deliveries_left.saturating_sub(1);
            message.due = at;
            if message.deliveries_left == 0 {
                self.messages.remove(&number);
                self.tally.delivered = self.tally.delivered.saturating_add(1);
                return;
            }
        } else if let Some(seconds) = RETRY_AFTER_SECONDS.get(message.failures) {
            message.failures = message.failures.saturating_add(1);
            message.due = at + TimeDelta::seconds(*seconds);
        } else {
            self.messages.remove(&number);
            self.tally.given_up = self.tally.given_up.saturating_add(1);
            return;
        }
        self.waiting.insert((message.due, number));
    }

    pub(crate) fn waiting(&self) -> usize {
        self.messages.len()
    }

    pub(crate) const fn tally(&self) -> Tally {
        self.tally
    }
}

/// When and how a message is told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) due: Timestamp,
    pub(crate) telling: Telling,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().expect("a moment")
    }

    fn outbox(telling: Telling) -> Outbox {
        let mut outbox = Outbox::default();
        let how = Plan { due: start(), telling };
        outbox.put("msg_1".to_owned(), "transfer.paid", start(), &Value::Null, how);
        outbox
    }

    #[test]
    fn the_signature_is_the_one_that_others_compute() {
        let secret: WebhookSecret =
            "whsec_ZGV2LXNlY3JldC1kZXYtc2VjcmV0LWRldi0x".parse().expect("a secret");
        let body = "{\"type\":\"bank.credit.received\",\"timestamp\":\"2026-11-22T14:02:15Z\",\
                    \"data\":{\"utr\":\"HDFC0000000001\"}}";
        let signature = secret.sign("msg_01", 1_795_356_135, body);
        let expected = "v1,qFTsF8lfw0hRTOPDiy6hPMiMJH+bOL0M1ZpgiQjR8iY=";
        assert_eq!(signature.as_deref(), Ok(expected));
        assert_eq!(format!("{secret:?}"), "WebhookSecret");
        for bad in
            ["", "whsec_", "whsec_c2hvcnQ=", "whsec_%%", "ZGV2LXNlY3JldC1kZXYtc2VjcmV0LWRldi0x"]
        {
            assert!(bad.parse::<WebhookSecret>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_message_is_told_again_on_schedule_and_then_given_up() {
        let mut outbox = outbox(Telling::default());
        let mut now = start();
        for seconds in RETRY_AFTER_SECONDS {
            assert_eq!(outbox.take(now, 10).len(), 1);
            assert_eq!(outbox.take(now, 10).len(), 0, "it is being sent");
            outbox.record(0, false, now);
            assert_eq!(outbox.next_due(), Some(now + TimeDelta::seconds(seconds)));
            now += TimeDelta::seconds(seconds);
        }
        assert_eq!(outbox.take(now, 10).len(), 1);
        outbox.record(0, false, now);
        assert_eq!((outbox.waiting(), outbox.next_due()), (0, None));
        assert_eq!(outbox.tally(), Tally { given_up: 1, ..Tally::default() });
    }

    #[test]
    fn a_message_may_be_told_twice_and_may_be_badly_signed_first() {
        let mut outbox = outbox(Telling { twice: true, badly_signed_first: true });
        let now = start();
        assert!(outbox.take(now, 1)[0].badly_signed);
        outbox.record(0, true, now);
        assert_eq!(outbox.take(now, 1), []);
        let later = now + TimeDelta::seconds(1);
        for _ in 0..2 {
            assert!(!outbox.take(later, 1)[0].badly_signed);
            outbox.record(0, true, later);
        }
        assert_eq!(outbox.waiting(), 0);
        outbox.record(0, true, later);
        assert_eq!(outbox.tally().delivered, 1);
    }
}
