//! The hold: an amount that stays the customer's and cannot be spent. A stream of its own, so that
//! the account stays small; one capture, a part or the whole, and the rest is free again.

mod event;

use cqrs_es::{Aggregate, event_sink::EventSink};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

pub use event::{Captured, HoldEvent, Increased, Placed};

use crate::{
    clock::Timestamp,
    ids::{AccountId, Reference, TransactionId},
    money,
};

/// Where a hold is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldState {
    /// It reserves.
    Open,
    /// It was posted.
    Captured,
    /// It was given up.
    Released,
    /// Its time came.
    Expired,
}

impl HoldState {
    /// The state in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Captured => "captured",
            Self::Released => "released",
            Self::Expired => "expired",
        }
    }
}

/// A hold as its events made it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Hold {
    placed: Option<Placed>,
    amount: Decimal,
    end: Option<HoldState>,
}

impl Hold {
    /// The account that it reserves, once it was placed.
    pub fn account(&self) -> Option<&AccountId> {
        self.placed.as_ref().map(|placed| &placed.account)
    }

    /// The object that it belongs to, if it is not for everybody who may hold.
    pub fn cause(&self) -> Option<&Reference> {
        self.placed.as_ref().and_then(|placed| placed.cause.as_ref())
    }

    /// What it reserves; once it has ended, what it reserved last.
    pub const fn amount(&self) -> Decimal {
        self.amount
    }

    /// Where it is in its life; nothing before it was placed.
    pub fn state(&self) -> Option<HoldState> {
        self.placed.as_ref().map(|_| self.end.unwrap_or(HoldState::Open))
    }

    fn open(&self) -> Result<&Placed, HoldError> {
        let placed = self.placed.as_ref().ok_or(HoldError::NotFound)?;
        match self.end {
            Some(state) => Err(HoldError::Ended { state }),
            None => Ok(placed),
        }
    }

    /// Open, and its time has not come, whether or not the sweeper was there yet.
    fn live(&self, now: Timestamp) -> Result<&Placed, HoldError> {
        let placed = self.open()?;
        match placed.expires_at {
            Some(expires_at) if now >= expires_at => Err(HoldError::Expired),
            _ => Ok(placed),
        }
    }

    fn decide(&self, command: HoldCommand) -> Result<HoldEvent, HoldError> {
        match command {
            HoldCommand::Place { account, amount, expires_at, cause, now } => {
                if self.placed.is_some() {
                    return Err(HoldError::Exists);
                }
                if expires_at.is_some_and(|at| at <= now) {
                    return Err(HoldError::ExpiryPast);
                }
                Ok(HoldEvent::Placed(Placed { account, amount, expires_at, cause }))
            }
            HoldCommand::Increase { by, now } => {
                self.live(now)?;
                let amount = money::add(self.amount, by).map_err(|_| HoldError::Overflow)?;
                Ok(HoldEvent::Increased(Increased { by, amount }))
            }
            HoldCommand::Capture { amount, transaction_id, now } => {
                self.live(now)?;
                if amount > self.amount {
                    return Err(HoldError::CaptureExceedsHold { held: self.amount });
                }
                let released = money::sub(self.amount, amount).map_err(|_| HoldError::Overflow)?;
                Ok(HoldEvent::Captured(Captured { amount, released, transaction_id }))
            }
            HoldCommand::Release => {
                self.open()?;
                Ok(HoldEvent::Released {})
            }
            HoldCommand::Expire { now } => match self.open()?.expires_at {
                Some(expires_at) if now >= expires_at => Ok(HoldEvent::Expired {}),
                _ => Err(HoldError::NotExpired),
            },
        }
    }
}

/// One thing that can be asked of a hold. Amounts are above zero, at the currency's scale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoldCommand {
    /// Place it.
    Place {
        /// The account.
        account: AccountId,
        /// How much.
        amount: Decimal,
        /// When it ends by itself.
        expires_at: Option<Timestamp>,
        /// The object that it belongs to.
        cause: Option<Reference>,
        /// The moment of the decision.
        now: Timestamp,
    },
    /// Reserve more.
    Increase {
        /// How much more.
        by: Decimal,
        /// The moment of the decision.
        now: Timestamp,
    },
    /// Post it.
    Capture {
        /// How much of it.
        amount: Decimal,
        /// The transaction that posts it.
        transaction_id: TransactionId,
        /// The moment of the decision.
        now: Timestamp,
    },
    /// Give it up.
    Release,
    /// End it because its time has come.
    Expire {
        /// The moment of the decision.
        now: Timestamp,
    },
}

/// Why a hold refuses, in order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HoldError {
    /// It was never placed.
    #[error("the hold does not exist")]
    NotFound,
    /// It was placed before.
    #[error("the hold exists already")]
    Exists,
    /// It has ended: exactly one end wins.
    #[error("the hold was {} already", .state.as_str())]
    Ended {
        /// How.
        state: HoldState,
    },
    /// Its time has come, whether or not the sweeper was there yet.
    #[error("the hold has expired")]
    Expired,
    /// It would end before it begins.
    #[error("the hold would expire in the past")]
    ExpiryPast,
    /// Its time has not come.
    #[error("the hold has not expired")]
    NotExpired,
    /// More than it reserves.
    #[error("the hold reserves {held}")]
    CaptureExceedsHold {
        /// What it reserves.
        held: Decimal,
    },
    /// The result would have more digits than an amount can have.
    #[error("the hold would be too large")]
    Overflow,
}

impl HoldError {
    /// The stable code of this refusal on the wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotFound => "hold_not_found",
            Self::Exists => "hold_exists",
            Self::Ended { .. } => "hold_not_open",
            Self::Expired => "hold_expired",
            Self::ExpiryPast => "hold_expiry_past",
            Self::NotExpired => "hold_not_expired",
            Self::CaptureExceedsHold { .. } => "capture_exceeds_hold",
            Self::Overflow => "amount_overflow",
        }
    }
}

impl Aggregate for Hold {
    const TYPE: &'static str = "hold";
    type Command = HoldCommand;
    type Event = HoldEvent;
    type Error = HoldError;
    type Services = ();

    async fn handle(
        &mut self,
        command: HoldCommand,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), HoldError> {
        let event = self.decide(command)?;
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: HoldEvent) {
        match event {
            HoldEvent::Placed(placed) => {
                self.amount = placed.amount;
                self.placed = Some(placed);
            }
            HoldEvent::Increased(increased) => self.amount = increased.amount,
            HoldEvent::Captured(_) => self.end = Some(HoldState::Captured),
            HoldEvent::Released {} => self.end = Some(HoldState::Released),
            HoldEvent::Expired {} => self.end = Some(HoldState::Expired),
        }
    }
}

#[cfg(test)]
mod tests;
