//! What a check saw, in figures.

use std::time::Duration;

use serde::Serialize;

use super::{books::Totals, chain::Chain, finding::Finding, hash::Hash, time};

/// Where the log was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The tables of a database.
    Database,
    /// An export; no database was at hand.
    Export,
}

/// The end of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Head {
    /// The number of the last batch; 0 for an empty log.
    pub batch: i64,
    /// The position of the last event; 0 for an empty log.
    pub position: i64,
    /// The hash of the chain up to here, in hexadecimal.
    pub hash: String,
    /// When the last batch was recorded.
    pub recorded_at: String,
}

/// What one currency came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CurrencyFigures {
    /// Its code.
    pub code: String,
    /// Its decimals.
    pub scale: u8,
    /// How many accounts are in it.
    pub accounts: u64,
    /// The sum of all debits.
    pub debits: String,
    /// The sum of all credits.
    pub credits: String,
    /// Whether both are equal.
    pub balanced: bool,
}

/// How holds went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct HoldFigures {
    /// How many were placed.
    pub placed: u64,
    /// How many are open at the end.
    pub open: u64,
    /// How many were captured.
    pub captured: u64,
    /// How many were released.
    pub released: u64,
    /// How many expired.
    pub expired: u64,
}

/// The comparison with the engine's snapshots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SnapshotFigures {
    /// How many were compared.
    pub compared: u64,
    /// How many of them differ.
    pub differing: u64,
}

/// How the read models compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ReadModelFigures {
    /// The position that the read models reflect.
    pub position: i64,
    /// How many balances were compared.
    pub compared: u64,
    /// How many differ.
    pub differing: u64,
}

/// Control totals: each class of accounts against what it must be the sum of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ControlFigures {
    /// How many were compared.
    pub compared: u64,
    /// How many differ.
    pub differing: u64,
}

/// The MACs of batches, for who has their key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MacFigures {
    /// The first batch that has one; nothing if none has.
    pub since_batch: Option<i64>,
    /// How many batches were looked at: all from that one on.
    pub compared: u64,
    /// How many of them lack it, or have another one.
    pub differing: u64,
}

/// The checkpoint that the log was held against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckpointFigures {
    /// Its batch.
    pub batch: i64,
    /// Its position.
    pub position: i64,
    /// Whether the log contains that head. This kind of checkpoint is not signed.
    pub contained: bool,
}

/// A signed checkpoint that the log was held against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoteFigures {
    /// What the log is called there.
    pub origin: String,
    /// How many events it is of.
    pub size: u64,
    /// Whether the log begins with exactly those.
    pub contained: bool,
    /// The trusted key that signed it.
    pub signed_by: Option<String>,
    /// The witnesses that were asked for and have cosigned it.
    pub cosigned_by: Vec<String>,
}

/// What a check saw and found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether nothing at all was found.
    pub verified: bool,
    /// Where the log was read from.
    pub source: Source,
    /// How many events.
    pub events: i64,
    /// How many of them are legs of transactions.
    pub entries: u64,
    /// How many transactions.
    pub transactions: u64,
    /// How many of them undo another.
    pub reversals: u64,
    /// How many batches.
    pub batches: i64,
    /// How many of them brought no event.
    pub batches_empty: i64,
    /// How many accounts were opened.
    pub accounts: u64,
    /// How many of them are closed.
    pub accounts_closed: u64,
    /// How many items of itemised accounts are open.
    pub open_items: u64,
    /// Holds.
    pub holds: HoldFigures,
    /// Every currency, by code.
    pub currencies: Vec<CurrencyFigures>,
    /// The end of the log.
    pub head: Head,
    /// The checkpoint, if one was given.
    pub checkpoint: Option<CheckpointFigures>,
    /// The root of the Merkle tree over all events, in hexadecimal.
    pub root: String,
    /// The signed checkpoints that were given, by size.
    pub notes: Vec<NoteFigures>,
    /// The read models, if the database has them.
    pub read_models: Option<ReadModelFigures>,
    /// The engine's snapshots, if the database has them and the log itself is in order.
    pub snapshots: Option<SnapshotFigures>,
    /// Control totals, if the database has read models.
    pub controls: Option<ControlFigures>,
    /// The MACs of batches, if their key was given and the chain is in order.
    pub macs: Option<MacFigures>,
    /// How many findings there are.
    pub findings_total: u64,
    /// The first of them, in the order in which they came to light.
    pub findings: Vec<Finding>,
    /// How long it took.
    pub elapsed_ms: u64,
    /// Events a second.
    pub events_per_second: u64,
}

impl Report {
    pub(super) fn new(
        source: Source,
        (chain, (root, notes)): (Chain, (Hash, Vec<NoteFigures>)),
        totals: Totals,
        (read_models, snapshots): (Option<ReadModelFigures>, Option<SnapshotFigures>),
        elapsed: Duration,
    ) -> Self {
        let micros = elapsed.as_micros().max(1);
        let events = u128::try_from(chain.events).unwrap_or(0);
        let rate = events.saturating_mul(1_000_000) / micros;
        let head = Head {
            batch: chain.last_batch,
            position: chain.last_position,
            hash: hex::encode(&chain.head),
            recorded_at: time::text(chain.last_time),
        };
        let checkpoint = chain.checkpoint_figures();
        let (events, batches, batches_empty) = (chain.events, chain.batches, chain.empty_batches);
        let (findings, findings_total) = chain.findings.merge(totals.findings);
        Self {
            verified: findings_total == 0,
            source,
            events,
            entries: totals.entries,
            transactions: totals.transactions,
            reversals: totals.reversals,
            batches,
            batches_empty,
            accounts: totals.accounts,
            accounts_closed: totals.accounts_closed,
            open_items: totals.open_items,
            holds: totals.holds,
            currencies: totals.currencies,
            head,
            checkpoint,
            root: hex::encode(root),
            notes,
            read_models,
            snapshots,
            controls: None,
            macs: None,
            findings_total,
            findings,
            elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            events_per_second: u64::try_from(rate).unwrap_or(u64::MAX),
        }
    }

    /// What a program that made the check exits with: 0 verified, 1 broken. That it could not be
    /// made is [`super::AuditError::EXIT_CODE`].
    pub fn exit_code(&self) -> u8 {
        u8::from(!self.verified)
    }

    /// The position of the first finding that has one.
    pub fn first_bad_position(&self) -> Option<i64> {
        self.findings.iter().find_map(|finding| finding.position)
    }
}
