//! Why something is where it is, in the words of its timeline: a withdrawal's place in the queue,
//! when the bank is asked next, how often it was asked, and by when its answer is due; and until
//! when money waits for whoever proves a number.

use ledger_core::ids::{TransferId, WithdrawalId};
use projections::{ActivityStatus, QueuePlace, Towards};

use crate::{
    http::Problem,
    pages::Visitor,
    routes::withdrawals::{StatusDetail, status_detail},
    wallet::Detail,
};

/// The sentences; nothing for what does not wait for a bank.
pub(super) async fn words(visitor: &Visitor, detail: &Detail) -> Result<Option<String>, Problem> {
    if detail.row.object_status == "pending_claim" {
        return ends(visitor, detail).await;
    }
    let Ok(id) = detail.row.object.parse::<WithdrawalId>() else { return Ok(None) };
    if detail.row.status.is_final() {
        return Ok(None);
    }
    let Some(history) = visitor.state.read_models.withdrawal(id).await?.value else {
        return Ok(None);
    };
    let told = status_detail(&visitor.state, id, &history).await?;
    // What happens next is said beside it already, except why it waits in the queue.
    let in_queue = detail.row.status == ActivityStatus::Queued;
    Ok(told.map(|told| said(visitor, &told, in_queue)))
}

/// Until when money waits for whoever proves the number it was sent to.
async fn ends(visitor: &Visitor, detail: &Detail) -> Result<Option<String>, Problem> {
    let Ok(id) = detail.row.object.parse::<TransferId>() else { return Ok(None) };
    let row = visitor.state.read_models.transfer(id).await?.value;
    let until = row.and_then(|row| row.expires_at).map(|end| visitor.when(end).inside());
    Ok(until.map(|until| match detail.row.direction {
        Towards::Out => format!("Until {until}; then it comes back to you."),
        Towards::In => format!("Until {until}; then it goes back."),
    }))
}

fn said(visitor: &Visitor, told: &StatusDetail, with_why: bool) -> String {
    let mut said = Vec::from_iter(with_why.then(|| told.description.clone()));
    if let (Some(place), Some(of)) = (told.queue_position, told.queue_length) {
        said.push(queue(place, of));
    }
    if let Some(at) = told.next_check_at {
        said.push(format!("Next check {}.", visitor.when(at).inside()));
    }
    if let Some(used) = told.checks_used.filter(|used| *used > 0 || told.next_check_at.is_some()) {
        said.push(match told.checks_allowed {
            // Then its statement is the answer, or a person asks.
            Some(allowed) if used >= allowed => format!(
                "It was asked as often as we may, {used} times: its statement or a person tells."
            ),
            Some(allowed) => format!("{used} of {allowed} checks used."),
            None => format!("Checks used: {used}."),
        });
    }
    if let Some(by) = told.answer_due_by {
        said.push(format!("Latest answer by {}.", visitor.when(by).inside()));
    }
    said.join(" ")
}

fn queue(place: u64, of: u64) -> String {
    let all = QueuePlace::COUNTED_MAX;
    match (place >= all, of >= all) {
        (true, _) => format!("More than {} wait before it.", all.saturating_sub(1)),
        (false, true) => format!("Number {place} in the queue."),
        (false, false) => format!("Number {place} of {of} in the queue."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_said_as_far_as_it_was_counted() {
        assert_eq!(queue(3, 41), "Number 3 of 41 in the queue.");
        assert_eq!(queue(3, 1_000), "Number 3 in the queue.");
        assert_eq!(queue(1_000, 1_000), "More than 999 wait before it.");
    }
}
