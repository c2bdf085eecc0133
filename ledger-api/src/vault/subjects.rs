//! The data keys of persons (`migrations/13_inbox_keys.sql`), and what is sealed under them.
//!
//! A subject is whoever data is about, by the opaque id that accounts and bank accounts have as
//! their owner. Its key is made when something is first sealed for it. Erasing it throws the key
//! away and leaves a mark, so that what comes in about it later is not kept under a new key: who
//! was forgotten stays forgotten.
//!
//! Nothing is remembered here. A key that was erased by another process must not open anything in
//! this one, and a look at a primary key costs little beside whatever the bytes are needed for.

use std::collections::{BTreeMap, BTreeSet};

use ledger_core::ids::Owner;
use sqlx::PgPool;

use super::seal::{DataKey, Purpose, WrappingKey};

const KEY_PURPOSE: &str = "bahi:subject-key:1";
const FIELD_PURPOSE: &str = "bahi:subject-field:1";

/// Why nothing was sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The subject was erased, and nothing about it is kept any more.
    #[error("the subject was erased")]
    Erased,
    /// The bytes, or the key of their subject, are not what was sealed: another secret, another
    /// subject or field, or somebody changed them.
    #[error("what is stored is not what was sealed")]
    Tampered,
    /// There are more bytes than can be sealed at once.
    #[error("it is too much to be sealed")]
    TooLarge,
    /// The database did not answer.
    #[error("the keys could not be asked for")]
    Database(#[from] sqlx::Error),
}

impl VaultError {
    /// The same as a store says it: what is gone, what the database said, what could not be opened.
    pub(crate) fn sorted<E>(
        self,
        gone: E,
        database: impl FnOnce(sqlx::Error) -> E,
        vault: impl FnOnce(Self) -> E,
    ) -> E {
        match self {
            Self::Erased => gone,
            Self::Database(error) => database(error),
            other @ (Self::Tampered | Self::TooLarge) => vault(other),
        }
    }
}

/// The keys of all subjects; cheap to clone.
#[derive(Debug, Clone)]
pub struct SubjectKeys {
    pool: PgPool,
    wrapping: WrappingKey,
}

impl SubjectKeys {
    /// Those in the ledger's database, of the installation with this secret.
    pub fn new(pool: PgPool, secret: &[u8; 32]) -> Self {
        Self { pool, wrapping: WrappingKey::derive(secret) }
    }

    /// What data keys are wrapped with, for what belongs to nobody yet.
    pub const fn wrapping(&self) -> &WrappingKey {
        &self.wrapping
    }

    /// Seals a field of a subject's. It opens as this field of this subject and as nothing else.
    ///
    /// # Errors
    /// [`VaultError`]; [`VaultError::Erased`] if the subject was erased.
    pub async fn seal(
        &self,
        subject: &Owner,
        field: &str,
        bytes: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        let key = match self.find(subject).await? {
            Some(key) => key,
            None => self.make(subject).await?,
        };
        let parts = [subject.as_str().as_bytes(), field.as_bytes()];
        let purpose = Purpose { name: FIELD_PURPOSE, parts: &parts };
        key.seal(purpose, bytes).ok_or(VaultError::TooLarge)
    }

    /// Seals fields of many subjects, with few questions to the database; each by itself and in
    /// their order.
    ///
    /// # Errors
    /// [`VaultError::Database`]; what is wrong with one field is said in its place.
    pub async fn seal_all(
        &self,
        fields: &[(&Owner, &str, &[u8])],
    ) -> Result<Vec<Result<Vec<u8>, VaultError>>, VaultError> {
        let subjects: BTreeSet<&str> =
            fields.iter().map(|(subject, ..)| subject.as_str()).collect();
        let names: Vec<&str> = subjects.into_iter().collect();
        let mut keys = self.all_stored(&names).await?;
        let fresh = fields.iter().filter(|(subject, ..)| !keys.contains_key(subject.as_str()));
        let fresh: BTreeMap<&str, &Owner> = fresh.map(|(one, ..)| (one.as_str(), *one)).collect();
        if !fresh.is_empty() {
            for subject in fresh.into_values() {
                match self.make(subject).await {
                    Ok(_) | Err(VaultError::Erased | VaultError::Tampered) => {}
                    Err(error @ (VaultError::Database(_) | VaultError::TooLarge)) => {
                        return Err(error);
                    }
                }
            }
            keys = self.all_stored(&names).await?;
        }
        let seal = |(subject, field, bytes): &(&Owner, &str, &[u8])| {
            let wrapped = keys.get(subject.as_str()).ok_or(VaultError::Tampered)?;
            let key = self.unwrapped(subject, wrapped.as_deref())?;
            let parts = [subject.as_str().as_bytes(), field.as_bytes()];
            let purpose = Purpose { name: FIELD_PURPOSE, parts: &parts };
            key.seal(purpose, bytes).ok_or(VaultError::TooLarge)
        };
        Ok(fields.iter().map(seal).collect())
    }

