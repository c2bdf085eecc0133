//! The queue's own notes, beside the log: which questions were asked of a bank, what must be passed
//! over, and which banks are paused. Losing them loses no money.

use std::collections::{HashMap, HashSet};

use ledger_core::{
    clock::Timestamp,
    ids::{BankCode, Reference, WithdrawalId},
};
use sqlx::PgPool;
use uuid::Uuid;

use crate::treasury::{Moves, Orders};

/// The notes of a database.
#[derive(Debug, Clone)]
pub struct Notes(PgPool);

/// What is noted of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked {
    /// Whether the bank answered its submission, whatever it answered.
    pub answered: bool,
    /// How many questions were asked about it since.
    pub questions: u32,
}

/// Who paused or drained a bank, why and when.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Pause {
    /// Whether it is drained: it takes nothing new and sends what it has. Else it sends nothing.
    pub drains: bool,
    /// Why.
    pub reason: String,
    /// Who.
    pub paused_by: String,
    /// When.
    pub paused_at: Timestamp,
}

/// What was sent to a bank or asked of it, and what it answered.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Question {
    /// About which attempt.
    pub attempt: i32,
    /// Which question; zero is the sending itself.
    pub number: i32,
    /// When.
    pub asked_at: Timestamp,
    /// The answer; nothing if there was none.
    pub answer: Option<String>,
}

/// A withdrawal with its block, its lane's note, whether that is manned, the questions, and whether
/// the submission was answered.
type NotedRow = (Uuid, Option<String>, Option<String>, bool, i64, bool);

/// What is noted of a withdrawal and of its bank's lane.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Noted {
    /// Why it is passed over.
    pub block: Option<String>,
    /// Why the lane sends nothing.
    pub lane: Option<String>,
    /// Whether somebody works in the lane.
    pub is_manned: bool,
    /// What was asked of the last attempt.
    pub asked: Asked,
}

impl Notes {
    /// The notes in the database of a pool.
    pub const fn new(pool: PgPool) -> Self {
        Self(pool)
    }

    /// The moves of our own money, which lie in the same database.
    pub(crate) fn moves(&self) -> Moves {
        Moves::new(self.0.clone())
    }

    /// Whether a reference at a bank is that of a move between accounts of ours.
    ///
    /// # Errors
    /// What the database says.
    pub async fn is_own_move(&self, bank: &BankCode, reference: &Reference) -> sqlx::Result<bool> {
        Orders::new(self.0.clone()).is_ours(bank, reference).await
    }

