//! How a log's key gives way to the next one: the old key signs the new one's bytes, and the
//! signature stands in the log as an event.

use super::keys::LogKey;

/// What the old key signs.
pub fn rotation_message(old: LogKey, new: LogKey) -> Vec<u8> {
    [&b"bahi/checkpoint-key/1\n"[..], &old.to_bytes(), &new.to_bytes()].concat()
}

/// Whether the old key handed over to the new one.
pub fn verify_rotation(old: LogKey, new: LogKey, signature: &[u8]) -> bool {
    old.verifies_bytes(&rotation_message(old, new), signature)
}
