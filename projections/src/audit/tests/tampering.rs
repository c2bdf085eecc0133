//! Case 174 on exports: whoever changes, removes, adds or moves anything without making the hashes
//! anew is found at the place where he did it.

use super::{
    super::{AuditError, Options, verify_export},
    Code, assert_found, check, check_against,
    generator::generate,
    log::{Log, joined},
    sound_log,
};

/// An export under the hands of somebody.
struct Bench {
    log: Log,
    lines: Vec<String>,
    /// The position of a leg in the middle, the second one of three in a batch with others.
    middle: i64,
}

impl Bench {
    fn new() -> Self {
        let log = sound_log();
        let half = log.rows.len() / 2;
        let at = log.find(half, |r| {
            r.payload.contains("\"leg\":2,\"legs\":3") && r.payload.contains("transfer")
        });
        let middle = log.rows[at].position;
        Self { lines: log.lines(), log, middle }
    }

    fn event(&self, position: i64) -> usize {
        let start = format!("{{\"event\":{{\"position\":{position},");
        let line = self.lines.iter().position(|line| line.starts_with(&start));
        line.expect("an event of that position")
    }

    /// The line of the first batch from the middle on that is empty or is not, and its first
    /// position (or the last one before it).
    fn batch(&self, empty: bool) -> (usize, i64) {
        let half = self.log.batches.len() / 2;
        let windows = self.log.batches.windows(2).skip(half);
        let mut pairs =
            windows.filter(|pair| (pair[0].last_position == pair[1].last_position) == empty);
        let pair = pairs.next().expect("batches of both kinds");
        let start = format!("{{\"batch\":{{\"number\":{},", pair[1].number);
        let line = self.lines.iter().position(|line| line.starts_with(&start));
        let first = pair[0].last_position + i64::from(!empty);
        (line.expect("that batch"), first)
    }

    fn edit(&mut self, line: usize, from: &str, to: &str) {
        let text = &mut self.lines[line];
        assert!(text.contains(from), "{from} is not in {text}");
        *text = text.replacen(from, to, 1);
    }

    #[track_caller]
    fn found(&self, position: i64, code: Code, what: &str) {
        assert_found(&check(&joined(&self.lines)), position, code, what);
    }
}

/// The text of a field of a line, with its name.
fn field(line: &str, name: &str) -> String {
    let start = line.find(&format!("\"{name}\":")).expect("the field");
    let rest = &line[start..];
    let end = rest.find([',', '}']).expect("its end");
    rest[..end].to_owned()
}

#[test]
fn case_174_a_changed_column_is_found_at_its_position() {
    use Code::{HashDiffers, PositionMissing, PositionOutOfOrder, TimeFalls};
    let base = Bench::new();
    let line = base.lines[base.event(base.middle)].clone();
    let amount = field(&line, "amount");
    let digit = amount.replace(|c: char| c.is_ascii_digit(), "7");
    let hash = field(&line, "hash");
    let other_hash =
        if hash.contains('7') { hash.replace('7', "8") } else { hash.replace('0', "1") };
    let recorded = field(&line, "recorded_at");
    let position = format!("\"position\":{},", base.middle);
    let (above, below) = (base.middle + 1_000, base.middle - 10);
    let edits: [(&str, &str, String, Code); 15] = [
        ("payload: amount", &amount, digit, HashDiffers),
        ("payload: a space", "\"leg\":2", "\"leg\": 2".into(), HashDiffers),
        ("payload: order", "\"leg\":2,\"legs\":3", "\"legs\":3,\"leg\":2".into(), HashDiffers),
        ("payload: field", "\"kind\":\"transfer\"", "\"kind\":\"transfeR\"".into(), HashDiffers),
        ("metadata", "\"metadata\":{}", "\"metadata\":{\"actor\":\"x\"}".into(), HashDiffers),
        ("type", "\"credited\"", "\"debited\"".into(), HashDiffers),
        ("stream", "wallet:", "Wallet:".into(), HashDiffers),
        ("kind of stream", "\"account\"", "\"accounts\"".into(), HashDiffers),
        ("version", "\"1.0\"", "\"1.1\"".into(), HashDiffers),
        ("sequence", "\"sequence\":", "\"sequence\":1".into(), HashDiffers),
        ("hash", &hash, other_hash, HashDiffers),
        (
            "back-dated",
            &recorded,
            "\"recorded_at\":\"2026-11-21T00:00:00.000000Z\"".into(),
            TimeFalls,
        ),
        (
            "post-dated",
            &recorded,
            "\"recorded_at\":\"2027-11-21T00:00:00.000000Z\"".into(),
            HashDiffers,
        ),
        ("position above", &position, format!("\"position\":{above},"), PositionMissing),
        ("position below", &position, format!("\"position\":{below},"), PositionOutOfOrder),
    ];
    for (what, from, to, code) in edits {
        let mut bench = Bench::new();
        let line = bench.event(bench.middle);
        bench.edit(line, from, &to);
        bench.found(bench.middle, code, what);
    }
}

