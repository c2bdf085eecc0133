//! `/ops/debts`: what people and shops owe us, and proposing to write it off. The next money that
//! comes repays a debt by itself; so only what will never come is written off, and by two persons.

use axum::response::Response;
use ledger_core::ids::{AccountId, Reference};
use serde::Deserialize;

use super::{ActForm, Board, Field, OpsSent, OpsVisitor, Part, after, overview::proposals};
use crate::{
    desk::{
        carrying_out, caught_up,
        proposals::{Kind, NewProposal},
        receivables,
    },
    http::{Problem, codes, path::Id},
    pages::{FormErrors, act, ops::approvals, respond, ui::Pair},
};

const PATH: &str = "/ops/debts";

pub(super) async fn page(visitor: OpsVisitor) -> Result<Response, Problem> {
    Ok(respond::page(&board(&visitor, &FormErrors::none()).await?))
}

async fn board(visitor: &OpsVisitor, errors: &FormErrors) -> Result<Board, Problem> {
    let lead = "What was gone before it could be taken back. The next money that comes repays it; \
                what never will is written off by two persons, and is an expense then.";
    let mut board = Board::new(visitor, "Money owed to us", "debts").lead(lead).errors(errors);
    // As the last act left it.
    caught_up(&visitor.state).await?;
    let debts = receivables::debts(&visitor.state.reads).await?;
    if debts.is_empty() {
        return Ok(board.part(Part::new("Debts").table(&[], Vec::new(), "Nobody owes anything.")));
    }
    for debt in debts {
        let (account, amount) = (debt.account.to_string(), debt.amount.to_string());
        let part = Part::new(account.clone()).pairs(vec![
            Pair::new("Owed", visitor.money(debt.amount, debt.currency)?),
            Pair::new("Account opened", visitor.when(debt.since)),
        ]);
        let waiting = proposals(visitor).waiting(&account, visitor.now()).await?;
        if let Some(proposal) = waiting.first() {
            board = board.part(part).part(approvals::part(visitor, proposal));
            continue;
        }
        let hint = "A code without spaces, such as insolvent; stays for ever.";
        let form = ActForm::new(format!("{PATH}/{account}/write-off"), "Propose: write off")
            .quiet()
            .field(Field::line("amount", "Amount", 24).value(amount))
            .field(Field::line("reason", "Why", 64).hint(hint))
            .field(Field::evidence());
        board = board.part(part.form(form));
    }
    Ok(board)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Loss {
    nonce: String,
    amount: String,
    reason: String,
    evidence_sha256: String,
}

/// Proposes to write it off.
pub(super) async fn write_off(
    Id(account): Id<AccountId>,
    OpsSent { visitor, form }: OpsSent<Loss>,
) -> Result<Response, Problem> {
    let done = propose(&visitor, &account, &form).await;
    after(done, "/ops/approvals", async |errors| board(&visitor, &errors).await).await
}

async fn propose(visitor: &OpsVisitor, account: &AccountId, form: &Loss) -> Result<(), Problem> {
    let reason: Reference = form.reason.trim().parse().map_err(|_| {
        Problem::field(codes::INVALID, "/reason", "A code without spaces, such as insolvent.")
    })?;
    let currency = account.currency().map_err(|_| Problem::not_found("There is no such debt."))?;
    let typed = act::amount_typed(&form.amount);
    let evidence = form.evidence_sha256.trim();
    let fields = [account.as_str(), &typed, reason.as_str(), evidence];
    let key = act::key("ops_write_off", &form.nonce, &fields)?;
    let body = serde_json::json!({
        "amount": {"value": typed, "currency": currency.to_string()},
        "reason": reason.as_str(), "evidence_sha256": evidence,
    });
    let writer = visitor.writer()?;
    // What can't be is refused now, and not when the other person agrees.
    receivables::check(&writer, account, &body).await?;
    let new = NewProposal {
        kind: Kind::WriteOff,
        subject: account.as_str(),
        body,
        reason: reason.as_str(),
        evidence_sha256: Some(evidence),
        file: None,
        key: &key.0,
    };
    carrying_out::propose(&writer, &new).await.map(drop)
}
