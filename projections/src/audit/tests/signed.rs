//! Case 174 where hashes do not help: whoever makes all of them anew is found by what was signed,
//! between the last signed head that still holds and the first that does not. And what becomes of
//! signed heads, keys and witnesses' words that somebody changed.

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::{
    super::{
        Options, Report,
        proof::{
            Frontier, LeafEvent, ProofFile, ProvenEvent, SignedCheckpoint, Signer, WitnessKey,
            inclusion_proof, rotation_message,
        },
        verify_export,
    },
    Code,
    generator::{generate, maker_after},
    lies::{ASHA, BINOD},
    log::{BatchRow, Log, Row},
    sound_log,
};

const ORIGIN: &str = "bahi.example/log";
const WITNESS: &str = "witness.example/w";

fn signer(seed: u8) -> Signer {
    Signer::of(&[seed; 32])
}

fn witness() -> WitnessKey {
    signer(9).witness(WITNESS).expect("a name")
}

pub(super) fn leaf(row: &Row) -> LeafEvent<'_> {
    LeafEvent {
        position: row.position,
        aggregate_type: &row.aggregate_type,
        aggregate_id: &row.aggregate_id,
        sequence: row.sequence,
        event_type: &row.event_type,
        event_version: &row.event_version,
        recorded_at: row.recorded_at,
        payload: row.payload.as_bytes(),
        metadata: row.metadata.as_bytes(),
        hash: &row.hash,
    }
}

/// The head of the first `size` events, signed and cosigned.
pub(super) fn note(log: &Log, size: usize, by: &Signer) -> SignedCheckpoint {
    let mut frontier = Frontier::default();
    log.rows[..size].iter().for_each(|row| frontier.push(leaf(row).leaf_hash()));
    let root = frontier.root();
    let mut note = SignedCheckpoint::sign(ORIGIN, frontier.size(), &root, by).expect("a note");
    note.add(signer(9).cosign(WITNESS, note.text(), 1_795_356_135));
    note
}

/// The heads after each tenth of the log, the last of which is all of it.
fn notes(log: &Log) -> Vec<SignedCheckpoint> {
    (1..=10).map(|tenth| note(log, log.rows.len() * tenth / 10, &signer(1))).collect()
}

fn verify(log: &Log, notes: Vec<SignedCheckpoint>) -> Report {
    let options = Options {
        notes,
        keys: vec![signer(1).public()],
        witnesses: vec![witness()],
        findings_max: 1_000_000,
        ..Options::default()
    };
    verify_export(log.text().as_bytes(), &options, |_| {}).expect("an export")
}

#[test]
fn a_sound_log_contains_all_that_was_signed_of_it() {
    let log = sound_log();
    let report = verify(&log, notes(&log));
    assert!(report.verified, "{report}");
    assert_eq!(report.notes.len(), 10);
    let holds = report
        .notes
        .iter()
        .all(|note| note.contained && note.signed_by.is_some() && note.cosigned_by == [WITNESS]);
    assert!(holds, "{report}");
    let root = hex::encode(note(&log, log.rows.len(), &signer(1)).root());
    assert_eq!(report.root, root);
}

/// Where a forger set to work: the index of a row, of its batch, and the log under his hands.
struct Forger {
    log: Log,
    row: usize,
    batch: usize,
}

impl Forger {
    fn new() -> Self {
        let log = sound_log();
        let row = log.find(log.rows.len() / 2, |row| row.metadata.contains("till"));
        let number = log.rows[row].batch;
        let batch = log.batches.iter().position(|batch| batch.number == number).expect("a batch");
        Self { log, row, batch }
    }

    fn edit(&mut self, change: impl FnOnce(&mut Row)) {
        change(&mut self.log.rows[self.row]);
    }

    /// Takes batches away, with their events; the rest is numbered anew.
    fn remove(&mut self, first: usize, count: usize) {
        let gone: Vec<BatchRow> = self.log.batches.drain(first..first + count).collect();
        self.log.rows.retain(|row| gone.iter().all(|batch| batch.number != row.batch));
        self.renumber();
    }

    fn renumber(&mut self) {
        let numbers: Vec<i64> = self.log.batches.iter().map(|batch| batch.number).collect();
        for (number, old) in (1_i64..).zip(&numbers) {
            self.log.batches[usize::try_from(number - 1).expect("few")].number = -number;
            let rows = self.log.rows.iter_mut().filter(|row| row.batch == *old);
            rows.for_each(|row| row.batch = -number);
        }
        self.log.batches.iter_mut().for_each(|batch| batch.number = -batch.number);
        self.log.rows.iter_mut().for_each(|row| row.batch = row.batch.abs());
    }
}

