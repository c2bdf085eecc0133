//! The moves in the database.

use ledger_core::{clock::Timestamp, ids::BankCode, log::Position, money::CurrencyCode};
use projections::audit::Certificate;
use rust_decimal::Decimal;
use sqlx::{PgPool, Row, postgres::PgRow};
use uuid::Uuid;

use super::{Move, MoveId, MoveStatus, OrderStatus, Way, asked_for, orders};

const COLUMNS: &str = "m.id, m.reference, m.day, m.currency, m.direction, m.bank, m.amount,
    m.headroom, m.status, m.proposed_at, m.decided_at, m.decided_by, m.approved_by,
    o.status as order_status, o.rail, o.code, o.asked, o.ordered_at,
    (select count(*) from statement_bookings b where b.item = m.reference) as lines";
const MOVES: &str = "treasury_moves m left join treasury_orders o on o.move_id = m.id";
/// It was approved, and neither are both its lines there nor did its bank refuse it.
const UNDER_WAY: &str = "m.status = 'approved'
    and (select count(*) from statement_bookings b where b.item = m.reference) < 2
    and not exists (select from treasury_orders o
                    where o.move_id = m.id and o.status = 'refused')";

/// What people say to a move.
pub(crate) struct Decision<'a> {
    pub(crate) approve: bool,
    pub(crate) by: &'a str,
    /// The second person, with the hash of what both have seen.
    pub(crate) second: Option<(&'a str, &'a str)>,
    pub(crate) reason: &'a str,
}

/// The moves.
#[derive(Debug, Clone)]
pub(crate) struct Moves(PgPool);

impl Moves {
    pub(crate) const fn new(pool: PgPool) -> Self {
        Self(pool)
    }

    /// Asks for what the last certificates ask for, once a day; those that it asked for. One that
    /// waits for people gives way to a later day's; while one is under way nothing is asked.
    pub(crate) async fn propose(
        &self,
        buffer: Decimal,
        now: Timestamp,
        fresh: impl Fn() -> Uuid,
    ) -> sqlx::Result<Vec<Move>> {
        let mut made = Vec::new();
        for certificate in self.last_certificates().await? {
            let Some(asked) = asked_for(certificate.headroom(), buffer) else { continue };
            let id = MoveId(fresh());
            if self.ask(&certificate, id, asked, now).await? {
                made.extend(self.find(id).await?);
            }
        }
        Ok(made)
    }

