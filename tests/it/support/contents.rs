//! Everything that a database has, column by column: to look for what must not be in it, and to
//! see that nothing changed.

use std::collections::BTreeMap;

use sqlx::PgConnection;

/// The values of each column of each table, `schema.table.column`, in the order of the rows.
pub(crate) type Contents = BTreeMap<String, Vec<String>>;

/// Reads it as superuser. Bytes are shown as text, so that words in them can be found. The column
/// `xmin` tells a row from one that was written anew with the same values.
pub(crate) async fn contents(superuser: &mut PgConnection) -> Contents {
    let columns: Vec<(String, String, String)> = sqlx::query_as(
        "select t.table_schema || '.' || t.table_name, c.column_name::text, c.data_type::text
         from information_schema.tables t
         join information_schema.columns c using (table_schema, table_name)
         where t.table_type = 'BASE TABLE'
           and t.table_schema not in ('pg_catalog', 'information_schema')
         union all
         select t.table_schema || '.' || t.table_name, 'xmin', 'xid'
         from information_schema.tables t
         where t.table_type = 'BASE TABLE'
           and t.table_schema not in ('pg_catalog', 'information_schema')",
    )
    .fetch_all(&mut *superuser)
    .await
    .unwrap();
    let mut contents = Contents::new();
    for (table, column, kind) in columns {
        let text = match &*kind {
            "bytea" => format!("encode({column}, 'escape')"),
            _ => format!("{column}::text"),
        };
        let sql = format!("select coalesce({text}, '') from {table} order by ctid");
        let values = sqlx::query_scalar(&sql).fetch_all(&mut *superuser).await.unwrap();
        contents.insert(format!("{table}.{column}"), values);
    }
    contents
}
