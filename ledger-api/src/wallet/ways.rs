//! Which bank and which rail, for people who do not say.

use chrono::{DateTime, Utc};
use futures::future::join_all;
use ledger_core::{
    ids::{BankCode, Rail},
    money::Money,
};

use crate::{
    banks::{Bank, Health},
    http::{
        ApiState, Problem, codes,
        reach::{Reach, missing_field},
    },
    wallet::Pauses,
};

/// The rail that is tried if no bank tells its rails at the moment: the request then waits for the
/// bank, as it would anyway.
const RAIL_USUAL: &str = "imps";

/// The bank and rail that somebody asked for, if they did.
pub(crate) struct Way<'a> {
    /// The bank.
    pub(crate) bank: Option<&'a BankCode>,
    /// The rail.
    pub(crate) rail: Option<&'a Rail>,
}

/// A way that there is.
struct Offer {
    /// How the bank is: the healthy ones first.
    rank: u8,
    /// When the money would be there; what does not say comes last.
    done_by: (bool, Option<DateTime<Utc>>),
    bank: BankCode,
    rail: Rail,
}

/// The bank that is named, or for people one that can be reached.
pub(crate) async fn bank_or_usual(
    state: &ApiState,
    named: Option<&BankCode>,
    reach: Reach,
) -> Result<BankCode, Problem> {
    if let Some(bank) = named {
        return known(state, bank).map(|bank| bank.code().clone());
    }
    if reach == Reach::Everything {
        return Err(missing_field("/bank"));
    }
    let asked = state.banks.iter().map(async |bank| (rank(bank.health().await), bank.code()));
    let found = join_all(asked).await.into_iter().min_by_key(|(rank, _)| *rank);
    found.map(|(_, bank)| bank.clone()).ok_or_else(no_bank)
}

impl Way<'_> {
    /// The way that is asked for, or for people the fastest that takes the amount.
    pub(crate) async fn or_usual(
        &self,
        state: &ApiState,
        amount: Money,
        reach: Reach,
    ) -> Result<(BankCode, Rail), Problem> {
        match (self.bank, self.rail, reach) {
            (Some(bank), Some(rail), _) => {
                let pause = state.pauses.of(bank).await?;
                if pause.is_some_and(|pause| pause.drains) {
                    return Err(draining());
                }
                return Ok((bank.clone(), rail.clone()));
            }
            (None, _, Reach::Everything) => return Err(missing_field("/bank")),
            (_, None, Reach::Everything) => return Err(missing_field("/rail")),
            (_, _, Reach::Of(_) | Reach::OfMerchant(..)) => {}
        }
        let banks: Vec<&dyn Bank> = match self.bank {
            Some(bank) => vec![known(state, bank)?],
            None => state.banks.iter().map(AsRef::as_ref).collect(),
        };
        self.fastest(&banks, &state.pauses, (amount, state.clock.now())).await
    }

    /// The fastest way of these banks that takes the amount at this moment. A bank that is drained
    /// takes none.
    pub(crate) async fn fastest(
        &self,
        banks: &[&dyn Bank],
        pauses: &Pauses,
        (amount, now): (Money, DateTime<Utc>),
    ) -> Result<(BankCode, Rail), Problem> {
        let mut taking = Vec::with_capacity(banks.len());
        for bank in banks {
            let pause = pauses.of(bank.code()).await?;
            if !pause.as_ref().is_some_and(|pause| pause.drains) {
                taking.push((*bank, pause.is_some()));
            }
        }
        if taking.is_empty() && !banks.is_empty() {
            return Err(draining());
        }
        // What is sent through a paused bank waits until somebody resumes it.
        let told = taking.iter().map(|(bank, paused)| self.offers(*bank, *paused, amount, now));
        let told: Vec<_> = join_all(told).await;
        if told.iter().all(Option::is_none) {
            let rail = self.rail.cloned().map_or_else(|| RAIL_USUAL.parse(), Ok);
            let rail = rail.map_err(|error| Problem::internal(&error))?;
            let bank = taking.first().ok_or_else(no_bank)?.0.code().clone();
            return Ok((bank, rail));
        }
        let best = told.into_iter().flatten().flatten().min_by_key(|o| (o.rank, o.done_by));
        best.map(|offer| (offer.bank, offer.rail)).ok_or_else(|| {
            let detail = "No bank sends this much, or this little.";
            Problem::field(codes::RAIL_UNKNOWN, "/amount", detail)
        })
    }

    /// The ways of a bank that take the amount; nothing if it does not say what it has.
    async fn offers(
        &self,
        bank: &dyn Bank,
        paused: bool,
        amount: Money,
        now: DateTime<Utc>,
    ) -> Option<Vec<Offer>> {
        let (health, contract) = futures::future::join(bank.health(), bank.contract()).await;
        let contract = contract.ok()?;
        let asked = |rail: &Rail| self.rail.is_none_or(|asked| asked == rail);
        let fitting = contract.rails.iter().filter(|t| asked(&t.rail) && t.takes(amount));
        let offers = fitting.map(|terms| {
            let done_by = terms.done_by(now, contract.time_zone);
            Offer {
                rank: if paused { u8::MAX } else { rank(health) },
                done_by: (done_by.is_none(), done_by),
                bank: bank.code().clone(),
                rail: terms.rail.clone(),
            }
        });
        Some(offers.collect())
    }
}

fn known<'a>(state: &'a ApiState, bank: &BankCode) -> Result<&'a dyn Bank, Problem> {
    state.banks.get(bank).map(AsRef::as_ref).ok_or_else(no_bank)
}

fn draining() -> Problem {
    let detail = "This bank takes no new withdrawals now. Choose another one, or ask again later.";
    Problem::new(codes::BANK_DRAINING, detail)
}

fn no_bank() -> Problem {
    Problem::field(codes::BANK_UNKNOWN, "/bank", "This service calls no such bank.")
}

const fn rank(health: Health) -> u8 {
    match health {
        Health::Up => 0,
        Health::Degraded => 1,
        Health::Down => 2,
    }
}
