//! A deposit that waits for its bank: where it is paid, and what is said while nobody knows more.
//! Nothing here calls it failed: only the bank can.

use chrono::TimeDelta;
use ledger_core::{
    deposit::{Deposit, DepositStatus},
    ids::DepositId,
};

use crate::{
    http::Problem,
    pages::{Visitor, moving::bank_name},
    routes::deposits,
    wallet::Detail,
};

/// For how long a bank's answer is said to be about to come.
const SOON: TimeDelta = TimeDelta::seconds(60);

/// Whether there is a bank's page to pay at.
pub(super) enum Pay {
    /// There is nothing to pay.
    No,
    /// At this address.
    At(String),
    /// The bank does not say where.
    Unsaid,
}

/// What a deposit waits for.
pub(super) struct Waiting {
    /// Where it is paid.
    pub(super) pay: Pay,
    /// What is said of the wait; empty if nothing is waited for.
    pub(super) words: String,
    /// After how many seconds other words are said; zero if these stay.
    pub(super) again_in: i64,
}

impl Waiting {
    const fn nothing() -> Self {
        Self { pay: Pay::No, words: String::new(), again_in: 0 }
    }
}

/// What a deposit waits for; nothing, for all else.
pub(super) async fn of(visitor: &Visitor, detail: &Detail) -> Result<Waiting, Problem> {
    let status = detail.row.object_status.as_str();
    let is_to_pay = status == DepositStatus::AwaitingPayment.as_str();
    if !is_to_pay && status != DepositStatus::Received.as_str() {
        return Ok(Waiting::nothing());
    }
    let Ok(id) = detail.row.object.parse::<DepositId>() else { return Ok(Waiting::nothing()) };
    let Some(history) = visitor.state.read_models.deposit(id).await?.value else {
        return Ok(Waiting::nothing());
    };
    let since = detail.timeline.last().map(|step| step.at);
    let waited = since.map(|since| visitor.now().signed_duration_since(since));
    let (words, again_in) = said(&bank(&history.deposit), waited.unwrap_or_default());
    let pay = if is_to_pay { pay(visitor, id, &history.deposit).await } else { Pay::No };
    Ok(Waiting { pay, words, again_in })
}

async fn pay(visitor: &Visitor, id: DepositId, deposit: &Deposit) -> Pay {
    let page = deposits::pay_page(&visitor.state, id, deposit).await;
    page.map_or(Pay::Unsaid, Pay::At)
}

fn bank(deposit: &Deposit) -> String {
    deposit.bank().map_or_else(|| "your bank".to_owned(), |bank| bank_name(bank.as_str()))
}

/// What is said after waiting so long, and after how many seconds that changes.
fn said(bank: &str, waited: TimeDelta) -> (String, i64) {
    let left = SOON.checked_sub(&waited).unwrap_or_default();
    if left > TimeDelta::zero() {
        let words = format!("We’ve asked {bank}. This usually takes 10 seconds.");
        // A little later than the last second: by then the words are others.
        return (words, left.num_seconds().saturating_add(1));
    }
    ("Still waiting. You can leave this page; we’ll update Activity.".to_owned(), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_minute_nobody_has_to_stay() {
        let said = |seconds| said("HDFC", TimeDelta::seconds(seconds));
        assert_eq!(said(0), ("We’ve asked HDFC. This usually takes 10 seconds.".to_owned(), 61));
        assert_eq!(said(59).1, 2);
        for late in [60, 61, 86_400] {
            let (words, again_in) = said(late);
            assert!(words.starts_with("Still waiting."), "{words}");
            assert_eq!(again_in, 0);
        }
        // Two clocks: what began after now has not waited yet.
        assert!(said(-5).0.starts_with("We’ve asked"));
    }
}
