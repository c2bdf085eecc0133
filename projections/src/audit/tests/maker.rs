//! The books that logs in tests are made with: plain, and without a rule. They write whatever they
//! are told, with the right sequences and balances; whether it may be is the caller's business.

use std::collections::{BTreeMap, HashMap};

use super::log::{BatchRow, Log, Row, moment};

const START: i64 = 1_795_356_135_000_001;

#[derive(Debug, Clone)]
pub(super) struct Account {
    pub id: String,
    pub scale: usize,
    pub debit_normal: bool,
    pub floor: Option<i128>,
    pub ceiling: Option<i128>,
    pub debits: i128,
    pub credits: i128,
    pub held: i128,
    pub lien: i128,
    pub frozen: bool,
    pub closed: bool,
    pub items: BTreeMap<String, i128>,
}

#[derive(Debug, Clone)]
pub(super) struct Leg {
    pub account: usize,
    pub debit: bool,
    pub amount: i128,
    pub item: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Hold {
    pub id: String,
    pub account: usize,
    pub amount: i128,
    pub expires_at: Option<i64>,
}

/// The generator at work.
pub(super) struct Maker {
    pub log: Log,
    pub random: u64,
    pub next_id: u128,
    pub now: i64,
    pub sequences: HashMap<(String, String), i64>,
    pub accounts: Vec<Account>,
    pub holds: Vec<Hold>,
    pub reversible: Vec<(String, Vec<Leg>)>,
    pub open: Vec<Row>,
}

impl Maker {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            log: Log::default(),
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            next_id: 0,
            now: START,
            sequences: HashMap::new(),
            accounts: Vec::new(),
            holds: Vec::new(),
            reversible: Vec::new(),
            open: Vec::new(),
        }
    }

    /// The log, with its hashes.
    pub(super) fn finish(mut self) -> Log {
        self.log.seal();
        self.log
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) % bound
    }

    pub(super) fn pick(&mut self, length: usize) -> usize {
        let bound = u64::try_from(length).expect("small");
        usize::try_from(self.below(bound)).expect("small")
    }

    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(super) fn fresh(&mut self, prefix: &str) -> String {
        self.next_id += 1;
        format!("{prefix}{:032x}", (0x0199_u128 << 112) | self.next_id)
    }

    pub(super) fn event(
        &mut self,
        aggregate_type: &str,
        id: &str,
        event_type: &str,
        payload: &str,
    ) {
        let metadata = "{\"actor\":\"till\",\"request\":\"req_1\",\"book\":\"4\"}";
        self.event_with(aggregate_type, id, event_type, payload, metadata);
    }

    pub(super) fn event_with(
        &mut self,
        aggregate_type: &str,
        id: &str,
        event_type: &str,
        payload: &str,
        metadata: &str,
    ) {
        let key = (aggregate_type.to_owned(), id.to_owned());
        let sequence = self.sequences.entry(key).or_default();
        *sequence += 1;
        self.open.push(Row {
            batch: 0,
            position: 0,
            aggregate_type: aggregate_type.to_owned(),
            aggregate_id: id.to_owned(),
            sequence: *sequence,
            event_type: event_type.to_owned(),
            event_version: "1.0".to_owned(),
            payload: payload.to_owned(),
            metadata: metadata.to_owned(),
            recorded_at: self.now,
            hash: [0; 32],
        });
    }

    /// Ends the append under way, which may be empty.
    pub(super) fn append(&mut self) {
        let number = i64::try_from(self.log.batches.len()).expect("small") + 1;
        for mut row in std::mem::take(&mut self.open) {
            row.batch = number;
            self.log.rows.push(row);
        }
        self.log.batches.push(BatchRow {
            number,
            last_position: 0,
            recorded_at: self.now,
            head_hash: [0; 32],
        });
        self.now += i64::try_from(self.below(3_000_000)).expect("small");
    }

    pub(super) fn open_account(
        &mut self,
        code: &str,
        currency: &str,
        scale: usize,
        account_type: &str,
        itemised: bool,
        floor: Option<i128>,
    ) {
        let id = format!("{code}:{currency}");
        let mut payload = format!(
            "{{\"account\":\"{id}\",\"scale\":{scale},\"owner\":\"p_1\",\
             \"type\":\"{account_type}\",\"class\":\"open\""
        );
        if itemised {
            payload.push_str(",\"itemised\":true");
        }
        if let Some(floor) = floor {
            field(&mut payload, "floor", &decimal(floor, scale));
            payload.push_str(",\"metadata\":{\"k\":\"v\"}");
        }
        payload.push('}');
        self.event("account", &id, "opened", &payload);
        self.accounts.push(Account {
            id,
            scale,
            debit_normal: matches!(account_type, "asset" | "expense"),
            floor,
            ceiling: None,
            debits: 0,
            credits: 0,
            held: 0,
            lien: 0,
            frozen: false,
            closed: false,
            items: BTreeMap::new(),
        });
    }

    pub(super) fn balance(&self, account: usize) -> i128 {
        let account = &self.accounts[account];
        let balance = account.debits - account.credits;
        if account.debit_normal { balance } else { -balance }
    }

    pub(super) fn available(&self, index: usize) -> i128 {
        let account = &self.accounts[index];
        let free = self.balance(index) - account.held - account.lien;
        account.floor.map_or(i128::MAX, |floor| free - floor)
    }

    pub(super) fn may_take(&self, account: usize, amount: i128) -> bool {
        let state = &self.accounts[account];
        !state.closed && !state.frozen && amount > 0 && self.available(account) >= amount
    }

    pub(super) fn may_give(&self, account: usize, amount: i128) -> bool {
        let state = &self.accounts[account];
        let room = state.ceiling.is_none_or(|ceiling| self.balance(account) + amount <= ceiling);
        !state.closed && !state.frozen && amount > 0 && room
    }

    /// A wallet; currency 0 to 2, number 0 to 2.
    pub(super) fn wallet(currency: usize, number: usize) -> usize {
        currency * 6 + 3 + number
    }

    pub(super) fn transaction(&mut self, kind: &str, legs: &[Leg], cause: Option<&str>) -> String {
        let id = self.fresh("txn_");
        self.transaction_as(&id, kind, legs, cause);
        self.reversible.push((id.clone(), legs.to_vec()));
        id
    }

    pub(super) fn transaction_as(
        &mut self,
        id: &str,
        kind: &str,
        legs: &[Leg],
        cause: Option<&str>,
    ) {
        for (number, leg) in legs.iter().enumerate() {
            let account = &mut self.accounts[leg.account];
            let signed = if leg.debit == account.debit_normal { leg.amount } else { -leg.amount };
            if leg.debit {
                account.debits += leg.amount;
            } else {
                account.credits += leg.amount;
            }
            if let Some(item) = &leg.item {
                let open = account.items.entry(item.clone()).or_default();
                *open += signed;
                if *open == 0 {
                    account.items.remove(item);
                }
            }
            let (scale, held, name) = (account.scale, account.held, account.id.clone());
            let mut payload = format!(
                "{{\"transaction_id\":\"{id}\",\"leg\":{},\"legs\":{},\"kind\":\"{kind}\",\
                 \"amount\":\"{}\",\"balance_after\":\"{}\"",
                number + 1,
                legs.len(),
                decimal(leg.amount, scale),
                decimal(self.balance(leg.account), scale)
            );
            if held != 0 {
                field(&mut payload, "held_after", &decimal(held, scale));
            }
            field(&mut payload, "effective_on", "2026-11-22");
            if let Some(item) = &leg.item {
                field(&mut payload, "value_date", "2026-11-21");
                field(&mut payload, "item", item);
            }
            if let Some(cause) = cause {
                field(&mut payload, "cause", cause);
            }
            payload.push('}');
            let event_type = if leg.debit { "debited" } else { "credited" };
            if number == 0 {
                self.event("account", &name, event_type, &payload);
            } else {
                self.event_with("account", &name, event_type, &payload, "{}");
            }
        }
    }

    pub(super) fn hold_event(&mut self, event_type: &str, hold: &Hold, amount: i128, grows: bool) {
        let account = &mut self.accounts[hold.account];
        account.held += if grows { amount } else { -amount };
        let (scale, sum, id) = (account.scale, account.held, account.id.clone());
        let mut payload = format!(
            "{{\"hold_id\":\"{}\",\"amount\":\"{}\",\"balance_after\":\"{}\",\"held_after\":\"{}\"",
            hold.id,
            decimal(amount, scale),
            decimal(self.balance(hold.account), scale),
            decimal(sum, scale)
        );
        if let Some(time) = hold.expires_at.filter(|_| event_type == "hold_placed") {
            field(&mut payload, "expires_at", &moment(time));
        }
        payload.push('}');
        self.event("account", &id, event_type, &payload);
    }

    /// The event of a hold's own stream that places it.
    pub(super) fn placed(&mut self, hold: &Hold) {
        let account = &self.accounts[hold.account];
        let mut payload = format!(
            "{{\"account\":\"{}\",\"amount\":\"{}\"",
            account.id,
            decimal(hold.amount, account.scale)
        );
        if let Some(time) = hold.expires_at {
            field(&mut payload, "expires_at", &moment(time));
        }
        payload.push('}');
        self.event("hold", &hold.id, "placed", &payload);
    }

    /// The event of a hold's own stream that increases it by `by` to its amount.
    pub(super) fn increased(&mut self, hold: &Hold, by: i128) {
        let scale = self.accounts[hold.account].scale;
        let payload = format!(
            "{{\"by\":\"{}\",\"amount\":\"{}\"}}",
            decimal(by, scale),
            decimal(hold.amount, scale)
        );
        self.event("hold", &hold.id, "increased", &payload);
    }

    /// The event of a hold's own stream that captures a part of it.
    pub(super) fn captured(&mut self, hold: &Hold, amount: i128, transaction: &str) {
        let scale = self.accounts[hold.account].scale;
        let payload = format!(
            "{{\"amount\":\"{}\",\"released\":\"{}\",\"transaction_id\":\"{transaction}\"}}",
            decimal(amount, scale),
            decimal(hold.amount - amount, scale)
        );
        self.event("hold", &hold.id, "captured", &payload);
    }
}

/// Adds a field to an object that is not closed yet.
fn field(payload: &mut String, name: &str, value: &str) {
    for part in [",\"", name, "\":\"", value, "\""] {
        payload.push_str(part);
    }
}

pub(super) fn leg(account: usize, debit: bool, amount: i128, item: Option<String>) -> Leg {
    Leg { account, debit, amount, item }
}

pub(super) fn decimal(value: i128, scale: usize) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}
