//! Why a withdrawal is where it is, who has to act, and by when: what its status does not say.
//!
//! Made of the log, of the queue's notes and of the bank's contract, and of nothing that is asked
//! of a bank: one that is down takes nothing away but times. Pure.

use chrono::{Days, NaiveTime, TimeZone as _, Utc};
use ledger_core::{
    clock::Timestamp,
    ids::{BankCode, Rail, WithdrawalId},
    withdrawal::WithdrawalStatus,
};
use projections::WithdrawalRow;

use super::{notes::Noted, pace};
use crate::banks::Contract;

/// Where a withdrawal is.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    /// Which one.
    pub id: WithdrawalId,
    /// Where it is in its life.
    pub status: WithdrawalStatus,
    /// Its bank.
    pub bank: &'a BankCode,
    /// Its way.
    pub rail: &'a Rail,
    /// How many attempts there were.
    pub attempts: u32,
    /// When the last of them was begun.
    pub begun_at: Option<Timestamp>,
    /// When something last happened to it.
    pub changed_at: Timestamp,
    /// Whether something of it waits for its wallet.
    pub is_unapplied: bool,
    /// What its last event says for why.
    pub reason: Option<&'a str>,
}

impl<'a> Place<'a> {
    /// Of a row, with the reason of its last event.
    pub fn of(row: &'a WithdrawalRow, reason: Option<&'a str>) -> Self {
        Self {
            id: row.id,
            status: row.status,
            bank: &row.bank,
            rail: &row.rail,
            attempts: row.attempts,
            begun_at: row.begun_at,
            changed_at: row.changed_at,
            is_unapplied: !row.unapplied.is_zero(),
            reason,
        }
    }

    /// Whether its bank's contract has a say in why it waits.
    pub const fn is_with_bank(&self) -> bool {
        matches!(
            self.status,
            WithdrawalStatus::Queued
                | WithdrawalStatus::Processing
                | WithdrawalStatus::OutcomeUnknown
                | WithdrawalStatus::NeedsAttention
        )
    }
}

/// Who has to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// The bank.
    Bank,
    /// The customer.
    You,
    /// The people who run this service.
    Us,
}

impl Actor {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bank => "bank",
            Self::You => "you",
            Self::Us => "us",
        }
    }
}

/// Why it is where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// Who has to act.
    pub source: Actor,
    /// Why, as a code.
    pub reason: String,
    /// Why, in words.
    pub description: &'static str,
    /// When something is tried next.
    pub next_check_at: Option<Timestamp>,
    /// How many questions were asked of the bank about the last attempt.
    pub checks_used: Option<u32>,
    /// How many may be.
    pub checks_allowed: Option<u32>,
    /// Until when its outcome is to be known: the end of the bank's day after the sending.
    pub answer_due_by: Option<Timestamp>,
}

impl Wait {
    fn new(source: Actor, reason: &str, description: &'static str) -> Self {
        Self {
            source,
            reason: reason.to_owned(),
            description,
            next_check_at: None,
            checks_used: None,
            checks_allowed: None,
            answer_due_by: None,
        }
    }
}

/// Why a withdrawal is where it is; nothing if there is nothing to say. Without a contract the
/// times that it gives are left out.
pub fn wait(
    place: &Place<'_>,
    noted: &Noted,
    contract: Option<&Contract>,
    now: Timestamp,
) -> Option<Wait> {
    let said = |otherwise: &'static str| place.reason.unwrap_or(otherwise);
    match place.status {
        WithdrawalStatus::PendingReview => {
            Some(Wait::new(Actor::Us, said("review"), "A person looks at it first."))
        }
        WithdrawalStatus::Queued => Some(in_queue(place, noted, contract, now)),
        WithdrawalStatus::Processing => {
            let text = "It was sent; the bank has not told its outcome yet.";
            Some(asked(Wait::new(Actor::Bank, "sent", text), place, noted, contract))
        }
        WithdrawalStatus::OutcomeUnknown => {
            let text = "The bank has not confirmed it. Nothing is sent again until it is known.";
            let wait = Wait::new(Actor::Bank, said("unknown"), text);
            Some(asked(wait, place, noted, contract))
        }
        WithdrawalStatus::NeedsAttention => {
            let text = "Asking the bank did not help; people find out.";
            let mut wait =
                asked(Wait::new(Actor::Us, said("needs_attention"), text), place, noted, contract);
            wait.next_check_at = None;
            Some(wait)
        }
        WithdrawalStatus::Completed
        | WithdrawalStatus::Returned
        | WithdrawalStatus::Failed
        | WithdrawalStatus::Rejected
        | WithdrawalStatus::Cancelled
            if place.is_unapplied =>
        {
            let text = "The account cannot take the money now; it is put there as soon as it can.";
            Some(Wait::new(Actor::Us, "wallet_blocked", text))
        }
        WithdrawalStatus::Failed => {
            Some(Wait::new(Actor::Bank, said("refused"), "The bank refused it."))
        }
        WithdrawalStatus::Rejected => {
            Some(Wait::new(Actor::Us, said("rejected"), "It was not let pass."))
        }
        WithdrawalStatus::Completed | WithdrawalStatus::Returned | WithdrawalStatus::Cancelled => {
            None
        }
    }
}

