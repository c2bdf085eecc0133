//! What takes a fresh proof of who it is: whatever could take money or an account away from whoever
//! left a browser open.

use chrono::{DateTime, TimeDelta, Utc};

use crate::sessions::Session;

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Withdraw to a bank account.
    Withdraw {
        /// Whether money went there before.
        is_first: bool,
    },
    /// Change the password, the address or the number.
    ChangeCredentials,
    /// Link or unlink another way to log in.
    Link,
    /// Close the account.
    Close,
}

/// Whether they have to prove again who they are.
pub fn needed(session: &Session, act: Act, now: DateTime<Utc>) -> bool {
    let asks = match act {
        Act::Withdraw { is_first } => is_first,
        Act::ChangeCredentials | Act::Link | Act::Close => true,
    };
    asks && !session.is_recent(now)
}

/// Until when a bank account waits for its first withdrawal; nothing if it may go now.
pub fn waits_until(
    made_at: DateTime<Utc>,
    is_first: bool,
    cooling: TimeDelta,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let until = made_at.checked_add_signed(cooling)?;
    (is_first && now < until).then_some(until)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_145_a_new_bank_account_waits_once() {
        let at = |hour: &str| format!("2026-11-22T{hour}:00Z").parse::<DateTime<Utc>>().unwrap();
        let waits =
            |first, now: &str| waits_until(at("10:00"), first, TimeDelta::hours(1), at(now));
        assert_eq!(waits(true, "10:59"), Some(at("11:00")));
        assert_eq!(waits(true, "11:00"), None);
        assert_eq!(waits(false, "10:01"), None);
    }
}
