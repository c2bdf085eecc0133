//! `/ops`: what asks for somebody, and how each bank is.

use axum::response::Response;
use ledger_core::{ids::BankCode, withdrawal::WithdrawalStatus};
use projections::WithdrawalFilter;
use rust_decimal::Decimal;

use super::{Board, Counter, OpsVisitor, Part, visitor::age};
use crate::{
    banks::Health,
    desk::{
        banks::{self, BankState},
        overview::{self, Hour},
        proposals::Proposals,
    },
    http::Problem,
    pages::{
        respond,
        ui::{Cell, Column, Countdown},
    },
    routes::withdrawals::withdrawals,
};

/// How many of a bank's unknown withdrawals are looked at for the next deadline.
const LOOKED_AT: u32 = 100;

pub(super) async fn page(visitor: OpsVisitor) -> Result<Response, Problem> {
    let states = banks::states(&visitor.state).await?;
    let hours = overview::hours(&visitor.state.reads, visitor.now()).await?;
    let mut board = Board::new(&visitor, "Overview", "home");
    board = counters(&visitor, board, &states).await?;
    let mut rows = Vec::with_capacity(states.len());
    for state in &states {
        rows.push(row(&visitor, state, hours.get(&state.bank).copied().unwrap_or_default())?);
    }
    let columns = [
        Column::words("Bank"),
        Column::words("Health"),
        Column::words("Sends"),
        Column::numbers("Queued"),
        Column::words("Oldest"),
        Column::numbers("In flight"),
        Column::numbers("Unknown"),
        Column::numbers("Float left"),
        Column::numbers("Paid, 1 h"),
        Column::numbers("p95, 1 h"),
    ];
    let nothing = "This service calls no bank: one with the role worker does.";
    let part = Part::new("Banks").table(&columns, rows, nothing);
    Ok(respond::page(&board.part(part)))
}

/// What there is of a bank in one status: how many, how much, since when.
fn lies(
    state: &BankState,
    statuses: &[WithdrawalStatus],
) -> (u64, Decimal, Option<chrono::DateTime<chrono::Utc>>) {
    let of = || state.open.iter().filter(|backlog| statuses.contains(&backlog.status));
    let count = of().map(|backlog| backlog.count).fold(0, u64::saturating_add);
    let amount = of().fold(Decimal::ZERO, |sum, backlog| sum.saturating_add(backlog.amount));
    (count, amount, of().map(|backlog| backlog.oldest).min())
}

const UNKNOWN: [WithdrawalStatus; 2] =
    [WithdrawalStatus::OutcomeUnknown, WithdrawalStatus::NeedsAttention];

async fn counters(
    visitor: &OpsVisitor,
    board: Board,
    states: &[BankState],
) -> Result<Board, Problem> {
    let sum = |statuses: &[WithdrawalStatus]| {
        let all = states.iter().map(|state| lies(state, statuses).0);
        all.fold(0, u64::saturating_add)
    };
    let unknown = sum(&UNKNOWN);
    let review = sum(&[WithdrawalStatus::PendingReview]);
    let currency = states.iter().find_map(|state| state.currency);
    let money = states.iter().filter(|state| state.currency == currency);
    let money = money.fold(Decimal::ZERO, |all, one| all.saturating_add(lies(one, &UNKNOWN).1));
    let money: Cell = match currency {
        Some(currency) => visitor.money(money, currency)?.into(),
        None => "none".into(),
    };
    let board = board
        .counter(
            Counter::new("Unknown", money)
                .note(counted(unknown, "withdrawal"))
                .href("/ops/withdrawals?tab=unknown")
                .bad_if(unknown > 0),
        )
        .counter(deadline(visitor, unknown).await?)
        .counter(Counter::new("To review", review.to_string()).href("/ops/withdrawals?tab=review"));
    let board = board.counter(approvals(visitor).await?).counter(suspense(visitor).await?);
    webhooks(visitor, board).await
}

