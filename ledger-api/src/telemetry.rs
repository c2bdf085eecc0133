//! What the program says of itself while it runs: lines on the standard error.
//!
//! Text for people at a terminal, JSON for machines elsewhere. What may be said is decided where
//! it is said: request ids, principals and outcomes; never bodies, tokens or passwords.

use std::{io::IsTerminal, time::Duration};

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, fmt, util::SubscriberInitExt};

/// How the lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object per line.
    Json,
}

/// What to say, and how.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "What it says of itself")]
pub struct LogSettings {
    /// Least level, or a filter such as info,sqlx=debug [default: info of a service, else warn]
    #[arg(long, env = "BAHI_LOG", global = true, value_name = "FILTER")]
    pub log: Option<String>,

    /// Form of the lines [default: text at a terminal, else json]
    #[arg(long, env = "BAHI_LOG_FORMAT", global = true, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
}

/// A filter that is none.
#[derive(Debug, thiserror::Error)]
#[error("BAHI_LOG (or --log) is not a filter of levels, such as info or info,sqlx=debug")]
pub struct FilterError(#[source] tracing_subscriber::filter::ParseError);

/// Starts it, for the whole process and once. A second call does nothing: tests share a process.
///
/// # Errors
/// [`FilterError`] if the filter can't be understood.
pub fn start(settings: &LogSettings, default: &str) -> Result<(), FilterError> {
    let filter = settings.log.as_deref().unwrap_or(default);
    let filter = EnvFilter::builder().parse(filter).map_err(FilterError)?;
    let terminal = std::io::stderr().is_terminal();
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(terminal);
    let format =
        settings.log_format.unwrap_or(if terminal { LogFormat::Text } else { LogFormat::Json });
    let started = match format {
        LogFormat::Text => lines.with_target(false).finish().try_init(),
        LogFormat::Json => lines.json().flatten_event(true).finish().try_init(),
    };
    if started.is_err() {
        tracing::debug!("lines are written already");
    }
    Ok(())
}

/// How often old samples are dropped from the metrics' memory.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);
/// Seconds; from a read in memory to the longest that a handler may take.
const LATENCY_BUCKETS: [f64; 13] =
    [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 10.0];

/// Collects metrics from here on, for `/metrics`. Once per process.
///
/// # Errors
/// [`BuildError`] if they are collected already.
pub fn metrics() -> Result<PrometheusHandle, BuildError> {
    let latencies = Matcher::Suffix("_seconds".to_owned());
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(latencies, &LATENCY_BUCKETS)?
        .install_recorder()?;
    // From zero on: the first increase of a counter that was not there before is seen by no alarm.
    for name in [
        "bahi_http_keys_refused_total",
        "bahi_api_log_dropped_total",
        "bahi_outside_sent_back_total",
        "bahi_holds_expired_total",
        "bahi_witness_failures_total",
        "bahi_bank_contradictions_total",
        "bahi_returns_applied_total",
        "bahi_hooks_out_failures_total",
        "bahi_hooks_out_disabled_total",
    ] {
        ::metrics::counter!(name).increment(0);
    }
    crate::exchanges::none_lost();
    let upkeep = handle.clone();
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(UPKEEP_EVERY);
        loop {
            tick.tick().await;
            upkeep.run_upkeep();
        }
    });
    Ok(handle)
}
