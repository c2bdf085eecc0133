//! The first half of the check: that the log is whole and in order, whatever it says.
//!
//! Positions, batches, moments, the chain of hashes, the counts at the end, the checkpoint. It
//! knows nothing of money. After a finding it goes on from what is stored, so that one tampered row
//! is one finding at its place and not one for each row after it. Memory: constant.

use super::{
    checkpoint::Checkpoint,
    finding::{Code, Finding, Findings, Place},
    hash::{self, Hash},
    record::{Batch, End, Event, Item},
    report::{CheckpointFigures, Source},
    time,
};

#[derive(Debug)]
pub(super) struct Chain {
    pub findings: Findings,
    pub events: i64,
    pub batches: i64,
    pub empty_batches: i64,
    pub last_position: i64,
    pub last_batch: i64,
    /// The hash that the next event or empty batch follows; nothing after rows that are missing,
    /// out of order or unreadable, which are findings already.
    before: Option<Hash>,
    /// When the last event or batch was recorded.
    pub last_time: i64,
    /// The last head: the stored one.
    pub head: Vec<u8>,
    /// What came in since the last batch.
    open: Option<OpenBatch>,
    /// Unreadable lines since the last event, each of which may have been one, and since the last
    /// batch likewise.
    lost_events: i64,
    lost_batches: i64,
    end: ExportEnd,
    /// The checkpoint to be met, and whether the log contains its head.
    checkpoint: Option<(Checkpoint, bool)>,
    /// The checkpoint's batch came, with that head or another.
    checkpoint_met: bool,
    /// Batch 0 came, which a database has and an export has not.
    start_seen: bool,
}

/// How far an export has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ExportEnd {
    Awaited,
    Seen,
    /// More followed, which is said once.
    Overrun,
}

#[derive(Debug, Clone, Copy)]
struct OpenBatch {
    first: i64,
    recorded_at: i64,
    /// The first event with another moment.
    split: Option<i64>,
}

impl Chain {
    pub(super) fn new(findings_max: usize, checkpoint: Option<Checkpoint>) -> Self {
        let start = hex::encode(hash::START);
        let is_start = |c: &Checkpoint| c.batch == 0 && c.position == 0 && c.head_hash == start;
        let at_start = checkpoint.as_ref().is_some_and(is_start);
        Self {
            findings: Findings::new(findings_max),
            events: 0,
            batches: 0,
            empty_batches: 0,
            last_position: 0,
            last_batch: 0,
            before: Some(hash::START),
            last_time: 0,
            head: hash::START.to_vec(),
            open: None,
            lost_events: 0,
            lost_batches: 0,
            end: ExportEnd::Awaited,
            checkpoint: checkpoint.map(|checkpoint| (checkpoint, at_start)),
            checkpoint_met: at_start,
            start_seen: false,
        }
    }

    pub(super) fn item(&mut self, item: &Item<'_>) {
        self.findings.next_row();
        if self.end != ExportEnd::Awaited {
            return self.after_end();
        }
        match item {
            Item::Event(event) => self.event(event),
            Item::Batch(batch) => self.batch(batch),
            Item::End(end) => self.end(end),
            Item::Unreadable { line, reason } => self.unreadable(*line, reason),
        }
    }

    fn event(&mut self, event: &Event<'_>) {
        self.events += 1;
        let in_place = self.position(event);
        let place = Place {
            position: event.position,
            aggregate_type: event.aggregate_type,
            aggregate_id: event.aggregate_id,
        };
        if event.recorded_at < self.last_time {
            let before = time::text(self.last_time);
            let words =
                format!("recorded at {}, after one of {before}", time::text(event.recorded_at));
            self.findings.event(place, Code::TimeFalls, words);
        }
        self.last_time = event.recorded_at;
        let known = if in_place { self.before } else { None };
        if known.is_some_and(|before| hash::event(&before, event) != event.hash) {
            let words = "the hash is not that of this event after the one before";
            self.findings.event(place, Code::HashDiffers, words);
        }
        self.before =
            if event.position < self.last_position { None } else { event.hash.try_into().ok() };
        self.last_position = self.last_position.max(event.position);
        self.head.clear();
        self.head.extend_from_slice(event.hash);
        self.open_batch(event);
    }

