//! The aggregates in memory, up to a bound, the least recently used going first.
//!
//! An entry is a fold of the log up to some position. What other processes append is applied to it
//! (`follow`), by the rule that makes a stale entry harmless: an event is applied only if its
//! sequence is the next one; a lower one is known already; a gap drops the entry.

use lru::LruCache;
use tracing::error;

use super::subject::{Subject, stream_at};
use crate::{
    book::Book,
    log::{LogError, RecordedEvent},
    planning::StreamId,
};

/// What an entry was before a batch touched it, so that a batch that lost can be undone.
pub(crate) type Undo = Vec<(StreamId, Option<Subject>)>;

#[derive(Debug)]
pub(crate) struct Cache {
    book: Book,
    entries: LruCache<StreamId, Subject>,
    entries_max: usize,
}

impl Cache {
    pub(crate) fn new(entries_max: usize) -> Self {
        Self { book: Book::default(), entries: LruCache::unbounded(), entries_max }
    }

    /// The book, which is always here.
    pub(crate) const fn book(&self) -> &Book {
        &self.book
    }

    /// An entry, without making it recently used.
    pub(crate) fn peek(&self, stream: &StreamId) -> Option<&Subject> {
        self.entries.peek(stream)
    }

    /// Whether an entry is here; makes it recently used, so that the batch that needs it keeps it.
    pub(crate) fn touch(&mut self, stream: &StreamId) -> bool {
        self.entries.get(stream).is_some()
    }

    /// Puts what was loaded or decided. Returns what was there.
    pub(crate) fn put(&mut self, stream: StreamId, subject: Subject) -> Option<Subject> {
        if let Some(book) = subject.as_book() {
            self.book = book.clone();
        }
        self.entries.put(stream, subject)
    }

    /// Undoes what a batch put, newest first.
    pub(crate) fn undo(&mut self, undo: Undo) {
        for (stream, before) in undo.into_iter().rev() {
            match before {
                Some(subject) => drop(self.put(stream, subject)),
                None => drop(self.entries.pop(&stream)),
            }
        }
    }

    /// Applies an event that stands in the log to the entry of its stream, if that is here. An
    /// event that cannot be read drops the entry: commands on that stream are refused when they
    /// try to load it, and all others go on.
    ///
    /// # Errors
    /// [`LogError::Corrupt`] if it is the book's: everything stands under its rules.
    pub(crate) fn follow(&mut self, event: &RecordedEvent) -> Result<(), LogError> {
        let Some(stream) = stream_at(&event.aggregate_type, &event.aggregate_id) else {
            return Ok(());
        };
        let Some(subject) = self.entries.peek_mut(&stream) else {
            return Ok(());
        };
        let next = subject.sequence().saturating_add(1);
        if event.sequence > next {
            // The entry missed something: forget it, the next command loads it afresh.
            self.entries.pop(&stream);
        } else if event.sequence == next {
            let applied = subject.apply(&event.event_type, &event.event_version, &event.payload);
            if let Err(source) = applied {
                let position = event.position;
                if stream == StreamId::Book {
                    return Err(LogError::Corrupt { position, source });
                }
                error!(position, ?stream, error = %source, "an event cannot be trusted");
                self.entries.pop(&stream);
            } else if let Some(book) = subject.as_book() {
                self.book = book.clone();
            }
        }
        Ok(())
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Forgets an entry, so that it is loaded afresh. The book stays: it is followed.
    pub(crate) fn forget(&mut self, stream: &StreamId) {
        if *stream != StreamId::Book {
            self.entries.pop(stream);
        }
    }

    /// Whether there are more entries than the bound.
    pub(crate) fn is_over(&self) -> bool {
        self.entries.len() > self.entries_max
    }

    /// If there are more entries than the bound, forgets an eighth, so that this is seldom. The
    /// book stays.
    pub(crate) fn trim(&mut self) {
        if !self.is_over() {
            return;
        }
        let kept = self.entries_max.saturating_sub(self.entries_max / 8);
        while self.entries.len() > kept.max(1) {
            match self.entries.pop_lru() {
                Some((StreamId::Book, subject)) => {
                    self.entries.put(StreamId::Book, subject);
                }
                Some(_) => {}
                None => break,
            }
        }
    }
}
