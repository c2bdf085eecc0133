//! One movement: what it is, its steps and what happens next, its entries in the ledger, a receipt.

use askama::Template;
use axum::{
    extract::Path,
    response::{IntoResponse as _, Response},
};
use ledger_core::{
    chart::Direction,
    ids::{DepositId, TransferId, WithdrawalId},
    words,
};
use projections::Towards;
use serde::{Deserialize, Serialize};

use super::{
    dispute, report, wait,
    waiting::{self, Pay, Waiting},
};
use crate::{
    http::{Problem, reader::caught_up, session::see_other},
    pages::{
        FormErrors, Layout, Nav, Visitor, act,
        disputes::{self, DisputeView},
        names::{Names, signed, what},
        respond,
        ui::{
            Cell, CopyId, LedgerLegs, Leg, LiveDot, MoneyView, Pair, Pairs, Status, Step,
            StepState, Timeline, When,
        },
        visitor::Sent,
    },
    reports::Reason,
    transfers,
    wallet::{self, Detail},
};

#[derive(Template)]
#[template(path = "app/one.html")]
pub(super) struct OneView {
    layout: Layout,
    live: LiveDot,
    errors: FormErrors,
    id: String,
    list: String,
    list_word: &'static str,
    what: &'static str,
    who: String,
    amount: MoneyView,
    status: Status,
    timeline: Timeline,
    receipt: Pairs,
    entries: Vec<EntryView>,
    position: u64,
    /// What can be proven of it to whoever has the log's key.
    proof: Option<u64>,
    waiting: Waiting,
    cancel: Option<Cancel>,
    is_final: bool,
    dispute: Option<DisputeView>,
    /// The nonce of the form that disputes a payment, where there is one.
    disputing: Option<String>,
    dispute_reasons: [(&'static str, &'static str); 4],
    reports: Vec<report::ReportView>,
    can_report: bool,
    reasons: [Reason; 4],
}

/// A transaction of the ledger.
struct EntryView {
    id: CopyId,
    when: When,
    legs: LedgerLegs,
}

/// That it can be given up, and what the button says.
struct Cancel {
    label: &'static str,
    nonce: String,
}

/// The page of one movement.
pub(super) async fn one(visitor: Visitor, Path(id): Path<String>) -> Result<Response, Problem> {
    show(&visitor, &id).await
}

/// The same, for whoever looks at it.
pub(in crate::pages) async fn show(visitor: &Visitor, id: &str) -> Result<Response, Problem> {
    let view = view(visitor, id, FormErrors::none()).await?;
    Ok(respond::page(&view))
}

/// Where the list is that a movement stands in, and what it is called.
fn list(visitor: &Visitor) -> (String, &'static str) {
    match visitor.shop {
        Some(_) => (visitor.at("/payouts"), "Payouts"),
        None => (visitor.at("/activity"), "Activity"),
    }
}

pub(super) async fn view(
    visitor: &Visitor,
    id: &str,
    errors: FormErrors,
) -> Result<OneView, Problem> {
    // Forms lead here: who has just done something sees it done. If the read models are late, the
    // page shows what they have, and what changed comes live.
    caught_up(&visitor.state).await.ok();
    let detail = wallet::detail(&visitor.state, &visitor.wallet, id).await?;
    let row = &detail.row;
    let names = Names::of(visitor, [row]).await?;
    let waits = wait::words(visitor, &detail).await?;
    let reports = report::of(visitor, &row.object).await?;
    let disputing = dispute::of(visitor, &row.object).await?;
    let (list, list_word) = list(visitor);
    let nav = if visitor.shop.is_some() { Nav::Shop("payouts") } else { Nav::Activity };
    let may = visitor.shop.as_ref().is_none_or(|at| at.role.decides());
    let cancel =
        cancellable(&detail).filter(|_| may).map(|label| Cancel { label, nonce: visitor.nonce() });
    Ok(OneView {
        layout: visitor.layout(what(row), nav),
        live: LiveDot::new(visitor.path()),
        errors,
        id: row.object.clone(),
        list,
        list_word,
        what: what(row),
        who: names.who(row),
        amount: signed(visitor, row)?.hero(),
        status: row.status.into(),
        timeline: timeline(visitor, &detail, waits.as_deref()),
        receipt: receipt(visitor, &names, &detail)?,
        entries: detail.entries.iter().map(|entry| entry_view(visitor, entry)).collect(),
        position: detail.position,
        proof: detail.own_position().filter(|_| visitor.shop.is_none()),
        waiting: waiting::of(visitor, &detail).await?,
        cancel,
        is_final: row.status.is_final(),
        dispute: disputing.dispute,
        disputing: disputing.open,
        dispute_reasons: disputes::REASONS,
        can_report: visitor.shop.is_none() && reports.iter().all(|report| report.settled.is_some()),
        reports,
        reasons: Reason::ALL,
    })
}