    /// Whether it asked. The bank that has most on the account that is moved from makes the move,
    /// of no more than is there; what is missing then, the next day asks for.
    async fn ask(
        &self,
        certificate: &Certificate,
        id: MoveId,
        (way, amount): (Way, Decimal),
        now: Timestamp,
    ) -> sqlx::Result<bool> {
        let sql = format!(
            "with last as (
                select distinct on (bank, account) bank, account, closing from statement_files
                where currency = $3 order by bank, account, day desc, id desc
            ), from_bank as (
                select f.bank, f.closing from last f join last t on t.bank = f.bank
                where f.account = $9 and t.account = $10 and f.closing > 0
                order by f.closing desc, f.bank limit 1
            ), under_way as (
                select from treasury_moves m where m.currency = $3 and {UNDER_WAY}
            ), past as (
                update treasury_moves set status = 'superseded', decided_at = $8
                where currency = $3 and status = 'proposed' and day < $4
                and not exists (select from under_way)
            )
            insert into treasury_moves
                (id, reference, currency, day, direction, amount, headroom, proposed_at, bank)
            select $1, $2, $3, $4, $5, least($6::numeric, closing), $7, $8, bank from from_bank
            where not exists (select from under_way)
            on conflict do nothing"
        );
        let (from, to) = way.accounts();
        let asked = sqlx::query(&sql)
            .bind(id.0)
            .bind(id.reference())
            .bind(&certificate.currency)
            .bind(certificate.day)
            .bind(way.as_str())
            .bind(amount)
            .bind(certificate.headroom())
            .bind(now)
            .bind(from)
            .bind(to)
            .execute(&self.0)
            .await?;
        Ok(asked.rows_affected() > 0)
    }

    async fn last_certificates(&self) -> sqlx::Result<Vec<Certificate>> {
        let sql = "
            select distinct on (k.currency) k.body from safeguarding_certificates k
            where not exists (select from treasury_moves m
                              where m.currency = k.currency and m.day >= k.day)
            order by k.currency, k.day desc, k.position desc";
        let bodies: Vec<String> = sqlx::query_scalar(sql).fetch_all(&self.0).await?;
        let read = |body: String| {
            serde_json::from_str(&body).map_err(|error| sqlx::Error::Decode(Box::new(error)))
        };
        bodies.into_iter().map(read).collect()
    }

    /// How many wait for people or for their lines, by currency; of every currency that had any.
    pub(crate) async fn open(&self) -> sqlx::Result<Vec<(String, i64)>> {
        let sql = format!(
            "select m.currency, count(*) filter (where m.status = 'proposed' or ({UNDER_WAY}))
             from treasury_moves m group by m.currency order by m.currency"
        );
        sqlx::query_as(&sql).fetch_all(&self.0).await
    }

    /// What approved sweeps take from a bank's escrow that is still in it by the ledger, as it was
    /// at a position: their lines are not booked there yet.
    pub(crate) async fn sweeps(
        &self,
        bank: &BankCode,
        currency: CurrencyCode,
        position: Position,
    ) -> sqlx::Result<Decimal> {
        let sql = "
            select coalesce(sum(m.amount), 0) from treasury_moves m
            where m.bank = $1 and m.currency = $2
              and m.status = 'approved' and m.direction = 'sweep'
              and not exists (select from treasury_orders o
                              where o.move_id = m.id and o.status = 'refused')
              and not exists (select from statement_bookings b
                              join statement_lines l using (line_id)
                              join events e on e.aggregate_type = 'bank_line'
                                  and e.aggregate_id = b.line_id and e.sequence = 1
                              where b.item = m.reference and l.account = $3
                                and e.position <= $4)";
        let (escrow, _) = Way::Sweep.accounts();
        let query = sqlx::query_scalar(sql).bind(bank.as_str()).bind(currency.as_str());
        let position = i64::try_from(position).unwrap_or(i64::MAX);
        query.bind(escrow).bind(position).fetch_one(&self.0).await
    }

    /// The newest first; `limit` of them at most, from those proposed before a moment.
    pub(crate) async fn list(&self, after: Option<MoveId>, limit: u32) -> sqlx::Result<Vec<Move>> {
        let sql = format!(
            "select {COLUMNS} from {MOVES}
             where $1::uuid is null or (m.proposed_at, m.id) <
                 (select proposed_at, id from treasury_moves where id = $1)
             order by m.proposed_at desc, m.id desc limit $2"
        );
        let rows = sqlx::query(&sql).bind(after.map(|id| id.0)).bind(i64::from(limit));
        rows.fetch_all(&self.0).await?.iter().map(read).collect()
    }

    /// One.
    pub(crate) async fn find(&self, id: MoveId) -> sqlx::Result<Option<Move>> {
        let sql = format!("select {COLUMNS} from {MOVES} where m.id = $1");
        let row = sqlx::query(&sql).bind(id.0).fetch_optional(&self.0).await?;
        row.as_ref().map(read).transpose()
    }

    /// Decides one that waits; whether it did. Of two who decide at once, one does.
    pub(crate) async fn decide(
        &self,
        id: MoveId,
        decision: &Decision<'_>,
        now: Timestamp,
    ) -> sqlx::Result<bool> {
        let sql = "
            update treasury_moves set status = $2, decided_at = $3, decided_by = $4,
                approved_by = $5, evidence_sha256 = $6, reason = $7
            where id = $1 and status = 'proposed'";
        let decided = sqlx::query(sql)
            .bind(id.0)
            .bind(if decision.approve { "approved" } else { "rejected" })
            .bind(now)
            .bind(decision.by)
            .bind(decision.second.map(|(person, _)| person))
            .bind(decision.second.map(|(_, evidence)| evidence))
            .bind(decision.reason)
            .execute(&self.0)
            .await?;
        Ok(decided.rows_affected() > 0)
    }
}

fn read(row: &PgRow) -> sqlx::Result<Move> {
    let lines: i64 = row.try_get("lines")?;
    let order = orders::of_row(row)?;
    let refused = order.as_ref().is_some_and(|order| order.status == OrderStatus::Refused);
    let status = match row.try_get::<&str, _>("status")? {
        "proposed" => MoveStatus::Proposed,
        "approved" if lines >= 2 => MoveStatus::Moved,
        "approved" if refused && lines == 0 => MoveStatus::Refused,
        "approved" => MoveStatus::Approved,
        "rejected" => MoveStatus::Rejected,
        _ => MoveStatus::Superseded,
    };
    Ok(Move {
        id: MoveId(row.try_get("id")?),
        reference: row.try_get("reference")?,
        day: row.try_get("day")?,
        currency: row.try_get("currency")?,
        way: Way::parse(row.try_get("direction")?),
        bank: row.try_get("bank")?,
        amount: row.try_get("amount")?,
        headroom: row.try_get("headroom")?,
        status,
        proposed_at: row.try_get("proposed_at")?,
        decided_at: row.try_get("decided_at")?,
        decided_by: row.try_get("decided_by")?,
        approved_by: row.try_get("approved_by")?,
        lines: u32::try_from(lines).unwrap_or(u32::MAX),
        order,
    })
}