    /// Opens a field of a subject's.
    ///
    /// # Errors
    /// [`VaultError`]; [`VaultError::Erased`] if the subject was erased.
    pub async fn open(
        &self,
        subject: &Owner,
        field: &str,
        sealed: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        let key = self.find(subject).await?.ok_or(VaultError::Tampered)?;
        opened(&key, subject, field, sealed)
    }

    /// Opens fields of many subjects with one question to the database, each by itself and in
    /// their order.
    ///
    /// # Errors
    /// [`VaultError::Database`]; what is wrong with one field is said in its place.
    pub async fn open_all(
        &self,
        sealed: &[(&Owner, &str, &[u8])],
    ) -> Result<Vec<Result<Vec<u8>, VaultError>>, VaultError> {
        let names: Vec<&str> = sealed.iter().map(|(subject, ..)| subject.as_str()).collect();
        let keys = self.all_stored(&names).await?;
        let open = |(subject, field, sealed): &(&Owner, &str, &[u8])| {
            let wrapped = keys.get(subject.as_str()).ok_or(VaultError::Tampered)?;
            opened(&self.unwrapped(subject, wrapped.as_deref())?, subject, field, sealed)
        };
        Ok(sealed.iter().map(open).collect())
    }

    /// Throws a subject's key away, for ever: nothing that was sealed for it opens again, and
    /// nothing more is sealed for it. Whether there was one to throw away.
    ///
    /// # Errors
    /// What the database says; it may be repeated.
    pub async fn erase(&self, subject: &Owner) -> Result<bool, VaultError> {
        let sql = "
            insert into subject_keys as k (subject, erased_at) values ($1, now())
            on conflict (subject) do update set wrapped = null, erased_at = now()
                where k.erased_at is null
            returning 1";
        // Read before it is gone; whoever is faster says that there was one.
        let had = matches!(self.find(subject).await, Ok(Some(_)) | Err(VaultError::Tampered));
        let query = sqlx::query(sql).bind(subject.as_str());
        let erased = query.fetch_optional(&self.pool).await?.is_some();
        Ok(had && erased)
    }

    /// Whether a subject was erased.
    ///
    /// # Errors
    /// What the database says.
    pub async fn is_erased(&self, subject: &Owner) -> Result<bool, VaultError> {
        Ok(matches!(self.stored(subject).await?, Some(None)))
    }

    async fn find(&self, subject: &Owner) -> Result<Option<DataKey>, VaultError> {
        let Some(wrapped) = self.stored(subject).await? else { return Ok(None) };
        self.unwrapped(subject, wrapped.as_deref()).map(Some)
    }

    async fn stored(&self, subject: &Owner) -> Result<Option<Option<Vec<u8>>>, VaultError> {
        let sql = "select wrapped from subject_keys where subject = $1";
        let query = sqlx::query_scalar(sql).bind(subject.as_str());
        Ok(query.fetch_optional(&self.pool).await?)
    }

    async fn all_stored(
        &self,
        names: &[&str],
    ) -> Result<BTreeMap<String, Option<Vec<u8>>>, VaultError> {
        let sql = "select subject, wrapped from subject_keys where subject = any($1)";
        let rows = sqlx::query_as(sql).bind(names).fetch_all(&self.pool).await?;
        Ok(rows.into_iter().collect())
    }

    /// Makes a key unless somebody was faster; the one that stands.
    async fn make(&self, subject: &Owner) -> Result<DataKey, VaultError> {
        let parts = [subject.as_str().as_bytes()];
        let purpose = Purpose { name: KEY_PURPOSE, parts: &parts };
        let wrapped = self.wrapping.wrap(purpose, &DataKey::generate());
        let sql = "insert into subject_keys (subject, wrapped) values ($1, $2)
                   on conflict do nothing";
        let query = sqlx::query(sql).bind(subject.as_str()).bind(wrapped);
        query.execute(&self.pool).await?;
        self.find(subject).await?.ok_or(VaultError::Database(sqlx::Error::RowNotFound))
    }

    fn unwrapped(&self, subject: &Owner, wrapped: Option<&[u8]>) -> Result<DataKey, VaultError> {
        let wrapped = wrapped.ok_or(VaultError::Erased)?;
        let parts = [subject.as_str().as_bytes()];
        let purpose = Purpose { name: KEY_PURPOSE, parts: &parts };
        self.wrapping.unwrap(purpose, wrapped).ok_or(VaultError::Tampered)
    }
}

fn opened(
    key: &DataKey,
    subject: &Owner,
    field: &str,
    sealed: &[u8],
) -> Result<Vec<u8>, VaultError> {
    let parts = [subject.as_str().as_bytes(), field.as_bytes()];
    let purpose = Purpose { name: FIELD_PURPOSE, parts: &parts };
    key.open(purpose, sealed).ok_or(VaultError::Tampered)
}
