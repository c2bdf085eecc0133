//! `/ops/suspense`: money that is there and that nobody knows the owner of: since when, whose it
//! may be and why, and giving it to a wallet or back. What is more than one person may decide is
//! proposed, and another agrees.

use axum::response::Response;
use ledger_core::ids::{Item, Reference};
use serde::Deserialize;

use super::{ActForm, Board, Field, OpsSent, OpsVisitor, Part, after, lumps, overview::proposals};
use crate::{
    desk::{
        carrying_out, caught_up,
        proposals::{Kind, NewProposal},
        sending_back::{self, ReturnIn},
        suspense::{self as desk, AssignIn},
    },
    http::{Problem, approval::Approver, codes, path::Id, session::see_other},
    pages::{
        FormErrors, act,
        ops::approvals,
        respond,
        ui::{Cell, Column, Pair},
    },
    suspense::{self, OpenCredit, Why as Because},
};

pub(super) const PATH: &str = "/ops/suspense";

pub(super) async fn page(visitor: OpsVisitor) -> Result<Response, Problem> {
    let (pool, now) = (&visitor.state.reads, visitor.now());
    let credits = suspense::open_credits(pool, None).await?;
    let mut suggested = suspense::suggest(pool, &credits, now).await?;
    let mut rows = Vec::with_capacity(credits.len());
    for credit in credits {
        let best = suggested.remove(&credit.item).and_then(|found| found.into_iter().next());
        let best = best
            .map_or(String::new(), |one| format!("{} ({} of 100)", one.account, one.why.score()));
        let mut why = credit.reason.replace('_', " ");
        if credit.to_return {
            why.push_str(", to be sent back");
        }
        rows.push(vec![
            Cell::Link(credit.item.to_string(), format!("{PATH}/{}", credit.item)),
            visitor.money(credit.amount, credit.currency)?.into(),
            visitor.age(credit.since).into(),
            why.into(),
            credit.said.as_ref().map_or(String::new(), |said| said.bank.to_string()).into(),
            best.into(),
        ]);
    }
    let columns = [
        Column::words("Credit"),
        Column::numbers("Amount"),
        Column::words("Age"),
        Column::words("Why it is here"),
        Column::words("Bank"),
        Column::words("May be of"),
    ];
    let part = Part::new("Credits").table(&columns, rows, "Nothing lies in suspense.");
    Ok(respond::page(&Board::new(&visitor, "Suspense", "suspense").part(part)))
}

pub(super) async fn one(visitor: OpsVisitor, Id(item): Id<String>) -> Result<Response, Problem> {
    Ok(respond::page(&board(&visitor, &item, &FormErrors::none()).await?))
}

/// What lies there under a name, as the last decision left it.
pub(super) async fn credit(
    visitor: &OpsVisitor,
    item: &str,
) -> Result<(Item, Option<OpenCredit>), Problem> {
    let item: Item =
        item.parse().map_err(|_| Problem::not_found("There is nothing of this id."))?;
    caught_up(&visitor.state).await?;
    let found = suspense::open_credits(&visitor.state.reads, Some(&item)).await?;
    Ok((item, found.into_iter().next()))
}

async fn board(visitor: &OpsVisitor, item: &str, errors: &FormErrors) -> Result<Board, Problem> {
    let (item, found) = credit(visitor, item).await?;
    let board = Board::new(visitor, "Credit in suspense", "suspense")
        .back(PATH, "All of them")
        .errors(errors);
    let Some(found) = found else {
        let text = "It lies in suspense no more: it went to a wallet, or back.";
        return Ok(board.part(Part::new(item.to_string()).text(text)));
    };
    let mut board = board.part(Part::new("What came").pairs(pairs(visitor, &found)?));
    let waiting = proposals(visitor).waiting(item.as_str(), visitor.now()).await?;
    for proposal in &waiting {
        board = board.part(approvals::part(visitor, proposal));
    }
    let (pool, now) = (&visitor.state.reads, visitor.now());
    let mut suggested = suspense::suggest(pool, std::slice::from_ref(&found), now).await?;
    let suggested = suggested.remove(&item).unwrap_or_default();
    let rows = suggested.iter().map(|one| {
        vec![
            one.account.to_string().into(),
            format!("{} of 100", one.why.score()).into(),
            because(one.why).into(),
            one.deposit.map_or(String::new(), |deposit| deposit.to_string()).into(),
        ]
    });
    let columns = [
        Column::words("Wallet"),
        Column::words("How sure"),
        Column::words("Why"),
        Column::words("Deposit"),
    ];
    let guess = Part::new("Whose it may be").text("A guess; nothing follows from it.");
    board = board.part(guess.table(&columns, rows.collect(), "Nothing speaks for anybody."));
    if !waiting.is_empty() {
        return Ok(board);
    }
    let takes_two = takes_two(visitor, &found)?;
    let best = suggested.first().map_or(String::new(), |one| one.account.to_string());
    Ok(board.part(decide(&item, takes_two, best)).part(lumps::part(&item)))
}

