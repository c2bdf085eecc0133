//! The way of every write: from a caller and a request to the engine, and back as an answer.

use axum::{extract::FromRequestParts, http::request::Parts};
use ledger_core::{
    chart::Authority,
    command::{Accepted, Approval, Command, Operation, Outcome, Receipt},
    engine::{Answer, SubmitError},
    ids::{DepositId, HoldId, Principal, RequestId, TransactionId, WithdrawalId},
    log::Position,
};
use serde::Serialize;

use super::{
    ApiState, Problem, auth, context::RequestContext, idempotency, idempotency::Key,
    session::SignedIn,
};
use crate::{identity::Caller, sessions::Session, shops::Membership};

/// A caller who wants to change something.
pub(crate) struct Writer {
    /// What all handlers share.
    pub(crate) state: ApiState,
    /// Who asks.
    pub(crate) caller: Caller,
    request: RequestId,
}

/// What a command may do: which classes it may move, and who approved.
pub(crate) struct Permission {
    /// The classes.
    pub(crate) authority: Authority,
    /// The second person.
    pub(crate) approval: Option<Approval>,
}

impl From<Authority> for Permission {
    fn from(authority: Authority) -> Self {
        Self { authority, approval: None }
    }
}

/// What makes a request the same when it comes again.
pub(crate) struct Identity<'a, T> {
    /// The client's key.
    pub(crate) key: Key,
    /// The operation's name; a contract, since it is a part of stored fingerprints.
    pub(crate) operation: &'static str,
    /// The parameters in the path.
    pub(crate) path: &'a [&'a str],
    /// The parsed body.
    pub(crate) body: &'a T,
}

/// A command that was accepted, now or by an earlier request with its key.
#[derive(Debug)]
pub(crate) struct Done {
    /// What it made and when.
    pub(crate) accepted: Accepted,
    /// The position that the answer reflects.
    pub(crate) position: Position,
    /// Whether an earlier request made it.
    pub(crate) replayed: bool,
}

impl FromRequestParts<ApiState> for Writer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let context = RequestContext::from_request_parts(parts, state).await?;
        Ok(Self { state: state.clone(), caller, request: context.id })
    }
}

impl Writer {
    /// Somebody who is signed in, whose request was checked to be one of ours: for pages.
    pub(crate) fn of_signed_in(
        state: &ApiState,
        who: &SignedIn,
        context: &RequestContext,
    ) -> Result<Self, Problem> {
        let caller = auth::of_session(&who.session)?;
        Ok(Self { state: state.clone(), caller, request: context.id })
    }

    /// Somebody who works for a shop, whose request was checked to be one of ours: for pages.
    pub(crate) fn of_member(
        state: &ApiState,
        who: &SignedIn,
        shop: Membership,
        context: &RequestContext,
    ) -> Result<Self, Problem> {
        let caller = auth::of_member(&who.session, shop)?;
        Ok(Self { state: state.clone(), caller, request: context.id })
    }

    /// Somebody at the operators' desk, whose request was checked to be one of ours.
    pub(crate) fn of_staff(
        state: &ApiState,
        session: &Session,
        may_approve: bool,
        context: &RequestContext,
    ) -> Result<Self, Problem> {
        let id = session.id.to_string();
        let caller = Caller::of_staff(session.person, id.into(), may_approve)
            .map_err(|error| Problem::internal(&error))?;
        Ok(Self { state: state.clone(), caller, request: context.id })
    }

    /// The same request in the name of somebody else: of whoever proposed what is carried out now.
    pub(crate) fn in_name_of(&self, principal: Principal) -> Self {
        let caller = Caller { principal, ..self.caller.clone() };
        Self { state: self.state.clone(), caller, request: self.request }
    }

    /// Hands an operation to the engine and waits for what becomes of it.
    pub(crate) async fn submit<T: Serialize>(
        &self,
        identity: Identity<'_, T>,
        permission: Permission,
        operation: Operation,
    ) -> Result<Done, Problem> {
        let idempotency = idempotency::bind(
            &self.state.fingerprint_key,
            identity.key.0,
            identity.operation,
            identity.path,
            identity.body,
        )?;
        let mut command = self.command(permission, operation);
        command.idempotency = Some(idempotency);
        done(self.state.ledger.submit(command).await)
    }

    /// What would become of an operation.
    pub(crate) async fn dry_run(
        &self,
        permission: Permission,
        operation: Operation,
    ) -> Result<Done, Problem> {
        let command = self.command(permission, operation);
        done(self.state.ledger.dry_run(command).await)
    }

    /// A command of this caller, without a key.
    pub(crate) fn command(&self, permission: Permission, operation: Operation) -> Command {
        Command {
            principal: self.caller.principal.clone(),
            idempotency: None,
            request: self.request,
            authority: permission.authority,
            approval: permission.approval,
            operation,
        }
    }

    /// A fresh transaction id.
    pub(crate) fn transaction_id(&self) -> TransactionId {
        TransactionId::from_uuid(self.state.ids.fresh())
    }

    /// A fresh hold id.
    pub(crate) fn hold_id(&self) -> HoldId {
        HoldId::from_uuid(self.state.ids.fresh())
    }

    /// A fresh deposit id.
    pub(crate) fn deposit_id(&self) -> DepositId {
        DepositId::from_uuid(self.state.ids.fresh())
    }

    /// A fresh withdrawal id.
    pub(crate) fn withdrawal_id(&self) -> WithdrawalId {
        WithdrawalId::from_uuid(self.state.ids.fresh())
    }
}

/// What the engine said, as what the handler does next.
pub(crate) fn done(answer: Result<Answer, SubmitError>) -> Result<Done, Problem> {
    let answer = answer?;
    match answer.outcome {
        Outcome::Accepted(accepted) => {
            Ok(Done { accepted, position: answer.position, replayed: answer.replayed })
        }
        Outcome::Rejected(ref rejection) => Err(Problem::rejected(rejection, &answer)),
    }
}

/// A receipt of another kind than the command's: the stored outcome is not of this request.
pub(crate) fn wrong_receipt(receipt: &Receipt) -> Problem {
    Problem::internal(&format!("a receipt of another kind: {receipt:?}"))
}
