//! What is frozen of an account, and the liens on it.

use super::Account;
use crate::audit::{
    finding::{Code, Findings, Place},
    payload::{FreezeMode, Frozen, Unfrozen},
};

#[derive(Debug, Clone, Copy)]
pub(super) struct Freeze {
    mode: FreezeMode,
    amount: i128,
}

impl Account {
    pub(in crate::audit::books) fn freeze(
        &mut self,
        place: Place<'_>,
        frozen: &Frozen<'_>,
        findings: &mut Findings,
    ) {
        let lien = frozen.mode == FreezeMode::Lien;
        if lien != frozen.amount.is_some() {
            let words = "a lien has an amount, and nothing else has";
            findings.event(place, Code::FreezeDiffers, words);
        }
        let text = frozen.amount.as_deref().filter(|_| lien);
        let amount = text.and_then(|text| self.positive(place, text, findings));
        let freeze = Freeze { mode: frozen.mode, amount: amount.unwrap_or(0) };
        let before = self.freezes.insert(Box::from(&*frozen.reference), freeze);
        if let Some(before) = before {
            let words = format!("{:?} is in force already", &*frozen.reference);
            findings.event(place, Code::FreezeDiffers, words);
            self.lift(before);
        }
        self.liens = self.liens.saturating_add(freeze.amount);
        self.frozen_debit += u32::from(freeze.stops_debits());
        self.frozen_credit += u32::from(freeze.stops_credits());
    }

    pub(in crate::audit::books) fn unfreeze(
        &mut self,
        place: Place<'_>,
        unfrozen: &Unfrozen<'_>,
        findings: &mut Findings,
    ) {
        if let Some(freeze) = self.freezes.remove(&*unfrozen.reference) {
            self.lift(freeze);
        } else {
            let words = format!("{:?} is not in force", &*unfrozen.reference);
            findings.event(place, Code::FreezeUnknown, words);
        }
    }

    fn lift(&mut self, freeze: Freeze) {
        self.liens = self.liens.saturating_sub(freeze.amount);
        self.frozen_debit -= u32::from(freeze.stops_debits());
        self.frozen_credit -= u32::from(freeze.stops_credits());
    }
}

impl Freeze {
    fn stops_debits(self) -> bool {
        matches!(self.mode, FreezeMode::Debit | FreezeMode::Both)
    }

    fn stops_credits(self) -> bool {
        matches!(self.mode, FreezeMode::Credit | FreezeMode::Both)
    }
}
