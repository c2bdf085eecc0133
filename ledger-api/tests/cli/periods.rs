//! `bahi periods`: two persons are two keys, whatever somebody types.

use super::support::Place;

/// A file with a fresh key of somebody's.
fn key(place: &Place, name: &str, scope: &str) -> String {
    let made = place.run(&["keys", "create", "--name", name, "--scope", scope]);
    assert_eq!(made.code, Some(0), "{}", made.said);
    place.file(&format!("{name}-{scope}.key"), &made.printed)
}

#[test]
fn a_month_is_closed_by_two_keys_of_two_persons() {
    let place = Place::new();
    let evidence = place.file("tb.csv", "trial balance");
    let (asha, ravi) = (key(&place, "asha", "ops:approve"), key(&place, "ravi", "ops:approve"));
    let also_asha = key(&place, "asha", "ops:approve,ops:read");
    let till = key(&place, "till", "ops:write");
    let nobody = place.file("nobody.key", "bahi_live_0000");
    let close = |one: &str, other: &str| {
        place.run(&[
            "periods",
            "close",
            "2020-01-31",
            "--key-file",
            one,
            "--approver-key-file",
            other,
            "--reason",
            "month_end",
            "--evidence",
            &evidence,
        ])
    };
    for (one, other, says) in [
        (&asha, &asha, "both keys are asha’s"),
        (&asha, &also_asha, "both keys are asha’s"),
        (&asha, &till, "lacks the scope ops:approve"),
        (&till, &ravi, "lacks the scope ops:approve"),
        (&asha, &nobody, "was not accepted"),
        (&asha, &place.path("none.key"), "can't read"),
    ] {
        let refused = close(one, other);
        assert_eq!(refused.code, Some(2), "{}", refused.said);
        assert!(refused.said.contains(says), "{says}: {}", refused.said);
    }
    assert!(place.run(&["periods", "list"]).printed.contains("nothing is closed"));
    let done = close(&asha, &ravi);
    assert_eq!(done.code, Some(0), "{}", done.said);
    let listed = place.run(&["periods", "list"]).printed;
    assert!(listed.contains("closed until 2020-01-31"), "{listed}");
    assert!(listed.contains("by asha with ravi: month_end"), "{listed}");
    assert_eq!(close(&asha, &ravi).code, Some(1), "the book refuses what is closed");
    // No name is typed any more.
    let typed = place.run(&["periods", "close", "2020-02-29", "--as", "asha"]);
    assert_eq!(typed.code, Some(2), "{}", typed.printed);
}
