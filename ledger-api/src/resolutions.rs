//! What two persons say became of a withdrawal that no bank tells the outcome of
//! (`migrations/9_operators.sql`): proposed by one, with evidence, and approved by another.
//!
//! Knows nothing of the ledger. A proposal is decided once; approving is noted before the ledger is
//! told, so that after a crash between the two the same approval can be handed in again.

use chrono::TimeDelta;
use ledger_core::{
    clock::Timestamp,
    command::Idempotency,
    ids::{Principal, Reference, WithdrawalId},
};
use sqlx::PgPool;
use uuid::Uuid;

/// For how long a proposal can be approved.
const STANDS_FOR: TimeDelta = TimeDelta::hours(24);

/// A proposal to keep.
#[derive(Debug)]
pub struct NewResolution {
    /// The withdrawal.
    pub withdrawal_id: WithdrawalId,
    /// Its attempt.
    pub attempt: u32,
    /// The bank's reference of the payment; nothing: it was not paid.
    pub paid: Option<Reference>,
    /// Why.
    pub reason: String,
    /// SHA-256 of what was seen.
    pub evidence_sha256: String,
    /// Who proposes it.
    pub by: Principal,
    /// What makes the request once.
    pub idempotency: Idempotency,
}

/// A proposal.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Resolution {
    /// Its number.
    pub id: i64,
    /// The withdrawal.
    pub withdrawal_id: Uuid,
    /// Its attempt.
    pub attempt: i32,
    /// `paid` or `not_paid`.
    pub outcome: String,
    /// The bank's reference of the payment.
    pub bank_reference: Option<String>,
    /// Why.
    pub reason: String,
    /// SHA-256 of what was seen.
    pub evidence_sha256: String,
    /// Who proposed it.
    pub proposed_by: String,
    /// When.
    pub proposed_at: Timestamp,
    /// Until when it can be approved.
    pub expires_at: Timestamp,
    /// What became of it: `approved`, `withdrawn`, `expired` or `outdated`.
    pub decision: Option<String>,
    /// By whom.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<Timestamp>,
}

impl Resolution {
    /// Where it is: its decision, `expired` or `proposed`.
    pub fn state(&self, now: Timestamp) -> &str {
        match &self.decision {
            Some(decision) => decision,
            None if self.expires_at <= now => "expired",
            None => "proposed",
        }
    }
}

/// How a proposal is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The second person agrees.
    Approved,
    /// Somebody took it back.
    Withdrawn,
    /// The withdrawal had moved on.
    Outdated,
}

impl Decision {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Withdrawn => "withdrawn",
            Self::Outdated => "outdated",
        }
    }
}

/// Why a proposal was not kept.
#[derive(Debug, thiserror::Error)]
pub enum ProposeError {
    /// The key came with another request.
    #[error("the idempotency key came with another request")]
    KeyReused,
    /// Another one of this withdrawal waits.
    #[error("another proposal of this withdrawal waits for its approval")]
    Pending,
    /// The database said no.
    #[error("the proposal was not stored")]
    Database(#[from] sqlx::Error),
}

/// All proposals; cheap to clone.
#[derive(Debug, Clone)]
pub struct Resolutions(PgPool);

const COLUMNS: &str = "id, withdrawal_id, attempt, outcome, bank_reference, reason, \
    evidence_sha256, proposed_by, proposed_at, expires_at, decision, decided_by, decided_at";

impl Resolutions {
    /// Those of a database.
    pub const fn new(pool: PgPool) -> Self {
        Self(pool)
    }

    /// The proposal that a request made before, if it did.
    ///
    /// # Errors
    /// [`ProposeError`].
    pub async fn made_by(
        &self,
        by: &Principal,
        idempotency: &Idempotency,
    ) -> Result<Option<Resolution>, ProposeError> {
        let sql = "select id, fingerprint from withdrawal_resolutions
                   where proposed_by = $1 and idempotency_key = $2";
        let query = sqlx::query_as(sql).bind(by.as_str()).bind(idempotency.key.as_str());
        let Some((id, fingerprint)) = query.fetch_optional(&self.0).await? else {
            return Ok(None);
        };
        let fingerprint: Vec<u8> = fingerprint;
        if fingerprint.as_slice() != idempotency.fingerprint.as_slice() {
            return Err(ProposeError::KeyReused);
        }
        Ok(self.find(id).await?)
    }

