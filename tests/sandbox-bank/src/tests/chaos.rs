//! A bank in chaos mode: nothing can be told from its answers, and still it pays once.

use super::*;
use crate::faults::Mode;

fn chaotic() -> Mode {
    Mode {
        timeout_percent: 30,
        error_percent: 20,
        latency_p50_ms: 100,
        latency_p99_ms: 5_000,
        webhook_duplicate_percent: 20,
        webhook_lost_percent: 20,
        webhook_out_of_order_percent: 20,
        lumps: crate::faults::Lumps::None,
        for_seconds: None,
    }
}

/// Submits each reference until it is answered, as a sender with much patience would.
fn run(seed: u64) -> (Desk, usize) {
    let setup = Setup::usual(seed, noon());
    let sandbox = Sandbox::start(&setup, Clock::standing(noon()), "http://bank");
    let desk = Desk { sandbox: sandbox.expect("a sandbox"), bank: BankCode::Hdfc };
    let mode = desk.sandbox.execute(Command::SetMode(desk.bank, chaotic()));
    assert_eq!(mode.status, 200);
    assert_eq!(desk.sandbox.health(desk.bank).body["status"], "degraded");
    let mut unanswered = 0;
    for n in 0..200 {
        let reference = format!("A{n}");
        loop {
            let reply = desk.submit(&reference, "10.00");
            desk.wait(1);
            if reply.status == 200 && !is_silent(&reply) {
                break;
            }
            unanswered += 1;
        }
    }
    desk.wait(120);
    (desk, unanswered)
}

#[test]
fn every_reference_is_paid_once_whatever_was_heard() {
    let (desk, unanswered) = run(1);
    assert!((150..260).contains(&unanswered), "{unanswered}");
    desk.sandbox.execute(Command::SetMode(desk.bank, Mode::default()));
    for n in 0..200 {
        let reference = format!("A{n}");
        assert_eq!((desk.status(&reference), desk.lines(&reference).len()), (json!("paid"), 1));
    }
    desk.balanced();
    let told = desk.messages().len();
    assert!((130..190).contains(&told), "a fifth is lost: {told}");
}

#[test]
fn the_same_seed_does_the_same_and_another_does_not() {
    let outcome = |seed| {
        let (desk, unanswered) = run(seed);
        (unanswered, desk.sandbox.overview(desk.bank).body, desk.messages())
    };
    let first = outcome(7);
    assert_eq!(first, outcome(7));
    assert_ne!(first.2, outcome(8).2);
}

#[test]
fn chaos_ends_by_itself() {
    let desk = Desk::at(BankCode::Hdfc);
    let mode = Mode { timeout_percent: 100, for_seconds: Some(60), ..Mode::default() };
    desk.sandbox.execute(Command::SetMode(desk.bank, mode));
    assert!(is_silent(&desk.submit("A1", "10.00")));
    assert!(is_silent(&desk.enquire("A1")));
    desk.wait(60);
    assert_eq!(desk.submit("A2", "10.00").status, 200);
    let absurd = Mode { error_percent: 101, ..Mode::default() };
    assert_eq!(desk.sandbox.execute(Command::SetMode(desk.bank, absurd)).status, 422);
}
