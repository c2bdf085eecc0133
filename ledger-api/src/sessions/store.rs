//! The table of sessions.

use std::{fmt, str::FromStr, sync::Arc};

use chrono::TimeDelta;
use ledger_core::{
    clock::{Clock, Timestamp},
    ids::IdError,
};
use sqlx::{PgPool, Row as _, postgres::PgRow, types::Uuid};

use super::{ABSOLUTE, Audience, IDLE, RECENT, Token};
use crate::{people::PersonId, shops::MerchantId};

/// A use is written down when the last one that was is so long ago.
const NOTED_EVERY: TimeDelta = TimeDelta::seconds(60);
const AGENT_CHARS_MAX: usize = 100;
const PREFIX: &str = "ses_";
const SESSION_ID: IdError =
    IdError { expected: "session id (ses_ and 32 lower-case hexadecimal digits)" };

const COLUMNS: &str = "id, person_id, audience, merchant_id, agent, created_at, seen_at, \
    reauthenticated_at";

/// A session, by what may be shown of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId(Uuid);

impl SessionId {
    /// The UUID behind the prefix.
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.0.simple())
    }
}

impl FromStr for SessionId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let digits = text.strip_prefix(PREFIX).ok_or(SESSION_ID)?;
        let canonical =
            digits.len() == 32 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let uuid = Uuid::try_parse(digits).ok().filter(|_| canonical);
        uuid.map(Self).ok_or(SESSION_ID)
    }
}

/// A session that is alive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Which.
    pub id: SessionId,
    /// Whose.
    pub person: PersonId,
    /// What it is for.
    pub audience: Audience,
    /// The shop that it is in the name of, if one was chosen.
    pub merchant: Option<MerchantId>,
    /// What the browser calls itself.
    pub agent: String,
    /// When they logged in.
    pub created_at: Timestamp,
    /// When it was last used, give or take a minute.
    pub seen_at: Timestamp,
    /// When they last proved who they are.
    pub reauthenticated_at: Timestamp,
}

impl Session {
    /// Whether they proved who they are a short while ago.
    pub fn is_recent(&self, now: Timestamp) -> bool {
        now.signed_duration_since(self.reauthenticated_at) < RECENT
    }
}

/// All sessions; cheap to clone.
#[derive(Clone)]
pub struct Sessions {
    pool: PgPool,
    clock: Arc<dyn Clock>,
}

impl Sessions {
    /// Those of a database, by a clock.
    pub const fn new(pool: PgPool, clock: Arc<dyn Clock>) -> Self {
        Self { pool, clock }
    }