    /// Keeps a proposal; those that were not approved in time stand in nobody's way.
    ///
    /// # Errors
    /// [`ProposeError`].
    pub async fn propose(
        &self,
        new: &NewResolution,
        now: Timestamp,
    ) -> Result<Resolution, ProposeError> {
        let expired = "update withdrawal_resolutions
                       set decision = 'expired', decided_by = 'ledger:clock', decided_at = $2
                       where withdrawal_id = $1 and decision is null and expires_at <= $2";
        let query = sqlx::query(expired).bind(new.withdrawal_id.uuid()).bind(now);
        query.execute(&self.0).await?;
        let expires_at = now.checked_add_signed(STANDS_FOR).unwrap_or(Timestamp::MAX_UTC);
        let sql = format!(
            "insert into withdrawal_resolutions
                 (withdrawal_id, attempt, outcome, bank_reference, reason, evidence_sha256,
                  proposed_by, idempotency_key, fingerprint, proposed_at, expires_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             on conflict do nothing returning {COLUMNS}"
        );
        let outcome = if new.paid.is_some() { "paid" } else { "not_paid" };
        let made = sqlx::query_as(&sql)
            .bind(new.withdrawal_id.uuid())
            .bind(i32::try_from(new.attempt).unwrap_or(i32::MAX))
            .bind(outcome)
            .bind(new.paid.as_ref().map(Reference::as_str))
            .bind(&new.reason)
            .bind(&new.evidence_sha256)
            .bind(new.by.as_str())
            .bind(new.idempotency.key.as_str())
            .bind(new.idempotency.fingerprint.as_slice())
            .bind(now)
            .bind(expires_at)
            .fetch_optional(&self.0)
            .await?;
        if let Some(made) = made {
            return Ok(made);
        }
        // The same request at the same time, or somebody else's.
        let made = self.made_by(&new.by, &new.idempotency).await?;
        made.ok_or(ProposeError::Pending)
    }

    /// One proposal.
    ///
    /// # Errors
    /// What the database says.
    pub async fn find(&self, id: i64) -> sqlx::Result<Option<Resolution>> {
        let sql = format!("select {COLUMNS} from withdrawal_resolutions where id = $1");
        sqlx::query_as(&sql).bind(id).fetch_optional(&self.0).await
    }

    /// All proposals of a withdrawal, the last one first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn of(&self, withdrawal: WithdrawalId) -> sqlx::Result<Vec<Resolution>> {
        let sql = format!(
            "select {COLUMNS} from withdrawal_resolutions
             where withdrawal_id = $1 order by id desc limit 100"
        );
        sqlx::query_as(&sql).bind(withdrawal.uuid()).fetch_all(&self.0).await
    }

    /// Those that wait for somebody to approve them, the oldest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn waiting(&self, now: Timestamp) -> sqlx::Result<Vec<Resolution>> {
        let sql = format!(
            "select {COLUMNS} from withdrawal_resolutions
             where decision is null and expires_at > $1 order by id limit 100"
        );
        sqlx::query_as(&sql).bind(now).fetch_all(&self.0).await
    }

    /// Those that were decided or ran out, the last first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn decided(&self, now: Timestamp) -> sqlx::Result<Vec<Resolution>> {
        let sql = format!(
            "select {COLUMNS} from withdrawal_resolutions
             where decision is not null or expires_at <= $1 order by id desc limit 100"
        );
        sqlx::query_as(&sql).bind(now).fetch_all(&self.0).await
    }

    /// Decides a proposal that nobody decided and that did not expire; how it stands then.
    ///
    /// # Errors
    /// What the database says.
    pub async fn decide(
        &self,
        id: i64,
        decision: Decision,
        by: &Principal,
        now: Timestamp,
    ) -> sqlx::Result<Option<Resolution>> {
        let sql = "update withdrawal_resolutions
                   set decision = $2, decided_by = $3, decided_at = $4
                   where id = $1 and decision is null
                     and (expires_at > $4 or $2 <> 'approved')";
        let query = sqlx::query(sql).bind(id).bind(decision.as_str()).bind(by.as_str()).bind(now);
        query.execute(&self.0).await?;
        self.find(id).await
    }
}
