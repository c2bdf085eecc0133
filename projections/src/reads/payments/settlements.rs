//! Settlements: what became spendable of a shop's payments, a hundred at most at a time.

use std::collections::HashMap;

use ledger_core::{
    clock::Timestamp,
    ids::{AccountId, MerchantCode, SettlementId},
    log::{self, Position},
    money::CurrencyCode,
};
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::{Postgres, QueryBuilder, Row, postgres::PgRow};

use super::{At, Page, ReadError, ReadModels, cut, decimal, parsed, rows, unsigned, uuid};

const COLUMNS: &str = "s.id, s.merchant, s.currency, s.payments, s.gross::text as gross, \
    s.fee::text as fee, s.tax::text as tax, s.refunds::text as refunds, s.net::text as net, \
    s.repaid::text as repaid, s.settled_at, s.position";

/// A settlement: the sums of the payments that went into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettlementRow {
    /// Its id.
    pub id: SettlementId,
    /// The shop.
    pub merchant: MerchantCode,
    /// Its currency.
    pub currency: CurrencyCode,
    /// How many payments.
    pub payments: u64,
    /// What was paid.
    pub gross: Decimal,
    /// What that cost the shop, without the tax in it.
    pub fee: Decimal,
    /// The tax.
    pub tax: Decimal,
    /// What was taken out of these payments before: given back, or held for a dispute.
    pub refunds: Decimal,
    /// What it moved: what was paid without fee, tax and refunds.
    pub net: Decimal,
    /// How much of that repaid what the shop owed; the rest the shop can spend.
    pub repaid: Decimal,
    /// When.
    pub settled_at: Timestamp,
    /// Where that stands in the log: the cursor.
    pub position: Position,
}

/// Which settlements to list; what is not set does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettlementFilter {
    /// Of this shop.
    pub merchant: Option<MerchantCode>,
    /// Made at or after this moment.
    pub from: Option<Timestamp>,
    /// Made before this moment.
    pub until: Option<Timestamp>,
    /// Just this one.
    pub id: Option<SettlementId>,
    /// Of exactly this amount.
    pub net: Option<Decimal>,
    /// Made after this position: after one payout …
    pub after: Option<Position>,
    /// … and before this one: before the next.
    pub upto: Option<Position>,
    /// Made before this position: the cursor.
    pub before: Option<Position>,
}

impl ReadModels {
    /// A settlement, if it exists.
    pub async fn settlement(
        &self,
        id: SettlementId,
    ) -> Result<At<Option<SettlementRow>>, ReadError> {
        let sql = format!(
            "select c.position as reflects, {COLUMNS}
             from read.checkpoint c left join read.settlements s on s.id = $1"
        );
        let found = sqlx::query(&sql).bind(id.uuid()).fetch_all(&self.pool).await?;
        let (position, mut found) = rows(&found, row_or_none)?;
        Ok(At { position, value: found.pop() })
    }

    /// Settlements, the last one first, `limit` at most.
    pub async fn settlements(
        &self,
        filter: &SettlementFilter,
        limit: u32,
    ) -> Result<Page<SettlementRow, Position>, ReadError> {
        let mut query = QueryBuilder::new("select c.position as reflects, ");
        query.push(COLUMNS).push(
            " from read.checkpoint c
             left join lateral (select * from read.settlements s where true",
        );
        self.restrict_settlements(&mut query, filter).await?;
        query.push(" order by s.position desc limit ").push_bind(i64::from(limit) + 1);
        query.push(") s on true order by s.position desc");
        let found = query.build().fetch_all(&self.pool).await?;
        let (position, found) = rows(&found, row_or_none)?;
        Ok(cut(found, limit, position, |row| row.position))
    }

    async fn restrict_settlements(
        &self,
        query: &mut QueryBuilder<'_, Postgres>,
        filter: &SettlementFilter,
    ) -> Result<(), ReadError> {
        if let Some(merchant) = &filter.merchant {
            query.push(" and s.merchant = ").push_bind(merchant.as_str().to_owned());
        }
        if let Some(id) = filter.id {
            query.push(" and s.id = ").push_bind(id.uuid());
        }
        if let Some(net) = filter.net {
            query.push(" and s.net = ").push_bind(net);
        }
        // By the clock as well: moments never go back in the log.
        let mut after: Vec<Position> = filter.after.into_iter().collect();
        if let Some(from) = filter.from {
            after.push(self.recorded_before(from).await?);
        }
        for after in after {
            query.push(" and s.position > ").push_bind(log::read::signed(after)?);
        }
        if let Some(until) = filter.until {
            let upto = self.recorded_before(until).await?;
            query.push(" and s.position <= ").push_bind(log::read::signed(upto)?);
        }
        for before in [filter.upto, filter.before].into_iter().flatten() {
            query.push(" and s.position < ").push_bind(log::read::signed(before)?);
        }
        Ok(())
    }

    /// The bank's reference of the payout that took what each of these settlements made available
    /// on the account: of the first one after it that its bank paid. Those that none took are left
    /// out.
    pub async fn payout_references(
        &self,
        account: &AccountId,
        settlements: &[SettlementId],
    ) -> Result<HashMap<SettlementId, String>, ReadError> {
        let ids: Vec<_> = settlements.iter().map(|id| id.uuid()).collect();
        let found = sqlx::query(
            "select s.id, a.utr from read.settlements s
             join lateral (select utr from read.activity
                 where account_id = $1 and utr is not null and began_position > s.position
                 order by began_position limit 1) a on true
             where s.id = any($2)",
        )
        .bind(account.as_str())
        .bind(ids)
        .fetch_all(&self.pool)
        .await?;
        let mut references = HashMap::with_capacity(found.len());
        for row in &found {
            if let Some(id) = uuid(row, "id")? {
                references.insert(SettlementId::from_uuid(id), row.try_get("utr")?);
            }
        }
        Ok(references)
    }

    /// The positions between which what a payout took became available: the payout before it that
    /// a bank paid, if there was one, and itself. Of the last payout that a bank paid, if no
    /// reference is named; nothing if there is none.
    pub async fn payout_span(
        &self,
        account: &AccountId,
        reference: Option<&str>,
    ) -> Result<Option<(Option<Position>, Position)>, ReadError> {
        let found = sqlx::query(
            "select a.began_position as upto,
                    (select max(b.began_position) from read.activity b
                     where b.account_id = $1 and b.utr is not null
                       and b.began_position < a.began_position) as after
             from read.activity a
             where a.account_id = $1 and a.utr is not null and ($2::text is null or a.utr = $2)
             order by a.began_position desc limit 1",
        )
        .bind(account.as_str())
        .bind(reference)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = found else { return Ok(None) };
        let after = row.try_get::<Option<i64>, _>("after")?;
        let after = after.map(|_| unsigned(&row, "after")).transpose()?;
        Ok(Some((after, unsigned(&row, "upto")?)))
    }
}

fn row_or_none(row: &PgRow) -> Result<Option<SettlementRow>, ReadError> {
    let Some(id) = uuid(row, "id")? else {
        return Ok(None);
    };
    Ok(Some(SettlementRow {
        id: SettlementId::from_uuid(id),
        merchant: parsed(row, "merchant")?,
        currency: parsed(row, "currency")?,
        payments: unsigned(row, "payments")?,
        gross: decimal(row, "gross")?,
        fee: decimal(row, "fee")?,
        tax: decimal(row, "tax")?,
        refunds: decimal(row, "refunds")?,
        net: decimal(row, "net")?,
        repaid: decimal(row, "repaid")?,
        settled_at: row.try_get("settled_at")?,
        position: unsigned(row, "position")?,
    }))
}
