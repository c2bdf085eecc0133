use super::Statement;
use crate::http::Problem;
pub(crate) async fn pdf(statement: Statement) -> Result<Vec<u8>, Problem> {
    Ok(statement.hash.into_bytes())
}
