//! Events of holds and of reversals, and what an account says of its holds.

use super::{
    super::{
        finding::{Code, Place},
        payload::{self as shape, id},
        record::Event,
    },
    Books, hold,
    reading::read,
};

impl Books {
    pub(super) fn hold_change(&mut self, place: Place<'_>, event: &Event<'_>, index: usize) {
        let account = self.accounts.at(index);
        let Some(change) = read::<shape::HoldChange<'_>>(place, event, &mut self.findings) else {
            return account.distrust();
        };
        let Some(amount) = account.positive(place, &change.amount, &mut self.findings) else {
            return account.distrust();
        };
        let grows = matches!(event.event_type, "hold_placed" | "hold_increased");
        account.hold(place, &change, if grows { amount } else { -amount }, &mut self.findings);
        let side = hold::Change { place, event_type: event.event_type, account: index, amount };
        self.holds.account_side(&side, &change, &mut self.findings);
    }

    pub(super) fn hold_event(&mut self, place: Place<'_>, event: &Event<'_>) {
        let Some(hold) = id(event.aggregate_id, "hold_") else {
            let words = "not a hold's id";
            return self.findings.event(place, Code::IdMalformed, words);
        };
        self.holds.sequence(place, hold, event.sequence, &mut self.findings);
        let (holds, findings) = (&mut self.holds, &mut self.findings);
        match event.event_type {
            "placed" => {
                if let Some(placed) = read(place, event, findings) {
                    holds.placed(place, hold, &placed, &mut self.accounts, findings);
                }
            }
            "increased" => {
                if let Some(increased) = read(place, event, findings) {
                    holds.increased(place, hold, &increased, &mut self.accounts, findings);
                }
            }
            "captured" => {
                if let Some(captured) = read(place, event, findings) {
                    let capture =
                        holds.captured(place, hold, &captured, &mut self.accounts, findings);
                    self.transactions.expect_capture(capture);
                }
            }
            "released" => {
                if read::<shape::Nothing>(place, event, findings).is_some() {
                    holds.released(place, hold, findings);
                }
            }
            "expired" => {
                if read::<shape::Nothing>(place, event, findings).is_some() {
                    holds.expired(place, hold, event.recorded_at, findings);
                }
            }
            _ => self.unknown_type(place, event),
        }
    }

    pub(super) fn reversal_event(&mut self, place: Place<'_>, event: &Event<'_>) {
        if event.event_type != "reversed" {
            return self.unknown_type(place, event);
        }
        let Some(original) = id(event.aggregate_id, "txn_") else {
            let words = "not a transaction's id";
            return self.findings.event(place, Code::IdMalformed, words);
        };
        if let Some(reversed) = read::<shape::Reversed<'_>>(place, event, &mut self.findings) {
            self.transfers.reversed(place, original, &mut self.findings);
            self.payments.reversed(place, original, &mut self.findings);
            self.transactions.reversed(
                place,
                event.sequence,
                original,
                &reversed,
                &mut self.findings,
            );
        }
    }
}
