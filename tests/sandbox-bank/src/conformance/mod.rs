//! docs/banks.md as a list of checks that any adapter can be put to, over HTTP alone.
//!
//! It shares no code with the sandbox bank: it reads JSON as JSON and money by its own few lines,
//! so what both get wrong must be wrong on the page. It moves small amounts of money to a test
//! beneficiary and must be pointed at a test system only.

mod client;
mod money_in;
mod money_out;
mod receiver;
mod shape;
mod statements;

use std::{fmt, time::Duration};

use client::Client;
pub use receiver::{Delivery, Receiver};
use tokio::net::TcpListener;

/// What to check, and how patiently.
#[derive(Debug)]
pub struct Options {
    /// The adapter: all paths are below this.
    pub base_url: String,
    /// What it wants to be shown.
    pub token: Option<String>,
    /// Starts all references: must not have been used before.
    pub run: String,
    /// How long an answer may take. What is longer counts as none.
    pub answer_within: Duration,
    /// How long a payment, or a webhook, may take.
    pub outcome_within: Duration,
    /// Where the adapter sends its webhooks, and the secret that it signs with.
    pub hooks: Option<(TcpListener, String)>,
}

/// How a check ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// As the page says.
    Pass,
    /// Not so: what was expected and what was seen.
    Fail(String),
    /// Could not be checked, and why.
    Skip(String),
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What must hold.
    pub name: &'static str,
    /// Whether it does.
    pub verdict: Verdict,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.verdict {
            Verdict::Pass => write!(f, "pass  {}", self.name),
            Verdict::Fail(why) => write!(f, "FAIL  {}: {why}", self.name),
            Verdict::Skip(why) => write!(f, "skip  {}: {why}", self.name),
        }
    }
}

/// Why nothing could be checked.
#[derive(Debug, thiserror::Error)]
pub enum ConformanceError {
    /// There is nobody.
    #[error("nobody answers at {0}")]
    NoAnswer(String),
    /// No client could be made.
    #[error("no request can be sent")]
    Client(#[from] reqwest::Error),
    /// Webhooks can't be received.
    #[error("the webhook secret is not one (whsec_ and base64)")]
    Secret,
}

/// What ends a check early.
#[derive(Debug)]
enum Stop {
    Fail(String),
    Skip(String),
}

type Checked = Result<(), Stop>;

/// Ends the check unless `holds`.
fn require(holds: bool, expected: &str, seen: impl fmt::Display) -> Checked {
    if holds { Ok(()) } else { Err(Stop::Fail(format!("expected {expected}, saw {seen}"))) }
}

/// Puts the adapter to all checks, and tells of each as it ends.
///
/// # Errors
/// [`ConformanceError`] if there is nobody to check.
pub async fn run(
    options: Options,
    mut tell: impl FnMut(&Check),
) -> Result<Vec<Check>, ConformanceError> {
    let receiver = match options.hooks {
        Some((listener, secret)) => {
            // Told once that it was not heard, the bank must tell it again.
            let deaf_once = |_: &Delivery, time: usize| if time == 1 { 500 } else { 200 };
            let receiver = Receiver::start(listener, &secret, deaf_once);
            Some(receiver.ok_or(ConformanceError::Secret)?)
        }
        None => None,
    };
    let client = Client::new(
        &options.base_url,
        options.token,
        options.run,
        options.answer_within,
        options.outcome_within,
    )?;
    if client.get("v1/health").await.is_none() {
        return Err(ConformanceError::NoAnswer(options.base_url));
    }
    let mut checks = Vec::new();
    let mut done = |name, checked: Checked| {
        let verdict = match checked {
            Ok(()) => Verdict::Pass,
            Err(Stop::Fail(why)) => Verdict::Fail(why),
            Err(Stop::Skip(why)) => Verdict::Skip(why),
        };
        let check = Check { name, verdict };
        tell(&check);
        checks.push(check);
    };
    let bank = &client;
    done("says how it is", shape::health(bank).await);
    done("states a complete contract", shape::contract(bank).await);
    done("refuses a caller without its token", shape::token(bank).await);
    done("does not know an unknown reference", shape::unknown(bank).await);
    done("refuses what is malformed, and does nothing", shape::malformed(bank).await);
    done("refuses amounts that are none, and does nothing", shape::amounts(bank).await);
    done("refuses a body that is too large", shape::too_large(bank).await);
    done("pays, and tells the same as its statement", money_out::pays(bank).await);
    done("pays a reference once", money_out::once(bank).await);
    done("pays a reference once when asked at once", money_out::at_once(bank).await);
    done("refuses a reference for another transfer", money_out::reused(bank).await);
    done("refuses for good with a final code", money_out::refused(bank).await);
    done("refuses for now with a retryable code", money_out::offline(bank).await);
    done("may be silent and have paid, once", money_out::silent_but_paid(bank).await);
    done("may be silent and not have paid", money_out::silent_and_unpaid(bank).await);
    done("returns what bounced", money_out::returned(bank).await);
    done("adds up on every statement", statements::add_up(bank).await);
    done("has no statement of another day or account", statements::none(bank).await);
    done("checks names", shape::name_check(bank).await);
    done("makes a page to pay on, once", money_in::link(bank).await);
    done("does not know an unknown credit", money_in::unknown(bank).await);
    done("tells by webhook, signed, until it is heard", told(bank, receiver.as_ref()).await);
    Ok(checks)
}

async fn told(bank: &Client, receiver: Option<&Receiver>) -> Checked {
    match receiver {
        Some(receiver) => money_out::told(bank, receiver).await,
        None => Err(Stop::Skip("no receiver was asked for (--hooks, --secret)".to_owned())),
    }
}