type Forgery = (&'static str, fn(&mut Forger));

/// What is forged, with all positions, batches and hashes made anew.
const FORGERIES: &[Forgery] = &[
    ("a word of the metadata", |f| f.edit(|row| row.metadata = "{\"actor\":\"x\"}".into())),
    ("no metadata", |f| f.edit(|row| row.metadata = "{}".into())),
    ("a space in the metadata", |f| f.edit(|row| row.metadata.push(' '))),
    ("a space in the payload", |f| f.edit(|row| row.payload = row.payload.replacen(':', ": ", 1))),
    ("a digit of the payload", |f| f.edit(|row| row.payload = row.payload.replace('1', "2"))),
    ("an empty payload", |f| f.edit(|row| row.payload = "{}".into())),
    ("another type", |f| f.edit(|row| row.event_type = "closed".into())),
    ("another version", |f| f.edit(|row| row.event_version = "1.1".into())),
    ("another stream", |f| f.edit(|row| row.aggregate_id.push('x'))),
    ("another kind of stream", |f| f.edit(|row| row.aggregate_type = "hold".into())),
    ("another sequence", |f| f.edit(|row| row.sequence += 1)),
    ("a later moment", |f| f.edit(|row| row.recorded_at += 1)),
    ("back-dated", |f| {
        let (number, before) =
            (f.log.batches[f.batch].number, f.log.batches[f.batch - 1].recorded_at);
        f.log.batches[f.batch].recorded_at = before;
        let rows = f.log.rows.iter_mut().filter(|row| row.batch == number);
        rows.for_each(|row| row.recorded_at = before - 1);
    }),
    ("all of it a moment earlier", |f| {
        f.log.rows.iter_mut().for_each(|row| row.recorded_at -= 1);
        f.log.batches.iter_mut().for_each(|batch| batch.recorded_at -= 1);
    }),
    ("the first event gone", |f| drop(f.log.rows.remove(0))),
    ("a middle event gone", |f| drop(f.log.rows.remove(f.row))),
    ("a middle batch gone", |f| f.remove(f.batch, 1)),
    ("ten middle batches gone", |f| f.remove(f.batch, 10)),
    ("an event twice", |f| f.log.rows.insert(f.row, f.log.rows[f.row].clone())),
    ("two events swapped", |f| {
        let batch = f.log.rows[f.row].batch;
        let other = f.log.find(f.row + 1, |row| row.batch != batch);
        let (a, b) = (f.log.rows[f.row].batch, f.log.rows[other].batch);
        f.log.rows.swap(f.row, other);
        (f.log.rows[f.row].batch, f.log.rows[other].batch) = (a, b);
    }),
    ("an event moved to the front", |f| {
        let mut row = f.log.rows.remove(f.row);
        row.batch = f.log.rows[0].batch;
        f.log.rows.insert(0, row);
    }),
    ("an event of somebody else", |f| {
        let mut row = f.log.rows[f.row].clone();
        row.payload = "{}".into();
        f.log.rows.insert(f.row, row);
    }),
    ("a batch without events more", |f| {
        let mut empty = f.log.batches[f.batch].clone();
        empty.number = i64::MAX;
        f.log.batches.insert(f.batch, empty);
        f.renumber();
    }),
    ("a batch without events less", |f| {
        let half = f.log.batches.len() / 2;
        let empty = |pair: &[BatchRow]| pair[0].last_position == pair[1].last_position;
        let at = f.log.batches[half..].windows(2).position(empty).expect("an empty batch");
        f.log.batches.remove(half + at + 1);
        f.renumber();
    }),
    ("the tail rewritten", |f| f.log.rows.last_mut().expect("rows").metadata = "{ }".into()),
    ("another log", |f| f.log = generate(8, 420)),
];

#[test]
fn case_174_a_log_with_all_hashes_made_anew_is_found_between_two_signed_heads() {
    let honest = sound_log();
    for (what, forge) in FORGERIES {
        let mut forger = Forger::new();
        forge(&mut forger);
        let mut other = forger.log;
        other.seal();
        let differs = |(a, b): &(&Row, &Row)| a != b;
        let first = other.rows.iter().zip(&honest.rows).position(|pair| differs(&pair));
        let first = first.expect("something differs") + 1;
        let report = verify(&other, notes(&honest));
        assert_eq!(report.exit_code(), 1, "{what}");
        let finding = report
            .findings
            .iter()
            .find(|finding| finding.code == Code::CheckpointDiffers)
            .unwrap_or_else(|| panic!("{what}\n{report}"));
        let size = usize::try_from(finding.position.expect("a place")).expect("a size");
        let tenths = (0..=10).map(|tenth| honest.rows.len() * tenth / 10);
        let before = tenths.take_while(|tenth| *tenth < first).last().expect("the start");
        assert!(first <= size, "{what}: {first} {size}");
        let expected = format!("between positions {} and {size}", before + 1);
        assert!(finding.words.contains(&expected), "{what}: {first}: {}", finding.words);
    }
}

#[test]
fn what_the_hashes_cannot_show_is_found_by_the_signed_head_alone() {
    for what in
        ["a word of the metadata", "all of it a moment earlier", "a batch without events more"]
    {
        let (_, forge) = FORGERIES.iter().find(|(name, _)| *name == what).expect("its name");
        let mut forger = Forger::new();
        forge(&mut forger);
        forger.log.seal();
        assert!(super::check(&forger.log.text()).verified, "{what}");
        assert!(!verify(&forger.log, notes(&sound_log())).verified, "{what}");
    }
}

#[test]
fn case_174_a_log_that_was_cut_short_is_behind_what_was_signed() {
    let honest = sound_log();
    for batches in [1, 3, 100, honest.batches.len()] {
        let mut forger = Forger::new();
        let count = forger.log.batches.len();
        forger.remove(count - batches, batches);
        forger.log.seal();
        let left = i64::try_from(forger.log.rows.len()).expect("few");
        if forger.log.rows.len() == honest.rows.len() {
            continue;
        }
        let report = verify(&forger.log, vec![note(&honest, honest.rows.len(), &signer(1))]);
        let ahead = report.findings.iter().find(|found| found.code == Code::CheckpointAhead);
        assert_eq!(ahead.and_then(|found| found.position), Some(left + 1), "{batches}\n{report}");
    }
}

#[test]
fn case_174_two_versions_of_a_log_that_two_people_were_shown_do_not_fit_together() {
    let mut maker = maker_after(7, 300);
    let shared = maker.log.rows.len();
    maker.transfer(ASHA, BINOD, 1);
    maker.append();
    let one = maker.finish();
    let mut maker = maker_after(7, 300);
    maker.transfer(ASHA, BINOD, 2);
    maker.append();
    let other = maker.finish();
    assert_eq!(one.rows[..shared], other.rows[..shared]);
    assert_eq!(one.rows.len(), other.rows.len());
    let [shown, too] = [&one, &other].map(|log| note(log, log.rows.len(), &signer(1)));
    assert!(
        verify(&one, vec![shown.clone()]).verified && verify(&other, vec![too.clone()]).verified
    );
    for log in [&one, &other] {
        let report = verify(log, vec![shown.clone(), too.clone()]);
        let found = report.findings.iter().map(|finding| finding.code).collect::<Vec<_>>();
        assert_eq!(found, [Code::CheckpointDiffers], "{report}");
    }
}

/// A note with its lines changed.
fn lines(note: &SignedCheckpoint, change: impl FnOnce(&mut Vec<String>)) -> SignedCheckpoint {
    let mut lines: Vec<String> = note.to_string().lines().map(str::to_owned).collect();
    change(&mut lines);
    SignedCheckpoint::parse(&(lines.join("\n") + "\n")).expect("still a note")
}

/// A signature line with a byte of its base64 changed.
fn bend(line: &str, byte: usize) -> String {
    let (start, base64) = line.rsplit_once(' ').expect("a signature");
    let mut bytes = BASE64_STANDARD.decode(base64).expect("base64");
    bytes[byte] ^= 1;
    format!("{start} {}", BASE64_STANDARD.encode(bytes))
}

type NoteForgery = (&'static str, Code, fn(&Log, &SignedCheckpoint) -> SignedCheckpoint);

/// The lines of a note are origin, size, root, nothing, the log's signature, the witness's.
const NOTE_FORGERIES: &[NoteForgery] = &[
    ("another root", Code::CheckpointUnsigned, |_, note| {
        lines(note, |l| l[2] = BASE64_STANDARD.encode([7; 32]))
    }),
    ("a smaller size", Code::CheckpointUnsigned, |_, note| {
        lines(note, |l| l[1] = (note.size() - 1).to_string())
    }),
    ("another origin", Code::CheckpointUnsigned, |_, note| {
        lines(note, |l| l[0] = "other/log".into())
    }),
    ("another origin, and name", Code::CheckpointUnsigned, |_, note| {
        lines(note, |l| {
            l[0] = "other/log".into();
            l[4] = l[4].replace(ORIGIN, "other/log");
        })
    }),
    ("a word more", Code::CheckpointUnsigned, |_, note| {
        lines(note, |l| l.insert(3, "trust me".into()))
    }),
    ("a bent signature", Code::CheckpointUnsigned, |_, note| {
        lines(note, |l| l[4] = bend(&l[4], 40))
    }),
    ("a bent key id", Code::CheckpointUnsigned, |_, note| lines(note, |l| l[4] = bend(&l[4], 0))),
    ("the witness's word alone", Code::CheckpointUnsigned, |_, note| {
        lines(note, |l| drop(l.remove(4)))
    }),
    ("another key's signature", Code::CheckpointUnsigned, |log, note| {
        super::signed::note(log, usize::try_from(note.size()).expect("a size"), &signer(2))
    }),
    ("another head's signature", Code::CheckpointUnsigned, |log, note| {
        let other = super::signed::note(log, 10, &signer(1)).to_string();
        lines(note, |l| l[4] = other.lines().nth(4).expect("a line").to_owned())
    }),
    ("the log's key as a witness", Code::CosignatureMissing, |_, note| {
        let line = signer(1).cosign(WITNESS, note.text(), 7).to_string();
        lines(note, |l| l[5] = line)
    }),
    ("the witness's key as a log", Code::CosignatureMissing, |_, note| {
        let line = signer(9).sign(WITNESS, note.text()).to_string();
        lines(note, |l| l[5] = line)
    }),
    ("no word of the witness", Code::CosignatureMissing, |_, note| {
        lines(note, |l| drop(l.remove(5)))
    }),
    ("another moment of the witness", Code::CosignatureMissing, |_, note| {
        lines(note, |l| l[5] = bend(&l[5], 11))
    }),
    ("a bent word of the witness", Code::CosignatureMissing, |_, note| {
        lines(note, |l| l[5] = bend(&l[5], 70))
    }),
    ("another name of the witness", Code::CosignatureMissing, |_, note| {
        lines(note, |l| l[5] = l[5].replace(WITNESS, "witness.example/x"))
    }),
    ("the witness's word on another head", Code::CosignatureMissing, |log, note| {
        let other = super::signed::note(log, 10, &signer(1)).to_string();
        lines(note, |l| l[5] = other.lines().nth(5).expect("a line").to_owned())
    }),
];

#[test]
fn case_176_signed_heads_that_were_changed_are_found_at_their_size() {
    let log = sound_log();
    let honest = note(&log, log.rows.len() / 2, &signer(1));
    for (what, code, forge) in NOTE_FORGERIES {
        let forged = forge(&log, &honest);
        let position = i64::try_from(forged.size()).expect("a size");
        let report = verify(&log, vec![forged]);
        let first = report.findings.first().map(|found| (found.position, found.code));
        assert_eq!(first, Some((Some(position), *code)), "{what}\n{report}");
    }
}

/// A log in which a key gives way, said by these three: the old key, the new one, who signs.
fn rotated(old: u8, new: u8, by: u8) -> (Log, usize) {
    let mut maker = maker_after(7, 100);
    let (old, new) = (signer(old).public(), signer(new).public());
    let signature = signer(by).sign_bytes(&rotation_message(old, new));
    let payload = format!(
        "{{\"old_key\":\"{}\",\"new_key\":\"{}\",\"signature\":\"{}\"}}",
        old.hex(),
        new.hex(),
        hex::encode(signature)
    );
    maker.append();
    let at = maker.log.rows.len();
    maker.event("book", "main", "checkpoint_key_rotated", &payload);
    maker.append();
    for amount in 1..20 {
        maker.transfer(ASHA, BINOD, amount);
    }
    maker.append();
    (maker.finish(), at)
}

#[test]
fn a_key_that_gave_way_signs_no_more_and_its_heir_is_trusted_from_there_on() {
    let (log, at) = rotated(1, 2, 1);
    let all = log.rows.len();
    let good =
        [note(&log, at, &signer(1)), note(&log, at + 1, &signer(2)), note(&log, all, &signer(2))];
    let report = verify(&log, good.to_vec());
    assert!(report.verified, "{report}");
    for (what, bad) in [
        ("the old key later", note(&log, all, &signer(1))),
        ("the new key earlier", note(&log, at, &signer(2))),
    ] {
        let report = verify(&log, vec![bad]);
        let found = report.findings.first().map(|found| found.code);
        assert_eq!(found, Some(Code::CheckpointUnsigned), "{what}\n{report}");
    }
}

#[test]
fn case_176_a_key_that_nobody_in_force_has_named_is_found_where_it_was_put_in() {
    for (what, old, new, by) in
        [("by another's word", 1, 3, 3), ("by its own word", 1, 3, 2), ("from nowhere", 3, 4, 3)]
    {
        let (log, at) = rotated(old, new, by);
        let seen = note(&log, at, &signer(1));
        let report = verify(&log, vec![seen, note(&log, log.rows.len(), &signer(new))]);
        let first = report.findings.first().map(|found| (found.position, found.code));
        let position = i64::try_from(at + 1).expect("few");
        assert_eq!(first, Some((Some(position), Code::KeyRotationDiffers)), "{what}\n{report}");
        let unsigned = report.findings.iter().any(|f| f.code == Code::CheckpointUnsigned);
        assert!(unsigned, "{what}: its signatures are worth nothing\n{report}");
    }
}

#[test]
fn case_180_a_proof_in_a_file_holds_with_the_key_alone_and_for_its_event_alone() {
    struct Leaves<'a>(&'a [Row]);
    impl super::super::proof::Nodes for Leaves<'_> {
        fn node(&self, level: u32, index: u64) -> Option<[u8; 32]> {
            let index = usize::try_from(index).ok()?;
            let rows = self.0.get(index << level..(index + 1) << level)?;
            let mut frontier = Frontier::default();
            for row in rows {
                frontier.push(leaf(row).leaf_hash());
            }
            Some(frontier.root())
        }
    }
    let log = sound_log();
    let (size, at) = (log.rows.len(), log.rows.len() / 3);
    let checkpoint = note(&log, size, &signer(1));
    let index = u64::try_from(at).expect("few");
    let path = inclusion_proof(index, checkpoint.size(), &Leaves(&log.rows)).expect("a proof");
    let file = ProofFile::new(ProvenEvent::of(&leaf(&log.rows[at])), &path, &checkpoint);
    let json = serde_json::to_string(&file).expect("JSON");
    let key = [signer(1).public()];
    let check = |json: &str| {
        let file = ProofFile::from_json(json.as_bytes()).map_err(|error| error.to_string())?;
        file.check(&key, &[witness()]).map(|_| ()).map_err(|error| error.to_string())
    };
    check(&json).expect("it holds");
    assert!(file.check(&[signer(2).public()], &[]).is_err(), "another key");
    assert!(file.check(&key, &[signer(1).witness("other").expect("a name")]).is_err());
    let hash = hex::encode(log.rows[at].hash);
    let position = format!("\"position\":{}", at + 1);
    let sequence = format!("\"sequence\":{}", log.rows[at].sequence);
    for (from, to) in [
        (position.as_str(), "\"position\":1"),
        (&position, "\"position\":0"),
        (&position, "\"position\":-5"),
        (&sequence, "\"sequence\":77"),
        ("\"event_version\":\"1.0\"", "\"event_version\":\"1.1\""),
        ("\"payload\":{", "\"payload\":{ "),
        ("\"metadata\":{", "\"metadata\":{ "),
        (&hash, &"0".repeat(64)),
        (&hash, "00"),
        (
            "\"path\":[\"",
            "\"path\":[\"0000000000000000000000000000000000000000000000000000000000000000\",\"",
        ),
        ("bahi.proof.1", "bahi.proof.2"),
        ("\"checkpoint\":\"bahi", "\"checkpoint\":\"Bahi"),
        ("\"format\"", "\"more\":1,\"format\""),
    ] {
        assert!(json.contains(from), "{from} is not in {json}");
        assert!(check(&json.replacen(from, to, 1)).is_err(), "{from} -> {to}");
    }
}
