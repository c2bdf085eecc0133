//! Reading a deposit, with all that happened to it.

use ledger_core::{
    deposit::{Credit, Deposit, DepositEvent, DepositStatus},
    ids::{AccountId, DepositId},
    log::Position,
    money::{CurrencyCode, Money},
    withdrawal::Source,
};
use projections::{DepositFact, DepositHistory};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::{
    body::{DepositOut, DepositStatusWord, StepOut},
    page,
};
use crate::{
    http::{
        ApiState, Problem,
        path::Id,
        query::Params,
        reader::{Listed, Reader, limit},
        reply::Reply,
        wire::Amount,
    },
    identity::Scope,
    routes::accounts::MinPosition,
};

const SCOPES: &[Scope] = &[Scope::LedgerRead, Scope::DepositsWrite];

/// Which deposits to list.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DepositsQuery {
    /// To this wallet. For people: their own if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, example = "wallet:asha:INR")]
    account: Option<AccountId>,
    /// In this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<DepositStatusWord>)]
    status: Option<DepositStatus>,
    /// How many at most; 1 to 100, 25 if left out.
    #[serde(skip_serializing_if = "crate::http::query::not_a_filter")]
    limit: Option<u32>,
    /// Where to go on: `next_cursor` of the page before.
    #[serde(skip_serializing_if = "crate::http::query::not_a_filter")]
    cursor: Option<String>,
    /// Wait until the answer reflects this position.
    #[serde(skip_serializing_if = "crate::http::query::not_a_filter")]
    min_position: Option<u64>,
}

/// List deposits
///
/// Newest first, without their timelines.
#[utoipa::path(
    get,
    path = "/v1/deposits",
    tag = "Deposits",
    params(DepositsQuery),
    responses((status = 200, description = "A page of them.", body = Listed<DepositOut>)),
)]
pub(super) async fn list(
    reader: Reader,
    Params(mut query): Params<DepositsQuery>,
) -> Result<Reply<Listed<DepositOut>>, Problem> {
    let (reach, models) = reader.admit_reach(SCOPES, query.min_position).await?;
    let limit = limit(query.limit)?;
    query.account = reach.listed(query.account.as_ref())?;
    let list = reader.list("deposits", &query);
    let before = list.resume(query.cursor.as_deref())?;
    let page = models.deposits(query.account.as_ref(), query.status, before, limit).await?;
    let deposits = page.items.into_iter().map(|row| DepositOut::of_row(row, page.position));
    reader.page(&list, deposits.collect::<Result<_, _>>()?, page.next, page.position)
}

/// Get a deposit
///
/// With its timeline, and with the bank's page to pay at while it awaits payment. Money can come
/// after a status that is `final`; it is taken.
#[utoipa::path(
    get,
    path = "/v1/deposits/{id}",
    tag = "Deposits",
    params(("id" = String, Path, description = "The deposit"), MinPosition),
    responses((status = 200, description = "The deposit.", body = DepositOut)),
)]
pub(super) async fn get(
    reader: Reader,
    Id(id): Id<DepositId>,
    Params(query): Params<MinPosition>,
) -> Result<Reply<DepositOut>, Problem> {
    let (reach, models) = reader.admit_reach(SCOPES, query.min_position).await?;
    let (position, history) = reader.find(|| models.deposit(id)).await?;
    reach.maybe_account(history.deposit.account())?;
    let wanted = wanted(&reader.state, id, &history.deposit);
    let mut out = deposit_out(id, history, position)?;
    if let Some(wanted) = wanted {
        out.pay_page = page::find(&reader.state.banks, wanted).await;
    }
    Ok(Reply::ok(out).at(position))
}

/// The page to look for, while it can be paid.
pub(super) fn wanted(state: &ApiState, id: DepositId, deposit: &Deposit) -> Option<page::Wanted> {
    let awaiting = deposit.status() == Some(DepositStatus::AwaitingPayment);
    let now = state.clock.now();
    let begun = deposit.intent().filter(|begun| awaiting && begun.expires_at > now)?;
    let currency = state.ledger.status().borrow().book.currency(begun.account.currency().ok()?)?;
    let amount = Money::from_decimal(begun.amount, currency).ok()?;
    let bank = begun.bank.clone();
    Some(page::Wanted { deposit_id: id, bank, amount, return_url: None, payer: None })
}

