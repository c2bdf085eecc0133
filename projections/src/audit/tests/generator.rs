//! Makes sound logs from a seed: every kind of event, several currencies, empty batches. It writes
//! only what its own plain reading of docs/events.md allows.

use super::{
    log::Log,
    maker::{Hold, Leg, Maker, decimal, leg},
};

/// A log of about `commands` commands.
pub(super) fn generate(seed: u64, commands: usize) -> Log {
    maker_after(seed, commands).finish()
}

/// The books after about `commands` commands, to go on with.
pub(super) fn maker_after(seed: u64, commands: usize) -> Maker {
    let mut maker = Maker::new(seed);
    maker.found();
    for _ in 0..commands {
        maker.command();
        if maker.chance(60) {
            maker.append();
        }
    }
    maker.append();
    maker
}

impl Maker {
    pub(super) fn found(&mut self) {
        self.event("book", "main", "opened", "{\"time_zone\":\"Asia/Kolkata\"}");
        for (code, scale) in [("INR", 2), ("JPY", 0), ("USDT", 6)] {
            let payload = format!("{{\"code\":\"{code}\",\"scale\":{scale}}}");
            self.event("book", "main", "currency_added", &payload);
        }
        self.append();
        for (currency, scale) in [("INR", 2), ("JPY", 0), ("USDT", 6)] {
            self.open_account("bank:hdfc:clearing_in", currency, scale, "asset", true, None);
            self.open_account("bank:hdfc:escrow", currency, scale, "asset", false, None);
            self.open_account("income:fees", currency, scale, "income", false, None);
            for name in ["asha", "binod", "chitra"] {
                let code = format!("wallet:{name}");
                self.open_account(&code, currency, scale, "liability", false, Some(0));
            }
            self.append();
            for wallet in self.accounts.len() - 3..self.accounts.len() {
                self.deposit(wallet, 1_000_000);
            }
            self.append();
        }
        self.append();
    }

    pub(super) fn deposit(&mut self, wallet: usize, amount: i128) {
        let clearing = wallet / 6 * 6;
        let item = self.fresh("dep_");
        let legs = [leg(clearing, true, amount, Some(item)), leg(wallet, false, amount, None)];
        self.transaction("deposit", &legs, None);
    }

    pub(super) fn command(&mut self) {
        let currency = self.pick(3);
        let from = Self::wallet(currency, self.pick(3));
        let to = Self::wallet(currency, self.pick(3));
        let amount = i128::from(self.below(9_000) + 1);
        match self.below(17) {
            0..=3 => self.transfer(from, to, amount),
            4 => self.exchange(amount),
            5 if self.may_give(from, amount) => self.deposit(from, amount),
            6 => self.settle(currency),
            7 | 8 => self.place(from, amount),
            9 => self.increase(amount),
            10 => self.capture(to),
            11 => self.end_hold(),
            12 => self.reverse(),
            13 => self.limits(from),
            14 => self.freeze(from),
            15 => self.open_and_close(currency),
            _ => self.append(),
        }
    }

    /// A transfer of three legs, with a fee.
    pub(super) fn transfer(&mut self, from: usize, to: usize, amount: i128) {
        if from == to || !self.may_take(from, amount + 1) || !self.may_give(to, amount) {
            return;
        }
        let legs = [
            leg(from, true, amount + 1, None),
            leg(to, false, amount, None),
            leg(from / 6 * 6 + 2, false, 1, None),
        ];
        self.transaction("transfer", &legs, None);
    }

    /// Two currencies, each balanced by itself, in one transaction.
    pub(super) fn exchange(&mut self, amount: i128) {
        let (a, b) = (Self::wallet(0, 0), Self::wallet(2, 1));
        if !self.may_take(a, amount) || !self.may_give(b, amount * 9) {
            return;
        }
        let legs = [
            leg(a, true, amount, None),
            leg(1, false, amount, None),
            leg(13, true, amount * 9, None),
            leg(b, false, amount * 9, None),
        ];
        self.transaction("exchange", &legs, None);
    }

    /// The bank's line clears one open item.
    pub(super) fn settle(&mut self, currency: usize) {
        let clearing = currency * 6;
        let Some((item, open)) = self.accounts[clearing].items.pop_first() else {
            return;
        };
        self.accounts[clearing].items.insert(item.clone(), open);
        let debit = open < 0;
        let amount = open.abs();
        let legs =
            [leg(clearing + 1, !debit, amount, None), leg(clearing, debit, amount, Some(item))];
        self.transaction("settlement", &legs, None);
    }

    pub(super) fn place(&mut self, account: usize, amount: i128) {
        if !self.may_take(account, amount) {
            return;
        }
        let expires_at = self.chance(50).then_some(self.now + 5_000_000);
        let hold = Hold { id: self.fresh("hold_"), account, amount, expires_at };
        self.placed(&hold);
        self.hold_event("hold_placed", &hold, amount, true);
        self.holds.push(hold);
    }

