//! The balances of the books against those of the read models, at the position that these reflect.
//!
//! It knows two of the read models' tables: `read.checkpoint` (the position) and `read.accounts`.
//! Both sides come in order of the id, so that neither is held in memory a second time.

use std::cmp::Ordering;

use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{
    AuditError, amount,
    books::Balance,
    finding::{Code, Findings},
    report::ReadModelFigures,
};

const CURSOR: &str = "declare audit_accounts no scroll cursor for
    select id, debits_posted::text, credits_posted::text, held::text, sequence
    from read.accounts order by id collate \"C\"";

/// The position that the read models reflect, if the database has them.
pub(super) async fn position(connection: &mut PgConnection) -> Result<Option<i64>, AuditError> {
    let there: bool = sqlx::query_scalar(
        "select to_regclass('read.checkpoint') is not null
            and to_regclass('read.accounts') is not null",
    )
    .fetch_one(&mut *connection)
    .await?;
    if !there {
        return Ok(None);
    }
    let position = sqlx::query_scalar("select position from read.checkpoint")
        .fetch_optional(connection)
        .await?;
    Ok(position)
}

/// Compares `balances`, in order of the id, with the read models.
pub(super) async fn compare_read_models(
    connection: &mut PgConnection,
    position: i64,
    balances: &[Balance],
    findings: &mut Findings,
) -> Result<ReadModelFigures, AuditError> {
    let mut comparison = Comparison {
        balances: balances.iter().peekable(),
        findings,
        figures: ReadModelFigures { position, compared: 0, differing: 0 },
    };
    sqlx::query(CURSOR).execute(&mut *connection).await?;
    loop {
        let rows = sqlx::query("fetch forward 4096 from audit_accounts")
            .fetch_all(&mut *connection)
            .await?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            comparison.row(row)?;
        }
    }
    comparison.rest();
    Ok(comparison.figures)
}

struct Comparison<'a> {
    balances: std::iter::Peekable<std::slice::Iter<'a, Balance>>,
    findings: &'a mut Findings,
    figures: ReadModelFigures,
}

impl Comparison<'_> {
    fn row(&mut self, row: &PgRow) -> Result<(), AuditError> {
        let id: &str = row.try_get(0)?;
        while let Some(balance) = self.balances.next_if(|b| (*b.account).cmp(id) == Ordering::Less)
        {
            self.differs(&balance.account, "the read models do not have it");
        }
        self.figures.compared += 1;
        let Some(balance) = self.balances.next_if(|b| *b.account == *id) else {
            self.differs(id, "the log does not have it");
            return Ok(());
        };
        let (debits, credits): (&str, &str) = (row.try_get(1)?, row.try_get(2)?);
        let (held, sequence): (&str, i64) = (row.try_get(3)?, row.try_get(4)?);
        let same = same(balance.debits, balance.scale, debits)
            && same(balance.credits, balance.scale, credits)
            && same(balance.held, balance.scale, held)
            && balance.sequence == sequence;
        if !same {
            let text = |value| amount::text(value, balance.scale);
            let words = format!(
                "read model: debits {debits}, credits {credits}, held {held}, sequence {sequence}; \
                 log: {}, {}, {}, {}",
                text(balance.debits),
                text(balance.credits),
                text(balance.held),
                balance.sequence
            );
            self.differs(id, &words);
        }
        Ok(())
    }

    fn rest(&mut self) {
        while let Some(balance) = self.balances.next() {
            self.differs(&balance.account, "the read models do not have it");
        }
    }

    fn differs(&mut self, account: &str, words: &str) {
        self.figures.differing += 1;
        let stream = format!("account {account}");
        self.findings.stream(stream, Code::ReadModelDiffers, words);
    }
}

/// Whether a numeric of the database is this amount, however many zeros it ends in.
fn same(value: i128, scale: u8, numeric: &str) -> bool {
    amount::same_number(&amount::text(value, scale), numeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numerics_are_compared_as_numbers() {
        for numeric in ["100", "100.0", "100.00", "100.0000"] {
            assert!(same(10_000, 2, numeric), "{numeric}");
        }
        for numeric in ["1", "10000", "100.01", "-100", "100.001"] {
            assert!(!same(10_000, 2, numeric), "{numeric}");
        }
        assert!(same(0, 0, "0") && same(0, 2, "0") && !same(0, 2, "0.01"));
    }
}
