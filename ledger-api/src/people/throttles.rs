//! How fast something may be tried, counted in the database so that all processes count together.
//!
//! The generic cell rate algorithm: of each thing that is counted there is one moment, when its
//! allowance will be whole again. A try moves it on by the price of one; a try that would move it
//! further than the allowance reaches is refused and moves nothing. So nobody is locked out for
//! good, and a flood of refused tries does not make the wait longer. Addresses and accounts stand
//! there as keyed hashes.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;

use super::PeopleKey;

/// How often.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// What is counted; a word of its own for each use.
    pub name: &'static str,
    /// So many at once.
    pub burst: i32,
    /// And then one in so many seconds.
    pub seconds: i32,
}

impl Rate {
    /// Logins from one address of the network.
    pub const LOGIN_ADDRESS: Self = Self { name: "login-address", burst: 30, seconds: 2 };
    /// Logins to one account from one address.
    pub const LOGIN_PAIR: Self = Self { name: "login-pair", burst: 5, seconds: 12 };
    /// Logins to one account from wherever: wide, for it can keep its owner out as well.
    pub const LOGIN_ACCOUNT: Self = Self { name: "login-account", burst: 50, seconds: 15 };
    /// Passwords given again by who is signed in.
    pub const STEP_UP: Self = Self { name: "step-up", burst: 5, seconds: 12 };
    /// Sign-ups from one address of the network.
    pub const SIGN_UP: Self = Self { name: "sign-up", burst: 30, seconds: 10 };
    /// Codes that are sent to one person.
    pub const SEND: Self = Self { name: "send", burst: 5, seconds: 300 };
    /// Codes that are asked for from one address of the network.
    pub const SEND_ADDRESS: Self = Self { name: "send-address", burst: 20, seconds: 30 };
    /// Codes that one person tries.
    pub const CONFIRM: Self = Self { name: "confirm", burst: 10, seconds: 60 };
    /// Names that one person looks up, to send money to.
    pub const LOOKUP: Self = Self { name: "lookup-person", burst: 20, seconds: 3 };
    /// Pictures of QR codes that one person has read.
    pub const PICTURE: Self = Self { name: "picture", burst: 20, seconds: 3 };
    /// Exports of everything about one person.
    pub const EXPORT: Self = Self { name: "export", burst: 2, seconds: 30 };
}

/// How long to wait for the next try, in whole seconds and at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait(pub u32);

/// All that is counted; cheap to clone.
#[derive(Debug, Clone)]
pub struct Throttles {
    pool: PgPool,
    key: PeopleKey,
}

impl Throttles {
    /// Those of a database.
    pub const fn new(pool: PgPool, key: PeopleKey) -> Self {
        Self { pool, key }
    }

    /// Takes one try, if there is one.
    ///
    /// # Errors
    /// If the database does not answer. Nothing may be tried then.
    pub async fn take(
        &self,
        rate: Rate,
        subject: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Result<(), Wait>, sqlx::Error> {
        let subject = self.subject(rate, subject);
        let one = TimeDelta::seconds(rate.seconds.into());
        let all = one.checked_mul(rate.burst).unwrap_or(TimeDelta::MAX);
        let reach = now.checked_add_signed(all).unwrap_or(now);
        let taken = sqlx::query(
            "insert into throttles as t (subject, full_at) values ($1, $2 + $3)
             on conflict (subject) do update set full_at = greatest(t.full_at, $2) + $3
                 where greatest(t.full_at, $2) + $3 <= $4",
        )
        .bind(subject.as_slice())
        .bind(now)
        .bind(one)
        .bind(reach)
        .execute(&self.pool)
        .await?;
        if taken.rows_affected() == 1 {
            return Ok(Ok(()));
        }
        let full_at: Option<DateTime<Utc>> =
            sqlx::query_scalar("select full_at from throttles where subject = $1")
                .bind(subject.as_slice())
                .fetch_optional(&self.pool)
                .await?;
        let next = full_at.and_then(|at| at.checked_add_signed(one)).unwrap_or(now);
        let millis = next.signed_duration_since(reach).num_milliseconds().max(1);
        Ok(Err(Wait(u32::try_from(millis.div_euclid(1000)).unwrap_or(u32::MAX).saturating_add(1))))
    }

    /// Gives a try back that turned out well.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn give_back(&self, rate: Rate, subject: &[u8]) -> Result<(), sqlx::Error> {
        sqlx::query("update throttles set full_at = full_at - $2 where subject = $1")
            .bind(self.subject(rate, subject).as_slice())
            .bind(TimeDelta::seconds(rate.seconds.into()))
            .execute(&self.pool)
            .await
            .map(drop)
    }

    /// Forgets what counts no more.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn sweep(&self, now: DateTime<Utc>) -> Result<u64, sqlx::Error> {
        let swept = sqlx::query("delete from throttles where full_at < $1")
            .bind(now)
            .execute(&self.pool)
            .await?;
        Ok(swept.rows_affected())
    }

    fn subject(&self, rate: Rate, subject: &[u8]) -> [u8; 32] {
        self.key.hash("throttle", &[rate.name.as_bytes(), subject])
    }
}
