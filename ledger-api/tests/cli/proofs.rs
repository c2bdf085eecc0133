//! An auditor with nothing but files and a key: what the service signed, checked without it.

use std::time::{Duration, Instant};

use super::support::{Bahi, Place};

/// Longer than a checkpoint takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Serves until a checkpoint of more than `size` events is signed; its size.
fn sign(place: &Place, size: u64) -> u64 {
    let service = Bahi::start_with(
        place,
        &["serve", "--listen", "127.0.0.1:0"],
        &[("BAHI_CHECKPOINT_SECONDS", "0")],
    );
    service.wait_until_ready();
    let latest = place.path("data/checkpoints/latest.note");
    let begun = Instant::now();
    let signed = loop {
        let note = std::fs::read_to_string(&latest).unwrap_or_default();
        let signed = note.lines().nth(1).and_then(|line| line.parse().ok());
        match signed.filter(|signed| *signed > size) {
            Some(signed) => break signed,
            None => assert!(begun.elapsed() < PATIENCE, "nothing was signed: {}", service.said()),
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(service.stop().code, Some(0));
    signed
}

#[test]
fn case_180_an_auditor_needs_a_file_and_a_key_also_after_the_key_has_changed() {
    let place = Place::new();
    assert_eq!(place.run(&["currencies", "add", "EUR", "2"]).code, Some(0));
    assert_eq!(place.run(&["audit", "signed"]).code, Some(1), "nothing is signed yet");
    let size = sign(&place, 0);
    let head = place.path("head.note");
    let signed = place.run(&["audit", "signed", "--out", &head]);
    let key = signed.said.trim().rsplit(' ').next().expect("a key").to_owned();
    assert_eq!(
        place.run(&["audit", "signed", "--out", &head]).code,
        Some(2),
        "nothing is replaced"
    );

    let proof = place.path("proof.json");
    assert_eq!(place.run(&["audit", "prove", "1", "--out", &proof]).code, Some(0));
    assert_eq!(place.run(&["audit", "prove", "1000"]).code, Some(1));
    let nowhere = Place::new();
    let check = |file: &str, key: &str| nowhere.run(&["audit", "check", file, "--key", key]);
    let proven = check(&proof, &key);
    assert_eq!(proven.code, Some(0), "{}", proven.said);
    assert!(proven.printed.contains("PROVEN: position 1 of bahi/"), "{}", proven.printed);
    let text = std::fs::read_to_string(&proof).unwrap();
    let changed = place.file("changed.json", &text.replacen("\"opened\"", "\"closed\"", 1));
    assert_eq!(check(&changed, &key).code, Some(1));
    let other = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    assert_eq!(check(&proof, other).code, Some(1), "another key");
    assert_eq!(check(&proof, "abc").code, Some(2));
    assert_eq!(check(&head, &key).code, Some(2), "no proof");

    let rotated = place.run(&["audit", "rotate-key"]);
    assert_eq!(rotated.code, Some(0), "{}", rotated.said);
    assert!(!rotated.printed.contains(&key), "{}", rotated.printed);
    assert!(sign(&place, size) > size);
    let later = place.path("later.note");
    let signed = place.run(&["audit", "signed", "--out", &later]);
    assert!(!signed.said.contains(&key), "the new key has signed it: {}", signed.said);

    let log = place.path("log.ndjson");
    assert_eq!(place.run(&["audit", "export", "--out", &log]).code, Some(0));
    let verify = |log: &str, notes: &[&str]| {
        let mut arguments = vec!["audit", "verify", log, "--key", &key];
        for note in notes {
            arguments.extend(["--checkpoint", *note]);
        }
        nowhere.run(&arguments)
    };
    let verified = verify(&log, &[&head, &later]);
    assert_eq!(verified.code, Some(0), "{}{}", verified.said, verified.printed);
    assert!(verified.printed.contains("in the log, signed by"), "{}", verified.printed);
    let new_key = signed.said.trim().rsplit(' ').next().expect("a key");
    of_the_export(&place, [&log, &head, &later, &proof], [&key, new_key], size);
    let keyless = nowhere.run(&["audit", "verify", &log, "--checkpoint", &head]);
    assert_eq!(keyless.code, Some(2), "a signature without a key says nothing");
    let lines: Vec<String> =
        std::fs::read_to_string(&log).unwrap().lines().map(Into::into).collect();
    let cut = place.file("cut.ndjson", &lines[..lines.len() - 3].join("\n"));
    let broken = verify(&cut, &[&head, &later]);
    assert_eq!(broken.code, Some(1));
    assert!(broken.printed.contains("checkpoint_ahead"), "{}", broken.printed);
    assert_eq!(place.run(&["audit", "verify"]).code, Some(0), "and the tables fit");
}

/// Of the export alone: what is proven is what the database proves, and is checked anywhere.
fn of_the_export(
    place: &Place,
    [log, head, later, proof]: [&str; 4],
    [key, new_key]: [&str; 2],
    size: u64,
) {
    let nowhere = Place::new();
    let of_log = place.path("of_log.json");
    let one = ["audit", "prove", "1", "--export", log, "--checkpoint", head, "--out", &of_log];
    assert_eq!(nowhere.run(&one).code, Some(0));
    let bytes = |file: &str| std::fs::read(file).expect("a file");
    assert!(bytes(&of_log) == bytes(proof), "an export proves what its database does");
    let (both, stored) = (place.path("both.json"), place.path("stored.json"));
    let two = |first, second, out| {
        let notes = ["--checkpoint", first, "--checkpoint", second, "--out", out];
        let asked: Vec<&str> =
            ["audit", "prove", "--export", log].into_iter().chain(notes).collect();
        nowhere.run(&asked).code
    };
    assert_eq!(two(head, later, &both), Some(0));
    let from = size.to_string();
    assert_eq!(place.run(&["audit", "prove", "--from", &from, "--out", &stored]).code, Some(0));
    for file in [&both, &stored] {
        let proven = nowhere.run(&["audit", "check", file, "--key", key, "--key", new_key]);
        assert_eq!(proven.code, Some(0), "{}{}", proven.said, proven.printed);
        assert!(proven.printed.contains("goes on from its first"), "{}", proven.printed);
        let with_one = nowhere.run(&["audit", "check", file, "--key", key]);
        assert_eq!(with_one.code, Some(1), "the new key signed one of them");
    }
    assert_eq!(two(later, head, &both), Some(1), "the larger one comes second");
}
