//! The rows of the engine in process.

use std::time::Duration;

use crate::{
    ACCOUNTS, Plan, Spread,
    busy::Spending,
    callers::{Driven, Load},
    report::{Table, Yardstick},
    stand::Stand,
    storage::{self, Storage},
};

/// What a run came to.
struct Figure {
    driven: Driven,
    /// How long the projector, if it ran, needed to see the last event, in milliseconds.
    lag_ms: Option<u64>,
    storage: Storage,
    spent: String,
}

/// How a run is made.
#[derive(Clone, Copy)]
struct Run {
    spread: Spread,
    callers: u64,
    projector: bool,
    /// Whether the callers' keys come in order (UUIDv7) or at random (v4).
    ordered: bool,
}

impl Run {
    fn name(self) -> String {
        let Self { spread, callers, projector, ordered } = self;
        let projector = if projector { "on" } else { "off" };
        let keys = if ordered { "" } else { ", random keys" };
        format!("engine, {}, {callers} callers, projector {projector}{keys}", spread.name())
    }
}

/// Takes the rows of the engine in process.
pub(crate) async fn rows(stand: &Stand, plan: &Plan, table: &mut Table) -> anyhow::Result<()> {
    for spread in [Spread::Uniform, Spread::Hot] {
        let run = |callers, projector| Run { spread, callers, projector, ordered: true };
        let mut runs = vec![run(1_024, true), run(1_024, false), run(64, true), run(1, true)];
        if spread == Spread::Uniform {
            runs.push(Run { ordered: false, ..run(1_024, false) });
        }
        for run in runs {
            let name = run.name();
            if !plan.has(&name) {
                continue;
            }
            let figure = measure(stand, run, plan.time).await?;
            let lag = figure.lag_ms.map_or_else(String::new, |ms| format!(" (lag {ms} ms)"));
            let against = [Yardstick::Naive(spread), Yardstick::Stock(spread), Yardstick::Ceiling];
            let Driven { rate, latencies, .. } = figure.driven;
            table.row(&format!("{name}{lag}"), rate, &against, Some(latencies));
            if run.callers == 1_024 {
                table.note(format!("{name}: {}", figure.storage));
                table.note(format!("{name}: {}", figure.spent));
            }
        }
    }
    Ok(())
}

async fn measure(stand: &Stand, run: Run, time: Duration) -> anyhow::Result<Figure> {
    let database = stand.ledger().await?;
    let load = Load::start(database.clone(), ACCOUNTS, run.ordered).await?;
    load.open().await?;
    let before = storage::sizes(&database).await?;
    let projecting = if run.projector {
        Some(crate::stand::project(database.clone(), &load.engine).await?)
    } else {
        None
    };
    let program = ("callers, engine and projector", std::process::id());
    let spending = Spending::start(stand, &[program]).await?;
    let driven = load.drive(run.spread, run.callers, time).await?;
    let spent = spending.each(driven.rate).await?;
    load.engine.shutdown().await;
    let head = load.engine.status().borrow().head.position;
    let lag_ms = match projecting {
        Some(projecting) => Some(u64::try_from(projecting.stop(head).await?.as_millis())?),
        None => None,
    };
    let after = storage::sizes(&database).await?;
    let storage = Storage::between(&before, &after, driven.transfers)?;
    Ok(Figure { driven, lag_ms, storage, spent })
}