    /// Whether the event stands where the one after the last has to.
    fn position(&mut self, event: &Event<'_>) -> bool {
        let expected = self.last_position.saturating_add(1);
        let lost = std::mem::take(&mut self.lost_events);
        let latest = expected.saturating_add(lost);
        if event.position < expected {
            let words = format!("position {} stands here", event.position);
            self.findings.position(expected, Code::PositionOutOfOrder, words);
        } else if event.position > latest {
            let words = format!("position {} follows {}", event.position, self.last_position);
            self.findings.position(expected, Code::PositionMissing, words);
        }
        event.position == expected
    }

    fn open_batch(&mut self, event: &Event<'_>) {
        let open = self.open.get_or_insert(OpenBatch {
            first: event.position,
            recorded_at: event.recorded_at,
            split: None,
        });
        if open.recorded_at != event.recorded_at && open.split.is_none() {
            open.split = Some(event.position);
        }
    }

    fn batch(&mut self, batch: &Batch<'_>) {
        if batch.number == 0 && self.batches == 0 && !self.start_seen {
            return self.start(batch);
        }
        self.batches += 1;
        let open = self.open.take();
        let in_place = self.batch_number(batch, open);
        if self.reaches(batch) {
            match open {
                Some(open) => self.batch_with_events(batch, open, in_place),
                None => self.empty_batch(batch),
            }
        }
        self.last_time = batch.recorded_at;
        self.head.clear();
        self.head.extend_from_slice(batch.head_hash);
        self.compare_checkpoint(batch);
    }

    /// The row that a database keeps for the start of the chain.
    fn start(&mut self, batch: &Batch<'_>) {
        self.start_seen = true;
        if batch.last_position != 0 || batch.head_hash != hash::START || self.events != 0 {
            let words = "the log does not start at position 0 with the zero hash";
            self.batch_finding(batch, Code::BatchHashDiffers, words.to_owned());
        }
    }

    /// Whether the batch's number is the next one, as far as one can see.
    fn batch_number(&mut self, batch: &Batch<'_>, open: Option<OpenBatch>) -> bool {
        let expected = self.last_batch.saturating_add(1);
        let latest = expected.saturating_add(std::mem::take(&mut self.lost_batches));
        if batch.number < expected {
            let words = format!("batch {} where {expected} should be", batch.number);
            self.batch_finding(batch, Code::BatchOutOfOrder, words);
        } else if batch.number > latest {
            let words = format!("batch {} follows {}", batch.number, self.last_batch);
            self.findings.push(Finding {
                code: Code::BatchMissing,
                position: Some(open.map_or(self.last_position, |open| open.first)),
                batch: Some(expected),
                stream: None,
                words,
            });
            if open.is_none() {
                // The missing one may have been empty, and then its hash was the one before.
                self.before = None;
            }
        }
        self.last_batch = self.last_batch.max(batch.number);
        batch.number == expected
    }

    /// Whether the log reaches exactly to where the batch says that it ends. If events are missing
    /// at its end, it goes on behind them.
    fn reaches(&mut self, batch: &Batch<'_>) -> bool {
        let missing = batch.last_position.saturating_sub(self.last_position);
        let unread = (1..=self.lost_events).contains(&missing);
        if missing == 0 {
            return true;
        }
        if missing < 0 || batch.head_hash == self.head {
            let words = format!(
                "says that it ends at position {}, but ends at {}",
                batch.last_position, self.last_position
            );
            self.batch_finding(batch, Code::BatchPositionDiffers, words);
            return true;
        }
        if !unread {
            let first = self.last_position.saturating_add(1);
            let words = format!(
                "batch {} ends at position {}, the events before it at {}",
                batch.number, batch.last_position, self.last_position
            );
            self.findings.position(first, Code::PositionMissing, words);
        }
        self.last_position = batch.last_position;
        self.lost_events = 0;
        self.before = batch.head_hash.try_into().ok();
        false
    }

    fn batch_with_events(&mut self, batch: &Batch<'_>, open: OpenBatch, in_place: bool) {
        if batch.head_hash != self.head {
            let words = "its head is not the hash of its last event";
            self.batch_finding(batch, Code::BatchHashDiffers, words.to_owned());
        }
        if !in_place {
            // Events of a batch that is missing are among these, with a moment of their own.
            return;
        }
        let moment = time::text(batch.recorded_at);
        let words = format!("not recorded at the moment of batch {}, {moment}", batch.number);
        if let Some(split) = open.split {
            self.findings.position(split, Code::BatchTimeDiffers, words);
        } else if open.recorded_at != batch.recorded_at {
            self.findings.position(open.first, Code::BatchTimeDiffers, words);
        }
    }

