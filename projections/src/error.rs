//! What can go wrong between the log and its read models.

use ledger_core::log::{CodecError, LogError, Position};

/// An event that the projector does not fold: it stops before it and never skips it.
#[derive(Debug, thiserror::Error)]
#[error("the event at position {position} cannot be projected")]
pub struct Poison {
    /// Where the projector stopped; everything before is folded.
    pub position: Position,
    /// Why.
    #[source]
    pub reason: PoisonReason,
}

/// Why an event cannot be folded.
#[derive(Debug, thiserror::Error)]
pub enum PoisonReason {
    /// Its type, version or shape is unknown to this program.
    #[error(transparent)]
    Undecodable(#[from] CodecError),
    /// Its kind of stream is unknown to this program.
    #[error("no such kind of stream: {0}")]
    UnknownStream(String),
    /// The stream's id is not of its kind's form.
    #[error("the stream's id is malformed")]
    MalformedId,
    /// The log has a hole: a position is missing that a batch says is there.
    #[error("the log has a hole here")]
    Gap,
    /// The log ends before what is folded already: it is not the log that the read models are of.
    #[error("the log ends at position {head}, before what is folded already")]
    LogEnds {
        /// Where it ends.
        head: Position,
    },
    /// It is not the next event of its stream.
    #[error("it is not the next event of its stream")]
    Sequence,
    /// The transaction before it lacks a leg, or it is a leg that belongs elsewhere.
    #[error("a transaction is not complete here")]
    Incomplete,
    /// The debits of the transaction that ends here are not its credits.
    #[error("the transaction's debits are not its credits in {currency}")]
    Unbalanced {
        /// In which currency.
        currency: String,
    },
    /// The balance or held sum that it states does not follow from the one before.
    #[error("the balance that it states is not the one before and its amount")]
    Balance,
    /// An amount is not above zero, or a sum is too large to be exact.
    #[error("an amount is out of range")]
    Amount,
    /// A table's constraint refused what the event says.
    #[error("it contradicts the read model ({constraint})")]
    Contradiction {
        /// The constraint that refused, or the database's words if it has no name.
        constraint: String,
    },
}

/// Why the projector or a rebuild did not get further.
#[derive(Debug, thiserror::Error)]
pub enum ProjectionError {
    /// An event cannot be folded.
    #[error("the projection stopped")]
    Poison(#[from] Poison),
    /// The database did not answer, or answered with an error.
    #[error("the database did not do what it was asked")]
    Database(#[from] sqlx::Error),
    /// The log could not be read.
    #[error("the log cannot be read")]
    Log(#[source] LogError),
    /// The read models are not there: the migrations did not run, or somebody dropped them.
    #[error("the read models are missing; rebuild them")]
    Missing,
    /// Somebody else rebuilds at this moment.
    #[error("another rebuild is under way")]
    RebuildBusy,
}

impl From<LogError> for ProjectionError {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Corrupt { position, source } => {
                Self::Poison(Poison { position, reason: source.into() })
            }
            LogError::Database(source) => Self::Database(source),
            LogError::OutOfRange => Self::Log(error),
        }
    }
}

/// Why a question to the read models has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The database did not answer, or answered with an error.
    #[error("the database did not do what it was asked")]
    Database(#[from] sqlx::Error),
    /// The log could not be read.
    #[error("the log cannot be read")]
    Log(#[from] LogError),
    /// The read models did not get there in time.
    #[error("the read models stand at position {reached}, not yet at {wanted}")]
    Behind {
        /// What was waited for.
        wanted: Position,
        /// How far they are.
        reached: Position,
    },
    /// The log does not reach that position: what it will say there is not known yet.
    #[error("the log ends at position {head}, before {wanted}")]
    NotRecorded {
        /// What was asked about.
        wanted: Position,
        /// Where the log ends.
        head: Position,
    },
    /// A transaction of the read model covers an event that is not a leg: rebuild the read model.
    #[error("the event at position {0} is not a leg")]
    NotALeg(Position),
    /// A sum is too large to be exact.
    #[error("an amount is out of range")]
    Amount,
}

/// An error with its sources, in one line: for the place that handles it.
pub fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
