//! The steps of a payment, in words, with what is still to come.

use ledger_core::payment::{DisputeWinner, Payment, PaymentEvent, RefundStatus};
use projections::{PaymentFact, PaymentHistory, PaymentRow};
use rust_decimal::Decimal;

use crate::{
    deposits::is_outside,
    http::Problem,
    pages::{
        Visitor,
        ui::{Step, StepState, Timeline, money_text},
    },
};

/// The timeline of a payment.
pub(super) fn timeline(
    visitor: &Visitor,
    row: &PaymentRow,
    history: &PaymentHistory,
) -> Result<Timeline, Problem> {
    let words = Words { visitor, row, payment: &history.payment };
    let mut steps = Vec::new();
    for (index, fact) in history.facts.iter().enumerate() {
        let rest = history.facts.get(index..).unwrap_or_default();
        if let Some(step) = words.step(fact, rest)? {
            steps.push(step.at(visitor.when(fact.recorded_at)));
        }
    }
    if row.settlement.is_none() {
        let day = row.settles_on.format("%-d %b");
        let step = Step::new(StepState::Todo, format!("Settles on {day}"));
        steps.push(step.text("Then it is available, and can go to your bank."));
    }
    Ok(Timeline::new(steps))
}

struct Words<'a> {
    visitor: &'a Visitor,
    row: &'a PaymentRow,
    payment: &'a Payment,
}

impl Words<'_> {
    fn money(&self, amount: Decimal) -> Result<String, Problem> {
        Ok(money_text(&self.visitor.money(amount, self.row.currency)?))
    }

    fn sees_money(&self) -> bool {
        self.visitor.shop.as_ref().is_some_and(|at| at.role.sees_money())
    }

    /// A fact in words; nothing for a step that only leads to the next one.
    fn step(&self, fact: &PaymentFact, rest: &[PaymentFact]) -> Result<Option<Step>, Problem> {
        let done = |what: String| Step::new(StepState::Done, what);
        Ok(Some(match &fact.event {
            PaymentEvent::Completed(paid) => {
                let (net, fee) = (self.money(paid.net())?, self.money(paid.fee)?);
                let step = done(format!("{} paid", self.money(paid.amount)?))
                    .facts(paid.transaction_id.to_string());
                if !self.sees_money() {
                    return Ok(Some(step));
                }
                step.text(format!("{net} for you, {fee} fee with its tax."))
            }
            PaymentEvent::Settled(settled) => {
                let step = done("Settled".to_owned()).facts(settled.settlement_id.to_string());
                if !self.sees_money() {
                    return Ok(Some(step));
                }
                step.text(format!("{} became available.", self.money(settled.amount)?))
            }
            PaymentEvent::RefundRequested(asked) => {
                if is_done_at_once(asked.refund_id, fact, rest) {
                    return Ok(None);
                }
                let status = self.payment.refund(asked.refund_id).map(|refund| refund.status);
                let waits = status == Some(RefundStatus::Pending);
                let state = if waits { StepState::Now } else { StepState::Done };
                let what = format!("Refund of {} asked for", self.money(asked.amount)?);
                Step::new(state, what).facts(asked.refund_id.to_string())
            }
            PaymentEvent::RefundCompleted(back) => {
                let amount = self.payment.refund(back.refund_id).map(|refund| refund.amount);
                // What the payer's bank makes of it is said beside the refund.
                let what = if is_outside(&self.row.payer) { "given back" } else { "refunded" };
                done(format!("{} {what}", self.money(amount.unwrap_or_default())?))
                    .facts(back.refund_id.to_string())
            }
            PaymentEvent::RefundFailed(failed) => Step::new(StepState::Failed, "Refund failed")
                .facts(failed.refund_id.to_string())
                .text("The payer’s wallet is closed. The money is still yours."),
            PaymentEvent::RefundCancelled(cancelled) => {
                done("Refund given up".to_owned()).facts(cancelled.refund_id.to_string())
            }
            PaymentEvent::DisputeOpened(opened) => self.dispute(&self.money(opened.amount)?),
            PaymentEvent::DisputeDecided(decided) => done(match decided.won_by {
                DisputeWinner::Payer => "Dispute decided for the payer".to_owned(),
                DisputeWinner::Merchant => "Dispute decided for you".to_owned(),
            }),
        }))
    }

    fn dispute(&self, amount: &str) -> Step {
        let is_open = self.payment.dispute().is_some_and(ledger_core::payment::Dispute::is_open);
        let state = if is_open { StepState::Unknown } else { StepState::Done };
        let step = Step::new(state, format!("{amount} disputed by the payer"));
        step.text("It is held until somebody of ours has decided whose it is.")
    }
}

/// Whether a refund was asked for and given in one go.
fn is_done_at_once(
    id: ledger_core::ids::RefundId,
    asked: &PaymentFact,
    rest: &[PaymentFact],
) -> bool {
    rest.iter().any(|fact| {
        let same =
            matches!(&fact.event, PaymentEvent::RefundCompleted(done) if done.refund_id == id);
        same && fact.recorded_at == asked.recorded_at
    })
}