/// A deposit as it is shown, without the page to pay at.
pub(crate) fn deposit_out(
    id: DepositId,
    history: DepositHistory,
    position: Position,
) -> Result<DepositOut, Problem> {
    let DepositHistory { deposit, facts } = history;
    let known = deposit.currency().zip(deposit.receipt(id)).zip(facts.first().zip(facts.last()));
    let Some(((currency, receipt), (first, last))) = known else {
        return Err(Problem::internal(&"a deposit that never began"));
    };
    let created_at = first.recorded_at;
    let out = DepositOut::of(&receipt, last.recorded_at, position)?;
    Ok(DepositOut {
        version: Some(u64::try_from(facts.len()).unwrap_or(u64::MAX)),
        created_at: Some(created_at),
        late: Some(deposit.is_late()),
        aside: Some(Amount::new(deposit.aside(), currency)),
        timeline: Some(timeline(facts, currency)),
        ..out
    })
}

fn timeline(facts: Vec<DepositFact>, currency: CurrencyCode) -> Vec<StepOut> {
    let mut deposit = Deposit::default();
    let mut steps = Vec::with_capacity(facts.len());
    for fact in facts {
        deposit = deposit.after(fact.event.clone());
        steps.push(StepOut {
            event: fact.event.name().to_owned(),
            status: deposit.status(),
            at: fact.recorded_at,
            by: fact.actor,
            ..of(fact.event, currency)
        });
    }
    steps
}

/// What an event says beyond its name.
fn of(event: DepositEvent, currency: CurrencyCode) -> StepOut {
    let nothing = StepOut::default();
    let arrived = |number: u32, credit: Credit, source: Source| StepOut {
        credit: Some(number),
        amount: Some(Amount::new(credit.amount, currency)),
        utr: credit.utr,
        value_date: Some(credit.value_date),
        source: Some(source),
        ..StepOut::default()
    };
    match event {
        DepositEvent::Declined(declined) => {
            StepOut { source: Some(declined.source), reason: declined.code, ..nothing }
        }
        DepositEvent::Received(received) => {
            arrived(received.number, received.credit, received.source)
        }
        DepositEvent::Credited(booked) => arrived(booked.number, booked.credit, booked.source),
        DepositEvent::PutAside(aside) => StepOut {
            reason: Some(aside.reason),
            ..arrived(aside.number, aside.credit, aside.source)
        },
        DepositEvent::Settled(settled) => StepOut { credit: Some(settled.number), ..nothing },
        DepositEvent::Assigned(assigned) => {
            StepOut { credit: Some(assigned.number), reason: assigned.reason, ..nothing }
        }
        DepositEvent::RecallRequested(asked) => {
            StepOut { credit: Some(asked.number), source: Some(asked.source), ..nothing }
        }
        DepositEvent::RecallGranted(granted) => {
            StepOut { credit: Some(granted.number), reason: granted.reason, ..nothing }
        }
        DepositEvent::RecallRefused(refused) => {
            StepOut { credit: Some(refused.number), reason: refused.reason, ..nothing }
        }
        DepositEvent::LeftToReturn(left) => {
            StepOut { credit: Some(left.number), reason: left.reason, ..nothing }
        }
        DepositEvent::SentBack(sent) => {
            StepOut { credit: Some(sent.number), reason: sent.reason, ..nothing }
        }
        DepositEvent::Divided(divided) => {
            StepOut { credit: Some(divided.number), reason: divided.reason, ..nothing }
        }
        DepositEvent::Begun(_)
        | DepositEvent::Unsolicited(_)
        | DepositEvent::Cancelled {}
        | DepositEvent::Expired {} => nothing,
    }
}
