//! Stores a statement, whole or not at all, in one database transaction. A lock for each account
//! lets statements of it in one after the other; the unique keys would hold without it.

use chrono::NaiveDate;
use ledger_core::{
    bank_line::HouseAccount,
    ids::{BankCode, Principal, Reference},
};
use rust_decimal::Decimal;
use sqlx::{PgConnection, PgPool, Row};

use super::{
    Format, ParsedLine, ParsedStatement, RuleError,
    checks::{self, Known, Neighbours},
    days, lump,
};

/// A statement that is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    /// Its number.
    pub file_id: i64,
    /// Whether it was there before, to the byte: then nothing happened.
    pub duplicate: bool,
    /// The version of the day that it replaces.
    pub supersedes: Option<i64>,
    /// How many lines it has.
    pub lines: usize,
    /// How many of them nobody had seen before.
    pub new_lines: usize,
    /// How many lines of the day vanished or are others now.
    pub breaks: usize,
}

/// Who hands a statement in.
#[derive(Debug, Clone, Copy)]
pub struct HandedIn<'a> {
    /// In whose name.
    pub by: &'a Principal,
    /// The second person who agreed that it is the bank's, where one is needed.
    pub approved_by: Option<&'a Principal>,
}

/// Why a statement is not stored.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It breaks a rule.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// The database did not do it.
    #[error("the statement could not be stored")]
    Database(#[from] sqlx::Error),
}

/// Stores a statement of `bank`, as the bank itself gave it: without a second person.
///
/// # Errors
/// [`ImportError`]; then nothing is stored.
pub async fn import(
    pool: &PgPool,
    bank: &BankCode,
    format: Format,
    statement: &ParsedStatement,
    by: &Principal,
) -> Result<Imported, ImportError> {
    let by = HandedIn { by, approved_by: None };
    let imported = import_all(pool, bank, format, std::slice::from_ref(statement), by).await?;
    imported.into_iter().next().ok_or(ImportError::Database(sqlx::Error::RowNotFound))
}

/// Stores the statements of a file of `bank`, in their order: all, or none.
///
/// # Errors
/// [`ImportError`] of the first that is refused; then nothing is stored.
pub async fn import_all(
    pool: &PgPool,
    bank: &BankCode,
    format: Format,
    statements: &[ParsedStatement],
    by: HandedIn<'_>,
) -> Result<Vec<Imported>, ImportError> {
    for statement in statements {
        checks::alone(statement)?;
    }
    checks::together(statements)?;
    // In one order, so that two imports wait for each other in one direction only.
    let mut accounts: Vec<_> = statements.iter().map(|statement| statement.account).collect();
    accounts.sort_unstable();
    accounts.dedup();
    let mut db_tx = pool.begin().await?;
    for account in accounts {
        sqlx::query("select pg_advisory_xact_lock(hashtextextended($1, 8))")
            .bind(format!("statement:{bank}:{}", account.as_str()))
            .execute(&mut *db_tx)
            .await?;
    }
    let mut imported = Vec::with_capacity(statements.len());
    for statement in statements {
        let importing = Importing { bank, statement };
        imported.push(importing.run(&mut db_tx, format, by).await?);
    }
    db_tx.commit().await?;
    Ok(imported)
}

struct Importing<'a> {
    bank: &'a BankCode,
    statement: &'a ParsedStatement,
}

