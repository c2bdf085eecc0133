//! What is sent to people: letters by mail, short messages by phone. Two ports and what stands
//! behind them: a mail server, a gateway for messages, or (in the demonstration) an outbox that
//! shows what would have been sent.
//!
//! Sending goes on beside the request: its time tells nobody whether an address is known, and a
//! slow server holds nobody up. What is lost when the process ends is asked for again.

mod gateway;
mod outbox;
mod smtp;

use std::{fmt, sync::Arc};

use futures::future::BoxFuture;

pub use gateway::Gateway;
pub use outbox::{Outbox, Sent};
pub use smtp::Smtp;

/// A letter.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// To whom.
    pub to: String,
    /// What it is about; nothing secret, for it is shown on locked screens.
    pub subject: String,
    /// The text.
    pub text: String,
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letter").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// Why something was not sent. Says nothing of whom it was for.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// A setting is none.
    #[error("{0} is not well said")]
    Setting(&'static str),
    /// An address that the mail server's library does not take.
    #[error("an address was not taken")]
    Address,
    /// The mail server refused, or did not answer.
    #[error("the mail server did not take it")]
    Smtp(#[source] lettre::transport::smtp::Error),
    /// The gateway did not answer.
    #[error("the gateway did not take it")]
    Gateway(#[source] reqwest::Error),
    /// The gateway refused.
    #[error("the gateway answered {0}")]
    Refused(u16),
}

/// Sends letters.
pub trait Mailer: Send + Sync {
    /// Sends one.
    fn send(&self, letter: Letter) -> BoxFuture<'_, Result<(), PostError>>;
}

/// Sends short messages.
pub trait Sms: Send + Sync {
    /// Sends one to a number as E.164 writes it.
    fn send(&self, to: String, text: String) -> BoxFuture<'_, Result<(), PostError>>;
}

/// All ways to people; cheap to clone.
#[derive(Clone, Default)]
pub struct Post {
    mailer: Option<Arc<dyn Mailer>>,
    sms: Option<Arc<dyn Sms>>,
    outbox: Option<Outbox>,
}

impl Post {
    /// By a mail server and a gateway, as far as there are.
    pub fn new(mailer: Option<Arc<dyn Mailer>>, sms: Option<Arc<dyn Sms>>) -> Self {
        Self { mailer, sms, outbox: None }
    }

    /// Into an outbox, both.
    pub fn demo() -> Self {
        let outbox = Outbox::default();
        let (mailer, sms) = (Arc::new(outbox.clone()), Arc::new(outbox.clone()));
        Self { mailer: Some(mailer), sms: Some(sms), outbox: Some(outbox) }
    }

    /// As the variables say: `BAHI_SMTP_URL`, `BAHI_MAIL_FROM`, `BAHI_SMS_URL`, `BAHI_SMS_TOKEN`.
    ///
    /// # Errors
    /// [`PostError::Setting`] with the variable that is not well said.
    pub fn from_variables(get: impl Fn(&str) -> Option<String>) -> Result<Self, PostError> {
        let get = |name: &str| get(name).filter(|text| !text.is_empty());
        let mailer = match (get("BAHI_SMTP_URL"), get("BAHI_MAIL_FROM")) {
            (Some(url), Some(from)) => {
                let smtp: Arc<dyn Mailer> = Arc::new(Smtp::new(&url, &from)?);
                Some(smtp)
            }
            (Some(_), None) => return Err(PostError::Setting("BAHI_MAIL_FROM")),
            (None, _) => None,
        };
        let sms = match get("BAHI_SMS_URL") {
            Some(url) => {
                let gateway: Arc<dyn Sms> = Arc::new(Gateway::new(&url, get("BAHI_SMS_TOKEN"))?);
                Some(gateway)
            }
            None => None,
        };
        Ok(Self::new(mailer, sms))
    }

    /// Whether letters can be sent.
    pub fn has_mailer(&self) -> bool {
        self.mailer.is_some()
    }

    /// Whether short messages can be sent.
    pub fn has_sms(&self) -> bool {
        self.sms.is_some()
    }

    /// The outbox, in the demonstration.
    pub const fn outbox(&self) -> Option<&Outbox> {
        self.outbox.as_ref()
    }

    /// Sends a letter, beside whatever goes on.
    pub fn mail(&self, letter: Letter) {
        let Some(mailer) = self.mailer.clone() else {
            tracing::warn!("a letter was not sent: there is no mail server");
            return;
        };
        tokio::spawn(async move { noted("mail", mailer.send(letter).await) });
    }

    /// Sends a short message, beside whatever goes on.
    pub fn message(&self, to: String, text: String) {
        let Some(sms) = self.sms.clone() else {
            tracing::warn!("a short message was not sent: there is no gateway");
            return;
        };
        tokio::spawn(async move { noted("sms", sms.send(to, text).await) });
    }
}

fn noted(by: &'static str, sent: Result<(), PostError>) {
    let outcome = if sent.is_ok() { "sent" } else { "failed" };
    metrics::counter!("bahi_post_total", "by" => by, "outcome" => outcome).increment(1);
    if let Err(error) = sent {
        let error = projections::describe(&error);
        tracing::warn!(by, %error, "something was not sent to somebody");
    }
}
