//! What one person proposes at the desk and another has to agree to (`migrations/26_desk.sql`).
//!
//! Knows nothing of what is proposed: a kind, a subject and the request as it is carried out
//! ([`super::carrying_out`]). A proposal is decided once; that it was approved is noted before
//! anything is done, so that after a crash between the two the same person approves it once more.

use chrono::TimeDelta;
use ledger_core::{
    clock::Timestamp,
    ids::{IdempotencyKey, Principal},
};
use serde_json::Value;
use sqlx::PgPool;

/// For how long a proposal can be approved.
const STANDS_FOR: TimeDelta = TimeDelta::hours(24);
/// The most proposals that are read at once.
const PROPOSALS_MAX: i64 = 200;

/// What is proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A credit in suspense goes to a wallet.
    AssignSuspense,
    /// A credit in suspense goes back to whom it came from.
    ReturnSuspense,
    /// A line is one end of a move between our own accounts.
    NameTreasury,
    /// A bank's statement is taken from a file.
    ImportStatement,
    /// A tier has other limits from here on.
    DefineTier,
    /// A freeze ends.
    UnfreezeAccount,
    /// Somebody's ways in end, but for a proof of their address.
    ResetPerson,
    /// What nobody will repay becomes an expense.
    WriteOff,
    /// Shops can agree to other fees from here on.
    DefineTerms,
    /// A shop pays other fees from here on, or waits otherwise for its money.
    AgreeTerms,
    /// A bank's days that were closed are open again.
    ReopenBankDay,
    /// A withdrawal or a transfer costs something else from a moment on.
    DefineFee,
    /// Months are closed.
    ClosePeriod,
    /// Months that were closed are open again.
    ReopenPeriod,
    /// A year's income and expense become equity.
    CloseYear,
    /// Our own money is moved between two accounts at a bank.
    ApproveTreasury,
    /// A credit in suspense is the lump of several deposits.
    SettleLump,
    /// What did not get back to a payer from outside is sent once more.
    SendOutsideAgain,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Self; 18] = [
        Self::AssignSuspense,
        Self::ReturnSuspense,
        Self::NameTreasury,
        Self::ImportStatement,
        Self::DefineTier,
        Self::UnfreezeAccount,
        Self::ResetPerson,
        Self::WriteOff,
        Self::DefineTerms,
        Self::AgreeTerms,
        Self::ReopenBankDay,
        Self::DefineFee,
        Self::ClosePeriod,
        Self::ReopenPeriod,
        Self::CloseYear,
        Self::ApproveTreasury,
        Self::SettleLump,
        Self::SendOutsideAgain,
    ];

    /// The word in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::AssignSuspense => "assign_suspense",
            Self::ReturnSuspense => "return_suspense",
            Self::NameTreasury => "name_treasury",
            Self::ImportStatement => "import_statement",
            Self::DefineTier => "define_tier",
            Self::UnfreezeAccount => "unfreeze_account",
            Self::ResetPerson => "reset_person",
            Self::WriteOff => "write_off",
            Self::DefineTerms => "define_terms",
            Self::AgreeTerms => "agree_terms",
            Self::ReopenBankDay => "reopen_bank_day",
            Self::DefineFee => "define_fee",
            Self::ClosePeriod => "close_period",
            Self::ReopenPeriod => "reopen_period",
            Self::CloseYear => "close_year",
            Self::ApproveTreasury => "approve_treasury",
            Self::SettleLump => "settle_lump",
            Self::SendOutsideAgain => "send_outside_again",
        }
    }

    /// What it is in words.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::AssignSuspense => "Assign a credit in suspense",
            Self::ReturnSuspense => "Send back a credit in suspense",
            Self::NameTreasury => "Name a line as a move of our own",
            Self::ImportStatement => "Import a bank’s statement",
            Self::DefineTier => "Change the limits of a tier",
            Self::UnfreezeAccount => "Lift a freeze",
            Self::ResetPerson => "Reset how somebody logs in",
            Self::WriteOff => "Write off a debt",
            Self::DefineTerms => "Define fees of shops",
            Self::AgreeTerms => "Agree on fees with a shop",
            Self::ReopenBankDay => "Open a bank’s days again",
            Self::DefineFee => "Define what withdrawals or transfers cost",
            Self::ClosePeriod => "Close months",
            Self::ReopenPeriod => "Open months again",
            Self::CloseYear => "Close a year",
            Self::ApproveTreasury => "Move money of our own",
            Self::SettleLump => "Settle several deposits with a lump",
            Self::SendOutsideAgain => "Send back to a payer once more",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A proposal to keep.
