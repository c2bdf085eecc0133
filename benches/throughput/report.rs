//! The table: figures beside their yardsticks.

use std::fmt;

use crate::{Spread, engine::Figure};

pub(crate) struct Table {
    machine: String,
    naive_uniform: Option<(u64, u64)>,
    naive_hot: Option<(u64, u64)>,
    ceiling: u64,
    rows: Vec<Row>,
}

struct Row {
    spread: Spread,
    callers: u64,
    projector: bool,
    rate: u64,
    latency_us: (u64, u64),
    lag_ms: Option<u64>,
}

impl Table {
    pub(crate) const fn new(machine: String) -> Self {
        let (naive_uniform, naive_hot) = (None, None);
        Self { machine, naive_uniform, naive_hot, ceiling: 0, rows: Vec::new() }
    }

    /// The best figure, and with how many connections.
    pub(crate) const fn naive(&mut self, spread: Spread, best: Option<(u64, u64)>) {
        match spread {
            Spread::Uniform => self.naive_uniform = best,
            Spread::Hot => self.naive_hot = best,
        }
    }

    pub(crate) const fn ceiling(&mut self, rate: u64) {
        self.ceiling = rate;
    }

    pub(crate) fn engine(
        &mut self,
        spread: Spread,
        callers: u64,
        projector: bool,
        figure: &Figure,
    ) {
        let Figure { rate, latency_us, lag_ms } = *figure;
        self.rows.push(Row { spread, callers, projector, rate, latency_us, lag_ms });
    }
}

/// `a / b` to two decimals, in integers.
fn ratio(a: u64, b: u64) -> String {
    let hundredths = a.saturating_mul(100) / b.max(1);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.machine)?;
        writeln!(f, "| what | transfers/s | × naive | × ceiling | p50 ms | p99 ms |")?;
        writeln!(f, "| --- | --- | --- | --- | --- | --- |")?;
        for (name, figure) in [("uniform", self.naive_uniform), ("hot", self.naive_hot)] {
            let (rate, connections) = figure.unwrap_or_default();
            writeln!(f, "| naive SQL, {name}, {connections} connections | {rate} | 1.00 | | | |")?;
        }
        writeln!(f, "| ceiling: bare insert of our rows | {} | | 1.00 | | |", self.ceiling)?;
        for row in &self.rows {
            let (spread, naive) = match row.spread {
                Spread::Uniform => ("uniform", self.naive_uniform),
                Spread::Hot => ("hot", self.naive_hot),
            };
            let projector = match row.lag_ms.filter(|_| row.projector) {
                Some(lag_ms) => format!("projector on (behind by {lag_ms} ms at the end)"),
                None => "projector off".to_owned(),
            };
            let (p50, p99) = row.latency_us;
            writeln!(
                f,
                "| Bahi, {spread}, {} callers, {projector} | {} | {} | {} | {} | {} |",
                row.callers,
                row.rate,
                ratio(row.rate, naive.unwrap_or_default().0),
                ratio(row.rate, self.ceiling),
                ratio(p50, 1_000),
                ratio(p99, 1_000),
            )?;
        }
        Ok(())
    }
}