/// What the button to give it up says, while it can be. Whether it really can be is for the ledger
/// to say: it may have gone on since.
fn cancellable(detail: &Detail) -> Option<&'static str> {
    match (&*detail.row.kind, &*detail.row.object_status) {
        ("withdrawal", "queued" | "pending_review") => Some("Cancel withdrawal"),
        ("deposit", "awaiting_payment") => Some("Never mind"),
        ("transfer", "pending_claim") if detail.row.direction == Towards::Out => {
            Some("Take it back")
        }
        _ => None,
    }
}

/// What happened, and what is still to come.
fn timeline(visitor: &Visitor, detail: &Detail, waits: Option<&str>) -> Timeline {
    let status = detail.row.status;
    let last = detail.timeline.len().saturating_sub(1);
    let mut steps: Vec<Step> = Vec::new();
    for (index, step) in detail.timeline.iter().enumerate() {
        let state = if index == last { present(status.into()) } else { StepState::Done };
        let mut shown = Step::new(state, step.words.clone()).at(visitor.when(step.at));
        if let Some(reference) = &step.reference {
            shown = shown.facts(format!("reference {reference}"));
        }
        if index == last
            && let Some(next) = detail.next
        {
            let more = waits.filter(|waits| !waits.is_empty());
            let more = more.map(|waits| format!(" {waits}")).unwrap_or_default();
            shown = shown.text(format!("{next}{more}"));
        }
        steps.push(shown);
    }
    let to_come = to_come(&detail.row.kind, &detail.row.object_status);
    steps.extend(to_come.iter().map(|what| Step::new(StepState::Todo, *what)));
    Timeline::new(steps)
}

const fn present(status: Status) -> StepState {
    match status {
        Status::Done => StepState::Done,
        Status::Unknown => StepState::Unknown,
        Status::Failed
        | Status::Rejected
        | Status::Returned
        | Status::Cancelled
        | Status::Expired => StepState::Failed,
        Status::Waiting | Status::Queued | Status::Processing | Status::InReview => StepState::Now,
    }
}

fn to_come(kind: &str, object_status: &str) -> &'static [&'static str] {
    match (kind, object_status) {
        ("withdrawal", "pending_review" | "queued") => &["Sent to the bank", "Paid to your bank"],
        ("withdrawal", "processing" | "outcome_unknown" | "needs_attention") => {
            &["Paid to your bank"]
        }
        ("deposit", "awaiting_payment") => &["The bank tells us", "In your wallet"],
        ("deposit", "received" | "in_review") => &["In your wallet"],
        ("transfer", "pending_claim") => &["They prove the number", "Theirs"],
        _ => &[],
    }
}