    /// What is noted of attempts: those of which nothing is, are not in it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn asked(
        &self,
        attempts: &[(WithdrawalId, u32)],
    ) -> sqlx::Result<HashMap<WithdrawalId, Asked>> {
        let ids: Vec<Uuid> = attempts.iter().map(|(id, _)| id.uuid()).collect();
        let numbers: Vec<i32> = attempts.iter().map(|(_, attempt)| int(*attempt)).collect();
        let sql = "
            select q.withdrawal_id, bool_or(q.number = 0), count(*) filter (where q.number > 0)
            from unnest($1::uuid[], $2::int[]) as w(id, attempt)
            join bank_questions q on q.withdrawal_id = w.id and q.attempt = w.attempt
            group by q.withdrawal_id";
        let rows: Vec<(Uuid, bool, i64)> =
            sqlx::query_as(sql).bind(ids).bind(numbers).fetch_all(&self.0).await?;
        let asked = rows.into_iter().map(|(id, answered, questions)| {
            let questions = u32::try_from(questions).unwrap_or(u32::MAX);
            (WithdrawalId::from_uuid(id), Asked { answered, questions })
        });
        Ok(asked.collect())
    }

    /// All that is noted of withdrawals, each with its bank and its last attempt.
    ///
    /// # Errors
    /// What the database says.
    pub async fn noted(
        &self,
        of: &[(WithdrawalId, BankCode, u32)],
    ) -> sqlx::Result<HashMap<WithdrawalId, Noted>> {
        let ids: Vec<Uuid> = of.iter().map(|(id, ..)| id.uuid()).collect();
        let lanes: Vec<String> =
            of.iter().map(|(_, bank, _)| super::lane_of(bank.as_str())).collect();
        let attempts: Vec<i32> = of.iter().map(|(.., attempt)| int(*attempt)).collect();
        let sql = "
            select w.id, b.code, l.note, coalesce(l.expires_at > now(), false),
                   (select count(*) from bank_questions q
                    where q.withdrawal_id = w.id and q.attempt = w.attempt and q.number > 0),
                   exists (select from bank_questions q
                    where q.withdrawal_id = w.id and q.attempt = w.attempt and q.number = 0)
            from unnest($1::uuid[], $2::text[], $3::int[]) as w(id, lane, attempt)
            left join withdrawal_blocks b on b.withdrawal_id = w.id
            left join worker_lanes l on l.lane = w.lane";
        let query = sqlx::query_as(sql).bind(ids).bind(lanes).bind(attempts);
        let rows: Vec<NotedRow> = query.fetch_all(&self.0).await?;
        let noted = rows.into_iter().map(|(id, block, lane, is_manned, questions, answered)| {
            let questions = u32::try_from(questions).unwrap_or(u32::MAX);
            let asked = Asked { answered, questions };
            (WithdrawalId::from_uuid(id), Noted { block, lane, is_manned, asked })
        });
        Ok(noted.collect())
    }

    /// All that was sent and asked about a withdrawal, the first first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn questions(&self, id: WithdrawalId) -> sqlx::Result<Vec<Question>> {
        let sql = "select attempt, number, asked_at, answer from bank_questions
                   where withdrawal_id = $1 order by attempt, number";
        sqlx::query_as(sql).bind(id.uuid()).fetch_all(&self.0).await
    }

    /// The withdrawals that are passed over, the longest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn all_blocked(&self, most: u32) -> sqlx::Result<Vec<WithdrawalId>> {
        let sql = "select withdrawal_id from withdrawal_blocks
                   order by blocked_at, withdrawal_id limit $1";
        let query = sqlx::query_scalar(sql).bind(i64::from(most));
        let ids: Vec<Uuid> = query.fetch_all(&self.0).await?;
        Ok(ids.into_iter().map(WithdrawalId::from_uuid).collect())
    }

    /// Notes that a bank answered a submission.
    ///
    /// # Errors
    /// What the database says.
    pub async fn submitted(
        &self,
        id: WithdrawalId,
        attempt: u32,
        at: Timestamp,
        answer: &str,
    ) -> sqlx::Result<()> {
        let sql = "insert into bank_questions (withdrawal_id, attempt, number, asked_at, answer)
                   values ($1, $2, 0, $3, $4) on conflict do nothing";
        let query = sqlx::query(sql).bind(id.uuid()).bind(int(attempt)).bind(at).bind(answer);
        query.execute(&self.0).await.map(drop)
    }

    /// Notes that a question is about to be asked, the next after `asked`; whether it is ours to
    /// ask.
    ///
    /// # Errors
    /// What the database says.
    pub async fn ask(
        &self,
        id: WithdrawalId,
        attempt: u32,
        asked: u32,
        at: Timestamp,
    ) -> sqlx::Result<bool> {
        let sql = "insert into bank_questions (withdrawal_id, attempt, number, asked_at)
                   values ($1, $2, $3, $4) on conflict do nothing";
        let number = int(asked.saturating_add(1));
        let query = sqlx::query(sql).bind(id.uuid()).bind(int(attempt)).bind(number).bind(at);
        Ok(query.execute(&self.0).await?.rows_affected() > 0)
    }

    /// Notes what the bank said to a question.
    ///
    /// # Errors
    /// What the database says.
    pub async fn answer(
        &self,
        id: WithdrawalId,
        attempt: u32,
        asked: u32,
        answer: &str,
    ) -> sqlx::Result<()> {
        let sql = "update bank_questions set answer = $4
                   where withdrawal_id = $1 and attempt = $2 and number = $3";
        let number = int(asked.saturating_add(1));
        let query = sqlx::query(sql).bind(id.uuid()).bind(int(attempt)).bind(number).bind(answer);
        query.execute(&self.0).await.map(drop)
    }

    /// Has the queue pass over a withdrawal until somebody has looked.
    ///
    /// # Errors
    /// What the database says.
    pub async fn block(&self, id: WithdrawalId, code: &str) -> sqlx::Result<()> {
        let sql = "insert into withdrawal_blocks (withdrawal_id, code) values ($1, $2)
                   on conflict do nothing";
        sqlx::query(sql).bind(id.uuid()).bind(code).execute(&self.0).await.map(drop)
    }

    /// Has the queue look at a withdrawal again; whether it passed over it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn unblock(&self, id: WithdrawalId) -> sqlx::Result<bool> {
        let sql = "delete from withdrawal_blocks where withdrawal_id = $1";
        let done = sqlx::query(sql).bind(id.uuid()).execute(&self.0).await?;
        Ok(done.rows_affected() > 0)
    }

    /// Which of these withdrawals are passed over.
    ///
    /// # Errors
    /// What the database says.
    pub async fn blocked(&self, ids: &[WithdrawalId]) -> sqlx::Result<HashSet<WithdrawalId>> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
        let sql = "select withdrawal_id from withdrawal_blocks where withdrawal_id = any($1)";
        let rows: Vec<Uuid> = sqlx::query_scalar(sql).bind(ids).fetch_all(&self.0).await?;
        Ok(rows.into_iter().map(WithdrawalId::from_uuid).collect())
    }

    /// Why a withdrawal is passed over, if it is.
    ///
    /// # Errors
    /// What the database says.
    pub async fn block_of(&self, id: WithdrawalId) -> sqlx::Result<Option<String>> {
        let sql = "select code from withdrawal_blocks where withdrawal_id = $1";
        sqlx::query_scalar(sql).bind(id.uuid()).fetch_optional(&self.0).await
    }

    /// Whether a bank is paused. One that is drained is not: it sends what it has.
    ///
    /// # Errors
    /// What the database says.
    pub async fn is_paused(&self, bank: &BankCode) -> sqlx::Result<bool> {
        let sql = "select exists (select from bank_pauses where bank = $1 and not drains)";
        sqlx::query_scalar(sql).bind(bank.as_str()).fetch_one(&self.0).await
    }

    /// Who paused or drained a bank, why and when; nothing if nobody did.
    ///
    /// # Errors
    /// What the database says.
    pub async fn pause_of(&self, bank: &BankCode) -> sqlx::Result<Option<Pause>> {
        let sql = "select drains, reason, paused_by, paused_at from bank_pauses where bank = $1";
        sqlx::query_as(sql).bind(bank.as_str()).fetch_optional(&self.0).await
    }

    /// What is noted of a bank's lane: why it sends nothing, and whether somebody works in it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn lane(&self, bank: &BankCode) -> sqlx::Result<(Option<String>, bool)> {
        let sql = "select note, expires_at > now() from worker_lanes where lane = $1";
        let lane = sqlx::query_as(sql).bind(super::lane_of(bank.as_str()));
        Ok(lane.fetch_optional(&self.0).await?.unwrap_or((None, false)))
    }

    /// Pauses a bank or drains it. The same again changes nothing, not even the reason.
    ///
    /// # Errors
    /// What the database says.
    pub async fn pause(&self, bank: &BankCode, pause: &Pause) -> sqlx::Result<()> {
        let sql = "insert into bank_pauses (bank, drains, reason, paused_by, paused_at)
                   values ($1, $2, $3, $4, $5)
                   on conflict (bank) do update
                   set drains = excluded.drains, reason = excluded.reason,
                       paused_by = excluded.paused_by, paused_at = excluded.paused_at
                   where bank_pauses.drains <> excluded.drains";
        let query = sqlx::query(sql).bind(bank.as_str()).bind(pause.drains);
        let query = query.bind(&pause.reason).bind(&pause.paused_by).bind(pause.paused_at);
        query.execute(&self.0).await.map(drop)
    }

    /// Lets a bank go on.
    ///
    /// # Errors
    /// What the database says.
    pub async fn resume(&self, bank: &BankCode) -> sqlx::Result<()> {
        let sql = "delete from bank_pauses where bank = $1";
        sqlx::query(sql).bind(bank.as_str()).execute(&self.0).await.map(drop)
    }

    /// Notes why a lane sends nothing, for whoever wants to know; nothing if it does.
    ///
    /// # Errors
    /// What the database says.
    pub async fn say(&self, lane: &str, note: Option<&str>) -> sqlx::Result<()> {
        let sql = "update worker_lanes set note = $2 where lane = $1 and note is distinct from $2";
        sqlx::query(sql).bind(lane).bind(note).execute(&self.0).await.map(drop)
    }

    /// Why a lane sends nothing, if it said so.
    ///
    /// # Errors
    /// What the database says.
    pub async fn said(&self, lane: &str) -> sqlx::Result<Option<String>> {
        let sql = "select note from worker_lanes where lane = $1";
        let said = sqlx::query_scalar::<_, Option<String>>(sql).bind(lane);
        Ok(said.fetch_optional(&self.0).await?.flatten())
    }
}

/// A small count as PostgreSQL has it.
fn int(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}
