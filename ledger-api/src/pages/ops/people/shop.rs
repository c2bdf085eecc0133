//! What the desk sees of a shop beside its account: what is agreed with it, and what stands in the
//! way of its end.

use axum::response::Response;
use serde::Deserialize;

use super::{Subject, answer, nobody};
use crate::{
    desk::{
        carrying_out,
        proposals::{Kind, NewProposal},
        shops::{self, Agreement},
    },
    http::{Problem, codes, path::Id},
    pages::{
        act,
        ops::{ActForm, Board, Field, OpsSent, OpsVisitor, Part, fees::percent},
        ui::{Column, Pair},
    },
    shops::{Merchant, MerchantId},
};

/// The parts of a shop's page.
pub(super) async fn parts(
    visitor: &OpsVisitor,
    subject: Subject,
    id: MerchantId,
    board: Board,
) -> Result<Board, Problem> {
    let shop = visitor.state.shops.by_id(id).await?.ok_or_else(nobody)?;
    if !shop.is_active {
        let text = "It is closed: it takes no payments. What it sold can still be looked at.";
        return Ok(board.part(Part::new("The end").text(text)));
    }
    let board = board.part(agreed(visitor, subject, &shop));
    let left = shops::unfinished(&visitor.writer()?, id).await?;
    let columns = [Column::words("What has to be gone first"), Column::numbers("Still there")];
    let rows =
        left.all().into_iter().map(|(what, count)| vec![what.into(), count.to_string().into()]);
    let part = Part::new("The end").table(&columns, rows.collect(), "");
    let close = ActForm::new(format!("{}/close", subject.path()), "Close it")
        .title("Close the shop: only with empty accounts, and with nothing on its way")
        .quiet()
        .field(Field::reason());
    Ok(board.part(part.form(close)))
}

/// What the shop pays and when it has its money, and proposing otherwise.
fn agreed(visitor: &OpsVisitor, subject: Subject, shop: &Merchant) -> Part {
    let book = visitor.state.ledger.status().borrow().book.clone();
    let words = |version: u32| match book.terms(version) {
        Some(terms) => {
            let fee = percent(terms.fee_bps);
            format!("version {version}: {fee} %, may owe ₹{}", terms.debt_limit)
        }
        None => format!("version {version}"),
    };
    let pairs = vec![
        Pair::new("Fees", words(shop.terms_version)),
        Pair::new("A payment settles", shop.settlement_lag.to_string()),
    ];
    let versions: Vec<u32> = book.all_terms().map(|terms| terms.version).collect();
    let choices = versions.into_iter().rev().map(|version| (version.to_string(), words(version)));
    let form = ActForm::new(format!("{}/agree", subject.path()), "Propose")
        .title("Agree on something else; it holds from the next payment on, and takes two")
        .quiet()
        .field(
            Field::choice("terms_version", "Fees", choices.collect())
                .value(shop.terms_version.to_string()),
        )
        .field(
            Field::line("settlement_days", "Bank days until it settles", 2)
                .value(shop.settlement_lag.days().to_string()),
        )
        .field(Field::reason());
    Part::new("What is agreed").pairs(pairs).form(form)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AgreeForm {
    nonce: String,
    terms_version: String,
    settlement_days: String,
    reason: String,
}

/// Proposes other fees, or another time to settle.
pub(super) async fn agree(
    Id(id): Id<String>,
    OpsSent { visitor, form }: OpsSent<AgreeForm>,
) -> Result<Response, Problem> {
    let subject = Subject::parse(&id)?;
    let done = propose(&visitor, subject, &form).await;
    answer(&visitor, subject, done).await
}

async fn propose(visitor: &OpsVisitor, subject: Subject, form: &AgreeForm) -> Result<(), Problem> {
    let Subject::Shop(shop) = subject else { return Err(nobody()) };
    let wrong =
        |field: &str| Problem::field(codes::INVALID, format!("/{field}"), "A whole number.");
    let agreement = Agreement {
        terms_version: form.terms_version.parse().map_err(|_| wrong("terms_version"))?,
        settlement_days: form
            .settlement_days
            .trim()
            .parse()
            .map_err(|_| wrong("settlement_days"))?,
    };
    let writer = visitor.writer()?;
    agreement.check(&writer)?;
    let id = shop.to_string();
    let body = serde_json::to_value(agreement).map_err(|error| Problem::internal(&error))?;
    let key = act::key("ops_agree", &form.nonce, &[&id, &body.to_string(), &form.reason])?;
    let new = NewProposal {
        kind: Kind::AgreeTerms,
        subject: &id,
        body,
        reason: &form.reason,
        evidence_sha256: None,
        file: None,
        key: &key.0,
    };
    carrying_out::propose(&writer, &new).await.map(drop)
}
