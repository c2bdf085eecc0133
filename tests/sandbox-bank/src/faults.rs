//! What goes wrong on purpose: by the paise of the amount, or by chance in a chaos mode.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{clock::Timestamp, dice::Dice, money::Amount, wire::Ifsc};

/// A failure chosen by the amount. Who reads the table of docs/banks.md has read this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Half a minute late.
    Slow,
    /// No answer, done all the same.
    SilentButDone,
    /// No answer, and never heard of.
    NeverArrives,
    /// No answer; only the statement knows.
    OnlyOnStatement,
    /// Refused: the account is closed.
    AccountClosed,
    /// Refused: no such branch.
    IfscInvalid,
    /// Refused for a minute: the other bank is offline.
    BankOffline,
    /// Paid, returned a minute later.
    Returned,
    /// The same, and the return is told under two ids.
    ReturnedToldTwice,
    /// The webhook comes twice.
    WebhookTwice,
    /// The webhook comes before the answer, and an older one after it.
    WebhookOutOfOrder,
    /// The webhook comes with a bad signature first.
    WebhookBadSignature,
    /// The webhook doesn't come.
    WebhookLost,
    /// The webhook says another amount.
    WebhookOtherAmount,
    /// Money without a token.
    CreditWithoutToken,
    /// Money of another amount.
    CreditOtherAmount,
    /// Money from somebody else.
    CreditThirdParty,
    /// Money that is asked back.
    CreditRecalled,
    /// Refused late, then paid.
    RefusedThenPaid,
}

impl Fault {
    /// Which paise choose which failure.
    pub const PAISE: [(&str, Self); 19] = [
        ("11", Self::Slow),
        ("13", Self::SilentButDone),
        ("14", Self::NeverArrives),
        ("15", Self::OnlyOnStatement),
        ("21", Self::AccountClosed),
        ("22", Self::IfscInvalid),
        ("23", Self::BankOffline),
        ("31", Self::Returned),
        ("32", Self::ReturnedToldTwice),
        ("41", Self::WebhookTwice),
        ("42", Self::WebhookOutOfOrder),
        ("43", Self::WebhookBadSignature),
        ("44", Self::WebhookLost),
        ("45", Self::WebhookOtherAmount),
        ("51", Self::CreditWithoutToken),
        ("52", Self::CreditOtherAmount),
        ("53", Self::CreditThirdParty),
        ("54", Self::CreditRecalled),
        ("61", Self::RefusedThenPaid),
    ];

    /// The failure that this amount chooses at this branch.
    pub fn of(ifsc: &Ifsc, amount: Amount) -> Option<Self> {
        if !ifsc.is_test() {
            return None;
        }
        let paise = format!("{:02}", amount.hundredths());
        Self::PAISE.into_iter().find(|(choice, _)| *choice == paise).map(|(_, fault)| fault)
    }
}

/// How what payers sent to escrow comes to our account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lumps {
    /// Each by itself, at once.
    #[default]
    None,
    /// A day's as one line, net of charges, that says what it is made of.
    Named,
    /// The same, and the line does not say it.
    Unnamed,
}

impl Lumps {
    /// Whether each comes by itself.
    // By reference, as serde asks.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
    fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// How a bank behaves for a while: percentages, and milliseconds of delay.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mode {
    /// Of submissions and enquiries that are not answered; half of the submissions were processed.
    pub timeout_percent: u8,
    /// Of those answered with 500 or 503; half of the submissions were processed.
    pub error_percent: u8,
    /// Half of the answers take no longer than this.
    pub latency_p50_ms: u64,
    /// All answers but one in a hundred take no longer than this; none takes twice as long.
    pub latency_p99_ms: u64,
    /// Of webhooks that come twice.
    pub webhook_duplicate_percent: u8,
    /// Of webhooks that never come.
    pub webhook_lost_percent: u8,
    /// Of webhooks that come up to a minute late, behind others.
    pub webhook_out_of_order_percent: u8,
    /// Whether it settles what came in as a payment gateway does.
    #[serde(skip_serializing_if = "Lumps::is_none")]
    pub lumps: Lumps,
    /// How long it lasts; for ever if it is not said.
    pub for_seconds: Option<u32>,
}

/// The longest delay of an answer.
pub const LATENCY_MS_MAX: u64 = 600_000;

/// What chance does to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weather {
    /// Nothing but a delay.
    Fair,
    /// The call doesn't arrive.
    CallLost,
    /// The answer doesn't arrive.
    AnswerLost,
    /// An error instead of doing it.
    ErrorBefore,
    /// An error after doing it.
    ErrorAfter,
}

/// What chance does to one webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Carriage {
    pub(crate) lost: bool,
    pub(crate) twice: bool,
    pub(crate) late: Option<TimeDelta>,
}

