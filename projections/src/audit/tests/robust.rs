//! Whatever an export says, the check ends in a report: it neither panics nor calls it sound.

use super::{
    super::{Options, verify_export},
    generator::generate,
    log::{Log, Row, joined},
};

/// Values that sit at the edge of something.
const EDGES: [&str; 14] = [
    "0",
    "-1",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "4294967295",
    "1e400",
    "null",
    "true",
    "\"\"",
    "\"999999999999999999999999999999\"",
    "\"-9999999999999999999999999999.99\"",
    "\"\\u0000\\ud83d\\ude00\"",
    "[[[[[[[[]]]]]]]]",
];

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % bound
    }
}

/// Puts an edge in the place of one value of a JSON object's text.
fn edit(text: &str, random: &mut Random) -> String {
    let colons: Vec<usize> = text.match_indices("\":").map(|(at, _)| at + 2).collect();
    if colons.is_empty() {
        return "{\"amount\":-1}".to_owned();
    }
    let start = colons[random.below(colons.len())];
    let end = text[start..].find([',', '}']).map_or(text.len(), |end| start + end);
    format!("{}{}{}", &text[..start], EDGES[random.below(EDGES.len())], &text[end..])
}

fn distort(row: &mut Row, random: &mut Random) {
    match random.below(8) {
        0 => row.sequence = [0, -1, i64::MAX, i64::MIN][random.below(4)],
        1 => row.recorded_at = [0, 1, -1, 4_000_000_000_000_000][random.below(4)],
        2 => row.event_type = ["opened", "credited", "captured", "closed"][random.below(4)].into(),
        3 => {
            let kinds = ["account", "hold", "reversal", "withdrawal", "deposit", "book"];
            row.aggregate_type = kinds[random.below(5)].into();
        }
        4 => row.metadata = edit(&row.metadata, random),
        _ => row.payload = edit(&row.payload, random),
    }
}

#[test]
fn distorted_logs_with_sound_hashes_end_in_a_report() {
    let mut random = Random(0x5eed);
    let sound = generate(13, 40);
    let mut broken = 0;
    for _ in 0..500 {
        let mut log: Log = sound.clone();
        for _ in 0..=random.below(4) {
            let at = random.below(log.rows.len());
            distort(&mut log.rows[at], &mut random);
        }
        log.seal();
        let text = log.text();
        let report = verify_export(text.as_bytes(), &Options::default(), |_| {}).unwrap();
        broken += u32::from(report.exit_code());
    }
    // A distortion may change nothing: an edge in the place of a value that was one.
    assert!(broken > 450, "only {broken} were found");
}

#[test]
fn distorted_lines_end_in_a_report() {
    let mut random = Random(0xfeed);
    let lines = generate(13, 40).lines();
    for _ in 0..500 {
        let mut lines = lines.clone();
        for _ in 0..=random.below(4) {
            let at = random.below(lines.len());
            match random.below(4) {
                0 => drop(lines.remove(at)),
                1 => lines.insert(at, lines[random.below(lines.len())].clone()),
                _ => lines[at] = edit(&lines[at], &mut random),
            }
        }
        let text = joined(&lines);
        let report = verify_export(text.as_bytes(), &Options::default(), |_| {}).unwrap();
        assert!(!report.verified || text == joined(&generate(13, 40).lines()), "{text}");
    }
}