fn receipt(visitor: &Visitor, names: &Names, detail: &Detail) -> Result<Pairs, Problem> {
    let row = &detail.row;
    let mut pairs = Vec::new();
    let side = if row.direction == Towards::In { "From" } else { "To" };
    match names.face(row) {
        Some(face) => {
            pairs.push(Pair::new(side, format!("{} (@{})", face.name.expose(), face.handle)));
        }
        None => pairs.push(Pair::new(side, without_side(side, &names.who(row)))),
    }
    pairs.push(Pair::new("When", visitor.when(row.began_at)));
    if let Some(utr) = &row.utr {
        pairs.push(Pair::new("Bank reference (UTR)", CopyId::new(utr.clone())));
    }
    if let Some(note) = detail.note.as_ref().filter(|note| !note.is_empty()) {
        pairs.push(Pair::new("Note", words::shown(note).into_owned()));
    }
    pairs.push(Pair::new("Id", CopyId::new(row.object.clone())));
    let amount = visitor.money(row.amount, row.currency)?;
    pairs.push(Pair::new("Amount", MoneyView::plain(amount)));
    if went_nowhere(row.status.into()) {
        pairs.push(Pair::new("Charged", "Nothing"));
    } else if row.direction == Towards::Out {
        let fee = visitor.money(row.fee, row.currency)?;
        let total = amount.checked_add(fee).map_err(|error| Problem::internal(&error))?;
        let is_free = fee.is_zero();
        let fee = if is_free { "Free".into() } else { Cell::Money(MoneyView::plain(fee)) };
        pairs.push(Pair::new("Fee", fee));
        pairs.push(Pair::new("Total", MoneyView::plain(total)).total());
    }
    Ok(Pairs::new(pairs))
}

/// Whether nothing moved in the end, and no fee was taken.
const fn went_nowhere(status: Status) -> bool {
    matches!(status, Status::Failed | Status::Rejected | Status::Cancelled | Status::Expired)
}

/// Who it is, beside a word that says which side they are on: "Your bank" of "From your bank".
fn without_side(side: &str, who: &str) -> String {
    let rest = who.strip_prefix(side).and_then(|rest| rest.strip_prefix(' '));
    let Some(rest) = rest else { return who.to_owned() };
    let mut letters = rest.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn entry_view(visitor: &Visitor, entry: &wallet::Entry) -> EntryView {
    let side = |direction| {
        let legs = entry.legs.iter().filter(move |leg| leg.direction == direction);
        let shown = legs.map(|leg| Leg {
            words: leg.account.clone(),
            account: leg.balance_after.map_or_else(String::new, |after| {
                format!("{} after it", crate::pages::ui::money_text(&after))
            }),
            amount: MoneyView::plain(leg.amount),
        });
        shown.collect()
    };
    EntryView {
        id: CopyId::new(entry.transaction.to_string()),
        when: visitor.when(entry.at).exact(),
        legs: LedgerLegs { debits: side(Direction::Debit), credits: side(Direction::Credit) },
    }
}

/// The form of the button.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct CancelForm {
    nonce: String,
}

/// Gives a movement up. Too late is no failure: the page then says what happened instead.
pub(super) async fn cancel(
    Path(id): Path<String>,
    Sent { visitor, form }: Sent<CancelForm>,
) -> Result<Response, Problem> {
    give_up(&visitor, &id, &form).await
}

/// The same, for whoever may.
pub(in crate::pages) async fn give_up(
    visitor: &Visitor,
    id: &str,
    form: &CancelForm,
) -> Result<Response, Problem> {
    let key = act::key("cancel", &form.nonce, &[id])?;
    let writer = visitor.writer()?;
    let done = if let Ok(withdrawal) = id.parse::<WithdrawalId>() {
        wallet::cancel_withdrawal(writer, key, withdrawal).await
    } else if let Ok(deposit) = id.parse::<DepositId>() {
        wallet::cancel_deposit(writer, key, deposit).await
    } else if let Ok(transfer) = id.parse::<TransferId>() {
        transfers::cancel(&writer, transfer, key, form).await.map(drop)
    } else {
        Err(crate::http::reach::nothing())
    };
    match done {
        Ok(()) => Ok(see_other(&format!("{}/{id}", list(visitor).0)).into_response()),
        Err(problem) if problem.status() == 409 => {
            let errors = FormErrors::one("", "Too late to cancel: it has gone on. See below.");
            let view = view(visitor, id, errors).await?;
            Ok(respond::page_with(axum::http::StatusCode::CONFLICT, &view))
        }
        Err(problem) => Err(problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_is_said_once() {
        assert_eq!(without_side("From", "From your bank"), "Your bank");
        assert_eq!(without_side("To", "To TEST ••0011"), "TEST ••0011");
        assert_eq!(without_side("To", "Tom’s Tea"), "Tom’s Tea");
        assert_eq!(without_side("To", "Chai Point"), "Chai Point");
    }
}
