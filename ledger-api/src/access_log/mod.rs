//! The access log: who looked at personal data, who was made staff or unmade, who was turned away
//! from a desk or by the API, and what was decided by hand, each with a reason.
//!
//! Rows are added and never changed, by grants and by triggers. Subjects are opaque ids; nothing
//! personal stands here, so nothing of it is erased with a person. A line is one line: what comes
//! from a form is cleaned of line ends and control characters before it is kept.

mod refusals;
mod store;

pub(crate) use refusals::{Refusal, Refusals};
pub(crate) use store::record_in_tx;
pub use store::{AccessLog, AccessQuery, Logged};

/// Somebody opened personal data.
pub const NAME_OPENED: &str = "name_opened";
/// Somebody opened the words on a transaction.
pub const NOTE_OPENED: &str = "note_opened";
/// Somebody opened the bytes of a bank's message.
pub const MESSAGE_OPENED: &str = "message_opened";
/// Somebody opened what was said to a bank about a transfer.
pub const EXCHANGE_OPENED: &str = "exchange_opened";
/// Somebody was appointed to a role.
pub const STAFF_APPOINTED: &str = "staff_appointed";
/// An appointment was ended.
pub const STAFF_ENDED: &str = "staff_ended";
/// Somebody with a right password, or a session, was turned away from a desk.
pub const DESK_REFUSED: &str = "desk_refused";
/// Somebody took the whole log with them.
pub const LOG_EXPORTED: &str = "log_exported";
/// Somebody asked for a check of the whole log.
pub const CHECK_ASKED: &str = "check_asked";

/// A key was refused that is not in force.
pub const KEY_REFUSED: &str = "key_refused";
/// A request was refused that its caller may not make.
pub const REQUEST_REFUSED: &str = "request_refused";

/// The longest reason.
pub const REASON_CHARS_MAX: usize = 500;

/// A line to be written.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Who did it: a person's id, or what else acts.
    pub who: &'a str,
    /// What it was: one of the words of this module, or one in their manner.
    pub what: &'a str,
    /// Whom or what it was about, by an opaque id.
    pub subject: &'a str,
    /// Why.
    pub reason: &'a str,
}

/// A text as one line: without control characters, and not too long.
pub fn one_line(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let plain: String = plain.take(REASON_CHARS_MAX).collect();
    plain.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_178_a_reason_is_one_line() {
        assert_eq!(one_line("a\r\n2026-11-22 forged\u{1b}[31m"), "a  2026-11-22 forged [31m");
        assert_eq!(one_line(" \n "), "");
        assert_eq!(one_line(&"x".repeat(600)).len(), REASON_CHARS_MAX);
    }
}
