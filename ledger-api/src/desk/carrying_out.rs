//! From a proposal to what it does, once another person agreed.
//!
//! What is done is what the API does, in the name of whoever proposed it, with the other as the
//! second person; so no rule of the API is passed by. Who approves is never who proposed: said
//! here, and once more by the table.

use ledger_core::{
    chart::{self, Authority, PostingClass},
    command::{Approval, DefineTier, Operation},
    ids::{AccountId, BankLineId, Item, Principal, Reference, TierName},
    money::CurrencyCode,
    tier::TierLimits,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{
    another_person,
    bank_days::{self, Reopening},
    check_evidence, check_reason,
    fees::{self, FeeChange, TermsChange},
    lumps::{self, LumpIn},
    outside,
    periods::{self, Closing, Opening, YearClosing},
    proposals::{Decision, Kind, NewProposal, Proposal, Proposals},
    receivables, sending_back,
    shops::{self, Agreement},
    statements, suspense, treasury, treasury_moves,
};
use crate::{
    entry,
    http::{
        Problem,
        approval::Approver,
        codes,
        idempotency::Key,
        writer::{Identity, Permission, Writer},
    },
    people::PersonId,
};

/// New limits of a tier, as they are proposed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TierChange {
    /// The tier.
    pub(crate) tier: TierName,
    /// The currency of its limits.
    pub(crate) currency: CurrencyCode,
    /// What it allows.
    pub(crate) limits: TierLimits,
    /// The version that this is to follow.
    pub(crate) expected_version: Option<u32>,
}

/// A freeze that is to end.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Unfreeze {
    /// The account.
    pub(crate) account: AccountId,
    /// What it was frozen under.
    pub(crate) reference: Reference,
}

/// Keeps a proposal until another person decides.
pub(crate) async fn propose(writer: &Writer, new: &NewProposal<'_>) -> Result<Proposal, Problem> {
    check_reason(new.reason)?;
    if let Some(sha256) = new.evidence_sha256 {
        check_evidence(sha256)?;
    }
    let proposals = Proposals::new(writer.state.reads.clone());
    let (by, now) = (&writer.caller.principal, writer.state.clock.now());
    let made = proposals.propose(new, by, now).await?.ok_or_else(|| {
        let detail = "Another proposal about this waits: approve it or turn it down first.";
        Problem::new(codes::RESOLUTION_PENDING, detail)
    })?;
    tracing::info!(proposal = made.id, kind = new.kind.as_str(), principal = %by, "proposed");
    Ok(made)
}

/// Approves a proposal and does what it says; what came of it.
pub(crate) async fn approve(writer: &Writer, id: i64) -> Result<Proposal, Problem> {
    let proposals = Proposals::new(writer.state.reads.clone());
    let (by, now) = (&writer.caller.principal, writer.state.clock.now());
    let found = find(&proposals, id).await?;
    another_person(&writer.caller, Some(&found.proposed_by), "proposed it")?;
    let is_again = found.is_approved_by(by);
    if is_again && found.answer.is_some() {
        return Ok(found);
    }
    if !is_again && found.state(now) != "proposed" {
        return Err(closed(&found, writer));
    }
    let decided = proposals.decide(id, Decision::Approved, (by, now), None).await?;
    let decided = decided.filter(|decided| decided.is_approved_by(by));
    let Some(decided) = decided else {
        return Err(closed(&find(&proposals, id).await?, writer));
    };
    let done = carry_out(writer, &proposals, &decided).await;
    // What nobody knows the end of is done once more by the same key: it is not noted.
    let answer = match &done {
        Ok(answer) => answer.clone(),
        Err(problem) if problem.status() < 500 => format!("Refused: {}", problem.body().detail),
        Err(_) => String::new(),
    };
    if !answer.is_empty() {
        proposals.settle(id, &answer).await?;
    }
    tracing::info!(proposal = id, principal = %by, done = done.is_ok(), "approved");
    done?;
    find(&proposals, id).await
}

/// Turns a proposal down, or takes one's own back.
pub(crate) async fn turn_down(writer: &Writer, id: i64, why: &str) -> Result<Proposal, Problem> {
    let proposals = Proposals::new(writer.state.reads.clone());
    let (by, now) = (&writer.caller.principal, writer.state.clock.now());
    let found = find(&proposals, id).await?;
    let is_own = found.proposed_by == by.as_str();
    let decision = if is_own { Decision::Withdrawn } else { Decision::Rejected };
    if !is_own {
        check_reason(why)?;
    }
    let decided = proposals.decide(id, decision, (by, now), Some(why)).await?;
    let decided = decided.filter(|one| one.decided_by.as_deref() == Some(by.as_str()));
    match decided {
        Some(decided) => Ok(decided),
        None => Err(closed(&find(&proposals, id).await?, writer)),
    }
}

