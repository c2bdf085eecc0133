//! What became of an unknown withdrawal: said by one person with evidence, approved by another.
//! Evidence is one of three: the bank says paid, the bank refused it for good, or the closed
//! statements of the day of sending and of the next are without it.

use axum::response::Response;
use ledger_core::ids::{Reference, WithdrawalId};
use projections::WithdrawalHistory;
use serde::Deserialize;

use super::{PATH, one};
use crate::{
    desk::{
        evidence,
        resolutions::{self, OutcomeWord, ResolutionIn, open_attempt},
    },
    http::{
        Problem, codes,
        path::{Id, Ids},
    },
    pages::{
        act,
        ops::{ActForm, Field, OnlyNonce, OpsSent, OpsVisitor, Part, after},
        ui::Pair,
    },
    resolutions::{Resolution, Resolutions},
};

/// What is said of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Said {
    nonce: String,
    evidence: String,
    #[serde(default)]
    bank_reference: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    evidence_sha256: String,
}

/// What can be said, or what was said and waits; nothing if it is no unknown one and never was.
pub(super) async fn part(
    visitor: &OpsVisitor,
    id: WithdrawalId,
    history: &WithdrawalHistory,
) -> Result<Option<Part>, Problem> {
    let said = Resolutions::new(visitor.state.reads.clone()).of(id).await?;
    let is_open = open_attempt(&history.withdrawal).is_some();
    if said.is_empty() && !is_open {
        return Ok(None);
    }
    let now = visitor.now();
    let waits = said.iter().find(|one| one.state(now) == "proposed");
    let mut part = Part::new("What became of it");
    if let (Some(one), true) = (waits, is_open) {
        part = proposed(visitor, id, part, one);
    } else if is_open {
        part = forms(visitor, id, part).await?;
    }
    for one in said.iter().filter(|one| one.state(now) != "proposed") {
        part = part.pairs(pairs(visitor, one));
    }
    Ok(Some(part))
}

fn pairs(visitor: &OpsVisitor, one: &Resolution) -> Vec<Pair> {
    let mut pairs = vec![
        Pair::new("Said to be", one.outcome.replace('_', " ")),
        Pair::new("State", one.state(visitor.now()).to_owned()),
        Pair::new("How it is known", one.reason.clone()),
        Pair::new("Evidence", one.evidence_sha256.clone()),
        Pair::new("Proposed by", visitor.who_is(&one.proposed_by)),
        Pair::new("Proposed", visitor.when(one.proposed_at)),
    ];
    if let Some(reference) = &one.bank_reference {
        pairs.push(Pair::new("Bank’s reference", reference.clone()));
    }
    if let Some(by) = &one.decided_by {
        pairs.push(Pair::new("Decided by", visitor.who_is(by)));
    }
    pairs
}

fn proposed(visitor: &OpsVisitor, id: WithdrawalId, part: Part, one: &Resolution) -> Part {
    let part = part.pairs(pairs(visitor, one));
    let action = |what: &str| format!("{PATH}/{id}/resolutions/{}/{what}", one.id);
    let back = ActForm::new(action("withdraw"), "Take it back").quiet();
    if visitor.is(&one.proposed_by) {
        return part.text("You said so; somebody else has to approve it.").form(back);
    }
    if visitor.may_approve() {
        return part.form(ActForm::new(action("approve"), "Approve")).form(back);
    }
    part.text("It waits for somebody with the role approver.").form(back)
}

async fn forms(visitor: &OpsVisitor, id: WithdrawalId, part: Part) -> Result<Part, Problem> {
    let action = format!("{PATH}/{id}/resolve");
    let form = |evidence: &str, words: &str, title: &str| {
        ActForm::new(action.clone(), words).title(title).hidden("evidence", evidence)
    };
    let paid = form("paid", "Propose: paid", "The bank says it paid")
        .field(Field::line("bank_reference", "UTR", 64).hint("The bank’s own reference."))
        .field(Field::reason())
        .field(Field::evidence());
    let refused = form("refused", "Propose: not paid", "The bank refused it for good")
        .field(Field::reason())
        .field(Field::evidence());
    let part = part
        .text(
            "Nobody knows whether the bank paid. Say so only with evidence; another person has \
             to agree. It is never sent again while that is not known.",
        )
        .form(paid)
        .form(refused);
    Ok(match evidence::absent(&visitor.state, id).await? {
        Some(_) => part.form(form(
            "absent",
            "Propose: not paid, by the statements",
            "The closed statements of the day of sending and of the next are without it",
        )),
        None => part,
    })
}