impl Importing<'_> {
    async fn run(
        &self,
        db: &mut PgConnection,
        format: Format,
        by: HandedIn<'_>,
    ) -> Result<Imported, ImportError> {
        let lines = self.statement.lines.len();
        if let Some(file_id) = self.same_file(db).await? {
            let (supersedes, new_lines, breaks) = (None, 0, 0);
            return Ok(Imported { file_id, duplicate: true, supersedes, lines, new_lines, breaks });
        }
        let locked = days::closed_until(db, self.bank).await?;
        if let Some(until) = locked.filter(|until| self.statement.date <= *until) {
            return Err(RuleError::DayLocked { until }.into());
        }
        let neighbours = self.neighbours(db).await?;
        checks::between(self.statement, &neighbours)?;
        let supersedes = neighbours.same.map(|same| same.id);
        let file_id = self.insert_file(db, format, by, supersedes).await?;
        let changed = self.compare(db, file_id).await?;
        let parts = lump::compare(db, (self.bank, format), self.statement, file_id).await?;
        let breaks = changed.saturating_add(usize::try_from(parts).unwrap_or(usize::MAX));
        let new_lines = self.insert_lines(db, file_id).await?;
        lump::store(db, self.bank, self.statement, file_id).await?;
        Ok(Imported { file_id, duplicate: false, supersedes, lines, new_lines, breaks })
    }

    const fn account(&self) -> &'static str {
        HouseAccount::as_str(self.statement.account)
    }

    async fn same_file(&self, db: &mut PgConnection) -> Result<Option<i64>, sqlx::Error> {
        sqlx::query_scalar(
            "select id from statement_files
             where bank = $1 and account = $2 and day = $3 and sha256 = $4",
        )
        .bind(self.bank.as_str())
        .bind(self.account())
        .bind(self.statement.date)
        .bind(self.statement.file_sha256.as_slice())
        .fetch_optional(db)
        .await
    }

    async fn neighbours(&self, db: &mut PgConnection) -> Result<Neighbours, sqlx::Error> {
        let day = self.statement.date;
        let rows = sqlx::query(
            "select distinct on (day) day, id, opening, closing, closed from statement_files
             where bank = $1 and account = $2 and day between $3::date - 1 and $3::date + 1
             order by day, id desc",
        )
        .bind(self.bank.as_str())
        .bind(self.account())
        .bind(day)
        .fetch_all(&mut *db)
        .await?;
        let mut neighbours = Neighbours::default();
        for row in rows {
            let known = Known {
                id: row.try_get("id")?,
                opening: row.try_get("opening")?,
                closing: row.try_get("closing")?,
                closed: row.try_get("closed")?,
            };
            let of: NaiveDate = row.try_get("day")?;
            match of.cmp(&day) {
                std::cmp::Ordering::Less => neighbours.before = Some(known),
                std::cmp::Ordering::Equal => neighbours.same = Some(known),
                std::cmp::Ordering::Greater => neighbours.after = Some(known),
            }
        }
        let days: (Option<NaiveDate>, Option<NaiveDate>) = sqlx::query_as(
            "select min(day), max(day) from statement_files where bank = $1 and account = $2",
        )
        .bind(self.bank.as_str())
        .bind(self.account())
        .fetch_one(db)
        .await?;
        neighbours.days = days.0.zip(days.1);
        Ok(neighbours)
    }

    async fn insert_file(
        &self,
        db: &mut PgConnection,
        format: Format,
        by: HandedIn<'_>,
        supersedes: Option<i64>,
    ) -> Result<i64, sqlx::Error> {
        let statement = self.statement;
        sqlx::query_scalar(
            "insert into statement_files (bank, account, day, currency, format, sha256, opening,
                                          closing, closed, lines, supersedes, imported_by,
                                          approved_by)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) returning id",
        )
        .bind(self.bank.as_str())
        .bind(self.account())
        .bind(statement.date)
        .bind(statement.currency.as_str())
        .bind(format.as_str())
        .bind(statement.file_sha256.as_slice())
        .bind(statement.opening)
        .bind(statement.closing)
        .bind(statement.closed)
        .bind(i32::try_from(statement.lines.len()).unwrap_or(i32::MAX))
        .bind(supersedes)
        .bind(by.by.as_str())
        .bind(by.approved_by.map(Principal::as_str))
        .fetch_one(db)
        .await
    }

    /// Holds the statement against the lines that are known: what it says otherwise is a break.
    async fn compare(&self, db: &mut PgConnection, file_id: i64) -> Result<usize, ImportError> {
        let columns = Columns::of(self);
        let other: Option<(String, NaiveDate)> = sqlx::query_as(
            "select l.bank_transaction_id, l.day from unnest($1::text[]) as n(line_id)
             join statement_lines l using (line_id) where l.day <> $2 limit 1",
        )
        .bind(&columns.line_id)
        .bind(self.statement.date)
        .fetch_optional(&mut *db)
        .await?;
        if let Some((id, day)) = other {
            return Err(RuleError::LineOfAnotherDay { id, day }.into());
        }
        let changed = sqlx::query(
            "insert into statement_breaks (file_id, line_id, kind, detail)
             select $1, l.line_id, 'changed',
                    format('%s %s, was %s %s', n.amount, coalesce(n.reference, '-'),
                           l.amount, coalesce(l.reference, '-'))
             from unnest($2::text[], $3::numeric[], $4::text[], $5::text[], $6::date[])
                  as n(line_id, amount, utr, reference, booking_date)
             join statement_lines l using (line_id)
             where (n.amount, n.utr, n.reference, n.booking_date)
                   is distinct from (l.amount, l.utr, l.reference, l.booking_date)",
        )
        .bind(file_id)
        .bind(&columns.line_id)
        .bind(&columns.amount)
        .bind(&columns.utr)
        .bind(&columns.reference)
        .bind(&columns.booking_date)
        .execute(&mut *db)
        .await?;
        let vanished = sqlx::query(
            "insert into statement_breaks (file_id, line_id, kind, detail)
             select $1, l.line_id, 'vanished', format('was %s', l.amount)
             from statement_lines l
             where l.bank = $2 and l.account = $3 and l.day = $4
               and not exists (select from unnest($5::text[]) as n(line_id)
                               where n.line_id = l.line_id)",
        )
        .bind(file_id)
        .bind(self.bank.as_str())
        .bind(self.account())
        .bind(self.statement.date)
        .bind(&columns.line_id)
        .execute(db)
        .await?;
        let breaks = changed.rows_affected().saturating_add(vanished.rows_affected());
        Ok(usize::try_from(breaks).unwrap_or(usize::MAX))
    }

    async fn insert_lines(
        &self,
        db: &mut PgConnection,
        file_id: i64,
    ) -> Result<usize, sqlx::Error> {
        let columns = Columns::of(self);
        let inserted = sqlx::query(
            "with n as (
                 select * from unnest($1::text[], $2::text[], $3::date[], $4::text[], $5::date[],
                                      $6::numeric[], $7::text[], $8::text[], $9::text[])
                     with ordinality as t(line_id, direction, value_date, bank_transaction_id,
                                          booking_date, amount, utr, reference, narration, nr)
             ), stored as (
                 insert into statement_lines (line_id, bank, account, day, direction, value_date,
                                              bank_transaction_id, booking_date, currency, amount,
                                              utr, reference, file_id)
                 select line_id, $10, $11, $12, direction, value_date, bank_transaction_id,
                        booking_date, $13, amount, utr, reference, $14
                 from n order by nr
                 on conflict (line_id) do nothing returning line_id
             )
             insert into statement_narrations (line_id, narration)
             select line_id, narration from stored join n using (line_id)",
        )
        .bind(columns.line_id)
        .bind(columns.direction)
        .bind(columns.value_date)
        .bind(columns.bank_transaction_id)
        .bind(columns.booking_date)
        .bind(columns.amount)
        .bind(columns.utr)
        .bind(columns.reference)
        .bind(columns.narration)
        .bind(self.bank.as_str())
        .bind(self.account())
        .bind(self.statement.date)
        .bind(self.statement.currency.as_str())
        .bind(file_id)
        .execute(db)
        .await?;
        Ok(usize::try_from(inserted.rows_affected()).unwrap_or(usize::MAX))
    }
}

