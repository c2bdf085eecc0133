//! The aggregates in memory, up to a bound, the least recently used going first.
//!
//! An entry is a fold of the log up to some position. What other processes append is applied to it
//! (`follow`), by the rule that makes a stale entry harmless: an event is applied only if its
//! sequence is the next one; a lower one is known already; a gap drops the entry.

use lru::LruCache;

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

    /// Applies an event that stands in the log to the entry of its stream, if that is here.
    ///
    /// # Errors
    /// [`LogError::Corrupt`] if the event cannot be read: the log is not to be trusted then.
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
            subject
                .apply(&event.event_type, &event.event_version, &event.payload)
                .map_err(|source| LogError::Corrupt { position: event.position, source })?;
            if let Some(book) = subject.as_book() {
                self.book = book.clone();
            }
        }
        Ok(())
    }

    /// Forgets what is over the bound. The book stays.
    pub(crate) fn trim(&mut self) {
        while self.entries.len() > self.entries_max {
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
