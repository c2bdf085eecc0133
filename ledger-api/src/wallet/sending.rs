//! How a bank sends withdrawals now, by what it says of itself and by what its queue has seen: told
//! before anybody confirms, and decides nothing.

use chrono::TimeDelta;
use futures::future::try_join;
use ledger_core::ids::BankCode;

use crate::{
    banks::Health,
    http::{ApiState, Problem},
    workers::withdrawals::notes::Notes,
};

/// How far back the last withdrawals say something of the next one.
const SEEN_FOR: TimeDelta = TimeDelta::hours(1);
/// From how many seconds on sending is slow, however the bank says it is.
const SLOW_FROM_SECONDS: u64 = 300;

/// How a bank sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sends {
    /// As ever.
    Well,
    /// More slowly than it should.
    Slowly,
    /// Nothing at the moment: what is requested waits in the queue.
    NotNow,
}

/// How a bank sends now, and how many seconds a withdrawal takes there, about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sending {
    /// How.
    pub(crate) sends: Sends,
    /// About how many seconds; nothing if the queue has not seen any within the hour.
    pub(crate) about_seconds: Option<u64>,
}

/// How a bank sends now.
pub(crate) async fn sending(state: &ApiState, bank: &BankCode) -> Result<Sending, Problem> {
    let notes = Notes::new(state.reads.clone());
    let of_queue = async {
        let paused = notes.pause_of(bank).await?.is_some();
        let (says, is_manned) = notes.lane(bank).await?;
        // What a lane said that nobody works in any more is old.
        let says = says.filter(|_| is_manned);
        Ok::<_, Problem>((paused, says))
    };
    let ((paused, says), about_seconds) = try_join(of_queue, about_seconds(state, bank)).await?;
    let health = match state.banks.get(bank) {
        Some(bank) if !paused => bank.health().await,
        Some(_) | None => Health::Down,
    };
    Ok(Sending { sends: sends(health, says.as_deref(), about_seconds), about_seconds })
}

/// How many seconds a withdrawal takes at a bank now, about.
pub(crate) async fn about_seconds(
    state: &ApiState,
    bank: &BankCode,
) -> Result<Option<u64>, Problem> {
    let now = state.clock.now();
    let since = now.checked_sub_signed(SEEN_FOR).unwrap_or(now);
    Ok(state.read_models.sending_pace(bank, since).await?.about_seconds(now))
}

/// What stops everything goes first, then what the bank says of itself, then what was seen.
fn sends(health: Health, says: Option<&str>, about_seconds: Option<u64>) -> Sends {
    if matches!(says, Some("paused" | "bank_unreachable")) {
        return Sends::NotNow;
    }
    match health {
        Health::Down => Sends::NotNow,
        Health::Degraded => Sends::Slowly,
        Health::Up if says == Some("low_float") => Sends::Slowly,
        Health::Up if about_seconds.is_some_and(|about| about >= SLOW_FROM_SECONDS) => {
            Sends::Slowly
        }
        Health::Up => Sends::Well,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stops_everything_goes_before_what_was_seen() {
        assert_eq!(sends(Health::Up, None, None), Sends::Well);
        assert_eq!(sends(Health::Up, None, Some(299)), Sends::Well);
        assert_eq!(sends(Health::Up, None, Some(300)), Sends::Slowly);
        assert_eq!(sends(Health::Up, Some("low_float"), None), Sends::Slowly);
        assert_eq!(sends(Health::Degraded, None, Some(1)), Sends::Slowly);
        for says in ["paused", "bank_unreachable"] {
            assert_eq!(sends(Health::Up, Some(says), Some(1)), Sends::NotNow);
            assert_eq!(sends(Health::Degraded, Some(says), Some(1)), Sends::NotNow);
        }
        assert_eq!(sends(Health::Down, None, Some(1)), Sends::NotNow);
    }
}
