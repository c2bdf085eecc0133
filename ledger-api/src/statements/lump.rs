//! A line that is the lump of several credits, as the bank itself says: a payment gateway's, net of
//! what it keeps. Only what comes to the line to the last paisa is one; anything else is no word of
//! the bank that could be booked by, and the line stays whole.

use ledger_core::{
    bank_line::{LineDirection, PARTS_MAX, Part, Purpose},
    ids::{BankCode, BankLineId, Item, Reference},
};
use rust_decimal::Decimal;
use sqlx::{PgConnection, PgPool};

use super::{Format, ParsedStatement, evidence::StoredLine};

/// The most credits of a lump: charges and tax are parts as well.
pub const LUMP_CREDITS_MAX: usize = PARTS_MAX - 2;

/// What a line is the lump of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lump {
    /// What was kept back of all, without tax; zero or more.
    pub charges: Decimal,
    /// The tax on that; zero or more.
    pub tax: Decimal,
    /// The credits, at least one.
    pub credits: Vec<LumpCredit>,
}

/// A credit of a lump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LumpCredit {
    /// What was paid, before anything was kept back; above zero.
    pub amount: Decimal,
    /// The bank's number for it, if it says one.
    pub bank_transaction_id: Option<Reference>,
    /// The reference between banks.
    pub utr: Option<Reference>,
    /// Ours: a deposit's token.
    pub reference: Option<Reference>,
}

impl Lump {
    /// The lump of a line of `net`; nothing if it is no credit, or the credits do not come to it.
    pub(super) fn of(net: Decimal, direction: LineDirection, lump: Self) -> Option<Self> {
        let Self { charges, tax, credits } = &lump;
        let mut amounts = credits.iter().map(|credit| credit.amount);
        let gross = amounts.try_fold(Decimal::ZERO, Decimal::checked_add)?;
        let fits = !credits.is_empty() && credits.len() <= LUMP_CREDITS_MAX;
        let kept = charges.checked_add(*tax)?;
        let is_net = gross.checked_sub(kept)? == net;
        (fits && is_net && direction == LineDirection::Credit).then_some(lump)
    }

    /// The parts of a line that settles these items, one for each credit, at the currency's scale.
    pub(super) fn parts(&self, items: Vec<Item>, scale: u32) -> Vec<Part> {
        // A numeric column keeps the scale that it was given; the text of an amount is the rule.
        let exact = |mut amount: Decimal| {
            amount.rescale(scale);
            amount
        };
        let kept = [(Purpose::Charges, self.charges), (Purpose::Tax, self.tax)];
        let kept = kept.into_iter().filter(|(_, amount)| !amount.is_zero());
        let arrived = items.into_iter().zip(&self.credits);
        arrived
            .map(|(item, credit)| Part::of_item(Purpose::Arrival, item, exact(credit.amount)))
            .chain(kept.map(|(purpose, amount)| Part::plain(purpose, exact(amount))))
            .collect()
    }

    /// All of it as text: a part of what is hashed where there was no file.
    pub(super) fn words(&self) -> String {
        let mut words = vec!["lump".to_owned(), self.charges.to_string(), self.tax.to_string()];
        for credit in &self.credits {
            let LumpCredit { amount, bank_transaction_id, utr, reference } = credit;
            words.push(amount.to_string());
            let names = [bank_transaction_id, utr, reference];
            words.extend(
                names.map(|name| name.as_ref().map_or_else(String::new, ToString::to_string)),
            );
        }
        words.push(String::new());
        words.join("\n")
    }
}

/// The parts of a statement's lines, column by column; those of a line stand together.
#[derive(Default)]
struct Columns<'a> {
    lines: Vec<String>,
    numbers: Vec<i32>,
    purposes: Vec<&'static str>,
    amounts: Vec<Decimal>,
    /// By the bank's number, the reference between banks, and ours.
    names: [Vec<Option<&'a str>>; 3],
}

impl<'a> Columns<'a> {
    fn of(bank: &BankCode, statement: &'a ParsedStatement) -> Self {
        let mut columns = Self::default();
        for line in &statement.lines {
            let Some(lump) = &line.lump else { continue };
            let id = line.key(bank, statement.account).id().to_string();
            let arrived = lump.credits.iter().map(|one| ("arrival", one.amount, Some(one)));
            let kept = [("charges", lump.charges, None), ("tax", lump.tax, None)];
            let kept = kept.into_iter().filter(|(_, amount, _)| !amount.is_zero());
            for (number, (purpose, amount, credit)) in (1_i32..).zip(arrived.chain(kept)) {
                columns.lines.push(id.clone());
                columns.numbers.push(number);
                columns.purposes.push(purpose);
                columns.amounts.push(amount);
                let said = |name: fn(&LumpCredit) -> Option<&Reference>| {
                    credit.and_then(name).map(Reference::as_str)
                };
                let [of_bank, utrs, ours] = &mut columns.names;
                of_bank.push(said(|credit| credit.bank_transaction_id.as_ref()));
                utrs.push(said(|credit| credit.utr.as_ref()));
                ours.push(said(|credit| credit.reference.as_ref()));
            }
        }
        columns
    }
}

