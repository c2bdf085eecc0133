//! A report as plain text for a terminal.

use std::fmt::{self, Write as _};

use super::report::Report;

impl Report {
    /// Writes the report as lines of text, with a line feed at the end.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn render(&self, out: &mut impl fmt::Write) -> fmt::Result {
        let chain = if self.verified { "contiguous, hashes ok" } else { "read" };
        row(out, "events", &grouped(self.events), chain)?;
        let empty = format!("{} empty", grouped(self.batches_empty));
        row(out, "batches", &grouped(self.batches), &empty)?;
        let sums: Vec<String> =
            self.currencies.iter().map(|c| format!("{} {}", c.code, mark(c.balanced))).collect();
        let sums = format!("Σdebit = Σcredit   {}", sums.join("  "));
        row(out, "entries", &grouped(self.entries), &sums)?;
        let reversals = format!("{} reversals", grouped(self.reversals));
        row(out, "transactions", &grouped(self.transactions), &reversals)?;
        let closed = grouped(self.accounts_closed);
        let balances = format!("rebuilt, {closed} accounts closed");
        row(out, "balances", &grouped(self.accounts), &balances)?;
        if let Some(models) = &self.read_models {
            let differing = grouped(models.differing);
            let position = grouped(models.position);
            let differing = format!("{differing} differ, at position {position}");
            row(out, "read models", &grouped(models.compared), &differing)?;
        }
        if let Some(snapshots) = &self.snapshots {
            let differing = format!("{} differ", grouped(snapshots.differing));
            row(out, "snapshots", &grouped(snapshots.compared), &differing)?;
        }
        if let Some(controls) = &self.controls {
            let differing = format!("{} differ", grouped(controls.differing));
            row(out, "controls", &grouped(controls.compared), &differing)?;
        }
        if let Some(macs) = &self.macs {
            let since = macs.since_batch.map_or("no batch has one".into(), |batch| {
                format!("{} differ, from batch {} on", grouped(macs.differing), grouped(batch))
            });
            row(out, "macs", &grouped(macs.compared), &since)?;
        }
        let holds = format!(
            "{} open, {} captured, {} released, {} expired",
            grouped(self.holds.open),
            grouped(self.holds.captured),
            grouped(self.holds.released),
            grouped(self.holds.expired)
        );
        row(out, "holds", &grouped(self.holds.placed), &holds)?;
        row(out, "open items", &grouped(self.open_items), "")?;
        if let Some(checkpoint) = &self.checkpoint {
            let contained =
                if checkpoint.contained { "in the log (unsigned)" } else { "NOT in the log" };
            row(out, "checkpoint", &grouped(checkpoint.position), contained)?;
        }
        for note in &self.notes {
            let contained = if note.contained { "in the log" } else { "NOT in the log" };
            let key = note.signed_by.as_deref().and_then(|key| key.get(..16));
            let signed = key.map_or("NOT signed".into(), |key| format!("signed by {key}…"));
            let mut words = format!("{contained}, {signed}");
            for witness in &note.cosigned_by {
                write!(words, ", cosigned by {}", printable(witness))?;
            }
            row(out, "checkpoint", &grouped(note.size), &words)?;
        }
        row(out, "tree", &grouped(self.events), &self.root)?;
        let head = format!("position {}, {}", grouped(self.head.position), self.head.hash);
        row(out, "head", &grouped(self.head.batch), &head)?;
        self.render_findings(out)?;
        self.render_verdict(out)
    }

    fn render_findings(&self, out: &mut impl fmt::Write) -> fmt::Result {
        if self.findings.is_empty() {
            return Ok(());
        }
        row(out, "findings", &grouped(self.findings_total), "")?;
        for finding in &self.findings {
            write!(out, "  ")?;
            match finding.position {
                Some(position) => write!(out, "position {}", grouped(position))?,
                None => write!(out, "whole log")?,
            }
            if let Some(batch) = finding.batch {
                write!(out, "  batch {}", grouped(batch))?;
            }
            if let Some(stream) = &finding.stream {
                write!(out, "  {}", printable(stream))?;
            }
            writeln!(out, "  {}: {}", finding.code, printable(&finding.words))?;
        }
        let kept = u64::try_from(self.findings.len()).unwrap_or(u64::MAX);
        let more = self.findings_total.saturating_sub(kept);
        if more > 0 {
            writeln!(out, "  and {} more", grouped(more))?;
        }
        Ok(())
    }

    fn render_verdict(&self, out: &mut impl fmt::Write) -> fmt::Result {
        let verdict = match (self.verified, self.first_bad_position()) {
            (true, _) => "VERIFIED".to_owned(),
            (false, Some(position)) => format!("BROKEN at position {}", grouped(position)),
            (false, None) => "BROKEN".to_owned(),
        };
        let (seconds, tenths) = (self.elapsed_ms / 1_000, self.elapsed_ms % 1_000 / 100);
        let rate = grouped(self.events_per_second);
        writeln!(out, "{verdict} in {seconds}.{tenths} s ({rate} events/s)")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.render(f)
    }
}

fn row(out: &mut impl fmt::Write, name: &str, figure: &str, note: &str) -> fmt::Result {
    let line = format!("{name:<13}{figure:>14}   {note}");
    writeln!(out, "{}", line.trim_end())
}

fn mark(good: bool) -> &'static str {
    if good { "✓" } else { "✗" }
}

/// A whole number with its thousands apart.
fn grouped(number: impl fmt::Display) -> String {
    let digits = number.to_string();
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", digits.as_str()),
    };
    let mut text = sign.to_owned();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Text of the log without what a terminal would obey.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (48_213, "48,213"),
            (1_234_567, "1,234,567"),
            (-1_000, "-1,000"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn a_terminal_is_given_no_orders() {
        assert_eq!(printable("a\u{1b}[2J\nb"), "a\u{fffd}[2J\u{fffd}b");
    }
}
