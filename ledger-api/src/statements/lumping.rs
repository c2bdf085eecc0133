//! Has the ledger settle the deposits of a lump: all of them with the line, in one append, or none.
//! As long as one of them is not known, or is refused, the line lies in suspense whole, and is
//! looked at again in each round.

use ledger_core::bank_line::Purpose;

use super::{
    BookError, Booker, Lump,
    evidence::{self, Booking, StoredLine},
    lump,
};

impl Booker {
    /// Whether a line settles the deposits that the bank says it is the lump of, now or before.
    pub(super) async fn lump(
        &self,
        line: &StoredLine,
        stated: &Lump,
        again: bool,
    ) -> Result<bool, BookError> {
        let id = line.key.id();
        if !lump::is_booked(&self.pool, id).await? {
            let items = lump::items(&self.pool, line).await?;
            let Some(items) = items else { return Ok(false) };
            let scale = u32::from(self.currency(line)?.scale);
            let told = self.book_as(line, stated.parts(items, scale), again).await?;
            if let Err(code) = told {
                tracing::warn!(line = %id, bank = %line.key.bank, code, "a lump stays whole");
                return Ok(false);
            }
        }
        let (purpose, item, attempt) = (Purpose::Arrival, None, None);
        let booking = Booking { purpose, item, attempt, amount: line.amount };
        evidence::note(&self.pool, id, &booking).await?;
        Ok(true)
    }
}
