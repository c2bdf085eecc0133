//! The MAC of a batch: HMAC-SHA256 over the head that it makes, by a key that the database does not
//! have.
//!
//! The hash chain says that nothing was changed, and whoever can append can go on with it. The MAC
//! says that a process of this installation appended: who has stolen the application's login of the
//! database, and nothing else, cannot make one. The head's hash covers all events up to it, so one
//! MAC a batch is enough. Nobody needs it to go on: it is looked at by the auditor's check
//! (docs/proof.md).

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::Head;

const TAG: &[u8] = b"bahi/batch-mac/1";
/// What HMAC takes a key as: a block of SHA-256, zeros behind the key.
const BLOCK_BYTES: usize = 64;

/// The key that batches are authenticated with. All processes of an installation have the same.
#[derive(Clone)]
pub struct BatchKey([u8; 32]);

impl fmt::Debug for BatchKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BatchKey(hidden)")
    }
}

impl BatchKey {
    /// A key of these bytes, which must be secret and of no other use.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The MAC of the batch that ends with `head`.
    pub fn mac(&self, head: &Head) -> [u8; 32] {
        let mut block = [0; BLOCK_BYTES];
        for (to, from) in block.iter_mut().zip(&self.0) {
            *to = *from;
        }
        let mut mac = Hmac::<Sha256>::new(&block.into());
        mac.update(TAG);
        mac.update(&head.batch.to_be_bytes());
        mac.update(&head.position.to_be_bytes());
        mac.update(&head.recorded_at.timestamp_micros().to_be_bytes());
        mac.update(&head.hash);
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Head {
        let recorded_at = chrono::DateTime::from_timestamp_micros(1_795_356_135_000_001).unwrap();
        Head { batch: 7, position: 9, hash: [0xab; 32], recorded_at }
    }

    #[test]
    fn the_published_test_vector_holds() {
        // Made by an independent implementation; docs/events.md shows how.
        let expected = "520b56a02b11dda669752f205c3ad7054c66fe85516874a10b21416eaaa5323a";
        assert_eq!(hex::encode(BatchKey::new([0x11; 32]).mac(&head())), expected);
    }

    #[test]
    fn the_key_and_every_field_of_the_head_are_part_of_it() {
        let key = BatchKey::new([0x11; 32]);
        let later = head().recorded_at + chrono::TimeDelta::microseconds(1);
        let mut macs = vec![
            key.mac(&head()),
            BatchKey::new([0x12; 32]).mac(&head()),
            key.mac(&Head { batch: 8, ..head() }),
            key.mac(&Head { position: 10, ..head() }),
            key.mac(&Head { hash: [0xac; 32], ..head() }),
            key.mac(&Head { recorded_at: later, ..head() }),
        ];
        let all = macs.len();
        macs.sort_unstable();
        macs.dedup();
        assert_eq!(macs.len(), all);
        assert_eq!(format!("{key:?}"), "BatchKey(hidden)");
    }
}
