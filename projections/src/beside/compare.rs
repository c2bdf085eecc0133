//! A table of `read` against its namesake in `read_replay`, row by row and column by column.

use sqlx::{PgConnection, Row};

use super::TableComparison;
use crate::error::ProjectionError;

/// How many rows that differ are shown of a table.
const EXAMPLES_MAX: i64 = 5;
/// How long one of them may be.
const EXAMPLE_CHARS_MAX: i32 = 300;

/// What is to be known of a table before its rows are compared.
struct Shape {
    /// The columns of the primary key, quoted.
    key: Vec<String>,
    /// All columns, quoted.
    columns: Vec<String>,
    /// The same as they are compared: `json` has no equality, its text has.
    compared: Vec<String>,
}

/// Compares the two tables of a name.
pub(super) async fn table(
    db: &mut PgConnection,
    table: &str,
) -> Result<TableComparison, ProjectionError> {
    let shape = shape(db, "read_replay", table).await?;
    let live = self::shape(db, "read", table).await?;
    let (rows, fresh) = (rows(db, "read", table).await?, rows(db, "read_replay", table).await?);
    if live.columns != shape.columns {
        let words = format!("its columns are {}", live.columns.join(", "));
        return Ok(TableComparison {
            table: table.to_owned(),
            compared: rows.max(fresh),
            differing: rows.max(fresh),
            examples: vec![words],
        });
    }
    let joined = joined(table, &shape);
    let sql = format!(
        "select count(*) as compared, count(*) filter (where differs) as differing from {joined}"
    );
    let row = sqlx::query(&sql).fetch_one(&mut *db).await?;
    let (compared, differing) = (unsigned(&row, "compared")?, unsigned(&row, "differing")?);
    let mut examples = if differing == 0 { Vec::new() } else { examples(db, &joined).await? };
    // A row that stands twice is equal to its one counterpart, twice. Only where somebody dropped
    // the primary key.
    let twice = if differing == 0 { rows.saturating_sub(fresh) } else { 0 };
    if twice > 0 {
        examples.push(format!("{twice} rows stand more than once"));
    }
    let differing = differing.saturating_add(twice);
    Ok(TableComparison { table: table.to_owned(), compared, differing, examples })
}

async fn shape(db: &mut PgConnection, schema: &str, table: &str) -> Result<Shape, ProjectionError> {
    let found = sqlx::query(
        "select quote_ident(a.attname) as name, t.typname = 'json' as is_json,
                coalesce(a.attnum = any(i.indkey), false) as in_key
         from pg_attribute a
         join pg_type t on t.oid = a.atttypid
         left join pg_index i on i.indrelid = a.attrelid and i.indisprimary
         where a.attrelid = format('%I.%I', $1::text, $2::text)::regclass
           and a.attnum > 0 and not a.attisdropped
         order by a.attname",
    )
    .bind(schema)
    .bind(table)
    .fetch_all(db)
    .await?;
    let mut shape = Shape { key: Vec::new(), columns: Vec::new(), compared: Vec::new() };
    for row in found {
        let name: String = row.try_get("name")?;
        let cast = if row.try_get("is_json")? { "::text" } else { "" };
        if row.try_get("in_key")? {
            shape.key.push(name.clone());
        }
        shape.compared.push(format!("{name}{cast}"));
        shape.columns.push(name);
    }
    Ok(shape)
}

async fn rows(db: &mut PgConnection, schema: &str, table: &str) -> Result<u64, ProjectionError> {
    let sql = format!("select count(*) as rows from {schema}.{table}");
    unsigned(&sqlx::query(&sql).fetch_one(db).await?, "rows")
}

/// The rows of both, joined by the key: whether they differ, which they are, and how they differ.
fn joined(table: &str, shape: &Shape) -> String {
    let all = |side: &str| {
        let columns: Vec<_> =
            shape.compared.iter().map(|column| format!("{side}.{column}")).collect();
        columns.join(", ")
    };
    let on: Vec<_> = shape.key.iter().map(|key| format!("live.{key} = fresh.{key}")).collect();
    let which: Vec<_> =
        shape.key.iter().map(|key| format!("coalesce(live.{key}, fresh.{key})::text")).collect();
    let how: Vec<_> = shape
        .columns
        .iter()
        .zip(&shape.compared)
        .map(|(name, compared)| {
            format!(
                "case when live.{compared} is distinct from fresh.{compared} then
                     format('%s is %s and should be %s', $name${name}$name$,
                            coalesce(live.{name}::text, 'nothing'),
                            coalesce(fresh.{name}::text, 'nothing')) end"
            )
        })
        .collect();
    let (first, on, which) =
        (shape.key.first().map_or("", String::as_str), on.join(" and "), which.join(" || ' ' || "));
    format!(
        "(select row({live}) is distinct from row({fresh}) as differs, {which} as which,
                 case when live.{first} is null then 'is missing'
                      when fresh.{first} is null then 'is not in the log'
                      else concat_ws('; ', {how}) end as how
          from read.{table} live full join read_replay.{table} fresh on {on}) both_tables",
        live = all("live"),
        fresh = all("fresh"),
        how = how.join(", ")
    )
}

async fn examples(db: &mut PgConnection, joined: &str) -> Result<Vec<String>, ProjectionError> {
    let sql = format!(
        "select left(which || ': ' || how, $1) from {joined} where differs order by which limit $2"
    );
    let query = sqlx::query_scalar(&sql).bind(EXAMPLE_CHARS_MAX).bind(EXAMPLES_MAX);
    Ok(query.fetch_all(db).await?)
}

fn unsigned(row: &sqlx::postgres::PgRow, column: &str) -> Result<u64, ProjectionError> {
    Ok(crate::reads::unsigned(row, column)?)
}
