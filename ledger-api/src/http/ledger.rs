//! The ledger as the routes see it: a port, so that they can be tested with answers made up.

use futures::future::BoxFuture;
use ledger_core::{
    command::Command,
    engine::{Answer, Engine, EngineStatus, SubmitError},
};
use tokio::sync::watch;

/// What the routes ask of the engine. See [`Engine`] for what each method promises.
pub trait Ledger: Send + Sync {
    /// Decides a command and appends what it comes to.
    fn submit(&self, command: Command) -> BoxFuture<'_, Result<Answer, SubmitError>>;

    /// Hands in several commands at once; each has its own outcome.
    fn submit_all(
        &self,
        commands: Vec<Command>,
    ) -> BoxFuture<'_, Result<Vec<Result<Answer, SubmitError>>, SubmitError>>;

    /// What would become of a command.
    fn dry_run(&self, command: Command) -> BoxFuture<'_, Result<Answer, SubmitError>>;

    /// Reads what other processes appended.
    fn refresh(&self) -> BoxFuture<'_, Result<(), SubmitError>>;

    /// What the engine is doing.
    fn status(&self) -> watch::Receiver<EngineStatus>;
}

impl Ledger for Engine {
    fn submit(&self, command: Command) -> BoxFuture<'_, Result<Answer, SubmitError>> {
        Box::pin(Self::submit(self, command))
    }

    fn submit_all(
        &self,
        commands: Vec<Command>,
    ) -> BoxFuture<'_, Result<Vec<Result<Answer, SubmitError>>, SubmitError>> {
        Box::pin(Self::submit_all(self, commands))
    }

    fn dry_run(&self, command: Command) -> BoxFuture<'_, Result<Answer, SubmitError>> {
        Box::pin(Self::dry_run(self, command))
    }

    fn refresh(&self) -> BoxFuture<'_, Result<(), SubmitError>> {
        Box::pin(Self::refresh(self))
    }

    fn status(&self) -> watch::Receiver<EngineStatus> {
        Self::status(self)
    }
}
