//! What was decided by hand, and by which two people: proposals about withdrawals, those of the
//! operators' desk, moves of the treasury, and statements that were handed in for a bank.

use ledger_core::clock::Timestamp;
use sqlx::{FromRow, PgPool};

/// A decision, or a proposal that waits for one.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Decision {
    /// When it was proposed.
    pub at: Timestamp,
    /// What it is about, by its id.
    pub subject: String,
    /// What was said.
    pub what: String,
    /// Why.
    pub reason: String,
    /// Who proposed it.
    pub proposed_by: String,
    /// Who decided; nothing if nobody did yet.
    pub decided_by: Option<String>,
    /// What became of it.
    pub decision: String,
}

/// The last decisions, the newest first; about one subject, if that is asked for.
///
/// # Errors
/// What the database says.
pub async fn decisions(
    pool: &PgPool,
    subject: Option<&str>,
    most: u32,
) -> sqlx::Result<Vec<Decision>> {
    let sql = "
        select * from (
            select proposed_at as at, 'wd_' || replace(withdrawal_id::text, '-', '') as subject,
                   'withdrawal ' || outcome as what, reason, proposed_by, decided_by,
                   coalesce(decision, 'proposed') as decision
            from withdrawal_resolutions
            union all
            select proposed_at, subject, replace(kind, '_', ' '), reason, proposed_by, decided_by,
                   coalesce(decision, 'proposed')
            from desk_proposals
            union all
            select decided_at, reference, 'treasury ' || direction, coalesce(reason, ''),
                   decided_by, approved_by, status
            from treasury_moves where decided_by is not null
            union all
            select imported_at, bank || ' ' || account || ' ' || day::text, 'statement handed in',
                   'version ' || id::text, imported_by, approved_by, 'approved'
            from statement_files where approved_by is not null
        ) d where $1::text is null or subject = $1 order by at desc limit $2";
    sqlx::query_as(sql).bind(subject).bind(i64::from(most)).fetch_all(pool).await
}
