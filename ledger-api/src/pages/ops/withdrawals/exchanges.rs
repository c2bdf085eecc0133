//! What was said to a bank about each attempt, in order: the request and the answer, without
//! account numbers and names.

use ledger_core::ids::WithdrawalId;

use crate::{
    desk::exchanges,
    exchanges::{Body, KeptExchange, Shown, masked},
    http::Problem,
    pages::{
        ops::{OpsVisitor, Part},
        ui::{Cell, Pair},
    },
};

/// A part for each attempt; none if nothing is kept.
pub(super) async fn parts(visitor: &OpsVisitor, id: WithdrawalId) -> Result<Vec<Part>, Problem> {
    let kept = exchanges::kept(&visitor.state, id).await?;
    let mut parts: Vec<Part> = Vec::new();
    let mut attempt = None;
    let mut question = 0_u32;
    for one in &kept {
        let mut part = match parts.pop() {
            Some(part) if attempt == one.attempt => part,
            before => {
                parts.extend(before);
                attempt = one.attempt;
                question = 0;
                let number = one.attempt.unwrap_or_default();
                Part::new(format!("Attempt {number}, to the letter"))
            }
        };
        let what = if one.kind == "submit" {
            "The sending".to_owned()
        } else {
            question = question.saturating_add(1);
            format!("Question {question}")
        };
        part = told(visitor, part, one, &what);
        parts.push(part);
    }
    Ok(parts)
}

fn told(visitor: &OpsVisitor, part: Part, one: &KeptExchange, what: &str) -> Part {
    let pairs = vec![
        Pair::new("What", format!("{what}, to {}", one.bank.to_uppercase())),
        Pair::new("Our reference", one.reference.clone()),
        Pair::new("When", Cell::When(visitor.when(one.started_at).exact())),
        Pair::new("Outcome", one.outcome()),
    ];
    let attempt = one.attempt.unwrap_or_default();
    let of = format!("Attempt {attempt}, {}", what.to_lowercase());
    let part = body(part.pairs(pairs), (&one.request, one.request_bytes), (&of, "Request"));
    body(part, (&one.answer, one.answer_bytes), (&of, "Answer"))
}

fn body(part: Part, (body, bytes): (&Body, i32), (of, which): (&str, &'static str)) -> Part {
    match masked(body, bytes) {
        Shown::Nothing => part,
        Shown::Json(json) => {
            let text = serde_json::to_string_pretty(&json).unwrap_or_default();
            part.code_named(format!("{of}: {}", which.to_lowercase()), text)
        }
        Shown::Not(why) => part.pairs(vec![Pair::new(which, format!("{bytes} bytes: {why}"))]),
    }
}
