//! Leaving: everything that is known of oneself, and the end of an account.

use std::time::Duration;

use ledger_core::{
    chart::{Authority, PostingClass},
    command::{Command, Operation, Outcome},
    ids::{Principal, RequestId},
};
use projections::{Order, StatementQuery};
use serde_json::{Value, json};

use super::{require_step_up, throttle};
use crate::{
    http::{ApiState, Problem, codes, session::SignedIn},
    people::{PersonId, Rate, step_up::Act},
    reports::{Report, Reports},
};

const PATIENCE: Duration = Duration::from_secs(2);
const LINES_A_PAGE: u32 = 500;
const PAGES_MAX: usize = 200;
const BANK_ACCOUNTS_MAX: u32 = 1_000;

/// Everything that is kept about somebody, as they may take it with them.
pub(crate) async fn export(state: &ApiState, who: &SignedIn) -> Result<Value, Problem> {
    let person = &who.person;
    throttle(state, Rate::EXPORT, person.id.uuid().as_bytes()).await?;
    let sessions = state.sessions.of(person.id).await?;
    let sessions: Vec<Value> = sessions
        .iter()
        .map(|session| {
            json!({"id": session.id.to_string(), "browser": session.agent,
                "began_at": session.created_at, "seen_at": session.seen_at})
        })
        .collect();
    let owner = person.id.owner().map_err(|error| Problem::internal(&error))?;
    let banks = state.bank_accounts.list(&owner, None, BANK_ACCOUNTS_MAX).await?;
    let banks: Vec<Value> = banks
        .iter()
        .map(|account| {
            let shown = account.shown.as_ref();
            json!({"id": account.id.to_string(), "made_at": account.created_at,
                "last_four": shown.map(|shown| &shown.last_four),
                "ifsc": shown.map(|shown| &shown.ifsc), "name": shown.map(|shown| &shown.name),
                "registered_name": shown.and_then(|shown| shown.registered_name.as_ref())})
        })
        .collect();
    Ok(json!({
        "object": "export",
        "made_at": state.sessions.now(),
        "person": {
            "id": person.id.to_string(), "handle": person.handle.as_str(),
            "name": person.name.expose(), "email": person.email.expose(),
            "phone": person.phone.as_ref().map(crate::people::Phone::expose),
            "email_verified_at": person.email_verified_at,
            "phone_verified_at": person.phone_verified_at,
            "papers_seen_at": person.kyc_at, "signed_up_at": person.created_at,
            "wallet_tier": person.wallet_tier,
        },
        "sessions": sessions,
        "bank_accounts": banks,
        "reports": reports(state, who).await?,
        "wallet": wallet(state, who).await?,
    }))
}

/// What they reported, and what they were answered.
async fn reports(state: &ApiState, who: &SignedIn) -> Result<Vec<Value>, Problem> {
    let reports = Reports::of_state(state).all_of(who.person.id).await?;
    let report = |report: Report| {
        json!({"id": report.id.to_string(), "about": report.about,
            "reason": report.reason.as_str(), "words": report.words, "answer": report.answer,
            "made_at": report.made_at, "settled_at": report.settled_at})
    };
    Ok(reports.into_iter().map(report).collect())
}

/// The wallet's whole statement.
async fn wallet(state: &ApiState, who: &SignedIn) -> Result<Value, Problem> {
    let account = who.person.id.wallet().map_err(|error| Problem::internal(&error))?;
    let (mut lines, mut cursor) = (Vec::new(), None);
    for _ in 0..PAGES_MAX {
        let query = StatementQuery {
            account: account.clone(),
            from: None,
            to: None,
            order: Order::OldestFirst,
            cursor,
            limit: LINES_A_PAGE,
        };
        let Some(page) = state.read_models.statement(&query).await?.value else { break };
        for line in &page.lines {
            lines.push(serde_json::to_value(line).map_err(|error| Problem::internal(&error))?);
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let complete = cursor.is_none();
    Ok(json!({"account": account.as_str(), "lines": lines, "complete": complete}))
}

/// Closes the account: only empty, and with nothing on its way. What the law wants kept is kept,
/// by nobody's hand, and erased when that time is over.
pub(crate) async fn close(state: &ApiState, who: &SignedIn) -> Result<(), Problem> {
    require_step_up(state, who, Act::Close)?;
    let principal = who.person.id.principal().map_err(|error| Problem::internal(&error))?;
    close_for(state, who.person.id, principal).await
}

/// The same, for somebody at the desk who says so.
pub(crate) async fn close_for(
    state: &ApiState,
    person: PersonId,
    principal: Principal,
) -> Result<(), Problem> {
    if state.shops.is_last_owner(person).await? {
        let detail = "The only owner of a shop: somebody else has to become its owner first.";
        return Err(Problem::new(codes::ACCOUNT_IN_USE, detail));
    }
    let account = person.wallet().map_err(|error| Problem::internal(&error))?;
    state.ledger.refresh().await?;
    let head = state.ledger.status().borrow().head.position;
    state.read_models.wait_for(head, PATIENCE).await?;
    let underway = state.read_models.activity_underway(&account).await?.value;
    if underway.iter().any(|sum| sum.count > 0) {
        let detail = "Something is still on its way. Wait for it or cancel it, then close.";
        return Err(Problem::new(codes::ACCOUNT_IN_USE, detail));
    }
    let command = Command {
        principal,
        // A refusal would stand for ever under a key; closing twice is closing once.
        idempotency: None,
        request: RequestId::from_uuid(state.ids.fresh()),
        authority: Authority::of(&[PostingClass::Open]),
        approval: None,
        operation: Operation::CloseAccount { account },
    };
    let answer = state.ledger.submit(command).await?;
    match &answer.outcome {
        Outcome::Accepted(_) => {}
        Outcome::Rejected(rejection)
            if ["account_closed", "account_not_found"].contains(&rejection.code.as_str()) => {}
        Outcome::Rejected(rejection) => return Err(Problem::rejected(rejection, &answer)),
    }
    state.people.restrict(person, state.sessions.now()).await?;
    tracing::info!(%person, "an account was closed");
    Ok(())
}
