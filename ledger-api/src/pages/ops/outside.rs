//! `/ops/outside`: money of payers with apps of other banks that is neither a shop's nor back at
//! their banks, and proposing to send it once more.

use axum::{extract::Query, response::Response};
use ledger_core::ids::WithdrawalId;
use serde::Deserialize;

use super::{ActForm, Board, Field, OpsSent, OpsVisitor, Part, after, overview::proposals};
use crate::{
    deposits::{Mark, Stuck},
    desk::{
        carrying_out,
        outside::{self, SendAgainIn, Waiting},
        proposals::{Kind, NewProposal},
    },
    http::{Problem, codes, path::Id},
    pages::{FormErrors, act, address, ops::approvals, respond, ui::Pair},
};

const PATH: &str = "/ops/outside";

/// How many a page has.
const A_PAGE: u32 = 25;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    behind: String,
}

pub(super) async fn page(
    visitor: OpsVisitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    // What is no place in the list is its beginning.
    let behind = asked.behind.parse().ok();
    Ok(respond::page(&board(&visitor, behind.as_ref(), &FormErrors::none()).await?))
}

async fn board(
    visitor: &OpsVisitor,
    behind: Option<&Mark>,
    errors: &FormErrors,
) -> Result<Board, Problem> {
    let lead = "Somebody paid a shop’s code from another bank, and the money is neither the \
                shop’s nor back. What their bank did not take is sent once more by two persons.";
    let mut board = Board::new(visitor, "Payers from outside", "outside").lead(lead).errors(errors);
    let Waiting { stuck, next, .. } = outside::stuck(&visitor.state, behind, A_PAGE).await?;
    if stuck.is_empty() {
        let nothing = "Nothing waits for people.";
        return Ok(board.part(Part::new("Waiting").table(&[], Vec::new(), nothing)));
    }
    for one in stuck {
        board = board.part(part(visitor, &one)?);
        let Some(withdrawal) = one.can_be_sent_after() else { continue };
        let id = withdrawal.to_string();
        let waiting = proposals(visitor).waiting(&id, visitor.now()).await?;
        if let Some(proposal) = waiting.first() {
            board = board.part(approvals::part(visitor, proposal));
            continue;
        }
        let hint = "A code without spaces, such as payer_bank_is_back; stays for ever.";
        let form = ActForm::new(format!("{PATH}/{id}/send-again"), "Propose: send once more")
            .quiet()
            .field(Field::line("reason", "Why", 64).hint(hint))
            .field(Field::evidence());
        board = board.part(Part::new("What can be done").form(form));
    }
    if let Some(next) = next {
        let href = address::with(PATH, &[], "behind", &next.to_string());
        board = board.part(Part::new("More waits").link("Newer", href));
    }
    Ok(board)
}

fn part(visitor: &OpsVisitor, one: &Stuck) -> Result<Part, Problem> {
    let currency = one.account.currency().map_err(|error| Problem::internal(&error))?;
    let what = if one.refund.is_some() { "a refund" } else { "a payment that no shop can have" };
    let mut pairs = vec![
        Pair::new("On the account", visitor.money(one.amount, currency)?),
        Pair::new("What", if one.back.is_some() { what } else { "a payment" }.to_owned()),
        Pair::new("Shop", one.merchant.to_string()),
        Pair::new("Since", visitor.when(one.since)),
    ];
    if let Some(reason) = &one.reason {
        pairs.push(Pair::new("Why not the shop’s", reason.clone()));
    }
    let part = Part::new(one.account.to_string());
    if let Some((id, status)) = one.withdrawal {
        pairs.push(Pair::new("Withdrawal", status.as_str().to_owned()));
        return Ok(part.pairs(pairs).link("The withdrawal", format!("/ops/withdrawals/{id}")));
    }
    let words = "not sent: the bank is down, or does not say who paid";
    let words = if one.back.is_some() { words } else { "held, or not taken up yet" };
    pairs.push(Pair::new("Withdrawal", words.to_owned()));
    Ok(part.pairs(pairs))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Again {
    nonce: String,
    reason: String,
    evidence_sha256: String,
}

/// Proposes to send it once more.
pub(super) async fn send_again(
    Id(withdrawal): Id<WithdrawalId>,
    OpsSent { visitor, form }: OpsSent<Again>,
) -> Result<Response, Problem> {
    let done = propose(&visitor, withdrawal, &form).await;
    after(done, "/ops/approvals", async |errors| board(&visitor, None, &errors).await).await
}

async fn propose(visitor: &OpsVisitor, id: WithdrawalId, form: &Again) -> Result<(), Problem> {
    let reason = form.reason.trim().parse().map_err(|_| {
        Problem::field(codes::INVALID, "/reason", "A code without spaces, such as bank_is_back.")
    })?;
    let asked = SendAgainIn { reason, evidence_sha256: form.evidence_sha256.trim().to_owned() };
    let subject = id.to_string();
    let fields = [subject.as_str(), asked.reason.as_str(), &asked.evidence_sha256];
    let key = act::key("ops_outside_again", &form.nonce, &fields)?;
    let writer = visitor.writer()?;
    // What can't be is refused now, and not when the other person agrees.
    outside::check(&writer, id, &asked).await?;
    let new = NewProposal {
        kind: Kind::SendOutsideAgain,
        subject: &subject,
        body: serde_json::json!({
            "reason": asked.reason.as_str(), "evidence_sha256": asked.evidence_sha256,
        }),
        reason: asked.reason.as_str(),
        evidence_sha256: Some(&asked.evidence_sha256),
        file: None,
        key: &key.0,
    };
    carrying_out::propose(&writer, &new).await.map(drop)
}
