//! Which of the withdrawals that wait are sent now: in order, as far as room, rate and escrow go.

use std::sync::Arc;

use chrono::TimeZone;
use ledger_core::{clock::Timestamp, ids::AccountId, log::Position, money::Money};
use projections::WithdrawalRow;
use rust_decimal::Decimal;
use tokio::{sync::watch, time::Instant};

use super::{InHand, Queue, Ready, RoundError, breaker::Permit, pace};
use crate::{banks::Contract, workers::clerk::Clerk};

/// How many are read at once, and how often in one look. What is passed over beyond that, the next
/// look goes on behind.
const PAGE: u32 = 1_000;
const PAGES_MAX: u32 = 10;
/// How many are kept ready: what a bank takes until the next look.
const READY_MAX: usize = 1_000;

/// Whether one of them may be sent.
enum Turn {
    Send(Money),
    /// Not now; those behind it may.
    Pass,
    /// Never like this: somebody has to look.
    Block(&'static str),
}

impl Queue {
    /// Whether there is room for more than is ready, and more waits.
    pub(super) fn runs_dry(&self) -> bool {
        self.more && self.ready.len() < self.room()
    }

    /// Looks up what may be sent, anew; says why no more is, if there is a reason.
    pub(super) async fn fill(
        &mut self,
        contract: &Arc<Contract>,
    ) -> Result<Option<&'static str>, RoundError> {
        self.ready.clear();
        self.more = false;
        if let Some(closed) = self.gate().await? {
            return Ok(Some(closed));
        }
        let mut after = self.passed.begin(Instant::now());
        let mut left = None;
        for _ in 0..PAGES_MAX {
            let bank = self.sender.bank.code();
            let page = self.read_models.queued_withdrawals(bank, after, PAGE).await?;
            self.catch_up(page.position);
            let rows = page.value;
            let Some(last) = rows.last().and_then(|row| row.queued_position) else {
                self.passed.meets();
                return Ok(None);
            };
            after = last;
            let full = u32::try_from(rows.len()) == Ok(PAGE);
            let mut covered = match left {
                Some(left) => left,
                None => self.float(contract).await?,
            };
            if !self.take_in(rows, contract, &mut covered).await? {
                return Ok(Some("low_float"));
            }
            left = Some(covered);
            self.more = full;
            if !full {
                self.passed.meets();
            }
            if !full || self.ready.len() >= READY_MAX {
                break;
            }
        }
        Ok(None)
    }

    /// Takes in what may be sent of a page; whether escrow covers it.
    async fn take_in(
        &mut self,
        rows: Vec<WithdrawalRow>,
        contract: &Arc<Contract>,
        left: &mut Decimal,
    ) -> Result<bool, RoundError> {
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        let blocked = self.sender.notes.blocked(&ids).await?;
        let now = self.sender.teller.clerk.clock.now();
        for row in rows {
            let place = row.queued_position.unwrap_or_default();
            if self.in_hand.contains_key(&row.id) {
                // It may stand here again in a moment.
                self.passed.meets();
                continue;
            }
            if blocked.contains(&row.id) {
                self.passed.over(place);
                continue;
            }
            let amount = match turn(&self.sender.teller.clerk, &row, contract, now) {
                Turn::Pass => {
                    self.passed.over(place);
                    continue;
                }
                Turn::Block(code) => {
                    tracing::error!(withdrawal = %row.id, code, "not sent: somebody has to look");
                    self.sender.notes.block(row.id, code).await?;
                    self.passed.over(place);
                    continue;
                }
                Turn::Send(amount) => amount,
            };
            self.passed.meets();
            if amount.amount() > *left {
                // In order: what comes later and would fit must wait as well, or a large one would
                // wait for ever.
                return Ok(false);
            }
            *left = left.saturating_sub(amount.amount());
            self.ready.push_back(Ready { row, amount, contract: Arc::clone(contract) });
        }
        Ok(true)
    }

    /// Sends what is ready as far as room and rate go; whether it is the rate that holds it up.
    pub(super) fn send_ready(&mut self, stopping: &watch::Receiver<bool>) -> bool {
        while self.room() > 0 && self.lane.is_held() {
            let Some(rate) = self.ready.front().map(|ready| ready.contract.rate_per_second) else {
                return false;
            };
            let now = Instant::now();
            let permit = self.breaker.permit(now);
            if permit == Permit::Refused {
                return false;
            }
            if !self.rate.get_or_insert_with(|| pace::Rate::new(rate, now)).take(rate, now) {
                return true;
            }
            let Some(slot) = self.slots.take() else { return false };
            let Some(Ready { row, amount, contract }) = self.ready.pop_front() else {
                return false;
            };
            if permit == Permit::Trial {
                self.breaker.tried();
                self.trial = Some(row.id);
            }
            let (id, sender, held) = (row.id, self.sender.clone(), self.lane.held());
            let job = sender.send(row, amount, contract, (slot, held), stopping.clone());
            self.spawn(id, amount.amount(), false, job);
        }
        false
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
        // A sweep that was approved is as good as gone, whenever the bank states it.
        let moves = self.sender.notes.moves();
        let swept = moves.sweeps(bank, contract.currency, float.position).await?;
        let promised = promised.saturating_add(swept);
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
