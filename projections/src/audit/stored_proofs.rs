//! The tables of proofs against the log: stored checkpoints, cosignatures and tiles.
//!
//! They follow from the events and the key. Who changed one of them changed nothing of the log, but
//! people would be given proofs that do not hold.

use futures::TryStreamExt;
use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{
    AuditError,
    finding::{Code, Findings},
    proof::{Hash, LogKey, NoteSignature, SignedCheckpoint, tile_root},
    tree,
};

/// Whether the database has the tables, and whoever asks may read them.
async fn are_there(connection: &mut PgConnection) -> Result<bool, AuditError> {
    let there: Option<bool> = sqlx::query_scalar(
        "select has_table_privilege(to_regclass('checkpoints'), 'select')
            and has_table_privilege(to_regclass('checkpoint_cosignatures'), 'select')
            and has_table_privilege(to_regclass('proof_tiles'), 'select')",
    )
    .fetch_one(connection)
    .await?;
    Ok(there == Some(true))
}

/// The stored checkpoints whose rows are sound; the others are findings.
pub(super) async fn notes(
    connection: &mut PgConnection,
    findings: &mut Findings,
) -> Result<Vec<SignedCheckpoint>, AuditError> {
    if !are_there(connection).await? {
        return Ok(Vec::new());
    }
    let mut rows =
        sqlx::query("select size, root, public_key, note from checkpoints order by size")
            .fetch(&mut *connection);
    let mut notes: Vec<SignedCheckpoint> = Vec::new();
    while let Some(row) = rows.try_next().await? {
        let size: i64 = row.try_get("size")?;
        match note(&row)? {
            Ok(note) => notes.push(note),
            Err(words) => findings.position(size, Code::CheckpointStoredDiffers, words),
        }
    }
    drop(rows);
    if let [first, .., last] = notes.as_slice()
        && first.origin() != last.origin()
    {
        let size = i64::try_from(last.size()).unwrap_or(i64::MAX);
        let words = "the log has another name than in the first checkpoint";
        findings.position(size, Code::CheckpointStoredDiffers, words);
    }
    Ok(notes)
}

/// A row as a note, or what is wrong with it.
fn note(row: &PgRow) -> Result<Result<SignedCheckpoint, &'static str>, sqlx::Error> {
    let (size, root): (i64, Vec<u8>) = (row.try_get("size")?, row.try_get("root")?);
    let (key, text): (Vec<u8>, String) = (row.try_get("public_key")?, row.try_get("note")?);
    let Ok(note) = SignedCheckpoint::parse(&text) else {
        return Ok(Err("the stored checkpoint is no note"));
    };
    if u64::try_from(size) != Ok(note.size()) || root != note.root() {
        return Ok(Err("the stored checkpoint's columns say something else than its note"));
    }
    let signed = LogKey::from_bytes(&key).is_ok_and(|key| note.is_signed_by(key));
    Ok(if signed { Ok(note) } else { Err("the stored checkpoint is not signed by its key") })
}

/// Compares the stored tiles with the tree that was made again, and cosignatures with their notes.
pub(super) async fn compare(
    connection: &mut PgConnection,
    blocks: &[Hash],
    findings: &mut Findings,
) -> Result<(), AuditError> {
    if !are_there(connection).await? {
        return Ok(());
    }
    let mut rows =
        sqlx::query("select level, number, root, hashes from proof_tiles order by level, number")
            .fetch(&mut *connection);
    let mut expected = Expected::new(blocks);
    while let Some(row) = rows.try_next().await? {
        let (level, number): (i16, i64) = (row.try_get("level")?, row.try_get("number")?);
        let (root, hashes): (Vec<u8>, Vec<u8>) = (row.try_get("root")?, row.try_get("hashes")?);
        let place = (u32::try_from(level).unwrap_or(0), u64::try_from(number).unwrap_or(0));
        if let Some(words) = expected.difference(place, &root, &hashes) {
            findings.push(tree::differs(place.0, place.1, words));
        }
    }
    drop(rows);
    cosignatures(connection, findings).await
}

/// The roots of complete tiles, by level.
struct Expected {
    levels: Vec<Vec<Hash>>,
    /// The next tile that should come.
    next: (u32, u64),
}

impl Expected {
    fn new(blocks: &[Hash]) -> Self {
        let mut levels = vec![blocks.to_vec()];
        while let Some(below) = levels.last().filter(|below| below.len() >= 256) {
            levels.push(below.chunks_exact(256).map(|tile| tile_root(&tile.concat())).collect());
        }
        Self { levels, next: (0, 0) }
    }

    fn difference(&mut self, place: (u32, u64), root: &[u8], hashes: &[u8]) -> Option<String> {
        let (level, number) = place;
        let follows = place == self.next || (level > self.next.0 && number == 0);
        self.next = (level, number.saturating_add(1));
        if !follows {
            return Some(format!("tile {number} of level {level} follows a hole in the tree"));
        }
        let index = usize::try_from(number).ok()?;
        let roots = usize::try_from(level).ok().and_then(|level| self.levels.get(level));
        let Some(expected) = roots.and_then(|roots| roots.get(index)) else {
            return Some(format!("tile {number} of level {level} is of a longer log"));
        };
        let sound = root == expected && tile_root(hashes) == *expected && hashes.len() == 8_192;
        (!sound).then(|| format!("tile {number} of level {level} is not that of these events"))
    }
}

/// Every stored line must be one of a signature of its witness; whether it is true can only say who
/// knows the witness's key.
async fn cosignatures(
    connection: &mut PgConnection,
    findings: &mut Findings,
) -> Result<(), AuditError> {
    let mut rows =
        sqlx::query("select size, witness, line from checkpoint_cosignatures order by size")
            .fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let (witness, line): (String, String) = (row.try_get("witness")?, row.try_get("line")?);
        if NoteSignature::parse(&line).is_ok_and(|line| line.name == witness) {
            continue;
        }
        let words = format!("the stored line is no signature of {witness:?}");
        findings.position(row.try_get("size")?, Code::CheckpointStoredDiffers, words);
    }
    Ok(())
}
