//! Letting withdrawals in review pass, or not: one or many, after a sheet that says which.

use axum::response::Response;
use ledger_core::ids::{Reference, WithdrawalId};

use super::{PATH, chip, list, payee, why_reviewed};
use crate::{
    desk::{self, reviews},
    http::{Problem, codes, session::see_other},
    pages::{
        FormErrors, act,
        ops::{ActForm, Board, Field, OpsSent, OpsVisitor, Part, after},
        respond,
        ui::{Cell, Column},
    },
    routes::Empty,
};

/// The most that are decided at once.
const AT_ONCE: usize = 50;

/// A form with some ids, as pairs of names and values.
type Pairs = Vec<(String, String)>;

/// What a form says is to be decided.
struct Chosen {
    ids: Vec<WithdrawalId>,
    approve: bool,
    nonce: String,
    reason: Option<Reference>,
}

impl Chosen {
    fn of(form: &Pairs) -> Result<Self, Problem> {
        let value = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value);
        let ids = form.iter().filter(|(key, _)| key == "id");
        let ids: Result<Vec<WithdrawalId>, _> = ids.map(|(_, id)| id.parse()).collect();
        let ids = ids.map_err(|_| Problem::not_found("There is nothing of this id."))?;
        let invalid = |detail: String| Problem::field(codes::INVALID, "/id", detail);
        if ids.is_empty() || ids.len() > AT_ONCE {
            return Err(invalid(format!("Choose between 1 and {AT_ONCE} of them.")));
        }
        let approve = match value("decision").map(String::as_str) {
            Some("approve") => true,
            Some("reject") => false,
            _ => return Err(invalid("Approve them or reject them.".to_owned())),
        };
        let reason = value("reason").map(String::as_str).filter(|text| !text.trim().is_empty());
        let reason = reason.map(|text| text.trim().parse::<Reference>()).transpose();
        let reason = reason.map_err(|_| {
            let detail = "A code without spaces, such as payee_suspicious.";
            Problem::field(codes::INVALID, "/reason", detail)
        })?;
        let nonce = value("nonce").cloned().unwrap_or_default();
        Ok(Self { ids, approve, nonce, reason })
    }
}

async fn again(visitor: &OpsVisitor, errors: FormErrors) -> Result<Board, Problem> {
    list::board(visitor, &list::Asked::review(), &errors).await
}

/// Shows what is about to be decided.
pub(super) async fn check(OpsSent { visitor, form }: OpsSent<Pairs>) -> Result<Response, Problem> {
    let chosen = match Chosen::of(&form) {
        Ok(chosen) => chosen,
        Err(problem) => {
            let to = address();
            return after(Err(problem), &to, async |e| again(&visitor, e).await).await;
        }
    };
    let mut rows = Vec::with_capacity(chosen.ids.len());
    for id in &chosen.ids {
        let history = desk::known(&visitor.state, *id).await?;
        let known = &history.withdrawal;
        let requested = known.properties().zip(known.status());
        let Some((requested, status)) = requested else { continue };
        let currency = requested.account.currency().map_err(|error| Problem::internal(&error))?;
        rows.push(vec![
            Cell::Link(id.to_string(), format!("{PATH}/{id}")),
            visitor.money(requested.amount, currency)?.into(),
            visitor.money(requested.fee, currency)?.into(),
            payee(&visitor.state, requested.bank_account).await?.into(),
            why_reviewed(&history).unwrap_or_default().into(),
            chip(status).into(),
            requested.account.to_string().into(),
        ]);
    }
    let columns = [
        Column::words("Id"),
        Column::numbers("Amount"),
        Column::numbers("Fee"),
        Column::words("Goes to"),
        Column::words("Why it is looked at"),
        Column::words("Status"),
        Column::words("Account"),
    ];
    let (word, decision) =
        if chosen.approve { ("Approve", "approve") } else { ("Reject", "reject") };
    let mut form = ActForm::new("/ops/withdrawals/decide", format!("{word} {}", rows.len()))
        .hidden("decision", decision);
    for id in &chosen.ids {
        form = form.hidden("id", id.to_string());
    }
    if !chosen.approve {
        let hint = "A code without spaces, such as payee_suspicious. The customer sees it.";
        form = form.field(Field::line("reason", "Why", 64).hint(hint).optional());
    }
    let title = format!("{word} these withdrawals?");
    let part = Part::new("What is decided").table(&columns, rows, "").form(form);
    let board = Board::new(&visitor, title, "withdrawals").back(address(), "Back to the list");
    Ok(respond::page(&board.part(part)))
}

fn address() -> String {
    format!("{PATH}?tab=review")
}

/// Decides them, each once for the sheet. One that is refused does not stop the others.
pub(super) async fn decide(OpsSent { visitor, form }: OpsSent<Pairs>) -> Result<Response, Problem> {
    let done = all(&visitor, &form).await;
    let to = address();
    match done {
        Ok(refused) if refused.is_empty() => Ok(see_other(&to)),
        Ok(refused) => {
            let mut errors = FormErrors::none();
            for (id, problem) in refused {
                errors.add("", format!("{id}: {}", problem.body().detail));
            }
            Ok(respond::page(&again(&visitor, errors).await?))
        }
        Err(problem) => after(Err(problem), &to, async |e| again(&visitor, e).await).await,
    }
}

async fn all(visitor: &OpsVisitor, form: &Pairs) -> Result<Vec<(WithdrawalId, Problem)>, Problem> {
    let chosen = Chosen::of(form)?;
    if chosen.approve {
        visitor.check_approver("withdrawals in review").await?;
    }
    let writer = visitor.writer()?;
    let mut refused = Vec::new();
    for id in chosen.ids {
        let text = id.to_string();
        let done = if chosen.approve {
            let key = act::key("ops_approve", &chosen.nonce, &[&text])?;
            reviews::approve(&writer, id, key, &Empty {}).await
        } else {
            let reason = chosen.reason.clone();
            let said = reason.as_ref().map_or("", Reference::as_str);
            let key = act::key("ops_reject", &chosen.nonce, &[&text, said])?;
            reviews::reject(&writer, id, key, &reviews::RejectIn { reason }).await
        };
        if let Err(problem) = done {
            if problem.status() >= 500 {
                return Err(problem);
            }
            visitor.refused(&text, problem.code()).await?;
            refused.push((id, problem));
        }
    }
    Ok(refused)
}
