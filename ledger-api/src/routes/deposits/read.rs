//! Reading a deposit, with all that happened to it.

use ledger_core::{
    deposit::{Credit, Deposit, DepositEvent, DepositStatus},
    ids::DepositId,
    log::Position,
    money::{CurrencyCode, Money},
    withdrawal::Source,
};
use projections::{DepositFact, DepositHistory};

use super::{
    body::{DepositOut, StepOut},
    page,
};
use crate::{
    http::{
        ApiState, Problem, path::Id, query::Params, reader::Reader, reply::Reply, wire::Amount,
    },
    identity::Scope,
    routes::accounts::MinPosition,
};

const SCOPES: &[Scope] = &[Scope::LedgerRead, Scope::DepositsWrite];

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
    let models = reader.admit(SCOPES, query.min_position).await?;
    let (position, history) = reader.find(|| models.deposit(id)).await?;
    let wanted = wanted(&reader.state, id, &history.deposit);
    let mut out = deposit_out(id, history, position)?;
    if let Some(wanted) = wanted {
        out.pay_page = page::find(&reader.state.banks, wanted).await;
    }
    Ok(Reply::ok(out).at(position))
}

/// The page to look for, while it can be paid.
fn wanted(state: &ApiState, id: DepositId, deposit: &Deposit) -> Option<page::Wanted> {
    let awaiting = deposit.status() == Some(DepositStatus::AwaitingPayment);
    let now = state.clock.now();
    let begun = deposit.intent().filter(|begun| awaiting && begun.expires_at > now)?;
    let currency = state.ledger.status().borrow().book.currency(begun.account.currency().ok()?)?;
    let amount = Money::from_decimal(begun.amount, currency).ok()?;
    Some(page::Wanted { deposit_id: id, bank: begun.bank.clone(), amount, return_url: None })
}

fn deposit_out(
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
        DepositEvent::Assigned(assigned) => StepOut { credit: Some(assigned.number), ..nothing },
        DepositEvent::LeftToReturn(left) => {
            StepOut { credit: Some(left.number), reason: left.reason, ..nothing }
        }
        DepositEvent::Begun(_)
        | DepositEvent::Unsolicited(_)
        | DepositEvent::Cancelled {}
        | DepositEvent::Expired {} => nothing,
    }
}