/// When the outcome of the first of the unknown ones is due: the end of the bank's next day.
async fn deadline(visitor: &OpsVisitor, unknown: u64) -> Result<Counter, Problem> {
    let mut due = Vec::new();
    if unknown > 0 {
        for status in UNKNOWN {
            let filter = WithdrawalFilter { status: Some(status), ..WithdrawalFilter::default() };
            let page = visitor.state.read_models.withdrawals(&filter, LOOKED_AT).await?;
            let seen = withdrawals(&visitor.state, page).await?;
            due.extend(seen.into_iter().filter_map(|one| one.status_detail?.answer_due_by));
        }
    }
    let Some(due) = due.into_iter().min() else {
        return Ok(Counter::new("Next deadline", "none"));
    };
    let late = due <= visitor.now();
    let words = if late { "over".to_owned() } else { Countdown::new(due, visitor.now()).text() };
    Ok(Counter::new("Next deadline", words)
        .note(visitor.when(due).text())
        .href("/ops/withdrawals?tab=unknown")
        .bad_if(late))
}

async fn approvals(visitor: &OpsVisitor) -> Result<Counter, Problem> {
    let count = super::approvals::waiting(visitor).await?;
    Ok(Counter::new("For a second person", count.to_string()).href("/ops/approvals"))
}

async fn suspense(visitor: &OpsVisitor) -> Result<Counter, Problem> {
    let lies = overview::in_suspense(&visitor.state.reads).await?;
    let counter = |value: Cell| Counter::new("In suspense", value).href("/ops/suspense");
    let Some(first) = lies.first() else { return Ok(counter("none".into())) };
    let count = u64::try_from(first.count).unwrap_or_default();
    let note = format!("{}, the oldest {}", counted(count, "credit"), visitor.age(first.oldest));
    Ok(counter(visitor.money(first.amount, first.currency)?.into()).note(note))
}

async fn webhooks(visitor: &OpsVisitor, board: Board) -> Result<Board, Problem> {
    let Some(inbox) = &visitor.state.operators.inbox else { return Ok(board) };
    let (count, oldest) = inbox.unread().await?;
    let lag = oldest.map_or(0, |at| visitor.now().signed_duration_since(at).num_seconds());
    Ok(board.counter(
        Counter::new("Webhook lag", if count == 0 { "none".to_owned() } else { age(lag) })
            .note(format!("{count} not applied yet"))
            .href("/ops/inbound")
            .bad_if(lag > 60),
    ))
}

pub(super) const fn health(health: Health) -> &'static str {
    match health {
        Health::Up => "Healthy",
        Health::Degraded => "Degraded",
        Health::Down => "Down",
    }
}

/// Why a bank sends nothing now, or that it does.
pub(super) fn sends(state: &BankState) -> String {
    match state.waits_for.as_deref() {
        _ if state.paused.is_some() => "Paused".to_owned(),
        Some("bank_unreachable") => "Circuit open".to_owned(),
        Some("low_float") => "Low float".to_owned(),
        Some(other) => other.replace('_', " "),
        None if state.sending && state.draining.is_some() => "Draining".to_owned(),
        None if state.sending => "Yes".to_owned(),
        None => "No worker".to_owned(),
    }
}

fn row(visitor: &OpsVisitor, state: &BankState, hour: Hour) -> Result<Vec<Cell>, Problem> {
    let (queued, _, oldest) = lies(state, &[WithdrawalStatus::Queued]);
    let (unknown, _, _) = lies(state, &UNKNOWN);
    let amount = |amount: Decimal| -> Result<Cell, Problem> {
        let Some(currency) = state.currency else { return Ok("not known".into()) };
        Ok(visitor.money(amount, currency)?.into())
    };
    let float = |of: fn(&banks::FloatState) -> Decimal| match &state.float {
        Some(float) => amount(of(float)),
        None => Ok("not known".into()),
    };
    let bank: &BankCode = &state.bank;
    Ok(vec![
        Cell::Link(bank.to_string(), format!("/ops/banks#{bank}")),
        health(state.health).into(),
        sends(state).into(),
        queued.to_string().into(),
        oldest.map_or_else(String::new, |at| visitor.age(at)).into(),
        float(|float| float.in_flight)?,
        unknown.to_string().into(),
        float(|float| float.left)?,
        hour.success_percent().map_or("none".to_owned(), |rate| format!("{rate} %")).into(),
        hour.p95_seconds.map_or("none".to_owned(), age).into(),
    ])
}

/// So many things: `1 credit`, `2 credits`.
pub(super) fn counted(count: u64, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

/// Where proposals are.
pub(super) fn proposals(visitor: &OpsVisitor) -> Proposals {
    Proposals::new(visitor.state.reads.clone())
}