    /// What time it is for sessions.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Begins one, for a person who just proved who they are. The token is told once.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn begin(
        &self,
        person: PersonId,
        audience: Audience,
        agent: &str,
    ) -> Result<(Token, Session), sqlx::Error> {
        let (token, now) = (Token::generate(), self.now());
        let shown = agent.chars().filter(|c| !c.is_control()).take(AGENT_CHARS_MAX);
        let session = Session {
            id: SessionId(Uuid::from_bytes(rand::random())),
            person,
            audience,
            merchant: None,
            agent: shown.collect(),
            created_at: now,
            seen_at: now,
            reauthenticated_at: now,
        };
        sqlx::query(
            "insert into sessions (id, person_id, token_sha256, agent, created_at, seen_at,
                 reauthenticated_at, audience)
             values ($1, $2, $3, $4, $5, $5, $5, $6)",
        )
        .bind(session.id.uuid())
        .bind(person.uuid())
        .bind(token.hash().as_slice())
        .bind(&session.agent)
        .bind(now)
        .bind(audience.as_str())
        .execute(&self.pool)
        .await?;
        Ok((token, session))
    }

    /// The session of a token, if it is alive, for this audience, and its owner uses the service.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn find(
        &self,
        token: &Token,
        audience: Audience,
    ) -> Result<Option<Session>, sqlx::Error> {
        let now = self.now();
        let sql = format!(
            "select {COLUMNS} from sessions s where token_sha256 = $1 and {ALIVE} and audience = $4
             and exists (
                 select from people p where p.id = s.person_id and p.status = 'active')"
        );
        let row = sqlx::query(&sql)
            .bind(token.hash().as_slice())
            .bind(before(now, IDLE))
            .bind(before(now, ABSOLUTE))
            .bind(audience.as_str())
            .fetch_optional(&self.pool)
            .await?;
        let Some(mut session) = row.as_ref().map(session).transpose()? else { return Ok(None) };
        if now.signed_duration_since(session.seen_at) >= NOTED_EVERY {
            sqlx::query("update sessions set seen_at = $2 where id = $1 and seen_at < $2")
                .bind(session.id.uuid())
                .bind(now)
                .execute(&self.pool)
                .await?;
            session.seen_at = now;
        }
        Ok(Some(session))
    }

    /// A session by its id, if it is alive.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn get(&self, id: SessionId) -> Result<Option<Session>, sqlx::Error> {
        let now = self.now();
        let sql = format!("select {COLUMNS} from sessions where id = $1 and {ALIVE}");
        let row = sqlx::query(&sql)
            .bind(id.uuid())
            .bind(before(now, IDLE))
            .bind(before(now, ABSOLUTE))
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(session).transpose()
    }

    /// Whether a session is still alive, for what goes on longer than a request.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn is_alive(&self, id: SessionId) -> Result<bool, sqlx::Error> {
        let now = self.now();
        let sql = format!(
            "select exists (select from sessions s where id = $1 and {ALIVE} and exists (
                 select from people p where p.id = s.person_id and p.status = 'active'))"
        );
        sqlx::query_scalar(&sql)
            .bind(id.uuid())
            .bind(before(now, IDLE))
            .bind(before(now, ABSOLUTE))
            .fetch_one(&self.pool)
            .await
    }

    /// Its owner proved again who they are: another token from here on, and the one before is
    /// worth nothing. Nothing if the session ended meanwhile.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn renew(&self, id: SessionId) -> Result<Option<Token>, sqlx::Error> {
        let (token, now) = (Token::generate(), self.now());
        let renewed = sqlx::query(
            "update sessions set token_sha256 = $2, reauthenticated_at = $3, seen_at = $3
             where id = $1",
        )
        .bind(id.uuid())
        .bind(token.hash().as_slice())
        .bind(now)
        .execute(&self.pool)
        .await?;
        Ok((renewed.rows_affected() == 1).then_some(token))
    }

    /// From here on in the name of this shop. Whether they work there was looked at, and is again
    /// with each request. Nothing happens to a session of a wallet.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn choose_merchant(
        &self,
        id: SessionId,
        merchant: MerchantId,
    ) -> Result<(), sqlx::Error> {
        sqlx::query("update sessions set merchant_id = $2 where id = $1 and audience = 'shop'")
            .bind(id.uuid())
            .bind(merchant.uuid())
            .execute(&self.pool)
            .await
            .map(drop)
    }

    /// A person's, the one used last first.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn of(&self, person: PersonId) -> Result<Vec<Session>, sqlx::Error> {
        let now = self.now();
        let sql = format!(
            "select {COLUMNS} from sessions where person_id = $1 and {ALIVE}
             order by seen_at desc, id"
        );
        let rows = sqlx::query(&sql)
            .bind(person.uuid())
            .bind(before(now, IDLE))
            .bind(before(now, ABSOLUTE))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(session).collect()
    }

    /// Ends a session of a person's; whether there was one.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn end(&self, person: PersonId, id: SessionId) -> Result<bool, sqlx::Error> {
        let ended = sqlx::query("delete from sessions where id = $1 and person_id = $2")
            .bind(id.uuid())
            .bind(person.uuid())
            .execute(&self.pool)
            .await?;
        Ok(ended.rows_affected() == 1)
    }

    /// Ends all sessions of a person's but one; how many.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn end_all(
        &self,
        person: PersonId,
        but: Option<SessionId>,
    ) -> Result<u64, sqlx::Error> {
        let ended =
            sqlx::query("delete from sessions where person_id = $1 and id is distinct from $2")
                .bind(person.uuid())
                .bind(but.map(SessionId::uuid))
                .execute(&self.pool)
                .await?;
        Ok(ended.rows_affected())
    }

    /// Forgets those that ended by themselves.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn sweep(&self) -> Result<u64, sqlx::Error> {
        let now = self.now();
        let swept = sqlx::query("delete from sessions where seen_at <= $1 or created_at <= $2")
            .bind(before(now, IDLE))
            .bind(before(now, ABSOLUTE))
            .execute(&self.pool)
            .await?;
        Ok(swept.rows_affected())
    }
}

/// Those of staff end so much earlier ([`super::ABSOLUTE_STAFF`]).
const ALIVE: &str = "seen_at > $2 and created_at > $3 \
    and (audience in ('wallet', 'shop') or created_at > $3 + interval '4 hours')";

fn before(now: Timestamp, by: TimeDelta) -> Timestamp {
    now.checked_sub_signed(by).unwrap_or(Timestamp::MIN_UTC)
}

fn session(row: &PgRow) -> Result<Session, sqlx::Error> {
    let audience: &str = row.try_get("audience")?;
    let merchant: Option<Uuid> = row.try_get("merchant_id")?;
    Ok(Session {
        audience: Audience::parse(audience)
            .ok_or_else(|| sqlx::Error::Decode("an unknown audience".into()))?,
        merchant: merchant.map(MerchantId::from_uuid),
        id: SessionId(row.try_get("id")?),
        person: PersonId::from_uuid(row.try_get("person_id")?),
        agent: row.try_get("agent")?,
        created_at: row.try_get("created_at")?,
        seen_at: row.try_get("seen_at")?,
        reauthenticated_at: row.try_get("reauthenticated_at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sessions::ABSOLUTE_STAFF;

    #[test]
    fn the_statement_ends_sessions_of_staff_when_the_constant_says() {
        assert_eq!(ABSOLUTE.checked_sub(&ABSOLUTE_STAFF), Some(TimeDelta::hours(4)));
        assert!(ALIVE.contains("interval '4 hours'"));
    }
}
