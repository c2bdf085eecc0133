//! The part of the sweeper that ends transfers which nobody claimed in time.
//!
//! Nothing rests on it: a claim at or after `expires_at` is refused whether it was there or not. It
//! only gives the sender back what is reserved, and says so in the log.

use ledger_core::{
    chart::Authority,
    command::{Command, Outcome},
    ids::{Principal, RequestId},
    transfer::TransferOperation,
};

use super::holds::{CATCH_UP, HOLDS_MAX, SweepError, Sweeper};

impl Sweeper {
    /// Ends the transfers whose time has come, up to a bound; how many it saw.
    pub(super) async fn sweep_transfers(&self, principal: &Principal) -> Result<usize, SweepError> {
        let due = self.read_models.expired_transfers(self.clock.now(), HOLDS_MAX).await?.value;
        if due.is_empty() {
            return Ok(0);
        }
        let commands = due.iter().map(|id| self.ending(principal, TransferOperation::Expire(*id)));
        let mut position = 0;
        for (id, answer) in due.iter().zip(self.ledger.submit_all(commands.collect()).await?) {
            let answer = answer?;
            position = answer.position.max(position);
            match answer.outcome {
                // Also if it has ended otherwise since the read models saw it.
                Outcome::Accepted(accepted) => {
                    metrics::counter!("bahi_transfers_expired_total").increment(1);
                    tracing::info!(transfer = %id, at = accepted.position, "a transfer has ended");
                }
                Outcome::Rejected(rejection) => {
                    tracing::warn!(transfer = %id, code = rejection.code, "not expired");
                }
            }
        }
        // Or the next look would see the same transfers again.
        self.read_models.wait_for(position, CATCH_UP).await?;
        Ok(due.len())
    }

    fn ending(&self, principal: &Principal, operation: TransferOperation) -> Command {
        Command {
            principal: principal.clone(),
            // A transfer ends once by its nature.
            idempotency: None,
            request: RequestId::from_uuid(self.ids.fresh()),
            authority: Authority::of_transfers(),
            approval: None,
            operation: operation.into(),
        }
    }
}