#[derive(Debug)]
pub(crate) struct NewProposal<'a> {
    /// What.
    pub(crate) kind: Kind,
    /// About what.
    pub(crate) subject: &'a str,
    /// The request, as it is carried out.
    pub(crate) body: Value,
    /// Why.
    pub(crate) reason: &'a str,
    /// SHA-256 of what they have seen.
    pub(crate) evidence_sha256: Option<&'a str>,
    /// The file that it is about.
    pub(crate) file: Option<&'a [u8]>,
    /// What makes a second click the same proposal.
    pub(crate) key: &'a IdempotencyKey,
}

/// A proposal.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Proposal {
    /// Its number.
    pub(crate) id: i64,
    kind: String,
    /// About what.
    pub(crate) subject: String,
    /// The request, as it is carried out.
    pub(crate) body: Value,
    /// Why.
    pub(crate) reason: String,
    /// SHA-256 of what they have seen.
    pub(crate) evidence_sha256: Option<String>,
    /// Who proposed it.
    pub(crate) proposed_by: String,
    /// When.
    pub(crate) proposed_at: Timestamp,
    /// Until when it can be approved.
    pub(crate) expires_at: Timestamp,
    /// What became of it.
    pub(crate) decision: Option<String>,
    /// By whom.
    pub(crate) decided_by: Option<String>,
    /// When.
    pub(crate) decided_at: Option<Timestamp>,
    /// What was said to it.
    pub(crate) answer: Option<String>,
}

impl Proposal {
    /// What is proposed; nothing if a later release proposed it.
    pub(crate) fn kind(&self) -> Option<Kind> {
        Kind::parse(&self.kind)
    }

    /// Where it is: its decision, `expired` or `proposed`.
    pub(crate) fn state(&self, now: Timestamp) -> &str {
        match &self.decision {
            Some(decision) => decision,
            None if self.expires_at <= now => "expired",
            None => "proposed",
        }
    }

    /// Whether this person approved it.
    pub(crate) fn is_approved_by(&self, by: &Principal) -> bool {
        self.decision.as_deref() == Some("approved")
            && self.decided_by.as_deref() == Some(by.as_str())
    }
}

/// How a proposal is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The second person agrees.
    Approved,
    /// The second person does not.
    Rejected,
    /// Whoever made it took it back.
    Withdrawn,
}

impl Decision {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// All proposals; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Proposals(PgPool);

const COLUMNS: &str = "id, kind, subject, body, reason, evidence_sha256, proposed_by, \
    proposed_at, expires_at, decision, decided_by, decided_at, answer";

impl Proposals {
    /// Those of a database.
    pub(crate) const fn new(pool: PgPool) -> Self {
        Self(pool)
    }