type Change<'a> = &'a dyn Fn(&mut Bench);

#[test]
fn case_174_rows_that_are_missing_moved_or_new_are_found_at_their_position() {
    use Code::{HashDiffers, PositionMissing, PositionOutOfOrder};
    let at = |bench: &Bench, offset: i64| bench.event(bench.middle + offset);
    let swap_contents = |bench: &mut Bench| {
        let (a, b) = (at(bench, 0), at(bench, 1));
        let (left, right) = (bench.lines[a].clone(), bench.lines[b].clone());
        let [first, second] = [&left, &right].map(|line| field(line, "position"));
        bench.lines[a] = right.replace(&second, &first);
        bench.lines[b] = left.replace(&first, &second);
    };
    let remove = |bench: &mut Bench, offset: i64| {
        let line = at(bench, offset);
        bench.lines.remove(line);
    };
    let swap = |bench: &mut Bench, offset: i64| {
        let (a, b) = (at(bench, 0), at(bench, offset));
        bench.lines.swap(a, b);
    };
    let insert = |bench: &mut Bench, offset: i64| {
        let (line, from) = (at(bench, 0), at(bench, offset));
        let copy = bench.lines[from].clone();
        bench.lines.insert(line, copy);
    };
    // An old row that takes this place, and this row's position.
    let disguise = |bench: &mut Bench| {
        let (line, from) = (at(bench, 0), at(bench, -1));
        let old = field(&bench.lines[from], "position");
        let new = field(&bench.lines[line], "position");
        (line, bench.lines[from].replace(&old, &new))
    };
    let changes: [(&str, i64, Code, Change<'_>); 9] = [
        ("a removed row", 0, PositionMissing, &|b| remove(b, 0)),
        ("two removed rows", 0, PositionMissing, &|b| {
            remove(b, 1);
            remove(b, 0);
        }),
        ("two swapped lines", 0, PositionMissing, &|b| swap(b, 1)),
        ("two swapped rows", 0, HashDiffers, &swap_contents),
        ("lines swapped from afar", -40, PositionMissing, &|b| {
            swap(b, -40);
        }),
        ("a row twice", 1, PositionOutOfOrder, &|b| insert(b, 0)),
        ("an old row again", 0, PositionOutOfOrder, &|b| {
            insert(b, -30);
        }),
        ("a new row", 0, HashDiffers, &|b| {
            let (line, new) = disguise(b);
            b.lines.insert(line, new);
        }),
        ("a row instead of another", 0, HashDiffers, &|b| {
            let (line, new) = disguise(b);
            b.lines[line] = new;
        }),
    ];
    for (what, offset, code, change) in changes {
        let mut bench = Bench::new();
        let position = bench.middle + offset;
        change(&mut bench);
        bench.found(position, code, what);
    }
}

#[test]
fn the_ends_of_the_log_are_guarded_like_its_middle() {
    let mut bench = Bench::new();
    bench.lines.remove(0);
    bench.found(1, Code::PositionMissing, "the first row");

    let mut bench = Bench::new();
    let last = bench.log.rows.last().unwrap().position;
    let line = bench.event(last);
    bench.lines.remove(line);
    bench.found(last, Code::PositionMissing, "the last row");
}

#[test]
fn batches_that_are_changed_are_found_at_their_position() {
    for empty in [false, true] {
        let base = Bench::new();
        let (line, first) = base.batch(empty);
        let number = field(&base.lines[line], "number");
        let position = field(&base.lines[line], "last_position");
        let recorded = field(&base.lines[line], "recorded_at");
        let edits = [
            ("number", number.clone(), format!("{number}0"), Code::BatchMissing),
            ("position", position.clone(), format!("{position}0"), Code::BatchPositionDiffers),
            ("position 0", position, "\"last_position\":0".into(), Code::BatchPositionDiffers),
            (
                "hash",
                "\"head_hash\":\"".into(),
                "\"head_hash\":\"00000000".into(),
                Code::LineUnreadable,
            ),
            (
                "moment",
                recorded,
                "\"recorded_at\":\"2026-11-21T00:00:00.000000Z\"".into(),
                if empty { Code::TimeFalls } else { Code::BatchTimeDiffers },
            ),
        ];
        for (what, from, to, code) in edits {
            let mut bench = Bench::new();
            let last = bench.log.rows[bench.log.find(0, |r| r.position == first)].batch;
            bench.edit(line, &from, &to);
            let report = check(&joined(&bench.lines));
            let finding = report.findings.first().expect(what);
            let upto = bench.log.rows.iter().filter(|r| r.batch == last).count();
            let upto = first + i64::try_from(upto).unwrap();
            let found = finding.position.expect(what);
            assert!((first..=upto).contains(&found), "{what}: {report}");
            assert!(report.findings.iter().any(|f| f.code == code), "{what}: {report}");
        }
    }
}

#[test]
fn a_batch_hash_is_checked_digit_by_digit() {
    for empty in [false, true] {
        let mut bench = Bench::new();
        let (line, _) = bench.batch(empty);
        let text = bench.lines[line].clone();
        let old = field(&text, "head_hash");
        let digit = if old.ends_with("0\"") { "1\"" } else { "0\"" };
        let new = format!("{}{digit}", &old[..old.len() - 2]);
        let position: i64 = field(&text, "last_position")[16..].parse().unwrap();
        bench.edit(line, &old, &new);
        bench.found(position, Code::BatchHashDiffers, "a digit of a batch's hash");
    }
}

#[test]
fn batches_that_are_missing_or_moved_are_found() {
    let mut bench = Bench::new();
    let (line, first) = bench.batch(false);
    bench.lines.remove(line);
    bench.found(first, Code::BatchMissing, "a batch's row");

    let mut bench = Bench::new();
    let (line, _) = bench.batch(true);
    bench.lines.remove(line);
    let report = check(&joined(&bench.lines));
    assert!(report.findings.iter().any(|f| f.code == Code::BatchMissing), "{report}");

    let mut bench = Bench::new();
    let (line, _) = bench.batch(false);
    let again = bench.lines[line].clone();
    bench.lines.insert(line, again);
    let report = check(&joined(&bench.lines));
    assert!(report.findings.iter().any(|f| f.code == Code::BatchOutOfOrder), "{report}");

    let mut bench = Bench::new();
    let (line, first) = bench.batch(false);
    let start = bench.event(first);
    bench.lines.drain(start..=line);
    bench.found(first, Code::PositionMissing, "a whole batch");
}

type LineChange = fn(&mut String);

#[test]
fn unreadable_lines_are_found_once_and_at_their_position() {
    use Code::LineUnreadable;
    let changes: [(&str, LineChange); 9] = [
        ("cut short", |line| line.truncate(line.len() / 2)),
        ("no JSON", |line| line.replace_range(0..1, "[")),
        ("emptied", String::clear),
        ("a field too many", |line| {
            *line = line.replace("\"sequence\"", "\"x\":1,\"sequence\"");
        }),
        ("a field twice", |line| {
            *line = line.replace("\"sequence\"", "\"hash\":\"\",\"sequence\"");
        }),
        ("no payload", |line| {
            *line = line.replace("\"payload\"", "\"payloads\"");
        }),
        ("two payloads", |line| {
            *line = line.replace("\"payload\"", "\"payload_base64\":\"e30=\",\"payload\"");
        }),
        ("a loud hash", |line| {
            let hash = field(line, "hash");
            *line = line.replace(&hash, &hash.to_uppercase().replace("HASH", "hash"));
        }),
        ("an odd moment", |line| {
            *line = line.replace("Z\",\"payload\"", "+00:00\",\"payload\"");
        }),
    ];
    for (what, change) in changes {
        let mut bench = Bench::new();
        let line = bench.event(bench.middle);
        change(&mut bench.lines[line]);
        bench.found(bench.middle, LineUnreadable, what);
        let report = check(&joined(&bench.lines));
        // What is left is what the lost row takes away: a sequence, a sum, a count at the end.
        let follows = |code| {
            matches!(code, Code::SequenceDiffers | Code::CurrencyUnbalanced | Code::EndDiffers)
        };
        let mut others = report.findings.iter().skip(1);
        assert!(others.all(|f| follows(f.code)), "{what}\n{report}");
    }
    let mut bench = Bench::new();
    let line = bench.event(bench.middle);
    bench.lines.insert(line, "garbage".into());
    bench.found(bench.middle, LineUnreadable, "an inserted line");
    assert_eq!(check(&joined(&bench.lines)).findings_total, 1);
}

#[test]
fn the_end_of_an_export_is_guarded() {
    let end = |bench: &Bench| bench.log.rows.last().unwrap().position + 1;

    let mut bench = Bench::new();
    bench.lines.pop();
    bench.found(end(&bench), Code::EndMissing, "no last line");

    let mut bench = Bench::new();
    let (line, _) = bench.batch(false);
    bench.lines.truncate(line + 1);
    let batch = field(&bench.lines[line], "last_position");
    let position: i64 = batch[16..].parse().unwrap();
    bench.found(position + 1, Code::EndMissing, "a cut tail");

    let last = Bench::new().lines.pop().unwrap();
    bench.lines.push(last.clone());
    bench.found(position + 1, Code::EndDiffers, "a cut tail before the old last line");

    for name in ["events", "batches"] {
        let mut bench = Bench::new();
        let line = bench.lines.len() - 1;
        bench.edit(line, &field(&last, name), &format!("\"{name}\":7"));
        bench.found(end(&bench), Code::EndDiffers, name);
    }
    let mut bench = Bench::new();
    let line = bench.lines.len() - 1;
    bench.edit(line, &field(&last, "head_hash"), &format!("\"head_hash\":\"{}\"", "0".repeat(64)));
    bench.found(end(&bench), Code::EndDiffers, "head");

    let mut bench = Bench::new();
    bench.lines.push(last);
    bench.found(end(&bench), Code::LineAfterEnd, "two last lines");

    let mut bench = Bench::new();
    let text = joined(&bench.lines);
    let cut = &text[..text.len() - 20];
    let report = check(cut);
    assert_found(&report, end(&bench), Code::LineUnreadable, "the last bytes");
    bench.lines.clear();
    let nothing = verify_export(&b""[..], &Options::default(), |_| {});
    assert!(matches!(nothing, Err(AuditError::NotAnExport)));
}

#[test]
fn a_cut_tail_with_a_sound_end_is_found_by_a_checkpoint_only() {
    let log = sound_log();
    let mut cut = log.clone();
    let kept = cut.batches.len() * 2 / 3;
    cut.batches.truncate(kept);
    let last = cut.batches[kept - 1].clone();
    cut.rows.retain(|row| row.batch <= last.number);
    assert!(check(&cut.text()).verified, "the cut log is sound in itself");
    let report = check_against(&cut.text(), log.checkpoint(log.batches.len() - 1));
    assert_found(&report, last.last_position + 1, Code::CheckpointAhead, "a cut tail");
    assert!(!report.checkpoint.unwrap().contained);
    assert!(check_against(&cut.text(), log.checkpoint(kept - 1)).verified);
}

#[test]
fn a_rewritten_past_with_sound_hashes_is_found_by_a_checkpoint_only() {
    let log = sound_log();
    let mut rewritten = log.clone();
    let at = rewritten.find(log.rows.len() / 2, |r| r.metadata.contains("till"));
    rewritten.rows[at].metadata = rewritten.rows[at].metadata.replace("till", "nobody");
    rewritten.seal();
    assert!(check(&rewritten.text()).verified, "the rewritten log is sound in itself");
    let last = log.batches.len() - 1;
    let report = check_against(&rewritten.text(), log.checkpoint(last));
    let head = log.batches[last].last_position;
    assert_found(&report, head, Code::CheckpointDiffers, "a rewritten past");
    let batch = log.rows[at].batch;
    let before = log.batches.iter().position(|b| b.number == batch).unwrap() - 1;
    let earlier = check_against(&rewritten.text(), log.checkpoint(before));
    assert!(earlier.verified, "what came before is as it was");
}

#[test]
fn case_67_every_flipped_bit_of_a_line_is_found_at_its_position() {
    let log = generate(11, 12);
    let lines = log.lines();
    let half = lines.len() / 2;
    let line = half + lines[half..].iter().position(|l| l.contains("\"leg\":2")).unwrap();
    let position: i64 = field(&lines[line], "position")[11..].parse().unwrap();
    let text = joined(&lines).into_bytes();
    let start: usize = lines[..line].iter().map(|l| l.len() + 1).sum();
    for at in start..start + lines[line].len() {
        for bit in [0x01, 0x02, 0x10, 0x20] {
            let mut flipped = text.clone();
            flipped[at] ^= bit;
            let report = verify_export(&flipped[..], &Options::default(), |_| {}).unwrap();
            let what = String::from_utf8_lossy(&flipped[start..=at]).into_owned();
            assert_eq!(report.first_bad_position(), Some(position), "{what}\n{report}");
        }
    }
}