    pub(super) fn increase(&mut self, by: i128) {
        let Some(mut hold) = self.holds.pop() else {
            return;
        };
        if self.may_take(hold.account, by) {
            hold.amount += by;
            self.increased(&hold, by);
            self.hold_event("hold_increased", &hold, by, true);
        }
        self.holds.push(hold);
    }

    pub(super) fn capture(&mut self, to: usize) {
        let Some(hold) = self.holds.pop() else {
            return;
        };
        let captured = hold.amount / 2 + 1;
        let to = hold.account / 6 * 6 + to % 6;
        let frozen = self.accounts[hold.account].frozen || self.available(hold.account) < 0;
        if frozen || to == hold.account || !self.may_give(to, captured) {
            return self.holds.push(hold);
        }
        let transaction = self.fresh("txn_");
        self.captured(&hold, captured, &transaction);
        self.hold_event("hold_captured", &hold, hold.amount, false);
        let legs = [leg(hold.account, true, captured, None), leg(to, false, captured, None)];
        self.transaction_as(&transaction, "payment", &legs, Some(&hold.id));
    }

    pub(super) fn end_hold(&mut self) {
        let Some(hold) = self.holds.pop() else {
            return;
        };
        let expired = hold.expires_at.is_some_and(|time| time <= self.now);
        let end = if expired { "expired" } else { "released" };
        self.event("hold", &hold.id, end, "{}");
        self.hold_event(&format!("hold_{end}"), &hold, hold.amount, false);
    }

    pub(super) fn reverse(&mut self) {
        if self.reversible.is_empty() {
            return;
        }
        let at = self.pick(self.reversible.len());
        let (original, legs) = self.reversible[at].clone();
        let opposite: Vec<Leg> =
            legs.iter().rev().map(|l| Leg { debit: !l.debit, ..l.clone() }).collect();
        let allowed = opposite.iter().all(|l| {
            if l.debit == self.accounts[l.account].debit_normal {
                self.may_give(l.account, l.amount)
            } else {
                self.may_take(l.account, l.amount)
            }
        });
        if !allowed {
            return;
        }
        self.reversible.swap_remove(at);
        let by = self.fresh("txn_");
        self.event("reversal", &original, "reversed", &format!("{{\"by\":\"{by}\"}}"));
        self.transaction_as(&by, "reversal", &opposite, Some(&original));
    }

    /// A floor above the balance is legal and stops further decreases.
    pub(super) fn limits(&mut self, account: usize) {
        let state = &mut self.accounts[account];
        state.floor = match state.floor {
            Some(0) => Some(50),
            Some(_) => None,
            None => Some(0),
        };
        state.ceiling = match state.ceiling {
            Some(_) => None,
            None => Some(2_000_000),
        };
        let scale = state.scale;
        let text = |limit: Option<i128>| match limit {
            Some(limit) => format!("\"{}\"", decimal(limit, scale)),
            None => "null".to_owned(),
        };
        let payload =
            format!("{{\"floor\":{},\"ceiling\":{}}}", text(state.floor), text(state.ceiling));
        let id = state.id.clone();
        self.event("account", &id, "limits_changed", &payload);
    }

    pub(super) fn freeze(&mut self, account: usize) {
        let state = &mut self.accounts[account];
        let id = state.id.clone();
        if state.frozen || state.lien > 0 {
            let reference = if state.frozen { "order-1" } else { "lien-1" };
            (state.frozen, state.lien) = (false, 0);
            let payload = format!("{{\"reference\":\"{reference}\"}}");
            return self.event("account", &id, "unfrozen", &payload);
        }
        let payload = if self.chance(50) {
            let state = &mut self.accounts[account];
            state.lien = 70;
            let amount = decimal(70, state.scale);
            format!("{{\"reference\":\"lien-1\",\"mode\":\"lien\",\"amount\":\"{amount}\"}}")
        } else {
            self.accounts[account].frozen = true;
            "{\"reference\":\"order-1\",\"mode\":\"both\"}".to_owned()
        };
        self.event("account", &id, "frozen", &payload);
    }

    pub(super) fn open_and_close(&mut self, currency: usize) {
        let (code, scale) = [("INR", 2), ("JPY", 0), ("USDT", 6)][currency];
        self.next_id += 1;
        let name = format!("wallet:w{}", self.next_id);
        self.open_account(&name, code, scale, "liability", false, Some(0));
        let account = self.accounts.len() - 1;
        self.accounts[account].closed = true;
        self.event("account", &format!("{name}:{code}"), "closed", "{}");
    }
}