fn takes_two(visitor: &OpsVisitor, found: &OpenCredit) -> Result<bool, Problem> {
    Ok(desk::takes_two(&visitor.writer()?, (found.amount, found.currency)))
}

const fn because(why: Because) -> &'static str {
    match why {
        Because::Token => "the payer gave the token of a deposit of theirs",
        Because::VirtualAccount => "the number of their virtual account is in the payer’s words",
        Because::AmountAndName => "they wait for this amount, and the words have their name",
        Because::Amount => "they wait for this amount at this bank",
    }
}

fn pairs(visitor: &OpsVisitor, found: &OpenCredit) -> Result<Vec<Pair>, Problem> {
    let mut pairs = vec![
        Pair::new("Credit", found.item.to_string()),
        Pair::new("Amount", visitor.money(found.amount, found.currency)?),
        Pair::new("Since", visitor.when(found.since)),
        Pair::new("Age", visitor.age(found.since)),
        Pair::new("Why it is here", found.reason.replace('_', " ")),
    ];
    if found.to_return {
        pairs.push(Pair::new("Decided", "it goes back"));
    }
    if let Some(said) = &found.said {
        pairs.push(Pair::new("Bank", said.bank.to_string()));
        pairs.push(Pair::new("The bank’s number", said.bank_transaction_id.to_string()));
        pairs.push(Pair::new("Value date", said.value_date.to_string()));
        let optional = [("UTR", &said.utr), ("Reference", &said.reference)];
        for (label, value) in optional {
            pairs.extend(value.as_ref().map(|value| Pair::new(label, value.to_string())));
        }
        pairs.extend(said.narration.clone().map(|words| Pair::new("The payer’s words", words)));
    }
    Ok(pairs)
}

fn decide(item: &Item, takes_two: bool, best: String) -> Part {
    let word = |one: &'static str, two: &'static str| if takes_two { two } else { one };
    let assign = ActForm::new(format!("{PATH}/{item}/assign"), word("Assign", "Propose: assign"))
        .title("Give it to a wallet")
        .field(Field::line("account", "Wallet", 200).value(best));
    let back = ActForm::new(format!("{PATH}/{item}/return"), word("Send back", "Propose: back"))
        .title("Send it back to whom it came from")
        .quiet();
    let hint = "A code or a reference without spaces, such as case-2026-117.";
    let fields = |form: ActForm| {
        let form = form.field(Field::line("reason", "Why", 64).hint(hint));
        if takes_two { form.field(Field::evidence()) } else { form }
    };
    let text = if takes_two {
        "This takes two: you propose, somebody with the role approver agrees, and both have seen \
         the evidence."
    } else {
        ""
    };
    Part::new("Decide").text(text).form(fields(assign)).form(fields(back))
}

/// What is said of a credit.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Said {
    nonce: String,
    #[serde(default)]
    account: String,
    reason: String,
    #[serde(default)]
    evidence_sha256: String,
}

impl Said {
    fn reason(&self) -> Result<Reference, Problem> {
        self.reason.trim().parse().map_err(|_| {
            let detail = "A code or a reference without spaces, such as case-2026-117.";
            Problem::field(codes::INVALID, "/reason", detail)
        })
    }

    fn evidence(&self) -> Option<String> {
        Some(self.evidence_sha256.trim().to_owned()).filter(|text| !text.is_empty())
    }
}

