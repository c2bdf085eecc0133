//! The tables of proofs: tiles of the tree, signed checkpoints, cosignatures. Insert-only.

use chrono::{DateTime, Utc};
use projections::audit::proof::{Hash, NoteSignature, SignedCheckpoint, Tile};
use sqlx::{PgPool, Row, postgres::PgRow};

/// A stored checkpoint.
#[derive(Debug, Clone)]
pub struct StoredCheckpoint {
    /// The note, with what witnesses said.
    pub note: SignedCheckpoint,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// The key that signed it.
    pub public_key: Vec<u8>,
    /// The witnesses that cosigned it.
    pub witnesses: Vec<String>,
}

const COLUMNS: &str = "c.made_at, c.public_key, c.note,
    array(select witness from checkpoint_cosignatures s where s.size = c.size order by witness)
        as witnesses,
    array(select line from checkpoint_cosignatures s where s.size = c.size order by witness)
        as lines";

/// The tables.
#[derive(Debug, Clone)]
pub struct ProofStore {
    pool: PgPool,
}

impl ProofStore {
    /// Those of a database.
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// What it works on.
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The last checkpoint.
    ///
    /// # Errors
    /// What the database says.
    pub async fn last(&self) -> sqlx::Result<Option<StoredCheckpoint>> {
        let sql = format!("select {COLUMNS} from checkpoints c order by size desc limit 1");
        let row = sqlx::query(&sql).fetch_optional(&self.pool).await?;
        row.as_ref().map(stored).transpose()
    }

    /// The checkpoint of exactly this size.
    ///
    /// # Errors
    /// What the database says.
    pub async fn of_size(&self, size: u64) -> sqlx::Result<Option<StoredCheckpoint>> {
        let sql = format!("select {COLUMNS} from checkpoints c where size = $1");
        let row = sqlx::query(&sql).bind(signed(size)?).fetch_optional(&self.pool).await?;
        row.as_ref().map(stored).transpose()
    }

