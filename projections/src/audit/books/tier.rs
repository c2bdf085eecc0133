//! The limits of tiers, held against every leg once more: which legs count, on which day of the
//! book, and that no sum ever passed what was in force. Written from docs/events.md alone.

use std::collections::HashMap;

use chrono::{DateTime, Datelike, NaiveDate};
use chrono_tz::Tz;

use super::{
    super::{
        amount,
        finding::{Code, Findings, Place},
        payload::{FlowLimits, Leg, TierDefined, TierSet},
        text::Text,
        time,
    },
    account::Account,
    transaction::Move,
};

/// Transactions of these kinds neither count nor are limited.
const EXEMPT: [&str; 9] = [
    "withdrawal_returned",
    "withdrawal_late",
    "refund",
    "repayment",
    "compensation",
    "settlement",
    "dispute",
    "reversal",
    "adjustment",
];

/// What a limit in one direction is about, in the order of the sums.
const PERIODS: [&str; 4] = ["transaction", "day", "month", "year"];

/// The tiers in force, and the time zone whose days are counted.
#[derive(Debug, Default)]
pub(super) struct Tiers {
    zone: Option<Tz>,
    list: HashMap<Box<str>, Tier>,
}

#[derive(Debug)]
struct Tier {
    currency: Box<str>,
    version: u32,
    scale: u8,
    balance: Option<i128>,
    /// In, then out; per transaction, day, month, year.
    flows: [[Option<i128>; 4]; 2],
}

impl Tiers {
    pub(super) fn set_zone(&mut self, zone: Tz) {
        self.zone = Some(zone);
    }

    /// The book's day of a moment.
    pub(super) fn day(&self, micros: i64) -> Option<NaiveDate> {
        let moment = DateTime::from_timestamp_micros(micros)?;
        Some(moment.with_timezone(&self.zone.unwrap_or(Tz::UTC)).date_naive())
    }

    /// A version of a tier in a currency that the book has at `scale`.
    pub(super) fn define(
        &mut self,
        place: Place<'_>,
        defined: &TierDefined<'_>,
        scale: Option<u8>,
        findings: &mut Findings,
    ) {
        let known = self.list.get(&*defined.tier);
        let version = known.map_or(0, |tier| tier.version).saturating_add(1);
        if defined.version != version {
            let words = format!("version {} where {version} should be", defined.version);
            findings.event(place, Code::TierDiffers, words);
        }
        if scale.is_none() || known.is_some_and(|tier| *tier.currency != *defined.currency) {
            let words = format!("a tier in {:?}", &*defined.currency);
            findings.event(place, Code::TierDiffers, words);
        }
        let scale = scale.unwrap_or(0);
        let mut limit = |text: Option<&Text<'_>>| {
            let text = text?;
            let limit = amount::parse(text, scale).filter(|limit| *limit >= 0);
            if limit.is_none() {
                let words = format!("{:?} is no limit at scale {scale}", &**text);
                findings.event(place, Code::AmountMalformed, words);
            }
            limit
        };
        let balance = limit(defined.limits.balance.as_ref());
        let mut flow = |flow: &FlowLimits<'_>| {
            let all = [&flow.per_transaction, &flow.per_day, &flow.per_month, &flow.per_year];
            all.map(|text| limit(text.as_ref()))
        };
        let flows = [flow(&defined.limits.incoming), flow(&defined.limits.outgoing)];
        let currency = Box::from(&*defined.currency);
        let tier = Tier { currency, version: defined.version, scale, balance, flows };
        self.list.insert(Box::from(&*defined.tier), tier);
    }

    /// Whether an account in `currency` can be put on a tier of this name and version.
    fn has(&self, tier: &str, version: Option<u32>, currency: &str) -> bool {
        let known = self.list.get(tier);
        known.is_some_and(|known| Some(known.version) == version && *known.currency == *currency)
    }
}

/// A leg as the limits see it.
struct Counted<'a> {
    kind: &'a str,
    incoming: bool,
    amount: i128,
    /// The balance before it.
    before: i128,
    /// The position of its transaction's first leg.
    first: i64,
    recorded_at: i64,
    stated: Option<&'a str>,
}

/// What an account on a tier has moved.
#[derive(Debug)]
pub(super) struct Usage {
    tier: Box<str>,
    day: Option<NaiveDate>,
    /// The last counted transaction, and its sum.
    transaction: (i64, i128),
    /// In, then out; day, month, year.
    sums: [[i128; 3]; 2],
}

impl Usage {
    fn new(tier: &str) -> Self {
        Self { tier: Box::from(tier), day: None, transaction: (0, 0), sums: [[0; 3]; 2] }
    }

    fn move_to(&mut self, tier: &str) {
        self.tier = Box::from(tier);
    }

