//! Given these events of a hold, when this is asked, then these events or that refusal.

use cqrs_es::{Aggregate, test::TestFramework};

use super::*;
use crate::testing::{account, assert_every_variant, dec, minute, txn};

const NOON: i64 = 0;
const EXPIRY: i64 = 60;

fn placed(amount: &str, expires: Option<i64>) -> HoldEvent {
    let account = account("wallet:a:INR");
    let (amount, expires_at) = (dec(amount), expires.map(minute));
    HoldEvent::Placed(Placed { account, amount, expires_at, cause: None })
}

fn increased(by: &str, amount: &str) -> HoldEvent {
    HoldEvent::Increased(Increased { by: dec(by), amount: dec(amount) })
}

fn captured(amount: &str, released: &str) -> HoldEvent {
    HoldEvent::Captured(Captured {
        amount: dec(amount),
        released: dec(released),
        transaction_id: txn(1),
    })
}

fn place(expires: Option<i64>) -> HoldCommand {
    HoldCommand::Place {
        account: account("wallet:a:INR"),
        amount: dec("10.00"),
        expires_at: expires.map(minute),
        cause: None,
        now: minute(NOON),
    }
}

fn increase(by: &str, at: i64) -> HoldCommand {
    HoldCommand::Increase { by: dec(by), now: minute(at) }
}

fn capture(amount: &str, at: i64) -> HoldCommand {
    HoldCommand::Capture { amount: dec(amount), transaction_id: txn(1), now: minute(at) }
}

fn expire(at: i64) -> HoldCommand {
    HoldCommand::Expire { now: minute(at) }
}

#[track_caller]
fn expect(given: Vec<HoldEvent>, when: HoldCommand, then: HoldEvent) {
    TestFramework::<Hold>::with(()).given(given).when(when).then_expect_events(vec![then]);
}

fn folded(events: impl IntoIterator<Item = HoldEvent>) -> Hold {
    events.into_iter().fold(Hold::default(), |mut hold, event| {
        hold.apply(event);
        hold
    })
}

fn refusals() -> Vec<(Vec<HoldEvent>, HoldCommand, HoldError)> {
    let open = || vec![placed("10.00", Some(EXPIRY))];
    let ends = [
        (captured("10.00", "0.00"), HoldState::Captured),
        (HoldEvent::Released {}, HoldState::Released),
        (HoldEvent::Expired {}, HoldState::Expired),
    ];
    let every =
        || [increase("1.00", NOON), capture("1.00", NOON), HoldCommand::Release, expire(EXPIRY)];
    let most = "79228162514264337593543950335";
    let mut rows = vec![
        (open(), place(None), HoldError::Exists),
        (vec![], place(Some(NOON)), HoldError::ExpiryPast),
        (vec![], place(Some(NOON - 1)), HoldError::ExpiryPast),
        (open(), capture("10.01", NOON), HoldError::CaptureExceedsHold { held: dec("10.00") }),
        // Refused from the very moment on, though no sweeper has been there.
        (open(), capture("1.00", EXPIRY), HoldError::Expired),
        (open(), increase("1.00", EXPIRY), HoldError::Expired),
        (open(), expire(EXPIRY - 1), HoldError::NotExpired),
        (vec![placed("10.00", None)], expire(EXPIRY), HoldError::NotExpired),
        (vec![placed(most, None)], increase("1", NOON), HoldError::Overflow),
    ];
    rows.extend(every().map(|command| (vec![], command, HoldError::NotFound)));
    for (end, state) in ends {
        let given = [open(), vec![end]].concat();
        rows.push((given.clone(), place(None), HoldError::Exists));
        let ended = HoldError::Ended { state };
        rows.extend(every().map(|command| (given.clone(), command, ended)));
    }
    rows
}

