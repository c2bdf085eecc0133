//! Why the service ended, and whether waiting could have cured it.

use std::io;

use ledger_core::{ids::IdError, log::LogError};

use super::AnchorError;
use crate::{
    exchanges::KeptDaysError, house::HouseError, logins::LoginConfigError, payments::CalendarError,
    people::PeopleSettingsError, proofs::ProofSettingsError, review::ReviewError,
    setup::SetupError, statements::RulesError,
};

/// Why the service ended.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// There is no database to work on.
    #[error("the service could not start")]
    Setup(#[from] SetupError),
    /// The log lacks what was in it.
    #[error("the database is not the one that it was")]
    Anchor(#[from] AnchorError),
    /// What banks' own words mean is not well said.
    #[error("BAHI_BANK_…_STATEMENT_RULES")]
    Rules(#[from] RulesError),
    /// Which withdrawals people look at is not well said.
    #[error("the rules of review")]
    Review(#[from] ReviewError),
    /// What the house decides about its own money is not well said.
    #[error("the house's own money")]
    House(#[from] HouseError),
    /// How long exchanges with banks are kept is not well said.
    #[error("the exchanges with banks")]
    Exchanges(#[from] KeptDaysError),
    /// How people are let in is not well said.
    #[error("how people are let in")]
    People(#[from] PeopleSettingsError),
    /// Who else may vouch for people is not well said.
    #[error("the login providers")]
    Logins(#[from] LoginConfigError),
    /// The list of bank holidays is none.
    #[error("the bank calendar")]
    Calendar(#[from] CalendarError),
    /// How checkpoints are made is not well said.
    #[error("the checkpoints")]
    Proofs(#[from] ProofSettingsError),
    /// A worker's name is none.
    #[error("a worker has no name")]
    Principal(#[source] IdError),
    /// The log could not be read.
    #[error("the engine could not start")]
    Engine(#[source] LogError),
    /// The system did not let it listen.
    #[error("the service could not listen")]
    Listen(#[source] io::Error),
}

impl ServiceError {
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Setup(error) => error.is_transient(),
            // The check went well a moment ago; what reads the log now fails with the connection.
            Self::Engine(error) => matches!(error, LogError::Database(_)),
            Self::Anchor(AnchorError::Unavailable(_) | AnchorError::Log(_)) => true,
            Self::Anchor(_)
            | Self::Listen(_)
            | Self::Rules(_)
            | Self::Review(_)
            | Self::House(_)
            | Self::Exchanges(_)
            | Self::People(_)
            | Self::Logins(_)
            | Self::Calendar(_)
            | Self::Proofs(_)
            | Self::Principal(_) => false,
        }
    }
}