    fn empty_batch(&mut self, batch: &Batch<'_>) {
        self.empty_batches += 1;
        if batch.recorded_at < self.last_time {
            let before = time::text(self.last_time);
            let words =
                format!("recorded at {}, after one of {before}", time::text(batch.recorded_at));
            self.batch_finding(batch, Code::TimeFalls, words);
        }
        let differs = |before| hash::empty_batch(&before, batch.number) != batch.head_hash;
        if self.before.is_some_and(differs) {
            let words = "its head is not that of an empty batch after the one before";
            self.batch_finding(batch, Code::BatchHashDiffers, words.to_owned());
        }
        self.before = batch.head_hash.try_into().ok();
    }

    fn batch_finding(&mut self, batch: &Batch<'_>, code: Code, words: String) {
        self.findings.push(Finding {
            code,
            position: Some(self.last_position),
            batch: Some(batch.number),
            stream: None,
            words,
        });
    }

    fn compare_checkpoint(&mut self, batch: &Batch<'_>) {
        let Some((checkpoint, contained)) = &mut self.checkpoint else {
            return;
        };
        if checkpoint.batch != batch.number {
            return;
        }
        let same = checkpoint.position == batch.last_position
            && checkpoint.head_hash == hex::encode(batch.head_hash)
            && checkpoint.recorded_at == time::text(batch.recorded_at);
        *contained = same;
        self.checkpoint_met = true;
        if !same {
            let words = format!(
                "batch {} had head {} at position {} when the checkpoint was made: the log was \
                 rewritten at or before here",
                checkpoint.batch, checkpoint.head_hash, checkpoint.position
            );
            self.batch_finding(batch, Code::CheckpointDiffers, words);
        }
    }

    fn unreadable(&mut self, line: u64, reason: &str) {
        let words = format!("line {line}: {reason}");
        let at = self.last_position.saturating_add(1);
        self.findings.position(at, Code::LineUnreadable, words);
        self.before = None;
        self.lost_events = self.lost_events.saturating_add(1);
        self.lost_batches = self.lost_batches.saturating_add(1);
    }

    fn end(&mut self, end: &End<'_>) {
        let same =
            end.events == self.events && end.batches == self.batches && end.head_hash == self.head;
        if !same {
            let words = format!(
                "it says {} events, {} batches, head {}; there are {}, {}, {}",
                end.events,
                end.batches,
                hex::encode(end.head_hash),
                self.events,
                self.batches,
                hex::encode(&self.head)
            );
            let at = self.last_position.saturating_add(1);
            self.findings.position(at, Code::EndDiffers, words);
        }
        self.end = ExportEnd::Seen;
    }

    fn after_end(&mut self) {
        if self.end == ExportEnd::Seen {
            let at = self.last_position.saturating_add(1);
            let words = "there is more after the line that ends the export";
            self.findings.position(at, Code::LineAfterEnd, words);
            self.end = ExportEnd::Overrun;
        }
    }

    /// The checkpoint, and whether the log contains its head.
    pub(super) fn checkpoint_figures(&self) -> Option<CheckpointFigures> {
        let (checkpoint, contained) = self.checkpoint.as_ref()?;
        Some(CheckpointFigures {
            batch: checkpoint.batch,
            position: checkpoint.position,
            contained: *contained,
        })
    }

    /// The source has no more. An export has to have said so.
    pub(super) fn finish(&mut self, source: Source) {
        let next = self.last_position.saturating_add(1);
        if source == Source::Database && !self.start_seen {
            let words = "batch 0, which every log starts with, is missing";
            self.findings.position(0, Code::BatchMissing, words);
        }
        if source == Source::Export && self.end == ExportEnd::Awaited {
            let words = "the export stops without its last line: its tail is cut off";
            self.findings.position(next, Code::EndMissing, words);
        }
        if let Some(open) = self.open.take() {
            let words = format!("no batch brought the events from here to {}", self.last_position);
            self.findings.position(open.first, Code::BatchlessEvent, words);
        }
        if let Some((checkpoint, _)) = &self.checkpoint
            && !self.checkpoint_met
        {
            let words = format!(
                "the log ends at batch {}, position {}; the checkpoint saw batch {}, position {}: \
                 the tail is cut off",
                self.last_batch, self.last_position, checkpoint.batch, checkpoint.position
            );
            let (code, words) = if self.last_batch < checkpoint.batch {
                (Code::CheckpointAhead, words)
            } else {
                let words = format!("batch {} of the checkpoint is missing", checkpoint.batch);
                (Code::CheckpointDiffers, words)
            };
            let at = next.min(checkpoint.position.max(1));
            self.findings.position(at, code, words);
        }
    }
}
