//! Codes of six digits and links with 256 bits: sent to an address or a number, they prove that it
//! is theirs. Ten minutes, five tries, once.

use chrono::TimeDelta;
use ledger_core::clock::Timestamp;
use sqlx::Row as _;
use subtle::ConstantTimeEq as _;

use super::{People, PeopleError, PersonId};
use crate::sessions::Token;

const LIFE: TimeDelta = TimeDelta::minutes(10);
const ATTEMPTS_MAX: i16 = 5;

/// What a code is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To prove the e-mail address.
    Email,
    /// To prove the phone number.
    Phone,
    /// To set the password anew.
    Reset,
    /// To prove again who one is, beside a login provider's word.
    StepUp,
}

impl Purpose {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Reset => "reset",
            Self::StepUp => "step_up",
        }
    }
}

/// What is sent, told once.
#[derive(Debug, Clone)]
pub struct Issued {
    /// Six digits, to be typed.
    pub code: String,
    /// To be followed.
    pub link: Token,
}

/// The hash of the address or number that was proved.
pub type Target = [u8; 32];

impl People {
    /// Makes a code for what has this hash. The one before of its purpose is worth nothing.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn issue(
        &self,
        id: PersonId,
        purpose: Purpose,
        target: &Target,
        now: Timestamp,
    ) -> Result<Issued, PeopleError> {
        let code = format!("{:06}", rand::random_range(0..1_000_000_u32));
        let link = Token::generate();
        // Guessed by nobody who has no session of the person; a reset has none, so it has no code.
        let hash = self.code_hash(id, purpose, &code);
        let code_hash = (purpose != Purpose::Reset).then_some(hash.as_slice());
        // What goes on in this browser is not to be followed from another one.
        let link_hash = link.hash();
        let link_hash = (purpose != Purpose::StepUp).then_some(link_hash.as_slice());
        sqlx::query(
            "insert into person_codes (person_id, purpose, code_hash, link_sha256, target_hash,
                 created_at, expires_at)
             values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (person_id, purpose) do update set code_hash = $3, link_sha256 = $4,
                 target_hash = $5, created_at = $6, expires_at = $7, attempts = 0",
        )
        .bind(id.uuid())
        .bind(purpose.as_str())
        .bind(code_hash)
        .bind(link_hash)
        .bind(target.as_slice())
        .bind(now)
        .bind(now.checked_add_signed(LIFE).unwrap_or(now))
        .execute(&self.pool)
        .await?;
        Ok(Issued { code, link })
    }

    /// What a code proves, once. A wrong one is counted, also of many at the same time.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn take_code(
        &self,
        id: PersonId,
        purpose: Purpose,
        code: &str,
        now: Timestamp,
    ) -> Result<Option<Target>, PeopleError> {
        let kept: Option<Vec<u8>> = sqlx::query_scalar(
            "update person_codes set attempts = attempts + 1
             where person_id = $1 and purpose = $2 and expires_at > $3 and attempts < $4
                 and code_hash is not null
             returning code_hash",
        )
        .bind(id.uuid())
        .bind(purpose.as_str())
        .bind(now)
        .bind(ATTEMPTS_MAX)
        .fetch_optional(&self.pool)
        .await?;
        let given = self.code_hash(id, purpose, code);
        if !kept.is_some_and(|kept| bool::from(kept.as_slice().ct_eq(given.as_slice()))) {
            return Ok(None);
        }
        let row = sqlx::query(
            "delete from person_codes where person_id = $1 and purpose = $2 and code_hash = $3
             returning target_hash",
        )
        .bind(id.uuid())
        .bind(purpose.as_str())
        .bind(given.as_slice())
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| target(&row)).transpose()
    }

    /// Whose a link is and what it proves, once.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn take_link(
        &self,
        purpose: Purpose,
        link: &Token,
        now: Timestamp,
    ) -> Result<Option<(PersonId, Target)>, PeopleError> {
        let row = sqlx::query(
            "delete from person_codes c using people p
             where c.link_sha256 = $1 and c.purpose = $2 and c.expires_at > $3
                 and p.id = c.person_id and p.status = 'active'
             returning c.person_id, c.target_hash",
        )
        .bind(link.hash().as_slice())
        .bind(purpose.as_str())
        .bind(now)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some((PersonId::from_uuid(row.try_get("person_id")?), target(&row)?)))
    }

    fn code_hash(&self, id: PersonId, purpose: Purpose, code: &str) -> [u8; 32] {
        let uuid = id.uuid();
        let parts = [uuid.as_bytes().as_slice(), purpose.as_str().as_bytes(), code.as_bytes()];
        self.key.hash("code", &parts)
    }
}

fn target(row: &sqlx::postgres::PgRow) -> Result<Target, PeopleError> {
    let hash: Vec<u8> = row.try_get("target_hash")?;
    hash.try_into().map_err(|_| PeopleError::Malformed("target_hash"))
}