    /// One leg of an account on a tier.
    fn leg(
        &mut self,
        place: Place<'_>,
        counted: &Counted<'_>,
        tiers: &Tiers,
        findings: &mut Findings,
    ) {
        let today = tiers.day(counted.recorded_at);
        let counts = !EXEMPT.contains(&counted.kind);
        let expected = today.filter(|_| counts);
        let stated = counted.stated.and_then(time::date);
        if stated != expected || counted.stated.is_some() != counts {
            let expected = expected.map_or("nothing".to_owned(), |day| day.to_string());
            let stated = counted.stated.unwrap_or("nothing");
            let words = format!("counted on {stated} where {expected} should be");
            findings.event(place, Code::CountedDiffers, words);
        }
        // A day that is stated is taken over, as long as time does not run backwards by it.
        let Some(day) = stated.filter(|day| self.day.is_none_or(|last| last <= *day)) else {
            return;
        };
        self.roll(day);
        let sum = if self.transaction.0 == counted.first { self.transaction.1 } else { 0 };
        self.transaction = (counted.first, sum.saturating_add(counted.amount));
        let flow = usize::from(!counted.incoming);
        if let Some(sums) = self.sums.get_mut(flow) {
            for sum in sums {
                *sum = sum.saturating_add(counted.amount);
            }
        }
        if let Some(tier) = tiers.list.get(&*self.tier) {
            self.within(place, counted, tier, flow, findings);
        }
    }

    /// What was counted in periods that have ended is forgotten.
    fn roll(&mut self, day: NaiveDate) {
        let Some(last) = self.day.replace(day) else { return };
        let same_year = last.year() == day.year();
        let same = [last == day, same_year && last.month() == day.month(), same_year];
        for sums in &mut self.sums {
            for (sum, same) in sums.iter_mut().zip(same) {
                *sum = if same { *sum } else { 0 };
            }
        }
    }

    fn within(
        &self,
        place: Place<'_>,
        counted: &Counted<'_>,
        tier: &Tier,
        flow: usize,
        findings: &mut Findings,
    ) {
        let (Some(caps), Some(sums)) = (tier.flows.get(flow), self.sums.get(flow)) else { return };
        let moved = [self.transaction.1, sums[0], sums[1], sums[2]];
        let mut over = |what: &str, sum: i128, cap: i128| {
            let (sum, cap) = (amount::text(sum, tier.scale), amount::text(cap, tier.scale));
            let words = format!("comes to {sum} a {what}, tier {} allows {cap}", self.tier);
            findings.event(place, Code::AboveLimit, words);
        };
        for ((what, sum), cap) in PERIODS.into_iter().zip(moved).zip(caps) {
            if let Some(cap) = cap.filter(|cap| sum > *cap) {
                return over(what, sum, cap);
            }
        }
        let after = counted.before.saturating_add(counted.amount);
        if let Some(cap) = tier.balance.filter(|cap| counted.incoming && after > *cap) {
            over("balance", after, cap);
        }
    }
}

impl Account {
    /// One leg against the limits of the account's tier; before the leg itself.
    pub(super) fn count(
        &mut self,
        place: Place<'_>,
        leg: &Leg<'_>,
        (movement, first, recorded_at): (&Move, i64, i64),
        tiers: &Tiers,
        findings: &mut Findings,
    ) {
        let stated = leg.counted_on.as_deref();
        let (before, incoming) = (self.balance(), movement.debit == self.debit_normal);
        let Some(usage) = &mut self.usage else {
            if stated.is_some() && !self.unknown {
                let words = "the leg counts, but the account is on no tier";
                findings.event(place, Code::CountedDiffers, words);
            }
            return;
        };
        let (kind, amount) = (&*leg.kind, movement.amount);
        let counted = Counted { kind, incoming, amount, before, first, recorded_at, stated };
        usage.leg(place, &counted, tiers, findings);
    }

    pub(super) fn tier(
        &mut self,
        place: Place<'_>,
        set: &TierSet<'_>,
        tiers: &Tiers,
        findings: &mut Findings,
    ) {
        let currency = place.aggregate_id.rsplit(':').next().unwrap_or_default();
        let tier = set.tier.as_deref();
        let fits = tier.map_or(set.version.is_none(), |t| tiers.has(t, set.version, currency));
        if !fits {
            let words = format!("no tier {tier:?} with version {:?} for {currency}", set.version);
            findings.event(place, Code::TierDiffers, words);
        }
        match (&mut self.usage, tier) {
            (Some(usage), Some(tier)) => usage.move_to(tier),
            (usage, tier) => *usage = tier.map(|tier| Box::new(Usage::new(tier))),
        }
    }
}