async fn find(proposals: &Proposals, id: i64) -> Result<Proposal, Problem> {
    let found = proposals.find(id).await?;
    found.ok_or_else(|| Problem::not_found("There is nothing of this id."))
}

fn closed(proposal: &Proposal, writer: &Writer) -> Problem {
    let detail = format!("The proposal is {}.", proposal.state(writer.state.clock.now()));
    Problem::new(codes::RESOLUTION_CLOSED, detail)
}

/// The SHA-256 that stands in the log for what two persons agreed on: of the document that they
/// have seen, else of the proposal itself.
fn evidence(proposal: &Proposal) -> String {
    let own = || hex::encode(Sha256::digest(proposal.body.to_string()));
    proposal.evidence_sha256.clone().unwrap_or_else(own)
}

async fn carry_out(
    writer: &Writer,
    proposals: &Proposals,
    proposal: &Proposal,
) -> Result<String, Problem> {
    let broken = |what: &dyn std::fmt::Display| Problem::internal(what);
    let kind = proposal.kind().ok_or_else(|| broken(&"a proposal of an unknown kind"))?;
    let proposer: Principal = proposal.proposed_by.parse().map_err(|error| broken(&error))?;
    let first = writer.in_name_of(proposer.clone());
    let second = Approver::of(writer.caller.clone());
    let key = format!("desk-proposal-{}", proposal.id).parse().map_err(|error| broken(&error))?;
    let key = Key(key);
    match kind {
        Kind::AssignSuspense => {
            let item: Item = subject(proposal)?;
            let body = body(proposal)?;
            let done = suspense::assign(&first, &second, &item, key, &body).await?;
            Ok(format!("It is on {}, at position {}.", body.account, done.position))
        }
        Kind::ReturnSuspense => {
            let item: Item = subject(proposal)?;
            let body = body(proposal)?;
            let done = sending_back::send_back(&first, &second, &item, key, &body).await?;
            Ok(format!("It is on its way back, at position {}.", done.position))
        }
        Kind::NameTreasury => {
            let line: BankLineId = subject(proposal)?;
            let (done, _) = treasury::name(&first, &second, line, key, &body(proposal)?).await?;
            Ok(format!("It is an end of the move, at position {}.", done.position))
        }
        Kind::ImportStatement => {
            let bytes = proposals.file(proposal.id).await?;
            let bytes = bytes.ok_or_else(|| broken(&"a proposal without its file"))?;
            let file = body(proposal)?;
            let (imported, days) = statements::import(&first, &second, &file, &bytes).await?;
            Ok(format!("{days} days, {} new lines of {}.", imported.new_lines, imported.lines))
        }
        Kind::DefineTier => define_tier(&first, writer, key, proposal).await,
        Kind::UnfreezeAccount => unfreeze(&first, writer, key, proposal).await,
        Kind::ResetPerson => {
            let person: PersonId = subject(proposal)?;
            entry::reset_for(&writer.state, person).await?;
            Ok("Their ways in have ended, and they were sent a link.".to_owned())
        }
        Kind::WriteOff => {
            let account: AccountId = subject(proposal)?;
            let body = body(proposal)?;
            let (done, _) = receivables::write_off(&first, &second, &account, key, &body).await?;
            Ok(format!("It is an expense, at position {}.", done.position))
        }
        Kind::DefineTerms => define_terms(&first, writer, key, proposal).await,
        Kind::AgreeTerms => {
            let (shop, agreement) = (subject(proposal)?, body::<Agreement>(proposal)?);
            shops::agree(&first, shop, agreement, &proposal.reason).await?;
            Ok("It holds from the next payment on.".to_owned())
        }
        Kind::ReopenBankDay => {
            let (bank, Reopening { from }) = (subject(proposal)?, body(proposal)?);
            bank_days::reopen(&first, &second, &bank, (from, &proposal.reason)).await?;
            Ok(format!("Its days are open from {from} on."))
        }
        Kind::DefineFee => define_fee(&first, writer, key, proposal).await,
        Kind::ClosePeriod | Kind::ReopenPeriod => period(&first, writer, key, proposal).await,
        Kind::CloseYear => close_year(&first, writer, key, proposal).await,
        Kind::ApproveTreasury => move_money(&first, &second, proposal).await,
        Kind::SettleLump => settle_lump(&first, &second, key, proposal).await,
        Kind::SendOutsideAgain => {
            let after = subject(proposal)?;
            outside::send_again(&first, &second, after, &body(proposal)?).await?;
            Ok("It is on its way to the payer’s bank once more.".to_owned())
        }
    }
}

fn subject<T: std::str::FromStr>(proposal: &Proposal) -> Result<T, Problem> {
    let parsed = proposal.subject.parse::<T>().ok();
    parsed.ok_or_else(|| Problem::not_found("There is nothing of this id."))
}

