//! Shops: who they are, who works for them, and where they sell.
//!
//! A shop is a row with an opaque id, which is all that the log ever has of it: as a segment in the
//! codes of its accounts. Who works for it is a person like every other, with a role; they log in
//! for the shop apart from their wallet, and neither session opens the other.
//!
//! Nothing here moves money. What a payment does is the ledger's, and this module knows no HTTP.

mod accounts;
mod api_log;
mod closing;
mod demo;
mod id;
mod members;
mod payouts;
mod places;
mod role;
mod shop;
mod store;

pub use accounts::{ShopAccounts, ShopOpenError};
pub use api_log::{ApiLog, ApiRequest};
pub use closing::Unfinished;
pub use demo::{DEMO_SHOPS, DemoShop};
pub use id::{MerchantId, StoreId, TerminalId};
pub use members::{Invitation, Invited, Member, MemberError, Membership};
pub use payouts::{DuePayout, PayoutDay, PayoutOutcome, PayoutSkip};
pub use places::{Store, Terminal};
pub use role::{Role, UnknownRole};
pub use shop::{
    CategoryCode, Merchant, NewMerchant, PayoutSchedule, PlaceName, SettlementLag, ShopFace,
    ShopValueError,
};
pub use store::{ShopError, Shops};