/// Why it waits in the queue: what stands in its own way first, then what stands in everybody's.
fn in_queue(place: &Place<'_>, noted: &Noted, contract: Option<&Contract>, now: Timestamp) -> Wait {
    if let Some(code) = &noted.block {
        let removed = code == "payee_unavailable";
        let (source, text) = if removed {
            (Actor::You, "The bank account was removed. Cancel it to have the money back.")
        } else {
            (Actor::Us, "It was stopped before it was sent; somebody has to look.")
        };
        return Wait::new(source, code, text);
    }
    if !noted.is_manned {
        return Wait::new(Actor::Us, "not_sending", "Nobody sends through this bank now.");
    }
    let retry_at = pace::retry_at(place.id, place.attempts, place.changed_at);
    match noted.lane.as_deref() {
        Some("paused") => {
            return Wait::new(Actor::Us, "paused", "Sending through this bank is paused.");
        }
        Some("bank_unreachable") => {
            let text = "The bank does not answer now. Nothing leaves your account twice.";
            return Wait::new(Actor::Bank, "bank_unreachable", text);
        }
        Some(_) | None if retry_at > now => {
            let text = "The bank could not do it. It is tried again.";
            let wait = Wait::new(Actor::Bank, "next_attempt", text);
            return Wait { next_check_at: Some(retry_at), ..wait };
        }
        Some("low_float") => {
            return Wait::new(
                Actor::Us,
                "low_float",
                "Our account at this bank is filled up first.",
            );
        }
        Some(_) | None => {}
    }
    let opens = contract.and_then(|contract| {
        let hours = contract.rail(place.rail)?.hours?;
        hours.next_open(now, contract.time_zone).filter(|opens| *opens > now)
    });
    if opens.is_some() {
        let wait = Wait::new(Actor::Bank, "rail_closed", "The bank does not send at this hour.");
        return Wait { next_check_at: opens, ..wait };
    }
    Wait::new(Actor::Us, "in_queue", "It waits for its turn.")
}

/// With what is known of the questions about its last attempt.
fn asked(wait: Wait, place: &Place<'_>, noted: &Noted, contract: Option<&Contract>) -> Wait {
    let questions = noted.asked.questions;
    let terms = contract.map(|contract| &contract.enquiry);
    let next = |terms| pace::enquiry_at(terms, place.begun_at?, questions);
    Wait {
        next_check_at: terms.and_then(next),
        checks_used: Some(questions),
        checks_allowed: terms.map(|terms| terms.at_most),
        answer_due_by: contract.zip(place.begun_at).and_then(|(c, at)| due_by(c, at)),
        ..wait
    }
}

