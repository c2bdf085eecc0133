//! Which of the withdrawals that wait are sent now: in order, as far as room, rate and escrow go.

use std::sync::Arc;

use chrono::TimeZone;
use ledger_core::{clock::Timestamp, ids::AccountId, log::Position, money::Money};
use projections::WithdrawalRow;
use rust_decimal::Decimal;
use tokio::{sync::watch, time::Instant};

use super::{InHand, Queue, RoundError, pace};
use crate::{banks::Contract, workers::clerk::Clerk};

/// How many are read at once, and how often: far enough past those that wait for another attempt.
const PAGE: u32 = 200;
const PAGES_MAX: u32 = 50;

/// Whether one of them may be sent.
enum Turn {
    Send(Money),
    /// Not now; those behind it may.
    Pass,
    /// Never like this: somebody has to look.
    Block(&'static str),
}

impl Queue {
    /// Sends what is due; says why nothing more is, if there is a reason.
    pub(super) async fn send_due(
        &mut self,
        contract: &Arc<Contract>,
        stopping: &watch::Receiver<bool>,
    ) -> Result<Option<&'static str>, RoundError> {
        if let Some(closed) = self.gate().await? {
            return Ok(Some(closed));
        }
        let mut after = 0;
        let mut left = None;
        for _ in 0..PAGES_MAX {
            if self.room() == 0 {
                return Ok(None);
            }
            let bank = self.sender.bank.code();
            let page = self.read_models.queued_withdrawals(bank, after, PAGE).await?;
            self.catch_up(page.position);
            let rows = page.value;
            let Some(last) = rows.last().and_then(|row| row.queued_position) else {
                return Ok(None);
            };
            after = last;
            let full = u32::try_from(rows.len()) == Ok(PAGE);
            if left.is_none() {
                left = Some(self.float(contract).await?);
            }
            if let Some(left) = &mut left
                && let Some(why) = self.send_page(rows, contract, left, stopping).await?
            {
                return Ok(why);
            }
            if !full {
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// Sends what is due of a page; why no other page is to be looked at, if so.
    async fn send_page(
        &mut self,
        rows: Vec<WithdrawalRow>,
        contract: &Arc<Contract>,
        left: &mut Decimal,
        stopping: &watch::Receiver<bool>,
    ) -> Result<Option<Option<&'static str>>, RoundError> {
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        let blocked = self.sender.notes.blocked(&ids).await?;
        let now = self.sender.teller.clerk.clock.now();
        for row in rows {
            if blocked.contains(&row.id) || self.in_hand.contains_key(&row.id) {
                continue;
            }
            let amount = match turn(&self.sender.teller.clerk, &row, contract, now) {
                Turn::Pass => continue,
                Turn::Block(code) => {
                    tracing::error!(withdrawal = %row.id, code, "not sent: somebody has to look");
                    self.sender.notes.block(row.id, code).await?;
                    continue;
                }
                Turn::Send(amount) => amount,
            };
            if amount.amount() > *left {
                // In order: what comes later and would fit must wait as well, or a large one would
                // wait for ever.
                return Ok(Some(Some("low_float")));
            }
            if self.room() == 0 {
                return Ok(Some(None));
            }
            let Some(until) = self.lane.held_until() else { return Ok(Some(None)) };
            let (rate, instant) = (contract.rate_per_second, Instant::now());
            let pace = self.rate.get_or_insert_with(|| pace::Rate::new(rate, instant));
            if instant >= until || !pace.take(rate, instant) {
                return Ok(Some(None));
            }
            *left = left.saturating_sub(amount.amount());
            self.in_hand.insert(row.id, InHand { amount: amount.amount(), known_at: None });
            let (sender, contract) = (self.sender.clone(), Arc::clone(contract));
            self.tasks.spawn(sender.send(row, amount, contract, until, stopping.clone()));
        }
        Ok(None)
    }

    /// What the bank's escrow can still cover, less what is in hand and not in the read models.
    async fn float(&self, contract: &Contract) -> Result<Decimal, RoundError> {
        let bank = self.sender.bank.code();
        let account = |kind: &str| -> Option<AccountId> {
            format!("bank:{bank}:{kind}:{}", contract.currency).parse().ok()
        };
        let Some((escrow, clearing)) = account("escrow").zip(account("clearing_out")) else {
            return Ok(Decimal::ZERO);
        };
        let float = self.read_models.float(&escrow, &clearing, bank).await?;
        let unseen =
            |in_hand: &&InHand| in_hand.known_at.is_none_or(|at: Position| at > float.position);
        let promised = self.in_hand.values().filter(unseen).map(|in_hand| in_hand.amount);
        let promised = promised.fold(self.buffer, Decimal::saturating_add);
        let left = float.value.left().and_then(|left| left.checked_sub(promised));
        Ok(left.unwrap_or(Decimal::ZERO))
    }
}

/// Whether it is its turn.
fn turn(clerk: &Clerk, row: &WithdrawalRow, contract: &Contract, now: Timestamp) -> Turn {
    let Some(amount) = money(clerk, row) else { return Turn::Block("currency_unknown") };
    if amount.currency().code != contract.currency {
        return Turn::Block("currency_not_served");
    }
    let Some(terms) = contract.rail(&row.rail) else { return Turn::Block("rail_not_served") };
    let below = terms.minimum.is_some_and(|least| amount.amount() < least.amount());
    let above = terms.maximum.is_some_and(|most| amount.amount() > most.amount());
    if below || above {
        return Turn::Block("amount_outside_rail");
    }
    if pace::retry_at(row.id, row.attempts, row.changed_at) > now {
        return Turn::Pass;
    }
    let there = contract.time_zone.from_utc_datetime(&now.naive_utc());
    if terms.hours.is_some_and(|hours| !hours.is_open(there.time())) {
        return Turn::Pass;
    }
    Turn::Send(amount)
}

/// What a withdrawal pays, in the book's scale.
pub fn money(clerk: &Clerk, row: &WithdrawalRow) -> Option<Money> {
    let currency = clerk.currency(row.account.currency().ok()?)?;
    Money::from_decimal(row.amount, currency).ok()
}
