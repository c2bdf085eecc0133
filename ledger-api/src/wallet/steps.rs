//! The steps of deposits, withdrawals, transfers and payments, in the words of a wallet's owner.
//! Who of ours decided something is not told, and neither is another wallet's part of a deposit.

use chrono::{DateTime, Utc};
use ledger_core::{
    deposit::DepositEvent,
    ids::{AccountId, PaymentId, Reference, RefundId, TransferId},
    money::Currency,
    payment::RefundStatus,
    transfer::TransferEvent,
    withdrawal::WithdrawalEvent,
};
use projections::{DepositHistory, ReadModels, WithdrawalHistory};

use super::{detail::Step, money, words};
use crate::{
    http::{Problem, reach::nothing},
    pages::ui::money_text,
};

/// The steps of a withdrawal.
pub(super) fn of_withdrawal(history: &WithdrawalHistory) -> Vec<Step> {
    let mut steps = Vec::with_capacity(history.facts.len());
    for fact in &history.facts {
        let (words, reference) = withdrawal_words(&fact.event);
        let event = fact.event.name();
        steps.push(Step { event, words, at: fact.recorded_at, reference });
    }
    steps
}

fn withdrawal_words(event: &WithdrawalEvent) -> (String, Option<String>) {
    let plain = |words: &str| (words.to_owned(), None);
    match event {
        WithdrawalEvent::Requested(_) => plain("Requested, and set aside"),
        WithdrawalEvent::ReviewRequired(_) => plain("A person looks at it first"),
        WithdrawalEvent::Approved {} => plain("A person let it pass"),
        WithdrawalEvent::Queued(_) => plain("Queued for the bank"),
        WithdrawalEvent::Rejected(_) => plain("Refused by us; the money is back"),
        WithdrawalEvent::Cancelled(_) => plain("Cancelled; the money is back"),
        WithdrawalEvent::Failed(back) => {
            let why = because(back.reason.as_ref());
            (format!("The bank refused it{why}; the money is back"), None)
        }
        WithdrawalEvent::AttemptBegun(begun) => {
            let words = format!("Sent to {}", words::bank(&begun.bank));
            (words, Some(begun.reference.to_string()))
        }
        WithdrawalEvent::AttemptRefused(refused) => {
            (format!("The bank refused this attempt{}", because(refused.code.as_ref())), None)
        }
        WithdrawalEvent::OutcomeUnknown(_) => plain("The bank has not confirmed it"),
        WithdrawalEvent::AttentionNeeded(_) => plain("We find out with the bank"),
        WithdrawalEvent::PaidInPart(part) => (
            "A part is paid; the bank has not confirmed the rest".to_owned(),
            Some(part.bank_reference.to_string()),
        ),
        WithdrawalEvent::Completed(completed) => {
            ("Paid".to_owned(), Some(completed.bank_reference.to_string()))
        }
        WithdrawalEvent::CompletedLate(late) => (
            "Paid, after the bank had refused it".to_owned(),
            Some(late.bank_reference.to_string()),
        ),
        WithdrawalEvent::Returned(back) => {
            ("Came back from the bank".to_owned(), Some(back.bank_reference.to_string()))
        }
        WithdrawalEvent::Applied(_) => plain("What came back is on your wallet"),
        WithdrawalEvent::Assigned(_) => plain("A person of ours found whose it is"),
        WithdrawalEvent::SentAgain(_) => plain("Sent back once more"),
    }
}

/// A bank's code for why not, in words that follow on; a code of its own is said as it is.
fn because(code: Option<&Reference>) -> String {
    let Some(code) = code else { return String::new() };
    let words = match code.as_str() {
        "account_closed" => "the account is closed",
        "account_frozen" => "the account is frozen there",
        "account_unknown" | "account_not_found" | "account_invalid" => "there is no such account",
        "ifsc_invalid" => "there is no such branch",
        "name_mismatch" | "name_differs" => "the account is in another name",
        "limit_exceeded" => "it is more than the account may take",
        "beneficiary_bank_offline" => "the other bank is not there",
        other => return format!(": {}", other.replace('_', " ")),
    };
    format!(": {words}")
}

/// The steps of a deposit that concern one wallet.
pub(super) fn of_deposit(
    history: &DepositHistory,
    account: &AccountId,
    currency: Currency,
) -> Vec<Step> {
    let deposit = &history.deposit;
    let is_whole = deposit.account() == Some(account)
        && deposit.credits().iter().all(|credit| credit.assigned_to.is_none());
    let concerns = |number: u32| is_whole || deposit.wallet_of(number) == Some(account);
    let mut steps = Vec::with_capacity(history.facts.len());
    for fact in &history.facts {
        let of_intent = deposit.account() == Some(account);
        let number = number_of(&fact.event);
        if !number.map_or(of_intent, concerns) {
            continue;
        }
        let (words, reference) = deposit_words(&fact.event, currency);
        let event = fact.event.name();
        steps.push(Step { event, words, at: fact.recorded_at, reference });
    }
    steps
}

