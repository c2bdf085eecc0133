//! An account as its own events make it, read beside the engine: for who wants to know what the
//! engine would decide on. Nobody decides on it.

use sqlx::PgConnection;

use super::{
    loading::{PAGE, Page, Reading},
    subject::{FOLD_VERSION, Subject},
};
use crate::{
    account::Account,
    ids::AccountId,
    log::{LogError, load},
    planning::StreamId,
};

/// The account at the end of its stream; the default one if it was never opened. Costs its
/// snapshot and the events after it, however long the stream is.
///
/// # Errors
/// [`LogError`] if the stream cannot be read.
pub async fn read_account(db: &mut PgConnection, id: &AccountId) -> Result<Account, LogError> {
    let mut reading = Reading::new(StreamId::Account(id.clone()));
    loop {
        let wanted = [reading.wanted()];
        let each = |_, part| {
            reading.add(part);
            Ok(())
        };
        load::load(db, &wanted, FOLD_VERSION, PAGE, each).await?;
        reading = match reading.end() {
            Page::Last => {
                return Ok(Subject::as_account(&reading.subject).cloned().unwrap_or_default());
            }
            Page::Full => reading.next_page(),
            Page::BadSnapshot => Reading::afresh(reading.id),
            Page::Corrupt => {
                let words = "an event of the account cannot be trusted";
                return Err(LogError::Database(sqlx::Error::Decode(words.into())));
            }
        };
    }
}