/// Holds the parts of lines that are known against what was said of them first: what is said
/// otherwise is a break, for what was booked by the first word stays. A format without a place for
/// parts says nothing by naming none. How many breaks there are.
pub(super) async fn compare(
    db: &mut PgConnection,
    (bank, format): (&BankCode, Format),
    statement: &ParsedStatement,
    file_id: i64,
) -> sqlx::Result<u64> {
    let ids = statement.lines.iter().map(|line| line.key(bank, statement.account).id().to_string());
    let ids: Vec<String> = ids.collect();
    let columns = Columns::of(bank, statement);
    let [of_bank, utrs, ours] = &columns.names;
    let done = sqlx::query(
        "with told as (
             select n.* from unnest($1::text[], $2::int[], $3::text[], $4::numeric[], $5::text[],
                                    $6::text[], $7::text[])
                  as n(line_id, number, purpose, amount, bank_transaction_id, utr, reference)
             join statement_lines l using (line_id)
         ), known as (
             select * from statement_line_parts where line_id = any($8)
         ), new as (
             select line_id, purpose, amount, bank_transaction_id, utr, reference from told
         ), old as (
             select line_id, purpose, amount, bank_transaction_id, utr, reference from known
         ), other as (
             select line_id from (select * from new except all select * from old) added
             union
             select line_id from (select * from old except all select * from new) gone
             where $9 or line_id in (select line_id from told)
         )
         insert into statement_breaks (file_id, line_id, kind, detail)
         select $10, line_id, 'changed', format('parts %s, were %s',
             coalesce((select left(string_agg(concat_ws(' ', t.amount, t.bank_transaction_id,
                                                        t.utr, t.reference), ', '
                                              order by t.number), 300)
                       from told t where t.line_id = other.line_id), 'none'),
             coalesce((select left(string_agg(concat_ws(' ', k.amount, k.bank_transaction_id,
                                                        k.utr, k.reference), ', '
                                              order by k.number), 300)
                       from known k where k.line_id = other.line_id), 'none'))
         from other on conflict (file_id, line_id) do nothing",
    )
    .bind(&columns.lines)
    .bind(&columns.numbers)
    .bind(&columns.purposes)
    .bind(&columns.amounts)
    .bind(of_bank)
    .bind(utrs)
    .bind(ours)
    .bind(&ids)
    .bind(format.names_parts())
    .bind(file_id)
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Stores the parts of the lines that came with this file.
pub(super) async fn store(
    db: &mut PgConnection,
    bank: &BankCode,
    statement: &ParsedStatement,
    file_id: i64,
) -> sqlx::Result<()> {
    let columns = Columns::of(bank, statement);
    if columns.lines.is_empty() {
        return Ok(());
    }
    let [of_bank, utrs, ours] = &columns.names;
    // A line that was there before keeps what was said of it then.
    sqlx::query(
        "insert into statement_line_parts (line_id, number, purpose, amount, bank_transaction_id,
                                           utr, reference)
         select n.* from unnest($1::text[], $2::int[], $3::text[], $4::numeric[], $5::text[],
                                $6::text[], $7::text[])
              as n(line_id, number, purpose, amount, bank_transaction_id, utr, reference)
         join statement_lines l on l.line_id = n.line_id and l.file_id = $8",
    )
    .bind(&columns.lines)
    .bind(&columns.numbers)
    .bind(&columns.purposes)
    .bind(&columns.amounts)
    .bind(of_bank)
    .bind(utrs)
    .bind(ours)
    .bind(file_id)
    .execute(db)
    .await?;
    Ok(())
}

/// What the bank said that a line is the lump of, if it said so.
pub(super) async fn stated(pool: &PgPool, line: &StoredLine) -> sqlx::Result<Option<Lump>> {
    type Row = (String, Decimal, Option<String>, Option<String>, Option<String>);
    let sql = "select purpose, amount, bank_transaction_id, utr, reference
               from statement_line_parts where line_id = $1 order by number";
    let rows: Vec<Row> =
        sqlx::query_as(sql).bind(line.key.id().to_string()).fetch_all(pool).await?;
    let mut lump = Lump {
        charges: Decimal::ZERO,
        tax: Decimal::ZERO,
        credits: Vec::with_capacity(rows.len()),
    };
    for (purpose, amount, number, utr, reference) in rows {
        let parsed = |text: Option<String>| text.and_then(|text| text.parse().ok());
        match purpose.as_str() {
            "charges" => lump.charges = amount,
            "tax" => lump.tax = amount,
            _ => lump.credits.push(LumpCredit {
                amount,
                bank_transaction_id: parsed(number),
                utr: parsed(utr),
                reference: parsed(reference),
            }),
        }
    }
    Ok((!lump.credits.is_empty()).then_some(lump))
}