    /// The first checkpoint that has the event at `position`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn first_with(&self, position: u64) -> sqlx::Result<Option<StoredCheckpoint>> {
        let sql =
            format!("select {COLUMNS} from checkpoints c where size >= $1 order by size limit 1");
        let row = sqlx::query(&sql).bind(signed(position)?).fetch_optional(&self.pool).await?;
        row.as_ref().map(stored).transpose()
    }

    /// Checkpoints of less than `before`, the last first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn list(
        &self,
        before: Option<u64>,
        limit: u32,
    ) -> sqlx::Result<Vec<StoredCheckpoint>> {
        let sql = format!(
            "select {COLUMNS} from checkpoints c where size < $1 order by size desc limit $2"
        );
        let before = before.map_or(Ok(i64::MAX), signed)?;
        let rows =
            sqlx::query(&sql).bind(before).bind(i64::from(limit)).fetch_all(&self.pool).await?;
        rows.iter().map(stored).collect()
    }

    /// Stores a checkpoint; whether it is new. What is there of that size stays.
    ///
    /// # Errors
    /// What the database says.
    pub async fn insert(
        &self,
        note: &SignedCheckpoint,
        public_key: [u8; 32],
    ) -> sqlx::Result<bool> {
        let done = sqlx::query(
            "insert into checkpoints (size, root, public_key, note) values ($1, $2, $3, $4)
             on conflict do nothing",
        )
        .bind(signed(note.size())?)
        .bind(note.root().as_slice())
        .bind(public_key.as_slice())
        .bind(note.to_string())
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Stores what a witness said of a checkpoint.
    ///
    /// # Errors
    /// What the database says.
    pub async fn cosigned(&self, size: u64, line: &NoteSignature) -> sqlx::Result<()> {
        sqlx::query(
            "insert into checkpoint_cosignatures (size, witness, line) values ($1, $2, $3)
             on conflict do nothing",
        )
        .bind(signed(size)?)
        .bind(&line.name)
        .bind(line.to_string())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// How far a witness has seen the log: the size of what it cosigned last, or 0.
    ///
    /// # Errors
    /// What the database says.
    pub async fn seen_by(&self, witness: &str) -> sqlx::Result<u64> {
        let seen: Option<i64> =
            sqlx::query_scalar("select max(size) from checkpoint_cosignatures where witness = $1")
                .bind(witness)
                .fetch_one(&self.pool)
                .await?;
        Ok(seen.and_then(|size| u64::try_from(size).ok()).unwrap_or(0))
    }

    /// How many complete tiles each level has, from the lowest.
    ///
    /// # Errors
    /// What the database says.
    pub async fn complete_tiles(&self) -> sqlx::Result<Vec<u64>> {
        let mut counts = Vec::new();
        for level in 0_i16.. {
            let last: Option<i64> =
                sqlx::query_scalar("select max(number) from proof_tiles where level = $1")
                    .bind(level)
                    .fetch_one(&self.pool)
                    .await?;
            match last.and_then(|last| u64::try_from(last).ok()) {
                Some(last) => counts.push(last.saturating_add(1)),
                None => break,
            }
        }
        Ok(counts)
    }

    /// The hashes of a complete tile.
    ///
    /// # Errors
    /// What the database says.
    pub async fn tile(&self, level: u32, number: u64) -> sqlx::Result<Option<Vec<u8>>> {
        sqlx::query_scalar("select hashes from proof_tiles where level = $1 and number = $2")
            .bind(level_of(level)?)
            .bind(signed(number)?)
            .fetch_optional(&self.pool)
            .await
    }

    /// The roots of a level's tiles from `from` on, before `to`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn roots(&self, level: u32, (from, to): (u64, u64)) -> sqlx::Result<Vec<Hash>> {
        let roots: Vec<Vec<u8>> = sqlx::query_scalar(
            "select root from proof_tiles where level = $1 and number >= $2 and number < $3
             order by number",
        )
        .bind(level_of(level)?)
        .bind(signed(from)?)
        .bind(signed(to)?)
        .fetch_all(&self.pool)
        .await?;
        Ok(roots.into_iter().map(|root| root.try_into().unwrap_or_default()).collect())
    }

    /// Stores complete tiles, all or none. Those that are there stay.
    ///
    /// # Errors
    /// What the database says.
    pub async fn insert_tiles(&self, tiles: &[Tile]) -> sqlx::Result<()> {
        let mut db_tx = self.pool.begin().await?;
        for tile in tiles {
            sqlx::query(
                "insert into proof_tiles (level, number, root, hashes) values ($1, $2, $3, $4)
                 on conflict do nothing",
            )
            .bind(level_of(tile.level)?)
            .bind(signed(tile.number)?)
            .bind(tile.root.as_slice())
            .bind(&tile.hashes)
            .execute(&mut *db_tx)
            .await?;
        }
        db_tx.commit().await
    }
}

fn stored(row: &PgRow) -> sqlx::Result<StoredCheckpoint> {
    let decode = |error: projections::audit::proof::NoteError| sqlx::Error::Decode(error.into());
    let text: String = row.try_get("note")?;
    let mut note = SignedCheckpoint::parse(&text).map_err(decode)?;
    let lines: Vec<String> = row.try_get("lines")?;
    for line in &lines {
        note.add(NoteSignature::parse(line).map_err(decode)?);
    }
    Ok(StoredCheckpoint {
        note,
        made_at: row.try_get("made_at")?,
        public_key: row.try_get("public_key")?,
        witnesses: row.try_get("witnesses")?,
    })
}

fn signed(number: u64) -> sqlx::Result<i64> {
    i64::try_from(number).map_err(|error| sqlx::Error::Encode(error.into()))
}

fn level_of(level: u32) -> sqlx::Result<i16> {
    i16::try_from(level).map_err(|error| sqlx::Error::Encode(error.into()))
}
