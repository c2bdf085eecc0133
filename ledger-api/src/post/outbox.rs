//! What would have been sent, where nothing is: kept in memory, the last hundred.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use futures::future::BoxFuture;
use serde::Serialize;

use super::{Letter, Mailer, PostError, Sms};

const KEPT_MAX: usize = 100;

/// Something that would have been sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// Which way: `mail` or `sms`.
    pub by: &'static str,
    /// To whom.
    pub to: String,
    /// What it is about; empty for a short message.
    pub subject: String,
    /// The text.
    pub text: String,
}

/// The outbox; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Outbox(Arc<Mutex<VecDeque<Sent>>>);

impl Outbox {
    /// What is in it, the newest first.
    pub fn all(&self) -> Vec<Sent> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().rev().cloned().collect()
    }

    fn put(&self, sent: Sent) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back(sent);
    }
}

impl Mailer for Outbox {
    fn send(&self, letter: Letter) -> BoxFuture<'_, Result<(), PostError>> {
        let Letter { to, subject, text } = letter;
        self.put(Sent { by: "mail", to, subject, text });
        Box::pin(async { Ok(()) })
    }
}

impl Sms for Outbox {
    fn send(&self, to: String, text: String) -> BoxFuture<'_, Result<(), PostError>> {
        self.put(Sent { by: "sms", to, subject: String::new(), text });
        Box::pin(async { Ok(()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_hundred_are_kept_the_newest_first() {
        let outbox = Outbox::default();
        for number in 0..=KEPT_MAX {
            Sms::send(&outbox, "+910".to_owned(), number.to_string()).await.unwrap();
        }
        let all = outbox.all();
        assert_eq!(all.len(), KEPT_MAX);
        assert_eq!((&*all[0].text, &*all[KEPT_MAX - 1].text), ("100", "1"));
    }
}
