//! The end of the log as this process appended it, in memory: whoever follows the log need not read
//! back what was written a moment ago.
//!
//! It has only batches of which the database has said that they are in. What another process
//! appended is not in it, and neither is what exceeds its bound: then the log is read.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{Position, append::Batch};
use crate::clock::Timestamp;

/// The most bytes it keeps: a few steps of the projector.
const BYTES_MAX: usize = 32 << 20;

/// The batches that this process appended last. A handle; all copies are one.
#[derive(Debug, Clone, Default)]
pub struct Tail(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    /// Whether anybody follows.
    followed: bool,
    /// Each follows the one before it.
    batches: VecDeque<Arc<Batch>>,
    bytes: usize,
}

/// Whole batches, one after the other.
#[derive(Debug)]
pub struct Run(Vec<Arc<Batch>>);

/// An event as it was appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppendedEvent<'b> {
    /// Its place in the log.
    pub position: Position,
    /// The kind of stream.
    pub aggregate_type: &'b str,
    /// The stream.
    pub aggregate_id: &'b str,
    /// Its place in the stream, from 1.
    pub sequence: u64,
    /// Its type, in snake_case.
    pub event_type: &'b str,
    /// Its payload: exactly the bytes that were hashed.
    pub payload: &'b [u8],
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

impl Tail {
    /// Keeps what comes from now on.
    pub(crate) fn follow(&self) {
        self.kept().followed = true;
    }

    /// Takes a batch that is in the log.
    pub(crate) fn push(&self, batch: &Arc<Batch>) {
        let mut kept = self.kept();
        if !kept.followed {
            return;
        }
        if kept.batches.back().is_some_and(|last| last.head != batch.after) {
            kept.batches.clear();
            kept.bytes = 0;
        }
        kept.bytes = kept.bytes.saturating_add(batch.rows.size());
        kept.batches.push_back(Arc::clone(batch));
        while kept.bytes > BYTES_MAX {
            kept.drop_first();
        }
    }

    /// The batches that bring exactly the positions `> after` and `<= upto`, if all are here.
    pub fn run(&self, after: Position, upto: Position) -> Option<Run> {
        let kept = self.kept();
        let first = kept.batches.partition_point(|batch| batch.head.position <= after);
        let end = kept.batches.partition_point(|batch| batch.head.position <= upto);
        if first >= end {
            return None;
        }
        let run: Vec<_> = kept.batches.range(first..end).cloned().collect();
        let whole = run.first().is_some_and(|batch| batch.after.position == after)
            && run.last().is_some_and(|batch| batch.head.position == upto);
        whole.then_some(Run(run))
    }

    /// Whether it has what comes right after `position`.
    pub fn follows(&self, position: Position) -> bool {
        let kept = self.kept();
        let next = kept.batches.partition_point(|batch| batch.head.position <= position);
        kept.batches.get(next).is_some_and(|batch| batch.after.position == position)
    }

    /// Forgets what is not needed any more: everything up to `position`.
    pub fn forget(&self, position: Position) {
        let mut kept = self.kept();
        while kept.batches.front().is_some_and(|batch| batch.head.position <= position) {
            kept.drop_first();
        }
    }

    /// A panic elsewhere leaves whole batches behind: each change is one call.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn drop_first(&mut self) {
        if let Some(batch) = self.batches.pop_front() {
            self.bytes = self.bytes.saturating_sub(batch.rows.size());
        } else {
            self.bytes = 0;
        }
    }
}

