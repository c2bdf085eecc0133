//! What lies in suspense as the lump of several deposits: the form that names them, and the
//! proposal that comes of it. Another person agrees at `/ops/approvals`.

use axum::response::Response;
use ledger_core::{deposit::credit::of_item, ids::Item};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    ActForm, Field, OpsSent, OpsVisitor, Part,
    suspense::{PATH, answer, credit},
};
use crate::{
    desk::{
        carrying_out,
        lumps::{self, LumpIn},
        proposals::{Kind, NewProposal, Proposal},
    },
    http::{
        Problem, codes,
        path::Id,
        wire::{Amount, MoneyIn},
    },
    pages::{
        act,
        ui::{Cell, Pair},
    },
    suspense::OpenCredit,
};

/// The most characters of the credits: 96 of them.
const CREDITS_CHARS_MAX: usize = 4_000;

/// The form.
pub(super) fn part(item: &Item) -> Part {
    let form = ActForm::new(format!("{PATH}/{item}/lump"), "Propose: settle them")
        .title("Settle several deposits with it")
        .field(
            Field::line("credits", "Their credits", CREDITS_CHARS_MAX)
                .hint("dep_….1 of each, with spaces between them."),
        )
        .field(Field::line("charges", "Charges kept back", 30).hint("Such as 5.00.").optional())
        .field(Field::line("tax", "Tax on the charges", 30).hint("Such as 0.90.").optional())
        .field(Field::line("reason", "Why", 64).hint("A code, such as settlement-2026-11-22."))
        .field(Field::evidence());
    let text = "A payment gateway pays several deposits at once, less what it keeps. Their \
                amounts, less charges and tax, come to this one to the last paisa. It takes two: \
                you propose, somebody with the role approver agrees.";
    Part::new("A lump").text(text).form(form)
}

/// What is said of a lump.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    nonce: String,
    credits: String,
    #[serde(default)]
    charges: String,
    #[serde(default)]
    tax: String,
    reason: String,
    #[serde(default)]
    evidence_sha256: String,
}

/// Proposes that it is the lump of these deposits.
pub(super) async fn propose(
    Id(item): Id<String>,
    OpsSent { visitor, form }: OpsSent<Named>,
) -> Result<Response, Problem> {
    let done = keep(&visitor, &item, &form).await;
    answer(&visitor, &item, done).await
}

async fn keep(visitor: &OpsVisitor, item: &str, named: &Named) -> Result<(), Problem> {
    let (item, found) = credit(visitor, item).await?;
    let found = found.ok_or_else(|| {
        Problem::new(codes::NOT_IN_SUSPENSE, "It lies in suspense no more: it went somewhere.")
    })?;
    let body = body(visitor, &found, named).await?;
    let lump: LumpIn = serde_json::from_value(body.clone()).map_err(|_| {
        let detail = "A code without spaces, such as settlement-2026-11-22.";
        Problem::field(codes::INVALID, "/reason", detail)
    })?;
    let writer = visitor.writer()?;
    // What does not come to it is said at once, and not to whoever approves.
    lumps::operation(&writer, &item, &lump).await?;
    let Named { nonce, credits, charges, tax, reason, evidence_sha256 } = named;
    let fields = [item.as_str(), credits, charges, tax, reason, evidence_sha256];
    let key = act::key("ops_lump", nonce, &fields)?;
    let new = NewProposal {
        kind: Kind::SettleLump,
        subject: item.as_str(),
        body,
        reason: reason.trim(),
        evidence_sha256: Some(&lump.evidence_sha256),
        file: None,
        key: &key.0,
    };
    carrying_out::propose(&writer, &new).await.map(drop)
}

/// The request, as the API would take it: with the amounts that the deposits have.
async fn body(visitor: &OpsVisitor, found: &OpenCredit, named: &Named) -> Result<Value, Problem> {
    let mut credits = Vec::new();
    for word in named.credits.split([' ', ',', ';']).filter(|word| !word.is_empty()) {
        let amount = amount_of(visitor, word).await?.ok_or_else(|| {
            let detail = format!("There is no credit {word}: name it as dep_….1.");
            Problem::field(codes::INVALID, "/credits", detail)
        })?;
        credits.push(json!({"credit": word, "amount": amount}));
    }
    let mut body = json!({
        "credits": credits, "reason": named.reason.trim(),
        "evidence_sha256": named.evidence_sha256.trim(),
    });
    let kept = [("charges", named.charges.trim()), ("tax", named.tax.trim())];
    for (name, value) in kept.into_iter().filter(|(_, value)| !value.is_empty()) {
        if let Some(fields) = body.as_object_mut() {
            let money = json!({"value": value, "currency": found.currency});
            fields.insert(name.to_owned(), money);
        }
    }
    Ok(body)
}

async fn amount_of(visitor: &OpsVisitor, word: &str) -> Result<Option<Amount>, Problem> {
    let item = word.parse().ok();
    let Some((deposit_id, number)) = item.as_ref().and_then(of_item) else {
        return Ok(None);
    };
    let history = visitor.state.read_models.deposit(deposit_id).await?.value;
    Ok(history.and_then(|history| {
        let known = history.deposit.credit(number)?;
        Some(Amount::new(known.credit.amount, history.deposit.currency()?))
    }))
}

/// What a proposal to settle a lump says, in words and money: the credits as rows, and what they
/// come to; nothing if it is none that this release can read.
pub(super) fn proposed(visitor: &OpsVisitor, proposal: &Proposal) -> Option<Proposed> {
    let lump: LumpIn = serde_json::from_value(proposal.body.clone()).ok()?;
    let book = visitor.state.ledger.status().borrow().book.clone();
    let money = |said: &MoneyIn| said.resolve(&book, "").ok();
    let shown = |amount: Decimal, code| visitor.money(amount, code).ok();
    let (mut rows, mut all, mut currency) = (Vec::new(), Decimal::ZERO, None);
    for one in &lump.credits {
        let amount = money(&one.amount)?;
        let code = amount.currency().code;
        all = all.checked_add(amount.amount())?;
        currency = Some(code);
        rows.push(vec![one.credit.to_string().into(), shown(amount.amount(), code)?.into()]);
    }
    let code = currency?;
    let mut left = all;
    let mut pairs = vec![Pair::new("The credits together", shown(all, code)?)];
    for (label, kept) in [("Charges kept back", &lump.charges), ("Tax on them", &lump.tax)] {
        let Some(kept) = kept else { continue };
        let amount = money(kept)?.amount();
        left = left.checked_sub(amount)?;
        pairs.push(Pair::new(label, shown(amount, code)?));
    }
    pairs.push(Pair::new("What arrived", shown(left, code)?));
    Some(Proposed { pairs, rows })
}

/// A lump as it is proposed.
pub(super) struct Proposed {
    /// What it comes to.
    pub(super) pairs: Vec<Pair>,
    /// Each credit, and all of it.
    pub(super) rows: Vec<Vec<Cell>>,
}
