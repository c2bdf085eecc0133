//! What a fresh log begins with: the book, and the currencies everybody starts with.

use std::sync::Arc;

use super::{Engine, EngineConfig, SubmitError};
use crate::{
    chart::Authority,
    command::{Command, Operation},
    ids::RequestId,
    money::Currency,
};

/// Code and scale of the currencies of a fresh book; more come by an event each.
const CURRENCIES: [(&str, u8); 6] =
    [("INR", 2), ("USD", 2), ("JPY", 0), ("KWD", 3), ("USDT", 6), ("BTC", 8)];

impl Engine {
    /// Opens the book. Another process may do so at the same time: then one of the two is told
    /// that it is open, which is as good.
    ///
    /// # Errors
    /// [`SubmitError`] if it could not be done: a book without its currencies would refuse
    /// transfers, and refusals are kept for ever.
    pub(super) async fn open_book(&self, config: &EngineConfig) -> Result<(), SubmitError> {
        let known = Arc::clone(&self.status.borrow().book);
        let open = Operation::OpenBook { time_zone: config.time_zone };
        let currencies = CURRENCIES.iter().filter_map(|(code, scale)| {
            let code = code.parse().ok()?;
            let missing = known.currency(code).is_none();
            missing.then_some(Operation::AddCurrency(Currency { code, scale: *scale }))
        });
        let open = (known.sequence() == 0).then_some(open);
        for operation in open.into_iter().chain(currencies) {
            let Ok(principal) = "ledger".parse() else { continue };
            let command = Command {
                principal,
                idempotency: None,
                request: RequestId::from_uuid(config.ids.fresh()),
                authority: Authority::NONE,
                approval: None,
                operation,
            };
            // Refused if another process was faster, which is as good.
            drop(self.submit(command).await?);
        }
        Ok(())
    }
}
