//! Work that nobody asks for by a request.

pub mod alarms;
pub mod clerk;
mod compensation;
mod credits;
mod deposits;
pub mod dues;
mod head;
mod holds;
pub mod inbox;
pub mod lanes;
mod outside;
mod payments;
mod payouts;
pub mod returns;
mod rounds;
mod statements;
mod transfers;
mod treasury;
pub mod withdrawals;

pub use deposits::DepositKeeper;
pub use head::follow_head;
pub use holds::Sweeper;
pub use outside::{OutsideKeeper, OutsideParts};
pub use payments::PaymentKeeper;
pub(crate) use payouts::MINIMUM as PAYOUT_MINIMUM;
pub use payouts::{PayoutKeeper, PayoutParts};
pub use statements::{FetchError, StatementFetcher, statements_principal};
pub use treasury::{TreasuryError, TreasuryKeeper};
