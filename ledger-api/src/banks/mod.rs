//! Banks as the rest of the service sees them: one [`Bank`] each, whatever speaks behind it.
//!
//! The port says what can be asked of a bank and what an answer *proves* ([`CallError`]): a bank
//! that answers nothing, or nonsense, has not refused. The types of the answers can hold nothing
//! that the protocol (`docs/banks.md`) does not allow, so that who decides about money never reads
//! a string. What a bank tells by webhook has the same types ([`message`]).
//!
//! Nothing here decides anything, writes anything, or knows an account of a customer.

pub mod accounts;
mod contract;
mod http;
pub mod message;
mod money_in;
mod payee;
mod port;
mod registry;
mod statement;
mod transfer;
mod wire;

pub use contract::{Answers, Contract, EnquiryTerms, Hours, OurAccount, RailTerms, Refusal};
pub use http::{HttpBank, HttpBankConfig};
pub use message::{BankMessage, MessageError};
pub use money_in::{CollectLink, Credit, CreditStatus, LinkStatus, NewCollectLink, Payer};
pub use payee::{AccountNumber, Ifsc, Payee, PayeeError, PayeeName};
pub use port::{Bank, CallError, Doubt, Health, NameCheck, NameMatch};
pub use registry::{BankRegistry, RegistryError};
pub use statement::{BankStatement, Direction, StatedCredit, StatedLump, StatementLine};
pub use transfer::{ReturnedCredit, Submission, Transfer, TransferStatus};