#[test]
fn every_refusal_happens() {
    let rows = refusals();
    for (given, when, then) in rows.clone() {
        TestFramework::<Hold>::with(()).given(given).when(when).then_expect_error(then);
    }
    let seen: Vec<HoldError> = rows.into_iter().map(|(_, _, error)| error).collect();
    assert_every_variant!(
        HoldError,
        seen,
        HoldError::NotFound,
        HoldError::Exists,
        HoldError::Ended { .. },
        HoldError::Expired,
        HoldError::ExpiryPast,
        HoldError::NotExpired,
        HoldError::CaptureExceedsHold { .. },
        HoldError::Overflow,
    );
}

#[test]
fn codes_are_stable() {
    let mut codes: Vec<&str> = refusals().iter().map(|row| row.2.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    let expected = [
        "amount_overflow",
        "capture_exceeds_hold",
        "hold_exists",
        "hold_expired",
        "hold_expiry_past",
        "hold_not_expired",
        "hold_not_found",
        "hold_not_open",
    ];
    assert_eq!(codes, expected);
}

#[test]
fn a_hold_is_placed_with_or_without_an_end() {
    expect(vec![], place(None), placed("10.00", None));
    expect(vec![], place(Some(EXPIRY)), placed("10.00", Some(EXPIRY)));
}

#[test]
fn a_hold_grows_until_its_time_has_come() {
    let given = vec![placed("10.00", Some(EXPIRY))];
    expect(given.clone(), increase("2.50", NOON), increased("2.50", "12.50"));
    expect(given, increase("2.50", EXPIRY - 1), increased("2.50", "12.50"));
}

#[test]
fn case_8_one_capture_a_part_or_the_whole_and_the_rest_is_free() {
    let given = vec![placed("10.00", Some(EXPIRY)), increased("2.00", "12.00")];
    expect(given.clone(), capture("12.00", NOON), captured("12.00", "0.00"));
    expect(given.clone(), capture("0.01", EXPIRY - 1), captured("0.01", "11.99"));
    let twice = [given, vec![captured("0.01", "11.99")]].concat();
    TestFramework::<Hold>::with(())
        .given(twice)
        .when(capture("0.01", NOON))
        .then_expect_error(HoldError::Ended { state: HoldState::Captured });
}

#[test]
fn a_hold_is_released_at_any_time_and_expires_at_its_own() {
    let given = vec![placed("10.00", Some(EXPIRY))];
    expect(given.clone(), HoldCommand::Release, HoldEvent::Released {});
    expect(given.clone(), expire(EXPIRY), HoldEvent::Expired {});
    expect(given, expire(EXPIRY + 1), HoldEvent::Expired {});
}

#[test]
fn the_state_is_told() {
    let open = vec![placed("10.00", None), increased("2.00", "12.00")];
    let ended = |event| folded([open.clone(), vec![event]].concat());
    assert_eq!(Hold::default().state(), None);
    let hold = folded(open.clone());
    assert_eq!((hold.state(), hold.amount()), (Some(HoldState::Open), dec("12.00")));
    assert_eq!(hold.account(), Some(&account("wallet:a:INR")));
    assert_eq!(ended(captured("1.00", "11.00")).state(), Some(HoldState::Captured));
    assert_eq!(ended(HoldEvent::Released {}).state(), Some(HoldState::Released));
    assert_eq!(ended(HoldEvent::Expired {}).state(), Some(HoldState::Expired));
}

#[test]
fn a_snapshot_taken_after_any_event_is_the_hold() {
    for end in [captured("1.00", "11.00"), HoldEvent::Released {}, HoldEvent::Expired {}] {
        let events = [placed("10.00", Some(EXPIRY)), increased("2.00", "12.00"), end];
        let whole = folded(events.clone());
        for taken in 0..=events.len() {
            let before = folded(events.iter().take(taken).cloned());
            let bytes = serde_json::to_vec(&before).unwrap();
            let mut restored: Hold = serde_json::from_slice(&bytes).unwrap();
            assert_eq!(restored, before);
            for event in events.iter().skip(taken).cloned() {
                restored.apply(event);
            }
            assert_eq!(restored, whole);
        }
    }
}
