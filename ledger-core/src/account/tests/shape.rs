//! The account's shape in a snapshot: what is written is read back, and folds on alike.

use super::*;

fn everything() -> Vec<AccountEvent> {
    vec![
        opened_with(|o| o.ceiling = Some(dec("500.00"))),
        credited("10.00", "10.00"),
        held("4.00", "10.00", "4.00"),
        AccountEvent::HoldIncreased(change(1, "1.00", "10.00", "5.00")),
        AccountEvent::HoldPlaced(change(2, "1.00", "10.00", "6.00")),
        AccountEvent::HoldCaptured(change(1, "5.00", "10.00", "1.00")),
        AccountEvent::Debited(Leg { held_after: dec("1.00"), ..leg("3.00", "7.00") }),
        AccountEvent::HoldReleased(change(2, "1.00", "7.00", "0.00")),
        AccountEvent::HoldPlaced(change(3, "2.00", "7.00", "2.00")),
        AccountEvent::HoldExpired(change(3, "2.00", "7.00", "0.00")),
        limits_changed(Some("-5.00"), None),
        AccountEvent::TierSet(TierSet { tier: Some("t".parse().unwrap()), version: Some(1) }),
        AccountEvent::Credited(Leg { counted_on: Some(day()), ..leg("1.00", "8.00") }),
        AccountEvent::Debited(Leg {
            counted_on: Some(day()),
            fee_version: Some(2),
            ..leg("1.00", "7.00")
        }),
        frozen("A", FreezeMode::Credit),
        lien("L", "2.50"),
        AccountEvent::Unfrozen(Unfrozen { reference: "A".parse().unwrap() }),
        debited("7.00", "0.00"),
        AccountEvent::Closed {},
    ]
}

#[test]
fn every_kind_of_event_is_in_the_list() {
    let mut seen: Vec<&str> = everything().iter().map(AccountEvent::name).collect();
    let mut all = AccountEvent::NAMES.to_vec();
    seen.sort_unstable();
    all.sort_unstable();
    seen.dedup();
    assert_eq!(seen, all);
}

#[test]
fn a_snapshot_taken_after_any_event_is_the_account() {
    let events = everything();
    let whole = folded(events.clone());
    for taken in 0..=events.len() {
        let before = folded(events.iter().take(taken).cloned());
        let bytes = serde_json::to_vec(&before).unwrap();
        let mut restored: Account = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(restored, before);
        assert_eq!(serde_json::to_vec(&restored).unwrap(), bytes);
        for event in events.iter().skip(taken).cloned() {
            restored.apply(event);
        }
        assert_eq!(restored, whole);
    }
    assert_eq!(whole.sequence(), u64::try_from(events.len()).unwrap());
}

#[test]
fn the_fold_adds_up() {
    let account = folded(everything());
    assert_eq!((account.debits_posted(), account.credits_posted()), (dec("11"), dec("11")));
    assert_eq!((account.balance(), account.held()), (dec("0"), dec("0")));
    // Zero, less the lien of 2.50, down to the floor of -5.00.
    assert_eq!(account.available(), Some(dec("2.50")));
    assert_eq!(account.properties().map(|o| o.scale), Some(2));
    assert_eq!(account.normal_side(), Direction::Credit);
}
