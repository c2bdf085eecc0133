//! A bank that wants money back.

use super::*;

#[test]
fn a_recall_holds_what_is_there_and_a_person_decides() {
    let with = |spendable: &str, held: &str, ask: Ask| {
        let (spendable, held) = (Some(dec(spendable)), dec(held));
        let standing = DepositStanding { room: None, spendable, held };
        DepositCommand { standing, ..at(0, ask) }
    };
    let before = || vec![at(0, begin()), at(0, confirmed(claim(1, "500")))];
    let asked = |spendable: &str| with(spendable, "0", recall(claim(1, "500")));
    let after_asking = |spendable: &str, more: Vec<DepositCommand>| {
        after([before(), vec![asked(spendable), asked("500")], more].concat())
    };
    let (waits, events) = after_asking("120", vec![]);
    assert_eq!(waits.status(), Some(DepositStatus::RecallRequested));
    let Some(Event::RecallRequested(request)) = events.last() else { panic!("{events:?}") };
    assert_eq!((request.hold_id, request.held), (Some(hold(1)), dec("120")), "asked once");

    let grant = with("0", "120", decide_recall(true, Some(hold(1))));
    let (gone, events) = after_asking("120", vec![grant.clone(), grant]);
    assert_eq!((gone.status(), gone.credited()), (Some(DepositStatus::Recalled), dec("0")));
    let Some(Event::RecallGranted(granted)) = events.last() else { panic!("{events:?}") };
    assert_eq!(granted.from_wallet, dec("120"));

    let refuse = with("0", "120", decide_recall(false, Some(hold(1))));
    let (kept, events) = after_asking("120", vec![refuse.clone(), refuse]);
    assert_eq!((kept.status(), kept.credited()), (Some(DepositStatus::Completed), dec("500")));
    assert_eq!(events.last().map(Event::name), Some("recall_refused"));

    let (_, events) = after_asking("0", vec![]);
    let Some(Event::RecallRequested(request)) = events.last() else { panic!("{events:?}") };
    assert_eq!((request.hold_id, request.held), (None, dec("0")), "nothing to hold");
    // What was only told of is no money; what is in suspense is nobody's to spend.
    let (told, _) = after([at(0, begin()), at(0, received(claim(1, "500")))]);
    assert_eq!(told.decide(&asked("500")), Err(DepositError::CreditNotFound));
    let (aside, _) = after([at(0, begin()), blocked(confirmed(claim(1, "500"))), asked("500")]);
    assert_eq!(aside.status(), Some(DepositStatus::InReview));
    assert_eq!(aside.credits()[0].recall.as_ref().map(|recall| recall.hold_id), Some(None));
}
