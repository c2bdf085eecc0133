//! The log as a chain: no hole, no fork, every hash.

use sha2::{Digest, Sha256};

use super::{Event, Log};

/// Checks positions, sequences, batches and hashes; says how many batches have no events.
pub(super) fn check(log: &Log) -> usize {
    sequences(log);
    let mut events = log.events.iter();
    let mut position = 0;
    let mut head = vec![0_u8; 32];
    let mut recorded = i64::MIN;
    let mut empty = 0;
    for (number, batch) in (0_i64..).zip(&log.batches) {
        assert_eq!(batch.number, number, "batches are numbered without a hole");
        assert!(batch.recorded_micros >= recorded, "batch {number}: time runs backwards");
        recorded = batch.recorded_micros;
        if number > 0 && batch.last_position == position {
            head = empty_hash(&head, number);
            empty += 1;
        }
        while position < batch.last_position {
            let event = events.next().unwrap_or_else(|| panic!("batch {number} lacks events"));
            position += 1;
            assert_eq!(event.position, position, "positions are 1 to n");
            assert_eq!(event.recorded_micros, recorded, "position {position}: not its batch's");
            head = hash(&head, event);
            assert_eq!(event.hash, head, "position {position}: the chain is broken");
        }
        assert_eq!(batch.last_position, position, "batch {number} goes back");
        assert_eq!(batch.head_hash, head, "batch {number}: its hash is not the chain's");
    }
    assert!(events.next().is_none(), "events after the last batch");
    empty
}

fn sequences(log: &Log) {
    let mut last = std::collections::BTreeMap::new();
    for event in &log.events {
        let sequence = last.entry((&event.kind, &event.stream)).or_insert(0);
        *sequence += 1;
        let Event { position, stream, .. } = event;
        assert_eq!(event.sequence, *sequence, "position {position}: a hole in {stream}");
    }
}

fn hash(before: &[u8], event: &Event) -> Vec<u8> {
    let mut hasher = Sha256::new();
    text(&mut hasher, b"bahi/event/1");
    hasher.update(before);
    hasher.update(event.position.to_be_bytes());
    text(&mut hasher, event.kind.as_bytes());
    text(&mut hasher, event.stream.as_bytes());
    hasher.update(event.sequence.to_be_bytes());
    text(&mut hasher, event.name.as_bytes());
    text(&mut hasher, event.version.as_bytes());
    hasher.update(event.recorded_micros.to_be_bytes());
    text(&mut hasher, &event.payload);
    text(&mut hasher, &event.metadata);
    hasher.finalize().to_vec()
}

fn empty_hash(before: &[u8], number: i64) -> Vec<u8> {
    let mut hasher = Sha256::new();
    text(&mut hasher, b"bahi/batch/1");
    hasher.update(before);
    hasher.update(number.to_be_bytes());
    hasher.finalize().to_vec()
}

fn text(hasher: &mut Sha256, bytes: &[u8]) {
    hasher.update(u32::try_from(bytes.len()).unwrap().to_be_bytes());
    hasher.update(bytes);
}