impl Said {
    async fn resolve(
        self,
        visitor: &OpsVisitor,
        id: WithdrawalId,
    ) -> Result<ResolutionIn, Problem> {
        let Self { evidence, bank_reference, reason, evidence_sha256, .. } = self;
        let not_paid = OutcomeWord::NotPaid;
        match evidence.as_str() {
            "paid" => {
                let reference = bank_reference.trim().parse::<Reference>().map_err(|_| {
                    let detail = "The bank’s own reference of the payment.";
                    Problem::field(codes::INVALID, "/bank_reference", detail)
                })?;
                let (outcome, bank_reference) = (OutcomeWord::Paid, Some(reference));
                Ok(ResolutionIn { outcome, bank_reference, reason, evidence_sha256 })
            }
            "refused" => Ok(ResolutionIn {
                outcome: not_paid,
                bank_reference: None,
                reason,
                evidence_sha256,
            }),
            "absent" => {
                let absent = evidence::absent(&visitor.state, id).await?.ok_or_else(|| {
                    let detail = "The statements of both days are not closed yet, or have a \
                                  debit that nobody could explain, or it.";
                    Problem::new(codes::NOT_RESOLVABLE, detail)
                })?;
                Ok(ResolutionIn {
                    outcome: not_paid,
                    bank_reference: None,
                    reason: absent.reason,
                    evidence_sha256: absent.sha256,
                })
            }
            _ => Err(Problem::field(codes::INVALID, "/evidence", "One of the three.")),
        }
    }
}

/// Proposes what became of it, once for the form.
pub(super) async fn propose(
    Id(id): Id<WithdrawalId>,
    OpsSent { visitor, form }: OpsSent<Said>,
) -> Result<Response, Problem> {
    let done = say(&visitor, id, form).await;
    after(done, &format!("{PATH}/{id}"), async |e| one::board(&visitor, id, &e).await).await
}

async fn say(visitor: &OpsVisitor, id: WithdrawalId, said: Said) -> Result<(), Problem> {
    let fields = [&said.evidence, &said.bank_reference, &said.reason, &said.evidence_sha256];
    let fields = fields.map(String::as_str);
    let key = act::key("ops_resolve", &said.nonce, &fields)?;
    let body = said.resolve(visitor, id).await?;
    resolutions::propose(&visitor.writer()?, id, key, body).await.map(drop)
}

/// Tells the ledger what another person said.
pub(super) async fn approve(
    Ids(id, number): Ids<WithdrawalId, i64>,
    OpsSent { visitor, form: OnlyNonce { .. } }: OpsSent<OnlyNonce>,
) -> Result<Response, Problem> {
    let done = agree(&visitor, id, number).await;
    after(done, &format!("{PATH}/{id}"), async |e| one::board(&visitor, id, &e).await).await
}

async fn agree(visitor: &OpsVisitor, id: WithdrawalId, number: i64) -> Result<(), Problem> {
    let subject = id.to_string();
    visitor.check_approver(&subject).await?;
    match resolutions::approve(&visitor.writer()?, id, number).await {
        Err(problem) if problem.code() == "second_person_needed" => {
            visitor.refused(&subject, problem.code()).await?;
            Err(problem)
        }
        other => other.map(drop),
    }
}

/// Takes back what was said.
pub(super) async fn withdraw(
    Ids(id, number): Ids<WithdrawalId, i64>,
    OpsSent { visitor, form: OnlyNonce { .. } }: OpsSent<OnlyNonce>,
) -> Result<Response, Problem> {
    let done = resolutions::withdraw(&visitor.writer()?, id, number).await.map(drop);
    after(done, &format!("{PATH}/{id}"), async |e| one::board(&visitor, id, &e).await).await
}