impl Mode {
    /// What is wrong with it, if anything.
    pub fn objection(&self) -> Option<&'static str> {
        let percents = [
            self.timeout_percent,
            self.error_percent,
            self.webhook_duplicate_percent,
            self.webhook_lost_percent,
            self.webhook_out_of_order_percent,
        ];
        if percents.iter().any(|percent| *percent > 100) {
            return Some("a percentage is at most 100");
        }
        if u16::from(self.timeout_percent) + u16::from(self.error_percent) > 100 {
            return Some("time-outs and errors together are at most 100 percent");
        }
        if self.latency_p99_ms > LATENCY_MS_MAX || self.latency_p50_ms > self.latency_p99_ms {
            return Some("latencies: p50 is at most p99, and that at most ten minutes");
        }
        None
    }

    /// Whether nothing goes wrong: lumps are no failure.
    pub(crate) fn is_calm(&self) -> bool {
        let (for_seconds, lumps) = (self.for_seconds, self.lumps);
        *self == Self { lumps, for_seconds, ..Self::default() }
    }

    pub(crate) fn weather(&self, dice: &Dice, about: &str) -> Weather {
        let drawn = dice.roll("weather", about) % 100;
        let processed = dice.happens(50, "processed", about);
        let timeouts = u64::from(self.timeout_percent);
        if drawn < timeouts {
            if processed { Weather::AnswerLost } else { Weather::CallLost }
        } else if drawn < timeouts + u64::from(self.error_percent) {
            if processed { Weather::ErrorAfter } else { Weather::ErrorBefore }
        } else {
            Weather::Fair
        }
    }

    /// How long an answer takes.
    pub(crate) fn latency(&self, dice: &Dice, about: &str) -> TimeDelta {
        let (low, high) = match dice.roll("slowness", about) % 100 {
            0..50 => (0, self.latency_p50_ms),
            50..99 => (self.latency_p50_ms, self.latency_p99_ms),
            _ => (self.latency_p99_ms, self.latency_p99_ms.saturating_mul(2)),
        };
        milliseconds(dice.between(low, high, "latency", about))
    }

    pub(crate) fn carriage(&self, dice: &Dice, about: &str) -> Carriage {
        let late = dice.happens(self.webhook_out_of_order_percent, "order", about);
        Carriage {
            lost: dice.happens(self.webhook_lost_percent, "lost", about),
            twice: dice.happens(self.webhook_duplicate_percent, "twice", about),
            late: late.then(|| milliseconds(dice.between(1_000, 60_000, "late", about))),
        }
    }
}

/// A delay of so many milliseconds.
pub(crate) fn milliseconds(number: u64) -> TimeDelta {
    i64::try_from(number).ok().and_then(TimeDelta::try_milliseconds).unwrap_or_default()
}

/// A mode and when it ends.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chaos {
    mode: Mode,
    until: Option<Timestamp>,
}

impl Chaos {
    pub(crate) fn set(&mut self, at: Timestamp, mode: Mode) {
        self.until = mode.for_seconds.map(|seconds| at + TimeDelta::seconds(i64::from(seconds)));
        self.mode = mode;
    }

    /// How the bank behaves at this moment.
    pub(crate) fn mode(&self, at: Timestamp) -> Mode {
        if self.until.is_some_and(|until| at >= until) {
            Mode::default()
        } else {
            self.mode.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_test_branches_choose_failures() {
        let amount = |text| Amount::parse(text).expect("an amount");
        let ifsc = |text: &str| Ifsc::try_from(text.to_owned()).expect("an IFSC");
        let test = ifsc("TEST0000001");
        assert_eq!(Fault::of(&test, amount("5000.13")), Some(Fault::SilentButDone));
        assert_eq!(Fault::of(&test, amount("5000")), None);
        assert_eq!(Fault::of(&test, amount("5000.99")), None);
        assert_eq!(Fault::of(&ifsc("HDFC0000001"), amount("5000.13")), None);
    }

    #[test]
    fn chaos_keeps_its_percentages_and_its_percentiles() {
        let dice = Dice::new(3, "hdfc");
        let mode = Mode {
            timeout_percent: 30,
            error_percent: 10,
            latency_p50_ms: 2_000,
            latency_p99_ms: 40_000,
            ..Mode::default()
        };
        assert_eq!(mode.objection(), None);
        let seen = |weather| {
            (0..2_000).filter(|n: &i32| mode.weather(&dice, &n.to_string()) == weather).count()
        };
        assert!((1_100..1_300).contains(&seen(Weather::Fair)));
        assert!((230..370).contains(&seen(Weather::CallLost)));
        assert!((230..370).contains(&seen(Weather::AnswerLost)));
        let mut latencies: Vec<i64> = (0..1_000)
            .map(|n: i32| mode.latency(&dice, &n.to_string()).num_milliseconds())
            .collect();
        latencies.sort_unstable();
        assert!((1_700..=2_300).contains(&latencies[500]), "{}", latencies[500]);
        assert!(latencies[980] <= 40_000 && latencies[999] <= 80_000);
    }

    #[test]
    fn a_mode_ends_by_itself_and_an_absurd_one_is_refused() {
        let start: Timestamp = "2026-11-22T10:00:00Z".parse().expect("a moment");
        let mut chaos = Chaos::default();
        let mode = Mode { timeout_percent: 100, for_seconds: Some(60), ..Mode::default() };
        chaos.set(start, mode.clone());
        assert_eq!(chaos.mode(start + TimeDelta::seconds(59)), mode);
        assert!(chaos.mode(start + TimeDelta::seconds(60)).is_calm());
        for absurd in [
            Mode { timeout_percent: 101, ..Mode::default() },
            Mode { timeout_percent: 60, error_percent: 60, ..Mode::default() },
            Mode { latency_p50_ms: 2, latency_p99_ms: 1, ..Mode::default() },
            Mode { latency_p99_ms: LATENCY_MS_MAX + 1, ..Mode::default() },
        ] {
            assert!(absurd.objection().is_some(), "{absurd:?}");
        }
    }
}