impl Run {
    /// The events in their order.
    pub fn events(&self) -> impl Iterator<Item = AppendedEvent<'_>> + Send {
        self.0.iter().flat_map(|batch| {
            let recorded_at = batch.head.recorded_at;
            let positions = batch.after.position.saturating_add(1)..;
            positions.zip(batch.rows.each_event()).map(move |(position, event)| AppendedEvent {
                position,
                recorded_at,
                ..event
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Head, Rows, hash::HashedFields};

    fn head(batch: u64, position: Position) -> Head {
        Head { batch, position, hash: [u8::try_from(batch).unwrap(); 32], recorded_at: at() }
    }

    fn at() -> Timestamp {
        "2026-11-23T10:00:00Z".parse().unwrap()
    }

    fn batch(after: Head, events: u64) -> Arc<Batch> {
        let mut rows = Rows::default();
        for sequence in 1..=events {
            let position = after.position.saturating_add(sequence);
            let fields = HashedFields {
                position,
                aggregate_type: "account",
                aggregate_id: "wallet:a:INR",
                sequence,
                event_type: "credited",
                event_version: "1.0",
                recorded_at: at(),
                payload: &[u8::try_from(position).unwrap()],
                metadata: b"{}",
            };
            rows.push_event(&fields, &[0; 32]).unwrap();
        }
        let (number, end) = (after.batch.saturating_add(1), after.position.saturating_add(events));
        Arc::new(Batch { after, head: head(number, end), rows })
    }

    /// Batches of two, none and three events.
    fn three() -> Tail {
        let tail = Tail::default();
        tail.follow();
        tail.push(&batch(head(1, 10), 2));
        tail.push(&batch(head(2, 12), 0));
        tail.push(&batch(head(3, 12), 3));
        tail
    }

    #[test]
    fn it_has_whole_runs_of_what_was_appended() {
        let tail = three();
        let run = tail.run(10, 15).unwrap();
        let events: Vec<_> = run.events().collect();
        assert_eq!(
            events.iter().map(|event| event.position).collect::<Vec<_>>(),
            [11, 12, 13, 14, 15]
        );
        assert_eq!(events[2].payload, [13]);
        assert_eq!((events[2].sequence, events[2].aggregate_id), (1, "wallet:a:INR"));
        assert_eq!((events[2].aggregate_type, events[2].event_type), ("account", "credited"));
        assert_eq!(events[2].recorded_at, at());
        assert!(tail.run(12, 15).is_some());
        assert!(tail.follows(12) && !tail.follows(15) && !tail.follows(11));
    }

    #[test]
    fn it_has_nothing_where_a_batch_is_cut_or_missing() {
        let tail = three();
        for (after, upto) in [(9, 15), (10, 14), (11, 15), (10, 16), (15, 15), (15, 20), (0, 0)] {
            assert!(tail.run(after, upto).is_none(), "{after} to {upto}");
        }
        // Somebody else appended batch 5.
        tail.push(&batch(head(5, 17), 1));
        assert!(tail.run(10, 15).is_none());
        assert!(tail.run(15, 18).is_none());
        assert!(tail.run(17, 18).is_some());
    }

    #[test]
    fn it_forgets_what_was_folded_and_keeps_nothing_that_nobody_follows() {
        let tail = three();
        tail.forget(12);
        assert!(tail.run(10, 12).is_none());
        assert!(tail.run(12, 15).is_some());
        tail.forget(15);
        assert_eq!(tail.kept().bytes, 0);

        let tail = Tail::default();
        tail.push(&batch(head(1, 10), 2));
        assert!(tail.run(10, 12).is_none());
    }

    #[test]
    fn it_is_bounded() {
        let tail = Tail::default();
        tail.follow();
        let mut last = head(0, 0);
        let mut pushed = 0;
        while pushed < BYTES_MAX.saturating_mul(2) {
            let mut next = batch(last, 0);
            let Batch { head, rows, .. } = Arc::get_mut(&mut next).unwrap();
            (head.hash, rows.notes) = ([1; 32], crate::log::column::Column::default());
            rows.notes.push(&"x".repeat(1 << 20));
            last = *head;
            pushed = rows.size().saturating_add(pushed);
            tail.push(&next);
        }
        let kept = tail.kept();
        assert!(kept.bytes <= BYTES_MAX);
        assert!(kept.batches.len() > 20);
    }
}