/// Gives it to a wallet, or proposes that.
pub(super) async fn assign(
    Id(item): Id<String>,
    OpsSent { visitor, form }: OpsSent<Said>,
) -> Result<Response, Problem> {
    let done = give(&visitor, &item, &form).await;
    answer(&visitor, &item, done).await
}

/// Sends it back, or proposes that.
pub(super) async fn send_back(
    Id(item): Id<String>,
    OpsSent { visitor, form }: OpsSent<Said>,
) -> Result<Response, Problem> {
    let done = back(&visitor, &item, &form).await;
    answer(&visitor, &item, done).await
}

/// The page of a credit again, with what was wrong.
pub(super) async fn answer(
    visitor: &OpsVisitor,
    item: &str,
    done: Result<(), Problem>,
) -> Result<Response, Problem> {
    let to = format!("{PATH}/{item}");
    match done {
        Ok(()) => Ok(see_other(&to)),
        Err(problem) => after(Err(problem), &to, async |e| board(visitor, item, &e).await).await,
    }
}

async fn give(visitor: &OpsVisitor, item: &str, said: &Said) -> Result<(), Problem> {
    let (item, found) = credit(visitor, item).await?;
    let account = said.account.trim().parse().map_err(|_| {
        Problem::field(codes::INVALID, "/account", "A wallet, such as wallet:usr_…:INR.")
    })?;
    let reason = said.reason()?;
    let body = AssignIn { account, reason, evidence_sha256: said.evidence() };
    let fields = [item.as_str(), &said.account, &said.reason, &said.evidence_sha256];
    let key = act::key("ops_assign", &said.nonce, &fields)?;
    if decides_alone(visitor, &item, found.as_ref()).await? {
        let writer = visitor.writer()?;
        return desk::assign(&writer, &Approver::none(), &item, key, &body).await.map(drop);
    }
    let body = serde_json::to_value(&body).map_err(|error| Problem::internal(&error))?;
    propose(visitor, Kind::AssignSuspense, &item, said, (body, &key)).await
}

async fn back(visitor: &OpsVisitor, item: &str, said: &Said) -> Result<(), Problem> {
    let (item, found) = credit(visitor, item).await?;
    let reason = said.reason()?;
    let body = ReturnIn { reason, bank_account: None, evidence_sha256: said.evidence() };
    let fields = [item.as_str(), &said.reason, &said.evidence_sha256];
    let key = act::key("ops_return", &said.nonce, &fields)?;
    if decides_alone(visitor, &item, found.as_ref()).await? {
        let (writer, nobody) = (visitor.writer()?, Approver::none());
        return sending_back::send_back(&writer, &nobody, &item, key, &body).await.map(drop);
    }
    let body = serde_json::to_value(&body).map_err(|error| Problem::internal(&error))?;
    propose(visitor, Kind::ReturnSuspense, &item, said, (body, &key)).await
}

/// Whether it is done at once, by an approver who proved a short while ago who they are; else it
/// is proposed. What lies there no more is asked for in the ledger's own words.
async fn decides_alone(
    visitor: &OpsVisitor,
    item: &Item,
    found: Option<&OpenCredit>,
) -> Result<bool, Problem> {
    let two = found.map(|found| takes_two(visitor, found)).transpose()?;
    if two == Some(true) {
        return Ok(false);
    }
    visitor.check_approver(item.as_str()).await?;
    Ok(true)
}

async fn propose(
    visitor: &OpsVisitor,
    kind: Kind,
    item: &Item,
    said: &Said,
    (body, key): (serde_json::Value, &crate::http::idempotency::Key),
) -> Result<(), Problem> {
    let evidence = said.evidence().ok_or_else(|| {
        let detail = "This takes two persons and the SHA-256 of what they have seen.";
        Problem::field(codes::INVALID, "/evidence_sha256", detail)
    })?;
    let new = NewProposal {
        kind,
        subject: item.as_str(),
        body,
        reason: said.reason.trim(),
        evidence_sha256: Some(&evidence),
        file: None,
        key: &key.0,
    };
    carrying_out::propose(&visitor.writer()?, &new).await.map(drop)
}
