//! The MAC of each batch, for who has the key: a batch that no process of the installation appended
//! has none, or another one.
//!
//! Batches of before there was a key have none; from the first one that has, all have. The log does
//! not need them: an export, and whoever lacks the key, is checked without. Written from
//! docs/events.md alone.

use std::fmt;

use futures::TryStreamExt as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use sqlx::{PgConnection, postgres::PgRow};

use super::{
    AuditError,
    database::{bytes, micros, number},
    finding::{Code, Finding, Findings},
    report::MacFigures,
};

const TAG: &[u8] = b"bahi/batch-mac/1";

/// The key that batches are authenticated with, and from which batch on all must be.
#[derive(Clone)]
pub struct MacKey {
    key: [u8; 32],
    from: i64,
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey(hidden)")
    }
}

impl MacKey {
    /// A key of these bytes, and all batches from the first one that has a MAC on.
    pub const fn new(key: [u8; 32]) -> Self {
        Self { key, from: 0 }
    }

    /// All batches from this one on, and none before: processes of an earlier release, which knows
    /// no key, may have appended those.
    pub const fn starting_at(self, batch: i64) -> Self {
        Self { from: batch, ..self }
    }

    /// Whether `mac` is that of a batch.
    fn fits(&self, batch: &Stored<'_>) -> bool {
        let mut block = [0; 64];
        block[..32].copy_from_slice(&self.key);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        mac.update(TAG);
        for field in [batch.number, batch.last_position, batch.recorded_at] {
            mac.update(&field.to_be_bytes());
        }
        mac.update(batch.head_hash);
        mac.verify_slice(batch.mac).is_ok()
    }
}

/// A row, as it is stored.
struct Stored<'r> {
    number: i64,
    last_position: i64,
    recorded_at: i64,
    head_hash: &'r [u8],
    mac: &'r [u8],
    /// The last position of the batch before.
    before: i64,
}

impl<'r> Stored<'r> {
    fn of(row: &'r PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            number: number(row, 0)?,
            last_position: number(row, 1)?,
            recorded_at: micros(row, 2)?,
            head_hash: bytes(row, 3)?,
            mac: bytes(row, 4)?,
            before: number(row, 5)?,
        })
    }
}

/// Checks every batch from where the key says, else from the first one with a MAC on: where a
/// number is said, nobody hides anything by taking all MACs away.
pub(super) async fn compare(
    connection: &mut PgConnection,
    key: &MacKey,
    findings: &mut Findings,
) -> Result<MacFigures, AuditError> {
    let sql = "select b.number, b.last_position, b.recorded_at, b.head_hash, b.mac, b.before
               from (select *, lag(last_position) over (order by number) as before from batches) b
               where b.number >= coalesce(
                   nullif($1, 0), (select min(number) from batches where mac is not null))
               order by b.number";
    let mut rows = sqlx::query(sql).bind(key.from).fetch(connection);
    let mut figures = MacFigures { since_batch: None, compared: 0, differing: 0 };
    while let Some(row) = rows.try_next().await? {
        let batch = Stored::of(&row)?;
        figures.since_batch.get_or_insert(batch.number);
        figures.compared += 1;
        if !key.fits(&batch) {
            figures.differing += 1;
            let none = batch.mac.is_empty();
            let words = if none { "has no MAC" } else { "has a MAC of another key" };
            findings.push(Finding {
                code: Code::BatchMacDiffers,
                // Its first event; of a batch without events, where it stands.
                position: Some(batch.before.saturating_add(1).min(batch.last_position)),
                batch: Some(batch.number),
                stream: None,
                words: format!("the batch {words}: no process with the secret appended it"),
            });
        }
    }
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_test_vector_holds() {
        let expected = "520b56a02b11dda669752f205c3ad7054c66fe85516874a10b21416eaaa5323a";
        let (head_hash, mac) = ([0xab; 32], hex::decode(expected).unwrap());
        let batch = |number| Stored {
            number,
            last_position: 9,
            recorded_at: 1_795_356_135_000_001,
            head_hash: &head_hash,
            mac: &mac,
            before: 7,
        };
        assert!(MacKey::new([0x11; 32]).fits(&batch(7)));
        assert!(!MacKey::new([0x11; 32]).fits(&batch(8)));
        assert!(!MacKey::new([0x12; 32]).fits(&batch(7)));
        assert!(!MacKey::new([0x11; 32]).fits(&Stored { mac: &[], ..batch(7) }));
        assert_eq!(format!("{:?}", MacKey::new([0x11; 32])), "MacKey(hidden)");
    }
}