/// Which credit an event is about.
fn number_of(event: &DepositEvent) -> Option<u32> {
    match event {
        DepositEvent::Received(received) => Some(received.number),
        DepositEvent::Credited(booked) => Some(booked.number),
        DepositEvent::PutAside(aside) => Some(aside.number),
        DepositEvent::Settled(settled) => Some(settled.number),
        DepositEvent::Assigned(assigned) => Some(assigned.number),
        DepositEvent::LeftToReturn(left) => Some(left.number),
        DepositEvent::SentBack(sent) => Some(sent.number),
        DepositEvent::Divided(divided) => Some(divided.number),
        DepositEvent::RecallRequested(asked) => Some(asked.number),
        DepositEvent::RecallGranted(granted) => Some(granted.number),
        DepositEvent::RecallRefused(refused) => Some(refused.number),
        DepositEvent::Begun(_)
        | DepositEvent::Unsolicited(_)
        | DepositEvent::Declined(_)
        | DepositEvent::Cancelled {}
        | DepositEvent::Expired {} => None,
    }
}

fn deposit_words(event: &DepositEvent, currency: Currency) -> (String, Option<String>) {
    let plain = |words: &str| (words.to_owned(), None);
    let arrived = |said: &str, credit: &ledger_core::deposit::Credit| {
        let utr = credit.utr.as_ref().map(ToString::to_string);
        let Ok(amount) = money(credit.amount, currency) else { return (said.to_owned(), utr) };
        (format!("{said}: {}", money_text(&amount)), utr)
    };
    match event {
        DepositEvent::Begun(begun) => (format!("Asked {} for it", words::bank(&begun.bank)), None),
        DepositEvent::Unsolicited(_) => plain("Money came that nobody had asked for"),
        DepositEvent::Cancelled {} => plain("Given up"),
        DepositEvent::Expired {} => plain("Nobody paid in time"),
        DepositEvent::Declined(_) => plain("The bank declined"),
        DepositEvent::Received(received) => {
            arrived("The bank told us of it; we are checking", &received.credit)
        }
        DepositEvent::Credited(booked) => arrived("On your wallet", &booked.credit),
        DepositEvent::PutAside(aside) => arrived("Put aside for a person", &aside.credit),
        DepositEvent::Settled(_) => plain("On the bank's statement"),
        DepositEvent::Assigned(_) => plain("A person of ours found that it is yours"),
        DepositEvent::LeftToReturn(_) => plain("It goes back to whom it came from"),
        DepositEvent::SentBack(_) => plain("Sent back to whom it came from"),
        DepositEvent::Divided(_) => plain("It was for several deposits, which have it"),
        DepositEvent::RecallRequested(_) => plain("The bank asks for it back"),
        DepositEvent::RecallGranted(_) => plain("Given back to the bank"),
        DepositEvent::RecallRefused(_) => plain("It stays yours"),
    }
}

/// The steps of a transfer that waits, or waited, to be claimed.
pub(super) async fn of_transfer(
    models: &ReadModels,
    id: TransferId,
    account: &AccountId,
) -> Result<Vec<Step>, Problem> {
    let facts = models.transfer_facts(id).await?;
    let is_sender = facts
        .iter()
        .any(|(_, event)| matches!(event, TransferEvent::Held(held) if held.account == *account));
    let mut steps = Vec::with_capacity(facts.len());
    for (at, event) in facts {
        let claimer = match &event {
            TransferEvent::ClaimInReview(claim) => Some(&claim.account),
            TransferEvent::Completed(completed) => Some(&completed.account),
            TransferEvent::Held(_) | TransferEvent::Cancelled(_) | TransferEvent::Expired {} => {
                None
            }
        };
        if !is_sender && claimer.is_some_and(|claimer| claimer != account) {
            continue;
        }
        let words = match &event {
            TransferEvent::Held(_) if is_sender => "Held for the receiver",
            TransferEvent::Held(_) => "Sent to your phone number",
            TransferEvent::ClaimInReview(_) => "Claimed; it cannot be paid out yet",
            TransferEvent::Completed(_) if is_sender => "Claimed and paid out",
            TransferEvent::Completed(_) => "On your wallet",
            TransferEvent::Cancelled(_) => "Given up",
            TransferEvent::Expired {} => "Nobody claimed it in time; the money is free again",
        };
        steps.push(Step { event: event.name(), words: words.to_owned(), at, reference: None });
    }
    Ok(steps)
}

/// The steps of a payment to a shop, as its payer sees them.
pub(super) async fn of_payment(models: &ReadModels, id: PaymentId) -> Result<Vec<Step>, Problem> {
    let payment = models.payment(id).await?.value.ok_or_else(nothing)?;
    let refunds = models.refunds_of(id).await?.value;
    let mut steps = vec![step("completed", "Paid", payment.paid_at)];
    for refund in refunds.iter().filter(|refund| refund.status == RefundStatus::Completed) {
        steps.push(step("refund_completed", "The shop gave something back", refund.changed_at));
    }
    Ok(steps)
}

/// The steps of a refund, as who gets it sees them.
pub(super) async fn of_refund(models: &ReadModels, id: RefundId) -> Result<Vec<Step>, Problem> {
    let refund = models.refund(id).await?.value.ok_or_else(nothing)?;
    let asked = step("refund_requested", "The shop gives it back", refund.requested_at);
    let end = match refund.status {
        RefundStatus::Pending => None,
        RefundStatus::Completed => Some(("refund_completed", "On your wallet")),
        RefundStatus::Failed => Some(("refund_failed", "It could not be given back")),
        RefundStatus::Cancelled => Some(("refund_cancelled", "The shop gave it up")),
    };
    let end = end.map(|(event, words)| step(event, words, refund.changed_at));
    Ok(std::iter::once(asked).chain(end).collect())
}

fn step(event: &'static str, words: &str, at: DateTime<Utc>) -> Step {
    Step { event, words: words.to_owned(), at, reference: None }
}
