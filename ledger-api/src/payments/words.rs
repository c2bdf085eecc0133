//! What is said in disputes: words of people, sealed under the key of whoever said them, so that
//! erasing somebody erases what they said. No HTTP here, and no money.

use ledger_core::{
    clock::Timestamp,
    ids::{Owner, PaymentId},
};
use sha2::{Digest as _, Sha256};
use sqlx::{PgPool, Row as _, types::Uuid};
use uuid::Builder;

use crate::{
    http::{Problem, codes},
    vault::{SubjectKeys, VaultError},
};

/// The most characters of one saying.
pub(crate) const WORDS_MAX: usize = 1_000;
/// The most that one side says about one payment.
const SAID_MAX: i64 = 20;
/// Under whose key our own words are.
pub(super) const DESK: &str = "desk";
const FIELD: &str = "dispute_words";

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Who paid.
    Payer,
    /// Who was paid.
    Shop,
    /// A person of ours.
    Desk,
}

impl Side {
    /// The side's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Payer => "payer",
            Self::Shop => "shop",
            Self::Desk => "desk",
        }
    }

    fn of(text: &str) -> Self {
        let known = [Self::Payer, Self::Shop].into_iter().find(|side| side.as_str() == text);
        known.unwrap_or(Self::Desk)
    }
}

/// Something that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// By whom.
    pub side: Side,
    /// The words; nothing once who said them was erased.
    pub words: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// What is said in disputes; cheap to clone.
#[derive(Debug, Clone)]
pub struct DisputeWords {
    pool: PgPool,
    vault: SubjectKeys,
}

impl DisputeWords {
    /// Those of a database, of the installation with this secret.
    pub fn new(pool: PgPool, secret: &[u8; 32]) -> Self {
        let vault = SubjectKeys::new(pool.clone(), secret);
        Self { pool, vault }
    }

    /// Keeps something, once for its id; false if that side said enough about the payment.
    pub(super) async fn keep(
        &self,
        (id, payment): (Uuid, PaymentId),
        (side, subject): (Side, &Owner),
        (words, at): (&str, Timestamp),
    ) -> Result<bool, Problem> {
        let sealed = self.vault.seal(subject, FIELD, words.as_bytes()).await.map_err(unkept)?;
        let sql = "
            with made as (
                insert into dispute_words (id, payment_id, side, subject, words, said_at)
                select $1, $2, $3, $4, $5, $6 where (
                    select count(*) from dispute_words where payment_id = $2 and side = $3) < $7
                on conflict (id) do nothing returning id)
            select exists (select from made) or exists (select from dispute_words where id = $1)";
        let kept: bool = sqlx::query_scalar(sql)
            .bind(id)
            .bind(payment.uuid())
            .bind(side.as_str())
            .bind(subject.as_str())
            .bind(sealed)
            .bind(at)
            .bind(SAID_MAX)
            .fetch_one(&self.pool)
            .await
            .map_err(|error| unkept(error.into()))?;
        Ok(kept)
    }

    /// All that was said about a payment, in order.
    pub(crate) async fn about(&self, payment: PaymentId) -> Result<Vec<Said>, Problem> {
        let rows = sqlx::query(
            "select side, subject, words, said_at from dispute_words where payment_id = $1
             order by number",
        )
        .bind(payment.uuid())
        .fetch_all(&self.pool)
        .await
        .map_err(|error| unkept(error.into()))?;
        let mut said = Vec::with_capacity(rows.len());
        for row in &rows {
            said.push(self.read(row).await?);
        }
        Ok(said)
    }

    async fn read(&self, row: &sqlx::postgres::PgRow) -> Result<Said, Problem> {
        let field = |error: sqlx::Error| unkept(error.into());
        let subject: &str = row.try_get("subject").map_err(field)?;
        let subject: Owner = subject.parse().map_err(|error| Problem::internal(&error))?;
        let sealed: &[u8] = row.try_get("words").map_err(field)?;
        let words = match self.vault.open(&subject, FIELD, sealed).await {
            Ok(words) => Some(String::from_utf8(words).map_err(|error| Problem::internal(&error))?),
            Err(VaultError::Erased) => None,
            Err(error) => return Err(unkept(error)),
        };
        let side: &str = row.try_get("side").map_err(field)?;
        let at = row.try_get("said_at").map_err(field)?;
        Ok(Said { side: Side::of(side), words, at })
    }
}

fn unkept(error: VaultError) -> Problem {
    match error {
        VaultError::Database(error) => Problem::from(projections::ReadError::from(error)),
        other @ (VaultError::Erased | VaultError::Tampered | VaultError::TooLarge) => {
            Problem::internal(&projections::describe(&other))
        }
    }
}

/// The words as they are kept: lines and no other control characters, and not too many.
pub(super) fn checked(pointer: &'static str, text: &str) -> Result<String, Problem> {
    let text = text.replace("\r\n", "\n").trim().to_owned();
    if text.chars().count() > WORDS_MAX {
        let detail = format!("At most {WORDS_MAX} characters.");
        return Err(Problem::field(codes::INVALID, pointer, detail));
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(Problem::field(codes::INVALID, pointer, "No control characters."));
    }
    Ok(text)
}

/// The id of what somebody says under a key: the same however often it is sent.
pub(super) fn id_of(principal: &str, key: &str, payment: PaymentId) -> Uuid {
    let mut hash = Sha256::new();
    hash.update(format!("bahi.words.1\n{principal}\n{payment}\n{key}"));
    let digest: [u8; 32] = hash.finalize().into();
    let mut half = [0; 16];
    half.copy_from_slice(digest.split_at(16).0);
    Builder::from_custom_bytes(half).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_lines_and_bounded_and_the_same_for_the_same_key() {
        assert_eq!(checked("/words", " a\r\nb ").unwrap(), "a\nb");
        assert_eq!(checked("/words", &"é".repeat(WORDS_MAX)).unwrap().chars().count(), WORDS_MAX);
        for bad in ["é".repeat(WORDS_MAX + 1), "a\u{0}b".to_owned(), "a\u{1b}[31m".to_owned()] {
            assert_eq!(checked("/words", &bad).unwrap_err().status(), 422);
        }
        let payment = PaymentId::from_uuid(Uuid::from_u128(7));
        assert_eq!(id_of("a", "k", payment), id_of("a", "k", payment));
        assert_ne!(id_of("a", "k", payment), id_of("b", "k", payment));
    }
}