/// The last second of the bank's day after the one on which it was sent.
fn due_by(contract: &Contract, begun_at: Timestamp) -> Option<Timestamp> {
    let sent_on = begun_at.with_timezone(&contract.time_zone).date_naive();
    let ends =
        sent_on.checked_add_days(Days::new(1))?.and_time(NaiveTime::from_hms_opt(23, 59, 59)?);
    let ends = contract.time_zone.from_local_datetime(&ends).latest()?;
    Some(ends.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::{NaiveTime, TimeDelta};
    use uuid::Uuid;

    use super::*;
    use crate::{
        banks::{Answers, EnquiryTerms, Hours, RailTerms},
        workers::withdrawals::notes::Asked,
    };

    fn contract() -> Contract {
        let hour = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
        let neft = RailTerms {
            rail: "neft".parse().unwrap(),
            minimum: None,
            maximum: None,
            hours: Some(Hours { opens: hour(8), closes: hour(19) }),
            final_within: Duration::from_secs(7_200),
        };
        Contract {
            bank: "hdfc".parse().unwrap(),
            name: "HDFC".to_owned(),
            currency: "INR".parse().unwrap(),
            time_zone: chrono_tz::Asia::Kolkata,
            reference_unique_for_days: 60,
            answers: Answers::Later,
            rate_per_second: 10,
            accounts: Vec::new(),
            rails: vec![neft],
            enquiry: EnquiryTerms {
                first_after: Duration::from_secs(90),
                at_most: 3,
                within: Duration::from_secs(7_200),
            },
            final_codes: Vec::new(),
            retryable_codes: Vec::new(),
        }
    }

    /// 19:32 in India.
    fn now() -> Timestamp {
        "2026-11-22T14:02:00Z".parse().unwrap()
    }

    /// What is said of a withdrawal in a status, of which this is noted.
    fn said(status: WithdrawalStatus, noted: &Noted, attempts: u32, rail: &str) -> Option<Wait> {
        let (bank, rail) = ("hdfc".parse().unwrap(), rail.parse().unwrap());
        let place = Place {
            id: WithdrawalId::from_uuid(Uuid::from_u64_pair(0, 100)),
            status,
            bank: &bank,
            rail: &rail,
            attempts,
            begun_at: (attempts > 0).then(now),
            changed_at: now(),
            is_unapplied: false,
            reason: Some("bank_timeout"),
        };
        wait(&place, noted, Some(&contract()), now())
    }

    fn reason(noted: &Noted, attempts: u32, rail: &str) -> String {
        said(WithdrawalStatus::Queued, noted, attempts, rail).unwrap().reason
    }

    #[test]
    fn what_stands_in_its_own_way_is_said_before_what_stands_in_everybody_s() {
        let manned = Noted { is_manned: true, ..Noted::default() };
        let lane = |note: &str| Noted { lane: Some(note.to_owned()), ..manned.clone() };
        let blocked = Noted { block: Some("payee_mismatch".to_owned()), ..lane("paused") };
        assert_eq!(reason(&blocked, 0, "imps"), "payee_mismatch");
        assert_eq!(reason(&Noted { is_manned: false, ..lane("paused") }, 0, "imps"), "not_sending");
        for note in ["paused", "bank_unreachable", "low_float"] {
            assert_eq!(reason(&lane(note), 0, "imps"), note);
        }
        assert_eq!(reason(&lane("paused"), 1, "imps"), "paused");
        assert_eq!(reason(&lane("low_float"), 1, "imps"), "next_attempt");
        assert_eq!(reason(&manned, 0, "neft"), "rail_closed");
        assert_eq!(reason(&manned, 0, "imps"), "in_queue");
        let closed = said(WithdrawalStatus::Queued, &manned, 0, "neft").unwrap();
        // Eight in the morning, in India.
        assert_eq!(closed.next_check_at, Some("2026-11-23T02:30:00Z".parse().unwrap()));
    }

    #[test]
    fn an_unknown_outcome_says_when_the_bank_is_asked_and_until_when() {
        let asked =
            |questions| Noted { asked: Asked { answered: true, questions }, ..Noted::default() };
        let seen = said(WithdrawalStatus::OutcomeUnknown, &asked(0), 1, "imps").unwrap();
        assert_eq!((seen.source, seen.reason.as_str()), (Actor::Bank, "bank_timeout"));
        assert_eq!(seen.next_check_at, now().checked_add_signed(TimeDelta::seconds(90)));
        assert_eq!((seen.checks_used, seen.checks_allowed), (Some(0), Some(3)));
        // The end of the next day, in India.
        assert_eq!(seen.answer_due_by, Some("2026-11-23T18:29:59Z".parse().unwrap()));
        let spent = said(WithdrawalStatus::OutcomeUnknown, &asked(3), 1, "imps").unwrap();
        assert_eq!((spent.next_check_at, spent.checks_used), (None, Some(3)));
        let people = said(WithdrawalStatus::NeedsAttention, &asked(1), 1, "imps").unwrap();
        assert_eq!((people.source, people.next_check_at), (Actor::Us, None));
    }

    #[test]
    fn of_what_has_ended_well_there_is_nothing_to_say() {
        for status in [WithdrawalStatus::Completed, WithdrawalStatus::Cancelled] {
            assert_eq!(said(status, &Noted::default(), 1, "imps"), None);
        }
        let failed = said(WithdrawalStatus::Failed, &Noted::default(), 1, "imps").unwrap();
        assert_eq!(failed.source, Actor::Bank);
    }
}