/// The deposits' credits that the parts of a line are, in their order: open in `clearing_in`, of
/// the part's amount, and named by the bank's number, else the reference between banks, else the
/// deposit's token. Nothing if one of them is not known, or may be several.
pub(super) async fn items(pool: &PgPool, line: &StoredLine) -> sqlx::Result<Option<Vec<Item>>> {
    let sql = "
        select p.number, found.item, found.rank
        from statement_line_parts p left join lateral (
            select o.item, case when credit ->> 'bank_transaction_id' = p.bank_transaction_id then 1
                                when credit ->> 'utr' = p.utr then 2 else 3 end as rank
            from read.open_items o
            join events e on e.aggregate_type = 'deposit'
                 and e.event_type in ('credited', 'put_aside')
                 and e.aggregate_id = split_part(o.item, '.', 1)
            cross join lateral (
                select told -> 'credit' as credit, told ->> 'number' as number
                from (select convert_from(e.payload, 'UTF8')::json as told) t) c
            where o.account_id = $2 and left(o.item, 4) = 'dep_' and o.net_debits = p.amount
              and c.number = split_part(o.item, '.', 2)
              and (credit ->> 'bank_transaction_id' = p.bank_transaction_id
                   or credit ->> 'utr' = p.utr
                   or replace(split_part(o.item, '.', 1), '_', '') = p.reference)
        ) found on true
        where p.line_id = $1 and p.purpose = 'arrival' order by p.number, found.rank";
    let rows: Vec<(i32, Option<String>, Option<i32>)> = sqlx::query_as(sql)
        .bind(line.key.id().to_string())
        .bind(format!("bank:{}:clearing_in:{}", line.key.bank, line.currency))
        .fetch_all(pool)
        .await?;
    let mut items: Vec<(i32, Option<i32>, Item)> = Vec::with_capacity(rows.len());
    for (number, item, rank) in rows {
        let Some(item) = item.and_then(|item| item.parse().ok()) else { return Ok(None) };
        match items.last() {
            // Another credit that is named just as well: which of them it is nobody knows.
            Some((last, best, _)) if *last == number && *best == rank => return Ok(None),
            Some((last, ..)) if *last == number => {}
            Some(_) | None => items.push((number, rank, item)),
        }
    }
    Ok((!items.is_empty()).then(|| items.into_iter().map(|(.., item)| item).collect()))
}

/// Whether the log has a line as what settled several deposits' credits, by whoever said so.
pub(super) async fn is_booked(pool: &PgPool, line: BankLineId) -> sqlx::Result<bool> {
    let sql = "select exists (
                   select from events e
                   cross join lateral json_array_elements(
                       convert_from(e.payload, 'UTF8')::json -> 'parts') as part
                   where e.aggregate_type = 'bank_line' and e.aggregate_id = $1
                     and e.event_type in ('booked', 'resolved')
                     and part ->> 'purpose' = 'arrival' and left(part ->> 'item', 4) = 'dep_')";
    sqlx::query_scalar(sql).bind(line.to_string()).fetch_one(pool).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn lump(credits: &[&str], charges: &str, tax: &str) -> Lump {
        let credit = |amount: &&str| LumpCredit {
            amount: dec(amount),
            bank_transaction_id: None,
            utr: None,
            reference: None,
        };
        let credits = credits.iter().map(credit).collect();
        Lump { charges: dec(charges), tax: dec(tax), credits }
    }

    #[test]
    fn a_lump_comes_to_its_line_to_the_last_paisa() {
        let of = |net: &str, lump: Lump| Lump::of(dec(net), LineDirection::Credit, lump).is_some();
        assert!(of("494.10", lump(&["300.00", "200.00"], "5.00", "0.90")));
        assert!(of("500.00", lump(&["500.00"], "0", "0")));
        assert!(!of("494.11", lump(&["300.00", "200.00"], "5.00", "0.90")));
        assert!(!of("494.10", lump(&["300.00", "200.00"], "5.90", "0.90")));
        assert!(!of("0.00", lump(&[], "0.00", "0.00")));
        let many = vec!["1.00"; LUMP_CREDITS_MAX];
        assert!(of("96.00", lump(&many, "0.00", "0.00")));
        let more = vec!["1.00"; LUMP_CREDITS_MAX + 1];
        assert!(!of("97.00", lump(&more, "0.00", "0.00")));
        let debit = Lump::of(dec("1.00"), LineDirection::Debit, lump(&["1.00"], "0", "0"));
        assert_eq!(debit, None);
    }

    #[test]
    fn its_parts_are_the_credits_and_what_was_kept_back() {
        let items = ["dep_1.1", "dep_2.1"].map(|item| item.parse().unwrap());
        let parts = lump(&["300.00", "200.00"], "5.00", "0.00").parts(items.to_vec(), 2);
        let purposes: Vec<_> = parts.iter().map(|part| (part.purpose, part.amount)).collect();
        assert_eq!(
            purposes,
            [
                (Purpose::Arrival, dec("300.00")),
                (Purpose::Arrival, dec("200.00")),
                (Purpose::Charges, dec("5.00"))
            ]
        );
    }
}