    /// Keeps a proposal, or finds the one that the same form made before. Nothing: another one of
    /// the same thing waits.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn propose(
        &self,
        new: &NewProposal<'_>,
        by: &Principal,
        now: Timestamp,
    ) -> sqlx::Result<Option<Proposal>> {
        let mut db_tx = self.0.begin().await?;
        let expired = "update desk_proposals
            set decision = 'expired', decided_by = 'ledger:clock', decided_at = $3
            where kind = $1 and subject = $2 and decision is null and expires_at <= $3";
        let query = sqlx::query(expired).bind(new.kind.as_str()).bind(new.subject).bind(now);
        query.execute(&mut *db_tx).await?;
        let sql = format!(
            "insert into desk_proposals (kind, subject, body, reason, evidence_sha256,
                 proposed_by, idempotency_key, proposed_at, expires_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             on conflict do nothing returning {COLUMNS}"
        );
        let made: Option<Proposal> = sqlx::query_as(&sql)
            .bind(new.kind.as_str())
            .bind(new.subject)
            .bind(&new.body)
            .bind(new.reason)
            .bind(new.evidence_sha256)
            .bind(by.as_str())
            .bind(new.key.as_str())
            .bind(now)
            .bind(now.checked_add_signed(STANDS_FOR).unwrap_or(Timestamp::MAX_UTC))
            .fetch_optional(&mut *db_tx)
            .await?;
        if let Some((made, file)) = made.as_ref().zip(new.file) {
            let sql = "insert into desk_proposal_files (proposal_id, bytes) values ($1, $2)";
            sqlx::query(sql).bind(made.id).bind(file).execute(&mut *db_tx).await?;
        }
        db_tx.commit().await?;
        if made.is_some() {
            return Ok(made);
        }
        let sql = format!(
            "select {COLUMNS} from desk_proposals
             where proposed_by = $1 and idempotency_key = $2"
        );
        let query = sqlx::query_as(&sql).bind(by.as_str()).bind(new.key.as_str());
        query.fetch_optional(&self.0).await
    }

    /// One proposal.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn find(&self, id: i64) -> sqlx::Result<Option<Proposal>> {
        let sql = format!("select {COLUMNS} from desk_proposals where id = $1");
        sqlx::query_as(&sql).bind(id).fetch_optional(&self.0).await
    }

    /// The file that a proposal is about.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn file(&self, id: i64) -> sqlx::Result<Option<Vec<u8>>> {
        let sql = "select bytes from desk_proposal_files where proposal_id = $1";
        sqlx::query_scalar(sql).bind(id).fetch_optional(&self.0).await
    }

    /// Those that wait for somebody, the oldest first; or those that were decided, the last first.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn list(&self, open: bool, now: Timestamp) -> sqlx::Result<Vec<Proposal>> {
        let (wanted, order) = if open {
            ("decision is null and expires_at > $1", "id")
        } else {
            ("(decision is not null or expires_at <= $1)", "id desc")
        };
        let sql = format!(
            "select {COLUMNS} from desk_proposals where {wanted} order by {order} limit $2"
        );
        sqlx::query_as(&sql).bind(now).bind(PROPOSALS_MAX).fetch_all(&self.0).await
    }

    /// The one of a subject that waits for somebody.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn waiting(
        &self,
        subject: &str,
        now: Timestamp,
    ) -> sqlx::Result<Vec<Proposal>> {
        let sql = format!(
            "select {COLUMNS} from desk_proposals
             where subject = $1 and decision is null and expires_at > $2 order by id"
        );
        sqlx::query_as(&sql).bind(subject).bind(now).fetch_all(&self.0).await
    }

    /// Decides a proposal that nobody decided and that did not expire; how it stands then.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn decide(
        &self,
        id: i64,
        decision: Decision,
        (by, now): (&Principal, Timestamp),
        answer: Option<&str>,
    ) -> sqlx::Result<Option<Proposal>> {
        let sql = "update desk_proposals
                   set decision = $2, decided_by = $3, decided_at = $4, answer = $5
                   where id = $1 and decision is null
                     and (expires_at > $4 or $2 <> 'approved')";
        let query = sqlx::query(sql).bind(id).bind(decision.as_str()).bind(by.as_str()).bind(now);
        query.bind(answer).execute(&self.0).await?;
        self.find(id).await
    }

    /// Notes what came of a proposal that was approved, and lets go of its file.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn settle(&self, id: i64, answer: &str) -> sqlx::Result<()> {
        let mut db_tx = self.0.begin().await?;
        let sql = "update desk_proposals set answer = $2 where id = $1";
        sqlx::query(sql).bind(id).bind(answer).execute(&mut *db_tx).await?;
        let sql = "delete from desk_proposal_files where proposal_id = $1";
        sqlx::query(sql).bind(id).execute(&mut *db_tx).await?;
        db_tx.commit().await
    }
}