/// The lines, column by column.
struct Columns<'a> {
    line_id: Vec<String>,
    direction: Vec<&'static str>,
    value_date: Vec<NaiveDate>,
    bank_transaction_id: Vec<&'a str>,
    booking_date: Vec<NaiveDate>,
    amount: Vec<Decimal>,
    utr: Vec<Option<&'a str>>,
    reference: Vec<Option<&'a str>>,
    narration: Vec<&'a str>,
}

impl<'a> Columns<'a> {
    fn of(importing: &Importing<'a>) -> Self {
        let (bank, account) = (importing.bank, importing.statement.account);
        let lines: &'a [ParsedLine] = &importing.statement.lines;
        Self {
            line_id: lines.iter().map(|l| l.key(bank, account).id().to_string()).collect(),
            direction: lines.iter().map(|l| l.direction.as_str()).collect(),
            value_date: lines.iter().map(|l| l.value_date).collect(),
            bank_transaction_id: lines.iter().map(|l| l.bank_transaction_id.as_str()).collect(),
            booking_date: lines.iter().map(|l| l.booking_date).collect(),
            amount: lines.iter().map(|l| l.amount).collect(),
            utr: lines.iter().map(|l| l.utr.as_ref().map(Reference::as_str)).collect(),
            reference: lines.iter().map(|l| l.reference.as_ref().map(Reference::as_str)).collect(),
            narration: lines.iter().map(|l| l.narration.as_str()).collect(),
        }
    }
}