fn body<T: DeserializeOwned>(proposal: &Proposal) -> Result<T, Problem> {
    serde_json::from_value(proposal.body.clone()).map_err(|error| Problem::internal(&error))
}

fn permission(authority: Authority, second: &Writer, proposal: &Proposal) -> Permission {
    Permission { authority, approval: Some(approval(second, proposal)) }
}

fn approval(second: &Writer, proposal: &Proposal) -> Approval {
    Approval {
        approver: second.caller.principal.clone(),
        reason: proposal.reason.clone(),
        evidence_sha256: evidence(proposal),
    }
}

async fn define_fee(
    first: &Writer,
    second: &Writer,
    key: Key,
    proposal: &Proposal,
) -> Result<String, Problem> {
    let change: FeeChange = body(proposal)?;
    let done = fees::define(first, approval(second, proposal), (key, &change), &change).await?;
    Ok(format!("It is defined, at position {}.", done.position))
}

async fn move_money(
    first: &Writer,
    second: &Approver,
    proposal: &Proposal,
) -> Result<String, Problem> {
    let reason = proposal.reason.parse::<Reference>();
    let reason = reason.map_err(|error| Problem::internal(&error))?;
    let seen = evidence(proposal);
    let said = (&reason, Some(seen.as_str()));
    let found = treasury_moves::approve(first, second, subject(proposal)?, said).await?;
    Ok(format!("It is to be made as {}.", found.reference))
}

async fn settle_lump(
    first: &Writer,
    second: &Approver,
    key: Key,
    proposal: &Proposal,
) -> Result<String, Problem> {
    let (item, body): (Item, LumpIn) = (subject(proposal)?, body(proposal)?);
    let done = lumps::settle(first, second, &item, key, &body).await?;
    let (credits, position) = (body.credits.len(), done.position);
    Ok(format!("It settled {credits} credits, at position {position}."))
}

async fn period(
    first: &Writer,
    second: &Writer,
    key: Key,
    proposal: &Proposal,
) -> Result<String, Problem> {
    let approval = approval(second, proposal);
    if proposal.kind() == Some(Kind::ClosePeriod) {
        let closing: Closing = body(proposal)?;
        let done = periods::close(first, approval, (key, &closing), closing.until).await?;
        return Ok(format!(
            "All is closed up to {}, at position {}.",
            closing.until, done.position
        ));
    }
    let opening: Opening = body(proposal)?;
    let done = periods::reopen(first, approval, (key, &opening), &opening).await?;
    Ok(format!("All is open from {} on, at position {}.", opening.from, done.position))
}

async fn close_year(
    first: &Writer,
    second: &Writer,
    key: Key,
    proposal: &Proposal,
) -> Result<String, Problem> {
    let closing: YearClosing = body(proposal)?;
    let approval = approval(second, proposal);
    let done = periods::close_year(first, approval, (key, &closing), closing.until).await?;
    Ok(format!("The year to {} is in equity, at position {}.", closing.until, done.position))
}

async fn define_tier(
    first: &Writer,
    second: &Writer,
    key: Key,
    proposal: &Proposal,
) -> Result<String, Problem> {
    let change: TierChange = body(proposal)?;
    let currency = first.state.ledger.status().borrow().book.currency(change.currency);
    let currency = currency.ok_or_else(|| Problem::internal(&"no currency"))?;
    let define = DefineTier {
        tier: change.tier.clone(),
        currency,
        limits: change.limits.clone(),
        expected_version: change.expected_version,
    };
    let operation = Operation::DefineTier(Box::new(define));
    let permission = permission(Authority::NONE, second, proposal);
    let identity = Identity { key, operation: "define_tier", path: &[], body: &change };
    let done = first.submit(identity, permission, operation).await?;
    Ok(format!("It is in force, at position {}.", done.position))
}

async fn define_terms(
    first: &Writer,
    second: &Writer,
    key: Key,
    proposal: &Proposal,
) -> Result<String, Problem> {
    let change: TermsChange = body(proposal)?;
    let approval = approval(second, proposal);
    let done = fees::define_terms(first, approval, (key, &change), &change).await?;
    Ok(format!("Shops can agree to it, at position {}.", done.position))
}

async fn unfreeze(
    first: &Writer,
    second: &Writer,
    key: Key,
    proposal: &Proposal,
) -> Result<String, Problem> {
    let Unfreeze { account, reference } = body(proposal)?;
    let class = chart::lookup(&account.code()).map_or(PostingClass::Open, |entry| entry.class);
    let permission = permission(Authority::of(&[class]), second, proposal);
    let path = [account.as_str(), reference.as_str()];
    let operation = Operation::Unfreeze { account: account.clone(), reference: reference.clone() };
    let identity = Identity { key, operation: "unfreeze_account", path: &path, body: &Value::Null };
    let done = first.submit(identity, permission, operation).await?;
    Ok(format!("The freeze is lifted, at position {}.", done.position))
}
