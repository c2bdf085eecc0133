//! The table: figures beside their yardsticks, on the terminal and in docs/benchmarks.md.

use std::{fmt, path::Path, process::Command};

use anyhow::Context;
use hdrhistogram::Histogram;

use crate::Spread;

/// Where a table stands in the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// What is measured in minutes.
    Measured,
    /// What takes longer.
    Soak,
    /// The pages.
    Pages,
}

impl Place {
    /// The lines around it.
    const fn marks(self) -> (&'static str, &'static str) {
        match self {
            Self::Measured => ("<!-- measured: begin -->", "<!-- measured: end -->"),
            Self::Soak => ("<!-- soak: begin -->", "<!-- soak: end -->"),
            Self::Pages => ("<!-- pages: begin -->", "<!-- pages: end -->"),
        }
    }
}

/// Something to divide by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Yardstick {
    Naive(Spread),
    Stock(Spread),
    Ceiling,
    Noop,
}

/// Latencies in microseconds: p50, p99, p99.9.
pub(crate) type Latencies = [u64; 3];

/// Those of a histogram.
pub(crate) fn percentiles(latencies: &Histogram<u64>) -> Latencies {
    [0.5, 0.99, 0.999].map(|quantile| latencies.value_at_quantile(quantile))
}

#[derive(Default)]
pub(crate) struct Table {
    machine: String,
    yardsticks: Vec<(Yardstick, u64)>,
    rows: Vec<Row>,
    notes: Vec<String>,
}

struct Row {
    what: String,
    rate: u64,
    against: Vec<Yardstick>,
    latencies: Option<Latencies>,
}

impl Table {
    pub(crate) fn new(machine: String) -> Self {
        Self { machine, ..Self::default() }
    }

    /// A figure that others are divided by.
    pub(crate) fn yardstick(&mut self, yardstick: Yardstick, what: &str, rate: u64) {
        self.yardsticks.push((yardstick, rate));
        self.row(what, rate, &[yardstick], None);
    }

    /// A figure of ours, and what it is divided by.
    pub(crate) fn row(
        &mut self,
        what: &str,
        rate: u64,
        against: &[Yardstick],
        latencies: Option<Latencies>,
    ) {
        let what = what.to_owned();
        self.rows.push(Row { what, rate, against: against.to_vec(), latencies });
    }

    /// A line below the table.
    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// The row's rate by the yardstick among its own for which `is` says yes.
    fn by(&self, row: &Row, is: impl Fn(Yardstick) -> bool) -> String {
        let known = |of: Yardstick| self.yardsticks.iter().find(|(it, _)| *it == of);
        let yardstick = row.against.iter().copied().find(|it| is(*it)).and_then(known);
        yardstick.map_or_else(String::new, |(_, rate)| ratio(row.rate, *rate))
    }

    /// Puts the table in its place in docs/benchmarks.md, with the machine and the commit.
    pub(crate) fn write(&self, place: Place) -> anyhow::Result<()> {
        let (begin, end) = place.marks();
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join("benchmarks.md");
        let text = std::fs::read_to_string(&page)?;
        let (before, rest) = text.split_once(begin).context("no place for the table")?;
        let (_, after) = rest.split_once(end).context("no end of the table's place")?;
        let commit = Command::new("git").args(["describe", "--always", "--dirty"]).output()?;
        let commit = String::from_utf8(commit.stdout)?;
        let commit = commit.trim();
        std::fs::write(page, format!("{before}{begin}\nCommit {commit}. {self}{end}{after}"))?;
        Ok(())
    }
}

/// Microseconds as milliseconds.
pub(crate) fn millis(micros: u64) -> String {
    ratio(micros, 1_000)
}

/// `a / b` to two decimals, in integers.
pub(crate) fn ratio(a: u64, b: u64) -> String {
    let hundredths = a.saturating_mul(100) / b.max(1);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.machine)?;
        writeln!(
            f,
            "| what | a second | × naive | × stock | × ceiling | × noop | p50 ms | p99 ms | \
             p99.9 ms |"
        )?;
        writeln!(f, "| --- | --- | --- | --- | --- | --- | --- | --- | --- |")?;
        for row in &self.rows {
            let [p50, p99, p999] = row.latencies.map_or_else(Default::default, |l| l.map(millis));
            writeln!(
                f,
                "| {} | {} | {} | {} | {} | {} | {p50} | {p99} | {p999} |",
                row.what,
                row.rate,
                self.by(row, |it| matches!(it, Yardstick::Naive(_))),
                self.by(row, |it| matches!(it, Yardstick::Stock(_))),
                self.by(row, |it| it == Yardstick::Ceiling),
                self.by(row, |it| it == Yardstick::Noop),
            )?;
        }
        writeln!(f)?;
        for note in &self.notes {
            writeln!(f, "- {note}")?;
        }
        Ok(())
    }
}
