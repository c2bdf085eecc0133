//! Proofs made of an export: they hold, and of an export that is not what was signed there are
//! none.

use super::{
    super::{
        ProveError,
        proof::{CONSISTENCY_FORMAT, ConsistencyFile, Signer, WitnessKey},
        prove_export, prove_export_consistent,
    },
    log::Log,
    signed::note,
    sound_log,
};

fn signer(seed: u8) -> Signer {
    Signer::of(&[seed; 32])
}

fn witness() -> WitnessKey {
    signer(9).witness("witness.example/w").expect("a name")
}

#[test]
fn case_180_every_event_of_an_export_is_proven_under_each_note() {
    let log = sound_log();
    let (text, all) = (log.text(), log.rows.len());
    let keys = [signer(1).public()];
    for size in [1, 2, 3, 64, 65, all - 1, all] {
        let note = note(&log, size, &signer(1));
        for position in [1, size / 2, size - 1, size].map(|p| u64::try_from(p.max(1)).unwrap()) {
            let proof = prove_export(text.as_bytes(), position, &note, |_| {});
            let proof = proof.unwrap_or_else(|error| panic!("{position} of {size}: {error}"));
            assert_eq!(u64::try_from(proof.event.position).unwrap(), position);
            proof.check(&keys, &[witness()]).unwrap();
        }
        let beyond = u64::try_from(size + 1).unwrap();
        for outside in [0, beyond] {
            let refused = prove_export(text.as_bytes(), outside, &note, |_| {});
            assert!(matches!(refused, Err(ProveError::Outside { .. })), "{refused:?}");
        }
    }
}

#[test]
fn case_180_that_one_note_goes_on_from_another_is_proven_without_the_log() {
    let log = sound_log();
    let (text, all) = (log.text(), log.rows.len());
    let keys = [signer(1).public()];
    let sizes = [1, 2, 7, 64, 65, all / 2, all - 1, all];
    for (at, from) in sizes.iter().enumerate() {
        for to in &sizes[at..] {
            let notes = (note(&log, *from, &signer(1)), note(&log, *to, &signer(1)));
            let made = prove_export_consistent(text.as_bytes(), (&notes.0, &notes.1), |_| {});
            let json = serde_json::to_vec(&made.unwrap()).unwrap();
            assert!(ConsistencyFile::is_one(&json));
            let file = ConsistencyFile::from_json(&json).unwrap();
            let (old, new) = file.check(&keys, &[witness()]).unwrap();
            assert_eq!((&old, &new), (&notes.0, &notes.1), "{from} {to}");
            assert!(file.check(&[signer(2).public()], &[]).is_err(), "another key");
        }
    }
    let (small, large) = (note(&log, 7, &signer(1)), note(&log, all, &signer(1)));
    let backwards = prove_export_consistent(text.as_bytes(), (&large, &small), |_| {});
    assert!(matches!(backwards, Err(ProveError::Backwards)), "{backwards:?}");
    let file = prove_export_consistent(text.as_bytes(), (&small, &large), |_| {}).unwrap();
    // A head of another log does not go on from this one, whatever path comes with it.
    let other = note(&super::generator::generate(8, 400), all, &signer(1));
    let forged = ConsistencyFile { to_checkpoint: other.to_string(), ..file.clone() };
    assert!(forged.check(&keys, &[]).is_err());
    let shorter = ConsistencyFile { path: file.path[1..].to_vec(), ..file.clone() };
    assert!(shorter.check(&keys, &[]).is_err());
    let moved = ConsistencyFile { from: 8, ..file.clone() };
    assert!(moved.check(&keys, &[]).is_err());
    let json = serde_json::to_string(&file).unwrap();
    let unknown = json.replacen(CONSISTENCY_FORMAT, "bahi.consistency.2", 1);
    assert!(ConsistencyFile::from_json(unknown.as_bytes()).is_err());
}

#[test]
fn case_174_of_an_export_that_is_not_what_was_signed_nothing_is_proven() {
    let log = sound_log();
    let all = log.rows.len();
    let (half, whole) = (note(&log, all / 2, &signer(1)), note(&log, all, &signer(1)));
    let made = |log: &Log| {
        let text = log.text();
        let one = prove_export(text.as_bytes(), 3, &whole, |_| {}).map(drop);
        let both = prove_export_consistent(text.as_bytes(), (&half, &whole), |_| {}).map(drop);
        [one, both]
    };
    let mut changed = sound_log();
    changed.rows[all / 3].event_version = "1.1".to_owned();
    for refused in made(&changed) {
        assert!(matches!(refused, Err(ProveError::Differs { .. })), "{refused:?}");
    }
    let text = log.text();
    let lines: Vec<&str> = text.lines().collect();
    let cut = lines[..lines.len() / 2].join("\n");
    let short = prove_export(cut.as_bytes(), 3, &whole, |_| {});
    assert!(matches!(short, Err(ProveError::Short { .. })), "{short:?}");
    let at = lines.iter().position(|line| line.contains("\"position\":40,")).expect("a line");
    let mut without = lines.clone();
    without.remove(at);
    let gap = prove_export(without.join("\n").as_bytes(), 3, &whole, |_| {});
    assert!(matches!(gap, Err(ProveError::Gap { after: 39 })), "{gap:?}");
    let nothing = prove_export(&b"no export"[..], 3, &whole, |_| {});
    assert!(matches!(nothing, Err(ProveError::Read(_))), "{nothing:?}");
}
